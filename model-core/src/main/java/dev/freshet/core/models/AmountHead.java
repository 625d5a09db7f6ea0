package dev.freshet.core.models;

import static dev.freshet.core.settings.InvalidValueException.check;

import dev.freshet.core.settings.Option;
import java.io.Serializable;
import java.util.List;

/**
 * How a model learns the continuous core task. The losses are in {@code amount_loss} of {@code
 * layers.py}.
 *
 * <p>ZILN (zero-inflated lognormal; Wang, Liu and Miao, "A deep probabilistic model for customer
 * lifetime value prediction", 2019) has three outputs o: {@code P(y > 0) = sigma(o_0)}, and given
 * that, {@code log y} is normal with mean {@code o_1} and deviation {@code softplus(o_2) + 0.01}.
 * It predicts the mean, {@code sigma(o_0) exp(o_1 + deviation^2 / 2)}, so unlike a squared error on
 * a logarithm it is calibrated in the amount's own unit. Amounts of 0 or less count as zero.
 */
public record AmountHead(
    @Option(
            value =
                "`squared` error or `huber` on the task's transformed label, or `ziln`, the"
                    + " zero-inflated lognormal, which learns the label over its running deviation"
                    + " whatever the task's transform",
            fallback = "squared")
        Loss loss,
    @Option(value = "Where Huber's loss turns linear, in the model's scale", fallback = "1.0")
        double delta)
    implements Serializable {

  /** The menu of losses; scripts know them by these names. */
  public enum Loss {
    SQUARED,
    HUBER,
    ZILN
  }

  public AmountHead {
    check(delta > 0, "delta", delta, "above 0");
  }

  /** The tower of a task, whose width at the end depends on what the task is. */
  public List<Parameter> tower(
      String name, int in, List<Integer> widths, ModelShape shape, int task) {
    boolean core = shape.core() && task == shape.tasks() - 1;
    return Parameter.tower(name, in, widths, core && loss == Loss.ZILN ? 3 : 1);
  }
}
