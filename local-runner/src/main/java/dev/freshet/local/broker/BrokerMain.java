package dev.freshet.local.broker;

import dev.freshet.local.signals.EndRequest;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.net.BindException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import kafka.server.KafkaConfig;
import kafka.server.KafkaRaftServer;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.utils.Exit;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.common.utils.Utils;
import org.apache.kafka.metadata.storage.Formatter;
import org.apache.kafka.server.common.MetadataVersion;
import org.slf4j.LoggerFactory;

/**
 * One Kafka node, broker and controller in one, in a process of its own: {@code folder port
 * controller-port}. Prints {@value #READY} when clients can come, and ends when its standard input
 * does, so that it never outlives the process that started it. A file {@value #SETTINGS} in the
 * folder has further settings of the broker, or others.
 */
public final class BrokerMain {

  static final String READY = "freshet-broker-ready";

  static final String SETTINGS = "broker.properties";

  /** Exit code that says that somebody else was quicker to take one of the ports. */
  static final int PORT_TAKEN = 98;

  private static final String CLUSTER_ID = "cluster-id";

  private BrokerMain() {}

  public static void main(String[] args) throws Exception {
    // Ctrl-C in a terminal goes to all processes of the command; this one is needed to the end.
    EndRequest.ignore();
    CountDownLatch stop = new CountDownLatch(1);
    Thread parent = new Thread(() -> awaitWord(stop), "parent");
    parent.setDaemon(true);
    parent.start();
    Path folder = Path.of(args[0]);
    Map<String, String> settings =
        settings(folder, Integer.parseInt(args[1]), Integer.parseInt(args[2]));
    format(folder);
    KafkaRaftServer server = new KafkaRaftServer(new KafkaConfig(settings, false), Time.SYSTEM);
    start(server);
    System.out.println(READY);
    stop.await();
    server.shutdown();
    server.awaitShutdown();
    System.exit(0);
  }

  /**
   * Listens from the first moment: a broker that went on starting without its parent would keep the
   * folder from the next one.
   */
  private static void awaitWord(CountDownLatch stop) {
    try {
      if (System.in.read() >= 0) {
        stop.countDown();
        return;
      }
    } catch (IOException e) {
      LoggerFactory.getLogger(BrokerMain.class).error("Nothing is heard of the parent", e);
    }
    // The parent is gone without a word: leave as abruptly. The log is on disk.
    Runtime.getRuntime().halt(1);
  }

  /** Ends the process if it does not start: what had begun to holds the folder and lives on. */
  private static void start(KafkaRaftServer server) {
    // Kafka would end it too, and not say why.
    Exit.setHaltProcedure((status, message) -> {});
    Exit.setExitProcedure((status, message) -> {});
    try {
      server.startup();
    } catch (Throwable failure) {
      LoggerFactory.getLogger(BrokerMain.class).error("The broker does not start", failure);
      Runtime.getRuntime().halt(portTaken(failure) ? PORT_TAKEN : 1);
    }
    Exit.resetHaltProcedure();
    Exit.resetExitProcedure();
  }

  private static boolean portTaken(Throwable failure) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause instanceof BindException) {
        return true;
      }
    }
    return false;
  }

  private static Map<String, String> settings(Path folder, int port, int controllerPort)
      throws IOException {
    Map<String, String> settings = new TreeMap<>();
    settings.put("process.roles", "broker,controller");
    settings.put("node.id", "1");
    settings.put("controller.quorum.voters", "1@127.0.0.1:" + controllerPort);
    settings.put(
        "listeners", "CLIENTS://127.0.0.1:" + port + ",CONTROLLER://127.0.0.1:" + controllerPort);
    settings.put("advertised.listeners", "CLIENTS://127.0.0.1:" + port);
    settings.put("listener.security.protocol.map", "CLIENTS:PLAINTEXT,CONTROLLER:PLAINTEXT");
    settings.put("inter.broker.listener.name", "CLIENTS");
    settings.put("controller.listener.names", "CONTROLLER");
    settings.put("log.dirs", folder.resolve("log").toString());
    for (String topic : new String[] {"offsets.topic", "transaction.state.log"}) {
      settings.put(topic + ".replication.factor", "1");
      settings.put(topic + ".num.partitions", "4");
    }
    settings.put("transaction.state.log.min.isr", "1");
    settings.put("share.coordinator.state.topic.replication.factor", "1");
    settings.put("share.coordinator.state.topic.min.isr", "1");
    settings.put("share.coordinator.state.topic.num.partitions", "1");
    settings.put("group.initial.rebalance.delay.ms", "0");
    settings.put("auto.create.topics.enable", "false");
    // Replayed events are years old; they stay until the folder is deleted.
    settings.put("log.retention.ms", "-1");
    settings.put("log.cleaner.dedupe.buffer.size", "33554432");
    Path further = folder.resolve(SETTINGS);
    if (Files.exists(further)) {
      Utils.loadProps(further.toString())
          .forEach((key, value) -> settings.put(key.toString(), value.toString()));
    }
    return settings;
  }

  private static void format(Path folder) throws Exception {
    Files.createDirectories(folder.resolve("log"));
    Formatter formatter = new Formatter();
    formatter
        .setClusterId(clusterId(folder.resolve(CLUSTER_ID)))
        .setNodeId(1)
        .setControllerListenerName("CONTROLLER")
        .setMetadataLogDirectory(folder.resolve("log").toString())
        .addDirectory(folder.resolve("log").toString())
        .setReleaseVersion(MetadataVersion.latestProduction())
        .setIgnoreFormatted(true)
        .setPrintStream(
            new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8));
    formatter.run();
  }

  private static String clusterId(Path file) throws IOException {
    // Empty where the process ended between the two steps of writing it.
    if (!Files.exists(file) || Files.size(file) == 0) {
      Files.writeString(file, Uuid.randomUuid().toString());
    }
    return Files.readString(file);
  }
}
