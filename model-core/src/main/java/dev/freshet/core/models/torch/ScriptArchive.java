package dev.freshet.core.models.torch;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/**
 * A TorchScript module as the bytes that libtorch loads: the model's source, the shared layers, and
 * its attributes. Built in Java and compiled by libtorch inside the process, so no Python is needed
 * to build, train or serve.
 *
 * <p>Layout of the zip (entries stored, never deflated): {@code m/version}, {@code
 * m/constants.pkl}, {@code m/code/__torch__.py} (the class), {@code m/code/__torch__/layers.py},
 * {@code m/code/__torch__/functional.py}, {@code m/data.pkl} (the object: a pickle that sets the
 * attributes).
 *
 * <p>The source files are Python modules that can be imported beside PyTorch. On the way into the
 * archive they lose their imports, classes are given what they inherit, and functions their
 * qualified names: {@code layers.f(...)} and {@code F.f(...)} become {@code
 * __torch__.layers.f(...)} and {@code __torch__.functional.f(...)}.
 */
public final class ScriptArchive {

  private static final String ROOT = "/torchscript/";
  private static final Pattern FUNCTION = Pattern.compile("(?m)^def (\\w+)");

  private final String className;
  private final String source;
  private final Map<String, Object> attributes;

  private ScriptArchive(String className, String source, Map<String, Object> attributes) {
    this.className = className;
    this.source = source;
    this.attributes = new TreeMap<>(attributes);
  }

  /**
   * The model of {@code torchscript/<file>.py}, whose class extends that of {@code model.py}.
   *
   * @param attributes values of the class's declared attributes besides the weights: {@link
   *     Integer}, {@link Double}, {@link Boolean}, {@link String}, or a {@link List} of one of
   *     these; an empty one may stand for a {@code List[Tensor]}
   */
  public static ScriptArchive ofModel(String file, Map<String, Object> attributes) {
    PythonClass model = model(file);
    return new ScriptArchive(model.name(), model.source(), learning(attributes));
  }

  static PythonClass model(String file) {
    return PythonClass.of(resource(file + ".py")).extending(PythonClass.of(resource("model.py")));
  }

  // What every model's setup is handed: weights, moments and step counters.
  private static Map<String, Object> learning(Map<String, Object> attributes) {
    Map<String, Object> all = new TreeMap<>(attributes);
    for (String list : List.of("p", "m", "v", "steps")) {
      all.put(list, List.of());
    }
    return all;
  }

  String className() {
    return className;
  }

  Map<String, Object> attributes() {
    return attributes;
  }

  /** The class's source as text, with just these attributes. */
  public static ScriptArchive ofSource(
      String className, String source, Map<String, Object> attributes) {
    return new ScriptArchive(className, source, attributes);
  }

  /**
   * The same model with its weights on a device whose memory is apart: its class extends that of
   * {@code device.py} too, whose methods call the model's own.
   *
   * @param mirrored places of the weights that every step brings back to the host
   */
  ScriptArchive on(TorchDevice device, List<Integer> mirrored) {
    if (!attributes.containsKey("steps")) {
      throw new IllegalArgumentException(className + " is no model, so no device can hold it");
    }
    String held = PythonClass.of(source).extending(PythonClass.of(resource("device.py"))).source();
    Map<String, Object> more = new TreeMap<>(attributes);
    more.put("device", device.name());
    more.put("pinned", device.pinned());
    more.put("mirrored", mirrored);
    for (String list :
        List.of("inbox", "kept", "batch_e", "batch_indices", "batch_offsets", "batch_weights")) {
      more.put(list, List.of());
    }
    return new ScriptArchive(className, held, more);
  }

  /** Bytes of the archive; equal input gives equal bytes. */
  public byte[] toBytes() {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
      store(zip, "m/version", ascii("10\n"));
      store(zip, "m/constants.pkl", new byte[] {(byte) 0x80, 2, ')', '.'});
      store(zip, "m/code/__torch__.py", ascii(qualified(source)));
      store(zip, "m/code/__torch__/layers.py", ascii(functions("layers")));
      store(zip, "m/code/__torch__/functional.py", ascii(functions("functional")));
      store(zip, "m/data.pkl", pickle());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }

  /** With the names that libtorch resolves; a type of numbers has none there, but a number. */
  private static String qualified(String text) {
    return text.replace("torch.bfloat16", "15")
        .replaceAll("(?<![\\w.])layers\\.", "__torch__.layers.")
        .replaceAll("(?<![\\w.])F\\.", "__torch__.functional.");
  }

  /** A file of functions, which call each other by their plain names. */
  private static String functions(String file) {
    String text = PythonClass.withoutImports(resource(file + ".py"));
    String names =
        FUNCTION.matcher(text).results().map(one -> one.group(1)).collect(Collectors.joining("|"));
    return qualified(text)
        .replaceAll("(?<![\\w.]|def )(" + names + ")\\(", "__torch__." + file + ".$1(");
  }

  private byte[] pickle() {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.writeBytes(new byte[] {(byte) 0x80, 2});
    out.writeBytes(ascii("c__torch__\n" + className + "\n"));
    out.writeBytes(new byte[] {')', (byte) 0x81, '}', '('});
    text(out, "training");
    out.write(0x88);
    attributes.forEach(
        (name, value) -> {
          text(out, name);
          value(out, name, value);
        });
    out.writeBytes(ascii("ub."));
    return out.toByteArray();
  }

  private static void text(ByteArrayOutputStream out, String value) {
    byte[] text = ascii(value);
    out.write('X');
    out.writeBytes(little(text.length));
    out.writeBytes(text);
  }

  private static void value(ByteArrayOutputStream out, String name, Object value) {
    if (value instanceof Integer number) {
      out.write('J');
      out.writeBytes(little(number));
    } else if (value instanceof Double number) {
      out.write('G');
      out.writeBytes(ByteBuffer.allocate(8).order(ByteOrder.BIG_ENDIAN).putDouble(number).array());
    } else if (value instanceof Boolean flag) {
      out.write(flag ? 0x88 : 0x89);
    } else if (value instanceof String text) {
      text(out, text);
    } else if (value instanceof List<?> list) {
      out.write(']');
      out.write('(');
      list.forEach(element -> value(out, name, element));
      out.write('e');
    } else {
      throw new IllegalArgumentException(
          "attribute " + name + ": " + value + " is no int, double, boolean, text or list");
    }
  }

  private static byte[] little(int number) {
    return ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(number).array();
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  private static String resource(String file) {
    try (InputStream in = ScriptArchive.class.getResourceAsStream(ROOT + file)) {
      if (in == null) {
        throw new IllegalArgumentException("no TorchScript file " + ROOT + file);
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void store(ZipOutputStream zip, String name, byte[] content) throws IOException {
    CRC32 crc = new CRC32();
    crc.update(content);
    ZipEntry entry = new ZipEntry(name);
    entry.setMethod(ZipEntry.STORED);
    entry.setSize(content.length);
    entry.setCrc(crc.getValue());
    entry.setTime(0);
    zip.putNextEntry(entry);
    zip.write(content);
    zip.closeEntry();
  }
}
