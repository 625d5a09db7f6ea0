package dev.freshet.core.events;

/** The bytes of a message are none of the format of its topic. Costs no stack trace. */
public final class UnreadableMessageException extends Exception {

  private static final long serialVersionUID = 1L;

  private final transient Rejection rejection;

  public UnreadableMessageException(Rejection rejection) {
    super(rejection.toString(), null, false, false);
    this.rejection = rejection;
  }

  /** The reason, for a dead letter. */
  public Rejection rejection() {
    return rejection;
  }
}
