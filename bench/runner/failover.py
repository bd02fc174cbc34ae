"""What becomes of questions while targets are silent, slow, dead, cut off or limiting, or while somebody
asks for names that they never answer: the rows of a table of what must hold of targets, by UDP and by
TCP. Each function that measures is one repetition, and gives its figures. The load notes every question
with its time, the targets every one that reached them, by the same clock."""

import itertools
import json
import math
import time

from runner.api import Api
from runner.asking import Asking, AskingOn, Note, ask_paced, judged, noted_load, notes, percentile
from runner.configs import Shape, address, sluice
from runner.process import TARGETS_PORT, BenchError
from runner.targets import Targets

RATE = 200  # questions a second, each for a new name
WELL, DEAD, BACK = 0.4, 0.4, 0.2  # shares of the time
SLOW_PERCENT, SLOW_S = 20, 0.3
SELDOM_RULES = 16  # each with two targets of its own, asked once a second
PATIENCE_S = 6  # more than sluice's own 4, so that a SERVFAIL is seen as one
ALL_DEAD_RATE, EACH_KIND_RATE = 10_000, 50
DARK = 3  # all dead: the targets are dead this many times as long as they were well before
CACHED = 20  # names
CLIENTS = tuple("127.0.0.%d" % i for i in range(11, 16))  # whoever they are, they are not one
ATTACKER, GOOD_CLIENT = "127.0.0.66", "127.0.0.77"
GOOD_RATE, HEAD_START_S = 1, 4  # seldom enough that no good answer keeps a target from being suspect
DEAD_RATES, OWN_RATE, OWN_NAMES = (20, 50, 200, 1000), 200, 20
FELT_MS = 50
# A few answers that take nearly a target's patience of 0.8 s raise the time that counts as usual.
SLOW_ANSWER_S, SLOW_RATES = 0.78, (200, 20, 2)
UNASKED, UNASKED_BACK_S = 1000, 60
FAR_S, FAR_RATE, BURST = (0.1, 0.3, 0.6), 20, 8
LIMITED_RATE, LIMIT = 2000, 200


def shape_of(targets, protocol, rules=1):
    return Shape(rules=rules, targets=targets, apart=True, protocol=protocol)


def names(letter, count, first=0):
    return ["%s%d.r1.corp.test" % (letter, i) for i in range(first, first + count)]


def load(server, seconds, rules=1, rate=RATE):
    return noted_load(server, "miss", "--rules", rules, "--rate", rate, "--naps", "--seconds",
                      seconds, "--timeout-ms", PATIENCE_S * 1000, upstream=False)


def extra_percent(by_name):
    """Questions to targets beyond one for each name."""
    return 100 * (sum(map(len, by_name.values())) / len(by_name) - 1)


def suspicions(shape):
    """How often a server has held its targets for dead, by the target's place in its rule."""
    found = [0] * shape.targets
    for target in json.loads(Api(shape.socket()).call("GET", "/v1/status"))["targets"]:
        port = int(target["host"].rpartition(":")[2])
        found[(port - TARGETS_PORT) % shape.targets] += target["suspicions"]
    return found


def outage(seconds, protocol):
    """The first of two targets is well, falls silent, and returns."""
    with Targets(2) as targets, sluice(shape_of(2, protocol)) as server, \
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
    # Probes reach a silent target all the time: it is in use when it alone is asked for a new name.
    again = [of[0].when - back for of in targets.by_name().values()
             if of[0].when >= back and {one.target for one in of} == {0}]
    found["again_s"] = min(again, default=math.inf)
    return found


def slow(seconds, protocol, rules=1, rate=RATE):
    """Of each rule's two targets the first is slow with some of the names."""
    shape = shape_of(2, protocol, rules)
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


def slow_seldom(seconds, protocol):
    """The same at one question a second: many such rules beside each other."""
    return slow(seconds, protocol, SELDOM_RULES, SELDOM_RULES)


def outcome(message, right):
    return "lost" if message is None else "right" if message.texts() == [right] else "wrong"


