package dev.freshet.cluster;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;

/** What is done to a cluster, and how often of twenty times. */
enum Fault {
  KILL_TASK_MANAGER(6),
  KILL_JOB_MANAGER(3),
  KILL_BROKER(2),
  KILL_REPLICA(3),
  RESCALE(2),
  RESUBMIT(1),
  ADD_A_MODEL(1),
  REORDER_MODELS(1),
  REMOVE_A_MODEL(1),
  /** Once, at the end: fields change when no impression waits for its labels. */
  ADD_A_FEATURE(0);

  private final int share;

  Fault(int share) {
    this.share = share;
  }

  /**
   * So many faults in random order, of each kind its share.
   *
   * @param kinds those among which to choose, as in {@code kill-broker,rescale}; empty for all
   */
  static List<Fault> plan(int count, String kinds, Random random) {
    Set<Fault> among =
        kinds.isEmpty()
            ? EnumSet.allOf(Fault.class)
            : Arrays.stream(kinds.split(","))
                .map(kind -> valueOf(kind.toUpperCase(Locale.ROOT).replace('-', '_')))
                .collect(Collectors.toSet());
    List<Fault> plan = new ArrayList<>();
    while (plan.size() < count) {
      List<Fault> round = new ArrayList<>();
      for (Fault fault : values()) {
        if (among.contains(fault)) {
          round.addAll(Collections.nCopies(fault.share, fault));
        }
      }
      if (round.isEmpty()) {
        throw new IllegalArgumentException("none of these happens among others: " + kinds);
      }
      Collections.shuffle(round, random);
      plan.addAll(round.subList(0, Math.min(round.size(), count - plan.size())));
    }
    return plan;
  }

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT).replace('_', ' ');
  }
}
