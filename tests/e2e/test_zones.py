"""Private zones over the wire, read by dig, kdig and drill: what RFC 1034, 2308, 4592 and 6672 say,
and where a chain leaves a zone: into a rule, the default resolver, or Private Link."""

import dns
import harness
import hub

CONFIG = """
subscription = "11111111-2222-3333-4444-555555555555";
region = "westeurope";
workers = 1;
management = { socket = "sluice.sock"; };
default_resolver = { targets = ( { address = "198.51.100.53"; } ); };
""" + hub.hub(source="10.10.0.20") + """
private_zones = (
  { name = "corp.internal"; file = "corp.internal.zone"; links = ( { name = "hub"; virtual_network = "hub"; } ); },
  { name = "eu.corp.internal"; file = "eu.zone"; links = ( { name = "hub"; virtual_network = "hub"; } ); },
  { name = "unlinked.internal"; file = "eu.zone"; },
  { name = "1.10.in-addr.arpa"; file = "reverse.zone"; links = ( { name = "hub"; virtual_network = "hub"; } ); },
  { name = "privatelink.blob.core.windows.net"; file = "blob.zone";
    links = ( { name = "hub"; virtual_network = "hub"; resolution_policy = "NxDomainRedirect"; } ); },
  { name = "privatelink.file.core.windows.net"; file = "blob.zone";
    links = ( { name = "hub"; virtual_network = "hub"; } ); } );
rulesets = (
  { name = "onprem"; outbound_endpoints = [ "hub-resolver/outbound" ];
    links = ( { name = "hub"; virtual_network = "hub"; } );
    rules = ( { name = "contoso"; domain = "contoso.corp."; targets = ( { address = "192.168.0.1"; } ); },
              { name = "follow"; domain = "follow.corp."; follow_cname = true;
                targets = ( { address = "192.168.0.1"; } ); },
              { name = "shadowed"; domain = "deep.corp.internal."; targets = ( { address = "192.168.0.1"; } ); } ); } );
"""

ZONE = r"""
$TTL 300
@       IN SOA ns hostmaster 7 3600 600 86400 60
@       IN NS  ns
@       IN TXT "the apex"
ns      IN A 10.10.0.4
web     IN A 10.10.1.10
        IN A 10.10.1.11
web     IN AAAA fd00::10
mail    IN MX 10 web
_sip._udp IN SRV 1 2 5060 web
alias   IN CNAME web
twice   IN CNAME alias
away    IN CNAME www.contoso.corp.
public  IN CNAME www.example.com.
gone    IN CNAME nx.contoso.corp.
broken  IN CNAME servfail.contoso.corp.
cousin  IN CNAME app.eu
loop1   IN CNAME loop2
loop2   IN CNAME loop1
*.wild  IN A 10.10.9.9
*.wild  IN TXT "from the wildcard"
host.wild IN AAAA fd00::99
a.ent.wild IN A 10.10.9.8
*.cwild IN CNAME web
tree    IN DNAME contoso.corp.
odd     IN TYPE65280 \# 4 0a000001
"""
SOA_TEXT = "ns.corp.internal. hostmaster.corp.internal. 7 3600 600 86400 60"
HERE = "10.10.0.4"
CLIENTS = ("dig", "kdig", "drill")


