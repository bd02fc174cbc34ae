"""The master: a server that ends by itself is started again at once, and what was asked meanwhile is
answered; one that hangs, too; servers go with their master."""

import contextlib
import json
import os
import re
import select
import shutil
import signal
import socket
import struct
import sys
import threading
import time

import dns
import harness
import test_events
import test_upgrade
from test_upgrade import HERE, ZONE

RATE = 1000  # questions a second
PERIOD_S = 8  # no shorter: on a busy machine a thread may have no processor for some seconds
WORKERS = 2


class Paced(threading.Thread):
    """Asks at a steady rate, and notes when each was asked and answered."""

    def __init__(self, host):
        super().__init__(daemon=True)
        with host.inside():
            self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        dns.enlarge(self.socket, 16 << 20)
        self.socket.connect(HERE)
        self.socket.setblocking(False)
        self.asked, self.answered, self.done = [], {}, threading.Event()

    def receive(self):
        try:
            while True:
                reply = self.socket.recv(4096)
                self.answered[struct.unpack("!H", reply[:2])[0]] = time.monotonic()
        except BlockingIOError:
            pass

    def run(self):
        packet, begin = dns.query(ZONE[0]), time.monotonic()
        while not self.done.is_set():
            while len(self.asked) < (time.monotonic() - begin) * RATE:
                self.asked.append(time.monotonic())
                self.socket.send(struct.pack("!H", len(self.asked) - 1) + packet[2:])
                self.receive()
            self.receive()
            time.sleep(0.0005)
        end = time.monotonic() + 10
        while len(self.answered) < len(self.asked) and time.monotonic() < end:
            self.receive()
            time.sleep(0.001)


# A server that does as it likes where it is started beside another; else it is the real program. Its
# words are master_wire.h's.
FAKE = """#!%s
import os, socket, struct, sys, time
folder = os.path.dirname(os.path.abspath(__file__))
(START, SOCKETS, FAULT, LEAVE, STATE, DRAIN, REFUSED,
 OPEN, CLOSE, SERVES, TELL, ALIVE, UPGRADE, QUIET, TAKEN) = range(15)
DNS, HTTP, UNIX = range(3)

def message(word, kind=0, number=0, text="", protocol=1, groups=0):
    head = struct.pack("7I", protocol, word, kind, number, os.geteuid(), os.getegid(), groups)
    return head + bytes(256) + text.encode() + b"\\0"

def say(*what):
    master.send(message(*what))

def ask(kind, text, number=1):
    say(OPEN, kind, number, text)
    while True:
        data, found, _, _ = socket.recv_fds(master, 8192, 256)
        word = struct.unpack("2I", data[:8])[1]
        if word in (SOCKETS, FAULT):
            for fd in found:
                os.close(fd)
            return "" if word == SOCKETS else data[284:-1].decode()

def serve():
    ask(UNIX, "sluice.sock")
    ask(DNS, "127.0.0.1:53", 2)
    say(SERVES)
    say(TAKEN)

def wait_for(name):
    while not os.path.exists(folder + "/" + name):
        time.sleep(0.02)

if "--beside" in sys.argv:
    master = socket.socket(fileno=int(sys.argv[sys.argv.index("--master") + 1]))
    exec(%r)
    os._exit(0)
os.execv(%r, [%r] + sys.argv[1:])
"""


def fake(world, code):
    """The path of a program that does this."""
    python = shutil.which("python3", path="/usr/bin:/bin") or sys.executable  # that any user may execute
    path = world.write("fake", FAKE % (python, code, harness.SLUICE, harness.SLUICE))
    os.chmod(path, 0o755)
    return path


