"""explain --ask: what a client would get, from whom, and how it came about, for every way in which a
name is answered; and nothing of it stays behind."""

import concurrent.futures
import contextlib
import json
import os
import socket
import sys
import threading
import time
import urllib.parse

import dns
import harness
import hostile
import hub

CONFIG = """
region = "westeurope";
workers = 2;
management = { socket = "sluice.sock"; state = "state.db"; };
default_resolver = { targets = ( { address = "127.0.0.1"; port = 5403; } ); };
cache = { stale_max = 3600; };
query_log = { file = "queries.json"; };
""" + hub.hub("127.0.0.1:53", "127.0.0.1").replace("virtual_networks = (", """virtual_networks = (
  { name = "spoke"; address_space = [ "10.20.0.0/16" ]; client_prefixes = [ "127.0.0.2/32" ]; },""") + """
private_zones = (
  { name = "corp.internal"; file = "corp.internal.zone"; links = ( { name = "hub"; virtual_network = "hub"; } ); },
  { name = "privatelink.test"; file = "redirected.zone";
    links = ( { name = "hub"; virtual_network = "hub"; resolution_policy = "NxDomainRedirect"; } ); } );
rulesets = (
  { name = "onprem"; outbound_endpoints = [ "hub-resolver/outbound" ];
    links = ( { name = "hub"; virtual_network = "hub"; } );
    rules = ( { name = "contoso"; domain = "contoso.corp."; targets = ( { address = "127.0.0.1"; port = 5401; },
                                                                        { address = "127.0.0.1"; port = 5402; } ); },
              { name = "follows"; domain = "follows.corp."; follow_cname = true;
                targets = ( { address = "127.0.0.1"; port = 5401; } ); },
              { name = "dead"; domain = "dead.corp."; targets = ( { address = "127.0.0.1"; port = 5998; },
                                                                  { address = "127.0.0.1"; port = 5999; } ); },
              { name = "one"; domain = "one.corp."; targets = ( { address = "127.0.0.1"; port = 5401; } ); },
              { name = "round"; domain = "round.corp."; targets = ( { address = "10.10.0.4"; } ); } ); },
  { name = "spoke"; outbound_endpoints = [ "hub-resolver/outbound" ];
    links = ( { name = "spoke"; virtual_network = "spoke"; } );
    rules = ( { name = "corp"; domain = "corp.internal."; targets = ( { address = "10.10.0.4"; } ); } ); } );
vnet_resolver = { listen = [ "127.0.0.1:5310" ]; };
address_pools = ( { name = "public"; prefix = "198.18.100.0/24"; } );
addresses = ( { name = "web"; address = "198.18.100.70"; reverse_fqdn = "web.example.com."; } );
"""
HERE = ("127.0.0.1", 53)
ZONE = """web 300 IN A 10.10.1.10
www 300 IN CNAME web
out 300 IN CNAME x.one.corp.
*.wild 300 IN A 10.10.1.12
a 60 IN CNAME b
b 60 IN CNAME a
""" + "".join("c%d 60 IN CNAME c%d\n" % (i, i + 1) for i in range(20))


class Asked(harness.FreshCase):
    def build(self, world):
        self.host = world.host("cloud", "10.10.0.4", "10.20.0.9")
        self.one, self.two, self.other = (
            harness.Upstream(self.host, "127.0.0.1", "192.0.2.%d" % i, 5400 + i) for i in (1, 2, 3))
        world.write("corp.internal.zone", ZONE)
        world.write("redirected.zone", "known 60 IN A 10.10.1.14\n")
        self.sluice = harness.Sluice(self.host, CONFIG, HERE)

    def call(self, name, rtype="A", **where):
        """The status of GET /v1/explain?ask=1, and its body."""
        query = urllib.parse.urlencode({"ask": 1, "name": name, "type": rtype, **(where or {"vnet": "hub"})})
        with contextlib.closing(harness.UnixConnection(self.sluice.socket)) as connection:
            connection.request("GET", "/v1/explain?" + query)
            response = connection.getresponse()
            return response.status, json.loads(response.read())

    def ask(self, name, rtype="A", **where):
        status, body = self.call(name, rtype, **where)
        self.assertEqual(200, status, body)
        return body

    def command(self, *argv):
        status, text = self.sluice.command("explain", "--ask", *argv)
        self.assertEqual(0, status, text)
        return text

    def assert_asked(self, body, rcode, *records):
        self.assertEqual((rcode, rcode, list(records)),
                         (body["rcode"], body["answer"]["rcode"], body["answer"]["records"]), body)

    def unless_late_anew(self, attempt):
        """unless_late, each time with a server that knows nothing of its targets, and has an empty cache."""
        for _ in range(20):
            before, _ = harness.lateness(self.sluice)
            try:
                return attempt()
            except AssertionError:
                if harness.lateness(self.sluice) == (before, False):
                    raise
            self.sluice.stop()
            self.sluice = harness.Sluice(self.host, CONFIG, HERE)
        raise AssertionError("a target was late in each of many attempts")

    @staticmethod
    def tries(asked):
        return [(t["host"], t["protocol"], t["end"], t["text"]) for t in asked["tries"]]


