package dev.freshet.core.models.htlnet;

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
import java.util.Map;

/**
 * HTLNet, the hybrid targets learning network (RecSys 2024, doi 10.1145/3640457.3688101), for T
 * binary tasks and one continuous core task. Not the authors' code; where the paper is silent this
 * is our reading, and {@code docs/models/htlnet.md} says where.
 *
 * <p>With e the concatenated embeddings (B, E), H the first tower width, L the label size:
 *
 * <pre>
 * I_1 = e;  I_k = [e ; IFU_k(rep_1..rep_{k-1}) ; IFU'_k(le_1..le_{k-1})]
 * tower: h = ReLU layers of I_k;  o_k = h w + b;  rep_k = the first (or last) hidden layer
 * LEU:   le_k = softmax(([log p_k, log(1 - p_k)] + g) / tau) E_k,  g ~ Gumbel(0, 1),  E_k: (2, L)
 * IFU:   V, Q, K linear in u (., H);  a = softmax_j(&lt;Q_j, K_j&gt; / sqrt(H));  out = sum_j a_j V_j
 * </pre>
 *
 * Gradients of the binary tasks on the shared embeddings are turned and scaled against the core
 * task's: see {@code adjusted} in {@code htlnet.py}. They are taken at the distinct rows of the
 * batch, where dots and norms equal those over the whole table, because all other rows have zero
 * gradient.
 */
