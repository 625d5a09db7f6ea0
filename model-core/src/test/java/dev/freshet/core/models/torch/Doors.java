package dev.freshet.core.models.torch;

import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A model's script with further methods that let a test call its inner ones. */
public final class Doors {

  private Doors() {}

  /**
   * Compiles {@code <file>.py} with methods added to its class.
   *
   * @param attributes of the class, besides weights and the plain ones of every model
   * @param methods source, indented as in a class; may be empty
   */
  public static TorchEngine.Module open(
      String file, String className, Map<String, Object> attributes, String methods) {
    Map<String, Object> all = new HashMap<>(Map.of("tasks", 3, "binary", 2));
    all.putAll(Map.of("amount", "squared", "delta", 1.0, "first", 0, "sets", 1));
    all.putAll(Map.of("attention", List.of(), "attention_at", List.of(), "hyper_names", List.of()));
    all.put("layers_at", List.of());
    for (String list : List.of("p", "m", "v", "steps")) {
      all.put(list, List.of());
    }
    all.putAll(attributes);
    return TorchEngine.load(
        ScriptArchive.ofSource(className, ScriptArchive.model(file).source() + methods, all));
  }

  /** Name of a script's class. */
  public static String className(ScriptArchive script) {
    return script.className();
  }

  /** What a script is told. */
  public static Map<String, Object> attributes(ScriptArchive script) {
    return script.attributes();
  }

  /** Calls a method that takes one list of tensors x; results as arrays. */
  public static List<float[]> call(
      TorchEngine.Module module, String method, List<float[]> x, List<long[]> shapes) {
    try (TorchEngine.Call call = module.call(method)) {
      for (int i = 0; i < x.size(); i++) {
        call.addToList("x", filled(x.get(i)), shapes.get(i));
      }
      List<float[]> all = new ArrayList<>();
      for (FloatBuffer out : call.run()) {
        float[] values = new float[out.remaining()];
        out.get(values);
        all.add(values);
      }
      return all;
    }
  }

  public static HostBuffer filled(float... values) {
    HostBuffer buffer = new HostBuffer();
    buffer.floats(values.length).put(values);
    return buffer;
  }
}