def paced_notes(asked, rate, clients=CLIENTS):
    """What became of each of these names."""
    return [Note(one.sent, one.took_ms, outcome(one.message, address(number_of(name))))
            for name, one in zip(asked, ask_paced(asked, rate, PATIENCE_S, clients))]


def number_of(name):
    return int(name.split(".")[0][1:])


def dead_from_the_start(seconds, protocol, count, *dead):
    """Some of the targets."""
    with Targets(count) as targets, sluice(shape_of(count, protocol)), Asking() as asking:
        targets.silence(*dead)
        asking.wait("h0.priv.test", address(0))
        return paced_notes(names("u", int(RATE * seconds)), RATE)


def five_dead(seconds, protocol):
    """Five of six are dead. Questions of the first second find that out, and their times do not count."""
    taken = dead_from_the_start(seconds, protocol, 6, *range(5))
    return judged(taken, [note for note in taken if note.sent >= taken[0].sent + 1])


def first_dead(seconds, protocol):
    """The first of two targets is dead."""
    taken = dead_from_the_start(seconds, protocol, 2, 0)
    return {**judged(taken, taken), "felt": sum(note.took_ms > FELT_MS for note in taken)}


def asked_from(targets, begin, end):
    """What reached the targets then; a packet that was sent shortly before counts."""
    return sum(begin <= one.when < end for one in targets.asked)


def after(taken, when):
    """What is told of the questions that were asked after a target's return."""
    some = [note for note in taken if note.sent >= when]
    return {"back_ms": max(note.took_ms for note in some),
            "back_failed": sum(note.found != "right" for note in some), "back_asked": len(some)}


def all_dead(seconds, protocol):
    """Six targets are well, and then fall silent: what is asked of them is to be SERVFAIL, and to say why. Beside the
    load another client asks for new names, which have to get this, and for hosts of the zone and cached names."""
    count = int(DARK / (DARK + 2) * seconds * EACH_KIND_RATE)
    cached, new = names("c", CACHED), names("e", count)
    mixed = [name for i in range(count)
             for name in ("h%d.priv.test" % i, cached[i % CACHED], new[i])]
    with Targets(6) as targets, sluice(shape_of(6, protocol)) as server, \
            load(server, seconds + PATIENCE_S, rate=ALL_DEAD_RATE) as run:
        targets.wait_asked()
        time.sleep(seconds / (DARK + 2))
        for _ in range(2):  # twice, because the cache first evicts names that were asked for once
            paced_notes(cached, RATE)
        dead = targets.silence(*range(6))
        replies = ask_paced(mixed, 3 * EACH_KIND_RATE, PATIENCE_S, (GOOD_CLIENT,))
        rss_mb = server.rss_bytes() / 1e6
        back = targets.heal(*range(6))
        run.result()
    taken = notes()
    why = [one for one in replies[2::3] if tells_why(one.message)]
    others = [Note(one.sent, one.took_ms, outcome(one.message, address(number_of(name))))
              for i, (name, one) in enumerate(zip(mixed, replies)) if i % 3 != 2]
    others_took = [note.took_ms for note in others]
    asked = sum(dead <= note.sent < back for note in taken) + count
    return {"asked": count, "failed": count - len(why),
            "least_ms": min((one.took_ms for one in why), default=math.inf),
            "max_ms": max((one.took_ms for one in why), default=math.inf),
            "packets": asked_from(targets, dead, back) / asked,
            "others_failed": sum(note.found != "right" for note in others),
            "others_p99_ms": percentile(0.99, others_took), "others_max_ms": max(others_took),
            "rss_mb": rss_mb, **after(taken, back)}


def tells_why(message):
    """22: no reachable authority; 23: network error."""
    return message is not None and message.rcode == "SERVFAIL" and bool(message.ede) \
        and message.ede[0] in (22, 23)


