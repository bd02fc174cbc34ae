"""Who may ask, and how much: access lists, queries and answers a second, and clients that misuse TCP.
Counts are compared, never times: what a limit lets through depends on how long the test takes."""

import contextlib
import signal
import socket
import struct
import threading
import time

import dns
import harness

CONFIG = """
region = "westeurope";
management = { socket = "sluice.sock"; };
%(more)s
default_resolver = { targets = ( { address = "198.51.100.53"; } ); };
vnet_resolver = { listen = [ "10.10.0.6:53" ]; };
virtual_networks = (
  { name = "hub"; address_space = [ "10.10.0.0/16", "203.0.113.0/24" ]; client_prefixes = [ "10.20.0.0/16", "192.0.2.0/28" ];
    subnets = ( { name = "in";   prefix = "10.10.0.0/28";  delegation = "Microsoft.Network/dnsResolvers"; },
                { name = "out";  prefix = "10.10.0.16/28"; delegation = "Microsoft.Network/dnsResolvers"; },
                { name = "out2"; prefix = "10.10.0.32/28"; delegation = "Microsoft.Network/dnsResolvers"; } ); } );
resolvers = (
  { name = "hub"; virtual_network = "hub";
    inbound_endpoints  = ( { name = "in"; subnet = "in"; address = "10.10.0.4"; allocation = "static"; %(allow)s } );
    outbound_endpoints = ( { name = "out";  subnet = "out";  source = "10.10.0.20"; },
                           { name = "out2"; subnet = "out2"; source = "10.10.0.36"; } ); } );
private_zones = (
  { name = "corp.internal"; file = "zone"; links = ( { name = "hub"; virtual_network = "hub"; } ); } );
rulesets = (
  { name = "rules"; outbound_endpoints = [ "hub/out", "hub/out2" ];
    links = ( { name = "hub"; virtual_network = "hub"; } );
    rules = ( { name = "far"; domain = "far.corp."; targets = ( { address = "192.168.0.1"; } ); } ); } );
"""
ZONE = "web 300 IN A 10.10.1.10\n" + "".join(
    'big 300 IN TXT "%s"\n' % (chr(65 + i) * 200) for i in range(20))
SERVER, VNET = "10.10.0.4", "10.10.0.6"
IP_PKTINFO = 8
FORGED = "10.20.64.0/18"
COOKIE = 10


class Forgery:
    """Questions from a host, so many a second, each with another of the addresses FORGED."""

    def __init__(self, host, server, packet, rate):
        self.packet, self.rate, self.sent, self.over = packet, rate, 0, threading.Event()
        harness.sh("ip", "-n", host.name, "route", "add", "local", FORGED, "dev", "lo")
        with host.inside():
            self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.connect((server, 53))
        self.thread = threading.Thread(target=self.run)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()
        self.sock.close()

    def run(self):
        start, behind = time.monotonic(), 0
        while not self.over.wait(0.002):
            due = int((time.monotonic() - start) * self.rate) - behind
            if due - self.sent > self.rate // 20:  # what it could not send in time is left out
                behind += due - self.sent - self.rate // 20
                due = self.sent + self.rate // 20
            for self.sent in range(self.sent + 1, due + 1):
                source = struct.pack(">BBH", 10, 20, 0x4000 | self.sent * 7919 & 0x3fff)
                self.sock.sendmsg([self.packet], [(socket.IPPROTO_IP, IP_PKTINFO,
                                                   struct.pack("=I4s4s", 0, source, b""))])


