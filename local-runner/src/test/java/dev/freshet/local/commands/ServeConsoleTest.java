package dev.freshet.local.commands;

import static org.assertj.core.api.Assertions.assertThat;

import dev.freshet.replica.RefusalReason;
import dev.freshet.replica.Waiting;
import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;

class ServeConsoleTest {

  private final StringWriter text = new StringWriter();
  private final ServeConsole console = new ServeConsole(new PrintWriter(text));

  private String said() {
    String all = text.toString().replaceAll("(?m)^\\d\\d:\\d\\d(:\\d\\d)? ", "");
    text.getBuffer().setLength(0);
    return all;
  }

  @Test
  void saysEachThingOnce() {
    console.waiting(Waiting.BROKER, "no broker answers at x:1");
    console.waiting(Waiting.BROKER, "no broker answers at x:1");
    assertThat(said()).isEqualTo("Waits: no broker answers at x:1\n");
    console.waiting(Waiting.END, "models-0 is being read");
    console.refused(RefusalReason.BROKEN, "version 9-1 is refused: chunk 0 is missing");
    assertThat(said()).as("what compaction leaves").isEmpty();
    console.refused(RefusalReason.OTHER_SCHEMA, "version 9-2");
    console.refused(RefusalReason.OTHER_SCHEMA, "version 9-3");
    assertThat(said()).isEqualTo("Refused, other-schema: version 9-2\n");
    console.waiting(Waiting.VERSION, "models-0 holds no version");
    console.refused(RefusalReason.BROKEN, "version 9-4");
    console.waiting(Waiting.VERSION, "models-0 holds no version; 9-4 was refused");
    assertThat(said())
        .isEqualTo("Waits: models-0 holds no version\nRefused, broken: version 9-4\n");
  }

  @Test
  void saysWhenItIsReadyAndWhenItIsNotAnyMore() {
    console.waiting(Waiting.END, "");
    console.version("9-7");
    console.waiting(Waiting.NOTHING, "");
    assertThat(said()).isEqualTo("Ready, version 9-7\n");
    console.refused(RefusalReason.STORAGE, "version 9-8: no space");
    console.refused(RefusalReason.STORAGE, "version 9-8: no space");
    console.version("9-8");
    console.refused(RefusalReason.STORAGE, "version 9-9: no space");
    assertThat(said())
        .isEqualTo(
            "Refused, storage: version 9-8: no space\nRefused, storage: version 9-9: no space\n");
    console.waiting(Waiting.END, "");
    console.waiting(Waiting.NOTHING, "");
    assertThat(said()).as("read again for a pin").isEmpty();
    console.waiting(Waiting.BROKER, "no broker answers at x:1");
    console.waiting(Waiting.END, "");
    console.waiting(Waiting.NOTHING, "");
    assertThat(said()).isEqualTo("Waits: no broker answers at x:1\nFollowing again, version 9-8\n");
  }
}
