package dev.freshet.experiments.simulator;

import java.util.random.RandomGenerator;

/**
 * A law of delays: exponentials with shares, stretched by the hour of the day or otherwise. No
 * single exponential fits what is published about conversions (a third within an hour, the rest
 * over days).
 *
 * @param shares of each part, summing to 1
 * @param means of each part, milliseconds
 */
public record DelayMixture(double[] shares, double[] means) {

  private static final double DAY = 24 * 60 * 60 * 1000.0;

  /** People answer more slowly at night: a factor from 0.6 at noon to 1.4 at midnight. */
  static double daily(long time) {
    return 1 + 0.4 * Math.cos(2 * Math.PI * time / DAY);
  }

  /**
   * A delay in milliseconds.
   *
   * @param stretch factor on all means
   */
  public long draw(RandomGenerator random, double stretch) {
    double at = random.nextDouble();
    int part = 0;
    while (part < shares.length - 1 && at >= shares[part]) {
      at -= shares[part++];
    }
    return (long) (-means[part] * stretch * Math.log(1 - random.nextDouble()));
  }

  /** Chance that the delay, its means stretched, is at most {@code window}. */
  public double within(long window, double stretch) {
    double chance = 0;
    for (int i = 0; i < shares.length; i++) {
      chance += shares[i] * (1 - Math.exp(-window / (means[i] * stretch)));
    }
    return chance;
  }
}
