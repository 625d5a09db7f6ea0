package dev.freshet.core.models;

import dev.freshet.core.models.adaftr.AdaFtr;
import dev.freshet.core.models.aitm.Aitm;
import dev.freshet.core.models.esmm.Esmm;
import dev.freshet.core.models.htlnet.HtlNet;
import dev.freshet.core.models.mmoe.Mmoe;
import dev.freshet.core.models.ple.Ple;
import dev.freshet.core.models.sharedbottom.SharedBottom;
import dev.freshet.core.models.singletask.SingleTask;
import dev.freshet.core.models.tafe.Tafe;
import java.util.LinkedHashMap;
import java.util.Map;

/** The menu of models. */
public final class Models {

  private Models() {}

  /** The settings record of each kind. */
  public static Map<String, Class<? extends Record>> kinds() {
    Map<String, Class<? extends Record>> kinds = new LinkedHashMap<>();
    kinds.put(HtlNet.KIND, HtlNet.class);
    kinds.put(AdaFtr.KIND, AdaFtr.class);
    kinds.put(Tafe.KIND, Tafe.class);
    kinds.put(SingleTask.KIND, SingleTask.class);
    kinds.put(SharedBottom.KIND, SharedBottom.class);
    kinds.put(Esmm.KIND, Esmm.class);
    kinds.put(Mmoe.KIND, Mmoe.class);
    kinds.put(Ple.KIND, Ple.class);
    kinds.put(Aitm.KIND, Aitm.class);
    return kinds;
  }
}
