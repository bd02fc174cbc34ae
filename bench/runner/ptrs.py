"""PTRs of the state, up to a million: what they cost to load and to keep, how long a change takes until
it is acknowledged and then until DNS has it, and whether changes can be felt by those who ask.

    edit ─► PUT ─► acknowledged (durable) ─► asked for, again and again, until the answer has it
        edit_ms                       visible_ms (asked_ms: the same where nothing has changed)

and a hundred thousand edits in one request, with somebody who reads beside it."""

import contextlib
import os
import random
import socket
import statistics
import struct
import threading
import time

from runner.api import Api
from runner.asking import percentile
from runner.configs import PORT, PROBE, PROBES, Shape, owned_address, sluice
from runner.memory import footprint
from runner.process import BOTH_CORES, LOAD_CORE, BenchError, load

CHANGES, CHANGES_QUICK = 1000, 100
COUNTS, COUNTS_QUICK = (100_000, 1_000_000), (1000, 10_000)
RELOADS = 5
BULK = 100_000  # edits in one request
RATE = 10_000  # of questions, while PTRs change
VISIBLE_S = 10  # longer than this is an error


class Asker:
    """Asks for PTRs, one at a time."""

    def __init__(self):
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.connect(("127.0.0.1", PORT))
        self.sock.settimeout(0.2)

    def has(self, number, target):
        """Whether the answer is this name now; false, too, when there is none."""
        labels = owned_address(number).split(".")[::-1] + ["in-addr", "arpa"]
        query = os.urandom(2) + struct.pack(">5H", 0x100, 1, 0, 0, 0)
        query += b"".join(bytes([len(a)]) + a.encode() for a in labels) + b"\0\0\14\0\1"
        wire = b"".join(bytes([len(a)]) + a.encode() for a in target.rstrip(".").split(".")) + b"\0"
        try:
            self.sock.send(query)
            return self.sock.recv(4096).endswith(wire)
        except OSError:
            return False

    def wait(self, number, target, seconds):
        """How long it took."""
        start = time.monotonic()
        while not self.has(number, target):
            if time.monotonic() - start > seconds:
                raise BenchError("ptrs: %s is not %s after %g s" % (
                    owned_address(number), target, seconds))
        return time.monotonic() - start


class Changer:
    """Gives the probes one new name after the other."""

    def __init__(self, shape):
        self.api, self.asker, self.made = Api(shape.socket()), Asker(), 0
        self.word = "c%x" % time.time_ns()  # what an earlier run left is not taken for ours

    def change(self):
        """Seconds from the edit to its acknowledgement, and from there to its answer."""
        self.made += 1
        number, name = PROBE + self.made % PROBES, "%s-%d.priv.test." % (self.word, self.made)
        start = time.monotonic()
        self.api.call("PUT", "/v1/ptrs/" + owned_address(number), {"reverse_fqdn": name})
        acknowledged = time.monotonic() - start
        return acknowledged, self.asker.wait(number, name, VISIBLE_S)

    def look(self):
        """Seconds of the same question behind a request that changes nothing: what waking up costs."""
        number = PROBE + self.made % PROBES
        self.api.call("GET", "/v1/ptrs/" + owned_address(number))
        return self.asker.wait(number, "%s-%d.priv.test." % (self.word, self.made), VISIBLE_S)


class Reader:
    """Looks one PTR up after the other, as long as its block lasts; `times` are seconds."""

    def __init__(self, shape):
        self.api, self.count, self.times = Api(shape.socket()), shape.ptrs, []
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.read)

    def read(self):
        while not self.over.is_set():
            start = time.monotonic()
            self.api.call("GET", "/v1/ptrs/" + owned_address(random.randrange(self.count)))
            self.times.append(time.monotonic() - start)
            time.sleep(0.002)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *error):
        self.over.set()
        self.thread.join()


def bulk(shape, numbers):
    """Seconds of one request that gives them another name; and of one that gives them theirs again;
    and what reading takes beside it."""
    api, taken = Api(shape.socket()), []
    with Reader(shape) as reader:
        for form in ("x%d.priv.test.", "h%d.priv.test."):
            rows = "".join("%s,%s\n" % (owned_address(n), form % n) for n in numbers)
            start = time.monotonic()
            api.call("POST", "/v1/ptrs", "address,reverse_fqdn\n" + rows)
            taken.append(time.monotonic() - start)
    return taken, reader.times


def percentiles(seconds):
    return {"p50": percentile(0.5, seconds) * 1e3, "p99": percentile(0.99, seconds) * 1e3,
            "max": max(seconds) * 1e3}


