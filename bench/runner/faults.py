"""The figures of bench/faults: what is measured, how often, what it has to be; as a page and as JSON."""

import json
import statistics
from dataclasses import dataclass, replace
from functools import partial
from typing import Callable, Optional

from runner import change, excess, failover, forging
from runner.report import table


@dataclass(frozen=True)
class Figure:
    """One number of a part. It has to be at most `most`: its median, or with max every one."""
    key: str
    what: str
    most: Optional[float] = None  # None: it is only told
    form: str = "%.2f"
    judge: Callable = statistics.median

    def values(self, runs):
        return [run[self.key] for run in runs]

    def goal(self):
        return "-" if self.most is None else "at most " + self.form % self.most

    def text(self, runs):
        values = self.values(runs)
        if min(values) == max(values):
            return self.form % values[0]
        return self.form % statistics.median(values) + " (%s to %s)" % (
            self.form % min(values), self.form % max(values))

    def met(self, runs):
        return self.most is None or self.judge(self.values(runs)) <= self.most


@dataclass(frozen=True)
class Failed(Figure):
    """Of all repetitions together, none may fail."""
    key: str = "failed"
    what: str = "lost or wrong"
    most: float = 0
    judge: Callable = sum

    def goal(self):
        return "none"

    def text(self, runs):
        return "%d of %d" % (sum(self.values(runs)), sum(run["asked"] for run in runs))


@dataclass(frozen=True)
class Part:
    name: str
    title: str
    measure: Callable  # takes seconds; one repetition
    seconds: float
    repetitions: int
    figures: tuple
    least_s: float = 1  # with --quick a tenth of the time, but no less than this

    def met(self, runs):
        return all(figure.met(runs) for figure in self.figures)


P99, P999, LONGEST = "99th percentile", "99.9th percentile", "the longest"
EXTRA = Figure("extra_percent", "questions to targets beyond one each", 2, "%.2f %%", max)
SLOW = (Failed(), EXTRA,
        Figure("second_first", "questions for which the second was preferred", 0, "%d", max),
        Figure("suspicions", "times that the first was suspect", 0, "%d", max))
RATIO = ", as a ratio to that of the same load with no reload"
FELT = (Figure("p99_us", P99, form="%.0f us"),
        Figure("without_p99_us", P99 + " with no reload", form="%.0f us"),
        Figure("p999_ratio", P999 + RATIO),
        Figure("p999_us", P999, form="%.0f us"),
        Figure("without_p999_us", P999 + " with no reload", form="%.0f us"),
        Figure("max_ms", LONGEST, form="%.1f ms"),
        Figure("lateness_p99_us", P99 + " of the load's own lateness", form="%.0f us"),
        Figure("without_lateness_p99_us", "that with no reload", form="%.0f us"),
        Figure("forwarded", "share of questions that were forwarded", form="%.4f"),
        Figure("without_forwarded", "that with no reload", form="%.4f"),
        Figure("change_ms", LONGEST + " reload", form="%.0f ms"))
# The same beside changes of the state.
CHANGED = tuple(replace(figure, what=figure.what.replace("with no reload", "with no change")
                        .replace("reload", "change"))
                for figure in (Figure("p50_ratio", "median" + RATIO), Figure("p50_us", "median", form="%.0f us"),
                               Figure("p99_ratio", P99 + RATIO)) + FELT
                if not figure.key.endswith("forwarded")) + (Figure("changes", "changes", form="%d"),)

DEAD_NAMES = (Failed(what="good names lost or wrong"),
              Figure("max_ms", LONGEST + " of the good names", 20, "%.1f ms", max),
              Figure("packets", "packets of a dead name", 5, "%d", max))
PACKETS = Figure("packets", "packets to targets a question, meanwhile", 1.2, judge=max)
RETURNED = (Figure("back_failed", "asked after their return: lost or wrong", 0, "%d", max),
            Figure("back_ms", LONGEST + " of these", 1000, "%.0f ms", max))

