"""What sluice takes of memory, and how long it takes to load and compile: once per run of the bench,
not repeated but for the times."""

import json
import statistics
import subprocess
import time

from runner.configs import PORT, Shape, sluice, write
from runner.machine import BUILD, PROGRAM
from runner.process import SERVER_CORE, BenchError, load, on_cores

CACHED_FEW, CACHED_MANY = 20_000, 220_000
RECORDS = 1_000_000


def resident(shape, mix, *options):
    with sluice(shape) as server:
        load(server, mix, "--count", 1, *options)
        return server.rss_bytes()


def cached():
    """Bytes of resident memory for each further answer in the cache, and of its wire. A first filling
    takes up what the server needs anyway."""
    with sluice(Shape()) as server:
        fill = ("--each-popular-once", "--seconds", 60)
        load(server, "hit", "--popular", CACHED_FEW, *fill)
        before = server.rss_bytes()
        result = load(server, "hit", "--popular", CACHED_MANY, *fill)
        after = server.rss_bytes()
    if result["answered"] < CACHED_MANY or result["wrong"]:
        raise BenchError("memory: the cache could not be filled: %s" % result)
    # The first ones were there already.
    return ((after - before) / (CACHED_MANY - CACHED_FEW),
            result["wire_bytes"] / result["answered"])


def footprint(shape):
    done = subprocess.run([str(BUILD / "footprint"), str(write(shape, PORT))], check=True,
                          capture_output=True, text=True, timeout=300,
                          preexec_fn=on_cores({SERVER_CORE}))
    return json.loads(done.stdout)


def check_seconds(shape):
    path = write(shape, PORT)
    start = time.monotonic()
    subprocess.run([str(PROGRAM["sluice"]), "check", "-c", str(path)], check=True,
                   stdout=subprocess.DEVNULL, timeout=300, preexec_fn=on_cores({SERVER_CORE}))
    return time.monotonic() - start


def measure(tell, repetitions=3):
    """All of it, as one flat object."""
    found = {"rss_1000_rules_bytes": resident(Shape(), "zone")}
    tell("resident with 1000 rules and an empty cache: %.1f MB" % (
        found["rss_1000_rules_bytes"] / 1e6))
    found["cached_answer_bytes"], found["cached_wire_bytes"] = cached()
    tell("a cached answer: %.0f bytes resident, %.0f of them on the wire" % (
        found["cached_answer_bytes"], found["cached_wire_bytes"]))
    million = Shape(hosts=RECORDS, rules=1)
    small = resident(Shape(hosts=100, rules=1), "zone", "--hosts", 100)
    large = resident(million, "zone", "--hosts", RECORDS)
    inside = [footprint(million) for _ in range(repetitions)]
    found["zone_record_resident_bytes"] = (large - small) / (RECORDS - 100)
    found["zone_record_held_bytes"] = inside[0]["zone_bytes"] / inside[0]["zone_records"]
    found["zone_record_wire_bytes"] = inside[0]["zone_wire_bytes"] / inside[0]["zone_records"]
    found["million_load_s"] = statistics.median(f["load_s"] for f in inside)
    found["million_check_s"] = statistics.median(
        check_seconds(million) for _ in range(repetitions))
    tell("a zone record: %.0f bytes resident, %.0f held, %.0f on the wire; a million load in %.2f s"
         % (found["zone_record_resident_bytes"], found["zone_record_held_bytes"],
            found["zone_record_wire_bytes"], found["million_load_s"]))
    for name, times in (("largest_ruleset", 1), ("tenfold_ruleset", 10)):
        rules, links = 1000 * times, 500 * times
        inside = [footprint(Shape(rules=rules, targets=6, links=links)) for _ in range(repetitions)]
        found[name + "_compile_s"] = statistics.median(f["compile_s"] for f in inside)
        found[name + "_load_s"] = statistics.median(f["load_s"] for f in inside)
        tell("%d rules of 6 targets, %d links: compiled in %.1f ms, read and checked in %.0f ms" % (
            rules, links, found[name + "_compile_s"] * 1e3, found[name + "_load_s"] * 1e3))
    return found
