package dev.freshet.experiments.importers;

import dev.freshet.core.settings.EnumNames;

/** The menu of importers; each has a ready pipeline of the same name in {@code pipelines/}. */
public enum Importers {
  HOTEL(
      "Hotel booking demand (Antonio et al., Data in Brief): hotel_bookings.csv; booking, stay,"
          + " revenue",
      new HotelImporter()),
  REES46(
      "REES46 multi-category store: 2019-Oct.csv and so on; view, cart, purchase, price",
      new Rees46Importer()),
  RETAILROCKET("Retailrocket: events.csv; view, cart, transaction", new RetailrocketImporter()),
  KUAIRAND(
      "KuaiRand: log_*.csv; exposure, click, long view, watch seconds", new KuaiRandImporter()),
  CRITEO_SEARCH(
      "Criteo sponsored search conversion log: CriteoSearchData; click, sale, amount",
      new CriteoSearchImporter()),
  CRITEO_DELAYED(
      "Criteo conversion logs (Chapelle 2014): data.txt; click, conversion",
      new CriteoDelayedImporter()),
  ALI_CCP(
      "Ali-CCP: common_features_*.csv first, then sample_skeleton_*.csv; impression, click,"
          + " purchase (no times: rows are a tenth of a second apart)",
      new AliCcpImporter()),
  ALIEXPRESS(
      "AliExpress search logs as one CSV per country; impression, click, purchase (no times: rows"
          + " are a tenth of a second apart)",
      new AliExpressImporter()),
  OPEN_BANDIT(
      "Open Bandit (ZOZO): men.csv, women.csv or all.csv of a logging policy; impression, click",
      new OpenBanditImporter());

  private final String description;
  private final Importer importer;

  Importers(String description, Importer importer) {
    this.description = description;
    this.importer = importer;
  }

  /** As on the command line: {@code criteo-search}. */
  public String label() {
    return EnumNames.of(this);
  }

  public String description() {
    return description;
  }

  public Importer importer() {
    return importer;
  }
}
