package dev.freshet.core.events;

import org.jspecify.annotations.Nullable;

/** Either an event or the reason why there is none; the other one is null. */
public record Parsed<T>(@Nullable T event, @Nullable Rejection rejection) {

  public static <T> Parsed<T> of(T event) {
    return new Parsed<>(event, null);
  }

  public static <T> Parsed<T> rejected(Rejection rejection) {
    return new Parsed<>(null, rejection);
  }
}
