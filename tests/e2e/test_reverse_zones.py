"""The reverse zones of pools that are a part of an octet (RFC 2317), as a resolver elsewhere finds
them: by what `sluice ptr delegation` prints, put into the zone of the provider.

    Unbound ──► NSD: the provider, 100.18.198.in-addr.arpa ── CNAME, NS ──► sluice: 64-127.100..."""

import json
import re
import shutil
import textwrap
import unittest

import dns
import harness
import hub
import servers

US, PROVIDER, RESOLVER = "10.10.0.4", "192.168.0.53", "192.168.0.54"
CONFIG = """
region = "westeurope";
management = { socket = "control.sock"; state = "state.db"; };
default_resolver = { targets = ( { address = "127.0.0.3"; } ); };
""" + hub.hub() + """
address_pools = (
  { name = "low"; prefix = "198.18.100.64/26"; },
  { name = "high"; prefix = "198.18.100.192/26"; region = "eastus"; },
  { name = "slash"; prefix = "198.18.101.0/26"; zone = "0/26.101.18.198.in-addr.arpa"; },
  { name = "one"; prefix = "198.18.101.77/32"; },
  { name = "wide"; prefix = "198.18.102.0/23"; },
  { name = "six"; prefix = "2001:500:8::/47"; } );
addresses = (
  { name = "a"; address = "198.18.100.70"; reverse_fqdn = "a.example.com."; },
  { name = "b"; address = "198.18.100.200"; region = "eastus"; reverse_fqdn = "b.example.com."; },
  { name = "c"; address = "198.18.101.7"; reverse_fqdn = "c.example.com."; },
  { name = "d"; address = "198.18.101.77"; reverse_fqdn = "d.example.com."; },
  { name = "e"; address = "198.18.103.9"; reverse_fqdn = "e.example.com."; },
  { name = "f"; address = "2001:500:9::1"; reverse_fqdn = "f.example.com."; },
  { name = "later"; address = "198.18.100.80"; } );
reverse = { %s };
"""
SERVERS = 'name_servers = [ "ns1.example.com", "ns2.example.com" ]; hostmaster = "admin.example.com";'
TOP = "$TTL 60\n@ SOA ns.provider.example. admin.provider.example. 1 60 60 60 60\n@ NS ns.provider.example.\n"


def records(text):
    """The lines that are records, as tuples of their words."""
    return [tuple(line.split()) for line in text.splitlines()
            if line and line[0] != ";" and not line.startswith("sluice")]


class World(harness.Case):
    @classmethod
    def build(cls, world):
        cls.cloud = world.host("cloud", US)
        cls.upstream = harness.Upstream(cls.cloud, "127.0.0.3", "192.0.2.99")
        cls.sluice = harness.Sluice(cls.cloud, CONFIG % SERVERS, (US, 53))

    def ask(self, name, rtype="PTR", **how):
        return self.cloud.ask(US, name, rtype, **how)

    def delegation(self, *words):
        return self.sluice.command("ptr", "delegation", *words)

    def denied(self, name, rcode, soa, rtype="PTR"):
        message = self.ask(name, rtype)
        self.assertEqual((rcode, [], [(soa, "SOA")]), (
            message.rcode, message.answer, [(r.name, r.type) for r in message.authority]), message)
        self.assertTrue(message.flags & dns.AA, message)


