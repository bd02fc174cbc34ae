"""How a figure is made: every run of a server stands between two runs of the floor, and what counts
is its CPU per answered query as a ratio to the mean of these two. The machine may change its speed
from one minute to the next; neighbours it changes alike.

    floor  sluice  floor  unbound  floor  dnsdist  floor        one repetition"""

import statistics
import sys
import time
from dataclasses import dataclass, field
from typing import Callable

from runner.process import BenchError, load

WARM_S = 0.2


@dataclass
class Case:
    """One server at one workload."""
    work: str                 # workload
    label: str                # whose line in the tables
    server: Callable          # gives a Server that is not started yet
    mix: str
    options: list = field(default_factory=list)  # of the load
    point: float = 0          # rate, rules, links ...: the x of a plot
    fill: bool = False        # the cache, with every popular name
    overload_counts: bool = True  # whether a lost answer makes the bench fail


def run(case):
    """Starts the server, has the load warm and measure it, ends it."""
    with case.server() as server:
        result = load(server, case.mix, "--warm", WARM_S, *["--fill"] * case.fill, *case.options)
        rss = server.rss_bytes()
    answered = max(result["answered"], 1)
    cpu = result["server_cpu_ns"] / 1e9
    kept = ("sent", "answered", "lost", "wrong", "withheld", "slipped", "reconnected", "reasons", "latency_us",
            "lateness_us")
    return {"work": case.work, "server": case.label, "point": case.point,
            "cpu_us": cpu / answered * 1e6, "busy": cpu / max(result["seconds"], 1e-6),
            "qps": result["answered"] / max(result["seconds"], 1e-6), "rss_mb": rss / 1e6,
            "forwarded": result["upstream"] / answered, "counts": case.overload_counts,
            **{key: result[key] for key in kept}}


class Progress:
    """One line for each run, with how much is done and left."""

    def __init__(self):
        self.done = self.total = 0
        self.start = time.monotonic()

    def expect(self, count):
        self.total += count

    def skip(self, count):
        self.total -= count

    def tell(self, text):
        self.done += 1
        passed = time.monotonic() - self.start
        left = passed / self.done * (self.total - self.done)
        print("[%3d/%d, %d min left] %s" % (self.done, self.total, round(left / 60), text),
              flush=True)


def line(r):
    text = "%-9s %-12s" % (r["work"], r["server"])
    text += " %8s" % ("%g" % r["point"] if r["point"] else "")
    text += " %5.2f x floor" % r["ratio"] if r.get("ratio") else " " * 14
    text += "  %6.2f us/q  %7.0f q/s  busy %.2f  p50 %.0f p99 %.0f us  %.0f MB" % (
        r["cpu_us"], r["qps"], r["busy"], r["latency_us"]["p50"], r["latency_us"]["p99"],
        r["rss_mb"])
    if r["lost"] or r["wrong"] or r["withheld"]:
        text += "  LOST %d WRONG %d WITHHELD %d %s" % (r["lost"], r["wrong"], r["withheld"],
                                                      r["reasons"] or "")
    if r["slipped"]:
        text += "  (the load was away for %d questions)" % r["slipped"]
    return text


def floor_cost(before, after, forwarded):
    """CPU of the floor for a query, from the neighbouring runs. Of two floors (answering, relaying)
    each counts as much as the server answered itself and forwarded."""
    means = [(b["cpu_us"] + a["cpu_us"]) / 2 for b, a in zip(before, after)]
    if len(means) == 1:
        return means[0]
    share = min(forwarded, 1)
    return means[0] * (1 - share) + means[1] * share


class Bench:
    """Runs cases between floors and keeps every run. What is whole (every case of a group, once) is
    told to `on_whole`, so that a bench that is broken off need not begin anew."""

    def __init__(self, progress, on_whole=lambda: None):
        self.runs, self.troubles, self.whole = [], [], []
        self.progress, self.on_whole = progress, on_whole

    def interleave(self, name, cases, floors, repetitions):
        """floors: cases whose cost the others are compared with; [] for none."""
        for repetition in range(repetitions):
            unit = [name, repetition]
            if unit in self.whole:
                self.progress.skip(len(cases))
                continue
            self.once(cases, floors, repetition)
            self.whole.append(unit)
            self.on_whole()

    def once(self, cases, floors, repetition):
        before = [self.floor(f, repetition) for f in floors]
        for case in cases:
            result = self.attempt(case)
            after = [self.floor(f, repetition) for f in floors]
            if result:
                if floors:
                    result["floor_us"] = floor_cost(before, after, result["forwarded"])
                    result["ratio"] = result["cpu_us"] / result["floor_us"]
                    result["floor_qps"] = statistics.mean(f["qps"] for f in (before[0], after[0]))
                self.keep(result, repetition)
            before = after

    def floor(self, case, repetition):
        result = run(case)
        result["repetition"] = repetition
        self.runs.append(result)
        self.judge(result)
        return result

    def attempt(self, case):
        try:
            return run(case)
        except BenchError as error:
            self.trouble("%s %s: %s" % (case.work, case.label, error))
            self.progress.tell("%-9s %-12s %s" % (case.work, case.label, error))
            return None

    def keep(self, result, repetition):
        result["repetition"] = repetition
        self.runs.append(result)
        self.progress.tell(line(result))
        self.judge(result)

    def judge(self, r):
        # Asked for too much, a server may refuse; but nobody may lie.
        wrong = r["wrong"] - (0 if r["counts"] else r["reasons"].get("another rcode", 0))
        if wrong or (r["counts"] and (r["lost"] or r["withheld"])):
            self.trouble("%s %s%s: %d lost, %d wrong, %d withheld of %d" % (
                r["work"], r["server"], " at %g" % r["point"] if r["point"] else "", r["lost"],
                r["wrong"], r["withheld"], r["sent"]))

    def trouble(self, text):
        self.troubles.append(text)
        print("bench: " + text, file=sys.stderr, flush=True)
