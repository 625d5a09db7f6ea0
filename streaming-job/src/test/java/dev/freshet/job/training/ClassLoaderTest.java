package dev.freshet.job.training;

import static org.assertj.core.api.Assertions.assertThat;

import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.TestingPipelines;
import dev.freshet.training.ModelTrainer;
import java.net.URL;
import java.net.URLClassLoader;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.Test;

/**
 * A task manager loads the job's classes anew for every job and restart, child first. PyTorch's
 * native library can be loaded once per process only, so DJL must come from the parent: then a
 * second loader works, and computes the same.
 */
class ClassLoaderTest {

  @Test
  void twoSuccessiveJobLoadersTrainWithDjlInTheirParent() throws Exception {
    Set<String> hashes = new HashSet<>();
    Set<ClassLoader> loaders = new HashSet<>();
    for (int i = 0; i < 2; i++) {
      try (JobClassLoader loader = new JobClassLoader()) {
        Class<?> type = loader.loadClass(TestingTrainRun.class.getName());
        assertThat(type).isNotSameAs(TestingTrainRun.class);
        loaders.add(type.getClassLoader());
        Thread.currentThread().setContextClassLoader(loader);
        hashes.add((String) ((Callable<?>) type.getConstructor().newInstance()).call());
      } finally {
        Thread.currentThread().setContextClassLoader(getClass().getClassLoader());
      }
    }
    assertThat(loaders).hasSize(2);
    assertThat(hashes).as("the same weights").hasSize(1);
    assertThat(hashes.iterator().next()).matches("[0-9a-f]{64}");
  }

  /** Freshet's classes from itself, all others from the parent: what Flink does with a job jar. */
  private static final class JobClassLoader extends URLClassLoader {
    JobClassLoader() {
      super(
          new URL[] {
            place(TestingTrainRun.class),
            place(TrainOperator.class),
            place(ModelTrainer.class),
            place(Pipeline.class),
            place(TestingPipelines.class)
          },
          ClassLoaderTest.class.getClassLoader());
    }

    private static URL place(Class<?> type) {
      return type.getProtectionDomain().getCodeSource().getLocation();
    }

    @Override
    protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
      if (!name.startsWith("dev.freshet.")) {
        return super.loadClass(name, resolve);
      }
      synchronized (getClassLoadingLock(name)) {
        Class<?> loaded = findLoadedClass(name);
        return loaded == null ? findClass(name) : loaded;
      }
    }
  }
}
