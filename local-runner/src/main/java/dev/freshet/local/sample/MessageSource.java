package dev.freshet.local.sample;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** Messages of a file or of a topic, in its order. */
public interface MessageSource extends AutoCloseable {

  /**
   * A message.
   *
   * @param bytes null for one without a body
   * @param place where it stands, for people
   * @param lane messages of one are in order among themselves: a topic's partition
   * @param tooLong true if there is more of it, which was not read
   */
  record Message(byte @Nullable [] bytes, String place, int lane, boolean tooLong) {}

  /** The file's path, or the topic's name. */
  String name();

  /** The next one, or null after the last. */
  @Nullable Message next() throws IOException;

  /** False if there is more behind the last one, which did not come. */
  default boolean whole() {
    return true;
  }

  @Override
  void close() throws IOException;
}
