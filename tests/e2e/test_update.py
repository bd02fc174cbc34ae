"""Clients that register by DNS UPDATE: nsupdate with a key and without, messages as Kea's D2 sends them.
What was registered outlives the server, who may not changes nothing, and lists and `explain` show whose it is."""

import base64
import contextlib
import json
import os
import re
import socket

import dns
import harness
from test_transfer_hostile import signed, tsig_error

CLOUD, FRIEND, OTHER, ALONE = "10.10.0.4", "10.10.7.4", "10.10.7.5", "10.10.7.6"
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


class Client(harness.FreshCase):
    def build(self, world):
        self.host = world.host("cloud", CLOUD, SECOND, SIXTH, FRIEND, OTHER, ALONE)
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

    def find_and_update(self, nameserver, *lines, how=("-y", "hmac-sha256:dhcp:" + SECRET)):
        """The same without being told where to send, or which zone it is."""
        status, text = self.host.with_resolv_conf(
            nameserver, "nsupdate", "-t", "20", *how, input="\n".join([*lines, "send", ""]))
        self.assertEqual((0, ""), (status, text))

    def dig(self, server, name, rtype, *options):
        """The records of the answer, and those beside it."""
        dug = self.host.dig(server, name, rtype, "+noall", "+answer", "+authority", *options)
        return [line.split() for line in dug.text.splitlines()]

    def lookup(self, name, rtype="A"):
        return self.host.ask(CLOUD, name, rtype)

    def command(self, *argv):
        status, text = self.sluice.command(*argv)
        self.assertEqual(0, status, text)
        return text

    def rows(self):
        return json.loads(self.command("registration", "list", "--json"))

    def data(self):
        """The rows, but for when each was renewed last."""
        return [{key: value for key, value in row.items() if key != "renewed"} for row in self.rows()]

    def registered(self, name, *texts, rtype="A"):
        self.assert_answer(self.lookup(name, rtype), *texts)

    def gone(self, name, rtype="A"):
        self.assert_rcode(self.lookup(name, rtype), "NXDOMAIN")


class Updates(Client):
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
        self.assertIn("NOTZONE", self.nsupdate("zone corp.internal", "add vm1.other.internal 600 A 10.10.7.4"))
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
        self.find_and_update(CLOUD, "del vm1.corp.internal A", "add vm1.corp.internal 600 A 10.10.7.21")
        self.registered("vm1.corp.internal", "10.10.7.21")
        for name in ("vm0.corp.internal", "vm1.corp.internal", ptr):
            self.find_and_update(CLOUD, "del " + name)
        self.assertEqual([], self.rows())
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

    def test_another_soa_goes_out_with_a_later_serial(self):
        soa = lambda: self.dig(CLOUD, "corp.internal", "SOA", "-b", OTHER)[0][4:7]
        text = CONFIG % {"secret": SECRET}
        without = text[:text.index("registration = (")] + text[text.index("transfers = ("):]
        last = soa()
        for server, config in (("corp.internal.", without), ("ns.corp.internal.", text)) * 2:
            self.host.world.write(os.path.basename(self.sluice.config), config)
            self.assertEqual(0, self.sluice.command("reload")[0])
            mname, _, serial = soa()
            self.assertEqual(server, mname)
            self.assertGreater(int(serial), int(last[2]))
            self.assertEqual(0, self.sluice.command("reload")[0])
            last = soa()
            self.assertEqual(serial, last[2])
        self.assertNotIn("its serial has not gone up", self.sluice.log())

    def test_a_restart_changes_no_serial(self):
        """Where nothing has changed: else secondaries would transfer the zone anew."""
        told = self.dig(CLOUD, "corp.internal", "SOA", "-b", OTHER)
        self.sluice.stop()
        self.start()
        self.assertEqual(told, self.dig(CLOUD, "corp.internal", "SOA", "-b", OTHER))

    def test_explain_shows_the_name_server(self):
        asked = ("ns.corp.internal", "--endpoint", "r/in")
        ways = [self.sluice.command("explain", *asked), self.sluice.command("explain", "--ask", *asked)]
        self.sluice.kill()
        ways.append(self.sluice.command("explain", *asked))
        for status, text in ways:
            self.assertEqual(0, status, text)
            self.assertIn("=> answered by private zone corp.internal: NOERROR\n    ns.corp.internal. 10 IN A 10.10.0.4\n",
                          text)


