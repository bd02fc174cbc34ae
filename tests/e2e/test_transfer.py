"""Zones go out: NSD, Knot and BIND follow them, whoever may not have them gets nothing, and neither
a kill -9 nor a client that does not read does any harm."""

import contextlib
import http.client
import json
import os
import re
import socket
import threading

import dns
import harness

CLOUD, NSD, KNOT, BIND, STRANGER = ("10.10.0.4", "192.0.2.2", "192.0.2.3", "192.0.2.4", "192.0.3.9")
SERVER = (CLOUD, 53)
REVERSE, PRIVATE, INSIDE = "100.51.198.in-addr.arpa", "corp.internal", "10.10.in-addr.arpa"
ZONES = (REVERSE, PRIVATE)
SECRET, WRONG = "c2VjcmV0LW9mLXR3by1zZXJ2ZXJzLTAxMjM0NTY3ODk=", "d3Jvbmctb25lLTAxMjM0NTY3ODk="
CONFIG = """
region = "westeurope";
workers = 2;
management = { socket = "control.sock"; state = "state.db"; };
default_resolver = { targets = ( { address = "127.0.0.3"; } ); };
virtual_networks = (
  { name = "hub"; address_space = [ "10.10.0.0/16" ];
    subnets = ( { name = "dns-in"; prefix = "10.10.0.0/28"; delegation = "Microsoft.Network/dnsResolvers"; } ); } );
resolvers = (
  { name = "hub-resolver"; virtual_network = "hub";
    inbound_endpoints = ( { name = "inbound"; subnet = "dns-in"; allocation = "static"; address = "10.10.0.4"; allow = [ "0.0.0.0/0" ]; } ); } );
private_zones = ( { name = "corp.internal"; file = "corp.internal.zone"; links = ( ); } );
address_pools = ( { name = "public"; prefix = "198.51.100.0/24"; }, { name = "inside"; prefix = "10.10.0.0/16"; } );
addresses = ( { name = "vm"; address = "10.10.3.4"; reverse_fqdn = "vm.corp.internal."; } %(addresses)s );
reverse = { name_servers = [ "ns1.example.com", "ns2.example.com" ]; hostmaster = "hostmaster.example.com"; };
keys = ( { name = "xfr"; secret_file = "xfr.secret"; }, { name = "bare"; algorithm = "hmac-sha512"; secret = "%(secret)s"; } );
transfers = (
  { zones = [ "*", "corp.internal" ]; allow = [ "192.0.2.0/24" ]; key = "xfr"; notify = [ %(notify)s ]; %(behind)s },
  { zones = [ "100.51.198.in-addr.arpa" ]; allow = [ "192.0.4.0/24" ]; } );
tcp = { idle_timeout_ms = 10000; };
metrics = { listen = [ "http://127.0.0.1:9153" ]; };
"""
ZONE = """
@ 300 SOA ns1.corp.internal. hostmaster.corp.internal. %d 5 5 86400 300
@ 300 NS ns1
ns1 300 A 10.10.0.4
www 300 A %s
"""


class Base(harness.FreshCase):
    notify, addresses, behind = (), "", ""

    def build(self, world):
        world.secret("xfr.secret", SECRET)
        self.zone(1, "192.0.2.80")
        self.cloud = world.host("cloud", CLOUD)
        self.start()

    def zone(self, serial, address):
        self.world.write("corp.internal.zone", ZONE % (serial, address))

    def start(self):
        notify = ", ".join('"%s"' % peer for peer in self.notify)
        self.sluice = harness.Sluice(self.cloud, CONFIG % {
            "notify": notify, "behind": self.behind, "addresses": self.addresses,
            "secret": SECRET}, SERVER)

    def command(self, *argv):
        status, text = self.sluice.command(*argv)
        self.assertEqual(0, status, text)
        return text

    def add(self, address):
        self.command("address", "add", "a" + address.replace(".", "-"), address, "--static")

    def status(self, key, zone):
        return [row for row in self.sluice.status()[key] if row["zone"].rstrip(".") == zone]

    def counted(self, key, least):
        """The reverse zone's row, once it counts so many: whoever follows may answer a moment earlier."""
        def row():
            found = self.status("transfers", REVERSE)[0]
            return found if found[key] >= least else None
        return harness.wait_for(row, "%d of %s" % (least, key))

    def serial(self, zone=REVERSE):
        return self.status("transfers", zone)[0]["serial"]


