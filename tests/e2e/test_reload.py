"""A running server and its file: SIGHUP and `sluice reload`, good changes and faulty ones."""

import concurrent.futures
import contextlib
import json
import os
import re
import select
import signal
import sqlite3
import subprocess
import time

import dns
import harness

CONFIG = """
subscription = "11111111-2222-3333-4444-555555555555";
region = "westeurope";
workers = 2;
management = { socket = "sluice.sock"; };
default_resolver = { targets = ( { address = "127.0.0.3"; } ); };
virtual_networks = (
  { name = "hub"; address_space = [ "10.10.0.0/16" ];
    subnets = ( { name = "dns-in";  prefix = "10.10.0.0/28";  delegation = "Microsoft.Network/dnsResolvers"; },
                { name = "dns-out"; prefix = "10.10.0.16/28"; delegation = "Microsoft.Network/dnsResolvers"; },
                { name = "dns-in2"; prefix = "10.10.0.32/28"; delegation = "Microsoft.Network/dnsResolvers"; } ); } );
resolvers = (
  { name = "hub-resolver"; virtual_network = "hub";
    inbound_endpoints  = ( { name = "inbound"; subnet = "dns-in"; allocation = "static"; address = "10.10.0.4";
                             listen = "127.0.0.1:53"; }%s );
    outbound_endpoints = ( { name = "outbound"; subnet = "dns-out"; source = "127.0.0.1"; } ); } );
private_zones = (
  { name = "corp.internal"; file = "corp.internal.zone"; links = ( { name = "hub"; virtual_network = "hub"; } ); } );
rulesets = (
  { name = "onprem"; outbound_endpoints = [ "hub-resolver/outbound" ];
    links = ( { name = "hub"; virtual_network = "hub"; } );
    rules = ( { name = "contoso"; domain = "contoso.corp."; targets = ( { address = "%s"; } ); } ); } );
"""
SECOND = ''', { name = "second"; subnet = "dns-in2"; allocation = "static"; address = "10.10.0.36";
                 listen = "127.0.0.1:5353"; }'''
HERE = ("127.0.0.1", 53)


def config(target="127.0.0.1", port=5401, endpoint=""):
    return CONFIG % (endpoint, '%s"; port = %d; protocol = "udp' % (target, port))


