package dev.freshet.job;

import static com.tngtech.archunit.core.domain.JavaAccess.Predicates.target;
import static com.tngtech.archunit.core.domain.JavaAccess.Predicates.targetOwner;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.assignableTo;
import static com.tngtech.archunit.core.domain.properties.HasName.Predicates.nameMatching;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import org.apache.flink.metrics.MetricGroup;

@AnalyzeClasses(packages = "dev.freshet.job", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {

  @ArchTest
  static final ArchRule JOB_KNOWS_NEITHER_BROKER_NOR_RUNNER =
      noClasses()
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "kafka..", "dev.freshet.local..", "dev.freshet.replica..", "ai.djl..");

  @ArchTest
  static final ArchRule NO_CYCLES =
      slices().matching("dev.freshet.job.(*)..").should().beFreeOfCycles();

  @ArchTest
  static final ArchRule METRICS_ARE_ON_THE_MENU =
      noClasses()
          .that()
          .resideOutsideOfPackage("dev.freshet.job.metrics")
          .should()
          .callMethodWhere(
              target(nameMatching("gauge|counter|meter|histogram|addGroup"))
                  .and(targetOwner(assignableTo(MetricGroup.class))))
          .because("docs/metrics.md is made from the menu");
}
