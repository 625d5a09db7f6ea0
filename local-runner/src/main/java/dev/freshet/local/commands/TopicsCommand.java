package dev.freshet.local.commands;

import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.server.options.PipelineOption;
import dev.freshet.server.options.Usage;
import dev.freshet.topics.Brokers;
import dev.freshet.topics.PipelineSource;
import dev.freshet.topics.Right;
import dev.freshet.topics.Right.Party;
import dev.freshet.topics.StartChecks;
import dev.freshet.topics.TopicAdmin;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.apache.kafka.common.resource.PatternType;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

@Command(
    name = "topics",
    description = "Makes and checks the Kafka topics of a pipeline.",
    mixinStandardHelpOptions = true,
    subcommands = {
      TopicsCommand.CreateCommand.class,
      TopicsCommand.CheckTopicsCommand.class,
      TopicsCommand.RightsCommand.class,
      HelpCommand.class
    })
final class TopicsCommand implements Callable<Integer> {

  @Spec private CommandSpec spec;

  @Override
  public Integer call() {
    throw new ParameterException(spec.commandLine(), "one of create, check, rights is missing");
  }

  /** Which topics, on which brokers. */
  static final class Where {
    @Option(
        names = "--pipeline",
        paramLabel = "FILE",
        required = true,
        description = "The pipeline, or its http(s) address.")
    private PipelineSource file;

    @Option(
        names = "--bootstrap",
        paramLabel = "HOST:PORT",
        description = "Kafka brokers, instead of the pipeline's.")
    private String bootstrap;

    Pipeline pipeline() throws IOException {
      return PipelineOption.read(file, bootstrap);
    }
  }

  @Command(
      name = "create",
      description = {
        "Makes the topics that are missing, and a partition for each model that has none.",
        "What is there already stays as it is; see `topics check`."
      },
      mixinStandardHelpOptions = true)
  static final class CreateCommand implements Callable<Integer> {
    @Mixin private Where where;
    @Spec private CommandSpec spec;

    @Option(
        names = "--partitions",
        paramLabel = "N",
        defaultValue = "4",
        description = "Of topics of events and examples that are made. Default: ${DEFAULT-VALUE}.")
    private int partitions;

    @Option(
        names = "--replication-factor",
        paramLabel = "N",
        description = "Of topics that are made. Default: the pipeline's, or else the brokers'.")
    private @Nullable Short replication;

    @Override
    public Integer call() throws Exception {
      if (partitions < 1) {
        throw new Usage("--partitions: '" + partitions + "'; allowed: 1 or more");
      }
      if (replication != null && replication < 1) {
        throw new Usage("--replication-factor: '" + replication + "'; allowed: 1 or more");
      }
      PrintWriter out = spec.commandLine().getOut();
      Pipeline pipeline = where.pipeline();
      Brokers.require(pipeline);
      try (TopicAdmin topics = new TopicAdmin(pipeline)) {
        List<String> warnings = new ArrayList<>();
        List<String> made = topics.create(partitions, Optional.ofNullable(replication), warnings);
        warnings.forEach(warning -> out.println("Warning: " + warning));
        made.forEach(out::println);
        if (made.isEmpty()) {
          out.println("nothing is missing");
        }
        out.flush();
      }
      return 0;
    }
  }

  @Command(
      name = "check",
      description = {
        "Checks what a job checks at its start: brokers, topics, partitions, settings,"
            + " permissions, transactions.",
        "Tells every problem; exit code 2 if there is one."
      },
      mixinStandardHelpOptions = true)
  static final class CheckTopicsCommand implements Callable<Integer> {
    @Mixin private Where where;
    @Spec private CommandSpec spec;

    @Override
    public Integer call() throws Exception {
      Pipeline pipeline = where.pipeline();
      PrintWriter out = spec.commandLine().getOut();
      StartChecks.run(pipeline, where.file.toString())
          .forEach(warning -> out.println("Warning: " + warning));
      out.printf(
          "%s: the topics of pipeline %s on %s are ready%n",
          where.file, pipeline.pipeline(), pipeline.kafka().bootstrap());
      out.flush();
      return 0;
    }
  }

  @Command(
      name = "rights",
      description = {
        "Lists the rights that each party needs with an authorizer, and no more.",
        "With --principal as arguments of kafka-acls, a line for each. Asks no broker."
      },
      mixinStandardHelpOptions = true)
  static final class RightsCommand implements Callable<Integer> {
    @Mixin private Where where;
    @Spec private CommandSpec spec;

    @Option(
        names = "--of",
        paramLabel = "PARTY",
        description = "trainer-job, serving-replica, event-producer, operator or topics-create.")
    private String party;

    @Option(
        names = "--principal",
        paramLabel = "TYPE:NAME",
        description = "Who is to have the rights, for example User:freshet; needs --of.")
    private @Nullable String principal;

    @Override
    public Integer call() throws Exception {
      Optional<Party> wanted = Optional.ofNullable(party).map(RightsCommand::party);
      if (principal != null && (wanted.isEmpty() || !principal.matches("[^:'\\s]+:[^']+"))) {
        throw new Usage(
            wanted.isEmpty()
                ? "--principal: only with --of PARTY"
                : "--principal: '" + principal + "'; allowed: for example User:freshet-job");
      }
      PrintWriter out = spec.commandLine().getOut();
      List<Right> rights =
          Right.of(where.pipeline()).stream()
              .filter(right -> wanted.isEmpty() || wanted.get() == right.who())
              .toList();
      int width = rights.stream().mapToInt(right -> name(right).length()).max().orElse(1);
      for (Right right : rights) {
        out.println(
            principal == null
                ? ("%-15s  %-16s  %-" + width + "s  %s")
                    .formatted(
                        right.who().label(),
                        right.on().name().toLowerCase(Locale.ROOT).replace('_', ' '),
                        name(right),
                        right.operation())
                : right.arguments(principal));
      }
      out.flush();
      return 0;
    }

    private static String name(Right right) {
      return right.name() + (right.pattern() == PatternType.PREFIXED ? "*" : "");
    }

    private static Party party(String name) {
      return Arrays.stream(Party.values())
          .filter(one -> one.label().replace(' ', '-').equals(name))
          .findAny()
          .orElseThrow(
              () ->
                  new Usage(
                      "--of: '"
                          + name
                          + "'; allowed: "
                          + Arrays.stream(Party.values())
                              .map(one -> one.label().replace(' ', '-'))
                              .collect(Collectors.joining(", "))));
    }
  }
}
