package dev.freshet.core.snapshot;

/** How a published float is written. Training always goes on with 32 bits. */
public enum Precision {
  /** As it is. */
  FLOAT32("F32", Float.BYTES),
  /** IEEE half: 11 bits of precision; what is beyond 65504 is published as that. */
  FLOAT16("F16", Short.BYTES),
  /** The upper half of a float: its range with 8 bits of precision. */
  BFLOAT16("BF16", Short.BYTES);

  private static final float LARGEST_HALF = 65504f;

  private final String type;
  private final int bytes;

  Precision(String type, int bytes) {
    this.type = type;
    this.bytes = bytes;
  }

  /** Name of the type in a safetensors header. */
  String type() {
    return type;
  }

  int bytes() {
    return bytes;
  }

  /** The 16 bits of a value, rounded to the nearest, ties to even. */
  short encode(float value) {
    return this == BFLOAT16 ? bfloat(value) : half(value);
  }

  /** The inverse of {@link #encode}. */
  float decode(short bits) {
    return this == BFLOAT16 ? Float.intBitsToFloat(bits << 16) : fromHalf(bits);
  }

  private static short bfloat(float value) {
    int bits = Float.floatToRawIntBits(value);
    if (Float.isNaN(value)) {
      return (short) (bits >>> 16 | 0x40);
    }
    return (short) (bits + 0x7FFF + (bits >>> 16 & 1) >>> 16);
  }

  // JDK 17 has no conversion of its own (Float.floatToFloat16 came with 20).
  private static short half(float value) {
    if (Float.isNaN(value)) {
      return 0x7E00;
    }
    int sign = Float.floatToRawIntBits(value) >>> 16 & 0x8000;
    float size = Math.min(Math.abs(value), LARGEST_HALF);
    int exponent = Math.max(Math.getExponent(size), Float.MIN_EXPONENT);
    // Below 2^-14 halves are evenly spaced by 2^-24.
    int scale = Math.max(exponent, -14) - 10;
    int steps = (int) Math.rint(Math.scalb((double) size, -scale));
    // `steps` has its leading bit at 10 for a normal number; a carry moves on to the exponent.
    return (short) (sign | (exponent < -14 ? steps : (exponent + 14 << 10) + steps));
  }

  private static float fromHalf(short bits) {
    int exponent = bits >>> 10 & 0x1F;
    int fraction = bits & 0x3FF;
    float size;
    if (exponent == 0) {
      size = Math.scalb((float) fraction, -24);
    } else if (exponent == 0x1F) {
      size = fraction == 0 ? Float.POSITIVE_INFINITY : Float.NaN;
    } else {
      size = Math.scalb((float) (fraction | 0x400), exponent - 25);
    }
    return bits < 0 ? -size : size;
  }
}