class Answers(World):
    def test_a_plain_name_is_answered_for_itself_and_no_further(self):
        message = self.ask("70.100.18.198.in-addr.arpa")
        self.assert_answer(message, "a.example.com.")
        self.assertTrue(message.flags & dns.AA, message)
        self.denied("71.100.18.198.in-addr.arpa", "NOERROR", "71.100.18.198.in-addr.arpa.")
        self.denied("x.70.100.18.198.in-addr.arpa", "NXDOMAIN", "70.100.18.198.in-addr.arpa.")
        self.denied("x.71.100.18.198.in-addr.arpa", "NXDOMAIN", "71.100.18.198.in-addr.arpa.")
        self.assert_answer(self.ask("200.100.18.198.in-addr.arpa"), "b.example.com.")
        message = self.ask("71.100.18.198.in-addr.arpa", "SOA")
        self.assertEqual([("71.100.18.198.in-addr.arpa.", "SOA")],
                         [(r.name, r.type) for r in message.answer])

    def test_what_others_have_of_the_octet_goes_on(self):
        for name, rtype in (("100.18.198.in-addr.arpa", "SOA"), ("100.18.198.in-addr.arpa", "NS"),
                            ("63.100.18.198.in-addr.arpa", "PTR"),
                            ("128.100.18.198.in-addr.arpa", "PTR"),
                            ("9.0-63.100.18.198.in-addr.arpa", "PTR")):
            self.ask(name, rtype)
            self.assertTrue(self.upstream.questions(name), name)
        self.assertEqual([], self.upstream.questions("70.100.18.198.in-addr.arpa"))

    def test_a_classless_zone_is_a_zone(self):
        zone = "64-127.100.18.198.in-addr.arpa."
        for name in (zone, "64-26.100.18.198.in-addr.arpa."):
            self.assert_answer(self.ask("70." + name), "a.example.com.")
            self.denied("71." + name, "NXDOMAIN", name)
            self.denied("200." + name, "NXDOMAIN", name)
            self.denied("70." + name, "NOERROR", name, "A")
        self.assert_answer(self.ask(zone, "NS"), "ns1.example.com.", "ns2.example.com.")
        self.assertRegex(self.ask(zone, "SOA").texts()[0],
                         r"^ns1\.example\.com\. admin\.example\.com\. ")
        self.assert_answer(self.ask("7.0/26.101.18.198.in-addr.arpa"), "c.example.com.")
        self.denied("8.0/26.101.18.198.in-addr.arpa", "NXDOMAIN", "0/26.101.18.198.in-addr.arpa.")

    def test_zones_at_other_cuts(self):
        self.assert_answer(self.ask("77.101.18.198.in-addr.arpa"), "d.example.com.")
        self.denied("77.101.18.198.in-addr.arpa", "NOERROR", "77.101.18.198.in-addr.arpa.", "A")
        self.assert_answer(self.ask("9.103.18.198.in-addr.arpa"), "e.example.com.")
        self.denied("9.102.18.198.in-addr.arpa", "NXDOMAIN", "102.18.198.in-addr.arpa.")
        six = "9.0.0.0.0.0.5.0.1.0.0.2.ip6.arpa."[2:]
        self.assert_answer(self.ask("1." + "0." * 19 + "9." + six), "f.example.com.")
        self.denied("1." + "0." * 19 + "8." + six, "NXDOMAIN", "8." + six)

    def test_explain_has_the_pool_and_the_zone(self):
        for name, pool, suffix in (
                ("70.64-127.100.18.198.in-addr.arpa", "low", "64-127.100.18.198.in-addr.arpa."),
                ("70.100.18.198.in-addr.arpa", "low", "70.100.18.198.in-addr.arpa."),
                ("x.70.100.18.198.in-addr.arpa", "low", "70.100.18.198.in-addr.arpa."),
                ("8.0/26.101.18.198.in-addr.arpa", "slash", "0/26.101.18.198.in-addr.arpa."),
                ("9.103.18.198.in-addr.arpa", "wide", "103.18.198.in-addr.arpa.")):
            status, text = self.sluice.command("explain", "--json", name, "PTR")
            self.assertEqual(0, status, text)
            hop = json.loads(text)["hops"][0]
            self.assertEqual(("pool", pool), (hop["decided_by"], hop["object"]))
            step = [step for step in hop["trace"] if step["by"] == "pool"][0]
            self.assertEqual((pool, suffix), (step["object"], step["suffix"]))
            status, text = self.sluice.command("explain", name, "PTR")
            self.assertIn("%s (%s)" % (pool, suffix), text)

    def test_a_ptr_that_is_set_is_there_by_all_of_its_names(self):
        names = ["80.100.18.198.in-addr.arpa", "80.64-127.100.18.198.in-addr.arpa"]
        self.assertEqual(["NOERROR", "NXDOMAIN"], [self.ask(name).rcode for name in names])
        status, text = self.sluice.command("ptr", "set", "198.18.100.80", "later.example.com.")
        self.assertEqual(0, status, text)
        for name in names:
            harness.wait_for(lambda: self.ask(name).texts() == ["later.example.com."], name)
        self.assertEqual(0, self.sluice.command("ptr", "unset", "198.18.100.80")[0])


