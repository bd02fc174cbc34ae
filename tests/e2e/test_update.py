"""Clients that register by DNS UPDATE: nsupdate with a key and without, messages as Kea's D2 sends them.
What was registered outlives the server, and who may not changes nothing."""

import os

import harness

CLOUD, FRIEND, OTHER = "10.10.0.4", "10.10.7.4", "10.10.7.5"
SECOND, SIXTH = "10.10.0.5", "fd00:10::5"  # of the endpoints, which listen on all addresses
SECRET, WRONG = "c2x1aWNlIHJlZ2lzdGVycyBtYWNoaW5lcyBoZXJlIQ==", "d3Jvbmctb25lLTAxMjM0NTY3ODk="
DHCID = "AAIBY2/AuCccgoJbsaxcQc9TUapptP69lOjxfNuVAA2kjEA="
CONFIG = """
workers = 2;
management = { socket = "control.sock"; state = "state.db"; };
default_resolver = { targets = ( { address = "127.0.0.3"; } ); };
keys = ( { name = "dhcp"; secret = "%(secret)s"; }, { name = "vm7.corp.internal"; secret = "%(secret)s"; } );
virtual_networks = (
  { name = "hub"; address_space = [ "10.10.0.0/16" ];
    subnets = ( { name = "dns-in"; prefix = "10.10.0.0/28"; delegation = "Microsoft.Network/dnsResolvers"; },
      { name = "dns-in6"; prefix = "10.10.0.16/28"; delegation = "Microsoft.Network/dnsResolvers"; } ); } );
resolvers = (
  { name = "r"; virtual_network = "hub";
    inbound_endpoints = ( { name = "in"; subnet = "dns-in"; allocation = "static"; address = "10.10.0.4"; listen = "0.0.0.0:53"; },
      { name = "six"; subnet = "dns-in6"; allocation = "static"; address = "10.10.0.20"; listen = "[::]:53"; } ); } );
private_zones = ( { name = "corp.internal"; record_sets = ( { name = "www:A"; ttl = 300; records = [ "10.0.0.1" ]; } );
    links = ( { name = "hub"; virtual_network = "hub"; } ); } );
registration = ( { zone = "corp.internal"; prefixes = [ "10.10.0.0/16" ]; own_address = true;
    keys = ( { key = "dhcp"; }, { key = "vm7.corp.internal"; names = "self"; } ); } );
transfers = ( { zones = [ "corp.internal" ]; allow = [ "10.10.7.5/32" ]; } );
"""


