package dev.freshet.experiments.simulator;

import java.time.Duration;
import java.util.Map;

/**
 * The simulated shop.
 *
 * @param seed equal seeds give equal messages in equal order
 * @param impressionsPerSecond of simulated time
 * @param clickRate clicks per impression, about
 * @param purchaseRate purchases per click, about
 * @param repeatRate chance that a purchase is followed by a second one
 * @param refundRate chance that an amount is paid back
 * @param duplicateRate chance that a message is sent twice
 * @param malformedRate chance that an impression is followed by a message that is no event
 * @param orphanRate chance that an impression is lost on the way while its feedback is not
 * @param disorder messages arrive up to this much after their event
 * @param driftPeriod in which tastes come full circle
 * @param fashionPeriod in which how much an item is liked by all comes full circle; zero if it
 *     never changes
 */
public record SimulatorSettings(
    long seed,
    double impressionsPerSecond,
    double clickRate,
    double purchaseRate,
    double repeatRate,
    double refundRate,
    double duplicateRate,
    double malformedRate,
    double orphanRate,
    Duration disorder,
    Duration driftPeriod,
    Duration fashionPeriod) {

  public SimulatorSettings {
    check(impressionsPerSecond > 0, "impressions per second", impressionsPerSecond, "above 0");
    Map.of("click rate", clickRate, "purchase rate", purchaseRate)
        .forEach((name, rate) -> check(rate > 0 && rate < 1, name, rate, "between 0 and 1"));
    Map.of(
            "repeat rate", repeatRate,
            "refund rate", refundRate,
            "duplicate rate", duplicateRate,
            "malformed rate", malformedRate,
            "orphan rate", orphanRate)
        .forEach((name, rate) -> check(rate >= 0 && rate < 1, name, rate, "0 to below 1"));
    check(!driftPeriod.isZero(), "drift period", "0", "above 0");
  }

  private static void check(boolean valid, String name, Object value, String allowed) {
    if (!valid) {
      throw new IllegalArgumentException(name + ": '" + value + "'; allowed: " + allowed);
    }
  }

  /** A shop for tests: the command line's defaults. */
  public static SimulatorSettings defaults(long seed, double impressionsPerSecond) {
    return new SimulatorSettings(
        seed,
        impressionsPerSecond,
        0.12,
        0.25,
        0.10,
        0.08,
        0.005,
        0.001,
        0.0005,
        Duration.ofSeconds(40),
        Duration.ofDays(10),
        Duration.ZERO);
  }
}
