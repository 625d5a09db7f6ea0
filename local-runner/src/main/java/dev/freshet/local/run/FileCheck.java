package dev.freshet.local.run;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.freshet.core.events.EventReader;
import dev.freshet.core.events.Impression;
import dev.freshet.core.events.Parsed;
import dev.freshet.core.events.Rejection;
import dev.freshet.core.events.mapping.MessageReader;
import dev.freshet.core.labels.DeadlineUse;
import dev.freshet.core.labels.Task;
import dev.freshet.core.labels.TaskWindow;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.settings.Nearest;
import dev.freshet.experiments.files.EventLine;
import dev.freshet.experiments.files.EventLines;
import dev.freshet.local.run.RunRecord.Input;
import dev.freshet.local.sample.FileMessages;
import dev.freshet.local.sample.Refusal;
import java.io.EOFException;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Looks at the first lines of files before anything is started, with the parser of the job: files
 * in each other's place, of another layout or without anything are noticed before they are learnt.
 */
public final class FileCheck {

  private static final int LINES = 1000;
  // As long as nothing good was seen.
  private static final int MOST_LINES = 100_000;
  private static final int SHOWN = 200;
  private static final ObjectMapper JSON = new ObjectMapper();

  private final MessageReader reader;

  /** For the events that the messages are made of. */
  private final EventReader events;

  private final boolean mapped;
  private final List<String> fields;
  private final List<String> numeric;
  private final List<Task> tasks;

  /** Of the feedback of all lines; null where they have to say it. */
  private final @Nullable String kind;

  private final PrintStream out;
  private final List<String> wrong = new ArrayList<>();
  private boolean swapped;

  /** By use, files of which nothing was taken, and uses of which something was. */
  private final Map<String, List<String>> passedOver = new TreeMap<>();

  private final Set<String> taken = new TreeSet<>();

  private FileCheck(Pipeline pipeline, PrintStream out) {
    reader = pipeline.lines();
    events = pipeline.lineReader();
    mapped = !pipeline.events().isEmpty();
    fields = pipeline.expectedFields();
    numeric = pipeline.impressionFields().numeric();
    tasks = pipeline.tasks();
    kind = reader.kind(null);
    this.out = out;
  }

  /**
   * As {@link #require(Pipeline, List, PrintStream)}, for files by their paths.
   *
   * @throws RefusedException with each file of whose first lines none is what it should be
   */
  public static void require(
      Pipeline pipeline, List<String> impressions, List<String> feedback, PrintStream out) {
    List<Input> inputs = new ArrayList<>();
    impressions.forEach(path -> inputs.add(input(ReplayInputs.IMPRESSIONS, path)));
    feedback.forEach(path -> inputs.add(input(ReplayInputs.FEEDBACK, path)));
    require(pipeline, inputs, out);
  }

  private static Input input(String use, String path) {
    return new Input(use, path, "", InputCounts.NONE);
  }

  /**
   * Checks all files, warns of fields that are absent and of deadlines that are of no use, and
   * tells of numbers that are sent as text.
   *
   * @throws RefusedException with each file of whose first lines none is what it should be
   */
  static void require(Pipeline pipeline, List<Input> inputs, PrintStream out) {
    FileCheck check = new FileCheck(pipeline, out);
    for (Input input : inputs) {
      try {
        check.look(input, input.use().equals(ReplayInputs.IMPRESSIONS));
      } catch (EOFException e) {
        check.wrong(
            input,
            "cannot be read: it ends in the middle of its compressed data, so it is not whole"
                + (e.getMessage() == null ? "" : " (" + e.getMessage() + ")"));
      } catch (IOException e) {
        check.wrong(input, "cannot be read: " + RootCause.of(e));
      }
    }
    check.passedOver.forEach(
        (use, files) -> {
          // Another of the same use may hold them all.
          if (check.taken.contains(use)) {
            files.forEach(file -> out.println("Note: " + file));
          } else {
            files.forEach(file -> check.wrong.add("--" + use + ": " + file));
          }
        });
    if (!check.wrong.isEmpty()) {
      throw new RefusedException(
          String.join("\n", check.wrong)
              + (check.swapped
                  ? "\nAre the files of --impressions and --feedback in each other's place?"
                  : "")
              + (check.mapped || check.swapped ? "" : "\n" + Refusal.LAYOUTS)
              + "\nNothing was started");
    }
  }

