package dev.freshet.training;

import dev.freshet.core.events.FieldCounts;
import dev.freshet.core.features.EncodedExample;
import dev.freshet.core.network.Network;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.IntStream;

/**
 * The part of a batch that the network is given. The rest is scored against what was predicted for
 * its impressions before, and teaches nothing.
 *
 * @param size of the whole batch
 * @param places of the part in the batch, ascending
 */
record WorkedBatch(int size, int[] places) {

  static WorkedBatch of(List<EncodedExample> batch, Predicate<EncodedExample> worked) {
    int[] places =
        IntStream.range(0, batch.size()).filter(i -> worked.test(batch.get(i))).toArray();
    return new WorkedBatch(batch.size(), places);
  }

  /** How many are only scored. */
  int others() {
    return size - places.length;
  }

  /** The part of a batch of this size. */
  List<EncodedExample> of(List<EncodedExample> batch) {
    return others() == 0 ? batch : IntStream.of(places).mapToObj(batch::get).toList();
  }

  /**
   * Hands the part to a network.
   *
   * @param learnt true if an example's keys count as sightings
   * @param fields counts the fields that are missing in it
   */
  void gather(
      Network network,
      List<EncodedExample> batch,
      Predicate<EncodedExample> learnt,
      FieldCounts fields) {
    if (places.length > 0) {
      List<EncodedExample> part = of(batch);
      network.gather(part, learnt);
      part.forEach(example -> fields.impression());
      network.eachMissing((example, field, kind) -> fields.add(field, kind));
    }
  }

  /** Predictions for the part, which was gathered: [example][task], in the model's scale. */
  float[][] predict(Network network) {
    return places.length == 0 ? new float[0][] : network.predict(places.length);
  }

  /** Predictions for the part, at the places of the whole batch; null elsewhere. */
  float[][] spread(float[][] predictions) {
    if (others() == 0) {
      return predictions;
    }
    float[][] all = new float[size][];
    for (int i = 0; i < places.length; i++) {
      all[places[i]] = predictions[i];
    }
    return all;
  }
}
