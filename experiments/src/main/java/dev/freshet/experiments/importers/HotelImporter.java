package dev.freshet.experiments.importers;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.time.LocalDate;
import java.time.Month;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Locale;
import org.apache.commons.csv.CSVRecord;

/**
 * Hotel booking demand: a booking is an impression, made {@code lead_time} days before the arrival;
 * its outcome comes on {@code reservation_status_date}: {@code stay} is 1 for a check-out and 0 for
 * a cancellation or a no-show; {@code revenue} is rate times nights of a stay. {@code check_out} is
 * the day on which the guests are to leave, when the outcome of every booking is known. Columns
 * that are only known later, or that were corrected later, are left out: the data set is full of
 * such leaks.
 */
final class HotelImporter implements Importer {

  private static final String[] CATEGORIES = {
    "hotel",
    "arrival_date_month",
    "arrival_date_week_number",
    "meal",
    "market_segment",
    "distribution_channel",
    "is_repeated_guest",
    "reserved_room_type",
    "agent",
    "company",
    "customer_type"
  };
  private static final String[] NUMBERS = {
    "lead_time",
    "stays_in_weekend_nights",
    "stays_in_week_nights",
    "adults",
    "children",
    "babies",
    "previous_cancellations",
    "previous_bookings_not_canceled",
    "adr",
    "total_of_special_requests"
  };
  private static final long NOON = 12 * 60 * 60 * 1000L;

  @Override
  public void run(List<Path> files, EventFiles out, BadRows bad) throws IOException {
    Csv.withHeader(
        files,
        bad,
        (number, row) -> booking("b" + number, row, out),
        "lead_time",
        "arrival_date_year",
        "reservation_status",
        "reservation_status_date");
  }

  private static void booking(String id, CSVRecord row, EventFiles out) throws IOException {
    LocalDate arrival =
        LocalDate.of(
            Integer.parseInt(row.get("arrival_date_year")),
            Month.valueOf(row.get("arrival_date_month").toUpperCase(Locale.ROOT)),
            Integer.parseInt(row.get("arrival_date_day_of_month")));
    LocalDate booked = arrival.minusDays((long) Csv.number(row, "lead_time"));
    LocalDate known = LocalDate.parse(row.get("reservation_status_date"));
    ObjectNode features = EventFiles.features();
    for (String column : CATEGORIES) {
      features.put(column, row.get(column));
    }
    for (String column : NUMBERS) {
      if (!row.get(column).equals("NA")) {
        features.put(column, Csv.number(row, column));
      }
    }
    features.put("arrival_weekday", arrival.getDayOfWeek().name());
    double nights =
        Csv.number(row, "stays_in_weekend_nights") + Csv.number(row, "stays_in_week_nights");
    features.put("nights", nights);
    // At the hour of outcomes: whoever leaves on that day has left.
    LocalDate leaves = arrival.plusDays((long) nights);
    features.put("check_out", Instant.ofEpochMilli(millis(leaves) + NOON).toString());
    boolean stayed = row.get("reservation_status").equals("Check-Out");
    // Days are all there is; the outcome of a day comes after the bookings of that day.
    long outcome =
        millis(booked.plusDays(Math.max(0, ChronoUnit.DAYS.between(booked, known)))) + NOON;
    double revenue = stayed ? Csv.number(row, "adr") * nights : 0;
    out.impression(id, millis(booked), features);
    out.feedback("stay", id, id + "-o", outcome, stayed ? 1 : 0);
    if (stayed) {
      out.feedback("revenue", id, id + "-r", outcome, revenue);
    }
  }

  private static long millis(LocalDate day) {
    return day.atStartOfDay().toInstant(ZoneOffset.UTC).toEpochMilli();
  }
}