class OwnAddress(Client):
    """Machines without a key, each by TCP from its own address."""

    def own(self, *lines, source=FRIEND):
        return self.nsupdate(*lines, key=None, tcp=True, source=source)

    def name_and_ptr(self, verb, name, address):
        return [("zone corp.internal", "%s %s.corp.internal 60 A %s" % (verb, name, address)),
                ("zone 10.10.in-addr.arpa", "%s %s 60 PTR %s.corp.internal" % (verb, harness.reverse_name(address), name))]

    def test_a_machine_moves_once_its_old_address_is_gone(self):
        for lines in self.name_and_ptr("add", "vm4", FRIEND):
            self.assertEqual("NOERROR", self.own(*lines))
        rows = self.data()
        for lines in self.name_and_ptr("add", "vm4", FRIEND):
            self.assertEqual("NOERROR", self.own(*lines))
        self.assertEqual(rows, self.data())
        add, add_ptr = self.name_and_ptr("add", "vm4", OTHER)
        replace = ("zone corp.internal", "del vm4.corp.internal A", *add[1:])
        for lines in (add, add_ptr, replace, ("zone corp.internal", "del vm4.corp.internal"),
                      ("zone corp.internal", "del vm4.corp.internal A " + FRIEND),
                      ("zone 10.10.in-addr.arpa", "del " + harness.reverse_name(FRIEND))):
            self.assertIn("REFUSED", self.own(*lines, source=OTHER), lines)
        self.assertEqual(rows, self.data())
        for lines in self.name_and_ptr("del", "vm4", FRIEND):
            self.assertEqual("NOERROR", self.own(*lines))
        self.assertEqual([], self.rows())
        for lines in (replace, add_ptr):
            self.assertEqual("NOERROR", self.own(*lines, source=OTHER))
        self.registered("vm4.corp.internal", OTHER)
        self.registered(harness.reverse_name(OTHER), "vm4.corp.internal.", rtype="PTR")
        self.gone(harness.reverse_name(FRIEND), "PTR")

    def test_without_being_told_a_machine_finds_where_to_send(self):
        find = lambda *lines: self.find_and_update(CLOUD, "local " + FRIEND, *lines, how=("-v",))
        ptr = harness.reverse_name(FRIEND)
        find("add vm4.corp.internal 60 A " + FRIEND)
        find("add %s 60 PTR vm4.corp.internal" % ptr)
        self.registered("vm4.corp.internal", FRIEND)
        self.registered(ptr, "vm4.corp.internal.", rtype="PTR")
        find("del " + ptr)
        find("del vm4.corp.internal A " + FRIEND)
        self.assertEqual([], self.rows())

    def test_as_sssd_does_it(self):
        """With dyndns_auth = none and dyndns_force_tcp: each family, then the PTR, always with what was there deleted
        first; every day again."""
        ptr = harness.reverse_name(FRIEND)
        forward = ("del vm4.corp.internal. in A", "add vm4.corp.internal. 3600 in A " + FRIEND)
        without = ("del vm4.corp.internal. in AAAA",)
        reverse = ("del %s in PTR" % ptr, "add %s 3600 in PTR vm4.corp.internal." % ptr)
        for _ in range(2):
            for lines in (forward, without, reverse):
                self.assertEqual("NOERROR", self.own(*lines))
            self.registered("vm4.corp.internal", FRIEND)
            self.registered(ptr, "vm4.corp.internal.", rtype="PTR")
        self.assertIn("REFUSED", self.own(*without, "add vm4.corp.internal. 3600 in AAAA fd00:10::4"))


