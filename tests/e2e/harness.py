"""A world of machines for the end-to-end tests, which goes away with the test.

    tests/e2e/test_x.py ── unshare ──► own network, mounts and processes
        World ── bridge ──┬── Host "cloud"   10.10.0.4     sluice
                          ├── Host "onprem"  192.168.0.53  NSD, Unbound, BIND, dnsmasq
                          └── Host "client"  10.20.0.5     dig, kdig, drill, getaddrinfo

Every test file runs itself once more inside namespaces of its own (with a user namespace when it is
not root), so no packet can leave the machine, no port is taken, no file under /run or /etc changes,
and whatever was started dies with the test. Where namespaces are not allowed, all is skipped.

World.close() is itself a test: sluice must end with status 0 and without a sanitizer's report."""

import contextlib
import ctypes
import http.client
import http.server
import ipaddress
import itertools
import json
import os
import re
import shutil
import signal
import socket
import socketserver
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import unittest
import urllib.parse

import dns

TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
SLUICE = os.path.abspath(os.environ.get("SLUICE", os.path.join(TOP, "build", "asan", "sluice")))
PLAIN = os.path.join(TOP, "build", "sluice")  # without sanitizers
VALGRIND = os.environ.get("VALGRIND")
UPSTREAM = os.path.join(TOP, "tests", "e2e", "upstream.py")
INSIDE = "SLUICE_E2E_INSIDE"
LOG_LINES = 40  # of each log, shown with a failure
CLONE_NEWNET = 0x40000000
SANITIZER = re.compile(r"(Address|Leak|Thread)Sanitizer|UndefinedBehavior|runtime error:")
# What the master says of a server that crashed (ILL, ABRT, BUS, FPE, SEGV, SYS) and is started again.
CRASH = re.compile(r"ended by signal (4|6|7|8|11|31)\b")
libc = ctypes.CDLL(None, use_errno=True)


def sh(*argv, **how):
    """Runs a command that must succeed."""
    how.setdefault("timeout", 2 * dns.PATIENCE)
    result = subprocess.run(argv, capture_output=True, text=True, **how)
    if result.returncode != 0:
        raise RuntimeError("%s: %s%s" % (" ".join(argv), result.stdout, result.stderr))
    return result.stdout


def wait_for(condition, what, seconds=dns.PATIENCE):
    """Polls until the condition returns a true value, and returns that. A condition that takes long, such as one about
    a page in a browser, is polled less often."""
    end = time.monotonic() + seconds
    while True:
        start = time.monotonic()
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError("waited %g seconds in vain for %s" % (seconds, what))
        time.sleep(max(0.02, 2 * (time.monotonic() - start)))


class Process:
    def __init__(self, host, name, argv, stderr=None, **how):
        self.host, self.name = host, name
        self.log_path = os.path.join(host.world.dir, "%s-%s.log" % (host.name, name))
        with open(self.log_path, "a") as log, host.inside():
            self.child = subprocess.Popen(argv, stdout=log, stderr=stderr or log, stdin=subprocess.DEVNULL,
                                          cwd=host.world.dir, **how)
        host.world.processes.append(self)

    def log(self):
        with open(self.log_path, errors="replace") as file:
            return file.read()

    def signal(self, number):
        self.child.send_signal(number)

    def stop(self, seconds=dns.PATIENCE):
        """Ends the process, by SIGTERM first, and returns its exit status."""
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGCONT)
            self.child.terminate()
            try:
                self.child.wait(seconds)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()
        return self.child.returncode

    def check(self):
        """Why its end was wrong, as text; None: it was right."""
        return None

    def wait_ready(self, server, name="ready.test", rtype="A", rclass=dns.IN):
        """Asks until there is an answer."""
        def answered():
            if self.child.poll() is not None:
                raise AssertionError("%s ended with status %d:\n%s" % (
                    self.name, self.child.returncode, self.log()))
            with self.host.inside(), contextlib.suppress(OSError):
                return dns.udp(dns.query(name, rtype, rclass=rclass), server, timeout=2)
        wait_for(answered, "%s to answer at %s port %d" % ((self.name,) + server), 2 * dns.PATIENCE)
        return self


def reverse_name(address):
    return ipaddress.ip_address(address).reverse_pointer + "."


def state_of(pid):
    """The letter of /proc/PID/stat; None: there is no such process."""
    try:
        with open("/proc/%s/stat" % pid) as file:
            return file.read().rsplit(")", 1)[1].split()[0]
    except OSError:
        return None