def limiting(seconds, protocol):
    """A single target answers a tenth of what it is asked, and then everything."""
    with Targets(1) as targets, sluice(shape_of(1, protocol)) as server, \
            load(server, seconds, rate=LIMITED_RATE) as run:
        targets.wait_asked()
        time.sleep(BACK * seconds)
        limited = targets.limit(0, LIMIT)
        time.sleep((1 - 2 * BACK) * seconds)
        back = targets.heal(0)
        run.result()
    taken = notes()
    some = [note for note in taken if limited <= note.sent < back]
    return {"asked": len(some), "answered": sum(note.found == "right" for note in some),
            "packets": asked_from(targets, limited, back) / len(some), **after(taken, back)}


# ---- slow answers ----

def slow_then_silent(seconds, protocol):
    """Three answers of the first of two take nearly as long as patience, among fast ones, and then it
    says nothing: at three rates, by five clients and by one."""
    runs = {(rate, len(clients)): silent_after_slow(seconds, protocol, rate, clients)
            for rate in SLOW_RATES for clients in (CLIENTS, CLIENTS[:1])}
    busy = [run for (rate, _), run in runs.items() if rate == RATE]
    return {"asked": sum(run["asked"] for run in runs.values()),
            "failed": sum(run["failed"] for run in runs.values()),
            "busy_p99_ms": max(run["p99_ms"] for run in busy),
            "busy_max_ms": max(run["max_ms"] for run in busy),
            "max_ms": max(run["max_ms"] for run in runs.values()),
            "later_max_ms": max(run["later_max_ms"] for run in runs.values())}


def silent_after_slow(seconds, protocol, rate, clients):
    with Targets(2) as targets, sluice(shape_of(2, protocol)), Asking() as asking:
        targets.slow_for(0, "s", SLOW_ANSWER_S)
        targets.silence_at(0, "z")
        asking.wait("h0.priv.test", address(0))
        paced_notes(names("w", 2 * RATE), RATE, clients)
        # The questions of a second, three slow ones among them; then another second, until these have come.
        before = names("n", max(rate, 3))
        step = 7 if rate > 20 else 1
        before[0:3 * step:step] = names("s", 3)
        after_them = names("n", rate, len(before)) + names("z", int(seconds * rate))
        taken = paced_notes(before + after_them, rate, clients)
    silent = taken[len(before) + rate:]
    later = [note.took_ms for note in silent if note.sent >= silent[0].sent + 1]
    return {**judged(taken, silent), "later_max_ms": max(later)}


def far(seconds, protocol):
    """The first of two is always far away, the second near; one by one, and in bursts of eight."""
    runs = [stays_first(protocol, far_s, bursts)
            for far_s in FAR_S
            for bursts in ([names("n", int(seconds * FAR_RATE))],
                           [names("b", BURST, BURST * i) for i in range(int(seconds))])]
    return {"asked": sum(run["asked"] for run in runs), "failed": sum(run["failed"] for run in runs),
            **{key: max(run[key] for run in runs)
               for key in ("extra_percent", "second_first", "suspicions")}}


def stays_first(protocol, far_s, bursts):
    shape = shape_of(2, protocol)
    with Targets(2) as targets, sluice(shape), Asking() as asking:
        targets.slow_down(0, 100, far_s)
        asking.wait("h0.priv.test", address(0))
        paced_notes(names("w", 1), 1)
        time.sleep(1)  # until its first answer has come
        held_dead, first = suspicions(shape)[0], len(targets.asked)
        taken = []
        for burst in bursts:
            begun = time.monotonic()
            taken += paced_notes(burst, FAR_RATE if len(bursts) == 1 else 100 * BURST)
            time.sleep(max(0, begun + 1 - time.monotonic()) if len(bursts) > 1 else 0)
        held_dead = suspicions(shape)[0] - held_dead
        by_name = {}
        for one in sorted(targets.asked[first:]):
            by_name.setdefault(one.name, []).append(one)
    asked = [of for name, of in by_name.items() if name[:1] != b"w"]
    return {**judged(taken, taken), "suspicions": held_dead,
            "extra_percent": 100 * (sum(map(len, asked)) / len(taken) - 1),
            "second_first": sum(of[0].target for of in asked)}


