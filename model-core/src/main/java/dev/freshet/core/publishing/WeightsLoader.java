package dev.freshet.core.publishing;

import dev.freshet.core.models.Parameter;
import dev.freshet.core.training.Network;
import dev.freshet.core.training.embedding.EmbeddingTable;
import dev.freshet.core.training.embedding.RowUpdate;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Puts published weights into a network: the inverse of {@link WeightTensors}. */
public final class WeightsLoader {

  private final Network network;

  public WeightsLoader(Network network) {
    this.network = network;
  }

  /**
   * Reads and checks a delta; nothing changes until it is run.
   *
   * @return what brings the network from the parent's state to the delta's, in one go
   * @throws IOException if the payload does not fit the network
   */
  public Runnable delta(ByteBuffer payload) throws IOException {
    Map<String, SafeTensors.Tensor> tensors = SafeTensors.read(payload);
    boolean withDense = tensors.keySet().stream().anyMatch(name -> name.startsWith("dense."));
    return update(tensors, withDense, true);
  }

  /**
   * Reads and checks a base; nothing changes until it is run. Rows that the network has already are
   * left out, so that a base that follows closely on what is there costs little more than a delta.
   *
   * @return what brings the network to the base's state from the present one, in one go
   * @throws IOException if the payload does not fit the network
   */
  public Runnable base(ByteBuffer payload) throws IOException {
    Map<String, SafeTensors.Tensor> tensors = SafeTensors.read(payload);
    return update(tensors, true, false);
  }

  private Runnable update(Map<String, SafeTensors.Tensor> tensors, boolean withDense, boolean delta)
      throws IOException {
    List<FloatBuffer> dense = withDense ? dense(tensors) : List.of();
    List<RowUpdate> rows = new ArrayList<>();
    for (int t = 0; t < network.tables().size(); t++) {
      rows.add(rows(tensors, t, delta));
    }
    return () -> {
      for (int i = 0; i < dense.size(); i++) {
        network.weights().get(i).put(0, dense.get(i), 0, dense.get(i).remaining());
      }
      rows.forEach(RowUpdate::run);
    };
  }

  private List<FloatBuffer> dense(Map<String, SafeTensors.Tensor> tensors) throws IOException {
    List<FloatBuffer> dense = new ArrayList<>();
    List<Parameter> parameters = network.parameters();
    for (int i = 0; i < parameters.size(); i++) {
      FloatBuffer values = tensor(tensors, "dense." + parameters.get(i).name()).floats();
      int expected = network.weights().get(i).capacity();
      if (values.remaining() != expected) {
        throw new IOException(
            parameters.get(i).name() + " has " + values.remaining() + " values, not " + expected);
      }
      dense.add(values);
    }
    return dense;
  }

  private RowUpdate rows(Map<String, SafeTensors.Tensor> tensors, int index, boolean delta)
      throws IOException {
    EmbeddingTable table = network.tables().get(index);
    String name = WeightTensors.tableName(network, index);
    LongBuffer keys = tensor(tensors, name + ".keys").longs();
    FloatBuffer values = tensor(tensors, name + ".rows").floats();
    if (values.remaining() != (long) keys.remaining() * table.dim()) {
      throw new IOException(name + ": keys and rows do not match");
    }
    return delta
        ? RowUpdate.delta(table, tensor(tensors, name + ".dropped").longs(), keys, values)
        : RowUpdate.base(table, keys, values);
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
