import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/**
 * Sends events to Kehu with nothing but Java (11 or newer).
 *
 * <pre>{@code
 * Kehu kehu = new Kehu("https://kehu.example.com", "WRITE_KEY");
 * kehu.send(List.of(Map.of("event", "Order Completed", "user_id", "u1", "properties", Map.of("total", 99.5))));
 * }</pre>
 */
public final class Kehu {
  private static final int TRIES = 8;

  private final HttpClient client = HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(10)).build();
  private final URI address;
  private final String authorization;

  public Kehu(String url, String writeKey) {
    address = URI.create(url.replaceAll("/+$", "") + "/api/v1/events");
    authorization = "Basic " + Base64.getEncoder().encodeToString((writeKey + ":").getBytes());
  }

  /**
   * Up to 100 MB at once; the answer, JSON, counts what was accepted. Tried again after 429, 5xx and lost connections:
   * each event has a message id before the first try, so it counts once.
   */
  public String send(List<? extends Map<String, ?>> events) throws IOException, InterruptedException {
    StringBuilder body = new StringBuilder();
    for (Map<String, ?> event : events) {
      body.append('{');
      if (!event.containsKey("message_id")) body.append("\"message_id\":\"").append(UUID.randomUUID()).append("\",");
      if (!event.containsKey("time")) body.append("\"time\":").append(System.currentTimeMillis()).append(',');
      members(event, body);
      body.append("}\n");
    }
    HttpRequest request = HttpRequest.newBuilder(address).timeout(Duration.ofSeconds(30))
        .header("Authorization", authorization).header("Content-Type", "application/x-ndjson")
        .POST(HttpRequest.BodyPublishers.ofString(body.toString())).build();
    for (int attempt = 0;; attempt++) {
      boolean last = attempt + 1 == TRIES;
      long waitMs = Math.min(60_000, 500L << attempt);
      try {
        HttpResponse<String> answer = client.send(request, HttpResponse.BodyHandlers.ofString());
        int status = answer.statusCode();
        if (status == 200) return answer.body();
        if (last || (status != 429 && status < 500)) throw new IllegalStateException("Kehu: " + status + " " + answer.body());
        waitMs = answer.headers().firstValue("Retry-After").map(s -> Long.parseLong(s) * 1000).orElse(waitMs);
      } catch (IOException error) {
        if (last) throw error;
      }
      Thread.sleep(waitMs);
    }
  }

  private static void members(Map<?, ?> map, StringBuilder out) {
    String comma = "";
    for (Map.Entry<?, ?> member : map.entrySet()) {
      out.append(comma);
      json(String.valueOf(member.getKey()), out);
      out.append(':');
      json(member.getValue(), out);
      comma = ",";
    }
  }

  private static void json(Object value, StringBuilder out) {
    if (value instanceof Map) {
      out.append('{');
      members((Map<?, ?>) value, out);
      out.append('}');
    } else if (value instanceof Iterable) {
      String comma = "";
      out.append('[');
      for (Object element : (Iterable<?>) value) {
        out.append(comma);
        json(element, out);
        comma = ",";
      }
      out.append(']');
    } else if (value == null || value instanceof Number || value instanceof Boolean) {
      out.append(value);
    } else {
      out.append('"');
      for (char c : value.toString().toCharArray()) {
        if (c == '"' || c == '\\') out.append('\\').append(c);
        else if (c < ' ') out.append(String.format("\\u%04x", (int) c));
        else out.append(c);
      }
      out.append('"');
    }
  }
}
