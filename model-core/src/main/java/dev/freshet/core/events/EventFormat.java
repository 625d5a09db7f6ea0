package dev.freshet.core.events;

import java.io.Serializable;

/** Turns the bytes of a message into an event, or says why not. Never throws on bad input. */
public interface EventFormat extends Serializable {

  Parsed<Impression> impression(byte[] message);

  /**
   * @param topicKind the kind that the topic stands for, or null where the message must say it
   */
  Parsed<Feedback> feedback(byte[] message, String topicKind);

  /** What this instance found in the feature fields of the impressions that it was given. */
  FieldCounts fieldCounts();
}
