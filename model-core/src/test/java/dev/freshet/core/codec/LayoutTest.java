package dev.freshet.core.codec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.freshet.core.settings.CodeVersion;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;

class LayoutTest {

  private static final Layout LAYOUT = new Layout("freshet.test", 3, 5);

  private static DataInputStream in(String hex) {
    return new DataInputStream(new ByteArrayInputStream(HexFormat.of().parseHex(hex)));
  }

  @Test
  void aHeaderIsMagicNameAndVersion() throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    LAYOUT.writeHeader(new DataOutputStream(bytes));
    String hex = HexFormat.of().formatHex(bytes.toByteArray());
    assertThat(hex).isEqualTo("46525348" + "0c" + "667265736865742e74657374" + "05");
    assertThat(LAYOUT.readHeader(in(hex), 0)).isEqualTo(5);
    assertThat(LAYOUT.readHeader(in(hex.substring(0, hex.length() - 2) + "04"), 0)).isEqualTo(4);
  }

  @Test
  void whatIsTooNewSaysWhatToDo() {
    assertThatThrownBy(() -> LAYOUT.readVersion(in("06")))
        .isInstanceOf(LayoutTooNewException.class)
        .hasMessageStartingWith(
            "freshet.test has version 6, and Freshet " + CodeVersion.CURRENT + " reads 3 to 5")
        .hasMessageContaining("Run that one or a newer one");
    assertThatThrownBy(() -> new Layout("freshet.test", 1).check(2))
        .isInstanceOf(LayoutTooNewException.class)
        .hasMessageContaining("reads 1 alone");
  }

  @Test
  void whatIsTooOldSaysWhatToDo() {
    assertThatThrownBy(() -> LAYOUT.readVersion(in("02")))
        .isInstanceOf(LayoutTooOldException.class)
        .hasMessageStartingWith("freshet.test has version 2")
        .hasMessageContaining("a Freshet of between");
  }

  /** What was written before there were headers begins with its version. */
  @Test
  void bareVersionsAreReadUpToTheLast() throws IOException {
    assertThat(LAYOUT.readHeader(in("04"), 4)).isEqualTo(4);
    assertThatThrownBy(() -> LAYOUT.readHeader(in("02"), 4))
        .isInstanceOf(LayoutTooOldException.class);
    assertThatThrownBy(() -> LAYOUT.readHeader(in("05"), 4))
        .isExactlyInstanceOf(IOException.class)
        .hasMessage("these bytes are no freshet.test: they begin with 5");
  }

  @Test
  void otherBytesAreNotTakenForIts() throws IOException {
    ByteArrayOutputStream other = new ByteArrayOutputStream();
    new Layout("freshet.other", 4).writeHeader(new DataOutputStream(other));
    String hex = HexFormat.of().formatHex(other.toByteArray());
    assertThatThrownBy(() -> LAYOUT.readHeader(in(hex), 0))
        .isExactlyInstanceOf(IOException.class)
        .hasMessage("these bytes are no freshet.test but a freshet.other");
    assertThatThrownBy(() -> LAYOUT.readHeader(in("46525347" + "0c"), 0))
        .hasMessageContaining("do not begin with its header");
    assertThatThrownBy(() -> LAYOUT.readVersion(in("00")))
        .isExactlyInstanceOf(IOException.class)
        .hasMessageContaining("0 is no version");
  }

  @Test
  void aVersionIsNeverTakenForTheMagic() {
    assertThatThrownBy(() -> new Layout("freshet.test", 'F'))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
