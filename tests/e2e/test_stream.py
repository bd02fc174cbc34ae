"""What is changed, as it happens: GET /v1/changes as a stream of server-sent events. What is newer
comes whole, once and in its order, whoever else is slow, leaves, or comes again."""

import contextlib
import hashlib
import hmac
import http.client
import json
import os
import re
import select
import signal
import sqlite3
import ssl
import subprocess
import threading
import time

import dns
import harness
import test_client
import test_resources
from test_client import CI, EYE, OPS

STREAMS, EDITS = 16, 3000


class Events:
    """A stream's events as (id or None, data)."""

    def __init__(self, connection, path="/v1/changes", **headers):
        connection.request("GET", path, headers=dict(headers, Accept="text/event-stream"))
        self.connection, self.response = connection, connection.getresponse()
        self.status, self.comments, self.last_comment = self.response.status, 0, ""

    def next(self):
        """The next event; None: the stream has ended."""
        number = data = None
        while True:
            line = self.response.readline().decode()
            if not line.endswith("\n"):
                return None  # the end, or one that was cut off
            line = line[:-1]
            if not line and data is not None:
                return number, data
            if line.startswith("id: "):
                number = int(line[4:])
            elif line.startswith("data: "):
                data = json.loads(line[6:])
            elif line.startswith(":"):
                self.comments += 1
                self.last_comment = line[1:].strip()

    def close(self):
        self.connection.close()


