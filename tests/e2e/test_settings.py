"""Settings that change what is seen from outside: IPv6 and wildcard listeners, identity, sizes, workers,
special names; and how long a large file takes. (resolv.conf: test_reload.)"""

import json
import os

import dns
import harness
import hub

CONFIG = """
subscription = "11111111-2222-3333-4444-555555555555";
region = "westeurope";
management = { socket = "sluice.sock"; };
%(more)s
""" + hub.hub("%(listen)s", "%(source)s") + hub.zone_and_rule('address = "%(target)s";')
ZONE = "web 300 IN A 10.10.1.10\n" + "".join(
    'big 300 IN TXT "%s"\n' % (chr(65 + i) * 100) for i in range(20))
DEFAULT = 'default_resolver = { targets = ( { address = "198.51.100.53"; } ); };'


class Settings(harness.FreshCase):
    def build(self, world):
        self.client = world.host("client", "10.20.0.5", "fd00:20::5")
        self.cloud = world.host("cloud", "10.10.0.4", "10.10.0.5", "10.10.0.20", "fd00:10::4",
                                "fd00:10::20")
        self.far = world.host("far", "192.168.0.1", "198.51.100.53", "fd00:30::1")
        world.write("corp.internal.zone", ZONE)

    def start(self, server, more=DEFAULT, listen="10.10.0.4:53", source="10.10.0.20",
              target="192.168.0.1", **how):
        text = CONFIG % {"more": more, "listen": listen, "source": source, "target": target}
        self.sluice = harness.Sluice(self.cloud, text, (server, 53), **how)

    def test_ipv6_from_end_to_end(self):
        upstream = harness.Upstream(self.far, "fd00:30::1", "192.0.2.1")
        self.start("fd00:10::4", listen="[fd00:10::4]:53", source="fd00:10::20",
                   target="fd00:30::1")
        for transport in (dns.udp, dns.tcp):
            answer = self.client.ask("fd00:10::4", "www.contoso.corp", transport=transport)
            self.assert_answer(answer, "192.0.2.1")
        self.assert_answer(self.client.ask("fd00:10::4", "tc.contoso.corp"), "192.0.2.1")
        self.assertEqual({"fd00:10::20"}, {q["from"] for q in upstream.questions("tc.contoso.corp")})

    def test_a_wildcard_listener_answers_from_the_address_that_was_asked(self):
        self.start("10.10.0.4", listen="0.0.0.0:53")
        for address in ("10.10.0.4", "10.10.0.5", "10.10.0.20"):
            self.assert_answer(self.client.ask(address, "web.corp.internal"), "10.10.1.10")
        self.sluice.stop()
        self.start("fd00:10::4", listen="[::]:53", name="sluice6")
        for address in ("fd00:10::4", "fd00:10::20"):
            self.assert_answer(self.client.ask(address, "web.corp.internal"), "10.10.1.10")

    def test_four_workers_answer_alike(self):
        upstream = harness.Upstream(self.far, "192.168.0.1", "192.0.2.1")
        self.start("10.10.0.4", "workers = 4;\n" + DEFAULT)
        packets = [dns.query("%s%d.%s" % (label, i, zone)) for i in range(200)
                   for label, zone in (("x", "corp.internal"), ("y", "contoso.corp"))]
        with self.client.inside():
            answers = [dns.Message(a) for a in dns.udp_many(packets, ("10.10.0.4", 53))]
        self.assertEqual({"NXDOMAIN"}, {a.rcode for a in answers[::2]})
        self.assertEqual({"192.0.2.1"}, {a.texts()[0] for a in answers[1::2]})
        self.assertEqual(200, len({q["name"] for q in upstream.questions()
                                   if q["name"].startswith("y")}))

    def test_identity_is_told_when_configured(self):
        self.start("10.10.0.4", DEFAULT + '\nidentity = { version = "nine"; server = "node-7"; };')
        for name, text in (("version.bind", "nine"), ("id.server", "node-7")):
            self.assert_answer(self.client.ask("10.10.0.4", name, "TXT", rclass=dns.CH), text)
        answer = self.client.ask("10.10.0.4", "web.corp.internal",
                                 opts=(dns.opt(options=dns.option(dns.OPTION_NSID)),))
        self.assertEqual([(dns.OPTION_NSID, b"node-7")], answer.options)
        self.assertEqual([], self.client.ask("10.10.0.4", "web.corp.internal").options)

    def test_a_larger_payload_is_sent_when_configured(self):
        self.start("10.10.0.4", DEFAULT + "\nudp = { payload_max = 4096; };")
        answer = self.client.ask("10.10.0.4", "big.corp.internal", "TXT", opts=(dns.opt(4096),))
        self.assertEqual((0, 20), (answer.flags & dns.TC, len(answer.answer)))
        answer = self.client.ask("10.10.0.4", "big.corp.internal", "TXT", opts=(dns.opt(1400),))
        self.assertTrue(answer.flags & dns.TC)

    def test_special_names_are_forwarded_when_configured(self):
        harness.Upstream(self.far, "198.51.100.53", "203.0.113.1")
        self.start("10.10.0.4", DEFAULT.replace("{ targets", '{ special_names = "forward"; targets'))
        for name in ("x.local", "x.test", "nas.home.arpa"):
            self.assert_answer(self.client.ask("10.10.0.4", name), "203.0.113.1")

    def test_status_is_json_on_request(self):
        harness.Upstream(self.far, "192.168.0.1", "192.0.2.1")
        self.start("10.10.0.4")

        def counted(number):
            before = self.target()
            self.client.ask("10.10.0.4", "n%d.contoso.corp" % number)
            after = self.target()
            self.assertEqual((1, 1), tuple(after[key] - before[key] for key in ("asked", "answered")))
        self.unless_late(counted)

    def target(self):
        status, text = self.sluice.command("status", "--json")
        self.assertEqual(0, status, text)
        found = [t for t in json.loads(text)["targets"] if t["host"].startswith("192.168.0.1")]
        self.assertEqual(1, len(found), text)
        return found[0]

    def test_logs_are_one_line_an_event_and_never_a_query(self):
        self.start("10.10.0.4", DEFAULT + '\nlog = { level = "debug"; format = "json"; };')
        for i in range(20):
            self.client.ask("10.10.0.4", "secret%d.corp.internal" % i)
        self.assertEqual(0, self.sluice.stop())
        lines = self.sluice.log().splitlines()
        self.assertTrue(lines)
        for line in lines:
            self.assertIsInstance(json.loads(line), dict, line)
        self.assertNotIn("secret", self.sluice.log())


