package dev.freshet.experiments;

import static dev.freshet.core.settings.InvalidValueException.check;

import dev.freshet.core.events.Features;
import dev.freshet.core.events.Impression;
import dev.freshet.core.events.Served;
import dev.freshet.core.features.EncodedExample;
import dev.freshet.core.features.ExampleEncoder;
import dev.freshet.core.features.FeatureSchema;
import dev.freshet.core.labels.LabelKind;
import dev.freshet.core.labels.LabeledExample;
import dev.freshet.core.labels.TaskLabel;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.settings.Option;
import dev.freshet.experiments.simulator.Simulator;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * A funnel of any number of steps, with or without an amount at its end, whose truth is known and
 * whose labels are all there at once. Every step t has a signal {@code s_t} of user, item, and the
 * taste of the user's segment for the item's category, each with unit variance:
 *
 * <pre>
 * P(step 1)             = sigma(b_1 + signal s_1)
 * P(step t | step t-1)  = sigma(b_t + signal (rho s_1 + sqrt(1 - rho^2) s_t)),  rho of the user's group
 * log amount            = log price(item) + amount-signal s_T + amount-spread N(0, 1), if step T happened
 * </pre>
 *
 * Fields it can fill: {@code user}, {@code item}, {@code segment}, {@code category}, and any whose
 * name begins with {@code noise}, which says nothing. Examples carry the true probabilities as
 * scores, so the best that any model could do is known too.
 */
public record FunnelData(
    @Option(value = "Number of examples", fallback = "200000") int examples,
    @Option(value = "Chance of each step given the one before, about") List<Double> rates,
    @Option(
            value =
                "How much later steps follow the first, 0 to 1, for each group of users; a user's"
                    + " group is its segment modulo their number",
            fallback = "0.5")
        List<Double> relatedness,
    @Option(value = "Standard deviation of a step's log-odds", fallback = "1.2") double signal,
    @Option(value = "How much the logarithm of the amount follows the last step", fallback = "0.5")
        double amountSignal,
    @Option(
            value = "Standard deviation of the logarithm of the amount around its mean",
            fallback = "1.0")
        double amountSpread,
    @Option(value = "Number of users", fallback = "2000") int users,
    @Option(value = "Number of items", fallback = "400") int items,
    @Option(value = "Days, from 2026-01-01 on, over which impressions are spread", fallback = "10")
        int days)
    implements DataSource {

  static final String KIND = "funnel";

  private static final double PRICE_SPREAD = 0.7;

  public FunnelData {
    rates = List.copyOf(rates);
    relatedness = List.copyOf(relatedness);
    check(examples > 0, "examples", examples, "above 0");
    check(
        !rates.isEmpty() && rates.stream().allMatch(r -> r > 0 && r < 1),
        "rates",
        rates,
        "a rate between 0 and 1 for each step");
    check(
        !relatedness.isEmpty() && relatedness.stream().allMatch(r -> r >= 0 && r <= 1),
        "relatedness",
        relatedness,
        "0 to 1 for each group");
    check(signal >= 0, "signal", signal, "0 or more");
    check(amountSpread >= 0, "amount-spread", amountSpread, "0 or more");
    check(users > 0, "users", users, "above 0");
    check(items > 0, "items", items, "above 0");
    check(days > 0, "days", days, "above 0");
  }

  @Override
  public String kind() {
    return KIND;
  }

  @Override
  public Examples load(Pipeline pipeline, long seed, boolean withFeatures) {
    int binary = (int) pipeline.tasks().stream().filter(t -> t.binary()).count();
    if (binary != rates.size()) {
      throw new IllegalArgumentException(
          "data.rates has " + rates.size() + " steps, the pipeline " + binary + " binary tasks");
    }
    World world = new World(pipeline.schema(), binary < pipeline.tasks().size(), seed);
    ExampleEncoder encoder = new ExampleEncoder(pipeline.schema(), pipeline.labels().holdout());
    List<EncodedExample> all = new ArrayList<>(examples);
    List<Features> features = new ArrayList<>();
    int[] groups = new int[examples];
    for (int i = 0; i < examples; i++) {
      LabeledExample next = world.next(i);
      all.add(encoder.encode(next));
      if (withFeatures) {
        features.add(next.impression().features());
      }
      groups[i] = world.group;
    }
    return new Examples(all, relatedness.size() > 1 ? groups : new int[0], features, List.of());
  }

  /** One drawing of users, items and tastes, and the impressions in it. */
  private final class World {
    private final FeatureSchema schema;
    private final boolean amount;
    private final SplittableRandom random;
    private final double[][] userEffect;
    private final double[][] itemEffect;
    private final double[][] taste;
    private final double[] price;
    private int group;

    World(FeatureSchema schema, boolean amount, long seed) {
      this.schema = schema;
      this.amount = amount;
      SplittableRandom world = new SplittableRandom(seed);
      userEffect = gaussian(world, rates.size(), users);
      itemEffect = gaussian(world, rates.size(), items);
      taste = gaussian(world, rates.size(), Shoppers.SEGMENTS * Shoppers.CATEGORIES);
      price = Shoppers.gaussian(world, items);
      random = world.split();
    }

    private static double[][] gaussian(SplittableRandom world, int rows, int columns) {
      double[][] values = new double[rows][];
      for (int i = 0; i < rows; i++) {
        values[i] = Shoppers.gaussian(world, columns);
      }
      return values;
    }

    LabeledExample next(int index) {
      int user = Shoppers.skewed(random, users);
      int item = Shoppers.skewed(random, items);
      group = user % Shoppers.SEGMENTS % relatedness.size();
      int steps = rates.size();
      double[] scores = new double[amount ? steps + 1 : steps];
      TaskLabel[] labels = new TaskLabel[scores.length];
      boolean reached = true;
      double q = 1;
      double last = 0;
      for (int t = 0; t < steps; t++) {
        double rho = t == 0 ? 1 : relatedness.get(group);
        last = rho * strength(0, user, item) + Math.sqrt(1 - rho * rho) * strength(t, user, item);
        double p = 1 / (1 + Math.exp(-Shoppers.bias(rates.get(t), signal) - signal * last));
        boolean possible = reached;
        reached &= random.nextDouble() < p;
        q *= p;
        scores[t] = q;
        labels[t] = label(reached ? 1 : 0, possible);
      }
      if (amount) {
        double mean = 3 + PRICE_SPREAD * price[item] + amountSignal * last;
        double paid = Math.exp(mean + amountSpread * random.nextGaussian());
        scores[steps] = q * Math.exp(mean + amountSpread * amountSpread / 2);
        labels[steps] = label(reached ? paid : 0, reached);
      }
      long time = Shoppers.time(index, examples, days);
      Served truth = new Served(Simulator.TRUTH, Simulator.TRUTH, scores);
      Impression impression =
          new Impression("i" + index, time, Shoppers.features(schema, user, item, random), truth);
      return new LabeledExample(impression, time, labels);
    }

    private double strength(int step, int user, int item) {
      double sum =
          userEffect[step][user] + itemEffect[step][item] + taste[step][Shoppers.cell(user, item)];
      return sum / Math.sqrt(3);
    }

    private static TaskLabel label(double value, boolean possible) {
      return new TaskLabel(LabelKind.FINAL, value, 1, 0, -1, possible);
    }
  }
}
