package dev.freshet.local;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.logging.log4j.Level;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.core.LogEvent;
import org.apache.logging.log4j.core.LoggerContext;
import org.apache.logging.log4j.core.appender.AbstractAppender;
import org.apache.logging.log4j.core.config.LoggerConfig;
import org.apache.logging.log4j.core.config.Property;
import org.apache.logging.log4j.core.layout.PatternLayout;

/** All that is logged while it is open, by whomever, from INFO up, with traces. */
public final class TestingLog implements AutoCloseable {

  private final List<String> lines = new CopyOnWriteArrayList<>();
  private final LoggerContext context = (LoggerContext) LogManager.getContext(false);
  private final Level before;
  private final AbstractAppender appender;

  public TestingLog() {
    PatternLayout layout = PatternLayout.newBuilder().withPattern("%p %c %m%n%xEx").build();
    appender =
        new AbstractAppender("testing", null, layout, false, Property.EMPTY_ARRAY) {
          @Override
          public void append(LogEvent event) {
            lines.add((String) getLayout().toSerializable(event));
          }
        };
    appender.start();
    LoggerConfig root = context.getConfiguration().getRootLogger();
    before = root.getLevel();
    root.setLevel(Level.INFO);
    root.addAppender(appender, Level.INFO, null);
    kafka(Level.INFO);
    context.updateLoggers();
  }

  private void kafka(Level level) {
    context.getConfiguration().getLoggerConfig("org.apache.kafka").setLevel(level);
  }

  public List<String> lines() {
    return lines;
  }

  @Override
  public void close() {
    LoggerConfig root = context.getConfiguration().getRootLogger();
    kafka(Level.ERROR);
    root.setLevel(before);
    root.removeAppender("testing");
    context.updateLoggers();
    appender.stop();
  }
}
