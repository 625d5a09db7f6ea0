package dev.freshet.local.broker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
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
        EmbeddedBroker broker = EmbeddedBroker.start(folder, () -> ports(taken))) {
      assertThat(broker.bootstrap()).doesNotEndWith(":" + taken.getLocalPort());
      assertThat(asked).as("two that failed and one that did not").isEqualTo(3);
      try (Admin admin = Admin.create(Map.of("bootstrap.servers", broker.bootstrap()))) {
        assertThat(admin.describeCluster().nodes().get()).hasSize(1);
      }
    }
  }

  private EmbeddedBroker.Ports ports(ServerSocket taken) throws IOException {
    EmbeddedBroker.Ports free = EmbeddedBroker.Ports.free();
    asked++;
    return switch (asked) {
      case 1 -> new EmbeddedBroker.Ports(taken.getLocalPort(), free.controller());
      case 2 -> new EmbeddedBroker.Ports(free.clients(), taken.getLocalPort());
      default -> free;
    };
  }

  @Test
  void findsTwoPortsThatDiffer() throws Exception {
    for (int i = 0; i < 50_000; i++) {
      EmbeddedBroker.Ports ports = EmbeddedBroker.Ports.free();
      assertThat(ports.clients()).isNotEqualTo(ports.controller());
      assertThat(ports.moved().controller()).isNotEqualTo(ports.clients());
    }
  }

  @Test
  void saysWhyABrokerDoesNotStart() throws Exception {
    Files.writeString(folder.resolve(BrokerMain.SETTINGS), "log.segment.bytes=none");
    assertThatThrownBy(() -> EmbeddedBroker.start(folder))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("exit code 1")
        .hasMessageContaining("log.segment.bytes");
  }
}
