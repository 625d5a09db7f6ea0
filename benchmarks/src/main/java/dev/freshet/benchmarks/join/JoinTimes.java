package dev.freshet.benchmarks.join;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.freshet.benchmarks.Rounds;
import dev.freshet.benchmarks.Table;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.local.broker.EmbeddedBroker;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.LongAdder;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.configuration.StateBackendOptions;
import org.apache.flink.configuration.TaskManagerOptions;
import org.apache.flink.state.rocksdb.RocksDBConfigurableOptions;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.sink.v2.DiscardingSink;
import org.apache.flink.util.FileUtils;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * The job's label join in Flink, beside Flink's interval join, beside the least that a left join
 * needs, and beside a floor that joins nothing: the same events, one task slot, by turns.
 */
@Command(
    name = "./benchmarks/run join-peers",
    mixinStandardHelpOptions = true,
    description = {
      "The label join in Flink beside Flink's interval join, a bare left join and no join;",
      "and from Kafka beside Kafka Streams.",
      "docs/performance.md says what is measured."
    })
public final class JoinTimes implements Callable<Integer> {

  private static final LongAdder EMITTED = new LongAdder();

  @Option(names = "--impressions", description = "Of each run; by default ${DEFAULT-VALUE}.")
  private long impressions = 500_000;

  @Option(names = "--rounds", description = "Rounds, 5 or more; by default ${DEFAULT-VALUE}.")
  private int rounds = 5;

  @Option(
      names = "--state",
      split = ",",
      paramLabel = "BACKEND",
      description = "hashmap, rocksdb; by default both.")
  private List<String> backends = List.of("hashmap", "rocksdb");

  @Option(
      names = "--kafka",
      description = "Reads the events from a broker too, beside Kafka Streams' windowed left join.")
  private boolean kafka;

  @Option(names = "--json", paramLabel = "FILE", description = "Writes all figures to a file.")
  private @Nullable Path json;

  public static void main(String[] args) {
    System.exit(new CommandLine(new JoinTimes()).execute(args));
  }

  @Override
  public Integer call() throws Exception {
    if (rounds < 5) {
      refuse("--rounds: at least 5, or a median says little");
    }
    long window = JoinEvents.WINDOW.toMillis();
    if (impressions < 10 * window) {
      refuse("--impressions: at least " + 10 * window + ", or windows are not full when it counts");
    }
    if (!List.of("hashmap", "rocksdb").containsAll(backends)) {
      refuse("--state: hashmap or rocksdb, not " + backends);
    }
    System.out.println(
        Table.head(
            List.of(
                "state",
                "join",
                "k events/s",
                "k events/CPU-s",
                "CPU-us an event",
                "above floor",
                "of interval join")));
    Map<String, Map<String, List<Double>>> all = new LinkedHashMap<>();
    for (String backend : backends) {
      all.put(backend, measure(backend));
    }
    if (kafka) {
      System.out.println();
      all.put("kafka", measureFromKafka());
    }
    if (json != null) {
      Map<String, Object> figures = new LinkedHashMap<>();
      figures.put("benchmark", "join-peers");
      figures.put("impressions", impressions);
      figures.put("events", Stretch.events(impressions));
      figures.put("seconds", all);
      new ObjectMapper().writerWithDefaultPrettyPrinter().writeValue(json.toFile(), figures);
    }
    return 0;
  }

  private static String format(String pattern, Object... numbers) {
    return String.format(Locale.ROOT, pattern, numbers);
  }

  private void progress(String what, int round) {
    System.err.printf("%s: %s%n", what, round < 0 ? "warming up" : "round " + (round + 1));
  }

  private void refuse(String why) {
    throw new CommandLine.ParameterException(new CommandLine(this), why);
  }

  /** Seconds by contender, once by the wall's clock and once of the processors. */
  private Map<String, List<Double>> measure(String backend) throws Exception {
    Rounds seconds = new Rounds();
    for (int round = -1; round < rounds; round++) {
      progress(backend, round);
      for (Contender contender : Contender.values()) {
        run(contender, backend);
        // The first is there for the compilers.
        if (round >= 0) {
          seconds.add(contender + " wall", Stretch.wallSeconds());
          seconds.add(contender + " cpu", Stretch.processorSeconds());
        }
      }
    }
    for (Contender contender : Contender.values()) {
      System.out.println(Table.line(line(backend, contender, seconds)));
    }
    return seconds.all();
  }

