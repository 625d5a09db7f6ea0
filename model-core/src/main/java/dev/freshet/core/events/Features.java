package dev.freshet.core.events;

import java.io.Serializable;

/** An impression's features, as they were sent or in few bytes. */
public sealed interface Features extends Serializable permits RawFeatures, CompactFeatures {}
