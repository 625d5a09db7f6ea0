package dev.freshet.core.snapshot;

import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.freshet.core.codec.FiniteNumbers;
import dev.freshet.core.codec.Layout;
import dev.freshet.core.events.SourcePosition;
import dev.freshet.core.features.NumberScale;
import dev.freshet.core.labels.Task;
import dev.freshet.core.labels.correction.DelayCorrections;
import dev.freshet.core.labels.correction.NegativeSampling;
import dev.freshet.core.network.AmountScale;
import dev.freshet.core.network.Shrinkage;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * Announces a version: a reader acts on this and on nothing else, and only when every chunk it
 * names is there and has the length and hash it names. JSON; unknown keys are ignored.
 *
 * @param format of this manifest: 5 where predictions are shrunk; otherwise 4 where it says how
 *     numbers are read, or 3; 2 where rows have no first-order weights, which are then 0; 1 in
 *     those of before 2026-11-26, whose amounts were scaled by {@code targetScale}
 * @param type {@code base}: all weights; {@code delta}: what changed on top of {@code parent}
 * @param version {@code run-step}
 * @param parent version that a delta builds on; absent for a base
 * @param parentSha256 of the parent's payload: a reader whose weights have another history must
 *     refuse the delta
 * @param kind of the model, as in the pipeline file
 * @param schema fingerprint of the features
 * @param settings fingerprint of the model's settings and tasks
 * @param bytes of the whole payload, a safetensors file
 * @param examples the model has seen
 * @param newestEvent event time up to which it has seen impressions, epoch milliseconds
 * @param targetScale in format 1: count, mean and sum of squared deviations of the core task's
 *     labels; absent since
 * @param amounts how a reader turns what the model says of the core task into an amount; absent
 *     without a core task, and in format 1
 * @param numbers how a reader reads the numbers of each field for which that was learnt; absent if
 *     there is none
 * @param corrections delay correction of each binary task, whose predictions a reader turns into
 *     what is served with {@link DelayCorrections#served}; absent in manifests of before
 *     2026-11-22, when none changed a prediction
 * @param negativeSampling negative sampling rate, the share of the negatives that was learnt, which
 *     a reader takes out again with {@link NegativeSampling#served} before the correction; absent
 *     for all of them
 * @param shrinkage by binary task, whose predictions a reader turns into what is served with {@link
 *     Shrinkage#served} after the correction; absent where nothing is shrunk
 * @param quality per task at publishing, as on the metrics topic
 * @param publishedAt epoch milliseconds
 * @param sources how far each partition of the events had been read; this and what follows is
 *     absent in manifests of before 2026-11-22
 * @param watermark event time up to which labels had been told, epoch milliseconds
 * @param configuration fingerprint of everything in the pipeline file but Kafka
 * @param code version of the code that trained
 * @param features the fields of the schema in words, for messages; absent in manifests of before
 *     2026-11-26
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
@JsonIgnoreProperties(ignoreUnknown = true)
public record Manifest(
    int format,
    String type,
    String pipeline,
    String model,
    String kind,
    String version,
    @Nullable String parent,
    @Nullable String parentSha256,
    String schema,
    String settings,
    List<Chunk> chunks,
    long bytes,
    String sha256,
    long examples,
    long newestEvent,
    double @Nullable [] targetScale,
    @Nullable AmountScale amounts,
    @Nullable Map<String, NumberScale> numbers,
    @Nullable Map<String, String> corrections,
    @Nullable Double negativeSampling,
    @Nullable Map<String, Shrinkage> shrinkage,
    Map<String, Map<String, Double>> quality,
    long publishedAt,
    @Nullable List<SourcePosition> sources,
    @Nullable Long watermark,
    @Nullable String configuration,
    @Nullable String code,
    @Nullable List<String> features) {

  /** The newest format that this code writes: with shrinkage. */
  public static final int FORMAT = 5;

  /** The format of manifests that say how numbers are read, but nothing of shrinkage. */
  public static final int WITHOUT_SHRINKAGE = 4;

  /** The format of manifests that say nothing of numbers. */
  public static final int WITHOUT_NUMBERS = 3;

  private static final Layout LAYOUT = new Layout("manifest", FORMAT);

  /** All weights. */
  public static final String BASE = "base";

  /** Changes on top of the parent. */
  public static final String DELTA = "delta";

  private static final ObjectMapper JSON =
      JsonMapper.builder()
          .addModule(FiniteNumbers.module())
          .enable(SerializationFeature.ORDER_MAP_ENTRIES_BY_KEYS)
          .build();

  /** One piece of the payload. */
  public record Chunk(int bytes, String sha256) {}

  /**
   * The correction whose {@code served} a task's prediction goes through.
   *
   * @throws IOException if this code does not know it
   */
  public DelayCorrections correction(String task) throws IOException {
    String name = corrections == null ? null : corrections.get(task);
    return name == null ? DelayCorrections.WAIT : DelayCorrections.named(name);
  }

  /**
   * How amounts are decoded, whatever the format.
   *
   * @param transform of the reader's core task; null without one
   * @throws IOException if the manifest does not say, or says something impossible
   */
  public @Nullable AmountScale amounts(Task.@Nullable Transform transform) throws IOException {
    if (transform == null) {
      return null;
    }
    AmountScale scale = amounts;
    if (scale == null) {
      if (targetScale == null) {
        throw new IOException("the manifest of version " + version + " has no scale of amounts");
      }
      scale = AmountScale.ofMoments(transform, targetScale);
    }
    if (!scale.sound()) {
      throw new IOException("the manifest of version " + version + " has an impossible " + scale);
    }
    return scale;
  }

  /**
   * How the predictions of a task are shrunk; not at all where the manifest does not say.
   *
   * @throws IOException if it says something impossible
   */
  public Shrinkage shrinkage(String task) throws IOException {
    Shrinkage of = shrinkage == null ? null : shrinkage.get(task);
    if (of != null && !of.sound()) {
      throw new IOException("the manifest of version " + version + " has an impossible " + of);
    }
    return of == null ? Shrinkage.NONE : of;
  }

  /** True if a delta builds on just this version. */
  public boolean isParentOf(Manifest delta) {
    return version.equals(delta.parent) && sha256.equals(delta.parentSha256);
  }

  /** True if this can be used only on top of its parent. */
  @JsonIgnore
  public boolean isDelta() {
    return type.equals(DELTA);
  }

  /**
   * When the newest of the messages that this has been learnt from was produced, epoch
   * milliseconds.
   */
  public OptionalLong producedUpTo() {
    return sources == null
        ? OptionalLong.empty()
        : sources.stream().mapToLong(SourcePosition::timestamp).max();
  }

  /** The manifest of the same version as one file of all weights. */
  public Manifest asBase(long length, String hash) {
    return new Manifest(
        format,
        BASE,
        pipeline,
        model,
        kind,
        version,
        null,
        null,
        schema,
        settings,
        List.of(new Chunk(Math.toIntExact(length), hash)),
        length,
        hash,
        examples,
        newestEvent,
        targetScale,
        amounts,
        numbers,
        corrections,
        negativeSampling,
        shrinkage,
        quality,
        publishedAt,
        sources,
        watermark,
        configuration,
        code,
        features);
  }

  /** The negative sampling, by the share of the negatives that was learnt. */
  public NegativeSampling sampling() {
    return negativeSampling == null
        ? NegativeSampling.NONE
        : new NegativeSampling(negativeSampling);
  }

  public byte[] toJson() {
    try {
      return JSON.writeValueAsBytes(this);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a manifest is plain data", e);
    }
  }

  /**
   * @throws IOException if the bytes are no manifest of a format that this code reads
   */
  public static Manifest fromJson(byte[] json) throws IOException {
    Manifest manifest = JSON.readValue(json, Manifest.class);
    LAYOUT.check(manifest.format);
    return manifest;
  }
}
