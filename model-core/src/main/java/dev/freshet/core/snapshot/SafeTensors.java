package dev.freshet.core.snapshot;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.nio.ShortBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The safetensors file format, which every machine-learning language has a reader for: eight bytes
 * little-endian length of the header, the header as JSON padded with spaces to a multiple of eight,
 * then the tensors' bytes, little-endian, one after the other.
 */
public final class SafeTensors {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int PIECE = 1 << 16;

  private SafeTensors() {}

  /** Writes the values of one tensor. */
  public interface Content {
    void write(ValueSink sink) throws IOException;
  }

  /** Takes the values of a tensor in order. */
  public static final class ValueSink {
    private final OutputStream out;
    private final Precision precision;
    private final ByteBuffer piece = ByteBuffer.allocate(PIECE).order(ByteOrder.LITTLE_ENDIAN);
    private long written;

    private ValueSink(OutputStream out, Precision precision) {
      this.out = out;
      this.precision = precision;
    }

    public void floats(float[] values, int at, int count) throws IOException {
      for (int i = at; i < at + count; i++) {
        one(values[i]);
      }
    }

    public void floats(FloatBuffer values) throws IOException {
      for (int i = 0; i < values.capacity(); i++) {
        one(values.get(i));
      }
    }

    private void one(float value) throws IOException {
      room(precision.bytes());
      if (precision == Precision.FLOAT32) {
        piece.putFloat(value);
      } else {
        piece.putShort(precision.encode(value));
      }
    }

    public void value(long value) throws IOException {
      room(Long.BYTES);
      piece.putLong(value);
    }

    private void room(int bytes) throws IOException {
      if (piece.remaining() < bytes) {
        flush();
      }
    }

    private void flush() throws IOException {
      out.write(piece.array(), 0, piece.position());
      written += piece.position();
      piece.clear();
    }
  }

  private record Entry(
      String name, String type, long[] shape, long bytes, Precision precision, Content content) {}

  /** Collects tensors, then writes the file in one pass. */
  public static final class Writer {
    private final List<Entry> entries = new ArrayList<>();

    public Writer floats(String name, long[] shape, Precision precision, Content content) {
      return add(name, precision.type(), precision.bytes(), shape, precision, content);
    }

    public Writer longs(String name, long[] shape, Content content) {
      return add(name, "I64", Long.BYTES, shape, Precision.FLOAT32, content);
    }

    private Writer add(
        String name, String type, int width, long[] shape, Precision precision, Content content) {
      long size = width;
      for (long length : shape) {
        size = Math.multiplyExact(size, length);
      }
      entries.add(new Entry(name, type, shape, size, precision, content));
      return this;
    }

    private byte[] header() {
      ObjectNode header = JSON.createObjectNode();
      long at = 0;
      for (Entry entry : entries) {
        ObjectNode node = header.putObject(entry.name);
        node.put("dtype", entry.type);
        for (long length : entry.shape) {
          node.withArray("shape").add(length);
        }
        if (entry.shape.length == 0) {
          node.putArray("shape");
        }
        node.putArray("data_offsets").add(at).add(at + entry.bytes);
        at += entry.bytes;
      }
      StringBuilder text = new StringBuilder(header.toString());
      while (text.length() % 8 != 0) {
        text.append(' ');
      }
      return text.toString().getBytes(StandardCharsets.UTF_8);
    }

    /** Length of the whole file. */
    public long bytes() {
      return 8L + header().length + entries.stream().mapToLong(Entry::bytes).sum();
    }

    public void write(OutputStream out) throws IOException {
      byte[] header = header();
      ByteBuffer length = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
      out.write(length.putLong(header.length).array());
      out.write(header);
      for (Entry entry : entries) {
        ValueSink sink = new ValueSink(out, entry.precision);
        entry.content.write(sink);
        sink.flush();
        if (sink.written != entry.bytes) {
          throw new IOException(
              entry.name
                  + ": "
                  + sink.written
                  + " bytes written, its shape asks for "
                  + entry.bytes);
        }
      }
    }
  }

  /** A tensor in a file that was read; the data is a view, little-endian. */
  public record Tensor(String type, long[] shape, ByteBuffer data) {

    /**
     * The values as floats, whatever they were written as.
     *
     * @throws IOException if they are no floats
     */
    public FloatBuffer floats() throws IOException {
      ByteBuffer bytes = data.duplicate().order(ByteOrder.LITTLE_ENDIAN);
      for (Precision precision : Precision.values()) {
        if (precision.type().equals(type)) {
          return precision == Precision.FLOAT32
              ? bytes.asFloatBuffer()
              : widened(bytes.asShortBuffer(), precision);
        }
      }
      throw new IOException("a tensor of type " + type + "; allowed: F32, F16, BF16");
    }

    private static FloatBuffer widened(ShortBuffer narrow, Precision precision) {
      FloatBuffer wide = FloatBuffer.allocate(narrow.remaining());
      while (narrow.hasRemaining()) {
        wide.put(precision.decode(narrow.get()));
      }
      return wide.flip();
    }

    public LongBuffer longs() {
      return data.duplicate().order(ByteOrder.LITTLE_ENDIAN).asLongBuffer();
    }
  }

  /**
   * Reads a whole file.
   *
   * @throws IOException if it is not well formed
   */
  public static Map<String, Tensor> read(ByteBuffer file) throws IOException {
    ByteBuffer in = file.duplicate().order(ByteOrder.LITTLE_ENDIAN);
    long length = in.remaining() < 8 ? -1 : in.getLong();
    if (length < 2 || length > in.remaining()) {
      throw new IOException("no safetensors file: its header would be " + length + " bytes");
    }
    byte[] header = new byte[(int) length];
    in.get(header);
    ByteBuffer data = in.slice();
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    for (Map.Entry<String, JsonNode> e : JSON.readTree(header).properties()) {
      if (!e.getKey().equals("__metadata__")) {
        tensors.put(e.getKey(), tensor(e.getKey(), e.getValue(), data));
      }
    }
    return tensors;
  }

  private static Tensor tensor(String name, JsonNode node, ByteBuffer data) throws IOException {
    long[] shape = new long[node.path("shape").size()];
    for (int i = 0; i < shape.length; i++) {
      shape[i] = node.path("shape").get(i).asLong();
    }
    long from = node.path("data_offsets").path(0).asLong(-1);
    long to = node.path("data_offsets").path(1).asLong(-1);
    if (from < 0 || to < from || to > data.capacity()) {
      throw new IOException(name + ": bytes " + from + " to " + to + " of " + data.capacity());
    }
    return new Tensor(
        node.path("dtype").asText(), shape, data.slice((int) from, (int) (to - from)));
  }
}