class Replays(Client):
    """What was signed once, sent again."""

    def build(self, world):
        super().build(world)
        self.idents = iter(range(1, 100))
        with self.host.inside():
            self.sock = dns.open_socket(socket.SOCK_DGRAM, (CLOUD, 53), FRIEND)
        self.addCleanup(self.sock.close)
        self.sock.connect((CLOUD, 53))
        self.sock.settimeout(dns.PATIENCE)

    def make(self, *records, ahead_s=0):
        packet = dns.header(next(self.idents), 5 << 11, (1, 0, len(records), 0)) + dns.question("corp.internal", "SOA")
        return signed(packet + b"".join(records), key="dhcp", secret=base64.b64decode(SECRET), ahead_s=ahead_s)

    def answer(self, packet):
        self.sock.send(packet)
        answer = self.sock.recv(4096)
        self.assertEqual(packet[:2], answer[:2])
        return dns.Message(answer)

    def rcode(self, packet):
        return self.answer(packet).rcode

    def is_outdated(self, packet):
        answer = self.answer(packet)
        return (answer.rcode, tsig_error(answer)) == ("9", 18)  # NOTAUTH, BADTIME

    def test_what_was_sent_before_changes_nothing(self):
        add = self.make(dns.record("vm1.corp.internal", "A", socket.inet_aton(FRIEND), 60))
        remove = self.make(dns.record("vm1.corp.internal", "ANY", b"", 0, dns.ANY_CLASS))
        self.assertEqual(["NOERROR", "NOERROR", "NOERROR"], [self.rcode(packet) for packet in (add, add, remove)])
        self.assertEqual("NOERROR", self.rcode(add))  # the first one's answer
        self.gone("vm1.corp.internal")
        with self.host.inside():
            other = dns.open_socket(socket.SOCK_DGRAM, (CLOUD, 53), OTHER)
        with other:
            other.connect((CLOUD, 53))
            other.send(add)
            harness.wait_for(lambda: self.sluice.status()["counters"]["updates_replayed"] == 1, "the replay")
            other.setblocking(False)
            with self.assertRaises(BlockingIOError):
                other.recv(4096)
        self.gone("vm1.corp.internal")

    def test_what_was_held_back_does_not_change_what_came_since(self):
        """Nobody has seen the earlier message when the later one comes, so no list of messages knows it."""
        delete = dns.record("vm1.corp.internal", "ANY", b"", 0, dns.ANY_CLASS)
        add = lambda address: dns.record("vm1.corp.internal", "A", socket.inet_aton(address), 60)
        first, held, removes, renews = (self.make(delete, add(FRIEND), ahead_s=-9), self.make(delete, add(OTHER), ahead_s=-8),
                                        self.make(delete, ahead_s=-7), self.make(add(FRIEND), ahead_s=-5))
        self.assertEqual(["NOERROR", "NOERROR"], [self.rcode(packet) for packet in (first, renews)])
        for packet in (held, removes, held):
            self.assertTrue(self.is_outdated(packet))
        self.registered("vm1.corp.internal", FRIEND)
        # It would change nothing, and it is no older than what it changes.
        self.assertEqual("NOERROR", self.rcode(self.make(add(FRIEND), ahead_s=-8)))
        self.assertEqual("NOERROR", self.rcode(self.make(delete, add(ALONE), ahead_s=-5)))
        self.registered("vm1.corp.internal", ALONE)
        # A process that has not seen any of them knows by the state.
        self.sluice.kill()
        self.start()
        for packet in (held, removes):
            self.assertTrue(self.is_outdated(packet))
        self.registered("vm1.corp.internal", ALONE)


PARTS = CONFIG.replace('prefixes = [ "10.10.0.0/16" ]',
                       'prefixes = [ "10.10.0.0/20", "10.10.32.64/26", "10.10.64.5/32", "fd00:10::/46" ]')