# ---- targets that nobody asks ----

def unasked(seconds, protocol):
    """Many targets are away, found out by one question each, and come back when nobody asks."""
    count = UNASKED
    shape = Shape(rules=count, targets=1, apart=True, protocol=protocol)
    with sluice(shape), Asking() as asking:
        asking.wait("h0.priv.test", address(0))
        ask_paced(["u%d.r%d.corp.test" % (i, i + 1) for i in range(count)], RATE, PATIENCE_S)
        found = suspects(shape)
        time.sleep(seconds)
        with Targets(count) as targets:
            back = time.monotonic()
            while left := suspects(shape):
                if time.monotonic() > back + 2 * UNASKED_BACK_S:
                    break
                time.sleep(0.2)
            took = time.monotonic() - back
            a_second = len(targets.asked) / took
    return {"asked": count, "failed": left + count - found, "back_s": took, "a_second": a_second}


def suspects(shape):
    status = json.loads(Api(shape.socket()).call("GET", "/v1/status"))
    return sum(target["state"] == "suspect" for target in status["targets"])


# ---- names that nobody answers ----

def attacked(seconds, protocol, count, rate, own=False, warm=True):
    """One client asks for names that its targets never answer, another for good ones now and then."""
    with Targets(count) as targets, sluice(shape_of(count, protocol)), Asking() as asking:
        targets.ignore("d")
        asking.wait("h0.priv.test", address(0))
        if warm:
            paced_notes(names("w", OWN_NAMES), RATE, (GOOD_CLIENT,))
        if own:
            paced_notes(names("o", OWN_NAMES), RATE, (ATTACKER,))
            targets.ignore("o")
        with AskingOn("d%d.r1.corp.test", rate, ATTACKER) as attack:
            time.sleep(HEAD_START_S)
            good = paced_notes(names("g", int(GOOD_RATE * (seconds - HEAD_START_S))), GOOD_RATE,
                               (GOOD_CLIENT,))
    if attack.sent < 0.9 * rate * (seconds - 1):
        raise BenchError("only %d dead names were asked for" % attack.sent)
    packets = [len(of) for name, of in targets.by_name().items() if name[:1] == b"d"]
    return {**judged(good, good), "packets": max(packets), "mean_packets": sum(packets) / attack.sent,
            "rate": rate, "targets": count}


def worst(runs):
    """Of several attacks what each figure was at the worst, and where the longest was."""
    longest = max(runs, key=lambda run: run["max_ms"])
    return {"asked": sum(run["asked"] for run in runs), "failed": sum(run["failed"] for run in runs),
            **{key: max(run[key] for run in runs) for key in ("max_ms", "packets", "mean_packets")},
            "at_rate": longest["rate"], "at_targets": longest["targets"]}


def dead_names(seconds, protocol):
    return worst([attacked(seconds, protocol, count, rate)
                  for count in (1, 2) for rate in DEAD_RATES])


def own_name(seconds, protocol):
    """With one target and with two; the other client has been answered before, or has not."""
    return worst([attacked(seconds, protocol, count, OWN_RATE, own=True, warm=warm)
                  for count in (1, 2) for warm in (True, False)])


def uplink(seconds, protocol):
    """The first of two targets loses its uplink. Nothing is cached here, so that what the first knows is asked of
    it."""
    known = names("k", RATE)
    asked = [name for pair in zip(names("u", int(RATE * seconds / 2)),
                                  itertools.cycle(known)) for name in pair]
    with Targets(2, ttl=0) as targets, sluice(shape_of(2, protocol)), Asking() as asking:
        asking.wait("h0.priv.test", address(0))
        paced_notes(known, RATE)
        cut = targets.cut_off(0)
        taken = paced_notes(asked, RATE)
    found = judged(taken, [note for note in taken if note.sent >= cut + 1])
    first_s = [note.took_ms for note in taken if note.sent < cut + 1]
    return {**found, "first_second_ms": max(first_s)}
