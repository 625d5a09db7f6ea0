package dev.freshet.core.codec;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class TextsTest {

  @Test
  void neverCutsACharacterInTwo() {
    String smile = "\ud83d\ude00";
    assertThat(Texts.cut(smile.repeat(3), 3)).isEqualTo(smile.repeat(3));
    assertThat(Texts.cut(smile.repeat(4), 3)).isEqualTo(smile.repeat(3) + "...");
    assertThat(Texts.cut("", 3)).isEmpty();
  }

  @Test
  void whatSteersATerminalIsBlank() {
    assertThat(Texts.line("a\nb\u001b[2Jc\u009bd\u2028e\u0000", 64)).isEqualTo("a b [2Jc d e ");
    assertThat(Texts.line("\u00e9 \ud83d\ude00 \u4e2d", 64))
        .isEqualTo("\u00e9 \ud83d\ude00 \u4e2d");
  }
}