def soa_serial(host, server, zone):
    try:
        message = host.ask(server, zone, "SOA", timeout=2)
    except OSError:  # not there yet
        return None
    soa = message.texts("SOA") if message else []
    return int(soa[0].split()[2]) if soa else None


class Following(Base):
    """With three servers that follow."""
    notify = (NSD, KNOT, BIND)

    def build(self, world):
        super().build(world)
        self.hosts = {name: world.host(name, address)
                      for name, address in (("nsd", NSD), ("knot", KNOT), ("bind", BIND))}
        self.start_secondaries("xfr")
        self.followed()

    def start_secondaries(self, key, secret=SECRET):
        """They ask for zones with that key: "bare" is a wrong one, "xfr" has the secret."""
        self.secondaries = [self.start_nsd(self.world, self.hosts["nsd"], key, secret),
                            self.start_knot(self.world, self.hosts["knot"], key, secret),
                            self.start_bind(self.world, self.hosts["bind"], key, secret)]

    def start_nsd(self, world, host, key, secret):
        lines = ["server:", "  ip-address: " + NSD, '  username: ""', '  chroot: ""', '  pidfile: ""',
                 '  database: ""', '  zonesdir: "%s"' % world.dir, '  xfrdfile: ""',
                 '  zonelistfile: "%s/nsd.list"' % world.dir, '  xfrdir: "%s"' % world.dir,
                 "  server-count: 1", "  verbosity: 2", "  rrl-ratelimit: 0",
                 "remote-control:", "  control-enable: no",
                 "key:", "  name: xfr", "  algorithm: hmac-sha256", '  secret: "%s"' % secret,
                 "key:", "  name: bare", "  algorithm: hmac-sha512", '  secret: "%s"' % WRONG]
        for zone in ZONES:
            lines += ["zone:", "  name: " + zone, '  zonefile: "nsd-%s.zone"' % zone,
                      "  allow-notify: %s xfr" % CLOUD, "  request-xfr: %s %s" % (CLOUD, key)]
        config = world.write("nsd.conf", "\n".join(lines) + "\n")
        return harness.Process(host, "nsd", [world.program("/usr/sbin/nsd"), "-d", "-c", config])

    def start_knot(self, world, host, key, secret):
        folder = os.path.join(world.dir, "knot")
        os.makedirs(folder, exist_ok=True)
        lines = ["server:", "  listen: " + KNOT, "  rundir: " + folder, "  user: root:root",
                 "database:", "  storage: " + folder,
                 "key:", "  - id: xfr", "    algorithm: hmac-sha256", "    secret: " + secret,
                 "  - id: bare", "    algorithm: hmac-sha512", "    secret: " + WRONG,
                 "remote:", "  - id: cloud", "    address: " + CLOUD, "    key: " + key,
                 "acl:", "  - id: told", "    address: " + CLOUD, "    key: xfr",
                 "    action: notify",
                 "template:", "  - id: default", "    storage: " + folder, "    master: cloud",
                 "    acl: told", "log:", "  - target: stderr", "    any: info",
                 "zone:"] + ["  - domain: " + zone for zone in ZONES]
        config = world.write("knot.conf", "\n".join(lines) + "\n")
        return harness.Process(host, "knot", [world.program("/usr/sbin/knotd"), "-c", config])

    def start_bind(self, world, host, key, secret):
        lines = ['key xfr { algorithm hmac-sha256; secret "%s"; };' % secret,
                 'key bare { algorithm hmac-sha512; secret "%s"; };' % WRONG,
                 'options { directory "%s"; listen-on { %s; }; listen-on-v6 { none; };'
                 % (world.dir, BIND), "  recursion no; pid-file none; session-keyfile none;",
                 "  lock-file none; empty-zones-enable no; };", "controls { };"]
        for zone in ZONES:
            lines.append('zone "%s" { type secondary; primaries { %s key %s; }; '
                         'file "bind-%s.zone"; masterfile-format text; };'
                         % (zone, CLOUD, key, zone))
        config = world.write("named.conf", "\n".join(lines) + "\n")
        return harness.Process(host, "named", [world.program("/usr/sbin/named"), "-f", "-c", config,
                                               "-n", "1"])

    def followed(self, *zones):
        """Every secondary has the serials that we have now."""
        for zone in zones or ZONES:
            wanted = self.serial(zone)
            for name, host in self.hosts.items():
                address = {"nsd": NSD, "knot": KNOT, "bind": BIND}[name]
                harness.wait_for(lambda: soa_serial(host, address, zone) == wanted,
                                 "%s to have %s at serial %d" % (name, zone, wanted), 180)


