package dev.freshet.local.sample;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;

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
      throw new NothingFoundException("no message is an impression" + held(sample));
    }
    if (sample.fields().isEmpty()) {
      throw new NothingFoundException(
          "no impression has anything under `features`, where fields stand; the first has "
              + Refusal.named(sample.names())
              + Refusal.meant("features", sample.names()));
    }
    if (sample.events().isEmpty()) {
      throw new NothingFoundException(
          "no message is feedback, of which tasks are made" + held(sample));
    }
  }

  /** With what the sources hold instead. */
  static NothingFoundException with(String what, EventSample sample) {
    return new NothingFoundException(what + held(sample));
  }

  private static String held(EventSample sample) {
    StringWriter text = new StringWriter();
    try (PrintWriter out = new PrintWriter(text)) {
      out.println();
      sample.sources().forEach(source -> SampleReport.source(source, out));
      out.print(Refusal.LAYOUTS);
    }
    return text.toString();
  }
}
