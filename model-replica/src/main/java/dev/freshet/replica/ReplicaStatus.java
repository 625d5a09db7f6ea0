package dev.freshet.replica;

import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Status of a replica, for listeners, metrics and in its log. Thread-safe. */
final class ReplicaStatus {

  private static final Logger LOG = LoggerFactory.getLogger(ReplicaStatus.class);

  private final String model;
  private final String topic;
  private final String bootstrap;
  private final List<ReplicaListener> listeners = new CopyOnWriteArrayList<>();
  private final Map<RefusalReason, Long> refused = new EnumMap<>(RefusalReason.class);

  /** When the topic was last known to be read to its end, {@link System#nanoTime}. */
  private volatile OptionalLong readUpTo = OptionalLong.empty();

  private volatile ModelReplica.State state;
  private @Nullable String lastRefusal;

  ReplicaStatus(String model, ModelTopic topic) {
    this.model = model;
    this.topic = "topic " + topic.name();
    bootstrap = topic.bootstrap();
    state =
        new ModelReplica.State(
            Waiting.END, this.topic + " at " + bootstrap + " has not been looked at yet");
  }

  void listen(ReplicaListener listener) {
    listeners.add(listener);
  }

  List<ReplicaListener> listeners() {
    return listeners;
  }

  ModelReplica.State state() {
    return state;
  }

  void waitFor(Waiting what) {
    String detail =
        switch (what) {
          case BROKER -> "no broker answers at " + bootstrap;
          case TOPIC -> topic + " does not exist";
          case PARTITION ->
              topic
                  + " has no partition of model "
                  + model
                  + ": no job that trains it has been started";
          case END -> topic + " is being read";
          case VERSION -> topic + " holds no version of " + usable();
          default -> "";
        };
    waitFor(what, detail);
  }

  private String usable() {
    String none = "model " + model + " that can be used";
    return lastRefusal == null ? none : none + "; the last one was refused: " + lastRefusal;
  }

  void waitFor(Waiting what, String detail) {
    ModelReplica.State next = new ModelReplica.State(what, detail);
    if (next.equals(state)) {
      return;
    }
    state = next;
    if (what == Waiting.NOTHING || what == Waiting.END) {
      LOG.debug("Model {}: {} {}", model, what, detail);
    } else {
      LOG.warn("Model {} waits: {}", model, detail);
    }
    listeners.forEach(listener -> listener.waiting(what, detail));
  }

  void refuse(RefusalReason reason, String detail) {
    LOG.warn("Model {}: {} refused: {}", model, reason.label(), detail);
    lastRefusal = reason.label() + ", " + detail;
    synchronized (refused) {
      refused.merge(reason, 1L, Long::sum);
    }
    listeners.forEach(listener -> listener.refused(reason, detail));
  }

  Map<RefusalReason, Long> refused() {
    synchronized (refused) {
      return Map.copyOf(refused);
    }
  }

  /** Everything that was on the topic at a time, {@link System#nanoTime}, has been read. */
  void readUpTo(long time) {
    readUpTo = OptionalLong.of(time);
  }

  /** Seconds since then; NaN before the first time. */
  double lagSeconds() {
    OptionalLong upTo = readUpTo;
    return upTo.isPresent() ? (System.nanoTime() - upTo.getAsLong()) / 1e9 : Double.NaN;
  }
}