# What must hold of targets.
TARGET_PARTS = (
    Part("failover", "Of two ordered targets the first falls silent, and returns; 200 questions a second",
         failover.outage, 12.5, 5, (
             Failed(),
             Figure("p99_ms", P99 + " of the silence", 5, "%.2f ms"),
             Figure("max_ms", LONGEST + " of the silence", 50, "%.1f ms", max),
             Figure("extra_percent", "questions to targets beyond one each, while both are well", 2,
                    "%.2f %%", max),
             Figure("again_s", "the first is in use again after its return", 1, "%.3f s", max)), 5),
    Part("slow", "A fifth of the names takes the first target 300 ms; 200 questions a second",
         failover.slow, 12, 3, SLOW, 3),
    Part("slow-20", "A fifth is slow at 20 questions a second", partial(failover.slow, rate=20), 12, 1, SLOW, 12),
    Part("seldom", "A fifth is slow at one question a second, for each of 16 rules with targets of their own",
         failover.slow_seldom, 100, 1, SLOW, 100),
    Part("dead-names", "One client asks 20 to 1000 names a second that one target, or two, never answer",
         failover.dead_names, 12, 1, DEAD_NAMES, 8),
    Part("own-name", "At 200 a second by who owns names that were answered, and are silent since",
         failover.own_name, 12, 1, DEAD_NAMES, 8),
    Part("uplink", "The first of two answers what it has answered before, and nothing new; 200 a second",
         failover.uplink, 6, 3, (
             Failed(),
             Figure("max_ms", LONGEST + " after the first second", 100, "%.1f ms", max),
             Figure("first_second_ms", LONGEST + " of the first second", form="%.0f ms")), 3),
    Part("first-dead", "The first of two is silent from the start; 200 questions a second",
         failover.first_dead, 5, 3, (
             Failed(),
             Figure("felt", "took longer than %d ms" % failover.FELT_MS, 3, "%d", max),
             Figure("max_ms", LONGEST, form="%.1f ms")), 3),
    Part("five-dead", "Five of six targets silent from the start; 200 questions a second",
         failover.five_dead, 6, 5, (
             Failed(),
             Figure("p99_ms", P99 + " after the first second", 20, "%.2f ms"),
             Figure("max_ms", LONGEST + " after the first second", form="%.1f ms")), 3),
    Part("all-dead", "All six fall silent; 10,000 questions a second", failover.all_dead, 10, 3, (
        Failed(what="another client's, not SERVFAIL with extended error 22 or 23"),
        Figure("max_ms", LONGEST + ", of a deadline of 4 s", 4050, "%.0f ms", max),
        PACKETS,
        Figure("others_failed", "zone and cache meanwhile: lost or wrong", 0, "%d", max),
        Figure("others_p99_ms", P99 + " of these", 5, "%.2f ms"),
        Figure("others_max_ms", LONGEST + " of these", form="%.1f ms"),
        Figure("rss_mb", "memory", form="%.0f MB"),
        *RETURNED), 5),
    Part("slow-silent", "Three answers of 0.78 s among fast ones, then silence; 200, 20 and 2 a second",
         failover.slow_then_silent, 5, 3, (
             Failed(),
             Figure("busy_p99_ms", P99 + " of the silence, at 200 a second", 5, "%.2f ms"),
             Figure("busy_max_ms", LONGEST + " of the silence, at 200 a second", 60, "%.1f ms", max),
             Figure("max_ms", LONGEST + ", at any rate", 802, "%.1f ms", max),
             Figure("later_max_ms", LONGEST + " a second after the last sign of life", 50, "%.1f ms", max)), 5),
    Part("far", "The first of two is 100, 300 or 600 ms away, the second near; 20 a second, bursts of eight",
         failover.far, 20, 1, SLOW, 5),
    Part("unasked", "A thousand targets were away, and come back while nobody asks",
         failover.unasked, 60, 1, (
             Failed(what="not found out, or not back"),
             Figure("back_s", "until the last is up again", failover.UNASKED_BACK_S, "%.1f s", max),
             Figure("a_second", "packets to all of them a second", 21, "%.1f", max)), 10),
    Part("limiting", "A single target answers 200 of 2000 questions a second, and then all",
         failover.limiting, 12, 3, (PACKETS, *RETURNED), 8),
)


def by(protocol, part):
    """The part with this protocol to its targets."""
    other = protocol != "udp"
    return replace(part, name=part.name + other * ("-" + protocol),
                   title=part.title + other * (", by " + protocol.upper()),
                   measure=partial(part.measure, protocol=protocol))


