package dev.freshet.experiments;

import static dev.freshet.core.settings.InvalidValueException.check;
import static java.util.Objects.requireNonNull;

import dev.freshet.core.events.Feedback;
import dev.freshet.core.events.Impression;
import dev.freshet.core.events.Parsed;
import dev.freshet.core.events.mapping.MessageReader;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.settings.Option;
import dev.freshet.experiments.files.EventLine;
import dev.freshet.experiments.files.EventLines;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SplittableRandom;

/**
 * Files of events, as {@code freshet import} writes them, joined in event time. Unlike in a stream
 * nothing arrives late. Events that cannot be read are left out, as the job would reject them.
 */
public record FileData(
    @Option("Files of impressions, JSON lines, plain, .gz or .zip") List<String> impressions,
    @Option("Files of feedback; where there are several tasks, every line says its kind")
        List<String> feedback,
    @Option(
            value =
                "The impressions' times are dealt out anew among them, by seed, each taking"
                    + " its feedback along: the same delays in a stream that does not drift",
            fallback = "false")
        boolean shuffleTimes,
    @Option(
            value = "Share of the impressions that is taken, by hash of their ids",
            fallback = "1.0")
        double share,
    @Option(
            value =
                "Impressions of such a period are all predicted before anything of it is learnt: 1h"
                    + " is the papers' protocol; by default each when it comes",
            fallback = "0ms")
        Duration scoreEvery,
    @Option("Parts of the truth that are known early") EarlyTruth truth)
    implements DataSource {

  static final String KIND = "files";

  public FileData {
    impressions = List.copyOf(impressions);
    feedback = List.copyOf(feedback);
    check(share > 0 && share <= 1, "share", share, "above 0 and up to 1");
  }

  @Override
  public String kind() {
    return KIND;
  }

  @Override
  public boolean seeded() {
    return shuffleTimes;
  }

  @Override
  public Examples load(Pipeline pipeline, long seed, boolean withFeatures) throws IOException {
    return load(pipeline, seed, withFeatures, Long.MIN_VALUE);
  }

  /**
   * As the other one, of the impressions from a time on alone.
   *
   * @param since epoch milliseconds
   */
  Examples load(Pipeline pipeline, long seed, boolean withFeatures, long since) throws IOException {
    MessageReader reader = pipeline.lines();
    EventJoin join = new EventJoin(pipeline, withFeatures);
    Map<String, Long> shifts = shuffleTimes ? shifts(reader, seed) : Map.of();
    for (String file : impressions) {
      eachLine(
          file,
          line -> {
            for (Parsed<Impression> parsed : reader.impressions(line)) {
              if (parsed.event() == null) {
                join.refuse(file, requireNonNull(parsed.rejection()));
              } else {
                addTaken(join, shifted(parsed.event(), shifts), since);
              }
            }
          });
    }
    for (String file : feedback) {
      eachLine(
          file,
          line -> {
            for (Parsed<Feedback> parsed : reader.feedback(line, null)) {
              if (parsed.event() == null) {
                join.refuse(file, requireNonNull(parsed.rejection()));
              } else {
                addTaken(join, shifted(parsed.event(), shifts));
              }
            }
          });
    }
    return join.finish(truth, scoreEvery);
  }

  private void addTaken(EventJoin join, Impression event, long since) {
    if (event.eventTime() >= since && taken(event.id())) {
      join.add(event);
    }
  }

  private void addTaken(EventJoin join, Feedback event) {
    if (taken(event.impressionId())) {
      join.add(event);
    }
  }

  private boolean taken(String id) {
    return share == 1 || new SplittableRandom(id.hashCode()).nextDouble() < share;
  }

  /** How much later each impression comes than it did. */
  private Map<String, Long> shifts(MessageReader reader, long seed) throws IOException {
    Map<String, Long> times = new LinkedHashMap<>();
    for (String file : impressions) {
      eachLine(
          file,
          line -> {
            for (Parsed<Impression> parsed : reader.impressions(line)) {
              if (parsed.event() != null) {
                times.put(parsed.event().id(), parsed.event().eventTime());
              }
            }
          });
    }
    List<Long> dealt = new ArrayList<>(times.values());
    Collections.shuffle(dealt, new Random(seed));
    Iterator<Long> next = dealt.iterator();
    times.replaceAll((id, time) -> next.next() - time);
    return times;
  }

  private static Impression shifted(Impression event, Map<String, Long> shifts) {
    return shifts.isEmpty() ? event : event.later(requireNonNull(shifts.get(event.id())));
  }

  private static Feedback shifted(Feedback event, Map<String, Long> shifts) {
    return !shifts.containsKey(event.impressionId())
        ? event
        : new Feedback(
            event.impressionId(),
            event.eventId(),
            event.task(),
            event.eventTime() + shifts.get(event.impressionId()),
            event.value());
  }

  /**
   * The same files, those that are not where this process runs from a folder, if they are there.
   */
  FileData beside(Path folder) {
    return new FileData(
        beside(impressions, folder),
        beside(feedback, folder),
        shuffleTimes,
        share,
        scoreEvery,
        truth);
  }

  /** The files of an experiment's data that are not there, a line each. */
  public List<String> missing() {
    List<String> missing = new ArrayList<>();
    impressions.forEach(file -> missing("impressions", file, missing));
    feedback.forEach(file -> missing("feedback", file, missing));
    return missing;
  }

  private static void missing(String key, String file, List<String> missing) {
    if (!Files.isRegularFile(Path.of(file))) {
      missing.add(
          "data."
              + key
              + ": '"
              + file
              + (Files.exists(Path.of(file))
                  ? "' is a folder; allowed: a file"
                  : "': no such file, neither from where the command is called nor from the"
                      + " experiment's folder; ./freshet import makes event files of public data"
                      + " sets"));
    }
  }

  private static List<String> beside(List<String> files, Path folder) {
    return files.stream()
        .map(
            file -> {
              Path there = folder.resolve(file);
              return !Files.exists(Path.of(file)) && Files.exists(there) ? there.toString() : file;
            })
        .toList();
  }

  interface LineReader {
    void line(byte[] line);
  }

  static void eachLine(String file, LineReader reader) throws IOException {
    Path path = Path.of(file);
    if (!Files.isRegularFile(path)) {
      throw new IOException(
          file + ": no such file; ./freshet import makes event files of public data sets");
    }
    try (EventLines lines = EventLines.open(path)) {
      for (EventLine line = lines.next(); line != null; line = lines.next()) {
        reader.line(line.bytes());
      }
    }
  }
}
