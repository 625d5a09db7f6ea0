package dev.freshet.training;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class Bfloat16Test {

  @ParameterizedTest
  @CsvSource({
    "flags\t\t: fpu avx2 avx512f avx512_bf16 vl, false",
    "flags\t\t: fpu avx512f amx_bf16 amx_tile, false",
    "Features\t: fp asimd bf16 i8mm, false",
    "flags\t\t: fpu avx2 avx512f, true",
    "Features\t: fp asimd, true",
    "model name\t: no bf16, false"
  })
  void isSlowWhereTheProcessorHasNoInstructionsForIt(String line, boolean slow) {
    assertThat(Bfloat16.isSlow(List.of("processor\t: 0", line))).isEqualTo(slow);
  }
}
