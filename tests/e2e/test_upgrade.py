"""One program takes over from another under load: every query is answered, by one of the two, and
where the new one fails nobody notices."""

import contextlib
import http.client
import json
import os
import queue
import random
import re
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import sys
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
USER = 65534
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

    def talk(self, sock):
        for _ in range(20):
            packet = dns.query(ZONE[0])
            self.asked += 1
            sock.sendall(struct.pack("!H", len(packet)) + packet)
            head = sock.recv(2, socket.MSG_WAITALL)
            reply = sock.recv(struct.unpack("!H", head)[0], socket.MSG_WAITALL) if head else b""
            if reply[:2] == packet[:2] and socket.inet_aton(ZONE[1]) in reply:
                self.answered += 1
            else:
                self.wrong.append(reply)

    def run(self):
        self.host._enter("/run/netns/" + self.host.name)  # this thread's alone
        while not self.done.is_set():
            try:
                with socket.socket() as sock:
                    sock.settimeout(dns.PATIENCE)
                    sock.connect(HERE)
                    self.talk(sock)
            except OSError as error:
                self.lost.append(error)


class Forwarder(threading.Thread):
    """A question every 50 ms on one connection, whether or not those before it are answered, of which
    each takes 300 ms. When the server ends the connection it begins another and asks there what is
    not answered yet (RFC 7766 section 6.2.4). What it was too late for the server has not read: what
    the upstream had been asked by then should have been answered."""

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


def state_of(pid):
    """The letter of /proc/PID/stat; None: there is no such process."""
    try:
        with open("/proc/%d/stat" % pid) as file:
            return file.read().rsplit(")", 1)[1].split()[0]
    except OSError:
        return None


def children_of(pid):
    try:
        with open("/proc/%d/task/%d/children" % (pid, pid)) as file:
            return [int(child) for child in file.read().split()]
    except OSError:
        return []


def started_by(command):
    """The new process that `sluice upgrade` has another start."""
    return [pid for starter in children_of(command.pid) for pid in children_of(starter)]


def is_gone(pid):
    return state_of(pid) in (None, "Z")


CANNOT = "valgrind has no pidfds, and does not run /proc/self/exe"


@unittest.skipIf(harness.VALGRIND, CANNOT)
class Upgrading(harness.FreshCase):
    def build(self, world):
        self.host = world.host("cloud")
        self.upstream = harness.Upstream(self.host, "127.0.0.1", "192.0.2.1", 5401)
        world.write("corp.internal.zone", "web 300 IN A 10.10.1.10\n")
        self.sluice = harness.Sluice(self.host, self.config(), HERE)
        self.pid = self.sluice.child.pid
        self.successors, self.written = [], False
        self.addCleanup(self.end_successors)

    def config(self, workers=2, listen="127.0.0.1:53"):
        return CONFIG % {"workers": workers, "listen": listen}

    def socket_path(self):
        return os.path.join(self.world.dir, "sluice.sock")

    def end_successors(self):
        for pid in self.successors:
            if not is_gone(pid):
                os.kill(pid, signal.SIGTERM)
                harness.wait_for(lambda: is_gone(pid), "the successor to stop")

    def upgrade(self, *options, fine=True):
        with self.host.inside():
            status, text = self.sluice.command("upgrade", *options)
        self.assertEqual(0 if fine else 1, status, text + self.sluice.log())
        if fine:
            self.successors.append(int(re.search(r"process (\d+) has taken over", text).group(1)))
        return text

    def left(self):
        """The first process has ended well."""
        self.assertEqual(0, self.sluice.child.wait(dns.PATIENCE), self.sluice.log())

    def load(self, *kinds):
        """Starts it and gives what ends it and looks at what came of it."""
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

    def successor(self):
        """A successor's end of the conversation."""
        name = b"sluice-test-%d" % os.getpid()
        with self.host.inside():
            listening = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        listening.bind(b"\0" + name)
        listening.listen()
        path = self.socket_path()
        body = json.dumps({"protocol": 1, "socket": name.decode()})
        text = self.host.run("curl", "-s", "--unix-socket", path, "http://sluice/v1/upgrade",
                             "--json", body)[1]
        self.assertEqual(self.pid, json.loads(text)["pid"])
        conversation = listening.accept()[0]
        listening.close()
        conversation.settimeout(dns.PATIENCE)
        self.addCleanup(conversation.close)
        return conversation

    def ready(self, has_socket=True):
        successor = self.successor()
        successor.send(json.dumps({"want": "ready", "socket": has_socket}).encode())
        self.assertEqual(b"{}", successor.recv(1000))
        return successor

    def script(self, name, text):
        path = self.world.write(name, "#!/bin/sh\n" + text)
        os.chmod(path, 0o755)
        return path

    def goes_on(self):
        self.assertIsNone(self.sluice.child.poll(), self.sluice.log())
        self.assert_answer(self.host.ask(HERE, ZONE[0]), ZONE[1])
        self.assertEqual(0, *self.write())

    def write(self):
        with self.host.inside():
            if self.written:
                status, text = self.sluice.command("address", "remove", "a")
                if status:
                    return status, text
            self.written = True
            return self.sluice.command("address", "add", "a", "198.51.100.9", "--static")


