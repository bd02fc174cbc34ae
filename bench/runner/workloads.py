"""What is run: the groups of cases behind the names that ONLY= takes."""

from dataclasses import dataclass, field

from runner.configs import Shape, floor, sluice
from runner.measure import Case
from runner.peers import PEERS
from runner.process import BOTH_CORES, UPSTREAM_PORT, Server

POPULAR_MIXED = 100_000


@dataclass
class Plan:
    """How much: everything, or what fits into two minutes."""
    seconds: float = 1.5
    repetitions: int = 5
    peers: list = field(default_factory=list)
    latency_repetitions: int = 3
    quick: bool = False


@dataclass(frozen=True)
class Steady:
    """A workload in the closed loop: sluice and every peer at full speed."""
    name: str
    title: str
    mix: str
    floors: tuple  # (floor, mix)
    options: tuple = ()
    fill: bool = False
    tcp: bool = False

    def case(self, label, server, plan):
        options = list(self.options) + ["--seconds", plan.seconds] + ["--tcp"] * self.tcp
        return Case(self.name, label, server, self.mix, options, fill=self.fill)

    def group(self, plan):
        shape = Shape(protocol="tcp" if self.tcp else "udp")
        cases = [self.case("sluice", lambda: sluice(shape), plan)]
        cases += [self.case(peer.name, lambda peer=peer: peer.server(self.tcp), plan)
                  for peer in plan.peers if self.name not in peer.lacks]
        floors = []
        for kind, mix in self.floors:
            case = self.case("floor", lambda kind=kind: floor(kind), plan)
            case.mix, case.fill = mix, False
            floors.append(case)
        return cases, floors, plan.repetitions


# By TCP to targets 96 are in flight, not 192: beyond 100 on one connection to a target Knot Resolver
# answers SERVFAIL.
STEADY = (
    Steady("zone", "answered from a private zone", "zone", (("answer", "zone"),)),
    Steady("hit", "answered from the cache", "hit", (("answer", "hit"),), fill=True),
    Steady("miss", "forwarded, every name new", "miss", (("relay", "miss"),)),
    Steady("nxdomain", "NXDOMAIN of a private zone", "nxdomain", (("answer", "nxdomain"),)),
    Steady("mixed", "mixed: 20 % zone, 60 % popular by Zipf's law, 15 % new names, 10 % NXDOMAIN",
           "mixed", (("answer", "zone"), ("relay", "miss")),
           ("--popular", POPULAR_MIXED), fill=True),
    Steady("tcp-zone", "private zone, by TCP, pipelined", "zone", (("tcp-answer", "zone"),),
           tcp=True),
    Steady("tcp-miss", "forwarded from TCP to a TCP target, every name new", "miss",
           (("tcp-relay", "miss"),), ("--window", 96), tcp=True),
)


def paced_case(work, label, server, mix, rate, seconds, *more):
    return Case(work, label, server, mix, ["--rate", rate, "--seconds", seconds, *more],
                point=rate)


def paced(plan):
    """CPU per query when the load does not saturate: what wake-ups and small batches cost."""
    for mix, kind in (("zone", "answer"), ("miss", "relay")):
        for rate in (5000, 20000, 50000, 100000):
            work = "paced-" + mix
            yield ([paced_case(work, "sluice", sluice, mix, rate, plan.seconds)],
                   [paced_case(work, "floor", lambda kind=kind: floor(kind), mix, rate,
                               plan.seconds)], plan.repetitions)


RISING = {"zone": (5000, 20000, 50000, 100000, 150000, 200000, 250000),
          "miss": (5000, 10000, 20000, 40000, 60000, 80000, 100000)}


def latency(plan):
    """Percentiles at rising rates. A server that cannot keep up loses answers: that is what the plot
    shows, so they do not make the bench fail."""
    for mix, kind in (("zone", "answer"), ("miss", "relay")):
        servers = [("floor", lambda kind=kind: floor(kind)), ("sluice", sluice)]
        servers += [(p.name, p.server) for p in plan.peers if mix not in p.lacks]
        cases = []
        for label, server in servers:
            for rate in RISING[mix]:
                case = paced_case("latency-" + mix, label, server, mix, rate, plan.seconds)
                case.overload_counts = False
                cases.append(case)
        yield cases, [], plan.latency_repetitions


