"""Results as a Markdown page, as JSON and as plots. What was not run is left out."""

import itertools
import json
import os

from runner import goals
from runner.machine import TOP
from runner.plot import Panel, bars, lines
from runner.summary import Summary, percentile
from runner.workloads import GROUPS, RISING, STEADY

GROWTH = (("rules", "rules", "forwarded"), ("links", "linked networks", "forwarded"),
          ("records", "records", "private zone"), ("ptrs", "PTRs", "PTR of an address of ours"))
BESIDE = (("ptrs-zone", "records, beside the PTRs"),)
INSTRUCTIONS = TOP / "bench/instructions.json"


def table(head, rows):
    rows = [[str(cell) for cell in row] for row in rows]
    if not rows:
        return []
    return ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)] + [
        "| " + " | ".join(row) + " |" for row in rows] + [""]


def section(title, body, *before):
    return ["## " + title, "", *(line + "\n" for line in before), *body] if body else []


def parts_of(results):
    """The runs of the bench that the results are from: more than one where they were added to."""
    return results.get("before", []) + [{key: results[key] for key in ("started", "machine", "plan")}]


def machine_lines(results):
    for part in parts_of(results):
        yield from part_lines(part)
    if results["peers"]:
        yield "Peers: " + ", ".join("%s %s" % p for p in results["peers"].items()) + "."
    sent, lost, wrong = (sum(r[k] for r in results["runs"] if r["counts"])
                         for k in ("sent", "lost", "wrong"))
    yield "Of %d questions %d were lost and %d answered wrongly (without the latencies at rising " \
          "rates, where a server may be asked for too much)." % (sent, lost, wrong)


def part_lines(part):
    m, plan = part["machine"], part["plan"]
    yield ", ".join(plan["workloads"]) + ":"
    yield "Measured %s on %s, %d processors (%s), Linux %s, %s; %s, commit %s, %s." % (
        part["started"], m["processor"], m["processors"], m["virtual"], m["kernel"],
        m["system"], m["sluice"], m["commit"], m["compiler"])
    yield "Runs of %g s, %d repetitions; medians, with the least and the most in brackets." % (
        plan["seconds"], plan["repetitions"])


def steady_rows(s):
    for work in STEADY:
        for name in s.servers(work.name):
            ratio = s.figure(work.name, name, "ratio")
            share = s.figure(work.name, name, lambda r: r["qps"] / r["floor_qps"]
                             if "floor_qps" in r and len(work.floors) == 1 else None)
            yield ("**%s**" % work.title if name == s.servers(work.name)[0] else "", name,
                   ratio.text() if ratio else "1",
                   s.figure(work.name, name, "cpu_us").text(),
                   "%.0f" % (s.figure(work.name, name, "qps").median / 1e3),
                   "%.2f" % share.median if share else "",
                   "%.2f" % s.figure(work.name, name, "busy").median,
                   "%.0f" % s.figure(work.name, name, "rss_mb").median,
                   s.total(work.name, name, "lost"), s.total(work.name, name, "wrong"))


def paced_rows(s):
    for work, title in (("paced-zone", "private zone"), ("paced-miss", "forwarded")):
        for rate in s.points(work):
            yield (title, "%g" % (rate / 1000),
                   s.figure(work, "sluice", "cpu_us", rate).text(),
                   s.figure(work, "floor", "cpu_us", rate).text(),
                   s.figure(work, "sluice", "ratio", rate).text())


def latency_rows(s):
    for mix in RISING:
        work = "latency-" + mix
        for name in s.servers(work):
            for rate in s.points(work, name):
                kept = s.keeps_up(work, name, rate)
                cells = ["%.0f" % s.figure(work, name, percentile(p), rate).median
                         for p in ("p50", "p90", "p99", "p999")]
                yield (mix, name, "%g" % (rate / 1000), *cells, "yes" if kept else "no")


