"""What happens when, drawn from a seed: the same seed and length give the same plan.

An event is (begin, end, actor, deed, argument), in seconds from the start. Actors: "target N", "source",
"flood", "tcp", "operator". At most BAD_MAX of the rules' targets misbehave at a time, and at most one of the
default resolver's. In the last CALM_S seconds nothing happens, which shows whether everything recovers.

A run alternates between plain and noisy stretches, beginning with a plain one. Strangers misuse the server,
and source addresses go away, only in noisy stretches. Both excuse a question without an answer (judge.py), so
in a plain stretch nothing excuses it. More than judge.PLAIN_LEAST of a run is plain. All other events happen
in both kinds, and every plain stretch has an upgrade, a reload and a killed target (CERTAIN_...), unless the run
ends too soon for them."""

import random

import abuse
import place

# (weight, deed, argument's range)
TARGET_DEEDS = ((4, "kill", None), (3, "stop", None), (4, "link", None), (2, "unreachable", None),
                (2, "blackhole", None), (2, "silent", None), (2, "servfail", None),
                (2, "lossy", (10, 60)), (3, "late", (20, 300)), (4, "hostile", (0, 999)))
HARMLESS = ("late",)  # slow is not dead: it has to be waited for
OPERATOR_DEEDS = ((6, "reload"), (3, "api-reload"), (4, "sighup"), (2, "bad-syntax"),
                  (2, "bad-reference"), (2, "bad-zone"), (2, "bad-sighup"), (5, "upgrade"),
                  (1, "bad-upgrade"), (1, "bad-binary"), (1, "flush"), (1, "look"))
BAD_MAX, CALM_S = 3, 6
PLAIN_S, NOISY_S = (11, 15), (8, 11)
# (earliest and latest, in seconds of the plain stretch, deed)
CERTAIN_TARGET = (0.5, 2), "kill"
CERTAIN_OPERATOR = ((2, 4), "upgrade"), ((5, 7), "reload")


def drawn(chance, table):
    row = chance.choices(table, [row[0] for row in table])[0]
    return row[1:]


def stretches(chance, seconds):
    """Lists of (begin, end): the plain ones, and the noisy ones."""
    plain, noisy, t = [], [], 0.0
    while t < seconds:
        for found, span in ((plain, PLAIN_S), (noisy, NOISY_S)):
            end = min(t + chance.uniform(*span), seconds)
            if end > t:
                found.append((t, end))
            t = end
    return plain, noisy


def target_events(chance, seconds, plain):
    total = place.TARGETS + place.DEFAULTS
    free_at, t = [0.0] * total, 3.0
    certain = [begin + chance.uniform(*CERTAIN_TARGET[0]) for begin, _ in plain]
    while t < seconds - CALM_S - 3:
        busy = [k for k in range(total) if free_at[k] > t]
        rules = sum(k < place.TARGETS for k in busy)
        able = [k for k in range(total) if k not in busy
                and (rules < BAD_MAX if k < place.TARGETS else len(busy) == rules)]
        if able:
            k = chance.choice(able)
            deed, span = drawn(chance, TARGET_DEEDS)
            if certain and certain[0] <= t:
                certain.pop(0)
                deed, span = CERTAIN_TARGET[1], None
            end = min(t + chance.uniform(1.5, 8), seconds - CALM_S)
            # A while between two deeds of a target, so that it is good at times.
            free_at[k] = end + chance.uniform(0.5, 5)
            yield (t, end, "target %d" % k, deed, chance.randint(*span) if span else 0)
        t += chance.uniform(0.5, 2)


def misuses(chance, seconds, noisy, actor, deeds):
    for begin, end in noisy:
        t, end = begin + chance.uniform(0, 1), min(end, seconds - CALM_S)
        while t < end - 1:
            until = min(t + chance.uniform(2, 6), end)
            yield (t, until, actor, chance.choice(deeds), chance.randrange(1 << 20))
            t = until + chance.uniform(0.5, 3)


def sources(chance, seconds, noisy):
    """Early in a noisy stretch, because failures are excused for some seconds after an address went away
    (judge.SOURCE_S), and these must not reach into the next plain stretch."""
    for begin, end in noisy:
        begin, end = begin + chance.uniform(0, 1.5), min(end, seconds - CALM_S)
        if end - begin > 5:
            until = min(begin + chance.uniform(2, 6), end)
            yield (begin, until, "source", chance.choice(place.SOURCES), 0)


def operator(chance, seconds, plain):
    deeds, t = [], 4.0
    for begin, _ in plain:
        deeds += [(begin + chance.uniform(*span), deed) for span, deed in CERTAIN_OPERATOR]
    while t < seconds - CALM_S:
        deeds.append((t, drawn(chance, OPERATOR_DEEDS)[0]))
        t += chance.uniform(1.5, 5)
    return [(t, t, "operator", deed, 0) for t, deed in sorted(deeds) if t < seconds - CALM_S]


def make(seed, seconds):
    """Each actor draws for itself: a change to one leaves the others' plans as they were."""
    def own(actor):
        return random.Random("%s %s" % (seed, actor))
    plain, noisy = stretches(own("stretches"), seconds)
    events = list(target_events(own("targets"), seconds, plain))
    events += sources(own("source"), seconds, noisy)
    events += misuses(own("flood"), seconds, noisy, "flood", abuse.UDP)
    events += misuses(own("tcp"), seconds, noisy, "tcp", abuse.TCP)
    events += operator(own("operator"), seconds, plain)
    return sorted(events)
