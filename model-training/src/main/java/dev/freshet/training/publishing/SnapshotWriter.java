package dev.freshet.training.publishing;

import static java.util.Objects.requireNonNull;

import dev.freshet.core.codec.Sha256;
import dev.freshet.core.features.NumberScale;
import dev.freshet.core.labels.Task;
import dev.freshet.core.network.ModelContext;
import dev.freshet.core.network.Shrinkage;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.PublishingSettings;
import dev.freshet.core.settings.CodeVersion;
import dev.freshet.core.settings.EnumNames;
import dev.freshet.core.snapshot.Manifest;
import dev.freshet.core.snapshot.ModelFingerprint;
import dev.freshet.core.snapshot.ModelRecord;
import dev.freshet.core.snapshot.ModelVersion;
import dev.freshet.core.snapshot.SafeTensors;
import dev.freshet.core.snapshot.WeightTensors;
import dev.freshet.training.ModelTrainer;
import dev.freshet.training.rows.EmbeddingTable;
import java.io.IOException;
import java.io.OutputStream;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Turns a trainer's weights into the messages of one version: chunks, then the manifest, then
 * deletions of keys that the slot's last version used and this one does not. Slots are used in
 * turn; how many chunks each holds is part of the trainer's checkpoint.
 *
 * <p>A version is a delta on top of the version before it, or a base. Now and then it is both, one
 * after the other, so that who follows need not read bases; the next delta names the base. What
 * changed since the version before is not part of the checkpoint, so the first version of a run is
 * a base alone.
 */
public final class SnapshotWriter {

  private final String pipeline;
  private final String configuration;
  private final PublishingSettings settings;
  private int[] slots;
  private int next;
  private @Nullable Manifest parent;
  private int sinceBase;

  /**
   * @param pipeline its name
   * @param configuration its fingerprint
   */
  /** One for the versions of a model of the pipeline. */
  public SnapshotWriter(Pipeline pipeline) {
    this(pipeline.pipeline(), pipeline.fingerprint(), pipeline.publishing());
  }

  SnapshotWriter(String pipeline, String configuration, PublishingSettings settings) {
    this.pipeline = pipeline;
    this.configuration = configuration;
    this.settings = settings;
    slots = new int[settings.slots()];
  }

  /** Slot to use next, then the chunks that each slot holds. */
  public int[] state() {
    int[] state = new int[slots.length + 1];
    state[0] = next;
    System.arraycopy(slots, 0, state, 1, slots.length);
    return state;
  }

  /** The inverse of {@link #state}; more or fewer slots than before are allowed. */
  public void restore(int[] state) {
    next = state[0];
    slots = Arrays.copyOfRange(state, 1, Math.max(state.length, settings.slots() + 1));
  }

  /** True if the next version may be a delta, so that only what changed has to be looked at. */
  public boolean hasParent() {
    return parent != null;
  }

  /**
   * Writes the next version: a delta, unless there is nothing that it could build on or it would be
   * too large a share of a base; and a base, when it is time for one or when there is no delta.
   *
   * @param now publishing time, epoch milliseconds
   * @return the manifest that the next delta builds on
   */
  public Manifest write(
      ModelTrainer trainer,
      ModelVersion version,
      Lineage lineage,
      long now,
      Consumer<ModelRecord> out) {
    Version made = new Version(trainer, version, lineage, now, out);
    SafeTensors.Writer base =
        WeightTensors.base(trainer.network(), trainer.learner().tables(), settings.precision());
    boolean baseIsDue = parent == null || sinceBase + 1 >= settings.baseEvery();
    Manifest written = null;
    if (parent != null && settings.baseEvery() > 1) {
      boolean withDense =
          baseIsDue || sinceBase % settings.denseEvery() == settings.denseEvery() - 1;
      SafeTensors.Writer delta =
          DeltaTensors.of(trainer.learner(), settings.precision(), withDense);
      if (delta.bytes() <= settings.largestDelta() * base.bytes()) {
        written = announce(made, Manifest.DELTA, parent, delta);
      }
    }
    sinceBase++;
    if (baseIsDue || written == null) {
      written = announce(made, Manifest.BASE, null, base);
      sinceBase = 0;
    }
    trainer.learner().tables().forEach(EmbeddingTable::published);
    parent = written;
    return written;
  }

  /** Common parts of a version's delta and base. */
  private record Version(
      ModelTrainer trainer,
      ModelVersion number,
      Lineage lineage,
      long now,
      Consumer<ModelRecord> out) {}

