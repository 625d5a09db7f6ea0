package dev.freshet.core.events;

import java.util.Collection;
import java.util.List;
import java.util.TreeMap;

/** How far each partition has been read, in order of topic and partition. */
public final class SourcePositions {

  private record Partition(String topic, int number) implements Comparable<Partition> {
    @Override
    public int compareTo(Partition other) {
      int byTopic = topic.compareTo(other.topic);
      return byTopic != 0 ? byTopic : Integer.compare(number, other.number);
    }
  }

  private final TreeMap<Partition, SourcePosition> positions = new TreeMap<>();

  /** Takes a position in; what was read stays read. */
  public void add(SourcePosition position) {
    positions.merge(
        new Partition(position.topic(), position.partition()), position, SourcePosition::and);
  }

  public void addAll(Collection<SourcePosition> more) {
    more.forEach(this::add);
  }

  /** One for each partition. */
  public List<SourcePosition> list() {
    return List.copyOf(positions.values());
  }

  public void clear() {
    positions.clear();
  }
}
