package dev.freshet.training.publishing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.freshet.core.features.EncodedExample;
import dev.freshet.core.features.FeatureEncoder;
import dev.freshet.core.features.FeatureField;
import dev.freshet.core.features.TestingExamples;
import dev.freshet.core.labels.TaskLabel;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.TestingPipelines;
import dev.freshet.training.ModelTrainer;
import dev.freshet.training.TrainerSnapshot;
import dev.freshet.training.publishing.PublishingGate.Reason;
import dev.freshet.training.publishing.PublishingGate.Refusal;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The gate's view of fields that were never there and tasks that never had an outcome. */
class LearntFromNothingTest {

  private static final int BATCH = 64;
  private static final long YEAR = 365 * 24 * 3_600_000L;
  private static final int CLICK = 0;
  private static final int PURCHASE = 1;

  private final Pipeline pipeline = TestingPipelines.shop();
  private ModelTrainer trainer = trainer();
  private int taught;

  private ModelTrainer trainer() {
    return new ModelTrainer(pipeline.context(pipeline.model("plain")), pipeline.training());
  }

  @AfterEach
  void close() {
    trainer.close();
  }

  private void teach(int batches, UnaryOperator<EncodedExample> change) {
    for (int i = 0; i < batches; i++) {
      trainer.process(
          TestingExamples.settled(pipeline, BATCH, taught++).stream().map(change).toList());
    }
  }

  /** A job that goes on from a checkpoint. */
  private void restart() throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    TrainerSnapshot.write(trainer, TrainerSnapshot.Surroundings.none(1), bytes);
    trainer.close();
    trainer = trainer();
    TrainerSnapshot.read(trainer, new ByteArrayInputStream(bytes.toByteArray()));
  }

  private static Optional<Refusal> check(ModelTrainer trainer, String gate) {
    Pipeline of =
        TestingPipelines.shop("training:", "publishing: {gate: {" + gate + "}}\ntraining:");
    PublishingGate fresh = new PublishingGate(of.publishing().gate());
    fresh.check(trainer, false, 0);
    return fresh.check(trainer, false, YEAR);
  }

  private void passes(String gate) {
    assertThat(check(trainer, gate)).isEmpty();
  }

  private void refused(Reason reason, String detail) {
    // A norm that is too large, which a year excuses, must not excuse this.
    for (String gate : List.of("", "max-norm: 0.001")) {
      assertThat(check(trainer, gate))
          .hasValueSatisfying(
              refusal -> {
                assertThat(refusal.reason()).isEqualTo(reason);
                assertThat(refusal.detail()).contains(detail);
                assertThat(refusal.forced()).isFalse();
              });
    }
  }

  private UnaryOperator<EncodedExample> without(String... names) {
    return example -> {
      EncodedExample stripped = example;
      for (String name : names) {
        stripped = without(stripped, name);
      }
      return stripped;
    };
  }

  private EncodedExample without(EncodedExample example, String name) {
    List<FeatureField> fields = pipeline.schema().fields();
    int field = 0;
    while (!fields.get(field).name().equals(name)) {
      field++;
    }
    long[] keys = example.keys().clone();
    for (int i = example.starts()[field]; i < example.starts()[field + 1]; i++) {
      keys[i] = FeatureEncoder.absentKey(fields.get(field));
    }
    return new EncodedExample(
        example.id(),
        example.eventTime(),
        example.holdout(),
        keys,
        example.starts(),
        example.labels(),
        example.served());
  }

  /** No outcome of a task, nor of those behind it. */
  private static UnaryOperator<EncodedExample> never(int first) {
    return example -> {
      TaskLabel[] labels = example.labels().clone();
      for (int task = first; task < labels.length; task++) {
        TaskLabel label = labels[task].withValue(0);
        labels[task] =
            task == first
                ? label
                : new TaskLabel(label.kind(), 0, label.weight(), label.elapsed(), -1, false);
      }
      return example.withLabels(labels);
    };
  }

  private static EncodedExample heldOut(EncodedExample example) {
    return new EncodedExample(
        example.id(),
        example.eventTime(),
        true,
        example.keys(),
        example.starts(),
        example.labels(),
        example.served());
  }

  @Test
  void whatHadEveryFieldAndOutcomePasses() {
    teach(10, UnaryOperator.identity());
    passes("");
  }

  @Test
  void aFieldThatWasNeverThereHoldsBackUntilItIs() {
    teach(1, without("price"));
    refused(Reason.ABSENT_FIELD, "field price was absent in all 64 examples learnt");
    teach(30, without("price"));
    refused(Reason.ABSENT_FIELD, "field price was absent in all 1984 examples learnt");
    passes("require-fields: false");
    // One example of a batch is enough.
    int last = taught;
    long one = TestingExamples.settled(pipeline, BATCH, last).get(5).id();
    teach(1, example -> example.id() == one ? example : without(example, "price"));
    passes("");
    teach(5, without("price"));
    passes("");
  }

  @Test
  void everyFieldThatWasNeverThereIsNamed() {
    teach(2, without("tags", "user"));
    refused(Reason.ABSENT_FIELD, "fields tags, user were absent in all 128 examples");
  }

  @Test
  void whatIsHeldOutTeachesNothing() {
    teach(2, without("user"));
    teach(2, LearntFromNothingTest::heldOut);
    refused(Reason.ABSENT_FIELD, "field user was absent in all 128 examples");
  }

  @Test
  void absenceIsKnownAfterARestart() throws IOException {
    teach(2, without("item"));
    restart();
    refused(Reason.ABSENT_FIELD, "field item was absent in all 128 examples");
    teach(1, without("item"));
    refused(Reason.ABSENT_FIELD, "field item was absent in all 192 examples");
    teach(1, UnaryOperator.identity());
    restart();
    teach(3, without("item"));
    passes("");
  }

  @Test
  void aTaskWithoutAnOutcomeHoldsBackOnceThatCanBeTold() throws IOException {
    teach(7, never(CLICK));
    passes("");
    passes("require-labels: 449");
    assertThat(check(trainer, "require-labels: 448"))
        .hasValueSatisfying(r -> assertThat(r.reason()).isEqualTo(Reason.NO_LABEL));
    restart();
    teach(1, never(CLICK));
    refused(Reason.NO_LABEL, "task click has had no positive in 512 final labels");
    passes("require-labels: 0");
    teach(1, UnaryOperator.identity());
    passes("");
    restart();
    teach(20, never(CLICK));
    passes("");
  }

  /** Without clicks nobody can know of purchases. */
  @Test
  void ofALaterTaskOnlyLabelsThatCouldBeAYesCount() {
    teach(10, never(PURCHASE));
    long clicks = trainer.evidence().fruitless().get(0).labels();
    assertThat(clicks).isBetween(100L, 400L);
    passes("");
    teach(40, never(PURCHASE));
    refused(Reason.NO_LABEL, "task purchase has had no positive in ");
    assertThat(trainer.evidence().fruitless().get(0).labels()).isBetween(500L, 2000L);
  }

  @Test
  void anAmountIsAnOutcomeToo() {
    teach(100, example -> example.withLabels(noAmount(example.labels())));
    refused(Reason.NO_LABEL, "task revenue has had no amount in ");
  }

  private static TaskLabel[] noAmount(TaskLabel[] labels) {
    TaskLabel[] other = labels.clone();
    other[2] = other[2].withValue(0);
    return other;
  }
}
