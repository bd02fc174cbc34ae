"""Two opinions on random questions in random configurations, from fixed seeds:

    explain and the wire     who answers: every upstream answers with its own address (whoami.py), so
                             the answer's address is the target that was asked
    private zones and NSD    rcode, answer and SOA, for random zones

DIFFERENTIAL=N scales both (1: some hundred and seventy thousand questions); SEED=N begins elsewhere."""

import json
import os
import random
import subprocess
import sys
import time

import dns
import harness
import servers

SCALE = float(os.environ.get("DIFFERENTIAL", "1"))
SEED = int(os.environ.get("SEED", "1"))
EXPLAIN_LINES = os.path.join(os.path.dirname(os.environ.get("SLUICE_UNDER") or harness.SLUICE),
                             "tests", "e2e", "explain_lines")
WHOAMI = os.path.join(harness.TOP, "tests", "e2e", "whoami.py")
TARGETS = ["127.0.1.%d" % i for i in range(1, 7)]
NETWORKS = 3
TARGETS_MAX = 3  # of a rule
ATTEMPTS = 8
RECOVERY_S = 3  # longer than a failed answer is remembered
VNET = ("127.0.0.1", 5310)
LABELS = ["a", "b", "c", "d", "www"]
ROOTS = ["corp", "lan", "example", "test", "local", "home.arpa", "privatelink.b"]


def some_name(chance, deepest=4):
    """A name out of a small world, so that random names meet often."""
    labels = [chance.choice(LABELS) for _ in range(chance.randrange(deepest + 1))]
    return ".".join(labels + [chance.choice(ROOTS)])


def near(chance, known):
    """One of the known names, something below it, or a sibling."""
    labels = chance.choice(known).replace("*", "a").split(".")
    labels = labels[chance.randrange(2) if len(labels) > 2 else 0:]
    return ".".join([chance.choice(LABELS) for _ in range(chance.choice([0, 0, 0, 1, 1, 2]))] + labels)


def zone_text(chance, apex, known, leave=True):
    """A random zone: data, wildcards, empty non-terminals, CNAMEs, DNAMEs that do not collide. Its
    names are added to the known ones."""
    lines, taken, dnames = ["$TTL 300", "@ IN SOA ns hostmaster 1 3600 600 86400 60", "@ IN NS ns",
                            "ns IN A 10.0.0.1"], {"ns"}, set()
    for _ in range(chance.randrange(3, 25)):
        labels = [chance.choice(LABELS) for _ in range(chance.randrange(1, 4))]
        if chance.random() < 0.2:
            labels[0] = "*"
        owner = ".".join(labels)
        above = {".".join(labels[i:]) for i in range(len(labels))}
        if owner in taken or above & dnames:
            continue
        kind = chance.random()
        target = ".".join(chance.choice(LABELS) for _ in range(chance.randrange(1, 4)))
        if kind < 0.25:
            if leave and chance.random() < 0.6:
                target = near(chance, known) + "."
            lines.append("%s IN CNAME %s" % (owner, target))
        elif kind < 0.30 and "*" not in owner and not any(
                name.endswith("." + owner) for name in taken):
            lines.append("%s IN DNAME %s" % (owner, target))
            dnames.add(owner)
        else:
            for i in range(chance.randrange(1, 4)):
                lines.append("%s IN A 10.1.%d.%d" % (owner, len(lines), i))
            if chance.random() < 0.3:
                lines.append('%s IN TXT "at %s"' % (owner, owner))
            if chance.random() < 0.2:
                lines.append("%s IN MX 10 %s" % (owner, target))
        taken.add(owner)
        known.append("%s.%s" % (owner, apex))
    return "\n".join(lines) + "\n"


def comma(items):
    return ", ".join(items)


