package dev.freshet.local;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Two demos that are started at one moment do not get into each other's way. */
class TwoDemosITCase {

  private static final Pattern WEB = Pattern.compile("web UI at (http://127\\.0\\.0\\.1:\\d+)");
  private static final Pattern KAFKA = Pattern.compile("Kafka at (127\\.0\\.0\\.1:\\d+)");

  @TempDir private Path folder;

  @Test
  void bothRunAndEndWell() throws Exception {
    TestingProcesses processes = new TestingProcesses(folder);
    String[] load = {"demo", "--events", "2000", "--rate", "2000", "--speed", "1500"};
    List<Process> demos = new ArrayList<>();
    for (String name : List.of("one", "other")) {
      demos.add(processes.start(name, load));
    }
    for (Process demo : demos) {
      boolean ended = demo.waitFor(4, TimeUnit.MINUTES);
      demo.destroyForcibly();
      assertThat(ended).isTrue();
    }
    for (int i = 0; i < demos.size(); i++) {
      assertThat(demos.get(i).exitValue()).as(processes.said(i == 0 ? "one" : "other")).isZero();
    }
    String one = processes.said("one");
    String other = processes.said("other");
    assertThat(first(WEB, one)).isNotEqualTo(first(WEB, other));
    assertThat(first(KAFKA, one)).isNotEqualTo(first(KAFKA, other));
  }

  private static String first(Pattern pattern, String text) {
    Matcher matcher = pattern.matcher(text);
    assertThat(matcher.find()).as(text).isTrue();
    return matcher.group(1);
  }
}