def children_of(pid):
    """The oldest first."""
    try:
        with open("/proc/%d/task/%d/children" % (pid, pid)) as file:
            return [int(child) for child in file.read().split()]
    except OSError:
        return []


def fields_of(path):
    """What the kernel says in /proc/PID/status: {field: text}."""
    with open(path) as file:
        return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)


def is_pending(pid, number):
    """Whether the process has yet to take that signal."""
    return int(fields_of("/proc/%d/status" % pid)["ShdPnd"], 16) >> number - 1 & 1 == 1


def threads_of(pid):
    """What the kernel says of each thread: {tid: {field: text}}. A thread that ends meanwhile is left out."""
    found = {}
    for tid in os.listdir("/proc/%d/task" % pid):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            found[int(tid)] = fields_of("/proc/%d/task/%s/status" % (pid, tid))
    return found


def is_gone(pid):
    """Whether all of its threads are gone: the first one may end before threads that have its sockets."""
    try:
        return state_of(pid) in (None, "Z") and len(os.listdir("/proc/%d/task" % pid)) <= 1
    except OSError:
        return True


def freeze(pid):
    """Stops a process, and waits until all of its threads stand still: they do not stop all at once."""
    def stands():
        tasks = "/proc/%d/task" % pid
        return all(state_of("%d/task/%s" % (pid, task)) in ("T", "Z", None) for task in os.listdir(tasks))
    os.kill(pid, signal.SIGSTOP)
    wait_for(stands, "process %d to stand still" % pid)


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):  # 50,000 addresses in one request take a sanitizer's server minutes on a busy machine
        super().__init__("localhost", timeout=5 * dns.PATIENCE)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class FakeServer(socketserver.ThreadingUnixStreamServer):
    """A management socket: the answer to a GET of /v1/NAME is what answer(NAME, its query) returns, as JSON with status
    200; a tuple is a status and the JSON."""

    def __init__(self, path, answer):
        self.path, self.answer = path, answer
        super().__init__(path, self.Handler)
        self.thread = threading.Thread(target=self.serve_forever)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            url = urllib.parse.urlsplit(self.path)
            answer = self.server.answer(url.path.removeprefix("/v1/"), urllib.parse.parse_qs(url.query))
            status, body = answer if isinstance(answer, tuple) else (200, answer)
            text = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_):
            pass

        def address_string(self):
            return "unix"

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.thread.join()
        self.server_close()


