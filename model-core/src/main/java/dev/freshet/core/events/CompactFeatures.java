package dev.freshet.core.events;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Features in the fewest bytes from which their keys can still be made; {@code
 * features.FeatureEncoder} owns the layout. What waits for weeks in keyed state waits like this.
 */
public record CompactFeatures(byte[] bytes) implements Features {

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof CompactFeatures that && Arrays.equals(bytes, that.bytes);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(bytes);
  }

  @Override
  public String toString() {
    return "CompactFeatures[" + bytes.length + " bytes]";
  }
}