class Master(test_upgrade.Upgrading):
    def build(self, world):
        self.environment = dict(os.environ, WATCHDOG_USEC=str(PERIOD_S * 1000000))
        self.host = world.host("cloud")
        self.upstream = harness.Upstream(self.host, "127.0.0.1", "192.0.2.1", 5401)
        world.write("corp.internal.zone", "web 300 IN A 10.10.1.10\n")
        self.sluice = harness.Sluice(self.host, self.config(), HERE, env=self.environment)
        self.written = False

    def kill(self, number=signal.SIGKILL):
        harness.wait_for(lambda: "serving:" in self.sluice.log(), "the first one to serve")
        before = self.sluice.pid
        os.kill(before, number)
        return before

    def test_what_is_asked_after_a_kill_is_answered(self):
        """In about the time of a start: the quickest of some counts, as others have the processor, too."""
        self.sluice.stop()
        began = time.monotonic()
        self.sluice = harness.Sluice(self.host, self.config(), HERE, env=self.environment)
        start = time.monotonic() - began
        paced = Paced(self.host)
        paced.start()
        kills = []
        for _ in range(5):
            time.sleep(1.2)  # it is no crash at its start
            ended = os.pidfd_open(self.sluice.pid)
            before = self.kill()
            select.select([ended], [], [])  # until then a thread may still read
            kills.append(time.monotonic())
            os.close(ended)
            self.sluice.wait_another(before)
        time.sleep(1)
        paced.done.set()
        paced.join(dns.PATIENCE)
        lost = [number for number in range(len(paced.asked)) if number not in paced.answered]
        # Lost with the server is what it had read. Each worker gets the questions of one remainder of their numbers
        # (listener.h) and answers them in order: nothing later had been answered by this worker by then.
        def newest(worker, kill):
            return max((number for number, when in paced.answered.items()
                        if when < kill and number % WORKERS == worker), default=-1)
        newest_at = [(kill, [newest(worker, kill) for worker in range(WORKERS)]) for kill in kills]
        held = [number for number in lost
                if any(number > last[number % WORKERS] and paced.asked[number] < kill for kill, last in newest_at)]
        waits = [max(paced.answered[number] - asked for number, asked in enumerate(paced.asked)
                     if begin <= asked < end and number in paced.answered)
                 for begin, end in zip(kills, [*kills[1:], paced.asked[-1]])]
        self.assertEqual(held, lost, "of %d" % len(paced.asked))
        self.sluice.stop()
        began = time.monotonic()
        self.sluice = harness.Sluice(self.host, self.config(), HERE, env=self.environment)
        start = max(start, time.monotonic() - began)  # the machine may be busier than it was before
        print("# answered after %.2f s, beside %.2f s of a start" % (min(waits), start), flush=True)
        self.assertLess(min(waits), 4 * start, waits)
        self.goes_on()

    def restart(self):
        """What status and events say about why this server was started."""
        def told():
            self.sluice.wait_managed()
            return (self.sluice.status()["restart"] or {}).get("text")
        text = harness.wait_for(told, "the restart to be told")
        self.assertIn(("warning", "restart", text), [
            (event["level"], event["event"], event["text"])
            for event in json.loads(self.sluice.command("events", "--json")[1])])
        self.assertRegex(self.sluice.command("status")[1], "(?m)^started again at .*Z: %s$" % re.escape(text))
        return text

    def test_a_kill_is_an_event_and_in_the_status(self):
        self.sluice.wait_managed()
        self.assertIsNone(self.sluice.status()["restart"])
        self.assertNotIn("started again at", self.sluice.command("status")[1])
        begin = time.monotonic()
        before = self.kill()
        self.sluice.wait_another(before)
        text = self.restart()
        took = time.monotonic() - begin
        found = re.fullmatch(r"the server before this one ended by signal 9; nobody answered for (\d+) (m?s)", text)
        self.assertTrue(found, text)
        self.assertLessEqual(int(found[1]) / (1000 if found[2] == "ms" else 1), took)
        before = self.sluice.pid
        self.upgrade()
        self.left(before)
        self.assertIsNone(self.sluice.status()["restart"])  # an upgrade leaves no gap

    def test_a_kill_is_told_by_the_webhook(self):
        receiver = test_events.Receiver(self.host, 8099)
        self.addCleanup(receiver.server_close)
        self.addCleanup(receiver.shutdown)
        self.sluice.reconfigure(self.config() + 'events = { webhook = "http://127.0.0.1:8099/"; };\n')
        self.assertEqual(0, self.sluice.command("reload")[0])
        self.sluice.wait_another(self.kill())
        self.assertRegex(" ".join(receiver.texts_until("ended by signal 9")), r"nobody answered for \d+ m?s")

    def test_one_that_was_killed_because_it_hung_says_so(self):
        self.sluice.wait_another(self.kill(signal.SIGSTOP))
        self.assertRegex(self.restart(), "^the server before this one ended by signal 9: it was killed after it "
                                         r"had hung for \d+ ms; nobody answered for \d+ m?s$")

    def test_starts_that_failed_in_between_are_counted(self):
        text = self.config()
        self.sluice.reconfigure("region = ;")
        self.kill()
        harness.wait_for(lambda: "started again in 1 s" in self.sluice.log(), "a pause", 30)
        self.sluice.reconfigure(text)
        harness.wait_for(lambda: self.sluice.log().count("serving:") == 2, "it to serve", 30)
        self.assertRegex(self.restart(), r"ended by signal 9, and \d+ others after it did not come to serve: the "
                                         r"last one ended with status 1; nobody answered for \d+ m?s$")

    def test_one_that_stops_by_itself_is_started_again_with_all_its_sockets(self):
        before = self.kill(signal.SIGTERM)
        self.sluice.wait_another(before)
        self.left(before)
        for transport in (dns.udp, dns.tcp):
            self.assert_answer(self.host.ask(HERE, ZONE[0], transport=transport), ZONE[1])
        self.goes_on()
        self.assertIn("ok", self.host.run("curl", "-s", "http://127.0.0.1:8053/healthz")[1])

    def test_one_that_hangs_is_killed_and_started_again(self):
        self.sluice.wait_another(self.kill(signal.SIGSTOP))
        self.goes_on()
        self.assertIn("the server says nothing for", self.sluice.log())

    def test_one_that_crashes_on_and_on_is_started_with_pauses(self):
        text = self.config()
        self.sluice.reconfigure("region = ;")
        self.kill()
        harness.wait_for(lambda: "started again in 2 s" in self.sluice.log(), "pauses", 30)
        self.assertLess(self.sluice.log().count("ended with status 1"), 8)
        self.sluice.reconfigure(text)
        harness.wait_for(lambda: harness.children_of(self.sluice.child.pid), "another server", 30)
        self.goes_on()

    def test_servers_go_with_their_master(self):
        self.goes_on()
        self.sluice.kill()  # waits for that
        self.sluice = harness.Sluice(self.host, self.config(), HERE, name="again")
        self.goes_on()

    def test_a_signal_that_reaches_both_stops_once(self):
        """A terminal's interrupt does, and SIGTERM by systemd or killall: the question gets its two seconds."""
        def stopped(number, attempt):
            self.sluice.stop()
            self.sluice = harness.Sluice(self.host, self.config(), HERE, name="again%d.%d" % (number, attempt),
                                         start_new_session=True)
            begin = time.monotonic()
            with test_upgrade.silent_question(self.host) as asking:
                os.killpg(self.sluice.child.pid, number)
                self.assertEqual(2, asking.recv(4096)[3] & 15)
            took_s = time.monotonic() - begin
            self.assertEqual(0, self.sluice.child.wait(dns.PATIENCE), self.sluice.log())
            self.assertEqual(1, self.sluice.log().count("stopping on SIGTERM"), self.sluice.log())
            self.assertFalse(os.path.exists(self.sluice.socket))
            if took_s < 4:  # else the question may have ended by itself before the stop
                self.assertIn("still unanswered; ending", self.sluice.log())
            return took_s < 4
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(number):
                self.assertTrue(any(stopped(number, attempt) for attempt in range(20)), "too slow each time")

    def test_signals_until_its_end_make_no_difference(self):
        harness.wait_for(lambda: "serving:" in self.sluice.log(), "it to serve: a second stop kills one that starts")
        server = os.pidfd_open(self.sluice.pid)
        self.addCleanup(os.close, server)
        self.sluice.signal(signal.SIGTERM)
        with contextlib.suppress(ProcessLookupError):
            while not select.select([server], [], [], 0.001)[0]:
                self.sluice.signal(signal.SIGTERM)
                signal.pidfd_send_signal(server, signal.SIGTERM)
                signal.pidfd_send_signal(server, signal.SIGHUP)
        self.assertEqual(0, self.sluice.child.wait(dns.PATIENCE), self.sluice.log())
        self.assertEqual(1, self.sluice.log().count("stopping on SIGTERM"), self.sluice.log())

    def test_many_stops_fill_no_link(self):
        """The server does not read: the master kills one whose link is full."""
        harness.wait_for(lambda: "serving:" in self.sluice.log(), "it to serve: a second stop kills one that starts")
        server = self.sluice.pid
        harness.freeze(server)
        for _ in range(400):
            self.sluice.signal(signal.SIGTERM)
            while harness.is_pending(self.sluice.child.pid, signal.SIGTERM):  # two at once count as one
                time.sleep(0.0005)
        os.kill(server, signal.SIGCONT)
        self.assertEqual(0, self.sluice.child.wait(dns.PATIENCE), self.sluice.log())
        self.assertEqual(1, self.sluice.log().count("told to stop again"), self.sluice.log())

    def test_another_number_of_workers_is_not_that_of_one_that_is_started_again(self):
        self.sluice.reconfigure(self.config(workers=3))
        before = self.kill()
        self.sluice.wait_another(before)
        self.goes_on()
        self.assertEqual(2, self.sluice.status()["workers"])
        self.assertIn("another number of workers takes a restart", self.sluice.log())

    def test_a_listener_that_takes_a_restart_is_not_needed_by_one_that_is_started_again(self):
        with self.host.inside():
            other = socket.create_server(("127.0.0.1", 8054))
        self.addCleanup(other.close)
        self.sluice.reconfigure(self.config().replace('8053" ]', '8053", "http://127.0.0.1:8054" ]'))
        status, text = self.sluice.command("reload")
        self.assertEqual(0, status, text)
        self.assertIn("other listeners take a restart", text)
        self.sluice.wait_another(self.kill())
        self.goes_on()
        self.assertIn("management.listen[1]: ", self.sluice.log())

    def test_a_socket_that_somebody_has_removed_is_there_again(self):
        os.unlink(self.sluice.socket)
        before = self.kill()
        self.sluice.wait_another(before)
        self.sluice.wait_managed()
        self.goes_on()

    def test_a_socket_of_before_is_closed_when_it_is_not_wanted_any_more(self):
        self.sluice.reconfigure(self.config(listen="127.0.0.1:5353"))
        before = self.kill()
        self.sluice.wait_another(before)
        harness.wait_for(lambda: self.sluice.log().count("serving:") == 2, "it to serve")
        self.assert_answer(self.host.ask(("127.0.0.1", 5353), ZONE[0]), ZONE[1])
        self.assert_refused(self.host, HERE)

    def test_a_program_that_was_replaced_is_not_what_is_started_again(self):
        """That takes an upgrade."""
        self.sluice.stop()
        program = shutil.copy(harness.SLUICE, os.path.join(self.world.dir, "mine"))
        saved, harness.SLUICE = harness.SLUICE, program
        self.addCleanup(setattr, harness, "SLUICE", saved)
        self.sluice = harness.Sluice(self.host, self.config(), HERE, name="again")
        os.rename(self.script("crash", "kill -9 $$\n"), program)
        harness.SLUICE = saved
        before = self.kill()
        self.sluice.wait_another(before)
        self.goes_on()

    def test_one_that_does_not_come_to_serve_is_killed_and_started_again(self):
        count = lambda: self.sluice.log().count("serving:")
        for _ in range(50):
            served = harness.wait_for(count, "the first one to serve")
            log, before = len(self.sluice.log()), self.kill()
            again = harness.wait_for(lambda: [pid for pid in harness.children_of(self.sluice.child.pid)
                                              if pid != before], "another server")[0]
            harness.freeze(again)
            if count() != served:
                continue  # it has come to serve before it was stopped
            harness.wait_for(lambda: self.sluice.pid != again, "another server", 2 * dns.PATIENCE)
            if "the server says nothing for" not in self.sluice.log()[log:]:
                break  # else it has come to serve, and not to log it
        self.goes_on()
        self.assertIn("the server takes too long; killed", self.sluice.log())

    def test_one_that_hangs_when_it_is_told_to_stop_is_killed(self):
        slow, _ = self.slow()
        self.begin("--binary", slow)
        for pid in harness.children_of(self.sluice.child.pid):
            harness.freeze(pid)
        self.sluice.signal(signal.SIGTERM)
        self.sluice.expected = self.sluice.child.wait(dns.PATIENCE)
        self.assertEqual(1, self.sluice.expected)
        self.assertIn("the server takes too long; killed", self.sluice.log())

    def test_it_needs_no_standard_descriptors(self):
        self.sluice.stop()
        self.sluice = harness.Sluice(self.host, self.config(), HERE, name="again", argv0=(
            "sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh"))
        before = self.sluice.pid
        self.upgrade()
        self.left(before)
        os.kill(self.sluice.pid, signal.SIGKILL)
        self.goes_on()
        for number in range(3):
            self.assertEqual("/dev/null", os.readlink("/proc/%d/fd/%d" % (self.sluice.child.pid, number)))


