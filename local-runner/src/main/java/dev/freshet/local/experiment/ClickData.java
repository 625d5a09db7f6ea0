package dev.freshet.local.experiment;

import static dev.freshet.core.settings.InvalidValueException.check;

import dev.freshet.core.events.Feedback;
import dev.freshet.core.events.Impression;
import dev.freshet.core.events.Served;
import dev.freshet.core.features.FeatureSchema;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.settings.Option;
import dev.freshet.local.simulator.DelayMixture;
import dev.freshet.local.simulator.Simulator;
import java.util.SplittableRandom;

/**
 * Clicks (the pipeline's impressions) whose conversions come late, as in public conversion logs: in
 * the mean a third within an hour and half within a day, the rest over days. How late depends on
 * the item, so a short wait is wrong by item; tastes turn, so old models are wrong too. The
 * pipeline has one binary task; the log-odds of a conversion are effects of user and item and a
 * turning taste of segment for category.
 *
 * <p>Fields it fills: {@code user}, {@code item}, {@code segment}, {@code category}. Clicks carry
 * the true probability of a conversion within the attribution window.
 */
public record ClickData(
    @Option(value = "Number of clicks", fallback = "300000") int clicks,
    @Option(value = "Days, from 2026-01-01 on, over which clicks are spread", fallback = "20")
        int days,
    @Option(value = "Conversions per click, about", fallback = "0.2") double rate,
    @Option(value = "Standard deviation of the log-odds", fallback = "1.3") double signal,
    @Option(
            value = "Standard deviation of the log of the delays' scale, item by item",
            fallback = "1.0")
        double delaySpread,
    @Option(value = "Days in which tastes come full circle", fallback = "20") int driftDays,
    @Option(value = "Number of users", fallback = "1000") int users,
    @Option(value = "Number of items", fallback = "300") int items,
    @Option("What of the truth is known early") EarlyTruth truth)
    implements DataSource {

  static final String KIND = "clicks";

  private static final double HOUR = 60 * 60 * 1000.0;
  private static final double DAY = 24 * HOUR;

  private static final DelayMixture DELAY =
      new DelayMixture(
          new double[] {0.4, 0.25, 0.35}, new double[] {0.4 * HOUR, 8 * HOUR, 2.5 * DAY});

  public ClickData {
    check(clicks > 0, "clicks", clicks, "above 0");
    check(days > 0, "days", days, "above 0");
    check(rate > 0 && rate < 1, "rate", rate, "between 0 and 1");
    check(signal >= 0, "signal", signal, "0 or more");
    check(delaySpread >= 0, "delay-spread", delaySpread, "0 or more");
    check(driftDays > 0, "drift-days", driftDays, "above 0");
    check(users > 0, "users", users, "above 0");
    check(items > 0, "items", items, "above 0");
  }

  @Override
  public String kind() {
    return KIND;
  }

  @Override
  public boolean seeded() {
    return true;
  }

  @Override
  public Examples load(Pipeline pipeline, long seed) {
    if (pipeline.tasks().size() != 1) {
      throw new IllegalArgumentException("clicks have one binary task, the conversion");
    }
    FeatureSchema schema = pipeline.schema();
    long window = pipeline.tasks().get(0).windowMillis();
    EventJoin join = new EventJoin(pipeline);
    SplittableRandom world = new SplittableRandom(seed);
    double[] userEffect = Shoppers.gaussian(world, users);
    double[] itemEffect = Shoppers.gaussian(world, items);
    double[] itemDelay = Shoppers.gaussian(world, items);
    double[] now = Shoppers.gaussian(world, Shoppers.SEGMENTS * Shoppers.CATEGORIES);
    double[] later = Shoppers.gaussian(world, Shoppers.SEGMENTS * Shoppers.CATEGORIES);
    SplittableRandom random = world.split();
    double bias = Shoppers.bias(rate, signal);
    for (int i = 0; i < clicks; i++) {
      long time = Shoppers.time(i, clicks, days);
      int user = Shoppers.skewed(random, users);
      int item = Shoppers.skewed(random, items);
      int cell = Shoppers.cell(user, item);
      double turn = 2 * Math.PI * (time - Shoppers.START) / (driftDays * DAY);
      double taste = Math.cos(turn) * now[cell] + Math.sin(turn) * later[cell];
      double effects = (userEffect[user] + itemEffect[item] + taste) / Math.sqrt(3);
      double p = 1 / (1 + Math.exp(-bias - signal * effects));
      double scale = Math.exp(delaySpread * itemDelay[item]);
      Served truly =
          new Served(
              Simulator.TRUTH, Simulator.TRUTH, new double[] {p * DELAY.within(window, scale)});
      String id = "c" + i;
      join.add(new Impression(id, time, Shoppers.features(schema, user, item, random), truly));
      if (random.nextDouble() < p) {
        join.add(new Feedback(id, id + "-p", 0, time + DELAY.draw(random, scale), Double.NaN));
      }
    }
    return new Examples(join.finish(truth), new int[0]);
  }
}
