package dev.freshet.benchmarks.join;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;

/**
 * The part of a run that is measured: the last nine tenths of its impressions, when windows are
 * full and what starts has started. One run at a time.
 */
final class Stretch {

  private static final OperatingSystemMXBean SYSTEM =
      (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

  private static volatile Moment first = Moment.now();
  private static volatile Moment last = first;

  private Stretch() {}

  private record Moment(long wall, long processor) {
    static Moment now() {
      return new Moment(System.nanoTime(), SYSTEM.getProcessCpuTime());
    }
  }

  /** Impression {@code n} of so many is made; true if it is the last. */
  static boolean passed(long n, long impressions) {
    if (n == skipped(impressions)) {
      first = Moment.now();
    } else if (n == impressions - 1) {
      last = Moment.now();
      return true;
    }
    return false;
  }

  private static long skipped(long impressions) {
    return impressions / 10;
  }

  /** Events that were measured: impressions and clicks. */
  static double events(long impressions) {
    return (impressions - skipped(impressions)) * (1 + 1.0 / JoinEvents.CLICK_EVERY);
  }

  /** Of the last run. */
  static double wallSeconds() {
    return (last.wall - first.wall) / 1e9;
  }

  /** Of the whole process: the join, what makes its events, compiling and collecting garbage. */
  static double processorSeconds() {
    return (last.processor - first.processor) / 1e9;
  }
}