class Reload(harness.FreshCase):
    def build(self, world):
        self.host = world.host("cloud")
        self.one = harness.Upstream(self.host, "127.0.0.1", "192.0.2.1", 5401)
        self.two = harness.Upstream(self.host, "127.0.0.1", "192.0.2.2", 5402)
        self.zone("10.10.1.10")
        self.sluice = harness.Sluice(self.host, config(), HERE)

    def zone(self, address):
        self.world.write("corp.internal.zone", "web 300 IN A %s\n" % address)

    def ask(self, name, server=HERE):
        return self.host.ask(server, name)

    def reload(self, *options):
        return self.sluice.command("reload", *options)

    def test_a_changed_rule_takes_effect(self):
        self.assert_answer(self.ask("a.contoso.corp"), "192.0.2.1")
        self.sluice.reconfigure(config(port=5402))
        status, text = self.reload()
        self.assertEqual(0, status, text)
        self.assert_answer(self.ask("a.contoso.corp"), "192.0.2.2")

    def test_sighup_does_the_same(self):
        self.sluice.reconfigure(config(port=5402))
        self.sluice.signal(signal.SIGHUP)
        harness.wait_for(lambda: self.ask("b.contoso.corp").texts() == ["192.0.2.2"], "the new rule")

    def test_a_changed_zone_file_takes_effect(self):
        self.assert_answer(self.ask("web.corp.internal"), "10.10.1.10")
        self.zone("10.10.1.99")
        self.assertEqual(0, self.reload()[0])
        self.assert_answer(self.ask("web.corp.internal"), "10.10.1.99")

    def test_faults_are_printed_and_nothing_moves(self):
        self.sluice.reconfigure(config(port=5402).replace('"dns-out"; source', '"nowhere"; source')
                                .replace('domain = "contoso.corp."', 'domain = "contoso..corp."'))
        status, text = self.reload()
        self.assertEqual(1, status, text)
        self.assertRegex(text, r"sluice\.conf:\d+: .*nowhere")
        self.assertRegex(text, r"sluice\.conf:\d+: .*contoso\.\.corp")
        self.assert_answer(self.ask("c.contoso.corp"), "192.0.2.1")

    def test_a_syntax_error_moves_nothing(self):
        self.sluice.reconfigure("virtual_networks = ( {\n")
        self.assertEqual(1, self.reload()[0])
        self.sluice.signal(signal.SIGHUP)
        harness.wait_for(lambda: "sluice.conf" in self.sluice.log(), "a fault in the log")
        self.assert_answer(self.ask("d.contoso.corp"), "192.0.2.1")

    def test_a_broken_zone_file_moves_nothing(self):
        self.world.write("corp.internal.zone", "web 300 IN A 10.10.1.99\nweb IN A not-an-address\n")
        status, text = self.reload()
        self.assertEqual(1, status, text)
        self.assertRegex(text, r"corp\.internal\.zone:2: ")
        self.assert_answer(self.ask("web.corp.internal"), "10.10.1.10")

    def test_a_zone_file_that_includes_itself_moves_nothing(self):
        pid = self.sluice.pid
        self.world.write("corp.internal.zone", "web 300 IN A 10.10.1.99\n" + "$INCLUDE corp.internal.zone\n" * 5000)
        start = time.monotonic()
        status, text = self.reload()
        self.assertLess(time.monotonic() - start, 20)  # the watchdog's 30 s would end the server
        self.assertEqual(1, status, text)
        self.assertRegex(text, r"corp\.internal\.zone:2: .*a file cannot include itself")
        self.assertEqual(1, text.count("include"), text)
        self.assertEqual(pid, self.sluice.pid)
        self.assert_answer(self.ask("web.corp.internal"), "10.10.1.10")

    def test_a_file_that_says_nothing_moves_nothing(self):
        zone = ("corp.internal.zone", "web IN A 10.10.1.10\n", "it has no record")
        main = (os.path.basename(self.sluice.config), config(), "there is no setting in it")
        for name, whole, why in (zone, main):
            for text in ("", "# nothing\n" if name == main[0] else "; nothing\n"):
                self.world.write(name, text)
                status, said = self.reload("--socket", os.path.join(self.world.dir, "sluice.sock"))
                self.assertEqual(1, status, said)
                self.assertRegex(said, "%s.*: %s" % (re.escape(name), why))
                self.assert_answer(self.ask("web.corp.internal"), "10.10.1.10")
            self.world.write(name, whole)
        self.world.write("corp.internal.zone", "@ SOA ns host 1 7200 3600 1209600 300\n")
        self.assertEqual(0, self.reload()[0])
        self.assert_rcode(self.ask("web.corp.internal"), "NXDOMAIN")

    def test_a_fifo_in_a_zone_s_place_holds_nothing_up(self):
        path = os.path.join(self.world.dir, "corp.internal.zone")
        os.unlink(path)
        os.mkfifo(path)
        status, text = self.reload()
        self.assertEqual(1, status, text)
        self.assertIn("it is not a regular file", text)
        self.assert_answer(self.ask("web.corp.internal"), "10.10.1.10")
        os.unlink(path)
        self.zone("10.10.1.99")
        self.assertEqual(0, self.reload()[0])
        self.assert_answer(self.ask("web.corp.internal"), "10.10.1.99")
        self.assertEqual(0, self.sluice.stop())

    def test_what_did_not_change_keeps_its_cache(self):
        def kept(number):
            name = "kept%d.contoso.corp" % number
            self.ask(name)
            self.zone("10.10.1.%d" % (99 + number))
            self.assertEqual(0, self.reload()[0])
            self.assert_answer(self.ask(name), "192.0.2.1")
            self.assertEqual(1, len(self.one.questions(name)))
        self.unless_late(kept)

    def test_flush_empties_the_cache(self):
        self.ask("flushed.contoso.corp")
        before = len(self.one.questions("flushed.contoso.corp"))
        status, text = self.sluice.command("flush")
        self.assertEqual(0, status, text)
        self.ask("flushed.contoso.corp")
        self.assertGreater(len(self.one.questions("flushed.contoso.corp")), before)

    def test_another_socket_or_number_of_workers_takes_a_restart(self):
        bound = os.path.join(self.world.dir, "sluice.sock")
        moved = config().replace('"sluice.sock"', '"moved.sock"').replace("workers = 2", "workers = 3")
        self.sluice.reconfigure(moved)
        status, text = self.sluice.command("reload", "--socket", bound)
        self.assertEqual(0, status, text)
        self.assertIn("until then use --socket %s\n" % bound, text)
        self.assertRegex(text, r"sluice\.conf:4: workers: warning: .*restart; still 2\n")
        self.sluice.reconfigure(config())  # where it has been all the time
        status, text = self.reload()
        self.assertEqual(0, status, text)
        self.assertNotIn("restart", text)

    def test_workers_that_the_file_no_longer_gives_take_a_restart_at_each_reload(self):
        number = len(os.sched_getaffinity(0)) + 1
        self.sluice.stop()
        self.sluice = harness.Sluice(self.host, config().replace("workers = 2", "workers = %d" % number), HERE)
        self.sluice.reconfigure(config().replace("workers = 2;", ""))
        for _ in range(2):
            status, text = self.reload()
            self.assertEqual(0, status, text)
            self.assertIn("another number of workers takes a restart; still %d\n" % number, text)

    def test_status_tells_the_file_by_its_whole_path(self):
        self.sluice.stop()
        self.sluice = harness.Sluice(self.host, config(), HERE, options=("-c", "sluice.conf"))
        status, text = self.sluice.command("status")
        self.assertEqual(0, status, text)
        self.assertIn("serving %s, generation" % self.sluice.config, text)

    def test_the_log_says_what_a_command_was_refused_for_and_what_was_flushed(self):
        self.sluice.reconfigure(config().replace('"dns-out"; source', '"nowhere"; source'))
        self.assertEqual(1, self.reload()[0])
        self.assertRegex(self.sluice.log(), r"sluice\.conf:\d+: .*nowhere")
        self.sluice.reconfigure(config())
        self.assertEqual(0, self.sluice.command("flush", "contoso.corp", "--suffix")[0])
        self.assertEqual(0, self.sluice.command("flush")[0])
        self.assertRegex(self.sluice.log(), r"dropped from the cache: contoso\.corp\. and what is below it\b")
        self.assertRegex(self.sluice.log(), r"dropped from the cache: everything\b")

    def test_an_endpoint_comes_and_goes(self):
        there = ("127.0.0.1", 5353)
        self.sluice.reconfigure(config(endpoint=SECOND))
        self.assertEqual(0, self.reload()[0])
        self.assert_answer(self.ask("web.corp.internal", there), "10.10.1.10")
        self.sluice.reconfigure(config())
        self.assertEqual(0, self.reload()[0])
        self.assert_answer(self.ask("web.corp.internal"), "10.10.1.10")
        self.assert_refused(self.host, there)

    def listen_at(self, address):
        self.sluice.reconfigure(config().replace('listen = "127.0.0.1:53"', 'listen = "%s:53"' % address))
        status, text = self.reload()
        self.assertEqual(0, status, text)

    def answered(self, server, transport):
        """As clients do it, who ask again: what comes to a socket that the master is about to close is lost."""
        def ask():
            with contextlib.suppress(OSError, EOFError):
                return self.host.ask(server, "web.corp.internal", transport=transport, timeout=2)
        return harness.wait_for(ask, "an answer of %s port %d" % server)

    def test_an_endpoint_goes_to_every_address_and_back(self):
        """The port is its own already: 0.0.0.0 is opened before 127.0.0.1 is closed."""
        other = ("127.0.0.9", 53)
        for _ in range(3):
            self.listen_at("0.0.0.0")
            for server in (HERE, other):
                for transport in (dns.udp, dns.tcp):
                    self.assert_answer(self.answered(server, transport), "10.10.1.10")
            self.listen_at("127.0.0.1")
            self.assert_answer(self.ask("web.corp.internal"), "10.10.1.10")
            self.assert_refused(self.host, other)

    def test_an_endpoint_that_cannot_be_bound_moves_nothing(self):
        with self.host.inside():
            taken = dns.open_socket(dns.socket.SOCK_DGRAM, HERE, None)
        with taken:
            taken.bind(("127.0.0.1", 5353))
            self.sluice.reconfigure(config(port=5402, endpoint=SECOND))
            status, text = self.reload()
        self.assertEqual(1, status, text)
        self.assertIn("127.0.0.1:5353", text)
        self.assert_answer(self.ask("e.contoso.corp"), "192.0.2.1")

    def test_no_answer_is_lost_while_reloading(self):
        with self.host.inside():
            sock = dns.open_socket(dns.socket.SOCK_DGRAM, HERE, None)
        with sock:
            sock.settimeout(dns.PATIENCE)
            sock.connect(HERE)
            for i in range(200):
                if i % 20 == 0:
                    self.zone("10.10.1.%d" % i)
                    self.sluice.signal(signal.SIGHUP)
                sock.send(dns.query("web.corp.internal", ident=i))
                self.assertEqual(i, dns.Message(sock.recv(4096)).id)

    def descriptors(self):
        return len(os.listdir("/proc/%d/fd" % self.sluice.pid))

    def test_a_changed_source_leaves_no_sockets_behind(self):
        self.host.ask(HERE, "first.contoso.corp")
        harness.wait_for(lambda: self.descriptors() > 60, "the first source's ports")
        usual = self.descriptors()
        for i in range(2, 12):
            source = "127.0.0.%d" % i
            self.sluice.reconfigure(config().replace('source = "127.0.0.1"',
                                                     'source = "%s"' % source))
            self.assertEqual(0, self.reload()[0])
            name = "s%d.contoso.corp" % i
            for ident in range(2):  # by either worker
                self.assertIsNotNone(self.host.ask(HERE, "w%d.%s" % (ident, name), ident=ident))
            self.assertEqual({source}, {q["from"] for q in self.one.questions()
                                        if q["name"].endswith(name + ".")})
        harness.wait_for(lambda: self.descriptors() < 2 * usual + 20,
                         "the old sources' ports to be closed: %d at first" % usual)

    def test_a_source_stays_open_for_the_question_that_needs_it(self):
        sock = self.under_way(self.host, HERE, "late700.contoso.corp", self.one)
        self.sluice.reconfigure(config().replace('source = "127.0.0.1"', 'source = "127.0.0.9"'))
        self.assertEqual(0, self.reload()[0])
        self.assert_answer(dns.Message(sock.recv(4096)), "192.0.2.1")

    def test_a_dead_target_holds_up_neither_reload_nor_the_end(self):
        there = ("127.0.0.1", 5353)
        self.sluice.reconfigure(config(endpoint=SECOND))
        self.assertEqual(0, self.reload()[0])
        for attempt in range(10):  # on a slow machine a question may be over before two reloads are
            sock = self.under_way(self.host, HERE, "silent.here%d.contoso.corp" % attempt, self.one)
            self.under_way(self.host, there, "silent.there%d.contoso.corp" % attempt, self.one)
            for text in (config(), config(endpoint=SECOND)):
                self.sluice.reconfigure(text)
                status, output = self.reload()
                self.assertEqual(0, status, output)
            if not select.select([sock], [], [], 0)[0]:
                break
        else:
            self.fail("each reload took until the questions were over")
        for attempt in range(10):
            began = time.monotonic()
            sock = self.under_way(self.host, there, "silent.last%d.contoso.corp" % attempt, self.one)
            self.assertEqual(0, self.sluice.stop())
            answer = dns.Message(sock.recv(4096))  # answered by the end, and not at the end of its time
            # Unless that (RESOLVE_DEADLINE_US) was over first, as on a busy machine.
            if time.monotonic() - began < 4 or (answer.ede and answer.ede[0] == 0):
                break
            self.sluice = harness.Sluice(self.host, config(endpoint=SECOND), there)
        self.assert_rcode(answer, "SERVFAIL", 0, "no longer served")

    def test_status_shows_what_was_turned_away(self):
        before = self.sluice.status()["counters"]["silent"]
        self.assertIsNone(self.host.send(HERE, b"short", timeout=0.1))
        harness.wait_for(lambda: self.sluice.status()["counters"]["silent"] == before + 1,
                         "a packet without a header in the counters")
        status, text = self.sluice.command("status", "--all")
        self.assertEqual(0, status, text)
        for name in ("silent", "overload", "tcp_refused", "replies_lost", "send_failed", "retried"):
            self.assertRegex(text, r"(?m)^ *%s +\d+ +\w+" % name)

    def test_a_question_under_way_survives_a_reload(self):
        sock = self.under_way(self.host, HERE, "late500.contoso.corp", self.one)
        self.sluice.reconfigure(config(port=5402))
        self.assertEqual(0, self.reload()[0])
        self.assert_answer(dns.Message(sock.recv(4096)), "192.0.2.1")

    # ---- `sluice wait`, and GET /readyz that waits ----

    def begin(self, *options):
        command = [harness.SLUICE, "wait", "-c", self.sluice.config, *options]
        child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.addCleanup(child.wait)
        self.addCleanup(child.kill)
        return child

    def ready(self, query):
        with contextlib.closing(harness.UnixConnection(self.sluice.socket)) as connection:
            connection.request("GET", "/readyz" + query)
            response = connection.getresponse()
            return response.status, json.loads(response.read())

    def requests(self):
        """How many connections the control socket has."""
        return harness.sh("ss", "-xH", "state", "connected").count(self.sluice.socket)

    def test_a_generation_is_waited_for(self):
        generation = self.ready("")[1]["generation"]
        child = self.begin("--generation", str(generation + 2))
        harness.wait_for(lambda: self.requests() > 0, "the question")
        self.zone("10.10.1.98")
        self.assertEqual(0, self.reload()[0])
        self.assertIsNone(child.poll())
        self.zone("10.10.1.99")
        self.assertEqual(0, self.reload()[0])
        self.assertEqual("generation %d, revision 0\n" % (generation + 2), child.communicate()[0])
        self.assertEqual(0, child.returncode)
        self.assert_answer(self.ask("web.corp.internal"), "10.10.1.99")

    def test_what_is_served_already_is_not_waited_for(self):
        generation = self.ready("")[1]["generation"]
        self.assertEqual((200, {"status": "ready", "generation": generation, "revision": 0}),
                         self.ready("?generation=%d" % generation))

    def test_a_server_that_is_not_there_yet_is_waited_for(self):
        self.sluice.stop()
        child = self.begin("--timeout", "60")
        again = harness.Sluice(self.host, config(), HERE, name="again")
        self.assertRegex(child.communicate()[0], "generation 1, ")
        self.assertEqual(0, child.returncode)
        self.assertEqual(0, again.stop())

    def test_what_does_not_come_in_time_is_said(self):
        def is_said():  # a server that stands still for a second meanwhile says nothing in time
            status, text = self.sluice.command("wait", "--revision", "7", "--timeout", "1")
            self.assertEqual(1, status, text)
            return "generation 1 and revision 0 are served, and that is not enough yet" in text
        harness.wait_for(is_said, "the server's own words")

    def test_a_stop_waits_for_nobody(self):
        with contextlib.closing(harness.UnixConnection(self.sluice.socket)) as connection:
            connection.request("GET", "/readyz?generation=9")
            self.ready("")  # answered after the server has read the request before it
            self.assertEqual(0, self.sluice.stop())
            response = connection.getresponse()
            self.assertEqual(503, response.status)
            self.assertRegex(response.read().decode(), "not enough yet")

    def test_only_numbers_are_taken(self):
        for query in ("?generation=new", "?revision=-1", "?revision=", "?generations=1"):
            self.assertEqual(400, self.ready(query)[0], query)
        self.assertEqual(2, self.sluice.command("wait", "--timeout", "soon")[0])