class Packets(Asked):
    def count(self, counter):
        """Of the target of one.corp."""
        return sum(target[counter] for target in self.sluice.status()["targets"] if target["host"] == "127.0.0.1:5401")

    def test_what_is_shown_as_sent_is_what_came(self):
        for number, script in enumerate(("fine", "plain", "bare", "tc", "wavers", "ends", "servfail", "refused", "notimp", "lame",
                                         "mangled", "forged", "silent", "late900")):
            with self.subTest(script=script):
                name = "%s.n%d.one.corp" % (script, number)
                suspicions, probes = self.count("suspicions"), self.count("probes")
                body = self.ask(name)
                tries = [t for hop in body["hops"] for asked in hop["asked"] for t in asked["tries"]]
                shown = sorted(t["protocol"] for t in tries for _ in range(t["packets"]))
                harness.wait_for(lambda: len(self.one.questions(name)) >= len(shown), "as many as %s" % tries)
                came = sorted(one["by"] for one in self.one.questions(name))
                probed = len(came) - len(shown)  # a probe repeats the question answered last, and is not shown
                self.assertEqual(came, sorted(shown + ["udp"] * probed), tries)
                self.assertLessEqual(probed, self.count("probes") - probes, tries)
                # What was sent while it was suspect, as on a machine that is busy, is not counted.
                self.assertLessEqual(shown.count("udp"), 3 if self.count("suspicions") == suspicions else 5)
                self.assertLessEqual(len(tries), 5)

    def tries_of(self, name):
        return [t for hop in self.ask(name)["hops"] for asked in hop["asked"] for t in asked["tries"]]

    def at_one(self, target):
        """one.corp is asked there."""
        self.sluice.reconfigure(CONFIG.replace('domain = "one.corp."; targets = ( { address = "127.0.0.1"; port = 5401; }',
                                               'domain = "one.corp."; targets = ( { address = "127.0.0.1"; %s }' % target))
        self.assertEqual(0, self.sluice.command("reload")[0])

    def refused_packets(self):
        """Datagrams that came to a port at which nobody is."""
        lines = [line.split() for line in self.host.run("cat", "/proc/net/snmp")[1].split("\n") if line.startswith("Udp:")]
        return int(dict(zip(*lines))["NoPorts"])

    def test_a_port_that_refuses_is_asked_as_often_as_is_shown_and_bounded(self):
        self.at_one("port = 5998;")
        before = self.refused_packets()
        tries = self.tries_of("www.one.corp")
        shown = sum(t["packets"] for t in tries)
        self.assertEqual(self.refused_packets() - before, shown, tries)
        self.assertTrue(1 <= shown <= 16, tries)

    def test_a_server_that_closes_every_connection_is_asked_a_few_times_as_is_shown(self):
        with self.host.inside():
            listener = socket.create_server(("127.0.0.1", 5997))
        self.addCleanup(listener.close)
        read = []

        def serve():
            with contextlib.suppress(OSError):
                while True:
                    with listener.accept()[0] as stream, contextlib.suppress(EOFError, ConnectionError):
                        read.append(dns.recv_framed(stream))
        threading.Thread(target=serve, daemon=True).start()
        self.at_one('port = 5997; protocol = "tcp";')
        tries = self.tries_of("www.one.corp")
        self.assertEqual(len(read), sum(t["packets"] for t in tries), tries)
        self.assertTrue(1 <= len(read) <= 6, tries)
        harness.wait_for(lambda: "closes every connection" in self.sluice.command("status")[1], "the reason in the status")

    def test_what_never_left_for_want_of_a_connection_is_not_shown_as_sent(self):
        self.at_one('port = 5998; protocol = "tcp";')
        tries = self.tries_of("www.one.corp")
        self.assertEqual({("tcp", "unsent", 0)}, {(t["protocol"], t["end"], t["packets"]) for t in tries})
        self.assertIn("so it was not sent", self.command("--vnet", "hub", "www2.one.corp"))


