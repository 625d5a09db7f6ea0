package dev.freshet.experiments;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.CategoryChart;
import org.knowm.xchart.CategoryChartBuilder;
import org.knowm.xchart.CategorySeries.CategorySeriesRenderStyle;

/**
 * A picture with one chart for each metric, one below the other: every model's mean with its
 * standard error.
 */
final class Charts {

  private Charts() {}

  static void write(Results results, Path file) throws IOException {
    System.setProperty("java.awt.headless", "true");
    List<CategoryChart> charts = new ArrayList<>();
    for (String metric : results.metrics()) {
      List<String> models =
          results.models().stream().filter(m -> results.estimate(m, metric).count() > 0).toList();
      if (!models.isEmpty()) {
        charts.add(chart(results, metric, models));
      }
    }
    if (!charts.isEmpty()) {
      try (OutputStream png = Files.newOutputStream(file)) {
        BitmapEncoder.saveBitmap(charts, charts.size(), 1, png, BitmapEncoder.BitmapFormat.PNG);
      }
    }
  }

  private static CategoryChart chart(Results results, String metric, List<String> models) {
    CategoryChart chart =
        new CategoryChartBuilder()
            .width(Math.max(480, 90 * models.size()))
            .height(360)
            .title(metric + ", mean and standard error")
            .build();
    List<Double> means = new ArrayList<>();
    List<Double> errors = new ArrayList<>();
    double low = Double.MAX_VALUE;
    double high = -Double.MAX_VALUE;
    for (String model : models) {
      Results.Estimate estimate = results.estimate(model, metric);
      double error = Double.isNaN(estimate.error()) ? 0 : estimate.error();
      means.add(estimate.mean());
      errors.add(error);
      low = Math.min(low, estimate.mean() - error);
      high = Math.max(high, estimate.mean() + error);
    }
    // Models differ in the third digit: the axis spans what there is and does not start at 0.
    double margin = Math.max((high - low) * 0.1, 1e-6);
    chart.getStyler().setYAxisMin(low - margin).setYAxisMax(high + margin);
    chart.getStyler().setLegendVisible(false);
    chart.getStyler().setXAxisLabelRotation(20);
    chart.getStyler().setDefaultSeriesRenderStyle(CategorySeriesRenderStyle.Scatter);
    chart.addSeries(metric, models, means, errors);
    return chart;
  }
}
