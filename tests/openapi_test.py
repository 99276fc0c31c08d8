#!/usr/bin/env python3
"""/openapi.json describes what the server answers, and every route asks for the credentials it says. A new route must be
added to ACCESS here, or the test fails: nobody gets a door without having thought about its lock."""
import base64
import json
import re

import kehu_server

PUBLIC, WRITE_KEY, ADMIN = "public", "write_key", "admin"
ACCESS = {
    **{f"POST /v1/{call}": WRITE_KEY for call in
       "batch b import track t identify i page p screen s group g alias a".split()},
    "POST /v1/m": PUBLIC,
    **{f"POST /sdk/{call}": WRITE_KEY for call in "batch track identify page screen group alias".split()},
    "GET /v1/projects/{key}/settings": WRITE_KEY,
    "GET /analytics.js/v1/{key}/analytics.min.js": PUBLIC,
    "GET /analytics-next/bundles/{chunk}": PUBLIC,
    **{f"GET {path}": WRITE_KEY for path in
       ("/sourceConfig", "/sourceConfig/", "/pixel/v1/track", "/pixel/v1/page", "/array/{token}/config",
        "/array/{token}/config.js")},
    "POST /beacon/v1/batch": WRITE_KEY,
    **{f"POST /{call}{slash}": WRITE_KEY for call in "e i/v0/e capture batch track flags decide".split()
       for slash in ("", "/")},
    **{f"{method} {path}": WRITE_KEY for method in ("GET", "POST") for path in ("/sa", "/sa.gif", "/debug")},
    **{f"GET /config/{system}.conf": PUBLIC for system in ("Android", "iOS", "visualized/Android", "visualized/iOS")},
    "POST /api/v1/cloudevents": WRITE_KEY,
    "GET /api/v1/stream": WRITE_KEY,
    "POST /api/v1/events": WRITE_KEY,
    "GET /api/v1/customers": ADMIN,
    "GET /api/v1/customers/{customer}": ADMIN,
    "GET /api/v1/customers/{customer}/timeline": ADMIN,
    "POST /api/v1/customers/{customer}/reveal": ADMIN,
    "GET /api/v1/customers/{customer}/identities": ADMIN,
    "GET /api/v1/audit": ADMIN,
    "GET /api/v1/webhooks": ADMIN,
    "POST /api/v1/webhooks": ADMIN,
    "GET /api/v1/webhooks/{webhook}": ADMIN,
    "PATCH /api/v1/webhooks/{webhook}": ADMIN,
    "DELETE /api/v1/webhooks/{webhook}": ADMIN,
    "POST /api/v1/webhooks/{webhook}/rotate": ADMIN,
    "POST /api/v1/webhooks/{webhook}/test": ADMIN,
    "GET /api/v1/lists": ADMIN,
    "GET /api/v1/lists/{list}": ADMIN,
    "DELETE /api/v1/lists/{list}": ADMIN,
    "POST /api/v1/lists/{list}/uploads": ADMIN,
    "POST /api/v1/lists/{list}/uploads/{upload}/rows": ADMIN,
    "POST /api/v1/lists/{list}/uploads/{upload}/finish": ADMIN,
    "GET /api/v1/backfill": ADMIN,
    "POST /api/v1/backfill/pause": ADMIN,
    "POST /api/v1/backfill/resume": ADMIN,
    "POST /api/v1/backfill/cancel": ADMIN,
    "GET /api/v1/segments": ADMIN,
    "DELETE /api/v1/tags/{name}": ADMIN,
    "DELETE /api/v1/segments/{name}": ADMIN,
    "GET /api/v1/segments/{segment}/history": ADMIN,
    "GET /api/v1/segments/{segment}": ADMIN,
    "GET /api/v1/tags": ADMIN,
    "GET /api/v1/checks": ADMIN,
    "GET /api/v1/checks/{check}": ADMIN,
    "DELETE /api/v1/checks/{name}": ADMIN,
    "GET /api/v1/tags/{tag}": ADMIN,
    "GET /api/v1/segments/{segment}/members": ADMIN,
    "GET /api/v1/segments/{segment}/why/{customer}": ADMIN,
    "POST /api/v1/rules/check": ADMIN,
    "GET /api/v1/identities/explain": ADMIN,
    "GET /api/v1/identities/{identifier}/owner": ADMIN,
    "POST /api/v1/identities/merge": ADMIN,
    "POST /api/v1/identities/unmerge": ADMIN,
    "POST /api/v1/backup": ADMIN,
    "GET /api/v1/backup": ADMIN,
    "GET /api/v1/definitions": ADMIN,
    "POST /api/v1/definitions": ADMIN,
    "GET /api/v1/definitions/{kind}": ADMIN,
    "GET /api/v1/definitions/{kind}/versions": ADMIN,
    "GET /api/v1/outbox": ADMIN,
    "POST /api/v1/reminders": ADMIN,
    "GET /api/v1/sources": ADMIN,
    "POST /api/v1/sources": ADMIN,
    "PATCH /api/v1/sources/{source}": ADMIN,
    "DELETE /api/v1/sources/{source}": ADMIN,
    "POST /api/v1/sources/{source}/keys": ADMIN,
    "DELETE /api/v1/sources/{source}/keys/{hint}": ADMIN,
    "GET /api/v1/sources/{source}/requests": ADMIN,
    "GET /api/v1/rejections": ADMIN,
    "POST /api/v1/rejections": WRITE_KEY,
    "GET /api/v1/rejections/counts": ADMIN,
    "POST /api/v1/rejections/replay": ADMIN,
    "GET /api/v1/rejections/{id}": ADMIN,
    "POST /api/v1/rejections/{id}/repair": ADMIN,
    "POST /api/v1/rejections/{id}/discard": ADMIN,
    "GET /api/v1/imports": ADMIN,
    "POST /api/v1/imports": WRITE_KEY,
    "POST /api/v1/imports/end": WRITE_KEY,
    "GET /api/v1/settings": ADMIN,
    "PUT /api/v1/settings": ADMIN,
    "GET /api/v1/encryption-keys": ADMIN,
    "POST /api/v1/encryption-keys": ADMIN,
    "GET /api/v1/segments/overlap": ADMIN,
    "POST /api/v1/segments/{segment}/preview": ADMIN,
    "POST /api/v1/rules/preview": ADMIN,
    "POST /api/v1/rules/verify": ADMIN,
    "POST /api/v1/sql": ADMIN,
    "GET /api/v1/stats": ADMIN,
    "GET /api/v1/live": ADMIN,
    "GET /": PUBLIC,
    "GET /page.js": PUBLIC,
    "GET /debugger.js": PUBLIC,
    "GET /segments.js": PUBLIC,
    "GET /texts.js": PUBLIC,
    "GET /page.css": PUBLIC,
    "GET /healthz": PUBLIC,
    "GET /readyz": PUBLIC,
    "GET /metrics": PUBLIC,
    "GET /openapi.json": PUBLIC,
}


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def basic(user):
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:".encode()).decode()}


