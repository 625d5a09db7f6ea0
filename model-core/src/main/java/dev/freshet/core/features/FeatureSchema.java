package dev.freshet.core.features;

import static java.util.Objects.requireNonNull;

import dev.freshet.core.events.VectorField;
import dev.freshet.core.settings.EnumNames;
import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The fields in the order in which every model sees them: by embedding size, then as in the file.
 * Its fingerprint travels in every manifest, so that a consumer with other fields refuses the
 * weights instead of scoring nonsense.
 */
public final class FeatureSchema implements Serializable {

  /**
   * Fields of one embedding size.
   *
   * @param dim the size
   * @param fields positions in {@link FeatureSchema#fields()}, consecutive
   * @param weighted true if rows of one of them may not all count alike
   */
  public record Group(int dim, List<Integer> fields, boolean weighted) implements Serializable {}

  /**
   * A field whose rows count as much as its target's row makes them.
   *
   * @param dim size of both fields' rows
   * @param group of both fields
   * @param place of the field in the group
   * @param target place of the target in the group
   */
  public record Attention(String field, int dim, int group, int place, int target)
      implements Serializable {}

  private final List<FeatureField> fields;
  private final List<FeatureField> sent;
  private final List<Group> groups;

  public FeatureSchema(List<FeatureField> declared) {
    TreeMap<Integer, List<FeatureField>> byDim = new TreeMap<>();
    for (FeatureField field : declared) {
      byDim.computeIfAbsent(field.dim(), dim -> new ArrayList<>()).add(field);
    }
    List<FeatureField> ordered = new ArrayList<>();
    List<Group> found = new ArrayList<>();
    byDim.forEach(
        (dim, members) -> {
          List<Integer> positions = new ArrayList<>();
          for (FeatureField member : members) {
            positions.add(ordered.size());
            ordered.add(member);
          }
          boolean weighted = members.stream().anyMatch(field -> weighted(field, declared));
          found.add(new Group(dim, List.copyOf(positions), weighted));
        });
    fields = List.copyOf(ordered);
    sent = fields.stream().filter(FeatureField::sent).toList();
    groups = List.copyOf(found);
  }

  private static boolean weighted(FeatureField field, List<FeatureField> all) {
    return field.weighted()
        || field.attends()
        || field.values()
        || all.stream().anyMatch(other -> other.weighted() && field.of().contains(other.name()));
  }

  /** True if numbers of some fields can be read only by a model. */
  boolean open() {
    return fields.stream().anyMatch(FeatureField::open);
  }

  /** The fields that are pooled by attention, in order. */
  public List<Attention> attention() {
    List<Attention> found = new ArrayList<>();
    for (int g = 0; g < groups.size(); g++) {
      List<String> names = groups.get(g).fields().stream().map(i -> fields.get(i).name()).toList();
      for (int place = 0; place < names.size(); place++) {
        FeatureField field = fields.get(groups.get(g).fields().get(place));
        if (field.attends()) {
          int target = names.indexOf(field.target());
          found.add(new Attention(field.name(), field.dim(), g, place, target));
        }
      }
    }
    return List.copyOf(found);
  }

  /** Names and sizes of the vectors, in order. */
  public List<VectorField> vectors() {
    return fields.stream()
        .filter(FeatureField::vector)
        .map(field -> new VectorField(field.name(), field.size()))
        .toList();
  }

  /** True if rows of some fields do not all count alike in their field's mean. */
  boolean weighted() {
    return groups.stream().anyMatch(Group::weighted);
  }

  public List<FeatureField> fields() {
    return fields;
  }

  public List<Group> groups() {
    return groups;
  }

  /** The fields that impressions bring, in order: all but times and crosses. */
  public List<FeatureField> sent() {
    return sent;
  }

  /** Names of the categorical fields, in order. */
  public List<String> categorical() {
    return fields.stream().filter(FeatureField::categorical).map(FeatureField::name).toList();
  }

  /** Names of the categorical fields that may hold a list. */
  public Set<String> many() {
    return fields.stream()
        .filter(f -> f.categorical() && f.many())
        .map(FeatureField::name)
        .collect(Collectors.toUnmodifiableSet());
  }

  /** Names of those of them whose values have weights. */
  public Set<String> withWeights() {
    return fields.stream()
        .filter(FeatureField::weighted)
        .map(FeatureField::name)
        .collect(Collectors.toUnmodifiableSet());
  }

  /** Names of the fields of numbers, sent or counted, in order. */
  public List<String> numeric() {
    return fields.stream().filter(FeatureField::numeric).map(FeatureField::name).toList();
  }

  /** Each field in words, in order: everything of it that decides about keys and places. */
  public List<String> described() {
    return fields.stream().map(FeatureSchema::describe).toList();
  }

