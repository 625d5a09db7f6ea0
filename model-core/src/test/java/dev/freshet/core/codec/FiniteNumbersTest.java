package dev.freshet.core.codec;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

class FiniteNumbersTest {

  private record Fields(double large, float small) {}

  @Test
  void numbersAreNumbersOrNull() throws JsonProcessingException {
    Map<String, Object> all = new LinkedHashMap<>();
    all.put("nan", Double.NaN);
    all.put("infinite", Float.NEGATIVE_INFINITY);
    all.put("fields", new Fields(Double.POSITIVE_INFINITY, Float.NaN));
    all.put("sound", new Fields(Double.MAX_VALUE, 0.1f));
    assertThat(FiniteNumbers.mapper().writeValueAsString(all))
        .isEqualTo(
            "{\"nan\":null,\"infinite\":null,\"fields\":{\"large\":null,\"small\":null},"
                + "\"sound\":{\"large\":1.7976931348623157E308,\"small\":0.1}}");
  }
}
