package dev.freshet.replica.server;

import java.io.IOException;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import javax.net.ssl.SSLContext;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Reads a certificate anew when it was renewed; what cannot be read leaves the last one in use. */
final class CertificateWatch implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(CertificateWatch.class);
  private static final long EVERY_SECONDS = 1;

  private final Certificate certificate;
  private final ScheduledExecutorService clock =
      Executors.newSingleThreadScheduledExecutor(
          task -> {
            Thread thread = new Thread(task, "scoring-certificate");
            thread.setDaemon(true);
            return thread;
          });
  private List<FileTime> read;

  CertificateWatch(Certificate certificate) throws IOException {
    this.certificate = certificate;
    read = certificate.written();
  }

  SSLContext context() throws IOException {
    return certificate.context();
  }

  /** Looks every second from now on. */
  void start(Consumer<SSLContext> renewed) {
    clock.scheduleWithFixedDelay(
        () -> look(renewed), EVERY_SECONDS, EVERY_SECONDS, TimeUnit.SECONDS);
  }

  private void look(Consumer<SSLContext> renewed) {
    try {
      List<FileTime> now = certificate.written();
      if (!now.equals(read)) {
        read = now;
        renewed.accept(context());
        LOG.info("The certificate in {} was read anew", certificate.chain());
      }
    } catch (IOException | RuntimeException e) {
      // Perhaps one of the two is written and the other is not: then its time changes too.
      LOG.warn("The renewed certificate is not used: {}", e.getMessage());
    }
  }

  @Override
  public void close() {
    clock.shutdownNow();
  }
}
