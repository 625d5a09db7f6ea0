package dev.freshet.core.models.oracle;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.freshet.core.models.Parameter;
import dev.freshet.core.models.torch.Doors;
import dev.freshet.core.models.torch.ScriptArchive;
import dev.freshet.core.pipeline.Pipeline;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * What a model was handed here and gave, for {@code model-training/check-scripts}, which calls the
 * same script in Python.
 */
final class PythonCase {

  private static final Path FOLDER = Path.of("target/scripts");

  private final Map<String, Object> all = new LinkedHashMap<>();

  PythonCase(ScriptArchive script, List<Parameter> parameters, List<double[]> start) {
    all.put("class", Doors.className(script));
    all.put("attributes", Doors.attributes(script));
    all.put("shapes", parameters.stream().map(Parameter::shape).toList());
    // A copy, for gradients are found by changing weights.
    all.put("p", start.stream().map(double[]::clone).toList());
  }

  void handed(Batch batch, Pipeline pipeline, double[] hyper) {
    List<long[]> indices = new ArrayList<>();
    List<long[]> offsets = new ArrayList<>();
    List<double[]> weights = new ArrayList<>();
    var groups = pipeline.schema().groups();
    for (int t = 0; t < batch.bags().length; t++) {
      boolean weighted = groups.get(t % groups.size()).weighted();
      indices.add(batch.indices(t));
      offsets.add(batch.starts(t, weighted));
      weights.add(
          weighted
              ? Stream.of(batch.shares()[t])
                  .flatMap(Stream::of)
                  .flatMapToDouble(Arrays::stream)
                  .toArray()
              : new double[0]);
    }
    all.put("e", Stream.of(batch.rows()).map(rows -> copy(rows)).toList());
    all.put("indices", indices);
    all.put("offsets", offsets);
    all.put("weights", weights);
    all.put("y", batch.labels());
    all.put("w", batch.weights());
    all.put("reached", batch.reached());
    all.put("same", batch.same());
    all.put("noise", batch.noise());
    // Infinity is no number of JSON.
    all.put("hyper", Arrays.stream(hyper).map(v -> Math.min(v, Float.MAX_VALUE)).toArray());
  }

  private static double[][] copy(double[][] rows) {
    return Stream.of(rows).map(double[]::clone).toArray(double[][]::new);
  }

  void gave(float[][] predictions, List<double[]> step) {
    all.put("predictions", predictions);
    all.put("losses", step.get(0));
    all.put("said", step.get(2));
    all.put("gradients", step.subList(3, step.size()));
  }

  void write(String name) {
    try {
      Files.createDirectories(FOLDER);
      Path file = FOLDER.resolve(name.replaceAll("\\W+", "-") + ".json");
      new ObjectMapper().writeValue(file.toFile(), all);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