class Configuration:
    """A random one: networks with an endpoint each, zones, rulesets, custom servers."""

    def __init__(self, chance, world):
        self.chance, self.world = chance, world
        self.known = [some_name(chance) for _ in range(10)]  # what questions are about
        self.lines = ['region = "r"; workers = 1; management = { socket = "sluice.sock"; };',
                      'default_resolver = { targets = ( { address = "%s"; } ); };' % TARGETS[0],
                      'vnet_resolver = { listen = [ "%s:%d" ]; };' % VNET,
                      "limits = { queries_per_second_per_endpoint = 0; };"]
        if chance.random() < 0.5:
            self.lines.append("reserved_domains = [ %s ];" % comma(
                '"%s"' % some_name(chance, 2) for _ in range(2)))
        self.networks()
        self.zones()
        self.rulesets()

    def networks(self):
        items, resolvers = [], []
        self.custom = self.chance.randrange(NETWORKS) if self.chance.random() < 0.5 else None
        for n in range(NETWORKS):
            custom = '"%s"' % self.target(n) if n == self.custom else ""
            items.append('{ name = "n%d"; address_space = [ "10.%d.0.0/16" ];'
                         ' client_prefixes = [ "127.0.2.%d/32" ]; dns_servers = [ %s ]; subnets = ('
                         '{ name = "in"; prefix = "10.%d.0.0/28"; delegation = "Microsoft.Network/dnsResolvers"; },'
                         '{ name = "out"; prefix = "10.%d.0.16/28"; delegation = "Microsoft.Network/dnsResolvers"; } ); }'
                         % (n, 100 + n, n, custom, 100 + n, 100 + n))
            resolvers.append('{ name = "r%d"; virtual_network = "n%d"; inbound_endpoints = ('
                             ' { name = "in"; subnet = "in"; listen = "127.0.0.1:%d"; } );'
                             ' outbound_endpoints = ( { name = "out"; subnet = "out"; source = "127.0.0.1"; } ); }'
                             % (n, n, 5320 + n))
        self.lines += ["virtual_networks = ( %s );" % ",\n  ".join(items),
                       "resolvers = ( %s );" % ",\n  ".join(resolvers)]

    def target(self, network):
        """An upstream's address, or now and then another network's endpoint."""
        if self.chance.random() < 0.3:
            return "10.%d.0.4" % (100 + (network + 1) % NETWORKS)
        return self.chance.choice(TARGETS)

    def zones(self):
        items = []
        names = {some_name(self.chance, 3) for _ in range(12)}
        for i, name in enumerate(sorted(n for n in names if n.count(".") and "arpa" not in n)):
            self.world.write("zone%d" % i, zone_text(self.chance, name, self.known))
            links = []
            for n in range(NETWORKS):
                if self.chance.random() < 0.5:
                    redirect = name.startswith("privatelink.") and self.chance.random() < 0.7
                    policy = "NxDomainRedirect" if redirect else self.chance.choice(("Default", "Default", "NxDomainFallthrough"))
                    links.append('{ name = "l%d"; virtual_network = "n%d"; resolution_policy = "%s"; }'
                                 % (n, n, policy))
            items.append('{ name = "%s"; file = "zone%d"; links = ( %s ); }'
                         % (name, i, comma(links)))
        self.lines.append("private_zones = ( %s );" % ",\n  ".join(items))

    def rulesets(self):
        items = []
        for n in range(NETWORKS):
            domains = {some_name(self.chance, 3) + "." for _ in range(self.chance.randrange(8))}
            self.known += [domain[:-1] for domain in sorted(domains)]
            if self.chance.random() < 0.3:
                domains.add(".")
            rules = []
            for i, domain in enumerate(sorted(domains)):
                count = self.chance.randrange(1, TARGETS_MAX + 1)
                targets = {self.target(n) for _ in range(count)}
                rules.append('{ name = "rule%d"; domain = "%s"; state = "%s"; targets = ( %s ); }' % (
                    i, domain, self.chance.choice(["Enabled", "Enabled", "Disabled"]),
                    comma('{ address = "%s"; }' % t for t in self.chance.sample(
                        sorted(targets), len(targets)))))
            items.append('{ name = "s%d"; outbound_endpoints = [ "r%d/out" ];'
                         ' links = ( { name = "l"; virtual_network = "n%d"; } ); rules = ( %s ); }'
                         % (n, n, n, ",\n    ".join(rules)))
        self.lines.append("rulesets = ( %s );" % ",\n  ".join(items))

    def text(self):
        return "\n".join(self.lines) + "\n"


def records_of(texts):
    """explain's records as (owner, type, rdata)."""
    out = []
    for text in texts:
        owner, _, _, rtype, rdata = text.split(None, 4)
        out.append((owner.lower(), rtype, rdata.strip('"').lower()))
    return out


def expected(block, qtype):
    """(rcode, records) as explain's decision has it, with what the upstreams will say put in; None
    for the records where the answer need not have any."""
    records = []
    if block["loop"]:
        return "loop", None
    for hop in block["hops"]:
        records += records_of(hop["records"])
        if hop["kind"] == "refuse":
            return "REFUSED", None
        if hop["kind"] == "forward":
            rcode, more = forwarded(hop, qtype)
            if rcode in ("SERVFAIL", "loop"):
                return rcode, None
            return rcode, records + more
        rcode = hop["rcode"]
    return rcode, records


