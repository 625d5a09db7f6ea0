package dev.freshet.local.commands;

import dev.freshet.experiments.importers.BadRows;
import dev.freshet.experiments.importers.EventFiles;
import dev.freshet.experiments.importers.Importers;
import dev.freshet.local.run.Verdict;
import dev.freshet.server.options.PathOption;
import dev.freshet.server.options.Usage;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
    name = "import",
    description = {
      "Turns a public data set into files of impressions and of feedback, for replay and the other"
          + " commands."
    },
    mixinStandardHelpOptions = true,
    customSynopsis = "freshet import DATASET FILE... --out DIR",
    footer = {
      "%nData sets:",
      "  hotel          hotel_bookings.csv: booking, stay, revenue",
      "  rees46         2019-Oct.csv ...: view, cart, purchase, price",
      "  retailrocket   events.csv: view, cart, transaction",
      "  kuairand       log_*.csv: exposure, click, long view, watch time",
      "  criteo-search  CriteoSearchData: click, sale, amount",
      "  criteo-delayed data.txt of the conversion logs: click, conversion",
      "  ali-ccp        common_features_*.csv sample_skeleton_*.csv: click, purchase",
      "  aliexpress     train.csv: click, purchase",
      "  open-bandit    men.csv, women.csv or all.csv of a policy: click",
      "Each has a pipeline of its name in pipelines/."
    })
final class ImportCommand implements Callable<Integer> {

  @Parameters(index = "0", paramLabel = "DATASET", description = "Name of the data set.")
  private String dataset;

  @Parameters(index = "1..*", arity = "1..*", paramLabel = "FILE", description = "Its files.")
  private List<Path> files;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      required = true,
      description = "Folder for the two files, feedback.jsonl.gz and impressions.jsonl.gz.")
  private Path out;

  @Option(
      names = "--strict",
      description = "Stop at the first row that is no event, instead of skipping and counting it.")
  private boolean strict;

  @Option(
      names = "--min-accepted",
      paramLabel = "SHARE",
      defaultValue = "0.5",
      description =
          "Share of events among events and skipped rows; with less the exit code is 3. Default:"
              + " ${DEFAULT-VALUE}.")
  private double minAccepted;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() throws Exception {
    Importers chosen =
        Arrays.stream(Importers.values())
            .filter(i -> i.label().equals(dataset))
            .findAny()
            .orElseThrow(
                () ->
                    new Usage(
                        "DATASET: '"
                            + dataset
                            + "'; allowed: "
                            + Arrays.stream(Importers.values())
                                .map(Importers::label)
                                .collect(Collectors.joining(", "))));
    files.forEach(file -> PathOption.file("FILE", file));
    PathOption.folder("--out", out);
    if (!(minAccepted >= 0 && minAccepted <= 1)) {
      throw new Usage("--min-accepted: '" + minAccepted + "'; allowed: 0 to 1");
    }
    PrintWriter text = spec.commandLine().getOut();
    BadRows bad = new BadRows(strict);
    try (EventFiles events = new EventFiles(out)) {
      chosen.importer().run(files, events, bad);
      text.printf(
          "%,d impressions and %,d feedback events in %s%n",
          events.impressionCount(), events.feedbackCount(), out);
      bad.lines().forEach(text::println);
      text.flush();
      return judged(events, bad);
    }
  }

  /** The exit code; says why if what came out is not what was meant. */
  private int judged(EventFiles events, BadRows bad) {
    List<String> problems = new ArrayList<>();
    if (events.impressionCount() == 0) {
      problems.add("there are no impressions");
    }
    if (events.feedbackCount() == 0) {
      problems.add("there is no feedback");
    }
    double made = events.impressionCount() + events.feedbackCount();
    if (bad.count() > 0 && made < minAccepted * (made + bad.count())) {
      problems.add(
          "%,d rows were skipped for %,.0f events; --min-accepted is %s"
              .formatted(bad.count(), made, minAccepted));
    }
    problems.forEach(problem -> spec.commandLine().getErr().println("Problem: " + problem));
    return problems.isEmpty() ? 0 : Verdict.CODE;
  }
}
