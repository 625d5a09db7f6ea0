package dev.freshet.core.publishing;

import dev.freshet.core.models.Parameter;
import dev.freshet.core.training.Network;
import dev.freshet.core.training.embedding.EmbeddingTable;
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
   * Loads a base into a fresh network.
   *
   * @throws IOException if the payload does not fit the network
   */
  public void load(byte[] payload) throws IOException {
    Map<String, SafeTensors.Tensor> tensors = SafeTensors.read(ByteBuffer.wrap(payload));
    new Update(dense(tensors), rows(tensors)).run();
  }

  /**
   * Reads and checks a delta; nothing changes until it is run.
   *
   * @return what brings the network from the parent's state to the delta's, in one go
   * @throws IOException if the payload does not fit the network
   */
  public Runnable prepare(byte[] payload) throws IOException {
    Map<String, SafeTensors.Tensor> tensors = SafeTensors.read(ByteBuffer.wrap(payload));
    boolean withDense = tensors.keySet().stream().anyMatch(name -> name.startsWith("dense."));
    return new Update(withDense ? dense(tensors) : List.of(), rows(tensors));
  }

  private record Rows(EmbeddingTable table, long[] dropped, LongBuffer keys, FloatBuffer values) {}

  private final class Update implements Runnable {
    private final List<FloatBuffer> dense;
    private final List<Rows> rows;

    Update(List<FloatBuffer> dense, List<Rows> rows) {
      this.dense = dense;
      this.rows = rows;
    }

    @Override
    public void run() {
      for (int i = 0; i < dense.size(); i++) {
        network.weights().get(i).put(0, dense.get(i), 0, dense.get(i).remaining());
      }
      for (Rows of : rows) {
        for (long key : of.dropped) {
          of.table.removeRow(key);
        }
        for (int i = 0; i < of.keys.limit(); i++) {
          of.table.restoreRow(of.keys.get(i), of.values, i * of.table.dim());
        }
        of.table.published();
      }
    }
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

  private List<Rows> rows(Map<String, SafeTensors.Tensor> tensors) throws IOException {
    List<Rows> all = new ArrayList<>();
    for (int t = 0; t < network.tables().size(); t++) {
      EmbeddingTable table = network.tables().get(t);
      String name = WeightTensors.tableName(network, t);
      LongBuffer keys = tensor(tensors, name + ".keys").longs();
      FloatBuffer values = tensor(tensors, name + ".rows").floats();
      if (values.remaining() != (long) keys.remaining() * table.dim()) {
        throw new IOException(name + ": keys and rows do not match");
      }
      SafeTensors.Tensor dropped = tensors.get(name + ".dropped");
      long[] gone = new long[dropped == null ? 0 : dropped.longs().remaining()];
      if (dropped != null) {
        dropped.longs().get(gone);
      }
      all.add(new Rows(table, gone, keys, values));
    }
    return all;
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
