package dev.freshet.local.signals;

import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;

/**
 * Ctrl-C, SIGTERM and a closed terminal as a wish to end in order: figures are told, nothing is
 * left behind. The second one ends the process at once. Open for the whole of a command.
 */
public final class EndRequest implements AutoCloseable {

  // The codes that shells give to processes that a signal ended.
  private static final Map<String, Integer> SIGNALS = Map.of("HUP", 129, "INT", 130, "TERM", 143);

  private final PrintStream out;
  private final List<Runnable> atOnce = new ArrayList<>();
  private final CountDownLatch made = new CountDownLatch(1);
  private @Nullable Thread waiting;
  private volatile int exitCode;

  private EndRequest(PrintStream out) {
    this.out = out;
  }

  /** Listens from now on. */
  public static EndRequest listen(PrintStream out) {
    EndRequest request = new EndRequest(out);
    SIGNALS.forEach((signal, code) -> handle(signal, () -> request.signalled(code)));
    return request;
  }

  /** Makes this process deaf to Ctrl-C and SIGTERM: somebody else decides when it ends. */
  public static void ignore() {
    SIGNALS.keySet().forEach(signal -> handle(signal, () -> {}));
  }

  /** Sets what the second request still does before the process is gone. */
  public synchronized void atOnce(Runnable action) {
    atOnce.add(action);
  }

  /** True if somebody wants the end. */
  public boolean made() {
    return made.getCount() == 0;
  }

  /** The exit code that tells so: 130 after Ctrl-C, 143 after SIGTERM. */
  public int exitCode() {
    return exitCode;
  }

  /**
   * While the calling thread does something that cannot ask {@link #made}, a request interrupts it.
   */
  public synchronized void interruptsMe(boolean does) {
    waiting = does ? Thread.currentThread() : null;
    if (does && made()) {
      Thread.currentThread().interrupt();
    } else if (!does) {
      Thread.interrupted(); // It may have come just now.
    }
  }

  /** Waits for it. */
  public void await() throws InterruptedException {
    made.await();
  }

  private void signalled(int code) {
    if (made()) {
      atOnce.forEach(Runnable::run);
      Runtime.getRuntime().halt(code);
    }
    exitCode = code;
    out.println("Stopping; once more ends at once");
    made.countDown();
    synchronized (this) {
      if (waiting != null) {
        waiting.interrupt();
      }
    }
  }

  @Override
  public void close() {
    // A second signal while the process cleans up on its way out still ends it.
    interruptsMe(false);
  }

  // sun.misc.Signal is the only way to see a second signal (hooks run once, and block the second);
  // the compiler warns of it and takes no excuse, hence by reflection.
  private static void handle(String signal, Runnable action) {
    try {
      Class<?> signals = Class.forName("sun.misc.Signal");
      Class<?> handlers = Class.forName("sun.misc.SignalHandler");
      Object handler =
          Proxy.newProxyInstance(
              handlers.getClassLoader(),
              new Class<?>[] {handlers},
              (proxy, method, args) -> {
                if (method.getName().equals("handle")) {
                  action.run();
                  return null;
                }
                return method.getName().equals("equals")
                    ? (Object) (proxy == args[0])
                    : method.getName().equals("hashCode") ? (Object) 1 : "signal handler";
              });
      signals
          .getMethod("handle", signals, handlers)
          .invoke(null, signals.getConstructor(String.class).newInstance(signal), handler);
    } catch (InvocationTargetException e) {
      // This system does not know the signal, or keeps it for itself: then nobody sends it here.
      return;
    } catch (ReflectiveOperationException e) {
      throw new LinkageError("this Java has no sun.misc.Signal", e);
    }
  }
}
