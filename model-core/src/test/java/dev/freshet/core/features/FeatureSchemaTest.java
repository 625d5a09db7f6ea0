package dev.freshet.core.features;

import static org.assertj.core.api.Assertions.assertThat;

import dev.freshet.core.pipeline.TestingPipelines;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

class FeatureSchemaTest {

  private static final FeatureSchema SHOP = new FeatureSchema(TestingPipelines.shop().features());

  private static List<String> with(String part, String replacement) {
    return new FeatureSchema(TestingPipelines.shop(part, replacement).features()).described();
  }

  @Test
  void saysHowAnotherSchemaDiffers() {
    assertThat(SHOP.differencesFrom(with("edges: [1, 10, 100]", "edges: [1, 10, 200]")))
        .isEqualTo(
            "it has price: numeric, dim 4, edges [1.0, 10.0, 200.0];"
                + " here is price: numeric, dim 4, edges [1.0, 10.0, 100.0]");
    assertThat(SHOP.differencesFrom(with("name: price,", "name: cost,")))
        .contains("it has cost: ")
        .contains("here is price: ");
    List<String> turned = new ArrayList<>(SHOP.described());
    Collections.reverse(turned);
    assertThat(SHOP.differencesFrom(turned)).isEqualTo("they are in another order");
    assertThat(SHOP.differencesFrom(null)).isEqualTo("it does not say of which");
  }
}
