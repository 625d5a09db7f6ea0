package dev.freshet.topics;

import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.settings.InvalidSettingsException;
import dev.freshet.core.settings.Problems;
import dev.freshet.topics.Listener.Kind;
import java.io.FileNotFoundException;
import java.nio.file.NoSuchFileException;
import java.security.GeneralSecurityException;
import java.security.UnrecoverableKeyException;
import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import javax.security.auth.login.LoginException;
import org.apache.kafka.clients.CommonClientConfigs;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.config.SaslConfigs;
import org.apache.kafka.common.errors.SaslAuthenticationException;
import org.apache.kafka.common.errors.SslAuthenticationException;
import org.apache.kafka.common.security.auth.SecurityProtocol;
import org.apache.kafka.common.utils.Utils;

/**
 * Checks that a pipeline's brokers can be reached, and says if not, why: in one sentence, and soon.
 */
public final class Brokers {

  private static final String PROPERTY = "kafka.properties.";

  private Brokers() {}

  /**
   * Makes sure that brokers answer and let this client in.
   *
   * @throws NoBrokerException if not
   * @throws InvalidSettingsException if no client can be made with the pipeline's properties
   */
  public static void require(Pipeline pipeline) throws InterruptedException {
    ClientProperties.resolve(pipeline);
    Map<String, Listener> listeners = listeners(pipeline, KafkaClients.patience(pipeline));
    fault(pipeline, listeners)
        .ifPresent(
            why -> {
              throw new NoBrokerException(why);
            });
    try (Admin admin = Admin.create(KafkaClients.settings(pipeline))) {
      admin.describeCluster().nodes().get();
    } catch (ExecutionException e) {
      throw new NoBrokerException(
          sentence(pipeline, e.getCause()) + hint(pipeline, listeners, e.getCause()));
    } catch (KafkaException e) {
      // A client that cannot even be made; its message may repeat the properties.
      Problems problems = new Problems();
      problems.add(
          "kafka.properties",
          "(not shown)",
          "settings that clients start with: " + inWords(root(e)));
      problems.throwIfAny(pipeline.pipeline());
    }
  }

  /**
   * Why no broker can be reached, as far as that can be told without a login.
   *
   * @param patience the longest that it takes
   * @return empty if nothing is wrong, or it cannot be told
   */
  public static Optional<String> fault(Pipeline pipeline, Duration patience)
      throws InterruptedException {
    return fault(pipeline, listeners(pipeline, patience));
  }

  /**
   * A failure of Kafka's clients in a sentence, without the names of classes and without secrets.
   */
  public static String sentence(Pipeline pipeline, Throwable failure) {
    String at = " at " + pipeline.kafka().bootstrap();
    if (failure instanceof SaslAuthenticationException) {
      return "the Kafka broker"
          + at
          + " does not take the credentials in "
          + PROPERTY
          + SaslConfigs.SASL_JAAS_CONFIG;
    }
    if (failure instanceof SslAuthenticationException) {
      return "no TLS connection to the Kafka broker"
          + at
          + ": "
          + root(failure).getMessage()
          + whose(root(failure));
    }
    if (failure instanceof org.apache.kafka.common.errors.TimeoutException) {
      return "cannot reach a Kafka broker" + at + ": timed out";
    }
    return "the Kafka broker" + at + ": " + root(failure).getMessage();
  }

  /**
   * A sentence for when brokers answered first and then did not: which of those that they name
   * cannot be reached from here.
   */
  static String afterwards(Pipeline pipeline, Throwable failure) throws InterruptedException {
    String sentence = sentence(pipeline, failure);
    if (!(failure instanceof org.apache.kafka.common.errors.TimeoutException)) {
      return sentence;
    }
    try (Admin admin = Admin.create(KafkaClients.settings(pipeline))) {
      List<String> named =
          admin.describeCluster().nodes().get().stream()
              .map(node -> node.host() + ":" + node.port())
              .toList();
      String away =
          ask(named, mechanism(pipeline), KafkaClients.patience(pipeline)).entrySet().stream()
              .filter(e -> e.getValue().kind() == Kind.UNREACHABLE)
              .map(e -> e.getKey() + ": " + e.getValue().why())
              .collect(Collectors.joining("; "));
      return away.isEmpty()
          ? sentence
          : "the Kafka broker at "
              + pipeline.kafka().bootstrap()
              + " names brokers (advertised.listeners) that cannot be reached from here: "
              + away;
    } catch (ExecutionException e) {
      return sentence;
    }
  }

  private static Optional<String> fault(Pipeline pipeline, Map<String, Listener> listeners) {
    if (listeners.values().stream().allMatch(one -> one.kind() == Kind.UNREACHABLE)) {
      return Optional.of(
          "cannot reach a Kafka broker at "
              + listeners.entrySet().stream()
                  .map(e -> e.getKey() + ": " + e.getValue().why())
                  .collect(Collectors.joining("; ")));
    }
    SecurityProtocol protocol = protocol(pipeline);
    Optional<String> first = Optional.empty();
    for (Map.Entry<String, Listener> one : listeners.entrySet()) {
      if (one.getValue().kind() == Kind.UNREACHABLE) {
        continue;
      }
      Optional<String> fault = fault(one.getKey(), one.getValue(), protocol);
      if (fault.isEmpty()) {
        return fault;
      }
      first = first.or(() -> fault);
    }
    return first;
  }

