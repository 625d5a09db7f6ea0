package dev.freshet.core.snapshot;

import static java.util.Objects.requireNonNull;

import dev.freshet.core.codec.Sha256;
import dev.freshet.core.events.DeadlineField;
import dev.freshet.core.labels.Task;
import dev.freshet.core.models.ModelDefinition;
import dev.freshet.core.network.ModelContext;
import dev.freshet.core.settings.EnumNames;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * Fingerprint of all that the meaning of a model's weights depends on besides the features: SHA-256
 * of a text of named values, one a line.
 *
 * <pre>
 * freshet-model-1
 * kind=htlnet
 * amount.loss=squared
 * name=value                  the model's own, {@link ModelDefinition#meaning}, in order of the names
 * task=click|binary|impression|600000|implicit
 * task=revenue|continuous|click|600000|sum|log1p
 * </pre>
 *
 * A task's line has its name, kind, parent, window in milliseconds, what one says of its label,
 * and, where impressions have deadlines of their own, {@code |at=field|grace} or {@code
 * |after=field|unit|grace}, in milliseconds.
 */
public final class ModelFingerprint {

  private ModelFingerprint() {}

  /** The fingerprint, as in a manifest's {@code settings}. */
  public static String of(ModelContext context) {
    return Sha256.of(text(context).getBytes(StandardCharsets.UTF_8));
  }

  /** The text that it is made of. */
  static String text(ModelContext context) {
    ModelDefinition model = context.model();
    StringBuilder text = new StringBuilder("freshet-model-1");
    line(text, "kind", model.kind());
    line(text, "amount.loss", model.amount().loss());
    new TreeMap<>(model.meaning()).forEach((name, value) -> line(text, name, value));
    String above = "impression";
    for (Task task : context.tasks()) {
      String parent = task.after() == null ? above : task.after();
      String label =
          task.binary()
              ? written(task.negatives())
              : written(task.aggregate()) + "|" + written(task.transform());
      line(
          text,
          "task",
          String.join(
              "|",
              task.name(),
              written(task.kind()),
              parent,
              Long.toString(task.windowMillis()),
              label + deadline(task.deadline())));
      above = task.name();
    }
    return text.toString();
  }

  private static String deadline(DeadlineField of) {
    if (!of.present()) {
      return "";
    }
    String field =
        of.at() == null
            ? "after=" + of.after() + "|" + requireNonNull(of.unit()).toMillis()
            : "at=" + of.at();
    return "|" + field + "|" + of.grace().toMillis();
  }

  private static void line(StringBuilder text, String name, Object value) {
    text.append('\n').append(name).append('=').append(written(value));
  }

  private static String written(Object value) {
    if (value instanceof Enum<?> constant) {
      return EnumNames.of(constant);
    }
    if (value instanceof List<?> list) {
      return list.stream().map(String::valueOf).collect(Collectors.joining(","));
    }
    return String.valueOf(value);
  }
}