# What a WebSocket begins with; before it, nobody is asked for a key.
UPGRADE = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
           "Sec-WebSocket-Key": base64.b64encode(bytes(16)).decode()}

# Credentials that open no admin route.
WRONG = {
    "none": {},
    "empty": bearer(""),
    "another token": bearer("kat_ffffffffffffffffffffffffffffffffffffffff"),
    "the token's beginning": bearer(kehu_server.ADMIN_TOKEN[:-1]),
    "the token and more": bearer(kehu_server.ADMIN_TOKEN + "0"),
    "a write key": bearer(kehu_server.WRITE_KEY),
    "a write key as user": basic(kehu_server.WRITE_KEY),
    "another scheme": {"Authorization": f"Digest {kehu_server.ADMIN_TOKEN}"},
}


class OpenApiTest(kehu_server.ServerTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.document = cls.server.request("GET", "/openapi.json").json
        cls.operations = {f"{method.upper()} {path}": (operation, path)
                          for path, methods in cls.document["paths"].items()
                          for method, operation in methods.items()}

    def ask(self, name, headers, query=""):
        method, template = name.split(" ")
        path = re.sub(r"\{\w+\}", "1", template)
        # Over a connection of its own: some answers come before the body is read.
        self.server.close_connection()
        return self.server.request(method, path + query, b"{}" if method in ("POST", "PUT", "PATCH") else None, headers)

    def declared(self, operation):
        schemes = [scheme for entry in operation["security"] for scheme in entry]
        return {(): PUBLIC, ("admin",): ADMIN, ("write_key",): WRITE_KEY}[tuple(schemes)]

    def test_every_route_is_in_the_matrix(self):
        found = {name: self.declared(operation) for name, (operation, _) in self.operations.items()}
        self.assertEqual(found, ACCESS)

    def test_the_document_is_valid(self):
        self.assertEqual(self.document["openapi"], "3.1.0")
        self.assertTrue(self.document["info"]["title"] and self.document["info"]["version"])
        schemas = self.document["components"]["schemas"]
        schemes = self.document["components"]["securitySchemes"]
        ids = [operation["operationId"] for operation, _ in self.operations.values()]
        self.assertEqual(len(ids), len(set(ids)), "operationId must be unique")
        for name, (operation, path) in self.operations.items():
            with self.subTest(name):
                self.assertTrue(operation["summary"])
                self.assertTrue(operation["tags"])
                in_path = {p["name"] for p in operation["parameters"] if p["in"] == "path"}
                self.assertEqual(in_path, set(re.findall(r"\{(\w+)\}", path)))
                for parameter in operation["parameters"]:
                    self.assertIn(parameter["in"], ("path", "query", "header"))
                    self.assertIn(parameter["schema"]["type"], ("string", "integer", "number", "boolean"))
                    if parameter["in"] == "path":
                        self.assertTrue(parameter["required"])
                self.assertTrue(operation["responses"])
                for status, response in operation["responses"].items():
                    self.assertRegex(status, r"^[1-5]\d\d$")
                    self.assertTrue(response["description"])
                for entry in operation["security"]:
                    self.assertLessEqual(set(entry), set(schemes))
        for reference in re.findall(r'"\$ref": ?"([^"]+)"', json.dumps(self.document)):
            self.assertIn(reference.removeprefix("#/components/schemas/"), schemas)

    def test_admin_routes_refuse_everybody_else(self):
        for name in [name for name, access in ACCESS.items() if access == ADMIN]:
            for who, headers in WRONG.items():
                with self.subTest(f"{name} with {who}"):
                    answer = self.ask(name, headers)
                    self.assertEqual(answer.status, 401, answer)
                    self.assertEqual(answer.headers["content-type"], "application/problem+json")
                    self.assertEqual(answer.json["code"], "unauthorized")
                    self.assertIn("www-authenticate", answer.headers)

    def test_admin_routes_take_the_token(self):
        for name in [name for name, access in ACCESS.items() if access == ADMIN]:
            with self.subTest(name):
                self.assertNotIn(self.ask(name, bearer(kehu_server.ADMIN_TOKEN)).status, (401, 403))

    def test_the_token_counts_in_a_query_only_for_web_sockets(self):
        query = f"?access_token={kehu_server.ADMIN_TOKEN}"
        for name in ("GET /api/v1/stats", "GET /api/v1/live", "POST /api/v1/sql"):
            self.assertEqual(self.ask(name, {}, query).status, 401, name)

    def test_write_routes_refuse_unknown_keys(self):
        for name in [name for name, access in ACCESS.items() if access == WRITE_KEY]:
            for who, headers in {"nobody": {}, "an unknown key": basic("kwk_unknown")}.items():
                with self.subTest(f"{name} with {who}"):
                    body = {"type": "track", "event": "A", "userId": "u", "batch": []}
                    self.server.close_connection()
                    method, template = name.split(" ")
                    path = re.sub(r"\{\w+\}", "kwk_unknown", template)
                    more = UPGRADE if path == "/api/v1/stream" else {}
                    answer = self.server.request(method, path, body if method == "POST" else None, {**headers, **more})
                    # Sensors Analytics' SDKs keep their events on 403, and delete them on 401.
                    sensors = path in ("/sa", "/sa.gif", "/debug")
                    self.assertEqual(answer.status, 403 if sensors else 401, answer)

    def test_a_write_key_does_not_name_another_source(self):
        answer = self.server.request("POST", "/api/v1/events?source=default", b'{"event":"A","user_id":"u"}', basic("kwk_x"))
        self.assertEqual(answer.status, 401, answer)

    def test_public_routes_are_public(self):
        for name in [name for name, access in ACCESS.items() if access == PUBLIC]:
            with self.subTest(name):
                # Of the bundle's files there is none of the name that stands for all.
                want = 404 if "{chunk}" in name else 304 if "/visualized/" in name else 200
                self.assertEqual(self.ask(name, {}).status, want)

    def test_unknown_query_parameters_are_refused(self):
        for name in ACCESS:
            if "/api/" not in name or name == "GET /api/v1/live":
                continue
            with self.subTest(name):
                answer = self.ask(name, bearer(kehu_server.ADMIN_TOKEN), "?nonsense=1")
                self.assertEqual((answer.status, answer.json["code"]), (400, "invalid_parameter"), answer)
                self.assertIn("nonsense", answer.json["detail"])
        key = basic(kehu_server.WRITE_KEY)
        event = {"event": "A", "userId": "u", "messageId": "queried"}
        self.assertEqual(self.server.request("POST", "/v1/track?utm=1", event, key).status, 200, "clients add what they like")
        self.assertEqual(self.server.request("GET", "/healthz?1").status, 200)

    def test_the_timeline_names_what_it_does_not_know(self):
        self.server.segment("/v1/track", {"event": "Known", "userId": "timeline", "messageId": "timeline-1"})
        path = "/api/v1/customers/user_id:timeline/timeline"
        for query in ("type=tracks", "source=nobody", "limit=10x", "limit=0", "before=1", "from=monday", "typ=track"):
            with self.subTest(query):
                answer = self.server.get(f"{path}?{query}")
                self.assertEqual((answer.status, answer.json["code"]), (400, "invalid_parameter"), answer)
                self.assertIn(query.split("=")[0], answer.json["detail"])
        page = self.server.get(f"{path}?type=track&type=page&source=default&limit=10").json
        self.assertEqual([event["event"] for event in page["events"]], ["Known"])
        self.assertEqual(self.server.get(f"{path}?type=page").json["events"], [])

    def test_unknown_routes_and_methods(self):
        self.assertEqual(self.server.get("/api/v1/nothing").status, 404)
        answer = self.server.admin("DELETE", "/api/v1/settings")
        self.assertEqual(answer.status, 405, answer)
        self.assertIn("PUT", answer.headers["allow"])

    def test_a_revoked_key_opens_nothing(self):
        created = self.server.post("/api/v1/sources", {"name": "shop-1", "channel": "shop"})
        self.assertEqual(created.status, 201, created)
        key = created.json["write_key"]
        body = {"event": "A", "userId": "u-shop"}
        self.assertEqual(self.server.segment("/v1/track", body, key=key).status, 200)
        second = self.server.post("/api/v1/sources/shop-1/keys").json["write_key"]
        self.assertEqual(self.server.segment("/v1/track", body, key=second).status, 200)
        revoked = self.server.admin("DELETE", f"/api/v1/sources/shop-1/keys/{key[:8]}")
        self.assertEqual(revoked.status, 200, revoked)
        self.assertEqual(self.server.segment("/v1/track", body, key=key).status, 401)
        self.assertEqual(self.server.segment("/v1/track", body, key=second).status, 200)
        disabled = self.server.admin("PATCH", "/api/v1/sources/shop-1", {"enabled": False})
        self.assertEqual(disabled.status, 200, disabled)
        self.assertEqual(self.server.segment("/v1/track", body, key=second).status, 401)


if __name__ == "__main__":
    kehu_server.main()
