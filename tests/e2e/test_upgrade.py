"""One program takes over from another under load: every query is answered, by one of the two, and
where the new one fails nobody notices."""

import contextlib
import http.client
import json
import os
import random
import re
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import threading
import time
import unittest

import dns
import harness
import hub

CONFIG = """
subscription = "11111111-2222-3333-4444-555555555555";
region = "westeurope";
workers = %(workers)d;
limits = { queries_per_second_per_endpoint = 0; };
management = { socket = "sluice.sock"; state = "state.db"; listen = [ "http://127.0.0.1:8053" ]; };
default_resolver = { targets = ( { address = "127.0.0.3"; } ); };
""" + hub.hub("%(listen)s", "127.0.0.1") + hub.zone_and_rule('address = "127.0.0.1"; port = 5401;') + """
address_pools = ( { name = "public"; prefix = "198.51.100.0/24"; } );
"""
HERE = ("127.0.0.1", 53)
ZONE, CACHED = ("web.corp.internal", "10.10.1.10"), ("one.contoso.corp", "192.0.2.1")


class Load(threading.Thread):
    """Asks one kind of question, a window at a time, and counts what comes back. A query that is not
    answered within `patience` seconds is lost."""

    def __init__(self, host, kind, patience=dns.PATIENCE):
        super().__init__(daemon=True)
        self.kind, self.patience = kind, patience
        self.asked = self.answered = 0
        self.wrong, self.lost, self.done = [], [], threading.Event()
        with host.inside():
            self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.socket.connect(HERE)
        self.socket.settimeout(0.05)
        self.waiting, self.number = {}, 0
        self.templates = {}

    def question(self):
        """(packet, expected address) with an id that is not in use."""
        self.number = (self.number + 1) & 0xffff
        if self.kind == "forwarded":
            name, address = "n%d.contoso.corp" % self.asked, "192.0.2.1"
            packet = dns.query(name)
        else:
            name, address = ZONE if self.kind == "zone" else CACHED
            packet = self.templates.setdefault(name, dns.query(name))
        return struct.pack("!H", self.number) + packet[2:], address

    def ask(self):
        packet, address = self.question()
        if self.number in self.waiting:
            return
        self.waiting[self.number] = (time.monotonic(), address)
        self.asked += 1
        self.socket.send(packet)

    def receive(self):
        try:
            reply = self.socket.recv(4096)
        except (TimeoutError, ConnectionRefusedError) as error:
            if isinstance(error, ConnectionRefusedError):
                self.wrong.append("refused")
            return
        sent = self.waiting.pop(struct.unpack("!H", reply[:2])[0], None)
        if sent is None:
            self.wrong.append("an answer to nothing")
        elif reply[3] & 15 or socket.inet_aton(sent[1]) not in reply:
            self.wrong.append(reply)
        else:
            self.answered += 1

    def expire(self, now):
        for number, (since, _) in list(self.waiting.items()):
            if now - since > self.patience:
                self.lost.append((since, number))
                del self.waiting[number]

    def run(self):
        window = 4 if self.kind == "forwarded" else 32
        while not self.done.is_set() or self.waiting:
            while len(self.waiting) < window and not self.done.is_set():
                self.ask()
            self.receive()
            self.expire(time.monotonic())


class TcpLoad(threading.Thread):
    """Connections one after the other, some questions on each; a connection that is closed while
    nothing was asked on it is what RFC 7766 lets a server do."""

    def __init__(self, host):
        super().__init__(daemon=True)
        self.host, self.kind, self.asked, self.answered = host, "tcp", 0, 0
        self.wrong, self.lost, self.done = [], [], threading.Event()
        self.sockets = []

    def talk(self, sock, heard):
        """For less than a second: a server that leaves ends a connection that is quiet for so long, and each one a
        second after it began to leave. `heard` is when the server last sent something; where this thread stood still
        since then, nothing may come any more."""
        end = heard + 0.2
        for number in range(20):
            if number > 0 and time.monotonic() > end:
                break
            packet, head = dns.query(ZONE[0]), b""
            with contextlib.suppress(ConnectionError):
                sock.sendall(struct.pack("!H", len(packet)) + packet)
            sent = time.monotonic()
            with contextlib.suppress(ConnectionError):
                head = sock.recv(2, socket.MSG_WAITALL)
            if not head and sent > heard + 0.5:
                break
            self.asked += 1
            reply = sock.recv(struct.unpack("!H", head)[0], socket.MSG_WAITALL) if head else b""
            if reply[:2] == packet[:2] and socket.inet_aton(ZONE[1]) in reply:
                self.answered += 1
            else:
                self.wrong.append(reply)
            heard = time.monotonic()

    def run(self):
        self.host._enter("/run/netns/" + self.host.name)  # this thread's alone
        while not self.done.is_set():
            try:
                with socket.socket() as sock:
                    sock.settimeout(dns.PATIENCE)
                    begin = time.monotonic()
                    sock.connect(HERE)
                    self.talk(sock, begin)
            except OSError as error:
                self.lost.append(error)


