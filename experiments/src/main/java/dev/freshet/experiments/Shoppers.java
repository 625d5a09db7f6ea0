package dev.freshet.experiments;

import dev.freshet.core.events.RawFeatures;
import dev.freshet.core.features.FeatureField;
import dev.freshet.core.features.FeatureSchema;
import java.time.Instant;
import java.util.Arrays;
import java.util.SplittableRandom;

/** Common parts of simulated users and items, whatever they do. */
final class Shoppers {

  static final long START = Instant.parse("2026-01-01T00:00:00Z").toEpochMilli();
  static final int SEGMENTS = 12;
  static final int CATEGORIES = 16;
  private static final int NOISE_VALUES = 50;
  private static final long DAY = 24 * 60 * 60 * 1000L;

  private Shoppers() {}

  static double[] gaussian(SplittableRandom random, int size) {
    double[] values = new double[size];
    for (int i = 0; i < size; i++) {
      values[i] = random.nextGaussian();
    }
    return values;
  }

  /** When the impression of this index comes, of so many spread evenly over so many days. */
  static long time(int index, int count, int days) {
    return START + (long) ((double) index / count * days * DAY);
  }

  /** One of {@code size}: a few are drawn everywhere, most are rare. */
  static int skewed(SplittableRandom random, int size) {
    return (int) (size * Math.pow(random.nextDouble(), 1.5));
  }

  /** Where the taste of the user's segment for the item's category stands in a table. */
  static int cell(int user, int item) {
    return user % SEGMENTS * CATEGORIES + item % CATEGORIES;
  }

  /**
   * The bias at which log-odds of this standard deviation give the rate in the mean; the usual
   * approximation, solved for the bias.
   */
  static double bias(double rate, double deviation) {
    return Math.log(rate / (1 - rate)) * Math.sqrt(1 + Math.PI * deviation * deviation / 8);
  }

  /**
   * Fills the fields that the pipeline asks for.
   *
   * @throws IllegalArgumentException if it asks for another than user, item, segment, category and
   *     those whose name begins with noise
   */
  static RawFeatures features(FeatureSchema schema, int user, int item, SplittableRandom random) {
    String[][] values = new String[schema.categorical().size()][];
    for (int i = 0; i < values.length; i++) {
      values[i] = new String[] {value(schema.categorical().get(i), user, item, random)};
    }
    for (FeatureField field : schema.sent()) {
      if (field.numeric() && !field.counted()) {
        throw unknown(field.name());
      }
    }
    double[] counted = new double[schema.numeric().size()];
    Arrays.fill(counted, Double.NaN);
    return new RawFeatures(values, counted);
  }

  private static String value(String field, int user, int item, SplittableRandom random) {
    return switch (field) {
      case "user" -> "u" + user;
      case "item" -> "i" + item;
      case "segment" -> "s" + user % SEGMENTS;
      case "category" -> "c" + item % CATEGORIES;
      default -> {
        if (!field.startsWith("noise")) {
          throw unknown(field);
        }
        yield "n" + random.nextInt(NOISE_VALUES);
      }
    };
  }

  private static IllegalArgumentException unknown(String field) {
    return new IllegalArgumentException(
        "simulated shoppers have no field '"
            + field
            + "'; allowed: user, item, segment, category and names that begin with noise");
  }
}
