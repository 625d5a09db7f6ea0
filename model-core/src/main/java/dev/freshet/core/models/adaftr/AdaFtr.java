package dev.freshet.core.models.adaftr;

import static dev.freshet.core.settings.InvalidValueException.check;

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
import java.util.Locale;
import java.util.Map;

/**
 * AdaFTR, adaptive fine-grained task relatedness (arXiv 2208.13442): adjacent tasks' views of one
 * example are pulled together against other examples, each at a temperature of its own. Only the
 * abstract was available to us; everything below it is our reading, and {@code
 * docs/models/adaftr.md} says what is what.
 *
 * <p>With e the concatenated embeddings (B, E), for T binary tasks and every pair (t, t + 1):
 *
 * <pre>
 * base:         s = MLP(e), one or one a task;  o_t = tower_t(s);  z_t = the tower's last hidden layer (B, k)
 * views:        u = P z_t / |P z_t|,  v = P' z_{t+1} / |P' z_{t+1}|               (B, c)
 * relatedness:  r_i = sigma(MLP([s_i ; z_t,i ; z_{t+1},i]))                       (B,)
 * temperature:  tau_i = tau_max - (tau_max - tau_min) r_i
 * contrast:     l_i = -log( exp(u_i v_i / tau_i) / sum_{j in {i} + N(i)} exp(u_i v_j / tau_i) ), and with u and v swapped
 * loss:         sum_t L_t + weight * sum_pairs mean_i (l_i + l_i') / 2
 * </pre>
 *
 * {@code N(i)}: other examples of the batch that are not of the same user and item. The paper has
 * two binary tasks; a longer chain has a relatedness network for each pair, and the core task,
 * which takes no part in the contrast, is an extra tower.
 *
 * <p>{@code d l_i / d tau_i = (S_ii - E_softmax[S_i]) / tau_i^2}: learnt by the contrast alone, a
 * temperature falls where the two views agree more than usual and rises where they do not, without
 * an end of its own. Hence the bounds.
 */
