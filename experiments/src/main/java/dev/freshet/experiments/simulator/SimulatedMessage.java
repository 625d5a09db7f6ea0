package dev.freshet.experiments.simulator;

/**
 * A message on its way to Kafka.
 *
 * @param arrival simulated time at which it reaches the broker
 * @param order breaks ties, so that a seed gives one order
 */
public record SimulatedMessage(long arrival, long order, String topic, String key, byte[] value)
    implements Comparable<SimulatedMessage> {

  @Override
  public int compareTo(SimulatedMessage other) {
    int byArrival = Long.compare(arrival, other.arrival);
    return byArrival != 0 ? byArrival : Long.compare(order, other.order);
  }
}
