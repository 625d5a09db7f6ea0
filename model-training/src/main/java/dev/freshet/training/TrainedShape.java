package dev.freshet.training;

import dev.freshet.core.codec.Layout;
import dev.freshet.core.network.ModelContext;
import dev.freshet.core.settings.EnumNames;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Layout of a trainer's weights, moments and rows. It lies beside them in a checkpoint: sizes alone
 * do not tell fields in another order apart, whose weights would be read at wrong places.
 *
 * <pre>
 * freshet-shape-2
 * features=fingerprint of the schema
 * kind=htlnet
 * tasks=click:binary,revenue:continuous
 * rows=sets of embedding rows
 * dense=name[16 8],...
 * heads=click:late,...
 * </pre>
 *
 * <p>The delay heads are what the tasks' corrections ask for, none or some; the first version had
 * no line for them, and what it had is only known once it is read.
 */
public final class TrainedShape {

  private static final Layout LAYOUT = new Layout("freshet-shape", 2);
  private static final String FEATURES = "features";
  private static final String DENSE = "dense";
  private static final String HEADS = "heads";

  private TrainedShape() {}

  /** The text for a model as it is set up now. */
  public static String of(ModelContext context) {
    var shape = context.shape();
    String tasks =
        context.tasks().stream()
            .map(task -> task.name() + ":" + EnumNames.of(task.kind()))
            .collect(Collectors.joining(","));
    String dense =
        context.model().dense(shape).stream()
            .map(p -> p.name() + Arrays.toString(p.shape()).replace(",", ""))
            .collect(Collectors.joining(","));
    return String.join(
        "\n",
        LAYOUT.text(),
        FEATURES + "=" + context.schema().fingerprint(),
        "kind=" + context.model().kind(),
        "tasks=" + tasks,
        "rows=" + context.model().rowSets(shape),
        DENSE + "=" + dense,
        HEADS + "=" + DelayHeads.shape(context.tasks()));
  }

  /**
   * Which parts of a checkpoint's text are not those of now, each with what was and what is where
   * that can be said shortly; none if it can be gone on from. Delay heads where there were none
   * begin, and those of before would be lost or taken for others.
   *
   * @throws IOException if the text is of a version that this code does not read, or no such text
   */
  public static List<String> changes(String before, String now) throws IOException {
    Map<String, String> old = lines(before);
    List<String> changes = new ArrayList<>();
    lines(now)
        .forEach(
            (name, value) -> {
              String was = old.getOrDefault(name, "");
              boolean begin = name.equals(HEADS) && was.isEmpty();
              if (!value.equals(was) && !begin) {
                changes.add(
                    switch (name) {
                      case FEATURES ->
                          name + " (names, kinds, dims, buckets, pooling or order of fields)";
                      case DENSE -> name + " weights " + dense(was, value);
                      case HEADS ->
                          "delay heads "
                              + (value.isEmpty() ? "(none)" : value)
                              + ", was "
                              + was
                              + " (labels.correction)";
                      default -> name + " " + value + ", was " + was;
                    });
              }
            });
    return changes;
  }

  /**
   * The delay heads that there were none of when the text was written, and that begin now as if
   * nothing were late; empty if none do, or if it does not say which there were.
   *
   * @throws IOException if the text is of a version that this code does not read, or no such text
   */
  public static String beginningHeads(String before, String now) throws IOException {
    return "".equals(lines(before).get(HEADS)) ? lines(now).getOrDefault(HEADS, "") : "";
  }

  private static String dense(String was, String now) {
    List<String> old = List.of(was.split(","));
    List<String> all = List.of(now.split(","));
    List<String> added = all.stream().filter(p -> !old.contains(p)).toList();
    List<String> gone = old.stream().filter(p -> !all.contains(p)).toList();
    return (added.isEmpty() ? "" : first(added)) + (gone.isEmpty() ? "" : ", was " + first(gone));
  }

  private static String first(List<String> parameters) {
    return parameters.get(0)
        + (parameters.size() > 1 ? " and " + (parameters.size() - 1) + " more" : "");
  }

  private static Map<String, String> lines(String text) throws IOException {
    List<String> all = text.lines().toList();
    LAYOUT.readText(all.isEmpty() ? "" : all.get(0));
    Map<String, String> lines = new LinkedHashMap<>();
    for (String line : all.subList(1, all.size())) {
      int equal = line.indexOf('=');
      lines.put(line.substring(0, equal), line.substring(equal + 1));
    }
    return lines;
  }
}
