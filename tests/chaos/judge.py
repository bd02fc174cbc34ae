"""What happened when, and what may have been answered then.

A SERVFAIL is excused where no target could answer: each of those that the name's rule has was bad at
some instant from MARGIN_S before the question to its answer; or where a source address went away in
the SOURCE_S before. So a target that comes back has MARGIN_S to be found, and one that goes away has
none: while another is good, nobody may notice. A failure out of the cache (extended error 13; RFC
9520, section 3.2) is that of a question CACHED_S before: a second, and the four that it waited.

Silence is excused for an attempt while a flood was on, to FLOOD_S before and behind it, or the kernel
dropped packets for want of room, by TCP also while strangers misused TCP; never when nothing is
answered at last.

A changed PTR holds from its acknowledgement on, with no margin. A generation of the configuration
may be seen for LINGER_S longer, by whoever has not let go of it yet. A wrong answer has no excuse."""

import collections
import json

import place

MARGIN_S, SOURCE_S, LINGER_S, FLOOD_S, CACHED_S = 3.0, 5.0, 1.0, 2.0, 5.0
EXAMPLES_MAX = 5  # of each kind of trouble that are printed


class Timeline:
    """Spans are lists [begin, end], end None while it lasts, by the monotonic clock."""

    def __init__(self):
        self.bad = {k: [] for k in range(place.TARGETS + place.DEFAULTS)}
        self.sources, self.floods, self.tcp, self.drops = [], [], [], []
        self.generations = []  # (number, when it was begun, when it was known to be served)
        self.ptrs = {slot: [] for slot in range(place.SLOTS)}  # [number, begun, acknowledged or None]

    @staticmethod
    def overlaps(spans, since, until):
        return any(begin <= until and (end is None or end >= since) for begin, end in spans)

    def able(self, targets, since, until):
        return any(not self.overlaps(self.bad[k], since - MARGIN_S, until) for k in targets)

    def source_went(self, since, until):
        return any(begin <= until and since <= begin + SOURCE_S for begin, _ in self.sources)

    def served(self, since, until):
        """The generations that may be seen by a question of then."""
        for i, (number, begun, _) in enumerate(self.generations):
            after = self.generations[i + 1:i + 2]
            if begun <= until and not (after and after[0][2] + LINGER_S < since):
                yield number

    def names_of(self, slot, since, until):
        """The numbers of the slot's PTR that may be seen."""
        least = max([n for n, _, known in self.ptrs[slot] if known and known <= since], default=0)
        most = max([n for n, begun, _ in self.ptrs[slot] if begun <= until], default=0)
        return range(least, most + 1)


def ptr_name(slot, number):
    return "s%dn%d.test." % (slot, number)


class Judge:
    def __init__(self, timeline):
        self.timeline = timeline
        self.told = collections.Counter()  # by the clients
        self.counts, self.examples = collections.Counter(), collections.defaultdict(list)

    def targets(self, line, since, until):
        """Sets of targets, one of each of which is needed."""
        kind, rule = line["kind"], line["about"]
        if kind in ("new", "popular", "missing", "chain"):
            return [place.targets_of(rule)]
        if kind == "default":
            return [place.default_targets()]
        if kind == "flip":
            on = {self.is_on(rule, g) for g in self.timeline.served(since, until)}
            return [place.targets_of(rule) if each else place.default_targets() for each in on]
        return []

    @staticmethod
    def is_on(rule, generation):
        return place.is_flipped_on(rule - place.RULES + place.FLIPS, generation)

    def allowed(self, line, since, until):
        """The answers, as lists of texts, to what depends on the time."""
        kind, about = line["kind"], line["about"]
        if kind == "ptr":
            return [[ptr_name(about, n)] for n in self.timeline.names_of(about, since, until)]
        served = list(self.timeline.served(since, until))
        if kind == "now":
            return [[place.address(place.BY_NOW, g)] for g in served]
        number = int(line["name"].split(".")[0][1:])
        return [[place.address(place.BY_RULE if self.is_on(about, g) else place.BY_DEFAULT, number)]
                for g in served]

    def trouble(self, what, line, note=""):
        self.counts[what] += 1
        if len(self.examples[what]) < EXAMPLES_MAX:
            self.examples[what].append("%s %s" % (json.dumps(line), note))

    def is_silence_excused(self, line, sent, until):
        t, since = self.timeline, sent - FLOOD_S
        spans = t.floods + t.drops + (t.tcp if line["transport"] == "tcp" else [])
        return t.overlaps([[b, e and e + FLOOD_S] for b, e in spans], since, until)

    def line(self, line):
        since, until = line["sent"][-1] if line["sent"] else line["done"], line["done"]
        if line["outcome"] == "wrong":
            self.trouble("wrong", line)
        elif line["outcome"] == "told":
            allowed = self.allowed(line, since, until)
            if line["rcode"] != "NOERROR" or line["texts"] not in allowed:
                self.trouble("wrong", line, "allowed: %r" % allowed)
        elif line["outcome"] == "servfail":
            needed = self.targets(line, since, until)
            since -= CACHED_S if line["why"].startswith("(13,") else 0
            if needed and not all(self.timeline.able(each, since, until) for each in needed):
                self.counts["no target"] += 1
            elif needed and self.timeline.source_went(since, until):
                self.counts["source gone"] += 1
            else:
                self.trouble("failed", line, "by %r" % needed)
        elif line["outcome"] == "silence":
            self.trouble("lost", line)
            return
        for sent, following in zip(line["sent"], line["sent"][1:]):
            if self.is_silence_excused(line, sent, following):
                self.counts["asked again"] += 1
            else:
                self.trouble("lost", line, "nothing excuses the silence")

    def file(self, path):
        """A client's log; whether it came to its end."""
        ended = False
        with open(path) as file:
            for text in file:
                line = json.loads(text)
                if "counts" in line:
                    self.told.update(line["counts"])
                    ended = True
                else:
                    self.line(line)
        return ended

    def verdict(self):
        """Whether all is well."""
        return not any(self.counts[what] for what in ("wrong", "lost", "failed"))
