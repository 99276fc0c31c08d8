#!/usr/bin/env python3
"""Who an event is of, where the sender's library does not say it plainly: aliases of PostHog in both directions, events
without a profile, groups and items, and anonymous ids that server libraries make up."""
import base64
import json
import unittest
import urllib.parse

import kehu_server


def posthog(event, distinct_id, uuid, **properties):
    return {"event": event, "distinct_id": distinct_id, "uuid": uuid, "properties": {"$lib": "posthog-python", **properties}}


class IdsOfSendersTest(kehu_server.ServerTest):
    def setUp(self):
        self.number = 0

    def posthog(self, *events):
        """Each event is (name, distinct id, properties)."""
        batch = []
        for name, distinct_id, *properties in events:
            self.number += 1
            batch.append(posthog(name, distinct_id, f"{self.id()}-{self.number}", **(properties[0] if properties else {})))
        answer = self.server.request("POST", "/batch/", {"api_key": kehu_server.WRITE_KEY, "batch": batch})
        self.assertEqual(answer.status, 200, answer)

    def rudder(self, *calls):
        batch = [{"type": "track", "channel": "server", "context": {"library": {"name": "analytics-go", "version": "4.2.1"}},
                  **call} for call in calls]
        self.assertEqual(self.server.segment("/v1/batch", {"batch": batch}).status, 200)

    def expect_one(self, wanted, *names):
        """All names are one customer of so many events."""
        customers = [self.server.customer(name) for name in names]
        self.assertEqual(len({customer["customer_id"] for customer in customers}), 1, names)
        self.assertEqual(customers[0]["events"], wanted)

    def count(self):
        return self.server.get("/api/v1/stats").json["customers"]

    def test_an_alias_joins_whichever_way_round_it_is_sent(self):
        for index, (distinct_id, alias) in enumerate([("anon", "user"), ("user", "anon")]):
            for event in ("$create_alias", "$merge_dangerously"):
                for personless in (False, True):
                    with self.subTest(distinct_id=distinct_id, event=event, personless=personless):
                        id_of = {who: f"{who}-{index}-{event}-{personless}" for who in ("anon", "user")}
                        before = self.count()
                        browse = {"$process_person_profile": False} if personless else {}
                        joined = (event, id_of[distinct_id], {"alias": id_of[alias]})
                        self.posthog(("Browsed", id_of["anon"], browse), joined, ("Order Completed", id_of["user"]), joined,
                                     ("Browsed", id_of["anon"]))
                        self.assertEqual(self.count() - before, 1)
                        self.expect_one(5, f"user_id:{id_of['user']}")

    def test_an_alias_after_the_events(self):
        self.posthog(("A", "late-anon"), ("B", "late-user"), ("$create_alias", "late-anon", {"alias": "late-user"}))
        self.expect_one(3, "user_id:late-anon", "user_id:late-user")

    def test_two_identified_users_stay_two(self):
        self.posthog(("$identify", "sure-1"), ("$identify", "sure-2"), ("$merge_dangerously", "sure-1", {"alias": "sure-2"}))
        self.assertNotEqual(self.server.customer("user_id:sure-1")["customer_id"],
                            self.server.customer("user_id:sure-2")["customer_id"])

    def test_events_without_a_profile_are_a_known_users(self):
        self.posthog(("Signed Up", "ph-1"), ("Invoice", "ph-1", {"$process_person_profile": False}),
                     ("Seen", "ph-1", {"$is_identified": False}))
        self.expect_one(3, "user_id:ph-1")
        self.posthog(("Invoice", "ph-2", {"$process_person_profile": False}), ("Signed Up", "ph-2"),
                     ("Invoice", "ph-2", {"$process_person_profile": False}))
        self.expect_one(3, "user_id:ph-2", "anonymous_id:ph-2")

    def test_groups_and_items_are_no_customers(self):
        before = self.count()
        group = {"$group_type": "company", "$group_key": "acme", "$group_set": {"plan": "pro"}}
        self.posthog(*[("$groupidentify", name, group) for name in ("$company_acme", "0b1f-1", "0b1f-2")])
        item = {"type": "item_set", "item_type": "sku", "item_id": "1", "time": 1790000000000, "time_free": True,
                "properties": {"name": "n"}}
        data = base64.b64encode(json.dumps(item).encode()).decode()
        path = f"/sa?token={kehu_server.WRITE_KEY}&data={urllib.parse.quote(data)}"
        self.assertEqual(self.server.request("GET", path).status, 200)
        self.assertEqual(self.count(), before)
        rows = self.server.sql("SELECT type, count(*) AS n, count(customer_id) AS owned FROM events "
                               "WHERE type = 'group' OR event = '$item_set' GROUP BY type ORDER BY type")
        self.assertEqual([(row["type"], int(row["n"]), int(row["owned"])) for row in rows], [("group", 3, 0), ("track", 1, 0)])

    def test_made_up_ids_use_nothing_up(self):
        self.rudder(*[{"userId": "heavy", "anonymousId": f"made-up-{i}", "event": "Clicked", "messageId": f"heavy-{i}"}
                      for i in range(300)])
        self.assertEqual(self.server.segment("/v1/page", {"anonymousId": "real-browser-1"}).status, 200)
        self.assertEqual(self.server.segment("/v1/identify", {"userId": "heavy", "anonymousId": "real-browser-1"}).status, 200)
        self.expect_one(302, "user_id:heavy", "anonymous_id:real-browser-1")

    def test_a_message_id_with_another_made_up_id_is_a_repeat(self):
        before = self.server.get("/api/v1/rejections").json["rejections"]
        for made_up in ("one", "two"):
            self.rudder({"userId": "again", "anonymousId": made_up, "event": "Paid", "messageId": "again-1",
                         "timestamp": "2026-11-01T10:00:00Z"})
        self.expect_one(1, "user_id:again")
        self.assertEqual(self.server.get("/api/v1/rejections").json["rejections"], before)


if __name__ == "__main__":
    kehu_server.main()
