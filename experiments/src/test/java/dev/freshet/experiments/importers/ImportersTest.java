package dev.freshet.experiments.importers;

import static java.util.Map.entry;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.freshet.core.events.EventReader;
import dev.freshet.core.events.Feedback;
import dev.freshet.core.events.Impression;
import dev.freshet.core.labels.DroppedEvent;
import dev.freshet.core.labels.LabelJoin;
import dev.freshet.core.labels.LabeledExample;
import dev.freshet.core.labels.PendingImpression;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.PipelineFile;
import dev.freshet.experiments.files.Lines;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Each importer on a few lines written by hand in its data set's published layout. */
class ImportersTest {

  private static final ObjectMapper JSON = new ObjectMapper();

  private BadRows bad = new BadRows(false);

  @TempDir private Path folder;

  @Test
  void hotel() throws IOException {
    String header =
        "hotel,is_canceled,lead_time,arrival_date_year,arrival_date_month,arrival_date_week_number,"
            + "arrival_date_day_of_month,stays_in_weekend_nights,stays_in_week_nights,adults,"
            + "children,babies,meal,country,market_segment,distribution_channel,is_repeated_guest,"
            + "previous_cancellations,previous_bookings_not_canceled,reserved_room_type,"
            + "assigned_room_type,booking_changes,deposit_type,agent,company,days_in_waiting_list,"
            + "customer_type,adr,required_car_parking_spaces,total_of_special_requests,"
            + "reservation_status,reservation_status_date";
    run(
        Importers.HOTEL,
        header,
        "City Hotel,0,2,2016,March,10,3,1,2,2,0,0,BB,PRT,Direct,Direct,0,0,0,A,A,0,No Deposit,9,"
            + "NULL,0,Transient,80.5,0,1,Check-Out,2016-03-06",
        "City Hotel,1,10,2016,March,10,3,0,2,2,NA,0,BB,PRT,Direct,Direct,0,0,0,A,A,0,No Deposit,9,"
            + "NULL,0,Transient,60,0,1,Canceled,2016-02-25");
    assertThat(impressions()).hasSize(2);
    JsonNode first = impressions().get(0);
    assertThat(first.path("impression_id").asText()).as("booked ten days ahead").isEqualTo("b1");
    assertThat(first.path("features").has("children")).as("NA is missing").isFalse();
    assertThat(first.path("features").has("assigned_room_type")).as("a leak").isFalse();
    assertThat(first.path("features").path("check_out").asText())
        .as("two nights from 2016-03-03 on")
        .isEqualTo("2016-03-05T12:00:00Z");
    assertThat(kindsAndValues()).containsExactly("stay 0.0", "stay 1.0", "revenue 241.5");
    assertThat(labels(Importers.HOTEL))
        .containsExactly(entry("b0", List.of(1.0, 241.5)), entry("b1", List.of(0.0, 0.0)));
    // 2016-03-01, two days before the arrival of 2016-03-03.
    assertThat(impressions().get(1).path("event_time").asLong()).isEqualTo(1_456_790_400_000L);
  }

  @Test
  void openBandit() throws IOException {
    run(
        Importers.OPEN_BANDIT,
        ",timestamp,item_id,position,click,propensity_score,user_feature_0,user_feature_1,"
            + "user_feature_2,user_feature_3,user-item_affinity_0",
        "0,2019-11-24 00:01:45.406608+00:00,9,3,0,0.059345,cef3,f1c2,7bc9,9bde,0.0",
        "1,2019-11-24 00:01:03.979311+00:00,2,2,1,0.045525,cef3,2d03,c2e4,c39b,0.0");
    assertThat(impressions()).hasSize(2);
    JsonNode first = impressions().get(0);
    assertThat(first.path("impression_id").asText()).as("in order of time").isEqualTo("o1");
    assertThat(first.path("event_time").asLong()).isEqualTo(1_574_553_663_979L);
    assertThat(first.path("features").path("user_feature_3").asText()).isEqualTo("c39b");
    assertThat(first.path("features").has("click")).as("a leak").isFalse();
    assertThat(kindsAndValues()).containsExactly("click");
  }

