package dev.freshet.core.snapshot;

import static java.util.Objects.requireNonNull;

import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * How a {@link ModelRecord} looks on the model topic: key and value as they are, and three headers,
 * all text: {@code freshet.version}, {@code freshet.index} (-1 for a manifest), {@code
 * freshet.count}. The job writes and the replica reads through this class.
 */
public final class ModelRecords {

  /** Header of the message that names a partition's model: the pipeline that trains it. */
  public static final String PIPELINE = "freshet.pipeline";

  private static final String VERSION = "freshet.version";
  private static final String INDEX = "freshet.index";
  private static final String COUNT = "freshet.count";

  private static final String NAME = "/name";

  private ModelRecords() {}

  /**
   * The key of the message that says whose partition it is: {@code model/name}. Its only header is
   * {@link #PIPELINE}. It is the first of its partition, and never deleted, so whoever looks for a
   * model finds it.
   */
  public static byte[] nameKey(String model) {
    return bytes(model + NAME);
  }

  /** True if a message only says whose partition it is. */
  public static boolean isName(byte[] key) {
    return key != null && text(key).endsWith(NAME);
  }

  /** The model that a message is of: all keys begin with its name and a slash. */
  public static Optional<String> model(byte[] key) {
    String text = key == null ? "" : text(key);
    int end = text.indexOf('/');
    return end > 0 ? Optional.of(text.substring(0, end)) : Optional.empty();
  }

  public static Map<String, byte[]> headers(ModelRecord record) {
    Map<String, byte[]> headers = new LinkedHashMap<>();
    headers.put(VERSION, bytes(record.version()));
    headers.put(INDEX, bytes(Integer.toString(record.index())));
    headers.put(COUNT, bytes(Integer.toString(record.count())));
    return headers;
  }

  /**
   * @param value null for a deletion
   * @throws IllegalArgumentException if this is no message of the model topic
   */
  public static ModelRecord read(
      byte @Nullable [] key, byte @Nullable [] value, Map<String, byte[]> headers) {
    if (key == null || !headers.keySet().containsAll(List.of(VERSION, INDEX, COUNT))) {
      throw new IllegalArgumentException(
          "a message without key or without the headers " + VERSION + ", " + INDEX + ", " + COUNT);
    }
    return new ModelRecord(
        new String(key, StandardCharsets.UTF_8),
        value,
        text(requireNonNull(headers.get(VERSION))),
        Integer.parseInt(text(requireNonNull(headers.get(INDEX)))),
        Integer.parseInt(text(requireNonNull(headers.get(COUNT)))));
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static String text(byte[] bytes) {
    return new String(bytes, StandardCharsets.UTF_8);
  }
}