def added_rows(s):
    direct = {p: s.figure("added", "direct", percentile(p)) for p in ("p50", "p99")}
    for name in s.servers("added"):
        figures = [s.figure("added", name, percentile(p)) for p in ("p50", "p99", "p999")]
        more = ["%.0f" % (f.median - direct[p].median) if direct[p] and not name.startswith("direct") else ""
                for f, p in zip(figures, ("p50", "p99"))]
        yield (name, *(f.text("%.0f") for f in figures), *more)


def growth_rows(s):
    for work, what in [row[:2] for row in GROWTH] + list(BESIDE):
        for point in s.points(work):
            yield (what, "%d" % point, s.figure(work, "sluice", "ratio", point).text(),
                   s.figure(work, "sluice", "cpu_us", point).text(),
                   "%.0f" % s.figure(work, "sluice", "rss_mb", point).median)


def ptr_rows(s):
    for at in s.ptrs.get("counts", []):
        yield ("%d" % at["ptrs"], "%.2f" % at["start_s"], "%.2f" % at["state_s"],
               "%.0f" % at["resident_bytes"], "%.0f" % at["table_bytes"],
               "%.2f" % (at["reload_s"] * 1e3), "%.2f" % (at["again_s"] * 1e3),
               *("%.2f / %.2f / %.2f" % tuple(at[key][p] for p in ("p50", "p99", "max"))
                 for key in ("edit_ms", "visible_ms", "asked_ms")))


def disturbed_rows(s):
    for row in s.ptrs.get("under_load", []):
        yield (row["what"], "%.0f" % row["changes_per_s"],
               *("%.0f" % row["latency_us"][p] for p in ("p50", "p99", "p999")),
               "%.0f" % row["lateness_us"]["p99"])


def worker_rows(s):
    for work in (w for w in s.works() if w.startswith("workers-")):
        one, two = (s.figure(work, "%d x sluice" % n, "cpu_us") for n in (1, 2))
        if one and two:
            yield work[8:], one.text(), two.text(), "%.2f" % (two.median / one.median)


def page(results):
    s = Summary(results)
    text = ["# sluice, side by side", "", *(line + "\n" for line in machine_lines(results))]
    text += section("Throughput and CPU", table(
        ("work", "server", "CPU per query, x floor", "us", "kq/s", "x floor's", "core busy", "MB",
         "lost", "wrong"), steady_rows(s)))
    text += section("Goals", table(("what", "goal", "measured", "met"), goals.rows(s)))
    text += section("CPU per query at a pace", table(
        ("work", "kq/s", "sluice, us", "floor, us", "ratio"), paced_rows(s)))
    text += section("Latency added by forwarding, 10 kq/s, us", table(
        ("asked", "p50", "p99", "p99.9", "added p50", "added p99"), added_rows(s)))
    text += section("Latency at rising rates, us", table(
        ("work", "server", "kq/s", "p50", "p90", "p99", "p99.9", "keeps up"), latency_rows(s)))
    text += section("Growth", table(
        ("of", "count", "CPU per query, x floor", "us", "MB"), growth_rows(s)))
    text += section("PTRs of the state", table(
        ("PTRs", "start, s", "of it reading, s", "resident bytes each", "of it the table",
         "reload, ms", "of it merging, ms", "edit to acknowledged, ms: p50 / p99 / max",
         "acknowledged to visible, ms", "the same question without a change, ms"), ptr_rows(s)))
    text += section("DNS while PTRs change", table(
        ("run", "changes/s", "p50, us", "p99", "p99.9", "p99 of the load's own lateness"),
        disturbed_rows(s)))
    text += section("Two workers", table(
        ("work", "one at 20 kq/s, us", "two at 40 kq/s, us", "ratio"), worker_rows(s)))
    text += section("Memory and loading", table(
        ("what", "value"), ((k, "%.6g" % v) for k, v in s.memory.items())))
    if INSTRUCTIONS.exists():
        counted = json.loads(INSTRUCTIONS.read_text())
        text += section("Instructions a query, counted by callgrind at commit " +
                        counted["commit"],
                        table(("path", "instructions"), counted["instructions"].items()))
    text += section("Troubles", ["- " + t for t in results["troubles"]])
    return "\n".join(text).rstrip() + "\n"


