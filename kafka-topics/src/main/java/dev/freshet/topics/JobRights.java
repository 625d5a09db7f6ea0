package dev.freshet.topics;

import static java.util.Objects.requireNonNull;

import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.settings.Problems;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.MemberToRemove;
import org.apache.kafka.clients.admin.RemoveMembersFromConsumerGroupOptions;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.TimeoutException;

/**
 * Rights that the job needs beside those on topics: to read as its group, and to write in
 * transactions as long as a checkpoint may take.
 */
final class JobRights {

  private static final String LONGEST_TRANSACTION = "transaction.max.timeout.ms";

  /** A member that no group has. */
  private static final String NOBODY = "freshet-start-check";

  private final Pipeline pipeline;
  private final Admin admin;

  JobRights(Pipeline pipeline, Admin admin) {
    this.pipeline = pipeline;
    this.admin = admin;
  }

  void check(Problems problems) throws ExecutionException, InterruptedException {
    group(problems);
    transactions(problems);
  }

  /**
   * Asks for something that needs the right and changes nothing, because brokers tell of no rights
   * on groups that are not there yet: that a member leaves which there is not.
   */
  private void group(Problems problems) throws ExecutionException, InterruptedException {
    String group = pipeline.consumerGroup();
    var nobody = new RemoveMembersFromConsumerGroupOptions(List.of(new MemberToRemove(NOBODY)));
    try {
      admin.removeMembersFromConsumerGroup(group, nobody).all().get();
    } catch (ExecutionException e) {
      if (e.getCause() instanceof AuthorizationException) {
        problems.add("consumer group", group, "a group on which this user has the right READ");
      } else if (e.getCause() instanceof TimeoutException) {
        throw e;
      }
    }
  }

  /** Opens what the sinks open: whether that is permitted is the brokers' to judge. */
  private void transactions(Problems problems) throws ExecutionException, InterruptedException {
    String timeout = Transactions.timeout(pipeline);
    Optional<Long> longest = longestTransaction();
    if (longest.isPresent() && Long.parseLong(timeout) > longest.get()) {
      problems.add(
          "kafka.properties." + ProducerConfig.TRANSACTION_TIMEOUT_CONFIG,
          timeout,
          "at most " + longest.get() + ", the brokers' " + LONGEST_TRANSACTION);
      return;
    }
    String prefix = Transactions.prefix(pipeline);
    Map<String, Object> settings =
        Map.of(
            ProducerConfig.TRANSACTIONAL_ID_CONFIG,
            prefix + "start",
            ProducerConfig.TRANSACTION_TIMEOUT_CONFIG,
            timeout);
    try (KafkaProducer<byte[], byte[]> producer = KafkaClients.producer(pipeline, settings)) {
      producer.initTransactions();
    } catch (InterruptException e) {
      throw e;
    } catch (KafkaException e) {
      boolean forbidden =
          e instanceof AuthorizationException || e.getCause() instanceof AuthorizationException;
      problems.add(
          "transactional ids",
          prefix,
          forbidden
              ? "a prefix on which this user has the right WRITE"
              : "ids that brokers open: " + e.getMessage());
    }
  }

  /** The longest that the brokers allow; empty if this user may not see it. */
  private Optional<Long> longestTransaction() throws ExecutionException, InterruptedException {
    ConfigResource broker =
        new ConfigResource(
            ConfigResource.Type.BROKER,
            admin.describeCluster().nodes().get().iterator().next().idString());
    try {
      Config config =
          requireNonNull(admin.describeConfigs(List.of(broker)).all().get().get(broker));
      return Optional.ofNullable(config.get(LONGEST_TRANSACTION))
          .map(entry -> Long.valueOf(entry.value()));
    } catch (ExecutionException e) {
      if (e.getCause() instanceof AuthorizationException) {
        return Optional.empty();
      }
      throw e;
    }
  }
}
