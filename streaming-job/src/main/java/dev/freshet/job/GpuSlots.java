package dev.freshet.job;

import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.TrainingSettings;
import dev.freshet.job.training.GpuOffer;
import org.apache.flink.api.common.operators.SlotSharingGroup;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.configuration.ReadableConfig;
import org.apache.flink.configuration.TaskManagerOptions;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.graph.StreamGraphGenerator;

/**
 * Resources of the slots of a job whose trainers need GPUs: each trainer has, with its sinks, a
 * slot with one, all other tasks are in slots that a task manager with a GPU has no room for.
 *
 * <p>A slot without a profile would be a whole default slot, GPU included, so every group has one.
 * A trainer asks for half a core and all others for a whole one: a task manager that is given half
 * a core ({@code taskmanager.cpu.cores: 0.5}) has room for a trainer and for nothing else. Cores
 * are only counted, not measured out, as is the heap. Managed memory is really set aside: RocksDB
 * has in each slot, a trainer's rows included, what the configuration would give to it.
 */
public final class GpuSlots {

  private static final double TRAINER_CORES = 0.5;
  private static final double CORES = 1;
  private static final MemorySize HEAP = MemorySize.ofMebiBytes(128);
  private static final MemorySize USUAL_MANAGED = MemorySize.ofMebiBytes(128);

  private GpuSlots() {}

  /**
   * True if a task manager of one slot with so many cores, by {@code taskmanager.cpu.cores}, has
   * room for a trainer and for nothing else.
   */
  public static boolean fitsOnlyATrainer(double cores) {
    return cores >= TRAINER_CORES && cores < CORES;
  }

  static String group(String model) {
    return "training-" + model;
  }

  /** Registers the profiles, if the pipeline asks for GPUs. */
  static void register(StreamExecutionEnvironment env, Pipeline pipeline) {
    if (pipeline.training().device() != TrainingSettings.Device.GPU) {
      return;
    }
    env.registerSlotSharingGroup(
        SlotSharingGroup.newBuilder(StreamGraphGenerator.DEFAULT_SLOT_SHARING_GROUP)
            .setCpuCores(CORES)
            .setTaskHeapMemory(HEAP)
            .setManagedMemory(managed(env.getConfiguration()))
            .build());
    pipeline
        .models()
        .forEach(
            model ->
                env.registerSlotSharingGroup(
                    SlotSharingGroup.newBuilder(group(model.name()))
                        .setCpuCores(TRAINER_CORES)
                        .setTaskHeapMemory(HEAP)
                        .setManagedMemory(managed(env.getConfiguration()))
                        .setExternalResource(GpuOffer.RESOURCE, 1)
                        .build()));
  }

  private static MemorySize managed(ReadableConfig conf) {
    return conf.getOptional(TaskManagerOptions.MANAGED_MEMORY_SIZE)
        .map(size -> size.divide(conf.get(TaskManagerOptions.NUM_TASK_SLOTS)))
        .orElse(USUAL_MANAGED);
  }
}