class Secondaries(Following):
    def answers(self, name, rtype, *texts):
        for host, address in ((self.hosts["nsd"], NSD), (self.hosts["knot"], KNOT),
                              (self.hosts["bind"], BIND)):
            # NSD's processes of before a transfer may answer a moment longer.
            rcode = "NOERROR" if texts else "NXDOMAIN"
            harness.wait_for(lambda: (rcode, sorted(texts)) == self.asked(host, address, name, rtype),
                             "%s to say %s %s of %s" % (address, rcode, texts, name))

    def asked(self, host, address, name, rtype):
        message = host.ask(address, name, rtype, timeout=2)
        return message and (message.rcode, sorted(message.texts()))

    def test_they_follow_a_ptr_whole_first_and_then_by_what_has_changed(self):
        row = self.counted("axfr", 3)
        self.add("198.51.100.25")
        self.command("ptr", "set", "198.51.100.25", "mail.example.com.")
        self.followed(REVERSE)
        self.answers("25." + REVERSE, "PTR", "mail.example.com.")
        self.answers(REVERSE, "NS", "ns1.example.com.", "ns2.example.com.")
        self.command("ptr", "set", "198.51.100.25", "mx.example.com.")
        self.add("198.51.100.26")
        self.command("ptr", "set", "198.51.100.26", "more.example.com.")
        self.followed(REVERSE)
        self.answers("25." + REVERSE, "PTR", "mx.example.com.")
        self.answers("26." + REVERSE, "PTR", "more.example.com.")
        self.command("ptr", "unset", "198.51.100.25")
        self.followed(REVERSE)
        self.answers("25." + REVERSE, "PTR")
        after = self.counted("ixfr", row["ixfr"] + 9)
        self.assertEqual(row["axfr"], after["axfr"], after)
        notices = self.status("notices", REVERSE)
        harness.wait_for(lambda: all(
            notice["state"] == "answered" and notice["answer"] == 0
            and notice["serial"] == after["serial"]
            for notice in self.status("notices", REVERSE)), "every notice to be answered")
        self.assertEqual({"%s:53" % peer for peer in self.notify},
                         {notice["peer"] for notice in notices})
        self.assertIn("what has changed, signed", self.sluice.log())

    def test_they_follow_a_private_zone_and_an_old_serial_is_warned_of(self):
        self.answers("www." + PRIVATE, "A", "192.0.2.80")
        self.zone(2, "192.0.2.81")
        self.command("reload")
        self.followed(PRIVATE)
        self.answers("www." + PRIVATE, "A", "192.0.2.81")
        harness.wait_for(lambda: self.status("transfers", PRIVATE)[0]["ixfr"] >= 3, "three transfers of what changed")
        self.assertNotIn("serial has not gone up", self.sluice.log())
        self.zone(2, "192.0.2.82")
        self.command("reload")
        self.assertIn("corp.internal. has changed, but its serial has not gone up (2, before 2)",
                      self.sluice.log())
        self.answers("www." + PRIVATE, "A", "192.0.2.81")

    def test_a_kill_keeps_the_serial_growing_and_they_follow_on(self):
        self.add("198.51.100.25")
        for i in range(5):
            self.command("ptr", "set", "198.51.100.25", "n%d.example.com." % i)
            before = self.serial()
            self.sluice.kill()
            self.start()
            self.assertLessEqual(before, self.serial())
            self.followed(REVERSE)
            self.answers("25." + REVERSE, "PTR", "n%d.example.com." % i)
        before = self.serial()
        self.command("ptr", "set", "198.51.100.25", "last.example.com.")
        rested = self.serial()
        self.assertLess(before, rested)
        self.assertEqual(0, self.sluice.stop())
        self.start()
        self.assertEqual(rested, self.serial())  # nothing has changed
        self.followed(REVERSE)


