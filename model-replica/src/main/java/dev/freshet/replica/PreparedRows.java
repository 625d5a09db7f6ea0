package dev.freshet.replica;

import dev.freshet.core.rows.PublishedRows;

/** Takes rows of a version that is prepared for the table that will read them. */
abstract class PreparedRows implements PublishedRows {

  final StoredRows rows;

  PreparedRows(StoredRows rows) {
    this.rows = rows;
  }

  @Override
  public final int dim() {
    return rows.dim();
  }

  @Override
  public final int width() {
    return rows.width();
  }
}
