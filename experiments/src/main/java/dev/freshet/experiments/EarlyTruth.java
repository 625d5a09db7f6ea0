package dev.freshet.experiments;

import dev.freshet.core.settings.Option;
import java.io.Serializable;
import java.time.LocalDate;
import java.time.ZoneOffset;
import org.jspecify.annotations.Nullable;

/**
 * Knowledge that an experiment may have and a stream cannot: the ceiling and the floor that delay
 * corrections are measured against.
 */
public record EarlyTruth(
    @Option(
            value =
                "Every impression is learnt when it comes, with its final labels: the Oracle,"
                    + " which no stream can have",
            fallback = "false")
        boolean always,
    @Option(
            value =
                "Impressions from this day on (UTC) are scored and not learnt from: with `always`,"
                    + " a model that is trained on all that is true and then stands still",
            fallback = Option.ABSENT)
        @Nullable LocalDate learnUntil)
    implements Serializable {

  boolean learnt(long eventTime) {
    return learnUntil == null
        || eventTime < learnUntil.atStartOfDay(ZoneOffset.UTC).toInstant().toEpochMilli();
  }
}