def network(number):
    return {"address_space": ["10.%d.%d.0/24" % (64 + number // 256, number % 256)]}


class Stream(test_resources.World):
    config = test_client.CONFIGURED

    def build(self, world):
        world.secret("ops.secret", OPS)
        super().build(world)

    def stream(self, path="/v1/changes", **headers):
        events = Events(harness.UnixConnection(self.sluice.socket), path, **headers)
        self.addCleanup(events.close)
        return events

    def stream_of(self, secret, path="/v1/changes"):
        with self.host.inside():
            connection = http.client.HTTPConnection("127.0.0.1", 8053, timeout=dns.PATIENCE)
            connection.connect()
        events = Events(connection, path, Authorization="Bearer " + secret)
        self.addCleanup(events.close)
        return events

    def add(self, number):
        return self.good("PUT", "virtual_networks/-/n%d" % number, network(number), 201)

    def post(self, edits):
        return self.good("POST", "changes", {"edits": edits}).body["revision"]

    def test_what_is_newer_comes_as_it_happens_and_again_from_where_one_was(self):
        self.add(1)
        events = self.stream()
        self.assertEqual(200, events.status)
        self.assertEqual("text/event-stream", events.response.headers["Content-Type"])
        self.add(2)
        number, change = events.next()
        listed = self.good("GET", "changes?after=%d" % (number - 1)).body["changes"]
        self.assertEqual(([change], number), (listed, change["revision"]))
        self.assertEqual("virtual_networks/-/n2", change["path"])
        revision = self.post([{"path": "virtual_networks/-/n%d" % i, "values": network(i)} for i in (3, 4, 5)])
        got = [events.next() for _ in range(3)]
        self.assertEqual([(None, "n3"), (None, "n4"), (revision, "n5")],
                         [(number, change["after"]["name"]) for number, change in got])
        # From the beginning, from a revision, and as a browser comes back.
        first = self.stream("/v1/changes?after=0")
        self.assertEqual(["n1", "n2", "n3"], [first.next()[1]["after"]["name"] for _ in range(3)])
        self.assertEqual("n3", self.stream("/v1/changes?after=%d" % number).next()[1]["after"]["name"])
        again = self.stream("/v1/changes?after=0", **{"Last-Event-ID": str(revision)})
        self.good("DELETE", "virtual_networks/-/n1")
        self.assertEqual([None, None], [events.next()[1]["after"], again.next()[1]["after"]])
        for wrong in ("/v1/changes?after=x", "/v1/changes?since=1"):
            self.assertEqual(400, self.stream(wrong).status)

    def many(self):
        """More than one buffer has, in one revision, and some behind it."""
        last = self.post([{"path": "virtual_networks/-/n%d" % i, "values": network(i)} for i in range(EDITS)])
        self.add(EDITS)
        return last

    def test_a_long_history_comes_whole_and_in_its_order(self):
        last = self.many()
        events = self.stream("/v1/changes?after=0")
        got = [events.next() for _ in range(EDITS + 1)]
        self.assertEqual(["n%d" % i for i in range(EDITS + 1)], [change["after"]["name"] for _, change in got])
        self.assertEqual([last, last + 1], [number for number, _ in got if number])
        self.assertEqual("n%d" % EDITS, self.stream("/v1/changes?after=%d" % last).next()[1]["after"]["name"])

    def test_a_reader_that_is_too_slow_goes_and_nobody_waits_for_it(self):
        self.many()
        quick, numbers = self.stream(), iter(range(EDITS + 1, EDITS + 100))

        def add():
            number = next(numbers)
            self.add(number)
            self.assertEqual("n%d" % number, quick.next()[1]["after"]["name"])
        for _ in range(10):  # a slow reader is closed after five seconds, as long as a busy machine may need for the change
            begun = time.monotonic()
            slow, ended = self.stream("/v1/changes?after=0"), select.poll()
            ended.register(slow.response, select.POLLHUP)
            add()
            if not ended.poll(0):
                break
            self.assertGreater(time.monotonic() - begun, 4, "closed too early")
        else:
            self.fail("it was waited for")
        add()
        add()
        harness.wait_for(lambda: ended.poll(0), "the server to close it")
        got = 0
        with contextlib.suppress(http.client.IncompleteRead, ConnectionError):
            while slow.next():
                got += 1
        self.assertLess(got, EDITS)
        add()

    def test_there_are_so_many_and_one_that_leaves_makes_room(self):
        streams = [self.stream() for _ in range(STREAMS)]
        self.assertEqual([200] * STREAMS, [one.status for one in streams])
        refused = self.stream()
        self.assertEqual(429, refused.status)
        self.assertIn("there are 16 streams", refused.response.read().decode())
        self.add(1)
        self.assertEqual({"n1"}, {one.next()[1]["after"]["name"] for one in streams})
        streams.pop().close()

        def has_room():
            self.good("PATCH", "virtual_networks/-/n1", {"encryption": True})  # what finds it gone
            return self.stream().status == 200
        harness.wait_for(has_room, "room for another")

    def upgrade(self):
        before = self.sluice.pid
        self.assertEqual(0, self.sluice.command("upgrade")[0])
        harness.wait_for(lambda: harness.is_gone(before), "the old one to leave")

    def test_streams_end_with_the_server_and_at_an_upgrade(self):
        events = self.stream()
        self.upgrade()
        self.assertIsNone(events.next())
        took = []
        for number in (1, 2, 3):  # the quickest counts, as others have the processor, too
            if took:
                self.start()
            events = self.stream()
            self.add(number)
            self.assertEqual("n%d" % number, events.next()[1]["after"]["name"])
            began = time.monotonic()
            self.assertEqual(0, self.sluice.stop())
            took.append(time.monotonic() - began)
            self.assertIsNone(events.next())
            if took[-1] < 10:
                break
        self.assertLess(min(took), 10)

    def test_a_client_has_one_stream_as_long_as_it_is_let_in(self):
        for name, secret, role in (("ci", CI, "admin"), ("eye", EYE, "reader")):
            self.good("PUT", "clients/-/" + name, {"secret_sha256": test_resources.digest(secret),
                                                   "role": role}, 201)
        first, eye = self.stream_of(CI), self.stream_of(EYE)
        other = self.stream_of(CI, "/v1/events")
        second, local = self.stream_of(CI), self.stream()
        self.assertIsNone(first.next())
        self.assertEqual("this client has opened another one", first.last_comment)
        self.add(1)
        self.assertEqual({"n1"}, {one.next()[1]["after"]["name"] for one in (second, eye, local)})
        self.assertEqual("change", other.next()[1]["event"])  # of another path, which nobody ended
        # Whoever is removed hears no more; others come again. A reader learns nothing of clients.
        self.good("DELETE", "clients/-/ci")
        self.assertEqual("clients/-/ci", local.next()[1]["path"])
        self.assertEqual([None, None], [second.next(), eye.next()])
        self.assertEqual(401, self.stream_of(CI).status)
        eye = self.stream_of(EYE, "/v1/changes?after=0")
        self.add(2)
        seen = [eye.next()[1] for _ in range(2)]
        self.assertEqual([("n1", None), ("n2", None)], [(one["after"]["name"], one["who"]) for one in seen])
        self.assertEqual(401, self.stream_of("nobody-has-this-secret").status)

    def test_where_a_reader_goes_on_does_not_depend_on_edits_that_are_hidden_from_it(self):
        self.good("PUT", "clients/-/eye", {"secret_sha256": test_resources.digest(EYE), "role": "reader"}, 201)
        def client(name):
            return {"path": "clients/-/" + name, "values": {"secret_sha256": test_resources.digest(CI + name)}}
        last = self.post([client("c1"), {"path": "virtual_networks/-/n1", "values": network(1)}, client("c2"),
                          {"path": "virtual_networks/-/n2", "values": network(2)}, client("c3"), client("c4")])
        events = self.stream_of(EYE, "/v1/changes?after=0")
        self.add(3)
        self.assertEqual([(None, "n1"), (last, "n2"), (last + 1, "n3")],
                         [(number, change["after"]["name"]) for number, change in (events.next() for _ in range(3))])

    def token(self, client, secret, seconds):
        """As the server signs one (http/token.h), with another end."""
        with contextlib.closing(sqlite3.connect(os.path.join(self.world.dir, "state.db"))) as state:
            key, = state.execute("SELECT value FROM pairs WHERE key = 'secret tokens'").fetchone()
        text = "sluice1.%016x.%s." % (int(time.time()) + seconds, client.encode().hex())
        proof = hashlib.sha256(secret.encode()).digest()
        return text + hmac.new(bytes.fromhex(key), text.encode() + proof, "sha256").hexdigest()

    def test_one_ends_with_the_token_that_it_was_asked_with(self):
        for path in ("/v1/changes", "/v1/events", "/v1/queries"):
            for seconds in (6, 12, 24, 48):  # a busy machine may come to it too late
                token = self.token("ops", OPS, seconds)
                events = self.stream_of(token, path)
                if events.status != 401:
                    break
            self.assertEqual(200, events.status)
            while events.next():
                pass
            self.assertEqual("the token has expired; come again with a new one", events.last_comment)
            self.assertEqual(401, self.stream_of(token, path).status)

    def test_one_ends_when_its_client_logs_out(self):
        self.good("PUT", "clients/-/eye", {"secret_sha256": test_resources.digest(EYE), "role": "reader"}, 201)
        token, others = self.token("ops", OPS, 600), self.stream_of(EYE)
        events = self.stream_of(token)
        with self.host.inside():
            connection = http.client.HTTPConnection("127.0.0.1", 8053, timeout=dns.PATIENCE)
            connection.request("DELETE", "/v3/auth/tokens", headers={"X-Auth-Token": OPS, "X-Subject-Token": token})
            self.assertEqual(204, connection.getresponse().status)
            connection.close()
        while events.next():
            pass
        self.assertEqual("a token of this client has ended; come again", events.last_comment)
        self.assertEqual(401, self.stream_of(token).status)
        self.add(1)
        self.assertEqual("n1", others.next()[1]["after"]["name"])

    def test_one_with_a_limit_ends_behind_so_many(self):
        for number in (1, 2, 3):
            self.add(number)
        for path in ("/v1/changes?after=0&limit=2", "/v1/events?after=0&event=change&limit=2"):
            events = self.stream(path)
            self.assertEqual([True, True, False], [events.next() is not None for _ in range(3)], path)
        events = self.stream("/v1/changes?limit=1")
        self.add(4)
        self.assertEqual("n4", events.next()[1]["after"]["name"])
        self.assertIsNone(events.next())
        self.build_hub()
        queries = self.stream("/v1/queries?suffix=contoso.corp&limit=1")
        for name in ("a.elsewhere.example", "a.contoso.corp", "b.contoso.corp"):
            self.ask(name)
        # Of two workers the one that is read first tells first.
        self.assertIn(queries.next()[1]["name"], ("a.contoso.corp.", "b.contoso.corp."))
        self.assertIsNone(queries.next())
        for path in ("/v1/changes", "/v1/events", "/v1/queries"):
            for limit in ("0", "x", "5001"):
                self.assertEqual(400, self.stream(path + "?limit=" + limit).status)

    def test_over_tls_it_is_the_same(self):
        self.world.certificate()
        self.sluice.kill()
        self.config = self.config.replace('listen = [ "http://127.0.0.1:8053" ];', """
          listen = [ "https://127.0.0.1:8443" ]; certificate = "tls.pem"; key = "tls.key";""")
        self.start()
        with self.host.inside():
            connection = http.client.HTTPSConnection("127.0.0.1", 8443, timeout=dns.PATIENCE,
                                                     context=ssl._create_unverified_context())
            connection.connect()
        events = Events(connection, Authorization="Bearer " + OPS)
        for number in (1, 2):
            self.add(number)
            self.assertEqual("n%d" % number, events.next()[1]["after"]["name"])
        self.assertEqual(0, self.sluice.stop())
        self.assertIsNone(events.next())

    def test_nothing_for_a_while_is_a_comment(self):
        before = time.monotonic()
        events = self.stream()

        def add():
            harness.wait_for(lambda: events.comments > 1, "the comment")
            self.add(1)
        threading.Thread(target=add, daemon=True).start()
        self.assertEqual("n1", events.next()[1]["after"]["name"])
        self.assertGreater(time.monotonic() - before, 14)
        self.assertEqual(2, events.comments)  # one that begins it

    def test_the_command_goes_on_with_the_next_server(self):
        self.add(1)
        output = os.path.join(self.world.dir, "followed")

        def printed():
            with open(output) as followed:
                return re.findall(r"(created|changed|deleted) network (\w+)", followed.read())
        with open(output, "w") as out:
            command = subprocess.Popen([harness.SLUICE, "history", "-c", self.sluice.config, "--follow"],
                                       stdout=out, stderr=subprocess.DEVNULL)
        try:
            harness.wait_for(lambda: printed() == [("created", "n1")], "what was there")
            self.good("PATCH", "virtual_networks/-/n1", {"encryption": True})
            harness.wait_for(lambda: printed()[1:] == [("changed", "n1")], "what is new")
            self.upgrade()
            self.good("DELETE", "virtual_networks/-/n1")
            harness.wait_for(lambda: printed()[2:] == [("deleted", "n1")], "what another server did")
            # A change is one line, in the words of the list, however many resources it has.
            for count in (2, 30):
                self.good("POST", "changes", {"edits": [
                    {"path": "virtual_networks/-/m%d-%d" % (count, n), "values": {"address_space": ["10.%d.%d.0/24" % (count, n)]}}
                    for n in range(count)]})
            listed = [line.split() for line in self.sluice.command("history")[1].splitlines()]
            self.assertEqual(6, len(listed))

            def followed():
                with open(output) as text:
                    return [line.split() for line in text.read().splitlines()]
            harness.wait_for(lambda: followed() == listed, "the same lines as those of the list")
            self.assertEqual(["created", "30", "networks"], listed[-1][-3:])
            self.assertIsNone(command.poll())
        finally:
            command.send_signal(signal.SIGTERM)
            command.wait()


if __name__ == "__main__":
    harness.main()
