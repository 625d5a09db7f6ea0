package dev.freshet.benchmarks.step;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.freshet.benchmarks.Rounds;
import dev.freshet.benchmarks.Table;
import dev.freshet.core.models.Models;
import dev.freshet.core.models.torch.TorchLibrary;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * A round of learning, {@link dev.freshet.training.ModelTrainer#process}, and its pieces, beside a
 * floor, the bare matrix products that it needs, and beside a peer, the same step in plain PyTorch.
 * All take turns in every round.
 */
@Command(
    name = "./benchmarks/run step",
    mixinStandardHelpOptions = true,
    description = {
      "The learning step of every model beside the matrix products that it needs, and beside plain PyTorch.",
      "docs/performance.md says what is measured."
    })
public final class StepTimes implements Callable<Integer> {

  @Option(
      names = "--models",
      split = ",",
      paramLabel = "KIND",
      description = "Kinds of models; by default all.")
  private List<String> models = List.copyOf(Models.kinds().keySet());

  @Option(
      names = "--batches",
      split = ",",
      paramLabel = "N",
      description = "Sizes of batches; by default ${DEFAULT-VALUE}.")
  private List<Integer> batches = List.of(256, 1024, 4096);

  @Option(names = "--rows", description = "Rows of all fields; by default ${DEFAULT-VALUE}.")
  private int rows = 240_000;

  @Option(names = "--rounds", description = "Rounds, 5 or more; by default ${DEFAULT-VALUE}.")
  private int rounds = 7;

  @Option(
      names = "--turn",
      paramLabel = "MS",
      description =
          "Milliseconds that each takes at least in a round; by default ${DEFAULT-VALUE}.")
  private int turn = 200;

  @Option(
      names = "--clock",
      description =
          "wall, or cpu: the time that the computing thread had a processor; by default"
              + " ${DEFAULT-VALUE}.")
  private Clock clock = Clock.WALL;

  @Option(
      names = "--training",
      paramLabel = "SETTINGS",
      description =
          "Settings of training, as in a pipeline file: '{products: bfloat16}'; none by default.")
  private String training = "{}";

  @Option(names = "--json", paramLabel = "FILE", description = "Writes all figures to a file.")
  private @Nullable Path json;

  @Option(
      names = "--peer",
      description =
          "Measures plain PyTorch too, which is installed first: a download of some 3 GB.")
  private boolean peer;

  /** Milliseconds of the computing thread. */
  private static final double WARM_UP = 4000;

  private final int threads = Integer.getInteger("ai.djl.pytorch.num_threads", 1);

  public static void main(String[] args) {
    CommandLine line = new CommandLine(new StepTimes()).setCaseInsensitiveEnumValuesAllowed(true);
    System.exit(line.execute(args));
  }

  @Override
  public Integer call() throws IOException {
    checkOptions();
    System.out.println(Table.head(StepResult.COLUMNS));
    List<StepResult> results = new ArrayList<>();
    for (String model : models) {
      for (int batch : batches) {
        StepResult result = measure(model, batch);
        System.out.println(Table.line(result.line()));
        results.add(result);
        if (json != null) {
          write(results, json);
        }
      }
    }
    return 0;
  }

  private void checkOptions() {
    for (String model : models) {
      if (!Models.kinds().containsKey(model)) {
        refuse("--models: there is no " + model + " among " + Models.kinds().keySet());
      }
    }
    if (rounds < 5) {
      refuse("--rounds: at least 5, or a median says little");
    }
    if (rows < StepCase.FIELDS || batches.stream().anyMatch(batch -> batch < 1) || turn < 1) {
      refuse("--batches and --turn are above 0, --rows at least " + StepCase.FIELDS);
    }
    if (clock == Clock.CPU && threads > 1) {
      refuse("--clock cpu sees one thread: with --threads " + threads + " take wall");
    }
  }

  private void refuse(String why) {
    throw new CommandLine.ParameterException(new CommandLine(this), why);
  }

  private StepResult measure(String model, int batch) throws IOException {
    Products products;
    try (StepCase probe = new StepCase(model, Products.PROBE, rows, "{}")) {
      products = Products.of(probe::script, probe.network().parameters());
    }
    try (StepCase of = new StepCase(model, batch, rows, training);
        Floor floor = new Floor(products.of(batch))) {
      of.warmUp(WARM_UP);
      if (!peer) {
        return new StepResult(model, batch, products, rounds(of, floor, null), null);
      }
      Path folder = Files.createTempDirectory("peer");
      try {
        PeerFiles.write(of, folder);
        Path python = Path.of(System.getProperty("freshet.peer.python", "python3"));
        try (Peer other =
            new Peer(python, Path.of(System.getProperty("freshet.home", ".")), folder, threads)) {
          Peer.Difference difference = other.check();
          return new StepResult(model, batch, products, rounds(of, floor, other), difference);
        }
      } finally {
        delete(folder);
      }
    }
  }

  private Rounds rounds(StepCase of, Floor floor, @Nullable Peer other) {
    // How often each is called in a turn; the first calls are no measurement.
    floor.multiply();
    of.pieces(clock);
    int products = times(clock.time(1, floor::multiply));
    int steps = times(clock.time(1, of::process));
    int others = other == null ? 0 : times(other.steps(clock, 4));
    Rounds all = new Rounds();
    for (int round = 0; round < rounds; round++) {
      all.add("floor", clock.time(products, floor::multiply));
      all.add("total", clock.time(steps, of::process));
      if (other != null) {
        all.add("peer", other.steps(clock, others));
      }
      pieces(of, steps, all);
    }
    return all;
  }

  private int times(double milliseconds) {
    return (int) Math.max(1, Math.min(1000, Math.ceil(turn / milliseconds)));
  }

  private void pieces(StepCase of, int times, Rounds all) {
    double gather = 0;
    double script = 0;
    double updates = 0;
    double predict = 0;
    for (int i = 0; i < times; i++) {
      StepCase.Pieces one = of.pieces(clock);
      gather += one.gather();
      script += one.script();
      updates += one.rows();
      predict += one.predict();
    }
    all.add("gather", gather / times);
    all.add("script", script / times);
    all.add("rows", updates / times);
    all.add("predict", predict / times);
  }

  private void write(List<StepResult> results, Path file) throws IOException {
    Map<String, Object> all = new LinkedHashMap<>();
    all.put("benchmark", "step");
    all.put("torch", TorchLibrary.build().version());
    all.put("threads", threads);
    all.put("training", training);
    all.put("clock", clock.toString());
    all.put("fields", StepCase.FIELDS);
    all.put("rows", rows);
    all.put("results", results.stream().map(StepResult::json).toList());
    new ObjectMapper().writerWithDefaultPrettyPrinter().writeValue(file.toFile(), all);
  }

  private static void delete(Path folder) throws IOException {
    try (Stream<Path> all = Files.walk(folder)) {
      for (Path one : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(one);
      }
    }
  }
}
