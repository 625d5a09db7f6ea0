package dev.freshet.training.publishing;

import dev.freshet.core.events.SourcePosition;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Origin of a version: what it has been learnt from.
 *
 * @param sources how far each partition of the events had been read: all before these offsets has
 *     been joined, and learnt as far as its labels were due; nothing after them has had any part
 * @param watermark event time up to which labels were due, epoch milliseconds; null before the
 *     first one
 */
public record Lineage(List<SourcePosition> sources, @Nullable Long watermark) {

  /** For weights that were learnt outside a job. */
  public static final Lineage UNKNOWN = new Lineage(List.of(), null);

  public Lineage {
    sources = List.copyOf(sources);
  }
}
