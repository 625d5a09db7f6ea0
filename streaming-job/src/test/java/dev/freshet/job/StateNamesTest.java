package dev.freshet.job;

import static org.assertj.core.api.Assertions.assertThat;

import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.PipelineFile;
import dev.freshet.core.pipeline.TestingPipelines;
import dev.freshet.job.codec.CodecSerializer;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.common.typeutils.TypeSerializer;
import org.apache.flink.api.common.typeutils.base.MapSerializer;
import org.apache.flink.api.common.typeutils.base.StringSerializer;
import org.apache.flink.api.java.functions.KeySelector;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.core.io.VersionedIOReadableWritable;
import org.apache.flink.core.memory.DataInputViewStreamWrapper;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.runtime.state.KeyedBackendSerializationProxy;
import org.apache.flink.runtime.state.KeyedStateHandle;
import org.apache.flink.runtime.state.OperatorBackendSerializationProxy;
import org.apache.flink.runtime.state.OperatorStateHandle;
import org.apache.flink.runtime.state.StreamStateHandle;
import org.apache.flink.runtime.state.metainfo.StateMetaInfoSnapshot;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.graph.StreamGraph;
import org.apache.flink.streaming.api.graph.StreamNode;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.streaming.api.operators.SimpleOperatorFactory;
import org.apache.flink.streaming.api.operators.StreamOperator;
import org.apache.flink.streaming.api.operators.TwoInputStreamOperator;
import org.apache.flink.streaming.util.AbstractStreamOperatorTestHarness;
import org.apache.flink.streaming.util.KeyedTwoInputStreamOperatorTestHarness;
import org.apache.flink.streaming.util.OneInputStreamOperatorTestHarness;
import org.apache.flink.streaming.util.TwoInputStreamOperatorTestHarness;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What savepoints find state by: the uids of all steps, and under each the names and layouts of its
 * own state, with and without the steps that a pipeline may leave out. A line that changes or goes
 * is state that is lost; a new one is fine. To write the files: {@code -Dgolden.write=true}.
 *
 * <p>Steps that are Flink's (sources, sinks) have uids here and state that is Flink's own.
 */
class StateNamesTest {

  private static final Path FOLDER = Path.of("src/test/resources/savepoints");

  private static final String COUNTS =
      """
      edges: [1, 10, 100]}
        - {name: clicks, kind: count, of: click, by: item, half-life: 1h}
        - {name: shows, kind: count, of: impression, by: user, half-life: 1h}
      """;

