import com.segment.analytics.Analytics;
import com.segment.analytics.Callback;
import com.segment.analytics.messages.*;
import com.sensorsdata.analytics.javasdk.SensorsAnalytics;
import com.sensorsdata.analytics.javasdk.consumer.BatchConsumer;
import java.util.*;
import java.util.concurrent.TimeUnit;

public class Clients {
  static void segment(String host, String key) throws Exception {
    int[] done = new int[2];
    Callback callback = new Callback() {
      public synchronized void success(Message message) { done[0]++; }
      public synchronized void failure(Message message, Throwable error) { done[1]++; System.err.println(error); }
    };
    Analytics client = Analytics.builder(key).endpoint(host).flushInterval(1, TimeUnit.SECONDS).callback(callback).build();
    String user = "java-segment";
    client.enqueue(IdentifyMessage.builder().userId(user).anonymousId("java-segment-anon").traits(Map.of("city", "上海")));
    client.enqueue(TrackMessage.builder("Order Completed").userId(user).timestamp(new Date(System.currentTimeMillis() - 3600_000))
        .properties(Map.of("order_id", "java-segment-1", "total", 12.5, "currency", "CNY")));
    client.enqueue(TrackMessage.builder("Product Viewed").anonymousId("java-segment-anon").messageId("java-segment-own-id"));
    client.enqueue(PageMessage.builder("首页").userId(user));
    client.enqueue(ScreenMessage.builder("Main").userId(user));
    client.enqueue(GroupMessage.builder("g1").userId(user).traits(Map.of("name", "Group")));
    client.enqueue(AliasMessage.builder("java-segment-before").userId(user));
    client.flush();
    for (int i = 0; i < 300 && done[0] + done[1] < 7; i++) Thread.sleep(50);
    client.shutdown();
    if (done[0] != 7 || done[1] != 0) throw new IllegalStateException(done[0] + " sent, " + done[1] + " failed");
  }

  static void sensors(String host, String key) throws Exception {
    SensorsAnalytics client = new SensorsAnalytics(new BatchConsumer(host + "/sa?project=default&token=" + key));
    String user = "java-sensors";
    client.profileSet(user, true, Map.of("city", "深圳"));
    client.track(user, true, "PayOrder", Map.of("order_id", "java-sensors-1", "order_amount", 66.5, "when", new Date(1704164645007L)));
    client.trackSignUp(user, "java-sensors-anon");
    client.itemSet("book", "b-1", Map.of("price", 10));
    client.flush();
    client.shutdown();
  }

  public static void main(String[] arguments) throws Exception {
    if (arguments[0].equals("segment")) segment(arguments[1], arguments[2]);
    else sensors(arguments[1], arguments[2]);
    System.exit(0);
  }
}
