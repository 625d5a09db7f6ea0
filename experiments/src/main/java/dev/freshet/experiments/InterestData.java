package dev.freshet.experiments;

import static dev.freshet.core.settings.InvalidValueException.check;

import dev.freshet.core.events.Features;
import dev.freshet.core.events.Impression;
import dev.freshet.core.events.RawFeatures;
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
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;

/**
 * Users of whom each likes a few categories of items, which nothing says but what they clicked
 * before. Half of what is shown is liked, half is any item, and outcomes are known at once:
 *
 * <pre>
 * P(click) = sigma(b + 0.5 N(item) + liking [the user likes the item's category])
 * </pre>
 *
 * Fields it can fill: {@code user}, {@code item}, {@code category}, {@code seen} (the items that
 * the user clicked last) and {@code seen_categories} (theirs). Examples carry the true
 * probabilities as scores.
 */
public record InterestData(
    @Option(value = "Number of impressions", fallback = "150000") int impressions,
    @Option(value = "Clicks per impression of what is not liked, about", fallback = "0.05")
        double rate,
    @Option(value = "How much higher the log-odds of what is liked are", fallback = "2.2")
        double liking,
    @Option(value = "How many categories each user likes", fallback = "3") int likes,
    @Option(value = "How many clicks before are known", fallback = "20") int history,
    @Option(value = "Number of users", fallback = "2000") int users,
    @Option(value = "Number of items", fallback = "500") int items,
    @Option(value = "Number of categories", fallback = "25") int categories,
    @Option(value = "Days, from 2026-01-01 on, over which impressions are spread", fallback = "2")
        int days)
    implements DataSource {

  static final String KIND = "interests";

  private static final double POPULARITY = 0.5;

  public InterestData {
    check(impressions > 0, "impressions", impressions, "above 0");
    check(rate > 0 && rate < 1, "rate", rate, "between 0 and 1");
    check(history >= 0, "history", history, "0 or more");
    check(users > 0, "users", users, "above 0");
    check(categories > 0, "categories", categories, "above 0");
    check(items >= categories, "items", items, "at least as many as categories");
    check(likes > 0 && likes <= categories, "likes", likes, "1 to all categories");
    check(days > 0, "days", days, "above 0");
  }

  @Override
  public String kind() {
    return KIND;
  }

  @Override
  public Examples load(Pipeline pipeline, long seed, boolean withFeatures) {
    if (pipeline.tasks().size() != 1) {
      throw new IllegalArgumentException("interests have one binary task, the click");
    }
    FeatureSchema schema = pipeline.schema();
    if (!schema.numeric().isEmpty() || !schema.vectors().isEmpty()) {
      throw new IllegalArgumentException("simulated interests have categorical fields only");
    }
    World world = new World(schema, seed);
    ExampleEncoder encoder = new ExampleEncoder(schema, pipeline.labels().holdout());
    List<EncodedExample> all = new ArrayList<>(impressions);
    List<Features> features = new ArrayList<>();
    for (int i = 0; i < impressions; i++) {
      LabeledExample next = world.next(i);
      all.add(encoder.encode(next));
      if (withFeatures) {
        features.add(next.impression().features());
      }
    }
    return new Examples(all, new int[0], features, List.of());
  }

  /** One drawing of users and items, and the impressions in it. */
  private final class World {
    private final FeatureSchema schema;
    private final SplittableRandom random;
    private final double[] popularity;
    private final List<List<Integer>> liked = new ArrayList<>();
    private final List<Deque<Integer>> clicked = new ArrayList<>();

    World(FeatureSchema schema, long seed) {
      this.schema = schema;
      SplittableRandom world = new SplittableRandom(seed);
      popularity = Shoppers.gaussian(world, items);
      for (int user = 0; user < users; user++) {
        Set<Integer> own = new TreeSet<>();
        while (own.size() < likes) {
          own.add(world.nextInt(categories));
        }
        liked.add(List.copyOf(own));
        clicked.add(new ArrayDeque<>());
      }
      random = world.split();
    }

    LabeledExample next(int index) {
      int user = random.nextInt(users);
      List<Integer> own = liked.get(user);
      int item = Shoppers.skewed(random, items);
      if (random.nextBoolean()) {
        // The categories' items are i, i + categories, i + 2 categories and so on.
        item = own.get(random.nextInt(likes)) + item / categories * categories;
        item = item < items ? item : item - categories;
      }
      double odds = Math.log(rate / (1 - rate)) + POPULARITY * popularity[item];
      odds += own.contains(item % categories) ? liking : 0;
      double p = 1 / (1 + Math.exp(-odds));
      boolean positive = random.nextDouble() < p;
      long time = Shoppers.time(index, impressions, days);
      Served truth = new Served(Simulator.TRUTH, Simulator.TRUTH, new double[] {p});
      Impression impression = new Impression("i" + index, time, features(user, item), truth);
      if (positive) {
        clicked.get(user).addLast(item);
        if (clicked.get(user).size() > history) {
          clicked.get(user).removeFirst();
        }
      }
      TaskLabel label = new TaskLabel(LabelKind.FINAL, positive ? 1 : 0, 1, 0, -1, true);
      return new LabeledExample(impression, time, new TaskLabel[] {label});
    }

    private RawFeatures features(int user, int item) {
      List<String> names = schema.categorical();
      String[][] values = new String[names.size()][];
      for (int i = 0; i < values.length; i++) {
        values[i] =
            switch (names.get(i)) {
              case "user" -> new String[] {"u" + user};
              case "item" -> new String[] {"i" + item};
              case "category" -> new String[] {category(item)};
              case "seen" -> clicked.get(user).stream().map(of -> "i" + of).toArray(String[]::new);
              case "seen_categories" ->
                  clicked.get(user).stream().map(this::category).toArray(String[]::new);
              default ->
                  throw new IllegalArgumentException(
                      "simulated interests have no field '"
                          + names.get(i)
                          + "'; allowed: user, item, category, seen, seen_categories");
            };
      }
      return new RawFeatures(values, new double[0]);
    }

    private String category(int item) {
      return "c" + item % categories;
    }
  }
}