public record HtlNet(
    @Option("Name of the model: its metrics, its versions") String name,
    @Option(value = "Widths of each task's tower", fallback = "128, 64, 32") List<Integer> tower,
    @Option(value = "Size of a label embedding, L", fallback = "10") int labelSize,
    @Option(value = "Which hidden layer of a tower later tasks see", fallback = "first")
        Representation representation,
    @Option(
            value =
                "Where gradients of later tasks stop: `before` the units (our reading: the units"
                    + " learn), `literal` after them (the units stay as they started), or at"
                    + " `none`",
            fallback = "before")
        StopGradient stopGradient,
    @Option(value = "Later tasks see earlier label embeddings", fallback = "true")
        boolean labelEmbedding,
    @Option(value = "Later tasks see earlier representations", fallback = "true") boolean fusion,
    @Option(value = "Binary gradients are adjusted to the core task's", fallback = "true")
        boolean adjust,
    @Option(
            value =
                "Share of a conflicting gradient's part along the core gradient that is removed",
            fallback = "1.0")
        double alpha,
    @Option(value = "How far a binary gradient's norm moves to the core's", fallback = "0.1")
        double gamma,
    @Option(value = "Largest factor of that move, C", fallback = "10") double clip,
    @Option(
            value = "That move compares the binary norm `before` the direction step or `after`",
            fallback = "before")
        RhoNorm rhoNorm,
    @Option(value = "Training draws labels with Gumbel noise", fallback = "false") boolean noise,
    @Option(value = "With noise: the Gumbel temperature at the first step", fallback = "5.0")
        double tauStart,
    @Option(value = "With noise: the temperature at the end", fallback = "0.5") double tauFloor,
    @Option(
            value = "With noise: steps in which the temperature falls, geometrically",
            fallback = "2000")
        int tauSteps,
    @Option(
            value = "Label embedding when predicting: its `expected` value, or the `likelier` row",
            fallback = "expected")
        Inference inference,
    @Option("How the core task is learnt") AmountHead amount)
    implements ModelDefinition {

  public static final String KIND = "htlnet";

  /** Hidden layer of a tower. */
  public enum Representation {
    FIRST,
    LAST
  }

  /** Where transferred information is cut from its source. */
  public enum StopGradient {
    BEFORE,
    LITERAL,
    NONE
  }

  /** Which norm of a binary gradient is compared with the core's. */
  public enum RhoNorm {
    BEFORE,
    AFTER
  }

  /** Label embedding of a prediction. */
  public enum Inference {
    EXPECTED,
    LIKELIER
  }

  /** So cold that the softmax takes the likelier row unless both are within a thousandth. */
  private static final double LIKELIER_ROW = 1e-4;

  public HtlNet {
    tower = Widths.some("tower", tower);
    check(labelSize > 0, "label-size", labelSize, "above 0");
    check(alpha >= 0 && alpha <= 1, "alpha", alpha, "0 to 1");
    check(gamma >= 0 && gamma <= 1, "gamma", gamma, "0 to 1");
    check(clip >= 1, "clip", clip, "1 or more");
    check(tauFloor > 0, "tau-floor", tauFloor, "above 0");
    check(tauStart >= tauFloor, "tau-start", tauStart, "at least `tau-floor`");
    check(tauSteps > 0, "tau-steps", tauSteps, "above 0");
  }

  @Override
  public String kind() {
    return KIND;
  }

  @Override
  public Map<String, Object> meaning() {
    return Map.of(
        "tower",
        tower,
        "label-size",
        labelSize,
        "representation",
        representation,
        "label-embedding",
        labelEmbedding,
        "fusion",
        fusion,
        "inference",
        inference);
  }

  @Override
  public ScriptArchive script(ModelShape shape) {
    Map<String, Object> attributes = new HashMap<>();
    Places at = places(shape);
    int later = shape.tasks() - 1;
    attributes.put("tower_at", Places.each(shape.tasks(), k -> at.stack("tower" + k)));
    attributes.put(
        "fused_representations_at",
        Places.each(later, k -> at.stack("fusion" + (k + 1) + ".representation")));
    attributes.put(
        "fused_labels_at", Places.each(later, k -> at.stack("fusion" + (k + 1) + ".label")));
    attributes.put("label_table_at", Places.each(later, k -> at.of("label" + k + ".table")));
    attributes.put("representation", representation == Representation.FIRST ? 0 : tower.size() - 1);
    attributes.put("stop_before", stopGradient != StopGradient.NONE);
    attributes.put("stop_after", stopGradient == StopGradient.LITERAL);
    attributes.put("label_embedding", labelEmbedding);
    attributes.put("fusion", fusion);
    // Without a core task there is nothing to adjust to.
    attributes.put("adjust", adjust && shape.core());
    attributes.put("alpha", alpha);
    attributes.put("gamma", gamma);
    attributes.put("clip", clip);
    attributes.put("norm_after", rhoNorm == RhoNorm.AFTER);
    attributes.put("tau", predicted());
    return ScriptArchive.ofModel("htlnet", attributes(shape, attributes));
  }

  @Override
  public List<Parameter> parameters(ModelShape shape) {
    int hidden = tower.get(0);
    int rep = tower.get(representation == Representation.FIRST ? 0 : tower.size() - 1);
    int transferred = (fusion ? hidden : 0) + (labelEmbedding ? hidden : 0);
    List<Parameter> all = new ArrayList<>();
    for (int k = 0; k < shape.tasks(); k++) {
      int in = shape.inputs() + (k == 0 ? 0 : transferred);
      all.addAll(amount.tower("tower" + k, in, tower, shape, k));
    }
    for (int k = 1; k < shape.tasks(); k++) {
      all.addAll(fusion("fusion" + k + ".representation", rep, hidden));
      all.addAll(fusion("fusion" + k + ".label", labelSize, hidden));
    }
    for (int k = 0; k < shape.tasks() - 1; k++) {
      all.add(new Parameter("label" + k + ".table", new long[] {2, labelSize}, 1));
    }
    return all;
  }

  /** Values start at 0, if they can learn: nothing is passed on before it is worth something. */
  private List<Parameter> fusion(String name, int in, int out) {
    List<Parameter> all = new ArrayList<>();
    if (stopGradient == StopGradient.LITERAL) {
      all.addAll(Parameter.linear(name + ".value", in, out));
    } else {
      all.add(new Parameter(name + ".value.weight", new long[] {in, out}, 0));
      all.add(new Parameter(name + ".value.bias", new long[] {out}, 0));
    }
    all.addAll(Parameter.linear(name + ".query", in, out));
    all.addAll(Parameter.linear(name + ".key", in, out));
    return all;
  }

  @Override
  public int noise(ModelShape shape) {
    return 2 * shape.tasks();
  }

  @Override
  public boolean noisy() {
    return noise;
  }

  /** The temperature of a prediction, which has no noise. */
  private double predicted() {
    return inference == Inference.EXPECTED ? 1.0 : LIKELIER_ROW;
  }

  @Override
  public List<String> hyperNames() {
    return List.of("tau");
  }

  /**
   * The temperature of a step. With noise geometric from start to floor; without, that of a
   * prediction: later tasks learn from what they will see.
   */
  @Override
  public float[] hyper(long step) {
    if (!noise) {
      return new float[] {(float) predicted()};
    }
    double done = Math.min(1, (double) step / tauSteps);
    return new float[] {(float) (tauStart * Math.pow(tauFloor / tauStart, done))};
  }
}
