package dev.freshet.experiments.importers;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.freshet.core.events.EventFormat;
import dev.freshet.core.events.EventFormats;
import dev.freshet.core.events.EventTree;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.PriorityQueue;
import java.util.zip.GZIPOutputStream;

/**
 * Writes {@code impressions.jsonl.gz} and {@code feedback.jsonl.gz}, both in order of event time.
 * Events wait in memory until {@link #advance} says that nothing earlier will come; a source in no
 * order at all never says so and is sorted as a whole.
 */
public final class EventFiles implements AutoCloseable {

  private static final EventFormat JSON = EventFormats.JSON.create();

  private record Line(long time, long order, byte[] json) implements Comparable<Line> {
    @Override
    public int compareTo(Line other) {
      int byTime = Long.compare(time, other.time);
      return byTime != 0 ? byTime : Long.compare(order, other.order);
    }
  }

  private final OutputStream impressionFile;
  private final OutputStream feedbackFile;
  private final PriorityQueue<Line> impressions = new PriorityQueue<>();
  private final PriorityQueue<Line> feedback = new PriorityQueue<>();
  private long impressionCount;
  private long feedbackCount;

  public EventFiles(Path folder) throws IOException {
    Files.createDirectories(folder);
    impressionFile = open(folder.resolve("impressions.jsonl.gz"));
    feedbackFile = open(folder.resolve("feedback.jsonl.gz"));
  }

  private static OutputStream open(Path file) throws IOException {
    return new BufferedOutputStream(new GZIPOutputStream(Files.newOutputStream(file)), 1 << 16);
  }

  /** Empty features, to be filled in and handed to {@link #impression}. */
  public static ObjectNode features() {
    return JsonNodeFactory.instance.objectNode();
  }

  public void impression(String id, long time, ObjectNode features) {
    ObjectNode event = EventTree.impression(id, time);
    event.set("features", features);
    impressions.add(new Line(time, impressionCount++, JSON.write(event)));
  }

  /** Feedback without a value. */
  public void feedback(String kind, String impression, String eventId, long time) {
    feedback(kind, impression, eventId, time, Double.NaN);
  }

  public void feedback(String kind, String impression, String eventId, long time, double value) {
    ObjectNode event = EventTree.feedback(impression, eventId, kind, time, value);
    feedback.add(new Line(time, feedbackCount++, JSON.write(event)));
  }

  /** Nothing before {@code time} will come any more. */
  public void advance(long time) throws IOException {
    write(impressions, impressionFile, time);
    write(feedback, feedbackFile, time);
  }

  private static void write(PriorityQueue<Line> lines, OutputStream file, long before)
      throws IOException {
    while (!lines.isEmpty() && lines.peek().time < before) {
      file.write(lines.poll().json);
      file.write('\n');
    }
  }

  public long impressionCount() {
    return impressionCount;
  }

  public long feedbackCount() {
    return feedbackCount;
  }

  @Override
  public void close() throws IOException {
    advance(Long.MAX_VALUE);
    impressionFile.close();
    feedbackFile.close();
  }
}
