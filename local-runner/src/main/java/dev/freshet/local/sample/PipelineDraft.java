package dev.freshet.local.sample;

import dev.freshet.core.labels.Task;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.SystemTopic;
import dev.freshet.core.settings.Durations;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A first pipeline file for a sample. Tasks are in the order of how many impressions have them; one
 * comes after the one before it if nearly all of its impressions have that, and not later.
 */
final class PipelineDraft {

  private static final double NEARLY_ALL = 0.9;
  private static final double MOST_DELAYS = 0.99;
  private static final long SHORTEST_WINDOW = 60_000;

  /** A sample is never all. */
  private static final double SPARE = 1.2;

  /** A kind of feedback. */
  private static final class Kind {
    private final String name;

    /** By impression, when its first event was, be it that nothing happened. */
    private final Map<String, Long> answered = new HashMap<>();

    /** By impression, when it first happened. */
    private final Map<String, Long> begun = new HashMap<>();

    private boolean amounts;
    private boolean negatives;

    Kind(String name) {
      this.name = name;
    }
  }

  private final EventSample sample;
  private final DraftLayout layout;
  private final Map<String, String> topics;

  /** Of the windows. */
  private Duration longest = Duration.ZERO;

  private PipelineDraft(EventSample sample, DraftLayout layout, Map<String, String> topics) {
    this.sample = sample;
    this.layout = layout;
    this.topics = topics;
  }

  /**
   * The file's text.
   *
   * @param layout of the events
   * @param name of the pipeline
   * @param bootstrap of the brokers; null for files
   * @param topics by what is on them, {@code impressions} or a kind; those that are known
   * @throws NothingFoundException if there is nothing to be learnt, or nothing to learn from
   */
  static String of(
      EventSample sample,
      DraftLayout layout,
      String name,
      @Nullable String bootstrap,
      Map<String, String> topics)
      throws NothingFoundException {
    return new PipelineDraft(sample, layout, topics).text(name, bootstrap);
  }

  private String text(String name, @Nullable String bootstrap) throws NothingFoundException {
    NothingFoundException.unlessDraftable(sample);
    StringBuilder tasks = new StringBuilder();
    List<String> learnt = tasks(kinds(), tasks);
    if (learnt.isEmpty()) {
      throw new NothingFoundException("no kind of feedback can be the first task:\n" + tasks);
    }
    StringBuilder file = new StringBuilder();
    line(
        file,
        "# A first pipeline file: `./freshet check --write` made it of %,d impressions and %,d feedback",
        sample.impressions(),
        sample.events().size());
    line(
        file,
        "# events of %s to %s. Windows and kinds are guesses from these: look at them.",
        Instant.ofEpochMilli((long) sample.times().quantile(0)),
        Instant.ofEpochMilli((long) sample.times().quantile(1)));
    line(file, "pipeline: %s", name);
    if (bootstrap != null || !topics.isEmpty()) {
      line(file, "kafka:");
    }
    if (bootstrap != null) {
      line(file, "  bootstrap: %s", SampleText.yaml(bootstrap));
    }
    if (!topics.isEmpty()) {
      line(file, "  topics:");
      topics.forEach(
          (use, topic) -> {
            if (use.equals(SystemTopic.IMPRESSIONS.key()) || learnt.contains(use)) {
              line(file, "    %s: %s", SampleText.yaml(use), SampleText.yaml(topic));
            }
          });
    }
    file.append(layout.text());
    line(file, "tasks:");
    file.append(tasks);
    line(file, "features:");
    features(file);
    line(file, "models:");
    line(file, "  - {name: main, kind: shared-bottom}");
    if (longest.compareTo(Pipeline.LONG_WINDOW) >= 0) {
      line(
          file,
          "# Labels are told long after they were predicted: what is judged is what is served.");
      line(
          file,
          "# docs/delays.md has corrections that do not wait for a window's end, and deadlines.");
      line(file, "training: {scoring: {at: impression}}");
    }
    return file.toString();
  }

