package dev.freshet.core.models.oracle;

import static dev.freshet.core.models.oracle.Weights.concat;
import static dev.freshet.core.models.oracle.Weights.dot;
import static dev.freshet.core.models.oracle.Weights.mixture;
import static dev.freshet.core.models.oracle.Weights.sigmoid;
import static dev.freshet.core.models.oracle.Weights.softmax;

import dev.freshet.core.models.ModelDefinition;
import dev.freshet.core.models.ModelShape;
import dev.freshet.core.models.adaftr.AdaFtr;
import dev.freshet.core.models.aitm.Aitm;
import dev.freshet.core.models.esmm.Esmm;
import dev.freshet.core.models.htlnet.HtlNet;
import dev.freshet.core.models.mmoe.Mmoe;
import dev.freshet.core.models.ple.Ple;
import dev.freshet.core.models.sharedbottom.SharedBottom;
import dev.freshet.core.models.singletask.SingleTask;
import dev.freshet.core.models.tafe.Tafe;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/** The oracle of each model. */
final class Oracles {

  private Oracles() {}

  static Oracle of(ModelDefinition model, ModelShape shape) {
    if (model instanceof SingleTask m) {
      return new SingleTaskOracle(m, shape);
    } else if (model instanceof SharedBottom m) {
      return new SharedBottomOracle(m, shape);
    } else if (model instanceof Esmm m) {
      return new EsmmOracle(m, shape);
    } else if (model instanceof Mmoe m) {
      return new MmoeOracle(m, shape);
    } else if (model instanceof Ple m) {
      return new PleOracle(m, shape);
    } else if (model instanceof Aitm m) {
      return new AitmOracle(m, shape);
    } else if (model instanceof HtlNet m) {
      return new HtlNetOracle(m, shape);
    } else if (model instanceof Tafe m) {
      return new TafeOracle(m, shape);
    } else if (model instanceof AdaFtr m) {
      return new AdaFtrOracle(m, shape);
    }
    throw new IllegalArgumentException("no oracle for " + model);
  }

  /** A model whose outputs can be told example by example. */
  private abstract static class PerExample extends Oracle {
    PerExample(ModelDefinition model, ModelShape shape) {
      super(shape, model.amount());
    }

    @Override
    double[][][] outputs(boolean training) {
      double[][][] all = new double[batch.size()][][];
      for (int i = 0; i < all.length; i++) {
        all[i] = outputs(i, batch.embedded(i, p), training);
      }
      return all;
    }

    abstract double[][] outputs(int example, double[] e, boolean training);
  }

  private static final class SingleTaskOracle extends PerExample {
    private final SingleTask model;

    SingleTaskOracle(SingleTask model, ModelShape shape) {
      super(model, shape);
      this.model = model;
    }

    @Override
    double[][] outputs(int example, double[] e, boolean training) {
      double[][] o = new double[shape.tasks()][];
      for (int k = 0; k < o.length; k++) {
        double[] own = Arrays.copyOfRange(e, k * shape.inputs(), (k + 1) * shape.inputs());
        o[k] = wide(example, k, p.tower("tower" + k, own, model.tower().size()));
      }
      return o;
    }
  }

  private static final class SharedBottomOracle extends PerExample {
    private final SharedBottom model;

    SharedBottomOracle(SharedBottom model, ModelShape shape) {
      super(model, shape);
      this.model = model;
    }

    @Override
    double[][] outputs(int example, double[] e, boolean training) {
      double[] s = p.mlp("bottom", e, model.bottom().size());
      double[][] o = new double[shape.tasks()][];
      for (int k = 0; k < o.length; k++) {
        o[k] = wide(example, k, p.tower("tower" + k, s, model.tower().size()));
      }
      return o;
    }
  }

  private static final class EsmmOracle extends PerExample {
    private final Esmm model;

    EsmmOracle(Esmm model, ModelShape shape) {
      super(model, shape);
      this.model = model;
    }