class Delegation(World):
    def test_part_of_an_octet_takes_name_servers_and_a_cname_for_each_address(self):
        status, text = self.delegation("198.18.100.64/26")
        self.assertEqual(0, status, text)
        zone = "64-127.100.18.198.in-addr.arpa."
        self.assertEqual(
            [(zone, "IN", "NS", "ns%d.example.com." % n) for n in (1, 2)]
            + [("%d.100.18.198.in-addr.arpa." % n, "IN", "CNAME", "%d.%s" % (n, zone))
               for n in range(64, 128)], records(text))
        self.assertNotIn("warning", text)
        self.assertIn("; $GENERATE 64-127 $.100.18.198.in-addr.arpa. CNAME $." + zone, text)

    def test_whole_octets_and_nibbles_take_name_servers(self):
        for words, zones in (
                (("198.18.102.0/23",), ["102.18.198.in-addr.arpa.", "103.18.198.in-addr.arpa."]),
                (("198.18.101.77",), ["77.101.18.198.in-addr.arpa."]),
                (("2001:500:8::/47",), ["8.0.0.0.0.0.5.0.1.0.0.2.ip6.arpa.",
                                        "9.0.0.0.0.0.5.0.1.0.0.2.ip6.arpa."])):
            status, text = self.delegation(*words, "--ns", "NS.example.net", "--ns=b.example.net.")
            self.assertEqual(0, status, text)
            self.assertEqual([(zone, "IN", "NS", server) for zone in zones
                              for server in ("ns.example.net.", "b.example.net.")], records(text))
            self.assertNotIn("warning", text)

    def test_json_has_the_same(self):
        status, text = self.delegation("--json", "198.18.101.0/26")
        self.assertEqual(0, status, text)
        said = json.loads(text)
        self.assertEqual(("198.18.101.0/26", ["ns1.example.com.", "ns2.example.com."], []),
                         (said["prefix"], said["name_servers"], said["warnings"]))
        zone, = said["zones"]
        cnames = zone.pop("cnames")
        self.assertEqual({
            "zone": "0/26.101.18.198.in-addr.arpa.", "prefix": "198.18.101.0/26", "pool": "slash",
            "classless": True, "parent": "101.18.198.in-addr.arpa.", "generate":
            "$GENERATE 0-63 $.101.18.198.in-addr.arpa. CNAME $.0/26.101.18.198.in-addr.arpa."}, zone)
        self.assertEqual(64, len(cnames))
        self.assertEqual({"name": "63.101.18.198.in-addr.arpa.",
                          "target": "63.0/26.101.18.198.in-addr.arpa."}, cnames[-1])
        zone = json.loads(self.delegation("--json", "198.18.102.0/23")[1])["zones"][1]
        self.assertEqual(("103.18.198.in-addr.arpa.", "18.198.in-addr.arpa.", False, [], None),
                         tuple(zone[k] for k in ("zone", "parent", "classless", "cnames", "generate")))

    def test_what_is_not_as_it_should_be_is_warned_of(self):
        for prefix, warning, zones in (
                ("198.18.100.0/26", "is in no address pool", ["0-63.100.18.198.in-addr.arpa."]),
                ("198.18.100.0/24", "have only parts of 198.18.100.0/24",
                 ["64-127.100.18.198.in-addr.arpa.", "192-255.100.18.198.in-addr.arpa."]),
                ("198.18.103.0/24", 'is a part of address pool "wide", 198.18.102.0/23',
                 ["103.18.198.in-addr.arpa."]),
                ("198.18.100.96/27", 'is a part of address pool "low"',
                 ["64-127.100.18.198.in-addr.arpa."]),
                ("10.0.0.0/8", "is private", ["10.in-addr.arpa."]),
                ("8.0.0.0/7", "is larger than any prefix", ["8.in-addr.arpa.", "9.in-addr.arpa."]),
                ("2c00::/15", "is larger than any prefix", ["0.0.c.2.ip6.arpa.", "1.0.c.2.ip6.arpa."])):
            status, text = self.delegation("--json", prefix)
            self.assertEqual(0, status, text)
            said = json.loads(text)
            self.assertEqual(zones, [zone["zone"] for zone in said["zones"]])
            self.assertTrue([w for w in said["warnings"] if warning in w], said["warnings"])
        for prefix in ("9.0.0.0/8", "2c00::/16"):
            said = json.loads(self.delegation("--json", prefix)[1])
            self.assertEqual(1, len(said["warnings"]), said["warnings"])
        status, text = self.delegation("198.18.102.0/23", "--ns", "ns1.example.com")
        self.assertEqual(0, status, text)
        self.assertIn("warning: there is one name server", text)

    def test_what_is_no_prefix_is_misuse(self):
        for words, right in ((("198.18.100.65/26",), "did you mean 198.18.100.64/26?"),
                             (("198.18.100/24",), "is not a prefix"), (("x",), "is not a prefix"),
                             (("198.18.100.0/33",), "is not a prefix"), ((), "argument is missing"),
                             (("198.18.100.64/26", "--ns", "a..b"), "name of a name server"),
                             (("198.18.100.64/26", "--ns", "."), "name of a name server")):
            status, text = self.delegation(*words)
            self.assertEqual(2, status, text)
            self.assertIn(right, text)

    def test_without_name_servers_or_with_faults_the_answer_is_no(self):
        path = self.world.write("none.conf", CONFIG % "")
        status, text = harness.command("ptr", "delegation", "-c", path, "198.18.100.64/26")
        self.assertEqual(1, status, text)
        self.assertIn("give them with --ns", text)
        path = self.world.write("faulty.conf", CONFIG.replace("0/26.101.", "0.101.") % SERVERS)
        status, text = harness.command("ptr", "delegation", "-c", path, "198.18.100.64/26")
        self.assertEqual(1, status, text)
        self.assertRegex(text, r"faulty\.conf:\d+: address_pools\[slash\]\.zone: ")


