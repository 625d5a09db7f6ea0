package dev.freshet.local.broker;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EmbeddedBrokerITCase {

  @TempDir private Path folder;
  private int asked;

  /** Another process was quicker to take the port of the clients, then that of the controller. */
  @Test
  void takesOtherPortsIfSomebodyElseHasThem() throws Exception {
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        EmbeddedBroker broker = EmbeddedBroker.start(folder, () -> port(taken))) {
      assertThat(broker.bootstrap()).doesNotEndWith(":" + taken.getLocalPort());
      assertThat(asked).as("two that failed and one that did not").isEqualTo(6);
      try (Admin admin = Admin.create(Map.of("bootstrap.servers", broker.bootstrap()))) {
        assertThat(admin.describeCluster().nodes().get()).hasSize(1);
      }
    }
  }

  private int port(ServerSocket taken) throws IOException {
    asked++;
    return asked == 1 || asked == 4 ? taken.getLocalPort() : EmbeddedBroker.freePort();
  }
}
