package dev.freshet.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class ModelServerTest {

  private record Ran(int code, String out, String err) {}

  private static Ran run(String... args) {
    PrintStream out = System.out;
    PrintStream err = System.err;
    ByteArrayOutputStream printed = new ByteArrayOutputStream();
    ByteArrayOutputStream errors = new ByteArrayOutputStream();
    try {
      System.setOut(new PrintStream(printed, true, StandardCharsets.UTF_8));
      System.setErr(new PrintStream(errors, true, StandardCharsets.UTF_8));
      int code = ModelServer.run(args);
      return new Ran(
          code, printed.toString(StandardCharsets.UTF_8), errors.toString(StandardCharsets.UTF_8));
    } finally {
      System.setOut(out);
      System.setErr(err);
    }
  }

  @Test
  void takesTheOptionsOfServeWithoutTheWord() {
    Ran help = run("--help");
    assertThat(help.code).isZero();
    assertThat(help.out)
        .startsWith("Usage: freshet-server")
        .contains("--pipeline=", "--model=", "--host=", "--port=", "--state-dir=", "--token-file=");
    assertThat(run("--version").out).startsWith("freshet-server 0");
  }

  @Test
  void tellsWhatIsWrongAsTheCommandLineDoes() {
    Ran misspelt = run("--prot=1");
    assertThat(misspelt.code).isEqualTo(2);
    assertThat(misspelt.err)
        .isEqualToIgnoringNewLines("Unknown option '--prot'; did you mean '--port'?");
    Ran missing = run("--pipeline=nowhere.yaml");
    assertThat(missing.code).isEqualTo(2);
    assertThat(missing.err).contains("--pipeline: 'nowhere.yaml': no such file");
  }
}
