package dev.freshet.job.events;

import dev.freshet.core.events.RejectReason;
import dev.freshet.job.MetricNames;
import dev.freshet.job.codec.CodecTypeInfo;
import java.io.Serializable;
import java.util.HashMap;
import java.util.Map;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.streaming.api.functions.ProcessFunction;
import org.apache.flink.util.Collector;
import org.apache.flink.util.OutputTag;

/** Takes a source's events apart: events go on, dead letters to the side, both are counted. */
public final class SplitRejected<T extends Serializable>
    extends ProcessFunction<SourceEvent<T>, T> {

  /** Where dead letters leave. */
  public static final OutputTag<DeadLetter> DEAD_LETTERS =
      new OutputTag<>(
          "dead-letters", new CodecTypeInfo<>(DeadLetter.class, new DeadLetterCodec(), true));

  private transient Counter accepted;
  private transient Map<String, Counter> rejected;

  @Override
  public void open(OpenContext context) {
    MetricGroup group = getRuntimeContext().getMetricGroup().addGroup(MetricNames.EVENTS);
    accepted = group.counter(MetricNames.ACCEPTED);
    rejected = new HashMap<>();
    for (RejectReason reason : RejectReason.values()) {
      rejected.put(reason.label(), group.addGroup(MetricNames.REJECTED).counter(reason.label()));
    }
  }

  @Override
  public void processElement(SourceEvent<T> event, Context context, Collector<T> out) {
    if (event.event() != null) {
      accepted.inc();
      out.collect(event.event());
    } else {
      rejected.get(event.rejected().reason()).inc();
      context.output(DEAD_LETTERS, event.rejected());
    }
  }
}
