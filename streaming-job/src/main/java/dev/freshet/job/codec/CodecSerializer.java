package dev.freshet.job.codec;

import dev.freshet.core.codec.Codec;
import dev.freshet.core.codec.Layout;
import dev.freshet.core.codec.LayoutException;
import dev.freshet.core.settings.CodeVersion;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.Map;
import org.apache.flink.api.common.typeutils.TypeSerializer;
import org.apache.flink.api.common.typeutils.TypeSerializerSchemaCompatibility;
import org.apache.flink.api.common.typeutils.TypeSerializerSnapshot;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;
import org.apache.flink.runtime.execution.SuppressRestartsException;
import org.jspecify.annotations.Nullable;

/**
 * Lets Flink move and keep a type by the core's {@link Codec}: no reflection, no Kryo, and every
 * record carries the version of its layout, so state written by an older release stays readable.
 */
public final class CodecSerializer<T> extends TypeSerializer<T> {

  private final Codec<T> codec;
  private final boolean immutable;

  /**
   * @param immutable true if copies may share the instance
   */
  public CodecSerializer(Codec<T> codec, boolean immutable) {
    this.codec = codec;
    this.immutable = immutable;
  }

  @Override
  public boolean isImmutableType() {
    return immutable;
  }

  @Override
  public TypeSerializer<T> duplicate() {
    return this;
  }

  @Override
  public @Nullable T createInstance() {
    return null;
  }

  @Override
  public T copy(T from) {
    if (immutable || from == null) {
      return from;
    }
    try {
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      codec.write(from, new DataOutputStream(bytes));
      return codec.read(new DataInputStream(new ByteArrayInputStream(bytes.toByteArray())));
    } catch (IOException e) {
      throw new IllegalStateException("no I/O in memory", e);
    }
  }

  @Override
  public T copy(T from, T reuse) {
    return copy(from);
  }

  @Override
  public int getLength() {
    return -1;
  }

  @Override
  public void serialize(T value, DataOutputView target) throws IOException {
    codec.write(value, target);
  }

  @Override
  public T deserialize(DataInputView source) throws IOException {
    return codec.read(source);
  }

  @Override
  public T deserialize(T reuse, DataInputView source) throws IOException {
    return codec.read(source);
  }

  @Override
  public void copy(DataInputView source, DataOutputView target) throws IOException {
    codec.write(codec.read(source), target);
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof CodecSerializer<?> that
        && that.layout().equals(layout())
        && that.immutable == immutable;
  }

  @Override
  public int hashCode() {
    return layout().hashCode();
  }

  private String layout() {
    return codec.layout().name();
  }

  /** The layout's name, which is how Flink's messages call it. */
  @Override
  public String toString() {
    return layout();
  }

  /**
   * @throws IllegalStateException if the codec is not one of those of state, which could not be
   *     read again
   */
  @Override
  public TypeSerializerSnapshot<T> snapshotConfiguration() {
    if (CodecTypeInfo.ofState(layout()).isEmpty()) {
      throw new IllegalStateException(layout() + " is none of CodecTypeInfo.STATE");
    }
    return new Snapshot<>(this);
  }

  /**
   * Names the layout of state in checkpoints and savepoints; compatible as long as the name is the
   * same.
   *
   * <pre>
   * version 2: UTF layout's name | byte newest version of the layout when it was written
   * version 1: UTF name of the codec's class | boolean immutable
   * </pre>
   *
   * <p>Flink names this class there, so it stays what it is called and where it is: it is the only
   * class of Freshet that savepoints name.
   */
  public static final class Snapshot<T> implements TypeSerializerSnapshot<T> {

    private static final Layout LAYOUT = new Layout("freshet.state-codec", 2);

    /** The classes that version 1 names; they may be anywhere by now. */
    private static final Map<String, CodecTypeInfo<?>> CLASSES =
        Map.of(
            "dev.freshet.core.events.ImpressionCodec", CodecTypeInfo.IMPRESSION,
            "dev.freshet.core.labels.PendingImpressionCodec", CodecTypeInfo.PENDING,
            "dev.freshet.core.counts.CountedImpressionCodec", CodecTypeInfo.COUNTED_IMPRESSION,
            "dev.freshet.core.counts.CountMomentCodec", CodecTypeInfo.COUNT_MOMENT,
            "dev.freshet.core.counts.DecayedCountsCodec", CodecTypeInfo.DECAYED_COUNTS);

    private CodecSerializer<T> serializer;

    /** For Flink, which reads it next. */
    @SuppressWarnings("NullAway.Init")
    public Snapshot() {}

    Snapshot(CodecSerializer<T> serializer) {
      this.serializer = serializer;
    }

    @Override
    public int getCurrentVersion() {
      return LAYOUT.newest();
    }

    @Override
    public void writeSnapshot(DataOutputView out) throws IOException {
      out.writeUTF(serializer.layout());
      serializer.codec.layout().writeVersion(out);
    }

    /**
     * @throws SuppressRestartsException if a newer or much older Freshet wrote the state, which is
     *     told before any of it is read: another attempt would find the same
     */
    @Override
    public void readSnapshot(int version, DataInputView in, ClassLoader loader) throws IOException {
      try {
        read(version, in);
      } catch (LayoutException e) {
        throw new SuppressRestartsException(e);
      }
    }

    private void read(int version, DataInputView in) throws IOException {
      LAYOUT.check(version);
      String name = in.readUTF();
      CodecTypeInfo<?> type =
          version == 1 ? CLASSES.get(name) : CodecTypeInfo.ofState(name).orElse(null);
      if (type == null) {
        throw new SuppressRestartsException(
            new IOException(
                "there is state of "
                    + name
                    + ", which Freshet "
                    + CodeVersion.CURRENT
                    + " does not know: another Freshet wrote it. Run that one, or a newer one"));
      }
      serializer = restored(type);
      if (version == 1) {
        in.readBoolean();
      } else {
        serializer.codec.layout().readVersion(in);
      }
    }

    @SuppressWarnings("unchecked")
    private static <T> CodecSerializer<T> restored(CodecTypeInfo<?> type) {
      return (CodecSerializer<T>) type.createSerializer(null);
    }

    @Override
    public TypeSerializer<T> restoreSerializer() {
      return serializer;
    }

    @Override
    public TypeSerializerSchemaCompatibility<T> resolveSchemaCompatibility(
        TypeSerializerSnapshot<T> old) {
      return old instanceof Snapshot<T> that && that.serializer.layout().equals(serializer.layout())
          ? TypeSerializerSchemaCompatibility.compatibleAsIs()
          : TypeSerializerSchemaCompatibility.incompatible();
    }
  }
}