class Zones(harness.Case):
    @classmethod
    def build(cls, world):
        cls.client = world.host("client", "10.20.0.5")
        cloud = world.host("cloud", HERE, "10.10.0.20")
        onprem = world.host("onprem", "192.168.0.1")
        internet = world.host("internet", "198.51.100.53")
        cls.onprem = harness.Upstream(onprem, "192.168.0.1", "192.0.2.1")
        cls.internet = harness.Upstream(internet, "198.51.100.53", "203.0.113.1")
        world.write("corp.internal.zone", ZONE)
        world.write("eu.zone", "app 300 IN A 10.10.3.3\n")
        world.write("reverse.zone", "10.1 300 IN PTR web.corp.internal.\n")
        world.write("blob.zone", "data 300 IN A 10.10.2.5\n")
        cls.sluice = harness.Sluice(cloud, CONFIG, (HERE, 53))

    def ask(self, name, rtype="A", **how):
        return self.client.ask(HERE, name, rtype, **how)

    def test_every_client_reads_an_answer(self):
        for client in CLIENTS:
            with self.subTest(client=client):
                dig = self.client.dig(HERE, "web.corp.internal", client=client)
                self.assertEqual(("NOERROR", ["10.10.1.10", "10.10.1.11"]),
                                 (dig.rcode, sorted(dig.texts)), dig.text)
                self.assertLessEqual({"qr", "aa", "rd", "ra"}, dig.flags)
                self.assertNotIn("ad", dig.flags)

    def test_every_client_reads_a_negative_answer(self):
        for client in CLIENTS:
            with self.subTest(client=client):
                dig = self.client.dig(HERE, "missing.corp.internal", client=client)
                self.assertEqual("NXDOMAIN", dig.rcode, dig.text)
                self.assertEqual([["corp.internal.", "60", "IN", "SOA", SOA_TEXT]],
                                 [[f.strip() for f in line] for line in dig.authority], dig.text)

    def test_nodata_has_the_soa_with_the_negative_ttl(self):
        answer = self.ask("web.corp.internal", "MX")
        self.assert_answer(answer)
        self.assertEqual([("SOA", 60, SOA_TEXT)],
                         [(r.type, r.ttl, r.text) for r in answer.authority])
        self.assertTrue(answer.flags & dns.AA)

    def test_types_are_served_as_they_are(self):
        self.assert_answer(self.ask("web.corp.internal", "AAAA"), "fd00::10")
        self.assertEqual(["10 web.corp.internal."],
                         self.client.dig(HERE, "mail.corp.internal", "MX").texts)
        self.assertEqual(["1 2 5060 web.corp.internal."],
                         self.client.dig(HERE, "_sip._udp.corp.internal", "SRV").texts)
        self.assert_answer(self.ask("odd.corp.internal", 65280), "0a000001")

    def test_the_apex_has_its_soa_ns_and_data(self):
        self.assert_answer(self.ask("corp.internal", "SOA"), SOA_TEXT)
        self.assert_answer(self.ask("corp.internal", "NS"), "ns.corp.internal.")
        self.assert_answer(self.ask("corp.internal", "TXT"), "the apex")

    def test_a_zone_without_soa_gets_one(self):
        answer = self.ask("missing.eu.corp.internal")
        self.assert_rcode(answer, "NXDOMAIN")
        self.assertEqual([("eu.corp.internal.", "SOA")],
                         [(r.name, r.type) for r in answer.authority])

    def test_the_longest_zone_wins(self):
        self.assert_answer(self.ask("app.eu.corp.internal"), "10.10.3.3")

    def test_an_unlinked_zone_is_not_there(self):
        self.assert_answer(self.ask("app.unlinked.internal"), "203.0.113.1")

    def test_a_zone_beats_a_more_specific_rule(self):
        self.assert_rcode(self.ask("www.deep.corp.internal"), "NXDOMAIN")
        self.assertEqual([], self.onprem.questions("www.deep.corp.internal"))

    def test_cnames_within_a_zone(self):
        answer = self.ask("twice.corp.internal", "AAAA")
        self.assertEqual(["alias.corp.internal.", "web.corp.internal.", "fd00::10"], answer.texts())
        self.assertTrue(answer.flags & dns.AA)
        self.assert_answer(self.ask("twice.corp.internal", "CNAME"), "alias.corp.internal.")

    def test_a_cname_into_another_zone(self):
        self.assertEqual(["app.eu.corp.internal.", "10.10.3.3"],
                         self.ask("cousin.corp.internal").texts())

    def test_a_cname_into_a_rule(self):
        answer = self.ask("away.corp.internal")
        self.assertEqual(["www.contoso.corp.", "192.0.2.1"], answer.texts())
        self.assertTrue(answer.flags & dns.AA, "the first owner is our own (RFC 6604)")

    def test_a_cname_into_the_default_resolver(self):
        self.assertEqual(["www.example.com.", "203.0.113.1"],
                         self.ask("public.corp.internal").texts())

    def test_the_rcode_is_the_last_targets(self):
        answer = self.ask("gone.corp.internal")
        self.assert_answer(answer, "nx.contoso.corp.", rcode="NXDOMAIN")

    def test_a_hop_that_fails_is_servfail(self):
        self.assert_rcode(self.ask("broken.corp.internal"), "SERVFAIL")

    def test_a_loop_of_cnames_is_cut(self):
        self.assertEqual(["loop2.corp.internal.", "loop1.corp.internal."],
                         self.ask("loop1.corp.internal").texts())

    def test_rd_0_ends_a_chain_where_our_own_data_ends(self):
        answer = self.ask("public.corp.internal", flags=0, ident=1)
        self.assertEqual("NOERROR", answer.rcode)
        self.assertIn("www.example.com.", answer.texts())
        self.assert_answer(self.ask("web.corp.internal", flags=0), "10.10.1.10", "10.10.1.11")

    def test_wildcards_by_rfc_4592(self):
        self.assert_answer(self.ask("x.wild.corp.internal"), "10.10.9.9")
        self.assert_answer(self.ask("x.y.wild.corp.internal"), "10.10.9.9")
        self.assertEqual("x.wild.corp.internal.", self.ask("x.wild.corp.internal").answer[0].name)
        self.assert_answer(self.ask("x.wild.corp.internal", "MX"))
        self.assert_answer(self.ask("host.wild.corp.internal"))
        self.assert_answer(self.ask("ent.wild.corp.internal"))
        self.assert_rcode(self.ask("x.ent.wild.corp.internal"), "NXDOMAIN")
        self.assert_answer(self.ask("wild.corp.internal"))
        self.assertEqual(["web.corp.internal.", "10.10.1.10", "10.10.1.11"],
                         self.ask("x.cwild.corp.internal").texts())

    def test_dname_leads_into_a_rule(self):
        answer = self.ask("www.tree.corp.internal")
        self.assertEqual(["DNAME", "CNAME", "A"], [r.type for r in answer.answer])
        self.assertEqual(["contoso.corp.", "www.contoso.corp.", "192.0.2.1"], answer.texts())

    def test_any_gives_one_rrset(self):
        answer = self.ask("web.corp.internal", "ANY")
        self.assertEqual(1, len({r.type for r in answer.answer}), answer)
        answer = self.ask("www.contoso.corp", "ANY")
        self.assertEqual(["HINFO"], [r.type for r in answer.answer])
        self.assertEqual([], [q for q in self.onprem.questions("www.contoso.corp")
                              if q["type"] == 255])

    def test_a_reverse_zone(self):
        dig = self.client.dig(HERE, "10.1.1.10.in-addr.arpa", "PTR")
        self.assertEqual(["web.corp.internal."], dig.texts, dig.text)

    def test_special_names_never_leave(self):
        for name, rcode, texts in (("localhost", "NOERROR", ["127.0.0.1"]),
                                   ("x.invalid", "NXDOMAIN", []), ("a.b.test", "NXDOMAIN", []),
                                   ("printer.local", "NXDOMAIN", []), ("x.onion", "NXDOMAIN", []),
                                   ("1.0.168.192.in-addr.arpa", "NXDOMAIN", [])):
            with self.subTest(name=name):
                self.assert_answer(self.ask(name), *texts, rcode=rcode)
                self.assertEqual([], self.internet.questions(name))
        self.assert_answer(self.ask("www.example"), "203.0.113.1")

    def test_private_link_is_finished_in_the_zone(self):
        name = "alias--data-privatelink-blob-core-windows-net.blob.core.windows.net"
        answer = self.ask(name)
        self.assertEqual(["data.privatelink.blob.core.windows.net.", "10.10.2.5"], answer.texts())
        self.assertFalse(answer.flags & dns.AA, "the first owner was not our own")
        self.assertEqual(["data.privatelink.blob.core.windows.net.", "10.10.2.5"],
                         self.ask(name).texts(), "from the cache the same")

    def test_a_redirect_asks_the_default_resolver_for_what_is_missing(self):
        self.assert_answer(self.ask("other.privatelink.blob.core.windows.net"), "203.0.113.1")
        self.assert_answer(self.ask("data.privatelink.blob.core.windows.net"), "10.10.2.5")
        self.assert_answer(self.ask("data.privatelink.blob.core.windows.net", "AAAA"))
        self.assert_rcode(self.ask("other.privatelink.blob.core.windows.net", "MX"), "NXDOMAIN")
        self.assert_rcode(self.ask("other.privatelink.file.core.windows.net"), "NXDOMAIN")

    def test_data_behind_a_cname_of_the_default_resolver_is_cut(self):
        name = "full--data-privatelink-blob-core-windows-net.blob.core.windows.net"
        for _ in range(2):
            self.assertEqual(["data.privatelink.blob.core.windows.net.", "10.10.2.5"],
                             self.ask(name).texts())

    def test_a_rules_answer_with_data_is_final(self):
        for _ in range(2):
            self.assertEqual(["web.corp.internal.", "192.0.2.1"],
                             self.ask("full--web-corp-internal.contoso.corp").texts())

    def test_a_rule_that_follows_cnames(self):
        for _ in range(2):
            self.assertEqual(["web.corp.internal.", "10.10.1.10", "10.10.1.11"],
                             self.ask("full--web-corp-internal.follow.corp").texts())

    def test_a_chain_without_data_goes_on_where_another_route_decides(self):
        answer = self.ask("dangling--web-corp-internal.contoso.corp")
        self.assert_answer(answer, "web.corp.internal.", "10.10.1.10", "10.10.1.11")
        answer = self.ask("dangling--nx-contoso-corp.contoso.corp")
        self.assert_answer(answer, "nx.contoso.corp.", rcode="NXDOMAIN")

    def test_ds_is_decided_like_every_type(self):
        self.assert_answer(self.ask("web.corp.internal", "DS"))
        self.assert_answer(self.ask("www.contoso.corp", "DS"))


if __name__ == "__main__":
    harness.main()
