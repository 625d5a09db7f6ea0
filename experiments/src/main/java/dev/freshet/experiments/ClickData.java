package dev.freshet.experiments;

import static dev.freshet.core.settings.InvalidValueException.check;

import dev.freshet.core.events.Feedback;
import dev.freshet.core.events.Impression;
import dev.freshet.core.events.Served;
import dev.freshet.core.features.FeatureSchema;
import dev.freshet.core.labels.Task;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.settings.Option;
import dev.freshet.experiments.simulator.DelayMixture;
import dev.freshet.experiments.simulator.Simulator;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Clicks (the pipeline's impressions) whose conversions come late, as in public conversion logs: in
 * the mean a third within an hour and half within a day, the rest over days. How late depends on
 * the item, so a short wait is wrong by item; tastes turn, so old models are wrong too. The
 * pipeline's first task is the conversion; its log-odds are effects of user and item and a turning
 * taste of segment for category. A second, continuous one is what is paid: a first order with the
 * conversion, perhaps further orders over the days after it, and refunds of some.
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
    @Option(
            value = "Every n-th item is born in the course of the days, not there from the start",
            fallback = "0")
        int bornEvery,
    @Option(value = "Further orders after a conversion, in the mean", fallback = "0.6")
        double repeats,
    @Option(value = "Share of orders that are refunded", fallback = "0.15") double refunds,
    @Option(
            value =
                "Impressions of such a period are all predicted before anything of it is learnt: 1h"
                    + " is the papers' protocol; by default each when it comes",
            fallback = "0ms")
        Duration scoreEvery,
    @Option("Parts of the truth that are known early") EarlyTruth truth)
    implements DataSource {

  static final String KIND = "clicks";

  private static final double HOUR = 60 * 60 * 1000.0;
  private static final double DAY = 24 * HOUR;

  private static final double REPEAT_DELAY = 1.5 * DAY;
  private static final double REFUND_DELAY = 2 * DAY;
  private static final double PRICE_SPREAD = 0.6;
  private static final double ORDER_SPREAD = 0.4;

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
    check(bornEvery >= 0 && bornEvery != 1, "born-every", bornEvery, "0, or 2 and more");
    check(repeats >= 0, "repeats", repeats, "0 or more");
    check(refunds >= 0 && refunds < 1, "refunds", refunds, "a share from 0 to below 1");
  }

  @Override
  public String kind() {
    return KIND;
  }

  @Override
  public Examples load(Pipeline pipeline, long seed, boolean withFeatures) {
    List<Task> tasks = pipeline.tasks();
    if (tasks.size() > 2 || tasks.size() == 2 && tasks.get(1).binary()) {
      throw new IllegalArgumentException(
          "clicks have one binary task, the conversion, and perhaps a continuous one, the revenue");
    }
    FeatureSchema schema = pipeline.schema();
    long window = pipeline.tasks().get(0).windowMillis();
    EventJoin join = new EventJoin(pipeline, withFeatures);
    SplittableRandom world = new SplittableRandom(seed);
    double[] userEffect = Shoppers.gaussian(world, users);
    double[] itemEffect = Shoppers.gaussian(world, items);
    double[] itemDelay = Shoppers.gaussian(world, items);
    double[] now = Shoppers.gaussian(world, Shoppers.SEGMENTS * Shoppers.CATEGORIES);
    double[] later = Shoppers.gaussian(world, Shoppers.SEGMENTS * Shoppers.CATEGORIES);
    SplittableRandom random = world.split();
    Orders orders = tasks.size() == 2 ? new Orders(seed) : null;
    double bias = Shoppers.bias(rate, signal);
    for (int i = 0; i < clicks; i++) {
      long time = Shoppers.time(i, clicks, days);
      int user = Shoppers.skewed(random, users);
      int item = born(Shoppers.skewed(random, items), time);
      int cell = Shoppers.cell(user, item);
      double turn = 2 * Math.PI * (time - Shoppers.START) / (driftDays * DAY);
      double taste = Math.cos(turn) * now[cell] + Math.sin(turn) * later[cell];
      double effects = (userEffect[user] + itemEffect[item] + taste) / Math.sqrt(3);
      double p = 1 / (1 + Math.exp(-bias - signal * effects));
      double scale = Math.exp(delaySpread * itemDelay[item]);
      double[] scores = new double[tasks.size()];
      Arrays.fill(scores, Double.NaN);
      scores[0] = p * DELAY.within(window, scale);
      Served truly = new Served(Simulator.TRUTH, Simulator.TRUTH, scores);
      String id = "c" + i;
      join.add(new Impression(id, time, Shoppers.features(schema, user, item, random), truly));
      if (random.nextDouble() < p) {
        long converted = time + DELAY.draw(random, scale);
        join.add(new Feedback(id, id + "-p", 0, converted, Double.NaN));
        if (orders != null) {
          orders.place(join, id, user, item, converted);
        }
      }
    }
    return join.finish(truth, scoreEvery);
  }

  /** The item, or an older one in the place of one that is not born yet. */
  private int born(int item, long time) {
    if (bornEvery == 0 || item % bornEvery != bornEvery - 1) {
      return item;
    }
    double birth = Shoppers.START + days * DAY * item / items;
    return time < birth ? item - 1 : item;
  }

  /** Amounts that conversions pay; drawn apart, so that clicks are the same with and without. */
  private final class Orders {
    private final SplittableRandom random;
    private final double[] itemPrice;
    private final double[] itemPriceLater;
    private final double[] userLoyalty;

    Orders(long seed) {
      SplittableRandom world = new SplittableRandom(~seed);
      itemPrice = Shoppers.gaussian(world, items);
      itemPriceLater = Shoppers.gaussian(world, items);
      userLoyalty = Shoppers.gaussian(world, users);
      random = world.split();
    }

    void place(EventJoin join, String id, int user, int item, long converted) {
      double more = repeats * Math.exp(0.5 * userLoyalty[user] - 0.125);
      long at = converted;
      int order = 0;
      do {
        double turn = 2 * Math.PI * (at - Shoppers.START) / (driftDays * DAY);
        double level = Math.cos(turn) * itemPrice[item] + Math.sin(turn) * itemPriceLater[item];
        double paid = Math.exp(3 + PRICE_SPREAD * level + ORDER_SPREAD * random.nextGaussian());
        join.add(new Feedback(id, id + "-o" + order, 1, at, paid));
        if (random.nextDouble() < refunds) {
          long back = at + later(REFUND_DELAY);
          join.add(new Feedback(id, id + "-r" + order, 1, back, -paid));
        }
        at += later(REPEAT_DELAY);
        order++;
      } while (random.nextDouble() < more / (1 + more));
    }

    private long later(double mean) {
      return (long) (-mean * Math.log(1 - random.nextDouble()));
    }
  }
}
