package dev.freshet.cluster;

import dev.freshet.local.broker.EmbeddedBroker;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.CoreOptions;
import org.apache.flink.configuration.GlobalConfiguration;
import org.apache.flink.runtime.clusterframework.TaskExecutorProcessUtils;
import org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint;
import org.apache.flink.runtime.jobmanager.JobManagerProcessUtils;
import org.apache.flink.runtime.taskexecutor.TaskManagerRunner;
import org.apache.flink.runtime.util.config.memory.ProcessMemoryUtils;
import org.apache.flink.shaded.zookeeper3.org.apache.zookeeper.server.ZooKeeperServerMain;

/**
 * A broker, ZooKeeper, a job manager and task managers, each a process, on free ports of the
 * loopback interface. Flink runs with conf/config.yaml; a process that is killed is started again
 * at once, as a supervisor does.
 */
final class TestingCluster implements AutoCloseable {

  private static final int TASK_MANAGERS = 2;

  /** Each has room for the whole job, so that one is to spare. */
  private static final int SLOTS = 6;

  static final int ALL_SLOTS = TASK_MANAGERS * SLOTS;

  private final Path folder;
  private final Map<String, String> settings = new LinkedHashMap<>();
  private final Configuration configuration;
  private final int restPort;
  private final Map<String, TestingProcess> taskManagers = new LinkedHashMap<>();
  private TestingProcess zooKeeper;
  private TestingProcess jobManager;
  private EmbeddedBroker broker;
  private int started;

  /**
   * @param further settings of Flink beside those of conf/config.yaml
   */
  TestingCluster(Path folder, Map<String, String> further) throws Exception {
    this.folder = folder;
    int zooKeeperPort;
    // Held until both are known: one that was let go may be given out again at once.
    try (ServerSocket one = anyPort();
        ServerSocket other = anyPort()) {
      restPort = one.getLocalPort();
      zooKeeperPort = other.getLocalPort();
    }
    settings.put("jobmanager.rpc.address", "127.0.0.1");
    settings.put("jobmanager.bind-host", "127.0.0.1");
    settings.put("rest.address", "127.0.0.1");
    settings.put("rest.bind-address", "127.0.0.1");
    settings.put("rest.port", String.valueOf(restPort));
    settings.put("blob.server.port", "0");
    settings.put("taskmanager.host", "127.0.0.1");
    settings.put("taskmanager.bind-host", "127.0.0.1");
    settings.put("taskmanager.numberOfTaskSlots", String.valueOf(SLOTS));
    settings.put("metrics.reporter.prom.port", "0");
    settings.put("io.tmp.dirs", Files.createDirectories(folder.resolve("tmp")).toString());
    settings.put("execution.checkpointing.dir", folder.resolve("checkpoints").toUri().toString());
    settings.put("high-availability.type", "zookeeper");
    settings.put("high-availability.storageDir", folder.resolve("ha").toUri().toString());
    settings.put("high-availability.zookeeper.quorum", "127.0.0.1:" + zooKeeperPort);
    settings.put("high-availability.zookeeper.client.session-timeout", "8s");
    settings.putAll(further);
    configuration =
        GlobalConfiguration.loadConfiguration("../conf", Configuration.fromMap(settings));
    try {
      broker = EmbeddedBroker.start(folder.resolve("kafka"));
      zooKeeper = zooKeeper(zooKeeperPort);
      startJobManager();
      for (int i = 0; i < TASK_MANAGERS; i++) {
        startTaskManager();
      }
    } catch (Exception e) {
      close();
      throw e;
    }
  }

  String bootstrap() {
    return broker.bootstrap();
  }

  /** Of the job manager's REST endpoint. */
  String address() {
    return "http://127.0.0.1:" + restPort;
  }

  Path savepoints() {
    return folder.resolve("savepoints");
  }

  void killJobManager() throws Exception {
    jobManager.kill();
    startJobManager();
  }

  void killTaskManager(String id) throws InterruptedException {
    taskManagers.remove(id).kill();
  }

  void killBroker() throws InterruptedException {
    broker.kill();
  }

  void restartBroker() throws Exception {
    broker = broker.restart();
  }

