"""What has happened: GET /v1/events and `sluice events`, as a list and as a stream."""

import contextlib
import http.server
import json
import os
import queue
import socket
import socketserver
import ssl
import subprocess
import threading
import time

import dns
import harness
import test_client
import test_resources
from test_stream import Events, network

LIMIT_TOLD_S = 10  # an endpoint over its limit is told once in that time (HEALTH_PACE_US)


class World(test_resources.World):
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


class Happenings(World):
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

    def test_an_endpoint_over_its_limit_is_told_at_a_pace(self):
        self.sluice.reconfigure((self.config % self.filed).replace(
            "limits = {", "limits = { queries_per_second_per_endpoint = 5;"))
        self.assertEqual(0, self.sluice.command("reload")[0])
        self.build_hub()
        begun = time.monotonic()
        with contextlib.closing(self.host.begin(test_resources.INBOUND, "web.corp.internal")) as asker:
            for burst in range(2):
                for _ in range(40):
                    asker.send(dns.query("web.corp.internal"))
                harness.wait_for(lambda: self.events("?event=limit"), "the event")

        def ended():
            told = self.events("?event=limit")
            return told if told and told[-1]["level"] != "warning" else None
        *over, within = harness.wait_for(ended, "the end")
        self.assertEqual("inbound endpoint r/in is within its limit again", within["text"])
        for event in over:
            self.assertRegex(event["text"], "^inbound endpoint r/in is over its limit of 5 queries a second: "
                                            "[1-9][0-9]* quer(y|ies) not answered$")
        # The end comes at that pace, too, after the last of them. A second is for the rounding of times.
        self.assertIn(len(over), range(1, 1 + int((time.monotonic() - begun + 1) / LIMIT_TOLD_S)))

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
                while "[n2]" not in line:
                    line = follower.stdout.readline()
                    self.assertTrue(line)
                self.assertRegex(line, r"Z +info +change +revision 2 by uid 0: ")
            finally:
                follower.terminate()

    def test_an_event_that_a_lost_connection_has_cut_comes_again(self):
        event = json.dumps({"id": 7, "text": "seven"})
        parts = {"0": 'id: 6\ndata: {"id": 6}\n\nid: 7\ndata: ' + event[:9], "6": "id: 7\ndata: %s\n\n" % event}

        class Cut(socketserver.StreamRequestHandler):
            def handle(self):
                after = b"".join(iter(self.rfile.readline, b"\r\n")).split()[1].decode().partition("after=")[2]
                self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
                self.wfile.write(parts.get(after, "").encode())

        with socketserver.ThreadingUnixStreamServer(os.path.join(self.world.dir, "cut.sock"), Cut) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            with subprocess.Popen([harness.SLUICE, "events", "--socket", server.server_address, "--follow", "--json"],
                                  stdout=subprocess.PIPE, text=True) as follower:
                try:
                    self.assertEqual(['{"id": 6}\n', event + "\n"], [follower.stdout.readline() for _ in range(2)])
                finally:
                    follower.terminate()
                    server.shutdown()

    def test_a_text_is_printed_to_its_end(self):
        """Longer than a table's cell, and longer than a line of the log."""
        for length in (300, 5000):
            with self.subTest(length=length):
                self.sluice.reconfigure(self.config % self.filed + "x" * length + "y = 1;\n")
                self.assertEqual(1, self.sluice.command("reload")[0])
                lines = [line for line in self.sluice.command("events")[1].splitlines() if "x" * length + "y" in line]
                self.assertEqual(1, len(lines))
                self.assertIn(self.events("?event=reload&level=error")[-1]["text"], lines[0])

    def test_a_program_is_run_for_each(self):
        self.add(1)
        script = self.world.write("told.sh", '#!/bin/sh\necho "$SLUICE_EVENT $SLUICE_TEXT" >> "$0.out"\ncat >> "$0.json"\n')
        os.chmod(script, 0o755)
        with subprocess.Popen([harness.SLUICE, "events", "-c", self.sluice.config, "--exec", script]) as runner:
            try:
                def is_told():
                    self.add_again()
                    return os.path.exists(script + ".json") and len(open(script + ".json").readlines()) > 1
                harness.wait_for(is_told, "the program to run")
            finally:
                runner.terminate()
        with open(script + ".out", encoding="utf-8") as told:
            self.assertRegex(told.readline(), "^change revision [1-9][0-9]* by uid 0: .*n1")
        with open(script + ".json", encoding="utf-8") as told:
            self.assertEqual("change", json.loads(told.readline())["event"])

    def add_again(self):
        self.good("PUT", "virtual_networks/-/n1", network(1))
        self.good("PUT", "virtual_networks/-/n1", network(2))