  private List<Kind> kinds() {
    Map<String, Kind> byName = new LinkedHashMap<>();
    for (EventSample.Event event : sample.events()) {
      Kind kind = byName.computeIfAbsent(event.kind(), Kind::new);
      kind.amounts |= event.value() != 0 && event.value() != 1;
      kind.negatives |= event.value() == 0;
      if (sample.shownAt(event.impression()) != null) {
        kind.answered.merge(event.impression(), event.time(), Math::min);
        if (event.value() != 0) {
          kind.begun.merge(event.impression(), event.time(), Math::min);
        }
      }
    }
    List<Kind> kinds = new ArrayList<>(byName.values());
    kinds.sort(
        Comparator.<Kind, Boolean>comparing(kind -> kind.amounts)
            .thenComparing(kind -> -kind.begun.size())
            .thenComparing(kind -> kind.name));
    return kinds;
  }

  /** Writes a line for each kind; the names of those that became tasks. */
  private List<String> tasks(List<Kind> kinds, StringBuilder file) {
    List<Kind> taken = new ArrayList<>();
    boolean amounts = false;
    Set<String> names = new HashSet<>();
    for (Kind kind : kinds) {
      String fault =
          !names.add(kind.name.strip().toLowerCase(Locale.ROOT))
              ? "nearly the name of another"
              : !kind.name.matches(Task.NAME)
                  ? "tasks are called by lower-case letters, digits, _ and -"
                  : kind.amounts && amounts
                      ? "one task may be of amounts"
                      : kind.amounts && taken.isEmpty() ? "the first task is none of amounts" : "";
      if (!fault.isEmpty()) {
        String called = SampleText.cut(kind.name, 40);
        line(
            file, "  # '%s' of %,d impressions: left out: %s", called, kind.answered.size(), fault);
        continue;
      }
      amounts |= kind.amounts;
      Kind parent = parent(kind, taken);
      Numbers delays = new Numbers();
      kind.answered.forEach(
          (impression, time) -> {
            Long from = parent == null ? sample.shownAt(impression) : parent.begun.get(impression);
            if (from != null) {
              delays.add(Math.max(0, time - from));
            }
          });
      double most = delays.count() == 0 ? 0 : delays.quantile(MOST_DELAYS);
      Duration window = Spans.roundUp(Math.max(SHORTEST_WINDOW, SPARE * most));
      longest = longest.compareTo(window) > 0 ? longest : window;
      line(
          file,
          "  - {name: %s, kind: %s, after: %s, window: %s%s}%s",
          SampleText.yaml(kind.name),
          kind.amounts ? "continuous" : "binary",
          parent == null ? "impression" : SampleText.yaml(parent.name),
          Durations.written(window),
          !kind.amounts && kind.negatives ? ", negatives: explicit" : "",
          delays.count() == 0
              ? "  # no delay is known"
              : "  # 99 %% come within %s".formatted(Spans.text(most)));
      taken.add(kind);
    }
    Set<String> known = kinds.stream().map(kind -> kind.name).collect(Collectors.toSet());
    sample
        .refusedKinds()
        .forEach(
            (kind, why) -> {
              if (!known.contains(kind)) {
                line(file, "  # '%s': left out: all of it is refused:", SampleText.cut(kind, 40));
                line(file, "  #   %s", SampleText.cut(why, 160));
              }
            });
    return taken.stream().map(kind -> kind.name).toList();
  }

  /** The last of those before that nearly all of its impressions have, and not later. */
  private static @Nullable Kind parent(Kind kind, List<Kind> before) {
    for (int i = before.size() - 1; i >= 0; i--) {
      Kind one = before.get(i);
      long with =
          kind.begun.entrySet().stream()
              .filter(e -> one.begun.getOrDefault(e.getKey(), Long.MAX_VALUE) <= e.getValue())
              .count();
      if (!kind.begun.isEmpty() && with >= NEARLY_ALL * kind.begun.size()) {
        return one;
      }
    }
    return null;
  }

  private void features(StringBuilder file) {
    sample
        .fields()
        .forEach(
            (name, found) -> {
              FieldDraft draft = FieldDraft.of(name, found, sample.impressions());
              if (layout.tellsBy(name)) {
                String called = SampleText.cut(name, 60);
                line(
                    file, "  # %s: left out: `events` tells by it what happened, and when", called);
              } else if (draft.isOfUse()) {
                line(
                    file,
                    "  - %s%s",
                    draft.line(),
                    draft.doubt().isEmpty() ? "" : "  # " + draft.doubt());
              } else {
                line(file, "  # %s: left out: %s", SampleText.cut(name, 60), draft.fault());
              }
            });
  }

  private static void line(StringBuilder file, String format, Object... values) {
    file.append(String.format(Locale.ROOT, format, values)).append('\n');
  }
}
