"""What happens when, drawn from a seed: the same seed and length give the same plan.

An event is (begin, end, actor, deed, argument), in seconds from the start. Actors: "target N", "source",
"flood", "tcp", "operator". Of the rules' targets BAD_MAX misbehave at a time, of the default resolver's
one; in the last CALM_S seconds nothing happens, so that what should have recovered is seen to."""

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


def drawn(chance, table):
    row = chance.choices(table, [row[0] for row in table])[0]
    return row[1:]


def target_events(chance, seconds):
    total = place.TARGETS + place.DEFAULTS
    free_at, t = [0.0] * total, 3.0
    while t < seconds - CALM_S - 3:
        busy = [k for k in range(total) if free_at[k] > t]
        rules = sum(k < place.TARGETS for k in busy)
        able = [k for k in range(total) if k not in busy
                and (rules < BAD_MAX if k < place.TARGETS else len(busy) == rules)]
        if able:
            k = chance.choice(able)
            deed, span = drawn(chance, TARGET_DEEDS)
            end = min(t + chance.uniform(1.5, 8), seconds - CALM_S)
            # A while between two deeds of a target, so that it is good at times.
            free_at[k] = end + chance.uniform(0.5, 5)
            yield (t, end, "target %d" % k, deed, chance.randint(*span) if span else 0)
        t += chance.uniform(0.5, 2)


def phases(chance, seconds, actor, deeds, spans):
    t = chance.uniform(4, 8)
    while t < seconds - CALM_S - 3:
        end = min(t + chance.uniform(*spans[0]), seconds - CALM_S)
        yield (t, end, actor, chance.choice(deeds), chance.randrange(1 << 20))
        t = end + chance.uniform(*spans[1])


def operator(chance, seconds):
    t = 4.0
    while t < seconds - CALM_S:
        yield (t, t, "operator", drawn(chance, OPERATOR_DEEDS)[0], 0)
        t += chance.uniform(1.5, 5)


def make(seed, seconds):
    """Each actor draws for itself: a change to one leaves the others' plans as they were."""
    def own(actor):
        return random.Random("%s %s" % (seed, actor))
    events = list(target_events(own("targets"), seconds))
    events += phases(own("source"), seconds, "source", place.SOURCES, ((2, 6), (12, 30)))
    events += phases(own("flood"), seconds, "flood", abuse.UDP, ((2, 6), (3, 10)))
    events += phases(own("tcp"), seconds, "tcp", abuse.TCP, ((2, 6), (3, 10)))
    events += operator(own("operator"), seconds)
    return sorted(events)
