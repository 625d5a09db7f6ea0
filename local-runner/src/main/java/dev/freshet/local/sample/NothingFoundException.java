package dev.freshet.local.sample;

import java.io.IOException;
import java.util.List;

/**
 * There is no such source, or too little in a sample for a pipeline file; the message says what.
 */
public final class NothingFoundException extends IOException {

  private static final long serialVersionUID = 1L;

  NothingFoundException(String message) {
    super(message);
  }

  static void unlessDraftable(EventSample sample) throws NothingFoundException {
    if (sample.impressions() == 0) {
      throw new NothingFoundException("no message is an impression" + refusals(sample));
    }
    if (sample.fields().isEmpty()) {
      throw new NothingFoundException(
          "no impression has anything under `features`, where fields stand; the first has "
              + Refusal.named(sample.names())
              + Refusal.meant("features", sample.names()));
    }
    if (sample.events().isEmpty()) {
      throw new NothingFoundException(
          "no message is feedback, of which tasks are made" + refusals(sample));
    }
  }

  private static String refusals(EventSample sample) {
    List<String> first =
        sample.sources().stream()
            .flatMap(
                source ->
                    source.refused().values().stream()
                        .map(of -> "\n  " + source.name() + " " + of.sample()))
            .toList();
    return first.isEmpty()
        ? "; the sources hold nothing else"
        : "; the first that were refused:" + String.join("", first);
  }
}
