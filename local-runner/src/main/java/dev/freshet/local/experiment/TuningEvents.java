package dev.freshet.local.experiment;

import dev.freshet.core.events.EventFormat;
import dev.freshet.core.events.Impression;
import dev.freshet.core.events.Rejection;
import dev.freshet.core.pipeline.Pipeline;
import java.io.IOException;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** The events that a pipeline is tuned on: when impressions were, so that the newest can be cut. */
final class TuningEvents {

  private final FileData files;
  private final long[] times;
  private final long refused;
  private final String firstRefused;

  TuningEvents(Pipeline pipeline, List<String> impressions, List<String> feedback)
      throws IOException {
    files =
        new FileData(impressions, feedback, false, 1, Duration.ZERO, new EarlyTruth(false, null));
    EventFormat format =
        pipeline.kafka().format().create(pipeline.impressionFields(), pipeline.feedbackKinds());
    Reader reader = new Reader();
    for (String file : impressions) {
      FileData.eachLine(
          file,
          line -> {
            Impression event = format.impression(line).event();
            reader.read(event == null ? Long.MIN_VALUE : event.eventTime());
            if (event == null) {
              reader.refuse(file, format.impression(line).rejection());
            }
          });
    }
    String kind = FileData.kind(pipeline);
    for (String file : feedback) {
      FileData.eachLine(
          file,
          line -> {
            var parsed = format.feedback(line, kind);
            if (parsed.event() == null) {
              reader.refuse(file, parsed.rejection());
            }
          });
    }
    times = Arrays.copyOf(reader.times, reader.count);
    Arrays.sort(times);
    refused = reader.refused;
    firstRefused = reader.firstRefused;
  }

  private static final class Reader {
    private long[] times = new long[1024];
    private int count;
    private long refused;
    private String firstRefused;

    void read(long time) {
      if (time == Long.MIN_VALUE) {
        return;
      }
      if (count == times.length) {
        times = Arrays.copyOf(times, 2 * count);
      }
      times[count++] = time;
    }

    void refuse(String file, Rejection rejection) {
      refused++;
      if (firstRefused == null) {
        firstRefused = file + ": " + rejection;
      }
    }
  }

  int impressions() {
    return times.length;
  }

  /** What could not be read, in words; null if everything could. */
  String refused() {
    return refused == 0
        ? null
        : String.format(
            Locale.ROOT,
            "%,d lines are no events and are left out, first %s",
            refused,
            firstRefused);
  }

  /** When the newest impressions of this share begin; from the beginning on for 1. */
  long since(double share) {
    return share >= 1
        ? Long.MIN_VALUE
        : times[(int) Math.min(times.length - 1L, Math.round(times.length * (1 - share)))];
  }

  /** The newest impressions of this share, and their feedback. */
  DataSource newest(double share) {
    return new Newest(files, since(share));
  }

  private record Newest(FileData files, long since) implements DataSource {
    @Override
    public String kind() {
      return files.kind();
    }

    @Override
    public boolean seeded() {
      return false;
    }

    @Override
    public Examples load(Pipeline pipeline, long seed, boolean withFeatures) throws IOException {
      return files.load(pipeline, seed, withFeatures, since);
    }
  }
}
