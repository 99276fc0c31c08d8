package main

import (
	"fmt"
	"os"
	"time"

	"github.com/posthog/posthog-go"
	rudder "github.com/rudderlabs/analytics-go/v4"
	segment "github.com/segmentio/analytics-go/v3"
	sensors "github.com/sensorsdata/sa-sdk-go"
)

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func viaSegment(host, key string) {
	client, err := segment.NewWithConfig(key, segment.Config{Endpoint: host, BatchSize: 4, Interval: 200 * time.Millisecond})
	must(err)
	user := "go-segment"
	when := time.Now().Add(-time.Hour).In(time.FixedZone("", 8*3600))
	must(client.Enqueue(segment.Identify{UserId: user, AnonymousId: "go-segment-anon", Traits: segment.NewTraits().Set("city", "上海").SetAge(33)}))
	must(client.Enqueue(segment.Track{UserId: user, Event: "Order Completed", Timestamp: when,
		Properties: segment.NewProperties().SetOrderId("go-segment-1").SetTotal(12.5).SetCurrency("CNY").Set("waited", 90*time.Second)}))
	must(client.Enqueue(segment.Track{AnonymousId: "go-segment-anon", Event: "Product Viewed", MessageId: "go-segment-own-id", Properties: segment.Properties{"list": []any{1, "二", nil}}}))
	must(client.Enqueue(segment.Page{UserId: user, Name: "首页", Properties: segment.NewProperties().SetURL("https://shop.example/")}))
	must(client.Enqueue(segment.Screen{UserId: user, Name: "Main"}))
	must(client.Enqueue(segment.Group{UserId: user, GroupId: "g1", Traits: segment.NewTraits().SetName("Group")}))
	must(client.Enqueue(segment.Alias{UserId: user, PreviousId: "go-segment-before"}))
	must(client.Close())
}

func viaRudder(host, key string) {
	client, err := rudder.NewWithConfig(key, rudder.Config{DataPlaneUrl: host, BatchSize: 50, Interval: 200 * time.Millisecond})
	must(err)
	user := "go-rudder"
	for i := 0; i < 300; i++ {
		must(client.Enqueue(rudder.Track{UserId: user, Event: "Clicked", Properties: rudder.NewProperties().Set("i", i)}))
	}
	when := time.Now().Add(-time.Minute)
	for i := 0; i < 2; i++ {
		must(client.Enqueue(rudder.Track{UserId: user, Event: "Order Completed", MessageId: "go-rudder-order", OriginalTimestamp: when,
			Properties: rudder.NewProperties().Set("order_id", "go-rudder-1").Set("total", 8).Set("currency", "CNY")}))
	}
	must(client.Enqueue(rudder.Identify{UserId: user, Traits: rudder.NewTraits().Set("city", "北京")}))
	must(client.Close())
}

func viaPosthog(host, key string) {
	client, err := posthog.NewWithConfig(key, posthog.Config{Endpoint: host, Interval: 200 * time.Millisecond})
	must(err)
	must(client.Enqueue(posthog.Capture{DistinctId: "go-posthog-before", Event: "browse"}))
	must(client.Enqueue(posthog.Alias{DistinctId: "go-posthog", Alias: "go-posthog-before"}))
	must(client.Enqueue(posthog.Identify{DistinctId: "go-posthog", Properties: posthog.NewProperties().Set("city", "广州")}))
	must(client.Enqueue(posthog.Capture{DistinctId: "go-posthog", Event: "Order Completed",
		Properties: posthog.NewProperties().Set("order_id", "go-posthog-1").Set("total", 7.25).Set("currency", "CNY")}))
	must(client.Enqueue(posthog.GroupIdentify{Type: "company", Key: "acme", Properties: posthog.NewProperties().Set("plan", "pro")}))
	must(client.Close())
}

func viaSensors(host, key string) {
	consumer, err := sensors.InitDefaultConsumer(host+"/sa?project=default&token="+key, 3000)
	must(err)
	client := sensors.InitSensorsAnalytics(consumer, "default", false)
	user := "go-sensors"
	must(client.ProfileSet(user, map[string]interface{}{"city": "深圳", "$is_login_id": true}, true))
	must(client.Track(user, "PayOrder", map[string]interface{}{"order_id": "go-sensors-1", "order_amount": 66.5}, true))
	must(client.TrackSignup(user, "go-sensors-anon"))
	must(client.ItemSet("book", "b-1", map[string]interface{}{"price": 10}))
	client.Flush()
	client.Close()
}

func main() {
	calls := map[string]func(string, string){"segment": viaSegment, "rudder": viaRudder, "posthog": viaPosthog, "sensors": viaSensors}
	calls[os.Args[1]](os.Args[2], os.Args[3])
}
