"""The query log: what is answered is told once, with what decided it, in whichever form; and whatever
becomes of disks, files, readers and the configuration meanwhile, no query waits and no line is half."""

import calendar
import contextlib
import http.client
import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import threading
import time

import dns
import harness
import hub
from test_stream import Events

CONFIG = """
region = "westeurope";
workers = 2;
management = { socket = "sluice.sock"; state = "state.db"; };
default_resolver = { targets = ( { address = "127.0.0.1"; port = 5402; } ); };
identity = { server = "here"; };
limits = { rulesets_per_virtual_network = 2; };
""" + hub.hub("127.0.0.1:53", "127.0.0.1") + hub.zone_and_rule('address = "127.0.0.1"; port = 5401;') + """
vnet_resolver = { listen = [ "127.0.0.1:5310" ]; };
query_log = { %s };
"""
HERE, VNET = ("127.0.0.1", 53), ("127.0.0.1", 5310)
MEMBERS = ["time", "client", "port", "network", "endpoint", "transport", "name", "type", "class",
           "rcode", "ede", "text", "decided_by", "object", "ruleset", "answered_from", "target",
           "protocol", "outbound_endpoint", "hops", "bytes", "microseconds"]
FILE = 'file = "queries.json";'


class Logged(harness.FreshCase):
    settings = FILE

    def build(self, world):
        self.host = world.host("cloud")
        self.one = harness.Upstream(self.host, "127.0.0.1", "192.0.2.1", 5401)
        self.two = harness.Upstream(self.host, "127.0.0.1", "192.0.2.2", 5402)
        world.write("corp.internal.zone",
                    "web 300 IN A 10.10.1.10\nwww 300 IN CNAME web\nout 300 IN CNAME x.contoso.corp.\n")
        self.path = self.at("queries.json")
        self.start(self.settings)

    def start(self, settings, **how):
        self.sluice = harness.Sluice(self.host, CONFIG % settings, HERE, **how)

    def at(self, name):
        return os.path.join(self.world.dir, name)

    def reload(self, settings):
        self.sluice.reconfigure(CONFIG % settings)
        status, text = self.sluice.command("reload")
        self.assertEqual(0, status, text)

    def ask(self, name, rtype="A", server=HERE, **how):
        return self.host.ask(server, name, rtype, **how)

    def is_quick(self):
        """Asks for quick.contoso.corp; whether the answer took less than 900 ms, as it does unless the machine is busy."""
        began = time.monotonic()
        self.ask("quick.contoso.corp")
        return time.monotonic() - began < 0.9

    def text(self, path=None):
        try:
            with open(path or self.path) as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def lines(self, path=None):
        """Those that are whole; the last may be being written."""
        return [json.loads(line) for line in self.text(path).split("\n")[:-1]]

    def wait_whole(self, path=None):
        """Until the file ends with a line's end."""
        harness.wait_for(lambda: self.text(path).endswith("\n"), "a whole last line")

    def entries(self, name, count=1, path=None):
        """Waits until there are so many of that name."""
        def found():
            got = [e for e in self.lines(path) if (e["name"] or "").lower() == name + "."]
            return got if len(got) >= count else None
        return harness.wait_for(found, "%d of %s in the log" % (count, name))

    def one_of(self, asked, **members):
        entry = self.entries(asked)[-1]
        self.assertEqual(members, {key: entry[key] for key in members}, entry)
        return entry

    def status(self):
        return self.sluice.status()["query_log"]

    def output(self, kind="file"):
        return next(o for o in self.status()["outputs"] if o["kind"] == kind)

    def log_command(self, *arguments):
        status, text = self.sluice.command("log", "--json", *arguments)
        self.assertEqual(0, status, text)
        return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


