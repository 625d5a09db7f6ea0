package dev.freshet.local;

import dev.freshet.core.labels.Task;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.SystemTopic;
import dev.freshet.topics.Right;
import dev.freshet.topics.Right.Party;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.resource.ResourceType;

/** The table of rights in docs/deployment.md, for one pipeline. */
public final class TestingRights {

  private static final Pattern ROW =
      Pattern.compile(
          "^\\| ([^|]+) \\| (topic|group|transactional id) \\| ([^|]+) \\| ([^|]+) \\|$");

  private TestingRights() {}

  public static List<Right> of(Pipeline pipeline) throws IOException {
    List<Right> found = new ArrayList<>();
    for (String line : Files.readAllLines(Path.of("../docs/deployment.md"))) {
      Matcher cells = ROW.matcher(line);
      if (!cells.matches()) {
        continue;
      }
      ResourceType on =
          ResourceType.valueOf(cells.group(2).toUpperCase(Locale.ROOT).replace(' ', '_'));
      for (String cell : cells.group(3).split(", ")) {
        for (String name : names(pipeline, cell.replaceAll("`", ""))) {
          for (String operation : cells.group(4).split(", ")) {
            found.add(new Right(party(cells.group(1)), on, name, AclOperation.valueOf(operation)));
          }
        }
      }
    }
    return found;
  }

  private static Party party(String label) {
    return Party.valueOf(label.toUpperCase(Locale.ROOT).replace(' ', '_'));
  }

  /** Names of what the table calls so; a topic that the pipeline does not have has none. */
  private static List<String> names(Pipeline pipeline, String key) {
    if (key.contains("<pipeline>")) {
      return List.of(key.replace("<pipeline>", pipeline.pipeline()));
    }
    if (key.equals("<task>")) {
      return pipeline.tasks().stream().map((Task task) -> pipeline.topic(task)).toList();
    }
    SystemTopic topic =
        Arrays.stream(SystemTopic.values())
            .filter(one -> one.key().equals(key))
            .findFirst()
            .orElseThrow(() -> new AssertionError(key));
    return pipeline.named(topic).map(List::of).orElse(List.of());
  }
}
