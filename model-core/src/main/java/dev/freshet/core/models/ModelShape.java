package dev.freshet.core.models;

import dev.freshet.core.features.FeatureField;
import dev.freshet.core.features.FeatureSchema;
import dev.freshet.core.labels.Task;
import java.util.List;

/**
 * The sizes a model must fit.
 *
 * @param binary number of binary tasks, T
 * @param core true if a continuous core task follows them
 * @param fields names of the fields, F of them
 * @param dims size of each field's embedding, ascending
 * @param attention the fields that are pooled by attention
 */
public record ModelShape(
    int binary,
    boolean core,
    List<String> fields,
    List<Integer> dims,
    List<FeatureSchema.Attention> attention) {

  public ModelShape {
    fields = List.copyOf(fields);
    dims = List.copyOf(dims);
    attention = List.copyOf(attention);
  }

  public static ModelShape of(List<Task> tasks, FeatureSchema schema) {
    int binary = (int) tasks.stream().filter(Task::binary).count();
    return new ModelShape(
        binary,
        binary < tasks.size(),
        schema.fields().stream().map(FeatureField::name).toList(),
        schema.fields().stream().map(FeatureField::dim).toList(),
        schema.attention());
  }

  /** Width of the concatenated embeddings, E. */
  public int inputs() {
    return dims.stream().mapToInt(dim -> dim).sum();
  }

  /** Number of tasks, K: the binary ones first, then the core task. */
  public int tasks() {
    return core ? binary + 1 : binary;
  }
}
