package dev.freshet.training.publishing;

import dev.freshet.core.models.Parameter;
import dev.freshet.core.network.Network;
import dev.freshet.core.pipeline.PublishingSettings;
import dev.freshet.core.rows.EmbeddingRows;
import dev.freshet.core.settings.EnumNames;
import dev.freshet.training.Evidence;
import dev.freshet.training.Learner;
import dev.freshet.training.ModelTrainer;
import dev.freshet.training.ScoredExample;
import dev.freshet.training.rows.EmbeddingTable;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Decides whether a version may be announced. Training goes on whatever it says; what was held back
 * is part of the next version that passes.
 *
 * <p>Scores are those of the labels that became final since a version was announced, and the
 * training's are compared with that version's on the same labels: a binary task's normalised
 * entropy, an amount's NRMSE, both smaller the better. If the world becomes harder to predict it
 * becomes so for both. The first version of a run without a checkpoint has nothing to be compared
 * with.
 *
 * <p>After {@code max-age} without a version the next one is announced whatever its norms and
 * scores, but never one whose weights or scales are not finite, or of which a part was learnt from
 * nothing: a field that no example ever had, a task that never had an outcome. That a model has
 * learnt of both once is in its checkpoints, so this can only hold back its first versions.
 */
public final class PublishingGate {

  /** Why a version is held back. */
  public enum Reason {
    /** A weight is not a number, or infinite. */
    NOT_FINITE(false),
    /** The scale of amounts has a part that is not finite or not in its range. */
    BAD_SCALE(false),
    /** A field was absent in every example that was ever learnt. */
    ABSENT_FIELD(false),
    /** A task has had labels enough to tell, and never a positive or an amount. */
    NO_LABEL(false),
    /** The norm of a dense tensor or an embedding row is larger than the bound. */
    LARGE_NORM(true),
    /** A task's score is much worse than that of the version in use on the same labels. */
    WORSE_SCORE(true);

    private final boolean timesOut;

    Reason(boolean timesOut) {
      this.timesOut = timesOut;
    }

    /** As in metrics: {@code not-finite}. */
    public String label() {
      return EnumNames.of(this);
    }
  }

  /**
   * Something is wrong with a version.
   *
   * @param forced true if it is announced nevertheless, because the one in use is too old
   */
  public record Refusal(Reason reason, String detail, boolean forced) {}

  private record Finding(Reason reason, String detail) {}

  private static final long NEVER = Long.MIN_VALUE;

  private final PublishingSettings.Gate settings;
  private @Nullable VersionInUse inUse;
  private long since = NEVER;

  public PublishingGate(PublishingSettings.Gate settings) {
    this.settings = settings;
  }

  /** Training goes on from a checkpoint: its weights count as those in use. */
  public void restored(ModelTrainer trainer) {
    if (trainer.steps() > 0) {
      inUse = new VersionInUse(trainer);
    }
  }

  /** A batch was predicted, and then learnt: what {@link ModelTrainer#scored} tells of it. */
  public void scored(List<ScoredExample> batch) {
    if (inUse != null) {
      batch.forEach(inUse::scored);
    }
  }

  /**
   * Looks at the weights that the next version would hold. The trainer must be idle.
   *
   * @param changesOnly true if only rows that changed since the last version are looked at; the
   *     others have passed before
   * @param now epoch milliseconds
   * @return the fault, if there is one
   */
  public Optional<Refusal> check(ModelTrainer trainer, boolean changesOnly, long now) {
    since = since == NEVER ? now : since;
    boolean old = now - since >= settings.maxAge().toMillis();
    return worst(trainer, changesOnly)
        .map(found -> new Refusal(found.reason, found.detail, old && found.reason.timesOut));
  }