  private void look(Input input, boolean shown) throws IOException {
    First first = first(Path.of(input.path()), shown);
    String lines = line("none of its first %,d lines ", first.lines);
    if (first.lines == 0 && first.passedOver > 0) {
      passedOver
          .computeIfAbsent(input.use(), use -> new ArrayList<>())
          .add(
              line(
                  "%s: none of its first %,d lines is one that `when` and `each` of `events` take",
                  input.path(), first.passedOver));
      return;
    }
    taken.add(input.use());
    if (first.lines == 0) {
      wrong(input, "is empty; expected JSON objects, one in each line");
    } else if (first.accepted == 0) {
      swapped |= first.others > 0;
      wrong(
          input,
          (first.others > 0 ? "holds " + (shown ? "feedback" : "impressions") + ", it seems: " : "")
              + lines
              + (shown ? "is an impression; " : "is feedback; ")
              + first.refused);
    } else if (shown && first.absent.size() == fields.size()) {
      // An impression may be without features, so much passes for one.
      swapped |= first.others > 0;
      wrong(
          input,
          (first.others > 0 ? "holds feedback, it seems: " : "")
              + lines
              + "has one of the fields "
              + hinted(fields, first.has)
              + ", which stand under `features`"
              + (first.beside.isEmpty() ? "" : " and not beside it")
              + "; the first is "
              + first.text);
    } else if (shown) {
      warn(input, first);
    }
    first.asText.forEach(
        (field, count) ->
            out.printf(
                Locale.ROOT,
                "Note: %s: %s is a text in %,d of its first %,d impressions, and is read as a"
                    + " number%n",
                input.path(),
                field,
                count,
                first.accepted));
  }

  private void warn(Input input, First first) {
    first.deadlines.forEach(
        (what, found) ->
            out.printf(
                Locale.ROOT,
                "Warning: %s: the deadline of %s in %,d of its first %,d impressions, whose window"
                    + " stays as it is; the first: line %,d, %s%n",
                input.path(),
                what,
                found.count,
                first.accepted,
                found.line,
                found.text));
    if (first.absent.isEmpty()) {
      return;
    }
    List<String> others = first.has.stream().filter(name -> !fields.contains(name)).toList();
    out.printf(
        Locale.ROOT,
        "Warning: %s: absent in all of its first %,d impressions: %s; the first has %s%n",
        input.path(),
        first.accepted,
        hinted(first.absent, others),
        first.has.isEmpty() ? "none" : String.join(", ", first.has));
  }

  /** Fields that are not there, each with what may have been meant by it of what is there. */
  static String hinted(List<String> absent, Collection<String> there) {
    return absent.stream()
        .map(field -> field + Nearest.aside(field, there))
        .collect(Collectors.joining(", "));
  }

  private void wrong(Input input, String what) {
    wrong.add("--" + input.use() + ": " + input.path() + " " + what);
  }

  /** Findings in the first lines of a file. */
  private static final class First {
    private long read;
    private long lines;
    private long passedOver;
    private long accepted;
    private long others;
    private String refused = "";
    private String text = "";
    private List<String> absent = List.of();
    private final Map<String, Integer> asText = new TreeMap<>();
    private List<String> has = List.of();
    private final List<String> beside = new ArrayList<>();
    private final Map<String, Deadlines> deadlines = new TreeMap<>();

    /** True if enough was seen. */
    private boolean enough(boolean shown, int fields) {
      boolean good = accepted > 0 && !(shown && absent.size() == fields);
      return lines + passedOver >= (good ? LINES : MOST_LINES);
    }
  }

  /** Deadlines that are of no use, and the first of them. */
  private static final class Deadlines {
    private long count;
    private long line;
    private String text = "";
  }

