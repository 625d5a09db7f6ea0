package dev.freshet.local.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.spi.ToolProvider;
import org.junit.jupiter.api.Test;

/**
 * The jar that is submitted has all that it needs and a cluster does not have. Where everything is
 * on one class path a library that it lacks is not missed.
 */
class JobJarITCase {

  /** Flink, what comes with it, and DJL, by docs/deployment.md; annotations need not be there. */
  private static final List<String> OF_THE_CLUSTER =
      List.of("org.apache.flink.", "ai.djl.", "org.slf4j.", "org.jspecify.", "org.rocksdb.");

  /** Of whom every class is used; libraries have classes for others that may be missing. */
  private static final List<String> WHOLE = List.of("dev.freshet.", "net.thisptr.", "org.joni.");

  private static final Pattern MISSING = Pattern.compile("\\s+(\\S+)\\s+-> (\\S+)\\s+not found");

  @Test
  void whatItsClassesNameIsThere() throws Exception {
    StringWriter said = new StringWriter();
    PrintWriter out = new PrintWriter(said, true);
    int code =
        ToolProvider.findFirst("jdeps")
            .orElseThrow()
            .run(
                out,
                out,
                "--multi-release",
                "17",
                "-verbose:class",
                "-filter:none",
                SubmitITCase.jar().toString());
    assertThat(code).as(said.toString()).isZero();
    Matcher found = MISSING.matcher(said.toString());
    long ofTheCluster = 0;
    while (found.find()) {
      if (begins(found.group(2), OF_THE_CLUSTER)) {
        ofTheCluster++;
      } else if (begins(found.group(1), WHOLE)) {
        assertThat(found.group()).as("the job's jar lacks a class").isEmpty();
      }
    }
    assertThat(ofTheCluster).as("the jar was looked at").isGreaterThan(100);
  }

  private static boolean begins(String name, List<String> with) {
    return with.stream().anyMatch(name::startsWith);
  }
}
