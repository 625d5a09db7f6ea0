package dev.freshet.core.publishing;

import dev.freshet.core.models.Parameter;
import dev.freshet.core.training.Network;
import dev.freshet.core.training.embedding.EmbeddingTable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.util.List;
import java.util.Map;

/** Puts published weights into a fresh network: the inverse of {@link SnapshotWriter#tensors}. */
public final class WeightsLoader {

  private WeightsLoader() {}

  /**
   * @throws IOException if the payload does not fit the network
   */
  public static void load(byte[] payload, Network network) throws IOException {
    Map<String, SafeTensors.Tensor> tensors = SafeTensors.read(ByteBuffer.wrap(payload));
    List<Parameter> parameters = network.parameters();
    for (int i = 0; i < parameters.size(); i++) {
      FloatBuffer values = tensor(tensors, "dense." + parameters.get(i).name()).floats();
      FloatBuffer into = network.weights().get(i);
      if (values.remaining() != into.capacity()) {
        throw new IOException(
            parameters.get(i).name()
                + " has "
                + values.remaining()
                + " values, not "
                + into.capacity());
      }
      into.put(0, values, 0, values.remaining());
    }
    for (int t = 0; t < network.tables().size(); t++) {
      EmbeddingTable table = network.tables().get(t);
      String name = SnapshotWriter.tableName(network, t);
      LongBuffer keys = tensor(tensors, name + ".keys").longs();
      FloatBuffer rows = tensor(tensors, name + ".rows").floats();
      if (rows.remaining() != (long) keys.remaining() * table.dim()) {
        throw new IOException(name + ": keys and rows do not match");
      }
      for (int i = 0; i < keys.limit(); i++) {
        table.restoreRow(keys.get(i), rows, i * table.dim());
      }
    }
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
