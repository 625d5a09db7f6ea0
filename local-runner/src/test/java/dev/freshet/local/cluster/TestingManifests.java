package dev.freshet.local.cluster;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/** Manifests as they are written under k8s/, before kustomize has put them together. */
record TestingManifests(List<JsonNode> all) {

  static final Path FOLDER = Path.of("../k8s");
  private static final YAMLMapper YAML = new YAMLMapper();
  private static final Pattern QUANTITY = Pattern.compile("(\\d+)(Ki|Mi|Gi|)");

  /** Every manifest of some folders under k8s/. */
  static TestingManifests in(String... folders) {
    List<JsonNode> all = new ArrayList<>();
    for (String folder : folders) {
      try (Stream<Path> files = Files.list(FOLDER.resolve(folder))) {
        files
            .sorted()
            .filter(file -> file.toString().endsWith(".yaml"))
            .flatMap(file -> documents(file).stream())
            .filter(document -> document.has("kind") && document.has("metadata"))
            .forEach(all::add);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    return new TestingManifests(all);
  }

  static List<JsonNode> documents(Path file) {
    try (var documents = YAML.readerFor(JsonNode.class).<JsonNode>readValues(file.toFile())) {
      return documents.readAll();
    } catch (IOException e) {
      throw new UncheckedIOException(file.toString(), e);
    }
  }

  static List<JsonNode> parse(String text) {
    try {
      return list(YAML.readTree(text));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static List<JsonNode> list(JsonNode node) {
    return StreamSupport.stream(node.spliterator(), false).toList();
  }

  static List<String> texts(JsonNode node) {
    return list(node).stream().map(JsonNode::asText).toList();
  }

  static String name(JsonNode manifest) {
    return manifest.at("/metadata/name").asText();
  }

  /** Name of a KafkaTopic in Kafka, where names may be what Kubernetes' are not. */
  static String topic(JsonNode manifest) {
    return manifest.at("/spec").path("topicName").asText(name(manifest));
  }

  List<JsonNode> of(String kind) {
    return all.stream().filter(one -> one.path("kind").asText().equals(kind)).toList();
  }

  List<String> names(String kind) {
    return of(kind).stream().map(TestingManifests::name).toList();
  }

  JsonNode one(String kind, String name) {
    return of(kind).stream()
        .filter(one -> name(one).equals(name))
        .findFirst()
        .orElseThrow(() -> new AssertionError("no " + kind + " " + name));
  }

  /** Deployments whose pods a selector takes; Strimzi's pods are not among them. */
  List<JsonNode> selected(JsonNode selector) {
    return of("Deployment").stream()
        .filter(one -> matches(selector, one.at("/spec/template/metadata/labels")))
        .toList();
  }

  private static boolean matches(JsonNode selector, JsonNode labels) {
    return selector.path("matchLabels").properties().stream()
            .allMatch(label -> label.getValue().equals(labels.get(label.getKey())))
        && list(selector.path("matchExpressions")).stream()
            .allMatch(expression -> holds(expression, labels));
  }

  private static boolean holds(JsonNode expression, JsonNode labels) {
    String value = labels.path(expression.path("key").asText()).asText();
    boolean among = texts(expression.path("values")).contains(value);
    return switch (expression.path("operator").asText()) {
      case "In" -> among;
      case "NotIn" -> !among;
      default -> throw new AssertionError(expression);
    };
  }

  /** Bytes of a quantity of memory as Kubernetes writes it. */
  static long bytes(String quantity) {
    Matcher parts = QUANTITY.matcher(quantity);
    if (!parts.matches()) {
      throw new AssertionError("no size: " + quantity);
    }
    long number = Long.parseLong(parts.group(1));
    return switch (parts.group(2)) {
      case "Ki" -> number << 10;
      case "Mi" -> number << 20;
      case "Gi" -> number << 30;
      default -> number;
    };
  }
}
