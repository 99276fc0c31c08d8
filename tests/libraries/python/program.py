"""program.py LIBRARY URL KEY: one library of PyPI sends what tests/server_libraries_test.py looks for."""
import datetime
import sys

library, url, key = sys.argv[1:4]


def via_segment():
    import segment.analytics as analytics
    analytics.host, analytics.write_key = url, key
    failures = []
    analytics.on_error = lambda error, items: failures.append(error)
    user = "python-segment"
    analytics.identify(user, {"city": "北京"}, anonymous_id="python-segment-anon")
    analytics.track(user, "Order Completed", {"order_id": "python-segment-1", "total": 8, "currency": "CNY"},
                    timestamp=datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(hours=1))
    analytics.page(user, "docs", "首页")
    analytics.screen(user, "docs", "Main")
    analytics.group(user, "g1", {"name": "Group"})
    analytics.alias("python-segment-before", user)
    analytics.flush()
    analytics.shutdown()
    return failures


def via_rudder():
    import rudderstack.analytics as analytics
    analytics.dataPlaneUrl, analytics.write_key = url, key
    failures = []
    analytics.on_error = lambda error, items: failures.append(error)
    user = "python-rudder"
    analytics.identify(user, {"city": "成都"})
    analytics.track(user, "Order Completed", {"order_id": "python-rudder-1", "total": 9.5, "currency": "CNY"})
    analytics.screen(user, "docs", "Main")
    analytics.flush()
    analytics.shutdown()
    return failures


def via_customerio():
    import customerio.analytics as analytics
    analytics.host, analytics.write_key = url, key
    failures = []
    analytics.on_error = lambda error, items: failures.append(error)
    user = "python-customerio"
    analytics.identify(user, {"city": "杭州"})
    analytics.track(user, "Order Completed", {"order_id": "python-customerio-1", "total": 3, "currency": "CNY"})
    analytics.flush()
    analytics.shutdown()
    return failures


def via_posthog():
    from posthog import Posthog
    client = Posthog(key, host=url, sync_mode=True, gzip=True)
    failures = []
    client.on_error = lambda error, items: failures.append(error)
    client.capture("anon browse", distinct_id="python-posthog-before", properties={"$process_person_profile": False})
    client.alias(previous_id="python-posthog-before", distinct_id="python-posthog")
    client.capture("Order Completed", distinct_id="python-posthog",
                   properties={"order_id": "python-posthog-1", "total": 7.25, "currency": "CNY", "$set": {"city": "广州"}})
    client.set(distinct_id="python-posthog", properties={"level": "gold"})
    client.set_once(distinct_id="python-posthog", properties={"first_seen_in": "shop"})
    client.group_identify("company", "acme", {"plan": "pro"})
    client.shutdown()
    return failures


if failed := globals()[f"via_{library}"]():
    sys.exit(str(failed))
