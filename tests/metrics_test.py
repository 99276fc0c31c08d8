#!/usr/bin/env python3
"""/metrics is what Prometheus reads, and its figures move with what happens."""
import shutil
import subprocess

import kehu_server


class MetricsTest(kehu_server.ServerTest):
    def scrape(self):
        answer = self.server.request("GET", "/metrics")
        self.assertEqual(answer.status, 200)
        self.assertTrue(answer.headers["content-type"].startswith("text/plain"))
        text = answer.body.decode()
        figures = dict(line.rsplit(" ", 1) for line in text.splitlines() if line and not line.startswith("#"))
        return text, {name: float(value) for name, value in figures.items()}

    def test_promtool_accepts_it(self):
        self.server.post_events([{"event": "A", "user_id": "u1"}])
        text, _ = self.scrape()
        promtool = shutil.which("promtool")
        if promtool is None:
            kehu_server.skip(self, "promtool is not installed (Debian package prometheus)")
        done = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""))

    def test_figures_move(self):
        _, before = self.scrape()
        event = {"event": "A", "user_id": "u2", "message_id": "m-1", "time": "2026-01-01T00:00:00Z"}
        self.server.post_events([event, event, "{", {**event, "event": "B"}])
        _, after = self.scrape()
        for name, moved in {"kehu_events_total": 1, "kehu_repeats_total": 1, "kehu_conflicts_total": 1,
                            "kehu_rejections_total": 2, "kehu_applied_events_total": 1, "kehu_customers": 1}.items():
            self.assertEqual(after[name] - before[name], moved, name)
        self.assertGreater(after["kehu_log_bytes_total"], before["kehu_log_bytes_total"])
        for name in ("kehu_log_healthy", "kehu_apply_healthy", "kehu_lake_healthy", "kehu_checkpoint_healthy"):
            self.assertEqual(after[name], 1, name)

    def test_every_figure_is_explained(self):
        text, figures = self.scrape()
        for name in {name.split("{")[0] for name in figures}:
            self.assertIn(f"# HELP {name} ", text)
            self.assertIn(f"# TYPE {name} ", text)


if __name__ == "__main__":
    kehu_server.main()