  private List<String> line(String backend, Contender contender, Rounds seconds) {
    double events = Stretch.events(impressions);
    double cpu = seconds.median(contender + " cpu");
    List<String> line = new ArrayList<>(List.of(backend, contender.toString()));
    line.add(format("%.0f", events / seconds.median(contender + " wall") / 1000));
    line.add(format("%.0f", events / cpu / 1000));
    line.add(format("%.2f", cpu / events * 1e6));
    line.add(format("%.2f", (cpu - seconds.median(Contender.FLOOR + " cpu")) / events * 1e6));
    line.add(format("%.2f", seconds.ratio(Contender.INTERVAL_JOIN + " cpu", contender + " cpu")));
    return line;
  }

  private Map<String, List<Double>> measureFromKafka() throws Exception {
    Rounds seconds = new Rounds();
    Path folder = Files.createTempDirectory("join");
    try (EmbeddedBroker broker = EmbeddedBroker.start(folder.resolve("kafka"))) {
      KafkaEvents.write(broker.bootstrap(), impressions);
      for (int round = -1; round < rounds; round++) {
        progress("from Kafka", round);
        for (FromKafka join : FromKafka.values()) {
          Path state = Files.createDirectory(folder.resolve(join.toString() + round));
          KafkaJoin.Seconds one = join.run(state, broker.bootstrap(), impressions);
          // Windows that are still open, and what Kafka Streams keeps for a second, is not told.
          if (one.told() < impressions * 6 / 10) {
            throw new IOException("%s told only %,d".formatted(join, one.told()));
          }
          if (round >= 0) {
            seconds.add(join + " wall", one.wall());
            seconds.add(join + " cpu", one.cpu());
          }
        }
      }
    } finally {
      FileUtils.deleteDirectory(folder.toFile());
    }
    System.out.println(
        Table.head(List.of("from Kafka", "k events/s", "k events/CPU-s", "of streams-rocksdb")));
    double events = Stretch.events(impressions);
    for (FromKafka join : FromKafka.values()) {
      System.out.println(
          Table.line(
              List.of(
                  join.toString(),
                  format("%.0f", events / seconds.median(join + " wall") / 1000),
                  format("%.0f", events / seconds.median(join + " cpu") / 1000),
                  format(
                      "%.2f wall, %.2f CPU",
                      seconds.ratio(FromKafka.STREAMS_ROCKSDB + " wall", join + " wall"),
                      seconds.ratio(FromKafka.STREAMS_ROCKSDB + " cpu", join + " cpu")))));
    }
    return seconds.all();
  }

  private void run(Contender contender, String backend) throws Exception {
    Path folder = Files.createTempDirectory("join");
    try {
      EMITTED.reset();
      StreamExecutionEnvironment env = environment(backend, folder);
      Pipeline pipeline = JoinEvents.pipeline(contender.tasks());
      contender
          .join(JoinEvents.of(env, pipeline, impressions), pipeline)
          .map(
              one -> {
                EMITTED.increment();
                return one;
              })
          .sinkTo(new DiscardingSink<>());
      env.execute(contender.toString());
    } finally {
      FileUtils.deleteDirectory(folder.toFile());
    }
    if (EMITTED.sum() != contender.expected(impressions)) {
      throw new IOException(
          "%s emitted %,d, not %,d"
              .formatted(contender, EMITTED.sum(), contender.expected(impressions)));
    }
  }

  /** One slot. */
  static StreamExecutionEnvironment environment(String backend, Path folder) {
    Configuration conf = new Configuration();
    conf.set(TaskManagerOptions.NUM_TASK_SLOTS, 1);
    conf.set(TaskManagerOptions.MANAGED_MEMORY_SIZE, MemorySize.ofMebiBytes(512));
    conf.set(StateBackendOptions.STATE_BACKEND, backend);
    // As conf/config.yaml has it, for all that runs in Flink.
    conf.set(RocksDBConfigurableOptions.USE_BLOOM_FILTER, true);
    conf.setString("state.backend.rocksdb.localdir", folder.toString());
    StreamExecutionEnvironment env = StreamExecutionEnvironment.createLocalEnvironment(conf);
    env.setParallelism(1);
    env.getConfig().enableObjectReuse();
    return env;
  }
}
