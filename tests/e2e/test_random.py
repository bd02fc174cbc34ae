"""Random calls over all kinds of resources, in groups, by /v1 and by Azure's API (plain_arm.py), against a
plain model (plain.py): the same state, the same refusals in the same words, the same answers by DNS and by
`explain`, and all of it there again after a kill, a reload, an export, an apply and an undo.

    STEPS=1500 SEED=7 SLUICE=build/asan/sluice python3 tests/e2e/test_random.py"""

import contextlib
import hashlib
import json
import os
import random
import re
import sys
import threading

import harness
import plain
import plain_arm
import test_differential
import test_resources
from plain import DELEGATION, NAMED, TOP, Refused, bare, full_name, group_in, is_owned, is_top, kind_of, name_of

SEED = int(os.environ.get("SEED", "19"))
STEPS = int(os.environ.get("STEPS", "175"))
UPSTREAMS = [plain.DEFAULT, plain.TARGET, plain.OTHER, plain.CUSTOM]
VNET = ("127.0.0.53", 53)
CONFIG = """
subscription = "11111111-2222-3333-4444-555555555555";
region = "westeurope";
workers = 2;
limits = { queries_per_second_per_endpoint = 0; %s };
management = { socket = "control.sock"; state = "state.db"; };
default_resolver = { targets = ( { address = "127.0.0.3"; } ); };
vnet_resolver = { listen = [ "127.0.0.53" ]; };
virtual_networks = (
  { name = "filed"; address_space = [ "10.20.0.0/16" ]; client_prefixes = [ "127.1.99.0/24" ]; }%s );
private_zones = (
  { name = "filed.internal"; file = "filed.zone"; links = ( { name = "l1"; virtual_network = "filed"; } ); }%s );
rulesets = ( %s );
keys = ( { name = "filed"; secret = "c2VjcmV0LW9mLXR3by1zZXJ2ZXJzLTAxMjM0NTY3ODk="; } );
address_pools = ( { name = "own"; prefix = "198.51.100.0/24"; } );
addresses = (
  { name = "filed"; resource_group = "office"; address = "198.51.100.10"; reverse_fqdn = "filed.example."; },
  { name = "open"; resource_group = "office"; address = "198.51.100.11"; domain_name_label = "open"; } );
"""
OPEN_ZONE = """, { name = "open.internal"; resource_group = "Berlin";
  record_sets = ( { name = "www:A"; ttl = 60; records = [ "10.1.1.1" ]; } );
  links = ( { name = "l1"; virtual_network = "filed"; } ); }"""
FIXED = '{ name = "fixed"; %slinks = ( { name = "k1"; virtual_network = "filed"; } ); }'
DECLARED = {
    "virtual_networks/-/filed": {"address_space": ["10.20.0.0/16"], "client_prefixes": ["127.1.99.0/24"]},
    "private_zones/-/filed.internal": {"file": "filed.zone"},
    "private_zones/-/filed.internal/links/l1": {"virtual_network": "filed"},
    "keys/-/filed": {"secret": ""}, "address_pools/-/own": {"prefix": "198.51.100.0/24"}}
DECLARED_OPEN = {
    "private_zones/berlin/open.internal": {"resource_group": "Berlin"},
    "private_zones/berlin/open.internal/record_sets/www:a": {"ttl": 60, "records": ["10.1.1.1"]},
    "private_zones/berlin/open.internal/links/l1": {"virtual_network": "filed"}}
DECLARED_OWNED = {
    "addresses/office/filed": {"address": "198.51.100.10", "reverse_fqdn": "filed.example."},
    "addresses/office/open": {"address": "198.51.100.11", "domain_name_label": "open"}}
BEGIN = [
    ("virtual_networks/-/n1", {"address_space": ["10.31.0.0/16"], "client_prefixes": ["127.1.1.0/24"]}),
    ("virtual_networks/Berlin/n2", {"address_space": ["10.35.0.0/16"], "client_prefixes": ["127.1.5.0/24"]}),
    ("virtual_networks/-/n1/subnets/s1", {"prefix": "10.31.0.0/28", "delegation": DELEGATION}),
    ("virtual_networks/-/n1/subnets/apps", {"prefix": "10.31.1.0/28"}),
    ("virtual_networks/Berlin/n2/subnets/apps", {"prefix": "10.35.1.0/28"}),
    ("resolvers/munich/r1", {"virtual_network": "n1"}),
    ("resolvers/munich/r1/outbound_endpoints/out", {"source": "127.0.0.1", "subnet": "s1"}),
    ("private_zones/munich/z1.internal", {}),
    ("private_zones/munich/z1.internal/links/l1", {"virtual_network": "n1"}),
    ("rulesets/Berlin/c1", {"outbound_endpoints": ["r1/out"]}),
    ("rulesets/Berlin/c1/links/k1", {"virtual_network": "n1"}),
    ("rulesets/Berlin/c1/rules/a", {"domain": "x.corp.", "targets": [{"address": "127.0.0.5"}]}),
    ("virtual_networks/munich/n1", {"address_space": ["10.37.0.0/16"], "client_prefixes": ["127.1.7.0/24"]}),
    ("private_zones/Berlin/z1.internal", {}),
    ("private_zones/Berlin/z1.internal/links/l1", {"virtual_network": "n2"}),
    ("rulesets/munich/c1", {}),
    ("rulesets/munich/c1/links/k1", {"virtual_network": "n1"})]
KEPT = ("listen", "source", "client_prefixes", "address")  # without these there is nothing to ask, or to bind
USUAL = {"region": plain.REGION, "ttl": 3600, "state": "Enabled", "allocation": "dynamic",
         "encryption": False, "registration": False, "resolution_policy": "Default", "primary": False}
GROUPS = ["-", "-", "Berlin", "munich"]
NETWORKS = ["n1", "n2", "n3"]
PLACES = ["-", "berlin", "munich"]
ZONES = ["z1.internal", "sub.z1.internal", "privatelink.pl.internal", "open.internal"]
DOMAINS = ["x.corp.", "y.x.corp.", "z.corp.", "z1.internal.", "v.corp.", "u.corp.", "t.corp."]
OWNERS = ["@", "a", "b", "a.b", "*", "*.a"]
DATA = {"a": ["10.0.0.1", "10.0.0.2", "10.0.0.3"], "txt": ['"x"', '"y"'],
        "cname": ["a", "b.z1.internal.", "q.x.corp."], "aaaa": ["2001:db8::1", "2001:db8::2"]}
INNER = {"virtual_networks": ["subnets", "peerings"], "private_endpoints": ["zone_groups"],
         "resolvers": ["inbound_endpoints", "outbound_endpoints"],
         "private_zones": ["links", "record_sets"], "rulesets": ["links", "target_groups", "rules"]}


def covers(shown, given):
    """Whether what is shown says all that was given."""
    if isinstance(given, dict):
        return isinstance(shown, dict) and all(covers(shown.get(key), value) for key, value in given.items())
    if isinstance(given, list):
        return isinstance(shown, list) and len(shown) == len(given) and all(map(covers, shown, given))
    return shown == given


def number_of(path):
    """Of a network: each name in each group has one of its own, by which its addresses are others."""
    group = group_in(path).lower()
    return 3 * PLACES.index(group if group in PLACES else "-") + int(name_of(path)[1])


