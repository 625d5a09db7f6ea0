package dev.freshet.core.events;

import java.util.List;

/** The menu of event formats. */
public enum EventFormats {
  JSON {
    @Override
    public EventFormat create(ImpressionFields fields, List<FeedbackKind> kinds) {
      return new JsonEventFormat(fields, kinds);
    }
  };

  /**
   * @param kinds the kinds of feedback, in the order of the tasks
   */
  public abstract EventFormat create(ImpressionFields fields, List<FeedbackKind> kinds);
}