    @Override
    double[][] outputs(int example, double[] e, boolean training) {
      double[][] o = new double[shape.tasks()][];
      for (int k = 0; k < o.length; k++) {
        o[k] = wide(example, k, p.tower("tower" + k, e, model.tower().size()));
      }
      return o;
    }

    @Override
    double[][] predictions() {
      return chainPredictions(outputs(false));
    }

    @Override
    double[] losses() {
      return chainLosses(outputs(true), false);
    }
  }

  private static final class MmoeOracle extends PerExample {
    private final Mmoe model;

    MmoeOracle(Mmoe model, ModelShape shape) {
      super(model, shape);
      this.model = model;
    }

    @Override
    double[][] outputs(int example, double[] e, boolean training) {
      List<double[]> experts = new ArrayList<>();
      for (int k = 0; k < model.experts(); k++) {
        experts.add(p.mlp("expert" + k, e, model.expert().size()));
      }
      double[][] o = new double[shape.tasks()][];
      for (int t = 0; t < o.length; t++) {
        double[] s = mixture(softmax(p.linear("gate" + t, e)), experts);
        o[t] = wide(example, t, p.tower("tower" + t, s, model.tower().size()));
      }
      return o;
    }
  }

  private static final class PleOracle extends PerExample {
    private final Ple model;

    PleOracle(Ple model, ModelShape shape) {
      super(model, shape);
      this.model = model;
    }

    @Override
    double[][] outputs(int example, double[] e, boolean training) {
      double[][] inputs = new double[shape.tasks()][];
      Arrays.fill(inputs, e);
      double[] common = e;
      for (int l = 0; l < model.levels().size(); l++) {
        String level = "level" + l + ".";
        List<double[]> shared = experts(level + "shared.expert", common, model.shared());
        List<double[]> all = new ArrayList<>();
        double[][] mixed = new double[shape.tasks()][];
        for (int t = 0; t < mixed.length; t++) {
          List<double[]> seen = experts(level + "task" + t + ".expert", inputs[t], model.own());
          all.addAll(seen);
          seen.addAll(shared);
          mixed[t] = mixture(softmax(p.linear(level + "task" + t + ".gate", inputs[t])), seen);
        }
        all.addAll(shared);
        if (l < model.levels().size() - 1) {
          common = mixture(softmax(p.linear(level + "shared.gate", common)), all);
        }
        inputs = mixed;
      }
      double[][] o = new double[shape.tasks()][];
      for (int t = 0; t < o.length; t++) {
        o[t] = wide(example, t, p.tower("tower" + t, inputs[t], model.tower().size()));
      }
      return o;
    }

