"""What sluice is meant to reach, and whether it does; each row only where it was measured."""

from runner.summary import percentile

STEADY = {"zone": 1.08, "hit": 1.08, "miss": 1.15}


def row(what, goal, found, fine):
    return what, goal, found, "yes" if fine else "no"


def steady(s):
    for work, most in STEADY.items():
        figure = s.figure(work, "sluice", "ratio")
        if figure:
            yield row("CPU per query, " + work, "at most %.2f x floor" % most, figure.text(),
                      figure.median <= most)
    for work in s.works():
        rates = {name: s.figure(work, name, "ratio") for name in s.servers(work)}
        peers = {name: f.median for name, f in rates.items() if f and name != "sluice"}
        if peers and rates.get("sluice") and not work.startswith(("paced", "rules", "records")):
            best = min(peers, key=peers.get)
            yield row("ahead of every peer, " + work, "less than %s" % best,
                      "%.2f against %.2f" % (rates["sluice"].median, peers[best]),
                      rates["sluice"].median < peers[best])


def paced(s):
    for work in ("paced-zone", "paced-miss"):
        for rate in s.points(work):
            figure = s.figure(work, "sluice", "ratio", rate)
            yield row("%s at %g kq/s" % (work, rate / 1000), "at most 1.25 x floor", figure.text(),
                      figure.median <= 1.25)


def growth(s):
    for work, most in (("rules", 1.05), ("links", 1.05), ("records", 1.15), ("ptrs", 1.15)):
        ratios = {p: s.figure(work, "sluice", "ratio", p).median for p in s.points(work)}
        if len(ratios) > 1:
            least = min(ratios)
            spread = max(ratios.values()) / min(ratios.values())
            yield row("flat in %s, %g to %g" % (work, least, max(ratios)),
                      "within %.0f %%" % ((most - 1) * 100), "%.1f %%" % ((spread - 1) * 100),
                      spread <= most)


def added(s):
    """Against a target that spins and one that sleeps: README.md tells why both."""
    for target, text in (("direct", "spins"), ("direct, other process", "sleeps")):
        for name, most in (("p50", 40), ("p99", 200)):
            direct = s.figure("added", target, percentile(name))
            through = s.figure("added", "sluice", percentile(name))
            if direct and through:
                more = through.median - direct.median
                yield row("latency added at 10 kq/s to a target that %s, %s" % (text, name),
                          "at most %d us" % most, "%.0f us" % more, more <= most)


def workers_ratio(s, work):
    one, two = (s.figure(work, "%d x sluice" % n, "cpu_us") for n in (1, 2))
    return two.median / one.median if one and two else None


def workers(s):
    for work in (w for w in s.works() if w.startswith("workers-")):
        ratio = workers_ratio(s, work)
        if ratio:
            yield row("2 workers at 40 kq/s against 1 at 20, " + work[8:], "at most 1.11",
                      "%.2f" % ratio, ratio <= 1.11)


def memory(s):
    m = s.memory
    if not m:
        return
    rss = m["rss_1000_rules_bytes"] / 1e6
    yield row("resident, 1000 rules, empty cache", "under 20 MB", "%.1f MB" % rss, rss < 20)
    over = m["cached_answer_bytes"] - m["cached_wire_bytes"]
    yield row("a cached answer over its wire", "at most 300 bytes", "%.0f" % over, over <= 300)
    over = m["zone_record_resident_bytes"] - m["zone_record_wire_bytes"]
    yield row("a zone record over its wire", "at most 200 bytes", "%.0f" % over, over <= 200)
    yield row("a million records load", "under 5 s", "%.2f s" % m["million_load_s"],
              m["million_load_s"] < 5)
    compile_ms = m["largest_ruleset_compile_s"] * 1e3
    yield row("the limits' largest ruleset compiles", "under 50 ms", "%.1f ms" % compile_ms,
              compile_ms < 50)
    if "tenfold_ruleset_compile_s" in m:
        tenfold_ms = m["tenfold_ruleset_compile_s"] * 1e3
        yield row("one of ten times the limits", "under 100 ms", "%.1f ms" % tenfold_ms, tenfold_ms < 100)


def ptrs(s):
    for at in s.ptrs.get("counts", []):
        slowest = at["visible_ms"]["max"]
        yield row("a change among %d PTRs is visible once acknowledged" % at["ptrs"],
                  "within 50 ms", "%.1f ms" % slowest, slowest <= 50)
        if "bulk_edits" not in at:
            continue
        count = "%d PTRs" % at["ptrs"]
        yield row("a start with %s" % count, "at most 1.1 s", "%.2f s" % at["start_s"], at["start_s"] <= 1.1)
        if at["ptrs"] >= 1_000_000:  # of fewer, most is what the state takes for itself
            yield row("resident, of each of %s" % count, "at most 70 bytes",
                      "%.0f" % at["resident_bytes"], at["resident_bytes"] <= 70)
        edit = at["edit_ms"]["p50"]
        yield row("a change among %s is durable" % count, "in 0.3 ms", "%.2f ms" % edit, edit <= 0.3)
        for key, how, most_s in (("in_order", "in order", 2), ("random", "at random", 3)):
            seconds = at["bulk_%s_s" % key]
            yield row("%d edits %s in one request, among %s" % (at["bulk_edits"], how, count),
                      "at most %d s" % most_s, "%.2f s" % seconds, seconds <= most_s)
    p99 = {r["what"]: r["latency_us"]["p99"] for r in s.ptrs.get("under_load", [])}
    if p99:
        changing = p99["with changes"]
        yield row("p99 of DNS while PTRs change", "at most 1 ms", "%.0f us" % changing, changing <= 1000)
        ratio = p99["with changes"] / p99["without"]
        yield row("p99 of DNS while PTRs change, against without", "at most 1.10", "%.2f" % ratio,
                  ratio <= 1.10)


def rows(summary):
    for part in (steady, paced, growth, added, workers, memory, ptrs):
        yield from part(summary)
