package dev.freshet.core.events;

import dev.freshet.core.settings.EnumNames;
import java.io.Serializable;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;

/**
 * How often a feature field was not what a model can learn from, by field: the one counter that job
 * and servers share. Written by any thread, read by any thread, at any time.
 */
public final class FieldCounts implements Serializable {

  /** Faults of a field of an impression. */
  public enum Kind {
    /** It is not there, null, an empty text or an empty list. */
    ABSENT,
    /** Its value has no embedding row of its own. */
    UNKNOWN,
    /** Its value is refused, and the impression with it. */
    WRONG_TYPE,
    /** A number that was sent as text, and was read as the number. */
    NUMBER_AS_TEXT,
    /** A number that is beyond what its field is clipped to. */
    CLIPPED;

    /** As in metrics and reports: {@code wrong-type}. */
    public String label() {
      return EnumNames.of(this);
    }
  }

  private static final Kind[] KINDS = Kind.values();

  private final List<String> fields;
  private final AtomicLongArray counts;
  private final AtomicLong impressions = new AtomicLong();

  /** Counts for fields of these names. */
  public FieldCounts(List<String> fields) {
    this.fields = List.copyOf(fields);
    counts = new AtomicLongArray(fields.size() * KINDS.length);
  }

  /** The fields' names, in the order of their numbers. */
  public List<String> fields() {
    return fields;
  }

  /** One more impression was looked at. */
  public void impression() {
    impressions.incrementAndGet();
  }

  /** How many impressions were looked at: what shares are of. */
  public long impressions() {
    return impressions.get();
  }

  /** One more impression with that field so. */
  public void add(int field, Kind kind) {
    counts.incrementAndGet(field * KINDS.length + kind.ordinal());
  }

  public long count(int field, Kind kind) {
    return counts.get(field * KINDS.length + kind.ordinal());
  }

  /** By field and kind, as in reports: {@code {user_id: {absent: 3}}}; what is 0 is left out. */
  public Map<String, Map<String, Long>> byField() {
    Map<String, Map<String, Long>> all = new LinkedHashMap<>();
    for (int field = 0; field < fields.size(); field++) {
      Map<String, Long> of = new LinkedHashMap<>();
      for (Kind kind : KINDS) {
        long count = count(field, kind);
        if (count > 0) {
          of.put(kind.label(), count);
        }
      }
      if (!of.isEmpty()) {
        all.put(fields.get(field), of);
      }
    }
    return all;
  }
}
