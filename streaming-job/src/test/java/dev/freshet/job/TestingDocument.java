package dev.freshet.job;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A page of {@code docs}: its fenced blocks by what stands behind the fence, and its tables. */
public final class TestingDocument {

  private static final Pattern BLOCK = Pattern.compile("(?ms)^```([^\\n]+)\\n(.*?)^```$");
  private static final Pattern CODE = Pattern.compile("`([^`]+)`");

  private final String text;

  public TestingDocument(String page) throws IOException {
    text = Files.readString(Path.of("..", "docs", page));
  }

  /** A fenced block: the words behind the fence, and its lines. */
  public record Block(List<String> words, List<String> lines) {}

  /** All blocks whose fence begins with {@code words}. */
  public List<Block> blocks(String words) {
    List<Block> blocks = new ArrayList<>();
    Matcher matcher = BLOCK.matcher(text);
    while (matcher.find()) {
      if ((matcher.group(1) + " ").startsWith(words + " ")) {
        blocks.add(
            new Block(List.of(matcher.group(1).split(" ")), matcher.group(2).lines().toList()));
      }
    }
    return blocks;
  }

  /** What stands in code font in the first column of the tables of a section. */
  public List<String> keys(String section) {
    int from = text.indexOf("\n## " + section + "\n") + 1;
    int to = text.indexOf("\n## ", from);
    List<String> keys = new ArrayList<>();
    for (String line : text.substring(from, to < 0 ? text.length() : to).lines().toList()) {
      if (line.startsWith("| `")) {
        Matcher key = CODE.matcher(line.substring(0, line.indexOf('|', 1)));
        while (key.find()) {
          keys.add(key.group(1));
        }
      }
    }
    return keys;
  }
}