class Entries(Logged):
    def test_an_answer_of_a_zone_is_told_with_who_asked_and_what_decided(self):
        answer = self.ask("wWw.corp.internal")
        entry = self.one_of(
            "www.corp.internal", name="wWw.corp.internal.", client="127.0.0.1", network="hub",
            endpoint="hub-resolver/inbound", transport="udp", type="A", rcode="NOERROR", ede=None,
            decided_by="zone", object="corp.internal", ruleset=None, answered_from="zone", target=None,
            hops=1)
        self.assertEqual("IN", entry["class"])
        self.assertEqual(MEMBERS, list(entry))
        self.assertEqual(len(answer.packet), entry["bytes"])
        self.assertLess(entry["microseconds"], 10_000_000)
        stamp = calendar.timegm(time.strptime(entry["time"][:19], "%Y-%m-%dT%H:%M:%S"))
        self.assertLess(abs(time.time() - stamp), 120)

    def test_a_forwarded_answer_is_told_with_its_target_and_a_cached_one_too(self):
        self.ask("late200.contoso.corp")
        entry = self.one_of("late200.contoso.corp", decided_by="rule", object="contoso", ruleset="onprem",
                            answered_from="forwarded", target="127.0.0.1:5401", protocol="udp",
                            outbound_endpoint="hub-resolver/outbound")
        self.assertGreaterEqual(entry["microseconds"], 200_000)
        for _ in range(3):
            self.ask("late200.contoso.corp")
        again = self.entries("late200.contoso.corp", 4)[1:]
        self.assertEqual([("cache", "127.0.0.1:5401")] * 3, [(one["answered_from"], one["target"]) for one in again])
        # The quickest counts, as others have the processor, too.
        self.assertLess(min(one["microseconds"] for one in again), 200_000)

    def test_errors_are_told_with_their_reason(self):
        self.ask("servfail.contoso.corp")
        entry = self.one_of("servfail.contoso.corp", rcode="SERVFAIL", decided_by="rule",
                            answered_from="none", target="127.0.0.1:5401")
        self.assertIn("127.0.0.1:5401", entry["text"])
        self.assertIsInstance(entry["ede"], int)
        self.ask("nothing.corp.internal")
        self.one_of("nothing.corp.internal", rcode="NXDOMAIN", decided_by="zone", answered_from="zone")

    def test_the_rest_of_those_who_decide(self):
        self.ask("elsewhere.example")
        self.one_of("elsewhere.example", decided_by="default", target="127.0.0.1:5402")
        self.ask("a.localhost")
        self.one_of("a.localhost", decided_by="special", answered_from="zone")
        self.ask("out.corp.internal")
        self.one_of("out.corp.internal", decided_by="zone", answered_from="forwarded",
                    target="127.0.0.1:5401", hops=1)
        self.ask("version.bind", "TXT", rclass=dns.CH)
        self.assertEqual("CH", self.entries("version.bind")[-1]["class"])

    def test_strangers_and_those_over_tcp_are_told(self):
        self.ask("web.corp.internal", server=VNET)
        self.one_of("web.corp.internal", rcode="REFUSED", decided_by="admission", network=None,
                    endpoint=None, answered_from="none")
        self.host.send(HERE, dns.query("tcp.corp.internal"), dns.tcp)
        self.one_of("tcp.corp.internal", transport="tcp", rcode="NXDOMAIN", port=None)

    def test_what_is_over_a_limit_is_told_with_its_reason_or_as_not_answered(self):
        def over(excess):
            self.sluice.reconfigure((CONFIG % FILE).replace(
                "limits = {", 'limits = { queries_per_second_per_endpoint = 1; excess = "%s";' % excess))
            self.assertEqual(0, self.sluice.command("reload")[0])
            for number in range(5):
                sock = self.host.begin(HERE, "n%d.%s.corp.internal" % (number, excess))
                self.addCleanup(sock.close)
            return harness.wait_for(
                lambda: [e for e in self.lines() if excess in (e["name"] or "")
                         and e["decided_by"] == "admission"], "one that was turned away")[0]
        entry = over("refuse")
        self.assertEqual(("REFUSED", "over the endpoint's limit", "hub", "hub-resolver/inbound"),
                         (entry["rcode"], entry["text"], entry["network"], entry["endpoint"]))
        entry = over("drop")
        self.assertEqual((None, 0, "none"), (entry["rcode"], entry["bytes"], entry["answered_from"]))

    def test_hostile_names_are_text(self):
        wire = b"\x16<script>\"\\\n\x00\xe2\x80\xae\xff';}{]\0\x04corp\x08internal\0"
        packet = dns.header(7, dns.RD, (1, 0, 0, 0)) + wire + struct.pack(">HH", 1, 1)
        self.host.send(HERE, packet)
        name = harness.wait_for(lambda: [e["name"] for e in self.lines() if "script" in (e["name"] or "")],
                                "the name")[0]
        with open(self.path, "rb") as file:
            raw = file.read()
        self.assertTrue(all(0x20 <= byte < 0x7f or byte == 10 for byte in raw), raw)
        self.assertIn("\\226\\128\\174\\255", name)
        status, text = self.sluice.command("log")
        self.assertEqual(0, status)
        self.assertNotIn("\u202e", text)

    def test_what_we_ask_ourselves_is_not_told(self):
        self.ask("web.corp.internal")
        self.sluice.command("ptr", "check", "elsewhere.example")
        self.entries("web.corp.internal")
        self.assertEqual([], [e for e in self.lines() if "elsewhere" in (e["name"] or "")])

    def test_two_outputs_at_one_path_are_a_fault_and_so_is_a_code_that_is_none(self):
        self.sluice.reconfigure(CONFIG % 'file = "a"; dnstap_file = "a"; rcodes = [ "OOPS" ];')
        status, text = self.sluice.command("reload")
        self.assertEqual(1, status)
        self.assertIn("is `file` already", text)
        self.assertIn('"OOPS" is no response code', text)


