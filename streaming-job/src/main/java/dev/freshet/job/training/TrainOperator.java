package dev.freshet.job.training;

import dev.freshet.core.codec.LayoutException;
import dev.freshet.core.events.SourcePosition;
import dev.freshet.core.events.SourcePositions;
import dev.freshet.core.features.EncodedExample;
import dev.freshet.core.models.ModelDefinition;
import dev.freshet.core.models.torch.TorchDevice;
import dev.freshet.core.network.ModelContext;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.PublishingSettings;
import dev.freshet.core.pipeline.TrainingSettings;
import dev.freshet.core.snapshot.Manifest;
import dev.freshet.core.snapshot.ModelRecord;
import dev.freshet.core.snapshot.ModelVersion;
import dev.freshet.job.codec.CodecTypeInfo;
import dev.freshet.job.events.DeadLetter;
import dev.freshet.job.events.DeadLetterCodec;
import dev.freshet.training.LeftOutReason;
import dev.freshet.training.ModelTrainer;
import dev.freshet.training.TrainerSnapshot;
import dev.freshet.training.TrainerSnapshot.Surroundings;
import dev.freshet.training.publishing.Lineage;
import dev.freshet.training.publishing.PublishingGate;
import dev.freshet.training.publishing.SnapshotWriter;
import dev.freshet.training.reproduction.TrainingLog;
import java.io.InputStream;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledFuture;
import org.apache.flink.api.common.operators.MailboxExecutor;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.java.functions.KeySelector;
import org.apache.flink.runtime.execution.SuppressRestartsException;
import org.apache.flink.runtime.state.StateInitializationContext;
import org.apache.flink.runtime.state.StatePartitionStreamProvider;
import org.apache.flink.runtime.state.StateSnapshotContext;
import org.apache.flink.streaming.api.operators.AbstractStreamOperator;
import org.apache.flink.streaming.api.operators.BoundedMultiInput;
import org.apache.flink.streaming.api.operators.TwoInputStreamOperator;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.util.OutputTag;
import org.apache.flink.util.function.ThrowingRunnable;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Trains one model, at parallelism 1, and publishes its versions.
 *
 * <p>A step runs on a worker thread while the task thread gathers the next batch; there is never
 * more than one step under way, its result comes back through the mailbox, and the worker is idle
 * whenever state is written. Before a checkpoint's barrier the weights go into the transactional
 * sink chained behind this operator: nothing is processed between that and the snapshot, so a
 * version equals the training state of its checkpoint, and is visible exactly if this completes.
 *
 * <p>The second input says how far the events have been read; its news comes before the barrier, so
 * a version names exactly what its checkpoint's sources have read.
 *
 * <p>State is raw operator state, because list state restores at under 2 MB/s, but for the
 * embedding rows: these are in keyed state, so that a checkpoint writes those that changed. Keys
 * are {@link RowState}'s; elements are all of one.
 */