class Cuts(Client):
    """Reverse zones where the prefixes end within an octet, or a nibble."""

    def start(self):
        self.sluice = harness.Sluice(self.host, PARTS % {"secret": SECRET}, (CLOUD, 53))
        self.sluice.wait_managed()

    def test_a_client_finds_a_zone_that_it_can_update(self):
        for address, zone in (("10.10.7.20", "10.10.in-addr.arpa."), ("10.10.32.70", "32.10.10.in-addr.arpa."),
                              ("fd00:10:3::4", "0.0.0.0.1.0.0.0.0.d.f.ip6.arpa.")):
            name = harness.reverse_name(address)
            with self.subTest(address=address):
                (answered,) = self.dig(CLOUD, zone, "SOA")
                self.assertEqual([zone, "3600", "IN", "SOA", "ns." + zone], answered[:5])
                self.assertEqual([[zone, "3600", "IN", "NS", "ns." + zone]], self.dig(CLOUD, zone, "NS"))
                self.assertEqual(zone, self.lookup(name, "SOA").authority[0].name)
                for number, told in enumerate(([], ["zone " + zone])):
                    self.find_and_update(CLOUD, *told, "del %s PTR" % name, "add %s 600 PTR vm%d.corp.internal" % (name, number))
                    self.registered(name, "vm%d.corp.internal." % number, rtype="PTR")

    def test_a_prefix_of_one_address(self):
        name = harness.reverse_name("10.10.64.5")
        self.assertEqual("NOERROR", self.nsupdate("zone 10.10.in-addr.arpa", "add %s 60 PTR vm1.corp.internal" % name))
        self.registered(name, "vm1.corp.internal.", rtype="PTR")
        self.assertEqual([[name, "3600", "IN", "NS", "ns." + name]], self.dig(CLOUD, name, "NS"))

    def test_who_is_told_a_zone_may_be_told_any_above_the_address(self):
        for address, zones in (("10.10.7.21", ("7.10.10", "10.10", "10")), ("10.10.32.71", ("32.10.10", "10.10", "10"))):
            name = harness.reverse_name(address)
            for number, zone in enumerate(zones):
                with self.subTest(address=address, zone=zone):
                    self.assertEqual("NOERROR", self.nsupdate("zone %s.in-addr.arpa" % zone, "del %s ANY" % name,
                                                              "add %s 60 PTR vm%d.corp.internal" % (name, number)))
                    self.registered(name, "vm%d.corp.internal." % number, rtype="PTR")
        for address in ("10.10.16.1", "10.10.32.63", "10.10.32.128"):
            self.assertIn("NOTAUTH", self.nsupdate("zone 10.10.in-addr.arpa", "add %s 60 PTR vm1.corp.internal" %
                                                   harness.reverse_name(address)))


class Slashes(Client):
    """A zone in no group whose name has a slash; the full names of others have one behind the group."""
    ZONE = "0/25.corp.internal"

    def start(self):
        self.sluice = harness.Sluice(self.host, (CONFIG % {"secret": SECRET}).replace('"corp.internal"', '"%s"' % self.ZONE), (CLOUD, 53))
        self.sluice.wait_managed()

    def restart(self):
        self.sluice.kill()
        self.start()

    def test_what_is_registered_outlives_the_server(self):
        name, ptr = "vm1." + self.ZONE, harness.reverse_name("10.10.7.4")
        add = lambda zone, record: self.assertEqual("NOERROR", self.nsupdate("check-names no", "zone " + zone, "add " + record))
        add("10.10.in-addr.arpa", "%s 60 PTR %s" % (ptr, name))
        self.restart()
        self.registered(ptr, name + ".", rtype="PTR")
        add(self.ZONE, "%s 60 A 10.10.7.4" % name)
        self.restart()
        self.registered(name, "10.10.7.4")
        self.registered(ptr, name + ".", rtype="PTR")


