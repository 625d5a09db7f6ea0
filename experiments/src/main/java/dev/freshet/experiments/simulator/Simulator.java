package dev.freshet.experiments.simulator;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.freshet.core.events.EventFormat;
import dev.freshet.core.events.EventTree;
import dev.freshet.core.labels.Task;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.SystemTopic;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.PriorityQueue;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/**
 * A shop whose truth is known: users see items, click, buy, buy again and send back. Events come
 * late, twice, out of order and broken, as in life. Every impression says that it was served by
 * {@value #TRUTH} and carries the true probabilities as scores, so whatever scores served
 * predictions also tells the best that any model could do, on the very same examples.
 *
 * <p>Taste is a low-rank table of user segment and item category that turns slowly (drift), plus
 * effects of user, item, hour and price. Works with any pipeline of a click, a purchase and a
 * revenue task, whatever these are called, and follows the pipeline's windows.
 */
public final class Simulator {

  /** Name of the model that impressions claim to have been served by. */
  public static final String TRUTH = "truth";

  private static final long START = Instant.parse("2026-01-05T06:00:00Z").toEpochMilli();
  private static final int USERS = 800;
  private static final int ITEMS = 200;
  private static final int SEGMENTS = 12;
  private static final int CATEGORIES = 16;
  private static final int TAGS = 20;
  private static final double PRICE_SPREAD = 0.4;
  private static final double HOUR = 60 * 60 * 1000.0;

  private static final DelayMixture CLICK_DELAY =
      new DelayMixture(new double[] {0.85, 0.15}, new double[] {20_000, 240_000});
  private static final DelayMixture PURCHASE_DELAY =
      new DelayMixture(new double[] {0.4, 0.35, 0.25}, new double[] {5 * 60_000, HOUR, 6 * HOUR});
  private static final DelayMixture REPEAT_DELAY =
      new DelayMixture(new double[] {1}, new double[] {HOUR});
  private static final DelayMixture REFUND_DELAY =
      new DelayMixture(new double[] {1}, new double[] {1.5 * HOUR});

  private final SimulatorSettings settings;
  private final EventFormat format;
  private final List<String> topics;
  private final String impressionTopic;
  private final List<String> names;
  private final long[] windows;
  private final SplittableRandom random;
  private final PriorityQueue<SimulatedMessage> queue = new PriorityQueue<>();
  private final double[] userEffect = new double[USERS];
  private final double[] itemEffect = new double[ITEMS];
  private final double[] itemEffectLater = new double[ITEMS];
  private final double[] itemPrice = new double[ITEMS];
  private final double[] buyEffect = new double[ITEMS];
  private final double[][] tasteNow = new double[SEGMENTS][CATEGORIES];
  private final double[][] tasteLater = new double[SEGMENTS][CATEGORIES];
  private final double clickBias;
  private final double purchaseBias;

  private double clock = START;
  private long impressions;
  private long order;

  /**
   * @throws IllegalArgumentException if the pipeline's tasks are not binary, binary, continuous, or
   *     if it has layouts of its own
   */
  public Simulator(Pipeline pipeline, SimulatorSettings settings) {
    List<Task> tasks = pipeline.tasks();
    if (tasks.size() != 3 || tasks.get(2).binary() || tasks.stream().anyMatch(Task::explicit)) {
      throw new IllegalArgumentException(
          "the simulator needs two binary tasks and a continuous one, all with implicit negatives");
    }
    if (!pipeline.events().isEmpty()) {
      throw new IllegalArgumentException(
          "the simulator's events lie as docs/events.md says, not as `events` of the pipeline does");
    }
    this.settings = settings;
    format = pipeline.kafka().format().create();
    names = tasks.stream().map(Task::name).toList();
    topics = tasks.stream().map(pipeline::topic).toList();
    impressionTopic = pipeline.topic(SystemTopic.IMPRESSIONS);
    windows = tasks.stream().mapToLong(Task::windowMillis).toArray();
    SplittableRandom world = new SplittableRandom(settings.seed());
    fill(world, userEffect, 0.7);
    fill(world, itemEffect, 0.7);
    fill(world, buyEffect, 0.8);
    for (int i = 0; i < ITEMS; i++) {
      itemPrice[i] = 20 * Math.exp(0.8 * world.nextGaussian());
    }
    for (int s = 0; s < SEGMENTS; s++) {
      fill(world, tasteNow[s], 1.1);
      fill(world, tasteLater[s], 1.1);
    }
    // Apart from the rest, which is the same with and without.
    fill(new SplittableRandom(~settings.seed()), itemEffectLater, 0.7);
    random = world.split();
    // Effects spread the log-odds around the bias; the mean rate rises with their variance.
    clickBias = logit(settings.clickRate()) - 0.45;
    purchaseBias = logit(settings.purchaseRate()) - 0.2;
  }

  private static void fill(SplittableRandom world, double[] values, double spread) {
    for (int i = 0; i < values.length; i++) {
      values[i] = spread * world.nextGaussian();
    }
  }

  private static double logit(double p) {
    return Math.log(p / (1 - p));
  }

  private static double sigmoid(double x) {
    return 1 / (1 + Math.exp(-x));
  }

  /** Settings, on which its messages depend. */
  public SimulatorSettings settings() {
    return settings;
  }

  /** Impressions made so far. */
  public long impressions() {
    return impressions;
  }

  /**
   * The next message in the order of arrival.
   *
   * @param limit impressions in all; null is returned when these and their feedback are through
   */
  public @Nullable SimulatedMessage next(long limit) {
    while (impressions < limit && (queue.isEmpty() || queue.peek().arrival() >= (long) clock)) {
      impression();
    }
    return queue.poll();
  }

