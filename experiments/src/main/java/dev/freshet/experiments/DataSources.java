package dev.freshet.experiments;

import java.util.LinkedHashMap;
import java.util.Map;

/** The menu of data sources. */
final class DataSources {

  private DataSources() {}

  /** The settings record of each kind. */
  static Map<String, Class<? extends Record>> kinds() {
    Map<String, Class<? extends Record>> kinds = new LinkedHashMap<>();
    kinds.put(FileData.KIND, FileData.class);
    kinds.put(FunnelData.KIND, FunnelData.class);
    kinds.put(ClickData.KIND, ClickData.class);
    kinds.put(ShopData.KIND, ShopData.class);
    kinds.put(InterestData.KIND, InterestData.class);
    return kinds;
  }
}