class Behind(Following):
    """They answer NOTIFY, and then cannot transfer, or need not."""
    behind = "behind_after_s = 10;"  # longer than any of them takes to begin

    def copies(self, zone=REVERSE):
        return {row["peer"]: row for row in self.status("notices", zone)}

    def all_are(self, state, zone=REVERSE):
        harness.wait_for(lambda: {row["copy"] for row in self.copies(zone).values()} == {state},
                         "every copy of %s to be %s" % (zone, state), 60)

    def lines(self, text):
        return re.findall(r"secondary: (\S+) %s for %s\.: (.*)" % (text, re.escape(REVERSE)),
                          self.sluice.log()[self.begun:])

    def test_who_cannot_transfer_is_behind_until_it_can(self):
        self.add("198.51.100.25")
        for zone in ZONES:
            self.all_are("current", zone)
        for process in self.secondaries:
            process.stop()
        self.begun = len(self.sluice.log())  # one may have taken its time at the start
        earlier = self.sluice.command("events", "--json")[1].count("is behind for " + REVERSE)
        self.start_secondaries("bare")
        before = self.serial()
        self.command("ptr", "set", "198.51.100.25", "mail.example.com.")
        self.all_are("behind")
        rows, serial = self.copies(), self.serial()
        harness.wait_for(lambda: all(row["state"] == "answered" and row["answer"] == 0
                                     for row in self.copies().values()), "NOTIFY to be answered")
        # Knot and BIND have the zone on disk; NSD begins with none.
        for peer in (KNOT, BIND):
            row = rows[peer + ":53"]
            self.assertEqual((before, None), (row["has"], row["reason"]), row)
            self.assertRegex(row["since"], r"^2\d{3}-")
        self.assertIn("SERVFAIL", rows[NSD + ":53"]["reason"])
        told = dict(self.lines("is behind"))
        self.assertEqual(set(rows), set(told))
        self.assertRegex(told[BIND + ":53"], r"^it has serial %d of %d, for \d+ s now; " % (before, serial))
        self.assertRegex(told[NSD + ":53"], r"^SERVFAIL: its copy has expired, or never came, for \d+ s now; ")
        report = self.command("status")
        self.assertIn("! %s:53 is behind for %s. since " % (BIND, REVERSE), report)
        self.assertRegex(self.command("status", "--all"),
                         r"(?m)^  100\S+ +192.0.2.2:53 +answered +0 +behind +- .* SERVFAIL: ")
        judgement = self.sluice.status()["judgement"]
        self.assertFalse(judgement["good"])
        self.assertRegex(" ".join(judgement["texts"]), r"Secondary \S+:53 is behind for \S+, and 2 more")
        status, events = self.sluice.command("events", "--json")
        self.assertEqual(3 + earlier, events.count("is behind for " + REVERSE), events)
        for process in self.secondaries:
            process.stop()
        self.start_secondaries("xfr")
        # Those that have a copy ask again at its refresh, or when they are told.
        self.command("ptr", "set", "198.51.100.25", "mx.example.com.")
        self.all_are("current")
        self.assertEqual(3, len(self.lines("is behind")))
        again = dict(self.lines("is up to date again"))
        self.assertEqual(set(rows), set(again))
        for text in again.values():  # NSD may have had the one of before already
            self.assertIn(text, ["it has serial %d" % each for each in (serial, self.serial())])
        self.assertNotIn("Secondary", " ".join(self.sluice.status()["judgement"]["texts"]))

    def metric(self, state):
        with self.cloud.inside():
            connection = http.client.HTTPConnection("127.0.0.1", 9153, timeout=dns.PATIENCE)
            connection.connect()
        with contextlib.closing(connection):
            connection.request("GET", "/metrics")
            text = connection.getresponse().read().decode()
        return int(re.search(r'^sluice_secondaries\{state="%s"\} (\d+)$' % state, text, re.M).group(1))

    def test_who_has_another_secret_is_behind(self):
        """It refuses what is signed, NOTIFY and questions."""
        for zone in ZONES:
            self.all_are("current", zone)
        self.assertEqual((6, 0), (self.metric("current"), self.metric("behind")))
        for process in self.secondaries:
            process.stop()
        self.start_secondaries("xfr", WRONG)
        self.add("198.51.100.25")
        self.command("ptr", "set", "198.51.100.25", "mail.example.com.")
        self.all_are("behind")
        self.assertEqual({"waiting"}, {row["state"] for row in self.copies().values()})
        self.assertEqual((3, 3), (self.metric("current"), self.metric("behind")))

    def test_who_has_a_higher_serial_is_ahead(self):
        self.zone(7, "192.0.2.81")
        self.command("reload")
        self.all_are("current", PRIVATE)
        begun = len(self.sluice.log())  # one may have taken its time at the start
        self.zone(3, "192.0.2.82")
        self.command("reload")
        self.all_are("ahead", PRIVATE)
        for row in self.copies(PRIVATE).values():
            self.assertEqual((7, None), (row["has"], row["reason"]), row)
        self.assertEqual(3, self.sluice.log().count(
            "is ahead for corp.internal.: it has serial 7, and ours is 3: "))
        self.zone(8, "192.0.2.82")
        self.command("reload")
        self.all_are("current", PRIVATE)
        self.assertEqual(3, self.sluice.log()[begun:].count("is up to date again for corp.internal."))

    def test_who_is_gone_is_unknown_and_a_reload_forgets_it(self):
        for process in self.secondaries:
            process.stop()
        before = len(self.sluice.log())  # one may have taken its time at the start
        self.add("198.51.100.25")
        self.command("ptr", "set", "198.51.100.25", "mail.example.com.")
        self.all_are("unknown")
        self.assertEqual({"it does not answer"}, {row["reason"] for row in self.copies().values()})
        self.assertNotIn("secondary: ", self.sluice.log()[before:])
        self.sluice.reconfigure(CONFIG % {"notify": '"%s"' % BIND, "behind": "behind_after_s = 0;",
                                          "addresses": "", "secret": SECRET})
        self.command("reload")
        self.assertEqual({BIND + ":53"}, set(self.copies()))
        row = self.copies()[BIND + ":53"]
        self.assertEqual(("unknown", "it is not asked (behind_after_s is 0)"),
                         (row["copy"], row["reason"]))


