package dev.freshet.core.pipeline;

import dev.freshet.core.settings.EnumNames;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The topics that a pipeline has besides those of its tasks' feedback. */
public enum SystemTopic {
  /** Impressions; read. */
  IMPRESSIONS("impressions"),
  /** Versions of the weights; written, compacted, one partition for each model. */
  MODELS("models"),
  /** Figures of the trainers; written. */
  METRICS("training-metrics"),
  /** Dead letters, of which no label will come; written. */
  DEAD_LETTERS("dead-letters"),
  /** Labelled examples; written if it is named. */
  EXAMPLES(null),
  /**
   * Training log: all that trainers do; written if it is named, partitions as those of {@link
   * #MODELS}.
   */
  TRAINING_LOG(null);

  private final @Nullable String usual;

  SystemTopic(@Nullable String usual) {
    this.usual = usual;
  }

  /** Its key under {@code kafka.topics}. */
  public String key() {
    return EnumNames.of(this);
  }

  /** Its name unless the file says another; null for a topic that there is only if it is named. */
  @Nullable String usual() {
    return usual;
  }

  /** All keys. */
  static List<String> keys() {
    return Arrays.stream(values()).map(SystemTopic::key).toList();
  }
}