class Hops(Asked):
    def test_a_zone_answers_and_nobody_is_asked(self):
        body = self.ask("web.corp.internal")
        self.assert_asked(body, "NOERROR", "web.corp.internal. 300 IN A 10.10.1.10")
        self.assertEqual(["qr", "aa", "rd", "ra"], body["answer"]["flags"])
        self.assertEqual([], body["hops"][0]["asked"])
        self.assertEqual("matched", body["hops"][0]["trace"][0]["outcome"])
        self.assertLess(body["answer"]["ms"], 3000)  # a silence is longer
        body = self.ask("x.y.wild.corp.internal")
        self.assertTrue(body["hops"][0]["wildcard"])
        body = self.ask("missing.corp.internal")
        self.assert_asked(body, "NXDOMAIN")
        self.assertIn("SOA", body["answer"]["authority"][0])
        body = self.ask("web.corp.internal", "MX")
        self.assertEqual(("NOERROR", "nodata"), (body["rcode"], body["hops"][0]["outcome"]))

    def test_a_chain_is_shown_to_its_end_with_who_said_what_and_when(self):
        self.unless_late_anew(self.chain)

    def chain(self):
        body = self.ask("out.corp.internal")
        self.assert_asked(body, "NOERROR", "out.corp.internal. 300 IN CNAME x.one.corp.",
                          "x.one.corp. 60 IN A 192.0.2.1")
        zone, rule = body["hops"]
        self.assertEqual(("zone", "x.one.corp.", []), (zone["decided_by"], zone["next"], zone["asked"]))
        self.assertEqual(("rule", "one", None), (rule["decided_by"], rule["object"], rule["next"]))
        self.assertEqual(["x.one.corp. 60 IN A 192.0.2.1"], rule["records"])
        asked, = rule["asked"]
        self.assertEqual(("target", "127.0.0.1:5401", "NOERROR", None, False),
                         tuple(asked[key] for key in ("from", "host", "rcode", "failed", "joined")))
        self.assertEqual([("127.0.0.1:5401", "udp", "answered", "NOERROR")], self.tries(asked))
        self.assertEqual("hub-resolver/outbound", asked["tries"][0]["endpoint"])
        self.assertLessEqual(asked["ms"], body["answer"]["ms"])

    def test_a_target_that_takes_its_time_is_seen_to_and_then_the_cache_answers(self):
        body = self.ask("late150.one.corp")
        asked, = body["hops"][0]["asked"]
        sent = len(asked["tries"])
        harness.wait_for(lambda: len(self.one.questions("late150.one.corp")) == sent, "what it was asked beside the first")
        self.assertTrue(150 <= asked["tries"][0]["ms"] <= asked["ms"] <= body["answer"]["ms"] < 3000, body)
        again = self.ask("late150.one.corp")
        asked, = again["hops"][0]["asked"]
        self.assertEqual(("cache", "127.0.0.1:5401", [], None),
                         tuple(asked[key] for key in ("from", "host", "tries", "ms")))
        self.assertTrue(0 <= asked["age_s"] and 0 < asked["ttl_s"] <= 60, asked)
        self.assertEqual(sent, len(self.one.questions("late150.one.corp")))
        # What a client has asked is there, too, and the other way round.
        self.host.ask(HERE, "y.one.corp")
        self.assertEqual("cache", self.ask("y.one.corp", endpoint="hub-resolver/inbound")["hops"][0]["asked"][0]["from"])

    def test_targets_chains_are_cut_where_somebody_else_decides(self):
        body = self.ask("alias--web-corp-internal-.follows.corp")
        self.assertEqual(["rule", "zone"], [hop["decided_by"] for hop in body["hops"]])
        self.assertEqual("web.corp.internal.", body["hops"][0]["next"])
        self.assertEqual("web.corp.internal. 300 IN A 10.10.1.10", body["answer"]["records"][-1])
        body = self.ask("full--elsewhere-test-.one.corp")
        self.assertEqual((1, None), (len(body["hops"]), body["hops"][0]["next"]))
        self.assertEqual(["full--elsewhere-test-.one.corp. 60 IN CNAME elsewhere.test.",
                          "elsewhere.test. 60 IN A 192.0.2.1"], body["hops"][0]["records"])

    def test_an_endpoint_of_ours_is_entered_and_shows_its_own_hops(self):
        body = self.ask("out.corp.internal", vnet="spoke")
        self.assertEqual("x.one.corp. 60 IN A 192.0.2.1", body["answer"]["records"][-1])
        inner = body["hops"][0]["route"][0]["decision"]
        self.assertEqual(("hub", "NOERROR"), (inner["network"], inner["rcode"]))
        self.assertEqual("target", inner["hops"][1]["asked"][0]["from"])

    def test_nx_domain_redirect_asks_the_default_resolver(self):
        body = self.ask("other.privatelink.test")
        self.assert_asked(body, "NOERROR", "other.privatelink.test. 60 IN A 192.0.2.3")
        self.assertTrue(body["hops"][0]["redirected"])
        self.assertEqual("127.0.0.1:5403", body["hops"][0]["asked"][0]["host"])

    def test_a_ptr_of_our_own(self):
        body = self.ask("70.100.18.198.in-addr.arpa", "PTR")
        self.assertEqual("PTR web.example.com.", body["answer"]["records"][0].split(" IN ")[1])
        self.assertEqual("pool", body["hops"][0]["decided_by"])

    def test_where_it_is_asked(self):
        self.assert_asked(self.ask("web.corp.internal", **{"from": "127.0.0.2"}), "NOERROR",
                          "web.corp.internal. 300 IN A 10.10.1.10")
        stranger = self.ask("web.corp.internal", **{"from": "192.0.2.77"})
        self.assert_asked(stranger, "REFUSED")
        self.assertEqual((None, "refuse"), (stranger["network"], stranger["hops"][0]["kind"]))
        self.assertEqual(18, stranger["answer"]["ede"]["code"])
        for address, rcode, allowed in (("10.10.1.1", "NOERROR", True), ("192.0.2.77", "REFUSED", False)):
            body = self.ask("web.corp.internal", endpoint="hub-resolver/inbound", **{"from": address})
            self.assertEqual(({"address": address, "allowed": allowed}, rcode, rcode, allowed),
                             (body["from"], body["rcode"], body["answer"]["rcode"], bool(body["hops"])), body)
            for way in ("--ask", "--json"):
                status, text = self.sluice.command("explain", way, "web.corp.internal", "--endpoint", "hub-resolver/inbound",
                                                   "--from", address)
                self.assertEqual(0, status, text)
                self.assertIn(rcode, text)
        self.assertIn("by 192.0.2.77, which its `allow` does not let in", self.command(
            "web.corp.internal", "--endpoint", "hub-resolver/inbound", "--from", "192.0.2.77"))
        self.assert_rcode(self.host.ask(HERE, "web.corp.internal"), "NOERROR")
        self.assertEqual(404, self.call("a.test", vnet="nowhere")[0])
        self.assertEqual(404, self.call("a.test", endpoint="no/where")[0])
        self.assertEqual(400, self.call("a.test", vnet="hub", endpoint="hub-resolver/inbound")[0])
        self.assertEqual(400, self.call("a.test", "AXFR")[0])
        self.assertEqual(400, self.call("..", )[0])
        for word, status in (("0", 200), ("yes", 400)):
            with contextlib.closing(harness.UnixConnection(self.sluice.socket)) as connection:
                connection.request("GET", "/v1/explain?name=x.one.corp&vnet=hub&ask=" + word)
                response = connection.getresponse()
                self.assertEqual(status, response.status)
                self.assertNotIn("answer", json.loads(response.read()))
        self.assertEqual([], self.one.questions("x.one.corp"))


