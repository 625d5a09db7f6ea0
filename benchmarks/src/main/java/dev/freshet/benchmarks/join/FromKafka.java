package dev.freshet.benchmarks.join;

import java.nio.file.Path;
import java.util.Locale;

/** What joins events that it reads from Kafka. */
enum FromKafka {
  FRESHET_HASHMAP {
    @Override
    KafkaJoin.Seconds run(Path folder, String bootstrap, long impressions) throws Exception {
      return KafkaJoin.freshet(JoinTimes.environment("hashmap", folder), bootstrap, impressions);
    }
  },

  FRESHET_ROCKSDB {
    @Override
    KafkaJoin.Seconds run(Path folder, String bootstrap, long impressions) throws Exception {
      return KafkaJoin.freshet(JoinTimes.environment("rocksdb", folder), bootstrap, impressions);
    }
  },

  STREAMS_MEMORY {
    @Override
    KafkaJoin.Seconds run(Path folder, String bootstrap, long impressions) throws Exception {
      return KafkaJoin.streams("memory", folder, bootstrap, impressions);
    }
  },

  STREAMS_ROCKSDB {
    @Override
    KafkaJoin.Seconds run(Path folder, String bootstrap, long impressions) throws Exception {
      return KafkaJoin.streams("rocksdb", folder, bootstrap, impressions);
    }
  };

  abstract KafkaJoin.Seconds run(Path folder, String bootstrap, long impressions) throws Exception;

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
