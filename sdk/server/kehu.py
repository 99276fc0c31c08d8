"""Sends events to Kehu with nothing but Python's standard library.

    kehu = Kehu("https://kehu.example.com", "WRITE_KEY")
    kehu.send([{"event": "Order Completed", "user_id": "u1", "properties": {"order_id": "o1", "total": 99.5}}])
"""
import base64
import http.client
import json
import time
import urllib.error
import urllib.request
import uuid


class Kehu:
    def __init__(self, url, write_key, tries=8):
        self.address = url.rstrip("/") + "/api/v1/events"
        self.authorization = "Basic " + base64.b64encode(f"{write_key}:".encode()).decode()
        self.tries = tries

    def send(self, events):
        """Up to 100 MB at once; the answer counts what was accepted. Tried again after 429, 5xx and lost connections: each
        event has a message id before the first try, so it counts once."""
        for event in events:
            event.setdefault("message_id", str(uuid.uuid4()))
            event.setdefault("time", int(time.time() * 1000))
        body = "\n".join(json.dumps(event, ensure_ascii=False) for event in events).encode()
        headers = {"Authorization": self.authorization, "Content-Type": "application/x-ndjson"}
        for attempt in range(self.tries):
            wait = min(60, 0.5 * 2**attempt)
            try:
                request = urllib.request.Request(self.address, body, headers)
                with urllib.request.urlopen(request, timeout=30) as answer:
                    return json.load(answer)
            except urllib.error.HTTPError as error:
                if error.code != 429 and error.code < 500 or attempt + 1 == self.tries:
                    raise
                wait = float(error.headers.get("Retry-After") or wait)
            except (OSError, http.client.HTTPException):
                if attempt + 1 == self.tries:
                    raise
            time.sleep(wait)
