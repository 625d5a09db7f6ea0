package dev.freshet.core.events.mapping;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.databind.node.NullNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import net.thisptr.jackson.jq.BuiltinFunctionLoader;
import net.thisptr.jackson.jq.JsonQuery;
import net.thisptr.jackson.jq.Scope;
import net.thisptr.jackson.jq.Versions;
import net.thisptr.jackson.jq.exception.JsonQueryException;

/** An expression of jq 1.7, to which {@code $message} is the whole message. Thread-safe. */
final class JqExpression {

  private static final String MESSAGE = "message";

  private static final Scope BUILTINS = Scope.newEmptyScope();

  static {
    BuiltinFunctionLoader.getInstance().loadFunctions(Versions.JQ_1_7, BUILTINS);
  }

  private final String text;
  private final JsonQuery query;

  private JqExpression(String text, JsonQuery query) {
    this.text = text;
    this.query = query;
  }

  /**
   * Compiles {@code text}.
   *
   * @throws IllegalArgumentException if {@link #fault} finds one
   */
  static JqExpression of(String text) {
    try {
      return new JqExpression(text, JsonQuery.compile(text, Versions.JQ_1_7));
    } catch (JsonQueryException e) {
      throw new IllegalArgumentException("'" + text + "' is no jq: " + e.getMessage(), e);
    }
  }

  /** What is wrong with an expression whatever it is applied to, if anything is. */
  static Optional<String> fault(String text) {
    try {
      of(text).apply(NullNode.getInstance(), scope(NullNode.getInstance()));
      return Optional.empty();
    } catch (IllegalArgumentException e) {
      return Optional.of(
          text.indexOf('\'') < 0
              ? "it cannot be parsed"
              : "it cannot be parsed; texts in it stand in double quotes");
    } catch (JsonQueryException e) {
      // Names are looked up when they are reached; all else may be due to there being no message.
      String what = e.getMessage() == null ? "" : e.getMessage();
      return what.endsWith("does not exist") || what.endsWith("is not defined")
          ? Optional.of(what)
          : Optional.empty();
    }
  }

  /** The names that expressions on a message see. */
  static Scope scope(JsonNode message) {
    Scope scope = Scope.newChildScope(BUILTINS);
    scope.setValue(MESSAGE, message);
    return scope;
  }

  /**
   * All results, in their order.
   *
   * @throws JsonQueryException if the expression fails on {@code input}
   */
  List<JsonNode> apply(JsonNode input, Scope scope) throws JsonQueryException {
    List<JsonNode> results = new ArrayList<>(1);
    query.apply(scope, input, results::add);
    return results;
  }

  /**
   * The result; missing if there is none, and a list if there are several.
   *
   * @throws JsonQueryException if the expression fails on {@code input}
   */
  JsonNode value(JsonNode input, Scope scope) throws JsonQueryException {
    List<JsonNode> results = apply(input, scope);
    return switch (results.size()) {
      case 0 -> MissingNode.getInstance();
      case 1 -> results.get(0);
      default -> {
        ArrayNode list = JsonNodeFactory.instance.arrayNode(results.size());
        yield list.addAll(results);
      }
    };
  }

  /** As it is written. */
  @Override
  public String toString() {
    return text;
  }
}
