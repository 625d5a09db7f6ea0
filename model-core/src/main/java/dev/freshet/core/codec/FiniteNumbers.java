package dev.freshet.core.codec;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializerProvider;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.module.SimpleModule;
import com.fasterxml.jackson.databind.ser.std.StdSerializer;
import java.io.IOException;

/**
 * JSON has no infinity and nothing that is not a number; Jackson would write the text {@code "NaN"}
 * where a reader expects a number. Here both become null.
 */
public final class FiniteNumbers extends SimpleModule {

  private static final long serialVersionUID = 1;

  private FiniteNumbers() {
    super("finite numbers");
    addSerializer(Double.class, new OrNull<>(Double.class));
    addSerializer(double.class, new OrNull<>(Double.class));
    addSerializer(Float.class, new OrNull<>(Float.class));
    addSerializer(float.class, new OrNull<>(Float.class));
  }

  /** A mapper that writes no number that is none. */
  public static ObjectMapper mapper() {
    return JsonMapper.builder().addModule(new FiniteNumbers()).build();
  }

  /** The module, for a mapper with other settings. */
  public static SimpleModule module() {
    return new FiniteNumbers();
  }

  private static final class OrNull<T extends Number> extends StdSerializer<T> {

    private static final long serialVersionUID = 1;

    OrNull(Class<T> type) {
      super(type);
    }

    @Override
    public void serialize(T value, JsonGenerator out, SerializerProvider provider)
        throws IOException {
      if (!Double.isFinite(value.doubleValue())) {
        out.writeNull();
      } else if (value instanceof Float number) {
        out.writeNumber(number);
      } else {
        out.writeNumber(value.doubleValue());
      }
    }
  }
}