class Upgrade(Upgrading):
    # ---- what works ----

    def test_every_query_is_answered_while_one_takes_over_from_another(self):
        self.assert_answer(self.host.ask(HERE, CACHED[0]), CACHED[1])
        end = self.load("zone", "cached", "forwarded", "tcp")
        self.upgrade()
        self.left()
        end()
        self.assertFalse(is_gone(self.successors[0]))

    def test_a_connection_that_is_never_quiet_is_ended_when_all_that_was_read_is_answered(self):
        with self.host.inside():
            forwarder = Forwarder(self.host, self.upstream)
            forwarder.start()

        def goes_on():
            until = forwarder.answered + 20
            harness.wait_for(lambda: forwarder.answered >= until or forwarder.wrong, "answers")
        goes_on()
        self.upgrade()
        self.left()
        goes_on()
        forwarder.done.set()
        forwarder.join(2 * dns.PATIENCE)
        self.assertEqual([], forwarder.read_in_vain)
        self.assertEqual([], forwarder.wrong)
        self.assertEqual(1, forwarder.closes)
        self.assertEqual(forwarder.asked, forwarder.answered)

    def test_five_times_in_a_row(self):
        end = self.load("zone", "forwarded")
        for _ in range(5):
            self.upgrade()
        self.left()
        end()
        for pid in self.successors[:-1]:
            harness.wait_for(lambda: is_gone(pid), "one before to leave")
        self.assert_answer(self.host.ask(HERE, ZONE[0]), ZONE[1])

    def test_the_successor_has_api_state_and_log(self):
        with self.host.inside():
            self.assertEqual(0, self.sluice.command(
                "address", "add", "mail", "198.51.100.25", "--static",
                "--reverse-fqdn", "mail.example.com.")[0])
        self.upgrade()
        self.left()
        with self.host.inside():
            status, text = self.sluice.command("status", "--json")
        self.assertEqual((0, 2), (status, json.loads(text)["generation"]), text)
        self.assert_answer(self.host.ask(HERE, "25.100.51.198.in-addr.arpa", "PTR"),
                           "mail.example.com.")
        with self.host.inside():
            self.assertEqual(0, self.sluice.command("ptr", "set", "198.51.100.25",
                                                    "other.example.com.")[0])
        status, text = self.host.run("curl", "-s", "http://127.0.0.1:8053/healthz")
        self.assertIn("ok", text, status)
        self.assertIn("serves; finishes what is under way", self.sluice.log())
        self.assertEqual(2, self.sluice.log().count("sluice 0.1.0, 2 workers"), self.sluice.log())
        self.assertTrue(os.path.exists(self.socket_path()))

    def test_an_address_that_is_new_is_opened_and_one_that_is_gone_is_not_kept(self):
        self.sluice.reconfigure(self.config(listen="127.0.0.1:5353"))
        self.upgrade()
        self.left()
        self.assert_answer(self.host.ask(("127.0.0.1", 5353), ZONE[0]), ZONE[1])
        with self.assertRaises(OSError), self.host.inside():
            dns.tcp(dns.query(ZONE[0]), HERE)

    # ---- what is refused, and changes nothing ----

    def test_a_configuration_with_a_fault_is_refused(self):
        self.sluice.reconfigure(self.config().replace('"dns-out"; source', '"nowhere"; source'))
        self.assertIn("nowhere", self.upgrade(fine=False))
        self.sluice.reconfigure(self.config())
        self.goes_on()

    def test_a_file_that_was_cut_is_refused(self):
        """The first one is a whole record."""
        zone = ("corp.internal.zone", "web 300 IN A 10.10.1.10\n")
        main = (os.path.basename(self.sluice.config), self.config())
        for (name, whole), cut, why in (
                (zone, "web 300 IN A 10.10.1.1", "its last line has no end; give it its newline"),
                (zone, "", "it has no record; write a SOA record alone"),
                (main, "", "there is no setting in it")):
            self.world.write(name, cut)
            text = self.upgrade("--socket", self.socket_path(), fine=False)
            self.assertRegex(text, "%s.*: %s" % (re.escape(name), why))
            self.assert_answer(self.host.ask(HERE, ZONE[0]), ZONE[1])
            self.world.write(name, whole)
        self.goes_on()
        self.upgrade()
        self.left()

    def test_who_hears_of_no_child_that_ends_is_told_all_the_same(self):
        def deaf():
            signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        with self.host.inside():
            done = subprocess.run([harness.SLUICE, "upgrade", "-c", self.sluice.config], text=True,
                                  capture_output=True, preexec_fn=deaf, timeout=60)
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)
        self.successors.append(int(re.search(r"process (\d+) has taken over", done.stdout).group(1)))
        self.left()
        with self.host.inside():
            done = subprocess.run([harness.SLUICE, "upgrade", "-c", self.sluice.config, "--binary",
                                   self.script("bad", "exit 1\n")], text=True, capture_output=True,
                                  preexec_fn=deaf, timeout=60)
        self.assertEqual(1, done.returncode, done.stdout + done.stderr)
        self.assertIn("the running server is as it was", done.stderr)

    def test_another_number_of_workers_is_refused(self):
        self.sluice.reconfigure(self.config(workers=3))
        self.assertIn("another number takes a restart", self.upgrade(fine=False))
        self.goes_on()

    def test_a_program_that_crashes_or_is_none_changes_nothing(self):
        end = self.load("zone")
        self.assertIn("signal 9", self.upgrade("--binary", self.script("crash", "kill -9 $$\n"),
                                               fine=False))
        self.upgrade("--binary", self.script("ends", "exit 0\n"), fine=False)
        self.upgrade("--binary", os.path.join(self.world.dir, "nothing"), fine=False)
        self.goes_on()
        end()

    def test_a_successor_that_is_killed_half_way_is_given_up(self):
        for _ in range(6):
            with self.host.inside():
                child = subprocess.Popen([harness.SLUICE, "upgrade", "-c", self.sluice.config],
                                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                         start_new_session=True)
            until = time.monotonic() + random.uniform(0.0, 0.25)
            found = None
            while time.monotonic() < until or not found:
                found = started_by(child) or found
                if child.poll() is not None:
                    break
            for pid in found or []:
                if not is_gone(pid):
                    os.kill(pid, signal.SIGKILL)
            child.wait(dns.PATIENCE)
            if "finishes what is under way" in self.sluice.log():  # that one served already
                self.successors += found
                self.left()
                break
            self.goes_on()

    def test_a_successor_that_is_given_up_is_told_why(self):
        for nonsense, why in ((b"nonsense", b"cannot be understood"),
                              (b'{"want": "item", "item": 1000000}', b"no such item"),
                              (b'{"want": "all"}', b"not its turn")):
            successor = self.successor()
            successor.send(nonsense)
            self.assertIn(why, successor.recv(1000))
            self.assertEqual(b"", successor.recv(1000))
            self.goes_on()

    def test_a_server_that_is_stopped_leaves_the_successor_its_socket(self):
        self.ready()
        self.sluice.signal(signal.SIGTERM)
        self.left()
        self.assertTrue(os.path.exists(self.socket_path()))

    def test_a_server_that_is_stopped_removes_the_socket_that_is_its_own_again(self):
        self.ready().close()
        self.goes_on()
        self.sluice.signal(signal.SIGTERM)
        self.left()
        self.assertFalse(os.path.exists(self.socket_path()))

    def test_a_server_that_is_stopped_removes_the_socket_that_nobody_has_taken(self):
        self.ready(has_socket=False)
        self.sluice.signal(signal.SIGTERM)
        self.left()
        self.assertFalse(os.path.exists(self.socket_path()))

    def zone_has(self, name):
        self.world.write("corp.internal.zone", "web 300 IN A 10.10.1.10\n%s 300 IN A 10.10.1.11\n"
                         % name)

    def test_a_reload_that_is_wanted_meanwhile_is_done_when_it_was_given_up(self):
        for name, begin in (("asked", self.successor), ("ready", self.ready)):
            successor = begin()
            self.zone_has(name)
            self.sluice.signal(signal.SIGHUP)
            time.sleep(0.2)
            self.assertEqual("NXDOMAIN", self.host.ask(HERE, name + ".corp.internal").rcode)
            successor.close()
            harness.wait_for(
                lambda: self.host.ask(HERE, name + ".corp.internal").rcode == "NOERROR",
                "the reload")
            self.goes_on()

    def test_a_reload_that_is_wanted_meanwhile_is_passed_on(self):
        successor = self.ready()
        with silent_question(self.host):  # draining takes as long as that
            self.sluice.signal(signal.SIGHUP)
            time.sleep(0.2)
            successor.send(b'{"want": "serving"}')
            self.assertEqual(b"{}", successor.recv(1000))
            self.assertEqual({"reload": True}, json.loads(successor.recv(1000)))
            self.sluice.signal(signal.SIGHUP)
            self.assertEqual({"reload": True}, json.loads(successor.recv(1000)))
        self.left()
        self.assertNotIn("reloaded", self.sluice.log())

    def test_what_listens_again_leaves_signals_to_the_control_thread(self):
        self.ready().close()
        self.goes_on()
        term, woken = 1 << signal.SIGTERM - 1, []
        for task in os.listdir("/proc/%d/task" % self.pid):
            with open("/proc/%d/task/%s/status" % (self.pid, task)) as file:
                if not int(re.search(r"SigBlk:\t(\w+)", file.read()).group(1), 16) & term:
                    woken.append(int(task))
        self.assertEqual([self.pid], woken)

    def test_an_upgrade_that_is_broken_off_changes_nothing(self):
        for number, starters in enumerate((lambda child: [child.pid],
                                           lambda child: children_of(child.pid))):
            begun, go = (os.path.join(self.world.dir, "%s%d" % (name, number))
                         for name in ("begun", "go"))
            slow = self.script("slow", "touch %s; while ! [ -e %s ]; do sleep 0.05; done; exec %s"
                               ' "$@"\n' % (begun, go, harness.SLUICE))
            with self.host.inside():
                child = subprocess.Popen([harness.SLUICE, "upgrade", "-c", self.sluice.config,
                                          "--binary", slow], stdout=subprocess.DEVNULL)
            harness.wait_for(lambda: os.path.exists(begun), "the new process")
            os.kill(starters(child)[0], signal.SIGKILL)
            self.assertNotEqual(0, child.wait(dns.PATIENCE))
            self.world.write(os.path.basename(go), "")
            harness.wait_for(lambda: self.sluice.log().count("given up, goes on as before") > number,
                             "the new process to see that nobody waits")
            self.goes_on()

    def test_a_successor_that_goes_away_when_it_was_ready_leaves_all_as_it_was(self):
        end = self.load("zone")
        for _ in range(3):
            successor = self.ready()
            with self.host.inside():
                waiting = subprocess.Popen([harness.SLUICE, "address", "list", "-c",
                                            self.sluice.config], stdout=subprocess.DEVNULL)
            time.sleep(0.1)
            self.assertIsNone(waiting.poll(), "nobody is there to answer")
            successor.close()
            self.assertEqual(0, waiting.wait(dns.PATIENCE))
            self.goes_on()
        end()

    def test_a_request_that_takes_long_is_finished_first(self):
        for stays in (False, True):
            address = "198.18.7.%d" % (8 + stays)
            with self.host.inside():
                silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                silent.bind(("127.0.0.3", 53))
                silent.settimeout(dns.PATIENCE)
                checking = subprocess.Popen([harness.SLUICE, "ptr", "check", address, "-c",
                                             self.sluice.config], stdout=subprocess.PIPE,
                                            stderr=subprocess.STDOUT, text=True)
            with silent:
                silent.recv(4096)
            successor = self.successor()
            self.assertIsNone(checking.poll(), "it takes seconds")
            successor.send(b'{"want": "ready", "socket": true}')
            if stays:
                self.assertEqual(b"{}", successor.recv(1000))
                harness.wait_for(lambda: checking.poll() is not None, "the answer")
            successor.close()
            text = checking.communicate(timeout=dns.PATIENCE)[0]
            self.assertIn(address, text)
            self.goes_on()

    def test_a_program_that_hangs_keeps_nobody_from_another_upgrade(self):
        hanging = self.script("hangs", "exec sleep 1000\n")
        with self.host.inside():
            child = subprocess.Popen([harness.SLUICE, "upgrade", "-c", self.sluice.config,
                                      "--binary", hanging])
        self.upgrade()
        self.left()
        self.assertIsNone(child.poll())
        child.kill()
        child.wait()
        self.assert_answer(self.host.ask(HERE, ZONE[0]), ZONE[1])

    def test_the_running_server_killed_half_way_leaves_one_that_serves_or_none(self):
        for delay in (0.0, 0.02, 0.05, 0.1, 0.15, 0.2):
            with self.host.inside():
                child = subprocess.Popen([harness.SLUICE, "upgrade", "-c", self.sluice.config],
                                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            time.sleep(delay)
            running = self.successors[-1] if self.successors else self.pid
            os.kill(running, signal.SIGKILL)
            text = child.communicate(timeout=dns.PATIENCE)[0]
            self.assertNotRegex(text, harness.SANITIZER)
            self.sluice.child.wait()
            self.sluice.expected = self.sluice.child.returncode
            if child.returncode == 0:
                self.successors.append(int(re.search(r"process (\d+) has", text).group(1)))
            else:
                self.sluice = harness.Sluice(self.host, self.config(), HERE)
                self.pid, self.successors = self.sluice.child.pid, []
            self.assert_answer(self.host.ask(HERE, ZONE[0]), ZONE[1])
            self.assertEqual(0, *self.write())

    def test_another_one_at_the_same_time_is_refused(self):
        first = self.successor()
        self.assertIn("another upgrade is under way", self.upgrade(fine=False))
        first.send(b'{"want": "serving"}')  # not its turn
        self.assertIn(b"not its turn", first.recv(1000))
        self.assertEqual(b"", first.recv(1000))
        self.goes_on()

    def test_it_begins_on_the_control_socket_and_by_a_known_protocol_only(self):
        path = self.socket_path()
        ask = lambda *more: self.host.run("curl", "-s", *more)[1]
        text = ask("--unix-socket", path, "http://sluice/v1/upgrade", "--json",
                   '{"protocol": 99, "socket": "x"}')
        self.assertIn("by protocol 1 and no other", text)
        text = ask("--unix-socket", path, "http://sluice/v1/upgrade", "--json",
                   '{"protocol": 1, "socket": "nobody-is-there"}')
        self.assertIn("cannot be reached", text)
        self.assertIn("401", ask("-o", "/dev/null", "-w", "%{http_code}", "--json", '{"protocol": 1}',
                                 "http://127.0.0.1:8053/v1/upgrade"))
        self.goes_on()

    @unittest.skipUnless(os.geteuid() == 0, "only root can be somebody else")
    def test_another_user_is_refused(self):
        text = self.host.run("setpriv", "--reuid", "65534", "--clear-groups", harness.SLUICE,
                             "upgrade", "-c", self.sluice.config)[1]
        self.assertIn("permission denied", text)
        self.goes_on()

    def test_the_running_server_may_be_killed_when_it_has_handed_over(self):
        self.upgrade()
        self.sluice.signal(signal.SIGKILL)
        self.sluice.child.wait()
        self.sluice.expected = self.sluice.child.returncode
        self.assert_answer(self.host.ask(HERE, ZONE[0]), ZONE[1])


class Leaving(Upgrading):
    """One that was told to stop, and waits for a silent target: for two seconds."""

    @contextlib.contextmanager
    def leaving(self):
        with silent_question(self.host):
            self.sluice.signal(signal.SIGTERM)
            harness.wait_for(lambda: "stopping on SIGTERM" in self.sluice.log(), "the signal")
            yield
            self.assertIsNone(self.sluice.child.poll(), "it is still there")
        self.left()

    def udp(self):
        with self.host.inside():
            asking = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(asking.close)
        asking.settimeout(dns.PATIENCE)
        asking.connect(HERE)
        return asking

    def held(self):
        """A question that the upstream holds."""
        asking = self.udp()
        asking.send(dns.query("held.contoso.corp"))
        harness.wait_for(lambda: self.upstream.questions("held.contoso.corp"), "the question")
        return asking

    def unread(self):
        """A question that comes when nothing more is read."""
        asking = self.udp()
        asking.settimeout(1)
        with contextlib.suppress(TimeoutError):
            while True:
                asking.send(dns.query(ZONE[0]))
                asking.recv(4096)
        asking.settimeout(dns.PATIENCE)
        return asking

    def stop(self):
        self.sluice.signal(signal.SIGTERM)
        harness.wait_for(lambda: "stopping on SIGTERM" in self.sluice.log(), "the signal")

    def is_answered(self, held):
        self.upstream.release()
        self.assert_answer(dns.Message(held.recv(4096)), "192.0.2.1")
        self.left()

    def items(self, successor):
        """Takes all that is handed over: its descriptors."""
        successor.send(b'{"want": "items"}')
        found = []
        for number in range(json.loads(successor.recv(4096))["items"]):
            successor.send(b'{"want": "item", "item": %d}' % number)
            found += socket.recv_fds(successor, 4096, 3)[1]
        return found

    def test_who_connects_is_refused_while_one_that_was_given_up_has_the_sockets(self):
        held, successor = self.held(), self.successor()
        items = self.items(successor)
        self.stop()
        harness.wait_for(self.refuses, "the socket to be no listening one")
        self.is_answered(held)
        self.assertTrue(self.refuses())
        for fd in items:
            os.close(fd)

    def test_one_that_drains_answers_what_can_be_answered(self):
        held, successor = self.held(), self.ready()
        successor.send(b'{"want": "serving"}')
        self.assertEqual(b"{}", successor.recv(1000))
        self.stop()
        self.is_answered(held)

    def test_it_gives_up_a_successor_that_is_not_ready(self):
        held, successor = self.held(), self.successor()
        self.stop()
        self.assertIn(b"the server is told to stop", successor.recv(1000))
        self.assertEqual(b"", successor.recv(1000))
        harness.wait_for(lambda: self.host.ask(HERE, ZONE[0]).rcode == "SERVFAIL", "its last words")
        self.is_answered(held)

    def test_what_comes_is_a_ready_successors(self):
        held, successor = self.held(), self.ready()
        self.stop()
        late = self.unread()
        self.is_answered(held)
        self.assertEqual(b"", successor.recv(1000))  # without a word: it serves alone
        late.settimeout(0.1)
        with self.assertRaises(TimeoutError):
            late.recv(4096)

    def test_what_comes_is_told_when_a_ready_successor_goes_away(self):
        held, successor = self.held(), self.ready()
        self.stop()
        late = self.unread()
        successor.close()
        self.assert_rcode(dns.Message(late.recv(4096)), "SERVFAIL")
        self.is_answered(held)

    def test_a_ready_successor_takes_over_from_it(self):
        held, successor = self.held(), self.ready()
        self.stop()
        successor.send(b'{"want": "serving"}')
        self.assertEqual(b"{}", successor.recv(1000))
        self.is_answered(held)

    def test_whoever_is_left_by_tcp_is_told(self):
        with self.host.inside():
            asking = socket.create_connection(HERE, dns.PATIENCE)
        self.addCleanup(asking.close)
        asking.sendall(dns.framed(dns.query("held.contoso.corp")))
        harness.wait_for(lambda: self.upstream.questions("held.contoso.corp"), "the question")
        self.stop()
        self.assert_rcode(dns.Message(dns.recv_framed(asking)), "SERVFAIL")
        self.assertEqual(b"", asking.recv(1000))
        self.left()

    def refuses(self):
        try:
            with self.host.inside(), contextlib.suppress(ConnectionResetError, EOFError):
                dns.tcp(dns.query(ZONE[0]), HERE, timeout=1)  # or it waits for the end
        except ConnectionRefusedError:
            return True

    def test_who_connects_is_refused_at_once(self):
        with self.leaving():
            harness.wait_for(self.refuses, "the listening socket to be closed")

    def test_it_takes_no_upgrade(self):
        with self.leaving():
            text = self.upgrade(fine=False)
        self.assertIn("cannot take over: the server is about to end", text)
        self.assertNotIn("asks to take over", self.sluice.log())

    def test_it_takes_no_reload_by_a_signal(self):
        with self.leaving():
            self.sluice.signal(signal.SIGHUP)
            harness.wait_for(lambda: "still serving generation 1: " in self.sluice.log(), "the refusal")
        self.assertIn("the server is about to end", self.sluice.log())
        self.assertNotIn("reloaded", self.sluice.log())

    def test_whatever_is_new_at_the_management_api_is_told_so(self):
        paths = ("/healthz", "/v1/status", "/v2", "/subscriptions?api-version=2022-09-01")
        with self.leaving():
            urls = ["http://sluice" + path for path in paths]
            text = self.host.run("curl", "-s", "-w", "\n%{http_code}\n", "--unix-socket",
                                 self.socket_path(), *urls)[1]
            text += self.host.run("curl", "-s", "-w", "\n%{http_code}\n", "--json", "{}", "--unix-socket",
                                  self.socket_path(), "http://sluice/v1/reload",
                                  "http://sluice/v1/upgrade")[1]
            text += self.host.run("curl", "-s", "-w", "\n%{http_code}\n",
                                  "http://127.0.0.1:8053/healthz")[1]
        lines = text.splitlines()
        self.assertEqual(["503"] * (len(paths) + 3), lines[1::2], text)
        for line in lines[::2]:
            self.assertIn("the server is about to end", line)
        self.assertNotIn("reload: ", self.sluice.log())


class Predecessor(harness.Process):
    """predecessor.py."""

    def __init__(self, host, last):
        super().__init__(host, "predecessor-" + last, [
            sys.executable, os.path.join(harness.TOP, "tests", "e2e", "predecessor.py"),
            os.path.join(host.world.dir, "sluice.sock"), last])
        self.says("listens")

    def says(self, word):
        harness.wait_for(lambda: word in self.log().split(), word)


@unittest.skipIf(harness.VALGRIND, CANNOT)
class FromAnother(harness.FreshCase):
    """The side that takes over, from one that does what is not seen often."""

    def build(self, world):
        self.host = world.host("cloud")
        world.write("corp.internal.zone", "web 300 IN A 10.10.1.10\n")
        self.config = world.write("sluice.conf", CONFIG % {"workers": 2, "listen": "127.0.0.1:53"})
        self.pid = None
        self.addCleanup(self.end)

    def end(self):
        if self.pid:
            os.kill(self.pid, signal.SIGTERM)
            harness.wait_for(lambda: is_gone(self.pid), "the successor to stop")
            self.assertNotRegex(self.predecessor.log(), harness.SANITIZER)

    def command(self, *argv):
        with self.host.inside():
            return harness.command(*argv, "-c", self.config)

    def upgrade(self, last):
        self.predecessor = Predecessor(self.host, last)
        return self.command("upgrade")

    def serves(self, answer):
        status, text = answer
        self.assertEqual(0, status, text)
        self.pid = int(re.search(r"process (\d+) has taken over", text).group(1))
        self.assert_answer(self.host.ask(HERE, ZONE[0]), ZONE[1])
        self.assertEqual(0, *self.command("status"))

    def is_refused(self, answer, why):
        status, text = answer
        self.assertEqual(1, status, text)
        self.assertIn("cannot take over: " + why, text)
        self.assertIn("nothing is taken over, the running server is as it was", text)
        with self.assertRaises(OSError), self.host.inside():  # nobody serves beside it
            dns.tcp(dns.query(ZONE[0]), HERE)
        self.assertTrue(os.path.exists(os.path.join(self.world.dir, "sluice.sock")))

    def test_it_obeys_when_it_is_refused(self):
        for last in ("ready-refuse", "serving-refuse"):
            self.is_refused(self.upgrade(last), "given up for a test")
            self.forget()

    def forget(self):
        self.predecessor.stop()
        os.unlink(os.path.join(self.world.dir, "sluice.sock"))

    def test_it_obeys_when_it_is_too_late(self):
        self.world.write("sluice.sock.go", "")
        for last in ("serving-late", "serving-unread"):
            self.is_refused(self.upgrade(last), "given up for a test")
            self.forget()

    def test_one_that_hangs_up_and_lives_keeps_its_place(self):
        self.is_refused(self.upgrade("serving-silent"), "the running server has hung up")

    def test_what_it_has_read_is_answered_though_it_is_refused(self):
        self.predecessor = Predecessor(self.host, "serving-unread")
        with self.host.inside():
            child = subprocess.Popen([harness.SLUICE, "upgrade", "-c", self.config], text=True,
                                     stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.predecessor.says("unread")
        with silent_question(self.host) as asking:
            self.world.write("sluice.sock.go", "")
            self.assertEqual(2, asking.recv(4096)[3] & 15)
        text = child.communicate(timeout=dns.PATIENCE)[0]
        self.is_refused((child.returncode, text), "given up for a test")

    def test_one_that_is_told_to_stop_does_not_take_over(self):
        self.predecessor = Predecessor(self.host, "ready-slow")
        with self.host.inside():
            child = subprocess.Popen([harness.SLUICE, "upgrade", "-c", self.config], text=True,
                                     stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.predecessor.says("ready")
        os.kill(started_by(child)[0], signal.SIGTERM)
        self.world.write("sluice.sock.go", "")
        text = child.communicate(timeout=60)[0]
        self.is_refused((child.returncode, text), "this process is told to stop")
        self.assertNotIn("serving", self.predecessor.log())

    def test_it_serves_alone_when_the_running_one_has_ended(self):
        for last in ("ready-end", "serving-end"):
            self.serves(self.upgrade(last))
            self.assertEqual(0, self.predecessor.child.wait(20))
            self.end()
            self.pid = None

    def test_it_reloads_when_the_running_one_was_told_to(self):
        self.serves(self.upgrade("reload"))
        harness.wait_for(lambda: "reload: reloaded" in self.predecessor.log(), "the reload")


@unittest.skipUnless(shutil.which("openssl"), "openssl is not installed")
class Https(Upgrading):
    def config(self, **how):
        return super().config(**how).replace(
            'listen = [ "http://127.0.0.1:8053" ];',
            'listen = [ "https://127.0.0.1:8443" ]; certificate = "s.pem"; key = "s.key";'
            ' clients = ( { id = "ops"; secret_file = "ops.secret"; role = "admin"; } );')

    def build(self, world):
        key, certificate = os.path.join(world.dir, "s.key"), os.path.join(world.dir, "s.pem")
        harness.sh("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                   "-nodes", "-days", "2", "-subj", "/CN=s", "-addext",
                   "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate)
        os.chmod(world.write("ops.secret", "a-long-secret-of-ops\n"), 0o600)
        self.trust = ssl.create_default_context(cafile=certificate)
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
        self.upgrade()
        self.left()
        self.is_let_in(token)
        self.upgrade()
        self.is_let_in(self.log_in())

    def test_https_goes_on_where_the_successor_goes_away(self):
        token = self.log_in()
        for _ in range(2):
            self.ready().close()
            self.is_let_in(token)
        self.upgrade()
        self.left()
        self.is_let_in(token)


def can_become_others():
    with open("/proc/self/uid_map") as file:
        return os.geteuid() == 0 and sum(int(line.split()[2]) for line in file) > USER


class Managed(Upgrading):
    """Under a service manager, which has made it another user than root and watches it."""

    WATCHED = ["sh", "-c", 'WATCHDOG_PID=$$ exec "$@"', "sh"]  # what is executed in the end
    BECOME = ["setpriv", "--reuid", str(USER), "--regid", str(USER), "--clear-groups",
              "--inh-caps=+net_bind_service", "--ambient-caps=+net_bind_service"]

    def build(self, world):
        if not can_become_others():
            self.skipTest("nobody else can be become here")
        os.chown(world.dir, USER, USER)
        path = os.path.join(world.dir, "notify")
        self.heard = queue.Queue()
        self.listen(path)
        self.host = world.host("cloud")
        self.upstream = harness.Upstream(self.host, "127.0.0.1", "192.0.2.1", 5401)
        world.write("corp.internal.zone", "web 300 IN A 10.10.1.10\n")
        log = os.stat(world.write("cloud-sluice.log", ""))
        self.sluice = harness.Sluice(
            self.host, self.config(), HERE, argv0=[*self.WATCHED, *self.BECOME],
            env=dict(os.environ, NOTIFY_SOCKET=path, WATCHDOG_USEC="400000",
                     JOURNAL_STREAM="%d:%d" % (log.st_dev, log.st_ino)))
        self.pid = self.sluice.child.pid
        self.successors, self.written = [], False
        self.addCleanup(self.end_successors)

    def listen(self, path):
        """As a manager that reads at once: what it hears, and of which process, is queued."""
        manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        manager.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        manager.bind(path)
        os.chmod(path, 0o777)

        def read():
            with manager:
                while True:
                    text, about, _, _ = manager.recvmsg(4096, socket.CMSG_SPACE(12))
                    if text == b"enough":
                        return
                    self.heard.put((struct.unpack("iII", about[0][2])[0], text.decode()))

        def end():
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
                sock.sendto(b"enough", path)
            thread.join()
        thread = threading.Thread(target=read, daemon=True)
        thread.start()
        self.addCleanup(end)

    def hear(self):
        return self.heard.get(timeout=dns.PATIENCE)

    def hear_until(self, pid, start):
        """All that is heard up to what that process says, that included, without what only tells
        that it lives."""
        heard = []
        while not heard or heard[-1][0] != pid or not heard[-1][1].startswith(start):
            heard.append(self.hear())
        return [(who, text) for who, text in heard
                if text != "WATCHDOG=1" or text.startswith(start)]

    def test_the_manager_hears_of_one_at_a_time(self):
        old = self.pid
        self.assertEqual([old], [who for who, _ in self.hear_until(old, "READY=1")])
        self.hear_until(old, "WATCHDOG=1")
        with silent_question(self.host):  # draining takes as long as that
            self.upgrade()
            new = self.successors[0]
            self.assertEqual([(old, "MAINPID=%d" % new)], self.hear_until(old, "MAINPID"))
            who, text = self.hear()
            self.assertEqual(new, who)
            self.assertRegex(text, "^READY=1\nSTATUS=generation 2")
        self.left()
        self.hear_until(new, "WATCHDOG=1")
        os.kill(new, signal.SIGTERM)
        harness.wait_for(lambda: is_gone(new), "it to stop")
        last = (None, "")
        while not last[1].startswith("STOPPING=1"):
            last = self.hear()
            self.assertEqual(new, last[0], last)

    def test_the_manager_hears_nothing_of_what_was_given_up_and_of_a_reload_after_it(self):
        self.hear_until(self.pid, "READY=1")
        for begin in (self.successor, self.ready):
            successor = begin()
            self.sluice.signal(signal.SIGHUP)
            for _ in range(3):
                self.assertEqual([(self.pid, "WATCHDOG=1")],
                                 self.hear_until(self.pid, "WATCHDOG=1"))
            successor.close()
            heard = self.hear_until(self.pid, "READY=1")
            self.assertEqual(["RELOADING=1", "READY=1"], [t.split("\n")[0] for _, t in heard])

    def test_one_that_drains_stops_without_the_service(self):
        self.hear_until(self.pid, "READY=1")
        successor = self.ready()
        with silent_question(self.host):
            successor.send(b'{"want": "serving"}')
            self.assertEqual(b"{}", successor.recv(1000))
            self.sluice.signal(signal.SIGTERM)
            self.left()
        self.assertEqual([(self.pid, "MAINPID=%d" % os.getpid())],
                         self.hear_until(self.pid, "MAINPID"))
        with self.assertRaises(queue.Empty):
            print(self.heard.get(timeout=0.5))

    def test_the_successor_is_the_same_user_and_logs_to_the_same_journal(self):
        self.upgrade()
        self.left()
        with open("/proc/%d/status" % self.successors[0]) as file:
            status = file.read()
        self.assertIn("Uid:\t%d\t%d\t%d\t%d" % (USER, USER, USER, USER), status)
        self.assertRegex(status, r"CapPrm:\t0*400\n")
        self.assertEqual(0, *self.write())
        self.assertEqual(2, len(re.findall(r"^<\d>serving: sluice", self.sluice.log(), re.M)))


if __name__ == "__main__":
    harness.main()
