package dev.freshet.local;

import static com.tngtech.archunit.core.domain.JavaAccess.Predicates.target;
import static com.tngtech.archunit.core.domain.properties.HasName.AndFullName.Predicates.fullNameMatching;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.core.importer.Location;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.library.GeneralCodingRules;
import dev.freshet.job.training.TrainOperator;
import dev.freshet.local.broker.BrokerMain;
import dev.freshet.local.run.LocalJob;
import dev.freshet.replica.ModelReplica;
import dev.freshet.replica.server.ScoringServer;
import dev.freshet.server.ServeCommand;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.Arrays;
import java.util.Calendar;
import java.util.Date;
import java.util.List;
import java.util.Set;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;
import org.apache.kafka.common.utils.Time;
import org.junit.jupiter.api.Test;

/** What no class of any module calls: this module sees them all. CONTRIBUTING.md says why. */
class BannedCallsTest {

  private static final JavaClasses MAIN =
      new ClassFileImporter()
          .withImportOptions(List.of(new ImportOption.DoNotIncludeTests(), new NoJarOfTests()))
          .importPackages("dev.freshet");

  private static final List<String> MODULES =
      List.of(
          "dev.freshet.core",
          "dev.freshet.training",
          "dev.freshet.experiments",
          "dev.freshet.topics",
          "dev.freshet.job",
          "dev.freshet.replica",
          "dev.freshet.server",
          "dev.freshet.local");

  private static final ArchRule TIME_COMES_FROM_A_CLOCK =
      noClasses()
          .should()
          .accessTargetWhere(
              target(
                  fullNameMatching(
                      "java\\.lang\\.System\\.currentTimeMillis\\(\\)"
                          + "|java\\.time\\..*\\.now\\((java\\.time\\.ZoneId)?\\)"
                          + "|java\\.util\\.Date\\.<init>\\(\\)"
                          + "|java\\.util\\.Calendar\\.getInstance\\(.*\\)"
                          + "|java\\.util\\.GregorianCalendar\\.<init>\\(.*\\)")))
          .because("time is read from a clock that was handed in, which a test can set");

  private static final ArchRule CLOCKS_ARE_HANDED_IN =
      noClasses()
          .that()
          .doNotBelongToAnyOf(
              BrokerMain.class,
              LocalJob.class,
              ModelReplica.class,
              ScoringServer.class,
              ServeCommand.class,
              TrainOperator.class)
          .should()
          .accessTargetWhere(
              target(
                  fullNameMatching(
                      "java\\.time\\.Clock\\.(system|tick[A-Z]).*"
                          + "|java\\.time\\.InstantSource\\.system\\(\\)"
                          + "|org\\.apache\\.kafka\\.common\\.utils\\.(Time\\.SYSTEM|SystemTime\\..*)"
                          + "|org\\.apache\\.flink\\.util\\.clock\\.SystemClock\\..*")))
          .because("only what puts a server, a job or an operator together chooses its clock");

  /** The terminal belongs to commands, which hand it on; the broker answers its parent. */
  private static final ArchRule ONLY_COMMANDS_PRINT =
      noClasses()
          .that()
          .resideOutsideOfPackage("dev.freshet.local.commands..")
          .and()
          .doNotBelongToAnyOf(BrokerMain.class)
          .should(GeneralCodingRules.ACCESS_STANDARD_STREAMS)
          .because("libraries log, and what runs for a command prints to what it is given");

  private static final class NoJarOfTests implements ImportOption {
    @Override
    public boolean includes(Location location) {
      return !location.contains("-tests.jar");
    }
  }

  /** One call of each kind, and none. */
  private static final class TestingOffender {
    static final List<Object> TIMES =
        List.of(
            System.currentTimeMillis(),
            Instant.now(),
            LocalDate.now(ZoneOffset.UTC),
            new Date(),
            Calendar.getInstance());
    static final LongSupplier REFERENCE = System::currentTimeMillis;
    static final List<Object> CLOCKS =
        List.of(
            Clock.systemUTC(),
            Clock.tickSeconds(ZoneOffset.UTC),
            InstantSource.system(),
            Time.SYSTEM);
    static final List<Object> STREAMS = List.of(System.out, System.err);

    static void print() {
      new IllegalStateException().printStackTrace();
    }

    static final List<Object> ALLOWED =
        List.of(
            System.nanoTime(),
            Instant.now(Clock.fixed(Instant.EPOCH, ZoneOffset.UTC)),
            Clock.tick(Clock.fixed(Instant.EPOCH, ZoneOffset.UTC), Duration.ofDays(1)),
            new Date(0));
  }

  private static List<String> violations(ArchRule rule) {
    JavaClasses offender = new ClassFileImporter().importClasses(TestingOffender.class);
    return rule.evaluate(offender).getFailureReport().getDetails();
  }

  @Test
  void everyModuleIsLookedAt() {
    Set<String> seen =
        MAIN.stream()
            .map(type -> type.getPackageName().split("\\."))
            .map(parts -> String.join(".", Arrays.copyOf(parts, 3)))
            .collect(Collectors.toSet());
    assertThat(seen).containsExactlyInAnyOrderElementsOf(MODULES);
  }

  @Test
  void timeComesFromAClock() {
    TIME_COMES_FROM_A_CLOCK.check(MAIN);
    assertThat(violations(TIME_COMES_FROM_A_CLOCK)).hasSize(6);
  }

  @Test
  void clocksAreHandedIn() {
    CLOCKS_ARE_HANDED_IN.check(MAIN);
    assertThat(violations(CLOCKS_ARE_HANDED_IN)).hasSize(4);
  }

  @Test
  void onlyCommandsPrint() {
    ONLY_COMMANDS_PRINT.check(MAIN);
    assertThat(violations(ONLY_COMMANDS_PRINT)).hasSize(3);
  }
}
