package dev.freshet.local.sample;

import dev.freshet.core.pipeline.SystemTopic;
import java.util.LinkedHashMap;
import java.util.Map;

/** What topics hold, told from what was read from them. */
final class TopicUses {

  private final Map<String, String> topics = new LinkedHashMap<>();

  void add(SourceProfile topic) {
    if (topic.impressions() > 0) {
      topics.putIfAbsent(SystemTopic.IMPRESSIONS.key(), topic.name());
    }
    topic.feedback().keySet().forEach(kind -> topics.putIfAbsent(kind, topic.name()));
  }

  /** Topics by their use: impressions, or the kind of feedback. */
  Map<String, String> topics() {
    return topics;
  }
}