class Sources(Base):
    """A secondary that never answers, told from an address that is ours to choose."""
    notify, PEER = ("127.0.0.5",), ("127.0.0.5", 53)

    def build(self, world):
        self.behind = 'source = "127.0.0.8";'
        super().build(world)

    def reload(self, notify, source):
        self.sluice.reconfigure(CONFIG % {"notify": notify, "behind": source, "addresses": "", "secret": SECRET})
        self.command("reload")

    def bound(self):
        """The last numbers of the loopback addresses that have sockets for UDP."""
        found = re.findall(r"^ *\d+: (..)00007F:", self.cloud.run("cat", "/proc/net/udp")[1], re.M)
        return {int(number, 16) for number in found} - {5}

    def test_each_is_told_from_the_source_and_what_is_no_source_any_more_is_closed(self):
        with self.cloud.inside():
            peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with peer:
            peer.settimeout(dns.PATIENCE)
            peer.bind(self.PEER)
            self.assertEqual("127.0.0.8", peer.recvfrom(65535)[1][0])
            self.reload('"127.0.0.5"', 'source = "127.0.0.9";')
            harness.wait_for(lambda: peer.recvfrom(65535)[1][0] == "127.0.0.9", "a question from there")
            harness.wait_for(lambda: self.bound() == {9}, "the other one to be closed")
            self.reload("", "")
            harness.wait_for(lambda: self.bound() == set(), "both to be closed")


