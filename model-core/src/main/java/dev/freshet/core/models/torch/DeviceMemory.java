package dev.freshet.core.models.torch;

import static java.util.Objects.requireNonNull;

import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A module's side of a device whose memory is apart: all that it sends, and all that it asks for.
 */
final class DeviceMemory {

  /** Of what is sent at a time: a direct buffer holds 2 GB. */
  private static final int MOST_WORDS = Integer.MAX_VALUE / Long.BYTES;

  static final long NO_BATCH = 0;

  private final ScriptArchive archive;
  private final List<Integer> mirrored;
  private final HostBuffer plan = new HostBuffer();
  private final HostBuffer place = new HostBuffer();
  private final HostBuffer values = new HostBuffer();
  private ByteBuffer inbox = ByteBuffer.allocate(0);
  private long batch = NO_BATCH;

  /** Whose memory this is; null before {@link #placed}. */
  private TorchEngine.@Nullable Module module;

  private List<TorchEngine.WeightGroup> shapes = List.of();
  private List<List<TensorValues>> placed = List.of();

  /** Of the mirrored weights, one after the other, what the host knows of them. */
  private final List<float[]> mirror = new ArrayList<>();

  private List<float[]> mirrorKept = List.of();

  /** True if the host has changed some of them since it was last told or told of them. */
  private boolean changed;

  DeviceMemory(ScriptArchive archive, List<Integer> mirrored) {
    this.archive = archive;
    this.mirrored = mirrored;
  }

  ScriptArchive archive() {
    return archive;
  }

  List<List<TensorValues>> placed(TorchEngine.Module of, List<TorchEngine.WeightGroup> groups) {
    module = of;
    shapes =
        groups.stream()
            .map(g -> new TorchEngine.WeightGroup(g.name(), List.of(), g.shapes()))
            .toList();
    placed = new ArrayList<>();
    for (int group = 0; group < groups.size(); group++) {
      List<TensorValues> list = new ArrayList<>();
      for (int i = 0; i < groups.get(group).values().size(); i++) {
        FloatBuffer start = groups.get(group).values().get(i).inUse().asFloatBuffer();
        int at = group == 0 ? mirrored.indexOf(i) : -1;
        list.add(
            at < 0
                ? new OnDevice(group, i, start.remaining())
                : new Mirrored(at, start.remaining()));
      }
      placed.add(list);
    }
    for (int i : mirrored) {
      FloatBuffer start = groups.get(0).values().get(i).inUse().asFloatBuffer();
      float[] values = new float[start.remaining()];
      start.get(values);
      mirror.add(values);
    }
    return placed;
  }

  /** The weights and all that belongs to them as they are now, on the host. */
  List<TorchEngine.WeightGroup> groups() {
    List<TorchEngine.WeightGroup> groups = new ArrayList<>();
    for (int group = 0; group < shapes.size(); group++) {
      List<HostBuffer> now = new ArrayList<>();
      for (TensorValues of : placed.get(group)) {
        HostBuffer buffer = new HostBuffer();
        buffer.floats(of.size()).put(of.read());
        now.add(buffer);
      }
      groups.add(
          new TorchEngine.WeightGroup(shapes.get(group).name(), now, shapes.get(group).shapes()));
    }
    return groups;
  }

  /**
   * @param of number of the batch whose lists are among the arguments, or {@link #NO_BATCH}
   */
  List<ByteBuffer> run(
      TorchEngine.Call call, String method, List<TorchEngine.Argument> arguments, long of) {
    Transfer transfer = new Transfer();
    boolean known = of != NO_BATCH && of == batch;
    for (TorchEngine.Argument argument : arguments) {
      Transfer.Kind kind = kind(argument);
      if (!known || !kind.list()) {
        transfer.add(kind, argument.data(), argument.shape());
      }
    }
    if (changed) {
      int size = mirror.stream().mapToInt(one -> one.length).sum();
      FloatBuffer all = values.floats(size);
      mirror.forEach(all::put);
      transfer.add(Transfer.Kind.MIRRORED, values, size);
    }
    reserve(transfer.words());
    transfer.fill(inbox);
    long held = batch;
    batch = NO_BATCH;
    List<ByteBuffer> out =
        call.run(
            "device_" + method,
            List.of(
                new TorchEngine.Argument("plan", plan, new long[] {transfer.plan(plan)}, true)));
    batch = of == NO_BATCH ? held : of;
    changed = false;
    if (method.equals("step")) {
      int first = out.size() - mirror.size();
      for (int i = 0; i < mirror.size(); i++) {
        out.get(first + i).asFloatBuffer().get(mirror.get(i));
      }
      out = out.subList(0, first);
    }
    return out;
  }

