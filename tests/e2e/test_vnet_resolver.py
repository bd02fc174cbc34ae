"""The VNet resolver: who is asked depends on which network the client's address belongs to."""

import dns
import harness
import servers

CONFIG = """
subscription = "11111111-2222-3333-4444-555555555555";
region = "westeurope";
workers = 1;
management = { socket = "sluice.sock"; };
identity = { version = "nine"; server = "cloud-1"; };
default_resolver = { targets = ( { address = "198.51.100.53"; } ); };
vnet_resolver = { listen = [ "168.63.129.16:53" ]; };
virtual_networks = (
  { name = "hub"; address_space = [ "10.10.0.0/16" ];
    subnets = ( { name = "dns-in";  prefix = "10.10.0.0/28";  delegation = "Microsoft.Network/dnsResolvers"; },
                { name = "dns-out"; prefix = "10.10.0.16/28"; delegation = "Microsoft.Network/dnsResolvers"; } ); },
  { name = "spoke"; address_space = [ "10.20.0.0/16" ]; },
  { name = "lab"; address_space = [ "10.40.0.0/16" ]; client_prefixes = [ "10.20.99.0/24" ]; },
  { name = "legacy"; address_space = [ "10.30.0.0/16" ]; dns_servers = [ "192.168.0.53" ]; },
  { name = "centralized"; address_space = [ "10.50.0.0/16" ]; dns_servers = [ "10.10.0.4" ]; } );
resolvers = (
  { name = "hub-resolver"; virtual_network = "hub";
    inbound_endpoints  = ( { name = "inbound"; subnet = "dns-in"; allocation = "static"; address = "10.10.0.4"; } );
    outbound_endpoints = ( { name = "outbound"; subnet = "dns-out"; } ); } );
private_zones = (
  { name = "corp.internal"; file = "corp.internal.zone";
    links = ( { name = "hub"; virtual_network = "hub"; } ); },
  { name = "spoke.internal"; file = "spoke.internal.zone";
    links = ( { name = "spoke"; virtual_network = "spoke"; },
              { name = "legacy"; virtual_network = "legacy"; } ); } );
rulesets = (
  { name = "onprem"; outbound_endpoints = [ "hub-resolver/outbound" ];
    links = ( { name = "spoke"; virtual_network = "spoke"; } );
    rules = ( { name = "contoso"; domain = "contoso.corp.";
                targets = ( { address = "192.168.0.54"; } ); },
              { name = "hub"; domain = "corp.internal.";
                targets = ( { address = "10.10.0.4"; } ); } ); } );
"""
VNET = "168.63.129.16"