class Filters(Logged):
    settings = FILE + 'suffixes = [ "corp.internal", "EXAMPLE." ]; rcodes = [ "nxdomain", "NOERROR" ];'

    def test_what_is_given_must_fit(self):
        for name in ("web.corp.internal", "corp.internal", "xcorp.internal", "www.example",
                     "servfail.example", "one.contoso.corp", "nothing.corp.internal"):
            self.ask(name)
        for name in ("web.corp.internal", "corp.internal", "www.example", "nothing.corp.internal"):
            self.entries(name)  # by two workers, whose order is none
        self.assertEqual(["corp.internal.", "nothing.corp.internal.", "web.corp.internal.",
                          "www.example."], sorted(e["name"] for e in self.lines()))
        self.reload(FILE + 'clients = [ "10.0.0.0/8" ]; networks = [ "hub" ];')
        # Of one id, so of one worker, which tells the log of the first before it answers the second.
        for name in ("web.corp.internal", "corp.internal"):
            self.ask(name, ident=4)
        self.reload(FILE + 'clients = [ "127.0.0.0/8" ]; networks = [ "HUB" ];')
        self.ask("www.corp.internal")
        self.entries("www.corp.internal")
        self.assertEqual(1, len(self.entries("web.corp.internal")))

    def test_a_network_that_is_not_there_is_a_warning(self):
        self.sluice.reconfigure(CONFIG % 'networks = [ "nowhere" ];')
        status, text = self.sluice.command("reload")
        self.assertEqual(0, status, text)
        self.assertIn('there is no virtual network "nowhere"', text)

    def test_one_in_so_many(self):
        self.reload(FILE + "sample = 4;")
        with self.host.inside(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.settimeout(dns.PATIENCE)
            sock.connect(HERE)
            for number in range(400):
                sock.send(dns.query("n%d.corp.internal" % number))
                sock.recv(4096)
        self.reload(FILE)
        self.ask("last.corp.internal")
        self.entries("last.corp.internal")
        count = len(self.lines()) - 1
        self.assertTrue(40 < count < 180, count)

    def test_privacy_cuts_clients(self):
        self.reload(FILE + "privacy = true;")
        self.ask("web.corp.internal")
        self.one_of("web.corp.internal", client="127.0.0.0", port=None)
        self.assertEqual(["127.0.0.0"], [e["client"] for e in self.log_command()][-1:])
        self.assertEqual([], self.log_command("client=127.0.0.1"))

    def test_what_was_kept_goes_with_the_log_and_where_privacy_comes(self):
        self.ask("web.corp.internal")
        self.entries("web.corp.internal")
        self.assertEqual("127.0.0.1", self.log_command()[-1]["client"])
        self.reload(FILE + "privacy = true;")
        self.assertEqual([], self.log_command())
        self.ask("www.corp.internal")
        self.entries("www.corp.internal")
        self.assertEqual(["127.0.0.0"], [e["client"] for e in self.log_command()])
        self.reload(FILE + "privacy = true; sample = 1;")  # they stay
        self.assertEqual(1, len(self.log_command()))
        self.sluice.reconfigure((CONFIG % "").replace("query_log = {  };", ""))
        self.assertEqual(0, self.sluice.command("reload")[0])
        self.assertEqual([], self.log_command())

    def test_slow_ones_alone(self):
        self.reload("slower_than_ms = 900;")  # a busy machine may stand still for half a second
        self.ask("web.corp.internal")
        was_quick = self.is_quick()
        names = []

        def told():
            """The server logs at most one slow query a second, which may have been another one."""
            names.append("late1000.n%d.contoso.corp" % len(names))
            self.ask(names[-1])
            harness.wait_for(lambda: names[-1] + "." in [e["name"] for e in self.log_command()], "the entry")
            return re.search(r"slow: late1000\.n\d+\.contoso\.corp\. A from 127\.0\.0\.1", self.sluice.log())
        harness.wait_for(told, "the line")
        self.assertRegex(self.sluice.log(), r"slow: late1000.* took [1-9].* NOERROR, rule onprem/contoso, "
                         r"target 127\.0\.0\.1:5401")
        self.assertNotRegex(self.sluice.log(), "slow: (web|quick)" if was_quick else "slow: web")
        self.assertEqual([name + "." for name in names],
                         [e["name"] for e in self.log_command() if was_quick or "quick" not in e["name"]])


class Files(Logged):
    def test_a_file_that_is_moved_away_is_made_anew(self):
        self.ask("web.corp.internal")
        self.entries("web.corp.internal")
        os.rename(self.path, self.path + ".1")
        self.sluice.signal(signal.SIGHUP)
        harness.wait_for(lambda: os.path.exists(self.path), "the new file")
        self.ask("www.corp.internal")
        self.entries("www.corp.internal")
        self.assertEqual(["web.corp.internal."],
                         [e["name"] for e in self.lines(self.path + ".1") if e["class"] == "IN"])
        self.assertEqual(0o640, os.stat(self.path).st_mode & 0o777)

    def test_it_is_noticed_without_a_signal_and_where_the_configuration_is_wrong(self):
        self.ask("web.corp.internal")
        self.entries("web.corp.internal")
        self.sluice.reconfigure("this is wrong")
        os.rename(self.path, self.path + ".1")
        harness.wait_for(lambda: os.path.exists(self.path), "the new file")
        self.ask("www.corp.internal")
        self.entries("www.corp.internal")

    def test_a_directory_that_is_not_there_is_told_once_and_found_later(self):
        path = self.at("later/queries.json")
        self.reload('file = "later/queries.json";')
        harness.wait_for(lambda: self.output()["error"], "the error")
        self.assertIn("cannot be opened: No such file", self.output()["error"])
        self.assertRegex(self.sluice.command("status")[1],
                         "! the query log's .*/later/queries.json cannot be opened: No such file")
        self.ask("web.corp.internal")
        time.sleep(2.2)
        self.assertEqual(1, self.sluice.log().count("later/queries.json cannot be opened"))
        os.mkdir(self.at("later"))
        self.entries("web.corp.internal", path=path)
        harness.wait_for(lambda: "is written again; 0 entries were lost" in self.sluice.log(), "the line")
        self.assertIsNone(self.output()["error"])

    def full(self, name):
        """A disk with little room."""
        path = self.at(name)
        os.mkdir(path)
        harness.sh("mount", "-t", "tmpfs", "-o", "size=64k", "none", path)
        self.addCleanup(lambda: subprocess.run(["umount", "-l", path]))
        return path

    def fill(self, stop, patience=dns.PATIENCE):
        with self.host.inside(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.settimeout(patience)
            sock.connect(HERE)
            number = 0
            while not stop():
                for _ in range(20):
                    sock.send(dns.query("%060d.corp.internal" % number))
                    number += 1
                for _ in range(20):
                    sock.recv(4096)
        return number

    def test_a_full_disk_leaves_whole_lines_and_every_query_is_answered(self):
        disks = self.full("lines"), self.full("frames")
        path = disks[0] + "/queries.json"
        self.reload('file = "lines/queries.json"; dnstap_file = "frames/queries.dnstap";')
        asked = 1 + self.fill(lambda: self.output()["error"] and self.output("dnstap_file")["error"])
        self.assertIn("cannot be written: No space left", self.output()["error"])
        self.wait_whole(path)
        self.assertGreater(len(self.lines(path)), 10)
        self.ask("web.corp.internal")
        for disk in disks:
            harness.sh("mount", "-o", "remount,size=512m", disk)
        self.entries("web.corp.internal", path=path)
        self.assertEqual(0, self.output()["lost"])
        harness.wait_for(lambda: asked == len([e for e in self.lines(path) if e["type"] == "A"]), "each entry")
        harness.wait_for(lambda: self.output("dnstap_file")["written"] >= asked, "each frame")
        self.sluice.stop()
        frames = [json.loads(extra_of(frame)) for frame in read_frames(disks[1] + "/queries.dnstap")]
        self.assertEqual(asked, len([e for e in frames if e["type"] == "A"]))

    def test_what_does_not_fit_into_the_queue_is_lost_and_counted(self):
        self.full("disk")
        self.reload('file = "disk/queries.json";')
        asked = self.fill(lambda: self.output()["lost"] > 0)
        self.assertGreater(asked, 1000)
        self.assert_answer(self.ask("web.corp.internal"), "10.10.1.10")

    def test_kill_leaves_whole_lines(self):
        def load():
            while self.sluice.pid == before:
                with contextlib.suppress(OSError):  # what was killed with the server, or is late
                    self.fill(lambda: self.sluice.pid != before, patience=1)

        # Before that its master would take the end for a start that failed.
        harness.wait_for(lambda: "serving:" in self.sluice.log(), "the first one to serve")
        for number in range(5):
            before, lines = self.sluice.pid, len(self.lines())
            thread = threading.Thread(target=load, daemon=True)
            thread.start()
            harness.wait_for(lambda: len(self.lines()) > lines + 100, "lines")
            os.kill(before, signal.SIGKILL)
            self.sluice.wait_another(before)
            thread.join(dns.PATIENCE)
            self.ask("after%d.corp.internal" % number)
            self.entries("after%d.corp.internal" % number)
            self.wait_whole()

    def test_what_a_line_was_cut_in_is_cut_off_at_the_start(self):
        self.ask("web.corp.internal")
        self.entries("web.corp.internal")
        self.sluice.stop()
        with open(self.path) as file:
            before = file.read()
        with open(self.path, "a") as file:
            file.write('{"time":"2026-01-31T12:00:00.1')
        self.start(FILE, name="again")
        harness.wait_for(lambda: self.output()["open"], "the file")
        self.ask("www.corp.internal")
        self.entries("www.corp.internal")
        with open(self.path) as file:
            self.assertTrue(file.read().startswith(before + '{"time":"20'))

    def test_a_file_of_somebody_else_keeps_what_it_has(self):
        self.world.write("other", "no line of ours")
        self.reload('file = "other";')
        harness.wait_for(lambda: self.output()["open"], "the file")
        self.ask("web.corp.internal")
        harness.wait_for(lambda: self.output()["written"], "a line")
        with open(self.at("other")) as file:
            text = file.read()
        self.assertTrue(text.startswith("no line of ours\n"))
        self.assertEqual("web.corp.internal.", json.loads(text.splitlines()[1])["name"])


class Changes(Logged):
    def test_names_are_those_that_decided_whatever_changes_meanwhile(self):
        """Rules come and go while they are asked: each answer is told with the one that decided it."""
        stop, asked = threading.Event(), []

        def load():
            while not stop.is_set():
                asked.append("n%d.moving.corp" % len(asked))
                self.ask(asked[-1])
        thread = threading.Thread(target=load, daemon=True)
        thread.start()
        for number in range(12):
            status, text = self.sluice.command(
                "create", "ruleset", "moving%d" % number, "outbound_endpoints=hub-resolver/outbound")
            self.assertEqual(0, status, text)
            for argv in (("create", "rule", "moving%d" % number, "r%d" % number, "domain=moving.corp.",
                          "targets=127.0.0.1:5401"),
                         ("create", "ruleset-link", "moving%d" % number, "l", "virtual_network=hub")):
                status, text = self.sluice.command(*argv)
                self.assertEqual(0, status, text)
            status, text = self.sluice.command("delete", "ruleset", "moving%d" % number)
            self.assertEqual(0, status, text)
        stop.set()
        thread.join(dns.PATIENCE)
        for name in asked[-10:]:  # by two workers, whose order is none
            self.entries(name)
        seen = set()
        for entry in self.lines():
            if not (entry["name"] or "").endswith(".moving.corp."):
                continue
            seen.add(entry["decided_by"])
            if entry["decided_by"] == "rule":
                self.assertEqual("r" + entry["ruleset"][len("moving"):], entry["object"])
                self.assertEqual("127.0.0.1:5401", entry["target"])
            else:
                self.assertEqual(("default", "127.0.0.1:5402"), (entry["decided_by"], entry["target"]))
        self.assertEqual({"rule", "default"}, seen)
        names = [e["name"] for e in self.lines()]
        self.assertEqual([], [name for name in asked if names.count(name + ".") != 1])

    def test_it_is_turned_off_and_on(self):
        self.ask("web.corp.internal")
        self.entries("web.corp.internal")
        off = (CONFIG % "").replace("query_log = {  };", "")
        self.sluice.reconfigure(off)
        self.assertEqual(0, self.sluice.command("reload")[0])
        self.assertEqual((False, []), (self.status()["on"], self.status()["outputs"]))
        self.ask("www.corp.internal")
        self.reload(FILE)
        self.ask("last.corp.internal")
        self.entries("last.corp.internal")
        self.assertNotIn("www.corp.internal.", [e["name"] for e in self.lines()])

    def test_an_upgrade_goes_on_in_the_same_file(self):
        self.reload(FILE + 'dnstap_file = "queries.dnstap";')
        for number in range(3):
            self.ask("n%d.corp.internal" % number)
            status, text = self.sluice.command("upgrade")
            self.assertEqual(0, status, text)
        self.ask("last.corp.internal")
        for name in ("n0", "n1", "n2", "last"):  # each from another process
            self.entries(name + ".corp.internal")
        names = [e["name"] for e in self.lines()]
        self.assertEqual([1] * 4, [names.count(name + ".corp.internal.") for name in
                                   ("n0", "n1", "n2", "last")])
        self.sluice.stop()
        frames = [frame for name in os.listdir(self.world.dir) if name.startswith("queries.dnstap")
                  for frame in read_frames(self.at(name))]
        names = [json.loads(extra_of(frame))["name"] for frame in frames]
        self.assertEqual([1] * 4, [names.count(name + ".corp.internal.") for name in
                                   ("n0", "n1", "n2", "last")])

    def test_what_is_answered_last_is_told(self):
        for number in range(10):  # the end waits for two seconds (LEAVE_MS), in which a busy machine may stand still
            if number > 0:
                self.start(FILE)  # with the same log
            name, before = "late300.n%d.contoso.corp" % number, len(self.sluice.log())
            self.under_way(self.host, HERE, name, self.one)
            self.assertEqual(0, self.sluice.stop())
            if not re.search("still unanswered|takes too long to be written", self.sluice.log()[before:]):
                break
        self.assertEqual("127.0.0.1:5401", self.entries(name)[0]["target"])


class Live(Logged):
    settings = ""

    def watch(self, path="/v1/queries"):
        connection = harness.UnixConnection(self.sluice.socket)
        self.addCleanup(connection.close)
        return Events(connection, path)

    def test_it_is_watched_without_any_configuration(self):
        off = (CONFIG % "").replace("query_log = {  };", "")
        self.sluice.reconfigure(off)
        self.assertEqual(0, self.sluice.command("reload")[0])
        status, text = self.sluice.command("log")
        self.assertEqual(0, status)
        self.assertIn("queries are not logged", text)
        events = self.watch("/v1/queries?suffix=corp.internal&rcode=NXDOMAIN,REFUSED")
        for name in ("web.corp.internal", "nothing.corp.internal", "nothing.example"):
            self.ask(name)
        self.ask("end.corp.internal", server=VNET)
        names = [events.next()[1]["name"], events.next()[1]["name"]]  # by whichever worker
        self.assertEqual(["end.corp.internal.", "nothing.corp.internal."], sorted(names))
        self.assertEqual(1, self.status()["followers"])
        events.close()
        harness.wait_for(lambda: self.status()["followers"] == 0, "it to leave")

    def test_a_client_that_does_not_read_loses_what_it_is_told_of(self):
        for _ in range(10):
            begun = time.monotonic()
            seen, lost = self.told_without_reading()
            # A machine so busy that HTTP_IDLE_MS are over meanwhile has ended the connection.
            if lost or time.monotonic() - begun < 5:
                break
        self.assertGreater(lost, 0)
        self.assertGreater(seen, 100)

    def told_without_reading(self):
        """How many events came ahead of the word of lost ones, and how many were lost; 0: that word did not come."""
        slow, quick = self.watch(), self.watch("/v1/queries?suffix=last.corp.internal")
        # More than the two times QUERY_LOG_FOLLOWER_BYTES and the socket that wait for it; many at a
        # time, by long names, as who takes nothing for HTTP_IDLE_MS has its connection ended.
        with self.host.inside(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.settimeout(dns.PATIENCE)
            sock.connect(HERE)
            for first in range(0, 5000, 50):
                for number in range(first, first + 50):
                    sock.send(dns.query("%063d.%s.corp.internal" % (number, "x" * 63)))
                for _ in range(50):
                    sock.recv(4096)
        self.ask("last.corp.internal")
        self.assertEqual("last.corp.internal.", quick.next()[1]["name"])
        quick.close()
        seen = 0
        with contextlib.closing(slow), contextlib.suppress(http.client.HTTPException, OSError):
            while event := slow.next():
                if "lost" in event[1]:
                    return seen, event[1]["lost"]
                seen += 1
        return seen, 0

    def test_the_latest_are_kept(self):
        for number in range(1100):
            self.ask("n%d.corp.internal" % number, rtype="TXT" if number % 2 else "A")
        harness.wait_for(lambda: len(self.log_command("suffix=n1099.corp.internal")) == 1, "the last")
        entries = self.log_command()
        self.assertEqual(1000, len(entries))
        self.assertEqual("n1099.corp.internal.", entries[-1]["name"])
        self.assertEqual(MEMBERS, list(entries[-1]))

    def test_the_command_follows(self):
        with open(self.at("followed"), "w") as out:
            child = subprocess.Popen([harness.SLUICE, "log", "-c", self.sluice.config, "--follow",
                                      "client=127.0.0.0/8", "slower_than_ms=900"], stdout=out)
        self.addCleanup(child.wait)
        self.addCleanup(child.terminate)
        harness.wait_for(lambda: self.status()["followers"], "it")
        was_quick = self.is_quick()
        self.ask("late1000.contoso.corp")

        def printed():
            with open(self.at("followed")) as file:
                return file.read()
        harness.wait_for(lambda: "late1000" in printed() and printed().endswith("\n"), "the line")
        begin, end = (r"\A", r"\Z") if was_quick else (r"(?m)^", "")  # else that one may be told, too
        self.assertRegex(printed(), begin + r"\d\d:\d\d:\d\d\.\d{3}  127\.0\.0\.1 +late1000\.contoso\.corp\. A +"
                         r"NOERROR +[1-9]\d{3}\.\d{3} ms  rule onprem/contoso, 127\.0\.0\.1:5401\n" + end)

    def test_filters_that_do_not_fit_are_told(self):
        for argument, text in (("rcode=OOPS", "is no response code"), ("client=x", "neither an address"),
                               ("suffix=a..b", "is not a domain name"),
                               ("slower_than_ms=-1", "is not a number"), ("what=1", "is no filter"),
                               ("what", "is no filter")):
            status, printed = self.sluice.command("log", argument)
            self.assertNotEqual(0, status)
            self.assertIn(text, printed)


# ---- dnstap ----

def frames_of(data):
    """Of a Frame Streams file: (control frames' types, data frames)."""
    controls, frames, at = [], [], 0
    while at < len(data):
        length, = struct.unpack_from(">I", data, at)
        if length == 0:
            length, = struct.unpack_from(">I", data, at + 4)
            controls.append(struct.unpack_from(">I", data, at + 8)[0])
            at += 8 + length
        else:
            assert at + 4 + length <= len(data), "half a frame"
            frames.append(data[at + 4:at + 4 + length])
            at += 4 + length
    return controls, frames


def read_frames(path):
    with open(path, "rb") as file:
        return frames_of(file.read())[1]


def fields(message):
    """Of a Protocol Buffers message: [(number, value)]."""
    found, at = [], 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 0x7f) << shift
            shift += 7
            if byte < 0x80:
                return value
    while at < len(message):
        key = varint()
        if key & 7 == 0:
            found.append((key >> 3, varint()))
        elif key & 7 == 5:
            found.append((key >> 3, struct.unpack_from("<I", message, at)[0]))
            at += 4
        else:
            length = varint()
            found.append((key >> 3, message[at:at + length]))
            at += length
    return found


def extra_of(frame):
    return dict(fields(frame))[3]


class Dnstap(Logged):
    settings = FILE + 'dnstap_file = "queries.dnstap";'

    def stop(self):
        """Once both files have all: the end waits no longer than two seconds for a thread that writes."""
        harness.wait_for(lambda: self.output("dnstap_file")["written"] >= self.output()["written"], "dnstap")
        self.sluice.stop()

    def read(self, path, *options):
        """By Debian's reader."""
        if not shutil.which("dnstap-ldns"):
            self.skipTest("dnstap-ldns is not installed")
        return harness.sh("dnstap-ldns", *options, "-r", path)

    def test_debians_reader_reads_the_file(self):
        self.ask("www.corp.internal")
        self.ask("late50.contoso.corp")
        self.host.send(HERE, dns.query("tcp.corp.internal"), dns.tcp)
        self.entries("tcp.corp.internal")
        self.stop()
        lines = self.read(self.at("queries.dnstap")).splitlines()
        for expected in (r' CR 127\.0\.0\.1 UDP \d+b "www\.corp\.internal\." IN A$',
                         r' CR 127\.0\.0\.1 UDP \d+b "late50\.contoso\.corp\." IN A$',
                         r' CR 127\.0\.0\.1 TCP \d+b "tcp\.corp\.internal\." IN A$'):
            self.assertEqual(1, len([line for line in lines if re.search(expected, line)]), lines)
        text = self.read(self.at("queries.dnstap"), "-y")
        self.assertIn('identity: "here"', text)
        self.assertRegex(text, r"www\.corp\.internal\.\s+300\s+IN\s+CNAME\s+web\.corp\.internal\.")
        self.assertRegex(text, r"type: CLIENT_RESPONSE\n  query_time: !!timestamp 20\d\d")

    def test_the_decision_is_in_policy_and_in_extra(self):
        self.ask("web.corp.internal")
        self.ask("late50.contoso.corp")
        line = self.one_of("late50.contoso.corp")
        self.stop()
        frame = next(f for f in read_frames(self.at("queries.dnstap")) if b"late50" in f)
        self.assertEqual(line, json.loads(extra_of(frame)))
        message = dict(fields(dict(fields(frame))[14]))
        policy = dict(fields(message[15]))
        self.assertEqual((b"rule", b"onprem/contoso", 3, 1), (policy[1], policy[2], policy[3], policy[4]))
        frame = next(f for f in read_frames(self.at("queries.dnstap")) if b"web" in f)
        policy = dict(fields(dict(fields(dict(fields(frame))[14]))[15]))
        self.assertEqual((b"zone", b"corp.internal"), (policy[1], policy[2]))
        self.assertEqual((6, 1, 1, b"\x7f\0\0\1"), tuple(message[n] for n in (1, 2, 3, 4)))
        took = (message[12] - message[8]) * 10**9 + message[13] - message[9]
        self.assertEqual(line["microseconds"], took // 1000)
        self.assertEqual(line["bytes"], len(message[14]))

    def test_a_file_that_is_there_is_kept_beside(self):
        self.ask("web.corp.internal")
        self.entries("web.corp.internal")
        self.stop()
        self.start(self.settings, name="again")
        kept = harness.wait_for(lambda: [n for n in os.listdir(self.world.dir)
                                         if re.fullmatch(r"queries\.dnstap\.\d{8}T\d{6}Z", n)], "it")
        self.assertIn("web.corp.internal.", self.read(self.at(kept[0])))
        harness.wait_for(lambda: self.output("dnstap_file")["open"], "the file that follows it")
        os.rename(self.at("queries.dnstap"), self.at("moved"))
        harness.wait_for(lambda: os.path.exists(self.at("queries.dnstap")), "the new file")
        with open(self.at("moved"), "rb") as file:
            self.assertEqual([2, 3], frames_of(file.read())[0])  # START, STOP
        self.ask("www.corp.internal")
        self.entries("www.corp.internal")
        self.stop()
        self.assertIn("www.corp.internal.", self.read(self.at("queries.dnstap")))

    def capture(self, name):
        """Debian's reader at the socket."""
        if not shutil.which("fstrm_capture"):
            self.skipTest("fstrm_capture is not installed")
        child = harness.Process(self.host, name, [
            "fstrm_capture", "-t", "protobuf:dnstap.Dnstap", "-u", self.at("tap.sock"), "-w",
            self.at(name)])
        harness.wait_for(lambda: os.path.exists(self.at("tap.sock")), "the reader's socket")
        return child

    def captured(self, reader, path, name):
        """What it has, once that name is in it: at its end it leaves what it has not read."""
        def has_come():
            reader.signal(signal.SIGHUP)  # it writes what it has
            with contextlib.suppress(FileNotFoundError), open(self.at(path), "rb") as file:
                return name.encode() in file.read()
        harness.wait_for(has_come, "the reader to have " + name)
        reader.stop()
        return self.read(self.at(path))

    def test_a_reader_at_the_socket_comes_goes_and_comes_again(self):
        self.entries("version.bind")  # the harness's, ahead of the socket
        self.reload(FILE + 'dnstap_socket = "tap.sock";')
        harness.wait_for(lambda: self.output("dnstap_socket")["error"], "the error")
        self.ask("before.corp.internal")
        reader = self.capture("first")
        harness.wait_for(lambda: self.output("dnstap_socket")["written"] >= 1, "the reader")
        self.ask("during.corp.internal")
        self.entries("during.corp.internal")
        harness.wait_for(lambda: self.output("dnstap_socket")["written"] >= 2, "the entry")
        text = self.captured(reader, "first", "during.corp.internal.")
        self.assertIn("before.corp.internal.", text)
        self.assertIn("during.corp.internal.", text)
        harness.wait_for(lambda: not self.output("dnstap_socket")["open"], "it to be missed")
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.at("tap.sock"))
        self.ask("away.corp.internal")
        reader = self.capture("second")
        harness.wait_for(lambda: self.output("dnstap_socket")["open"], "the reader")
        self.ask("again.corp.internal")
        self.entries("again.corp.internal")
        harness.wait_for(lambda: self.output("dnstap_socket")["written"]
                         + self.output("dnstap_socket")["lost"] >= 4, "the entries")
        text = self.captured(reader, "second", "again.corp.internal.")
        self.assertIn("again.corp.internal.", text)
        self.assertEqual(0, self.sluice.stop())

    def listener(self, backlog):
        """A reader's socket of our own."""
        listener = socket.socket(socket.AF_UNIX)
        self.addCleanup(listener.close)
        listener.bind(self.at("tap.sock"))
        listener.listen(backlog)
        return listener

    def test_a_reader_that_reads_nothing_costs_entries_and_no_query(self):
        self.listener(4)
        self.reload('dnstap_socket = "tap.sock";')
        with self.host.inside(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.settimeout(dns.PATIENCE)
            sock.connect(HERE)
            number = 0
            while self.output("dnstap_socket")["lost"] == 0:
                for _ in range(200):
                    sock.send(dns.query("%060d.corp.internal" % number))
                    sock.recv(4096)
                    number += 1
        self.assert_answer(self.ask("web.corp.internal"), "10.10.1.10")
        self.assertEqual(0, self.sluice.stop())

    def test_a_reader_that_accepts_nothing_is_told(self):
        self.listener(0)
        holder = socket.socket(socket.AF_UNIX)  # all that there is room for
        self.addCleanup(holder.close)
        holder.connect(self.at("tap.sock"))
        self.reload('dnstap_socket = "tap.sock";')
        harness.wait_for(lambda: self.output("dnstap_socket")["error"] ==
                         "cannot be opened: the reader does not accept connections", "the error")

    def test_a_reader_that_hangs_holds_up_no_reload(self):
        listener = self.listener(8)

        def reload_to(text):
            begun = time.monotonic()
            self.reload(text)
            return time.monotonic() - begun

        def reload_without():
            self.reload('dnstap_socket = "tap.sock";')
            listener.accept()[0].detach()  # it stays open, and says nothing
            return reload_to(FILE)
        # Whoever waited for it would wait for a second, each time.
        hanging, others = [], []
        for number in range(20):
            hanging.append(reload_without())
            others.append(reload_to(FILE))
            if number >= 2 and min(hanging) < min(others) + 0.9:
                break
        self.assertLess(min(hanging), min(others) + 0.9)
        self.ask("web.corp.internal")
        self.entries("web.corp.internal")


if __name__ == "__main__":
    harness.main()