class Who(Base):
    def build(self, world):
        super().build(world)
        self.friend = world.host("friend", BIND, "192.0.4.1")
        self.stranger = world.host("stranger", STRANGER)

    def axfr(self, host, zone, *options):
        status, text = host.run("kdig", "@" + CLOUD, zone, "AXFR", *options)
        return text

    def gets_nothing(self, text, says):
        self.assertNotIn("SOA", re.sub(r";.*", "", text), text)
        self.assertIn(says, text)

    def key(self, name="xfr", secret=SECRET, algorithm="hmac-sha256"):
        return "-y", "%s:%s:%s" % (algorithm, name, secret)

    def test_the_right_key_gets_the_zone_from_the_right_address(self):
        for zone in ZONES:
            text = self.axfr(self.friend, zone, "-b", BIND, *self.key())
            self.assertEqual(2, len(re.findall(r"\sSOA\s", text)), text)
        self.assertEqual(0, self.friend.run("dig", "@" + CLOUD, "-b", BIND, REVERSE, "AXFR",
                                            *self.key())[0])
        self.gets_nothing(self.axfr(self.stranger, REVERSE, *self.key()), "REFUSED")
        self.assertRegex(self.sluice.log(), r"refused to %s: [^()\n]*\n" % re.escape(STRANGER))

    def test_a_wrong_key_gets_nothing(self):
        at = ("-b", BIND)
        self.gets_nothing(self.axfr(self.friend, REVERSE, *at, *self.key(secret=WRONG)), "BADSIG")
        self.gets_nothing(self.axfr(self.friend, REVERSE, *at, *self.key(name="no")), "BADKEY")
        self.gets_nothing(self.axfr(self.friend, REVERSE, *at, *self.key(algorithm="hmac-sha1")),
                          "BADKEY")
        self.gets_nothing(self.axfr(self.friend, REVERSE, *at, *self.key("bare", SECRET, "hmac-sha512")),
                          "REFUSED")
        self.gets_nothing(self.axfr(self.friend, REVERSE, *at), "REFUSED")

    def test_private_addresses_do_not_go_out_with_the_star(self):
        self.gets_nothing(self.axfr(self.friend, INSIDE, "-b", BIND, *self.key()), "REFUSED")

    def test_an_entry_without_a_key_is_for_its_addresses_and_its_zones(self):
        text = self.axfr(self.friend, REVERSE, "-b", "192.0.4.1")
        self.assertEqual(2, len(re.findall(r"\sSOA\s", text)), text)
        self.gets_nothing(self.axfr(self.friend, PRIVATE, "-b", "192.0.4.1"), "REFUSED")
        # By UDP there is no AXFR.
        message = self.friend.ask(CLOUD, REVERSE, "AXFR")
        self.assert_rcode(message, "REFUSED")

    def test_a_signed_question_gets_a_signed_answer(self):
        text = self.axfr(self.friend, REVERSE, "-b", BIND, *self.key())
        serial = re.search(r"SOA\s+\S+ \S+ (\d+)", text).group(1)
        for options in ((), ("+tcp",)):
            status, text = self.friend.run("kdig", "@" + CLOUD, "-b", BIND, REVERSE, "SOA",
                                           *options, *self.key())
            self.assertEqual(0, status, text)
            self.assertIn(serial, text)
            self.assertIn("TSIG PSEUDOSECTION", text)
            self.assertNotIn("WARNING", text)

    def test_the_private_zone_is_served_to_whoever_may_copy_it_and_to_nobody_else(self):
        """It is linked to no network."""
        status, text = self.friend.run("kdig", "@" + CLOUD, "-b", BIND, PRIVATE, "SOA", *self.key())
        self.assertIn("ns1.corp.internal.", text)
        self.assertIn(" aa ", text)


MANY, WIDE = 100000, "11.in-addr.arpa"


def wide_address(n):
    """Spread, so that neighbours in time are none in the zone."""
    n = n * 7919 % MANY
    return "11.%d.%d.%d" % (n >> 16, n >> 8 & 255, n & 255)


