package dev.freshet.core.network;

import dev.freshet.core.features.FeatureField;
import dev.freshet.core.features.FeatureSchema;
import dev.freshet.core.labels.Task;
import dev.freshet.core.models.AmountHead;
import dev.freshet.core.models.ModelDefinition;
import dev.freshet.core.models.ModelShape;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Everything that fixes what a model's weights mean: shared by its trainer and its replicas.
 *
 * @param maxWeight bound of the weights of delay corrections
 */
public record ModelContext(
    ModelDefinition model, List<Task> tasks, FeatureSchema schema, double maxWeight)
    implements Serializable {

  public ModelContext {
    tasks = List.copyOf(tasks);
  }

  public ModelShape shape() {
    return ModelShape.of(tasks, schema);
  }

  /** Index of the core task, or -1. Asked for each example and task, so no shape is made for it. */
  public int core() {
    int last = tasks.size() - 1;
    return tasks.get(last).binary() ? -1 : last;
  }

  /** How the model sees the core task's amounts; null without one. */
  public Task.@Nullable Transform transform() {
    if (core() < 0) {
      return null;
    }
    boolean lognormal = model.amount().loss() == AmountHead.Loss.ZILN;
    return lognormal ? Task.Transform.DEVIATION : tasks.get(core()).transform();
  }

  /** Positions of the fields that say which user saw which item. */
  public int[] identity() {
    List<String> names = shape().fields();
    return model.identity().stream().mapToInt(names::indexOf).toArray();
  }

  /** Makes a table of embedding rows. */
  public interface TableFactory<T> {
    /**
     * @param dim size of an embedding
     * @param first number of first-order weights behind each embedding
     * @param fields whose rows live in it
     */
    T table(int dim, int first, List<FeatureField> fields);
  }

  /** Tables for all embedding rows: set by set, one for each group of the schema. */
  public <T> List<T> tables(TableFactory<T> factory) {
    List<T> tables = new ArrayList<>();
    for (int set = 0; set < model.rowSets(shape()); set++) {
      for (FeatureSchema.Group group : schema.groups()) {
        List<FeatureField> fields = group.fields().stream().map(schema.fields()::get).toList();
        tables.add(factory.table(group.dim(), model.firstOrder(shape()), fields));
      }
    }
    return tables;
  }
}
