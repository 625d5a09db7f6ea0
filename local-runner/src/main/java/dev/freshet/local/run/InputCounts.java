package dev.freshet.local.run;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Counts of a file of events, as far as its lines can be told apart without judging them.
 *
 * @param lines that are not blank and were not passed over
 * @param tooLong lines that no message may be as long as; they were not sent
 * @param kinds lines of each task that say it; of impressions, none
 * @param absent for each field of the pipeline: impressions that do not have it
 * @param fields that the first impression has
 * @param learnt lines that were passed over, because an earlier batch had them: of impressions and
 *     of each task
 * @param tooLate lines of feedback to impressions that an earlier batch has learnt; they were sent
 * @param passedOver lines that the pipeline's mappings make no event of; they were not sent
 * @param learntSample the first line that was passed over, with its place, or empty
 */
record InputCounts(
    long lines,
    long tooLong,
    Map<String, Long> kinds,
    Map<String, Long> absent,
    List<String> fields,
    Map<String, Long> learnt,
    long tooLate,
    long passedOver,
    String learntSample) {

  static final InputCounts NONE =
      new InputCounts(0, 0, Map.of(), Map.of(), List.of(), Map.of(), 0, 0, "");

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int MOST_FIELDS = 20;
  private static final int SAMPLE = 200;

  /** Counts that a record of before lacks are 0. */
  InputCounts {
    kinds = new TreeMap<>(kinds);
    absent = new TreeMap<>(absent);
    fields = List.copyOf(fields);
    learnt = learnt == null ? new TreeMap<>() : new TreeMap<>(learnt);
    learntSample = learntSample == null ? "" : learntSample;
  }

  /** Both together. */
  InputCounts plus(InputCounts more) {
    return new InputCounts(
        lines + more.lines,
        tooLong + more.tooLong,
        sum(kinds, more.kinds),
        sum(absent, more.absent),
        fields.isEmpty() ? more.fields : fields,
        sum(learnt, more.learnt),
        tooLate + more.tooLate,
        passedOver + more.passedOver,
        learntSample.isEmpty() ? more.learntSample : learntSample);
  }

  private static Map<String, Long> sum(Map<String, Long> one, Map<String, Long> other) {
    Map<String, Long> sums = new TreeMap<>(one);
    other.forEach((name, count) -> sums.merge(name, count, Long::sum));
    return sums;
  }

  /** Lines that were passed over. */
  long allLearnt() {
    return learnt.values().stream().mapToLong(Long::longValue).sum();
  }

  /** Of all files of a report: these of impressions. */
  ObjectNode report(long impressions) {
    ObjectNode json = JSON.createObjectNode().put("impressions", impressions);
    json.set("feedback", JSON.valueToTree(kinds));
    json.set("absent", JSON.valueToTree(absent));
    json.put("tooLong", tooLong);
    json.set("fields", JSON.valueToTree(fields));
    json.put("passedOver", passedOver);
    json.set("alreadyLearnt", JSON.valueToTree(learnt));
    if (!learntSample.isEmpty()) {
      json.put("alreadyLearntSample", learntSample);
    }
    return json.put("afterLearnt", tooLate);
  }

  /** Counts while a file is read. */
  static final class Counter {
    private final Path file;
    private long read;
    private long lines;
    private long tooLong;
    private long tooLate;
    private long passedOver;
    private String sample = "";
    private final Map<String, Long> kinds = new TreeMap<>();
    private final Map<String, Long> absent = new TreeMap<>();
    private final Map<String, Long> learnt = new TreeMap<>();
    private final List<String> has = new ArrayList<>();

    Counter(Path file) {
      this.file = file;
    }

    /** The line that is counted next. */
    void read(long number) {
      read = number;
    }

    void tooLong() {
      lines++;
      tooLong++;
    }

    void passedOver() {
      passedOver++;
    }

    void learnt(String kind, byte[] line) {
      learnt.merge(kind, 1L, Long::sum);
      if (sample.isEmpty()) {
        String text =
            new String(line, 0, Math.min(line.length, SAMPLE), StandardCharsets.UTF_8)
                + (line.length > SAMPLE ? "..." : "");
        sample = file.getFileName() + " line " + read + ": " + text;
      }
    }

    void impression(JsonNode event, Iterable<String> fields) {
      lines++;
      if (has.isEmpty()) {
        event.path("features").fieldNames().forEachRemaining(has::add);
      }
      for (String field : fields) {
        JsonNode value = event.path("features").path(field);
        boolean empty =
            value.isMissingNode()
                || value.isNull()
                || value.isTextual() && value.asText().isEmpty()
                || value.isArray() && value.isEmpty();
        absent.merge(field, empty ? 1L : 0L, Long::sum);
      }
    }

    void feedback(String kind, boolean late) {
      lines++;
      kinds.merge(kind, 1L, Long::sum);
      tooLate += late ? 1 : 0;
    }

    InputCounts counts() {
      return new InputCounts(
          lines,
          tooLong,
          kinds,
          absent,
          has.subList(0, Math.min(has.size(), MOST_FIELDS)),
          learnt,
          tooLate,
          passedOver,
          sample);
    }
  }
}