class LargeFile(harness.FreshCase):
    def test_1000_rules_500_links_6_targets_take_ten_times_what_a_tenth_takes(self):
        """And not a hundred times. Of the processor's time, and of the shortest of a few: what else the
        machine does is no fault of the file's reader."""
        small, large = (min(self.seconds(size) for _ in range(5)) for size in (100, 1000))
        self.assertLess(large, 30 * small)

    def seconds(self, size):
        targets = ", ".join('{ address = "192.168.1.%d"; }' % (i + 1) for i in range(6))
        networks = ",\n".join('{ name = "n%d"; address_space = [ "10.%d.%d.0/24" ]; }'
                              % (i, 20 + i // 250, i % 250) for i in range(size // 2))
        links = ",\n".join('{ name = "l%d"; virtual_network = "n%d"; }' % (i, i)
                           for i in range(size // 2))
        rules = ",\n".join('{ name = "r%d"; domain = "r%d.corp."; targets = ( %s ); }'
                           % (i, i, targets) for i in range(size))
        text = CONFIG % {"more": DEFAULT, "listen": "127.0.0.1:53", "source": "10.10.0.20",
                         "target": "192.168.0.1"}
        text = text.replace("virtual_networks = (", "virtual_networks = ( %s," % networks)
        start = text.index("links = ( { name = \"hub\"; virtual_network = \"hub\"; } );\n    rules")
        text = text[:start] + "links = ( %s ); rules = ( %s ); } );\n" % (links, rules)
        self.world.write("corp.internal.zone", ZONE)
        path = self.world.write("sluice.conf", text)
        before = os.times()
        status, text = harness.command("check", "-c", path)
        after = os.times()
        self.assertEqual(0, status, text[:2000])
        self.assertIn("%d rules" % size, text)
        return sum(after[2:4]) - sum(before[2:4])


if __name__ == "__main__":
    harness.main()
