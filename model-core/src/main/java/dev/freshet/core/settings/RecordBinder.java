package dev.freshet.core.settings;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.MissingNode;
import dev.freshet.core.settings.Problems.Problem;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.time.Duration;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Fills records from a tree of values and notes every problem on the way. Knows text, numbers,
 * booleans, enums (written in lower case with dashes), durations, sizes, dates, lists, maps of
 * text, records, and choices (an interface with a menu of records, told apart by the key {@code
 * kind}).
 *
 * <p>What cannot be read is reported and replaced by its default or by something neutral, so that
 * what concerns several keys is checked all the same; a fault that only follows from one that is
 * reported already is not.
 */
public final class RecordBinder {

  private final Problems problems;
  private final Map<Class<?>, Map<String, Class<? extends Record>>> menus;

  /** Paths at which there was nothing that could be read. */
  private final Set<String> unreadable = new HashSet<>();

  private boolean secret;

  /**
   * @param menus for each choice, an interface, its kinds
   */
  public RecordBinder(
      Problems problems, Map<Class<?>, Map<String, Class<? extends Record>>> menus) {
    this.problems = problems;
    this.menus = menus;
  }

  /** The key of a component: camel case becomes dashes. */
  public static String key(RecordComponent component) {
    return component.getName().replaceAll("([a-z])([A-Z])", "$1-$2").toLowerCase(Locale.ROOT);
  }

  /** The component whose value may stand for the whole record; null if none may. */
  public static @Nullable RecordComponent alone(Class<?> record) {
    return Arrays.stream(record.getRecordComponents())
        .filter(c -> c.isAnnotationPresent(Option.class) && c.getAnnotation(Option.class).alone())
        .findAny()
        .orElse(null);
  }

  /**
   * Binds {@code node} to a record. When something in it was wrong {@link Problems} knows what, and
   * the result is as near to it as can be, or null: good for finding more problems and for nothing
   * else.
   */
  public <T extends Record> @Nullable T bind(JsonNode node, Class<T> type, String path) {
    return bind(node, type, path, Set.of());
  }

  /**
   * As the other one, of a group with keys that others read.
   *
   * @param known these keys
   */
  public <T extends Record> @Nullable T bind(
      JsonNode node, Class<T> type, String path, Set<String> known) {
    if (!node.isObject() && !node.isMissingNode() && !node.isNull()) {
      boolean outer = secret;
      secret |= holdsSecrets(type);
      unreadable(path, node, "a group of keys");
      secret = outer;
      return neutral(type);
    }
    RecordComponent[] components = type.getRecordComponents();
    Set<String> keys = new TreeSet<>(known);
    for (RecordComponent component : components) {
      keys.add(key(component));
    }
    int before = problems.found().size();
    node.fieldNames()
        .forEachRemaining(
            name -> {
              if (!keys.contains(name)) {
                problems.add(
                    join(path, name),
                    name,
                    "one of the keys " + String.join(", ", keys) + Nearest.hint(name, keys));
              }
            });
    @Nullable Object[] values = new @Nullable Object[components.length];
    for (int i = 0; i < components.length; i++) {
      values[i] = component(node, components[i], path);
    }
    return construct(type, values, path, problems.found().size() == before);
  }

  /** True if somewhere below there is a secret, which may have slipped out of its place. */
  private static boolean holdsSecrets(Class<?> type) {
    return type.isRecord()
        && Arrays.stream(type.getRecordComponents())
            .anyMatch(
                c ->
                    c.isAnnotationPresent(Option.class) && c.getAnnotation(Option.class).secret()
                        || holdsSecrets(c.getType()));
  }

  private @Nullable Object component(JsonNode node, RecordComponent component, String path) {
    String key = key(component);
    String at = join(path, key);
    JsonNode value = node.path(key);
    Type type = component.getGenericType();
    Option option = component.getAnnotation(Option.class);
    if (!value.isMissingNode() && !value.isNull()) {
      boolean outer = secret;
      secret |= option != null && option.secret();
      Object read = value(value, type, at);
      secret = outer;
      return read == null ? instead(option, type) : read;
    }
    if (component.getType().isRecord() && component.getType() != ByteSize.class) {
      return bind(value, component.getType().asSubclass(Record.class), at);
    }
    if (option == null || option.fallback().equals(Option.REQUIRED)) {
      missing(at, type);
    }
    return instead(option, type);
  }

  /** The stand-in for a value that is not there, or cannot be read. */
  private @Nullable Object instead(@Nullable Option option, Type type) {
    String fallback = option == null ? Option.REQUIRED : option.fallback();
    return switch (fallback) {
      case Option.ABSENT -> null;
      case Option.REQUIRED -> neutral(type);
      default -> TextValues.parse(fallback, type);
    };
  }

  private @Nullable Object neutral(Type type) {
    if (type instanceof ParameterizedType) {
      return TextValues.parse("", type);
    }
    Class<?> raw = (Class<?>) type;
    if (menus.containsKey(raw)) {
      return neutral(menus.get(raw).values().iterator().next());
    } else if (raw == ByteSize.class) {
      return new ByteSize(1);
    } else if (raw.isRecord()) {
      return neutral(raw.asSubclass(Record.class));
    } else if (raw.isEnum()) {
      return raw.getEnumConstants()[0];
    } else if (raw == String.class) {
      return "";
    } else if (raw == Duration.class) {
      return Duration.ZERO;
    } else if (raw == LocalDate.class) {
      return LocalDate.EPOCH;
    }
    return raw == boolean.class ? Boolean.FALSE : TextValues.parse("0", raw);
  }