class Limits(harness.FreshCase):
    def build(self, world):
        self.cloud = world.host("cloud", SERVER, VNET, "10.10.0.20", "10.10.0.36", "fd00:10::4")
        self.client = world.host("client", "10.20.0.5", "10.20.0.6", "10.20.0.7",
                                 "fd00:20::5", "fd00:20::6", "fd00:20::7", "fd00:20:0:1::5")
        self.public = world.host("public", "198.51.100.9", "203.0.113.9", "192.0.2.9", "192.0.2.19",
                                 "192.168.0.1")
        world.write("zone", ZONE)

    def start(self, more="", allow=""):
        self.sluice = harness.Sluice(self.cloud, CONFIG % {"more": more, "allow": allow},
                                     (VNET if allow else SERVER, 53))

    def counters(self):
        return self.sluice.status()["counters"]

    def flood(self, host, server, packets, unanswered=lambda: 0):
        """All packets at once; what is answered, by the packet's place, until as many have not been as
        the server says will not be."""
        answers = {}
        with host.inside(), socket.create_connection((server, 53), dns.PATIENCE):
            pass  # the server's neighbour is known now: few packets may wait for that

        def complete():
            with contextlib.suppress(BlockingIOError):
                while True:
                    answer = dns.Message(sock.recv(65535))
                    answers[answer.id] = answer
            return len(answers) + unanswered() >= len(packets)
        with host.inside(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            dns.enlarge(sock, 4 << 20)
            sock.connect((server, 53))
            for i, packet in enumerate(packets):
                sock.send(i.to_bytes(2, "big") + packet[2:])
            sock.setblocking(False)
            harness.wait_for(complete, "an answer to each, or its being counted")
        return answers

    # ---- who may ask ----

    def test_by_default_who_is_private_or_of_a_network_may_ask(self):
        self.start()
        self.assert_answer(self.client.ask(SERVER, "web.corp.internal"), "10.10.1.10")
        for source in ("192.168.0.1", "203.0.113.9", "192.0.2.9"):  # the last two are the network's
            self.assert_answer(self.public.ask(SERVER, "web.corp.internal", source=source), "10.10.1.10")
        for transport in (dns.udp, dns.tcp):
            for name, rtype, rclass in (("web.corp.internal", "A", dns.IN), ("x.far.corp", "A", dns.IN),
                                        ("version.bind", "TXT", dns.CH)):
                self.assert_stranger(self.public.ask(SERVER, name, rtype, rclass=rclass,
                                                     transport=transport, source="198.51.100.9"))
        self.assert_stranger(self.public.ask(SERVER, "web.corp.internal", source="192.0.2.19"))
        counters = self.counters()
        self.assertEqual(7, counters["prohibited"], counters)
        self.assertGreaterEqual(counters["refused"], 7, counters)

    def test_allow_is_instead_of_that_and_a_reload_changes_it(self):
        self.start(allow='allow = [ "198.51.100.0/24" ];')
        ask_from = lambda source: self.public.ask(SERVER, "web.corp.internal", source=source)
        self.assert_answer(ask_from("198.51.100.9"), "10.10.1.10")
        self.assert_stranger(ask_from("203.0.113.9"))
        self.assert_stranger(self.client.ask(SERVER, "web.corp.internal"))
        self.sluice.reconfigure(CONFIG % {"more": "", "allow": 'allow = [ "0.0.0.0/0" ];'})
        self.assertEqual(0, self.sluice.command("reload")[0])
        harness.wait_for(lambda: ask_from("203.0.113.9").rcode == "NOERROR", "the new list")
        self.assert_answer(self.client.ask(SERVER, "web.corp.internal"), "10.10.1.10")

    # ---- queries a second ----

    def excess(self, way):
        self.start('limits = { queries_per_second_per_endpoint = 50; excess = "%s"; };' % way)
        answers = self.flood(
            self.client, SERVER, [dns.query("web.corp.internal", opts=(dns.opt(),))] * 500,
            lambda: self.counters()["over_limit"] if way == "drop" else 0)
        good = [a for a in answers.values() if a.texts() == ["10.10.1.10"]]
        self.assertGreaterEqual(len(good), 4)
        self.assertLess(len(good), 400)
        self.assertEqual(500 - len(good), self.counters()["over_limit"])
        return [a for a in answers.values() if not a.texts()]

    def test_what_is_over_the_limit_is_dropped(self):
        self.assertEqual([], self.excess("drop"))

    def test_or_refused(self):
        others = self.excess("refuse")
        self.assertTrue(others)
        for answer in others:
            self.assert_rcode(answer, "REFUSED", 0, "limit")

    def test_or_told_to_come_by_tcp(self):
        others = self.excess("truncate")
        self.assertEqual({("NOERROR", dns.TC)}, {(a.rcode, a.flags & dns.TC) for a in others})

    def test_without_a_limit_all_are_answered(self):
        self.start("limits = { queries_per_second_per_endpoint = 0; };")
        answers = self.flood(self.client, SERVER, [dns.query("web.corp.internal")] * 500)
        self.assertEqual(500, len(answers))
        self.assertEqual(0, self.counters()["over_limit"])

    def test_a_noisy_client_takes_nothing_from_a_quiet_one(self):
        self.start('workers = 2; limits = { queries_per_second_per_endpoint = 200; };')
        noise = dns.query("web.corp.internal")
        quiet = []
        with self.client.inside(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.bind(("10.20.0.6", 0))
            sock.connect((SERVER, 53))
            for i in range(40):
                for k in range(200):
                    sock.send((k * 257 & 0xffff).to_bytes(2, "big") + noise[2:])
                quiet.append(dns.ask((SERVER, 53), "web.corp.internal", timeout=5))
                time.sleep(0.05)  # a tenth of the limit: its share would be half
        counters = self.counters()
        self.assertGreater(counters["over_limit"], 1000)
        for answer in quiet:
            if answer is not None:
                self.assert_answer(answer, "10.10.1.10")
        # What the system had no room for has not come to the limit.
        self.assertLessEqual(quiet.count(None), counters["udp_unread"])

    def test_forged_addresses_use_up_nothing_of_who_is_proven(self):
        self.start('limits = { queries_per_second_per_endpoint = 500; excess = "truncate"; };')
        harness.sh("ip", "-n", "cloud", "route", "add", FORGED, "via", "10.20.0.5", "dev", "eth0", "onlink")
        name = "web.corp.internal"
        told = lambda: self.client.ask(SERVER, name, timeout=2, opts=(
            dns.opt(options=dns.option(COOKIE, b"a client")),))
        with Forgery(self.client, SERVER, dns.query(name), 1500):
            harness.wait_for(lambda: self.counters()["over_limit"] > 1000, "the flood")
            cookie = dict(harness.wait_for(told, "a cookie").options)[COOKIE]  # with TC, too
            plain, by_tcp, with_cookie = [], [], []
            for _ in range(50):
                by_tcp.append(self.client.ask(SERVER, name, transport=dns.tcp))
                with_cookie.append(self.client.ask(SERVER, name, timeout=10, opts=(
                    dns.opt(options=dns.option(COOKIE, cookie)),)))
                plain.append(self.client.ask(SERVER, name, timeout=10))
                time.sleep(0.02)
        counters = self.counters()
        for answer in by_tcp:
            self.assert_answer(answer, "10.10.1.10")
        for answer in filter(None, with_cookie):
            self.assert_answer(answer, "10.10.1.10")
        for answer in filter(None, plain):  # or it is sent where it is proven
            self.assertTrue(answer.flags & dns.TC or answer.texts() == ["10.10.1.10"], answer)
        self.assertTrue(any(answer and answer.flags & dns.TC for answer in plain))
        # What the system had no room for has not come to the limit.
        self.assertLessEqual(with_cookie.count(None) + plain.count(None), counters["udp_unread"])
        self.assertEqual(0, counters["over_limit_proven"])
        self.assertEqual(0, counters["over_limit_refused"])

    def test_an_outbound_endpoint_at_its_limit_hands_over_to_the_second(self):
        upstream = harness.Upstream(self.public, "192.168.0.1", "192.0.2.1")
        self.start("limits = { queries_per_second_per_endpoint = 20; };")
        answers = self.flood(self.client, VNET, [
            dns.query("n%d.far.corp" % i, opts=(dns.opt(),)) for i in range(200)])
        self.assertEqual(200, len(answers))
        over = [a for a in answers.values() if a.rcode == "SERVFAIL"]
        self.assertEqual(200, len(over) + sum(a.texts() == ["192.0.2.1"] for a in answers.values()))
        self.assertEqual({"10.10.0.20", "10.10.0.36"}, {q["from"] for q in upstream.questions()
                                                       if q["name"].startswith("n")})
        for answer in over:
            self.assert_rcode(answer, "SERVFAIL", 22, "over its limit")
        self.assertGreaterEqual(self.counters()["over_limit_outbound"], len(over))

    def test_answers_over_a_prefixs_limit_come_by_tcp(self):
        self.start("response_limit = { answers_per_second = 5; slip = 2; };")
        def unanswered():
            counters = self.counters()
            return counters["responses_limited"] - counters["responses_slipped"]
        answers = self.flood(self.client, SERVER, [dns.query("web.corp.internal")] * 100, unanswered)
        slipped = [a for a in answers.values() if a.flags & dns.TC]
        full = [a for a in answers.values() if a.texts() == ["10.10.1.10"]]
        self.assertEqual(len(answers), len(slipped) + len(full))
        self.assertGreaterEqual(len(full), 5)
        self.assertTrue(slipped)
        self.assertEqual((100 - len(full), len(slipped)), (
            self.counters()["responses_limited"], self.counters()["responses_slipped"]))
        self.assert_answer(self.client.ask(SERVER, "web.corp.internal", transport=dns.tcp),
                           "10.10.1.10")

    def test_what_the_system_has_no_room_for_is_counted(self):
        self.start("workers = 1;")
        packet = dns.query("web.corp.internal")
        self.assertEqual(0, self.counters()["udp_unread"])
        self.sluice.signal(signal.SIGSTOP)
        with self.client.inside(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.connect((SERVER, 53))
            for _ in range(40000):
                sock.send(packet)
        self.sluice.signal(signal.SIGCONT)
        harness.wait_for(lambda: self.counters()["udp_unread"], "what was lost to be counted", 60)

    # ---- TCP ----

    def test_questions_of_a_connection_that_is_reset_are_counted(self):
        upstream = harness.Upstream(self.public, "192.168.0.1", "192.0.2.1")
        self.start()
        with self.client.inside(), socket.create_connection((VNET, 53)) as sock:
            sock.sendall(dns.framed(dns.query("silent.far.corp")) * 3)
            harness.wait_for(lambda: upstream.questions("silent.far.corp"), "the question")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        harness.wait_for(lambda: self.counters()["tcp_lost"] == 3, "the three to be counted")

    def test_connections_are_counted_by_ipv4_address_and_ipv6_network(self):
        self.start("workers = 1; tcp = { connections_per_client_max = 2; };",
                   'listen = "[fd00:10::4]:53";')
        with self.client.inside(), contextlib.ExitStack() as stack:
            def connect(source):
                sock = stack.enter_context(dns.open_socket(
                    socket.SOCK_STREAM, ("fd00:10::4", 53), source))
                sock.settimeout(10)
                sock.connect(("fd00:10::4", 53))
                sock.sendall(dns.framed(dns.query("web.corp.internal")))
                try:
                    return dns.Message(dns.recv_framed(sock)).rcode
                except (EOFError, OSError):
                    return "closed"
            self.assertEqual(["NOERROR", "NOERROR", "closed", "NOERROR"], [connect(source) for source in (
                "fd00:20::5", "fd00:20::6", "fd00:20::7", "fd00:20:0:1::5")])
        self.assertEqual(1, self.counters()["tcp_refused"])

    def test_hostile_clients_by_tcp_keep_nobody_out(self):
        self.start("workers = 1; tcp = { connections_max = 60; connections_per_client_max = 60;"
                   " idle_timeout_ms = 600000; };")
        big = dns.framed(dns.query("big.corp.internal", "TXT"))
        with self.client.inside():
            hostile = []
            for i in range(200):
                sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
                sock.bind(("10.20.0.6", 0))
                if i % 2:
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                sock.settimeout(dns.PATIENCE)
                sock.connect((SERVER, 53))
                sock.setblocking(False)
                hostile.append(sock)
            for step in range(30):
                for i, sock in enumerate(hostile):
                    try:  # one byte at a time; or all that goes out, and nothing is read
                        sock.send(big * 100 if i % 2 else big[step % len(big):][:1])
                    except (BlockingIOError, OSError):
                        pass
                self.assert_answer(dns.ask((SERVER, 53), "web.corp.internal"), "10.10.1.10")
                self.assert_answer(dns.ask((SERVER, 53), "web.corp.internal", transport=dns.tcp,
                                           source="10.20.0.7"), "10.10.1.10")
            for sock in hostile:
                sock.close()
        counters = self.counters()
        self.assertGreaterEqual(counters["tcp_refused"], 140)
        self.assertGreaterEqual(counters["tcp_displaced"], 1)


if __name__ == "__main__":
    harness.main()
