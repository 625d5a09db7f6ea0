package dev.freshet.replica.server;

import static dev.freshet.core.settings.InvalidValueException.check;

import dev.freshet.replica.ReplicaSettings;
import org.jspecify.annotations.Nullable;

/**
 * Where a scoring server listens and what it bears.
 *
 * @param host address to listen on
 * @param port 0 for any free one
 * @param access who may call it
 * @param certificate to be shown, over TLS; null for connections in the clear
 * @param replica how versions are kept
 */
public record ServerSettings(
    String host,
    int port,
    Limits limits,
    Readiness readiness,
    Access access,
    @Nullable Certificate certificate,
    ReplicaSettings replica) {

  private static final int PORTS = 1 << 16;

  public ServerSettings {
    check(port >= 0 && port < PORTS, "port", port, "0 to 65535");
  }
}
