package dev.freshet.core.events;

import static java.util.Objects.requireNonNull;

import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Either an event or the reason why there is none; the other one is null. */
public record Parsed<T>(@Nullable T event, @Nullable Rejection rejection) {

  public static <T> Parsed<T> of(T event) {
    return new Parsed<>(event, null);
  }

  public static <T> Parsed<T> rejected(Rejection rejection) {
    return new Parsed<>(null, rejection);
  }

  /** What comes of the event, or the same rejection. */
  public <R> Parsed<R> then(Function<T, Parsed<R>> next) {
    return event == null ? rejected(requireNonNull(rejection)) : next.apply(event);
  }
}