class Provider(World):
    """What is printed, put where it belongs."""

    @classmethod
    def build(cls, world):
        super().build(world)
        text = {}
        for octet, prefixes in (("100", ("198.18.100.64/26", "198.18.100.192/26")),
                                ("101", ("198.18.101.0/26", "198.18.101.77"))):
            text[octet] = TOP + "".join(
                cls.sluice.command("ptr", "delegation", prefix)[1] for prefix in prefixes)
        cls.text = text
        zones = {"%s.18.198.in-addr.arpa" % octet: zone for octet, zone in text.items()}
        zones["example.com"] = TOP + "ns1 A %s\nns2 A %s\n" % (US, US)
        cls.provider = world.host("provider", PROVIDER)
        servers.nsd(cls.provider, zones, PROVIDER)
        cls.outside = world.host("outside", RESOLVER)
        servers.unbound(cls.outside, RESOLVER, stubs={zone: PROVIDER for zone in zones})

    def test_a_resolver_elsewhere_finds_the_names(self):
        for name, target, found in (
                ("70.100.18.198.in-addr.arpa", "70.64-127.100.18.198.in-addr.arpa.", "a.example.com."),
                ("200.100.18.198.in-addr.arpa", "200.192-255.100.18.198.in-addr.arpa.",
                 "b.example.com."),
                ("7.101.18.198.in-addr.arpa", "7.0/26.101.18.198.in-addr.arpa.", "c.example.com.")):
            self.assert_answer(self.outside.ask(RESOLVER, name, "PTR"), target, found)
        self.assert_answer(self.outside.ask(RESOLVER, "77.101.18.198.in-addr.arpa", "PTR"),
                           "d.example.com.")

    def test_a_resolver_elsewhere_finds_that_there_is_none(self):
        message = self.outside.ask(RESOLVER, "71.100.18.198.in-addr.arpa", "PTR")
        self.assertEqual(("NXDOMAIN", ["71.64-127.100.18.198.in-addr.arpa."]),
                         (message.rcode, message.texts()))
        self.assertEqual(["64-127.100.18.198.in-addr.arpa."], [r.name for r in message.authority])

    def test_one_generate_line_says_what_all_the_cnames_say(self):
        program = shutil.which("named-compilezone")
        if not program:
            raise unittest.SkipTest("named-compilezone is not installed")
        text = self.text["100"]
        short = "".join(line + "\n" for line in text.splitlines() if "IN\tCNAME" not in line)
        short = re.sub(r"^; (\$GENERATE .*)$", r"\1", short, flags=re.M)
        compiled = []
        for kind, zone in (("long", text), ("short", short)):
            path = self.world.write(kind + ".zone", textwrap.dedent(zone))
            status, out = self.provider.run(program, "-q", "-i", "local", "-o", "-",
                                            "100.18.198.in-addr.arpa", path)
            self.assertEqual(0, status, out)
            compiled.append(sorted(out.splitlines()))
        self.assertGreater(len(compiled[0]), 128)
        self.assertEqual(*compiled)


if __name__ == "__main__":
    harness.main()
