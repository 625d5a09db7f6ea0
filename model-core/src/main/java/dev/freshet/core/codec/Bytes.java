package dev.freshet.core.codec;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;

/** The pieces that codecs are made of. */
public final class Bytes {

  private static final int PIECE = 16 * 1024;

  private Bytes() {}

  /** A non-negative number in groups of seven bits, low group first. */
  public static void writeCount(DataOutput out, int count) throws IOException {
    int rest = count;
    while ((rest & ~0x7F) != 0) {
      out.writeByte(rest & 0x7F | 0x80);
      rest >>>= 7;
    }
    out.writeByte(rest);
  }

  /** The inverse of {@link #writeCount}. */
  public static int readCount(DataInput in) throws IOException {
    int count = 0;
    for (int shift = 0; shift < 35; shift += 7) {
      int group = in.readByte();
      count |= (group & 0x7F) << shift;
      if (group >= 0) {
        return count;
      }
    }
    throw new IOException("a count of more than five bytes");
  }

  /** A signed number in groups of seven bits, small ones of either sign in one byte. */
  public static void writeSigned(DataOutput out, long value) throws IOException {
    long rest = value << 1 ^ value >> 63;
    while ((rest & ~0x7FL) != 0) {
      out.writeByte((int) (rest & 0x7F | 0x80));
      rest >>>= 7;
    }
    out.writeByte((int) rest);
  }

  /** The inverse of {@link #writeSigned}. */
  public static long readSigned(DataInput in) throws IOException {
    long rest = 0;
    for (int shift = 0; shift < 70; shift += 7) {
      long group = in.readByte();
      rest |= (group & 0x7F) << shift;
      if (group >= 0) {
        return rest >>> 1 ^ -(rest & 1);
      }
    }
    throw new IOException("a number of more than ten bytes");
  }

  /** UTF-8 with its length, without the 64 KiB limit of {@link DataOutput#writeUTF}. */
  public static void writeText(DataOutput out, String text) throws IOException {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    writeCount(out, bytes.length);
    out.write(bytes);
  }

  public static String readText(DataInput in) throws IOException {
    byte[] bytes = new byte[readCount(in)];
    in.readFully(bytes);
    return new String(bytes, StandardCharsets.UTF_8);
  }

  public static void writeFloats(DataOutput out, float[] values) throws IOException {
    writeCount(out, values.length);
    for (float value : values) {
      out.writeFloat(value);
    }
  }

  public static float[] readFloats(DataInput in) throws IOException {
    float[] values = new float[readCount(in)];
    for (int i = 0; i < values.length; i++) {
      values[i] = in.readFloat();
    }
    return values;
  }

  public static void writeDoubles(DataOutput out, double[] values) throws IOException {
    writeCount(out, values.length);
    for (double value : values) {
      out.writeDouble(value);
    }
  }

  public static double[] readDoubles(DataInput in) throws IOException {
    double[] values = new double[readCount(in)];
    for (int i = 0; i < values.length; i++) {
      values[i] = in.readDouble();
    }
    return values;
  }

  public static void writeLongs(DataOutput out, long[] values) throws IOException {
    writeCount(out, values.length);
    for (long value : values) {
      out.writeLong(value);
    }
  }

  public static long[] readLongs(DataInput in) throws IOException {
    long[] values = new long[readCount(in)];
    for (int i = 0; i < values.length; i++) {
      values[i] = in.readLong();
    }
    return values;
  }

  /** The first {@code size} floats in large pieces, without a length. */
  public static void writeAll(DataOutput out, FloatBuffer values, int size) throws IOException {
    byte[] piece = new byte[Math.min(size, PIECE) * Float.BYTES];
    for (int at = 0; at < size; at += PIECE) {
      int count = Math.min(PIECE, size - at);
      ByteBuffer.wrap(piece).asFloatBuffer().put(values.slice(at, count));
      out.write(piece, 0, count * Float.BYTES);
    }
  }

  /** The inverse of {@link #writeAll}. */
  public static void readAll(DataInput in, FloatBuffer values, int size) throws IOException {
    byte[] piece = new byte[Math.min(size, PIECE) * Float.BYTES];
    for (int at = 0; at < size; at += PIECE) {
      int count = Math.min(PIECE, size - at);
      in.readFully(piece, 0, count * Float.BYTES);
      values.slice(at, count).put(ByteBuffer.wrap(piece).asFloatBuffer().limit(count));
    }
  }
}
