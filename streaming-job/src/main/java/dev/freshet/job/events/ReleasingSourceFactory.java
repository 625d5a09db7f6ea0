package dev.freshet.job.events;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.apache.flink.api.dag.Transformation;
import org.apache.flink.runtime.jobgraph.OperatorID;
import org.apache.flink.runtime.operators.coordination.OperatorCoordinator;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.graph.StreamGraph;
import org.apache.flink.streaming.api.operators.SourceOperatorFactory;
import org.apache.flink.streaming.api.transformations.SourceTransformation;

/**
 * Makes Flink's own operator of a source, with a {@link ReleasingCoordinator}.
 *
 * @param <T> what the source emits
 */
public final class ReleasingSourceFactory<T> extends SourceOperatorFactory<T> {

  private static final long serialVersionUID = 1;

  private ReleasingSourceFactory(SourceTransformation<T, ?, ?> source) {
    super(source.getSource(), source.getWatermarkStrategy(), true);
    setChainingStrategy(source.getChainingStrategy());
    setCoordinatorListeningID(source.getCoordinatorListeningID());
  }

  /**
   * The graph of all that was added to {@code env}, with such a factory for each source. Nothing
   * that can be said of a source reaches its coordinator, so they are put in afterwards.
   */
  public static StreamGraph graph(StreamExecutionEnvironment env, String name) {
    Set<Transformation<?>> all = new LinkedHashSet<>();
    List<Transformation<?>> added = new ArrayList<>(env.getTransformations());
    added.forEach(one -> all.addAll(one.getTransitivePredecessors()));
    StreamGraph graph = env.getStreamGraph();
    graph.setJobName(name);
    for (Transformation<?> one : all) {
      if (one instanceof SourceTransformation<?, ?, ?> source) {
        graph
            .getStreamNode(source.getId())
            .setOperatorFactory(new ReleasingSourceFactory<>(source));
      }
    }
    return graph;
  }

  @Override
  public OperatorCoordinator.Provider getCoordinatorProvider(String name, OperatorID id) {
    return new ReleasingCoordinator.Provider(super.getCoordinatorProvider(name, id));
  }
}
