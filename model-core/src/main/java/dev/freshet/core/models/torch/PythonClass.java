package dev.freshet.core.models.torch;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The one class of a script file: its declared attributes and its methods. TorchScript knows no
 * inheritance, so what a class has of another is copied into it.
 */
final class PythonClass {

  /** Imports, for which libtorch has no modules, or another name. */
  private static final Pattern IMPORT = Pattern.compile("(?m)^(import|from) .*\\R");

  private static final Pattern OPENING = Pattern.compile("(?m)^class (\\w+)\\(\\w+\\):\\R");
  private static final Pattern MEMBER = Pattern.compile("(?m)^    (?:def )?(\\w+)");

  private final String name;
  private final Map<String, String> members;

  private PythonClass(String name, Map<String, String> members) {
    this.name = name;
    this.members = members;
  }

  /**
   * The class of a file that begins with its imports, members indented by four spaces.
   *
   * @throws IllegalArgumentException if there is none
   */
  static PythonClass of(String source) {
    String text = withoutImports(source);
    Matcher opening = OPENING.matcher(text);
    if (!opening.find()) {
      throw new IllegalArgumentException("no class in this script:\n" + source);
    }
    String body = text.substring(opening.end());
    Map<String, String> members = new LinkedHashMap<>();
    Matcher member = MEMBER.matcher(body);
    boolean more = member.find();
    while (more) {
      String called = member.group(1);
      int start = member.start();
      more = member.find();
      members.put(called, body.substring(start, more ? member.start() : body.length()));
    }
    return new PythonClass(opening.group(1), members);
  }

  static String withoutImports(String source) {
    return IMPORT.matcher(source).replaceAll("");
  }

  String name() {
    return name;
  }

  /** With all of another class that it does not have itself. */
  PythonClass extending(PythonClass base) {
    Map<String, String> all = new LinkedHashMap<>(members);
    base.members.forEach(all::putIfAbsent);
    return new PythonClass(name, all);
  }

  /** As libtorch reads it. */
  String source() {
    return "class " + name + "(Module):\n" + String.join("", members.values());
  }
}
