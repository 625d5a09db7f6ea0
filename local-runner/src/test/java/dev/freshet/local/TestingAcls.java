package dev.freshet.local;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Collection;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclBindingFilter;

/** Rights on a broker. */
public final class TestingAcls {

  private static final Duration MOST = Duration.ofSeconds(30);

  private TestingAcls() {}

  /**
   * Gives rights, and returns when they are in force: the controller answers before the broker has
   * read its log.
   */
  public static void give(Admin admin, Collection<AclBinding> rights) throws Exception {
    admin.createAcls(rights).all().get();
    long deadline = System.nanoTime() + MOST.toNanos();
    while (!admin.describeAcls(AclBindingFilter.ANY).values().get().containsAll(rights)) {
      assertThat(System.nanoTime()).as("rights in force").isLessThan(deadline);
      Thread.sleep(20);
    }
  }
}