class VnetResolver(harness.Case):
    @classmethod
    def build(cls, world):
        cls.hub = world.host("hub", "10.10.5.5")
        cls.spoke = world.host("spoke", "10.20.0.5")
        cls.lab = world.host("lab", "10.20.99.5")
        cls.legacy = world.host("legacy", "10.30.0.5")
        cls.central = world.host("central", "10.50.0.5")
        cls.stranger = world.host("stranger", "172.16.0.5")
        cloud = world.host("cloud", VNET, "10.10.0.4", "10.10.0.20")
        onprem = world.host("onprem", "192.168.0.53", "192.168.0.54")
        internet = world.host("internet", "198.51.100.53")
        cls.internet = harness.Upstream(internet, "198.51.100.53", "203.0.113.1")
        cls.custom = harness.Upstream(onprem, "192.168.0.53", "192.0.2.53")
        cls.onprem = servers.unbound(onprem, "192.168.0.54", ["www.contoso.corp A 192.0.2.54"])
        world.write("corp.internal.zone", "web 300 IN A 10.10.1.10\n")
        world.write("spoke.internal.zone", "app 300 IN A 10.20.1.10\n")
        cls.sluice = harness.Sluice(cloud, CONFIG, (VNET, 53))

    def test_a_network_sees_its_own_zones_only(self):
        self.assert_answer(self.hub.ask(VNET, "web.corp.internal"), "10.10.1.10")
        self.assert_answer(self.spoke.ask(VNET, "app.spoke.internal"), "10.20.1.10")
        self.assert_answer(self.hub.ask(VNET, "app.spoke.internal"), "203.0.113.1")

    def test_a_ruleset_counts_in_the_networks_it_is_linked_to(self):
        self.assert_answer(self.spoke.ask(VNET, "www.contoso.corp"), "192.0.2.54")
        self.assertIn("10.10.0.20 www.contoso.corp", self.onprem.log().lower())
        self.assert_answer(self.hub.ask(VNET, "www.contoso.corp"), "203.0.113.1")

    def test_a_spokes_rule_reaches_the_hub(self):
        self.assert_answer(self.spoke.ask(VNET, "web.corp.internal"), "10.10.1.10")
        self.assert_rcode(self.spoke.ask(VNET, "missing.corp.internal"), "NXDOMAIN")

    def test_the_longest_prefix_names_the_network(self):
        self.assert_answer(self.lab.ask(VNET, "app.spoke.internal"), "203.0.113.1")

    def test_custom_dns_servers_are_asked_for_everything(self):
        for name in ("app.spoke.internal", "www.contoso.corp", "www.example.com"):
            self.assert_answer(self.legacy.ask(VNET, name), "192.0.2.53")
        self.assert_rcode(self.legacy.ask(VNET, "servfail.test.example"), "SERVFAIL")
        self.assertEqual([], self.internet.questions("servfail.test.example"))

    def test_a_custom_server_that_is_our_endpoint_is_entered(self):
        self.assert_answer(self.central.ask(VNET, "web.corp.internal"), "10.10.1.10")

    def test_an_inbound_endpoint_asks_in_its_own_network_for_anyone(self):
        for client in (self.spoke, self.legacy, self.stranger):
            self.assert_answer(client.ask("10.10.0.4", "web.corp.internal"), "10.10.1.10")
            self.assert_answer(client.ask("10.10.0.4", "only%s.spoke.internal" % client.name),
                               "203.0.113.1")

    def test_strangers_are_refused_and_told_nothing_else(self):
        nsid = (dns.opt(options=dns.option(dns.OPTION_NSID)),)
        for name, how in (("web.corp.internal", {}), ("www.example.com", {}),
                          ("web.corp.internal", {"opts": nsid}), ("corp.internal", {"rtype": "SOA"}),
                          ("id.server", {"rtype": "TXT", "rclass": dns.CH}),
                          ("version.bind", {"rtype": "TXT", "rclass": dns.CH})):
            for transport in (dns.udp, dns.tcp):
                self.assert_stranger(self.stranger.ask(VNET, name, transport=transport, **how))
        self.assertEqual([], self.internet.questions("web.corp.internal"))
        self.assert_answer(self.hub.ask(VNET, "id.server", "TXT", rclass=dns.CH), "cloud-1")

    def test_strangers_get_neither_a_zone_nor_a_formerr(self):
        self.assert_rcode(self.stranger.ask(VNET, "corp.internal", "AXFR"), "REFUSED")
        broken = dns.query("web.corp.internal", ident=7) + b"behind the end"
        self.assertEqual("FORMERR", dns.Message(self.hub.send((VNET, 53), broken, dns.udp)).rcode)
        self.assertEqual("REFUSED", dns.Message(self.stranger.send((VNET, 53), broken, dns.udp)).rcode)

    def test_one_networks_answers_never_reach_another(self):
        self.assert_answer(self.legacy.ask(VNET, "cache.example.com"), "192.0.2.53")
        self.assert_answer(self.hub.ask(VNET, "cache.example.com"), "203.0.113.1")
        self.assert_answer(self.legacy.ask(VNET, "cache.example.com"), "192.0.2.53")

    def test_getaddrinfo_through_resolv_conf(self):
        for host, name, address in ((self.hub, "web.corp.internal", "10.10.1.10"),
                                    (self.spoke, "www.contoso.corp", "192.0.2.54"),
                                    (self.spoke, "app.spoke.internal", "10.20.1.10"),
                                    (self.legacy, "any.thing.example", "192.0.2.53")):
            status, text = host.with_resolv_conf(VNET, "getent", "ahostsv4", name)
            self.assertEqual((0, address), (status, text.split()[0] if text else None), text)

    def test_getaddrinfo_of_both_families_and_a_missing_name(self):
        status, text = self.hub.with_resolv_conf(VNET, "getent", "ahosts", "web.corp.internal")
        self.assertEqual((0, {"10.10.1.10"}), (status, {line.split()[0] for line in text.splitlines()}))
        status, text = self.hub.with_resolv_conf(VNET, "getent", "ahosts", "missing.corp.internal")
        self.assertNotEqual(0, status, text)

    def test_explain_agrees(self):
        for how, name, word in ((("--vnet", "hub"), "web.corp.internal", "corp.internal"),
                                (("--from", "10.20.0.5"), "www.contoso.corp", "contoso"),
                                (("--from", "10.20.99.5"), "www.contoso.corp", "lab"),
                                (("--vnet", "legacy"), "web.corp.internal", "192.168.0.53"),
                                (("--endpoint", "hub-resolver/inbound"), "web.corp.internal",
                                 "10.10.1.10")):
            status, text = harness.command("explain", "-c", self.sluice.config, name, "A", *how)
            self.assertEqual(0, status, text)
            self.assertIn(word, text)


if __name__ == "__main__":
    harness.main()
