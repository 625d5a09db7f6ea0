package dev.freshet.topics;

import static java.util.Objects.requireNonNull;

import dev.freshet.core.labels.Task;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.settings.Durations;
import dev.freshet.core.settings.Problems;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.errors.AuthorizationException;

/** Holds the settings of topics that are there against what the pipeline needs of them. */
final class TopicSettingsCheck {

  /** Bytes of a message beside the chunk in it: key, headers and the batch around them. */
  private static final int AROUND_A_CHUNK = 1024;

  private final Pipeline pipeline;
  private final Admin admin;
  private final Problems problems;
  private final List<String> warnings;

  /**
   * @param problems takes what would keep the job from running
   * @param warnings takes what is no problem, and should be known
   */
  TopicSettingsCheck(Pipeline pipeline, Admin admin, Problems problems, List<String> warnings) {
    this.pipeline = pipeline;
    this.admin = admin;
    this.problems = problems;
    this.warnings = warnings;
  }

  /** Judges the topics that are there; of settings that this user may not see it says nothing. */
  void check(List<TopicPlan> plans, FoundTopics found)
      throws ExecutionException, InterruptedException {
    Map<ConfigResource, TopicPlan> asked = new HashMap<>();
    plans.stream()
        .filter(plan -> found.of(plan).isPresent())
        .forEach(
            plan -> asked.put(new ConfigResource(ConfigResource.Type.TOPIC, plan.name()), plan));
    for (var e : admin.describeConfigs(asked.keySet()).values().entrySet()) {
      TopicPlan plan = requireNonNull(asked.get(e.getKey()));
      try {
        Config config = e.getValue().get();
        cleanup(plan, config);
        chunks(plan, config);
        insync(plan, FoundTopics.replicas(found.of(plan).orElseThrow()), config);
        if (plan.isEvents()) {
          retention(plan, config);
        }
      } catch (ExecutionException failed) {
        // Who may not see settings may still have the right ones.
        if (!(failed.getCause() instanceof AuthorizationException)) {
          throw failed;
        }
      }
    }
  }

  private void cleanup(TopicPlan plan, Config config) {
    String at = plan.key() + ".";
    String policy = config.get(TopicConfig.CLEANUP_POLICY_CONFIG).value();
    boolean compacted = policy.contains(TopicConfig.CLEANUP_POLICY_COMPACT);
    if (plan.compacted() && !policy.equals(TopicConfig.CLEANUP_POLICY_COMPACT)) {
      problems.add(
          at + TopicConfig.CLEANUP_POLICY_CONFIG,
          policy,
          "compact: with anything else whole versions are gone after the retention time");
    } else if (!plan.compacted() && compacted) {
      problems.add(
          at + TopicConfig.CLEANUP_POLICY_CONFIG,
          policy,
          "delete: messages of one key are not versions of one another here");
    }
  }

  private void chunks(TopicPlan plan, Config config) {
    long largest = Long.parseLong(config.get(TopicConfig.MAX_MESSAGE_BYTES_CONFIG).value());
    long chunk = pipeline.publishing().chunk().bytes() + AROUND_A_CHUNK;
    if (plan.chunked() && largest < chunk) {
      problems.add(
          plan.key() + "." + TopicConfig.MAX_MESSAGE_BYTES_CONFIG,
          Long.toString(largest),
          "at least " + chunk + ", for chunks as in publishing.chunk");
    }
  }

  private void insync(TopicPlan plan, int replicas, Config config) {
    String key = TopicConfig.MIN_IN_SYNC_REPLICAS_CONFIG;
    int insync = Integer.parseInt(config.get(key).value());
    if (insync > replicas && !plan.isEvents()) {
      problems.add(
          plan.key() + "." + key,
          Integer.toString(insync),
          "at most "
              + replicas
              + ", the replicas that there are: nothing can be written otherwise");
    }
    Integer wanted = pipeline.kafka().minInsyncReplicas();
    if (wanted != null && insync < wanted) {
      warnings.add(
          "%s: %s has %s %d, fewer than kafka.min-insync-replicas, %d: what counts as written may be"
                  .formatted(plan.key(), plan.name(), key, insync, wanted)
              + " on fewer brokers");
    }
  }

  /**
   * A job reads each event once, so short retention is no fault as long as it runs. Told is what it
   * costs when it does not.
   */
  private void retention(TopicPlan plan, Config config) {
    String at = plan.key() + ": " + plan.name() + " has ";
    long millis = Long.parseLong(config.get(TopicConfig.RETENTION_MS_CONFIG).value());
    Duration kept = Duration.ofMillis(millis);
    Duration needed =
        Task.horizon(pipeline.tasks())
            .plus(pipeline.labels().orphanWait())
            .plus(pipeline.labels().disorder());
    if (millis >= 0 && kept.compareTo(needed) < 0) {
      warnings.add(
          at
              + TopicConfig.RETENTION_MS_CONFIG
              + " "
              + millis
              + " ("
              + Durations.written(kept)
              + "), less than the "
              + Durations.written(needed)
              + " that windows, labels.orphan-wait and labels.disorder add up to: a job that has"
              + " stood for longer goes on without what is gone, and one that starts without its"
              + " checkpoint cannot learn again what was under way");
    }
    long bytes = Long.parseLong(config.get(TopicConfig.RETENTION_BYTES_CONFIG).value());
    if (bytes >= 0) {
      warnings.add(
          at
              + TopicConfig.RETENTION_BYTES_CONFIG
              + " "
              + bytes
              + " a partition: how long events stay depends on how many come");
    }
  }
}
