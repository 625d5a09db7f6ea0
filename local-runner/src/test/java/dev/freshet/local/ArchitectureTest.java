package dev.freshet.local;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.library.GeneralCodingRules;
import dev.freshet.local.broker.BrokerMain;

@AnalyzeClasses(
    packages = "dev.freshet.local",
    importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {

  /** The terminal belongs to commands, which hand it on; the broker answers its parent. */
  @ArchTest
  static final ArchRule ONLY_COMMANDS_PRINT =
      noClasses()
          .that()
          .resideOutsideOfPackage("dev.freshet.local.commands..")
          .and()
          .doNotBelongToAnyOf(BrokerMain.class)
          .should(GeneralCodingRules.ACCESS_STANDARD_STREAMS);

  @ArchTest
  static final ArchRule NO_CYCLES =
      slices().matching("dev.freshet.local.(*)..").should().beFreeOfCycles();
}
