package dev.freshet.core.models.torch;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What makes a tensor in a script says on which device, or a GPU would find one of the host. */
class ScriptDevicesTest {

  private static final Path SCRIPTS = Path.of("src/main/resources/torchscript");
  private static final Pattern FACTORY =
      Pattern.compile(
          "torch\\.(zeros|ones|empty|full|arange|eye|rand\\w*|linspace|tensor|scalar_tensor)\\([^\\n]*");

  @Test
  void everyTensorIsMadeSomewhere() throws IOException {
    List<String> nowhere = new ArrayList<>();
    int made = 0;
    try (Stream<Path> files = Files.list(SCRIPTS)) {
      for (Path file : files.toList()) {
        Matcher each = FACTORY.matcher(Files.readString(file));
        while (each.find()) {
          made++;
          if (!each.group().contains("device=")) {
            nowhere.add(file.getFileName() + ": " + each.group());
          }
        }
      }
    }
    assertThat(made).isGreaterThan(3);
    assertThat(nowhere).as("tensors made on the host whatever the device").isEmpty();
  }
}