class Hostile(test_upgrade.Upgrading):
    """Servers that say what they should not."""

    def fake(self, code):
        return fake(self.world, code)

    def becomes(self, code):
        """The fake one serves and the real one has ended; then it does this."""
        before = self.sluice.pid
        self.upgrade("--binary", self.fake("serve()\nwait_for('go')\n" + code))
        self.left(before)
        harness.wait_for(lambda: "goes on as" in self.sluice.log(), "the master to follow")
        self.world.write("go", "")

    def is_replaced(self):
        """By the real program."""
        def is_real():
            with contextlib.suppress(FileNotFoundError):  # of one that has just ended
                return "sluice" in os.path.basename(os.readlink("/proc/%d/exe" % self.sluice.pid))
        harness.wait_for(is_real, "another server")
        harness.wait_for(lambda: self.sluice.log().count("serving:") > 1, "it to serve")
        self.goes_on()

    def descriptors(self):
        folder, found = "/proc/%d/fd" % self.sluice.child.pid, {}
        for number in os.listdir(folder):
            with contextlib.suppress(FileNotFoundError):  # of one that is closed meanwhile
                found[number] = os.readlink(os.path.join(folder, number))
        return found

    def test_one_that_ends_before_it_has_the_state_is_started_again(self):
        before = self.sluice.pid
        self.sluice.command("upgrade", "--binary", self.fake(  # which the old one may not live to answer
            'ask(DNS, "127.0.0.1:53", 2); say(SERVES); os.kill(os.getpid(), 9)'))
        self.left(before)
        self.is_replaced()

    def test_the_master_follows_one_that_comes_when_no_server_is_there(self):
        """The old one was killed, and cannot be started again because of a fault. The new one serves in
        one of the pauses."""
        text, before = self.config(), self.sluice.pid
        command = self.begin("--binary", self.fake("""
wait_for('go')
children = '/proc/%d/task/%d/children' % (os.getppid(), os.getppid())
while open(children).read().split() != [str(os.getpid())]:
    time.sleep(0.01)
serve()
wait_for('end')
"""))
        self.sluice.reconfigure("region = ;")
        os.kill(before, signal.SIGKILL)
        harness.wait_for(lambda: re.search("started again in [0-9] s", self.sluice.log()), "a pause", 60)
        self.world.write("go", "")
        harness.wait_for(lambda: "goes on as sluice" in self.sluice.log(), "the master to follow", 60)
        command.wait(2 * dns.PATIENCE)
        self.sluice.reconfigure(text)
        self.world.write("end", "")
        self.is_replaced()

    def test_one_that_comes_to_serve_during_a_stop_serves_no_more(self):
        """The master is told to stop before it has read that the new one serves, and kills the new one."""
        self.begin("--binary", self.fake("""
wait_for('go')
for word in (ALIVE, ALIVE, ALIVE, SERVES):
    say(word)
open(folder + '/said', 'w').close()
time.sleep(60)
"""))
        master = self.sluice.child.pid
        harness.freeze(master)
        self.world.write("go", "")
        harness.wait_for(lambda: os.path.exists(os.path.join(self.world.dir, "said")), "its words")
        self.sluice.signal(signal.SIGTERM)
        os.kill(master, signal.SIGCONT)
        self.assertEqual(0, self.sluice.child.wait(dns.PATIENCE), self.sluice.log())
        self.assertNotIn("the server ended", self.sluice.log())

    def test_what_cannot_be_understood_ends_who_says_it_and_nothing_else(self):
        before = self.descriptors()
        for code in ("master.send(b'')", "master.send(b'x')", "master.send(os.urandom(4000))",
                     "master.send(os.urandom(9000))", "master.send(message(ALIVE)[:-1])",
                     "master.send(message(ALIVE, protocol=2))", "master.send(message(ALIVE, groups=65))",
                     "say(START)", "say(99)", "os.kill(os.getppid(), 19); say(99); say(SERVES); os.kill(os.getppid(), 18)", "say(ALIVE, 0, 0, 'x' * 4096)",
                     "master.send(b''); say(ALIVE)", "master.shutdown(socket.SHUT_RDWR)", "master.close()",
                     "while True: say(OPEN, UNIX, 1, '/nowhere/at/all')"):
            with self.subTest(code):
                text = self.upgrade("--binary", self.fake(code + "\ntime.sleep(60)"), fine=False)
                self.assertIn("signal 9", text)
        self.assertEqual(before, self.descriptors())
        self.goes_on()

    def test_what_is_no_address_is_not_opened(self):
        before = self.descriptors()
        text = self.upgrade("--binary", self.fake("""
for kind, name in ((DNS, "http://127.0.0.1:8080"), (DNS, ""), (HTTP, "127.0.0.1"), (UNIX, "/nowhere/at/all"),
                   (UNIX, "x" * 4000), (7, "127.0.0.1:5353")):
    print(kind, name[:40], bool(ask(kind, name, 2)), file=sys.stderr)
"""), fine=False)
        self.assertEqual(6, text.count(" True"), text)
        self.assertEqual(before, self.descriptors())
        self.goes_on()

    def test_one_that_takes_all_descriptors_leaves_some_for_the_next(self):
        self.sluice.stop()
        self.sluice = harness.Sluice(self.host, self.config(), HERE, name="again",
                                     argv0=("prlimit", "--nofile=400:400"))
        self.becomes("""
port = 2000
while not ask(HTTP, "http://127.0.0.1:%d" % port):
    port += 1
""")
        self.is_replaced()

    def test_an_old_one_that_says_that_it_is_quiet_on_and_on_is_ended(self):
        self.becomes("""
say(UPGRADE, 0, 0, %r)
end = time.monotonic() + 120
while time.monotonic() < end:
    say(QUIET)
    time.sleep(0.5)
""" % harness.SLUICE)
        harness.wait_for(lambda: "the old server takes too long; killed" in self.sluice.log(), "that")
        self.goes_on()

    def test_a_server_sends_no_descriptors(self):
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as sock:
                sock.setsockopt(socket.SOL_SOCKET, 83, 0)  # SO_PASSRIGHTS
        except OSError:
            self.skipTest("this kernel cannot refuse them")
        text = self.upgrade("--binary", self.fake(
            "socket.send_fds(master, [message(ALIVE)], [0])"), fine=False)
        self.assertIn("PermissionError", self.sluice.log() + text)
        self.goes_on()


if __name__ == "__main__":
    harness.main()
