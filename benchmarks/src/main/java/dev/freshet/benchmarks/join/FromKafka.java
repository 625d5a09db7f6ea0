package dev.freshet.benchmarks.join;

import java.nio.file.Path;
import java.util.Locale;

/** What joins events that it reads from Kafka. */
enum FromKafka {
  FRESHET_HASHMAP("hashmap", false),
  FRESHET_ROCKSDB("rocksdb", false),
  STREAMS_MEMORY("memory", true),
  STREAMS_ROCKSDB("rocksdb", true);

  private final String store;
  private final boolean streams;

  FromKafka(String store, boolean streams) {
    this.store = store;
    this.streams = streams;
  }

  KafkaJoin.Seconds run(Path folder, String bootstrap, long impressions) throws Exception {
    return streams
        ? KafkaJoin.streams(store, folder, bootstrap, impressions)
        : KafkaJoin.freshet(JoinTimes.environment(store, folder), bootstrap, impressions);
  }

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