class Forwarder(threading.Thread):
    """A question every 50 ms on one connection, whether or not those before it are answered, of which
    each takes 300 ms. When the server ends the connection it begins another and asks there what is
    not answered yet (RFC 7766 section 6.2.4). That is fair for what the server has not read; what the
    upstream had been asked by then should have been answered."""

    def __init__(self, host, upstream):
        super().__init__(daemon=True)
        self.host, self.upstream, self.asked, self.answered = host, upstream, 0, 0
        self.waiting, self.wrong, self.read_in_vain, self.closes = {}, [], [], 0
        self.done = threading.Event()

    def name(self, number):
        return "late300.n%d.contoso.corp." % number

    def send(self, sock, number):
        with contextlib.suppress(ConnectionResetError, BrokenPipeError):  # recv tells, too
            sock.sendall(dns.framed(struct.pack("!H", number) + dns.query(self.name(number))[2:]))

    def take(self, reply):
        number = struct.unpack("!H", reply[:2])[0]
        if reply[3] & 15 or self.waiting.pop(number, None) is None:
            self.wrong.append(reply)
        self.answered += 1

    def talk(self, sock):
        """Until the server ends it."""
        received, due = b"", time.monotonic()
        while self.waiting or not self.done.is_set():
            if time.monotonic() >= due and not self.done.is_set():
                due += 0.05
                self.asked += 1
                self.waiting[self.asked] = True
                self.send(sock, self.asked)
            with contextlib.suppress(TimeoutError):
                some = sock.recv(4096)
                if not some:
                    break
                received += some
            while len(received) >= 2 and len(received) >= 2 + struct.unpack("!H", received[:2])[0]:
                length = struct.unpack("!H", received[:2])[0]
                self.take(received[2:2 + length])
                received = received[2 + length:]
        if received:
            self.wrong.append(received)

    def run(self):
        self.host._enter("/run/netns/" + self.host.name)  # this thread's alone
        while self.waiting or not self.done.is_set():
            with socket.socket() as sock:
                sock.connect(HERE)
                sock.settimeout(0.01)
                for number in list(self.waiting):
                    self.send(sock, number)
                try:
                    self.talk(sock)
                except ConnectionResetError as error:
                    self.wrong.append(error)
            if not self.done.is_set():
                self.closes += 1
                read = {question["name"] for question in self.upstream.questions()}
                self.read_in_vain += [name for name in map(self.name, self.waiting) if name in read]


@contextlib.contextmanager
def silent_question(host):
    """A question that waits at the server, whose default resolver says nothing; gives its socket."""
    with host.inside():
        silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        asking = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with silent, asking:
        silent.bind(("127.0.0.3", 53))
        silent.settimeout(dns.PATIENCE)
        asking.settimeout(dns.PATIENCE)
        asking.sendto(dns.query("silent.example.org"), HERE)
        silent.recv(4096)
        yield asking