def source_of(network):
    """Of a machine in the network of these values. One that Azure's API made has no client_prefixes."""
    own = network.get("client_prefixes")
    return own[0].replace(".0/24", ".1") if own else network["address_space"][0].replace(".0.0/16", ".9.9")


def said(value):
    """Without what would be the same if nobody said it."""
    if isinstance(value, list):
        return [said(item) for item in value]
    if isinstance(value, dict):
        return {key: said(item) for key, item in value.items() if item not in ([], {}, USUAL.get(key))}
    return value


class Draw:
    """What the next call is about: values that fit, and some that do not."""

    def __init__(self, chance, world):
        self.chance, self.world, self.secret = chance, world, world.secret

    def known(self, kind, *names):
        """One of the names; most often of something that is there."""
        there = [name for name in names if self.world.model.called(kind, name)]
        return self.chance.choice(there if there and not self.rarely(0.1) else names)

    def one(self, *items):
        return self.chance.choice(items)

    def rarely(self, share=0.05):
        return self.chance.random() < share

    def at(self, kind, name, elsewhere=0.1):
        """The path of what has the name; most often in a group that it is in."""
        there = self.world.model.called(kind, name)
        group = self.world.model.spelled(self.one(*there)) if there else None
        if group is None or self.rarely(elsewhere):
            group = self.one(*GROUPS)
        return "%s/%s/%s" % (kind, self.spelled(group), name)

    def spelled(self, group):
        if self.rarely(0.1):
            return "*"
        return self.one(group.upper(), group.title()) if self.rarely(0.1) else group

    def network(self):
        return "none" if self.rarely(0.03) else self.refer("virtual_networks", self.known("virtual_networks", *NETWORKS, "filed"))

    def refer(self, kind, name):
        """By the name, or with a group; most often with the right one."""
        if self.rarely(0.5):
            return name
        there = [group_in(path) for path in self.world.model.called(kind, name)]
        return "%s/%s" % (self.one(*GROUPS) if not there or self.rarely() else self.one(*there), name)

    def edit(self):
        """(path, values)"""
        kinds = [("virtual_networks", 7), ("subnets", 8), ("resolvers", 5), ("inbound_endpoints", 5),
                 ("outbound_endpoints", 5), ("private_zones", 5), ("zone_links", 8), ("record_sets", 14),
                 ("rulesets", 5), ("ruleset_links", 8), ("target_groups", 5), ("rules", 14), ("address_pools", 3),
                 ("keys", 3), ("transfers", 3), ("clients", 3), ("addresses", 10), ("services", 4), ("ptrs", 6),
                 ("groups", 6), ("peerings", 2), ("network_interfaces", 6), ("private_endpoints", 4),
                 ("zone_groups", 4)]
        kind = self.chance.choices([k for k, _ in kinds], [w for _, w in kinds])[0]
        path, values = getattr(self, kind)()
        if is_top(path) and not is_owned(path) and self.rarely(0.07):
            values["resource_group"] = self.one(path.split("/")[1].upper(), "Berlin", None)
        return path, values

    def move(self):
        """Edits that put what is at the top into another group with all that is inside it."""
        stored = self.world.model.stored
        path = self.one(*sorted(filter(is_top, stored)))
        to = "%s/%s/%s" % (kind_of(path)[0], self.one(*GROUPS), name_of(path))
        made = [(to, {key: value for key, value in stored[path].items() if key != "resource_group"})]
        made += [(to + inside[len(path):], stored[inside]) for inside in sorted(stored)
                 if inside.startswith(path + "/") and not self.rarely()]
        return [(path, None)] + made if self.rarely(0.5) else made + [(path, None)]

    # ---- of the model ----

    def virtual_networks(self):
        name = self.one(*NETWORKS, *NETWORKS, *NETWORKS, "filed")
        path = self.at("virtual_networks", name, 0.3)
        number = str(number_of(path)) if name in NETWORKS else "88"
        values = {"address_space": ["10.%d.0.0/16" % (30 + int(number))], "client_prefixes": ["127.1.%s.0/24" % number]}
        if self.rarely():
            values["address_space"] = [self.one("10.31.0.0/16", "127.0.0.0/8")]
        values = self.kept(values)
        if self.rarely(0.15):
            values["dns_servers"] = ["127.0.0.7:53"]
        if self.rarely():
            values["encryption"] = True
        if self.rarely():
            values["region"] = "northeurope"
        return path, values

    def subnets(self):
        path = self.at("virtual_networks", self.known("virtual_networks", *NETWORKS))
        number = number_of(path) if not self.rarely() else 19
        values = {"prefix": "10.%d.0.%s" % (30 + number, self.one("0/28", "16/28", "32/28", "0/27"))}
        if not self.rarely(0.1):
            values["delegation"] = DELEGATION
        if self.rarely(0.3):
            return path + "/subnets/apps", {"prefix": "10.%d.1.0/28" % (30 + number)}
        return "%s/subnets/%s" % (path, self.one("s1", "s2", "s3")), values

    def kept(self, values):
        """With what Azure's clients keep, perhaps."""
        for key in ("tags", "azure"):
            if self.rarely(0.2):
                values[key] = self.one({"a": "1"}, {"x=y": "{}", "B": "[1]"})
        return values

    def peerings(self):
        values = self.kept({})
        values.pop("tags", None)
        network = self.at("virtual_networks", self.known("virtual_networks", *NETWORKS))
        return "%s/peerings/%s" % (network, self.one("p1", "p.2")), values

    def apps(self):
        """(the path of a network that most often has a subnet for machines, a reference to that)"""
        having = [path for path in sorted(self.world.model.stored) if path.endswith("/subnets/apps")]
        if not having or self.rarely():
            return "virtual_networks/-/n1", "%s/%s" % (self.network(), self.one("apps", "s1", "none"))
        network = plain.parent_of(self.one(*having))
        group = "" if self.rarely(0.3) else self.world.model.spelled(network) + "/"
        return network, "%s%s/apps" % (group, name_of(network))

    def network_interfaces(self):
        configurations, network, text = [], *self.apps()
        for name in self.one(["one"], ["one"], ["one", "two"]):
            if self.rarely(0.03):
                network, text = self.apps()
            number = self.one(*range(4, 15)) if not self.rarely(0.1) else self.one(0, 3, 15, 16)
            configurations.append({"name": name, "subnet": text, "address": "10.%d.1.%d" % (30 + number_of(network), number)})
            if self.rarely(0.2):
                configurations[-1]["primary"] = True
        values = self.kept({"ip_configurations": [] if self.rarely(0.03) else configurations})
        if self.rarely():
            values["region"] = "northeurope"
        made = [bare(name) for name in self.world.model.items("network_interfaces") if ".nic." in name]
        return self.at("network_interfaces", self.one("i1", "i2", "i3", *made[:1]), 0.3), values

    def private_endpoints(self):
        values = self.kept({"subnet": self.apps()[1]})
        if self.rarely():
            values["region"] = "northeurope"
        return self.at("private_endpoints", self.one("e1", "e2"), 0.3), values

    def zone_groups(self):
        zones = [{"name": "z%d" % at, "zone": self.refer("private_zones", self.known("private_zones", *ZONES, "filed.internal"))}
                 for at in range(self.one(1, 1, 2))]
        endpoint = self.at("private_endpoints", self.known("private_endpoints", "e1", "e2"))
        return "%s/zone_groups/%s" % (endpoint, self.one("d", "d2")), {"zones": [] if self.rarely() else zones}

    def resolvers(self):
        values = {"virtual_network": self.network()}
        if self.rarely():
            values["region"] = "northeurope"
        return self.at("resolvers", self.one("r1", "r2", "r3", "r4"), 0.3), values

    def resolver(self):
        return self.at("resolvers", self.known("resolvers", "r1", "r2", "r3"))

    def end(self, values, share):
        if self.rarely(share):
            values["subnet"] = self.one("s1", "s2", "s3")
        return values

    def inbound_endpoints(self):
        values = self.end({"listen": "127.0.1.%d:53" % self.chance.randint(1, 5)}, 0.6)
        if self.rarely(0.15):
            values["allocation"] = "static"
            if not self.rarely(0.2):
                values["address"] = "10.3%d.0.%d" % (self.chance.randint(1, 9), self.one(5, 6, 17, 22, 38))
        return "%s/inbound_endpoints/%s" % (self.resolver(), self.one("in", "in2")), values

    def outbound_endpoints(self):
        values = self.end({"source": "127.0.0.1"}, 0.5)
        return "%s/outbound_endpoints/%s" % (self.resolver(), self.one("out", "out2")), values

    def private_zones(self):
        names = ["azure.com", "single"] if self.rarely() else [*ZONES, "more.internal", "filed.internal"]
        name = self.one(*names)
        return self.at("private_zones", name, 0.3), {"file": "/etc/shadow"} if self.rarely() else {}

    def zone_links(self):
        values = {"virtual_network": self.network()}
        if self.rarely(0.1):
            values["registration"] = True
        if self.rarely(0.2):
            values["resolution_policy"] = self.one("NxDomainRedirect", "NxDomainFallthrough", "NxDomainFallthrough")
        zone = self.known("private_zones", *ZONES, "filed.internal")
        return "%s/links/%s" % (self.at("private_zones", zone), self.one("l1", "l2", "l3", "l4")), values

    def record_sets(self):
        kind = self.one(*DATA)
        values = {"records": self.chance.sample(DATA[kind], self.one(1, 1, 1, 2))}
        if self.rarely(0.3):
            values["ttl"] = self.one(60, 300)
        if kind == "a" and self.rarely():
            values["records"] = self.one(DATA["a"], ["10.0.0.256"], [])
        zone = "filed.internal" if self.rarely() else self.known("private_zones", *ZONES)
        return "%s/record_sets/%s:%s" % (self.at("private_zones", zone), self.one(*OWNERS), kind), values

    def rulesets(self):
        there = [self.one(name, bare(name)) + "/out" for name in self.world.model.items("resolvers")
                 if "out" in self.world.model.items("outbound_endpoints", self.world.model.at("resolvers", name))]
        ends = self.chance.sample(there, self.one(*range(len(there) + 1)))
        if self.rarely():
            ends = self.one(["none/out"], ["r2/out"], ["r1/out", "r1/out"])
        values = {"outbound_endpoints": ends}
        if self.rarely():
            values["region"] = "northeurope"
        return self.at("rulesets", self.one("c1", "c2", "c3", "fixed"), 0.3), values

    def ruleset(self):
        return self.at("rulesets", self.known("rulesets", "c1", "c2", "c3", "fixed"))

    def ruleset_links(self):
        return "%s/links/%s" % (self.ruleset(), self.one("k1", "k2", "k3", "k4")), {"virtual_network": self.network()}

    def targets(self):
        first = "168.63.129.16" if self.rarely(0.03) else self.one(plain.TARGET, plain.OTHER)
        more = [plain.TARGET, plain.CUSTOM][:self.one(0, 0, 0, 1, 2)] if self.rarely(0.3) else []
        return [{"address": address} for address in [first] + more]

    def target_groups(self):
        return "%s/target_groups/%s" % (self.ruleset(), self.one("t1", "t2")), {
            "targets": [] if self.rarely() else self.targets()}

    def rules(self):
        values = {"domain": self.one(*DOMAINS), "state": self.one("Enabled", "Enabled", "Disabled")}
        if not self.rarely(0.3):
            values["targets"] = self.targets()
        if self.rarely(0.3):
            values["target_group"] = self.one("t1", "T2")
        if self.rarely(0.3):
            values["description"] = self.one("one", "two")
        if self.rarely(0.04):
            values = self.one(dict(values, domain=7), dict(values, domian="x."))
        return "%s/rules/%s" % (self.ruleset(), self.one("a", "b", "c", "d", "e", "f", "g")), values

    def address_pools(self):
        return self.at("address_pools", self.one("p1", "p2", "own"), 0.3), {
            "prefix": self.one("203.0.113.0/24", "192.0.2.0/24", "203.0.0.0/16" if self.rarely() else "192.0.2.0/24")}

    def keys(self):
        values = {"secret_file": self.secret + (".none" if self.rarely(0.1) else "")}
        return self.at("keys", self.one("h1", "h2", "filed")), {} if self.rarely() else values

    def transfers(self):
        zones = [self.known("private_zones", *ZONES, "filed.internal") for _ in range(self.one(1, 1, 2))]
        values = {"zones": [self.refer("private_zones", zone) for zone in zones]}
        if not self.rarely(0.2):
            values["key"] = self.known("keys", "h1", "h2", "filed")
        if self.rarely(0.5):
            values["allow"] = ["192.0.2.0/24"]
        return self.at("transfers", self.one("x1", "x2"), 0.3), values

    def clients(self):
        digest = hashlib.sha256(self.one(b"1", b"2", b"3", b"4").zfill(20)).hexdigest()
        values = {"secret_sha256": digest, "role": self.one("reader", "admin")}
        return self.at("clients", self.one("ops", "eye", "ci")), {"role": "admin"} if self.rarely() else values

    # ---- what is ours ----

    def name(self):
        return self.one("one.example.", "two.example.", "w1.cloudapp.net.")

    def addresses(self):
        values = {"address": self.one(*["198.51.100.%d" % n for n in range(20, 26)], "203.0.113.5", "192.0.2.7",
                                      "10.31.7.7", "10.31.0.20", "10.20.7.7",
                                      "8.8.8.8" if self.rarely(0.3) else "10.32.7.7")}
        if self.rarely(0.5):
            values["domain_name_label"] = "X" if self.rarely() else self.one("front", "back", "side", "open")
        if self.rarely(0.6):
            values["reverse_fqdn"] = self.name()
        if self.rarely(0.3):
            values["ttl"] = self.one(60, 90)
        if self.rarely(0.3):
            values["tags"] = {"a": self.one("1", "2")}
        if self.rarely():
            filed = "addresses/office/" + self.one("filed", "open")
            if self.rarely(0.5):  # nothing but its PTR, or not even this
                values = dict(DECLARED_OWNED[filed], **{key: values[key] for key in plain.PTR if key in values})
            return filed, values
        return "addresses/%s/%s" % (self.one("-", "Berlin", "munich", "BERLIN"), self.one("a1", "a2", "a3")), values

    def services(self):
        name = self.one("w1", "w2")
        values = {"address": self.one("198.51.100.30", "198.51.100.31", "8.8.8.8")}
        if self.rarely(0.5):
            values["reverse_fqdn"] = "%s.%s" % (name, plain.SERVICE_SUFFIX)
        return "services/-/" + name, values

    def ptrs(self):
        values = {"reverse_fqdn": None if self.rarely(0.2) else self.name()}
        if self.rarely(0.3):
            values["ttl"] = self.one(60, 90)
        return "ptrs/" + self.one(*["198.51.100.%d" % n for n in (10, 11, 11, 20, 21, 22, 23, 30)], "10.31.7.7",
                                  "203.0.113.5"), values

    def groups(self):
        return "groups/-/" + self.one("berlin", "munich", "empty", "office"), {
            "region": plain.REGION, "tags": self.one({}, {"a": "1"}, {"b": "2"})}