class Updates(harness.FreshCase):
    def build(self, world):
        self.host = world.host("cloud", CLOUD, SECOND, SIXTH, FRIEND, OTHER)
        self.start()

    def start(self):
        self.sluice = harness.Sluice(self.host, CONFIG % {"secret": SECRET}, (CLOUD, 53))
        self.sluice.wait_managed()

    def nsupdate(self, *lines, key="dhcp", secret=SECRET, tcp=False, source=FRIEND):
        """What nsupdate says of it: an rcode, or NOERROR."""
        script = "\n".join(["server " + CLOUD, "local " + source, *lines, "send", ""])
        argv = ["nsupdate", "-t", "20"] + (["-v"] if tcp else [])
        argv += ["-y", "hmac-sha256:%s:%s" % (key, secret)] if key else []
        status, text = self.host.run(*argv, input=script)
        self.assertEqual(text == "", status == 0, text)
        return text.split("update failed: ")[-1].strip() if text else "NOERROR"

    def find_and_update(self, nameserver, *lines):
        """The same without being told where to send, or which zone it is."""
        status, text = self.host.with_resolv_conf(
            nameserver, "nsupdate", "-t", "20", "-y", "hmac-sha256:dhcp:" + SECRET, input="\n".join([*lines, "send", ""]))
        self.assertEqual((0, ""), (status, text))

    def dig(self, server, name, rtype, *options):
        """The records of the answer, and those beside it."""
        dug = self.host.dig(server, name, rtype, "+noall", "+answer", "+authority", *options)
        return [line.split() for line in dug.text.splitlines()]

    def lookup(self, name, rtype="A"):
        return self.host.ask(CLOUD, name, rtype)

    def registered(self, name, *texts, rtype="A"):
        self.assert_answer(self.lookup(name, rtype), *texts)

    def gone(self, name, rtype="A"):
        self.assert_rcode(self.lookup(name, rtype), "NXDOMAIN")

    def test_with_a_key_it_is_there_at_once_and_outlives_the_server(self):
        self.gone("vm1.corp.internal")
        self.assertEqual("NOERROR", self.nsupdate("zone corp.internal", "add vm1.corp.internal 600 A 10.10.7.4"))
        answer = self.lookup("vm1.corp.internal")
        self.assert_answer(answer, "10.10.7.4")
        self.assertEqual(10, answer.answer[0].ttl)
        ptr = harness.reverse_name("10.10.7.4")
        self.assertEqual("NOERROR", self.nsupdate("zone 10.10.in-addr.arpa", "add %s 600 PTR vm1.corp.internal" % ptr))
        self.registered(ptr, "vm1.corp.internal.", rtype="PTR")
        soa = self.lookup(harness.reverse_name("10.10.7.99"), "PTR")
        self.assertEqual(("NXDOMAIN", "10.10.in-addr.arpa."), (soa.rcode, soa.authority[0].name))
        self.sluice.kill()
        self.start()
        self.registered("vm1.corp.internal", "10.10.7.4")
        self.registered(ptr, "vm1.corp.internal.", rtype="PTR")
        self.assertEqual("NOERROR", self.nsupdate("zone corp.internal", "del vm1.corp.internal"))
        self.gone("vm1.corp.internal")
        self.sluice.kill()
        self.start()
        self.gone("vm1.corp.internal")
        self.registered(ptr, "vm1.corp.internal.", rtype="PTR")

    def test_who_may_not_changes_nothing(self):
        add = ("zone corp.internal", "add vm1.corp.internal 600 A 10.10.7.4")
        for expected, how in (
                ("NOTAUTH(BADSIG)", {"secret": WRONG}), ("NOTAUTH(BADKEY)", {"key": "nobody"}),
                ("REFUSED", {"key": None}), ("REFUSED", {"key": "vm7.corp.internal"})):
            with self.subTest(how=how):
                self.assertIn(expected, self.nsupdate(*add, **how))
                self.gone("vm1.corp.internal")
        self.assertIn("NOTAUTH", self.nsupdate("zone other.internal", "add vm1.other.internal 600 A 10.10.7.4"))
        self.assertIn("REFUSED", self.nsupdate("zone corp.internal", "add vm1.corp.internal 600 A 192.0.2.1"))
        self.assertIn("REFUSED", self.nsupdate("zone corp.internal", "add vm1.corp.internal 600 MX 10 www"))
        self.gone("vm1.corp.internal")
        self.assertEqual("NOERROR", self.nsupdate("zone corp.internal", "add vm7.corp.internal 60 A 10.10.7.7",
                                                  key="vm7.corp.internal"))
        self.registered("vm7.corp.internal", "10.10.7.7")

    def test_the_zones_own_records_stay_and_take_precedence(self):
        self.assertEqual("NOERROR", self.nsupdate("zone corp.internal", "del www.corp.internal"))
        self.registered("www.corp.internal", "10.0.0.1")
        self.assertEqual("NOERROR", self.nsupdate("zone corp.internal", "add www.corp.internal 60 A 10.10.7.9"))
        self.registered("www.corp.internal", "10.0.0.1")
        self.assertIn("YXDOMAIN", self.nsupdate("zone corp.internal", "prereq nxdomain www.corp.internal",
                                                "add www.corp.internal 60 A 10.10.7.8"))

    def test_as_kea_does_it(self):
        first = ("zone corp.internal", "prereq nxdomain vm2.corp.internal", "add vm2.corp.internal 600 A %s",
                 "add vm2.corp.internal 600 DHCID " + DHCID)
        again = ("zone corp.internal", "prereq yxdomain vm2.corp.internal",
                 "prereq yxrrset vm2.corp.internal DHCID " + DHCID, "del vm2.corp.internal A",
                 "add vm2.corp.internal 600 A %s")
        use = lambda lines, address: self.nsupdate(*[line.replace("%s", address) for line in lines])
        self.assertEqual("NOERROR", use(first, "10.10.7.20"))
        self.assertIn("YXDOMAIN", use(first, "10.10.7.21"))
        self.assertEqual("NOERROR", use(again, "10.10.7.21"))
        self.registered("vm2.corp.internal", "10.10.7.21")
        self.assertEqual("NOERROR", self.nsupdate(
            "zone corp.internal", "prereq yxrrset vm2.corp.internal DHCID " + DHCID, "del vm2.corp.internal A 10.10.7.21"))
        self.assertEqual("NOERROR", self.nsupdate(
            "zone corp.internal", "prereq yxrrset vm2.corp.internal DHCID " + DHCID,
            "prereq nxrrset vm2.corp.internal A", "prereq nxrrset vm2.corp.internal AAAA", "del vm2.corp.internal"))
        self.gone("vm2.corp.internal")

    def test_without_a_key_a_machine_registers_itself_by_tcp(self):
        add = ("zone corp.internal", "add vm4.corp.internal 60 A " + FRIEND)
        self.assertIn("REFUSED", self.nsupdate(*add, key=None))
        self.assertIn("REFUSED", self.nsupdate(*add, key=None, tcp=True, source=OTHER))
        self.gone("vm4.corp.internal")
        self.assertEqual("NOERROR", self.nsupdate(*add, key=None, tcp=True))
        self.registered("vm4.corp.internal", FRIEND)
        ptr = harness.reverse_name(FRIEND)
        self.assertEqual("NOERROR", self.nsupdate("zone 10.10.in-addr.arpa", "add %s 60 PTR vm4.corp.internal" % ptr,
                                                  key=None, tcp=True))
        self.registered(ptr, "vm4.corp.internal.", rtype="PTR")
        for name in ("www", "wpad", "isatap"):
            self.assertIn("REFUSED", self.nsupdate("zone corp.internal", "add %s.corp.internal 60 A %s" % (name, FRIEND),
                                                   key=None, tcp=True))

    def test_a_reload_keeps_what_is_registered(self):
        self.assertEqual("NOERROR", self.nsupdate("zone corp.internal", "add vm1.corp.internal 600 A 10.10.7.4"))
        status, text = self.sluice.command("reload")
        self.assertEqual(0, status, text)
        self.registered("vm1.corp.internal", "10.10.7.4")
        status, text = self.sluice.command("record", "set", "corp.internal", "new", "A", "10.0.0.2")
        self.assertEqual(0, status, text)
        self.registered("vm1.corp.internal", "10.10.7.4")
        self.registered("new.corp.internal", "10.0.0.2")
        status, text = self.sluice.command("export")
        self.assertNotIn("vm1", text)

    def test_without_being_told_a_client_finds_where_to_send(self):
        ptr = harness.reverse_name("10.10.7.20")
        for number, nameserver in enumerate((CLOUD, SECOND)):
            name = "vm%d.corp.internal" % number
            self.find_and_update(nameserver, "add %s 600 A 10.10.7.20" % name)
            self.registered(name, "10.10.7.20")
            self.find_and_update(nameserver, "del %s PTR" % ptr, "add %s 600 PTR %s" % (ptr, name))
            self.registered(ptr, name + ".", rtype="PTR")
        for zone in ("corp.internal.", "10.10.in-addr.arpa."):
            (answered,) = self.dig(CLOUD, zone, "SOA")
            with self.subTest(zone=zone):
                self.assertEqual([zone, "3600", "IN", "SOA", "ns." + zone, "hostmaster." + zone], answered[:6])
                self.assertEqual([[zone, "3600", "IN", "NS", "ns." + zone]], self.dig(CLOUD, zone, "NS"))
                nothing = [[zone, "300", *answered[2:]]]
                for server, rtype, other in ((CLOUD, "A", "AAAA"), (SECOND, "A", "AAAA"), (SIXTH, "AAAA", "A")):
                    for option in ("+notcp", "+tcp"):
                        self.assertEqual([["ns." + zone, "10", "IN", rtype, server]],
                                         self.dig(server, "ns." + zone, rtype, option))
                        self.assertEqual(nothing, self.dig(server, "ns." + zone, other, option))
        self.assertIn("REFUSED", self.nsupdate("zone corp.internal", "add ns.corp.internal 60 A " + FRIEND))
        self.assertEqual([["ns.corp.internal.", "10", "IN", "A", CLOUD]], self.dig(CLOUD, "ns.corp.internal", "A"))

    def test_what_goes_out_by_transfer_has_the_soa_that_is_answered(self):
        answered = self.dig(CLOUD, "corp.internal", "SOA", "-b", FRIEND)
        self.assertEqual("ns.corp.internal.", answered[0][4])
        self.assertEqual(answered, self.dig(CLOUD, "corp.internal", "SOA", "-b", OTHER))
        sent = self.dig(CLOUD, "corp.internal", "AXFR", "-b", OTHER, "+onesoa")
        self.assertEqual([*answered, ["www.corp.internal.", "300", "IN", "A", "10.0.0.1"]], sent)

    def test_explain_shows_the_name_server(self):
        asked = ("ns.corp.internal", "--endpoint", "r/in")
        ways = [self.sluice.command("explain", *asked), self.sluice.command("explain", "--ask", *asked)]
        self.sluice.kill()
        ways.append(self.sluice.command("explain", *asked))
        for status, text in ways:
            self.assertEqual(0, status, text)
            self.assertIn("=> answered by private zone corp.internal: NOERROR\n    ns.corp.internal. 10 IN A 10.10.0.4\n",
                          text)


if __name__ == "__main__":
    harness.main()
