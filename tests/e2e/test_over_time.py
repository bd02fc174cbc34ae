"""GET /v1/history: what was counted when, by the same counters as the metrics'."""

import calendar
import contextlib
import json
import signal
import time

import harness
import test_metrics
from test_metrics import LISTEN, SERVER, config, rule

TARGET = "192.168.0.1:53"


def known(values):
    return [value for value in values if value is not None]


class World(test_metrics.World):
    def history(self, span="minute"):
        with contextlib.closing(harness.UnixConnection(self.sluice.socket)) as connection:
            connection.request("GET", "/v1/history" + ("?span=" + span if span else ""))
            response = connection.getresponse()
            text = response.read()
        self.assertEqual(200, response.status, text)
        history = json.loads(text)
        for kind in ("endpoints", "sources", "classes", "targets"):
            for row in history[kind]:
                for key, values in row.items():
                    if isinstance(values, list):
                        self.assertEqual(history["count"], len(values), key)
        return history

    def row(self, kind, name, span="minute"):
        rows = [row for row in self.history(span)[kind] if row.get("name", row.get("target")) == name]
        self.assertLessEqual(len(rows), 1, name)
        return rows[0] if rows else None

    def total(self, kind, name, column="queries"):
        row = self.row(kind, name)
        return row and sum(known(row[column]))

    def wait_total(self, count, kind, name, column="queries"):
        harness.wait_for(lambda: self.total(kind, name, column) == count,
                         "%d %s of %s %s" % (count, column, kind, name))

    def wait_asked(self, least):
        """As often as the metrics say: on a busy machine a target that is late is asked twice for one name."""
        key = 'sluice_target_queries_total{target="%s",protocol="udp",source="10.10.0.20"}' % TARGET
        harness.wait_for(lambda: self.total("targets", TARGET) == self.text()[key] >= least, "all that it was asked")


class OverTime(World):
    def test_each_step_has_what_was_asked_in_it(self):
        for _ in range(3):
            self.ask("web.corp.internal", "10.10.1.10")
        for _ in range(2):
            self.ask("www.n1.test", "192.0.2.1")
        self.ask("www.elsewhere.example", "192.0.2.2")
        self.assert_rcode(self.cloud.ask(SERVER, "servfail.n1.test"), "SERVFAIL")
        told = self.text()
        asked = sum(told.of("sluice_queries_total").values()) # the harness has asked, too
        self.assertGreaterEqual(asked, 7)
        self.wait_total(asked, "endpoints", "r/in")
        # The last one may come in one second, and be answered in the next.
        self.wait_total(1, "endpoints", "r/in", "servfail")
        for name, count in (("zone", 3), ("cache", 1), ("stale", 0)):
            self.assertEqual(count, self.total("sources", name, "responses"), name)
        for name, count in (("zone", 3), ("default", 1), ("onprem", 3)):
            self.assertEqual(count, self.total("classes", name), name)
        self.assertEqual("ruleset", self.row("classes", "onprem")["kind"])
        target = self.row("targets", TARGET)
        self.assertEqual(("udp", "10.10.0.20"), (target["protocol"], target["source"]))
        self.assertGreaterEqual(sum(known(target["queries"])), 2)
        self.assertGreaterEqual(sum(known(target["failures"])), 1)
        labels = '{target="%s",protocol="udp",source="10.10.0.20"}' % TARGET
        # On a busy machine it may have been suspect for a moment, which the server has counted then.
        late = told["sluice_target_suspicions_total" + labels] > 0
        self.assertEqual({1}, set(known(target["up"])) - ({0} if late else set()))
        # What the metrics say is what came together.
        self.wait_total(told["sluice_target_queries_total" + labels], "targets", TARGET)
        # Latency is sampled with metrics, and of answers alone.
        zone = self.row("sources", "zone")
        self.assertTrue(0 < max(known(zone["p50_us"])) <= max(known(zone["p99_us"])), zone)
        self.assertEqual([], known(self.row("sources", "stale")["p50_us"]))
        self.assertTrue(known(target["mean_us"]))

    def test_the_time_and_what_is_not_known_yet(self):
        history = self.history()
        self.assertEqual(("minute", 1, 60), tuple(history[key] for key in ("span", "step_s", "count")))
        begin = calendar.timegm(time.strptime(history["from"], "%Y-%m-%dT%H:%M:%SZ"))
        self.assertAlmostEqual(time.time() - 60, begin, delta=5)
        values = self.row("endpoints", "r/in")["queries"]
        self.assertIsNone(values[0]) # the server has just begun
        hour, week = self.history(""), self.history("week")
        self.assertEqual(("hour", 10, 360), tuple(hour[key] for key in ("span", "step_s", "count")))
        self.assertEqual(("week", 600, 1008), tuple(week[key] for key in ("span", "step_s", "count")))
        self.assertEqual([], known(week["endpoints"][0]["queries"])) # it is there, and that is all

    def test_a_span_that_is_none_is_told_so(self):
        for query, field in (("span=month", "span"), ("spam=hour", "spam")):
            with contextlib.closing(harness.UnixConnection(self.sluice.socket)) as connection:
                connection.request("GET", "/v1/history?" + query)
                response = connection.getresponse()
                error = json.loads(response.read())["error"]
            self.assertEqual((400, field), (response.status, error["path"]))

    def test_a_target_that_is_suspect_was_not_up(self):
        self.target.signal(signal.SIGSTOP)
        self.addCleanup(self.target.signal, signal.SIGCONT)
        numbers = iter(range(10000))

        def is_down():
            with contextlib.closing(self.cloud.begin(SERVER, "x%d.n1.test" % next(numbers))):
                return 0 in self.row("targets", TARGET)["up"]
        harness.wait_for(is_down, "a second in which it was suspect")


class Reloads(World):
    def test_what_comes_goes_and_is_back_has_null_where_it_was_not(self):
        self.ask("www.n1.test", "192.0.2.1")
        self.wait_asked(1)
        self.reload(config(rules=(rule(2, "192.168.0.2"),)))

        def last(kind, name, column="queries"):
            return self.row(kind, name)[column][-1]
        harness.wait_for(lambda: last("targets", TARGET, "up") is None, "the target to be gone")
        harness.wait_for(lambda: last("targets", TARGET) is None, "what it was asked to be unknown")
        self.assertEqual(0, last("classes", "onprem")) # it has another rule
        self.reload(config())
        self.ask("new.n1.test", "192.0.2.1")
        self.wait_asked(2)
        self.wait_total(2, "classes", "onprem")
        self.assertEqual(1, len([row for row in self.history()["targets"] if row["target"] == TARGET]))

    def test_of_more_targets_than_are_shown_the_rest_is_other(self):
        self.reload(config(LISTEN % "targets_max = 1;"))
        self.ask("www.n1.test", "192.0.2.1")
        self.ask("www.elsewhere.example", "192.0.2.2")
        # Both were shown ahead of the bound, and stay; what comes later has no series.
        self.reload(config(LISTEN % "targets_max = 1;", [rule(1, "192.0.2.77")]))
        self.cloud.begin(SERVER, "a.n1.test").close()
        harness.wait_for(lambda: self.row("targets", "other"), "others")
        self.assertIsNone(self.row("targets", "192.0.2.77:53"))

    def test_an_upgrade_begins_anew(self):
        self.ask("web.corp.internal", "10.10.1.10")
        self.wait_total(1, "sources", "zone", "responses")
        self.assertEqual(0, self.sluice.command("upgrade")[0])
        harness.wait_for(lambda: self.total("endpoints", "r/in") == 0, "the new server")


if __name__ == "__main__":
    harness.main()