  @Test
  void rees46() throws IOException {
    run(
        Importers.REES46,
        "event_time,event_type,product_id,category_id,category_code,brand,price,user_id,user_session",
        "2019-10-01 00:00:00 UTC,view,44600062,2103807459595387724,,shiseido,35.79,541312140,s1",
        "2019-10-01 00:00:10 UTC,cart,44600062,2103807459595387724,,shiseido,35.79,541312140,s1",
        "2019-10-01 00:00:20"
            + " UTC,purchase,44600062,2103807459595387724,,shiseido,35.79,541312140,s1",
        "2019-10-01 00:00:30 UTC,purchase,1,2,,,9.99,541312140,s2",
        "2019-10-01 00:00:40 UTC,view,7,2,,,5.00,541312140,s3",
        "2019-10-01 00:00:50 UTC,purchase,7,2,,,5.00,541312140,s3");
    assertThat(impressions()).hasSize(2);
    assertThat(impressions().get(0).path("features").has("category_code")).isFalse();
    assertThat(kindsAndValues())
        .as("what was never viewed has no impression")
        .containsExactly("cart", "purchase", "price 35.79", "purchase", "price 5.0");
    assertThat(labels(Importers.REES46))
        .as("a purchase without a cart is one")
        .containsExactly(
            entry("v0", List.of(1.0, 1.0, 35.79)), entry("v4", List.of(0.0, 1.0, 5.0)));
  }

  @Test
  void retailrocket() throws IOException {
    run(
        Importers.RETAILROCKET,
        "timestamp,visitorid,event,itemid,transactionid",
        "1433224300000,257597,transaction,355908,12",
        "1433224214164,257597,view,355908,",
        "1433224244279,257597,addtocart,355908,");
    assertThat(impressions()).hasSize(1);
    assertThat(kindsAndValues()).containsExactly("cart", "transaction");
  }

  @Test
  void kuairand() throws IOException {
    run(
        Importers.KUAIRAND,
        "user_id,video_id,date,hourmin,time_ms,is_click,is_like,is_follow,is_comment,is_forward,"
            + "is_hate,long_view,play_time_ms,duration_ms,profile_stay_time,comment_stay_time,"
            + "is_profile_enter,is_rand,tab",
        "0,3432,20220411,1900,1649674882000,1,0,0,0,0,0,1,25000,60000,0,0,0,0,1",
        "0,7,20220411,1900,1649674880000,0,0,0,0,0,0,0,0,9000,0,0,0,1,1");
    assertThat(impressions())
        .extracting(i -> i.path("impression_id").asText())
        .as("sorted by time")
        .containsExactly("k1", "k0");
    assertThat(kindsAndValues()).containsExactly("click", "long_view", "watch_time 25.0");
  }

  @Test
  void criteoSearch() throws IOException {
    String categories = String.join("\t", Collections.nCopies(17, "A1"));
    run(
        Importers.CRITEO_SEARCH,
        "1\t13.5\t3600\t1596439471\t-1\t9.9\t" + categories,
        "0\t-1\t-1\t1596439472\t4\t-1\t" + categories.replaceFirst("A1", "-1"));
    assertThat(impressions()).hasSize(2);
    assertThat(impressions().get(0).path("features").has("nb_clicks_1week")).isFalse();
    assertThat(impressions().get(1).path("features").has("product_age_group")).isFalse();
    assertThat(kindsAndValues()).containsExactly("sale", "amount 13.5");
    assertThat(feedback().get(0).path("event_time").asLong()).isEqualTo(1_596_443_071_000L);
  }

  @Test
  void aliCcp() throws IOException {
    Path common = folder.resolve("common_features_train.csv");
    Files.writeString(common, "c1,2,101\u000231\u00031.0\u0001127_14\u00025\u00032.3\n");
    Path skeleton = folder.resolve("sample_skeleton_train.csv");
    Files.writeString(
        skeleton,
        "1,1,1,c1,1,205\u00029\u00031.0\n2,0,0,c1,1,205\u00028\u00031.0\n"
            + "3,0,1,c1,1,205\u00028\u00031.0\n");
    run(Importers.ALI_CCP, List.of(common, skeleton));
    assertThat(impressions()).as("a purchase without click is dropped").hasSize(2);
    assertThat(impressions().get(0).path("features").path("f127_14").get(0).asText())
        .isEqualTo("5");
    assertThat(kindsAndValues()).containsExactly("click", "purchase");
  }

