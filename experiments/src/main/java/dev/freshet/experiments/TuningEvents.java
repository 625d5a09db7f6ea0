package dev.freshet.experiments;

import static java.util.Objects.requireNonNull;

import dev.freshet.core.events.Feedback;
import dev.freshet.core.events.Impression;
import dev.freshet.core.events.Parsed;
import dev.freshet.core.events.mapping.MessageReader;
import dev.freshet.core.pipeline.Pipeline;
import java.io.IOException;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;

/** The events that a pipeline is tuned on: when impressions were, so that the newest can be cut. */
final class TuningEvents {

  private final FileData files;
  private final long[] times;
  private final LeftOut leftOut = new LeftOut();

  TuningEvents(Pipeline pipeline, List<String> impressions, List<String> feedback)
      throws IOException {
    files =
        new FileData(impressions, feedback, false, 1, Duration.ZERO, new EarlyTruth(false, null));
    MessageReader events = pipeline.lines();
    Reader reader = new Reader();
    for (String file : impressions) {
      FileData.eachLine(
          file,
          line -> {
            for (Parsed<Impression> parsed : events.impressions(line)) {
              if (parsed.event() == null) {
                leftOut.refuse(file, requireNonNull(parsed.rejection()));
              } else {
                reader.read(parsed.event().eventTime());
              }
            }
          });
    }
    for (String file : feedback) {
      FileData.eachLine(
          file,
          line -> {
            for (Parsed<Feedback> parsed : events.feedback(line, null)) {
              if (parsed.event() == null) {
                leftOut.refuse(file, requireNonNull(parsed.rejection()));
              }
            }
          });
    }
    times = Arrays.copyOf(reader.times, reader.count);
    Arrays.sort(times);
  }

  private static final class Reader {
    private long[] times = new long[1024];
    private int count;

    void read(long time) {
      if (count == times.length) {
        times = Arrays.copyOf(times, 2 * count);
      }
      times[count++] = time;
    }
  }

  int impressions() {
    return times.length;
  }

  /** Lines that could not be read, in words. */
  List<String> leftOut() {
    return leftOut.told();
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