  private Optional<Finding> worst(ModelTrainer trainer, boolean changesOnly) {
    Norms norms = new Norms();
    norms.dense(trainer.network());
    norms.rows(trainer.learner(), changesOnly);
    if (norms.notFinite != null) {
      return Optional.of(norms.notFinite);
    }
    if (trainer.amounts() != null && !trainer.amounts().sound()) {
      return Optional.of(new Finding(Reason.BAD_SCALE, "the scale is " + trainer.amounts()));
    }
    // Before what an old age excuses, or that would let this pass.
    Optional<Finding> nothing = learntFromNothing(trainer.evidence());
    if (nothing.isPresent()) {
      return nothing;
    }
    if (norms.large != null) {
      return Optional.of(norms.large);
    }
    return inUse == null
        ? Optional.empty()
        : inUse.worse(settings.worseBy()).map(worse -> new Finding(Reason.WORSE_SCORE, worse));
  }

  private Optional<Finding> learntFromNothing(Evidence evidence) {
    List<String> absent = evidence.absentFields();
    if (settings.requireFields() && !absent.isEmpty()) {
      return Optional.of(
          new Finding(
              Reason.ABSENT_FIELD,
              (absent.size() == 1 ? "field " : "fields ")
                  + String.join(", ", absent)
                  + (absent.size() == 1 ? " was" : " were")
                  + " absent in all "
                  + evidence.examples()
                  + " examples learnt (publishing.gate.require-fields: false puts up with it)"));
    }
    return evidence.fruitless().stream()
        .filter(none -> settings.requireLabels() > 0 && none.labels() >= settings.requireLabels())
        .findFirst()
        .map(
            none ->
                new Finding(
                    Reason.NO_LABEL,
                    "task "
                        + none.task().name()
                        + " has had no "
                        + (none.task().binary() ? "positive" : "amount")
                        + " in "
                        + none.labels()
                        + " final labels (publishing.gate.require-labels: 0 puts up with it)"));
  }

  /**
   * The weights as they are have been announced.
   *
   * @param forced true if they were although something was wrong
   * @param now epoch milliseconds
   */
  public void announced(ModelTrainer trainer, boolean forced, long now) {
    since = now;
    // One that has hardly been tried stays: versions may follow each other faster than labels.
    if (inUse == null || forced || inUse.judged()) {
      inUse = new VersionInUse(trainer);
    }
  }

  private interface Name {
    String text();
  }

  /** The first weights that are not finite, and the first that are too large. */
  private final class Norms {
    private @Nullable Finding notFinite;
    private @Nullable Finding large;

    void dense(Network network) {
      for (int i = 0; i < network.weights().size(); i++) {
        FloatBuffer values = network.weights().get(i).read();
        double squares = 0;
        for (int j = 0; j < values.capacity(); j++) {
          squares += (double) values.get(j) * values.get(j);
        }
        Parameter parameter = network.parameters().get(i);
        look(squares, () -> "dense." + parameter.name());
      }
    }

    void rows(Learner learner, boolean changesOnly) {
      for (EmbeddingTable table : learner.tables()) {
        EmbeddingRows.Visitor each =
            (key, values, at) -> {
              double squares = 0;
              for (int i = at; i < at + table.width(); i++) {
                squares += (double) values[i] * values[i];
              }
              look(squares, () -> "the embedding row of key " + key);
            };
        try {
          if (changesOnly) {
            table.eachTouched(each);
          } else {
            table.eachRow(each);
          }
        } catch (IOException e) {
          throw new IllegalStateException("looking does no I/O", e);
        }
      }
    }

    private void look(double squares, Name name) {
      // The square of a float is finite as a double, so a sum is not finite if a weight is not.
      if (!Double.isFinite(squares)) {
        if (notFinite == null) {
          notFinite = new Finding(Reason.NOT_FINITE, name.text() + " is not finite");
        }
      } else if (large == null && Math.sqrt(squares) > settings.maxNorm()) {
        large =
            new Finding(
                Reason.LARGE_NORM,
                name.text()
                    + " has norm "
                    + Math.sqrt(squares)
                    + ", allowed up to "
                    + settings.maxNorm());
      }
    }
  }
}
