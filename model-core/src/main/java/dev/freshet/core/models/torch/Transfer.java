package dev.freshet.core.models.torch;

import java.nio.ByteBuffer;
import java.nio.LongBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * The arguments of a call in one piece of memory, so that they reach a device in one transfer, and
 * the plan by which the script's {@code device_receive} finds them again.
 */
final class Transfer {

  /** Kinds of arguments, by the numbers that the script knows. */
  enum Kind {
    ROWS,
    INDICES,
    OFFSETS,
    WEIGHTS,
    ARGUMENT,
    /** The script reads it on the host. */
    HOST,
    MIRRORED;

    boolean list() {
      return compareTo(ARGUMENT) < 0;
    }
  }

  private record Part(Kind kind, HostBuffer data, long[] shape) {
    int words() {
      return (data.inUse().remaining() + Long.BYTES - 1) / Long.BYTES;
    }
  }

  private static final int HEAD = 3;
  private static final int ENTRY = 5;

  private final List<Part> sent = new ArrayList<>();
  private final List<Part> staying = new ArrayList<>();

  void add(Kind kind, HostBuffer data, long... shape) {
    if (shape.length < 1 || shape.length > 2 || data.kind() == HostBuffer.Kind.DOUBLES) {
      throw new IllegalArgumentException("a device takes floats and integers in rows and columns");
    }
    (kind == Kind.HOST ? staying : sent).add(new Part(kind, data, shape));
  }

  /** Size of all arguments in words of eight bytes. */
  int words() {
    return words(sent) + words(staying);
  }

  private static int words(List<Part> parts) {
    return parts.stream().mapToInt(Part::words).sum();
  }

  /** Copies all arguments, each to the start of a word. */
  void fill(ByteBuffer inbox) {
    int at = 0;
    for (Part part : all()) {
      ByteBuffer bytes = part.data.inUse();
      inbox.put(at, bytes, bytes.position(), bytes.remaining());
      at += part.words() * Long.BYTES;
    }
  }

  /** All parts; those that stay on the host lie behind those that are sent. */
  private List<Part> all() {
    List<Part> all = new ArrayList<>(sent);
    all.addAll(staying);
    return all;
  }

  /**
   * Writes the plan.
   *
   * @return its length
   */
  int plan(HostBuffer into) {
    List<Part> all = all();
    boolean lists = all.stream().anyMatch(part -> part.kind.list());
    int length = HEAD + ENTRY * all.size();
    LongBuffer plan = into.longs(length);
    plan.put(words(sent)).put(lists ? 1 : 0).put(all.size());
    for (Part part : all) {
      plan.put(part.kind.ordinal())
          .put(part.data.kind() == HostBuffer.Kind.LONGS ? 1 : 0)
          .put(part.shape[0])
          .put(part.shape.length == 2 ? part.shape[1] : -1)
          .put(part.words());
    }
    return length;
  }
}
