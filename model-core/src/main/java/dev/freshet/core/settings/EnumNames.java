package dev.freshet.core.settings;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** Names of enum constants as people write them, in settings and as labels of metrics. */
public final class EnumNames {

  private EnumNames() {}

  /** In lower case, with dashes. */
  public static String of(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /** The names of all constants, in their order. */
  static List<String> all(Class<?> type) {
    return Arrays.stream(type.getEnumConstants()).map(constant -> of((Enum<?>) constant)).toList();
  }
}