def bar_rows(s, work, key, scale=1.0, descending=False):
    rows = []
    for name in s.servers(work):
        figure = s.figure(work, name, key)
        if figure:
            rows.append((name, figure.median * scale, figure.low * scale, figure.high * scale))
    return sorted(rows, key=lambda row: row[1], reverse=descending)


def ratio_rows(s, work):
    rows = bar_rows(s, work, "ratio")
    return [("floor", 1, 1, 1)] + rows if rows else []


def latency_panels(s):
    for mix, title in (("zone", "from a private zone"), ("miss", "forwarded")):
        work = "latency-" + mix
        for name, text in (("p50", "median"), ("p99", "99th percentile")):
            panel = Panel("%s, %s" % (title, text), "kq/s", "us", log_y=True)
            for server in s.servers(work):
                kept = itertools.takewhile(lambda rate: s.keeps_up(work, server, rate),
                                           s.points(work, server))
                points = [(rate / 1000, s.figure(work, server, percentile(name), rate).median)
                          for rate in kept]
                panel.series.append((server, points, server == "floor"))
            yield panel


def growth_panels(s):
    for work, what, title in GROWTH:
        points = [(p, s.figure(work, "sluice", "ratio", p).median) for p in s.points(work)]
        top = max([1.5] + [y * 1.1 for _, y in points])
        yield Panel("%s: %s" % (title, what), what, "x floor", [("sluice", points, False)],
                    log_x=True, y_low=0, y_high=top, x_ticks=[p for p, _ in points])


def plots(s, folder):
    bars(folder / "throughput.svg", "Queries a second, one thread, one core (thousands)",
         [(w.title.split(":")[0], bar_rows(s, w.name, "qps", 1e-3, True)) for w in STEADY], "")
    bars(folder / "cpu.svg", "CPU for each query, as a ratio to the floor (line: least to most)",
         [(w.title.split(":")[0], ratio_rows(s, w.name)) for w in STEADY], "x")
    lines(folder / "latency.svg", "Latency at rising rates", list(latency_panels(s)),
          "a line ends where its server no longer answers everything")
    lines(folder / "growth.svg", "CPU per query as the configuration grows", list(growth_panels(s)))


def as_json(results):
    """One run to a line: a difference between two files can be read."""
    runs = ",\n".join(json.dumps(run) for run in results["runs"])
    rest = json.dumps({key: value for key, value in results.items() if key != "runs"}, indent=1)
    return rest[:-2] + ',\n "runs": [\n' + runs + "\n]}\n"


def group_of(run):
    """The name of the workload that a run belongs to: paced-zone is of paced."""
    names = [w.name for w in STEADY] + list(GROUPS)
    return next((name for name in names if run["work"] == name), run["work"].split("-")[0])


def add_to(results, folder):
    """Puts before the results what the folder has of other workloads, and when that was measured."""
    file = folder / "latest.json"
    if not file.exists():
        return
    old, now = json.loads(file.read_text()), set(results["plan"]["workloads"])
    for part in parts_of(old):
        part["plan"]["workloads"] = [n for n in part["plan"]["workloads"] if n not in now]
        if part["plan"]["workloads"]:
            results.setdefault("before", []).append(part)
    results["runs"] = [r for r in old["runs"] if group_of(r) not in now] + results["runs"]
    results["peers"] = {**old["peers"], **results["peers"]}
    results["troubles"] = [t for t in old["troubles"]
                           if group_of({"work": t.split()[0]}) not in now] + results["troubles"]
    for part in ("memory", "ptrs"):
        if part not in now and part in old:
            results[part] = old[part]


def write(results, folder):
    """Replaces what an earlier run left, plots of what was not run included."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.svg"):
        old.unlink()
    (folder / "latest.json").write_text(as_json(results))
    text = page(results)
    (folder / "latest.md").write_text(text)
    plots(Summary(results), folder)
    print("\n" + text)
    print("written to %s" % os.path.relpath(folder))
