package dev.freshet.benchmarks.step;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.Locale;

/**
 * By what a piece of work is timed.
 *
 * <p>{@link #CPU} is the time that this thread had a processor: for one PyTorch thread on a machine
 * that others use too. It leaves out waiting, and what the JVM's other threads do: compiling, and
 * collecting garbage.
 */
enum Clock {
  WALL,
  CPU;

  private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

  /** Milliseconds since some moment. */
  double now() {
    return (this == CPU ? THREADS.getCurrentThreadCpuTime() : System.nanoTime()) / 1e6;
  }

  /** Milliseconds that so much takes, divided by {@code times}. */
  double time(int times, Runnable work) {
    double start = now();
    for (int i = 0; i < times; i++) {
      work.run();
    }
    return (now() - start) / times;
  }

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
