package dev.freshet.core.codec;

import dev.freshet.core.settings.CodeVersion;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.io.Serializable;

/**
 * A layout of bytes: its name and its versions. Neither the name nor what a version means ever
 * changes, whatever becomes of the classes that read and write it.
 *
 * <p>Bytes inside of others begin with the version alone. Bytes that are on their own, and may lie
 * for long, begin with a header, so that nobody takes them for something else:
 *
 * <pre>int magic = "FRSH" | text name | byte version</pre>
 *
 * <p>Texts begin with the name, a hyphen and the version.
 *
 * @param name such as {@code freshet.pending-impression}
 * @param oldest version that this code reads
 * @param newest version that this code reads, up to 69: the next is how the magic begins
 */
public record Layout(String name, int oldest, int newest) implements Serializable {

  private static final int MAGIC = 0x46525348;
  private static final int FIRST_OF_MAGIC = MAGIC >>> 24;

  /** Of which every version is read. */
  public Layout(String name, int newest) {
    this(name, 1, newest);
  }

  public Layout {
    if (oldest < 1 || newest < oldest || newest >= FIRST_OF_MAGIC) {
      throw new IllegalArgumentException(name + " of versions " + oldest + " to " + newest);
    }
  }

  /** Writes the newest version. */
  public void writeVersion(DataOutput out) throws IOException {
    out.writeByte(newest);
  }

  /**
   * Reads a version.
   *
   * @throws LayoutTooNewException if a newer Freshet wrote it
   * @throws LayoutTooOldException if it is of before what this one reads
   */
  public int readVersion(DataInput in) throws IOException {
    return check(in.readByte());
  }

  /** Writes the header, with the newest version. */
  public void writeHeader(DataOutput out) throws IOException {
    out.writeInt(MAGIC);
    Bytes.writeText(out, name);
    writeVersion(out);
  }

  /**
   * Reads a header.
   *
   * @param bare the newest version that was written without one; 0 if all had one
   * @return the version
   * @throws LayoutTooNewException if a newer Freshet wrote it
   * @throws LayoutTooOldException if it is of before what this one reads
   * @throws IOException if the bytes are something else
   */
  public int readHeader(DataInput in, int bare) throws IOException {
    int first = in.readByte();
    if (first >= 1 && first <= bare) {
      return check(first);
    }
    if (first != FIRST_OF_MAGIC) {
      throw new IOException("these bytes are no " + name + ": they begin with " + first);
    }
    int rest = in.readUnsignedByte() << 16 | in.readUnsignedShort();
    if (rest != (MAGIC & 0xFFFFFF)) {
      throw new IOException("these bytes are no " + name + ": they do not begin with its header");
    }
    String found = Bytes.readText(in);
    if (!found.equals(name)) {
      throw new IOException("these bytes are no " + name + " but a " + found);
    }
    return readVersion(in);
  }

  /** Beginning of a text of the newest version. */
  public String text() {
    return name + "-" + newest;
  }

  /**
   * Reads what a text begins with.
   *
   * @return the version
   * @throws LayoutException if it is of a version that this code does not read
   * @throws IOException if it is something else
   */
  public int readText(String start) throws IOException {
    if (!start.matches("\\Q" + name + "\\E-[0-9]{1,4}")) {
      throw new IOException("this text is no " + name + ": it begins with " + start);
    }
    return check(Integer.parseInt(start.substring(name.length() + 1)));
  }

  /**
   * A version that was read elsewhere, if it is one that this code reads.
   *
   * @throws LayoutTooNewException if a newer Freshet wrote it
   * @throws LayoutTooOldException if it is of before what this one reads
   */
  public int check(int version) throws IOException {
    if (version > newest) {
      throw new LayoutTooNewException(this, version);
    }
    if (version < 1) {
      throw new IOException("these bytes are no " + name + ": " + version + " is no version");
    }
    if (version < oldest) {
      throw new LayoutTooOldException(this, version);
    }
    return version;
  }

  String misses(int version) {
    return "%s has version %d, and Freshet %s reads %s"
        .formatted(
            name,
            version,
            CodeVersion.CURRENT,
            oldest == newest ? newest + " alone" : oldest + " to " + newest);
  }
}
