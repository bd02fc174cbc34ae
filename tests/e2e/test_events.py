"""What has happened: GET /v1/events and `sluice events`, as a list and as a stream."""

import json
import subprocess

import harness
import test_client
import test_resources
from test_stream import Events, network


class Happenings(test_resources.World):
    config = test_client.CONFIGURED

    def build(self, world):
        world.secret("ops.secret", test_client.OPS)
        super().build(world)

    def events(self, query=""):
        return self.good("GET", "events" + query).body["events"]

    def stream(self, path):
        events = Events(harness.UnixConnection(self.sluice.socket), path)
        self.addCleanup(events.close)
        return events

    def add(self, number):
        self.good("PUT", "virtual_networks/-/n%d" % number, network(number), 201)

    def test_what_happens_is_listed_with_when_and_how_grave(self):
        self.add(1)
        last = self.events()[-1]
        self.assertEqual(("info", "change"), (last["level"], last["event"]))
        self.assertRegex(last["text"], "^revision 1 by uid 0: .*n1")
        self.assertRegex(last["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        self.assertIn("serving", [event["event"] for event in self.events()])
        self.assertEqual([], self.events("?after=%d" % last["id"]))
        self.assertEqual([last], self.events("?event=change"))
        self.assertEqual([], self.events("?event=change&level=warning"))
        page = self.good("GET", "events?limit=1").body
        self.assertEqual(([self.events()[0]], page["events"][0]["id"]), (page["events"], page["next"]))
        for query, field in (("after=x", "after"), ("level=loud", "level"), ("since=1", "since"),
                             ("limit=0", "limit")):
            self.bad(self.call("GET", "events?" + query), 400, "invalid", ".", field)

    def test_a_refused_reload_is_one_and_a_log_of_errors_alone_hides_none(self):
        config = self.config % self.filed + 'log = { level = "error"; };\n'
        self.sluice.reconfigure(config)
        self.assertEqual(0, self.sluice.command("reload")[0])
        self.sluice.reconfigure(config + "frob = 1;\n")
        self.assertEqual(1, self.sluice.command("reload")[0])
        told = [(event["level"], event["event"]) for event in self.events()]
        self.assertIn(("info", "reload"), told)
        self.assertIn(("error", "reload"), told)
        self.assertNotRegex(self.sluice.log(), "reloaded: ")

    def test_a_stream_has_what_comes_and_goes_on_from_an_id(self):
        self.add(1)
        stream = self.stream("/v1/events?event=change")
        self.add(2)
        number, event = stream.next()
        self.assertEqual(event["id"], number)
        self.assertRegex(event["text"], "n2")
        again = self.stream("/v1/events?after=0&event=change")
        self.assertRegex(again.next()[1]["text"], "n1")
        self.assertEqual((number, event), again.next())
        # Ids go on rising behind a restart, so nothing is missed by who comes back with one.
        self.sluice.stop()
        self.start()
        self.add(3)
        self.assertRegex(self.stream("/v1/events?event=change&after=%d" % number).next()[1]["text"], "n3")

    def test_a_thousand_are_kept(self):
        for number in range(1, 1030):
            self.good("PUT", "virtual_networks/-/n", network(number % 2), 201 if number == 1 else 200)
        page = self.good("GET", "events?limit=5000").body
        self.assertEqual((1000, None), (len(page["events"]), page["next"]))
        ids = [event["id"] for event in page["events"]]
        self.assertEqual(sorted(set(ids)), ids)
        self.assertRegex(page["events"][-1]["text"], "revision 1029 ")
        stream = self.stream("/v1/events?after=0")
        self.assertEqual(ids, [stream.next()[0] for _ in ids])

    def test_on_a_terminal(self):
        self.add(1)
        status, printed = self.sluice.command("events")
        self.assertEqual(0, status)
        self.assertRegex(printed, r"TIME +LEVEL +EVENT +TEXT\n(.*\n)*.* info +change +revision 1 by uid 0")
        self.assertEqual(self.events(), json.loads(self.sluice.command("events", "--json")[1]))
        with subprocess.Popen([harness.SLUICE, "events", "-c", self.sluice.config, "--follow"],
                              stdout=subprocess.PIPE, text=True) as follower:
            try:
                self.add(2)
                line = ""
                while "n2" not in line:
                    line = follower.stdout.readline()
                    self.assertTrue(line)
                self.assertRegex(line, r"Z +info +change +revision 2 by uid 0: ")
            finally:
                follower.terminate()


if __name__ == "__main__":
    harness.main()