  private <T extends Record> @Nullable T neutral(Class<T> type) {
    return new RecordBinder(new Problems(), menus).bind(MissingNode.getInstance(), type, "");
  }

  private @Nullable Object value(JsonNode node, Type type, String path) {
    if (node.isNull()) {
      missing(path, type);
      return null;
    }
    if (type instanceof ParameterizedType generic) {
      return collection(node, generic, path);
    }
    Class<?> raw = (Class<?>) type;
    if (menus.containsKey(raw)) {
      return choice(node, raw, path);
    }
    if (raw.isRecord() && raw != ByteSize.class) {
      RecordComponent alone = node.isValueNode() ? alone(raw) : null;
      JsonNode group =
          alone == null ? node : JsonNodeFactory.instance.objectNode().set(key(alone), node);
      return bind(group, raw.asSubclass(Record.class), path);
    }
    if (!node.isValueNode()) {
      unreadable(path, node, TextValues.describe(type));
      return null;
    }
    return fromText(node.asText(), type, path);
  }

  private @Nullable Object collection(JsonNode node, ParameterizedType type, String path) {
    if (type.getRawType() == Map.class) {
      if (!node.isObject()) {
        unreadable(path, node, TextValues.describe(type));
        return null;
      }
      Map<String, Object> map = new LinkedHashMap<>();
      for (Map.Entry<String, JsonNode> e : node.properties()) {
        map.put(
            e.getKey(),
            element(e.getValue(), type.getActualTypeArguments()[1], join(path, e.getKey())));
      }
      return map;
    }
    Type element = type.getActualTypeArguments()[0];
    if (element == String.class && node.isTextual()) {
      return List.of(node.asText());
    }
    if (!node.isArray()) {
      unreadable(path, node, TextValues.describe(type));
      return null;
    }
    List<Object> list = new ArrayList<>();
    for (int i = 0; i < node.size(); i++) {
      list.add(element(node.get(i), element, path + "[" + i + "]"));
    }
    return list;
  }

  private @Nullable Object element(JsonNode node, Type type, String path) {
    Object read = value(node, type, path);
    return read == null ? neutral(type) : read;
  }

  private @Nullable Object choice(JsonNode node, Class<?> type, String path) {
    Map<String, Class<? extends Record>> kinds = requireNonNull(menus.get(type));
    String kind = node.path("kind").asText("");
    if (!kinds.containsKey(kind)) {
      problems.add(
          join(path, "kind"),
          kind.isEmpty() ? null : kind,
          "one of " + String.join(", ", kinds.keySet()) + Nearest.hint(kind, kinds.keySet()));
      unreadable.add(path);
      return neutral(type);
    }
    return bind(node, kinds.get(kind), path, Set.of("kind"));
  }

  private void missing(String path, Type type) {
    problems.add(path, null, TextValues.describe(type));
    unreadable.add(path);
  }

  private void unreadable(String path, JsonNode node, String allowed) {
    problems.add(path, secret ? Sensitive.HIDDEN : node.toString(), allowed);
    unreadable.add(path);
  }

  private @Nullable Object fromText(String text, Type type, String path) {
    try {
      return TextValues.parse(text, type);
    } catch (IllegalArgumentException | java.time.format.DateTimeParseException e) {
      String hint =
          type instanceof Class<?> raw && raw.isEnum()
              ? Nearest.hint(text, EnumNames.all(raw))
              : "";
      problems.add(path, secret ? Sensitive.HIDDEN : text, TextValues.describe(type) + hint);
      unreadable.add(path);
      return null;
    }
  }

  private <T extends Record> @Nullable T construct(
      Class<T> type, @Nullable Object[] values, String path, boolean sound) {
    try (InvalidValueException.Gathering faults = InvalidValueException.gather()) {
      T made = null;
      try {
        Constructor<T> constructor =
            type.getDeclaredConstructor(
                Arrays.stream(type.getRecordComponents())
                    .map(RecordComponent::getType)
                    .toArray(Class<?>[]::new));
        made = constructor.newInstance(values);
      } catch (InvocationTargetException e) {
        if (e.getCause() instanceof InvalidValueException invalid) {
          report(join(path, invalid.key()), invalid.value(), invalid.allowed());
        } else if (sound && faults.found().isEmpty()) {
          throw new IllegalStateException(type + " failed", e.getCause());
        }
      } catch (ReflectiveOperationException e) {
        throw new IllegalStateException(type + " cannot be made", e);
      }
      for (Problem fault : faults.found()) {
        report(join(path, fault.path()), fault.value(), fault.allowed());
      }
      return made;
    }
  }

  /** A fault of what was made, unless it follows from what could not be read. */
  private void report(String path, @Nullable String value, String allowed) {
    boolean known =
        unreadable.stream().anyMatch(bad -> path.equals(bad) || within(path, bad))
            || problems.found().stream()
                .anyMatch(p -> same(p, path, value) || within(p.path(), path));
    if (!known) {
      problems.add(path, value, allowed);
    }
  }

  /** Of a list each value that is wrong is a fault of its own. */
  private static boolean same(Problem known, String path, @Nullable String value) {
    return known.path().equals(path) && Objects.equals(known.value(), value);
  }

  private static boolean within(String path, String outer) {
    return path.startsWith(outer + ".") || path.startsWith(outer + "[");
  }

  private static String join(String path, String key) {
    return path.isEmpty() ? key : path + "." + key;
  }
}