  @Test
  void aliExpress() throws IOException {
    StringBuilder header = new StringBuilder("search_id");
    StringBuilder row = new StringBuilder("77");
    for (int i = 1; i <= 79; i++) {
      header.append(",f").append(i);
      row.append(i <= 16 ? ",4" : ",0.5");
    }
    run(Importers.ALIEXPRESS, header + ",click,conversion", row + ",1,0", row + ",1.0,1.0");
    assertThat(impressions()).hasSize(2);
    assertThat(impressions().get(0).path("features")).hasSize(79);
    assertThat(kindsAndValues()).containsExactly("click", "click", "purchase");
  }

  @Test
  void saysWhereAFileIsNotInItsLayout() {
    assertThatThrownBy(() -> run(Importers.RETAILROCKET, "timestamp,visitorid", "1,2"))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("no column 'event'");
  }

  @Test
  void badRowsAreSkippedAndCounted() throws IOException {
    String[] lines = {
      "timestamp,visitorid,event,itemid,transactionid",
      "x,1,view,2,",
      "1433224214164,257597,view,355908,",
      "1433224214165,257597,view",
      "1433224214166,,view,355908,",
      "NaN,1,view,2,",
      "1433224214167,\"a\"b,view,2,",
      "1433224244279,257597,addtocart,355908,"
    };
    run(Importers.RETAILROCKET, lines);
    assertThat(impressions()).hasSize(1);
    assertThat(kindsAndValues()).containsExactly("cart");
    assertThat(bad.byReason())
        .containsEntry("number", 2L)
        .containsEntry("empty-id", 1L)
        .containsKeys("columns", "quotes");
    assertThat(bad.lines())
        .anyMatch(
            line ->
                line.startsWith("skipped 2 rows: number; the first: ")
                    && line.endsWith("data.csv, line 2: timestamp: 'x'; allowed: a number"));
    bad = new BadRows(true);
    assertThatThrownBy(() -> run(Importers.RETAILROCKET, lines))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("data.csv, line 2: timestamp: 'x'; allowed: a number");
  }

  /** Of a row that is bad in one column no event is written at all. */
  @Test
  void noneOfTheEventsOfABadRowIsWritten() throws IOException {
    run(
        Importers.REES46,
        "event_time,event_type,product_id,category_id,category_code,brand,price,user_id,user_session",
        "2019-10-01 00:00:00 UTC,view,1,2,,b,free,5,s1",
        "yesterday,view,1,2,,b,1.5,5,s1",
        "2019-10-01 00:00:01 UTC,view,1,2,,b,1.5,5,s1",
        "2019-10-01 00:00:20 UTC,purchase,1,2,,b,?,5,s1");
    assertThat(impressions()).hasSize(1);
    assertThat(feedback()).isEmpty();
    assertThat(bad.byReason()).isEqualTo(Map.of("number", 2L, "date", 1L));
  }

  /** The real file, where it is at hand. */
  @Test
  void theWholeHotelFile() throws IOException {
    Path file =
        Path.of("..", "..", "shared", "datasets", "hotel-bookings", "hotel_bookings.csv.zip");
    assumeThat(file).as("the hotel booking demand file is not here").exists();
    run(Importers.HOTEL, List.of(file));
    assertThat(impressions()).hasSize(119_390);
    long stays = kindsAndValues().stream().filter("stay 1.0"::equals).count();
    assertThat(stays).isEqualTo(75_166);
  }

  @Test
  void criteoDelayed() throws IOException {
    String rest = "1\t2\t\t4\t5\t6\t7\t8\tAB\t\tC3\tC4\tC5\tC6\tC7\tC8\t";
    run(Importers.CRITEO_DELAYED, "0\t\t" + rest, "30\t86430\t" + rest);
    assertThat(impressions()).hasSize(2);
    JsonNode features = impressions().get(0).path("features");
    assertThat(features.path("int_4").asInt()).isEqualTo(4);
    assertThat(features.path("cat_1").asText()).isEqualTo("AB");
    assertThat(features).as("three of 17 fields are empty").hasSize(14);
    assertThat(kindsAndValues()).containsExactly("conversion");
    long click = impressions().get(1).path("event_time").asLong();
    assertThat(feedback().get(0).path("event_time").asLong() - click).isEqualTo(86_400_000);
    assertThatThrownBy(() -> run(Importers.CRITEO_DELAYED, "30\t\t" + rest, "0\t\t" + rest))
        .hasMessageContaining("click_timestamp: '0' is earlier")
        .hasMessageContaining("sort -n");
  }