    private List<double[]> experts(String name, double[] x, int count) {
      List<double[]> all = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        all.add(Weights.relu(p.linear(name + i, x)));
      }
      return all;
    }
  }

  private static final class AitmOracle extends PerExample {
    private final Aitm model;

    AitmOracle(Aitm model, ModelShape shape) {
      super(model, shape);
      this.model = model;
    }

    @Override
    double[][] outputs(int example, double[] e, boolean training) {
      double[][] o = new double[shape.tasks()][];
      double[] before = null;
      for (int t = 0; t < o.length; t++) {
        double[] h = p.mlp("bottom" + t, e, model.bottom().size());
        if (t > 0) {
          double[] passed = Weights.relu(p.linear("link" + t + ".transfer", before));
          h = p.attend("link" + t, List.of(passed, h));
        }
        o[t] = wide(example, t, p.tower("tower" + t, h, model.tower().size()));
        before = h;
      }
      return o;
    }

    @Override
    double[] losses() {
      double[][][] o = outputs(true);
      double[] all = losses(o);
      for (int i = 0; i < o.length; i++) {
        for (int t = 1; t < shape.binary(); t++) {
          double over = Math.max(0, sigmoid(o[i][t][0]) - sigmoid(o[i][t - 1][0]));
          all[t] += model.penalty() * over * batch.weights()[i][t] / o.length;
        }
      }
      return all;
    }
  }

  private static final class HtlNetOracle extends PerExample {
    private final HtlNet model;

    HtlNetOracle(HtlNet model, ModelShape shape) {
      super(model, shape);
      this.model = model;
    }

    @Override
    double[][] outputs(int example, double[] e, boolean training) {
      boolean before = model.stopGradient() != HtlNet.StopGradient.NONE;
      boolean after = model.stopGradient() == HtlNet.StopGradient.LITERAL;
      List<double[]> representations = new ArrayList<>();
      List<double[]> labels = new ArrayList<>();
      double[][] o = new double[shape.tasks()][];
      for (int k = 0; k < o.length; k++) {
        double[] input = e;
        if (k > 0 && model.fusion()) {
          double[] fused = p.attend("fusion" + k + ".representation", representations);
          input = concat(input, after ? stop(fused) : fused);
        }
        if (k > 0 && model.labelEmbedding()) {
          double[] fused = p.attend("fusion" + k + ".label", labels);
          input = concat(input, after ? stop(fused) : fused);
        }
        List<double[]> hidden = p.layers("tower" + k, input, model.tower().size());
        o[k] = wide(example, k, p.linear("tower" + k + ".out", hidden.get(hidden.size() - 1)));
        if (k < o.length - 1) {
          boolean first = model.representation() == HtlNet.Representation.FIRST;
          double[] rep = hidden.get(first ? 0 : hidden.size() - 1);
          representations.add(before ? stop(rep) : rep);
          double[] shown = before ? stop(o[k]) : o[k];
          double[] label = label(k, sigmoid(shown[0]), example, training);
          labels.add(after ? stop(label) : label);
        }
      }
      return o;
    }

    private double[] label(int task, double probability, int example, boolean training) {
      double[] g = {0, 0};
      double tau = 1;
      if (training) {
        g[0] = batch.noise()[example][2 * task];
        g[1] = batch.noise()[example][2 * task + 1];
        tau = batch.tau();
      }
      double[] w =
          softmax(
              new double[] {
                (Math.log(probability) + g[0]) / tau, (Math.log(1 - probability) + g[1]) / tau
              });
      double[] table = p.get("label" + task + ".table");
      int size = table.length / 2;
      return mixture(
          w, List.of(Arrays.copyOf(table, size), Arrays.copyOfRange(table, size, 2 * size)));
    }

    @Override
    double[] combine(double[][] perTask) {
      if (!model.adjust() || !shape.core()) {
        return super.combine(perTask);
      }
      double[] core = batch.embeddings(perTask[perTask.length - 1]);
      double[] sum = perTask[perTask.length - 1].clone();
      for (int t = 0; t < perTask.length - 1; t++) {
        double[] g = batch.embeddings(perTask[t]);
        for (int i = 0; i < g.length; i++) {
          sum[i] += perTask[t][i] - g[i];
        }
        double conflict = dot(g, core);
        double norm = Math.sqrt(dot(g, g));
        if (conflict < 0) {
          for (int i = 0; i < g.length; i++) {
            g[i] -= model.alpha() * conflict / (dot(core, core) + 1e-12) * core[i];
          }
        }
        if (model.rhoNorm() == HtlNet.RhoNorm.AFTER) {
          norm = Math.sqrt(dot(g, g));
        }
        double rho = Math.sqrt(dot(core, core)) / norm;
        rho = Math.max(1 / model.clip(), Math.min(model.clip(), rho));
        for (int i = 0; i < g.length; i++) {
          sum[i] += model.gamma() * rho * g[i] + (1 - model.gamma()) * g[i];
        }
      }
      return sum;
    }
  }

  private static final class TafeOracle extends PerExample {
    private final Tafe model;

    TafeOracle(Tafe model, ModelShape shape) {
      super(model, shape);
      this.model = model;
    }

    @Override
    double[][] outputs(int example, double[] e, boolean training) {
      int fields = shape.fields().size();
      double[][] x = new double[fields][];
      boolean mixed = shape.dims().stream().distinct().count() > 1;
      int at = 0;
      for (int f = 0; f < fields; f++) {
        int size = shape.dims().get(f);
        double[] own = Arrays.copyOfRange(e, at, at + size);
        x[f] = mixed ? projected(own, p.get("project" + size)) : own;
        at += size;
      }
      if (model.reconstruct()) {
        x = reconstruct(x);
      }
      double[] means = means(x);
      double[][] o = new double[shape.tasks()][];
      for (int t = 0; t < o.length; t++) {
        double[] chosen = {};
        double[] s = selection(t, means);
        for (int f = 0; f < fields; f++) {
          chosen = concat(chosen, scaled(x[f], model.select() ? s[f] : 1));
        }
        o[t] = wide(example, t, p.tower("tower" + t, chosen, model.tower().size()));
      }
      return o;
    }

    private double[] projected(double[] own, double[] map) {
      double[] into = new double[dim()];
      for (int i = 0; i < own.length; i++) {
        for (int d = 0; d < into.length; d++) {
          into[d] += own[i] * map[i * into.length + d];
        }
      }
      return into;
    }

    private int dim() {
      return Collections.max(shape.dims());
    }

    private double[] selection(int task, double[] means) {
      double[] s = p.linear("selector", concat(p.get("indicator" + task), means));
      if (model.selector() == Tafe.Selector.SOFTMAX) {
        return scaled(softmax(s), s.length);
      }
      return Arrays.stream(s).map(v -> 2 * sigmoid(v)).toArray();
    }

    private double[][] reconstruct(double[][] x) {
      double[][] mixed = Arrays.stream(x).map(double[]::clone).toArray(double[][]::new);
      for (int g = 0; g < model.groups(); g++) {
        double[] flat = p.get("group" + g + ".seeds");
        double[][] seeds = new double[model.seeds()][];
        for (int n = 0; n < seeds.length; n++) {
          seeds[n] = attention(Arrays.copyOfRange(flat, n * dim(), (n + 1) * dim()), x);
        }
        double share = p.get("group" + g + ".mix")[0];
        for (int f = 0; f < x.length; f++) {
          double[] seen = attention(x[f], seeds);
          for (int d = 0; d < seen.length; d++) {
            mixed[f][d] += share * seen[d];
          }
        }
      }
      for (int f = 0; f < x.length; f++) {
        double[] fed = p.linear("feedforward.1", Weights.relu(p.linear("feedforward.0", mixed[f])));
        for (int d = 0; d < fed.length; d++) {
          mixed[f][d] += fed[d];
        }
      }
      double[] gate =
          p.linear("excitation.1", Weights.relu(p.linear("excitation.0", means(mixed))));
      for (int f = 0; f < x.length; f++) {
        mixed[f] = scaled(mixed[f], 2 * sigmoid(gate[f]));
      }
      return mixed;
    }

    private static double[] attention(double[] query, double[][] x) {
      double[] scores = new double[x.length];
      for (int f = 0; f < x.length; f++) {
        scores[f] = dot(query, x[f]) / Math.sqrt(query.length);
      }
      return mixture(softmax(scores), List.of(x));
    }

    private static double[] means(double[][] x) {
      return Arrays.stream(x).mapToDouble(v -> Arrays.stream(v).average().orElseThrow()).toArray();
    }

    private static double[] scaled(double[] x, double factor) {
      return Arrays.stream(x).map(v -> v * factor).toArray();
    }

    @Override
    double[][] predictions() {
      return chainPredictions(outputs(false));
    }

    @Override
    double[] losses() {
      double[][][] o = outputs(true);
      return model.loss() == Tafe.Loss.PATH ? pathLosses(o) : chainLosses(o, model.stopGradient());
    }
  }

  private static final class AdaFtrOracle extends Oracle {
    private final AdaFtr model;

    AdaFtrOracle(AdaFtr model, ModelShape shape) {
      super(shape, model.amount());
      this.model = model;
    }

    private double[] below(int example, int task) {
      String name = model.sharing() == AdaFtr.Sharing.BOTTOM ? "bottom" : "bottom" + task;
      return p.mlp(name, batch.embedded(example, p), model.bottom().size());
    }

    @Override
    double[][][] outputs(boolean training) {
      double[][][] o = new double[batch.size()][shape.tasks()][];
      for (int i = 0; i < o.length; i++) {
        for (int k = 0; k < o[i].length; k++) {
          o[i][k] = wide(i, k, p.tower("tower" + k, below(i, k), model.tower().size()));
        }
      }
      return o;
    }

    @Override
    double[][] predictions() {
      return model.space() == AdaFtr.Space.DIRECT
          ? super.predictions()
          : chainPredictions(outputs(false));
    }

    @Override
    double[] losses() {
      double[][][] o = outputs(true);
      double[] tasks =
          switch (model.space()) {
            case ENTIRE -> chainLosses(o, false);
            case REACHED -> reachedLosses(o);
            case DIRECT -> losses(o);
          };
      if (model.weight() == 0 && model.supervision() == 0) {
        return tasks;
      }
      double[] all = Arrays.copyOf(tasks, tasks.length + shape.binary() - 1);
      for (int t = 0; t < shape.binary() - 1; t++) {
        all[tasks.length + t] = alignment(t);
      }
      return all;
    }

    /** Over the rows that reached the step. */
    private double[] reachedLosses(double[][][] o) {
      double[] all = pathLosses(o);
      for (int t = 1; t < shape.binary(); t++) {
        double rows = 0;
        for (int i = 0; i < o.length; i++) {
          rows += batch.weights()[i][t] > 0 ? batch.reached()[i][t] : 0;
        }
        all[t] *= o.length / Math.max(1, rows);
      }
      return all;
    }

    private double alignment(int t) {
      int n = batch.size();
      double[][] u = new double[n][];
      double[][] v = new double[n][];
      double[] relatedness = new double[n];
      double[] learnt = new double[n];
      for (int i = 0; i < n; i++) {
        double[] s = below(i, t);
        double[] next = below(i, t + 1);
        int depth = model.tower().size();
        double[] first = p.mlp("tower" + t, s, depth);
        double[] second = p.mlp("tower" + (t + 1), next, depth);
        u[i] = unit("pair" + t + ".first", first);
        v[i] = unit("pair" + t + ".second", second);
        boolean shared = model.sharing() == AdaFtr.Sharing.BOTTOM;
        double[] x = concat(s, first, second, shared ? new double[0] : next);
        relatedness[i] =
            sigmoid(
                p.tower(
                        "pair" + t + ".relatedness",
                        model.stopGradient() ? stop(x) : x,
                        model.relatedness().size())[0]);
        learnt[i] = Math.max(batch.weights()[i][t], batch.weights()[i][t + 1]);
      }
      double total = 0;
      for (int i = 0; i < n; i++) {
        double tau = model.tau();
        if (model.temperature() == AdaFtr.Temperature.ADAPTIVE) {
          tau = model.tauMax() - (model.tauMax() - model.tauMin()) * relatedness[i];
        }
        double contrast = (contrast(i, u, v, tau, learnt) + contrast(i, v, u, tau, learnt)) / 2;
        total += model.weight() * learnt[i] * contrast / n;
        double agreement = crossEntropy(relatedness[i], batch.labels()[i][t + 1]);
        total +=
            model.supervision()
                * batch.weights()[i][t + 1]
                * batch.reached()[i][t + 1]
                * agreement
                / n;
        double off = relatedness[i] - model.prior();
        total += model.priorWeight() * learnt[i] * off * off / n;
      }
      return total;
    }

    private double contrast(int i, double[][] from, double[][] to, double tau, double[] learnt) {
      double own = Math.exp(dot(from[i], to[i]) / tau);
      double all = own;
      for (int j = 0; j < to.length; j++) {
        if (j != i && batch.same()[i] != batch.same()[j] && learnt[j] > 0) {
          all += Math.exp(dot(from[i], to[j]) / tau);
        }
      }
      return -Math.log(own / all);
    }

    private double[] unit(String name, double[] z) {
      double[] h = model.projection() > 0 ? p.linear(name, z) : z;
      double length = Math.sqrt(dot(h, h) + 1e-6);
      return Arrays.stream(h).map(x -> x / length).toArray();
    }
  }
}
