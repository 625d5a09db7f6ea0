package dev.freshet.core.features;

import dev.freshet.core.features.FeatureField.As;
import dev.freshet.core.features.FeatureField.Kind;
import dev.freshet.core.features.FeatureField.Normalize;
import dev.freshet.core.features.FeatureField.Pooling;
import dev.freshet.core.features.FeatureField.Scale;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Fields as they follow from others: crosses of them, and what one takes from another. */
final class DerivedFields {

  private DerivedFields() {}

  /** A cross of fields with the usual other settings. */
  static FeatureField cross(
      String name, List<String> of, int dim, int admitAfter, @Nullable Duration expireAfter) {
    return new FeatureField(
        name,
        Kind.CROSS,
        dim,
        false,
        false,
        admitAfter,
        expireAfter,
        As.BUCKET,
        List.of(),
        0,
        null,
        null,
        Scale.LINEAR,
        Normalize.Z_SCORE,
        List.of(),
        0,
        of,
        null,
        "UTC",
        null,
        Pooling.MEAN,
        null,
        null,
        null,
        null,
        FeatureField.LEAST);
  }

  /**
   * The same field with what it takes from others: of a field with {@code rows-of} size, admission
   * and expiry are that field's, and rows of a cross that does not say when they expire do so when
   * the first of its fields' do.
   */
  static FeatureField resolved(FeatureField field, List<FeatureField> all) {
    if (field.rowsOf() != null) {
      return all.stream()
          .filter(owner -> owner.name().equals(field.rowsOf()))
          .findFirst()
          .map(owner -> withRowsOf(field, owner))
          .orElse(field);
    }
    if (!field.cross() || field.expireAfter() != null) {
      return field;
    }
    Duration shortest =
        all.stream()
            .filter(part -> !part.cross() && field.of().contains(part.name()))
            .map(part -> resolved(part, all).expireAfter())
            .filter(Objects::nonNull)
            .min(Comparator.naturalOrder())
            .orElse(null);
    return cross(field.name(), field.of(), field.dim(), field.admitAfter(), shortest);
  }

  private static FeatureField withRowsOf(FeatureField field, FeatureField owner) {
    return new FeatureField(
        field.name(),
        field.kind(),
        owner.dim(),
        field.many(),
        field.weighted(),
        owner.admitAfter(),
        owner.expireAfter(),
        field.as(),
        field.edges(),
        field.buckets(),
        field.from(),
        field.to(),
        field.scale(),
        field.normalize(),
        field.clip(),
        field.size(),
        field.of(),
        field.part(),
        field.zone(),
        field.rowsOf(),
        field.pooling(),
        field.target(),
        field.by(),
        field.halfLife(),
        field.per(),
        field.least());
  }
}