class Failures(Asked):
    def test_each_target_that_was_tried_is_told_with_its_failure(self):
        self.unless_late_anew(self.each_failure)

    def each_failure(self):
        body = self.ask("servfail.contoso.corp")
        self.assert_asked(body, "SERVFAIL")
        asked, = body["hops"][0]["asked"]
        self.assertEqual([("127.0.0.1:540%d" % i, "udp", end, "SERVFAIL")  # in case it minds capitals
                          for i in (1, 2) for end in ("lower", "failed")], self.tries(asked))
        self.assertIn("127.0.0.1:5402: SERVFAIL", asked["failed"])
        self.assertEqual("ruleset onprem, rule contoso: " + asked["failed"], body["answer"]["ede"]["text"])
        again, = self.ask("servfail.contoso.corp")["hops"][0]["asked"]
        self.assertEqual(("cache", [], asked["failed"]), (again["from"], again["tries"], again["failed"]))

    def test_a_dead_target_is_told_beside_the_one_that_answers(self):
        self.one.stop()
        asked, = self.ask("x.contoso.corp")["hops"][0]["asked"]
        self.assertEqual([("127.0.0.1:5401", "udp", "failed", "network error"),
                          ("127.0.0.1:5402", "udp", "answered", "NOERROR")], self.tries(asked)[:2])  # more where it is late
        self.assertEqual("127.0.0.1:5402", asked["host"])

    def test_where_all_are_dead_it_ends_in_four_seconds(self):
        body = self.ask("x.dead.corp")
        self.assert_asked(body, "SERVFAIL")
        asked, = body["hops"][0]["asked"]
        hosts = {(host, text) for host, _, _, text in self.tries(asked)}
        self.assertLessEqual({("127.0.0.1:5998", "network error"), ("127.0.0.1:5999", "network error")}, hosts)
        self.assertTrue(3900 <= body["answer"]["ms"] < 8000, body["answer"])
        self.assertEqual("suspect", body["hops"][0]["route"][0]["health"]["state"])

    def test_silence_is_told_as_such(self):
        body = self.ask("silent.one.corp")
        self.assert_asked(body, "SERVFAIL")
        tries = body["hops"][0]["asked"][0]["tries"]
        self.assertEqual({("silent", "no answer")}, {(t["end"], t["text"]) for t in tries})
        self.assertGreaterEqual(tries[0]["ms"], 3900)

    def test_what_is_truncated_is_asked_by_tcp(self):
        self.unless_late_anew(self.truncated)

    def truncated(self):
        body = self.ask("tc.one.corp")
        self.assertEqual([("127.0.0.1:5401", "udp", "truncated", "NOERROR"),
                          ("127.0.0.1:5401", "tcp", "answered", "NOERROR")], self.tries(body["hops"][0]["asked"][0]))
        self.assertEqual([("127.0.0.1:5401", "udp", "plain", "FORMERR"),
                          ("127.0.0.1:5401", "udp", "answered", "NOERROR")],
                         self.tries(self.ask("plain.one.corp")["hops"][0]["asked"][0])[:2])
        body = self.ask("big.one.corp", "TXT")
        self.assertEqual(20, len(body["answer"]["records"]))

    def test_an_old_answer_is_told_as_one(self):
        self.host.ask(HERE, "old.one.corp")
        self.sluice.reconfigure(CONFIG.replace("stale_max = 3600", "ttl_max = 1; stale_max = 3600"))
        self.assertEqual(0, self.sluice.command("reload")[0])
        self.host.ask(HERE, "older.one.corp")
        time.sleep(1.1)
        self.one.stop()
        body = self.ask("older.one.corp")
        self.assert_asked(body, "NOERROR", "older.one.corp. 30 IN A 192.0.2.1")
        asked, = body["hops"][0]["asked"]
        self.assertEqual(("stale", "127.0.0.1:5401"), (asked["from"], asked["host"]))
        self.assertEqual(3, body["answer"]["ede"]["code"])
        self.assertIn("an old answer from the cache", self.command("older.one.corp", "--vnet", "hub"))

    def test_loops_and_chains_without_an_end(self):
        body = self.ask("a.corp.internal")
        self.assertIn("comes back to a.corp.internal.", body["loop"])
        self.assertEqual("NOERROR", body["rcode"])
        body = self.ask("c0.corp.internal")
        self.assertEqual(("SERVFAIL", 17), (body["rcode"], len(body["hops"])))
        self.assertIn("more than 16", body["loop"])
        body = self.ask("x.round.corp")
        self.assertEqual("SERVFAIL", body["rcode"])
        self.assertIn("forwarding loop: hub-resolver/inbound -> hub-resolver/inbound", body["loop"])


