package dev.freshet.core.snapshot;

import dev.freshet.core.models.Parameter;
import dev.freshet.core.network.Network;
import dev.freshet.core.rows.PublishedRows;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Puts published weights into a network: the inverse of {@link WeightTensors}. */
public final class WeightsLoader {

  private final Network network;
  private final List<? extends PublishedRows> rows;
  private final List<Integer> dims;

  /**
   * @param rows takes the rows, size by size
   */
  public WeightsLoader(Network network, List<? extends PublishedRows> rows) {
    this.network = network;
    this.rows = rows;
    dims = rows.stream().map(PublishedRows::dim).toList();
  }

  /**
   * Reads and checks a delta; nothing changes until it is run.
   *
   * @return the update that brings the network from the parent's state to the delta's, in one go
   * @throws IOException if the payload does not fit the network
   */
  public Update delta(ByteBuffer payload) throws IOException {
    Map<String, SafeTensors.Tensor> tensors = SafeTensors.read(payload);
    boolean withDense = tensors.keySet().stream().anyMatch(name -> name.startsWith("dense."));
    return update(tensors, withDense, true);
  }

  /**
   * Reads and checks a base; nothing changes until it is run. Rows that the network has already are
   * left out, so that a base that follows closely on what is there costs little more than a delta.
   *
   * @return the update that brings the network to the base's state from the present one, in one go
   * @throws IOException if the payload does not fit the network
   */
  public Update base(ByteBuffer payload) throws IOException {
    Map<String, SafeTensors.Tensor> tensors = SafeTensors.read(payload);
    return update(tensors, true, false);
  }

  /**
   * As {@link #base} for a payload of dense weights alone.
   *
   * @throws IOException if the payload does not fit the network
   */
  public Update dense(ByteBuffer payload) throws IOException {
    return new Update(dense(SafeTensors.read(payload)), List.of());
  }

  private Update update(Map<String, SafeTensors.Tensor> tensors, boolean withDense, boolean delta)
      throws IOException {
    List<FloatBuffer> dense = withDense ? dense(tensors) : List.of();
    List<Runnable> changes = new ArrayList<>();
    for (int t = 0; t < rows.size(); t++) {
      changes.add(rows(tensors, t, delta));
    }
    return new Update(dense, changes);
  }

  /** Brings the network to another version. */
  public final class Update implements Runnable {
    private final List<FloatBuffer> dense;
    private final List<Runnable> changes;

    private Update(List<FloatBuffer> dense, List<Runnable> changes) {
      this.dense = dense;
      this.changes = changes;
    }

    /**
     * The dense weights that it brings, for {@link #dense(ByteBuffer)}; empty if it brings none.
     */
    public Optional<byte[]> dense() throws IOException {
      if (dense.isEmpty()) {
        return Optional.empty();
      }
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      WeightTensors.dense(network.parameters(), dense).write(bytes);
      return Optional.of(bytes.toByteArray());
    }

    @Override
    public void run() {
      for (int i = 0; i < dense.size(); i++) {
        network.weights().get(i).write(0, dense.get(i));
      }
      changes.forEach(Runnable::run);
    }
  }

  private List<FloatBuffer> dense(Map<String, SafeTensors.Tensor> tensors) throws IOException {
    List<FloatBuffer> dense = new ArrayList<>();
    List<Parameter> parameters = network.parameters();
    for (int i = 0; i < parameters.size(); i++) {
      FloatBuffer values = tensor(tensors, "dense." + parameters.get(i).name()).floats();
      int expected = network.weights().get(i).size();
      if (values.remaining() != expected) {
        throw new IOException(
            parameters.get(i).name() + " has " + values.remaining() + " values, not " + expected);
      }
      dense.add(values);
    }
    return dense;
  }

  private Runnable rows(Map<String, SafeTensors.Tensor> tensors, int index, boolean delta)
      throws IOException {
    PublishedRows of = rows.get(index);
    String name = WeightTensors.tableName(dims, index);
    LongBuffer keys = tensor(tensors, name + ".keys").longs();
    FloatBuffer values = widened(tensor(tensors, name + ".rows").floats(), keys.remaining(), of);
    if (values.remaining() != (long) keys.remaining() * of.width()) {
      throw new IOException(name + ": keys and rows do not match");
    }
    return delta
        ? of.delta(tensor(tensors, name + ".dropped").longs(), keys, values)
        : of.base(keys, values);
  }

  /** Rows of before first-order weights, which then are zero. */
  private static FloatBuffer widened(FloatBuffer values, int count, PublishedRows of) {
    if (of.width() == of.dim() || values.remaining() != (long) count * of.dim()) {
      return values;
    }
    FloatBuffer wide = FloatBuffer.allocate(count * of.width());
    for (int i = 0; i < count; i++) {
      wide.put(i * of.width(), values, i * of.dim(), of.dim());
    }
    return wide;
  }

  private static SafeTensors.Tensor tensor(Map<String, SafeTensors.Tensor> tensors, String name)
      throws IOException {
    SafeTensors.Tensor tensor = tensors.get(name);
    if (tensor == null) {
      throw new IOException("tensor " + name + " is missing");
    }
    return tensor;
  }
}