class Receiver(http.server.ThreadingHTTPServer):
    """Takes what a webhook sends; `statuses` are what it answers first, then 204."""

    def __init__(self, host, port, statuses=(), certificate=None, endless=False):
        self.bodies, self.statuses, self.endless = queue.Queue(), list(statuses), endless
        with host.inside():
            super().__init__(("127.0.0.1", port), self.Handler)
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self.socket = context.wrap_socket(self.socket, server_side=True)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status = self.server.statuses.pop(0) if self.server.statuses else 204
            self.server.bodies.put((self.path, body))
            self.send_response(status)
            self.end_headers()
            self.server.sent = 0
            while self.server.endless:
                try:
                    self.server.sent += self.wfile.write(b"x" * 65536)
                except OSError:
                    break

        def log_message(self, *_):
            pass

    def handle_error(self, *_):
        pass  # a certificate that the other side does not take

    def next(self):
        return self.bodies.get(timeout=dns.PATIENCE)

    def texts_until(self, text):
        """Of all events up to the one with this text."""
        texts = []
        while not any(text in each for each in texts):
            texts += [event["text"] for event in self.next()[1]["events"]]
        return texts


class Webhook(World):
    SETTINGS = 'events = { webhook = "http://127.0.0.1:8099/in?who=me"; level = "info"; };\n'

    def start(self):
        self.config = test_client.CONFIGURED + self.SETTINGS
        super().start()

    def receiver(self, *arguments, **options):
        receiver = Receiver(self.host, *arguments, **options)
        self.addCleanup(receiver.server_close)
        self.addCleanup(receiver.shutdown)
        return receiver

    def test_what_happens_is_sent_once_and_in_its_order(self):
        receiver = self.receiver(8099)
        path, body = receiver.next()
        self.assertEqual("/in?who=me", path)
        self.assertTrue(body["host"])
        self.add(1)
        receiver.texts_until("n1")
        self.add(2)
        self.add(3)
        texts = receiver.texts_until("n3")
        self.assertEqual(["2", "3"], [text.split()[1] for text in texts if "revision" in text])

    def test_what_is_not_taken_is_sent_again(self):
        receiver = self.receiver(8099, [500, 503])
        first = receiver.next()[1]["events"]
        receiver.next()
        self.assertEqual(first, receiver.next()[1]["events"][:len(first)])
        harness.wait_for(lambda: "is called again" in self.sluice.log(), "the success")
        self.assertRegex(self.sluice.log(), "events.webhook cannot be called: (it answers 500|.*onnect)")

    def test_an_answer_without_an_end_is_not_read_to_it(self):
        receiver = self.receiver(8099, [200] * 100, endless=True)
        self.add(1)
        receiver.texts_until("n1")
        self.add(2)
        receiver.texts_until("n2")  # which would wait for the end of the first
        self.assertNotIn("cannot be called: it answers", self.sluice.log())

    def test_a_reload_changes_whom_and_how_much(self):
        self.sluice.reconfigure((self.config % self.filed).replace("8099", "8098").replace('"info"', '"error"'))
        self.assertEqual(0, self.sluice.command("reload")[0])
        receiver = self.receiver(8098)
        self.sluice.reconfigure((self.config % self.filed) + "frob = 1;")
        self.assertEqual(1, self.sluice.command("reload")[0])
        receiver.texts_until("refused, still serving")
        self.sluice.reconfigure(test_client.CONFIGURED % self.filed)
        self.assertEqual(0, self.sluice.command("reload")[0])
        self.assertEqual(0, self.sluice.stop())

    def test_it_checks_whom_it_calls(self):
        certificate = self.world.certificate()
        receiver = self.receiver(8443, certificate=(certificate, certificate.replace(".pem", ".key")))
        settings = 'events = { webhook = "https://127.0.0.1:8443/"; level = "info"; %s };\n'
        for trust in ("", 'webhook_ca = "tls.pem";'):
            self.sluice.reconfigure((test_client.CONFIGURED % self.filed) + settings % trust)
            self.assertEqual(0, self.sluice.command("reload")[0])
            if not trust:
                harness.wait_for(lambda: "ertificate" in self.sluice.log(), "the refusal")
        self.assertTrue(receiver.next()[1]["events"])

    def test_what_is_no_url_is_refused(self):
        for url in ("ftp://127.0.0.1/", "http://198.51.100.1/", "https://", "http://127.0.0.1.example/", "hook"):
            self.sluice.reconfigure((test_client.CONFIGURED % self.filed)
                                    + 'events = { webhook = "%s"; };\n' % url)
            status, printed = self.sluice.command("check")
            self.assertEqual(1, status)
            self.assertRegex(printed, "is no URL to call; write https://")

    def test_a_url_that_does_not_answer_holds_nothing_up(self):
        with self.host.inside():
            silent = socket.create_server(("127.0.0.1", 8099))
        with silent:
            self.build_hub()
            self.assert_answer(self.ask("a.elsewhere.example"), "198.51.100.3")
            self.assertEqual(0, self.sluice.stop())


if __name__ == "__main__":
    harness.main()
