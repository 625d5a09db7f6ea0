package dev.freshet.topics;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpClient.Redirect;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Where a pipeline file is read from.
 *
 * @param address a path, or an address that begins with {@code http://} or {@code https://}
 */
public record PipelineSource(String address) {

  private static final Duration TIMEOUT = Duration.ofSeconds(10);

  /** No pipeline file is longer; what is may be anything. */
  private static final int LARGEST = 1 << 20;

  public static PipelineSource of(Path file) {
    return new PipelineSource(file.toString());
  }

  /** The file on this machine; empty if it is fetched. */
  public Optional<Path> path() {
    return address.matches("(?i)https?://.*") ? Optional.empty() : Optional.of(Path.of(address));
  }

  /**
   * The file's text.
   *
   * @throws IOException if it cannot be read; of an address with what was answered instead
   */
  public String text() throws IOException {
    Optional<Path> file = path();
    return file.isPresent() ? Files.readString(file.get()) : fetched();
  }

  private String fetched() throws IOException {
    try {
      // Not to http from https: what was to come from one server alone would come from anybody.
      HttpClient client =
          HttpClient.newBuilder().connectTimeout(TIMEOUT).followRedirects(Redirect.NORMAL).build();
      HttpRequest request = HttpRequest.newBuilder(URI.create(address)).timeout(TIMEOUT).build();
      HttpResponse<InputStream> response = client.send(request, BodyHandlers.ofInputStream());
      if (response.statusCode() != 200) {
        response.body().close();
        throw new IOException("HTTP status " + response.statusCode());
      }
      return body(response);
    } catch (IllegalArgumentException e) {
      // Its message repeats the address.
      throw new IOException(this + ": the pipeline file cannot be read: not an address");
    } catch (IOException e) {
      throw new IOException(this + ": the pipeline file cannot be read: " + HttpFailure.why(e));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException(this + ": interrupted while the pipeline file was read", e);
    }
  }

  /** The request's own time limit ends with the header. */
  private static String body(HttpResponse<InputStream> response)
      throws IOException, InterruptedException {
    CompletableFuture<byte[]> whole =
        CompletableFuture.supplyAsync(
            () -> {
              try (InputStream body = response.body()) {
                return body.readNBytes(LARGEST + 1);
              } catch (IOException e) {
                throw new UncheckedIOException(e);
              }
            });
    try {
      byte[] text = whole.get(TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
      if (text.length > LARGEST) {
        throw new IOException("longer than 1 MB");
      }
      return new String(text, StandardCharsets.UTF_8);
    } catch (ExecutionException e) {
      throw new IOException("the answer broke off", e.getCause());
    } catch (TimeoutException e) {
      response.body().close();
      throw new IOException("the answer did not end within " + TIMEOUT.toSeconds() + " s");
    }
  }

  /** The address, without a password and a query, in which there may be one. */
  @Override
  public String toString() {
    return path().isPresent()
        ? address
        : address.replaceFirst("//[^/?#]*@", "//").replaceFirst("[?#].*", "");
  }
}
