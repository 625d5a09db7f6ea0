package dev.freshet.topics;

import static java.util.Objects.requireNonNull;

import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.settings.Problems;
import dev.freshet.topics.ModelPartitions.Claim;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.function.Consumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.InterruptException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Checks before a job is submitted, so that a job which is accepted also runs: brokers, topics,
 * their partitions and settings, permissions, transactions.
 */
public final class StartChecks {

  private static final Logger LOG = LoggerFactory.getLogger(StartChecks.class);

  private StartChecks() {}

  /**
   * Checks everything.
   *
   * @param source name of the pipeline in the message
   * @return warnings: faults that keep no job from running
   * @throws NoBrokerException if brokers cannot be reached or do not let this client in
   * @throws dev.freshet.core.settings.InvalidSettingsException with every problem
   */
  public static List<String> run(Pipeline pipeline, String source) throws InterruptedException {
    return run(pipeline, source, problems -> {}).warnings();
  }

  /**
   * @param claims on the models topic
   */
  private record Checked(List<String> warnings, SortedMap<Integer, Claim> claims) {}

  private static Checked run(Pipeline pipeline, String source, Consumer<Problems> more)
      throws InterruptedException {
    Problems problems = new Problems();
    Checked checked = new Checked(new ArrayList<>(), new TreeMap<>());
    ClientProperties.check(pipeline, problems);
    if (problems.found().isEmpty()) {
      ClientProperties.resolve(pipeline, problems);
    }
    boolean canConnect = problems.found().isEmpty();
    more.accept(problems);
    if (canConnect) {
      try {
        checkTopics(pipeline, problems, checked);
      } catch (NoBrokerException e) {
        if (problems.found().isEmpty()) {
          throw e;
        }
        problems.add(
            "kafka.bootstrap", pipeline.kafka().bootstrap(), requireNonNull(e.getMessage()));
      }
    }
    problems.throwIfAny(source);
    return checked;
  }

  private static void checkTopics(Pipeline pipeline, Problems problems, Checked checked)
      throws InterruptedException {
    Brokers.require(pipeline);
    try (TopicAdmin topics = new TopicAdmin(pipeline)) {
      checked.claims().putAll(topics.check(problems, checked.warnings()));
    } catch (ExecutionException e) {
      throw new NoBrokerException(Brokers.afterwards(pipeline, e.getCause()));
    } catch (InterruptException e) {
      // Kafka's own of the name, which has set the flag as well.
      Thread.interrupted();
      throw (InterruptedException) new InterruptedException().initCause(e);
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
    Checked checked = run(pipeline, source, more);
    for (String warning : checked.warnings()) {
      LOG.warn("{}", warning);
    }
    return ModelPartitions.claim(pipeline, checked.claims());
  }
}
