package dev.freshet.core.labels.correction;

import dev.freshet.core.labels.LabelKind;
import dev.freshet.core.labels.Task;
import dev.freshet.core.settings.RecordBinder;
import java.io.IOException;
import java.util.EnumSet;
import java.util.Set;

/**
 * The menu of delay corrections. {@code e} is the waiting time, {@code p} the model's prediction,
 * {@code dp} the chance of a late yes, {@code rn} that a no at {@code e} stays one; who estimates
 * the last two is in {@code training.DelayHeads}.
 */
public enum DelayCorrections implements DelayCorrection {
  /**
   * Says nothing until the task's horizon: right, and as late as the attribution windows together.
   * Every impression's label is told at the same age, whatever it is. Were it told when it settles,
   * an impression without a click would say "no purchase" hours before one with a click can say
   * anything, and whatever tells the model how old an example is would give the label away.
   */
  WAIT(Suits.EITHER, false, false) {
    @Override
    public void plan(TaskTimeline task, Plan plan) {
      plan.at(task.horizon(), LabelKind.FINAL, true);
    }
  },
  /**
   * Tells a label as soon as nothing can change it. Less state and fresher labels than {@link
   * #WAIT}, at the price described there. Meant for tasks with explicit negatives, whose windows
   * are only a limit.
   */
  SETTLED(Suits.EITHER, false, false) {
    @Override
    public void plan(TaskTimeline task, Plan plan) {
      plan.at(task.settled(), LabelKind.FINAL, true);
    }
  },
  /**
   * Vanilla waiting window: takes what is seen {@code e} after the parent's event as the truth.
   * Conversions that come later are false negatives to it. The settled label still leaves, at the
   * horizon, to be scored.
   */
  WINDOW(Suits.EITHER, true, false) {
    @Override
    public void plan(TaskTimeline task, Plan plan) {
      first(task, plan);
    }
  },
  /**
   * Fake negative weighted (Ktena et al., RecSys 2019): a no at once, a yes whenever it comes. In
   * this stream a yes is as frequent as {@code b = p / (1 + p)}; the weights {@code 1 + p} and
   * {@code (1 - p)(1 + p)} turn it back.
   */
  FNW(Suits.BINARY, true, false) {
    @Override
    public void plan(TaskTimeline task, Plan plan) {
      atOnce(task, plan);
    }

    @Override
    public Target target(LabelKind kind, double label, Estimates is) {
      return switch (kind) {
        case FIRST -> new Target(0, (1 - is.p()) * (1 + is.p()));
        case LATE_COPY -> new Target(1, 1 + is.p());
        default -> new Target(label, 1);
      };
    }
  },
  /**
   * Fake negative calibration (same paper): the stream of {@link #FNW} without weights. The model
   * learns {@code b = p / (1 + p)}; what is served and scored is {@code b / (1 - b)}.
   */
  FNC(Suits.BINARY, true, false) {
    @Override
    public void plan(TaskTimeline task, Plan plan) {
      atOnce(task, plan);
    }

    @Override
    public Target target(LabelKind kind, double label, Estimates is) {
      return new Target(kind == LabelKind.FIRST ? 0 : label, 1);
    }

    @Override
    public double served(double predicted) {
      return predicted >= 0.5 ? 1 : predicted / (1 - predicted);
    }
  },
  /**
   * ES-DFM (Yang et al., AAAI 2021): what is seen at {@code e}, and late yeses again when they
   * come. The stream shows {@code p / (1 + dp)} yeses; the weights are {@code 1 + dp} and {@code (1
   * + dp) rn}.
   */
  ES_DFM(Suits.BINARY, true, true) {
    @Override
    public void plan(TaskTimeline task, Plan plan) {
      if (first(task, plan) && late(task)) {
        plan.at(task.first(), LabelKind.LATE_COPY, true);
      }
    }

    @Override
    public Target target(LabelKind kind, double label, Estimates is) {
      if (kind == LabelKind.FINAL) {
        return new Target(label, 1);
      }
      return new Target(label, label > 0 ? 1 + is.late() : (1 + is.late()) * is.stays());
    }
  },
  /**
   * DEFER (Gu et al., KDD 2021): what is seen at {@code e}, and every example once more with its
   * true label: late yeses when they come, all others at the horizon. Everything is there twice, so
   * features keep their distribution; the weights are {@code p / (p - dp / 2)} and {@code (1 - p) /
   * (1 - p + dp / 2)}.
   */
  DEFER(Suits.BINARY, true, true) {
    @Override
    public void plan(TaskTimeline task, Plan plan) {
      long seen = firstMoment(task);
      if (seen >= task.closes()) {
        plan.at(task.closes(), LabelKind.FINAL, true);
        return;
      }
      plan.at(seen, LabelKind.FIRST, true);
      if (late(task)) {
        plan.at(task.first(), LabelKind.LATE_COPY, true);
      }
      plan.at(task.closes(), LabelKind.FINAL, !late(task));
    }

    @Override
    public Target target(LabelKind kind, double label, Estimates is) {
      double half = is.late() / 2;
      if (label > 0) {
        // At dp >= 2 p, which no true pair of them can be, the weight is without bound.
        double seen = is.p() - half;
        return new Target(label, seen > 0 ? is.p() / seen : Double.POSITIVE_INFINITY);
      }
      double seen = 1 - is.p() + half;
      return new Target(label, seen > 0 ? (1 - is.p()) / seen : 1);
    }
  },
  /**
   * DEFUSE (Chen et al., WWW 2022): the stream of {@link #ES_DFM}; a no at {@code e} is split, with
   * {@code z = 1 - rn}, into a yes of weight {@code z dp} and a no of weight {@code (1 - z)(1 +
   * dp)}; a yes at {@code e} weighs {@code 1 + dp}, a late copy 1.
   */
  DEFUSE(Suits.BINARY, true, true) {
    @Override
    public void plan(TaskTimeline task, Plan plan) {
      ES_DFM.plan(task, plan);
    }

    @Override
    public Target target(LabelKind kind, double label, Estimates is) {
      if (kind != LabelKind.FIRST) {
        return new Target(label, 1);
      }
      if (label > 0) {
        return new Target(label, 1 + is.late());
      }
      double yes = (1 - is.stays()) * is.late();
      double no = is.stays() * (1 + is.late());
      return yes + no > 0 ? new Target(yes / (yes + no), yes + no) : new Target(0, 0);
    }
  },
  /**
   * For outcomes that are reported, ours: a pending impression teaches what it has survived. Its
   * window is cut at fixed shares of its length. At the end of the first part the impression is
   * learnt: with its outcome if that is known, else with the chance of a yes given that it is not,
   * as the heads think; at the end of each part up to that of its outcome it teaches the heads
   * whether it was decided in that part, and how. Yes and no of a part are told at one age, its
   * end, and each impression weighs 1 in all. Discrete-time competing risks: with {@code u} the
   * chance to pass a part undecided and {@code y} that of a yes if decided in it, the chance of a
   * yes after part k is {@code sum over j > k of u_(k+1) ... u_(j-1) (1 - u_j) y_j}.
   */
  HAZARD(Suits.BINARY, true, true) {
    @Override
    public void plan(TaskTimeline task, Plan plan) {
      long decided = task.closes();
      for (int part = 0; part < PARTS.length; part++) {
        long end = end(task, part);
        if (decided <= end || part == PARTS.length - 1) {
          plan.at(end, LabelKind.FINAL, part == 0);
          return;
        }
        plan.at(end, part == 0 ? LabelKind.FIRST : LabelKind.PENDING, part == 0);
      }
    }

    private long end(TaskTimeline task, int part) {
      long whole = task.horizon() - task.parentTold();
      return part == PARTS.length - 1
          ? task.horizon()
          : task.parentTold() + (long) (PARTS[part] * whole);
    }

    @Override
    public int parts() {
      return PARTS.length;
    }

    @Override
    public boolean needsReports() {
      return true;
    }

    @Override
    public Target target(LabelKind kind, double label, Estimates is) {
      return new Target(kind == LabelKind.FIRST ? 1 - is.stays() : label, 1);
    }
  },
  /**
   * For amounts, ours, on the question of READER (WWW 2026): the amount as it stands at {@code e};
   * then, at each purchase or refund, the new amount; at the horizon whatever was not told yet. A
   * record weighs the chance that it is the last word, so that an impression weighs 1 in all and
   * what is taught is its final amount, in the mean: {@code sum over records of P(no change
   * follows) loss(amount)}. The chance is estimated apart for records of nothing so far and of
   * something.
   */
  REVISE(Suits.AMOUNTS, true, true) {
    @Override
    public void plan(TaskTimeline task, Plan plan) {
      long seen = firstMoment(task);
      if (seen < task.closes()) {
        plan.at(seen, LabelKind.FIRST, true);
        for (long change : task.positives()) {
          if (change > seen && change <= task.closes()) {
            plan.at(change, LabelKind.LATE_COPY, true);
          }
        }
      }
      plan.at(task.closes(), LabelKind.FINAL, true);
    }

    @Override
    public boolean tellsChanges() {
      return true;
    }

    @Override
    public Target target(LabelKind kind, double label, Estimates is) {
      return new Target(label, kind == LabelKind.FINAL ? 1 : is.stays());
    }
  };

