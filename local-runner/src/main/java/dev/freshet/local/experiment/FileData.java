package dev.freshet.local.experiment;

import dev.freshet.core.events.EventFormat;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.settings.Option;
import dev.freshet.local.replay.Lines;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Files of events, as {@code freshet import} writes them, joined in event time. Unlike in a stream
 * nothing arrives late. Events that cannot be read are left out, as the job would reject them.
 */
public record FileData(
    @Option("Files of impressions, JSON lines, plain, .gz or .zip") List<String> impressions,
    @Option("Files of feedback; every line says its kind") List<String> feedback,
    @Option("What of the truth is known early") EarlyTruth truth)
    implements DataSource {

  static final String KIND = "files";

  public FileData {
    impressions = List.copyOf(impressions);
    feedback = List.copyOf(feedback);
  }

  @Override
  public String kind() {
    return KIND;
  }

  @Override
  public boolean seeded() {
    return false;
  }

  @Override
  public Examples load(Pipeline pipeline, long seed) throws IOException {
    EventFormat format =
        pipeline.kafka().format().create(pipeline.impressionFields(), pipeline.feedbackKinds());
    EventJoin join = new EventJoin(pipeline);
    for (String file : impressions) {
      eachLine(file, line -> join.add(format.impression(line).event()));
    }
    for (String file : feedback) {
      eachLine(file, line -> join.add(format.feedback(line, null).event()));
    }
    return new Examples(join.finish(truth), new int[0]);
  }

  private interface LineReader {
    void line(byte[] line);
  }

  private static void eachLine(String file, LineReader reader) throws IOException {
    Path path = Path.of(file);
    if (!Files.isRegularFile(path)) {
      throw new IOException(
          file + ": no such file; ./freshet import makes event files of public data sets");
    }
    try (BufferedReader lines = Lines.open(path)) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        if (!line.isBlank()) {
          reader.line(line.getBytes(StandardCharsets.UTF_8));
        }
      }
    }
  }
}
