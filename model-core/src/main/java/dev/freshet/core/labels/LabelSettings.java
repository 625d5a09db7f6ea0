package dev.freshet.core.labels;

import static dev.freshet.core.settings.InvalidValueException.check;

import dev.freshet.core.labels.correction.DelayCorrections;
import dev.freshet.core.settings.Option;
import java.io.Serializable;
import java.time.Duration;

/** How delayed labels are treated. */
public record LabelSettings(
    @Option(
            value = "Delay correction: how a task learns before its label is final",
            fallback = "wait")
        DelayCorrections correction,
    @Option(
            value = "Corrections that do not wait for the window: how long they wait instead",
            fallback = "15m")
        Duration waiting,
    @Option(value = "How far behind the newest event an event may still come", fallback = "1m")
        Duration disorder,
    @Option(
            value =
                "How far an event's time may be after the time at which Kafka got it; what is"
                    + " further ahead is rejected as `ahead`. Where that time says nothing, since"
                    + " old events were written at once, an event that jumps further does not move"
                    + " time until others follow it",
            fallback = "1h")
        Duration maxAhead,
    @Option(
            value =
                "How far the clocks of those who report events may differ: feedback whose time is up"
                    + " to this much before its parent's counts as if it were at the parent's",
            fallback = "5s")
        Duration clockSkew,
    @Option(
            value = "How long feedback waits for an impression that has not come yet",
            fallback = "10m")
        Duration orphanWait,
    @Option(
            value =
                "A partition of which the broker says for this long that it is read to its end no"
                    + " longer holds the watermark back",
            fallback = "10s")
        Duration idleAfter,
    @Option(
            value =
                "How far, in event time, one topic may be read ahead of another; bounds the state"
                    + " that a backlog builds up",
            fallback = "1h")
        Duration sourceDrift,
    @Option(
            value = "Share of impressions, chosen by hash, that are scored and never learnt from",
            fallback = "0.01")
        double holdout,
    @Option(
            value = "No correction weighs a record more than this; how often it would is counted",
            fallback = "10.0")
        double maxWeight,
    @Option(
            value =
                "Most feedback events of one task that one impression may hold; what is more is"
                    + " dropped",
            fallback = "100")
        int maxEvents)
    implements Serializable {

  public LabelSettings {
    check(maxEvents >= 1, "max-events", maxEvents, "1 or more");
    check(maxWeight >= 1, "max-weight", maxWeight, "1 or more");
    check(holdout >= 0 && holdout < 1, "holdout", holdout, "a share from 0 to below 1");
  }
}
