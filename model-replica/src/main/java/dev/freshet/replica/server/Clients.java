package dev.freshet.replica.server;

import dev.freshet.replica.server.Client.Stage;
import io.undertow.server.HttpServerExchange;
import io.undertow.server.protocol.http.HttpServerConnection;
import java.util.Collection;
import java.util.Comparator;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xnio.StreamConnection;

/**
 * All connections of a server. No client can keep others waiting: when there are too many, the one
 * that lets us wait longest makes room for the newest, as web servers do, and whoever is not
 * through by the deadline is closed. Only requests that have come whole are never displaced, and of
 * these there are few enough.
 */
final class Clients implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(Clients.class);
  private static final long TICK_MS = 50;

  private final Limits limits;
  private final ServerMetrics metrics;
  private final Map<StreamConnection, Client> all = new ConcurrentHashMap<>();
  private final AtomicLong unfinished = new AtomicLong();
  private final ScheduledExecutorService clock =
      Executors.newSingleThreadScheduledExecutor(
          task -> {
            Thread thread = new Thread(task, "scoring-deadlines");
            thread.setDaemon(true);
            return thread;
          });

  Clients(Limits limits, ServerMetrics metrics) {
    this.limits = limits;
    this.metrics = metrics;
    metrics.connections(all::size);
    clock.scheduleWithFixedDelay(this::tick, TICK_MS, TICK_MS, TimeUnit.MILLISECONDS);
  }

  /** A connection has been accepted, which may cost another one its place. */
  synchronized void opened(StreamConnection connection) {
    Client client = Client.watch(connection, metrics);
    if (all.size() >= limits.connections()) {
      forgetClosed();
    }
    if (all.size() >= limits.connections()) {
      displace(all.values());
    }
    all.put(connection, client);
  }

  @Nullable Client of(HttpServerExchange exchange) {
    return all.get(((HttpServerConnection) exchange.getConnection()).getChannel());
  }

  /** So many more bytes of bodies that are not whole; if all of them are too many, one goes. */
  void unfinished(long bytes) {
    long sum = unfinished.addAndGet(bytes);
    if (bytes > 0 && sum > (long) limits.largestBody() * limits.atWork()) {
      displace(all.values().stream().filter(client -> client.stage() == Stage.BODY).toList());
    }
  }

  private void displace(Collection<Client> among) {
    Optional<Client> longest =
        among.stream()
            .filter(client -> client.stage().isTheClients())
            .min(Comparator.comparingLong(Client::since));
    longest.ifPresent(
        client -> {
          all.values().remove(client);
          if (client.stage() == Stage.IDLE || client.stage() == Stage.CLOSING) {
            client.hangUp("displaced");
          } else {
            client.giveUp(
                "displaced",
                new Refused(Refused.UNAVAILABLE, "too many connections; others were faster"));
          }
        });
  }

  private void forgetClosed() {
    all.values().removeIf(client -> !client.isOpen());
  }

  private void tick() {
    try {
      forgetClosed();
      long allowed = limits.timeout().toNanos();
      all.values().stream().filter(client -> client.isLate(allowed)).forEach(this::late);
    } catch (RuntimeException e) {
      // Thrown on, it would end all deadlines.
      LOG.error("Deadlines are looked at again in {} ms", TICK_MS, e);
    }
  }

  private void late(Client client) {
    String allowed = Call.seconds(limits.timeout());
    switch (client.stage()) {
      case IDLE -> client.hangUp("idle");
      case HEAD, BODY ->
          client.giveUp(
              "slow-request",
              new Refused(Refused.TOO_SLOW, "the request did not come within " + allowed));
      case WORK ->
          client.giveUp(
              "no-answer",
              new Refused(Refused.UNAVAILABLE, "no answer within " + allowed + " of the request"));
      case ANSWER -> client.hangUp("slow-answer");
      case CLOSING -> client.close();
    }
  }

  @Override
  public void close() {
    clock.shutdownNow();
    all.values().forEach(Client::close);
  }
}
