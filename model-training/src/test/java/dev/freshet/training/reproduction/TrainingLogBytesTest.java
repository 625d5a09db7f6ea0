package dev.freshet.training.reproduction;

import static org.assertj.core.api.Assertions.assertThat;

import dev.freshet.core.codec.Codec;
import dev.freshet.core.codec.GoldenBytes;
import dev.freshet.core.codec.Layout;
import dev.freshet.core.features.EncodedExample;
import dev.freshet.core.settings.ByteSize;
import dev.freshet.training.reproduction.TrainingLog.Kind;
import dev.freshet.training.reproduction.TrainingLog.Mark;
import java.io.ByteArrayInputStream;
import java.io.DataInput;
import java.io.DataInputStream;
import java.io.DataOutput;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Batches of the log as they lie in topics. */
class TrainingLogBytesTest {

  @Test
  void readsAndWritesTheFrozenBytes() throws IOException {
    GoldenBytes.check("training-log-batch-2", logged(), List.of(GoldenBytes.ENCODED));
  }

  @Test
  void readsBatchesOfBefore() throws IOException {
    assertThat(read("training-log-batch-1"))
        .usingRecursiveComparison()
        .isEqualTo(List.of(GoldenBytes.UNNAMED));
    assertThat(read("training-log-batch-examples-2"))
        .usingRecursiveComparison()
        .isEqualTo(List.of(GoldenBytes.ENCODED));
  }

  private static List<EncodedExample> read(String name) throws IOException {
    DataInputStream in = new DataInputStream(new ByteArrayInputStream(GoldenBytes.read(name)));
    List<EncodedExample> batch = logged().read(in);
    assertThat(in.available()).isZero();
    return batch;
  }

  private static Codec<List<EncodedExample>> logged() {
    return new Codec<>() {
      @Override
      public Layout layout() {
        return new Layout("freshet.training-log-batch", 2);
      }

      @Override
      public void write(List<EncodedExample> batch, DataOutput out) {
        new TrainingLog("main", new ByteSize(1 << 20))
            .batch(
                1,
                0,
                batch,
                record -> {
                  try {
                    out.write(record.value());
                  } catch (IOException e) {
                    throw new UncheckedIOException(e);
                  }
                });
      }

      @Override
      public List<EncodedExample> read(DataInput in) throws IOException {
        byte[] bytes = ((InputStream) in).readAllBytes();
        return new TrainingLog.Entry(new Mark(Kind.BATCH, 1, 0), bytes).batch();
      }
    };
  }
}
