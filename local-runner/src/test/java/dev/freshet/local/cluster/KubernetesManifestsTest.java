package dev.freshet.local.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonPointer;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.PipelineFile;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What is in k8s/ against the pipeline, Flink and our own programs. What Kubernetes itself says of
 * it is {@code k8s/check}'s to ask.
 */
class KubernetesManifestsTest {

  private static final String BASE = "base";
  private static final String GPU = "overlays/gpu";
  private static final String OPERATOR = "components/operator";
  private static final String STORAGE = "components/object-storage";

  private static Pipeline pipeline;

  @BeforeAll
  static void read() throws Exception {
    pipeline = PipelineFile.read(TestingManifests.FOLDER.resolve("base/pipeline.yaml"));
  }

  private static List<String> problems(TestingManifests manifests) {
    return TestingManifestChecks.problems(manifests, pipeline, FlinkConfigurationTest.settings());
  }

  @ParameterizedTest
  @ValueSource(strings = {"", GPU, OPERATOR})
  void fitTogether(String more) {
    TestingManifests manifests =
        more.isEmpty() ? TestingManifests.in(BASE) : TestingManifests.in(BASE, more);
    assertThat(manifests.all()).hasSizeGreaterThan(30);
    assertThat(problems(manifests)).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "Deployment | freshet-taskmanager | pod/containers/0/resources/limits/memory | 1900Mi | its limit is 1900Mi",
        "Deployment | freshet-taskmanager | pod/containers/0/args/1 | -Dhigh-availability.typ=kubernetes | no option of Flink",
        "Deployment | freshet-taskmanager | pod/containers/0/args/1 | -Dtaskmanager.memory.managed.size=2g | task manager: TaskManager memory",
        "Deployment | freshet-taskmanager | pod/serviceAccountName | freshet-jobs | no service account",
        "Deployment | freshet-taskmanager | pod/volumes/0/configMap/name | flink | no config map flink",
        "Deployment | freshet-taskmanager | pod/volumes/1/projected/sources/1/secret/name | job | nobody makes the secret job",
        "Deployment | freshet-taskmanager | pod/volumes/1/projected/sources/2/secret/items/0/path | ca.crt | nothing is mounted at /etc/freshet/kafka-ca/ca.crt",
        "Deployment | freshet-taskmanager | pod/volumes/2/persistentVolumeClaim/claimName | state | no claim state",
        "Deployment | freshet-taskmanager | pod/containers/0/volumeMounts/2/mountPath | /state | is not on the shared volume",
        "Deployment | freshet-taskmanager | pod/containers/0/securityContext/readOnlyRootFilesystem | false | writes to its image",
        "Deployment | freshet-taskmanager | pod/containers/0/image | freshet/jobs | no image of ours",
        "Deployment | freshet-jobmanager | pod/containers/0/args/2 | dev.freshet.Job | no main class",
        "Deployment | freshet-jobmanager | pod/containers/0/args/8 | /pipeline.yaml | other arguments than the pipeline",
        "Deployment | freshet-jobmanager | pod/containers/0/args/1 | --host | other arguments than the pipeline",
        "Deployment | freshet-jobmanager | pod/containers/0/args/3 | -Drest.port=8081 | does not tell its address",
        "Deployment | freshet-jobmanager | pod/containers/0/ports/2/containerPort | 8080 | has ports",
        "Deployment | freshet-jobmanager | pod/containers/0/livenessProbe/tcpSocket/port | rcp | asks a port",
        "Deployment | freshet-server | pod/containers/0/args/3 | --port=8088 | listens on 8088",
        "Deployment | freshet-server | pod/containers/0/args/3 | --prot=8080 | no option --prot",
        "Deployment | freshet-server | pod/containers/0/args/1 | --model=mein | no model mein",
        "Deployment | freshet-server | pod/containers/0/readinessProbe/httpGet/path | /ready | not served: /ready",
        "Deployment | freshet-server | pod/containers/0/env/0/valueFrom/secretKeyRef/key | tokn | nobody makes the secret",
        "Deployment | freshet-taskmanager | /spec/template/metadata/labels/app.kubernetes.io~1component | server | its selector takes pods of freshet-taskmanager",
        "Deployment | freshet-taskmanager | /spec/replicas | 1 | 2 slots",
        "Service | freshet-server | /spec/ports/0/targetPort | web | no pod has a port web",
        "RoleBinding | freshet-job | /roleRef/name | job | no role job",
        "RoleBinding | freshet-job | /subjects/0/name | job | no account",
        "KafkaTopic | models | /spec/partitions | 3 | models are 2",
        "KafkaTopic | clicks | /spec/partitions | 1 | fewer partitions",
        "KafkaTopic | clicks | /spec/replicas | 2 | replicas of 3 brokers",
        "KafkaTopic | clicks | /spec/replicas | 4 | the pipeline says 3 and 2",
        "Kafka | freshet | /spec/kafka/config/min.insync.replicas | 1 | the pipeline says 3 and 2",
        "KafkaTopic | clicks | /metadata/name | click | the pipeline has",
        "KafkaUser | freshet-job | /spec/authorization/acls/0/operations/0 | All | the table gives",
        "Kafka | freshet | /spec/kafka/listeners/0/port | 9094 | brokers are at freshet-kafka-bootstrap:9094",
        "HorizontalPodAutoscaler | freshet-server | /spec/metrics/0/pods/metric/name | scoring | no rule of prometheus-adapter",
        "HorizontalPodAutoscaler | freshet-server | /spec/scaleTargetRef/name | server | no deployment server",
        "PrometheusRule | freshet | /spec/groups/0/rules/0/expr | freshet_stale > 9 | no metric freshet_stale",
        "PrometheusRule | freshet | /spec/groups/2/rules/0/expr | flink_taskmanager_job_task_operator_training_steps > 9 | no metric flink_taskmanager_job_task_operator_training_steps",
        "PodMonitor | freshet-server | /spec/podMetricsEndpoints/0/port | web | no pod has a port web",
        "NetworkPolicy | freshet-metrics | /spec/ingress/0/ports/0/port | prom | no pod has a port prom",
        "NetworkPolicy | freshet-server | /spec/podSelector/matchLabels/app.kubernetes.io~1component | serving | selects no pod",
      })
  void findsWhatDoesNotFit(String kind, String name, String path, String value, String problem) {
    TestingManifests manifests = TestingManifests.in(BASE);
    put(manifests.one(kind, name), path.replace("pod/", "/spec/template/spec/"), value);
    assertThat(problems(manifests)).anyMatch(line -> line.contains(problem));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "/spec/flinkConfiguration/heartbeat.timeout | 50s | in conf/config.yaml 8s",
        "/spec/flinkConfiguration/heartbeat.timeot | 8s | no option of Flink",
        "/spec/taskManager/resource/memory | lots | task manager has other memory",
        "/spec/job/entryClass | dev.freshet.Job | no main class",
        "/spec/podTemplate/spec/containers/0/name | flink | its container has another name",
      })
  void findsWhatDoesNotFitTheOperator(String path, String value, String problem) {
    TestingManifests manifests = TestingManifests.in(BASE, OPERATOR);
    put(manifests.one("FlinkDeployment", "freshet"), path, value);
    assertThat(problems(manifests)).anyMatch(line -> line.contains(problem));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "nvidia.com~1gpu | 2 | other GPUs",
        "memory | 4Gi | its limit is 4Gi",
      })
  void findsWhatDoesNotFitTheGpu(String limit, String value, String problem) {
    TestingManifests manifests = TestingManifests.in(BASE, GPU);
    put(
        manifests.one("Deployment", "freshet-taskmanager-gpu"),
        "/spec/template/spec/containers/0/resources/limits/" + limit,
        value);
    assertThat(problems(manifests)).anyMatch(line -> line.contains(problem));
  }

  @ParameterizedTest
  @ValueSource(strings = {"0.4", "1"})
  void findsWhatLetsOthersOntoTheGpu(String cores) {
    TestingManifests manifests = TestingManifests.in(BASE, GPU);
    ArrayNode args =
        (ArrayNode)
            manifests
                .one("Deployment", "freshet-taskmanager-gpu")
                .at("/spec/template/spec/containers/0/args");
    for (int i = 0; i < args.size(); i++) {
      if (args.get(i).asText().startsWith("-Dtaskmanager.cpu.cores=")) {
        args.set(i, "-Dtaskmanager.cpu.cores=" + cores);
      }
    }
    assertThat(problems(manifests)).anyMatch(line -> line.contains("room for a trainer"));
  }

  /** The job of the GPU overlay asks for what its task managers offer. */
  @Test
  void theGpuOverlaysJobWantsGpus() {
    List<String> added = new ArrayList<>();
    JsonNode kustomization =
        TestingManifests.documents(TestingManifests.FOLDER.resolve(GPU + "/kustomization.yaml"))
            .get(0);
    for (JsonNode patch : kustomization.path("patches")) {
      if (patch.at("/target/name").asText().equals("freshet-jobmanager")) {
        TestingManifests.parse(patch.path("patch").asText())
            .forEach(operation -> added.add(operation.path("value").asText()));
      }
    }
    assertThat(added).containsExactly("--device", "gpu");
  }

  /** What patches give to Flink's processes, and which images overlays give a version. */
  @Test
  void kustomizationsNameWhatThereIs() {
    Set<String> images =
        TestingManifests.in(BASE, GPU).of("Deployment").stream()
            .map(one -> one.at("/spec/template/spec/containers/0/image").asText())
            .collect(Collectors.toSet());
    Map<String, String> settings = new HashMap<>(FlinkConfigurationTest.settings());
    for (String folder : List.of("overlays/cpu", GPU, "overlays/operator", STORAGE)) {
      JsonNode kustomization =
          TestingManifests.documents(
                  TestingManifests.FOLDER.resolve(folder + "/kustomization.yaml"))
              .get(0);
      Set<String> named =
          TestingManifests.list(kustomization.path("images")).stream()
              .map(one -> one.path("name").asText())
              .collect(Collectors.toSet());
      if (folder.equals(GPU)) {
        assertThat(named).isEqualTo(images);
      } else if (!folder.equals(STORAGE)) {
        assertThat(named).containsExactlyInAnyOrder("freshet/job", "freshet/server");
      }
      for (JsonNode patch : kustomization.path("patches")) {
        for (JsonNode operation : TestingManifests.parse(patch.path("patch").asText())) {
          String value = operation.path("value").asText();
          if (value.startsWith("-D")) {
            settings.put(value.substring(2).split("=")[0], value.split("=", 2)[1]);
          }
        }
      }
    }
    assertThat(settings.get("execution.checkpointing.dir")).startsWith("s3://");
    assertThat(TestingFlinkOptions.problems(settings)).isEmpty();
  }

  private static void put(JsonNode manifest, String path, String value) {
    JsonPointer pointer = JsonPointer.compile(path);
    JsonNode parent = manifest.at(pointer.head());
    JsonNode put = TestingManifests.parse("['" + value + "']").get(0);
    if (value.matches("\\d+|true|false")) {
      put = TestingManifests.parse("[" + value + "]").get(0);
    }
    if (parent instanceof ArrayNode list) {
      list.set(pointer.last().getMatchingIndex(), put);
    } else {
      ((ObjectNode) parent).set(pointer.last().getMatchingProperty(), put);
    }
  }
}
