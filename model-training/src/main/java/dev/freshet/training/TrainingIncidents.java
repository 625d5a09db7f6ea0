package dev.freshet.training;

import dev.freshet.core.codec.Bytes;
import dev.freshet.core.codec.Texts;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Counts of what a trainer did not learn, or not as it came, since the model's first example, each
 * with one sample in words. Part of its checkpoint; read by other threads for metrics.
 */
public final class TrainingIncidents {

  /** Kinds of incidents. */
  public enum Kind {
    /** A label beyond the plausible range of its task, learnt as the range's end. */
    CLIPPED("clippedLabels"),
    /** A label of the core task that came before anything was known of amounts. */
    HELD("heldLabels"),
    /** A prediction that was not a finite number, and is in no score. */
    UNSCORED("unscoredPredictions"),
    /** A batch whose loss or gradient was not finite or too large, left out. */
    SKIPPED("skippedBatches"),
    /** A batch with a gradient that was scaled down to the largest norm that one may have. */
    CLIPPED_GRADIENT("clippedGradients"),
    /** Weights whose optimiser was changed between two runs, and knows nothing of before. */
    RESTARTED("restartedOptimizers");

    private final String label;

    Kind(String label) {
      this.label = label;
    }

    /** As in metrics. */
    public String label() {
      return label;
    }
  }

  private static final Logger LOGGER = LoggerFactory.getLogger(TrainingIncidents.class);
  private static final int LONGEST_SAMPLE = 2000;

  private final long[] counts = new long[Kind.values().length];
  private final @Nullable String[] samples = new @Nullable String[Kind.values().length];

  void add(Kind kind, long count) {
    counts[kind.ordinal()] += count;
  }

  /** Keeps the first sample of a kind. */
  void sample(Kind kind, String sample) {
    if (samples[kind.ordinal()] == null) {
      samples[kind.ordinal()] = Texts.cut(sample, LONGEST_SAMPLE);
    }
  }

  /** These weights start with a new optimiser, in words. */
  void restarted(List<String> weights) {
    for (String what : weights) {
      LOGGER.warn("A changed setting: {}", what);
      add(Kind.RESTARTED, 1);
      sample(Kind.RESTARTED, what);
    }
  }

  /** How often since the model's first example. */
  public long count(Kind kind) {
    return counts[kind.ordinal()];
  }

  /** The first one in words, or null. */
  public @Nullable String sample(Kind kind) {
    return samples[kind.ordinal()];
  }

  /** Counts of all kinds by label. */
  public Map<String, Long> counts() {
    Map<String, Long> all = new LinkedHashMap<>();
    for (Kind kind : Kind.values()) {
      all.put(kind.label(), count(kind));
    }
    return all;
  }

  /** The samples there are, by label. */
  public Map<String, String> samples() {
    Map<String, String> all = new LinkedHashMap<>();
    for (Kind kind : Kind.values()) {
      if (sample(kind) != null) {
        all.put(kind.label(), sample(kind));
      }
    }
    return all;
  }

  /** Count kinds, each: long count | boolean sampled [ text ]. */
  void write(DataOutput out) throws IOException {
    Bytes.writeCount(out, counts.length);
    for (int kind = 0; kind < counts.length; kind++) {
      out.writeLong(counts[kind]);
      out.writeBoolean(samples[kind] != null);
      if (samples[kind] != null) {
        out.writeUTF(samples[kind]);
      }
    }
  }

  /** The inverse of {@link #write}; kinds that came later start at none. */
  void read(DataInput in) throws IOException {
    int kinds = Bytes.readCount(in);
    if (kinds > counts.length) {
      throw new IOException(kinds + " kinds of incidents, this code knows " + counts.length);
    }
    for (int kind = 0; kind < kinds; kind++) {
      counts[kind] = in.readLong();
      samples[kind] = in.readBoolean() ? in.readUTF() : null;
    }
  }
}
