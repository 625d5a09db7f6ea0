/**
 * Stage 4b. Takes encoded examples in batches; predicts, scores, learns. Read {@link
 * dev.freshet.core.training.ModelTrainer} first, {@link dev.freshet.core.training.TrainerSnapshot}
 * for what a checkpoint holds. Next: publishing.
 */
package dev.freshet.core.training;
