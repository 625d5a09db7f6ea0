package dev.freshet.experiments.files;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EventLinesTest {

  private static final int LONGEST = 100;

  @TempDir private Path folder;

  private Path file(String name, String text) throws IOException {
    Path file = folder.resolve(name);
    if (!name.endsWith(".gz")) {
      return Files.writeString(file, text);
    }
    try (OutputStream packed = new GZIPOutputStream(Files.newOutputStream(file))) {
      packed.write(text.getBytes(StandardCharsets.UTF_8));
    }
    return file;
  }

  /** Each message with the line that it begins in. */
  private static List<String> read(Path file) throws IOException {
    List<String> all = new ArrayList<>();
    try (EventLines lines = EventLines.open(file, LONGEST)) {
      for (EventLine line = lines.next(); line != null; line = lines.next()) {
        String text = new String(line.bytes(), StandardCharsets.UTF_8);
        all.add(line.number() + (line.tooLong() ? " cut " : " ") + text);
      }
    }
    return all;
  }

  @ParameterizedTest
  @ValueSource(strings = {"events", "events.jsonl.gz"})
  void linesOfJson(String name) throws IOException {
    String text = "{\"a\": 1}\n\n  \n[]\r\n" + "x".repeat(LONGEST + 1);
    assertThat(read(file(name, text)))
        .containsExactly("1 {\"a\": 1}", "4 []", "5 cut " + "x".repeat(LONGEST));
  }

  @ParameterizedTest
  @ValueSource(strings = {",", ";", "\t", "|"})
  void rowsOfCsv(String between) throws IOException {
    String text =
        "\uFEFFid,the name,c\r\n7,\"say \"\"hi\"\",\nyou; | there\tnow\",\r\n8,é,007\r\n"
            .replace("say", "SAY")
            .replace("d,t", "d" + between + "t")
            .replace("e,c", "e" + between + "c")
            .replace("7,\"", "7" + between + "\"")
            .replace("now\",", "now\"" + between)
            .replace("8,é,", "8" + between + "é" + between);
    for (String name : List.of("rows.csv", "ROWS.CSV.gz", "rows.tsv")) {
      assertThat(read(file(name, text)))
          .as(name)
          .containsExactly(
              "2 {\"id\":\"7\",\"the name\":\"SAY \\\"hi\\\",\\nyou; | there\\tnow\"}",
              "4 {\"id\":\"8\",\"the name\":\"é\",\"c\":\"007\"}");
    }
  }

  @Test
  void rowsThatAreNoneAreNoObjects() throws IOException {
    assertThat(read(file("odd.csv", "a,b\n1\n1,2,3\n4,5\n" + "x".repeat(LONGEST) + ",6\n")))
        .containsExactly(
            "2 \"a row of 1 columns, where the header has 2: [1]\"",
            "3 \"a row of 3 columns, where the header has 2: [1, 2, 3]\"",
            "4 {\"a\":\"4\",\"b\":\"5\"}",
            "5 cut {\"a\":\"" + "x".repeat(LONGEST - 6));
    List<String> quotes = read(file("quotes.csv", "a,b\n1,\"2\" 3\n4,5\n"));
    assertThat(quotes.get(0)).contains("a row that is no CSV");
    Path latin = folder.resolve("latin.csv");
    Files.write(latin, "a,b\nK\u00fcche,1\n".getBytes(StandardCharsets.ISO_8859_1));
    assertThat(read(latin).get(0)).contains("a row with bytes that are not UTF-8");
    assertThat(read(file("empty.csv", ""))).isEmpty();
    assertThatThrownBy(() -> read(file("twice.csv", "a,b,a\n1,2,3\n")))
        .hasMessage("two of its columns are named 'a'");
  }

  @Test
  void anArchiveThatIsNotWholeIsNoticedAtItsEnd() throws IOException {
    Random random = new Random(7);
    StringBuilder text = new StringBuilder("a,b\n");
    for (int i = 0; i < 100_000; i++) {
      text.append(random.nextLong()).append(',').append(i).append('\n');
    }
    Path whole = file("rows.csv.gz", text.toString());
    byte[] bytes = Files.readAllBytes(whole);
    Files.write(whole, Arrays.copyOf(bytes, bytes.length / 2));
    try (EventLines lines = EventLines.open(whole, LONGEST)) {
      assertThat(lines.next()).isNotNull();
      assertThatThrownBy(lines::readToEnd).isInstanceOf(EOFException.class);
    }
  }

  @Test
  void rowsOfParquet() throws Exception {
    Path file = folder.resolve("it's.parquet");
    try (Connection duck = DriverManager.getConnection("jdbc:duckdb:");
        Statement statement = duck.createStatement()) {
      statement.execute(
          "COPY (SELECT 7 + i AS id, ['a', 'b'] AS tags, {'k': 1.5} AS st, CAST(NULL AS INT) AS n,"
              + " TIMESTAMP '2026-01-01 00:00:00.5' AS ts, TIMESTAMPTZ '2026-01-01 00:00:00+00' AS tz,"
              + " CAST('nan' AS DOUBLE) AS \"a \"\"b\", DATE '2026-01-01' AS d, 2.50::DECIMAL(9,2) AS m"
              + " FROM range(2) t(i)) TO '"
              + file.toString().replace("'", "''")
              + "' (FORMAT parquet, COMPRESSION zstd)");
    }
    String rest =
        ",\"tags\":[\"a\",\"b\"],\"st\":{\"k\":1.5},\"n\":null,\"ts\":\"2026-01-01 00:00:00.5\",";
    try (EventLines lines = EventLines.open(file, 1000)) {
      for (int i = 0; i < 2; i++) {
        EventLine line = lines.next();
        assertThat(new String(line.bytes(), StandardCharsets.UTF_8))
            .isEqualTo(
                "{\"id\":"
                    + (7 + i)
                    + rest
                    + "\"tz\":1767225600000,\"a \\\"b\":null,\"d\":\"2026-01-01\",\"m\":2.5}");
        assertThat(line.number()).isEqualTo(i + 1);
      }
      assertThat(lines.next()).isNull();
    }
    assertThat(read(file).get(0)).startsWith("1 cut {\"id\":7");
    assertThatThrownBy(() -> read(file("none.parquet", "PAR1")))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("none.parquet");
  }
}
