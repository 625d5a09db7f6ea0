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
  private final int port;

  private EmbeddedBroker(Process process, Path folder, int port) {
    this.process = process;
    this.folder = folder;
    this.port = port;
    bootstrap = "127.0.0.1:" + port;
  }

  /**
   * Starts a broker on {@code folder} and waits until it takes clients.
   *
   * @throws IOException if it does not come up; the message names its log file
   */
  public static EmbeddedBroker start(Path folder) throws IOException, InterruptedException {
    return start(folder, EmbeddedBroker::freePort);
  }

  /** Where to find a port that is free, as far as one can know before it is bound. */
  interface Ports {
    int next() throws IOException;
  }

  /**
   * As the other one. A port that is free may be taken before the broker binds it, so what counts
   * is whether it could: if not, it tries again with others.
   */
  static EmbeddedBroker start(Path folder, Ports ports) throws IOException, InterruptedException {
    Files.createDirectories(folder);
    for (int i = 0; i < ATTEMPTS; i++) {
      Optional<EmbeddedBroker> broker = attempt(folder, ports.next(), ports.next());
      if (broker.isPresent()) {
        return broker.get();
      }
    }
    throw new IOException("no port stays free long enough for the Kafka broker");
  }

  /** Starts another process for this folder and these clients, after this one was killed. */
  public EmbeddedBroker restart() throws IOException, InterruptedException {
    for (int i = 0; i < ATTEMPTS; i++) {
      Optional<EmbeddedBroker> broker = attempt(folder, port, freePort());
      if (broker.isPresent()) {
        return broker.get();
      }
    }
    throw new IOException("port " + port + " is taken");
  }

  /** A broker; nothing if somebody else has one of the ports. */
  private static Optional<EmbeddedBroker> attempt(Path folder, int port, int controllerPort)
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
                    Integer.toString(port),
                    Integer.toString(controllerPort)))
            .redirectError(ProcessBuilder.Redirect.appendTo(log.toFile()))
            .start();
    EmbeddedBroker broker = new EmbeddedBroker(process, folder, port);
    if (!broker.awaitReady(log)) {
      boolean taken =
          process.waitFor(1, TimeUnit.SECONDS) && process.exitValue() == BrokerMain.PORT_TAKEN;
      process.destroyForcibly().waitFor();
      if (taken) {
        return Optional.empty();
      }
      throw new IOException("the Kafka broker did not start; see " + log);
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

  static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
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
