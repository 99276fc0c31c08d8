#!/usr/bin/env python3
"""The quarantine: broken events are kept, listed, counted, repaired, replayed and discarded."""
import concurrent.futures
import http.client
import json

import kehu_server


class RejectionsTest(kehu_server.ServerTest):
    def reject(self, *lines):
        """Sends lines that must all be rejected; the new entries, oldest first."""
        known = {r["id"] for r in self.listed()}
        summary = self.server.post_events(lines)
        self.assertEqual(summary["rejected"], len(lines), summary)
        self.assertEqual(summary["accepted"], 0, summary)
        return [r for r in reversed(self.listed()) if r["id"] not in known]

    def listed(self, query="limit=1000"):
        answer = self.server.get(f"/api/v1/rejections?{query}")
        self.assertEqual(answer.status, 200, answer)
        return answer.json["rejections"]

    def test_reasons_and_paths(self):
        cases = [  # name, line, reason, path
            ("no JSON", '{"event": "A", "user_id": }', "invalid_json", None),
            ("no object", "17", "not_an_object", None),
            ("nobody", '{"event": "A"}', "no_identifier", None),
            ("no name", '{"user_id": "u1"}', "missing_event_name", None),
            ("bad time", '{"event": "A", "user_id": "u1", "time": "yesterday"}', "invalid_time", "/time"),
            ("properties", '{"event": "A", "user_id": "u1", "properties": 7}', "invalid_field", "/properties"),
            ("future", '{"event": "A", "user_id": "u1", "time": "2199-01-01T00:00:00Z"}', "time_in_future", "/time"),
            ("long name", json.dumps({"event": "x" * 201, "user_id": "u1"}), "name_too_long", "/event"),
            ("too large", json.dumps({"event": "A", "user_id": "u1", "properties": {"x": "y" * 40000}}),
             "event_too_large", None),
        ]
        for name, line, reason, path in cases:
            with self.subTest(name):
                entry = self.reject(line)[0]
                self.assertEqual(entry["reason"], reason)
                self.assertEqual(entry["state"], "open")
                self.assertEqual(entry["source"], "default")
                self.assertTrue(entry["detail"])
                self.assertTrue(entry["origin"].startswith("/api/v1/events"), entry)
                if path is not None:
                    self.assertEqual(entry["path"], path)

    def test_one_of_two_who_close_it_at_once_is_told(self):
        def ask(path, event):
            server = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60)
            server.request("POST", path, json.dumps(event) if event else None,
                           {"Authorization": f"Bearer {kehu_server.ADMIN_TOKEN}", "Content-Type": "application/json"})
            status = server.getresponse().status
            server.close()
            return status

        events = 0
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            for i in range(20):
                [entry] = self.reject('{"event": "Twice"}')
                path = f"/api/v1/rejections/{entry['id']}"
                one = pool.submit(ask, f"{path}/repair", {"event": "Twice", "user_id": "twice"})
                other = {"event": "Twice", "user_id": "twice", "properties": {"i": i}}
                two = pool.submit(ask, *((f"{path}/repair", other) if i % 2 else (f"{path}/discard", None)))
                self.assertEqual(sorted([one.result(), two.result()]), [200, 409])
                events += 1 if i % 2 or one.result() == 200 else 0
        self.assertEqual(self.server.customer("user_id:twice")["events"], events)

    def test_a_broken_event_does_not_hurt_its_neighbours(self):
        summary = self.server.post_events([{"event": "Before", "user_id": "neighbour"}, "{broken",
                                           {"event": "After", "user_id": "neighbour"}])
        self.assertEqual((summary["accepted"], summary["rejected"]), (2, 1))
        self.assertEqual(self.server.customer("user_id:neighbour")["events"], 2)

    def test_segment_answers_200_and_keeps_the_broken_event(self):
        before = len(self.listed("reason=missing_event_name&limit=1000"))
        answer = self.server.segment("/v1/batch", {"batch": [
            {"type": "track", "userId": "seg", "messageId": "seg-1"},
            {"type": "track", "userId": "seg", "messageId": "seg-2", "event": "Good"}]})
        self.assertEqual(answer.status, 200, answer)
        self.assertEqual(len(self.listed("reason=missing_event_name&limit=1000")), before + 1)
        self.assertEqual(self.server.customer("user_id:seg")["events"], 1)

    def test_an_event_that_is_nested_too_deeply_is_rejected_alone(self):
        deep = '{"type":"track","event":"Deep","userId":"deep","properties":{"x":%s%s}}' % ("[" * 100, "]" * 100)
        good = '{"type":"track","event":"Good","userId":"deep"}'
        answer = self.server.segment("/v1/batch", '{"batch":[%s,%s,%s]}' % (good, deep, good))
        self.assertEqual((answer.status, answer.json), (200, {"success": True}), answer)
        entry = self.listed("limit=1")[0]
        self.assertEqual((entry["reason"], entry["path"]), ("invalid_json", "/batch/1"))
        self.assertEqual(self.server.customer("user_id:deep")["events"], 2)
        summary = self.server.post_events([good, deep, good])
        self.assertEqual((summary["accepted"], summary["rejected"]), (2, 1))
        self.assertEqual(summary["rejected_by_reason"], {"invalid_json": 1})
        self.assertEqual(self.listed("limit=1")[0]["origin"], "/api/v1/events:2")

    def test_the_path_of_a_batch_names_the_event(self):
        good = {"type": "track", "event": "Good", "userId": "path"}
        bad = {**good, "properties": {"products": [{"price": 1}, {"price": 1e20}]}}
        self.assertEqual(self.server.segment("/v1/batch", {"batch": [good, good, bad]}).status, 200)
        entry = self.listed("limit=1")[0]
        self.assertEqual((entry["origin"], entry["path"]), ("/v1/batch", "/batch/2/properties/products/1/price"))

    def test_counts(self):
        def count():
            counts = self.server.get("/api/v1/rejections/counts").json["counts"]
            return {(c["source"], c["reason"]): (c["total"], c["open"]) for c in counts}
        before = count().get(("default", "no_identifier"), (0, 0))
        entry = self.reject('{"event": "Counted"}')[0]
        self.assertEqual(count()["default", "no_identifier"], (before[0] + 1, before[1] + 1))
        self.assertEqual(self.server.post(f"/api/v1/rejections/{entry['id']}/discard").status, 200)
        self.assertEqual(count()["default", "no_identifier"], (before[0] + 1, before[1]))

    def test_one_with_its_payload(self):
        entry = self.reject('{"event": "Shown", "phone": "12", "city": "上海"}')[0]
        answer = self.server.get(f"/api/v1/rejections/{entry['id']}")
        self.assertEqual(answer.status, 200, answer)
        self.assertEqual(answer.json["payload"]["city"], "上海")
        self.assertEqual(self.server.get("/api/v1/rejections/999999999").status, 404)

    def test_repair(self):
        entry = self.reject('{"event": "Repaired", "time": "2026-01-02T03:04:05Z"}')[0]
        path = f"/api/v1/rejections/{entry['id']}/repair"
        self.assertEqual(self.server.post(path, {"event": "Repaired"}).status, 422)
        good = {"event": "Repaired", "user_id": "fixed", "time": "2026-01-02T03:04:05Z"}
        self.assertEqual(self.server.post(path, good).status, 200)
        self.assertEqual(self.server.customer("user_id:fixed")["events"], 1)
        again = self.server.post(path, good)
        self.assertEqual((again.status, again.json["code"]), (409, "conflict"), again)
        self.assertEqual(self.server.get(f"/api/v1/rejections/{entry['id']}").json["state"], "repaired")

    def test_discard(self):
        entry = self.reject('{"event": "Discarded"}')[0]
        self.assertEqual(self.server.post(f"/api/v1/rejections/{entry['id']}/discard").status, 200)
        self.assertEqual(self.server.get(f"/api/v1/rejections/{entry['id']}").json["state"], "discarded")

    def test_replay_after_a_change_of_settings(self):
        entry = self.reject('{"event": "Came Early", "loyalty_card": "L-1", "message_id": "early-1"}')[0]
        settings = self.server.get("/api/v1/settings").json
        settings["identifier_types"].append({"name": "loyalty_card", "priority": 20})
        self.assertEqual(self.server.admin("PUT", "/api/v1/settings", settings).status, 200)
        answer = self.server.post("/api/v1/rejections/replay?reason=no_identifier")
        self.assertEqual(answer.status, 200, answer)
        self.assertGreaterEqual(answer.json["repaired"], 1)
        self.assertEqual(self.server.get(f"/api/v1/rejections/{entry['id']}").json["state"], "repaired")
        self.assertEqual(self.server.customer("loyalty_card:L-1")["events"], 1)

    def test_a_known_message_id_with_another_content(self):
        event = {"event": "Order Completed", "user_id": "conflict", "message_id": "c-1", "time": "2026-01-01T00:00:00Z"}
        self.assertEqual(self.server.post_events([event])["accepted"], 1)
        self.assertEqual(self.server.post_events([event])["repeats"], 1)
        summary = self.server.post_events([{**event, "properties": {"total": 1}}])
        self.assertEqual((summary["accepted"], summary["conflicts"]), (0, 1), summary)
        entries = self.listed("reason=duplicate_conflict")
        self.assertEqual(len(entries), 1)
        self.assertIn("c-1", entries[0]["detail"])
        self.assertEqual(self.server.customer("user_id:conflict")["events"], 1)

    def test_paging(self):
        self.reject(*['{"event": "Page %d"}' % i for i in range(7)])
        seen, query = [], "limit=3"
        while True:
            page = self.server.get(f"/api/v1/rejections?{query}").json
            seen += [r["id"] for r in page["rejections"]]
            if "next" not in page:
                break
            query = f"limit=3&before={page['next']}"
        self.assertEqual(seen, sorted(set(seen), reverse=True))
        self.assertEqual(len(seen), len(self.listed()))

    def test_wrong_filters_are_named(self):
        for query in ("reason=unheard_of", "state=maybe", "source=nobody", "limit=0", "before=x"):
            answer = self.server.get(f"/api/v1/rejections?{query}")
            self.assertEqual(answer.status, 400, query)
            self.assertEqual(answer.json["code"], "invalid_parameter")
            self.assertIn(query.split("=")[0], answer.json["detail"])


if __name__ == "__main__":
    kehu_server.main()
