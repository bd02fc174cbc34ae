"""What becomes of questions while targets are silent, slow or dead. Each function that measures is one
repetition, and gives its figures. The load notes every question with its time, the targets every one
that reached them, by the same clock."""

import json
import math
import subprocess
import time

from runner.asking import Asking, Note, ask_paced, judged, noted_load, notes
from runner.configs import PORT, Shape, address, sluice, write
from runner.machine import PROGRAM
from runner.process import TARGETS_PORT
from runner.targets import Targets

RATE = 200  # questions a second, each for a new name
WELL, DEAD, BACK = 0.4, 0.4, 0.2  # shares of the time
SLOW_PERCENT, SLOW_S = 20, 0.3
SELDOM_RULES = 16  # each with two targets of its own, asked once a second
PATIENCE_S = 6  # more than sluice's own 4, so that a SERVFAIL is seen as one
DEAD_RATE, TRICKLE_FROM_S = 50, 2
SIX = Shape(rules=1, targets=6, apart=True)


def load(server, seconds, rules=1, rate=RATE):
    return noted_load(server, "miss", "--rules", rules, "--rate", rate, "--naps", "--seconds",
                      seconds, "--timeout-ms", PATIENCE_S * 1000, upstream=False)


def extra_percent(by_name):
    """Questions to targets beyond one for each name."""
    return 100 * (sum(map(len, by_name.values())) / len(by_name) - 1)


def suspicions(shape):
    """How often a server has held its targets for dead, by the target's place in its rule."""
    argv = [str(PROGRAM["sluice"]), "status", "--json", "-c", str(write(shape, PORT))]
    told = json.loads(subprocess.run(argv, check=True, capture_output=True, timeout=20).stdout)
    found = [0] * shape.targets
    for target in told["targets"]:
        port = int(target["host"].rpartition(":")[2])
        found[(port - TARGETS_PORT) % shape.targets] += target["suspicions"]
    return found


def outage(seconds):
    """The first of two targets is well, falls silent, and returns."""
    with Targets(2) as targets, sluice(Shape(rules=1, targets=2, apart=True)) as server, \
            load(server, seconds) as run:
        targets.wait_asked()
        time.sleep(WELL * seconds)
        well, dead = targets.by_name(), targets.silence(0)
        time.sleep(DEAD * seconds)
        back = targets.heal(0)
        run.result()
    taken = notes()
    found = judged(taken, [n for n in taken if dead <= n.sent < back])
    found["extra_percent"] = extra_percent(well)
    # Copies reach a silent target all the time: it is in use when it alone is asked.
    again = [of[0].when - back for of in targets.by_name().values()
             if of[0].when >= back and {one.target for one in of} == {0}]
    found["again_s"] = min(again, default=math.inf)
    return found


def slow(seconds, rules=1, rate=RATE):
    """Of each rule's two targets the first is slow with some of the names."""
    shape = Shape(rules=rules, targets=2, apart=True)
    with Targets(2 * rules) as targets, sluice(shape) as server:
        for rule in range(rules):
            targets.slow_down(2 * rule, SLOW_PERCENT, SLOW_S)
        with load(server, seconds, rules, rate) as run:
            run.result()
        held_dead = suspicions(shape)
    taken, by_name = notes(), targets.by_name()
    return {**judged(taken, taken), "extra_percent": extra_percent(by_name),
            "second_first": sum(of[0].target % 2 for of in by_name.values()),
            "suspicions": held_dead[0], "rules": rules}


def slow_seldom(seconds):
    """The same at one question a second: many such rules beside each other."""
    return slow(seconds, SELDOM_RULES, SELDOM_RULES)


def five_dead(seconds):
    """From the start; what is asked in the first second finds that out."""
    names = ["u%d.r1.corp.test" % i for i in range(int(RATE * seconds))]
    with Targets(6) as targets, sluice(SIX), Asking() as asking:
        targets.silence(*range(5))
        asking.wait("h0.priv.test", address(0))
        replies = ask_paced(names, RATE, PATIENCE_S)
    taken = [Note(one.sent, one.took_ms, outcome(one.message, address(i)))
             for i, one in enumerate(replies)]
    return judged(taken, [note for note in taken if note.sent >= taken[0].sent + 1])


def outcome(message, right):
    return "lost" if message is None else "right" if message.texts() == [right] else "wrong"


def all_dead(seconds):
    """Six of them; every question is to be SERVFAIL, and to say why."""
    names = ["u%d.r1.corp.test" % i for i in range(int(DEAD_RATE * seconds))]
    with Targets(6) as targets, sluice(SIX), Asking() as asking:
        targets.silence(*range(6))
        asking.wait("h0.priv.test", address(0))
        begin = time.monotonic()
        replies = ask_paced(names, DEAD_RATE, PATIENCE_S)
    good = [one.took_ms for one in replies if tells_why(one.message)]
    probes = [[one.when for one in targets.asked if one.target == target
               and begin + TRICKLE_FROM_S <= one.when < begin + seconds] for target in range(6)]
    return {"asked": len(replies), "failed": len(replies) - len(good),
            "least_ms": min(good, default=math.inf), "max_ms": max(good, default=math.inf),
            "probes_per_s": max(map(per_second, probes))}


def tells_why(message):
    """22: no reachable authority; 23: network error."""
    return message is not None and message.rcode == "SERVFAIL" and bool(message.ede) \
        and message.ede[0] in (22, 23)


def per_second(times):
    return (len(times) - 1) / (max(times) - min(times)) if len(times) > 1 else 0