class WithoutServer(harness.FreshCase):
    def test_commands_say_that_no_server_runs(self):
        self.world.write("corp.internal.zone", "web 300 IN A 10.10.1.10\n")
        path = self.world.write("sluice.conf", config())
        for name in ("reload", "status", "flush"):
            status, text = harness.command(name, "-c", path)
            self.assertEqual(1, status, text)
            self.assertEqual(1, len(text.splitlines()), text)
            self.assertIn("sluice.sock", text)
            self.assertNotIn("-c FILE", text)
        status, text = harness.command("status", "-c", path, "--socket", "/run/sluice/control.sock")
        self.assertEqual(1, status, text)
        self.assertIn("no server is running there; for another one, give its -c FILE", text)


class ResolvConf(harness.FreshCase):
    """The default resolver is what a resolv.conf says, and follows it."""

    def build(self, world):
        self.host = world.host("cloud")
        self.one = harness.Upstream(self.host, "127.0.0.3", "192.0.2.1")
        self.two = harness.Upstream(self.host, "127.0.0.4", "192.0.2.2")
        world.write("corp.internal.zone", "web 300 IN A 10.10.1.10\n")
        self.path = world.write("resolv.conf", "nameserver 127.0.0.3\n")
        text = config().replace('default_resolver = { targets = ( { address = "127.0.0.3"; } ); };', "")
        text = text.replace('socket = "sluice.sock";', 'socket = "sluice.sock"; state = "state.db";')
        self.sluice = harness.Sluice(self.host, text, HERE, options=("--resolv-conf", self.path))

    def call(self, method, path, body=None):
        with contextlib.closing(harness.UnixConnection(self.sluice.socket)) as connection:
            connection.request(method, path, body, {"Content-Type": "application/json"})
            return json.loads(connection.getresponse().read())

    def answered_by(self, name, upstream):
        self.assert_answer(self.host.ask(HERE, name), upstream)

    def change(self, text, word):
        """As programs do it: a new file in the old one's place."""
        log = len(self.sluice.log())
        os.rename(self.world.write("resolv.conf.new", text), self.path)
        harness.wait_for(lambda: word in self.sluice.log()[log:], "the log to say " + word)

    def test_a_change_is_followed(self):
        self.answered_by("one.test.example", "192.0.2.1")
        self.change("nameserver 127.0.0.4\n", "has changed: generation 2")
        self.answered_by("two.test.example", "192.0.2.2")

    def test_a_change_comes_behind_the_thread_that_reads_what_is_served(self):
        """Which waits for the state here, as another program has locked it."""
        edits = json.dumps({"edits": [{"path": "private_zones/-/z%d.test" % n, "values": {}} for n in range(100)]})
        with contextlib.closing(sqlite3.connect(self.world.dir + "/state.db", isolation_level=None)) as lock, \
                concurrent.futures.ThreadPoolExecutor(1) as pool:
            lock.execute("BEGIN IMMEDIATE")
            posted = pool.submit(self.call, "POST", "/v1/changes", edits)
            harness.wait_for(lambda: posted.done() or self.call("GET", "/v1/status")["work"], "the thread to begin")
            self.change("nameserver 127.0.0.4\n", "has changed: generation")
            self.assertEqual("store_failed", posted.result()["error"]["code"])
        self.answered_by("behind.test.example", "192.0.2.2")

    def test_us_in_it_is_passed_over(self):
        self.change("nameserver 127.0.0.1\nnameserver 127.0.0.4\n", "is this resolver itself")
        self.answered_by("us.test.example", "192.0.2.2")

    def test_what_cannot_be_used_changes_nothing(self):
        self.change("nameserver 127.0.0.1\n", "cannot be used")
        self.answered_by("kept.test.example", "192.0.2.1")
        os.unlink(self.path)
        harness.wait_for(lambda: "cannot be read" in self.sluice.log(), "the log to say why")
        self.answered_by("still.test.example", "192.0.2.1")
        self.change("nameserver 127.0.0.4\n", "has changed: generation 2")
        self.answered_by("again.test.example", "192.0.2.2")

if __name__ == "__main__":
    harness.main()