  /** Starts any other process that belongs to it; with the class path of the tests. */
  TestingProcess start(String name, List<String> arguments) throws IOException {
    List<String> all = new ArrayList<>(arguments);
    all.addAll(0, List.of("-cp", System.getProperty("java.class.path")));
    return TestingProcess.start(log(name), all);
  }

  /** What each process said last. */
  String told() throws IOException {
    StringBuilder told = new StringBuilder();
    try (Stream<Path> logs = Files.list(folder)) {
      logs.filter(log -> log.toString().endsWith(".out"))
          .sorted()
          .forEach(log -> told.append(TestingProcess.told(log)));
    }
    return told.append(TestingProcess.told(folder.resolve("kafka/broker.log"))).toString();
  }

  private Path log(String name) {
    return folder.resolve(name + ".out");
  }

  private TestingProcess zooKeeper(int port) throws IOException {
    Path file = folder.resolve("zookeeper.cfg");
    Files.writeString(
        file,
        """
        tickTime=1000
        dataDir=%s
        clientPort=%d
        clientPortAddress=127.0.0.1
        admin.enableServer=false
        """
            .formatted(folder.resolve("zookeeper"), port));
    return TestingProcess.start(
        log("zookeeper"),
        flink(
            "zookeeper",
            List.of("-Xmx128m"),
            ZooKeeperServerMain.class.getName(),
            List.of(file.toString())));
  }

  private void startJobManager() throws IOException {
    var memory = JobManagerProcessUtils.processSpecFromConfig(configuration);
    jobManager =
        TestingProcess.start(
            log("job-manager"),
            flink(
                "job-manager",
                List.of(ProcessMemoryUtils.generateJvmParametersStr(memory).split(" ")),
                StandaloneSessionClusterEntrypoint.class.getName(),
                arguments(JobManagerProcessUtils.generateDynamicConfigsStr(memory), Map.of())));
  }

  void startTaskManager() throws IOException {
    var memory = TaskExecutorProcessUtils.processSpecFromConfig(configuration);
    String name = "task-manager-" + started++;
    List<String> options =
        new ArrayList<>(List.of(ProcessMemoryUtils.generateJvmParametersStr(memory).split(" ")));
    options.addAll(List.of(configuration.get(CoreOptions.FLINK_TM_JVM_OPTIONS).split(" ")));
    taskManagers.put(
        name,
        TestingProcess.start(
            log(name),
            flink(
                name,
                options,
                TaskManagerRunner.class.getName(),
                arguments(
                    TaskExecutorProcessUtils.generateDynamicConfigsStr(memory),
                    Map.of("taskmanager.resource-id", name)))));
  }

  /** A JVM with Flink's class path. */
  private List<String> flink(String name, List<String> options, String main, List<String> arguments)
      throws IOException {
    List<String> command = new ArrayList<>(options);
    command.addAll(List.of(configuration.get(CoreOptions.FLINK_JVM_OPTIONS).split(" ")));
    command.add("-Dlog4j.configurationFile=" + Path.of("../conf/log4j-console.properties").toUri());
    command.add("-Dlog.file=" + Files.createDirectories(folder.resolve("logs")).resolve(name));
    command.addAll(List.of("-cp", Files.readString(Path.of("target/flink-classpath.txt")).trim()));
    command.add(main);
    command.addAll(arguments);
    return command;
  }

  private List<String> arguments(String memory, Map<String, String> own) {
    List<String> arguments = new ArrayList<>(List.of("--configDir", "../conf"));
    arguments.addAll(List.of(memory.trim().split("\\s+")));
    settings.forEach((key, value) -> arguments.add("-D" + key + "=" + value));
    own.forEach((key, value) -> arguments.add("-D" + key + "=" + value));
    return arguments;
  }

  static int freePort() throws IOException {
    try (ServerSocket socket = anyPort()) {
      return socket.getLocalPort();
    }
  }

  private static ServerSocket anyPort() throws IOException {
    return new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
  }

  @Override
  public void close() {
    taskManagers.values().forEach(TestingProcess::close);
    Stream.of(jobManager, zooKeeper).filter(one -> one != null).forEach(TestingProcess::close);
    if (broker != null) {
      broker.close();
    }
  }
}
