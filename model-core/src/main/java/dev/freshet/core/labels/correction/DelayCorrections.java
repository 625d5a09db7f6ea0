package dev.freshet.core.labels.correction;

import dev.freshet.core.labels.LabelKind;
import dev.freshet.core.labels.TaskKind;
import dev.freshet.core.settings.EnumNames;
import java.io.IOException;

/**
 * The menu of delay corrections. In the lines below, {@code e} is the waiting time, {@code p} the
 * model's prediction, {@code dp} the chance of a late positive, {@code rn} that a negative at
 * {@code e} stays one; the trainer's delay heads estimate the last two.
 */
public enum DelayCorrections implements DelayCorrection {
  /** Nothing until the task's horizon: {@link Wait}. */
  WAIT(new Wait()),
  /** A label as soon as nothing can change it: {@link Settled}. */
  SETTLED(new Settled()),
  /** The label after a waiting time is taken for the truth: {@link Window}. */
  WINDOW(new Window()),
  /** Fake negative weighted: {@link Fnw}. */
  FNW(new Fnw()),
  /** Fake negative calibration: {@link Fnc}. */
  FNC(new Fnc()),
  /** Elapsed-time sampling, ES-DFM: {@link EsDfm}. */
  ES_DFM(new EsDfm()),
  /** Delayed feedback with real negatives, DEFER: {@link Defer}. */
  DEFER(new Defer()),
  /** Unbiased delayed feedback, DEFUSE: {@link Defuse}. */
  DEFUSE(new Defuse()),
  /** Survival of pending impressions: {@link Hazard}. */
  HAZARD(new Hazard()),
  /** An amount as it stands, and each time that it changes: {@link Revise}. */
  REVISE(new Revise());

  private final DelayCorrection correction;

  DelayCorrections(DelayCorrection correction) {
    this.correction = correction;
  }

  /**
   * A correction by its written name.
   *
   * @throws IOException if there is none
   */
  public static DelayCorrections named(String name) throws IOException {
    for (DelayCorrections correction : values()) {
      if (EnumNames.of(correction).equals(name)) {
        return correction;
      }
    }
    throw new IOException("delay correction " + name + " is unknown to this code");
  }

  @Override
  public void plan(TaskTimeline task, Plan plan) {
    correction.plan(task, plan);
  }

  @Override
  public boolean suits(TaskKind kind) {
    return correction.suits(kind);
  }

  @Override
  public boolean learnsEarly() {
    return correction.learnsEarly();
  }

  @Override
  public boolean estimates() {
    return correction.estimates();
  }

  @Override
  public boolean readsPrediction() {
    return correction.readsPrediction();
  }

  @Override
  public boolean emitsChanges() {
    return correction.emitsChanges();
  }

  @Override
  public boolean needsReports() {
    return correction.needsReports();
  }

  @Override
  public int parts() {
    return correction.parts();
  }

  @Override
  public Target target(LabelKind kind, double label, Estimates estimates) {
    return correction.target(kind, label, estimates);
  }

  @Override
  public double served(double predicted) {
    return correction.served(predicted);
  }
}