class Around(Asked):
    def test_the_command_prints_the_way_and_what_dig_would(self):
        text = self.command("out.corp.internal", "--vnet", "hub")
        lines = ["out.corp.internal. A", "=> answered by private zone corp.internal: NOERROR",
                 "leads on to x.one.corp.", "=> forwarded by rule one of ruleset onprem: NOERROR",
                 "ms asked 127.0.0.1:5401 by udp: NOERROR after ", "127.0.0.1:5401 said NOERROR, after ",
                 ";; status: NOERROR, flags: qr aa rd ra; ", ";; ANSWER SECTION:",
                 "out.corp.internal. 300 IN CNAME x.one.corp.", "x.one.corp. 60 IN A 192.0.2.1"]
        at = 0
        for line in lines:
            self.assertIn(line, text[at:], text)
            at = text.index(line, at) + 1
        self.assertRegex(self.command("x.one.corp", "--vnet", "hub"), r"from the cache, \d+ s old and good for")
        text = self.command("servfail.contoso.corp", "AAAA", "--from", "10.10.1.1")
        self.assertIn(";; EDE: 22: ruleset onprem, rule contoso:", text)
        status, text = self.sluice.command("explain", "--ask", "--json", "web.corp.internal", "--vnet", "hub")
        self.assertEqual("NOERROR", json.loads(text)["answer"]["rcode"])
        for argv, status, said in ((("a..b",), 2, "is not a domain name"), (("x.test", "NOTYPE"), 2, "is not a record type"),
                                   (("x.test", "--vnet", "nowhere"), 1, 'no virtual network "nowhere"')):
            self.assertEqual(status, self.sluice.command("explain", "--ask", *argv)[0])
            self.assertIn(said, self.sluice.command("explain", "--ask", *argv)[1])
        self.assertIn("--ask", self.sluice.completed("explain", "--a"))
        self.sluice.stop()
        status, text = self.sluice.command("explain", "--ask", "web.corp.internal")
        self.assertEqual(1, status, text)

    def test_it_is_nobody_s_query(self):
        before = self.sluice.status()
        for name in ("web.corp.internal", "x.one.corp", "servfail.contoso.corp"):
            self.ask(name)
        self.host.ask(HERE, "mark.corp.internal")

        def logged():
            with contextlib.suppress(FileNotFoundError), open(os.path.join(self.world.dir, "queries.json")) as file:
                return file.read()
            return ""
        harness.wait_for(lambda: "mark.corp.internal" in logged(), "the log")
        self.assertNotIn("one.corp", logged())
        after = self.sluice.status()
        self.assertEqual(before["counters"]["queries_own"] + 3, after["counters"]["queries_own"])
        self.assertEqual(1, after["counters"]["queries"] - before["counters"]["queries"])
        self.assertEqual([], json.loads(self.sluice.command("names", "--json")[1])["names"])

    def check(self, name):
        """The status of GET /v1/check."""
        with contextlib.closing(harness.UnixConnection(self.sluice.socket)) as connection:
            connection.request("GET", "/v1/check?network=hub&subject=" + name)
            return connection.getresponse().status

    def test_so_many_at_once_and_in_a_second(self):
        """Of both kinds together, so that of each kind some are refused."""
        asked, checked = [], []
        threads = []
        for number in range(20):
            name = "silent.n%d.one.corp" % number
            threads += [threading.Thread(target=lambda name=name: asked.append(self.call(name)[0])),
                        threading.Thread(target=lambda name=name: checked.append(self.check(name)))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertLessEqual(set(asked + checked), {200, 429})
        self.assertIn(429, asked)
        self.assertIn(429, checked)
        self.assertGreaterEqual((asked + checked).count(200), 16)  # more where they come one after the other
        self.assert_asked(self.ask("web.corp.internal"), "NOERROR", "web.corp.internal. 300 IN A 10.10.1.10")
        self.assert_answer(self.host.ask(HERE, "web.corp.internal"), "10.10.1.10")

    def begin(self, name):
        """A question under way that "held." keeps; its connection."""
        connection = harness.UnixConnection(self.sluice.socket)
        self.addCleanup(connection.close)
        connection.request("GET", "/v1/explain?ask=1&vnet=hub&name=" + name)
        harness.wait_for(lambda: self.one.questions(name), "the question")
        return connection

    def test_a_client_that_goes_away_leaves_nothing(self):
        self.begin("held.one.corp").close()
        self.one.release()
        harness.wait_for(lambda: self.ask("held.one.corp")["hops"][0]["asked"][0]["from"] == "cache", "the answer")

    def test_a_reload_leaves_what_is_under_way_to_the_policy_it_began_with(self):
        other = CONFIG.replace('name = "one"; domain = "one.corp."', 'name = "uno"; domain = "uno.corp."')
        for number in range(10):
            connection = self.begin("held.n%d.one.corp" % number)
            self.sluice.reconfigure(other)
            self.assertEqual(0, self.sluice.command("reload")[0])
            self.one.release()
            body = json.loads(connection.getresponse().read())
            if body.get("rcode") == "NOERROR":  # else it has ended by itself, after four seconds
                break
            os.unlink(self.one.questions_path + ".release")
            self.sluice.reconfigure(CONFIG)
            self.assertEqual(0, self.sluice.command("reload")[0])
        self.assertEqual(("one", "NOERROR"), (body["hops"][0]["object"], body["rcode"]))
        self.assertEqual("default", self.ask("after.one.corp")["hops"][0]["decided_by"])

    def test_the_same_question_of_a_client_is_joined(self):
        thread = threading.Thread(target=self.host.ask, args=(HERE, "held.one.corp"))
        thread.start()
        harness.wait_for(lambda: self.one.questions("held.one.corp"), "the question")
        own = self.sluice.status()["counters"]["queries_own"]
        connection = self.begin("held.one.corp")
        harness.wait_for(lambda: self.sluice.status()["counters"]["queries_own"] > own, "explain's question")
        time.sleep(0.2)
        self.one.release()
        body = json.loads(connection.getresponse().read())
        thread.join()
        asked, = body["hops"][0]["asked"]
        self.assertEqual("target", asked["from"])
        if asked["joined"]:  # by the same worker; else it has sent its own
            self.assertLess(asked["tries"][0]["at_ms"], 1)

    def test_an_upgrade_lets_it_come_to_its_end(self):
        connection = self.begin("held.one.corp")
        pid = self.sluice.pid
        upgrade = threading.Thread(target=self.sluice.command, args=("upgrade",))
        upgrade.start()
        self.sluice.wait_another(pid)
        self.one.release()
        self.assertEqual(200, connection.getresponse().status)
        upgrade.join()
        self.assert_asked(self.ask("web.corp.internal"), "NOERROR", "web.corp.internal. 300 IN A 10.10.1.10")

    def test_the_end_of_the_server_is_the_end_of_the_question(self):
        connection = self.begin("held.one.corp")
        self.sluice.stop()
        with contextlib.suppress(OSError, harness.http.client.HTTPException):
            self.assertIn(connection.getresponse().status, (200, 503))

    def test_whatever_a_hostile_target_does_is_shown_as_text(self):
        """Each of its deeds at once; nothing of the lie is in any answer."""
        evil, lie = "127.0.0.21", "203.0.113.66"
        target = harness.Process(self.host, "evil", [sys.executable, hostile.__file__, evil, "127.0.0.22", "5404", "192.0.2.1",
                                                     lie, os.path.join(self.world.dir, "evil.json")])
        target.wait_ready((evil, 5404))
        self.sluice.reconfigure(CONFIG.replace('address = "127.0.0.1"; port = 5998;', 'address = "%s"; port = 5404;' % evil))
        self.assertEqual(0, self.sluice.command("reload")[0])
        wrong = []

        def ask(deed):
            while True:
                status, text = self.sluice.command("explain", "--ask", deed + "-1.dead.corp", "--vnet", "hub")
                if "too many ask at once" not in text:
                    break
                time.sleep(1)
            shown = all(c == "\n" or c.isprintable() for c in text)
            if status or not shown or lie in text or ";; status: " not in text:
                wrong.append((deed, status, text))
        with concurrent.futures.ThreadPoolExecutor(12) as pool:
            list(pool.map(ask, hostile.DEEDS))
        self.assertEqual([], wrong)

    def test_hostile_names_are_shown_as_text(self):
        name = "a\\027[31m\\010\\200.one.corp"
        text = self.command(name, "TXT", "--vnet", "hub")
        self.assertTrue(all(c == "\n" or " " <= c <= "~" for c in text), text)
        self.assertIn("\\027[31m\\010\\200.one.corp.", text)


if __name__ == "__main__":
    harness.main()
