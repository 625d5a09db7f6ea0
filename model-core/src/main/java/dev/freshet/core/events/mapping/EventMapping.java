package dev.freshet.core.events.mapping;

import static dev.freshet.core.settings.InvalidValueException.check;

import dev.freshet.core.settings.Option;
import java.io.Serializable;
import java.time.DateTimeException;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Where in a message the pieces of an event are. What is not said is where {@link
 * dev.freshet.core.events.EventReader} looks for it, unless the preset says it. Expressions are of
 * jq 1.7; one with several results stands for the list of them, one with none for nothing.
 *
 * @param when which messages hold such events; all without it
 * @param each makes several events of a message; the other expressions are applied to each result,
 *     and to them {@code $message} is the whole message
 */
public record EventMapping(
    @Option(
            value = "A layout that is widely used, whose keys need not be written",
            fallback = Option.ABSENT)
        @Nullable EventPresets preset,
    @Option(
            value =
                "Which messages are such events: a jq expression that is true for them; all others"
                    + " are passed over and counted",
            fallback = Option.ABSENT)
        @Nullable String when,
    @Option(
            value =
                "jq expression whose results are an event each, such as `.items[]`; the others are"
                    + " applied to them, and `$message` is the whole message",
            fallback = Option.ABSENT)
        @Nullable String each,
    @Option(value = "The impression's id; default `.impression_id`", fallback = Option.ABSENT)
        @Nullable String impressionId,
    @Option(
            value =
                "Of feedback: what tells two events of an impression apart; default `.event_id`",
            fallback = Option.ABSENT)
        @Nullable String eventId,
    @Option(value = "When it was; default `.event_time`", fallback = Option.ABSENT)
        @Nullable String eventTime,
    @Option(
            value = "Unit of times that are numbers since 1970; default `milliseconds`",
            fallback = Option.ABSENT)
        @Nullable TimeUnits timeUnit,
    @Option(
            value = "Zone of times that name none, such as `Europe/Berlin` or `UTC`",
            fallback = Option.ABSENT)
        @Nullable String timeZone,
    @Option(
            value =
                "Pattern of times that are no ISO-8601, such as `dd.MM.yyyy HH:mm` (the letters of"
                    + " Java's DateTimeFormatter)",
            fallback = Option.ABSENT)
        @Nullable String timePattern,
    @Option(
            value =
                "Of feedback: the amount of a continuous task (default `.value`), or of a binary one"
                    + " whether it happened (default: it did); texts that are JSON numbers, true and"
                    + " false are read as numbers",
            fallback = Option.ABSENT)
        @Nullable String value,
    @Option(
            value =
                "Of impressions: the object that has the feature fields by their names, `.` for the"
                    + " message itself; default `.features`",
            fallback = Option.ABSENT)
        @Nullable String features,
    @Option(value = "Of impressions: feature fields that are elsewhere", fallback = "")
        Map<String, String> fields,
    @Option(value = "Of impressions: what was served; default `.served`", fallback = Option.ABSENT)
        @Nullable String served)
    implements Serializable {

  private static final String JQ = "a jq expression such as .user.id";

  public EventMapping {
    fields = new TreeMap<>(fields);
    jq("when", when);
    jq("each", each);
    jq("impression-id", impressionId);
    jq("event-id", eventId);
    jq("event-time", eventTime);
    jq("value", value);
    jq("features", features);
    jq("served", served);
    fields.forEach((field, text) -> jq("fields." + field, text));
    check(
        timeZone == null || works(() -> TimeMapping.zone(timeZone)),
        "time-zone",
        timeZone,
        "a zone such as Europe/Berlin, UTC or +02:00");
    check(
        timePattern == null || works(() -> DateTimeFormatter.ofPattern(timePattern, Locale.ROOT)),
        "time-pattern",
        timePattern,
        "a pattern such as dd.MM.yyyy HH:mm");
  }

  private static void jq(String key, @Nullable String text) {
    if (text != null) {
      JqExpression.fault(text).ifPresent(fault -> check(false, key, text, JQ + " (" + fault + ")"));
    }
  }

  private static boolean works(Runnable made) {
    try {
      made.run();
      return true;
    } catch (DateTimeException | IllegalArgumentException e) {
      return false;
    }
  }

  /** True if what tells whether and when it happened, and of what value, names something so. */
  public boolean tellsBy(String name) {
    Pattern word = Pattern.compile("(?<![\\w-])" + Pattern.quote(name) + "(?![\\w-])");
    return Stream.of(when, eventTime, value, served)
        .anyMatch(text -> text != null && word.matcher(text).find());
  }

  /** The expression of a key: its own, the preset's, or the default. */
  JqExpression expression(String key, @Nullable String own, String fallback) {
    return JqExpression.of(said(key, own, fallback));
  }

  private String said(String key, @Nullable String own, String fallback) {
    String usual = preset == null ? null : preset.says(key);
    return own != null ? own : usual != null ? usual : fallback;
  }

  TimeMapping times() {
    String zone = said("time-zone", timeZone, "");
    TimeUnits usual = preset == null ? TimeUnits.MILLISECONDS : preset.unit();
    return new TimeMapping(
        timeUnit == null ? usual : timeUnit,
        zone.isEmpty() ? null : TimeMapping.zone(zone),
        timePattern == null ? null : DateTimeFormatter.ofPattern(timePattern, Locale.ROOT));
  }
}