class Sluice(Process):
    """build/asan/sluice with a configuration of its own. `child` is the master."""

    def __init__(self, host, config, server=None, name="sluice", argv0=(), options=(), **how):
        self.config = host.world.write(name + ".conf", config)
        super().__init__(host, name, [*argv0, SLUICE, "run", "-c", self.config, *options], **how)
        self.expected = 0
        found = re.search(r'socket = "([^"]*)"', config)
        self.socket = found and os.path.join(host.world.dir, found.group(1))
        if server:
            self.wait_ready(server, "version.bind", "TXT", dns.CH)

    @property
    def pid(self):
        """The process id of the server that the master started; of two the latest."""
        return wait_for(lambda: children_of(self.child.pid), "the server")[-1]

    def signal(self, number):
        """Signals the master, like a service manager; SIGSTOP and SIGCONT go to the server. SIGKILL ends the
        server, too."""
        if number == signal.SIGSTOP:
            freeze(self.pid)
            return
        if number == signal.SIGCONT:
            os.kill(self.pid, number)
            return
        servers = children_of(self.child.pid) if number == signal.SIGKILL else []
        self.child.send_signal(number)
        for pid in servers:
            wait_for(lambda: is_gone(pid), "the server to go with its master")

    def kill(self):
        """Kills the master, and the server with it; World.close expects that."""
        self.signal(signal.SIGKILL)
        self.child.wait()
        self.expected = -signal.SIGKILL

    def stop(self, seconds=dns.PATIENCE):
        for pid in children_of(self.child.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        return super().stop(seconds)

    def wait_another(self, before):
        """Waits until the master has started another server than this one."""
        wait_for(lambda: self.pid != before, "another server")

    def command(self, *argv):
        """A command to the running server, with the same configuration file."""
        return command(argv[0], "-c", self.config, *argv[1:])

    def completed(self, *words):
        """How bash completes the last of these words of a command line."""
        script = ("source <(%s completion bash); sluice() { %s \"$@\" -c %s; };"
                  "COMP_WORDS=(sluice %s); COMP_CWORD=%d; _sluice; echo \"${COMPREPLY[@]}\"") % (
                      SLUICE, SLUICE, self.config, " ".join(word or "''" for word in words), len(words))
        with self.host.inside():
            return subprocess.run(["bash", "-c", script], capture_output=True, text=True,
                                  timeout=60, check=True).stdout.split()

    def status(self):
        """The output of `status --json`, without a process for it."""
        with contextlib.closing(UnixConnection(self.socket)) as connection:
            connection.request("GET", "/v1/status")
            response = connection.getresponse()
            text = response.read()
        if response.status != 200:
            raise AssertionError(text)
        return json.loads(text)

    def wait_managed(self):
        """Waits until the control socket answers, which may be a while after its file exists."""
        def answered():
            with contextlib.suppress(OSError, http.client.HTTPException):
                return self.status()
        return wait_for(answered, "the management API")

    def reconfigure(self, config):
        self.host.world.write(os.path.basename(self.config), config)

    def check(self):
        log = self.log()
        if SANITIZER.search(log):
            return "a sanitizer's report:\n" + log
        if CRASH.search(log):
            return "the server crashed:\n" + log
        if self.child.returncode != self.expected:
            return "exit status %d, not %d:\n%s" % (self.child.returncode, self.expected, log)
        return None


def command(*argv, **how):
    """Runs a sluice command to its end: (status, what it printed). The largest imports take 15 s of CPU
    time, which a busy machine does not have in two minutes."""
    result = subprocess.run([SLUICE, *argv], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                            text=True, timeout=5 * dns.PATIENCE, **how)
    if SANITIZER.search(result.stdout):
        raise AssertionError("a sanitizer's report:\n" + result.stdout)
    return result.returncode, result.stdout


class Upstream(Process):
    """tests/e2e/upstream.py: answers as the question says, and notes the questions."""

    def __init__(self, host, listen, address, port=53):
        name = "upstream-%s-%d" % (listen.replace(":", "_"), port)
        self.questions_path = os.path.join(host.world.dir, "%s-%s.json" % (host.name, name))
        super().__init__(host, name, [sys.executable, UPSTREAM, listen, str(port), address,
                                      self.questions_path])
        self.wait_ready((listen, port))

    def questions(self, name=None):
        """Its questions, the oldest first; all, or for one name."""
        with open(self.questions_path) as file:
            asked = [json.loads(line) for line in file if line.endswith("\n")]  # it may be writing
        return [q for q in asked if name is None or q["name"].lower() == name.rstrip(".") + "."]

    def release(self):
        """Answers questions with the label "held" from now on."""
        with open(self.questions_path + ".release", "w"):
            pass

    def hold(self):
        """Holds such questions again."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.questions_path + ".release")


class Host:
    """A machine: a network namespace on the world's bridge. Every address is reached directly."""

    links = itertools.count()  # a name is not used twice: links vanish a little later than removed

    def __init__(self, world, name, addresses):
        self.world, self.name = world, name
        self.link = "veth%d" % next(self.links)  # the bridge's end
        world.hosts.append(self)
        sh("ip", "netns", "add", name)
        sh("ip", "link", "add", self.link, "type", "veth", "peer", "name", "eth0", "netns", name)
        sh("ip", "link", "set", self.link, "master", "br0", "up")
        for command_ in ("link set lo up", "link set eth0 up"):
            sh("ip", "-n", name, *command_.split())
        for address in addresses:
            self.add_address(address)
        for family in sorted({"-6" if ":" in address else "-4" for address in addresses}):
            sh("ip", "-n", name, family, "route", "add", "default", "dev", "eth0")

    def remove(self):
        """The kernel removes a namespace some time later; until then its addresses would answer too."""
        sh("ip", "link", "set", self.link, "down")
        sh("ip", "netns", "del", self.name)

    def add_address(self, address):
        v6 = ":" in address
        sh("ip", "-n", self.name, "addr", "add", address + ("/128" if v6 else "/32"),
           "dev", "eth0", *(["nodad"] if v6 else []))

    @contextlib.contextmanager
    def inside(self):
        """Sockets and processes made within belong to this machine."""
        self._enter("/run/netns/" + self.name)
        try:
            yield self
        finally:
            self._enter("/run/netns-world")

    @staticmethod
    def _enter(path):
        with open(path) as file:
            if libc.setns(file.fileno(), CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), "setns " + path)

    def run(self, *argv, **how):
        """Runs a command to its end: (status, what it printed)."""
        how.setdefault("timeout", 2 * dns.PATIENCE)
        with self.inside():
            result = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                    text=True, **how)
        return result.returncode, result.stdout

    def ask(self, server, name, rtype="A", **how):
        with self.inside():
            return dns.ask((server, 53) if isinstance(server, str) else server, name, rtype, **how)

    def begin(self, server, name, by_tcp=False):
        """Asks a question; returns the socket that waits for the answer."""
        with self.inside():
            sock = dns.open_socket(socket.SOCK_STREAM if by_tcp else socket.SOCK_DGRAM, server, None)
        sock.settimeout(dns.PATIENCE)
        sock.connect(server)
        packet = dns.query(name, opts=(dns.opt(),))
        sock.send(dns.framed(packet) if by_tcp else packet)
        return sock

    def send(self, server, packet, transport=dns.udp, **how):
        with self.inside():
            return transport(packet, (server, 53) if isinstance(server, str) else server, **how)

    def dig(self, server, name, rtype="A", *options, client="dig"):
        """Runs a real client: dig, kdig or drill, which have the same output."""
        argv = ([client, *options, "@" + server, name, rtype] if client == "drill"
                else [client, "@" + server, name, rtype, *options])
        status, text = self.run(*argv)
        return Dig(status, text)

    def with_resolv_conf(self, nameserver, *argv, **how):
        """Runs a command with a resolv.conf that names one server."""
        resolv = self.world.write("resolv.conf", "nameserver %s\noptions timeout:15 attempts:4\n"
                                  % nameserver)
        nsswitch = self.world.write("nsswitch.conf", "hosts: dns\n")
        real = os.path.realpath("/etc/resolv.conf")
        if not os.path.exists(real):  # a dangling link into /run, which is ours in here
            os.makedirs(os.path.dirname(real), exist_ok=True)
            open(real, "w").close()
        script = ('mount --bind "$1" "$2" && mount --bind "$3" /etc/nsswitch.conf && shift 3 &&'
                  ' exec "$@"')
        return self.run("unshare", "-m", "sh", "-c", script, "sh", resolv, real, nsswitch, *argv, **how)