  private void deadlines(First first, JsonNode event) {
    if (tasks.stream().noneMatch(task -> task.deadline().present())) {
      return;
    }
    Impression impression = requireNonNull(events.impression(event).event(), "it is accepted");
    TaskWindow[] windows = TaskWindow.of(tasks, impression);
    for (int i = 0; i < windows.length; i++) {
      DeadlineUse use = windows[i].use();
      if (tasks.get(i).deadline().present() && !use.good()) {
        String what = tasks.get(i).name() + " is " + use.label();
        Deadlines found = first.deadlines.computeIfAbsent(what, name -> new Deadlines());
        if (found.count++ == 0) {
          found.line = first.read;
          found.text = use.sample(tasks.get(i), impression, impression.deadline(i));
        }
      }
    }
  }

  private First first(Path file, boolean shown) throws IOException {
    First first = new First();
    InputCounts.Counter counter = new InputCounts.Counter(file);
    try (EventLines lines = EventLines.open(file, FileMessages.LONGEST_LINE)) {
      EventLine line = lines.next();
      for (; line != null && !first.enough(shown, fields.size()); line = lines.next()) {
        first.read = line.number();
        add(first, counter, line.bytes(), line.tooLong(), shown);
      }
      if (line != null) {
        lines.readToEnd();
      }
    }
    return first;
  }

  private void add(
      First first, InputCounts.Counter counter, byte[] line, boolean tooLong, boolean shown) {
    if (tooLong) {
      text(first, line);
      refused(first, "a line may have up to 1,000,000 bytes");
      return;
    }
    Parsed<JsonNode> message = reader.tree(line);
    List<Parsed<JsonNode>> found =
        shown ? reader.impressionTrees(message) : reader.feedbackTrees(message, null);
    if (found.isEmpty()) {
      first.passedOver++;
      return;
    }
    text(first, line);
    found.forEach(event -> add(first, counter, event, line, shown));
    if (first.others == 0 && !mapped && isOther(message, shown)) {
      first.others++;
    }
  }

  private static void text(First first, byte[] line) {
    if (first.lines++ == 0) {
      first.text = cut(line);
    }
  }

  private static void refused(First first, String why) {
    first.refused = first.refused.isEmpty() ? line("line %,d: %s", first.read, why) : first.refused;
  }

  private void add(
      First first,
      InputCounts.Counter counter,
      Parsed<JsonNode> event,
      byte[] line,
      boolean shown) {
    Rejection rejection = rejection(event, shown);
    if (rejection != null) {
      refused(first, Refusal.told(rejection, parsed(line)));
    } else {
      first.accepted++;
      if (shown) {
        JsonNode impression = requireNonNull(event.event(), "it is accepted");
        deadlines(first, impression);
        for (String field : numeric) {
          JsonNode value = impression.path("features").path(field);
          if (value.isTextual() && !value.asText().isEmpty()) {
            first.asText.merge(field, 1, Integer::sum);
          }
        }
        if (first.accepted == 1) {
          fields.stream().filter(impression::has).forEach(first.beside::add);
        }
        counter.impression(impression, fields);
        InputCounts counts = counter.counts();
        first.absent =
            fields.stream()
                .filter(field -> requireNonNull(counts.absent().get(field)) == counts.lines())
                .toList();
        first.has = counts.fields();
      }
    }
  }

  /** True if a message is feedback among impressions, or the reverse. */
  private boolean isOther(Parsed<JsonNode> message, boolean shown) {
    // Feedback of an unknown kind would pass for an impression without features.
    return rejection(message, !shown) == null
        && (shown || !requireNonNull(message.event()).path("features").isEmpty());
  }

  /** Why an event is not what it should be, or null. */
  private @Nullable Rejection rejection(Parsed<JsonNode> event, boolean shown) {
    return shown
        ? event.then(events::impression).rejection()
        : event.then(tree -> events.feedback(tree, kind)).rejection();
  }

  private static JsonNode parsed(byte[] line) {
    try {
      return JSON.readTree(line);
    } catch (IOException e) {
      return JSON.missingNode();
    }
  }

  private static String cut(byte[] line) {
    return new String(line, 0, Math.min(line.length, SHOWN), StandardCharsets.UTF_8)
        + (line.length > SHOWN ? "..." : "");
  }

  private static String line(String format, Object... values) {
    return String.format(Locale.ROOT, format, values);
  }
}