GROUP = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/net/providers/Microsoft.Network/"
SHOWN = """
subscription = "11111111-2222-3333-4444-555555555555";
workers = 2;
management = { socket = "control.sock"; state = "state.db"; };
default_resolver = { targets = ( { address = "127.0.0.3"; } ); };
keys = ( { name = "dhcp"; secret = "%(secret)s"; } );
virtual_networks = (
  { name = "hub"; resource_group = "net"; address_space = [ "10.10.0.0/16" ];
    subnets = ( { name = "dns-in"; prefix = "10.10.0.0/28"; delegation = "Microsoft.Network/dnsResolvers"; },
                { name = "vms"; prefix = "10.10.7.0/24"; } ); },
  { name = "spoke"; resource_group = "net"; address_space = [ "10.20.0.0/16" ]; } );
rulesets = ( { name = "spoke"; resource_group = "net"; links = ( { name = "spoke"; virtual_network = "spoke"; } );
    rules = ( { name = "corp"; domain = "corp.internal."; targets = ( { address = "10.10.0.4"; } ); } ); } );
network_interfaces = ( { name = "nic1"; resource_group = "net"; label = "box";
    ip_configurations = ( { name = "ip"; subnet = "hub/vms"; address = "10.10.7.99"; } ); } );
resolvers = (
  { name = "r"; resource_group = "net"; virtual_network = "hub";
    inbound_endpoints = ( { name = "in"; subnet = "dns-in"; allocation = "static"; address = "10.10.0.4"; } ); } );
private_zones = ( { name = "corp.internal"; resource_group = "net";
    record_sets = ( { name = "www:A"; ttl = 300; records = [ "10.0.0.1" ]; },
                    { name = "alias:CNAME"; ttl = 300; records = [ "www" ]; } );
    links = ( { name = "hub"; virtual_network = "hub"; registration = true; } ); } );
registration = ( { zone = "corp.internal"; prefixes = [ "10.10.0.0/16", "fd00:10::/32" ]; own_address = true;
    keys = ( { key = "dhcp"; } ); } );
"""