PARTS = (
    *(by("udp", part) for part in TARGET_PARTS),
    *(by("tcp", part) for part in TARGET_PARTS),
    Part("restart", "kill -9 of the server every 1.5 s, with 1000 rules; 1,000 questions a second",
         change.restart, 6, 5, (
             Failed(what="asked when it was gone: lost, or answered later than after 1 s"),
             Figure("serving_ms", "until zone and rules are answered", 200, "%.0f ms", max),
             Figure("held", "lost, that the server had", form="%d"),
             Figure("max_ms", LONGEST, form="%.0f ms"),
             Figure("fast_failed", "at 20,000 a second: asked when it was gone, and lost", form="%d"),
             Figure("fast_held", "lost, that the server had", form="%d"),
             Figure("fast_asked", "of", form="%d"),
             Figure("fast_max_ms", LONGEST, form="%.0f ms")), 5),
    Part("reload", "1000 rules and a zone read again twice a second, changed; 20,000 questions a second",
         change.reload, 6, 5, (Failed(), Figure("p99_ratio", P99 + RATIO)) + FELT, 3),
    # No goal for the 99th percentile: what takes less than a hundredth of the time cannot move it.
    Part("edit", "The same once in five seconds", change.edit, 11, 5, (Failed(),) + FELT, 6),
    # No goals either: the figures tell what a change costs those who ask, compared with a load without changes.
    Part("rule", "A rule of the state changed once a second, in a ruleset of 1000; 20,000 questions a second",
         partial(change.rule, every_s=1), 6, 5, (Failed(),) + CHANGED, 3),
    Part("rule-100", "The same a hundred times a second",
         partial(change.rule, every_s=0.01), 6, 5, (Failed(),) + CHANGED, 3),
    Part("many-edits", "100,000 PTRs changed in one request, again and again; 20,000 questions a second",
         change.many, 6, 5, (Failed(),) + CHANGED, 4),
    Part("upgrade", "Replaced by another process every second; 20,000 questions a second",
         change.upgrade, 6, 5, (
             Failed(),
             Figure("p99_us", P99, form="%.0f us"),
             Figure("without_p99_us", P99 + " with no upgrade", form="%.0f us"),
             Figure("max_ms", LONGEST, form="%.1f ms"),
             Figure("change_ms", LONGEST + " upgrade", form="%.0f ms")), 3),
    Part("limit", "Twice as many queries as the 10,000 a second that an endpoint takes, for 10 s",
         excess.limit, 10, 3, (
             Failed(what="wrong"),
             Figure("off_percent", "answered, off from the limit by", 1, "%.3f %%", max)), 3),
    Part("forged", "20,000 a second from forged addresses at an endpoint that takes 10,000; 50 of a client",
         excess.forged, 6, 3, (
             Failed(what="lost or wrong, with a cookie and by TCP"),
             Figure("cookie_percent", "answered with a cookie", form="%.0f %%"),
             Figure("tcp_percent", "answered by TCP", form="%.0f %%"),
             Figure("first_percent", "answered by UDP without a cookie", form="%.0f %%"),
             Figure("nothing", "neither answered there nor sent to TCP, of 100", 0, "%d", max),
             Figure("cpu_percent", "of a processor, all of this", form="%.0f %%")), 6),
    Part("forging", "A hostile target guesses its neighbour's questions; 50,000 forged answers a second",
         forging.forging, 20, 3, (
             Failed(),
             Figure("taken", "forged answers that were taken", 1, "%d", max),
             Figure("forged", "forged answers that were sent", form="%.0f"),
             Figure("next_door_percent", "questions by a port that the hostile one had just seen", 20,
                    "%.0f %%", max)), 20),
)
NAMES = [part.name for part in PARTS]


def rows(measured):
    for part in PARTS:
        if part.name not in measured:
            continue
        runs, title = measured[part.name]["runs"], "**%s**" % part.title
        for figure in part.figures:
            if figure.key not in runs[0]:
                continue  # measured before there was this figure
            yield (title, figure.what, figure.goal(), figure.text(runs),
                   "" if figure.most is None else "yes" if figure.met(runs) else "no")
            title = ""


def measured_lines(measured):
    """When and with what the parts were measured: one line for those of which both are the same."""
    groups = {}
    for part in PARTS:
        if part.name in measured:
            one = measured[part.name]
            groups.setdefault(json.dumps([one["date"], one["machine"]]), []).append(
                "%s (%d times)" % (part.name, len(one["runs"])))
    for key, names in groups.items():
        date, m = json.loads(key)
        yield "%s: measured %s on %s, %d processors (%s), Linux %s, %s; %s, commit %s." % (
            ", ".join(names), date, m["processor"], m["processors"], m["virtual"], m["kernel"],
            m["system"], m["sluice"], m["commit"])


def page(measured):
    return "\n".join([
        "# sluice, when something fails", "", *(line + "\n" for line in measured_lines(measured)),
        "Medians, with the least and the most in brackets; bench/README.md says what was done.", "",
        *table(("what is done", "what is measured", "goal", "measured", "met"), rows(measured))])


def as_json(measured):
    """One repetition to a line."""
    parts = []
    for name, part in measured.items():
        head = json.dumps({key: value for key, value in part.items() if key != "runs"})
        runs = ",\n  ".join(json.dumps(run) for run in part["runs"])
        parts.append('"%s": %s, "runs": [\n  %s]}' % (name, head[:-1], runs))
    return "{" + ",\n ".join(parts) + "}\n"
