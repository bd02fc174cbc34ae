"""Servers and loads as processes: started on the cores they belong to, ended by pid.

The server under test has SERVER_CORE for itself. The load, with the upstream in it, has LOAD_CORE. The runner mostly
sleeps while anything is measured; where it works meanwhile, bench/faults and ptrs.py keep it on LOAD_CORE, too. Where a
server has to work beside its answers, it has BOTH_CORES."""

import ctypes
import json
import os
import select
import signal
import socket
import subprocess
import time

from runner.machine import BUILD

SERVER_CORE, LOAD_CORE = 0, 1
BOTH_CORES = frozenset({SERVER_CORE, LOAD_CORE})
UPSTREAM_PORT, TARGETS_PORT = 15300, 15400
READY_S, LOAD_S = 90, 300
LIBC = ctypes.CDLL(None)
ALONE = socket.socket(socket.AF_UNIX)


class BenchError(Exception):
    """Something could not be measured; the text says what."""


def be_alone():
    """Two benches at once would get each other's questions, because the ports are always the same."""
    if ALONE.getsockname():
        return
    try:
        ALONE.bind("\0sluice-bench")  # an abstract name, which ends with the process
    except OSError:
        raise BenchError("another bench is running on this machine; run one at a time") from None


def on_cores(cores):
    """What a child does before it becomes its program: goes to its cores, and asks to be killed when
    the runner dies, however that happens (prctl PR_SET_PDEATHSIG)."""
    def prepare():
        os.sched_setaffinity(0, cores)
        LIBC.prctl(1, signal.SIGKILL)
    return prepare


class Load:
    """The load, while it runs, against a started server: `with Load(...) as run:`. It is the upstream too, unless
    `upstream` is false. The server must not end before it, unless `server_may_end`."""

    def __init__(self, server, mix, *options, upstream=True, server_may_end=False):
        self.server, self.server_may_end = server, server_may_end
        self.argv = [str(BUILD / "load"), "--server", "127.0.0.1:%d" % server.port,
                     "--questions", mix, "--wait", str(READY_S)]
        self.argv += ["--upstream", "127.0.0.1:%d" % UPSTREAM_PORT] if upstream else []
        self.argv += ["--server-pid", str(server.pid)] if server.pid else []
        self.argv += [str(o) for o in options]

    def __enter__(self):
        self.child = subprocess.Popen(self.argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                      text=True, preexec_fn=on_cores({LOAD_CORE}))
        return self

    def __exit__(self, *_):
        self.kill()
        self.child.communicate()

    @property
    def pid(self):
        return self.child.pid

    def runs(self):
        return self.child.poll() is None

    def kill(self):
        if self.runs():
            self.child.kill()

    def result(self):
        """What it found; waits for its end. The runner sleeps meanwhile, because it may share the load's core."""
        if self.runs():
            wait_either(self.pid, None if self.server_may_end else self.server.pid)
        if not self.server_may_end and not self.server.alive():
            raise BenchError("ended with %s: %s" % (
                self.server.process.returncode, self.server.last_words()))
        out, err = self.child.communicate(timeout=5)
        if self.child.returncode != 0 or not out:
            raise BenchError("%s; its last line: %s" % (err.strip() or "the load failed",
                                                        self.server.last_words()))
        return json.loads(out)


def load(server, mix, *options):
    """Runs it to its end, and gives what it found."""
    with Load(server, mix, *options) as run:
        return run.result()


def wait_either(*pids):
    """Sleeps until one of the processes has ended; kills the first one if none has after LOAD_S."""
    watched = [os.pidfd_open(pid) for pid in pids if pid]
    try:
        if not select.select(watched, [], [], LOAD_S)[0]:
            os.kill(pids[0], signal.SIGKILL)
    finally:
        for descriptor in watched:
            os.close(descriptor)


class Server:
    """A server while it runs: `with Server(...) as server:`. `forks`: the process that is started is a
    master, and its child is what serves, and is measured."""

    def __init__(self, name, port, argv, cores=frozenset({SERVER_CORE}), cwd=None, forks=False):
        self.name, self.port, self.argv, self.cores, self.cwd = name, port, argv, cores, cwd
        self.forks = forks
        self.process = None
        self.end_s = 1  # how long it may take to end by itself

    def __enter__(self):
        self.start()
        return self

    def start(self):
        be_alone()
        log = BUILD / "log" / (self.name + ".log")
        log.parent.mkdir(parents=True, exist_ok=True)
        with open(log, "wb") as out:
            self.process = subprocess.Popen(self.argv, stdin=subprocess.DEVNULL, stdout=out,
                                            stderr=subprocess.STDOUT, cwd=self.cwd,
                                            start_new_session=True,
                                            preexec_fn=on_cores(self.cores))

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(timeout=self.end_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    @property
    def pid(self):
        """Of who serves; while there are two, the latest."""
        return self.children()[-1] if self.forks else self.process.pid

    def children(self):
        until = time.monotonic() + READY_S
        while self.alive() and time.monotonic() < until:
            found = open("/proc/%d/task/%d/children" % ((self.process.pid,) * 2)).read().split()
            if found:
                return [int(pid) for pid in found]
            time.sleep(0.001)
        raise BenchError("%s has ended: %s" % (self.name, self.last_words()))

    def alive(self):
        return self.process.poll() is None

    def last_words(self):
        text = (BUILD / "log" / (self.name + ".log")).read_text(errors="replace").strip()
        return text.split("\n")[-1][:200] or "its log is empty"

    def rss_bytes(self):
        for line in open("/proc/%d/status" % self.pid):
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        raise BenchError(self.name + " has no resident memory")

    def descriptors(self):
        return len(os.listdir("/proc/%d/fd" % self.pid))
