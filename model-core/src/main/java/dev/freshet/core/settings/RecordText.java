package dev.freshet.core.settings;

import java.lang.reflect.RecordComponent;
import java.util.List;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Settings as lines {@code path=value}, under the keys of the file and in their order: equal for
 * equal settings whatever the records' own names are. What is as by default is left out, so that a
 * key which is new changes nothing.
 */
public final class RecordText {

  private final TreeMap<String, String> lines = new TreeMap<>();

  /** Adds all that a record says, under {@code path}. */
  public RecordText add(String path, Record record) {
    for (RecordComponent component : record.getClass().getRecordComponents()) {
      Object value;
      try {
        component.getAccessor().setAccessible(true);
        value = component.getAccessor().invoke(record);
      } catch (ReflectiveOperationException e) {
        throw new IllegalStateException(component + " cannot be read", e);
      }
      Option option = component.getAnnotation(Option.class);
      if (!byDefault(value, option, component)) {
        add(path + "." + RecordBinder.key(component), value);
      }
    }
    return this;
  }

  private static boolean byDefault(
      @Nullable Object value, @Nullable Option option, RecordComponent component) {
    if (value == null) {
      return true;
    }
    String fallback = option == null ? Option.REQUIRED : option.fallback();
    boolean open = fallback.equals(Option.REQUIRED) || fallback.equals(Option.ABSENT);
    return !open && value.equals(TextValues.parse(fallback, component.getGenericType()));
  }

  /** Adds one value. */
  public RecordText add(String path, Object value) {
    if (value instanceof List<?> list) {
      for (int i = 0; i < list.size(); i++) {
        add(path + "[" + i + "]", list.get(i));
      }
    } else if (value instanceof ByteSize size) {
      lines.put(path, Long.toString(size.bytes()));
    } else if (value instanceof Record record) {
      add(path, record);
    } else if (value instanceof Enum<?> constant) {
      lines.put(path, EnumNames.of(constant));
    } else {
      lines.put(path, String.valueOf(value));
    }
    return this;
  }

  @Override
  public String toString() {
    StringBuilder text = new StringBuilder();
    lines.forEach((path, value) -> text.append(path).append('=').append(value).append('\n'));
    return text.toString();
  }
}