  /** Shares of a window at which parts of it end. More of them early, when most is undecided. */
  private static final double[] PARTS = {0.03, 0.1, 0.25, 0.5, 0.75, 1};

  private final Set<Task.Kind> kinds;
  private final boolean learnsEarly;
  private final boolean estimates;

  DelayCorrections(Set<Task.Kind> kinds, boolean learnsEarly, boolean estimates) {
    this.kinds = kinds;
    this.learnsEarly = learnsEarly;
    this.estimates = estimates;
  }

  /** What the constants are made of; they come before any constant of their own class. */
  private static final class Suits {
    static final Set<Task.Kind> EITHER = EnumSet.allOf(Task.Kind.class);
    static final Set<Task.Kind> BINARY = EnumSet.of(Task.Kind.BINARY);
    static final Set<Task.Kind> AMOUNTS = EnumSet.of(Task.Kind.CONTINUOUS);
  }

  /**
   * A correction by its written name.
   *
   * @throws IOException if there is none
   */
  public static DelayCorrections named(String name) throws IOException {
    for (DelayCorrections correction : values()) {
      if (RecordBinder.written(correction).equals(name)) {
        return correction;
      }
    }
    throw new IOException("delay correction " + name + " is unknown to this code");
  }

  @Override
  public abstract void plan(TaskTimeline task, Plan plan);

