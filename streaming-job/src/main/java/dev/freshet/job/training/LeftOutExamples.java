package dev.freshet.job.training;

import dev.freshet.core.features.EncodedExample;
import dev.freshet.core.labels.ExampleJson;
import dev.freshet.core.labels.Task;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.job.events.DeadLetter;
import dev.freshet.training.LeftOutReason;
import java.nio.charset.StandardCharsets;

/** Makes dead letters of the examples of one model that taught it nothing. */
public final class LeftOutExamples {

  private final String model;
  private final ExampleJson json;

  public LeftOutExamples(Pipeline pipeline, String model) {
    this.model = model;
    json = new ExampleJson(pipeline.impressionFields(), pipeline.tasks());
  }

  /**
   * The letter of one example, with its labels as they came.
   *
   * @param why in words: step, task
   */
  public DeadLetter letter(EncodedExample example, LeftOutReason reason, String why) {
    return new DeadLetter(
        example.impression().getBytes(StandardCharsets.UTF_8),
        json.write(example.impression(), example.eventTime(), example.labels()),
        reason.label(),
        why,
        Task.EXAMPLE,
        "",
        "",
        -1,
        -1,
        model);
  }
}
