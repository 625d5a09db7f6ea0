package dev.freshet.replica.server;

import io.undertow.util.Headers;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;

/** Actions by path, and who may ask for them. */
final class Routes {

  /** Answers a request when it has come whole; runs on its connection's thread. */
  interface Action {
    void go(Call call) throws Refused;
  }

  /** Which token a call asks for, if there is one. */
  enum Guard {
    NONE,
    SCORES,
    CHANGES
  }

  private record Route(Guard guard, Action action) {}

  private final Access access;
  private final Map<String, Map<String, Route>> paths = new LinkedHashMap<>();

  Routes(Access access) {
    this.access = access;
  }

  Routes add(String method, String path, Guard guard, Action action) {
    paths.computeIfAbsent(path, p -> new LinkedHashMap<>()).put(method, new Route(guard, action));
    return this;
  }

  /** A path as it is counted; empty if there is nothing at it. */
  Optional<String> known(String path) {
    return paths.containsKey(path) ? Optional.of(path) : Optional.empty();
  }

  /** The head of a request has come; what it asks for is done when all of it has. */
  void take(String method, String path, Call call) {
    Map<String, Route> methods = paths.get(path);
    if (methods == null) {
      call.fail(
          new Refused(Refused.NOT_FOUND, "path: allowed: " + String.join(", ", paths.keySet())));
      return;
    }
    Route route = methods.get(method.equals("HEAD") ? "GET" : method);
    if (route == null) {
      String allowed = String.join(", ", new TreeSet<>(methods.keySet()));
      call.fail(
          new Refused(Refused.NOT_ALLOWED, "method: '" + method + "'; allowed: " + allowed),
          Map.of(Headers.ALLOW, allowed));
      return;
    }
    try {
      authorize(route.guard(), call);
      call.receive(() -> go(route.action(), call));
    } catch (Refused e) {
      call.fail(e);
    }
  }

  private void authorize(Guard guard, Call call) throws Refused {
    String header = call.header(Headers.AUTHORIZATION);
    boolean may =
        switch (guard) {
          case NONE -> true;
          case SCORES -> access.mayScore(header);
          case CHANGES -> access.mayChange(header);
        };
    if (!may) {
      throw new Refused(
          Refused.UNAUTHORIZED, "Authorization: allowed: Bearer and the server's token");
    }
  }

  private static void go(Action action, Call call) {
    try {
      action.go(call);
    } catch (Refused e) {
      call.fail(e);
    } catch (RuntimeException e) {
      call.failed(e);
    }
  }
}
