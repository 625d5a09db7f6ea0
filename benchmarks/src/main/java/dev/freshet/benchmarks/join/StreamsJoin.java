package dev.freshet.benchmarks.join;

import java.time.Duration;
import java.util.Locale;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.LongAdder;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.JoinWindows;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.StreamJoined;
import org.apache.kafka.streams.state.BuiltInDslStoreSuppliers;

/**
 * The windowed left join of Kafka Streams on {@link KafkaEvents}, in a process of its own, whose
 * RocksDB is another than Flink's: {@code bootstrap store folder impressions window-ms grace-ms}.
 * Messages are joined as they are, not parsed, and nothing is written to a changelog: it is spared
 * what would cost more. Prints seconds by the wall's clock and of the processors, and how many
 * pairs and lone impressions came out.
 */
public final class StreamsJoin {

  private StreamsJoin() {}

  public static void main(String[] args) throws Exception {
    String store = args[1];
    long impressions = Long.parseLong(args[3]);
    Properties settings = new Properties();
    settings.put(StreamsConfig.APPLICATION_ID_CONFIG, "join-" + System.nanoTime());
    settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, args[0]);
    settings.put(StreamsConfig.STATE_DIR_CONFIG, args[2]);
    settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 1);
    settings.put("auto.offset.reset", "earliest");
    if (store.equals("memory")) {
      settings.put(
          StreamsConfig.DSL_STORE_SUPPLIERS_CLASS_CONFIG,
          BuiltInDslStoreSuppliers.InMemoryDslStoreSuppliers.class);
    }
    CountDownLatch read = new CountDownLatch(1);
    LongAdder told = new LongAdder();
    StreamsBuilder builder = new StreamsBuilder();
    var consumed = Consumed.with(Serdes.String(), Serdes.ByteArray());
    long[] number = {0};
    KStream<String, byte[]> shown =
        builder.stream(KafkaEvents.SHOWN, consumed)
            .peek(
                (id, value) -> {
                  if (Stretch.passed(number[0]++, impressions)) {
                    read.countDown();
                  }
                });
    shown
        .leftJoin(
            builder.stream(KafkaEvents.CLICKS, consumed),
            (impression, click) -> click == null ? 0 : 1,
            JoinWindows.ofTimeDifferenceAndGrace(
                    Duration.ofMillis(Long.parseLong(args[4])),
                    Duration.ofMillis(Long.parseLong(args[5])))
                .before(Duration.ZERO),
            StreamJoined.with(Serdes.String(), Serdes.ByteArray(), Serdes.ByteArray())
                .withLoggingDisabled())
        .foreach((id, clicked) -> told.increment());
    try (KafkaStreams streams = new KafkaStreams(builder.build(settings), settings)) {
      streams.setUncaughtExceptionHandler(
          failure -> {
            failure.printStackTrace();
            Runtime.getRuntime().halt(1);
            return null;
          });
      streams.start();
      read.await();
    }
    // The other process reads this, whatever is a decimal point here.
    System.out.printf(
        Locale.ROOT, "%f %f %d%n", Stretch.wallSeconds(), Stretch.processorSeconds(), told.sum());
  }
}
