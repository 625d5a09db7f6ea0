package dev.freshet.core.codec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.freshet.core.features.EncodedExample;
import dev.freshet.core.labels.LabelKind;
import dev.freshet.core.labels.TaskLabel;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;

/**
 * Frozen files of a module's layouts, one for every version. To write a file that is not there yet,
 * run the test once with {@code -Dgolden.write=true}.
 */
public final class GoldenBytes {

  static final TaskLabel[] LABELS = {
    new TaskLabel(LabelKind.FINAL, 1, 0.5f, 600_000, 4_000, true), TaskLabel.NONE
  };

  public static final EncodedExample ENCODED =
      new EncodedExample(
          -7,
          "i\u00e9",
          1_767_225_600_000L,
          true,
          new long[] {1, -2, 3},
          new int[] {0, 1, 3},
          LABELS,
          new float[] {0.25f});

  /** The same, from when examples had no names. */
  public static final EncodedExample UNNAMED =
      new EncodedExample(
          ENCODED.id(),
          "fffffffffffffff9",
          ENCODED.eventTime(),
          ENCODED.holdout(),
          ENCODED.keys(),
          ENCODED.starts(),
          ENCODED.labels(),
          ENCODED.served());

  private GoldenBytes() {}

  /** That today's code reads and writes a frozen file. */
  public static <T> void check(String name, Codec<T> codec, T value) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    codec.write(value, new DataOutputStream(out));
    byte[] written = out.toByteArray();
    if (Boolean.getBoolean("golden.write")) {
      Files.writeString(file(name), HexFormat.of().formatHex(written) + "\n");
    }
    byte[] frozen = read(name);
    assertThat(written).isEqualTo(frozen);
    DataInputStream in = new DataInputStream(new ByteArrayInputStream(frozen));
    assertThat(codec.read(in))
        .usingRecursiveComparison()
        .withEqualsForType(Double::equals, Double.class)
        .isEqualTo(value);
    assertThat(in.available()).as("all bytes are read").isZero();
    int version = frozen[0] == 'F' ? 5 + codec.layout().name().length() : 0;
    frozen[version] = 99;
    assertThat(
            catchThrowable(() -> codec.read(new DataInputStream(new ByteArrayInputStream(frozen)))))
        .isInstanceOf(LayoutTooNewException.class)
        .hasMessageContaining(codec.layout().name() + " has version 99");
  }

  /** A frozen file of the module under test. */
  public static byte[] read(String name) throws IOException {
    return HexFormat.of().parseHex(Files.readString(file(name)).trim());
  }

  private static Path file(String name) {
    return Path.of("src/test/resources/golden", name + ".hex");
  }
}
