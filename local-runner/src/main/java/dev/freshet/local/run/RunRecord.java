package dev.freshet.local.run;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.freshet.core.codec.Layout;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Contents of a data directory: which inputs are in its topics and how far they are learnt. It is
 * written before anything happens that could not be found out afterwards, and a file is replaced
 * whole or not at all, so that a run which was killed anywhere knows where it was.
 *
 * <p>{@code run.json}, one JSON object:
 *
 * <pre>
 * version  3 (1 knew no lines that were learnt before, 2 none without an event; both are read)
 * kind     demo, replay or run
 * of       what may not change between runs: fingerprints of the pipeline and its topics,
 *          the examples topic, the simulator's settings; of a run the pipeline's name and the id
 *          of the Kafka cluster
 * batches  inputs that were given together, in the order in which they were sent:
 *   inputs   each: use, path, sha256 of the content, and once it is sent how much there was of it
 *   from     messages in each partition before the first of this batch, by topic-partition:
 *            of the event topics, and of the dead letters
 *   state    sending, sent (all of it is in the topics) or learnt (and all windows are closed)
 * report   the final figures, once all is learnt
 * </pre>
 */
record RunRecord(
    int version,
    String kind,
    Map<String, String> of,
    List<Batch> batches,
    @Nullable ObjectNode report) {

  static final String DEMO = "demo";
  static final String REPLAY = "replay";
  static final String RUN = "run";
  static final String FILE = "run.json";
  private static final Layout LAYOUT = new Layout("run.json", 3);
  private static final ObjectMapper JSON =
      JsonMapper.builder()
          .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
          .defaultPropertyInclusion(
              JsonInclude.Value.construct(JsonInclude.Include.NON_NULL, JsonInclude.Include.ALWAYS))
          .build();

  /** How far a batch has come. */
  enum State {
    SENDING,
    SENT,
    LEARNT
  }

  /** Inputs that are learnt together. */
  record Batch(List<Input> inputs, Map<String, Long> from, State state) {
    Batch {
      inputs = List.copyOf(inputs);
      from = Map.copyOf(from);
    }

    Batch in(State other) {
      return new Batch(inputs, from, other);
    }
  }

  /**
   * A file of events.
   *
   * @param use impressions or feedback
   * @param sent counts of its content; null while that is not known
   */
  record Input(String use, String path, String sha256, @Nullable InputCounts sent) {
    boolean sameContent(Input other) {
      return use.equals(other.use) && sha256.equals(other.sha256);
    }

    boolean samePlace(Input other) {
      return use.equals(other.use) && path.equals(other.path);
    }
  }

  RunRecord {
    of = Map.copyOf(of);
    batches = batches == null ? List.of() : List.copyOf(batches);
  }

  /** Of a run that begins. */
  static RunRecord begin(String kind, Map<String, String> of) {
    return new RunRecord(LAYOUT.newest(), kind, of, List.of(), null);
  }

  /**
   * Checks that a run can go on with this.
   *
   * @throws RefusedException if the folder belongs to something else
   */
  void require(String wanted, Map<String, String> others, Path folder) {
    if (!kind.equals(wanted)) {
      throw new RefusedException("--data-dir: " + folder + " holds a " + kind + ", no " + wanted);
    }
    for (String what : new TreeSet<>(of.keySet())) {
      if (!requireNonNull(of.get(what)).equals(others.get(what))) {
        throw new RefusedException(
            "--data-dir: "
                + folder
                + switch (what) {
                  case "examples" -> " was begun with other wishes about examples (--examples-out)";
                  case "load" -> " was begun with other settings of the simulator, " + of.get(what);
                  case "name" -> " was begun with another pipeline, " + of.get(what);
                  case "cluster" -> " was begun on another Kafka cluster, " + of.get(what);
                  case "pipeline" -> " was begun with another pipeline file, or another Freshet";
                  default -> " was begun with other " + what;
                }
                + "; --again begins anew");
      }
    }
  }

  /** The last batch, if it is not learnt yet. */
  Optional<Batch> open() {
    return batches.isEmpty() || batches.get(batches.size() - 1).state() == State.LEARNT
        ? Optional.empty()
        : Optional.of(batches.get(batches.size() - 1));
  }

  RunRecord with(Batch last) {
    List<Batch> all = new ArrayList<>(batches);
    if (open().isPresent()) {
      all.remove(all.size() - 1);
    }
    all.add(last);
    return new RunRecord(version, kind, of, all, null);
  }

  RunRecord ended(ObjectNode figures) {
    RunRecord record = open().isPresent() ? with(open().get().in(State.LEARNT)) : this;
    return new RunRecord(version, kind, of, record.batches, figures);
  }

  /**
   * The record of a folder.
   *
   * @throws IOException if there is one that this version does not understand
   */
  static Optional<RunRecord> read(Path folder) throws IOException {
    Path file = folder.resolve(FILE);
    if (!Files.exists(file)) {
      return Optional.empty();
    }
    try {
      var tree = JSON.readTree(file.toFile());
      LAYOUT.check(tree.path("version").asInt(-1));
      RunRecord read = JSON.treeToValue(tree, RunRecord.class);
      return Optional.of(
          new RunRecord(LAYOUT.newest(), read.kind, read.of, read.batches, read.report));
    } catch (IOException e) {
      throw new IOException(file + " cannot be read: " + e.getMessage(), e);
    }
  }

  /** Replaces the record of a folder. */
  void write(Path folder) throws IOException {
    Path file = folder.resolve(FILE);
    Path fresh = folder.resolve(FILE + ".new");
    try (FileChannel out =
        FileChannel.open(
            fresh,
            StandardOpenOption.CREATE,
            StandardOpenOption.WRITE,
            StandardOpenOption.TRUNCATE_EXISTING)) {
      ByteBuffer bytes =
          ByteBuffer.wrap(JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(this));
      while (bytes.hasRemaining()) {
        out.write(bytes);
      }
      out.force(true);
    }
    Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }
}