public record AdaFtr(
    @Option("Name of the model: its metrics, its versions") String name,
    @Option(
            value =
                "Layers that the tasks share: the `bottom` layers and the embeddings, or the"
                    + " `embeddings`"
                    + " only, each task with bottom layers of its own",
            fallback = "bottom")
        Sharing sharing,
    @Option(value = "Widths of the bottom layers", fallback = "128") List<Integer> bottom,
    @Option(value = "Widths of each task's layers", fallback = "64, 32") List<Integer> tower,
    @Option(
            value =
                "Where a later step is learnt: as a product over the `entire` space, on `reached`"
                    + " rows only, or `direct`, each probability by itself on all rows",
            fallback = "entire")
        Space space,
    @Option(
            value =
                "Weight of the contrast; 0 leaves the plain base model, which won in all our"
                    + " tables",
            fallback = "0.0")
        double weight,
    @Option(
            value = "Temperature of the contrast: each example's own, or a `constant`",
            fallback = "adaptive")
        Temperature temperature,
    @Option(value = "With `constant`: the temperature", fallback = "0.5") double tau,
    @Option(value = "With `adaptive`: the smallest temperature", fallback = "0.05") double tauMin,
    @Option(value = "With `adaptive`: the largest temperature", fallback = "1.0") double tauMax,
    @Option(
            value = "Negatives for each example, drawn from the batch; 0 takes all of it",
            fallback = "0")
        int negatives,
    @Option(
            value =
                "Fields that say which user saw which item: examples with the same values are no"
                    + " negatives of each other",
            fallback = "")
        List<String> identity,
    @Option(
            value = "Width in which views are compared; 0 compares the towers' last layers",
            fallback = "32")
        int projection,
    @Option(value = "Widths of the relatedness network", fallback = "32") List<Integer> relatedness,
    @Option(value = "The relatedness network leaves alone what it looks at", fallback = "true")
        boolean stopGradient,
    @Option(
            value =
                "Weight of teaching relatedness that both labels, or only the first, were positive",
            fallback = "0.0")
        double supervision,
    @Option(value = "Weight of a pull of relatedness to `prior`", fallback = "0.0")
        double priorWeight,
    @Option(value = "Relatedness that this pull goes to", fallback = "0.5") double prior,
    @Option("How the core task is learnt") AmountHead amount)
    implements ModelDefinition {

  public static final String KIND = "adaftr";

  /** The base model. */
  public enum Sharing {
    BOTTOM,
    EMBEDDINGS
  }

  /** Where later steps are learnt; the script knows them by these names. */
  public enum Space {
    ENTIRE,
    REACHED,
    DIRECT
  }

  /** One temperature for all, or one for each example. */
  public enum Temperature {
    ADAPTIVE,
    CONSTANT
  }

  public AdaFtr {
    bottom = Widths.some("bottom", bottom);
    tower = Widths.some("tower", tower);
    relatedness = Widths.any("relatedness", relatedness);
    identity = List.copyOf(identity);
    check(weight >= 0, "weight", weight, "0 or more");
    check(tau > 0, "tau", tau, "above 0");
    check(tauMin > 0, "tau-min", tauMin, "above 0");
    check(tauMax >= tauMin, "tau-max", tauMax, "at least `tau-min`");
    check(negatives >= 0, "negatives", negatives, "0 or more");
    check(projection >= 0, "projection", projection, "0 or more");
    check(supervision >= 0, "supervision", supervision, "0 or more");
    check(priorWeight >= 0, "prior-weight", priorWeight, "0 or more");
    check(prior >= 0 && prior <= 1, "prior", prior, "0 to 1");
  }

  @Override
  public String kind() {
    return KIND;
  }

  @Override
  public void requireFit(ModelShape shape) {
    for (String field : identity) {
      check(
          shape.fields().contains(field),
          "identity",
          field,
          "one of " + String.join(", ", shape.fields()));
    }
  }

  /** A contrast is with other examples, and `reached` divides by how many there are. */
  @Override
  public boolean additive() {
    return weight == 0 && space != Space.REACHED;
  }

  @Override
  public Map<String, Object> meaning() {
    return Map.of(
        "sharing",
        sharing,
        "bottom",
        bottom,
        "tower",
        tower,
        "space",
        space,
        "projection",
        projection,
        "relatedness",
        relatedness);
  }

  @Override
  public boolean conditional() {
    return space != Space.DIRECT;
  }

  @Override
  public ScriptArchive script(ModelShape shape) {
    Map<String, Object> own = new HashMap<>();
    own.put("separate", sharing == Sharing.EMBEDDINGS);
    Places at = places(shape);
    int pairs = Math.max(0, shape.binary() - 1);
    int projected = projection > 0 ? pairs : 0;
    own.put(
        "bottom_at",
        sharing == Sharing.EMBEDDINGS
            ? Places.each(shape.tasks(), k -> at.stack("bottom" + k))
            : List.of(at.stack("bottom")));
    own.put("tower_at", Places.each(shape.tasks(), k -> at.stack("tower" + k)));
    own.put("first_at", Places.each(projected, t -> at.linear("pair" + t + ".first")));
    own.put("second_at", Places.each(projected, t -> at.linear("pair" + t + ".second")));
    own.put("relatedness_at", Places.each(pairs, t -> at.stack("pair" + t + ".relatedness")));
    own.put("space", space.name().toLowerCase(Locale.ROOT));
    own.put("project", projection > 0);
    own.put("adaptive", temperature == Temperature.ADAPTIVE);
    own.put("tau", tau);
    own.put("tau_min", tauMin);
    own.put("tau_max", tauMax);
    own.put("negatives", negatives);
    own.put("stop", stopGradient);
    own.put("weight", weight);
    own.put("supervision", supervision);
    own.put("pull", priorWeight);
    own.put("prior", prior);
    return ScriptArchive.ofModel("adaftr", attributes(shape, own));
  }

  @Override
  public List<Parameter> parameters(ModelShape shape) {
    int below = bottom.get(bottom.size() - 1);
    int last = tower.get(tower.size() - 1);
    boolean separate = sharing == Sharing.EMBEDDINGS;
    List<Parameter> all = new ArrayList<>();
    for (int k = 0; k < (separate ? shape.tasks() : 1); k++) {
      all.addAll(Parameter.layers(separate ? "bottom" + k : "bottom", shape.inputs(), bottom));
    }
    for (int k = 0; k < shape.tasks(); k++) {
      all.addAll(amount.tower("tower" + k, below, tower, shape, k));
    }
    for (int t = 0; t + 1 < shape.binary(); t++) {
      if (projection > 0) {
        all.addAll(Parameter.linear("pair" + t + ".first", last, projection));
        all.addAll(Parameter.linear("pair" + t + ".second", last, projection));
      }
      String network = "pair" + t + ".relatedness";
      int seen = (separate ? 2 : 1) * below + 2 * last;
      all.addAll(Parameter.tower(network, seen, relatedness, 1));
    }
    return all;
  }

  /** A draw for each example, in whose order negatives are counted off. */
  @Override
  public boolean noisy() {
    return negatives > 0;
  }
}
