package dev.freshet.local.cluster;

import static dev.freshet.local.cluster.TestingManifests.bytes;
import static dev.freshet.local.cluster.TestingManifests.list;
import static dev.freshet.local.cluster.TestingManifests.name;
import static dev.freshet.local.cluster.TestingManifests.texts;

import com.fasterxml.jackson.databind.JsonNode;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.SystemTopic;
import dev.freshet.job.GpuSlots;
import dev.freshet.job.metrics.JobMetric;
import dev.freshet.local.TestingCommand;
import dev.freshet.local.TestingRights;
import dev.freshet.replica.server.ScoringServer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Options;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.container.entrypoint.StandaloneApplicationClusterConfigurationParserFactory;
import org.apache.flink.runtime.entrypoint.EntrypointClusterConfiguration;
import org.apache.flink.runtime.entrypoint.FlinkParseException;
import org.apache.flink.runtime.entrypoint.parser.CommandLineParser;
import org.apache.flink.runtime.entrypoint.parser.ParserResultFactory;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourceType;

/**
 * What no schema sees: whether manifests fit one another, the pipeline, Flink and the programs that
 * they start.
 */
final class TestingManifestChecks {

  private static final String PIPELINE_PATH = "/etc/freshet/pipeline.yaml";
  private static final Set<String> IMAGES =
      Set.of("freshet/job", "freshet/job-cuda", "freshet/server", "freshet/tools");
  private static final Pattern METRIC = Pattern.compile("\\bfreshet_[a-z_]+");
  private static final Pattern ALERTED = Pattern.compile("\\b(?:freshet|flink)_\\w+");

  /** Of Flink itself, as its documentation and its Prometheus reporter name them. */
  private static final Set<String> FLINKS =
      Set.of(
          "flink_jobmanager_numRunningJobs",
          "flink_jobmanager_job_numRestarts",
          "flink_jobmanager_job_numberOfFailedCheckpoints",
          "flink_jobmanager_job_lastCheckpointDuration",
          "flink_taskmanager_job_task_operator_pendingRecords");

  private static final Pattern BY_HAND =
      Pattern.compile("create secret generic ([\\w-]+)[^\\n]*?--from-(?:literal|file)=([\\w.-]+)=");

  private final TestingManifests manifests;
  private final Pipeline pipeline;
  private final Map<String, String> flink;
  private final List<String> problems = new ArrayList<>();

  private TestingManifestChecks(
      TestingManifests manifests, Pipeline pipeline, Map<String, String> flink) {
    this.manifests = manifests;
    this.pipeline = pipeline;
    this.flink = flink;
  }