class Nobody(Server):
    """Stands in for a server where the load asks its own upstream: the direct way."""

    def __init__(self):
        super().__init__("direct", UPSTREAM_PORT, [])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    pid = None

    def alive(self):
        return True

    def last_words(self):
        return "it is the load itself"

    def rss_bytes(self):
        return 0


def added(plan):
    """Latency of a forwarded question at 10,000 a second, and of the same asked directly: of the
    upstream in the load, which spins and never has to be woken, and of a target in a process of its
    own, which has to be."""
    servers = [("direct", Nobody), ("direct, other process", lambda: floor("answer")),
               ("floor", lambda: floor("relay")),
               ("unconnected floor", lambda: floor("relay-unconnected")), ("sluice", sluice)]
    servers += [(p.name, p.server) for p in plan.peers if "miss" not in p.lacks]
    yield ([paced_case("added", label, server, "miss", 10000, plan.seconds)
            for label, server in servers], [], plan.repetitions)


def grown(work, mix, kind, points, shape_of, options_of, plan):
    cases, floors = [], []
    for point in points:
        options = ["--seconds", plan.seconds, *options_of(point)]
        cases.append(Case(work, "sluice", lambda point=point: sluice(shape_of(point)), mix, options,
                          point=point))
    floors.append(Case(work, "floor", lambda: floor(kind), mix, ["--seconds", plan.seconds]))
    return cases, floors, plan.repetitions


def rules(plan):
    yield grown("rules", "miss", "relay", (1, 10, 1000, 100000), lambda n: Shape(rules=n),
                lambda n: ["--rules", n], plan)


def links(plan):
    yield grown("links", "miss", "relay", (1, 500), lambda n: Shape(links=n), lambda n: [], plan)


def records(plan):
    yield grown("records", "zone", "answer", (100, 10000, 1000000), lambda n: Shape(hosts=n),
                lambda n: ["--hosts", n], plan)


PTRS, PTRS_QUICK = (100, 100_000, 1_000_000), (100, 10_000)


def ptrs(plan):
    """PTRs drawn from many, and beside them a zone of 100. How they are loaded and changed: ptrs.py."""
    yield grown("ptrs-zone", "zone", "answer", (100,), lambda n: Shape(hosts=n),
                lambda n: ["--hosts", n], plan)
    yield grown("ptrs", "ptr", "answer", PTRS_QUICK if plan.quick else PTRS,
                lambda n: Shape(hosts=100, ptrs=n), lambda n: ["--ptrs", n], plan)


def workers(plan):
    """Two workers at a load and one at half of it: each worker sees the same, so the difference is
    what sharing costs. The load sleeps between its sends; on core 0 alone the workers take turns,
    on both cores they really run side by side, one of them beside the load."""
    for mix in ("zone", "miss"):
        for place, cores in (("core0", frozenset({0})), ("cores01", BOTH_CORES)):
            cases = []
            for count, rate in ((1, 20000), (2, 40000)):
                cases.append(paced_case(
                    "workers-%s-%s" % (mix, place), "%d x sluice" % count,
                    lambda count=count, cores=cores: sluice(Shape(workers=count), cores), mix,
                    rate, plan.seconds, "--naps"))
                cases[-1].point = count
            yield cases, [], plan.repetitions


GROUPS = {"paced": paced, "latency": latency, "added": added, "rules": rules, "links": links,
          "records": records, "ptrs": ptrs, "workers": workers}
NAMES = [w.name for w in STEADY] + list(GROUPS) + ["memory"]
QUICK = ("zone", "hit", "miss")


def groups(name, plan):
    """(cases, floors, repetitions) of one name."""
    for steady in STEADY:
        if steady.name == name:
            yield steady.group(plan)
    if name in GROUPS:
        yield from GROUPS[name](plan)


def installed_peers():
    return [peer for peer in PEERS if peer.installed()]
