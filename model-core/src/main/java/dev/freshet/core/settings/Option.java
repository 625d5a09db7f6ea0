package dev.freshet.core.settings;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Describes one key of the pipeline file on the record component that holds it. The parser, {@code
 * docs/configuration.md} and the JSON Schema are all made from this.
 */
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.RECORD_COMPONENT)
public @interface Option {

  /** Marks a key without a default. */
  String REQUIRED = "\0required";

  /** Marks a key that may be absent; the component is then null. */
  String ABSENT = "\0absent";

  /** Meaning of the value, one sentence. */
  String value();

  /** The default, as it would be written in the file. */
  String fallback() default REQUIRED;

  /** True if this key's value may stand alone in the place of the whole group of keys. */
  boolean alone() default false;

  /** True if the value may be a password, which no message shows. */
  boolean secret() default false;
}
