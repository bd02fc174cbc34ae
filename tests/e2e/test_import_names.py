"""Names that stand alone, as in a hosts file, after an import: they are exact, in zones only where the original has
such or somebody says so, and nobody has to read them."""

import json
import os
import random
import re
import subprocess
import textwrap

import harness

EXPLAIN_LINES = os.path.join(os.path.dirname(os.environ.get("SLUICE_UNDER") or harness.SLUICE),
                             "tests", "e2e", "explain_lines")
# What decides beside the names: a rule, a zone of the original's, the default resolver.
ALONE = {"nas.corp.example": "10.1.0.5", "db.contoso.corp": "10.1.0.6", "a.deep.tree.example": "10.1.0.7",
         "printer.lab.example": "10.1.0.8"}
LINES = "".join("%s %s\n" % (address, name) for name, address in ALONE.items())
AROUND = {
    "hosts": ("%s", None),
    "dnsmasq": ("no-hosts\nno-resolv\nserver=192.0.2.99\nserver=/contoso.corp/192.0.2.53\nlocal=/lab.example/\n%s",
                lambda: "".join("host-record=%s,%s\n" % pair for pair in ALONE.items())),
    "unbound": ('server:\n  local-zone: "lab.example" static\n%sforward-zone:\n  name: "contoso.corp"\n  forward-addr: 192.0.2.53\n'
                'forward-zone:\n  name: "."\n  forward-addr: 192.0.2.99\n',
                lambda: "".join('  local-data: "%s A %s"\n  local-data-ptr: "%s %s"\n' % (*pair, pair[1], pair[0])
                                for pair in ALONE.items())),
    "coredns": ("contoso.corp {\n  forward . 192.0.2.53\n}\n. {\n%s  forward . 192.0.2.99\n}\n",
                lambda: "  hosts {\n" + LINES + "    fallthrough\n  }\n"),
}


def reverse(address):
    return ".".join(reversed(address.split("."))) + ".in-addr.arpa"


def in_place(path):
    """A configuration with what it includes."""
    with open(path) as file:
        return re.sub(r'(?m)^@include "(.*)"\n', lambda match: in_place(os.path.join(os.path.dirname(path), match.group(1))),
                      file.read())


