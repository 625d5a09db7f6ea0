package dev.freshet.job.codec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.freshet.core.codec.LayoutTooNewException;
import dev.freshet.core.labels.PendingImpression;
import java.io.IOException;
import org.apache.flink.api.common.typeutils.TypeSerializer;
import org.apache.flink.api.common.typeutils.TypeSerializerSnapshot;
import org.apache.flink.core.memory.DataInputDeserializer;
import org.apache.flink.core.memory.DataOutputSerializer;
import org.apache.flink.runtime.execution.SuppressRestartsException;
import org.junit.jupiter.api.Test;

/** What checkpoints and savepoints hold of a codec. */
class CodecSerializerTest {

  private interface Content {
    void write(DataOutputSerializer out) throws IOException;
  }

  private static TypeSerializerSnapshot<?> read(String type, int version, Content content)
      throws IOException {
    DataOutputSerializer out = new DataOutputSerializer(64);
    out.writeUTF(type);
    out.writeInt(version);
    content.write(out);
    return TypeSerializerSnapshot.readVersionedSnapshot(
        new DataInputDeserializer(out.getCopyOfBuffer()),
        CodecSerializerTest.class.getClassLoader());
  }

  private static TypeSerializerSnapshot<?> ofLayout(String name, int newest) throws IOException {
    return read(
        "dev.freshet.job.codec.CodecSerializer$Snapshot",
        2,
        out -> {
          out.writeUTF(name);
          out.writeByte(newest);
        });
  }

  /** Flink's own class names are its own; this one of ours it wants as well, and no other. */
  @Test
  void namesTheLayoutAndItsVersion() throws IOException {
    DataOutputSerializer out = new DataOutputSerializer(64);
    TypeSerializerSnapshot.writeVersionedSnapshot(
        out, CodecTypeInfo.PENDING.createSerializer(null).snapshotConfiguration());
    DataOutputSerializer expected = new DataOutputSerializer(64);
    expected.writeUTF("dev.freshet.job.codec.CodecSerializer$Snapshot");
    expected.writeInt(2);
    expected.writeUTF("freshet.pending-impression");
    expected.writeByte(4);
    assertThat(out.getCopyOfBuffer()).isEqualTo(expected.getCopyOfBuffer());
  }

  @Test
  void stateIsOneOfALayoutWhateverItsVersion() throws IOException {
    TypeSerializer<PendingImpression> now = CodecTypeInfo.PENDING.createSerializer(null);
    TypeSerializerSnapshot<?> before = ofLayout("freshet.pending-impression", 1);
    assertThat(before.restoreSerializer()).isEqualTo(now);
    assertThat(compatible(now, before)).isTrue();
    assertThat(compatible(now, ofLayout("freshet.impression", 1))).isFalse();
  }

  @SuppressWarnings("unchecked")
  private static <T> boolean compatible(TypeSerializer<T> now, TypeSerializerSnapshot<?> before) {
    return now.snapshotConfiguration()
        .resolveSchemaCompatibility((TypeSerializerSnapshot<T>) before)
        .isCompatibleAsIs();
  }

  @Test
  void stateOfALaterFreshetIsRefusedBeforeItIsRead() {
    assertThatThrownBy(() -> ofLayout("freshet.pending-impression", 5))
        .isInstanceOf(SuppressRestartsException.class)
        .hasCauseInstanceOf(LayoutTooNewException.class)
        .hasStackTraceContaining("freshet.pending-impression has version 5");
    assertThatThrownBy(() -> ofLayout("freshet.pending-purchase", 1))
        .isInstanceOf(SuppressRestartsException.class)
        .hasStackTraceContaining("there is state of freshet.pending-purchase")
        .hasStackTraceContaining("Run that one, or a newer one");
    assertThatThrownBy(() -> read("dev.freshet.job.codec.CodecSerializer$Snapshot", 3, out -> {}))
        .hasCauseInstanceOf(LayoutTooNewException.class);
  }

  @Test
  void whatCouldNotBeReadAgainIsNotWritten() {
    assertThatThrownBy(() -> CodecTypeInfo.ENCODED.createSerializer(null).snapshotConfiguration())
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("freshet.encoded-example");
  }
}
