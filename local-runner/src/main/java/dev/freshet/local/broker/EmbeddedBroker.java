package dev.freshet.local.broker;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * A real Kafka broker for demos and tests, in a child process on free ports of the loopback
 * interface. Its folder survives restarts; the child ends with this process, however that ends.
 */
public final class EmbeddedBroker implements AutoCloseable {

  private static final int START_SECONDS = 90;
  private static final int ATTEMPTS = 10;

  private final Process process;
  private final String bootstrap;

  private final Path folder;
  private final Ports ports;

  private EmbeddedBroker(Process process, Path folder, Ports ports) {
    this.process = process;
    this.folder = folder;
    this.ports = ports;
    bootstrap = "127.0.0.1:" + ports.clients();
  }

  /**
   * Starts a broker on {@code folder} and waits until it takes clients.
   *
   * @throws IOException if it does not come up; the message names its log file
   */
  public static EmbeddedBroker start(Path folder) throws IOException, InterruptedException {
    return start(folder, Ports::free);
  }

  /** The port of the clients and that of the controller; a broker cannot have one for both. */
  record Ports(int clients, int controller) {

    /** Where to find two ports. */
    interface Finder {
      Ports next() throws IOException;
    }

    /** Two that are free, as far as one can know before they are bound. */
    static Ports free() throws IOException {
      // Both are held until both are known: one that was let go may be given out again at once.
      try (ServerSocket clients = anyPort();
          ServerSocket controller = anyPort()) {
        return new Ports(clients.getLocalPort(), controller.getLocalPort());
      }
    }

    /** These clients, and another controller. */
    Ports moved() throws IOException {
      Ports free = free();
      return new Ports(clients, free.clients == clients ? free.controller : free.clients);
    }

    private static ServerSocket anyPort() throws IOException {
      return new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
    }
  }

  /**
   * As the other one. A port that is free may be taken before the broker binds it, so what counts
   * is whether it could: if not, it tries again with others.
   */
  static EmbeddedBroker start(Path folder, Ports.Finder ports)
      throws IOException, InterruptedException {
    Files.createDirectories(folder);
    for (int i = 0; i < ATTEMPTS; i++) {
      Optional<EmbeddedBroker> broker = attempt(folder, ports.next());
      if (broker.isPresent()) {
        return broker.get();
      }
    }
    throw new IOException("no port stays free long enough for the Kafka broker");
  }

  /** Starts another process for this folder and these clients, after this one was killed. */
  public EmbeddedBroker restart() throws IOException, InterruptedException {
    for (int i = 0; i < ATTEMPTS; i++) {
      Optional<EmbeddedBroker> broker = attempt(folder, ports.moved());
      if (broker.isPresent()) {
        return broker.get();
      }
    }
    throw new IOException("port " + ports.clients() + " is taken");
  }

  /** A broker; nothing if somebody else has one of the ports. */
  private static Optional<EmbeddedBroker> attempt(Path folder, Ports ports)
      throws IOException, InterruptedException {
    Path log = folder.resolve("broker.log");
    // What it unpacks it can only remove if it ends in order: let that lie where it goes anyway.
    Path temporary = Files.createDirectories(folder.resolve("tmp"));
    Process process =
        new ProcessBuilder(
                List.of(
                    Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    "-Xmx512m",
                    "-XX:+UseParallelGC",
                    "-Djava.io.tmpdir=" + temporary,
                    "-cp",
                    System.getProperty("java.class.path"),
                    "-Dlog4j2.configurationFile=freshet-broker-log4j2.xml",
                    BrokerMain.class.getName(),
                    folder.toString(),
                    Integer.toString(ports.clients()),
                    Integer.toString(ports.controller())))
            .redirectError(ProcessBuilder.Redirect.appendTo(log.toFile()))
            .start();
    EmbeddedBroker broker = new EmbeddedBroker(process, folder, ports);
    if (!broker.awaitReady(log)) {
      boolean ended = process.waitFor(1, TimeUnit.SECONDS);
      process.destroyForcibly().waitFor();
      if (ended && process.exitValue() == BrokerMain.PORT_TAKEN) {
        return Optional.empty();
      }
      throw new IOException(
          "the Kafka broker "
              + (ended
                  ? "ended at its start with exit code " + process.exitValue()
                  : "was not ready after " + START_SECONDS + " seconds")
              + "; see "
              + log
              + complaint(log));
    }
    return Optional.of(broker);
  }

  private boolean awaitReady(Path log) throws InterruptedException {
    CountDownLatch ready = new CountDownLatch(1);
    boolean[] came = {false};
    Thread reader =
        new Thread(
            () -> {
              try (BufferedReader lines =
                      new BufferedReader(
                          new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
                  OutputStream out =
                      Files.newOutputStream(
                          log, StandardOpenOption.CREATE, StandardOpenOption.APPEND)) {
                for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                  if (line.equals(BrokerMain.READY)) {
                    came[0] = true;
                    ready.countDown();
                  }
                  out.write((line + "\n").getBytes(StandardCharsets.UTF_8));
                }
              } catch (IOException e) {
                throw new UncheckedIOException(e);
              } finally {
                ready.countDown();
              }
            },
            "broker-output");
    reader.setDaemon(true);
    reader.start();
    return ready.await(START_SECONDS, TimeUnit.SECONDS) && came[0];
  }

  /** The log's last line that is not of a stack trace: its folder may be gone when this is read. */
  private static String complaint(Path log) throws IOException {
    List<String> said =
        Files.readAllLines(log).stream()
            .filter(line -> !line.isBlank() && !line.startsWith("\t"))
            .toList();
    return said.isEmpty() ? "" : ", which ends with: " + said.get(said.size() - 1);
  }

  /** Where clients connect, host:port. */
  public String bootstrap() {
    return bootstrap;
  }

  /** Kills the process as a crash would. */
  public void kill() throws InterruptedException {
    process.destroyForcibly().waitFor();
  }

  /** Shuts down in order; after ten seconds without. */
  @Override
  public void close() {
    try (OutputStream stop = process.getOutputStream()) {
      stop.write('\n');
      stop.flush();
    } catch (IOException e) {
      process.destroyForcibly(); // It is gone already; it hears nothing else.
    }
    try {
      if (!process.waitFor(10, TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }
}