class Wide(Base):
    """100,000 PTRs."""

    @classmethod
    def setUpClass(cls):
        cls.sluice_before = harness.SLUICE
        # The ordinary build, where there is one: it reads this in a fraction of the time.
        if os.path.exists(harness.PLAIN) and "SLUICE" not in os.environ:
            harness.SLUICE = harness.PLAIN

    @classmethod
    def tearDownClass(cls):
        harness.SLUICE = cls.sluice_before

    def build(self, world):
        world.secret("xfr.secret", SECRET)
        self.zone(1, "192.0.2.80")
        self.cloud = world.host("cloud", CLOUD)
        self.friend = world.host("friend", "192.0.4.1")
        entries = ",\n".join('{ name = "a%d"; address = "%s"; %s }' % (
            n, wide_address(n), 'reverse_fqdn = "old%d.test.";' % n if n >= 2000 else "")
            for n in range(MANY))
        text = CONFIG % {"notify": "", "behind": "", "addresses": ",\n" + entries, "secret": SECRET}
        text = text.replace('{ name = "inside"', '{ name = "wide"; prefix = "11.0.0.0/8"; }, { name = "inside"')
        text = text.replace('[ "100.51.198.in-addr.arpa" ]', '[ "%s" ]' % WIDE)
        self.sluice = harness.Sluice(self.cloud, text)
        harness.wait_for(self.is_ready, "sluice to have read it", 300)

    def is_ready(self):
        if self.sluice.child.poll() is not None:
            raise AssertionError(self.sluice.log())
        with contextlib.suppress(OSError):
            return self.friend.ask(CLOUD, "localhost", timeout=1)
        return None

    def connect(self):
        with self.friend.inside():
            sock = socket.create_connection(SERVER, dns.PATIENCE, ("192.0.4.1", 0))
        sock.settimeout(60)
        return sock

    def question(self):
        return dns.framed(dns.query(WIDE, "AXFR", flags=0))

    def read_zone(self, sock):
        """The PTRs of one AXFR: {owner: target}, and how many messages it took."""
        sock.sendall(self.question())
        soas, ptrs, messages = [], {}, 0
        while len(soas) < 2:
            message = dns.Message(dns.recv_framed(sock))
            self.assertEqual("NOERROR", message.rcode)
            messages += 1
            for record in message.answer:
                if record.type == "SOA":
                    soas.append(record.text)
                elif record.type == "PTR":
                    self.assertNotIn(record.name, ptrs)
                    ptrs[record.name] = record.text
        self.assertEqual(soas[0], soas[1])
        return int(soas[0].split()[2]), ptrs, messages


class Large(Wide):
    def change(self, done, end):
        """PTRs of addresses 0, 1, 2, ... by the API, one after the other."""
        connection = harness.UnixConnection(self.sluice.socket)
        while not end.is_set() and len(done) < 2000:
            n = len(done)
            connection.request("PUT", "/v1/ptrs/" + wide_address(n),
                               json.dumps({"reverse_fqdn": "new%d.test." % n}),
                               {"Content-Type": "application/json"})
            response = connection.getresponse()
            response.read()
            done.append(response.status)
        connection.close()

    def test_a_transfer_is_one_version_while_changes_go_on(self):
        done, end = [], threading.Event()
        changer = threading.Thread(target=self.change, args=(done, end), daemon=True)
        changer.start()
        serials = []
        for _ in range(3):
            began = len(done)
            serial, ptrs, messages = self.read_zone(self.connect())
            new = {name for name in ptrs.values() if name.startswith("new")}
            # All that were changed up to some instant, and none after it.
            self.assertEqual({"new%d.test." % n for n in range(len(new))}, new)
            self.assertLessEqual(began, len(new) + 1)
            self.assertEqual(MANY - 2000, sum(name.startswith("old") for name in ptrs.values()))
            self.assertLess(100, messages)
            serials.append(serial)
            harness.wait_for(lambda: len(done) > len(new), "a change that it does not have")
        end.set()
        changer.join()
        self.assertLessEqual(len(serials), len(done))
        self.assertLessEqual(set(done), {200, 201, 202})
        self.assertEqual(sorted(set(serials)), serials)

    def test_who_does_not_read_hurts_nobody_and_is_closed(self):
        stuck = [self.connect() for _ in range(4)]
        for sock in stuck:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sock.sendall(self.question())
        for _ in range(50):
            self.assert_rcode(self.friend.ask(CLOUD, "localhost"), "NOERROR")
        _, ptrs, _ = self.read_zone(self.connect())
        self.assertLessEqual(MANY - 2000, len(ptrs))

        def all_closed():
            return self.status("transfers", WIDE)[0]["broken"] >= len(stuck)
        harness.wait_for(all_closed, "the stuck transfers to be broken off", 180)
        self.assertIn("broken off", self.sluice.log())
        _, ptrs, _ = self.read_zone(self.connect())
        self.assertLessEqual(MANY - 2000, len(ptrs))


if __name__ == "__main__":
    harness.main()