  private void run(Importers importer, String... lines) throws IOException {
    Path file = folder.resolve("data.csv");
    Files.writeString(file, String.join("\n", lines) + "\n");
    run(importer, List.of(file));
  }

  /** Imports, then checks that the pipeline of the same name takes every event. */
  private void run(Importers importer, List<Path> files) throws IOException {
    try (EventFiles out = new EventFiles(folder.resolve("out"))) {
      importer.importer().run(files, out, bad);
    }
    Pipeline pipeline = PipelineFile.read(Path.of("..", "pipelines", importer.label() + ".yaml"));
    EventReader reader = pipeline.lineReader();
    long last = 0;
    for (JsonNode event : impressions()) {
      assertThat(reader.impression(bytes(event)).rejection()).isNull();
      assertThat(event.path("event_time").asLong()).isGreaterThanOrEqualTo(last);
      last = event.path("event_time").asLong();
    }
    for (JsonNode event : feedback()) {
      assertThat(reader.feedback(bytes(event), null).rejection()).isNull();
    }
  }

  /** Labels of each impression, as the pipeline of the same name joins them. */
  private Map<String, List<Double>> labels(Importers importer) throws IOException {
    Pipeline pipeline = PipelineFile.read(Path.of("..", "pipelines", importer.label() + ".yaml"));
    EventReader reader = pipeline.lineReader();
    LabelJoin join = new LabelJoin(pipeline.tasks(), pipeline.labels(), false);
    Map<String, List<Double>> labels = new TreeMap<>();
    LabelJoin.Output output =
        new LabelJoin.Output() {
          @Override
          public void example(LabeledExample example) {
            List<Double> of =
                labels.computeIfAbsent(
                    example.impression().id(),
                    id -> new ArrayList<>(Collections.nCopies(pipeline.tasks().size(), null)));
            for (int task = 0; task < of.size(); task++) {
              if (example.labels()[task].isFinal()) {
                of.set(task, example.labels()[task].value());
              }
            }
          }

          @Override
          public void dropped(DroppedEvent event) {
            throw new AssertionError(event.toString());
          }
        };
    for (JsonNode shown : impressions()) {
      PendingImpression pending = new PendingImpression(pipeline.tasks().size());
      Impression impression = reader.impression(bytes(shown)).event();
      join.onImpression(pending, impression, Long.MIN_VALUE, output);
      for (JsonNode event : feedback()) {
        if (event.path("impression_id").equals(shown.path("impression_id"))) {
          Feedback answer = reader.feedback(bytes(event), null).event();
          join.onFeedback(pending, answer, Long.MIN_VALUE, output);
        }
      }
      while (!pending.finished()) {
        join.onTimer(pending, join.nextMoment(pending), output);
      }
    }
    return labels;
  }

  private static byte[] bytes(JsonNode event) {
    return event.toString().getBytes(StandardCharsets.UTF_8);
  }

  private List<JsonNode> impressions() throws IOException {
    return read("impressions.jsonl.gz");
  }

  private List<JsonNode> feedback() throws IOException {
    return read("feedback.jsonl.gz");
  }

  private List<String> kindsAndValues() throws IOException {
    List<String> texts = new ArrayList<>();
    for (JsonNode event : feedback()) {
      String value = event.has("value") ? " " + event.path("value").asDouble() : "";
      texts.add(event.path("kind").asText() + value);
    }
    return texts;
  }

  private List<JsonNode> read(String name) throws IOException {
    List<JsonNode> events = new ArrayList<>();
    try (BufferedReader lines = Lines.open(folder.resolve("out").resolve(name))) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        events.add(JSON.readTree(line));
      }
    }
    return events;
  }
}
