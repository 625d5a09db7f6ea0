package dev.freshet.core.training;

import dev.freshet.core.codec.Bytes;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;

/**
 * Predictions made when impressions came, kept until their last label is settled. Costs memory for
 * every pending impression, which is why it is a choice ({@code scoring.at: impression}).
 */
final class PendingScores {

  private final Map<Long, float[]> scores = new HashMap<>();

  void put(long id, float[] prediction) {
    scores.put(id, prediction);
  }

  /** The prediction, or null. */
  float[] get(long id) {
    return scores.get(id);
  }

  void remove(long id) {
    scores.remove(id);
  }

  void write(DataOutput out) throws IOException {
    out.writeInt(scores.size());
    // In order of the id, so that equal contents give equal bytes.
    for (Long id : scores.keySet().stream().sorted().toList()) {
      out.writeLong(id);
      Bytes.writeFloats(out, scores.get(id));
    }
  }

  void read(DataInput in) throws IOException {
    scores.clear();
    int size = in.readInt();
    for (int i = 0; i < size; i++) {
      scores.put(in.readLong(), Bytes.readFloats(in));
    }
  }
}