  private static String describe(FeatureField f) {
    StringBuilder text = new StringBuilder(f.name()).append(": ");
    text.append(written(f.kind())).append(", dim ").append(f.dim());
    if (f.time()) {
      return text.append(", ")
          .append(written(requireNonNull(f.part())))
          .append(" in ")
          .append(f.zone())
          .toString();
    }
    if (f.cross()) {
      return text.append(", of ").append(String.join(" and ", f.of())).toString();
    }
    if (f.counted()) {
      text.append(", of ").append(f.of().get(0)).append(" by ").append(f.by());
      text.append(f.per() == null ? "" : " per " + f.per() + " from " + f.least() + " on");
      text.append(", half-life ").append(requireNonNull(f.halfLife()).toMillis()).append(" ms");
    }
    if (f.learnt()) {
      return text.append(", about ").append(f.bucketCount()).append(" learnt buckets").toString();
    }
    if (f.values()) {
      text.append(f.vector() ? ", of " + f.size() : ", as value, " + written(f.scale()));
      text.append(", ").append(f.normalised() ? "z-score" : "not normalised");
      return text.append(" in ").append(f.lowest()).append(" to ").append(f.highest()).toString();
    }
    if (!f.numeric()) {
      text.append(f.weighted() ? ", many with weights" : f.many() ? ", many" : "");
      text.append(f.rowsOf() == null ? "" : ", rows of " + f.rowsOf());
      return text.append(f.attends() ? ", attention to " + f.target() : "").toString();
    }
    if (f.buckets() == 0) {
      return text.append(", edges ").append(f.edges()).toString();
    }
    return text.append(", ")
        .append(f.buckets())
        .append(" buckets from ")
        .append(f.low())
        .append(" to ")
        .append(f.high())
        .append(", ")
        .append(written(f.scale()))
        .toString();
  }

  private static String written(Enum<?> value) {
    return EnumNames.of(value);
  }

  /**
   * How another schema differs, for people.
   *
   * @param others the fields that it described; null if it did not
   */
  public String differencesFrom(@Nullable List<String> others) {
    if (others == null) {
      return "it does not say of which";
    }
    List<String> here = described();
    List<String> differences = new ArrayList<>();
    others.stream()
        .filter(field -> !here.contains(field))
        .forEach(field -> differences.add("it has " + field));
    here.stream()
        .filter(field -> !others.contains(field))
        .forEach(field -> differences.add("here is " + field));
    return differences.isEmpty() ? "they are in another order" : String.join("; ", differences);
  }

  /**
   * SHA-256 over everything that decides which values get which keys and places, and how many of
   * them: name and kind, dim, number of values, buckets, how numbers are read, part and zone of a
   * time, what is crossed or counted, whose rows are used, and the order.
   */
  public String fingerprint() {
    return hash(true);
  }

  /**
   * As the fingerprint, but for what is not sent and for how many values a field has: what the
   * bytes of compact features depend on, which hold what was sent and say how many values there
   * are.
   */
  public String layout() {
    return hash(false);
  }

  // Version 2 of the fingerprint: an absent field has a key, a number one however it is written,
  // and
  // fields of several values are told apart. Compact features are laid out as they were.
  private String hash(boolean whole) {
    StringBuilder text = new StringBuilder(whole ? "freshet-schema-2" : "freshet-schema-1");
    for (FeatureField f : whole ? fields : sent) {
      text.append('\n').append(f.name()).append('|').append(f.kind()).append('|').append(f.dim());
      if (f.open()) {
        text.append(open(f, whole));
      } else if (f.numeric()) {
        text.append('|').append(f.edges()).append('|').append(f.buckets());
        text.append('|').append(f.low()).append('|').append(f.high()).append('|').append(f.scale());
      } else if (f.many() && whole) {
        text.append("|many");
      }
      if (f.weighted()) {
        text.append("|weighted");
      }
      if (f.time()) {
        text.append('|').append(f.part()).append('|').append(f.zone());
      }
      if (f.rowsOf() != null) {
        text.append("|rows-of|").append(f.rowsOf());
      }
      if (f.attends() && whole) {
        text.append("|attention|").append(f.target());
      }
      if (f.cross() || f.counted() && whole) {
        f.of().forEach(part -> text.append('|').append(part));
      }
      if (f.counted() && whole) {
        text.append("|by|")
            .append(f.by())
            .append('|')
            .append(requireNonNull(f.halfLife()).toMillis());
        text.append(f.per() == null ? "" : "|per|" + f.per() + "|" + f.least());
      }
    }
    return sha256(text.toString());
  }

  private static String open(FeatureField f, boolean whole) {
    String numbers = "|numbers|" + f.numbers();
    if (!whole) {
      return numbers;
    }
    if (f.learnt()) {
      return numbers + "|learnt|" + f.bucketCount();
    }
    String bounds = "|" + f.lowest() + "|" + f.highest();
    return numbers + "|" + f.as() + "|" + f.scale() + "|" + f.normalize() + bounds;
  }

  private static String sha256(String text) {
    try {
      MessageDigest sha = MessageDigest.getInstance("SHA-256");
      byte[] digest = sha.digest(text.getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(digest);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }
}
