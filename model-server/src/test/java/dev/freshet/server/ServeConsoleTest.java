package dev.freshet.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.freshet.replica.RefusalReason;
import dev.freshet.replica.Waiting;
import dev.freshet.replica.server.HeldBack;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class ServeConsoleTest {

  private Optional<String> notReady = Optional.empty();
  private final StringWriter text = new StringWriter();
  private final Clock clock = Clock.fixed(Instant.parse("2026-01-02T03:04:05Z"), ZoneOffset.UTC);
  private final ServeConsole console =
      new ServeConsole(new PrintWriter(text), clock, () -> notReady);

  private String said() {
    String all = text.toString().replaceAll("(?m)^03:04:05 ", "");
    text.getBuffer().setLength(0);
    return all;
  }

  @Test
  void saysEachThingOnce() {
    console.waiting(Waiting.BROKER, "no broker answers at x:1");
    console.waiting(Waiting.BROKER, "no broker answers at x:1");
    assertThat(said()).isEqualTo("Waits: no broker answers at x:1\n");
    console.waiting(Waiting.BROKER, "connection refused");
    assertThat(said()).isEqualTo("Waits: connection refused\n");
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

  @Test
  void saysWhyItIsNotReady() {
    notReady = Optional.of("version 9-7 was published 7200 s ago");
    console.version("9-7");
    console.waiting(Waiting.NOTHING, "");
    assertThat(said())
        .isEqualTo("Following, version 9-7\nNot ready: version 9-7 was published 7200 s ago\n");
    notReady = Optional.of("version 9-7 was published 7201 s ago");
    console.look(Optional.empty(), 750);
    assertThat(said()).isEmpty();
    console.version("9-8");
    notReady = Optional.empty();
    console.look(Optional.empty(), 750);
    console.look(Optional.empty(), 750);
    assertThat(said()).isEqualTo("Ready again, version 9-8\n");
  }

  @Test
  void saysWhatTheJobHoldsBackOnceForEachReason() {
    console.look(Optional.of(new HeldBack(1, 40, "no-label", "task click", 0)), Double.NaN);
    console.look(Optional.of(new HeldBack(2, 50, "no-label", "task click", 0)), Double.NaN);
    assertThat(said())
        .isEqualTo(
            "Held back: the job has held back 1 version, the last at step 40: no-label: task"
                + " click\n");
    console.version("9-7");
    console.look(Optional.of(new HeldBack(3, 60, "large-norm", "dense.a", 0)), 750);
    assertThat(said())
        .isEqualTo(
            "Held back: the job has held back 3 versions, the last at step 60: large-norm:"
                + " dense.a; in use is 9-7, published 12m 30s ago\n");
    console.look(Optional.empty(), 750);
    console.look(Optional.empty(), 750);
    assertThat(said()).isEqualTo("The job publishes versions again\n");
  }
}
