package dev.freshet.core.events;

/** The menu of event formats. */
public enum EventFormats {
  JSON {
    @Override
    public EventFormat create() {
      return new JsonEventFormat();
    }
  };

  public abstract EventFormat create();
}
