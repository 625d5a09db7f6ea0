package dev.freshet.core.models;

import java.util.List;
import java.util.function.IntFunction;
import java.util.stream.IntStream;

/**
 * Where weights lie in the list that a script is handed, by their names. Scripts are told places as
 * attributes, so that none of them counts weights itself.
 */
public final class Places {

  private static final String WEIGHT = ".weight";

  private final List<String> names;

  /**
   * @param parameters in the order of the list
   */
  public Places(List<Parameter> parameters) {
    names = parameters.stream().map(Parameter::name).toList();
  }

  /** Of the weights of a name. */
  public int of(String name) {
    int place = names.indexOf(name);
    if (place < 0) {
      throw new IllegalArgumentException("there are no weights " + name + " among " + names);
    }
    return place;
  }

  /** Of a linear layer's weight, behind which its bias lies. */
  public int linear(String name) {
    return of(name + WEIGHT);
  }

  /** Of every linear layer {@code name.*}, in order: a tower's, for example. */
  public List<Integer> stack(String name) {
    List<Integer> all =
        IntStream.range(0, names.size()).filter(i -> isLayer(names.get(i), name)).boxed().toList();
    if (all.isEmpty()) {
      throw new IllegalArgumentException("there are no layers " + name + ".* among " + names);
    }
    return all;
  }

  private static boolean isLayer(String weights, String stack) {
    if (!weights.startsWith(stack + ".") || !weights.endsWith(WEIGHT)) {
      return false;
    }
    int layer = weights.length() - WEIGHT.length();
    return weights.lastIndexOf('.', layer - 1) == stack.length();
  }

  /** A list for a script, by number. */
  public static <T> List<T> each(int count, IntFunction<T> place) {
    return IntStream.range(0, count).mapToObj(place).toList();
  }
}