def told(hop, step, qtype):
    """What an upstream says that a step asks."""
    address = step["host"].rsplit(":", 1)[0]
    return "NOERROR", [(hop["name"].lower(), "A", address)] if qtype == "A" else []


def forwarded(hop, qtype):
    for step in hop["route"]:
        if step["kind"] == "ask":
            return told(hop, step, qtype)
        if step.get("loop"):
            return "loop", None
        rcode, records = expected(step["decision"], qtype)
        if rcode in ("NOERROR", "NXDOMAIN", "loop"):
            return rcode, records
    return "SERVFAIL", None


def possible(block, qtype):
    """Every (rcode, records) that the decision allows when any of its targets may be late."""
    if block["loop"]:
        return [("SERVFAIL", [])]
    records = []
    for hop in block["hops"]:
        records = records + records_of(hop["records"])
        if hop["kind"] == "refuse":
            return [("REFUSED", [])]
        if hop["kind"] == "forward":
            ends = [("SERVFAIL", [])]
            for step in hop["route"]:
                if step["kind"] == "ask":
                    ends.append(told(hop, step, qtype))
                elif not step.get("loop"):
                    ends += possible(step["decision"], qtype)
            return [(rcode, [] if rcode == "SERVFAIL" else records + more) for rcode, more in ends]
        rcode = hop["rcode"]
    return [(rcode, records)]


def said(seed, words, name, block):
    return "seed %d: %s %s %s: explain %s" % (seed, words, *name, json.dumps(block))


def on_the_wire(packet):
    message = dns.Message(packet)
    return message.rcode, [(r.name.lower(), r.type, r.text.lower()) for r in message.answer]


