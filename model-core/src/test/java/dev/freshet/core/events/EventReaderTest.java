package dev.freshet.core.events;

import static org.assertj.core.api.Assertions.assertThat;

import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.TestingPipelines;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class EventReaderTest {

  private final Pipeline pipeline = TestingPipelines.shop();
  private final EventReader reader = pipeline.eventReader();

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
    assertThat(impression.deadlines()).as("no task asks").isEmpty();
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

  /** The same moment as people and exports write it: quoted, as a float, with a fraction. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "1767225600123",
        "'1767225600123'",
        "'1767225600123.97'",
        "1767225600123.0",
        "1767225600123.97",
        "1.767225600123e12",
        "'2026-01-01T00:00:00.123Z'",
        "'2026-01-01T01:00:00.123+01:00'"
      })
  void readsOneMomentHoweverItIsWritten(String time) {
    assertThat(impression("{'impression_id':'i','event_time':" + time + "}").event().eventTime())
        .isEqualTo(1767225600123L);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "1767225600                 | as seconds it would be 2026-01-01T00:00:00Z",
        "1767225600.5               | as seconds it would be 2026-01-01T00:00:00Z",
        "'1767225600'               | as seconds it would be 2026-01-01T00:00:00Z",
        "1767225600000000           | as microseconds it would be 2026-01-01T00:00:00Z",
        "1767225600000000000        | as nanoseconds it would be 2026-01-01T00:00:00Z",
        "'2026-01-01T00:00:00'      | this one has no zone, such as Z or +01:00",
        "'2026-01-01 00:00:00.5'    | this one has no zone, such as Z or +01:00",
        "'2026-01-01'               | this one has no zone, such as Z or +01:00",
        "-1767225600000             | from 2000 to 2099",
        "1e400                      | from 2000 to 2099",
        "12345678901234567890123    | from 2000 to 2099",
        "''                         | from 2000 to 2099",
        "' 1767225600000'           | from 2000 to 2099",
      })
  void saysWhatATimeMayHaveMeant(String time, String said) {
    Rejection rejection = impression("{'impression_id':'i','event_time':" + time + "}").rejection();
    assertThat(rejection.reason()).isEqualTo(RejectReason.INVALID_TIME);
    assertThat(rejection.toString()).endsWith(said);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "'end':1767229200000                     | AT      | 1767229200000",
        "'features':{'end':1767229200000}        | AT      | 1767229200000",
        "'end':1,'features':{'end':1767229200000} | AT     | 1767229200000",
        "'end':1767229200000,'features':{'end':null} | AT  | 1767229200000",
        "'end':'2026-01-01T02:00:00+01:00'       | AT      | 1767229200000",
        "'end':''                                | ABSENT  | 0",
        "'end':null                              | ABSENT  | 0",
        "'other':1                               | ABSENT  | 0",
        "'end':'2026-01-02'                      | INVALID | 0",
        "'end':1767229200                        | INVALID | 0",
        "'end':true                              | INVALID | 0",
        "'end':[1767229200000]                   | INVALID | 0",
      })
  void readsTheTimeAtWhichAWindowEnds(String end, Deadline.Kind kind, long millis) {
    assertThat(deadline("at: end", end)).isEqualTo(kind + " " + millis);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "'nights':2                 | AFTER   | 172800000",
        "'nights':'1.5'             | AFTER   | 129600000",
        "'features':{'nights':0.5}  | AFTER   | 43200000",
        "'nights':0                 | AFTER   | 0",
        "'nights':-1                | AFTER   | -86400000",
        "'nights':1e300             | AFTER   | 3155760000000",
        "'nights':1e400             | INVALID | 0",
        "'nights':'two'             | INVALID | 0",
        "'nights':false             | INVALID | 0",
        "'nights':''                | ABSENT  | 0",
      })
  void readsHowLongAWindowIs(String nights, Deadline.Kind kind, long millis) {
    assertThat(deadline("after: nights, unit: 1d", nights)).isEqualTo(kind + " " + millis);
  }

  private static String deadline(String settings, String fields) {
    Pipeline of =
        TestingPipelines.shop(
            "binary, window: 10m", "binary, window: 10m, deadline: {" + settings + "}");
    EventReader reader = of.eventReader();
    String json = "{'impression_id':'i','event_time':1767225600000," + fields + "}";
    Impression impression =
        reader.impression(json.replace('\'', '"').getBytes(StandardCharsets.UTF_8)).event();
    assertThat(impression.deadlines()).hasSize(3);
    assertThat(impression.deadline(1)).isEqualTo(Deadline.ABSENT);
    Deadline said = impression.deadline(0);
    if (said.kind() == Deadline.Kind.INVALID) {
      assertThat(said.refused()).contains("allowed: ").containsAnyOf("end is", "nights is");
    }
    return said.kind() + " " + said.millis();
  }

  private static final String HEAD = "{'impression_id':'i','event_time':1767225600000,'features':{";

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "7 | 7.0 | 70e-1 | 7E0 | '7'",
        "12345678901234567890 | 12345678901234567890.0 | 1234567890123456789e1 | 12345678901234567890.00"
            + " | '12345678901234567890'",
        "0 | -0 | -0.0 | 0e9 | '0'",
        "-5 | -5.0 | -50e-1 | -0.5e1 | '-5'",
        "1000 | 1e3 | 1E+3 | 1000.0 | '1000'",
        "0.5 | 0.50 | 5e-1 | 50e-2 | '0.5'",
        "true | true | true | true | 'true'",
      })
  void oneValueHasOneTextHoweverItIsWritten(String a, String b, String c, String d, String text) {
    for (String form : List.of(a, b, c, d, text)) {
      Impression of = impression(HEAD + "'user':" + form + ",'tags':[" + form + "]}}").event();
      assertThat(raw(of).categories()[1]).containsExactly(text.replace("'", ""));
      assertThat(raw(of).categories()[0]).containsExactly(text.replace("'", ""));
      if (!form.equals("true")) {
        String id = "{'impression_id':" + form + ",'event_time':1767225600000";
        assertThat(impression(id + "}").event().id()).isEqualTo(text.replace("'", ""));
        Feedback click = feedback(id + ",'event_id':" + form + "}", "click").event();
        assertThat(click.impressionId()).isEqualTo(text.replace("'", ""));
        assertThat(click.eventId()).isEqualTo(text.replace("'", ""));
      }
    }
  }

  @Test
  void textIsNotNormalised() {
    assertThat(impression("{'impression_id':'\u00e9','event_time':1767225600000}").event().id())
        .isNotEqualTo(
            impression("{'impression_id':'e\u0301','event_time':1767225600000}").event().id());
  }

  @Test
  void readsANumberThatIsTextAndCountsIt() {
    assertThat(raw(impression(HEAD + "'price':'84.9'}}").event()).numbers()).containsExactly(84.9);
    assertThat(reader.fieldCounts().byField().get("price"))
        .containsExactly(Map.entry("number-as-text", 1L));
    for (String no : List.of("'x'", "' 1'", "'0x1'", "'NaN'", "'1e999'", "true", "[1]", "{}")) {
      assertThat(impression(HEAD + "'price':" + no + "}}").rejection().field())
          .as(no)
          .isEqualTo("features.price");
    }
    assertThat(reader.fieldCounts().byField().get("price")).containsEntry("wrong-type", 8L);
  }

  @Test
  void countsEveryFieldOfEveryImpression() {
    impression(HEAD + "'user':['a'],'item':{},'tags':[],'price':''}}");
    impression(HEAD + "'user':'u','item':null,'tags':['',''],'price':1}}");
    assertThat(reader.fieldCounts().impressions()).isEqualTo(2);
    assertThat(reader.fieldCounts().byField())
        .isEqualTo(
            Map.of(
                "user", Map.of("wrong-type", 1L),
                "item", Map.of("wrong-type", 1L, "absent", 1L),
                "tags", Map.of("absent", 2L),
                "price", Map.of("absent", 1L)));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "'user':['a']          | WRONG_TYPE    | features.user",
        "'user':[]             | WRONG_TYPE    | features.user",
        "'user':'\\ud800'      | INVALID_VALUE | features.user",
        "'tags':['\\udc00x']   | INVALID_VALUE | features.tags",
        "'user':1e400          | TOO_LARGE     | features.user",
        "'user':1e-400         | TOO_LARGE     | features.user",
        "'price':1e400         | INVALID_VALUE | features.price",
        "'user':1,'user':1     | MALFORMED_JSON | message",
        "'price':1e99999999999 | MALFORMED_JSON | message",
      })
  void rejectsWhatNoFieldCanHold(String features, RejectReason reason, String field) {
    Rejection rejection = impression(HEAD + features + "}}").rejection();
    assertThat(rejection).as(features).isNotNull();
    assertThat(rejection.reason()).isEqualTo(reason);
    assertThat(rejection.field()).isEqualTo(field);
  }

  @Test
  void limitsAreInclusive() {
    String id = "\u00e9".repeat(EventReader.LONGEST_ID / 2);
    assertThat(impression(HEAD.replace("'i'", "'" + id + "'") + "}}").event().id()).isEqualTo(id);
    assertThat(impression(HEAD.replace("'i'", "'" + id + "x'") + "}}").rejection().reason())
        .isEqualTo(RejectReason.TOO_LARGE);
    String value = "v".repeat(EventReader.LONGEST_VALUE);
    assertThat(impression(HEAD + "'user':'" + value + "'}}").event()).isNotNull();
    assertThat(impression(HEAD + "'user':'" + value + "x'}}").rejection().reason())
        .isEqualTo(RejectReason.TOO_LARGE);
    String tags = "'t',".repeat(EventReader.MOST_VALUES - 1) + "'t'";
    assertThat(impression(HEAD + "'tags':[" + tags + "]}}").event()).isNotNull();
    assertThat(impression(HEAD + "'tags':[" + tags + ",'t']}}").rejection().reason())
        .isEqualTo(RejectReason.TOO_LARGE);
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
      assertThat(reader.impression(Arrays.copyOf(whole, length)).rejection()).isNotNull();
    }
    assertThat(reader.impression((byte[]) null).rejection().reason())
        .isEqualTo(RejectReason.EMPTY_MESSAGE);
  }

  private Parsed<Impression> impression(String json) {
    return reader.impression(json.replace('\'', '"').getBytes(StandardCharsets.UTF_8));
  }

  private Parsed<Feedback> feedback(String json, String topicKind) {
    return reader.feedback(json.replace('\'', '"').getBytes(StandardCharsets.UTF_8), topicKind);
  }

  private static final EventReader WEIGHTS =
      new EventReader(
          EventFormats.JSON.create(),
          new ImpressionFields(
              List.of("tags", "user"),
              Set.of("tags"),
              Set.of("tags"),
              List.of("price", "clicks"),
              Set.of("clicks"),
              List.of(new VectorField("image", 3)),
              List.of(),
              List.of()),
          List.of());

  @Test
  void valuesMayHaveWeights() {
    for (String sent :
        List.of(
            "{'news':0.75,'sport':'2','none':0,'':1}",
            "[['news',0.75],['sport',2],['none',0.0],['',3]]")) {
      RawFeatures raw = weighted(sent);
      assertThat(raw.categories()[0]).as(sent).containsExactly("news", "sport");
      assertThat(raw.weights()[0]).as(sent).containsExactly(0.75f, 2);
    }
    assertThat(weighted("['news',['sport',0.5],7.0]").weights()[0]).containsExactly(1, 0.5f, 1);
    assertThat(weighted("['news',['sport',0.5],7.0]").categories()[0])
        .containsExactly("news", "sport", "7");
    assertThat(weighted("'news'").weights()[0]).containsExactly(1);
    for (String nothing : List.of("null", "''", "{}", "[]", "{'a':0}", "[['a',0]]")) {
      assertThat(weighted(nothing).categories()[0]).as(nothing).isEmpty();
      assertThat(weighted(nothing).weights()[0]).as(nothing).isEmpty();
    }
    assertThat(WEIGHTS.fieldCounts().count(0, FieldCounts.Kind.NUMBER_AS_TEXT)).isEqualTo(1);
    assertThat(WEIGHTS.fieldCounts().count(0, FieldCounts.Kind.ABSENT)).isEqualTo(12);
  }

  @Test
  void aCountIsNeverBelowNothing() {
    for (String bad : List.of("-1", "'-0.5'", "-1e-9")) {
      Parsed<Impression> parsed = weights("'a','clicks':" + bad);
      assertThat(parsed.rejection()).as(bad).isNotNull();
      assertThat(parsed.rejection().reason()).isEqualTo(RejectReason.INVALID_VALUE);
      assertThat(parsed.rejection().field()).isEqualTo("features.clicks");
      assertThat(parsed.rejection().allowed()).startsWith("0 or more");
    }
    assertThat(weights("'a','clicks':0,'price':-1").rejection()).isNull();
    assertThat(weights("'a','clicks':-0.0").rejection()).isNull();
  }

  /** Who sent a message knows nothing of the parser and its switches. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          {'a':1,'a':2}             | the name a twice in one object
          {'f':{'b':{},'b':[]}}     | the name b twice in one object
          {'a':1} {}                | something behind its end
          {'a':[1,                  | it ends in the middle
          {'a':1                    | it ends in the middle
          {'a':NaN}                 | the word NaN
          {'a':nope}                | the word nope
          {a:1}                     | an unexpected a
          {'a':1,}                  | an unexpected }
          {'a' 1}                   | an unexpected 1
          /* no */ {}               | an unexpected /
          {'a':+1}                  | an unexpected +
          {'a':.5}                  | an unexpected .
          {'a':01}                  | Invalid numeric value: Leading zeroes not allowed
          {'a':'\\x'}                | an escape that JSON has not
          <a>                       | an unexpected <
          """)
  void whatIsNoJsonIsToldInPlainWords(String sent, String told) {
    Rejection rejection = impression(sent).rejection();
    assertThat(rejection.reason()).isEqualTo(RejectReason.MALFORMED_JSON);
    assertThat(rejection.value().replace("'", "")).isEqualTo(told);
  }

  @Test
  void limitsOfTheParserAreToldInPlainWords() {
    for (String sent :
        List.of(
            "{'a':" + "[".repeat(200) + "}",
            "{'a':" + "9".repeat(2000) + "}",
            "{'a':1e99999999999}",
            "{'a':'tab\there'}",
            "{'a':'\u0001'}",
            "{'" + "n".repeat(60_000) + "':1}",
            "{'a':\"\\u12\"}",
            "{'a':-}",
            "{'a':1.}",
            "{'a':1e}",
            " ")) {
      Rejection rejection = impression(sent).rejection();
      if (rejection != null && rejection.reason() == RejectReason.MALFORMED_JSON) {
        assertThat(rejection.toString())
            .doesNotContain("`", "Feature", "Constraints", "jackson", "java.", "Source", "CTRL")
            .doesNotContain("(code", "token", "Exception");
      }
    }
  }

  @Test
  void vectorsHaveTheirLength() {
    assertThat(weighted("'a','image':[1,'2.5',-3e2]").weights()[2]).containsExactly(1, 2.5f, -300);
    for (String nothing : List.of("null", "''", "[]")) {
      assertThat(weighted("'a','image':" + nothing).weights()[2]).as(nothing).isEmpty();
    }
    for (String bad :
        List.of(
            "3",
            "{}",
            "[1,2]",
            "[1,2,3,4]",
            "[1,2,'x']",
            "[1,2,null]",
            "[1,2,1e39]",
            "[[1,2,3]]")) {
      Parsed<Impression> parsed = weights("'a','image':" + bad);
      assertThat(parsed.rejection()).as(bad).isNotNull();
      assertThat(parsed.rejection().field()).isEqualTo("features.image");
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{'a':-0.5}",
        "{'a':1e39}",
        "{'a':1e400}",
        "{'a':'x'}",
        "{'a':'NaN'}",
        "{'a':null}",
        "{'a':''}",
        "{'a':true}",
        "{'a':{'b':1}}",
        "[['a',1,2]]",
        "[['a']]",
        "[[null,1]]",
        "[null]",
        "[{'a':1}]"
      })
  void rejectsWeightsThatSayNothing(String sent) {
    Parsed<Impression> parsed = weights(sent);
    assertThat(parsed.rejection()).as(sent).isNotNull();
    assertThat(parsed.rejection().field()).isEqualTo("features.tags");
  }

  private static Parsed<Impression> weights(String sent) {
    String json = HEAD + "'tags':" + sent + ",'user':'u'}}";
    return WEIGHTS.impression(json.replace('\'', '"').getBytes(StandardCharsets.UTF_8));
  }

  private static RawFeatures weighted(String sent) {
    Parsed<Impression> parsed = weights(sent);
    assertThat(parsed.rejection()).as(sent).isNull();
    return (RawFeatures) parsed.event().features();
  }

  private static RawFeatures raw(Impression impression) {
    return (RawFeatures) impression.features();
  }
}
