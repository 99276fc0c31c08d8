// Package kehu sends events to Kehu with nothing but Go's standard library.
//
//	client := kehu.New("https://kehu.example.com", "WRITE_KEY")
//	_, err := client.Send([]kehu.Event{{"event": "Order Completed", "user_id": "u1"}})
package kehu

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

type Event map[string]any

type Answer struct {
	Accepted, Repeats, Conflicts, Rejected int
}

type Client struct {
	URL, WriteKey string
	Tries         int
	HTTP          *http.Client
}

func New(url, writeKey string) *Client {
	return &Client{strings.TrimRight(url, "/"), writeKey, 8, &http.Client{Timeout: 30 * time.Second}}
}

// Send takes up to 100 MB at once. It tries again after 429, 5xx and lost connections: each event has a message id
// before the first try, so it counts once.
func (c *Client) Send(events []Event) (answer Answer, err error) {
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	for _, event := range events {
		if event["message_id"] == nil {
			event["message_id"] = newID()
		}
		if event["time"] == nil {
			event["time"] = time.Now().UnixMilli()
		}
		if err = encoder.Encode(event); err != nil {
			return answer, err
		}
	}
	for attempt := 0; attempt < c.Tries; attempt++ {
		wait, again := min(time.Minute, 500*time.Millisecond<<attempt), false
		if answer, again, err = c.post(body.Bytes(), &wait); !again {
			return answer, err
		}
		time.Sleep(wait)
	}
	return answer, err
}

func (c *Client) post(body []byte, wait *time.Duration) (answer Answer, again bool, err error) {
	request, err := http.NewRequest("POST", c.URL+"/api/v1/events", bytes.NewReader(body))
	if err != nil {
		return answer, false, err
	}
	request.SetBasicAuth(c.WriteKey, "")
	request.Header.Set("Content-Type", "application/x-ndjson")
	response, err := c.HTTP.Do(request)
	if err != nil {
		return answer, true, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return answer, true, err
	}
	if response.StatusCode == 200 {
		return answer, false, json.Unmarshal(text, &answer)
	}
	if seconds, failure := strconv.Atoi(response.Header.Get("Retry-After")); failure == nil {
		*wait = time.Duration(seconds) * time.Second
	}
	again = response.StatusCode == 429 || response.StatusCode >= 500
	return answer, again, fmt.Errorf("kehu: %s: %s", response.Status, text)
}

func newID() string {
	id := make([]byte, 16)
	_, _ = rand.Read(id)
	return hex.EncodeToString(id)
}
