package dev.freshet.core.features;

import dev.freshet.core.events.Impression;
import dev.freshet.core.events.RawFeatures;
import dev.freshet.core.events.VectorField;
import dev.freshet.core.labels.LabelKind;
import dev.freshet.core.labels.LabeledExample;
import dev.freshet.core.labels.TaskLabel;
import dev.freshet.core.pipeline.Pipeline;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Settled examples of the test shop whose labels depend on user and item. */
public final class TestingExamples {

  private TestingExamples() {}

  public static List<EncodedExample> settled(Pipeline pipeline, int count, long seed) {
    ExampleEncoder encoder = new ExampleEncoder(pipeline.schema(), pipeline.labels().holdout());
    return labelled(pipeline, count, seed).stream().map(encoder::encode).toList();
  }

  /**
   * Of the test shop, which may have a field {@code seen}, the next two items, {@code liked}, two
   * items with weights, {@code like}, always the same two values, one {@code topics} whose weights
   * say what the tags do not, other numbers and counts, and vectors. Some lack these.
   */
  public static List<LabeledExample> labelled(Pipeline pipeline, int count, long seed) {
    List<String> names = pipeline.schema().categorical();
    List<LabeledExample> examples = new ArrayList<>();
    for (LabeledExample example : labelled(count, seed)) {
      RawFeatures features = (RawFeatures) example.impression().features();
      String[][] of = features.categories();
      int item = Integer.parseInt(of[2][0].substring(1));
      int user = Integer.parseInt(of[1][0].substring(1));
      String[][] categories = new String[names.size()][];
      List<VectorField> vectors = pipeline.schema().vectors();
      boolean weighted = !pipeline.schema().withWeights().isEmpty() || !vectors.isEmpty();
      float[][] weights = new float[weighted ? names.size() + vectors.size() : 0][0];
      for (int i = 0; i < categories.length; i++) {
        categories[i] =
            switch (names.get(i)) {
              case "tags" -> of[0];
              case "user" -> of[1];
              case "item" -> of[2];
              case "seen" -> new String[] {"i" + (item + 1) % 10, "i" + (item + 2) % 10};
              case "liked" -> new String[] {"i" + (item + 3) % 10, "i" + (item + user) % 10};
              case "like" -> new String[] {"a", "b"};
              case "topics" -> new String[] {"even", "odd", of[0][0]};
              default -> throw new IllegalArgumentException(names.get(i));
            };
        if (names.get(i).equals("liked")) {
          weights[i] = new float[] {2, 1 + user % 3};
        }
        if (names.get(i).equals("topics")) {
          weights[i] = new float[] {0.5f + item % 2, 1.5f - item % 2, 0.25f};
        }
      }
      for (int i = 0; i < vectors.size() && user > 0; i++) {
        weights[names.size() + i] = new float[vectors.get(i).size()];
        for (int j = 0; j < vectors.get(i).size(); j++) {
          weights[names.size() + i][j] = (item + 1) * (user % 5 - j);
        }
      }
      double[] numbers =
          pipeline.schema().numeric().stream()
              .mapToDouble(
                  name ->
                      name.equals("price")
                          ? features.numbers()[0]
                          : user == 1 ? Double.NaN : Math.exp(user % 5 + 0.1 * item))
              .toArray();
      Impression impression =
          new Impression(
              example.impression().id(),
              example.impression().eventTime(),
              new RawFeatures(categories, numbers, weights),
              null);
      examples.add(new LabeledExample(impression, example.emittedAt(), example.labels()));
    }
    return examples;
  }

  public static List<LabeledExample> labelled(int count, long seed) {
    Random random = new Random(seed);
    List<LabeledExample> examples = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      int user = random.nextInt(20);
      int item = random.nextInt(10);
      double p = 1 / (1 + Math.exp(1 - (user % 5 - 2) - (item % 3 - 1)));
      boolean click = random.nextDouble() < p;
      boolean purchase = click && random.nextDouble() < 0.3 + 0.4 * (item % 2);
      double revenue = purchase ? (1 + item) * (0.5 + random.nextDouble()) : 0;
      String[][] categories = {{"t" + user % 3, "t" + item % 4}, {"u" + user}, {"i" + item}};
      RawFeatures features = new RawFeatures(categories, new double[] {item * 7});
      Impression impression =
          new Impression("x" + seed + "-" + i, 1_767_225_600_000L + i, features, null);
      examples.add(
          new LabeledExample(
              impression,
              impression.eventTime() + 1000,
              new TaskLabel[] {
                label(click ? 1 : 0, true), label(purchase ? 1 : 0, click), label(revenue, purchase)
              }));
    }
    return examples;
  }

  private static TaskLabel label(double value, boolean reached) {
    return new TaskLabel(LabelKind.FINAL, value, 1, 1000, -1, reached);
  }
}
