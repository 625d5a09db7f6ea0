package dev.freshet.experiments.simulator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.freshet.core.events.EventReader;
import dev.freshet.core.labels.DroppedEvent;
import dev.freshet.core.labels.LabelJoin;
import dev.freshet.core.labels.LabeledExample;
import dev.freshet.core.labels.PendingImpression;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.PipelineFile;
import dev.freshet.core.pipeline.SystemTopic;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class SimulatorTest {

  private final Pipeline pipeline;

  SimulatorTest() throws IOException {
    pipeline = PipelineFile.read(Path.of("..", "pipelines", "shop.yaml"));
  }

  private List<SimulatedMessage> messages(long seed, long impressions) {
    Simulator simulator = new Simulator(pipeline, SimulatorSettings.defaults(seed, 2));
    List<SimulatedMessage> messages = new ArrayList<>();
    for (var m = simulator.next(impressions); m != null; m = simulator.next(impressions)) {
      messages.add(m);
    }
    return messages;
  }

  @Test
  void equalSeedsGiveEqualMessagesInTheOrderOfArrival() {
    List<SimulatedMessage> messages = messages(7, 2000);
    assertThat(messages).usingRecursiveFieldByFieldElementComparator().isEqualTo(messages(7, 2000));
    assertThat(messages).isSorted();
    assertThat(new String(messages(8, 10).get(0).value(), StandardCharsets.UTF_8))
        .isNotEqualTo(new String(messages.get(0).value(), StandardCharsets.UTF_8));
  }

  /** What it says is the truth is: over many impressions, predicted and real sums agree. */
  @Test
  void theTruthIsTrue() {
    EventReader reader = pipeline.eventReader();
    LabelJoin join = new LabelJoin(pipeline.tasks(), pipeline.labels(), false);
    Map<String, PendingImpression> states = new HashMap<>();
    double[] predicted = new double[3];
    double[] variance = new double[3];
    double[] actual = new double[3];
    int[] rejected = new int[1];
    int[] dropped = new int[1];
    LabelJoin.Output output =
        new LabelJoin.Output() {
          @Override
          public void example(LabeledExample example) {
            for (int task = 0; task < 3; task++) {
              if (example.labels()[task].isFinal()) {
                double p = example.impression().served().scores()[task];
                predicted[task] += p;
                variance[task] += p * (1 - p);
                actual[task] += example.labels()[task].value();
              }
            }
          }

          @Override
          public void dropped(DroppedEvent event) {
            dropped[0]++;
          }
        };
    for (SimulatedMessage message : messages(3, 100_000)) {
      PendingImpression state =
          states.computeIfAbsent(message.key(), key -> new PendingImpression(3));
      if (message.topic().equals(pipeline.topic(SystemTopic.IMPRESSIONS))) {
        var parsed = reader.impression(message.value());
        if (parsed.event() == null) {
          rejected[0]++;
        } else {
          join.onImpression(state, parsed.event(), Long.MIN_VALUE, output);
        }
      } else {
        var event = reader.feedback(message.value(), null).event();
        join.onFeedback(state, event, Long.MIN_VALUE, output);
      }
    }
    for (PendingImpression state : states.values()) {
      while (!state.finished()) {
        join.onTimer(state, join.nextMoment(state), output);
      }
    }
    for (int task = 0; task < 2; task++) {
      assertThat(actual[task] - predicted[task])
          .as("task %s: %s predicted, %s happened", task, predicted[task], actual[task])
          .isBetween(-4 * Math.sqrt(variance[task]), 4 * Math.sqrt(variance[task]));
    }
    assertThat(actual[2] / predicted[2]).isBetween(0.93, 1.07);
    assertThat(rejected[0]).isBetween(50, 150);
    assertThat(dropped[0]).isGreaterThan(500);
  }

  @Test
  void refusesPipelinesItCannotFeed() throws IOException {
    Pipeline hotel = PipelineFile.read(Path.of("..", "pipelines", "hotel.yaml"));
    assertThatThrownBy(() -> new Simulator(hotel, SimulatorSettings.defaults(1, 1)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("two binary tasks and a continuous one");
  }
}
