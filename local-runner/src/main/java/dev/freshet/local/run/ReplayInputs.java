package dev.freshet.local.run;

import dev.freshet.core.codec.Sha256;
import dev.freshet.local.run.RunRecord.Batch;
import dev.freshet.local.run.RunRecord.Input;
import dev.freshet.local.run.RunRecord.State;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Compares the files that are given with those that a data directory has: which are new, which were
 * begun, which are learnt.
 */
final class ReplayInputs {

  static final String IMPRESSIONS = "impressions";
  static final String FEEDBACK = "feedback";
  private static final int BUFFER = 1 << 16;

  private ReplayInputs() {}

  /** The given files with their contents' hashes, each content once. */
  static List<Input> read(List<Path> impressions, List<Path> feedback) throws IOException {
    List<Input> inputs = new ArrayList<>();
    add(inputs, IMPRESSIONS, impressions);
    add(inputs, FEEDBACK, feedback);
    return inputs;
  }

  private static void add(List<Input> inputs, String use, List<Path> files) throws IOException {
    for (Path file : files) {
      Input input = new Input(use, file.toAbsolutePath().normalize().toString(), hash(file), null);
      if (inputs.stream().noneMatch(input::sameContent)) {
        inputs.add(input);
      }
    }
  }

  private static String hash(Path file) throws IOException {
    MessageDigest digest = Sha256.digest();
    byte[] buffer = new byte[BUFFER];
    try (InputStream in = Files.newInputStream(file)) {
      for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
        digest.update(buffer, 0, n);
      }
    }
    return Sha256.hex(digest.digest());
  }

  /**
   * The next batch to be learnt: the one that was begun, or those of the files whose content is
   * new; null if all is learnt. After a batch that was begun it is to be asked again.
   *
   * @throws RefusedException if a batch was begun whose files are not given as they were
   */
  static @Nullable Batch next(RunRecord record, List<Input> given) {
    if (record.open().isEmpty()) {
      List<Input> known = record.batches().stream().flatMap(b -> b.inputs().stream()).toList();
      List<Input> fresh =
          given.stream().filter(input -> known.stream().noneMatch(input::sameContent)).toList();
      return fresh.isEmpty() ? null : new Batch(fresh, Map.of(), State.SENDING);
    }
    Batch begun = record.open().get();
    if (begun.state() == State.SENT) {
      return begun;
    }
    List<Input> missing = new ArrayList<>();
    List<Input> found = new ArrayList<>();
    for (Input input : begun.inputs()) {
      // The content decides; it may lie elsewhere by now.
      given.stream()
          .filter(input::sameContent)
          .findFirst()
          .ifPresentOrElse(found::add, () -> missing.add(input));
    }
    if (!missing.isEmpty()) {
      throw new RefusedException(
          "--data-dir: an earlier replay stopped while it read its files; give "
              + paths(missing)
              + (missing.stream().anyMatch(m -> given.stream().anyMatch(m::samePlace))
                  ? " as it was then"
                  : " too")
              + ", or --again to begin anew");
    }
    return new Batch(found, begun.from(), begun.state());
  }

  private static String paths(List<Input> inputs) {
    return inputs.stream().map(Input::path).collect(Collectors.joining(", "));
  }
}
