"""Runs into figures: medians with the least and the most, by workload, server and point."""

import statistics
from collections import OrderedDict


class Figure:
    """The median of some runs, with the least and the most."""

    def __init__(self, values):
        self.median, self.low, self.high = statistics.median(values), min(values), max(values)

    def text(self, form="%.2f"):
        return "%s (%s-%s)" % (form % self.median, form % self.low, form % self.high)


class Summary:
    def __init__(self, results):
        self.results = results
        self.runs = results["runs"]
        self.memory = results.get("memory", {})
        self.ptrs = results.get("ptrs", {})

    def works(self):
        return list(OrderedDict.fromkeys(r["work"] for r in self.runs))

    def servers(self, work):
        return list(OrderedDict.fromkeys(r["server"] for r in self.runs if r["work"] == work))

    def points(self, work, server="sluice"):
        return sorted({r["point"] for r in self.of(work, server)})

    def of(self, work, server, point=None):
        return [r for r in self.runs if r["work"] == work and r["server"] == server and
                (point is None or r["point"] == point)]

    def figure(self, work, server, key, point=None):
        """None where it was not measured. key: a member of a run, or a function of one."""
        take = key if callable(key) else lambda r: r.get(key)
        values = [take(r) for r in self.of(work, server, point)]
        values = [v for v in values if v is not None]
        return Figure(values) if values else None

    def total(self, work, server, key):
        return sum(r[key] for r in self.of(work, server))

    def keeps_up(self, work, server, point):
        """Whether a paced server answered what it was sent, and the load could send what it was to,
        in every repetition."""
        runs = self.of(work, server, point)
        return bool(runs) and all(
            r["answered"] - r["wrong"] >= 0.999 * r["sent"] and
            r["withheld"] <= 0.001 * r["sent"] and r["qps"] >= 0.98 * point for r in runs)


def percentile(name):
    return lambda r: r["latency_us"][name]