class Names(harness.FreshCase):
    def build(self, world):
        pass

    def run_(self, dialect, text, *options, status=0):
        """(configuration's path, what was told)"""
        output = os.path.join(self.world.dir, "out.conf")
        for name in os.listdir(self.world.dir):
            if re.fullmatch(r"out\.conf(\.\w+)?", name):
                os.remove(os.path.join(self.world.dir, name))
        path = self.world.write("original", text)
        got, told = harness.command("import", dialect, path, *options, "--output", output, cwd=self.world.dir)
        self.assertEqual(status, got, told)
        if status == 0:
            got, checked = harness.command("check", "-c", output)
            self.assertEqual(0, got, checked)
        return output, told

    def files(self):
        return sorted(name for name in os.listdir(self.world.dir) if name.startswith("out."))

    def decided(self, config, names, rtype="A"):
        """Of each, who decides and with what."""
        result = subprocess.run([EXPLAIN_LINES, config], input="".join("vnet home %s %s\n" % (name, rtype) for name in names),
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.assertEqual(0, result.returncode, result.stderr)
        blocks = [json.loads(line)["hops"] for line in result.stdout.splitlines()]
        self.assertEqual(len(names), len(blocks))
        return {name: [{key: hop[key] for key in ("kind", "decided_by", "object", "ruleset", "rcode", "records", "route")}
                       for hop in hops] for name, hops in zip(names, blocks)}

    def around(self, chance):
        """Names that are not in the file: siblings, parents, what is below one, and others."""
        found = set()
        for name in ALONE:
            found |= {"x." + name, "x%d.%s" % (chance.randrange(10 ** 6), name), "_sip._udp." + name}
            labels = name.split(".")
            for i in range(1, len(labels)):
                parent = ".".join(labels[i:])
                found |= {parent, "other." + parent, "x%d.%s" % (chance.randrange(10 ** 6), parent),
                          "y.z%d.%s" % (chance.randrange(10 ** 6), parent), "a" + labels[0] + "." + parent}
        found |= {"www%d.example.org" % chance.randrange(10 ** 6) for _ in range(20)}
        return sorted(found - set(ALONE))

    def test_no_name_that_is_not_in_the_file_is_decided_otherwise(self):
        if not os.path.exists(EXPLAIN_LINES):
            self.fail("%s is not built; run make test" % EXPLAIN_LINES)
        chance = random.Random(20261126)
        default = 'default_resolver = { targets = ( { address = "192.0.2.99"; } ); };\n'
        elsewhere = dict(dict.fromkeys(AROUND, ""), hosts="10.9.9.9 elsewhere.test\n")  # an empty file is refused
        for dialect, (text, alone) in AROUND.items():
            with self.subTest(dialect):
                configs = []
                for names in (alone() if alone else LINES, ""):
                    output, _ = self.run_(dialect, text % (names or elsewhere[dialect]))
                    configs.append(self.world.write("%s-%d.conf" % (dialect, len(configs)), in_place(output) + (
                        default if dialect == "hosts" else "")))
                around = self.around(chance)
                self.assertGreater(len(around), 60)
                for rtype in ("A", "AAAA", "MX", "NS"):
                    self.assertEqual(self.decided(configs[1], around, rtype), self.decided(configs[0], around, rtype))
                ptrs = [reverse("10.1.0.%d" % n) for n in range(9, 40)]
                ptrs += ["x." + reverse(address) for address in ALONE.values()]
                self.assertEqual(self.decided(configs[1], ptrs, "PTR"), self.decided(configs[0], ptrs, "PTR"))
                # Names above the PTRs: what was NXDOMAIN here has no data now (RFC 8020), others are forwarded as before.
                above = ["0.1.10.in-addr.arpa", "1.10.in-addr.arpa"]
                without = self.decided(configs[1], above, "PTR")
                self.assertEqual({"NXDOMAIN" if dialect in ("hosts", "unbound") else None},
                                 {hop["rcode"] for hops in without.values() for hop in hops})
                for hop in (hop for hops in without.values() for hop in hops if hop["rcode"]):
                    hop["rcode"] = "NOERROR"
                self.assertEqual(without, self.decided(configs[0], above, "PTR"))
                for name, block in self.decided(configs[0], list(ALONE)).items():
                    self.assertIn(ALONE[name], json.dumps(block), name)
                    self.assertNotIn(ALONE[name], json.dumps(self.decided(configs[1], [name])), name)
                for name, address in ALONE.items():
                    self.assertIn(name + ".", json.dumps(self.decided(configs[0], [reverse(address)], "PTR")))

    def test_a_name_below_one_is_decided_as_before_also_by_other_names_and_zones(self):
        # Of the file: names in each other, a rule and a zone of the original's below or around one.
        text = ("no-hosts\nno-resolv\nserver=192.0.2.99\nserver=/x.db.test/192.0.2.53\nserver=/db.test/192.0.2.54\n"
                "server=/r.test/192.0.2.55\nlocal=/z.r.test/\n%s")
        alone = "host-record=db.test,10.0.0.1\nhost-record=y.x.db.test,10.0.0.2\nhost-record=r.test,10.0.0.3\n"
        names = ["a.db.test", "x.db.test", "a.x.db.test", "a.y.x.db.test", "b.a.y.x.db.test", "a.r.test", "z.r.test", "a.z.r.test",
                 "test", "a.test"]
        configs = [self.world.write("%d.conf" % i, in_place(self.run_("dnsmasq", text % each)[0])) for i, each in enumerate((alone, ""))]
        with_names, without = (self.decided(config, names) for config in configs)
        self.assertEqual(without, with_names)
        hosts = {name: hops[0]["route"][0]["host"] for name, hops in with_names.items() if hops[0]["route"]}
        self.assertEqual({"a.db.test": "192.0.2.54:53", "a.y.x.db.test": "192.0.2.53:53", "a.r.test": "192.0.2.55:53"},
                         {name: hosts[name] for name in ("a.db.test", "a.y.x.db.test", "a.r.test")})
        for name in ("db.test", "y.x.db.test", "r.test"):
            self.assertEqual("zone", self.decided(configs[0], [name])[name][0]["decided_by"])

    def test_that_a_name_is_a_zone_is_nothing_to_tell(self):
        for dialect, text in (("hosts", LINES), ("dnsmasq", "no-hosts\nserver=/x.db.test/192.0.2.53\nhost-record=db.test,10.0.0.1\n")):
            output, told = self.run_(dialect, text)
            self.assertEqual("" if dialect == "hosts" else told, told)
            self.assertNotIn("different", told)
            self.assertIn('resolution_policy = "NxDomainFallthrough"', in_place(output))
        output, _ = self.run_("hosts", LINES, "--zone", "example", "--zone", "corp")
        self.assertNotRegex(in_place(output), 'name = "(example|corp)";[^}]*resolution_policy')

    def test_names_of_a_view_that_another_falls_back_to_pass_on_there_too(self):
        text = textwrap.dedent("""\
            server:
              access-control: 10.0.0.0/8 allow
              access-control-view: 10.9.0.0/16 "branch"
              local-data: "a.test A 10.0.0.1"
            view:
              name: "branch"
              view-first: yes
              local-data: "b.test A 10.0.0.2"
            """)
        text = in_place(self.run_("unbound", text)[0])
        self.assertEqual(3, len(re.findall("NxDomainFallthrough", text)), text)

    def test_each_view_s_names_are_told_with_its_own(self):
        _, told = self.run_("unbound", textwrap.dedent("""\
            server:
              access-control: 10.0.0.0/8 allow
              access-control-view: 10.9.0.0/16 "branch"
              local-zone: "a.test" static
              local-data: "a.test A 10.0.0.1"
            view:
              name: "branch"
              local-data: "b.test A 10.0.0.2"
            forward-zone:
              name: "x.b.test"
              forward-addr: 192.0.2.53
            forward-zone:
              name: "x.a.test"
              forward-addr: 224.0.0.1
            """))
        self.assertRegex(told, r"original:12: \S+: different: in view \S+, no server is asked for x\.a\.test any more")
        self.assertRegex(told, r"original:14: \S+: not carried over: in view \S+, 224\.0\.0\.1 is a multicast address")
        self.assertNotIn("x.b.test", told)
        self.assertNotRegex(told, r"private_zones|rulesets|virtual_networks|\[")

    def test_a_setting_that_is_refused_is_told_by_its_word(self):
        _, told = self.run_("dnsmasq", "no-hosts\nno-resolv\nserver=224.0.0.1\nlisten-address=224.0.0.9\nlisten-address=127.0.0.1\n")
        self.assertIn("original:3: server: not carried over: 224.0.0.1 is a multicast address", told)
        self.assertIn("original:4: listen-address: not carried over: 224.0.0.9:53 cannot be listened at", told)
        _, told = self.run_("coredns", "x.test {\n  forward . tls://192.0.2.53\n}\ny.test {\n  forward . 192.0.2.53\n}\n")
        self.assertIn("original:2: forward: not carried over: no server is left that could be asked for x.test.; its names go where others go\n", told)
        self.assertNotIn("list of groups", told)

    def test_what_a_zone_takes_from_a_rule_is_told_by_their_names(self):
        _, told = self.run_("dnsmasq", "no-hosts\nserver=/x.db.test/192.0.2.53\nlocal=/db.test/\nhost-record=db.test,10.0.0.1\n")
        self.assertIn("original:2: server: different: no server is asked for x.db.test any more: db.test has data of its own, "
                      "and then has all below its name", told)

    def test_they_are_in_a_file_of_their_own(self):
        output, _ = self.run_("hosts", LINES)
        self.assertEqual(["out.conf", "out.conf.names"], self.files())
        with open(output) as file:
            text = file.read()
        self.assertIn('private_zones = (\n@include "out.conf.names"\n);\n', text)
        for name in ALONE:
            self.assertNotRegex(text, r'name = "%s"' % re.escape(name))
            self.assertIn('name = "%s";' % name, in_place(output))
        # One that is there is somebody's, and then there is none of the two.
        os.remove(output)
        with open(os.path.join(self.world.dir, "out.conf.names"), "w") as file:
            file.write("mine\n")
        status, told = harness.command("import", "hosts", os.path.join(self.world.dir, "original"), "--output", output)
        self.assertEqual((1, True), (status, "out.conf.names is there already" in told), told)
        self.assertEqual(["out.conf.names"], self.files())
        with open(os.path.join(self.world.dir, "out.conf.names")) as file:
            self.assertEqual("mine\n", file.read())
        # Standard output has all of it.
        status, told = harness.command("import", "hosts", "-", input=LINES)
        self.assertEqual((0, True, False), (status, 'name = "db.contoso.corp"' in told, "@include" in told), told)

    def test_a_domain_that_the_file_has_whole_is_one_zone(self):
        output, _ = self.run_("hosts", "".join("10.2.%d.%d h%d.lan h%d\n" % (n // 200, n % 200 + 1, n, n) for n in range(300)) + LINES,
                              "--zone", "lan", "--zone", "10.2.0.0/16")
        self.assertEqual(["out.conf", "out.conf.addresses", "out.conf.names"], self.files())
        text = in_place(output)
        self.assertEqual(1, len(re.findall(r'name = "lan"', text)))
        self.assertNotIn('name = "h7.lan"', text)
        self.assertNotIn('2.10.in-addr.arpa"', text)
        with open(output) as file:
            self.assertLess(len(file.readlines()), 40)
        decided = self.decided(output, ["h7.lan", "none.lan", "x.h7.lan"])
        self.assertIn("10.2.0.8", json.dumps(decided["h7.lan"]))
        for name in ("none.lan", "x.h7.lan"):
            self.assertIn("NXDOMAIN", json.dumps(decided[name]))
        self.assertIn("h7.lan.", json.dumps(self.decided(output, [reverse("10.2.0.8")], "PTR")))
        # Names of one label have no domain that could be whole.
        self.assertIn('name = "h7"', text)

    def test_ptrs_of_a_prefix_are_a_pool_s_where_that_lets_in_nobody(self):
        clients = 'server:\n  access-control: %s allow\n  local-data: "a.test A 10.2.0.1"\n  local-data-ptr: "10.2.0.1 a.test"\n'
        text = in_place(self.run_("unbound", clients % "10.2.0.0/15", "--zone", "10.2.0.0/16")[0])
        self.assertIn('address_space = [ "10.2.0.0/16" ]', text)
        self.assertIn('address_pools = ( { name = "pool-10-2-0-0-16"; prefix = "10.2.0.0/16"; } )', text)
        text = in_place(self.run_("unbound", clients % "10.2.0.0/17", "--zone", "10.2.0.0/16")[0])
        self.assertNotIn("address_", text)
        self.assertIn('name = "2.10.in-addr.arpa"', text)
        text = in_place(self.run_("hosts", "192.0.2.9 pub.example\n", "--zone", "192.0.2.0/28")[0])
        self.assertNotIn("address_space", text)
        self.assertIn('prefix = "192.0.2.0/28"', text)
        self.assertNotIn("in-addr", text)

    def test_what_is_declared_whole_has_to_be_right(self):
        for zones, status, why in ((("lan.test",), 1, "--zone: lan.test has none of the names that stand alone"),
                                   (("10.0.0.1/8",), 2, "is no domain name, and no prefix"), (("a..b",), 2, "is no domain name"),
                                   ((".",), 2, "is no domain name"), (("corp", "corp."), 2, "that no other --zone has"),
                                   (("10.0.0.0/8", "10.1.0.0/16"), 2, "that no other --zone has")):
            _, told = self.run_("hosts", LINES, *(word for zone in zones for word in ("--zone", zone)), status=status)
            self.assertIn(why, told)
            self.assertEqual([], self.files())
        self.assertIn("--zone is for a forwarder's", harness.command("import", "arm", "-", "--zone", "x", input="[]")[1])
        self.assertIn("--no-hosts is for dnsmasq", harness.command("import", "hosts", "-", "--no-hosts", input="")[1])

    def test_dnsmasq_s_own_hosts_can_be_left_out(self):
        path = self.world.write("dnsmasq.conf", "no-resolv\nserver=192.0.2.99\nlisten-address=127.0.0.1\n")
        _, told = harness.command("import", "dnsmasq", path)
        self.assertIn("the names of this machine's /etc/hosts are taken, too", told)
        _, told = harness.command("import", "dnsmasq", path, "--no-hosts")
        self.assertNotIn("/etc/hosts", told)

    def test_coredns_reads_the_machine_s_hosts_beside_a_block(self):
        corefile = ". {\n  bind 127.0.0.1\n  hosts%s {\n    10.1.0.5 nas.corp.example\n    fallthrough\n  }\n  forward . 192.0.2.99\n}\n"
        for file, taken in (("", True), (" /dev/null", False)):
            with self.subTest(file=file):
                _, told = harness.command("import", "coredns", self.world.write("Corefile", corefile % file))
                self.assertEqual(taken, "the names of this machine's /etc/hosts are taken, too" in told, told)
                left_out = re.search(r"/etc/hosts:\d+: not carried over: localhost", told)
                self.assertEqual(taken, bool(left_out), told)

    def test_a_master_file_stays_one(self):
        whole = "$TTL 60\n@ IN SOA ns1 h 1 60 60 60 60\n@ IN NS ns1\nns1 IN A 10.1.0.2\n"
        corefile = "x.test {\n  file x.zone\n}\n"
        for zone, stays in ((whole, True), (whole.replace("$TTL 60\n", ""), True), (whole + "$GENERATE 1-3 h$ A 10.0.0.$\n", False),
                            (whole.replace("$TTL 60\n", "").replace(" IN", " 60 IN"), True),
                            ("\ufeffmarked 60 IN A 10.1.0.9\n" + whole.replace("$TTL 60\n", "").replace(" IN", " 60 IN"), False)):
            self.world.write("x.zone", zone)
            output, told = self.run_("coredns", corefile)
            text = in_place(output)
            self.assertEqual((stays, not stays), ('file = "%s/x.zone"' % self.world.dir in text, "record_sets" in text), zone)
            self.assertEqual(stays, "x.zone stays a file, which the server's user" in told, told)
        # Of several the first is named.
        for name in ("x", "y", "z"):
            self.world.write(name + ".zone", whole)
        _, told = self.run_("coredns", "".join(corefile.replace("x", name) for name in ("x", "y", "z")))
        self.assertIn("x.zone stays a file, which the server's user has to be let read (and so do 2 others); ", told)
        # What else is in the zone makes records of it all.
        self.world.write("x.zone", whole)
        text = in_place(self.run_("coredns", corefile.replace("}", "  hosts {\n    10.1.0.9 more.x.test\n    fallthrough\n  }\n}"))[0])
        self.assertNotIn("file =", text)
        self.assertIn('"more:A"', text)
        self.assertIn('"ns1:A"', text)
        # A long one that cannot stay one is nothing that people read.
        self.world.write("x.zone", whole + "$GENERATE 1-100 h$ A 10.0.0.$\n")
        output, _ = self.run_("coredns", corefile)
        with open(output) as file:
            self.assertNotIn('"h99', file.read())
        self.assertIn('"h99:A"', in_place(output))


if __name__ == "__main__":
    harness.main()
