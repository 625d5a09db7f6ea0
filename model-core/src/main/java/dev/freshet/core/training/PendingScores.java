package dev.freshet.core.training;

import dev.freshet.core.codec.Bytes;
import dev.freshet.core.training.embedding.KeyMap;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.util.Arrays;

/**
 * Predictions made when impressions came, kept until their last label is settled: a primitive map
 * and one flat array, some 40 bytes for each pending impression of three tasks.
 */
final class PendingScores {

  private static final int SMALLEST = 64;

  private final int tasks;
  private final KeyMap places = new KeyMap();
  private float[] scores = {};
  private int[] free = {};
  private int freeCount;
  private int used;

  PendingScores(int tasks) {
    this.tasks = tasks;
  }

  // The map has no room for the key 0.
  private static long key(long id) {
    return id == 0 ? 1 : id;
  }

  void put(long id, double[] prediction) {
    int place = places.get(key(id));
    if (place == KeyMap.MISSING) {
      place = freeCount > 0 ? free[--freeCount] : used++;
      places.put(key(id), place);
      if (used * tasks > scores.length) {
        scores = Arrays.copyOf(scores, Math.max(SMALLEST, 2 * used * tasks));
      }
    }
    for (int task = 0; task < tasks; task++) {
      scores[place * tasks + task] = (float) prediction[task];
    }
  }

  /** The prediction, or null. */
  double[] get(long id) {
    int place = places.get(key(id));
    if (place == KeyMap.MISSING) {
      return null;
    }
    double[] prediction = new double[tasks];
    for (int task = 0; task < tasks; task++) {
      prediction[task] = scores[place * tasks + task];
    }
    return prediction;
  }

  void remove(long id) {
    int place = places.get(key(id));
    if (place != KeyMap.MISSING) {
      places.remove(key(id));
      if (freeCount == free.length) {
        free = Arrays.copyOf(free, Math.max(SMALLEST, 2 * freeCount));
      }
      free[freeCount++] = place;
    }
  }

  int size() {
    return places.size();
  }

  void write(DataOutput out) throws IOException {
    // In order of the id, so that equal contents give equal bytes.
    long[] ids = new long[places.size()];
    int[] next = {0};
    places.each((id, place) -> ids[next[0]++] = id);
    Arrays.sort(ids);
    out.writeInt(ids.length);
    for (long id : ids) {
      int from = places.get(id) * tasks;
      out.writeLong(id);
      Bytes.writeFloats(out, Arrays.copyOfRange(scores, from, from + tasks));
    }
  }

  void read(DataInput in) throws IOException {
    places.clear();
    freeCount = 0;
    used = 0;
    int size = in.readInt();
    for (int i = 0; i < size; i++) {
      long id = in.readLong();
      float[] floats = Bytes.readFloats(in);
      double[] prediction = new double[tasks];
      for (int task = 0; task < tasks; task++) {
        prediction[task] = floats[task];
      }
      put(id, prediction);
    }
  }
}