class World(test_resources.World):
    def build(self, world):
        self.host = world.host("cloud", "10.10.0.4")
        for number in (*range(30, 40), 118):  # each address of a network is one of this machine
            harness.sh("ip", "-n", self.host.name, "addr", "add", "10.%d.200.1/16" % number, "dev", "lo")
        self.secret = world.secret("some.secret", test_resources.SECRET)
        world.write("filed.zone", "web 300 IN A 10.10.1.10\n")
        harness.Process(self.host, "whoami", [sys.executable, test_differential.WHOAMI, "53"] + UPSTREAMS).wait_ready(
            (UPSTREAMS[0], 53))
        self.has_open, self.fixed_in = True, "-"
        self.model = plain.Model(self.secret, {}, DECLARED_OWNED)
        self.declare()
        self.start()
        for path, values in BEGIN:
            self.good("PUT", path, values)
            path, values = self.model.written(path, values)
            self.model.edit(path, values)
            self.model.refer(path)

    def declare(self, network=""):
        fixed = "rulesets/%s/fixed" % str(self.fixed_in).lower()
        group = {} if self.fixed_in in ("-", None) else {"resource_group": self.fixed_in}
        self.model.declared = dict(
            DECLARED, **DECLARED_OPEN if self.has_open else {},
            **{fixed: group, fixed + "/links/k1": {"virtual_network": "filed"}} if self.fixed_in else {})
        return CONFIG % (" ".join("%s = %d;" % limit for limit in plain.LIMITS.items()), network,
                         OPEN_ZONE if self.has_open else "",
                         FIXED % "".join('%s = "%s"; ' % one for one in group.items()) if self.fixed_in else "")

    def start(self):
        self.config, self.filed = "%s", self.declare()
        super().start()


