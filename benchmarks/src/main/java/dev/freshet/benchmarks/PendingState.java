package dev.freshet.benchmarks;

import dev.freshet.core.events.Feedback;
import dev.freshet.core.events.Impression;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.PipelineFile;
import dev.freshet.job.codec.CodecTypeInfo;
import dev.freshet.job.features.CompactFunction;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.Stream;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.configuration.StateBackendOptions;
import org.apache.flink.configuration.TaskManagerOptions;
import org.apache.flink.core.execution.JobClient;
import org.apache.flink.state.rocksdb.RocksDBConfigurableOptions;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.sink.v2.DiscardingSink;

/**
 * How much memory, disk and time it takes to hold many pending impressions on RocksDB: the job's
 * label join at parallelism 2, with a window so long that all impressions wait at once; then the
 * end of the input closes all windows. Ids are UUIDs; one click for every fiftieth impression.
 *
 * <p>{@code ./benchmarks/run pending [impressions] [folder]}. Prints the process's peak of resident
 * memory, native memory included.
 */
public final class PendingState {

  private static final int CLICK_EVERY = 50;
  private static final LongAdder SHOWN = new LongAdder();
  private static final LongAdder TOLD = new LongAdder();

  private static final String PIPELINE =
      """
      pipeline: pending
      tasks:
        - {name: click, kind: binary, window: 30d}
        - {name: purchase, kind: binary, window: 30d}
      """;

  private PendingState() {}

  public static void main(String[] args) throws Exception {
    long impressions = args.length > 0 ? Long.parseLong(args[0]) : 10_000_000;
    Path folder = args.length > 1 ? Path.of(args[1]) : Files.createTempDirectory("pending");
    Configuration conf = new Configuration();
    conf.set(TaskManagerOptions.NUM_TASK_SLOTS, 2);
    conf.set(TaskManagerOptions.MANAGED_MEMORY_SIZE, MemorySize.ofMebiBytes(768));
    conf.set(StateBackendOptions.STATE_BACKEND, "rocksdb");
    // As conf/config.yaml has it; -Dpending.bloom-filter=false shows what it saves.
    conf.set(
        RocksDBConfigurableOptions.USE_BLOOM_FILTER,
        !"false".equals(System.getProperty("pending.bloom-filter")));
    conf.set(CheckpointingOptions.LOCAL_BACKUP_ENABLED, false);
    conf.setString("state.backend.rocksdb.localdir", folder.toString());
    StreamExecutionEnvironment env = StreamExecutionEnvironment.createLocalEnvironment(conf);
    env.setParallelism(2);
    env.getConfig().enableObjectReuse();
    build(env, PipelineFile.parse(PIPELINE + JoinImpressions.FIELDS, "benchmark"), impressions);
    long start = System.nanoTime();
    JobClient job = env.executeAsync("pending state");
    watch(job, impressions, folder, start);
  }

  private static void build(StreamExecutionEnvironment env, Pipeline pipeline, long impressions) {
    // The sources' numbers are dealt out in two halves, each in order: so are the event times.
    long half = Math.max(1, impressions / 2);
    DataStream<Impression> shown =
        env.fromSequence(0, impressions - 1)
            .map(n -> JoinImpressions.of(n, JoinImpressions.START + n % half))
            .returns(CodecTypeInfo.IMPRESSION)
            .assignTimestampsAndWatermarks(
                WatermarkStrategy.<Impression>forBoundedOutOfOrderness(Duration.ofMinutes(1))
                    .withTimestampAssigner((impression, time) -> impression.eventTime()))
            .map(new CompactFunction(pipeline.schema()))
            .returns(CodecTypeInfo.IMPRESSION)
            .map(
                impression -> {
                  SHOWN.increment();
                  return impression;
                })
            .returns(CodecTypeInfo.IMPRESSION);
    DataStream<Feedback> clicks =
        env.fromSequence(0, impressions / CLICK_EVERY - 1)
            .map(n -> n * CLICK_EVERY)
            .map(n -> click(n, JoinImpressions.START + n % half + 1000))
            .returns(CodecTypeInfo.FEEDBACK)
            .assignTimestampsAndWatermarks(
                WatermarkStrategy.<Feedback>forBoundedOutOfOrderness(Duration.ofMinutes(1))
                    .withTimestampAssigner((click, time) -> click.eventTime()));
    JoinImpressions.labelled(shown, clicks, pipeline)
        .map(
            example -> {
              TOLD.increment();
              return example;
            })
        .returns(CodecTypeInfo.LABELED)
        .sinkTo(new DiscardingSink<>());
  }

  private static Feedback click(long n, long time) {
    return new Feedback(JoinImpressions.id(n), "c", 0, time, 1);
  }

  private static void watch(JobClient job, long impressions, Path folder, long start)
      throws Exception {
    var result = job.getJobExecutionResult();
    boolean full = false;
    while (!result.isDone()) {
      Thread.sleep(1000);
      if (!full && SHOWN.sum() == impressions) {
        full = true;
        double seconds = (System.nanoTime() - start) / 1e9;
        System.out.printf(
            "%,d pending after %.0f s, %,.0f a second; peak memory %,d MB; RocksDB %,d MB%n",
            impressions, seconds, impressions / seconds, peakMegabytes(), diskMegabytes(folder));
        start = System.nanoTime();
      }
    }
    result.get();
    double seconds = (System.nanoTime() - start) / 1e9;
    System.out.printf(
        "%,d labels told in %.0f s; peak memory %,d MB; told %s%n",
        TOLD.sum(),
        seconds,
        peakMegabytes(),
        TOLD.sum() == 2 * impressions ? "as many as expected" : "ANOTHER NUMBER THAN EXPECTED");
  }

  private static long peakMegabytes() throws IOException {
    try (Stream<String> lines = Files.lines(Path.of("/proc/self/status"))) {
      return lines
              .filter(line -> line.startsWith("VmHWM:"))
              .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
              .sum()
          / 1024;
    }
  }

  private static long diskMegabytes(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      return files.filter(Files::isRegularFile).mapToLong(PendingState::size).sum() >> 20;
    } catch (UncheckedIOException e) {
      return -1; // RocksDB deleted a file meanwhile
    }
  }

  private static long size(Path file) {
    try {
      return Files.size(file);
    } catch (IOException gone) {
      return 0;
    }
  }
}
