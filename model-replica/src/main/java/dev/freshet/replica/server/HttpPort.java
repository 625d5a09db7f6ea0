package dev.freshet.replica.server;

import static java.util.Objects.requireNonNull;

import io.undertow.UndertowOptions;
import io.undertow.protocols.ssl.UndertowXnioSsl;
import io.undertow.server.DefaultByteBufferPool;
import io.undertow.server.HttpHandler;
import io.undertow.server.handlers.HttpContinueReadHandler;
import io.undertow.server.protocol.http.HttpOpenListener;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.xnio.ChannelListener;
import org.xnio.ChannelListeners;
import org.xnio.IoUtils;
import org.xnio.OptionMap;
import org.xnio.Options;
import org.xnio.StreamConnection;
import org.xnio.Xnio;
import org.xnio.XnioWorker;
import org.xnio.channels.AcceptingChannel;

/**
 * The port that a server listens on, in the clear or over TLS, and the few threads that serve all
 * connections to it. As Undertow's own builder makes it, but that every connection passes through
 * our hands first.
 */
final class HttpPort implements AutoCloseable {

  private static final int BUFFER = 16 << 10;
  private static final int BACKLOG = 1000;

  private final @Nullable Certificate certificate;
  private final Consumer<StreamConnection> opened;
  private final HttpOpenListener http;
  private @Nullable XnioWorker worker;
  private @Nullable AcceptingChannel<? extends StreamConnection> listening;
  private @Nullable CertificateWatch certificates;

  /**
   * @param certificate to be shown; null for connections in the clear
   * @param opened is told of each connection before anything is read from it
   * @param handler of requests whose head has come; it must not wait
   */
  HttpPort(
      @Nullable Certificate certificate, Consumer<StreamConnection> opened, HttpHandler handler) {
    this.certificate = certificate;
    this.opened = opened;
    http =
        new HttpOpenListener(
            new DefaultByteBufferPool(true, BUFFER, -1, 4),
            OptionMap.create(UndertowOptions.MAX_ENTITY_SIZE, -1L)); // Call looks to that
    http.setRootHandler(new HttpContinueReadHandler(handler));
  }

  void listen(InetSocketAddress address) throws IOException {
    worker =
        Xnio.getInstance(HttpOpenListener.class.getClassLoader())
            .createWorker(
                OptionMap.builder()
                    .set(Options.WORKER_NAME, "scoring-http")
                    .set(
                        Options.WORKER_IO_THREADS,
                        Math.max(2, Runtime.getRuntime().availableProcessors()))
                    .set(Options.WORKER_TASK_CORE_THREADS, 1)
                    .set(Options.WORKER_TASK_MAX_THREADS, 1)
                    .set(Options.TCP_NODELAY, true)
                    .set(Options.THREAD_DAEMON, true)
                    .getMap());
    OptionMap options =
        OptionMap.builder()
            .set(Options.TCP_NODELAY, true)
            .set(Options.REUSE_ADDRESSES, true)
            .set(Options.BACKLOG, BACKLOG)
            .getMap();
    if (certificate == null) {
      listening = worker.createStreamConnectionServer(address, accepting(), options);
    } else {
      CertificateWatch watch = new CertificateWatch(certificate);
      UndertowXnioSsl tls = new UndertowXnioSsl(worker.getXnio(), OptionMap.EMPTY, watch.context());
      certificates = watch;
      listening = tls.createSslConnectionServer(worker, address, accepting(), options);
      watch.start(tls::updateSSLContext);
    }
    listening.resumeAccepts();
  }

  private <C extends StreamConnection> ChannelListener<AcceptingChannel<C>> accepting() {
    return ChannelListeners.openListenerAdapter(
        connection -> {
          opened.accept(connection);
          http.handleEvent(connection);
        });
  }

  /** Where it listens. */
  InetSocketAddress address() {
    return requireNonNull(listening, "it does not listen").getLocalAddress(InetSocketAddress.class);
  }

  /** Takes no more connections; those that are open are served. */
  void stopListening() {
    IoUtils.safeClose(listening);
    if (certificates != null) {
      certificates.close();
    }
  }

  @Override
  public void close() {
    stopListening();
    if (worker != null) {
      worker.shutdown();
    }
  }
}
