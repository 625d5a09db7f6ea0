package dev.freshet.benchmarks.step;

/**
 * The products of a linear layer in one step: {@code x (rows, in)} times the weight {@code (in,
 * out)}, and of the backward pass the gradient of {@code x} and that of the weight. They are alike
 * in cost: each is {@code 2 rows in out} floating-point operations.
 *
 * @param rows the batch, or as many times of it as the layer looks at parts of an example
 * @param forward how many products x W with these sizes there are
 * @param input how many products g W', for the gradient of x
 * @param weight how many products x' g, for the gradient of W
 */
record Product(int rows, int in, int out, int forward, int input, int weight) {

  enum Kind {
    FORWARD,
    INPUT,
    WEIGHT
  }

  Product and(Kind kind) {
    return new Product(
        rows,
        in,
        out,
        forward + (kind == Kind.FORWARD ? 1 : 0),
        input + (kind == Kind.INPUT ? 1 : 0),
        weight + (kind == Kind.WEIGHT ? 1 : 0));
  }

  /** The same layer on batches {@code to / from} times as large. */
  Product scaled(int from, int to) {
    return new Product(rows / from * to, in, out, forward, input, weight);
  }

  double flops() {
    return 2.0 * rows * in * out * (forward + input + weight);
  }
}