@contextlib.contextmanager
def beside_the_load():
    """The runner where the load would be: not on the server's core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {LOAD_CORE})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def at(count, changes, empty_bytes):
    shape = Shape(hosts=100, ptrs=count)
    server = sluice(shape)  # makes the state where there is none yet
    inside = footprint(shape)
    start = time.monotonic()
    with beside_the_load(), server:
        Asker().wait(count - 1, "h%d.priv.test." % (count - 1), 90)
        found = {"ptrs": count, "start_s": time.monotonic() - start, "state_s": inside["state_s"],
                 "again_s": inside["again_s"], "table_bytes": inside["ptr_bytes"] / inside["ptrs"],
                 "resident_bytes": (server.rss_bytes() - empty_bytes) / count}
        changer = Changer(shape)
        changer.change()
        times = [(*changer.change(), changer.look()) for _ in range(changes)]
        for key, column in zip(("edit_ms", "visible_ms", "asked_ms"), zip(*times)):
            found[key] = percentiles(column)
        reloads = []
        for _ in range(RELOADS):
            start = time.monotonic()
            changer.api.call("POST", "/v1/reload")
            reloads.append(time.monotonic() - start)
        found["reload_s"] = statistics.median(reloads)
        changer.change()
        with Reader(shape) as reader:
            time.sleep(1)
        found["read_ms"] = percentiles(reader.times)
        edits = min(BULK, count)
        for key, numbers in (("in_order", range(edits)), ("random", random.sample(range(count), edits))):
            taken, times = bulk(shape, numbers)
            found["bulk_%s_s" % key], found["read_beside_%s_ms" % key] = max(taken), percentiles(times)
        found["bulk_edits"] = edits
    return found


@contextlib.contextmanager
def behind_the_load():
    """The runner where the load is, but never in its way: what comes late to the load by the runner
    would count as the server's."""
    me = threading.get_native_id()
    with beside_the_load():
        os.setpriority(os.PRIO_PROCESS, me, 19)
        try:
            yield
        finally:
            os.setpriority(os.PRIO_PROCESS, me, 0)


def loaded(shape, seconds, with_changes):
    """One paced run; the load sleeps between its sends, so that the changes come to run as well."""
    result, over = {}, threading.Event()

    def run_load(server):
        try:
            result.update(load(server, "ptr", "--ptrs", shape.ptrs, "--rate", RATE, "--naps",
                               "--warm", 0.2, "--seconds", seconds))
        except BenchError as error:
            result["error"] = str(error)
        over.set()

    with sluice(shape, BOTH_CORES) as server:
        Asker().wait(0, "h0.priv.test.", 90)
        changer = Changer(shape)
        thread = threading.Thread(target=run_load, args=(server,))
        start = time.monotonic()
        thread.start()
        with behind_the_load():
            while with_changes and not over.is_set():
                changer.change()
        thread.join()
    if "error" in result or result["wrong"] or result["lost"]:
        raise BenchError("ptrs: under load: %s" % result)
    result["changes_per_s"] = changer.made / (time.monotonic() - start)
    return result


def under_load(count, seconds, repetitions, tell):
    """The same load without changes and with as many as one client can make, in turns."""
    shape, runs = Shape(hosts=100, ptrs=count), {"without": [], "with changes": []}
    for _ in range(repetitions):
        for what, of in runs.items():
            of.append(loaded(shape, seconds, what != "without"))
            tell("%d PTRs, %d questions/s, %s: %.0f changes/s, p50 %.0f p99 %.0f us" % (
                count, RATE, what, of[-1]["changes_per_s"], of[-1]["latency_us"]["p50"],
                of[-1]["latency_us"]["p99"]))
    for what, of in runs.items():
        yield {"what": what,
               "changes_per_s": statistics.median(r["changes_per_s"] for r in of),
               **{key: {p: statistics.median(r[key][p] for r in of) for p in of[0][key]}
                  for key in ("latency_us", "lateness_us")}}


def measure(plan, tell):
    counts = COUNTS_QUICK if plan.quick else COUNTS
    with sluice(Shape(hosts=100)) as server:
        load(server, "zone", "--hosts", 100, "--count", 1)
        empty_bytes = server.rss_bytes()
    found = {"counts": [], "under_load": []}
    for count in counts:
        one = at(count, CHANGES_QUICK if plan.quick else CHANGES, empty_bytes)
        found["counts"].append(one)
        tell("%d PTRs: start %.2f s, %.0f bytes each, reload %.1f ms, a change %.2f ms, visible "
             "%.2f ms behind that (max %.2f); %d in one request %.2f s in order, %.2f s at random, "
             "a look beside that %.2f ms (%.2f with nothing beside)" % (
                 count, one["start_s"], one["resident_bytes"], one["reload_s"] * 1e3,
                 one["edit_ms"]["p50"], one["visible_ms"]["p50"], one["visible_ms"]["max"],
                 one["bulk_edits"], one["bulk_in_order_s"], one["bulk_random_s"],
                 one["read_beside_random_ms"]["p50"], one["read_ms"]["p50"]))
    found["under_load"] = list(under_load(counts[0], 1 if plan.quick else 5,
                                          1 if plan.quick else plan.repetitions, tell))
    return found