  private static Stream<Arguments> pipelines() {
    String shop = TestingPipelines.SHOP;
    String counting = shop.replace("edges: [1, 10, 100]}\n", COUNTS);
    String one = shop.substring(0, shop.indexOf("  - {name: plain")) + "training: {batch: 64}\n";
    return Stream.of(
        Arguments.of("two-models", shop),
        Arguments.of("one-model", one),
        Arguments.of("counts", counting),
        Arguments.of(
            "all-topics",
            counting + "kafka: {topics: {examples: examples, training-log: training-log}}\n"),
        Arguments.of(
            "delays-and-deadlines",
            one.replace("{orphan-wait", "{correction: es-dfm, orphan-wait")
                .replace("click, kind: binary,", "click, kind: binary, deadline: {at: end},")));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("pipelines")
  void uidsAndStateAreFrozen(String name, String yaml) throws Exception {
    String steps = steps(PipelineFile.parse(yaml, "test"));
    Path file = FOLDER.resolve("state-" + name + ".txt");
    if (Boolean.getBoolean("golden.write")) {
      Files.writeString(file, steps);
    }
    assertThat(steps).isEqualTo(Files.readString(file));
  }

  private static String steps(Pipeline pipeline) throws Exception {
    StreamExecutionEnvironment env =
        StreamExecutionEnvironment.getExecutionEnvironment(new Configuration());
    Map<String, Integer> partitions = new HashMap<>();
    pipeline.models().forEach(model -> partitions.put(model.name(), partitions.size()));
    StreamGraph graph = JobGraph.onKafka(pipeline, partitions).graph(env);
    StringBuilder text = new StringBuilder();
    List<StreamNode> nodes =
        graph.getStreamNodes().stream()
            .sorted(Comparator.comparing(StreamNode::getTransformationUID))
            .toList();
    assertThat(nodes).extracting(StreamNode::getTransformationUID).doesNotHaveDuplicates();
    for (StreamNode node : nodes) {
      text.append(node.getTransformationUID()).append('\n');
      for (String state : new TreeSet<>(states(node))) {
        text.append("  ").append(state).append('\n');
      }
    }
    return text.toString();
  }

  private static List<String> states(StreamNode node) throws Exception {
    List<String> states = new ArrayList<>();
    if (!(node.getOperatorFactory() instanceof SimpleOperatorFactory<?>)) {
      return states; // a source's or sink's, made by a factory of Flink's
    }
    try (AbstractStreamOperatorTestHarness<?> harness = harness(node)) {
      harness.setup();
      harness.initializeEmptyState();
      harness.open();
      OperatorSubtaskState snapshot = harness.snapshot(1, 1);
      for (OperatorStateHandle handle : snapshot.getManagedOperatorState()) {
        var proxy = new OperatorBackendSerializationProxy(StateNamesTest.class.getClassLoader());
        read(handle, proxy);
        proxy
            .getOperatorStateMetaInfoSnapshots()
            .forEach(state -> states.add("operator state " + text(state)));
      }
      for (KeyedStateHandle handle : snapshot.getManagedKeyedState()) {
        var proxy = new KeyedBackendSerializationProxy<>(StateNamesTest.class.getClassLoader());
        read((StreamStateHandle) handle, proxy);
        String key = text(proxy.getKeySerializerSnapshot().restoreSerializer());
        proxy
            .getStateMetaInfoSnapshots()
            .forEach(state -> states.add("keyed state by " + key + " " + text(state)));
      }
      if (!snapshot.getRawOperatorState().isEmpty()) {
        states.add("raw operator state");
      }
      if (!snapshot.getRawKeyedState().isEmpty()) {
        states.add("raw keyed state");
      }
    }
    return states;
  }

  private static void read(StreamStateHandle handle, VersionedIOReadableWritable into)
      throws IOException {
    try (InputStream in = handle.openInputStream()) {
      into.read(new DataInputViewStreamWrapper(in));
    }
  }

  private static String text(StateMetaInfoSnapshot state) {
    return state.getName()
        + ": "
        + text(
            state
                .getTypeSerializerSnapshot(
                    StateMetaInfoSnapshot.CommonSerializerKeys.VALUE_SERIALIZER)
                .restoreSerializer());
  }

  private static String text(TypeSerializer<?> type) {
    if (type instanceof MapSerializer<?, ?> map) {
      return "map of " + text(map.getKeySerializer()) + " to " + text(map.getValueSerializer());
    }
    return type instanceof CodecSerializer<?> codec
        ? codec.toString()
        : type.getClass().getSimpleName().replace("Serializer", "");
  }

  @SuppressWarnings({"unchecked", "rawtypes"})
  private static AbstractStreamOperatorTestHarness<?> harness(StreamNode node) throws Exception {
    StreamOperator<?> operator = node.getOperator();
    if (node.getStateKeySerializer() != null) {
      KeySelector[] keys = node.getStatePartitioners();
      TypeInformation key =
          node.getStateKeySerializer().equals(StringSerializer.INSTANCE)
              ? Types.STRING
              : Types.LONG;
      return new KeyedTwoInputStreamOperatorTestHarness(
          (TwoInputStreamOperator) operator, keys[0], keys[1], key);
    }
    return operator instanceof TwoInputStreamOperator two
        ? new TwoInputStreamOperatorTestHarness(two)
        : new OneInputStreamOperatorTestHarness((OneInputStreamOperator) operator);
  }
}