@unittest.skipIf(harness.VALGRIND, "what the program is then, is valgrind")
class Upgrading(harness.FreshCase):
    def build(self, world):
        self.host = world.host("cloud")
        self.upstream = harness.Upstream(self.host, "127.0.0.1", "192.0.2.1", 5401)
        world.write("corp.internal.zone", "web 300 IN A 10.10.1.10\n")
        self.sluice = harness.Sluice(self.host, self.config(), HERE)
        self.written = False

    def config(self, workers=2, listen="127.0.0.1:53"):
        return CONFIG % {"workers": workers, "listen": listen}

    def upgrade(self, *options, fine=True):
        before = self.sluice.pid
        status, text = self.sluice.command("upgrade", *options)
        self.assertEqual(0 if fine else 1, status, text + self.sluice.log())
        found = re.search(r"process (\d+) has taken over", text)
        self.assertEqual(fine, found is not None, text)
        self.assertEqual(int(found.group(1)) if found else before, self.sluice.pid)
        return text

    def left(self, pid):
        """That server has ended, and its master lives."""
        harness.wait_for(lambda: harness.is_gone(pid), "process %d to end" % pid, 3 * dns.PATIENCE)
        self.assertIsNone(self.sluice.child.poll(), self.sluice.log())

    def load(self, *kinds):
        """Starts the load; gives what ends it and checks the outcome."""
        with self.host.inside():
            threads = [Load(self.host, kind) for kind in kinds if kind != "tcp"]
            threads += [TcpLoad(self.host)] if "tcp" in kinds else []
            for thread in threads:
                thread.start()

        def goes_on():
            """Each has had another twenty answers."""
            least = [thread.answered + 20 for thread in threads]
            harness.wait_for(lambda: all(thread.answered >= answered or thread.wrong or thread.lost
                                         for thread, answered in zip(threads, least)), "the load")

        def end():
            goes_on()
            for thread in threads:
                thread.done.set()
            for thread in threads:
                thread.join(2 * dns.PATIENCE)
                what = "%s, of %d" % (thread.kind, thread.asked)
                self.assertEqual([], thread.wrong[:3], what)
                self.assertEqual([], thread.lost[:3], what)
                self.assertEqual(thread.asked, thread.answered)
        goes_on()
        return end

    def script(self, name, text):
        path = self.world.write(name, "#!/bin/sh\n" + text)
        os.chmod(path, 0o755)
        return path

    def slow(self):
        """A program that waits, and then executes ours: its path, and what lets it go on."""
        go = os.path.join(self.world.dir, "go")
        return self.script("slow", 'while ! [ -e %s ]; do sleep 0.05; done; exec %s "$@"\n'
                           % (go, harness.SLUICE)), lambda: self.world.write("go", "")

    def begin(self, *options):
        """Starts an upgrade; its command, once the new process is there."""
        command = subprocess.Popen([harness.SLUICE, "upgrade", "-c", self.sluice.config, *options],
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.addCleanup(command.stdout.close)
        self.addCleanup(command.kill)
        # Of a quick one all may be over by the next look.
        harness.wait_for(lambda: len(harness.children_of(self.sluice.child.pid)) > 1
                         or command.poll() is not None, "the new process")
        return command

    def goes_on(self):
        self.assertIsNone(self.sluice.child.poll(), self.sluice.log())
        self.assert_answer(self.host.ask(HERE, ZONE[0]), ZONE[1])
        self.assertEqual(0, *self.write())

    def write(self):
        if self.written:
            status, text = self.sluice.command("address", "remove", "a")
            if status:
                return status, text
        self.written = True
        return self.sluice.command("address", "add", "a", "198.51.100.9", "--static")

    def zone_has(self, name):
        self.world.write("corp.internal.zone", "web 300 IN A 10.10.1.10\n%s 300 IN A 10.10.1.11\n"
                         % name)

    def has(self, name):
        return self.host.ask(HERE, name + ".corp.internal").rcode == "NOERROR"


class Upgrade(Upgrading):
    # ---- what works ----

    def test_every_query_is_answered_while_one_takes_over_from_another(self):
        self.assert_answer(self.host.ask(HERE, CACHED[0]), CACHED[1])
        end = self.load("zone", "cached", "forwarded", "tcp")
        before = self.sluice.pid
        self.upgrade()
        self.left(before)
        end()

    def test_a_connection_that_is_never_quiet_is_ended_when_all_that_was_read_is_answered(self):
        with self.host.inside():
            forwarder = Forwarder(self.host, self.upstream)
            forwarder.start()

        def goes_on():
            until = forwarder.answered + 20
            harness.wait_for(lambda: forwarder.answered >= until or forwarder.wrong, "answers")
        goes_on()
        before = self.sluice.pid
        self.upgrade()
        self.left(before)
        goes_on()
        forwarder.done.set()
        forwarder.join(2 * dns.PATIENCE)
        self.assertEqual([], forwarder.read_in_vain)
        self.assertEqual([], forwarder.wrong)
        self.assertEqual(1, forwarder.closes)
        self.assertEqual(forwarder.asked, forwarder.answered)

    def test_five_times_in_a_row(self):
        end = self.load("zone", "forwarded")
        before = []
        for _ in range(5):
            before.append(self.sluice.pid)
            self.upgrade()
        end()
        for pid in before:
            self.left(pid)
        self.assertEqual(5, len(set(before)))
        self.goes_on()

    def check_names_at_once(self):
        """Names of addresses are looked up, which takes three seconds while the default resolver is silent."""
        harness.Upstream(self.host, "127.0.0.3", "198.51.100.7")

    def test_the_successor_has_api_state_and_log(self):
        self.check_names_at_once()
        self.assertEqual(0, self.sluice.command("address", "add", "mail", "198.51.100.25", "--static",
                                                "--reverse-fqdn", "mail.example.com.")[0])
        before = self.sluice.pid
        self.upgrade()
        self.left(before)
        self.assert_answer(self.host.ask(HERE, "25.100.51.198.in-addr.arpa", "PTR"),
                           "mail.example.com.")
        self.assertEqual(0, self.sluice.command("ptr", "set", "198.51.100.25", "other.example.com.")[0])
        status, text = self.host.run("curl", "-s", "http://127.0.0.1:8053/healthz")
        self.assertIn("ok", text, status)
        self.assertIn("serves now; finishing what is under way", self.sluice.log())
        self.assertEqual(2, len(re.findall(r"sluice \d+\.\d+\.\d+, 2 workers", self.sluice.log())), self.sluice.log())
        self.zone_has("later")
        self.assertEqual(0, *self.sluice.command("reload"))
        self.assertTrue(self.has("later"))
        self.assertIn("reload: reloaded", self.sluice.log())

    def test_who_follows_the_events_misses_none_of_the_successor(self):
        with self.host.inside(), subprocess.Popen(
                [harness.SLUICE, "events", "-c", self.sluice.config, "--follow"],
                stdout=subprocess.PIPE, text=True) as follower:
            for _ in range(3):
                self.upgrade()
                line = ""
                while "has taken over" not in line:
                    line = follower.stdout.readline()
                    self.assertTrue(line)
            follower.terminate()

    def test_what_is_acknowledged_meanwhile_is_not_lost(self):
        """Changes go on all the time; each is served from when it is acknowledged, by whoever serves."""
        self.check_names_at_once()
        done, acknowledged, wrong = threading.Event(), [], []

        def change():
            while not done.is_set():
                number = len(acknowledged)
                with contextlib.suppress(OSError, http.client.HTTPException):
                    connection = harness.UnixConnection(self.sluice.socket)
                    connection.request("PUT", "/v1/addresses/g/a", json.dumps(
                        {"address": "198.51.100.7", "allocation": "static",
                         "reverse_fqdn": "n%d.example.com." % number}),
                        {"Content-Type": "application/json"})
                    if connection.getresponse().status in (200, 201):
                        acknowledged.append(number)
                    connection.close()
                if acknowledged:
                    texts = self.host.ask(HERE, "7.100.51.198.in-addr.arpa", "PTR").texts()
                    numbers = [int(text[1:].split(".")[0]) for text in texts]
                    if len(numbers) != 1 or numbers[0] < acknowledged[-1]:
                        wrong.append((acknowledged[-1], texts))
        thread = threading.Thread(target=change, daemon=True)
        thread.start()
        for _ in range(4):
            until = len(acknowledged) + 20
            harness.wait_for(lambda: len(acknowledged) >= until, "changes")
            self.upgrade()
        until = len(acknowledged) + 20
        harness.wait_for(lambda: len(acknowledged) >= until, "changes")
        done.set()
        thread.join(dns.PATIENCE)
        self.assertEqual([], wrong)
        self.assert_answer(self.host.ask(HERE, "7.100.51.198.in-addr.arpa", "PTR"),
                           "n%d.example.com." % acknowledged[-1])

    def test_an_address_that_is_new_is_opened_and_one_that_is_gone_is_not_kept(self):
        self.sluice.reconfigure(self.config(listen="127.0.0.1:5353"))
        before = self.sluice.pid
        self.upgrade()
        self.left(before)
        self.assert_answer(self.host.ask(("127.0.0.1", 5353), ZONE[0]), ZONE[1])
        with self.assertRaises(OSError), self.host.inside():
            dns.tcp(dns.query(ZONE[0]), HERE)

    def test_the_master_follows_and_is_the_same_process(self):
        program = shutil.copy(harness.SLUICE, os.path.join(self.world.dir, "newer"))
        with silent_question(self.host):  # for which the old one stays
            self.upgrade("--binary", program)
            self.assertIn("nothing is taken over", self.upgrade("--binary", "/bin/false", fine=False))
        for link in ("/proc/%d/exe" % self.sluice.child.pid, "/proc/%d/exe" % self.sluice.pid):
            harness.wait_for(lambda: os.readlink(link) == program, link)
        before = self.sluice.pid
        os.kill(before, signal.SIGKILL)
        self.sluice.wait_another(before)
        self.assertEqual(program, os.readlink("/proc/%d/exe" % self.sluice.pid))
        self.goes_on()
        self.upgrade()
        self.goes_on()

    def test_signals_are_for_the_control_thread(self):
        self.sluice.reconfigure(self.config() + 'events = { webhook = "http://127.0.0.1:8099/"; };\n')
        self.upgrade()
        pid = self.sluice.pid
        self.assertEqual(0, self.sluice.command("names")[0])  # it is in a thread that they are gathered

        def woken():
            tids = [tid for tid, task in harness.threads_of(pid).items() if not int(task["SigBlk"], 16) & 1 << signal.SIGTERM - 1]
            self.assertLessEqual(set(tids), {pid})
            return tids  # none for a moment, while that one starts others

        harness.wait_for(woken, "signals to be let through")

    # ---- what is refused, and changes nothing ----

    def test_a_configuration_with_a_fault_is_refused(self):
        self.sluice.reconfigure(self.config().replace('"dns-out"; source', '"nowhere"; source'))
        self.assertIn("nowhere", self.upgrade(fine=False))
        self.sluice.reconfigure(self.config())
        self.goes_on()

    def test_a_file_that_was_cut_is_refused(self):
        zone = ("corp.internal.zone", "web 300 IN A 10.10.1.10\n")
        main = (os.path.basename(self.sluice.config), self.config())
        for (name, whole), cut, why in (
                (zone, "web 300 IN A 10.10.1", "the data of this A record"),
                (zone, "", "it has no record; write a SOA record alone"),
                (main, "", "there is no setting in it")):
            self.world.write(name, cut)
            text = self.upgrade("--socket", self.sluice.socket, fine=False)
            self.assertRegex(text, "%s.*: %s" % (re.escape(name), why))
            self.assert_answer(self.host.ask(HERE, ZONE[0]), ZONE[1])
            self.world.write(name, whole)
        self.goes_on()
        self.upgrade()

    def test_a_state_that_is_not_there_is_refused(self):
        self.assertEqual(0, *self.write())
        path, aside = (os.path.join(self.world.dir, "state.db" + suffix) for suffix in ("", ".aside"))
        os.rename(path, aside)
        self.assertIn("is not there", self.upgrade(fine=False))
        os.rename(aside, path)
        self.goes_on()

    def test_another_number_of_workers_is_refused(self):
        self.sluice.reconfigure(self.config(workers=3))
        self.assertIn("another number of workers takes a restart", self.upgrade(fine=False))
        self.goes_on()

    def test_a_program_that_crashes_or_is_none_changes_nothing(self):
        end = self.load("zone")
        self.assertIn("signal 9", self.upgrade("--binary", self.script("crash", "kill -9 $$\n"),
                                               fine=False))
        self.assertIn("says this", self.upgrade("--binary", self.script(
            "ends", "echo says this >&2; exit 0\n"), fine=False))
        self.assertIn("goes on as before: nothing is taken over: the new process ended with status 0\n",
                      self.sluice.log())
        self.upgrade("--binary", os.path.join(self.world.dir, "nothing"), fine=False)
        self.upgrade("--binary", self.script("format", "\0"), fine=False)
        self.goes_on()
        end()

    def test_a_successor_that_is_killed_half_way_changes_nothing(self):
        for _ in range(6):
            before = self.sluice.pid
            command = self.begin()
            time.sleep(random.uniform(0.0, 0.25))
            new = [pid for pid in harness.children_of(self.sluice.child.pid) if pid != before]
            for pid in new:
                with contextlib.suppress(ProcessLookupError):  # an old one that has just left
                    os.kill(pid, signal.SIGKILL)
            command.wait(2 * dns.PATIENCE)
            self.goes_on()

    def test_an_upgrade_goes_on_without_who_asked_for_it(self):
        slow, go = self.slow()
        before = self.sluice.pid
        self.begin("--binary", slow).kill()
        go()
        self.left(before)
        self.goes_on()

    def test_another_one_at_the_same_time_is_refused(self):
        slow, go = self.slow()
        before = self.sluice.pid
        command = self.begin("--binary", slow)
        status, text = self.sluice.command("upgrade")
        self.assertEqual(1, status)
        self.assertIn("another upgrade is under way", text)
        go()
        self.assertEqual(0, command.wait(2 * dns.PATIENCE))
        self.left(before)
        self.goes_on()

    def test_it_begins_on_the_control_socket_and_with_a_whole_path(self):
        ask = lambda *more: self.host.run("curl", "-s", *more)[1]
        for body in ('{"binary": "sluice"}', "{}"):
            self.assertIn("absolute path", ask("--unix-socket", self.sluice.socket,
                                               "http://sluice/v1/upgrade", "--json", body))
        self.assertIn("401", ask("-o", "/dev/null", "-w", "%{http_code}", "--json",
                                 '{"binary": "/bin/false"}', "http://127.0.0.1:8053/v1/upgrade"))
        self.goes_on()

    @unittest.skipUnless(os.geteuid() == 0, "only root can be somebody else")
    def test_another_user_is_refused(self):
        text = self.host.run("setpriv", "--reuid", "65534", "--clear-groups", harness.SLUICE,
                             "upgrade", "-c", self.sluice.config)[1]
        self.assertIn("permission denied", text)
        self.goes_on()

    # ---- what else comes ----

    def test_a_reload_that_is_wanted_meanwhile_is_done_by_whoever_serves_then(self):
        slow, go = self.slow()
        end = os.path.join(self.world.dir, "end")
        ends = self.script("ends", "while ! [ -e %s ]; do sleep 0.05; done\n" % end)
        for name, program, let in (("refused", ends, lambda: self.world.write("end", "")), ("new", slow, go)):
            command = self.begin("--binary", program)
            self.zone_has(name)
            self.sluice.signal(signal.SIGHUP)
            time.sleep(0.2)
            self.assertFalse(self.has(name))
            self.assertIn("an upgrade is under way", self.sluice.command("reload")[1])
            let()
            command.wait(2 * dns.PATIENCE)
            harness.wait_for(lambda: self.has(name), "the reload")

    def test_one_that_is_stopped_meanwhile_ends(self):
        slow, _ = self.slow()
        command = self.begin("--binary", slow)
        self.sluice.signal(signal.SIGTERM)
        self.assertEqual(0, self.sluice.child.wait(dns.PATIENCE), self.sluice.log())
        self.assertEqual(1, command.wait(dns.PATIENCE))
        self.assertIn("told to stop", command.stdout.read())
        self.assertFalse(os.path.exists(self.sluice.socket))

    def check(self):
        """A check of a name that waits some seconds for a server that says nothing."""
        with self.host.inside():
            silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            silent.bind(("127.0.0.3", 53))
            silent.settimeout(dns.PATIENCE)
            checking = subprocess.Popen([harness.SLUICE, "ptr", "check", "198.18.7.8", "-c",
                                         self.sluice.config], stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True)
        silent.recv(4096)
        return silent, checking

    def test_a_request_that_takes_long_is_finished_first(self):
        """The command waits for it, too: until then the old server answers, by what it has read."""
        for _ in range(20):  # on a slow machine the check may be over before the upgrade is that far
            silent, checking = self.check()
            with silent:
                before, seen = self.sluice.pid, len(self.sluice.log())
                command = self.begin()
                harness.wait_for(lambda: "finishing what is under way" in self.sluice.log()[seen:], "the new one to be ready")
                with contextlib.suppress(ProcessLookupError, FileNotFoundError):
                    harness.freeze(before)
                answer, ended = self.host.ask(HERE, ZONE[0], timeout=0.3), command.poll()
                lasts = checking.poll() is None
                if lasts and (answer or ended is not None):  # then the check has its answer, too, and is about to end
                    harness.wait_for(lambda: checking.poll() is not None,
                                     "the check, as the new one answers, which should have no state yet", 10)
                    lasts = False
                with contextlib.suppress(ProcessLookupError):
                    os.kill(before, signal.SIGCONT)
                harness.wait_for(lambda: checking.poll() is not None, "the answer")
            self.assertIn("198.18.7.8", checking.communicate(timeout=dns.PATIENCE)[0])
            self.assertEqual(0, command.wait(dns.PATIENCE), command.stdout.read())
            self.goes_on()
            if lasts:
                return
        self.fail("each check was over before the upgrade")

    def stops_meanwhile(self, act):
        """It is told to stop while it takes over. act gets the old server's id, and a question that it has to answer,
        and returns false if the stop was over too early: then everything is repeated."""
        for attempt in range(20):  # on a slow machine the check, or the two seconds of a stop, may be over too early
            silent, checking = self.check()
            old = self.sluice.pid
            with silent:
                command = self.begin()
                harness.wait_for(lambda: "finishing what is under way" in self.sluice.log(), "the new one to be ready")
                asking = self.under_way(self.host, HERE, "held.n%d.contoso.corp" % attempt, self.upstream)
                self.sluice.signal(signal.SIGTERM)
                harness.wait_for(lambda: self.sluice.log().count("stopping on SIGTERM") == 2
                                 or self.sluice.child.poll() is not None, "the signal at both")
                in_time = act(old, asking)
                self.assertEqual(0, self.sluice.child.wait(dns.PATIENCE), self.sluice.log())
                for ended in (command, checking):
                    ended.wait(dns.PATIENCE)
                checking.stdout.close()
            self.assertNotIn("the old server ended", self.sluice.log())
            if in_time and "has taken over" not in self.sluice.log():
                return
            self.upstream.hold()
            self.sluice = harness.Sluice(self.host, self.config(), HERE, name="again%d" % attempt)
        self.fail("each time it was over too early")

    def test_one_that_is_told_to_stop_meanwhile_answers_first(self):
        def answered(_, asking):
            self.upstream.release()
            return dns.Message(asking.recv(65535)).texts() == ["192.0.2.1"]  # else SERVFAIL, at the end
        self.stops_meanwhile(answered)

    def test_one_that_is_told_to_stop_twice_meanwhile_ends_at_once(self):
        def hurried(old, asking):
            harness.wait_for(lambda: set(harness.children_of(self.sluice.child.pid)) <= {old}
                             or self.sluice.child.poll() is not None, "the new one to end")
            with contextlib.suppress(ProcessLookupError):
                self.sluice.signal(signal.SIGTERM)
            self.assert_rcode(dns.Message(asking.recv(65535)), "SERVFAIL")
            self.assertEqual(0, self.sluice.child.wait(dns.PATIENCE), self.sluice.log())
            return "still unanswered" not in self.sluice.log()
        self.stops_meanwhile(hurried)

    def test_one_that_is_told_to_stop_meanwhile_gives_its_state_to_nobody(self):
        """The new one stands still until the old one has ended, and would take over at its next message."""
        for attempt in range(20):  # on a slow machine the check may be over before the signal
            silent, checking = self.check()
            old = self.sluice.pid
            with silent:
                command = self.begin()
                harness.wait_for(lambda: "finishing what is under way" in self.sluice.log(), "the new one to be ready")
                for new in set(harness.children_of(self.sluice.child.pid)) - {old}:
                    harness.freeze(new)
                self.sluice.signal(signal.SIGTERM)
                harness.wait_for(lambda: "stopping on SIGTERM" in self.sluice.log() or harness.is_gone(old), "the signal at the old one")
                in_time = checking.poll() is None
                harness.wait_for(lambda: harness.is_gone(old), "the end of the old one")
                os.kill(new, signal.SIGCONT)
                self.assertEqual(0, self.sluice.child.wait(dns.PATIENCE), self.sluice.log())
                for ended in (command, checking):
                    ended.wait(dns.PATIENCE)
                checking.stdout.close()
            if in_time:
                self.assertNotIn("has taken over", self.sluice.log())
                return
            self.sluice = harness.Sluice(self.host, self.config(), HERE, name="again%d" % attempt)
        self.fail("each check was over before the signal")

    def test_the_running_server_killed_half_way_leaves_one_that_serves(self):
        for delay in (0.0, 0.02, 0.05, 0.1, 0.15, 0.2):
            running = self.sluice.pid
            command = self.begin()
            time.sleep(delay)
            with contextlib.suppress(ProcessLookupError):
                os.kill(running, signal.SIGKILL)
            command.wait(2 * dns.PATIENCE)
            self.left(running)
            harness.wait_for(lambda: self.sluice.command("reload")[0] == 0, "the end of the upgrade")
            self.goes_on()

    def test_the_running_server_is_started_again_though_the_new_one_hangs(self):
        slow, go = self.slow()
        for let_go_at_once in (False, True):
            running = self.sluice.pid
            command = self.begin("--binary", slow)
            new = [pid for pid in harness.children_of(self.sluice.child.pid) if pid != running]
            os.kill(running, signal.SIGKILL)
            if not let_go_at_once:
                harness.wait_for(lambda: harness.is_gone(running), "its end")
                self.changes_nothing()  # within the two minutes that the master waits for a new server
            go()
            command.wait(2 * dns.PATIENCE)
            harness.wait_for(lambda: harness.children_of(self.sluice.child.pid) == new, "the new one alone")
            self.goes_on()
            os.unlink(os.path.join(self.world.dir, "go"))

    def changes_nothing(self):
        """The old server, which was started again, answers, but refuses changes: the new server may have read files
        and state already, and would lose the changes."""
        self.sluice.wait_managed()
        self.assert_answer(self.host.ask(HERE, ZONE[0]), ZONE[1])
        for command in (["reload"], ["reload", "--confirm", "1m"], ["upgrade"],
                        ["address", "add", "b", "198.51.100.10", "--static"]):
            status, text = self.sluice.command(*command)
            self.assertEqual(1, status, text)
            self.assertRegex(text, "(an|another) upgrade is under way")

    def test_one_that_is_started_again_meanwhile_takes_changes_once_the_new_one_has_ended(self):
        slow, _ = self.slow()
        running = self.sluice.pid
        self.begin("--binary", slow)
        new = [pid for pid in harness.children_of(self.sluice.child.pid) if pid != running]
        os.kill(running, signal.SIGKILL)
        harness.wait_for(lambda: harness.is_gone(running), "its end")
        self.changes_nothing()
        self.zone_has("meanwhile")
        self.sluice.signal(signal.SIGHUP)
        os.kill(*new, signal.SIGKILL)
        harness.wait_for(lambda: self.has("meanwhile"), "the reload")
        self.goes_on()

    def test_a_program_that_is_gone_by_then_is_not_needed(self):
        """Where the new one is gone before the master has executed it, too, the old one is started."""
        slow, go = self.slow()
        before = self.sluice.pid
        self.begin("--binary", slow)
        harness.wait_for(lambda: harness.children_of(self.sluice.pid), "it to have read its script")
        os.unlink(slow)
        go()
        self.left(before)
        harness.wait_for(lambda: "goes on as the program before" in self.sluice.log(), "the master")
        before = self.sluice.pid
        os.kill(before, signal.SIGKILL)
        self.sluice.wait_another(before)
        self.goes_on()

    def test_one_that_hangs_is_ended_when_another_one_serves(self):
        slow, go = self.slow()
        running = self.sluice.pid
        self.begin("--binary", slow)
        harness.freeze(running)
        go()
        harness.wait_for(lambda: harness.is_gone(running), "the old one to be killed", 60)
        self.assertIn("the old server takes too long; killed", self.sluice.log())
        self.goes_on()


class Leaving(Upgrading):
    """One that was told to stop, and waits for a silent target: for two seconds."""

    def while_leaving(self, act):
        """What act gives, which has been done while it is still there."""
        for attempt in range(20):  # on a slow machine it may have ended by then
            with silent_question(self.host):
                self.stop()
                found = act()
                # Its sockets are closed behind that line, some time before its master ends. Each has a log of its own.
                lasts = self.sluice.child.poll() is None and "still unanswered" not in self.sluice.log()
            self.ended()
            if lasts:
                return found
            self.sluice = harness.Sluice(self.host, self.config(), HERE, name="again%d" % attempt)
        self.fail("each time it had ended by then")

    def ended(self):
        self.assertEqual(0, self.sluice.child.wait(dns.PATIENCE), self.sluice.log())

    def stop(self):
        self.sluice.signal(signal.SIGTERM)
        harness.wait_for(lambda: "stopping on SIGTERM" in self.sluice.log(), "the signal")

    def test_whoever_is_left_by_tcp_is_told(self):
        asking = self.under_way(self.host, HERE, "held.contoso.corp", self.upstream, by_tcp=True)
        self.stop()
        self.assert_rcode(dns.Message(dns.recv_framed(asking)), "SERVFAIL")
        self.assertEqual(b"", asking.recv(1000))
        self.ended()

    def refuses(self):
        try:
            with self.host.inside(), contextlib.suppress(ConnectionResetError, EOFError, TimeoutError):
                dns.tcp(dns.query(ZONE[0]), HERE, timeout=1)  # or it waits for the end
        except ConnectionRefusedError:
            return True

    def test_who_connects_is_refused_at_once(self):
        self.while_leaving(lambda: harness.wait_for(self.refuses, "the listening socket to be closed"))

    def test_it_takes_no_upgrade(self):
        text = self.while_leaving(lambda: self.sluice.command("upgrade")[1])
        self.assertIn("the server is about to end", text)
        self.assertNotIn("started beside", self.sluice.log())

    def test_it_takes_no_reload_by_a_signal(self):
        def reload():
            self.sluice.signal(signal.SIGHUP)
            harness.wait_for(lambda: "still serving generation 1: " in self.sluice.log()
                             or self.sluice.child.poll() is not None, "the refusal")
        self.while_leaving(reload)
        self.assertIn("the server is about to end", self.sluice.log())
        self.assertNotIn("reloaded", self.sluice.log())

    def test_whatever_is_new_at_the_management_api_is_told_so(self):
        paths = ("/healthz", "/v1/status", "/v2", "/subscriptions?api-version=2022-09-01")

        def ask():
            urls = ["http://sluice" + path for path in paths]
            text = self.host.run("curl", "-s", "-w", "\n%{http_code}\n", "--unix-socket",
                                 self.sluice.socket, *urls)[1]
            text += self.host.run("curl", "-s", "-w", "\n%{http_code}\n", "--json", "{}", "--unix-socket",
                                  self.sluice.socket, "http://sluice/v1/reload",
                                  "http://sluice/v1/upgrade")[1]
            text += self.host.run("curl", "-s", "-w", "\n%{http_code}\n",
                                  "http://127.0.0.1:8053/healthz")[1]
            return text
        text = self.while_leaving(ask)
        lines = text.splitlines()
        self.assertEqual(["503"] * (len(paths) + 3), lines[1::2], text)
        for line in lines[::2]:
            self.assertIn("the server is about to end", line)
        self.assertNotIn("reload: ", self.sluice.log())


@unittest.skipUnless(shutil.which("openssl"), "openssl is not installed")
class Https(Upgrading):
    def config(self, **how):
        return super().config(**how).replace(
            'listen = [ "http://127.0.0.1:8053" ];',
            'listen = [ "https://127.0.0.1:8443" ]; certificate = "tls.pem"; key = "tls.key";'
            ' clients = ( { id = "ops"; secret_file = "ops.secret"; role = "admin"; } );')

    def build(self, world):
        world.secret("ops.secret", "a-long-secret-of-ops")
        self.trust = ssl.create_default_context(cafile=world.certificate())
        super().build(world)

    def call(self, method, path, token=None, body=None):
        """(status, headers) of one request by https."""
        connection = http.client.HTTPSConnection("127.0.0.1", 8443, timeout=dns.PATIENCE, context=self.trust)
        with self.host.inside():
            connection.request(method, path, body=json.dumps(body) if body else None,
                               headers=dict({"X-Auth-Token": token} if token else {},
                                            **{"Content-Type": "application/json"}))
            answer = connection.getresponse()
            answer.read()
        connection.close()
        return answer.status, answer.headers

    def log_in(self):
        user = {"id": "ops", "password": "a-long-secret-of-ops"}
        status, headers = self.call("POST", "/v3/auth/tokens", body={"auth": {"identity": {
            "methods": ["password"], "password": {"user": user}}}})
        self.assertEqual(201, status)
        return headers["X-Subject-Token"]

    def is_let_in(self, token):
        self.assertEqual(200, self.call("GET", "/v1/status", token)[0])
        self.assertEqual(401, self.call("GET", "/v1/status", token + "x")[0])

    def test_tokens_are_good_for_the_successor_too(self):
        token = self.log_in()
        self.is_let_in(token)
        before = self.sluice.pid
        self.upgrade()
        self.left(before)
        self.is_let_in(token)
        before = self.sluice.pid
        self.upgrade()
        self.left(before)
        self.is_let_in(self.log_in())


if __name__ == "__main__":
    harness.main()
