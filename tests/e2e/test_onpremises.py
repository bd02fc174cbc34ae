"""The other direction: on-premises servers whose conditional forwarder points at our inbound
endpoint, as an operator would set them up: Unbound, BIND and dnsmasq."""

import harness
import hub
import servers

CONFIG = """
subscription = "11111111-2222-3333-4444-555555555555";
region = "westeurope";
workers = 1;
management = { socket = "sluice.sock"; };
default_resolver = { targets = ( { address = "198.51.100.53"; } ); };
""" + hub.hub() + """
private_zones = (
  { name = "corp.internal"; file = "corp.internal.zone";
    links = ( { name = "hub"; virtual_network = "hub"; } ); },
  { name = "privatelink.blob.core.windows.net"; file = "privatelink.zone";
    links = ( { name = "hub"; virtual_network = "hub"; } ); } );
"""

ZONE = """\
$TTL 300
web IN A 10.10.1.10
alias IN CNAME web
outside IN CNAME www.example.com.
big IN TXT %s
""" % "\n  IN TXT ".join('"%s"' % (chr(65 + i) * 200) for i in range(15))

PRIVATELINK = "data 300 IN A 10.10.2.5\n"


class OnPremises(harness.Case):
    @classmethod
    def build(cls, world):
        cls.client = world.host("client", "192.168.0.5")
        cloud = world.host("cloud", "10.10.0.4")
        internet = world.host("internet", "198.51.100.53")
        cls.internet = harness.Upstream(internet, "198.51.100.53", "203.0.113.1")
        world.write("corp.internal.zone", ZONE)
        world.write("privatelink.zone", PRIVATELINK)
        cls.sluice = harness.Sluice(cloud, CONFIG, ("10.10.0.4", 53))
        forwards = {"corp.internal": "10.10.0.4", "blob.core.windows.net": "10.10.0.4"}
        hosts = {name: world.host(name, address) for name, address in (
            ("unbound", "192.168.0.53"), ("bind", "192.168.0.54"), ("dnsmasq", "192.168.0.55"))}
        servers.unbound(hosts["unbound"], "192.168.0.53", forwards=forwards)
        servers.bind(hosts["bind"], "192.168.0.54", forwards)
        servers.dnsmasq(hosts["dnsmasq"], "192.168.0.55",
                        *("server=/%s/%s" % item for item in forwards.items()))

    def each(self):
        for name, address in (("unbound", "192.168.0.53"), ("bind", "192.168.0.54"),
                              ("dnsmasq", "192.168.0.55")):
            with self.subTest(server=name):
                yield address

    def test_a_private_zone_is_reached(self):
        for server in self.each():
            self.assert_answer(self.client.ask(server, "web.corp.internal"), "10.10.1.10")

    def test_a_cname_within_the_zone(self):
        for server in self.each():
            self.assert_answer(self.client.ask(server, "alias.corp.internal"),
                               "web.corp.internal.", "10.10.1.10")

    def test_a_missing_name_is_nxdomain(self):
        for server in self.each():
            self.assert_rcode(self.client.ask(server, "missing.corp.internal"), "NXDOMAIN")

    def test_a_missing_type_is_nodata(self):
        for server in self.each():
            self.assert_answer(self.client.ask(server, "web.corp.internal", "AAAA"))

    def test_a_large_answer_comes_by_tcp(self):
        for server in self.each():
            dig = self.client.dig(server, "big.corp.internal", "TXT")
            self.assertEqual(15, len(dig.answer), dig.text)

    def test_private_link_is_seen_from_on_premises(self):
        for server in self.each():
            name = "alias--data-privatelink-blob-core-windows-net.blob.core.windows.net"
            dig = self.client.dig(server, name)
            self.assertIn("10.10.2.5", dig.texts, dig.text)


if __name__ == "__main__":
    harness.main()