  /** Remembers the weights as they are, on the device. */
  void keep() {
    act("keep");
    mirrorKept = copyOfMirror();
  }

  /** Exchanges the weights with those that were kept. */
  void swapKept() {
    act("swap");
    List<float[]> now = copyOfMirror();
    for (int i = 0; i < now.size(); i++) {
      mirror.set(i, mirrorKept.get(i));
    }
    mirrorKept = now;
  }

  private void act(String method) {
    try (TorchEngine.Call call = open(method)) {
      call.run();
    }
  }

  private TorchEngine.Call open(String method) {
    return requireNonNull(module, "placed comes first").call(method);
  }

  private List<float[]> copyOfMirror() {
    return mirror.stream().map(float[]::clone).toList();
  }

  private static Transfer.Kind kind(TorchEngine.Argument argument) {
    return switch (argument.name()) {
      case "e[]" -> Transfer.Kind.ROWS;
      case "indices[]" -> Transfer.Kind.INDICES;
      case "offsets[]" -> Transfer.Kind.OFFSETS;
      case "weights[]" -> Transfer.Kind.WEIGHTS;
      default -> argument.onHost() ? Transfer.Kind.HOST : Transfer.Kind.ARGUMENT;
    };
  }

  private void reserve(int words) {
    if (words > MOST_WORDS) {
      throw new IllegalArgumentException(
          "a batch of %,d MB is more than a device is sent at a time, 2 GB: lower training.batch"
              .formatted(((long) words * Long.BYTES) >> 20));
    }
    int now = inbox.capacity() / Long.BYTES;
    if (now > 0 && now >= words) {
      return;
    }
    int size = (int) Math.min(MOST_WORDS, Math.max(Math.max(words, 1024), 2L * now));
    place.longs(1).put(size);
    try (TorchEngine.Call call = open("device_reserve")) {
      // The script keeps this memory; only its own view of it ends with the call.
      inbox =
          call.run(
                  "device_reserve",
                  List.of(new TorchEngine.Argument("words", place, new long[] {1}, true)))
              .get(0);
    }
  }

  private final class OnDevice implements TensorValues {
    private final int group;
    private final int index;
    private final int size;

    OnDevice(int group, int index, int size) {
      this.group = group;
      this.index = index;
      this.size = size;
    }

    @Override
    public int size() {
      return size;
    }

    @Override
    public FloatBuffer read() {
      place.longs(2).put(group).put(index);
      try (TorchEngine.Call call = open("device_get")) {
        TorchEngine.Argument at = new TorchEngine.Argument("at", place, new long[] {2}, true);
        FloatBuffer values = call.run("device_get", List.of(at)).get(0).asFloatBuffer();
        return FloatBuffer.allocate(size).put(values).flip().asReadOnlyBuffer();
      }
    }

    @Override
    public void write(int at, FloatBuffer from) {
      Objects.checkFromIndexSize(at, from.remaining(), size);
      place.longs(3).put(group).put(index).put(at);
      values.floats(from.remaining()).put(from.duplicate());
      try (TorchEngine.Call call = open("device_put")) {
        call.run(
            "device_put",
            List.of(
                new TorchEngine.Argument("at", place, new long[] {3}, true),
                new TorchEngine.Argument("values", values, new long[] {from.remaining()}, true)));
      }
    }
  }

  /** Weights that the host changes at every step: they travel with the batch. */
  private final class Mirrored implements TensorValues {
    private final int at;
    private final int size;

    Mirrored(int at, int size) {
      this.at = at;
      this.size = size;
    }

    @Override
    public int size() {
      return size;
    }

    @Override
    public FloatBuffer read() {
      return FloatBuffer.wrap(mirror.get(at).clone()).asReadOnlyBuffer();
    }

    @Override
    public void write(int first, FloatBuffer from) {
      from.duplicate().get(mirror.get(at), first, from.remaining());
      changed = true;
    }
  }
}