  private static Optional<String> fault(
      String address, Listener listener, SecurityProtocol protocol) {
    boolean tls = isTls(protocol);
    boolean sasl =
        protocol == SecurityProtocol.SASL_PLAINTEXT || protocol == SecurityProtocol.SASL_SSL;
    String broker = "the Kafka broker at " + address + " ";
    String says = "; " + PROPERTY + "security.protocol is " + protocol + ", allowed: ";
    String fault =
        switch (listener.kind()) {
          case NO_KAFKA -> "no Kafka broker is at " + address + ": " + listener.why();
          case TLS -> tls ? null : broker + "wants TLS" + says + "SSL, SASL_SSL";
          case OPEN ->
              protocol == SecurityProtocol.PLAINTEXT
                  ? null
                  : broker + "speaks no TLS and wants no login" + says + "PLAINTEXT";
          case LOGIN, OTHER_LOGIN ->
              tls || !sasl
                  ? broker + (tls ? "speaks no TLS" : "wants a login") + says + "SASL_PLAINTEXT"
                  : listener.kind() == Kind.LOGIN
                      ? null
                      : broker
                          + "does not take the login of "
                          + PROPERTY
                          + "sasl.mechanism; allowed: "
                          + String.join(", ", listener.mechanisms());
          case UNREACHABLE, HUNG_UP -> null;
        };
    return Optional.ofNullable(fault);
  }

  /** Words about what speaks against those that may be brokers all the same. */
  private static String hint(
      Pipeline pipeline, Map<String, Listener> listeners, Throwable failure) {
    SecurityProtocol protocol = protocol(pipeline);
    boolean late = failure instanceof org.apache.kafka.common.errors.TimeoutException;
    if (late && protocol == SecurityProtocol.SSL) {
      // To such a broker what comes after the handshake is no login, so it hangs up, time and
      // again.
      return " (no Kafka broker, or one that wants a login as well; "
          + PROPERTY
          + "security.protocol is SSL, allowed then: SASL_SSL)";
    }
    return listeners.values().stream()
        .filter(one -> one.kind() == Kind.HUNG_UP && !isTls(protocol))
        .map(one -> " (" + one.why() + ": no Kafka broker, or one that wants TLS)")
        .findFirst()
        .orElse("");
  }

  /** Which side's certificate it is that the other does not take, if it is that. */
  private static String whose(Throwable root) {
    if (String.valueOf(root.getMessage()).startsWith("Received fatal alert: ")) {
      return " (it does not take this client's certificate, or wants one: "
          + PROPERTY
          + "ssl.keystore)";
    }
    return root instanceof GeneralSecurityException
        ? " (its certificate is not one that " + PROPERTY + "ssl.truststore trusts at this address)"
        : "";
  }

  private static boolean isTls(SecurityProtocol protocol) {
    return protocol == SecurityProtocol.SSL || protocol == SecurityProtocol.SASL_SSL;
  }

  private static Map<String, Listener> listeners(Pipeline pipeline, Duration patience)
      throws InterruptedException {
    List<String> addresses =
        Arrays.stream(pipeline.kafka().bootstrap().split(",")).map(String::strip).toList();
    return ask(addresses, mechanism(pipeline), patience);
  }

  /** Asks all at a time; even a name server may be slow. */
  private static Map<String, Listener> ask(
      List<String> addresses, String mechanism, Duration patience) throws InterruptedException {
    long deadline = System.nanoTime() + patience.toNanos();
    Map<String, CompletableFuture<Listener>> asked = new LinkedHashMap<>();
    for (String address : addresses) {
      CompletableFuture<Listener> answer = new CompletableFuture<>();
      asked.put(address, answer);
      Thread thread =
          new Thread(
              () ->
                  answer.complete(
                      Listener.at(
                          Utils.getHost(address), Utils.getPort(address), mechanism, patience)),
              "broker-" + address);
      thread.setDaemon(true);
      thread.start();
    }
    Map<String, Listener> answers = new LinkedHashMap<>();
    for (Map.Entry<String, CompletableFuture<Listener>> one : asked.entrySet()) {
      Listener late = new Listener(Kind.UNREACHABLE, List.of(), "timed out");
      try {
        long left = deadline - System.nanoTime() + TimeUnit.SECONDS.toNanos(1);
        answers.put(one.getKey(), one.getValue().get(left, TimeUnit.NANOSECONDS));
      } catch (TimeoutException e) {
        answers.put(one.getKey(), late);
      } catch (ExecutionException e) {
        throw new IllegalStateException(e.getCause());
      }
    }
    return answers;
  }

  private static SecurityProtocol protocol(Pipeline pipeline) {
    return SecurityProtocol.forName(
        pipeline
            .kafka()
            .properties()
            .getOrDefault(
                CommonClientConfigs.SECURITY_PROTOCOL_CONFIG,
                CommonClientConfigs.DEFAULT_SECURITY_PROTOCOL));
  }

  private static String mechanism(Pipeline pipeline) {
    return pipeline
        .kafka()
        .properties()
        .getOrDefault(SaslConfigs.SASL_MECHANISM, SaslConfigs.DEFAULT_SASL_MECHANISM);
  }

  /** Cause that keeps a client from starting; messages may repeat the properties. */
  private static String inWords(Throwable root) {
    if (root instanceof NoSuchFileException || root instanceof FileNotFoundException) {
      return "a file that they name is not there";
    }
    if (root instanceof UnrecoverableKeyException) {
      return "a key or trust store does not open with its password";
    }
    if (root instanceof ClassNotFoundException) {
      return "a class that they name is not there";
    }
    if (root instanceof LoginException) {
      return "the login module does not take its options";
    }
    return root.getClass().getSimpleName();
  }

  private static Throwable root(Throwable failure) {
    Throwable root = failure;
    while (root.getCause() != null) {
      root = root.getCause();
    }
    return root;
  }
}