  private Manifest announce(
      Version of, String type, @Nullable Manifest on, SafeTensors.Writer tensors) {
    ModelTrainer trainer = of.trainer;
    ModelContext context = trainer.context();
    String version = of.number.toString();
    String slot = context.model().name() + "/" + next % settings.slots() + "/";
    long bytes = tensors.bytes();
    int count = Math.toIntExact((bytes + settings.chunk().bytes() - 1) / settings.chunk().bytes());
    Chunks chunks = new Chunks(slot, version, count, of.out);
    try {
      tensors.write(chunks);
      chunks.finish();
    } catch (IOException e) {
      throw new IllegalStateException("weights cannot be written", e);
    }
    Map<String, Shrinkage> shrinkage = shrinkage(trainer);
    Manifest manifest =
        new Manifest(
            format(trainer.numbers(), shrinkage),
            type,
            pipeline,
            context.model().name(),
            context.model().kind(),
            version,
            on == null ? null : on.version(),
            on == null ? null : on.sha256(),
            context.schema().fingerprint(),
            ModelFingerprint.of(context),
            chunks.written,
            bytes,
            Sha256.hex(chunks.whole.digest()),
            trainer.examples(),
            trainer.newestEvent(),
            null,
            trainer.amounts(),
            trainer.numbers().isEmpty() ? null : trainer.numbers(),
            corrections(context),
            trainer.sampling().kept() == 1 ? null : trainer.sampling().kept(),
            shrinkage.isEmpty() ? null : shrinkage,
            trainer.quality().byKey(),
            of.now,
            of.lineage.sources(),
            of.lineage.watermark(),
            configuration,
            CodeVersion.CURRENT,
            context.schema().described());
    of.out.accept(
        new ModelRecord(
            slot + "manifest", manifest.toJson(), version, ModelRecord.MANIFEST, count));
    deleteStale(slot, of.number, count, context.model().name(), of.out);
    return manifest;
  }

  private static int format(Map<String, NumberScale> numbers, Map<String, Shrinkage> shrinkage) {
    if (!shrinkage.isEmpty()) {
      return Manifest.FORMAT;
    }
    return numbers.isEmpty() ? Manifest.WITHOUT_NUMBERS : Manifest.WITHOUT_SHRINKAGE;
  }

  private static Map<String, Shrinkage> shrinkage(ModelTrainer trainer) {
    Map<String, Shrinkage> shrinkage = new LinkedHashMap<>();
    List<Task> tasks = trainer.context().tasks();
    List<Shrinkage> all = trainer.shrinkages();
    for (int task = 0; task < tasks.size(); task++) {
      Shrinkage of = all.get(task);
      if (of.slope() < 1) {
        shrinkage.put(tasks.get(task).name(), of);
      }
    }
    return shrinkage;
  }

  private static Map<String, String> corrections(ModelContext context) {
    Map<String, String> corrections = new LinkedHashMap<>();
    for (Task task : context.tasks()) {
      if (task.binary()) {
        corrections.put(task.name(), EnumNames.of(requireNonNull(task.correction())));
      }
    }
    return corrections;
  }

  private void deleteStale(
      String slot, ModelVersion version, int count, String model, Consumer<ModelRecord> out) {
    int used = next % settings.slots();
    for (int i = count; i < slots[used]; i++) {
      out.accept(new ModelRecord(slot + i, null, version.toString(), i, count));
    }
    slots[used] = count;
    // There are fewer slots than before: what the slots beyond it hold is of no use to anyone.
    for (int gone = settings.slots(); gone < slots.length; gone++) {
      String prefix = model + "/" + gone + "/";
      out.accept(
          new ModelRecord(
              prefix + "manifest", null, version.toString(), ModelRecord.MANIFEST, count));
      for (int i = 0; i < slots[gone]; i++) {
        out.accept(new ModelRecord(prefix + i, null, version.toString(), i, count));
      }
    }
    slots = Arrays.copyOf(slots, settings.slots());
    next = (used + 1) % settings.slots();
  }

  /** Cuts the payload into chunks and hashes them on the way. */
  private final class Chunks extends OutputStream {
    private final String slot;
    private final String version;
    private final int count;
    private final Consumer<ModelRecord> out;
    private final byte[] piece = new byte[(int) settings.chunk().bytes()];
    private final List<Manifest.Chunk> written = new ArrayList<>();
    private final MessageDigest whole = Sha256.digest();
    private int filled;

    Chunks(String slot, String version, int count, Consumer<ModelRecord> out) {
      this.slot = slot;
      this.version = version;
      this.count = count;
      this.out = out;
    }

    @Override
    public void write(int value) {
      write(new byte[] {(byte) value}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int from, int length) {
      int at = from;
      int left = length;
      while (left > 0) {
        int part = Math.min(left, piece.length - filled);
        System.arraycopy(bytes, at, piece, filled, part);
        filled += part;
        at += part;
        left -= part;
        if (filled == piece.length) {
          finish();
        }
      }
    }

    void finish() {
      if (filled == 0) {
        return;
      }
      byte[] chunk = Arrays.copyOf(piece, filled);
      whole.update(chunk);
      int index = written.size();
      written.add(new Manifest.Chunk(filled, Sha256.of(chunk)));
      out.accept(new ModelRecord(slot + index, chunk, version, index, count));
      filled = 0;
    }
  }
}
