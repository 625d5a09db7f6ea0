package dev.freshet.experiments;

import static dev.freshet.core.settings.InvalidValueException.check;
import static java.util.Objects.requireNonNull;

import dev.freshet.core.events.EventReader;
import dev.freshet.core.events.Feedback;
import dev.freshet.core.events.Impression;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.SystemTopic;
import dev.freshet.core.settings.Option;
import dev.freshet.experiments.simulator.SimulatedMessage;
import dev.freshet.experiments.simulator.Simulator;
import dev.freshet.experiments.simulator.SimulatorSettings;
import java.time.Duration;

/**
 * The demo's shop ({@link Simulator}) without what goes wrong on the way: nothing is lost, sent
 * twice or broken. The pipeline's tasks are a click, a purchase and a revenue, whatever these are
 * called; labels come when their windows close.
 *
 * <p>Fields it fills: {@code user_id}, {@code item_id}, {@code segment}, {@code category}, {@code
 * hour}, {@code price} (a number) and {@code tags} (several values).
 */
public record ShopData(
    @Option(value = "Number of impressions", fallback = "100000") int impressions,
    @Option(
            value = "Days, from 2026-01-05 6:00 on, over which impressions are spread, about",
            fallback = "2")
        double days,
    @Option(value = "Clicks per impression, about", fallback = "0.12") double clickRate,
    @Option(value = "Purchases per click, about", fallback = "0.25") double purchaseRate,
    @Option(value = "Chance of a second purchase", fallback = "0.1") double repeatRate,
    @Option(value = "Chance that an amount is paid back", fallback = "0.08") double refundRate,
    @Option(value = "Tastes come full circle in this time", fallback = "10d") Duration driftPeriod,
    @Option(
            value = "How much an item is liked by all comes full circle in this time; 0 for never",
            fallback = "0ms")
        Duration fashionPeriod,
    @Option(
            value =
                "Impressions of such a period are all predicted before anything of it is learnt: 1h"
                    + " is the papers' protocol; by default each when it comes",
            fallback = "0ms")
        Duration scoreEvery,
    @Option("Parts of the truth that are known early") EarlyTruth truth)
    implements DataSource {

  static final String KIND = "shop";

  private static final double SECONDS = 24 * 60 * 60;

  public ShopData {
    check(impressions > 0, "impressions", impressions, "above 0");
    check(days > 0, "days", days, "above 0");
    check(clickRate > 0 && clickRate < 1, "click-rate", clickRate, "between 0 and 1");
    check(purchaseRate > 0 && purchaseRate < 1, "purchase-rate", purchaseRate, "between 0 and 1");
    check(repeatRate >= 0 && repeatRate < 1, "repeat-rate", repeatRate, "0 to below 1");
    check(refundRate >= 0 && refundRate < 1, "refund-rate", refundRate, "0 to below 1");
    check(!driftPeriod.isZero(), "drift-period", "0", "above 0");
  }

  @Override
  public String kind() {
    return KIND;
  }

  @Override
  public Examples load(Pipeline pipeline, long seed, boolean withFeatures) {
    SimulatorSettings settings =
        new SimulatorSettings(
            seed,
            impressions / (days * SECONDS),
            clickRate,
            purchaseRate,
            repeatRate,
            refundRate,
            0,
            0,
            0,
            Duration.ZERO,
            driftPeriod,
            fashionPeriod);
    Simulator simulator = new Simulator(pipeline, settings);
    EventReader reader = pipeline.eventReader();
    String shown = pipeline.topic(SystemTopic.IMPRESSIONS);
    EventJoin join = new EventJoin(pipeline, withFeatures);
    for (SimulatedMessage message = simulator.next(impressions);
        message != null;
        message = simulator.next(impressions)) {
      if (message.topic().equals(shown)) {
        Impression event = requireNonNull(reader.impression(message.value()).event());
        join.add(event);
      } else {
        Feedback event = requireNonNull(reader.feedback(message.value(), null).event());
        join.add(event);
      }
    }
    return join.finish(truth, scoreEvery);
  }
}
