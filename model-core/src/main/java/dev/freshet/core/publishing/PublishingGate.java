package dev.freshet.core.publishing;

import dev.freshet.core.models.Parameter;
import dev.freshet.core.settings.RecordBinder;
import dev.freshet.core.training.ModelTrainer;
import dev.freshet.core.training.Network;
import dev.freshet.core.training.embedding.EmbeddingTable;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Decides whether a version may be announced. Training goes on whatever it says; what was held back
 * is part of the next version that passes.
 *
 * <p>Scores are compared with those of the last version that this run announced: a binary task's
 * normalised entropy, an amount's NRMSE, both smaller the better, and both over the newest scored
 * labels. The first version of a run has nothing to be compared with.
 */
public final class PublishingGate {

  /** Why a version is held back. */
  public enum Reason {
    /** A weight is not a number, or infinite. */
    NOT_FINITE,
    /** The norm of a dense tensor or an embedding row is larger than the bound. */
    LARGE_NORM,
    /** A task's score is much worse than that of the last announced version. */
    WORSE_SCORE;

    /** As in metrics: {@code not-finite}. */
    public String label() {
      return RecordBinder.written(this);
    }
  }

  /** A version that is held back. */
  public record Refusal(Reason reason, String detail) {}

  private static final List<String> SMALLER_IS_BETTER = List.of("normalizedEntropy", "nrmse");
  private static final double FEWEST_EXAMPLES = 1000;

  private final PublishingSettings.Gate settings;
  private Map<String, Map<String, Double>> announced = Map.of();

  public PublishingGate(PublishingSettings.Gate settings) {
    this.settings = settings;
  }

  /**
   * Looks at the weights that the next version would hold.
   *
   * @param changesOnly whether only rows that changed since the last version are looked at; the
   *     others have passed before
   */
  public Optional<Refusal> check(ModelTrainer trainer, boolean changesOnly) {
    return dense(trainer.network())
        .or(() -> rows(trainer.network(), changesOnly))
        .or(() -> scores(trainer.quality()));
  }

  /** A version with these scores was announced. */
  public void announced(Map<String, Map<String, Double>> quality) {
    announced = quality;
  }

  private Optional<Refusal> dense(Network network) {
    for (int i = 0; i < network.weights().size(); i++) {
      FloatBuffer values = network.weights().get(i);
      double squares = 0;
      for (int j = 0; j < values.capacity(); j++) {
        squares += (double) values.get(j) * values.get(j);
      }
      Parameter parameter = network.parameters().get(i);
      Optional<Refusal> refusal = norm(squares, () -> "dense." + parameter.name());
      if (refusal.isPresent()) {
        return refusal;
      }
    }
    return Optional.empty();
  }

  private interface Name {
    String text();
  }

  private Optional<Refusal> norm(double squares, Name name) {
    // The square of a float is finite as a double, so a sum is not finite if a weight is not.
    if (!Double.isFinite(squares)) {
      return Optional.of(new Refusal(Reason.NOT_FINITE, name.text() + " is not finite"));
    }
    double norm = Math.sqrt(squares);
    return norm <= settings.maxNorm()
        ? Optional.empty()
        : Optional.of(
            new Refusal(
                Reason.LARGE_NORM,
                name.text() + " has norm " + norm + ", allowed up to " + settings.maxNorm()));
  }

  private Optional<Refusal> rows(Network network, boolean changesOnly) {
    for (EmbeddingTable table : network.tables()) {
      FirstRefusal first = new FirstRefusal(table.dim());
      try {
        if (changesOnly) {
          table.eachTouched(first);
        } else {
          table.eachRow(first);
        }
      } catch (IOException e) {
        throw new IllegalStateException("looking does no I/O", e);
      }
      if (first.found.isPresent()) {
        return first.found;
      }
    }
    return Optional.empty();
  }

  private final class FirstRefusal implements EmbeddingTable.RowVisitor {
    private final int dim;
    private Optional<Refusal> found = Optional.empty();

    FirstRefusal(int dim) {
      this.dim = dim;
    }

    @Override
    public void row(long key, float[] values, int at) {
      if (found.isEmpty()) {
        double squares = 0;
        for (int i = at; i < at + dim; i++) {
          squares += (double) values[i] * values[i];
        }
        found = norm(squares, () -> "the embedding row of key " + key);
      }
    }
  }

  private Optional<Refusal> scores(Map<String, Map<String, Double>> quality) {
    for (Map.Entry<String, Map<String, Double>> task : quality.entrySet()) {
      Map<String, Double> before = announced.getOrDefault(task.getKey(), Map.of());
      if (task.getValue().getOrDefault("examples", 0.0) < FEWEST_EXAMPLES
          || before.getOrDefault("examples", 0.0) < FEWEST_EXAMPLES) {
        continue;
      }
      for (String metric : SMALLER_IS_BETTER) {
        Double now = task.getValue().get(metric);
        Double then = before.get(metric);
        if (now != null && then != null && now > then * (1 + settings.worseBy())) {
          return Optional.of(
              new Refusal(
                  Reason.WORSE_SCORE,
                  task.getKey() + "'s " + metric + " is " + now + ", it was " + then));
        }
      }
    }
    return Optional.empty();
  }
}
