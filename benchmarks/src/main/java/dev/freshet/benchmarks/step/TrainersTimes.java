package dev.freshet.benchmarks.step;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.freshet.benchmarks.Rounds;
import dev.freshet.benchmarks.Table;
import dev.freshet.core.models.Models;
import dev.freshet.core.rows.Workers;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * Examples a second of a model that several trainers share, beside as many models that learn at
 * once and have one trainer each.
 */
@Command(
    name = "./benchmarks/run trainers",
    mixinStandardHelpOptions = true,
    description =
        "Examples a second with several trainers of one model, and of as many models side by side.")
public final class TrainersTimes implements Callable<Integer> {

  @Option(names = "--models", split = ",", description = "Kinds of models; all if none is given.")
  private List<String> models = List.copyOf(Models.kinds().keySet());

  @Option(
      names = "--batches",
      split = ",",
      defaultValue = "1024,4096",
      description = "Sizes of batches; by default ${DEFAULT-VALUE}.")
  private List<Integer> batches = List.of();

  @Option(
      names = "--trainers",
      defaultValue = "2",
      description = "How many share a model; by default ${DEFAULT-VALUE}.")
  private int trainers;

  @Option(
      names = "--rows",
      defaultValue = "240000",
      description = "Rows of the table; by default ${DEFAULT-VALUE}.")
  private int rows;

  @Option(
      names = "--rounds",
      defaultValue = "7",
      description = "Rounds, of which medians are taken; by default ${DEFAULT-VALUE}.")
  private int rounds;

  @Option(
      names = "--turn",
      defaultValue = "500",
      description = "Milliseconds of each in a round; by default ${DEFAULT-VALUE}.")
  private int turn;

  @Option(names = "--json", paramLabel = "FILE", description = "Writes all figures to a file.")
  private @Nullable Path json;

  private static final double WARM_UP = 4000;

  /** What is measured of one model and size of batch: milliseconds that a batch takes. */
  private record Result(String model, int batch, int trainers, Rounds rounds) {

    private double perSecond(String name) {
      return batch / rounds.median(name);
    }

    private List<String> line() {
      return List.of(
          model,
          Integer.toString(batch),
          format("%.1f", perSecond("one")),
          format("%.1f", perSecond("shared")),
          format("%.1f", perSecond("apart")),
          format("%.2f", rounds.ratio("one", "shared")),
          format("%.2f", rounds.ratio("one", "apart")));
    }

    private static String format(String format, double value) {
      return String.format(Locale.ROOT, format, value);
    }

    private Map<String, Object> json() {
      Map<String, Object> all = new LinkedHashMap<>();
      all.put("model", model);
      all.put("batch", batch);
      all.put("trainers", trainers);
      all.put("speed_up", rounds.ratio("one", "shared"));
      all.put("speed_up_apart", rounds.ratio("one", "apart"));
      all.put("ms_by_round", rounds.all());
      return all;
    }
  }

  public static void main(String[] args) {
    System.exit(new CommandLine(new TrainersTimes()).execute(args));
  }

  @Override
  public Integer call() throws IOException {
    for (String model : models) {
      if (!Models.kinds().containsKey(model)) {
        refuse("--models: there is no " + model + " among " + Models.kinds().keySet());
      }
    }
    if (trainers < 2 || rounds < 5 || turn < 1 || batches.stream().anyMatch(one -> one < 1)) {
      refuse("--trainers is at least 2, --rounds at least 5, --turn and --batches above 0");
    }
    System.out.println(
        Table.head(
            List.of(
                "model",
                "batch",
                "k examples/s of one",
                "of " + trainers + " together",
                "of " + trainers + " apart",
                "together/one",
                "apart/one")));
    List<Map<String, Object>> all = new ArrayList<>();
    for (String model : models) {
      for (int batch : batches) {
        Result result = new Result(model, batch, trainers, measure(model, batch));
        System.out.println(Table.line(result.line()));
        all.add(result.json());
        if (json != null) {
          new ObjectMapper()
              .writerWithDefaultPrettyPrinter()
              .writeValue(json.toFile(), Map.of("benchmark", "trainers", "results", all));
        }
      }
    }
    return 0;
  }

  private void refuse(String why) {
    throw new CommandLine.ParameterException(new CommandLine(this), why);
  }

  private Rounds measure(String model, int batch) {
    List<StepCase> apart = new ArrayList<>();
    try (StepCase shared = new StepCase(model, batch, rows, "{trainers: " + trainers + "}");
        Workers workers = new Workers(trainers, "apart")) {
      for (int i = 0; i < trainers; i++) {
        apart.add(new StepCase(model, batch, rows, "{}"));
      }
      shared.warmUp(WARM_UP);
      apart.get(0).warmUp(WARM_UP);
      int times =
          (int) Math.max(1, Math.ceil(turn / Clock.WALL.time(1, () -> apart.get(0).process())));
      allApart(workers, apart, times);
      Rounds all = new Rounds();
      for (int round = 0; round < rounds; round++) {
        all.add("one", Clock.WALL.time(times, () -> apart.get(0).process()));
        all.add("shared", Clock.WALL.time(times, shared::process));
        all.add("apart", allApart(workers, apart, times) / trainers);
      }
      return all;
    } finally {
      apart.forEach(StepCase::close);
    }
  }

  /** Milliseconds in which each learnt a batch. */
  private double allApart(Workers workers, List<StepCase> apart, int times) {
    double start = Clock.WALL.now();
    workers.share(
        trainers,
        trainers,
        (part, from, to) -> {
          for (int i = 0; i < times; i++) {
            apart.get(part).process();
          }
        });
    return (Clock.WALL.now() - start) / times;
  }
}
