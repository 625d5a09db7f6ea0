package dev.freshet.local.commands;

import static java.util.Objects.requireNonNull;

import dev.freshet.experiments.simulator.SimulatorSettings;
import dev.freshet.server.options.DurationConverter;
import dev.freshet.server.options.Usage;
import java.time.Duration;
import picocli.CommandLine.Option;

/** Options of the simulated shop. */
final class SimulatorOptions {

  @Option(
      names = "--seed",
      paramLabel = "S",
      defaultValue = "1",
      description = "Seed: equal seeds give equal events. Default: ${DEFAULT-VALUE}.")
  private long seed;

  @Option(
      names = "--rate",
      paramLabel = "N",
      defaultValue = "1500",
      description = "Impressions per second of real time. Default: ${DEFAULT-VALUE}.")
  private double rate;

  @Option(
      names = "--speed",
      paramLabel = "X",
      defaultValue = "600",
      description = "Seconds simulated in a second of real time. Default: ${DEFAULT-VALUE}.")
  private double speed;

  @Option(
      names = "--click-rate",
      paramLabel = "P",
      defaultValue = "0.12",
      description = "Clicks per impression, about. Default: ${DEFAULT-VALUE}.")
  private double clickRate;

  @Option(
      names = "--purchase-rate",
      paramLabel = "P",
      defaultValue = "0.25",
      description = "Purchases per click, about. Default: ${DEFAULT-VALUE}.")
  private double purchaseRate;

  @Option(
      names = "--repeat-rate",
      paramLabel = "P",
      defaultValue = "0.10",
      description = "Chance of a second purchase. Default: ${DEFAULT-VALUE}.")
  private double repeatRate;

  @Option(
      names = "--refund-rate",
      paramLabel = "P",
      defaultValue = "0.08",
      description = "Chance that an amount is paid back. Default: ${DEFAULT-VALUE}.")
  private double refundRate;

  @Option(
      names = "--duplicate-rate",
      paramLabel = "P",
      defaultValue = "0.005",
      description = "Chance that an event is sent twice. Default: ${DEFAULT-VALUE}.")
  private double duplicateRate;

  @Option(
      names = "--malformed-rate",
      paramLabel = "P",
      defaultValue = "0.001",
      description = "Messages per impression that are no events. Default: ${DEFAULT-VALUE}.")
  private double malformedRate;

  @Option(
      names = "--orphan-rate",
      paramLabel = "P",
      defaultValue = "0.0005",
      description = "Chance that an impression is lost on the way. Default: ${DEFAULT-VALUE}.")
  private double orphanRate;

  @Option(
      names = "--event-disorder",
      paramLabel = "TIME",
      defaultValue = "40s",
      converter = DurationConverter.class,
      description = "Events arrive up to so much (simulated) late. Default: ${DEFAULT-VALUE}.")
  private Duration disorder;

  @Option(
      names = "--drift-period",
      paramLabel = "TIME",
      defaultValue = "10d",
      converter = DurationConverter.class,
      description = "Tastes come full circle in this (simulated) time. Default: ${DEFAULT-VALUE}.")
  private Duration driftPeriod;

  @Option(
      names = "--fashion-period",
      paramLabel = "TIME",
      defaultValue = "0s",
      converter = DurationConverter.class,
      description =
          "How much an item is liked by all comes full circle in this (simulated) time; 0s for"
              + " never. Default: ${DEFAULT-VALUE}.")
  private Duration fashionPeriod;

  double speed() {
    if (!(speed > 0)) {
      throw new Usage("--speed: '" + speed + "'; allowed: above 0");
    }
    return speed;
  }

  SimulatorSettings settings() {
    try {
      return new SimulatorSettings(
          seed,
          rate / speed(),
          clickRate,
          purchaseRate,
          repeatRate,
          refundRate,
          duplicateRate,
          malformedRate,
          orphanRate,
          disorder,
          driftPeriod,
          fashionPeriod);
    } catch (IllegalArgumentException e) {
      throw new Usage(requireNonNull(e.getMessage()));
    }
  }
}
