package dev.freshet.local;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The script {@code freshet} in a small tree of its own, where Maven is a script that notes each
 * build and Java one that prints its arguments.
 */
class LauncherTest {

  private static final List<String> MODULES =
      List.of(
          "local-runner",
          "experiments",
          "model-server",
          "streaming-job",
          "model-replica",
          "kafka-topics",
          "model-training",
          "model-core");

  @TempDir private Path folder;
  private Path tree;

  @BeforeEach
  void makeTree() throws IOException {
    tree = Files.createDirectories(folder.resolve("a tree"));
    Path launcher = Files.copy(Path.of("..", "freshet"), tree.resolve("freshet"));
    assertThat(Files.isExecutable(launcher)).isTrue();
    Files.createDirectory(tree.resolve(".mvn"));
    Files.writeString(tree.resolve("pom.xml"), "the parent");
    for (String module : MODULES) {
      Path main = Files.createDirectories(tree.resolve(module).resolve("src/main"));
      Files.writeString(tree.resolve(module).resolve("pom.xml"), module);
      Files.writeString(main.resolve("A file.java"), module);
    }
    Files.writeString(folder.resolve("other.jar"), "what others made");
    script(
        tree.resolve("mvnw"),
        "echo build >>'" + folder.resolve("builds") + "'",
        "sleep 0.3",
        "echo '[INFO] Scanning for projects...'",
        "echo '[INFO] Building Freshet: model core 0.1.0-SNAPSHOT                  [2/6]'",
        "echo 'Downloaded from central: https://x/y/some-1.2.jar (12 MB at 3.1 MB/s)'",
        "[ ! -e broken ] || { echo '[ERROR] it does not compile'; exit 1; }",
        "for module in " + String.join(" ", MODULES) + "; do",
        "  mkdir -p $module/target/classes",
        "done",
        "printf '%s' '" + folder.resolve("other.jar") + "' >local-runner/target/classpath.txt");
    script(folder.resolve("jdk/bin/java"), "printf '%s\\n' \"$@\"");
  }

  private static void script(Path file, String... lines) throws IOException {
    Files.createDirectories(file.getParent());
    Files.writeString(file, "#!/usr/bin/env bash\nset -e\n" + String.join("\n", lines) + "\n");
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  private Process start(Path launcher) throws IOException {
    ProcessBuilder builder =
        new ProcessBuilder(launcher.toString(), "check", "a file")
            .directory(folder.toFile())
            .redirectError(folder.resolve("errors").toFile());
    builder.environment().put("JAVA_HOME", folder.resolve("jdk").toString());
    return builder.start();
  }

  /** Runs the launcher; what Java was called with. */
  private List<String> run(Path launcher) throws Exception {
    return output(start(launcher));
  }

  private List<String> output(Process process) throws Exception {
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor(1, TimeUnit.MINUTES)).isTrue();
    assertThat(process.exitValue()).as(Files.readString(folder.resolve("errors"))).isZero();
    return out.lines().toList();
  }

  private int builds() throws IOException {
    Path builds = folder.resolve("builds");
    return Files.exists(builds) ? Files.readAllLines(builds).size() : 0;
  }

  private void runsFrom(Path home, List<String> arguments) throws IOException {
    String real = home.toRealPath().toString();
    List<String> classPath = new ArrayList<>();
    for (String module : MODULES) {
      classPath.add(real + "/" + module + "/target/classes");
    }
    classPath.add(folder.resolve("other.jar").toString());
    assertThat(arguments.get(arguments.indexOf("-cp") + 1).split(":"))
        .containsExactlyInAnyOrderElementsOf(classPath);
    assertThat(arguments).contains("-Dfreshet.home=" + real);
    assertThat(arguments).endsWith("dev.freshet.local.Freshet", "check", "a file");
  }

  @Test
  void buildsOnceWhereverTheTreeGoes() throws Exception {
    runsFrom(tree, run(tree.resolve("freshet")));
    runsFrom(tree, run(tree.resolve("freshet")));
    assertThat(builds()).isOne();

    Path copy = folder.resolve("a copy");
    command("cp", "-r", tree.toString(), copy.toString());
    runsFrom(copy, run(copy.resolve("freshet")));
    Path renamed = Files.move(tree, folder.resolve("renamed"));
    runsFrom(renamed, run(renamed.resolve("freshet")));

    Path links = Files.createDirectory(folder.resolve("bin"));
    Path absolute = Files.createSymbolicLink(links.resolve("fr"), renamed.resolve("freshet"));
    Path relative = Files.createSymbolicLink(links.resolve("f"), Path.of("fr"));
    Path house = Files.createSymbolicLink(links.resolve("house"), Path.of("../a copy"));
    runsFrom(renamed, run(absolute));
    runsFrom(renamed, run(relative));
    runsFrom(copy, run(house.resolve("freshet")));
    assertThat(builds()).isOne();
  }

  @Test
  void saysWhatItBuildsAndWhyItCannot() throws Exception {
    run(tree.resolve("freshet"));
    assertThat(folder.resolve("errors"))
        .hasContent(
            """
            Building Freshet...
              Freshet: model core 0.1.0-SNAPSHOT [2/6]
              downloaded some-1.2.jar (12 MB at 3.1 MB/s)
            """);
    assertThat(tree.resolve(".freshet/build.log")).content().contains("Scanning for projects");

    Files.createFile(tree.resolve("broken"));
    Files.delete(tree.resolve("local-runner/target/built"));
    Process failed = start(tree.resolve("freshet"));
    assertThat(failed.waitFor()).isEqualTo(1);
    assertThat(folder.resolve("errors")).content().contains("[ERROR] it does not compile");
    assertThat(tree.resolve(".freshet/building")).doesNotExist();
  }

  @Test
  void buildsAgainWhenSourcesChangeOrSomethingIsGone() throws Exception {
    run(tree.resolve("freshet"));
    Path source = tree.resolve("model-core/src/main/A file.java");
    var before = Files.getLastModifiedTime(source);
    Files.writeString(source, "model-corf");
    Files.setLastModifiedTime(source, before);
    run(tree.resolve("freshet"));
    assertThat(builds()).isEqualTo(2);
    Files.move(source, source.resolveSibling("Renamed.java"));
    run(tree.resolve("freshet"));
    assertThat(builds()).isEqualTo(3);
    Files.delete(tree.resolve("model-replica/target/classes"));
    run(tree.resolve("freshet"));
    assertThat(builds()).isEqualTo(4);
    Files.writeString(
        tree.resolve("local-runner/target/classpath.txt"), folder.resolve("gone.jar").toString());
    run(tree.resolve("freshet"));
    assertThat(builds()).isEqualTo(5);
  }

  @Test
  void twoThatStartTogetherBuildOnce() throws Exception {
    Files.createDirectory(tree.resolve(".freshet"));
    // One that was killed while it built holds nothing up: no process has this id.
    Files.createSymbolicLink(tree.resolve(".freshet/building"), Path.of("99999999"));
    Process one = start(tree.resolve("freshet"));
    Process other = start(tree.resolve("freshet"));
    runsFrom(tree, output(one));
    runsFrom(tree, output(other));
    assertThat(builds()).isOne();
  }

  private static void command(String... command) throws Exception {
    assertThat(new ProcessBuilder(command).inheritIO().start().waitFor()).isZero();
  }
}
