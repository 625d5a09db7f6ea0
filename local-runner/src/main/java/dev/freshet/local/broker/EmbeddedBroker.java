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
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * A real Kafka broker for demos and tests, in a child process on free ports of the loopback
 * interface. Its folder survives restarts; the child ends with this process, however that ends.
 */
public final class EmbeddedBroker implements AutoCloseable {

  private static final int START_SECONDS = 90;

  private final Process process;
  private final String bootstrap;

  private EmbeddedBroker(Process process, String bootstrap) {
    this.process = process;
    this.bootstrap = bootstrap;
  }

  /**
   * Starts a broker on {@code folder} and waits until it takes clients.
   *
   * @throws IOException if it does not come up; the message names its log file
   */
  public static EmbeddedBroker start(Path folder) throws IOException, InterruptedException {
    Files.createDirectories(folder);
    int port = freePort();
    Path log = folder.resolve("broker.log");
    Process process =
        new ProcessBuilder(
                List.of(
                    Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    "-Xmx512m",
                    "-XX:+UseParallelGC",
                    "-cp",
                    System.getProperty("java.class.path"),
                    "-Dlog4j2.configurationFile=freshet-broker-log4j2.xml",
                    BrokerMain.class.getName(),
                    folder.toString(),
                    Integer.toString(port),
                    Integer.toString(freePort())))
            .redirectError(ProcessBuilder.Redirect.appendTo(log.toFile()))
            .start();
    EmbeddedBroker broker = new EmbeddedBroker(process, "127.0.0.1:" + port);
    if (!broker.awaitReady(log)) {
      process.destroyForcibly();
      throw new IOException("the Kafka broker did not start; see " + log);
    }
    return broker;
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

  private static int freePort() throws IOException {
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