public final class TrainOperator extends AbstractStreamOperator<ModelRecord>
    implements TwoInputStreamOperator<EncodedExample, SourcePosition, ModelRecord>,
        BoundedMultiInput {

  /** Where the records of the metrics topic leave. */
  public static final OutputTag<String> METRICS = new OutputTag<>("metrics", Types.STRING);

  /** Where the training log leaves, if the pipeline wants one. */
  public static final OutputTag<ModelRecord> LOG =
      new OutputTag<>("training-log", CodecTypeInfo.MODEL_RECORD);

  /** Where examples leave that could not be learnt. */
  public static final OutputTag<DeadLetter> LEFT_OUT =
      new OutputTag<>(
          "left-out", new CodecTypeInfo<>(DeadLetter.class, new DeadLetterCodec(), true));

  /** All elements have one key: Flink wants one where there is keyed state. */
  public record OneKey<T>() implements KeySelector<T, Long> {
    @Override
    public Long getKey(T element) {
      return 0L;
    }
  }

  private static final Logger LOGGER = LoggerFactory.getLogger(TrainOperator.class);
  private static final long REPORT_MILLIS = 1000;

  private final Pipeline pipeline;
  private final ModelContext context;
  private final TrainingSettings training;
  private final PublishingSettings publishing;

  private transient TrainerState kept;
  private transient MailboxExecutor mailbox;
  private transient StepWorker worker;
  private transient Clock clock;
  private transient ModelTrainer trainer;
  private transient SnapshotWriter writer;
  private transient PublishingGate gate;
  private transient @Nullable TrainingLog log;
  private transient LeftOutExamples leftOut;
  private transient TrainerReport report;
  private transient LastPublished last;
  private transient List<EncodedExample> batch;

  /** Examples in all batches before this one. */
  private transient long taken;

  private transient @Nullable ScheduledFuture<?> flush;
  private transient SourcePositions sources;
  private transient long watermark;
  private transient int openInputs;
  private transient boolean stepping;
  private transient long run;
  private transient int checkpoints;
  private transient long publishedStep;

  public TrainOperator(Pipeline pipeline, ModelDefinition model) {
    this.pipeline = pipeline;
    context = pipeline.context(model);
    training = pipeline.training();
    publishing = pipeline.publishing();
  }

  @Override
  public void setMailboxExecutor(MailboxExecutor executor) {
    super.setMailboxExecutor(executor);
    mailbox = executor;
  }

  @Override
  public void initializeState(StateInitializationContext state) throws Exception {
    super.initializeState(state);
    clock = Clock.systemUTC();
    trainer = new ModelTrainer(context, training, device());
    writer = new SnapshotWriter(pipeline);
    gate = new PublishingGate(publishing.gate());
    log =
        pipeline.trainingLogTopic() == null
            ? null
            : new TrainingLog(context.model().name(), publishing.chunk());
    leftOut = new LeftOutExamples(pipeline, context.model().name());
    batch = new ArrayList<>();
    sources = new SourcePositions();
    watermark = Long.MIN_VALUE;
    openInputs = 2;
    publishedStep = -1;
    run = clock.instant().getEpochSecond();
    kept = new TrainerState(state, this::setCurrentKey, context);
    last = kept.last(clock);
    try {
      restore(state);
    } catch (LayoutException e) {
      throw new SuppressRestartsException(e);
    }
    taken = trainer.examples();
  }

  private void restore(StateInitializationContext state) throws Exception {
    kept.requireShape();
    kept.keepRows(trainer);
    for (StatePartitionStreamProvider part : state.getRawOperatorStateInputs()) {
      try (InputStream in = part.getStream()) {
        Surroundings around = TrainerSnapshot.read(trainer, in);
        kept.keepRows(trainer);
        batch.addAll(around.batch());
        writer.restore(around.slots());
        sources.addAll(around.sources());
        watermark = around.watermark();
        // Two runs never share an id, even if the clock went back.
        run = Math.max(run, around.run() + 1);
        gate.restored(trainer);
        LOGGER.info("Model {} goes on from step {}", context.model().name(), trainer.steps());
      }
    }
  }

  private TorchDevice device() {
    int place = pipeline.models().indexOf(context.model());
    return GpuOffer.of(getRuntimeContext())
        .choose(training.device(), context.model().name(), place);
  }

  @Override
  public void open() throws Exception {
    super.open();
    worker = new StepWorker(context.model().name());
    report = new TrainerReport(pipeline.pipeline(), trainer, run, last, clock, getMetricGroup());
    emitReport();
  }

  @Override
  public void processElement1(StreamRecord<EncodedExample> record) throws Exception {
    batch.add(record.getValue());
    if (batch.size() >= training.batchAfter(taken)) {
      startStep();
    } else if (flush == null && !training.maxWait().isZero()) {
      long at =
          getProcessingTimeService().getCurrentProcessingTime() + training.maxWait().toMillis();
      flush = getProcessingTimeService().registerTimer(at, time -> startStep());
    }
  }

  @Override
  public void processElement2(StreamRecord<SourcePosition> record) {
    sources.add(record.getValue());
  }

  @Override
  public void processWatermark(Watermark mark) throws Exception {
    // The end of all time, at a drain, says nothing of events, and outlasts it in the state.
    if (mark.getTimestamp() != Long.MAX_VALUE) {
      watermark = Math.max(watermark, mark.getTimestamp());
    }
    super.processWatermark(mark);
  }

  private void startStep() throws InterruptedException {
    cancelFlush();
    if (batch.isEmpty()) {
      return;
    }
    awaitStep();
    List<EncodedExample> full = batch;
    batch = new ArrayList<>();
    long before = trainer.examples();
    taken = before + full.size();
    if (log != null) {
      log.batch(run, before, full, this::emitLog);
    }
    stepping = true;
    worker.execute(() -> step(full));
  }

  private void step(List<EncodedExample> full) {
    long start = System.nanoTime();
    ThrowingRunnable<Exception> end;
    try {
      trainer.process(full);
      gate.scored(trainer.scored());
      long nanos = System.nanoTime() - start;
      String why = trainer.leftOut();
      end = () -> stepDone(nanos, full, why);
    } catch (Throwable failure) {
      end = () -> stepFailed(failure);
    }
    try {
      mailbox.execute(end, "step");
    } catch (RejectedExecutionException e) {
      LOGGER.debug("The task was cancelled while it took a step", e);
    }
  }

  private void stepDone(long nanos, List<EncodedExample> learnt, @Nullable String why) {
    stepping = false;
    if (why != null) {
      for (EncodedExample example : learnt) {
        DeadLetter letter = leftOut.letter(example, LeftOutReason.SKIPPED_BATCH, why);
        output.collect(LEFT_OUT, new StreamRecord<>(letter));
      }
      report.leftOut(LeftOutReason.SKIPPED_BATCH, learnt.size());
    }
    report.stepTook(nanos);
    if (report.age() >= REPORT_MILLIS) {
      emitReport();
    }
  }

  private void stepFailed(Throwable failure) throws Exception {
    stepping = false;
    if (failure instanceof Error error) {
      throw error;
    }
    throw (Exception) failure;
  }

  private void awaitStep() throws InterruptedException {
    while (stepping) {
      mailbox.yield();
    }
  }

  private void cancelFlush() {
    if (flush != null) {
      flush.cancel(false);
      flush = null;
    }
  }

  private void emitReport() {
    output.collect(METRICS, new StreamRecord<>(report.refresh()));
  }

  private void emitLog(ModelRecord record) {
    output.collect(LOG, new StreamRecord<>(record));
  }

  @Override
  public void prepareSnapshotPreBarrier(long checkpointId) throws Exception {
    awaitStep();
    checkpoints++;
    // After the end, whose version was the last, nothing may be emitted any more.
    if (openInputs > 0 && checkpoints >= publishing.everyCheckpoints()) {
      publish();
    }
  }

  private void publish() {
    if (trainer.steps() == 0 || trainer.steps() == publishedStep) {
      return;
    }
    checkpoints = 0;
    Optional<PublishingGate.Refusal> wrong =
        gate.check(trainer, writer.hasParent(), clock.millis());
    boolean forced = wrong.isPresent() && wrong.get().forced();
    if (wrong.isPresent()) {
      LOGGER.warn(
          "Model {} at step {} is {}: {}",
          context.model().name(),
          trainer.steps(),
          forced
              ? "announced nevertheless, the version in use is older than "
                  + publishing.gate().maxAge()
              : "not announced",
          wrong.get().detail());
      report.refused(wrong.get(), trainer.steps());
      if (!forced) {
        emitReport();
        return;
      }
    }
    ModelVersion version = new ModelVersion(run, trainer.steps());
    Manifest manifest =
        writer.write(
            trainer,
            version,
            new Lineage(sources.list(), watermark == Long.MIN_VALUE ? null : watermark),
            clock.millis(),
            record -> output.collect(new StreamRecord<>(record)));
    if (log != null && !manifest.isDelta()) {
      log.state(run, trainer, this::emitLog);
    }
    gate.announced(trainer, forced, clock.millis());
    publishedStep = trainer.steps();
    report.published(manifest);
    emitReport();
  }

  @Override
  public void snapshotState(StateSnapshotContext state) throws Exception {
    super.snapshotState(state);
    kept.update(report.last());
    var out = state.getRawOperatorStateOutput();
    out.startNewPartition();
    kept.saveRows();
    TrainerSnapshot.writeWithoutRows(
        trainer, new Surroundings(run, batch, writer.state(), sources.list(), watermark), out);
  }

  /** The newest version's time and step. */
  LastPublished lastPublished() {
    return report.last();
  }

  @Override
  public void endInput(int input) throws Exception {
    openInputs--;
    if (openInputs > 0) {
      return;
    }
    startStep();
    awaitStep();
    // The sink behind commits with the final checkpoint whatever is emitted up to here.
    publish();
    emitReport();
  }

  @Override
  public void close() throws Exception {
    cancelFlush();
    if (worker != null) {
      worker.close();
    }
    if (trainer != null) {
      trainer.close();
    }
    super.close();
  }
}
