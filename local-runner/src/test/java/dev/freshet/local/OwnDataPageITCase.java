package dev.freshet.local;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.freshet.core.labels.Task;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.PipelineFile;
import dev.freshet.experiments.files.EventLine;
import dev.freshet.experiments.files.EventLines;
import dev.freshet.local.broker.EmbeddedBroker;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The commands of docs/own-data.md, in their order, on tables of its columns. */
class OwnDataPageITCase {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int SHOWN = 6000;
  private static final Instant START = Instant.parse("2026-01-01T00:00:00Z");
  private static final Pattern BLOCK =
      Pattern.compile("^```(sh|yaml [^\n]+)\n(.*?)^```$", Pattern.MULTILINE | Pattern.DOTALL);

  @TempDir private Path folder;

  /** Items differ in how often they are clicked; of clicks half bring an amount. */
  private void tables() throws IOException {
    SplittableRandom random = new SplittableRandom(3);
    List<String> shown = new ArrayList<>(List.of("id,time,user,item,price"));
    List<String> answers = new ArrayList<>(List.of("id,time,kind,amount"));
    Map<Instant, List<String>> later = new TreeMap<>();
    for (int i = 0; i < SHOWN; i++) {
      Instant time = START.plusSeconds(2L * i);
      int item = random.nextInt(20);
      shown.add(
          String.format(
              Locale.ROOT,
              "i%d,%s,u%d,p%d,%.2f",
              i,
              time,
              random.nextInt(300),
              item,
              random.nextDouble(1, 90)));
      if (random.nextDouble() < (item < 5 ? 0.5 : 0.05)) {
        Instant clicked = time.plusSeconds(random.nextInt(1, 30));
        later
            .computeIfAbsent(clicked, t -> new ArrayList<>())
            .add("i%d,%s,click,".formatted(i, clicked));
        if (random.nextBoolean()) {
          Instant paid = clicked.plusSeconds(random.nextInt(1, 60));
          later
              .computeIfAbsent(paid, t -> new ArrayList<>())
              .add("i%d,%s,revenue,%d.5".formatted(i, paid, random.nextInt(2, 40)));
        }
      }
    }
    later.values().forEach(answers::addAll);
    Files.write(folder.resolve("shown.csv"), shown);
    Files.write(folder.resolve("answers.csv"), answers);
  }

  @Test
  void itsCommandsLearn() throws Exception {
    tables();
    Matcher blocks = BLOCK.matcher(Files.readString(Path.of("..", "docs", "own-data.md")));
    Map<String, String> printed = new HashMap<>();
    try (EmbeddedBroker broker = EmbeddedBroker.start(folder.resolve("kafka"))) {
      while (blocks.find()) {
        if (blocks.group(1).startsWith("yaml")) {
          String name = blocks.group(1).split(" ")[1];
          Files.writeString(folder.resolve(name), blocks.group(2));
          continue;
        }
        for (String line : blocks.group(2).lines().toList()) {
          String name = line.split(" ")[1];
          TestingCommand ran = TestingCommand.run(arguments(line, broker.bootstrap()));
          assertThat(ran.code()).as(line + "\n" + ran.out() + ran.err()).isZero();
          printed.put(name, ran.out());
          if (line.contains("topics create")) {
            fill(broker.bootstrap());
          }
        }
      }
    }
    assertThat(printed.get("check")).contains("6,000 impressions").doesNotContain("Problems");
    assertThat(auc(printed.get("replay"))).isGreaterThan(0.7);
    assertThat(auc(printed.get("run"))).isGreaterThan(0.7);
    assertThat(printed.get("models")).contains("main");
    assertThat(printed.get("predict").lines().filter(line -> line.contains("\"click\"")))
        .hasSize(SHOWN);
  }

  private static double auc(String printed) {
    Matcher found = Pattern.compile("click +AUC (0\\.\\d+)").matcher(printed);
    double last = 0;
    while (found.find()) {
      last = Double.parseDouble(found.group(1));
    }
    return last;
  }

  private String[] arguments(String line, String bootstrap) {
    List<String> arguments = new ArrayList<>();
    for (String word : line.replace("./freshet ", "").split(" ")) {
      boolean file = word.matches(".*\\.(csv|yaml)") || word.equals("own");
      arguments.add(file ? folder.resolve(word).toString() : word.replace("HOST:PORT", bootstrap));
    }
    if (line.contains(" run ")) {
      arguments.add("--for=20s");
    }
    return arguments.toArray(String[]::new);
  }

  /** As somebody else writes to the topics. */
  private void fill(String bootstrap) throws IOException {
    Pipeline pipeline = PipelineFile.read(folder.resolve("own.yaml"));
    Map<String, Object> settings = Map.of(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrap);
    try (KafkaProducer<byte[], byte[]> producer =
        new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer())) {
      for (String table : List.of("shown.csv", "answers.csv")) {
        try (EventLines rows = EventLines.open(folder.resolve(table))) {
          for (EventLine row = rows.next(); row != null; row = rows.next()) {
            String kind = JSON.readTree(row.bytes()).path("kind").asText("impressions");
            producer.send(new ProducerRecord<>(kind, row.bytes()));
          }
        }
      }
      assertThat(pipeline.tasks()).extracting(Task::name).containsExactly("click", "revenue");
    }
  }
}
