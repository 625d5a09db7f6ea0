package dev.freshet.replica.server;

import org.jspecify.annotations.Nullable;

/**
 * Who may call a server. Health, metrics and the description are open to everybody who reaches it.
 *
 * @param token that all calls under {@code /v1} must bring, pins and rollbacks among them; null for
 *     none
 * @param scoreToken another one, with which one may score and look at the model, and no more; null
 *     for none
 * @param openScores true if scoring and looking at the model ask for nothing, whatever tokens there
 *     are
 */
public record Access(@Nullable Token token, @Nullable Token scoreToken, boolean openScores) {

  /** Everything is open. */
  public static final Access OPEN = new Access(null, null, true);

  /** True if a call with this Authorization header may change what is served. */
  boolean mayChange(@Nullable String header) {
    return token == null || Token.isBroughtBy(header, token);
  }

  /** True if a call with this Authorization header may score. */
  boolean mayScore(@Nullable String header) {
    return openScores
        || token == null && scoreToken == null
        || Token.isBroughtBy(header, token)
        || Token.isBroughtBy(header, scoreToken);
  }
}