class ExplainAndWire(harness.FreshCase):
    def build(self, world):
        self.host = world.host("machine")
        if not os.path.exists(EXPLAIN_LINES):
            self.fail("%s is not built; run make test" % EXPLAIN_LINES)
        harness.Process(self.host, "whoami", [sys.executable, WHOAMI, "53"] + TARGETS).wait_ready(
            (TARGETS[-1], 53))

    def places(self):
        """How to ask explain, and how the wire: (words, server, source)."""
        for n in range(NETWORKS):
            yield "endpoint r%d/in" % n, ("127.0.0.1", 5320 + n), None
            yield "from 127.0.2.%d" % n, VNET, "127.0.2.%d" % n
        yield "from 127.0.2.200", VNET, "127.0.2.200"

    def explained(self, config, lines):
        result = subprocess.run([EXPLAIN_LINES, config], input="".join(line + "\n" for line in lines),
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.assertEqual(0, result.returncode, result.stderr)
        return [json.loads(line) for line in result.stdout.splitlines()]

    def compare(self, seed, questions):
        chance = random.Random(seed)
        config = Configuration(chance, self.world)
        sluice = harness.Sluice(self.host, config.text(), VNET, name="sluice-%d" % seed)
        asked = 0
        for words, server, source in self.places():
            names = [(near(chance, config.known), chance.choice(["A"] * 6 + ["TXT", "CNAME", "MX"]))
                     for _ in range(questions)]
            names = list(dict.fromkeys(names))  # a second time they would come from the cache
            blocks = self.explained(sluice.config, ["%s %s %s" % (words, *n) for n in names])
            late = list(zip(names, blocks))
            for attempt in range(ATTEMPTS):
                late = self.disagreeing(seed, words, late, server, source)
                if not late:
                    break
                time.sleep(RECOVERY_S)
            for name, block in late:
                self.fail(said(seed, words, name, block))
            asked += len(names)
        self.assertEqual(0, sluice.stop(), sluice.log())
        return asked

    def disagreeing(self, seed, words, questions, server, source):
        """Asks them; those that were answered otherwise than decided, as a decision allows while a
        target is later than its allowance, which on a busy machine each may be now and then."""
        with self.host.inside():
            answers = dns.udp_many([dns.query(name, rtype, opts=(dns.opt(),))
                                    for (name, rtype), _ in questions], server, source=source)
        return [(name, block) for (name, block), answer in zip(questions, answers)
                if not self.agree(block, name[1], answer, said(seed, words, name, block))]

    def agree(self, block, rtype, answer, what):
        self.assertIsNotNone(answer, what)
        got = on_the_wire(answer)
        rcode, records = expected(block, rtype)
        if rcode == "loop":
            self.assertIn(got[0], ("NOERROR", "SERVFAIL"), what)
            return True
        if got[0] == rcode and (records is None or sorted(records) == sorted(got[1])):
            return True
        self.assertIn((got[0], sorted(got[1])), [(rcode, sorted(records))
                                                 for rcode, records in possible(block, rtype)], what)
        return False

    def test_explain_and_the_wire_agree(self):
        asked = sum(self.compare(seed, 1000) for seed in range(SEED, SEED + max(1, int(20 * SCALE))))
        self.assertGreater(asked, 5000)

    def test_the_command_prints_the_same(self):
        config = Configuration(random.Random(SEED), self.world)
        path = self.world.write("sluice.conf", config.text())
        for name in config.known[:40:4]:
            block = self.explained(path, ["endpoint r0/in %s A" % name])[0]
            status, text = harness.command("explain", "-c", path, name, "A", "--endpoint", "r0/in",
                                           "--json")
            self.assertEqual(0, status, text)
            printed = json.loads(text)
            self.assertEqual(block, {key: printed[key] for key in block})


class ZonesAndNsd(harness.FreshCase):
    CONFIG = """
region = "r"; workers = 1; management = { socket = "sluice.sock"; };
default_resolver = { targets = ( { address = "127.0.0.9"; } ); };
limits = { queries_per_second_per_endpoint = 0; };
virtual_networks = ( { name = "n"; address_space = [ "10.10.0.0/16" ]; subnets = (
  { name = "in"; prefix = "10.10.0.0/28"; delegation = "Microsoft.Network/dnsResolvers"; } ); } );
resolvers = ( { name = "r"; virtual_network = "n"; inbound_endpoints = (
  { name = "in"; subnet = "in"; listen = "127.0.0.1:5300"; } ); } );
private_zones = ( %s );
"""

    def build(self, world):
        self.host = world.host("machine")

    def compare(self, seed, zones, questions):
        chance = random.Random(seed)
        known = []
        texts = {"z%d.corp" % i: zone_text(chance, "z%d.corp" % i, known, leave=False)
                 for i in range(zones)}
        for name, text in texts.items():
            self.world.write(name, text)
        nsd = servers.nsd(self.host, texts, "127.0.0.1", 5301)
        sluice = harness.Sluice(self.host, self.CONFIG % ",\n".join(
            '{ name = "%s"; file = "%s"; links = ( { name = "l"; virtual_network = "n"; } ); }'
            % (name, name) for name in texts), ("127.0.0.1", 5300))
        names = [(near(chance, known + list(texts)), chance.choice(
            ["A", "A", "A", "TXT", "MX", "CNAME", "NS", "SOA", "AAAA", "DNAME", "SRV"]))
                 for _ in range(questions)]
        packets = [dns.query(name, rtype, opts=(dns.opt(),)) for name, rtype in names]
        with self.host.inside():
            ours = dns.udp_many(packets, ("127.0.0.1", 5300))
            theirs = dns.udp_many(packets, ("127.0.0.1", 5301))
        for name, our, their in zip(names, ours, theirs):
            self.one(seed, name, our, their, texts)
        self.assertEqual((0, 0), (nsd.stop(), sluice.stop()), sluice.log())

    def one(self, seed, question, our, their, texts):
        self.assertIsNotNone(our, question)
        self.assertIsNotNone(their, question)
        ours, theirs = dns.Message(our), dns.Message(their)
        said = "seed %d: %s: ours %r, NSD's %r\n%s" % (
            seed, question, ours, theirs, texts[".".join(question[0].split(".")[-2:])])
        alike = [(message.rcode, sorted({(r.name.lower(), r.type, r.text.lower())
                                         for r in message.answer})) for message in (ours, theirs)]
        self.assertEqual(alike[1], alike[0], said)
        if not ours.answer:
            self.assertEqual([(r.name, r.text, r.ttl) for r in theirs.authority if r.type == "SOA"],
                             [(r.name, r.text, r.ttl) for r in ours.authority], said)

    def test_zones_and_nsd_agree(self):
        for seed in range(SEED, SEED + max(1, int(8 * SCALE))):
            self.compare(seed, 20, 10000)


if __name__ == "__main__":
    harness.main()
