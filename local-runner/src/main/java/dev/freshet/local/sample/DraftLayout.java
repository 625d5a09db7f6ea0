package dev.freshet.local.sample;

import dev.freshet.core.events.EventFormat;
import dev.freshet.core.events.EventFormats;
import dev.freshet.core.events.EventReader;
import dev.freshet.core.events.FeedbackKind;
import dev.freshet.core.events.ImpressionFields;
import dev.freshet.core.events.mapping.EventMapping;
import dev.freshet.core.events.mapping.MessageReader;
import dev.freshet.core.labels.Task;
import dev.freshet.core.pipeline.PipelineFile;
import dev.freshet.core.pipeline.SystemTopic;
import dev.freshet.core.settings.Problems;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * How events lie for which there is no pipeline file yet.
 *
 * @param text as it is to stand in the file, or empty
 */
public record DraftLayout(String text, Map<String, EventMapping> mappings) {

  private static final String IMPRESSIONS = SystemTopic.IMPRESSIONS.key();

  /** As docs/events.md says. */
  public static final DraftLayout NONE = new DraftLayout("", Map.of());

  /**
   * Of a file with nothing but {@code events:}.
   *
   * @param source its name in messages
   * @throws dev.freshet.core.settings.InvalidSettingsException with every problem of it
   */
  public static DraftLayout of(String text, String source) {
    Map<String, EventMapping> mappings = PipelineFile.events(text, source);
    if (mappings.containsKey(Task.IMPRESSION)) {
      Problems problems = new Problems();
      problems.add(
          "events." + Task.IMPRESSION, Task.IMPRESSION, IMPRESSIONS + ", or a task's name");
      problems.throwIfAny(source);
    }
    return new DraftLayout(text.endsWith("\n") ? text : text + '\n', mappings);
  }

  /** Of whatever kind feedback is: what it has to hold is judged by others. */
  MessageReader reader() {
    EventFormat json = EventFormats.JSON.create();
    ImpressionFields none =
        new ImpressionFields(List.of(), Set.of(), List.of(), List.of(), List.of());
    List<MessageReader.Kind> kinds = new ArrayList<>();
    mappings.forEach(
        (use, mapping) -> {
          if (!use.equals(IMPRESSIONS)) {
            FeedbackKind kind = new FeedbackKind(use, mapping.value() != null, true);
            kinds.add(new MessageReader.Kind(kind, use, mapping));
          }
        });
    return new MessageReader(
        json, new EventReader(json, none, List.of()), mappings.get(IMPRESSIONS), kinds);
  }

  /** True if what is named so tells what happened, and so is no field. */
  boolean tellsBy(String name) {
    return mappings.values().stream().anyMatch(mapping -> mapping.tellsBy(name));
  }

  /**
   * Checks that every entry gave something.
   *
   * @throws NothingFoundException with the first that did not
   */
  void requireFound(EventSample sample) throws NothingFoundException {
    for (String use : mappings.keySet()) {
      if (!use.equals(IMPRESSIONS)
          && sample.events().stream().noneMatch(e -> e.kind().equals(use))) {
        throw NothingFoundException.with("`events." + use + "` gave no event", sample);
      }
    }
    EventMapping shown = mappings.get(IMPRESSIONS);
    if (shown == null || sample.impressions() == 0) {
      return;
    }
    for (String field : shown.fields().keySet()) {
      if (isNowhere(field, sample)) {
        throw NothingFoundException.with(
            "`events.impressions.fields." + field + "` gave nothing in any impression", sample);
      }
    }
    if (shown.features() != null && shown.fields().keySet().containsAll(sample.fields().keySet())) {
      throw NothingFoundException.with(
          "`events.impressions.features` gave no field in any impression", sample);
    }
  }

  private static boolean isNowhere(String field, EventSample sample) {
    FieldProfile found = sample.fields().get(field);
    return found == null || found.there() == 0;
  }
}
