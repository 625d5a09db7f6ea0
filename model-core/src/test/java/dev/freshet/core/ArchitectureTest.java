package dev.freshet.core;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

@AnalyzeClasses(packages = "dev.freshet.core", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {

  @ArchTest
  static final ArchRule CORE_KNOWS_NEITHER_FLINK_NOR_KAFKA =
      noClasses()
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("org.apache.flink..", "org.apache.kafka..");

  @ArchTest
  static final ArchRule NO_DJL_OUTSIDE_THE_ENGINE =
      noClasses()
          .that()
          .haveNameNotMatching(".*Torch(Engine|Library)(\\$.*)?")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("ai.djl..");

  @ArchTest
  static final ArchRule NO_CYCLES =
      slices().matching("dev.freshet.core.(*)..").should().beFreeOfCycles();

  @ArchTest
  static final ArchRule DATA_FLOWS_DOWN =
      layeredArchitecture()
          .consideringOnlyDependenciesInLayers()
          .layer("events")
          .definedBy("..core.events..")
          .layer("labels")
          .definedBy("..core.labels..")
          .layer("features")
          .definedBy("..core.features..")
          .layer("models")
          .definedBy("..core.models..")
          .layer("network")
          .definedBy("..core.network..", "..core.rows..")
          .layer("snapshot")
          .definedBy("..core.snapshot..")
          .layer("pipeline")
          .definedBy("..core.pipeline..")
          .whereLayer("pipeline")
          .mayNotBeAccessedByAnyLayer()
          .whereLayer("snapshot")
          .mayOnlyBeAccessedByLayers("pipeline")
          .whereLayer("network")
          .mayOnlyBeAccessedByLayers("snapshot", "pipeline")
          .whereLayer("models")
          .mayOnlyBeAccessedByLayers("network", "snapshot", "pipeline")
          .whereLayer("features")
          .mayOnlyBeAccessedByLayers("models", "network", "snapshot", "pipeline")
          .whereLayer("labels")
          .mayOnlyBeAccessedByLayers("features", "models", "network", "snapshot", "pipeline");

  /** Whoever serves needs none of what learns. */
  @ArchTest
  static final ArchRule LEARNING_DEPENDS_ON_SERVING_AND_NEVER_BACK =
      noClasses()
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "dev.freshet.training..", "dev.freshet.job..", "dev.freshet.replica..");

  @ArchTest
  static final ArchRule KEYS_ARE_MADE_OF_VALUES =
      noClasses()
          .that()
          .haveSimpleName("FeatureEncoder")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("..core.labels..")
          .orShould()
          .dependOnClassesThat()
          .haveSimpleName("Impression");
}