  @Override
  public boolean suits(Task.Kind kind) {
    return kinds.contains(kind);
  }

  @Override
  public boolean tellsChanges() {
    return false;
  }

  @Override
  public boolean learnsEarly() {
    return learnsEarly;
  }

  @Override
  public boolean estimates() {
    return estimates;
  }

  @Override
  public Target target(LabelKind kind, double label, Estimates estimates) {
    return new Target(label, 1);
  }

  @Override
  public double served(double predicted) {
    return predicted;
  }

  /** When a record first dares to speak, if it waits for {@code e} after the parent. */
  private static long firstMoment(TaskTimeline task) {
    return firstMoment(task, task.waiting());
  }

  /**
   * When a record first dares to speak: so long after the parent, at once without a parent, and not
   * before the parent's own label is told. Once it has spoken that moment stays, even if the
   * parent's event comes after it.
   */
  private static long firstMoment(TaskTimeline task, long waiting) {
    if (task.spoke() != TaskTimeline.NEVER) {
      return task.spoke();
    }
    long waited = task.positive() ? task.start() + waiting : task.start();
    return Math.max(waited, task.parentTold());
  }

  /** Whether the yes came after the first record had said no. */
  private static boolean late(TaskTimeline task) {
    return task.first() != TaskTimeline.NEVER
        && task.first() > firstMoment(task)
        && task.first() <= task.closes();
  }

  /**
   * What is seen at {@code e}, and the settled label to be scored; whether there is time for both.
   */
  private static boolean first(TaskTimeline task, Plan plan) {
    boolean early = firstMoment(task) < task.closes();
    if (early) {
      plan.at(firstMoment(task), LabelKind.FIRST, true);
    }
    plan.at(task.closes(), LabelKind.FINAL, !early);
    return early;
  }

  /** A no at once, a yes whenever it comes, and the settled label to be scored. */
  private static void atOnce(TaskTimeline task, Plan plan) {
    plan.at(firstMoment(task, 0), LabelKind.FIRST, true);
    if (task.first() != TaskTimeline.NEVER) {
      plan.at(task.first(), LabelKind.LATE_COPY, true);
    }
    plan.at(task.closes(), LabelKind.FINAL, false);
  }
}