  /**
   * Everything that is wrong, a line each.
   *
   * @param flink the settings that processes find in conf/config.yaml
   */
  static List<String> problems(
      TestingManifests manifests, Pipeline pipeline, Map<String, String> flink) {
    TestingManifestChecks checks = new TestingManifestChecks(manifests, pipeline, flink);
    try {
      checks.run();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    return checks.problems;
  }

  private void run() throws IOException {
    for (JsonNode deployment : manifests.of("Deployment")) {
      String at = name(deployment);
      JsonNode pod = deployment.at("/spec/template/spec");
      JsonNode container = pod.at("/containers/0");
      pod(at, pod);
      container(at, container, pod);
      if (container.path("image").asText().startsWith("freshet/job")) {
        flinkPod(at, container, pod);
      } else {
        server(at, container);
      }
      for (JsonNode other : manifests.selected(deployment.at("/spec/selector"))) {
        check(other == deployment, at, "its selector takes pods of " + name(other));
      }
    }
    slots();
    flinkDeployment();
    selectors();
    monitoring();
    accounts();
    topics();
    rights();
  }

  private void check(boolean good, String at, String problem) {
    if (!good) {
      problems.add(at + ": " + problem);
    }
  }

  // Pods

  private void pod(String at, JsonNode pod) throws IOException {
    String account = pod.path("serviceAccountName").asText();
    check(manifests.names("ServiceAccount").contains(account), at, "no service account " + account);
    for (JsonNode volume : pod.path("volumes")) {
      for (JsonNode source :
          volume.has("projected") ? volume.at("/projected/sources") : List.of(volume)) {
        source(at, source);
      }
      JsonNode claim = volume.at("/persistentVolumeClaim/claimName");
      check(
          claim.isMissingNode()
              || manifests.names("PersistentVolumeClaim").contains(claim.asText()),
          at,
          "no claim " + claim.asText());
    }
    for (JsonNode variable : pod.at("/containers/0/env")) {
      JsonNode reference = variable.at("/valueFrom/secretKeyRef");
      if (!reference.isMissingNode()) {
        secret(at, reference.path("name").asText(), reference.path("key").asText());
      }
    }
  }

  private void source(String at, JsonNode source) throws IOException {
    JsonNode config = source.path("configMap");
    if (!config.isMissingNode()) {
      Map<String, Set<String>> made = generated();
      String name = config.path("name").asText();
      check(made.containsKey(name), at, "no config map " + name);
      for (JsonNode item : config.path("items")) {
        String key = item.path("key").asText();
        check(made.getOrDefault(name, Set.of()).contains(key), at, name + " has no " + key);
      }
    }
    JsonNode secret = source.path("secret");
    for (JsonNode item : secret.path("items")) {
      secret(
          at,
          secret.path(secret.has("name") ? "name" : "secretName").asText(),
          item.path("key").asText());
    }
  }

  /** Config maps that kustomize makes, and the keys of each. */
  private static Map<String, Set<String>> generated() {
    Map<String, Set<String>> made = new HashMap<>();
    for (String folder : List.of("base", "../conf")) {
      Path file = TestingManifests.FOLDER.resolve(folder).resolve("kustomization.yaml");
      for (JsonNode one : TestingManifests.documents(file).get(0).path("configMapGenerator")) {
        made.put(one.path("name").asText(), new HashSet<>(texts(one.path("files"))));
      }
    }
    return made;
  }

  /** Made by Strimzi for a user or the cluster, or by hand as the docs say. */
  private void secret(String at, String name, String key) throws IOException {
    Set<String> known = new HashSet<>();
    for (String user : manifests.names("KafkaUser")) {
      known.add(user + "/password");
      known.add(user + "/sasl.jaas.config");
    }
    for (String kafka : manifests.names("Kafka")) {
      known.add(kafka + "-cluster-ca-cert/ca.crt");
    }
    Matcher byHand = BY_HAND.matcher(Files.readString(Path.of("../docs/kubernetes.md")));
    while (byHand.find()) {
      known.add(byHand.group(1) + "/" + byHand.group(2));
    }
    check(known.contains(name + "/" + key), at, "nobody makes the secret " + name + "/" + key);
  }

  private void container(String at, JsonNode container, JsonNode pod) throws IOException {
    String image = container.path("image").asText();
    check(IMAGES.contains(image), at, "no image of ours: " + image);
    JsonNode security = container.path("securityContext");
    check(
        security.path("readOnlyRootFilesystem").asBoolean(),
        at,
        "writes to its image: readOnlyRootFilesystem");
    JsonNode resources = container.path("resources");
    check(
        resources.at("/requests/memory").equals(resources.at("/limits/memory")),
        at,
        "asks for other memory than its limit");
    Set<String> volumes =
        list(pod.path("volumes")).stream()
            .map(one -> one.path("name").asText())
            .collect(Collectors.toSet());
    for (JsonNode mount : container.path("volumeMounts")) {
      String volume = mount.path("name").asText();
      check(volumes.contains(volume), at, "mounts no volume: " + volume);
    }
    for (String probe : List.of("startupProbe", "livenessProbe", "readinessProbe")) {
      JsonNode http = container.path(probe).path("httpGet");
      JsonNode port =
          http.isMissingNode() ? container.at("/" + probe + "/tcpSocket/port") : http.path("port");
      check(
          port.isMissingNode() || ports(container).containsKey(port.asText()),
          at,
          probe + " asks a port that it does not have: " + port.asText());
      check(
          http.isMissingNode() || served().contains(http.path("path").asText()),
          at,
          probe + " asks for what is not served: " + http.path("path").asText());
    }
    if (pipeline.kafka().properties().containsKey("ssl.truststore.location")) {
      files(at, container, pod);
    }
  }

  /** Whether what the pipeline file names is mounted where it says. */
  private void files(String at, JsonNode container, JsonNode pod) {
    Set<String> mounted = new HashSet<>();
    for (JsonNode mount : container.path("volumeMounts")) {
      list(pod.path("volumes")).stream()
          .filter(volume -> volume.path("name").equals(mount.path("name")))
          .flatMap(volume -> list(volume.at("/projected/sources")).stream())
          .flatMap(source -> Stream.of(source.path("configMap"), source.path("secret")))
          .flatMap(source -> list(source.path("items")).stream())
          .forEach(
              item ->
                  mounted.add(mount.path("mountPath").asText() + "/" + item.path("path").asText()));
    }
    Map<String, String> kafka = pipeline.kafka().properties();
    Matcher reference =
        Pattern.compile("\\$\\{dir:([^:}]+):([^}]+)}").matcher(kafka.get("sasl.jaas.config"));
    check(reference.matches(), at, "kafka.properties.sasl.jaas.config is no reference");
    for (String file :
        List.of(
            PIPELINE_PATH,
            kafka.get("ssl.truststore.location"),
            reference.matches() ? reference.group(1) + "/" + reference.group(2) : PIPELINE_PATH)) {
      check(mounted.contains(file), at, "nothing is mounted at " + file);
    }
  }

  private static Map<String, Integer> ports(JsonNode container) {
    return list(container.path("ports")).stream()
        .collect(
            Collectors.toMap(
                port -> port.path("name").asText(), port -> port.path("containerPort").asInt()));
  }

  private static Set<String> served() throws IOException {
    try (var openapi = ScoringServer.class.getResourceAsStream("/freshet-openapi.yaml")) {
      Matcher path =
          Pattern.compile("(?m)^  (/\\S+):$")
              .matcher(new String(openapi.readAllBytes(), StandardCharsets.UTF_8));
      return path.results().map(one -> one.group(1)).collect(Collectors.toSet());
    }
  }

  // Flink's processes

  private void flinkPod(String at, JsonNode container, JsonNode pod) {
    List<String> args = texts(container.path("args"));
    boolean master = args.get(0).equals("standalone-job");
    check(master || args.get(0).equals("taskmanager"), at, "starts nothing: " + args.get(0));
    Map<String, String> settings = settings(args);
    TestingFlinkOptions.problems(settings).forEach(problem -> problems.add(at + ": " + problem));
    memory(
        at,
        container.at("/resources/limits/memory").asText(),
        settings.get((master ? "job" : "task") + "manager.memory.process.size"));
    check(
        list(container.path("volumeMounts")).stream()
            .anyMatch(
                mount -> mount.path("mountPath").asText().equals("/opt/flink/conf/config.yaml")),
        at,
        "does not get Flink's configuration");
    for (String key :
        List.of(
            "execution.checkpointing.dir",
            "execution.checkpointing.savepoint-dir",
            "high-availability.storageDir")) {
      String folder = settings.get(key);
      check(
          folder.startsWith("s3://")
              || list(container.path("volumeMounts")).stream()
                  .filter(mount -> mount.path("name").asText().equals("state"))
                  .anyMatch(
                      mount -> folder.startsWith("file://" + mount.path("mountPath").asText())),
          at,
          key + " is not on the shared volume: " + folder);
    }
    check(
        "kubernetes".equals(settings.get("high-availability.type"))
            && settings.containsKey("kubernetes.cluster-id"),
        at,
        "is not highly available");
    check(
        pod.path("automountServiceAccountToken").asBoolean(),
        at,
        "cannot ask Kubernetes who leads: automountServiceAccountToken");
    Map<String, Integer> expected =
        new HashMap<>(Map.of("metrics", firstPort(settings.get("metrics.reporter.prom.port"))));
    if (master) {
      expected.put("rpc", Integer.valueOf(settings.get("jobmanager.rpc.port")));
      expected.put("blob", Integer.valueOf(settings.get("blob.server.port")));
      expected.put("ui", Integer.valueOf(settings.get("rest.port")));
      job(at, args);
    }
    check(
        ports(container).equals(expected),
        at,
        "has ports " + ports(container) + ", Flink " + expected);
    if (settings.getOrDefault("external-resources", "").equals("gpu")) {
      check(
          container
              .at("/resources/limits")
              .path("nvidia.com/gpu")
              .asText()
              .equals(settings.get("external-resource.gpu.amount")),
          at,
          "gets other GPUs than it tells Flink");
      check(
          GpuSlots.fitsOnlyATrainer(Double.parseDouble(settings.get("taskmanager.cpu.cores"))),
          at,
          "has no room for a trainer, or for more than that");
    }
    check(
        container.path("image").asText().equals("freshet/job-cuda")
            == container.at("/resources/limits").has("nvidia.com/gpu"),
        at,
        "an image for GPUs and no GPU, or the other way round");
  }

  private Map<String, String> settings(List<String> args) {
    Map<String, String> settings = new HashMap<>(flink);
    args.stream()
        .filter(arg -> arg.startsWith("-D"))
        .map(arg -> arg.substring(2).split("=", 2))
        .forEach(pair -> settings.put(pair[0], pair[1]));
    return settings;
  }

  private static int firstPort(String range) {
    return Integer.parseInt(range.split("-")[0]);
  }

  /** A limit below what Flink fills is a killed process; one above is paid for and not used. */
  private void memory(String at, String limit, String process) {
    long wanted = MemorySize.parse(process).getBytes();
    check(
        bytes(limit) == wanted, at, "its limit is " + limit + ", Flink's process takes " + process);
  }

  /** As Flink's entry point reads it, which hands the job all that comes after what it knows. */
  private void job(String at, List<String> args) {
    List<String> given = new ArrayList<>(List.of("--configDir", "/opt/flink/conf"));
    given.addAll(args.subList(1, args.size()));
    EntrypointClusterConfiguration parsed;
    try {
      parsed =
          new CommandLineParser<EntrypointClusterConfiguration>(
                  new ParserResultFactory<>() {
                    private final StandaloneApplicationClusterConfigurationParserFactory flinks =
                        new StandaloneApplicationClusterConfigurationParserFactory();

                    @Override
                    public Options getOptions() {
                      return flinks.getOptions();
                    }

                    @Override
                    public EntrypointClusterConfiguration createResult(CommandLine line)
                        throws FlinkParseException {
                      return flinks.createResult(line);
                    }
                  })
              .parse(given.toArray(String[]::new));
    } catch (FlinkParseException e) {
      problems.add(at + ": " + e.getMessage());
      return;
    }
    check(
        List.of(parsed.getArgs()).equals(List.of("--pipeline", PIPELINE_PATH)),
        at,
        "Flink gives the job other arguments than the pipeline: " + List.of(parsed.getArgs()));
    Map<String, String> settings = settings(args);
    parsed
        .getDynamicProperties()
        .forEach((key, value) -> check(value.equals(settings.get(key)), at, "loses " + key));
    check(
        parsed.getDynamicProperties().containsKey("jobmanager.rpc.address"),
        at,
        "does not tell its address");
    mainClass(at, args.get(args.indexOf("--job-classname") + 1));
  }

  private void mainClass(String at, String name) {
    try {
      Class.forName(name, false, getClass().getClassLoader()).getMethod("main", String[].class);
    } catch (ReflectiveOperationException e) {
      problems.add(at + ": no main class " + name);
    }
  }

  private void slots() {
    int slots = 0;
    for (JsonNode one : manifests.of("Deployment")) {
      List<String> args = texts(one.at("/spec/template/spec/containers/0/args"));
      if (args.contains("taskmanager")) {
        slots +=
            one.at("/spec/replicas").asInt()
                * Integer.parseInt(settings(args).get("taskmanager.numberOfTaskSlots"));
      }
    }
    int needed = parallelism() + pipeline.models().size();
    check(
        slots == 0 || slots >= needed,
        "task managers",
        slots + " slots; the parallelism and a slot for each model are " + needed);
  }

  private int parallelism() {
    return Integer.parseInt(flink.get("parallelism.default"));
  }

  private void flinkDeployment() {
    for (JsonNode one : manifests.of("FlinkDeployment")) {
      String at = "FlinkDeployment " + name(one);
      Map<String, String> own = new HashMap<>();
      one.at("/spec/flinkConfiguration")
          .properties()
          .forEach(entry -> own.put(entry.getKey(), entry.getValue().asText()));
      Map<String, String> all = new HashMap<>(flink);
      all.putAll(own);
      TestingFlinkOptions.problems(all).forEach(problem -> problems.add(at + ": " + problem));
      flink.forEach(
          (key, value) -> {
            boolean theOperators =
                key.matches(
                    "(job|task)manager\\.(memory\\.process\\.size|bind-host|rpc\\..*)"
                        + "|rest\\..*|blob\\.server\\.port|parallelism\\.default"
                        + "|high-availability\\.type");
            check(
                theOperators || value.equals(own.get(key)),
                at,
                key + " is " + own.get(key) + ", in conf/config.yaml " + value);
          });
      for (String process : List.of("job", "task")) {
        check(
            flink
                .get(process + "manager.memory.process.size")
                .equals(one.at("/spec/" + process + "Manager/resource/memory").asText()),
            at,
            process + " manager has other memory than in conf/config.yaml");
      }
      check(one.at("/spec/job/parallelism").asInt() == parallelism(), at, "another parallelism");
      check(
          texts(one.at("/spec/job/args")).equals(List.of("--pipeline", PIPELINE_PATH)),
          at,
          "another pipeline file");
      check(IMAGES.contains(one.at("/spec/image").asText()), at, "no image of ours");
      mainClass(at, one.at("/spec/job/entryClass").asText());
      check(
          manifests.names("ServiceAccount").contains(one.at("/spec/serviceAccount").asText()),
          at,
          "no service account " + one.at("/spec/serviceAccount").asText());
      JsonNode container = one.at("/spec/podTemplate/spec/containers/0");
      check(
          container.path("name").asText().equals("flink-main-container"),
          at,
          "its container has another name");
      files(at, container, one.at("/spec/podTemplate/spec"));
    }
  }

  private void server(String at, JsonNode container) {
    String help = TestingCommand.run("serve", "--help").out();
    Map<String, String> options = new HashMap<>();
    for (String arg : texts(container.path("args"))) {
      String[] pair = arg.split("=", 2);
      String shown = pair.length == 2 ? pair[0] + "=" : "[" + pair[0] + "]";
      check(help.contains(shown), at, "a server has no option " + pair[0]);
      options.put(pair[0], pair.length > 1 ? pair[1] : "");
    }
    check(
        options.getOrDefault("--port", "").equals(String.valueOf(ports(container).get("http"))),
        at,
        "listens on " + options.get("--port") + ", its port is " + ports(container));
    check("0.0.0.0".equals(options.get("--host")), at, "listens where nobody comes");
    check(PIPELINE_PATH.equals(options.get("--pipeline")), at, "another pipeline file");
    String model = options.get("--model");
    check(
        pipeline.models().stream().anyMatch(one -> one.name().equals(model)),
        at,
        "the pipeline has no model " + model);
  }

  // Who is meant

  private void selectors() {
    boolean operator = !manifests.of("FlinkDeployment").isEmpty();
    for (JsonNode one : manifests.all()) {
      String kind = one.path("kind").asText();
      String at = kind + " " + name(one);
      JsonNode selector =
          switch (kind) {
            case "Service" ->
                TestingManifests.parse("[{matchLabels: " + one.at("/spec/selector") + "}]").get(0);
            case "PodMonitor", "PodDisruptionBudget" -> one.at("/spec/selector");
            case "NetworkPolicy" -> one.at("/spec/podSelector");
            default -> null;
          };
      if (selector == null) {
        continue;
      }
      List<JsonNode> taken = manifests.selected(selector);
      check(!taken.isEmpty() || operator, at, "selects no pod");
      Set<String> ports =
          taken.stream()
              .flatMap(pod -> ports(pod.at("/spec/template/spec/containers/0")).keySet().stream())
              .collect(Collectors.toSet());
      List<String> named = new ArrayList<>();
      list(one.at("/spec/ports")).forEach(port -> named.add(port.path("targetPort").asText()));
      list(one.at("/spec/podMetricsEndpoints"))
          .forEach(port -> named.add(port.path("port").asText()));
      list(one.at("/spec/ingress")).stream()
          .flatMap(rule -> list(rule.path("ports")).stream())
          .forEach(port -> named.add(port.path("port").asText()));
      for (String port : named) {
        check(operator || ports.contains(port), at, "no pod has a port " + port);
      }
    }
    for (JsonNode scaler : manifests.of("HorizontalPodAutoscaler")) {
      String target = scaler.at("/spec/scaleTargetRef/name").asText();
      check(
          manifests.names("Deployment").contains(target),
          "HorizontalPodAutoscaler",
          "no deployment " + target);
    }
  }

  private void monitoring() throws IOException {
    String docs = Files.readString(Path.of("../docs/serving.md"));
    Set<String> known =
        METRIC.matcher(docs).results().map(one -> one.group()).collect(Collectors.toSet());
    known.addAll(FLINKS);
    JobMetric.all().stream().map(JobMetric::prometheusName).forEach(known::add);
    for (JsonNode monitor : manifests.of("PodMonitor")) {
      String path = monitor.at("/spec/podMetricsEndpoints/0/path").asText();
      check(served().contains(path), name(monitor), "reads what is not served: " + path);
    }
    String guide = Files.readString(Path.of("../docs/kubernetes.md"));
    for (JsonNode rule : manifests.of("PrometheusRule")) {
      ALERTED
          .matcher(rule.at("/spec/groups").findValuesAsText("expr").toString())
          .results()
          .map(one -> one.group().replaceAll("_(sum|count|bucket)$", ""))
          .forEach(metric -> check(known.contains(metric), name(rule), "no metric " + metric));
    }
    for (JsonNode scaler : manifests.of("HorizontalPodAutoscaler")) {
      String metric = scaler.at("/spec/metrics/0/pods/metric/name").asText();
      check(
          guide.contains("as: " + metric),
          name(scaler),
          "docs/kubernetes.md has no rule of prometheus-adapter for " + metric);
    }
  }

  private void accounts() {
    for (JsonNode binding : manifests.of("RoleBinding")) {
      check(
          manifests.names("Role").contains(binding.at("/roleRef/name").asText()),
          name(binding),
          "no role " + binding.at("/roleRef/name").asText());
      for (JsonNode subject : binding.path("subjects")) {
        check(
            manifests.names("ServiceAccount").contains(subject.path("name").asText())
                && manifests.names("Namespace").contains(subject.path("namespace").asText()),
            name(binding),
            "no account " + subject);
      }
    }
  }

  // Kafka

  private void topics() {
    JsonNode kafka = manifests.of("Kafka").get(0);
    JsonNode listener = kafka.at("/spec/kafka/listeners/0");
    String bootstrap = name(kafka) + "-kafka-bootstrap:" + listener.path("port").asText();
    check(
        pipeline.kafka().bootstrap().equals(bootstrap),
        "pipeline",
        "asks " + pipeline.kafka().bootstrap() + ", brokers are at " + bootstrap);
    JsonNode policy = manifests.one("NetworkPolicy", "freshet-kafka");
    check(
        policy.findValuesAsText("port").contains(listener.path("port").asText()),
        "NetworkPolicy freshet-kafka",
        "does not let anybody to the brokers' port");
    for (String kind : List.of("KafkaTopic", "KafkaUser", "KafkaNodePool")) {
      for (JsonNode one : manifests.of(kind)) {
        check(
            one.at("/metadata/labels").path("strimzi.io/cluster").asText().equals(name(kafka)),
            kind + " " + name(one),
            "is of no Kafka here");
      }
    }
    int brokers = manifests.of("KafkaNodePool").get(0).at("/spec/replicas").asInt();
    int inSync = kafka.at("/spec/kafka/config/min.insync.replicas").asInt();
    Set<String> wanted = new TreeSet<>();
    pipeline.tasks().forEach(task -> wanted.add(pipeline.topic(task)));
    for (SystemTopic topic : SystemTopic.values()) {
      pipeline.named(topic).ifPresent(wanted::add);
    }
    Set<String> names =
        manifests.of("KafkaTopic").stream()
            .map(TestingManifests::topic)
            .collect(Collectors.toCollection(TreeSet::new));
    check(wanted.equals(names), "topics", names + "; the pipeline has " + wanted);
    Set<String> byModel =
        Stream.of(SystemTopic.MODELS, SystemTopic.TRAINING_LOG)
            .flatMap(topic -> pipeline.named(topic).stream())
            .collect(Collectors.toSet());
    Set<String> written =
        Stream.of(SystemTopic.METRICS, SystemTopic.DEAD_LETTERS)
            .map(pipeline::topic)
            .collect(Collectors.toSet());
    for (JsonNode topic : manifests.of("KafkaTopic")) {
      String name = TestingManifests.topic(topic);
      String at = "topic " + name;
      int partitions = topic.at("/spec/partitions").asInt();
      int replicas = topic.at("/spec/replicas").asInt();
      if (byModel.contains(name)) {
        check(
            partitions == pipeline.models().size(),
            at,
            partitions + " partitions; models are " + pipeline.models().size());
      } else if (!written.contains(name)) {
        check(partitions >= parallelism(), at, "fewer partitions than the parallelism");
      }
      check(
          replicas <= brokers && replicas > inSync,
          at,
          replicas + " replicas of " + brokers + " brokers, " + inSync + " in sync");
      check(
          Integer.valueOf(replicas).equals(pipeline.kafka().replicationFactor())
              && Integer.valueOf(inSync).equals(pipeline.kafka().minInsyncReplicas()),
          at,
          "%d replicas, %d in sync; the pipeline says %s and %s"
              .formatted(
                  replicas,
                  inSync,
                  pipeline.kafka().replicationFactor(),
                  pipeline.kafka().minInsyncReplicas()));
    }
  }

  /** Which rights a user has, and which the table gives it: no fewer, and no more. */
  private void rights() throws IOException {
    Map<String, String> who =
        Map.of("freshet-job", "trainer job", "freshet-server", "serving replica");
    for (JsonNode user : manifests.of("KafkaUser")) {
      Set<String> has = new TreeSet<>();
      for (JsonNode acl : user.at("/spec/authorization/acls")) {
        JsonNode resource = acl.path("resource");
        for (String operation : texts(acl.path("operations"))) {
          has.add(
              right(
                  ResourceType.fromString(type(resource.path("type").asText())),
                  resource.path("name").asText(),
                  resource.path("patternType").asText().equals("prefix")
                      ? PatternType.PREFIXED
                      : PatternType.LITERAL,
                  AclOperation.fromString(operation.toUpperCase(Locale.ROOT))));
        }
      }
      Set<String> given =
          TestingRights.of(pipeline).stream()
              .filter(right -> right.who().label().equals(who.get(name(user))))
              .map(right -> right(right.on(), right.name(), right.pattern(), right.operation()))
              .collect(Collectors.toCollection(TreeSet::new));
      if (name(user).equals("freshet-server")) {
        // Below the table: of use to a server, not needed.
        given.add(
            right(
                ResourceType.TOPIC,
                pipeline.topic(SystemTopic.METRICS),
                PatternType.LITERAL,
                AclOperation.READ));
      }
      check(has.equals(given), "user " + name(user), "has " + has + "; the table gives " + given);
    }
  }

  private static String type(String strimzis) {
    return strimzis.equals("transactionalId")
        ? "TRANSACTIONAL_ID"
        : strimzis.toUpperCase(Locale.ROOT);
  }

  private static String right(
      ResourceType on, String name, PatternType pattern, AclOperation operation) {
    return operation + " " + on + " " + pattern + " " + name;
  }
}