class Dig:
    """The parsed output of dig, kdig or drill."""

    def __init__(self, status, text):
        self.status, self.text = status, text
        rcode = re.search(r"(?:status|rcode): (\w+)", text)
        self.rcode = rcode.group(1) if rcode else None
        flags = re.search(r";; [Ff]lags: ([a-z ]*)", text)
        self.flags = set(flags.group(1).split()) if flags else set()
        self.answer = self._section("ANSWER")
        self.authority = self._section("AUTHORITY")

    def _section(self, name):
        part = re.search(r";; %s SECTION:\n(.*?)(?:\n\n|\n;;|\Z)" % name, self.text, re.S)
        lines = part.group(1).splitlines() if part else []
        return [line.split(None, 4) for line in lines if line and not line.startswith(";")]

    @property
    def texts(self):
        """The answers' rdata."""
        return [line[4] for line in self.answer]


class World:
    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="sluice-e2e-")
        os.chmod(self.dir, 0o755)
        self.processes, self.hosts = [], []

    def write(self, name, text):
        path = os.path.join(self.dir, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(text)
        return path

    def secret(self, name, text):
        """A file that only its owner can read."""
        path = self.write(name, text + "\n")
        os.chmod(path, 0o600)
        return path

    def certificate(self, name="tls", key=("ec", "-pkeyopt", "ec_paramgen_curve:P-256")):
        """Makes NAME.key and NAME.pem, for 127.0.0.1; returns the path of the latter."""
        path = os.path.join(self.dir, name)
        sh("openssl", "req", "-x509", "-newkey", *key, "-nodes", "-days", "2", "-subj", "/CN=sluice",
           "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", path + ".key", "-out", path + ".pem")
        return path + ".pem"

    def host(self, name, *addresses):
        return Host(self, name, addresses)

    def program(self, path):
        """A copy of a system's program, which no AppArmor profile keeps from our folder."""
        copy = os.path.join(self.dir, "bin", os.path.basename(path))
        if not os.path.exists(copy):
            if not os.path.exists(path):
                raise unittest.SkipTest(path + " is not installed")
            os.makedirs(os.path.dirname(copy), exist_ok=True)
            shutil.copy(path, copy)
        return copy

    def describe(self):
        """Data that may explain a failure: the end of each log, and the sockets that listen by TCP or UDP."""
        parts = []
        for process in self.processes:
            with contextlib.suppress(OSError), open(process.log_path, errors="replace") as file:
                parts += ["", "the log of %s on %s:" % (process.name, process.host.name),
                          *file.read().splitlines()[-LOG_LINES:]]
        for host in self.hosts:
            parts += ["", "listening on %s:" % host.name, *host.run("ss", "-Htuln")[1].splitlines()]
        return "\n".join(parts) + "\n"

    def close(self):
        wrong = []
        for process in reversed(self.processes):
            process.stop()
            problem = process.check()
            if problem:
                wrong.append("%s: %s" % (process.name, problem))
        for host in self.hosts:
            host.remove()
        self.hosts.clear()  # describe, for an error of this very call, finds no machines any more
        shutil.rmtree(self.dir, ignore_errors=True)
        if wrong:
            raise AssertionError("\n".join(wrong))


def lateness(sluice):
    """How often a server has found a target late; and whether one is suspect now."""
    found = sluice.status()
    return (found["counters"]["retried"] + sum(t["probes"] + t["suspicions"] for t in found["targets"]),
            any(t["state"] == "suspect" for t in found["targets"]))


class Case(unittest.TestCase):
    """A class of tests shares one world: `build` makes it, the tests only ask."""

    world = None

    @classmethod
    def build(cls, world):
        pass

    @classmethod
    def setUpClass(cls):
        cls.world = World()
        try:
            cls.build(cls.world)
        except BaseException:
            with contextlib.suppress(AssertionError):
                cls.world.close()
            raise

    @classmethod
    def tearDownClass(cls):
        cls.world.close()

    def under_way(self, host, server, name, upstream, by_tcp=False):
        """A socket that waits for the answer to a question that the upstream has been asked."""
        sock = host.begin(server, name, by_tcp)
        self.addCleanup(sock.close)
        wait_for(lambda: upstream.questions(name), "the question")
        return sock

    def unless_late(self, attempt, sluice=None):
        """Repeats an attempt that a late target has spoilt: on a busy machine a target is late now and
        then, and another is asked instead, or the same one twice. Only what the server itself reports
        as late excuses a failure. `attempt` takes its number, for a new name."""
        sluice = sluice or self.sluice
        for number in range(20):
            count, suspect = lateness(sluice)
            try:
                return attempt(number)
            except AssertionError:
                now, still = lateness(sluice)
                if now == count and not suspect and not still:
                    raise
            time.sleep(0.1 * (number + 1))
        raise AssertionError("a target was late in each of many attempts")

    def ptr_is(self, address, *names, ttl=None):
        """Waits until DNS has a change; only a slow machine takes longer than a moment. Names are in lower
        case; none: NXDOMAIN."""
        rcode = "NOERROR" if names else "NXDOMAIN"

        def asked():
            message = self.host.ask(("127.0.0.1", 53), reverse_name(address), "PTR")
            return message if (message.rcode, message.texts()) == (rcode, list(names)) else None
        message = wait_for(asked, "the PTR of %s to be %s %s" % (address, rcode, names))
        if ttl is not None:
            self.assertEqual(ttl, message.answer[0].ttl)

    def assert_refused(self, host, server, packet=b"\0" * 12):
        """Waits until every worker has closed the port."""
        def refused():
            try:
                host.send(server, packet, timeout=0.5)
            except ConnectionRefusedError:
                return True
        wait_for(refused, "%s port %d to be closed" % server)

    def assert_answer(self, message, *texts, rcode="NOERROR"):
        """The answer's rdata, in any order, and its rcode."""
        self.assertIsNotNone(message, "nothing was answered")
        self.assertEqual((rcode, sorted(texts)), (message.rcode, sorted(message.texts())), message)

    def assert_answered_by_one(self, message, *texts):
        """The answer is one of these. Each is of another target of a rule: on a busy machine the first target may be
        slow enough that the second one is asked as well, and answers first."""
        self.assertIsNotNone(message, "nothing was answered")
        self.assertIn((message.rcode, message.texts()), [("NOERROR", [text]) for text in texts], message)

    def assert_rcode(self, message, rcode, ede=None, text=None):
        self.assertIsNotNone(message, "nothing was answered")
        self.assertEqual(rcode, message.rcode, message)
        if ede is not None:
            self.assertIsNotNone(message.ede, "no extended error in %r" % message)
            self.assertIn(message.ede[0], ede if isinstance(ede, tuple) else (ede,), message)
        if text is not None:
            self.assertIn(text, message.ede[1])

    def assert_stranger(self, message):
        """REFUSED, and nothing but the question: no OPT, so no extended error either."""
        self.assert_rcode(message, "REFUSED")
        self.assertEqual((None, [], [], []),
                         (message.opt, message.answer, message.authority, message.additional))


class FreshCase(Case):
    """A world for every test, for tests that stop or change the servers."""

    @classmethod
    def setUpClass(cls):
        pass

    @classmethod
    def tearDownClass(cls):
        pass

    def setUp(self):
        self.world = World()
        self.addCleanup(lambda: self.world.close())
        self.build(self.world)

    def build(self, world):
        pass


class Tap(unittest.TestResult):
    """Prints results as cmocka does, so that tests/run counts both the same way."""

    def __init__(self):
        super().__init__()
        self.count = 0

    def line(self, good, test, note=""):
        self.count += 1
        name = (test.id() if hasattr(test, "id") else str(test)).replace("__main__.", "")
        print("%sok %d - %s%s" % ("" if good else "not ", self.count, name, note), flush=True)

    def failed(self, test, error):
        self.line(False, test)
        world = getattr(getattr(test, "test_case", test), "world", None)  # a subtest's is its test's
        text = world.describe() if world else ""
        text += "".join(traceback.format_exception(*error))  # last: of a long log, others keep the end
        print("".join("# %s\n" % line for line in text.splitlines()), flush=True)

    def addSuccess(self, test):
        super().addSuccess(test)
        self.line(True, test)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.line(True, test, " # SKIP " + reason)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.failed(test, err)

    def addError(self, test, err):
        super().addError(test, err)
        self.failed(test, err)

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            self.failed(subtest, err)


def enter_namespaces():
    """Starts this program again in its own namespaces; returns a reason if it cannot."""
    wrapper = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    if os.geteuid() != 0:
        wrapper[1:1] = ["--user", "--map-root-user"]
    probe = subprocess.run(wrapper + ["sh", "-c", "mount -t tmpfs none /run && ip link set lo up"
                                      " && ip link add br0 type bridge"],
                           capture_output=True, text=True)
    if probe.returncode != 0:
        return "no network namespaces here: " + (probe.stderr.strip() or "unshare failed")
    os.environ[INSIDE] = "yes"
    os.execvp(wrapper[0], wrapper + [sys.executable] + sys.argv)


def stand_alone():
    """Makes sure that this program has its own namespaces, with a bridge for a world's machines; returns a
    reason if it cannot. The user's umask and proxies are not the tests'."""
    os.umask(0o022)
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        del os.environ[name]
    reason = None if os.environ.get(INSIDE) else enter_namespaces()
    if reason is None:
        sh("mount", "-t", "tmpfs", "none", "/run")
        sh("ip", "link", "set", "lo", "up")
        sh("ip", "link", "add", "br0", "type", "bridge")
        sh("ip", "link", "set", "br0", "up")
        open("/run/netns-world", "w").close()
        sh("mount", "--bind", "/proc/self/ns/net", "/run/netns-world")
    return reason


def flatten(suite):
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from flatten(item)
        else:
            yield item


def main():
    """Every test file ends by calling this; arguments limit it to tests whose name has them. A file of random
    tests has a SEED, which is printed for a second run."""
    seed = getattr(sys.modules["__main__"], "SEED", None)
    if seed is not None:
        print("# SEED=%d" % seed, flush=True)
    reason = stand_alone()
    result = Tap()
    suite = unittest.defaultTestLoader.loadTestsFromModule(sys.modules["__main__"])
    wanted = [test for test in flatten(suite)
              if not sys.argv[1:] or any(word in test.id() for word in sys.argv[1:])]
    if reason is None:
        unittest.TestSuite(wanted).run(result)
    else:
        for test in wanted:
            result.addSkip(test, reason)
    print("1..%d" % result.count)
    sys.exit(0 if result.wasSuccessful() else 1)
