package dev.freshet.core.events;

import static org.assertj.core.api.Assertions.assertThat;

import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.TestingPipelines;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class JsonEventFormatTest {

  private final Pipeline pipeline = TestingPipelines.shop();
  private final EventFormat format =
      EventFormats.JSON.create(pipeline.impressionFields(), pipeline.feedbackKinds());

  @Test
  void readsAnImpressionAndKeepsOnlyTheFieldsOfThePipeline() {
    Impression impression =
        impression(
                "{'impression_id':'i1','event_time':'2026-01-01T00:00:00Z','other':1,'features':"
                    + "{'user':'u7','item':12,'tags':['a','b'],'price':9.5,'colour':'red'},"
                    + "'served':{'model':'m','version':'1-2','scores':{'click':0.25}}}")
            .event();
    assertThat(impression.id()).isEqualTo("i1");
    assertThat(impression.eventTime()).isEqualTo(1_767_225_600_000L);
    // Fields in the schema's order: size 4 first (tags, price), then size 8 (user, item).
    assertThat(raw(impression).categories())
        .isDeepEqualTo(new String[][] {{"a", "b"}, {"u7"}, {"12"}});
    assertThat(raw(impression).numbers()).containsExactly(9.5);
    assertThat(impression.served().scores()[0]).isEqualTo(0.25);
    assertThat(impression.served().scores()[1]).isNaN();
  }

  @Test
  void absentFeaturesAreMissingNotWrong() {
    Impression impression = impression("{'impression_id':1,'event_time':1767225600000}").event();
    assertThat(impression.id()).isEqualTo("1");
    assertThat(raw(impression).categories()).isDeepEqualTo(new String[][] {{}, {}, {}});
    assertThat(raw(impression).numbers()[0]).isNaN();
    assertThat(impression.served()).isNull();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "                                                      | EMPTY_MESSAGE  | message",
        "{'impression_id':'i'                                  | MALFORMED_JSON | message",
        "{'impression_id':'i','event_time':1767225600000} {}   | MALFORMED_JSON | message",
        "[1]                                                   | WRONG_TYPE     | message",
        "{'event_time':1767225600000}                          | MISSING_FIELD  | impression_id",
        "{'impression_id':'','event_time':1767225600000}       | INVALID_VALUE  | impression_id",
        "{'impression_id':{},'event_time':1767225600000}       | WRONG_TYPE     | impression_id",
        "{'impression_id':'i'}                                 | MISSING_FIELD  | event_time",
        "{'impression_id':'i','event_time':true}               | WRONG_TYPE     | event_time",
        "{'impression_id':'i','event_time':'yesterday'}        | INVALID_TIME   | event_time",
        "{'impression_id':'i','event_time':17}                 | INVALID_TIME   | event_time",
        "{'impression_id':'i','event_time':99999999999999}     | INVALID_TIME   | event_time",
        "{'impression_id':'i','event_time':1767225600000,'features':3} | WRONG_TYPE | features",
        "{'impression_id':'i','event_time':1767225600000,'features':{'price':'x'}}"
            + " | WRONG_TYPE | features.price",
        "{'impression_id':'i','event_time':1767225600000,'features':{'tags':[[1]]}}"
            + " | WRONG_TYPE | features.tags",
        "{'impression_id':'i','event_time':1767225600000,'served':{'scores':{'click':'x'}}}"
            + " | WRONG_TYPE | served.scores.click",
      })
  void rejectsWithReasonFieldAndWhatIsAllowed(String json, RejectReason reason, String field) {
    Rejection rejection = impression(json == null ? "" : json).rejection();
    assertThat(rejection.reason()).isEqualTo(reason);
    assertThat(rejection.field()).isEqualTo(field);
    assertThat(rejection.toString()).contains(field).contains("allowed: ");
  }

  @Test
  void readsFeedbackWithTheTopicsKindOrItsOwn() {
    String click = "{'impression_id':'i','event_id':'e','event_time':1767225600000}";
    assertThat(feedback(click, "click").event())
        .isEqualTo(new Feedback("i", "e", 0, 1_767_225_600_000L, 1));
    String own = click.replace("}", ",'kind':'revenue','value':-3.5}");
    assertThat(feedback(own, "click").event().task()).isEqualTo(2);
    assertThat(feedback(own, null).event().value()).isEqualTo(-3.5);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "'x':1                        | MISSING_FIELD | kind",
        "'kind':'buy'                 | UNKNOWN_KIND  | kind",
        "'kind':'revenue'             | MISSING_FIELD | value",
        "'kind':'revenue','value':'1' | WRONG_TYPE    | value",
        "'kind':'click','value':0     | INVALID_VALUE | value",
        "'kind':'click','value':2     | INVALID_VALUE | value",
      })
  void rejectsFeedbackThatNoTaskCanUse(String rest, RejectReason reason, String field) {
    Rejection rejection =
        feedback(
                "{'impression_id':'i','event_id':'e','event_time':1767225600000," + rest + "}",
                null)
            .rejection();
    assertThat(rejection.reason()).isEqualTo(reason);
    assertThat(rejection.field()).isEqualTo(field);
  }

  @Test
  void neverThrowsOnTruncatedBytes() {
    byte[] whole =
        "{'impression_id':'i\u00e9','event_time':1767225600000,'features':{'user':'u'}}"
            .replace('\'', '"')
            .getBytes(StandardCharsets.UTF_8);
    for (int length = 0; length < whole.length; length++) {
      assertThat(format.impression(Arrays.copyOf(whole, length)).rejection()).isNotNull();
    }
    assertThat(format.impression(null).rejection().reason()).isEqualTo(RejectReason.EMPTY_MESSAGE);
  }

  private Parsed<Impression> impression(String json) {
    return format.impression(json.replace('\'', '"').getBytes(StandardCharsets.UTF_8));
  }

  private Parsed<Feedback> feedback(String json, String topicKind) {
    return format.feedback(json.replace('\'', '"').getBytes(StandardCharsets.UTF_8), topicKind);
  }

  private static RawFeatures raw(Impression impression) {
    return (RawFeatures) impression.features();
  }
}
