"""What happened when, and what may have been answered then.

A SERVFAIL is excused where no target could answer: each of those that the name's rule has was bad at
some instant from MARGIN_S before the question to its answer; or where a source address went away in
the SOURCE_S before. So a target that comes back has MARGIN_S to be found, and one that goes away has
none: while another is good, nobody may notice. A failure out of the cache (extended error 13; RFC
9520, section 3.2) is that of a question CACHED_S before: a second, and the four that it waited. In a
flood of new names every outbound endpoint may be over its limit: a failure that says so is excused
while one is on, as silence is.

Silence, a refusal or a closed connection is excused by what was going on when the attempt left (to
QUEUE_S later, in which it may have stood in a queue, and AFTER_S behind its end), however long it took
to be noticed: EXCUSES says what excuses what. Nothing does when there is no answer at last.

What was asked while none of these was on, and no source address away, is asked plainly: anything but
the right answer is then the server's fault, or every target's. A run in which less than PLAIN_LEAST of
the questions were, or no upgrade, no reload or no target's death was among them, proves nothing.

A changed PTR holds from its acknowledgement on, with no margin. A generation of the configuration
may be seen for LINGER_S longer, by whoever has not let go of it yet. A wrong answer has no excuse."""

import collections
import json

import place

MARGIN_S, SOURCE_S, LINGER_S, CACHED_S = 3.0, 5.0, 1.0, 5.0
QUEUE_S, AFTER_S = 0.5, 1.0
# (by what, what an attempt met with): the timeline's spans that excuse it
EXCUSES = {("udp", "silence"): ("floods", "drops"), ("udp", "refused"): ("floods",),
           ("tcp", "silence"): ("floods", "tcp"), ("tcp", "refused"): ("floods",),
           ("tcp", "closed"): ("tcp",), ("udp", "cut"): None}
PLAIN_LEAST = 1 / 3  # plan.py guarantees more, if the kernel has room
OVER_LIMIT = "the outbound endpoint is over its limit"  # in an extended error's text
PLAIN_DEEDS = ("upgrade", "reload", "kill")
TICK_S = 0.1        # by which clients say when they asked
EXAMPLES_MAX = 5  # of each kind of trouble that are printed


class Timeline:
    """Spans are lists [begin, end], end None while it lasts, by the monotonic clock."""

    def __init__(self):
        self.bad = {k: [] for k in range(place.TARGETS + place.DEFAULTS)}
        self.sources, self.floods, self.tcp, self.drops = [], [], [], []
        self.generations = []  # (number, when it was begun, when it was known to be served)
        self.deeds = []  # (when it was begun, what), of operator and targets
        self.ptrs = {slot: [] for slot in range(place.SLOTS)}  # [number, begun, acknowledged or None]

    @staticmethod
    def overlaps(spans, since, until):
        return any(begin <= until and (end is None or end >= since) for begin, end in spans)

    def able(self, targets, since, until):
        return any(not self.overlaps(self.bad[k], since - MARGIN_S, until) for k in targets)

    def source_went(self, since, until):
        return any(begin <= until and since <= begin + SOURCE_S for begin, _ in self.sources)

    def disturbed(self, kinds, since, until):
        """Whether a packet that left then may have met with any of these."""
        return any(begin <= until + QUEUE_S and (end is None or since <= end + AFTER_S)
                   for kind in kinds for begin, end in getattr(self, kind))

    def is_plain(self, since, until):
        return not (self.disturbed(("floods", "tcp", "drops", "sources"), since, until)
                    or self.source_went(since, until))

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
        self.asked_at = collections.Counter()
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

    def attempt(self, line, left, transport, met):
        """One that was not the last."""
        excuses = EXCUSES[transport, met]
        if excuses is None:
            return
        if self.timeline.disturbed(excuses, left, left):
            self.counts["asked again"] += 1
        else:
            self.trouble("lost", line, "nothing excuses: %s" % met)

    def line(self, line):
        since, until = line["tries"][-1][0], line["done"]
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
            elif needed and OVER_LIMIT in line["why"] and self.timeline.disturbed(("floods",), since, until):
                self.counts["over limit"] += 1
            else:
                self.trouble("failed", line, "by %r" % needed)
        elif line["outcome"] == "silence":
            self.trouble("lost", line)
            return
        for each in line["tries"][:-1]:
            self.attempt(line, *each)

    def file(self, path):
        """A client's log; whether it came to its end."""
        ended = False
        with open(path) as file:
            for text in file:
                line = json.loads(text)
                if "counts" in line:
                    self.told.update(line["counts"])
                    self.asked_at.update({int(tick): n for tick, n in line["asked_at"].items()})
                    ended = True
                else:
                    self.line(line)
        return ended

    def plain_share(self):
        """Of the questions."""
        plain = sum(n for tick, n in self.asked_at.items()
                    if self.timeline.is_plain(tick * TICK_S, (tick + 1) * TICK_S))
        return plain / max(1, sum(self.asked_at.values()))

    def plain_deeds(self):
        return collections.Counter(what for when, what in self.timeline.deeds
                                   if self.timeline.is_plain(when, when))

    def proves_nothing(self):
        """Why, if it does not."""
        share, deeds = self.plain_share(), self.plain_deeds()
        if share < PLAIN_LEAST:
            return "only %.0f %% of the questions were asked plainly" % (100 * share)
        return ", ".join("no %s while questions were asked plainly" % what for what in PLAIN_DEEDS
                         if not deeds[what])

    def verdict(self):
        """Whether all is well."""
        return not (self.proves_nothing()
                    or any(self.counts[what] for what in ("wrong", "lost", "failed")))
