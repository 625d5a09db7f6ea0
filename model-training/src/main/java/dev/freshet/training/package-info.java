/**
 * Stage 6. Takes encoded examples in batches; predicts, scores, learns. Read {@link
 * dev.freshet.training.ModelTrainer} first, {@link dev.freshet.training.TrainerSnapshot} for what a
 * checkpoint holds. Next: publishing.
 */
@NullMarked
package dev.freshet.training;

import org.jspecify.annotations.NullMarked;
