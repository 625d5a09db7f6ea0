package dev.freshet.local.sample;

import java.util.Arrays;

/** Numbers of a sample, and their quantiles. */
final class Numbers {

  private double[] values = new double[64];
  private int count;
  private boolean sorted = true;

  void add(double value) {
    if (count == values.length) {
      values = Arrays.copyOf(values, 2 * count);
    }
    values[count++] = value;
    sorted = false;
  }

  int count() {
    return count;
  }

  /**
   * The smallest that a share of all do not exceed.
   *
   * @param share 0 to 1
   */
  double quantile(double share) {
    sort();
    return values[Math.max(0, (int) Math.ceil(share * count) - 1)];
  }

  /** The share of them up to a number. */
  double upTo(double most) {
    sort();
    int low = 0;
    int high = count;
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (values[middle] <= most) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return count == 0 ? 0 : (double) low / count;
  }

  private void sort() {
    if (!sorted) {
      Arrays.sort(values, 0, count);
      sorted = true;
    }
  }
}
