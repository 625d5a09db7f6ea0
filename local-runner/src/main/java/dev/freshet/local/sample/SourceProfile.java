package dev.freshet.local.sample;

import com.fasterxml.jackson.databind.JsonNode;
import dev.freshet.core.events.Rejection;
import java.util.Map;
import java.util.TreeMap;

/** What was read from one file or topic. */
final class SourceProfile {

  /** Messages that were refused for one reason, and the first of them. */
  static final class Refusals {
    private long count;
    private String sample = "";

    long count() {
      return count;
    }

    /** Where it stands, and what is wrong with it. */
    String sample() {
      return sample;
    }
  }

  private final String name;
  private final Map<String, Long> feedback = new TreeMap<>();
  private final Map<String, Refusals> refused = new TreeMap<>();
  private final Disorder disorder = new Disorder();
  private long messages;
  private long passedOver;
  private long impressions;
  private boolean whole = true;

  SourceProfile(String name) {
    this.name = name;
  }

  /** One more message, whatever is in it. */
  void message() {
    messages++;
  }

  /** One more of which the pipeline's mappings make no event. */
  void passedOver() {
    passedOver++;
  }

  void impression(int lane, long time) {
    impressions++;
    disorder.add("impressions " + lane, time);
  }

  void feedback(String kind, int lane, long time) {
    feedback.merge(kind, 1L, Long::sum);
    disorder.add(kind + ' ' + lane, time);
  }

  /**
   * One more event that is none.
   *
   * @param message a missing node if it cannot be read
   */
  void refused(String place, Rejection why, JsonNode message) {
    String reason = why.reason().label();
    Refusals same = refused.computeIfAbsent(reason, r -> new Refusals());
    if (same.count++ == 0) {
      same.sample = place + ": " + Refusal.told(why, message).substring(reason.length() + 2);
    }
  }

  /** There is more than was read. */
  void cut() {
    whole = false;
  }

  String name() {
    return name;
  }

  long messages() {
    return messages;
  }

  /** Messages of which the pipeline's mappings make no event. */
  long allPassedOver() {
    return passedOver;
  }

  long impressions() {
    return impressions;
  }

  /** By kind. */
  Map<String, Long> feedback() {
    return feedback;
  }

  /** By reason. */
  Map<String, Refusals> refused() {
    return refused;
  }

  long allRefused() {
    return refused.values().stream().mapToLong(Refusals::count).sum();
  }

  Disorder disorder() {
    return disorder;
  }

  /** True if all that there is was read. */
  boolean whole() {
    return whole;
  }
}