class Random(World):
    def test_random_calls_come_to_what_a_plain_model_says(self):
        print("# STEPS=%d" % STEPS, flush=True)
        self.chance = random.Random(SEED)
        self.draw = Draw(self.chance, self)
        self.stale, self.past, self.asked = {}, [], 0
        self.done = {"made": 0, "refused": 0, "twins": 0}
        steps = [(self.step_single, 45), (self.step_arm, 20), (self.step_many, 24), (self.step_undo, 5),
                 (self.step_rehearse, 4), (self.step_two_writers, 3), (self.step_send_back, 3),
                 (self.step_confirm, 1.5), (self.step_file, 2.5), (self.step_apply, 2), (self.step_kill, 1)]
        for self.number in range(STEPS):
            step = self.chance.choices([s for s, _ in steps], [w for _, w in steps])[0]
            try:
                step()
                if self.number % 25 == 24 or self.number == STEPS - 1:
                    self.compare()
                    self.send_back_by_arm()
                if self.number % 125 == 124:
                    self.check_export()
            except Exception:
                print("# step %d of seed %d, %s: %s" % (self.number, SEED, step.__name__, json.dumps(
                    [self.last, self.model.stored, self.model.owned], sort_keys=True)), flush=True)
                print("# the log ends:\n" + re.sub("(?m)^", "#     ", self.sluice.log()[-2500:]), flush=True)
                raise
        self.sluice.kill()
        self.start()
        self.compare()
        print("# %(made)d made, %(refused)d refused, %(twins)d beside two of one name" % self.done,
              "and %d questions" % self.asked, flush=True)
        self.assertGreater(self.done["made"], STEPS // 5)
        self.assertGreater(self.done["refused"], STEPS // 5)
        self.assertGreater(self.done["twins"], STEPS // 10)

    # ---- what the model expects ----

    def outcome(self, model, edits, bulk=True, stale=()):
        """Edits the model; raises Refused, and leaves it half done then. `stale`: edits whose etag is
        another one."""
        before, given, edits, refusals = model.copy(), edits, [], []
        for place, edit in enumerate(given):
            try:
                edits.append(self.model.written(*edit))
                if place in stale:
                    raise Refused(412, "precondition_failed", may=["it has changed since you read it",
                                                                   "If-Match wants it to be there",
                                                                   "there is one already"])
                self.refuse_unread(*edits[-1])
            except Refused as refused:
                refusals.append(refused)
        self.raise_first(refusals)
        parts = [edit for edit in edits if not is_owned(edit[0])]
        owned = [edit for edit in edits if is_owned(edit[0])]
        for path, values in parts:
            model.edit(path, values, bulk == "again")
        if parts:
            model.faults(parts, before)
        # A PTR is told by its owner's id, which another of the same name does not have.
        owners = {path: model.by_address(path[5:]) for path, _ in owned if path.startswith("ptrs/")}
        gone = set()
        for path, values in owned:
            owner, kept = owners.get(path), dict(model.owned)
            try:
                model.edit_owned(path, values, bulk, "gone" if owner in gone else owner)
            except Refused as refused:
                model.owned = kept
                refusals.append(refused)
                continue
            if values is None:
                gone.add(path)
        self.raise_first(refusals)

    @staticmethod
    def raise_first(refusals):
        """The answer to several edits has the first one's status and code, and all their faults."""
        if refusals:
            for other in refusals[1:]:
                refusals[0].words += other.words
                refusals[0].may += other.may
            raise refusals[0]

    def refuse_unread(self, path, values):
        """What is refused of an edit whatever else there is."""
        if path in self.model.declared:
            raise Refused(409, "read_only", ["it is declared at"])
        zone = plain.parent_of(path)
        if kind_of(path)[1] == "record_sets" and "file" in self.model.declared.get(zone, {}) and not (
                values is None and path in self.model.stored):
            raise Refused(409, "read_only", ["the records of this zone are those of its file"])
        if is_top(path) and not is_owned(path) and values is not None:
            group = group_in(path)
            if "resource_group" in values if group == "-" else str(values["resource_group"]).lower() != group:
                raise Refused(400, "invalid", ["a resource stays in its group"])

    def expect(self, answer, refused):
        """The answer to a change is that refusal."""
        self.done["refused"] += 1
        self.is_refused(answer, refused)

    def is_refused(self, answer, refused):
        """The answer is that refusal, in its words."""
        self.assertGreater(answer.status, 399, "%s, and not %r" % (answer, refused))
        self.assertEqual((refused.status, refused.code), (answer.status, answer.body["error"]["code"]),
                         "%s, and not %r" % (answer, refused))
        error = answer.body["error"]
        told = [fault["text"] for fault in error.get("faults", []) if fault["severity"] == "error"]
        # A group has had several spellings, one of which a reference keeps.
        told = [text.lower() for text in told or [error["message"]]]
        words, may = ([word.lower() for word in some] for some in (refused.words, refused.may))
        for word in words:
            self.assertTrue(any(word in text for text in told), "%r is not in %s" % (word, told))
        if words and refused.code == "invalid":
            for text in told:
                self.assertTrue(any(word in text for word in words + may), "%r is none of %s" % (text, words + may))

    def settle(self, answer, edits, bulk=True, stale=()):
        """The answer to these edits is what the model says; true: they were made."""
        after = self.model.copy()
        try:
            self.outcome(after, edits, bulk, stale)
        except Refused as refused:
            self.expect(answer, refused)
            return False
        self.assertLess(answer.status, 300, answer)
        self.made(after)
        return True

    def made(self, after):
        changed = [path for path in sorted(set(self.model.stored) | set(after.stored))
                   if self.model.stored.get(path) != after.stored.get(path)]
        owned = [path for path in sorted(set(self.model.owned) | set(after.owned))
                 if self.model.owned.get(path) != after.owned.get(path)]
        before, self.model = self.model, after
        self.done["made"] += 1
        names = [(kind, bare(full)) for kind in NAMED for full in after.items(kind)]
        self.done["twins"] += len(set(names)) < len(names)
        last = self.past[-1][0] if self.past else 0
        page = self.good("GET", "changes?limit=5000&after=%d" % last).body["changes"]
        if page:
            self.past.append((page[-1]["revision"], before))
            self.past = self.past[-8:]
            told = {c["path"].lower(): c["after"] for c in page}
            for path in changed:
                now = plain.in_full(path, after.stored.get(path))
                self.assertTrue(path in told and covers(plain.in_full(path, told[path]), now),
                                (path, told, now))
        self.ask_some(changed + owned)

    # ---- the wire and explain ----

    def names(self, path):
        """Names that the path may have to do with."""
        kind, child = kind_of(path)
        if kind == "private_zones":
            zone = path.split("/")[2]
            owner = name_of(path).rsplit(":", 1)[0] if child == "record_sets" else self.chance.choice(OWNERS)
            return ["%s%s." % ("" if owner == "@" else owner.replace("*", "any") + ".", zone)]
        if kind in ("addresses", "services", "ptrs"):
            values = self.model.owners().get(path, {"address": path[5:] if kind == "ptrs" else "198.51.100.20"})
            names = [plain.ipaddress.ip_address(values["address"]).reverse_pointer + "."]
            return names + [name for name in [self.model.fqdn(path, values)] if name]
        return ["%08x.%s" % (self.chance.getrandbits(32), self.chance.choice(DOMAINS))]

    def ask_some(self, paths):
        for path in self.chance.sample(paths, min(2, len(paths))):
            for name in self.names(path):
                network = self.chance.choice(list(self.model.items("virtual_networks")))
                self.ask_one(network, name)

    def ask_one(self, network, name):
        rtype = "PTR" if name.endswith(".arpa.") else self.chance.choice(["A", "A", "A", "TXT", "CNAME"])
        self.asked += 1
        said = "%s %s from %s" % (name, rtype, network)
        block = self.good("GET", "explain?vnet=%s&type=%s&name=%s" % (network, rtype, name)).body
        message = self.host.ask(VNET, name, rtype, source=source_of(self.model.items("virtual_networks")[network]))
        self.assertIsNotNone(message, said)
        wanted = self.model.answer(network, name, rtype)
        got = message.rcode, sorted(message.texts())
        explained = test_differential.expected(block, rtype)
        if wanted is None:
            return
        said = "%s: explain %s" % (said, json.dumps(block))
        self.assertEqual((wanted[0], sorted(wanted[1])), got, said)
        self.assertEqual((wanted[0], sorted(text.lower() for text in wanted[1])),
                         (explained[0], sorted(text for _, _, text in explained[1])), said)

    # ---- steps ----

    def url(self, path):
        """Of a single call: services and PTRs have no group."""
        return path.replace("services/-/", "services/") if path.startswith("services/") else path

    def step_single(self):
        path, values = self.draw.edit()
        method = self.chance.choices(["PUT", "PATCH", "DELETE"], [6, 2, 3])[0]
        if method == "DELETE":
            values = None
        elif method == "PATCH" and values:
            values = {key: None if self.draw.rarely(0.1) and key not in KEPT else value
                      for key, value in values.items() if self.draw.rarely(0.5)} or values
        headers, stands = self.condition(path)
        self.last = [method, path, values, headers]
        answer = self.call(method, self.url(path), values, **headers)
        self.single(answer, method, path, values, stands)

    def there(self, path):
        """Whether a GET shows it as something that somebody named."""
        if path.startswith("ptrs/"):
            return self.model.by_address(path[5:])
        if path.startswith("groups/"):
            return self.model.group(name_of(path)) is not None
        if is_owned(path):
            return path in self.model.owners()
        return self.model.there(path)

    def single(self, answer, method, path, values, stands):
        try:
            at, given = self.model.written(path, values)
        except Refused as refused:  # the name is of several
            return self.expect(answer, refused)
        there = self.there(at)
        if not there and self.model.is_in_another(at) and (method != "PUT" or not is_top(at)) and not is_owned(at):
            return self.expect(answer, Refused(404, "not_found", ["here; "]))
        if not there and method != "PUT" or path.startswith("ptrs/") and not there:
            made = self.is_made(answer)
            return self.expect(answer, Refused(409, "read_only") if made else Refused(404, "not_found"))
        if is_owned(path):
            after = self.model.copy()
            try:
                self.owned_single(after, method, at, values, stands)
            except Refused as refused:
                return self.expect(answer, refused)
            self.assertLess(answer.status, 300, answer)
            return self.made(after)
        if not stands:
            return self.expect(answer, Refused(412, "precondition_failed"))
        if method == "PATCH" and at in self.model.stored:
            try:
                self.refuse_unread(at, given)
            except Refused as refused:
                return self.expect(answer, refused)
            path, values = at, plain.merged(self.model.stored[at], values)
        return self.settle(answer, [(path, values)], False)

    def is_made(self, answer):
        return answer.status == 409 and "nobody named it" in answer.body["error"]["message"]

    def owned_single(self, after, method, path, values, stands):
        if not stands:
            raise Refused(412, "precondition_failed")
        if method == "PATCH" and path.startswith("groups/"):
            now = self.model.group(name_of(path))
            values = dict({"region": now["region"], "tags": now["tags"]}, **values)
        elif method == "PATCH" and not path.startswith("ptrs/"):
            removed = {key: None for key, value in values.items() if value is None}
            values = dict(plain.patched(self.model.owners()[path], values), **removed)
        elif method == "PATCH":
            now = self.model.owners()[self.model.by_address(path[5:])]
            now = {key: now.get(key) for key in ("reverse_fqdn", "ttl") if now.get(key) is not None}
            values = dict({"reverse_fqdn": None}, **plain.patched(now, values))
        after.edit_owned(path, values, False)

    def condition(self, path):
        """Headers, and whether they hold."""
        if path.startswith("ptrs/") or not self.draw.rarely(0.35):
            return {}, True
        shown = self.call("GET", self.url(path))
        there = shown.status == 200 and "made" not in shown.body
        if shown.status == 400:  # the name is of several
            return {}, True
        stale = self.stale.setdefault(self.model.written(path, None)[0], [])
        which = self.draw.one("right", "right", "stale", "*", "none")
        if there:
            stale.append(shown.etag)
        if which == "right" and there:
            return {"If-Match": shown.etag}, True
        if which == "stale" and stale:
            # The second half is of what comes about by itself.
            old = self.chance.choice(stale)
            return {"If-Match": old}, there and old.split("-")[0] == shown.etag.split("-")[0]
        if which == "*":
            return {"If-Match": "*"}, there
        if which == "none":
            return {"If-None-Match": "*"}, not there
        return {}, True

    def some_edits(self):
        owned, edits = self.draw.one(0, 0.5, 1), []  # of one sort, or of both
        if self.draw.rarely(0.15):
            return self.draw.move()
        while len(edits) < self.draw.one(2, 3, 5, 8):
            path, values = self.draw.edit()
            if is_owned(path) != self.draw.rarely(owned) or path.startswith("ptrs/") and path not in self.ids():
                continue
            edits.append((path, None if self.draw.rarely(0.2) else values))
        return edits

    def ids(self):
        rows = self.good("GET", "ptrs?limit=1000").body["ptrs"]
        return {"ptrs/" + row["address"]: "ptrs/" + row["id"].rsplit(":", 1)[-1] for row in rows}

    def body(self, edits):
        ids = self.ids() if any(path.startswith("ptrs/") for path, _ in edits) else {}
        self.last = [[path, values] for path, values in edits]
        return {"edits": [{"path": ids.get(path, path), "values": values} for path, values in edits]}

    def step_many(self):
        edits = self.some_edits()
        body, stale = self.body(edits), set()
        for place, (path, _) in enumerate(edits):
            if path.startswith("ptrs/") or not self.draw.rarely(0.1):
                continue
            headers, stands = self.condition(path)
            if headers:
                body["edits"][place]["etag"] = headers.get("If-Match", "")
            if not stands:
                stale.add(place)
        self.settle(self.call("POST", "changes", body), edits, True, stale)

    def step_rehearse(self):
        edits = self.some_edits()
        before = self.good("GET", "changes").etag
        answer = self.call("POST", "changes?dry_run", self.body(edits))
        try:
            self.outcome(self.model.copy(), edits)
            self.assertEqual((200, True), (answer.status, answer.body.get("dry_run")), answer)
        except Refused as refused:
            self.expect(answer, refused)
        self.assertEqual(before, self.good("GET", "changes").etag)

    def step_two_writers(self):
        paths = [path for path in self.model.stored if kind_of(path)[1] == "rules" and not self.model.is_orphan(path)]
        if not paths:
            return
        path, answers = self.chance.choice(sorted(paths)), {}
        etag = self.good("GET", path).etag
        self.last = ["two writers", path]

        says = {word: "%s %d" % (word, self.number) for word in ("left", "right")}  # a change, whoever wins

        def write(word):
            if word == "left":
                answers[word] = self.call("PATCH", path, {"description": says[word]}, **{"If-Match": etag})
            else:
                values = dict(self.model.stored[path], description=says[word])
                answers[word] = self.call("POST", "changes", {"edits": [
                    {"path": path, "values": values, "etag": etag}]})
        threads = [threading.Thread(target=write, args=(word,)) for word in says]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual([200, 412], sorted(answer.status for answer in answers.values()), answers)
        winner = next(word for word, answer in answers.items() if answer.status == 200)
        after = self.model.copy()
        after.stored[path] = dict(after.stored[path], description=says[winner])
        self.made(after)

    def step_send_back(self):
        """What was read may be sent as it is, and changes nothing."""
        paths = [path for path in self.model.stored if not self.model.is_orphan(path)]
        paths += [path for path in self.model.owned if path.startswith(("addresses/", "services/"))
                  and self.model.is_ours(self.model.owned[path]["address"])]
        path = self.chance.choice(sorted(paths))
        if path.startswith(("virtual_networks/", "resolvers/")) and not is_top(path):
            path = path.upper().replace("VIRTUAL_NETWORKS", "virtual_networks")
        shown = self.good("GET", self.url(path))
        self.last = ["send back", path, shown.body]
        again = self.good("PUT", self.url(path), shown.body, 200, **{"If-Match": shown.etag})
        told = ("etag", "warnings", "status", "action", "reason")
        self.assertEqual({key: value for key, value in shown.body.items() if key not in told},
                         {key: value for key, value in again.body.items() if key not in told})
        self.made(self.model.copy())

    # ---- by Azure's API ----

    def arm(self, method, url, body=None, **headers):
        with contextlib.closing(harness.UnixConnection(self.sluice.socket)) as connection:
            if body is not None:
                headers["Content-Type"], body = "application/json", json.dumps(body)
            connection.request(method, url + "?api-version=2022-07-01", body, headers)
            return test_resources.Answer(connection.getresponse())

    def step_arm(self):
        path, values = self.draw.edit()
        while not plain_arm.has_type(path):
            path, values = self.draw.edit()
        method = self.chance.choices(["PUT", "PATCH", "DELETE"], [6, 2, 2])[0]
        try:
            request = plain_arm.Request(self.draw, method, path, values)
        except Refused:  # the name is of several
            return
        headers, stands = self.arm_condition(request.url)
        self.last = [method, request.url, request.body, headers]
        before, after = self.good("GET", "changes").etag, self.model.copy()
        answer = self.arm(method, request.url, request.body, **headers)
        try:
            if not stands:
                raise Refused(412)
            edits = request.edits(answer)
            if edits and answer.status < 300 and method != "DELETE":
                edits = self.grouped(edits, answer)
            self.outcome(after, edits, False)
        except Refused as refused:
            self.assertIn(answer.status // 100, [4], "%s, and not %r" % (answer, refused))
            self.assertEqual(before, self.good("GET", "changes").etag)
            self.done["refused"] += 1
            return
        self.last.append(edits)
        self.assertLess(answer.status, 300, answer)
        if method != "DELETE":
            told, sent = (json.loads(json.dumps(each).lower()) for each in (answer.body, request.body))
            self.assertTrue(covers(told, sent), (told, sent))
        self.made(after)

    def grouped(self, edits, answer):
        """The edits with the group as the answer spells it, because a new resource is in the group as that was made."""
        path, values = edits[0]
        kind, group, *rest = path.split("/")
        spelled = answer.body["id"].split("/")[4]
        if not is_top(path) or is_owned(path) or group == "-":
            return edits
        self.assertEqual(group.lower(), spelled.lower())
        return [["/".join([kind, spelled] + rest), values]] + edits[1:]

    def arm_condition(self, url):
        """Headers, and whether they hold."""
        shown = self.arm("GET", url) if self.draw.rarely(0.2) else None
        if not shown:
            return {}, True
        there, etag = shown.status == 200, self.draw.one("*", "right", "stale")
        etag = shown.body["etag"] if there and etag == "right" else etag
        if self.draw.rarely(0.2):
            return {"If-None-Match": etag}, not there or etag == "stale"
        return {"If-Match": etag}, there and etag != "stale"

    def send_back_by_arm(self):
        """What Azure's API shows may be sent as it is, and changes nothing."""
        model = self.model
        paths = [path for path in [*model.declared, *model.stored, *model.owners()]
                 if plain_arm.has_type(path) and not model.is_orphan(path) and not plain_arm.lacks_records(model, path)]
        before = self.good("GET", "changes").etag
        for path in self.chance.sample(sorted(paths), min(8, len(paths))):
            url = plain_arm.url_of(path)
            shown = self.arm("GET", url)
            self.last = ["send back", url, shown.body]
            again = self.arm("PUT", url, shown.body)
            self.assertEqual((200, 200, shown.body), (shown.status, again.status, again.body))
        self.assertEqual(before, self.good("GET", "changes").etag)

    def step_kill(self):
        self.last = ["kill"]
        self.sluice.kill()
        self.start()
        self.compare()

    def step_confirm(self):
        """A change that is not confirmed goes back, also by a kill."""
        edits = self.some_edits()
        answer = self.call("POST", "changes?confirm=600", self.body(edits))
        after = self.model.copy()
        try:
            self.outcome(after, edits)
        except Refused as refused:
            return self.expect(answer, refused)
        self.assertEqual(200, answer.status, answer)
        self.assertEqual(409, self.call("PUT", "virtual_networks/-/late", {}).status)
        way = self.draw.one("back", "kill", "confirm")
        if way == "kill":
            self.sluice.kill()
            self.start()
        else:
            self.good("POST", "confirm" + ("?back" if way == "back" else ""))
        if way == "confirm":
            self.made(after)
        else:
            self.past = []
            self.skip_history()
        self.compare()

    def skip_history(self):
        page = self.good("GET", "changes?limit=5000").body["changes"]
        if page:
            self.past = [(page[-1]["revision"], None)]

    def step_undo(self):
        """One of the latest revisions is undone, unless something that it changed is another since."""
        place = self.chance.randrange(max(1, len(self.past) - 4), max(2, len(self.past)))
        if place >= len(self.past) or self.past[place][1] is None:
            return
        revision, before = self.past[place]
        page = self.good("GET", "changes?limit=5000&after=%d" % (revision - 1)).body["changes"]
        changes = [(change["path"].lower(), change) for change in page if change["revision"] == revision]
        self.last = ["undo", revision, [path for path, _ in changes]]
        status, text = self.sluice.command("undo", str(revision))
        if self.is_changed_since(changes, [change for change in page if change["revision"] > revision]):
            self.assertEqual(1, status, text)
            self.assertRegex(text, "was (created|changed|deleted) since, in revision|is again what it was before revision")
            return
        ids = {name_of(path): at for at, path in self.ids().items()}
        edits = []
        for path, _ in reversed(changes):
            if path.startswith("ptrs/"):
                path = ids[name_of(path)]
            source = before.owned if is_owned(path) else before.stored
            edits.append((path, source.get(path)))
        after = self.model.copy()
        try:
            self.outcome(after, edits, "again")
        except Refused as refused:
            self.assertEqual(1, status, "%s; %r" % (text, refused))
            for word in refused.words[:1]:
                self.assertIn(word.lower(), text.lower())
            return
        self.assertEqual(0, status, text)
        self.made(after)

    @staticmethod
    def is_changed_since(changes, later):
        """Whether what a revision left is another now, or something is inside what it made."""
        left = {path: change["after"] for path, change in changes}
        was = {}
        for path, change in changes:
            was.setdefault(path, change["before"])
        latest = {change["path"].lower(): change["after"] for change in later}
        return any(left[path] != now if path in left else
                   now is not None and was.get(plain.parent_of(path), now) is None for path, now in latest.items())

    def step_file(self):
        """The file changes: it declares what the state has, or has a parent no more, or in another group."""
        what = self.draw.one("both", "open", "fixed", "fixed", "same")
        self.last = ["file", what]
        mine = [name_of(path) for path in self.model.stored if path.startswith("virtual_networks/-/") and is_top(path)]
        before = self.has_open, self.fixed_in
        if what == "both" and mine:
            self.sluice.reconfigure(self.declare(', { name = "%s"; address_space = [ "10.77.0.0/16" ]; }' % mine[0]))
            status, text = self.sluice.command("reload")
            self.assertEqual(1, status, text)
            self.assertRegex(text, "is in the state, too|is already the name of")
            self.sluice.reconfigure(self.declare())
            return self.compare()
        if what == "open":
            self.has_open = not self.has_open
        elif what == "fixed":
            self.fixed_in = self.draw.one(*[at for at in ("-", "Berlin", None) if at != self.fixed_in])
        self.last.append([self.has_open, self.fixed_in])
        config = self.declare()
        try:
            self.model.faults()
        except Refused:  # what it comes to is for test_resources
            self.has_open, self.fixed_in = before
            config = self.declare()
        self.sluice.reconfigure(config)
        status, text = self.sluice.command("reload")
        self.assertEqual(0, status, text)
        self.assertEqual(bool(self.model.orphans()), bool(re.search(
            "not in the configuration any more", text)), text)
        self.compare()

    def step_apply(self):
        """What an export has comes back by an apply, in the groups that it was in."""
        before, unserved = self.model, self.unserved()
        status, text = self.sluice.command("export")
        self.assertEqual(0, status, text)
        path = self.world.write("before.conf", text)
        for _ in range(4):
            edits = self.some_edits()
            if self.settle(self.call("POST", "changes", self.body(edits)), edits):
                break
        if before.orphans() != self.model.orphans() or not self.may_apply(before, unserved):
            return
        self.last = ["apply", self.last]
        after = before.copy()
        after.owned = {at: values for at, values in self.model.owned.items()
                       if at.startswith("groups/") and not self.goes(before, at)}
        for at, values in before.owned.items():
            if at.startswith("addresses/"):
                after.ensure_group(group_in(at))
            if not at.startswith("groups/"):
                after.owned[at] = values
        for at, values in self.model.stored.items():
            was = after.stored.get(at)
            if was is not None and said(plain.in_full(at, values)) == said(plain.in_full(at, was)):
                after.stored[at] = values
        status, text = self.sluice.command("apply", "--prune", path)
        self.assertEqual(0, status, text)
        self.made(after)
        self.compare()

    def may_apply(self, before, unserved):
        """Whether nothing that is put back has no pool, or a name that somebody has to be asked for. What had no
        pool is a comment in the export: once it has one the file lacks it, and it is pruned."""
        if set(unserved) - set(self.unserved()):
            return False
        changed = [path for path, values in before.owned.items() if self.model.owned.get(path) != values]
        return not set(changed) & set(unserved) and all(
            before.owned[path].get("reverse_fqdn") in (None, before.fqdn(path, before.owned[path]))
            for path in changed if path.startswith("services/"))

    def goes(self, before, path):
        """Whether an apply of what was before removes the group: the last that it removes was in it."""
        group = name_of(path)
        tops = {at for at in self.model.stored if is_top(at)} | set(self.model.owners())
        return not before.members(group) and not before.addresses_in(group) and any(
            group_in(at) == group for at in tops)

    # ---- everything ----

    def compare(self):
        for kind in TOP:
            self.compare_list(kind, self.good("GET", "%s?limit=1000" % kind).body[kind], None)
            self.compare_group(kind)
            for name in self.model.items(kind):
                for child in INNER.get(kind, []):
                    parent = self.model.at(kind, name)
                    asked = self.draw.one(parent, "%s/*/%s" % (kind, bare(name)))
                    if self.meant(kind, bare(name)) != parent:
                        asked = parent
                    shown = self.good("GET", "%s/%s?limit=1000" % (asked, child)).body[child]
                    self.compare_list(child, shown, parent)
        for zone in self.model.items("private_zones"):
            if zone != "filed.internal":
                self.compare_zone(zone)
        for path in self.model.orphans():
            self.assertIn("not_served", self.good("GET", path).body)
        self.compare_owned()
        for network in self.model.items("virtual_networks"):
            for domain in self.chance.sample(DOMAINS, 2):
                self.ask_one(network, "%08x.%s" % (self.chance.getrandbits(32), domain))
            zone = self.chance.choice(ZONES)
            self.ask_one(network, self.names("private_zones/-/" + zone)[0])

    def meant(self, kind, name):
        """None, too, where there are several of the name."""
        try:
            return self.model.meant(kind, name)
        except Refused:
            return None

    def compare_list(self, kind, shown, parent):
        shown = {item["path"].lower(): item for item in shown if "made" not in item and "not_served" not in item}
        expected = {"%s/%s/%s" % (parent, kind, name) if parent else self.model.at(kind, name): values
                    for name, values in self.model.items(kind, parent).items()}
        self.assertEqual(sorted(expected), sorted(shown), (kind, parent))
        for path, values in expected.items():
            item = shown[path]
            self.assertEqual(path in self.model.declared, item["origin"] is not None, path)
            self.assertEqual(self.model.spelled("/".join(path.split("/")[:3])), group_in(item["path"]))
            if path in self.model.stored:
                self.assertTrue(covers(plain.in_full(path, item), plain.in_full(path, values)), (path, item, values))

    def compare_group(self, kind):
        """One that is asked for by a group, and all of a group."""
        items, group = self.model.items(kind), self.draw.one("-", "berlin", "MUNICH", "office", "empty")
        answer = self.call("GET", "%s/%s?limit=1000" % (kind, group))
        expected = sorted(bare(name) for name in items if group_in(self.model.at(kind, name)) == group.lower())
        if not expected and group != "-" and self.model.group(group.lower()) is None:
            self.assertEqual(404, answer.status, answer)
        else:
            key = "id" if kind == "clients" else "name"
            self.assertEqual(expected, [item[key].lower() for item in answer.body[kind] if "made" not in item])
        for name in map(bare, self.chance.sample(sorted(items), min(1, len(items)))):
            try:
                path = self.model.meant(kind, name)
                self.assertEqual(path, self.good("GET", "%s/*/%s" % (kind, name)).body["path"].lower())
            except Refused as refused:
                self.is_refused(self.call("GET", "%s/*/%s" % (kind, name)), refused)
            path = "%s/%s/%s" % (kind, group, name)
            if not self.model.there(path.lower()):
                self.is_refused(self.call("GET", path), Refused(404, "not_found", ["here; "]))

    def compare_zone(self, zone):
        """As it is served, without the SOA and NS that are made."""
        with contextlib.closing(harness.UnixConnection(self.sluice.socket)) as connection:
            connection.request("GET", "/v1/%s/master_file" % self.model.at("private_zones", zone))
            lines = connection.getresponse().read().decode().splitlines()
        shown = [line.split(None, 4) for line in lines if line[0] != "$"]
        sets = self.model.items("record_sets", self.model.at("private_zones", zone))
        whole = lambda name, text: text if ":cname" not in name or text[-1] == "." else "%s.%s." % (text, bare(zone))
        self.assertEqual(sorted((name.upper(), str(values.get("ttl", 3600)), whole(name, text))
                                for name, values in sets.items() for text in values["records"]),
                         sorted((("%s:%s" % (line[0], line[3])).upper(), line[1], line[4])
                                for line in shown if line[3] not in ("SOA", "NS")))

    def compare_owned(self):
        shown = {}
        for row in self.good("GET", "addresses?limit=1000").body["addresses"]:
            shown["addresses/%s/%s" % ((row["resource_group"] or "-").lower(), row["name"])] = row
        for row in self.good("GET", "services?limit=1000").body["services"]:
            shown["services/-/" + row["name"]] = row
        expected = self.model.owners()
        self.assertEqual(sorted(expected), sorted(shown))
        for path, values in expected.items():
            row = {key: value for key, value in shown[path].items() if value not in (None, {})}
            keys = ("address", "domain_name_label", "tags", "reverse_fqdn", "ttl")
            self.assertEqual({key: values[key] for key in keys if key in values},
                             {key: row[key] for key in keys if key in row}, path)
            if "reverse_fqdn" in row:
                self.assertEqual(self.model.is_ours(values["address"]), row["status"] != "ERROR", (path, row))
        groups = {group["name"].lower(): group for group in self.good("GET", "groups?limit=1000").body["groups"]}
        expected = self.model.groups()
        self.assertEqual(sorted(expected), sorted(groups))
        for name, group in expected.items():
            shown = groups[name]
            self.assertEqual(group, {"region": shown["region"], "tags": shown["tags"],
                                     "filed": shown["origin"] is not None}, name)
        self.assertEqual({path: values["tags"] for path, values in self.model.owned.items()
                          if path.startswith("groups/")},
                         {"groups/-/" + group["name"].lower(): group.get("tags") or {}
                          for group in self.good("GET", "state").body["groups"]})

    def unserved(self):
        """Addresses and services that are in no pool or network any more."""
        return [path for path, values in self.model.owners().items() if not self.model.is_ours(values["address"])]

    def check_export(self):
        """What is exported checks, and decides as what is served; what is kept and not served, because its pool
        or network is gone, is a comment."""
        status, text = self.sluice.command("export")
        self.assertEqual(0, status, text)
        self.assertEqual(len(self.unserved()), text.count(" is not served: "), text)
        path = self.world.write("exported.conf", re.sub(r'state = "[^"]*[.]db";', "", text))
        status, told = harness.command("check", "-c", path)
        self.assertEqual(0, status, told)
        shown = self.good("GET", "export").body["edits"]
        expected = {path: values.get("resource_group") for source in (self.model.declared, self.model.stored)
                    for path, values in source.items() if not self.model.is_orphan(path)}
        self.assertEqual(expected, {edit["path"].lower(): edit["values"].get("resource_group") for edit in shown
                                    if not is_owned(edit["path"])})
        network = self.chance.choice(list(self.model.items("virtual_networks")))
        of_zone = self.names("private_zones/-/" + self.chance.choice(ZONES))[0]
        for name in ["q." + self.chance.choice(DOMAINS), of_zone]:
            served = self.good("GET", "explain?vnet=%s&name=%s" % (network, name)).body
            status, printed = harness.command("explain", "-c", path, name, "A", "--vnet", network, "--json")
            self.assertEqual(0, status, printed)
            self.assertEqual(test_differential.expected(served, "A"),
                             test_differential.expected(json.loads(printed), "A"),
                             "%s from %s: %s\n%s\n%s" % (name, network, json.dumps(served), printed, text))


if __name__ == "__main__":
    harness.main()
