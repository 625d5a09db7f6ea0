package dev.freshet.core.events;

import java.io.Serializable;

/**
 * A field of an impression that is a list of numbers.
 *
 * @param size how many there must be
 */
public record VectorField(String name, int size) implements Serializable {}
