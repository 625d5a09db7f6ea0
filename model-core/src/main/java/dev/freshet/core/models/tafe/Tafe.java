package dev.freshet.core.models.tafe;

import static dev.freshet.core.settings.InvalidValueException.check;
import static java.util.Collections.frequency;
import static java.util.Collections.max;

import dev.freshet.core.models.AmountHead;
import dev.freshet.core.models.ModelDefinition;
import dev.freshet.core.models.ModelShape;
import dev.freshet.core.models.Parameter;
import dev.freshet.core.models.Places;
import dev.freshet.core.models.Widths;
import dev.freshet.core.models.torch.ScriptArchive;
import dev.freshet.core.settings.Option;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * TAFE, task aware feature extraction for chains of conversions (RecSys 2023, doi
 * 10.1145/3604915.3608772): an abstract-faithful implementation. The names of the parts are the
 * paper's, their equations our reading; {@code docs/models/tafe.md} says so line by line.
 *
 * <p>With X (B, F, d) the fields' embeddings, d the largest size; where fields differ in size,
 * those of each size go through a learnt linear map into d first, E_s P_s:
 *
 * <pre>
 * representation:  H_g = Attn(seeds_g (n, d), X);  X' = X + sum_g mix_g Attn(X, H_g);  X' = X' + FFN(X')
 * excitation:      a = 2 sigma(W2 relu(W1 mean_d X'))  (B, F);   X'' = a X'
 * selection:       s_t = 2 sigma(W_s [c_t ; mean_d X''])  (B, F);   o_t = tower_t(flatten(s_t X''))
 * constraint:      q_t = sigma(o_1) ... sigma(o_t);   L = sum_t BCE(q_t, y_t) over all impressions
 * </pre>
 *
 * The mixes and the last layer of FFN start at 0: X' starts as X. {@code q_t <= q_{t-1}} by
 * construction. The core task, which the paper does not have, is an extra selector and tower with
 * squared error.
 */
public record Tafe(
    @Option("Name of the model: its metrics, its versions") String name,
    @Option(value = "Groups of attention seeds, G", fallback = "2") int groups,
    @Option(value = "Seeds in a group, n", fallback = "4") int seeds,
    @Option(value = "Fields over the width of the squeeze, rho", fallback = "2") int reduction,
    @Option(value = "Size of a task indicator", fallback = "8") int indicator,
    @Option(value = "Widths of each task's tower", fallback = "128, 64") List<Integer> tower,
    @Option(
            value =
                "`entire`: every step's probability from the impression on, over all impressions;"
                    + " `path`: likelihood of the path, each step where the one before happened",
            fallback = "entire")
        Loss loss,
    @Option(
            value = "With `entire`: a step's loss stops short of the steps before it",
            fallback = "false")
        boolean stopGradient,
    @Option(value = "How a task's selector weighs the fields", fallback = "sigmoid")
        Selector selector,
    @Option(value = "Features are reconstructed per sample", fallback = "true") boolean reconstruct,
    @Option(value = "Each task selects its fields", fallback = "true") boolean select,
    @Option("How the core task is learnt") AmountHead amount)
    implements ModelDefinition {

  public static final String KIND = "tafe";
  private static final int FEED_FORWARD = 2;

  /** The two candidate losses. */
  public enum Loss {
    ENTIRE,
    PATH
  }

  /** Form of the pattern selector. */
  public enum Selector {
    SIGMOID,
    SOFTMAX
  }

  public Tafe {
    tower = Widths.any("tower", tower);
    check(groups >= 1 && groups <= 16, "groups", groups, "1 to 16");
    check(seeds >= 1 && seeds <= 64, "seeds", seeds, "1 to 64");
    check(reduction >= 1, "reduction", reduction, "1 or more");
    check(indicator >= 1, "indicator", indicator, "1 or more");
  }

  @Override
  public String kind() {
    return KIND;
  }

  @Override
  public Map<String, Object> meaning() {
    return Map.of(
        "groups",
        groups,
        "seeds",
        seeds,
        "reduction",
        reduction,
        "indicator",
        indicator,
        "tower",
        tower,
        "selector",
        selector,
        "reconstruct",
        reconstruct,
        "select",
        select);
  }

  @Override
  public boolean conditional() {
    return true;
  }

  @Override
  public ScriptArchive script(ModelShape shape) {
    Map<String, Object> own = new HashMap<>();
    own.put("fields", shape.fields().size());
    own.put("dim", dim(shape));
    own.put("sizes", sizes(shape));
    own.put("counts", sizes(shape).stream().map(s -> frequency(shape.dims(), s)).toList());
    Places at = places(shape);
    own.put("seeds_at", Places.each(groups, g -> at.of("group" + g + ".seeds")));
    own.put("mix_at", Places.each(groups, g -> at.of("group" + g + ".mix")));
    own.put("feedforward_at", at.stack("feedforward"));
    own.put("excitation_at", at.stack("excitation"));
    own.put("selector_at", at.linear("selector"));
    own.put("indicator_at", Places.each(shape.tasks(), t -> at.of("indicator" + t)));
    own.put("tower_at", Places.each(shape.tasks(), t -> at.stack("tower" + t)));
    own.put("projection_at", projected(shape).stream().map(s -> at.of("project" + s)).toList());
    own.put("path", loss == Loss.PATH);
    own.put("stop", stopGradient);
    own.put("softmax", selector == Selector.SOFTMAX);
    own.put("reconstruct", reconstruct);
    own.put("select", select);
    return ScriptArchive.ofModel("tafe", attributes(shape, own));
  }

  /** The different sizes of embeddings, ascending. */
  private static List<Integer> sizes(ModelShape shape) {
    return shape.dims().stream().distinct().toList();
  }

  /** The sizes that are mapped into one: none where there is but one. */
  private static List<Integer> projected(ModelShape shape) {
    return sizes(shape).size() > 1 ? sizes(shape) : List.of();
  }

  /** Size of a field inside the model. */
  private static int dim(ModelShape shape) {
    return max(shape.dims());
  }

  @Override
  public List<Parameter> parameters(ModelShape shape) {
    int dim = dim(shape);
    int fields = shape.fields().size();
    List<Parameter> all = new ArrayList<>();
    for (int g = 0; g < groups; g++) {
      all.add(new Parameter("group" + g + ".seeds", new long[] {seeds, dim}, 1));
    }
    for (int g = 0; g < groups; g++) {
      all.add(new Parameter("group" + g + ".mix", new long[] {1}, 0));
    }
    all.addAll(Parameter.linear("feedforward.0", dim, FEED_FORWARD * dim));
    all.add(new Parameter("feedforward.1.weight", new long[] {FEED_FORWARD * dim, dim}, 0));
    all.add(new Parameter("feedforward.1.bias", new long[] {dim}, 0));
    int squeezed = Math.max(1, fields / reduction);
    all.addAll(Parameter.layers("excitation", fields, List.of(squeezed, fields)));
    all.addAll(Parameter.linear("selector", indicator + fields, fields));
    for (int t = 0; t < shape.tasks(); t++) {
      all.add(new Parameter("indicator" + t, new long[] {1, indicator}, 1));
    }
    for (int t = 0; t < shape.tasks(); t++) {
      all.addAll(amount.tower("tower" + t, fields * dim, tower, shape, t));
    }
    for (int size : projected(shape)) {
      double spread = Math.sqrt(6.0 / (size + dim));
      all.add(new Parameter("project" + size, new long[] {size, dim}, spread));
    }
    return all;
  }
}
