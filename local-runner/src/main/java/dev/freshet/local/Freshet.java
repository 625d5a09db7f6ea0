package dev.freshet.local;

import dev.freshet.local.commands.FreshetCommand;

/** Start here: the command line {@code freshet}. */
public final class Freshet {

  private Freshet() {}

  public static void main(String[] args) {
    System.exit(FreshetCommand.run(args));
  }
}
