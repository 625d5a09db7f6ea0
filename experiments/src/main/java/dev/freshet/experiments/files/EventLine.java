package dev.freshet.experiments.files;

import java.util.Arrays;

/**
 * A message of a file.
 *
 * @param bytes of JSON in UTF-8
 * @param number the line in which it begins, or its row where there are no lines, from 1 on
 * @param tooLong true if there is more of it, which is not kept
 */
public record EventLine(byte[] bytes, long number, boolean tooLong) {

  /** Of which so many bytes are kept. */
  static EventLine of(byte[] bytes, long number, int longest) {
    boolean tooLong = bytes.length > longest;
    return new EventLine(tooLong ? Arrays.copyOf(bytes, longest) : bytes, number, tooLong);
  }
}
