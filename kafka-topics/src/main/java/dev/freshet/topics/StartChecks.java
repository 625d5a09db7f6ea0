package dev.freshet.topics;

import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.settings.Problems;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.common.KafkaException;

/**
 * What is looked at before a job is submitted, so that a job which is accepted also runs: brokers,
 * topics, their partitions and settings, permissions, transactions.
 */
public final class StartChecks {

  private StartChecks() {}

  /**
   * Checks everything.
   *
   * @param source what to call the pipeline in the message
   * @throws dev.freshet.core.settings.InvalidSettingsException with every problem
   */
  public static void run(Pipeline pipeline, String source) throws InterruptedException {
    Problems problems = new Problems();
    ClientProperties.check(pipeline, problems);
    problems.throwIfAny(source);
    try (TopicAdmin topics = new TopicAdmin(pipeline)) {
      topics.check(problems);
    } catch (ExecutionException e) {
      problems.add("kafka", pipeline.kafka().bootstrap(), "brokers that answer: " + e.getCause());
    } catch (KafkaException e) {
      // A client that cannot even be made; its message may repeat the properties.
      if (String.valueOf(root(e).getMessage()).contains("bootstrap")) {
        problems.add(
            "kafka.bootstrap", pipeline.kafka().bootstrap(), "hosts whose names can be resolved");
      } else {
        problems.add(
            "kafka.properties",
            "(not shown)",
            "settings that clients start with: " + root(e).getClass().getSimpleName());
      }
    }
    problems.throwIfAny(source);
  }

  private static Throwable root(Throwable failure) {
    Throwable root = failure;
    while (root.getCause() != null) {
      root = root.getCause();
    }
    return root;
  }

  /**
   * Checks everything, and gives each model its partition.
   *
   * @return the partition of each model
   * @throws dev.freshet.core.settings.InvalidSettingsException with every problem
   */
  public static Map<String, Integer> runAndClaim(Pipeline pipeline, String source)
      throws InterruptedException {
    run(pipeline, source);
    return ModelPartitions.claim(pipeline);
  }
}