class Shown(Client):
    def start(self, config=SHOWN):
        self.sluice = harness.Sluice(self.host, config % {"secret": SECRET}, (CLOUD, 53))
        self.sluice.wait_managed()

    def get(self, path, status=200):
        with contextlib.closing(harness.UnixConnection(self.sluice.socket)) as connection:
            connection.request("GET", path)
            response = connection.getresponse()
            text = response.read()
        self.assertEqual(status, response.status, text)
        return json.loads(text)

    def said(self, *asked):
        return re.findall("registered by .*", self.command("explain", *asked))

    def add(self, *lines, **how):
        self.assertEqual("NOERROR", self.nsupdate("zone corp.internal", *["add %s" % line for line in lines], **how))

    def add_ptr(self, address, name):
        self.assertEqual("NOERROR", self.nsupdate("zone 10.10.in-addr.arpa", "add %s 60 PTR %s" % (
            harness.reverse_name(address), name)))

    def test_the_list_has_a_row_for_each_record(self):
        self.add("vm1.corp.internal 60 A 10.10.7.4", "vm1.corp.internal 60 A 10.10.7.5",
                 "vm1.corp.internal 60 AAAA fd00:10::4", "vm1.corp.internal 60 DHCID " + DHCID)
        self.add_ptr("10.10.7.4", "vm1.corp.internal")
        self.add("own.corp.internal 60 A " + ALONE, key=None, tcp=True, source=ALONE)
        rows = self.rows()
        since = {row["since"] for row in rows}
        self.assertEqual([("box.corp.internal.", "A", "10.10.7.99", "10.10.7.99", "network interface net/nic1")] + [
            (harness.reverse_name("10.10.7.4"), "PTR", "vm1.corp.internal.", None, "key dhcp."),
            ("own.corp.internal.", "A", ALONE, ALONE, "address " + ALONE),
            ("vm1.corp.internal.", "A", "10.10.7.4", "10.10.7.4", "key dhcp."),
            ("vm1.corp.internal.", "A", "10.10.7.5", "10.10.7.5", "key dhcp."),
            ("vm1.corp.internal.", "AAAA", "fd00:10::4", "fd00:10::4", "key dhcp."),
            ("vm1.corp.internal.", "DHCID", DHCID, None, "key dhcp.")],
            [(row["name"], row["type"], row["data"], row.get("address"), row["by"]) for row in rows])
        self.assertEqual({("net/corp.internal", 10, True)}, {(row["zone"], row["ttl"], row["served"]) for row in rows})
        self.assertIn(None, since)
        for time in since - {None}:
            self.assertRegex(time, r"^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        text = self.command("registration", "list", "corp.internal")
        self.assertRegex(text, r"(?m)^ *vm1\.corp\.internal\. +AAAA +fd00:10::4 +net/corp\.internal +key dhcp\. +20")

    def test_what_something_hides_is_not_served(self):
        self.add("www.corp.internal 60 A 10.10.7.4", "alias.corp.internal 60 A 10.10.7.5",
                 "box.corp.internal 60 A 10.10.7.6", "box.corp.internal 60 AAAA fd00:10::6", "x.y.corp.internal 60 A 10.10.7.7")
        self.add_ptr("10.10.7.99", "box.corp.internal")
        self.add_ptr("10.10.7.6", "box.corp.internal")
        self.command("record", "set", "net/corp.internal", "y", "DNAME", "elsewhere.test.")
        self.command("address", "create", "six", "10.10.7.6", "reverse_fqdn=six.example.com")
        hidden = {
            ("www.corp.internal.", "10.10.7.4"): "record", ("alias.corp.internal.", "10.10.7.5"): "cname",
            ("x.y.corp.internal.", "10.10.7.7"): "dname", ("box.corp.internal.", "10.10.7.99"): None,
            ("box.corp.internal.", "10.10.7.6"): "machine", ("box.corp.internal.", "fd00:10::6"): None,
            (harness.reverse_name("10.10.7.99"), "box.corp.internal."): "machine",
            (harness.reverse_name("10.10.7.6"), "box.corp.internal."): "address"}
        self.assertEqual(hidden, {(row["name"], row["data"]): row["hidden_by"] for row in self.rows()})
        self.assertEqual({key: not by for key, by in hidden.items()},
                         {(row["name"], row["data"]): row["served"] for row in self.rows()})
        self.registered("box.corp.internal", "10.10.7.99")
        self.registered("box.corp.internal", "fd00:10::6", rtype="AAAA")

    def test_pages_have_each_record_once(self):
        for i in range(4):
            self.add(*["vm%d.corp.internal 60 A 10.10.8.%d" % (i, 10 * i + k) for k in range(3)])
        whole = [(row["name"], row["data"]) for row in self.rows()]
        self.assertEqual(13, len(whole))
        for limit in (1, 2, 5, 13):
            for zone in ("", "&zone=corp.internal"):
                found, path, pages = [], "/v1/registrations?limit=%d%s" % (limit, zone), 0
                while path:
                    page = self.get(path)
                    found += [(row["name"], row["data"]) for row in page["registrations"]]
                    self.assertLessEqual(len(page["registrations"]), limit)
                    path, pages = page["next"], pages + 1
                self.assertEqual((whole, -(-13 // limit)), (found, pages))
        for mark in ("x", "-1", "1x", "%20a"):
            self.get("/v1/registrations?marker=" + mark, 400)

    def listed(self, query):
        """All of the list, and what each of its pages had."""
        found, path = [], "/v1/registrations?" + query
        while path:
            page = self.get(path)
            found.append([(row["name"].split(".")[0], row["data"]) for row in page["registrations"]])
            path = page["next"]
        return sum(found, []), [len(one) for one in found]

    def test_what_is_looked_for_is_found_however_it_is_paged(self):
        for i in range(4):
            self.add(*["vm%d.corp.internal 60 A 10.10.8.%d" % (i, 10 * i + k) for k in range(3)])
        self.add("own.corp.internal 60 A " + OTHER, key=None, tcp=True, source=OTHER)
        self.add("www.corp.internal 60 A 10.10.7.4")
        box, own, www = ("box", "10.10.7.99"), ("own", OTHER), ("www", "10.10.7.4")
        machines = [("vm%d" % i, "10.10.8.%d" % (10 * i + k)) for i in range(4) for k in range(3)]
        for query, rows in (
                ("q=VM1.", machines[3:6]), ("q=10.10.8.2", [machines[2], *machines[6:9]]), ("q=nic1", [box]),
                ("q=address", [own]), ("q=dhcp", [*machines, www]), ("q=nothing", []), ("served=false", [www]),
                ("served=true&q=own", [own]), ("served=true", [box, own, *machines]), ("q=net/nic", [box])):
            for limit in (1, 2, 5000):
                for zone in ("", "&zone=net/CORP.internal"):
                    with self.subTest(query=query, limit=limit, zone=zone):
                        self.assertEqual(rows, self.listed("%s%s&limit=%d" % (query, zone, limit))[0])
        for query in ("served=maybe", "name=x"):
            self.get("/v1/registrations?" + query, 400)

    def test_a_zones_name_is_the_same_in_capitals(self):
        self.sluice.kill()
        self.start(SHOWN.replace('( { name = "corp.internal"', '( { name = "Corp.Internal"'))
        self.add("vm1.corp.internal 60 A 10.10.7.4")
        for zone in ("", "zone=net/corp.internal", "zone=net/Corp.Internal"):
            self.assertEqual(["box", "vm1"], [name for name, _ in self.listed(zone)[0]])
        self.assertEqual({"net/Corp.Internal"}, {row["zone"] for row in self.rows()})

    def test_a_page_has_no_more_records_than_can_be_read_at_once(self):
        adds = ["add vm%d.corp.internal 60 A 10.10.%d.%d" % (i, 8 + i // 250, i % 250) for i in range(1100)]
        for i in range(0, len(adds), 60):
            self.assertEqual("NOERROR", self.nsupdate("zone corp.internal", *adds[i:i + 60]))
        found, sizes = self.listed("limit=5000")
        self.assertEqual((1101, 1101), (len(found), len(set(found))))
        self.assertEqual([501, 500, 100], sizes)
        self.assertEqual(1101, len(self.rows()))
        self.assertEqual(([], [0, 0]), self.listed("q=nothing"))
        self.assertEqual(([("vm999", "10.10.11.249")], [0, 1]), self.listed("q=vm999"))

    def azure(self, of="ALL", query=""):
        found, path = [], GROUP + "privateDnsZones/corp.internal/%s?api-version=2020-06-01%s" % (of, query)
        while path:
            page = self.get(path)
            found += [(each["name"], each["type"].split("/")[-1], each["properties"]["isAutoRegistered"])
                      for each in page["value"]]
            path = page.get("nextLink") and page["nextLink"][page["nextLink"].index("/subscriptions"):]
        return found

    def test_azures_lists_show_addresses_as_registered(self):
        self.add("vm1.corp.internal 60 A 10.10.7.4", "vm1.corp.internal 60 A 10.10.7.5",
                 "vm1.corp.internal 60 AAAA fd00:10::4", "vm1.corp.internal 60 DHCID " + DHCID,
                 "a-b.corp.internal 60 A 10.10.7.6", "a0.corp.internal 60 A 10.10.7.7", "a.corp.internal 60 A 10.10.7.8",
                 "x.a.corp.internal 60 A 10.10.7.9", "www.corp.internal 60 A 10.10.7.10",
                 "box.corp.internal 60 A 10.10.7.11", "alias.corp.internal 60 AAAA fd00:10::5")
        self.add_ptr("10.10.7.4", "vm1.corp.internal")
        addresses = [("a-b", True), ("a0", True), ("a", True), ("box", True), ("vm1", True), ("www", False), ("x.a", True)]
        for top in ("", "&$top=1", "&$top=2", "&$top=3"):
            self.assertEqual([(name, "A", own) for name, own in addresses], self.azure("A", top), top)
        self.assertEqual([("vm1", "AAAA", True)], self.azure("AAAA"))
        self.assertEqual([("x.a", "A", True)], self.azure("A", "&$recordsetnamesuffix=.a"))
        self.assertEqual(sorted([(name, "A", own) for name, own in addresses] + [
            ("@", "SOA", False), ("alias", "CNAME", False), ("vm1", "AAAA", True)]), sorted(self.azure()))
        one = lambda name, status=200: self.get(
            GROUP + "privateDnsZones/corp.internal/A/%s?api-version=2020-06-01" % name, status)
        shown = one("VM1")["properties"]
        self.assertEqual((True, 10, [{"ipv4Address": "10.10.7.4"}, {"ipv4Address": "10.10.7.5"}], "vm1.corp.internal."), (
            shown["isAutoRegistered"], shown["ttl"], shown["aRecords"], shown["fqdn"]))
        self.assertEqual([{"ipv4Address": "10.10.7.99"}], one("box")["properties"]["aRecords"])
        self.assertEqual([{"ipv4Address": "10.0.0.1"}], one("www")["properties"]["aRecords"])
        one("alias", 404)

    def test_azures_pages_have_each_name_once_wherever_they_end(self):
        names = ["a", "a-b", "a0", "A1", "a1b", "ab", "x.a", "x-1.a", "b.x", "b1.x", "b", "B-1", "b-1.a", "b1", "b10", "x", "xa", "1", "1.a"]
        self.add(*["%s.corp.internal 60 A 10.10.8.%d" % (name, i) for i, name in enumerate(names)])
        whole = self.azure("A")
        expected = sorted([name.lower() for name in names] + ["box", "www"], key=lambda name: name + ":")
        self.assertEqual(expected, [name for name, _, _ in whole])
        for top in (1, 2, 3, 5, 8):
            self.assertEqual(whole, self.azure("A", "&$top=%d" % top), top)

    def test_explain_says_who_has_registered_it_and_when(self):
        self.add("vm1.corp.internal 60 A 10.10.7.4", "box.corp.internal 60 A 10.10.7.6", "www.corp.internal 60 A 10.10.7.7")
        self.add_ptr("10.10.7.4", "vm1.corp.internal")
        self.add("own.corp.internal 60 A " + OTHER, key=None, tcp=True, source=OTHER)
        said = lambda *asked: re.findall("registered by (.*)", self.command("explain", *asked, "--vnet", "net/hub"))
        for asked, by in ((("VM1.corp.internal", "A"), r"key dhcp\."), ((harness.reverse_name("10.10.7.4"), "PTR"), r"key dhcp\."),
                          (("own.corp.internal", "A"), r"address 10\.10\.7\.5"), ):
            self.assertRegex(" ".join(said(*asked)), "^%s at 20\\d\\d-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ$" % by)
        self.assertEqual(["network interface net/nic1"], said("box.corp.internal", "A"))
        for asked in (("www.corp.internal", "A"), ("vm1.corp.internal", "AAAA"), (harness.reverse_name("10.10.7.5"), "PTR")):
            self.assertEqual([], said(*asked))

    def test_explain_says_it_behind_an_alias_at_an_endpoint_that_is_entered_and_offline(self):
        self.add("vm1.corp.internal 60 A 10.10.7.4", "vm2.corp.internal 60 A 10.10.7.5")
        self.add_ptr("10.10.7.4", "vm1.corp.internal")
        self.command("record", "set", "net/corp.internal", "other", "CNAME", "vm1")
        asked = [(name, "A", "--vnet", network) for network in ("net/hub", "net/spoke")
                 for name in ("vm1.corp.internal", "other.corp.internal", "box.corp.internal", "www.corp.internal")]
        asked.append((harness.reverse_name("10.10.7.4"), "PTR", "--vnet", "net/hub"))
        said = [self.said(*one) for one in asked]
        client, machine = ["registered by key dhcp."], ["registered by network interface net/nic1"]
        self.assertEqual([*2 * [client, client, machine, []], client],
                         [[line.split(" at 20")[0] for line in lines] for lines in said])
        self.assertEqual(said, [self.said("--ask", *one) for one in asked])
        self.assertEqual(said, [self.said("--offline", *one) for one in asked])
        self.sluice.kill()
        self.assertEqual(said, [self.said(*one) for one in asked])
        self.assertIn("vm2.corp.internal. 10 IN A 10.10.7.5", self.command("explain", "vm2.corp.internal", "--vnet", "net/spoke"))


if __name__ == "__main__":
    harness.main()
