package dev.freshet.replica;

import dev.freshet.core.network.ModelContext;
import dev.freshet.core.snapshot.Manifest;
import dev.freshet.core.snapshot.SnapshotAssembler.Snapshot;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A base and the deltas on top of it, as they are read from the topic, until one is wanted. */
final class Chain {

  private final List<Snapshot> links = new ArrayList<>();

  Chain copy() {
    Chain copy = new Chain();
    copy.links.addAll(links);
    return copy;
  }

  /** Takes the next whole version of the topic; whether it belongs to a chain. */
  boolean add(Snapshot snapshot) {
    if (!snapshot.manifest().isDelta()) {
      links.clear();
    } else if (links.isEmpty() || !newest().isParentOf(snapshot.manifest())) {
      return false;
    }
    links.add(snapshot);
    return true;
  }

  boolean isEmpty() {
    return links.isEmpty();
  }

  /** The version that the chain leads to; there is one. */
  Manifest newest() {
    return links.get(links.size() - 1).manifest();
  }

  List<Manifest> manifests() {
    return links.stream().map(Snapshot::manifest).toList();
  }

  /** The newest version of the chain, in memory. */
  LoadedModel load(ModelContext context) throws IOException {
    return load(context, null);
  }

  /**
   * The newest version of the chain.
   *
   * @param rows where its rows go; null for memory
   */
  LoadedModel load(ModelContext context, @Nullable RowDatabase rows) throws IOException {
    LoadedModel model = new LoadedModel(context, links.get(0), rows);
    for (Snapshot delta : links.subList(1, links.size())) {
      model.become(delta);
    }
    return model;
  }
}
