package dev.freshet.topics;

import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.settings.Problems;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.function.Consumer;
import org.apache.kafka.common.KafkaException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What is looked at before a job is submitted, so that a job which is accepted also runs: brokers,
 * topics, their partitions and settings, permissions, transactions.
 */
public final class StartChecks {

  private static final Logger LOG = LoggerFactory.getLogger(StartChecks.class);

  private StartChecks() {}

  /**
   * Checks everything.
   *
   * @param source what to call the pipeline in the message
   * @return what keeps no job from running, and should be known
   * @throws NoBrokerException if brokers cannot be reached or do not let this client in
   * @throws dev.freshet.core.settings.InvalidSettingsException with every problem
   */
  public static List<String> run(Pipeline pipeline, String source) throws InterruptedException {
    return run(pipeline, source, problems -> {});
  }

  private static List<String> run(Pipeline pipeline, String source, Consumer<Problems> more)
      throws InterruptedException {
    Problems problems = new Problems();
    List<String> warnings = new ArrayList<>();
    ClientProperties.check(pipeline, problems);
    boolean canConnect = problems.found().isEmpty();
    more.accept(problems);
    if (canConnect) {
      try {
        checkTopics(pipeline, problems, warnings);
      } catch (NoBrokerException e) {
        if (problems.found().isEmpty()) {
          throw e;
        }
        problems.add("kafka.bootstrap", pipeline.kafka().bootstrap(), e.getMessage());
      }
    }
    problems.throwIfAny(source);
    return warnings;
  }

  private static void checkTopics(Pipeline pipeline, Problems problems, List<String> warnings)
      throws InterruptedException {
    Brokers.require(pipeline);
    try (TopicAdmin topics = new TopicAdmin(pipeline)) {
      topics.check(problems, warnings);
    } catch (ExecutionException e) {
      throw new NoBrokerException(Brokers.afterwards(pipeline, e.getCause()));
    } catch (KafkaException e) {
      throw new NoBrokerException(Brokers.afterwards(pipeline, e));
    }
  }

  /**
   * Checks everything, logs warnings, and gives each model its partition.
   *
   * @param more adds what else is wrong with a start, so that all is told at once
   * @return the partition of each model
   * @throws NoBrokerException if brokers cannot be reached or do not let this client in
   * @throws dev.freshet.core.settings.InvalidSettingsException with every problem
   */
  public static Map<String, Integer> runAndClaim(
      Pipeline pipeline, String source, Consumer<Problems> more) throws InterruptedException {
    for (String warning : run(pipeline, source, more)) {
      LOG.warn("{}", warning);
    }
    return ModelPartitions.claim(pipeline);
  }
}
