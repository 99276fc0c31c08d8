"""What is asked of a data directory before and behind an upgrade, and what of the answers must be the same."""
import kehu_server

STATEMENTS = (
    "SELECT * FROM events ORDER BY sequence",
    "SELECT * FROM identity_log ORDER BY sequence, part",
    "SELECT type, event, channel, source, count(*) AS n FROM events GROUP BY ALL ORDER BY ALL",
    "SELECT customer_id, count(*) AS n FROM events GROUP BY ALL ORDER BY ALL",
)
# Windows that end now, where the log is, and when the document was made.
OF_THE_MOMENT = {"as_of", "log_position", "archive_position", "state_bytes", "since_start", "today", "last_hour", "last_24h", "last_7d", "last_30d", "last_90d", "last_365d"}
SEALED_FIELDS = ("phone", "email", "traits.phone", "traits.contact_email")


def named(names):
    return [kehu_server.quoted(name) for name in names]


def answers(server, names):
    """Question → answer, of customers by all of `names` and their ids, and of everything else that was ever told."""
    asked = {}

    def ask(path):
        answer = server.get(path)
        asked[path] = {"status": answer.status, "body": answer.json}
        return answer.json

    def without_key_of_this_start(sources):
        """One that the environment gave this process is listed since format 2; the directory does not hold it."""
        for source in sources:
            source["keys"] = [key for key in source["keys"] if key.get("from") != "environment"]

    ids = sorted({ask(f"/api/v1/customers/{name}").get("customer_id", "") for name in named(names)} - {""})
    for name in ids:
        ask(f"/api/v1/customers/{name}")
        ask(f"/api/v1/customers/{name}/timeline?limit=500")
        ask(f"/api/v1/customers/{name}/identities")
    for path in ("settings", "sources", "encryption-keys", "stats", "audit", "rejections/counts"):
        ask(f"/api/v1/{path}")
    without_key_of_this_start(asked["/api/v1/sources"]["body"]["sources"])
    for rejection in ask("/api/v1/rejections?limit=1000")["rejections"]:
        ask(f"/api/v1/rejections/{rejection['id']}")
    for statement in STATEMENTS:
        asked[statement] = server.sql(statement)
    return asked


def sealed(server, names):
    """(name, field) → what reveal shows. Each look is a record, so these come last."""
    opened = {}
    for name in names:
        for field in SEALED_FIELDS:
            answer = server.post(f"/api/v1/customers/{kehu_server.quoted(name)}/reveal", {"field": field, "reason": "upgrade"})
            if answer.status == 200:
                opened[f"{name} {field}"] = answer.json["values"]
    return opened


# Stood where a customer has no events, and so was never seen; such a customer has neither member now.
NO_TIME = "1970-01-01T00:00:00.000Z"


def differences(before, after, place=""):
    """Where `after` lacks something of `before`, or says otherwise. More members are no difference; a list is as long."""
    if isinstance(before, dict) and isinstance(after, dict):
        found = []
        for key, value in before.items():
            if key in OF_THE_MOMENT or f"{place}/{key}" == "//api/v1/stats/body/time":
                continue
            if key in ("first_seen", "last_seen") and value == NO_TIME and key not in after:
                continue
            if key not in after:
                found.append(f"{place}/{key} is gone, it was {str(value)[:200]}")
            else:
                found += differences(value, after[key], f"{place}/{key}")
        return found
    if isinstance(before, list) and isinstance(after, list):
        if len(before) != len(after):
            return [f"{place} has {len(after)} elements instead of {len(before)}"]
        return [found for i, (b, a) in enumerate(zip(before, after)) for found in differences(b, a, f"{place}/{i}")]
    return [] if before == after else [f"{place} is {str(after)[:200]} instead of {str(before)[:200]}"]
