"""Four workers under load while everything about them changes: bench/load asks by UDP and TCP and
checks every answer; beside it zones, rules, sources and a listener come and go with every reload, the
cache is flushed and resized, and status and explain look on.

    loads ──────────────────────► sluice, 4 workers ──► one more load, as the upstream
    reload, flush, status, explain ──────┘

What it is for is a sanitizer's report (`make tsan` asks ten times as much); an answer that is lost
or wrong fails it as well. LOAD=N scales the questions. How long anything takes is not looked at."""

import json
import os
import signal

import harness

LOAD = os.path.join(harness.TOP, "build", "bench", "load")
COUNT = max(1000, int(10000 * float(os.environ.get("LOAD", "1"))))
HERE, AT_TIMES = ("127.0.0.1", 5300), ("127.0.0.1", 5301)  # the latter in some generations only
UPSTREAM_PORT, NOBODY_PORT = 15300, 15399
HOSTS, RULES, POPULAR = 200, 200, 400
DELEGATION = 'delegation = "Microsoft.Network/dnsResolvers"'
# What runs at the same time: (mix of questions, further options). Unique names begin at `first`, so
# that no two loads ask for the same.
ROUNDS = (
    (("mixed", "--fill", "--first", 1), ("zone", "--tcp")),
    (("miss", "--first", 2000000), ("nxdomain",)),
    (("miss", "--tcp", "--first", 4000000), ("hit",)),
)
CONFIG = """
region = "westeurope";
workers = 4;
management = { socket = "sluice.sock"; };
limits = { queries_per_second_per_endpoint = 0; };
cache = { size_bytes = %(cache)d; };
default_resolver = { targets = ( { address = "127.0.0.1"; port = %(upstream)d; } ); };
virtual_networks = ( { name = "hub"; address_space = [ "10.10.0.0/16" ]; subnets = (
  { name = "in"; prefix = "10.10.0.0/28"; %(delegation)s; },
  { name = "in2"; prefix = "10.10.0.32/28"; %(delegation)s; },
  { name = "out"; prefix = "10.10.0.16/28"; %(delegation)s; } ); } );
resolvers = ( { name = "hub"; virtual_network = "hub";
  inbound_endpoints = ( { name = "in"; subnet = "in"; listen = "%(here)s"; }%(listener)s );
  outbound_endpoints = ( { name = "out"; subnet = "out"; source = "%(source)s"; } ); } );
private_zones = (
  { name = "priv.test"; file = "priv.zone"; links = ( { name = "l"; virtual_network = "hub"; } ); },
  { name = "now.test"; file = "now.zone"; links = ( { name = "l"; virtual_network = "hub"; } ); } );
rulesets = ( { name = "corp"; outbound_endpoints = [ "hub/out" ];
  links = ( { name = "l"; virtual_network = "hub"; } );
  rules = (
%(rules)s ); } );
"""
SECOND = ', { name = "second"; subnet = "in2"; listen = "%s:%d"; }' % AT_TIMES


def rule(number, generation):
    """One target or two, by UDP or TCP: what the upstream says is the same."""
    targets = '{ address = "127.0.0.1"; port = %d; protocol = "%s"; }' % (
        UPSTREAM_PORT, "tcp" if (number + generation) % 8 == 0 else "udp")
    if (number + generation) % 3 == 0:
        targets += ', { address = "127.0.0.1"; port = %d; }' % NOBODY_PORT
    return '    { name = "r%d"; domain = "r%d.corp.test."; targets = ( %s ); }' % (
        number, number, targets)


def config(generation):
    return CONFIG % {
        "here": "%s:%d" % HERE, "upstream": UPSTREAM_PORT, "delegation": DELEGATION,
        "cache": (1 << 20, 64 << 20)[generation % 2],
        "listener": SECOND if generation % 3 == 1 else "",
        "source": ("127.0.0.1", "127.0.0.1", "127.0.0.2")[generation % 3],
        "rules": ",\n".join(rule(number, generation) for number in range(1, RULES + 1))}


def address(generation):
    return "10.99.%d.%d" % (generation >> 8 & 255, generation & 255)


class Load(harness.FreshCase):
    def build(self, world):
        self.host = world.host("machine")
        self.generation = 0
        if not os.path.exists(LOAD):
            self.fail("%s is not built; run make test" % LOAD)
        self.write_zones()
        self.sluice = harness.Sluice(self.host, config(0), HERE)
        # The upstream has to ask something too: one question a second.
        self.load("zone", "--upstream", "127.0.0.1:%d" % UPSTREAM_PORT, "--rate", 1, "--naps")
        # What is asked at a listener that goes may be lost: it is there for whoever closes it.
        self.load("mixed", "--first", 6000000, "--rate", 300, "--naps", server=AT_TIMES)

    def write_zones(self):
        """The hosts that the load asks for, always the same, and others that change."""
        lines = ["h%d 300 IN A 10.0.%d.%d\n" % (i, i >> 8, i & 255) for i in range(HOSTS)]
        lines += ["more%d 300 IN A 10.98.0.%d\n" % (i, i) for i in range(self.generation % 5)]
        self.world.write("priv.zone", "".join(lines))
        self.world.write("now.zone", "@ 300 IN A %s\n" % address(self.generation))

    def load(self, mix, *options, server=HERE):
        argv = [LOAD, "--server", "%s:%d" % server, "--questions", mix, "--hosts", HOSTS,
                "--rules", RULES, "--popular", POPULAR, "--window", 96, "--wait", 600,
                "--seconds", 600, "--timeout-ms", 30000, *options]
        return harness.Process(self.host, "load-%d" % len(self.world.processes), map(str, argv))

    def command(self, *argv):
        status, text = self.sluice.command(*argv)
        self.assertEqual(0, status, text)
        return text

    def change(self):
        """The next generation, and a look at it through every command."""
        self.generation += 1
        self.write_zones()
        self.sluice.reconfigure(config(self.generation))
        self.command("reload")
        harness.wait_for(lambda: self.host.ask(HERE, "now.test").texts()
                         == [address(self.generation)], "generation %d" % self.generation)
        self.assertEqual(self.generation + 1, json.loads(self.command("status", "--json"))["generation"])
        self.assertIn("r7.corp.test", self.command("explain", "u1.r7.corp.test"))
        self.command("flush", *(("r7.corp.test",), ())[self.generation % 2])

    def judge(self, process):
        self.assertEqual(0, process.child.returncode, process.log())
        found = json.loads(process.log())
        self.assertGreater(found["answered"], 0)
        self.assertEqual((found["sent"], 0, 0, 0), (
            found["answered"], found["wrong"], found["lost"], found["reconnected"]), found)

    def test_every_answer_is_right_while_everything_changes(self):
        for loads in ROUNDS:
            under_way = [self.load(*load, "--count", COUNT) for load in loads]
            while any(process.child.poll() is None for process in under_way):
                self.change()
            for process in under_way:
                self.judge(process)
        self.assertEqual(0, self.sluice.stop(60), self.sluice.log())

    def test_it_ends_in_the_middle_of_a_load(self):
        under_way = [self.load("mixed"), self.load("zone", "--tcp")]
        self.change()
        harness.wait_for(lambda: all(self.sluice.status()["counters"]["queries_" + by] > COUNT / 10
                                     for by in ("udp", "tcp")), "the loads", 60)
        for process in under_way:
            self.assertIsNone(process.child.poll(), process.log())
        self.sluice.signal(signal.SIGTERM)
        self.assertEqual(0, self.sluice.child.wait(60), self.sluice.log())


if __name__ == "__main__":
    harness.main()