  private void impression() {
    clock += -1000 / settings.impressionsPerSecond() * Math.log(1 - random.nextDouble());
    long time = (long) clock;
    String id = "i" + impressions++;
    // Squared draws: a few users and items are everywhere, most are rare.
    int user = (int) (USERS * Math.pow(random.nextDouble(), 1.5));
    int item = (int) (ITEMS * Math.pow(random.nextDouble(), 1.5));
    int segment = user % SEGMENTS;
    int category = item % CATEGORIES;
    double turn = 2 * Math.PI * (time - START) / settings.driftPeriod().toMillis();
    double taste =
        Math.cos(turn) * tasteNow[segment][category]
            + Math.sin(turn) * tasteLater[segment][category];
    double hour = time / HOUR % 24;
    double click =
        sigmoid(
            clickBias
                + userEffect[user]
                + liked(item, time)
                + taste
                + 0.3 * Math.sin(2 * Math.PI * hour / 24));
    double purchase =
        sigmoid(
            purchaseBias
                + buyEffect[item]
                + 0.5 * taste
                - 0.3 * Math.log(itemPrice[item] / 20)
                + 0.4 * userEffect[(user * 7 + 3) % USERS]);

    ObjectNode json = EventTree.impression(id, time);
    ObjectNode features = json.putObject("features");
    features.put("user_id", "u" + user).put("item_id", "p" + item);
    features.put("segment", "s" + segment).put("category", "c" + category);
    features.put("hour", "h" + (int) hour).put("price", Math.round(itemPrice[item] * 100) / 100.0);
    features.putArray("tags").add("t" + item % TAGS).add("t" + item * 7 % TAGS);
    truth(json.putObject("served"), time, click, purchase, item);
    if (random.nextDouble() >= settings.orphanRate()) {
      send(time, impressionTopic, id, json);
    }
    if (random.nextDouble() < settings.malformedRate()) {
      malformed(time, id);
    }
    if (random.nextDouble() < click) {
      click(id, time, purchase, item);
    }
  }

  private double liked(int item, long time) {
    if (settings.fashionPeriod().isZero()) {
      return itemEffect[item];
    }
    double turn = 2 * Math.PI * (time - START) / settings.fashionPeriod().toMillis();
    return Math.cos(turn) * itemEffect[item] + Math.sin(turn) * itemEffectLater[item];
  }

  private void truth(ObjectNode served, long time, double click, double purchase, int item) {
    served.put("model", TRUTH).put("version", TRUTH);
    double clickTrue = click * CLICK_DELAY.within(windows[0], DelayMixture.daily(time));
    // The purchase's delay law is taken at the impression; the click is seconds later.
    double inWindow = PURCHASE_DELAY.within(windows[1], DelayMixture.daily(time));
    double purchaseTrue = clickTrue * purchase * inWindow;
    double amount = itemPrice[item] * Math.exp(PRICE_SPREAD * PRICE_SPREAD / 2);
    double refunded =
        settings.refundRate() * REFUND_DELAY.within(windows[2], DelayMixture.daily(time));
    double repeated =
        settings.repeatRate() * REPEAT_DELAY.within(windows[2], DelayMixture.daily(time));
    ObjectNode scores = served.putObject("scores");
    scores.put(names.get(0), clickTrue).put(names.get(1), purchaseTrue);
    scores.put(names.get(2), purchaseTrue * amount * (1 + repeated) * (1 - refunded));
  }

  private void click(String id, long shown, double purchase, int item) {
    long time = shown + CLICK_DELAY.draw(random, DelayMixture.daily(shown));
    feedback(0, id, id + "-c", time, Double.NaN);
    if (random.nextDouble() < purchase) {
      purchase(id, "-p", time + PURCHASE_DELAY.draw(random, DelayMixture.daily(time)), item, true);
    }
  }

  private void purchase(String id, String suffix, long time, int item, boolean first) {
    feedback(1, id, id + suffix, time, Double.NaN);
    double amount = itemPrice[item] * Math.exp(PRICE_SPREAD * random.nextGaussian());
    amount = Math.round(amount * 100) / 100.0;
    feedback(2, id, id + suffix + "-r", time, amount);
    if (random.nextDouble() < settings.refundRate()) {
      feedback(
          2,
          id,
          id + suffix + "-b",
          time + REFUND_DELAY.draw(random, DelayMixture.daily(time)),
          -amount);
    }
    if (first && random.nextDouble() < settings.repeatRate()) {
      purchase(
          id,
          suffix + "2",
          time + REPEAT_DELAY.draw(random, DelayMixture.daily(time)),
          item,
          false);
    }
  }

  private void feedback(int task, String id, String eventId, long time, double value) {
    send(time, topics.get(task), id, EventTree.feedback(id, eventId, names.get(task), time, value));
  }

  private void malformed(long time, String id) {
    String text =
        switch (random.nextInt(4)) {
          case 0 -> "{\"impression_id\": \"" + id;
          case 1 -> "{\"impression_id\": \"" + id + "\"}";
          case 2 -> "{\"impression_id\": \"" + id + "\", \"event_time\": \"yesterday\"}";
          default -> "[" + time + "]";
        };
    enqueue(time, impressionTopic, id, text.getBytes(StandardCharsets.UTF_8));
  }

  private void send(long time, String topic, String key, ObjectNode event) {
    byte[] value = format.write(event);
    enqueue(time, topic, key, value);
    if (random.nextDouble() < settings.duplicateRate()) {
      enqueue(time, topic, key, value);
    }
  }

  private void enqueue(long time, String topic, String key, byte[] value) {
    long late = (long) (random.nextDouble() * settings.disorder().toMillis());
    queue.add(new SimulatedMessage(time + late, order++, topic, key, value));
  }
}
