package dev.freshet.benchmarks.join;

import dev.freshet.core.events.Feedback;
import dev.freshet.core.events.Impression;
import dev.freshet.job.codec.CodecTypeInfo;
import java.io.IOException;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.streaming.api.functions.co.KeyedCoProcessFunction;
import org.apache.flink.util.Collector;

/**
 * A left join as one would write it by hand: an impression waits for its window's end, whatever
 * comes before. Only right where clicks come in order and behind their impressions.
 */
final class LeftJoinFunction extends KeyedCoProcessFunction<String, Impression, Feedback, Boolean> {

  private transient ValueState<Impression> waiting;
  private transient ValueState<Boolean> clicked;

  @Override
  public void open(OpenContext context) {
    waiting =
        getRuntimeContext()
            .getState(new ValueStateDescriptor<>("waiting", CodecTypeInfo.IMPRESSION));
    clicked = getRuntimeContext().getState(new ValueStateDescriptor<>("clicked", Types.BOOLEAN));
  }

  @Override
  public void processElement1(Impression impression, Context context, Collector<Boolean> out)
      throws IOException {
    waiting.update(impression);
    context
        .timerService()
        .registerEventTimeTimer(impression.eventTime() + JoinEvents.WINDOW.toMillis());
  }

  @Override
  public void processElement2(Feedback click, Context context, Collector<Boolean> out)
      throws IOException {
    clicked.update(true);
  }

  @Override
  public void onTimer(long time, OnTimerContext context, Collector<Boolean> out)
      throws IOException {
    if (waiting.value() != null) {
      out.collect(clicked.value() != null);
    }
    waiting.clear();
    clicked.clear();
  }
}
