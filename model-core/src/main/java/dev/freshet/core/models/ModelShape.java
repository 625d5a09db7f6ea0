package dev.freshet.core.models;

import dev.freshet.core.features.FeatureField;
import dev.freshet.core.features.FeatureSchema;
import dev.freshet.core.labels.Task;
import java.util.List;

/**
 * The sizes a model must fit.
 *
 * @param binary number of binary tasks, T
 * @param core whether a continuous core task follows them
 * @param inputs width of the concatenated embeddings, E
 * @param fields names of the feature fields, F of them
 * @param dim size of every field's embedding, d, with E = F d; 0 if fields differ in size
 */
public record ModelShape(int binary, boolean core, int inputs, List<String> fields, int dim) {

  public static ModelShape of(List<Task> tasks, FeatureSchema schema) {
    int binary = (int) tasks.stream().filter(Task::binary).count();
    int inputs = schema.groups().stream().mapToInt(g -> g.dim() * g.fields().size()).sum();
    List<String> names = schema.fields().stream().map(FeatureField::name).toList();
    int dim = schema.groups().size() == 1 ? schema.groups().get(0).dim() : 0;
    return new ModelShape(binary, binary < tasks.size(), inputs, names, dim);
  }

  /** Number of tasks, K: the binary ones first, then the core task. */
  public int tasks() {
    return core ? binary + 1 : binary;
  }
}
