#!/usr/bin/env python3
"""DHCP servers register the machines that they lease addresses to: Kea, with and without its resolution of
conflicts, and ISC's dhcpd, in both of its styles. ISC's client of isc-dhcp-client-ddns does so itself.

Where they are not installed this is skipped and named; `make test-clients` installs them, and with
CLIENTS=required their absence is a failure."""

import json
import os
import re
import signal

import dhcp_world
import harness
from dhcp_world import SECRET, ZONE, replaced, shown

WRONG = "d3Jvbmctb25lLTAxMjM0NTY3ODk="
FIRST, SECOND = "10.1.7.1", "10.1.7.2"  # of the pool
RESERVED = "10.1.7.200"


class Kea(dhcp_world.Network):
    needs = ("kea-dhcp4", "kea-dhcp-ddns")
    options = {}  # of Dhcp4, beside the guide's
    gives_up, acknowledges = "DHCP_DDNS_ADD_FAILED", "DHCP4_LEASE_ALLOC"  # in its log
    name_is_taken = False  # by the machine that comes last
    renewal, renewal_changes = 0, False  # how many messages it sends; whether they change what is stored

    def configure(self, zone=ZONE, **subnet):
        """The file; leases are kept with it."""
        config = json.loads(replaced(shown("/etc/kea/kea-dhcp4.conf"), (ZONE, zone)))
        leases = {"type": "memfile", "name": os.path.join(self.world.dir, "kea-leases4.csv")}
        config["Dhcp4"].update({"lease-database": leases}, **self.options)
        config["Dhcp4"]["expired-leases-processing"] = {"reclaim-timer-wait-time": 1}  # seconds
        config["Dhcp4"]["subnet4"][0].update(subnet)
        return self.world.write("kea-dhcp4.conf", json.dumps(config))

    def start_dhcp(self, secret=SECRET, key="dhcp", zone=ZONE, lease_s=7200):
        ddns = json.loads(replaced(shown("/etc/kea/kea-dhcp-ddns.conf"), (SECRET, secret), ('"dhcp"', '"%s"' % key),
                                   (ZONE, zone)))
        ddns["DhcpDdns"]["dns-server-timeout"] = 10000  # ms; on a busy machine it gives up too early by itself
        self.start("kea-dhcp-ddns", self.world.write("kea-dhcp-ddns.conf", json.dumps(ddns)))
        # What is leased before it listens is not registered.
        harness.wait_for(lambda: self.dhcp.run("ss", "-Hlun", "sport = :53001")[1], "D2 listens")
        self.start("kea-dhcp4", self.configure(zone, **{"valid-lifetime": lease_s}))

    def start(self, program, file):
        path = self.world.program(dhcp_world.find(program))
        environment = dict(os.environ, KEA_LOCKFILE_DIR=self.world.dir, KEA_PIDFILE_DIR=self.world.dir)
        self.servers.append(harness.Process(self.dhcp, program, [path, "-c", file], env=environment))


class Dhcpd(dhcp_world.Network):
    needs = ("dhcpd",)
    style, options = "standard", ""
    gives_up, acknowledges = r"Unable to add forward map|Forward map from .* FAILED", "DHCPACK on"
    name_is_taken, renewal, renewal_changes = False, 0, False

    def start_dhcp(self, secret=SECRET, key="dhcp", zone=ZONE, lease_s=7200):
        config = replaced(shown("/etc/dhcp/dhcpd.conf"), (SECRET, secret), ("key dhcp", "key " + key), (ZONE, zone),
                          ("ddns-update-style standard", "ddns-update-style " + self.style)) + self.options
        config += "min-lease-time %d;\nmax-lease-time %d;\n" % (lease_s, lease_s)
        leases = self.world.write("dhcpd.leases", "")
        self.servers.append(harness.Process(self.dhcp, "dhcpd", [
            self.world.program(dhcp_world.find("dhcpd")), "-4", "-f", "-d", "-cf", self.world.write("dhcpd.conf", config),
            "-lf", leases, "-pf", os.path.join(self.world.dir, "dhcpd.pid"), "eth0"]))


class Leases:
    """What machines of each server go through."""

    def test_a_machine_is_registered_until_it_releases_its_lease(self):
        self.start_dhcp()
        machine = self.machine("vm1")
        self.assertEqual(FIRST, machine.bound())
        self.wait_registered({"vm1": FIRST})
        before, stored = self.data(), self.stored()
        self.assertEqual(["renew", FIRST], machine.renew())
        harness.wait_for(lambda: self.updates() >= 2 + self.renewal, "the renewal's messages")
        self.wait_registered({"vm1": FIRST})
        if not self.renewal_changes:
            self.assertEqual((before, stored), (self.data(), self.stored()))
        other = self.machine("vm2")
        self.assertEqual(SECOND, other.bound())
        self.wait_registered({"vm1": FIRST, "vm2": SECOND})
        # Two messages for each name. A client may have to ask twice until it hears that it may keep its lease; what
        # the server sends then depends on how far it was with the messages before.
        expected = 2 * 2 + self.renewal
        harness.wait_for(lambda: self.updates() >= expected, "the messages")
        if self.logged(self.acknowledges) == 3:
            self.assertEqual(expected, self.updates())
        machine.release()
        self.wait_registered({"vm2": SECOND})
        other.release()
        self.wait_registered({})
        self.assertEqual([], self.rows())

    def test_a_machine_that_has_left_is_registered_until_its_lease_ends(self):
        self.start_dhcp(lease_s=6)
        machine = self.machine("vm1")
        self.assertEqual(FIRST, machine.bound())
        self.wait_registered({"vm1": FIRST})
        machine.child.kill()
        self.wait_registered({})
        self.assertEqual([], self.rows())

    def test_a_machine_moves_from_an_address_that_it_finds_in_use(self):
        self.start_dhcp()
        machine = self.machine("vm1")
        self.assertEqual(FIRST, machine.bound())
        self.wait_registered({"vm1": FIRST})
        machine.stop()
        self.world.host("stranger", FIRST)
        self.assertEqual(SECOND, dhcp_world.Udhcpc(machine.host, "vm1", "-a").bound())
        self.wait_registered({"vm1": SECOND})

    def test_a_machine_comes_back_to_another_address(self):
        self.start_dhcp()
        machine = self.machine("vm1")
        self.assertEqual(FIRST, machine.bound())
        self.wait_registered({"vm1": FIRST})
        machine.release()
        self.wait_registered({})
        machine.stop()
        self.assertEqual(RESERVED, dhcp_world.Udhcpc(machine.host, "vm1", "-r", RESERVED).bound())
        self.wait_registered({"vm1": RESERVED})

    def test_a_name_that_another_machine_has(self):
        self.start_dhcp()
        first = self.machine("vm1")
        self.assertEqual(FIRST, first.bound())
        self.wait_registered({"vm1": FIRST})
        second = self.machine("vm2", hostname="vm1")
        self.assertEqual(SECOND, second.bound())
        if self.name_is_taken:
            harness.wait_for(lambda: self.lookup("vm1." + ZONE).texts() == [SECOND], "the last to have the name")
            first.release()  # Kea does not look whose it is
            harness.wait_for(lambda: self.lookup("vm1." + ZONE).rcode == "NXDOMAIN", "nobody to have the name")
            second.release()
        else:
            harness.wait_for(lambda: self.logged(self.gives_up), "the second to give up")
            self.wait_registered({"vm1": FIRST})
            second.release()
            first.release()
        self.wait_registered({})
        self.assertEqual([], self.rows())

    def logged(self, pattern):
        return sum(len(re.findall(pattern, server.log())) for server in self.servers)

    def test_what_may_not_be_registered_changes_nothing(self):
        usual, number = 'keys = ( { key = "dhcp"; } )', 0
        for case, served, how in (
                ("NOTAUTH", (), {"secret": WRONG}), ("NOTAUTH", (), {"key": "foreign"}),
                ("NOTAUTH", (), {"zone": "other.internal"}),
                ("REFUSED", ((usual, 'keys = ( { key = "dhcp"; names = "self"; } )'),), {}),
                ("REFUSED", (('prefixes = [ "10.1.0.0/16" ]', 'prefixes = [ "10.1.6.0/24" ]'),), {})):
            with self.subTest(case=case, served=served, how=how):
                number += 1
                for server in self.servers:
                    server.stop()
                self.servers.clear()
                self.sluice.stop()
                self.serve(*served)
                self.start_dhcp(**how)
                before = self.logged(self.gives_up)
                self.machine("vm%d" % number).bound()
                harness.wait_for(lambda: self.logged(self.gives_up) > before, "the server to give up")
                self.assertEqual({case}, set(self.responses()))
                self.assertEqual([], self.rows())

    def test_the_zones_own_records_stay(self):
        self.sluice.command("record", "set", ZONE, "vm1", "A", "10.1.0.80")
        self.start_dhcp()
        machine = self.machine("vm1")
        self.assertEqual(FIRST, machine.bound())
        if self.name_is_taken:
            self.wait_registered({"vm1": FIRST}, hidden=True)
        else:
            harness.wait_for(lambda: self.logged(self.gives_up), "the server to give up")
            self.assertEqual([], self.rows())
        self.assert_answer(self.lookup("vm1." + ZONE), "10.1.0.80")
        machine.release()
        self.wait_registered({})
        self.assert_answer(self.lookup("vm1." + ZONE), "10.1.0.80")


class KeaChecked(Leases, Kea):
    pass


class KeaUnchecked(Leases, Kea):
    options = {"ddns-use-conflict-resolution": False}
    name_is_taken = True


class KeaRenewing(Leases, Kea):
    """It removes and adds all."""
    options = {"ddns-update-on-renew": True}
    renewal, renewal_changes = 5, True

    def test_a_machine_moves_to_the_address_that_is_reserved_for_it(self):
        self.start_dhcp()
        machine = self.machine("vm1")
        self.assertEqual(FIRST, machine.bound())
        self.wait_registered({"vm1": FIRST})
        (link,) = json.loads(harness.sh("ip", "-n", "vm1", "-j", "link", "show", "eth0"))
        self.configure(reservations=[{"hw-address": link["address"], "ip-address": RESERVED}])
        self.servers[1].signal(signal.SIGHUP)
        harness.wait_for(lambda: self.servers[1].log().count("DHCP4_CONFIG_COMPLETE") == 2, "the reservation")
        machine.renew()
        harness.wait_for(lambda: machine.bound() == RESERVED, "the reserved address")
        self.wait_registered({"vm1": RESERVED})


class DhcpdStandard(Leases, Dhcpd):
    pass


class DhcpdInterim(Leases, Dhcpd):
    style = "interim"


class DhcpdRenewing(Leases, Dhcpd):
    """It asks for what is there."""
    options = "update-optimization false;\ndhcp-cache-threshold 0;\n"
    renewal = 3


class DhcpdSix(dhcp_world.Network):
    """DHCPv6."""
    needs = ("dhcpd", "dhclient")
    CLIENT = """
send fqdn.fqdn "vm1.home.internal.";
send fqdn.encoded on;
send fqdn.server-update on;
also request dhcp6.fqdn;
"""

    def serve(self):
        super().serve(('"10.1.0.0/16" ]; }', '"10.1.0.0/16", "fd00:10:1::/64" ]; }'),
                      ('prefixes = [ "10.1.0.0/16" ]', 'prefixes = [ "10.1.0.0/16", "fd00:10:1::/64" ]'))

    def test_a_machine_is_registered_until_it_releases_its_lease(self):
        config = shown("/etc/dhcp/dhcpd.conf")
        config = replaced(config[:config.index("subnet")], ("1.10.in-addr.arpa", "0.0.0.0.1.0.0.0.0.1.0.0.0.0.d.f.ip6.arpa"))
        config += "subnet6 fd00:10:1::/64 { range6 fd00:10:1::100 fd00:10:1::1ff; }\n"
        self.dhcp.add_address("fd00:10:1::2")
        dhcp_world.wait_link_local(self.dhcp)
        harness.Process(self.dhcp, "dhcpd", [
            self.world.program(dhcp_world.find("dhcpd")), "-6", "-f", "-d", "-cf", self.world.write("dhcpd.conf", config),
            "-lf", self.world.write("dhcpd.leases", ""), "-pf", os.path.join(self.world.dir, "dhcpd.pid"), "eth0"])
        vm = self.world.host("vm1")
        address = dhcp_world.Dhclient(vm, self.CLIENT, "-6").bound()
        self.wait_registered({"vm1": address})
        dhcp_world.Dhclient(vm, self.CLIENT, "-6", "-r")
        self.wait_registered({})
        self.assertEqual([], self.rows())


OWN = """
initial-interval 1;
send fqdn.fqdn "%(name)s.home.internal.";
send fqdn.encoded on;
send fqdn.server-update off;
key vm1.home.internal { algorithm hmac-sha256; secret "%(secret)s"; };
zone home.internal. { primary 10.1.0.53; key vm1.home.internal; }
"""


class Dhclient(Dhcpd):
    """The client registers its name, with a key for that name, and the server the PTR."""
    needs = ("dhcpd", "dhclient-noddns")  # the usual client, which isc-dhcp-client-ddns puts aside

    def serve(self, *pairs):
        own = self.world.secret("vm1.secret", SECRET)
        super().serve(('\nkeys = ( ', '\nkeys = ( { name = "vm1.home.internal"; secret_file = "%s"; }, ' % own),
                      ('{ key = "dhcp"; }', '{ key = "dhcp"; }, { key = "vm1.home.internal"; names = "self"; }'), *pairs)

    def client(self, host, *options, name="vm1"):
        return dhcp_world.Dhclient(host, OWN % {"name": name, "secret": SECRET}, *options)

    def test_a_machine_registers_itself(self):
        self.start_dhcp()
        vm = self.world.host("vm1")
        client = self.client(vm)
        self.assertEqual(FIRST, client.bound())
        self.wait_registered({"vm1": FIRST})
        self.assertEqual({"A": "key vm1.home.internal.", "TXT": "key vm1.home.internal.", "PTR": "key dhcp."},
                         {row["type"]: row["by"] for row in self.rows()})
        before, stored, told = self.data(), self.stored(), self.responses()
        client.stop()
        again = self.client(vm)
        self.assertEqual(FIRST, again.bound())
        self.assertIn(["REBOOT", FIRST], again.events())
        # It is told that there is such a name, and then replaces it.
        harness.wait_for(lambda: all(self.responses().get(rcode, 0) > told.get(rcode, 0) for rcode in ("YXRRSET", "NOERROR")),
                         "the same name")
        self.assertEqual((before, stored), (self.data(), self.stored()))
        again.stop()
        self.world.write("vm1.events.in_use", FIRST + "\n")
        moved = self.client(vm)
        self.assertEqual(SECOND, moved.bound())
        self.wait_registered({"vm1": SECOND})
        released = self.client(vm, "-r")
        harness.wait_for(lambda: "RELEASE" in [event[0] for event in released.events()], "the release")
        self.wait_registered({"vm1": SECOND}, ptrs=False)  # which it leaves to others
        status, text = self.dhcp.run("nsupdate", "-y", "hmac-sha256:vm1.home.internal:" + SECRET, input="\n".join((
            "server " + dhcp_world.DNS, "zone " + ZONE, "del vm1." + ZONE, "send", "")))
        self.assertEqual((0, ""), (status, text))
        self.assertEqual([], self.rows())

    def test_a_machine_may_not_have_another_name(self):
        self.start_dhcp()
        self.client(self.world.host("vm1"), name="vm2").bound()
        harness.wait_for(lambda: self.responses().get("REFUSED"), "the client to be refused")
        self.assertEqual([], [row for row in self.rows() if row["by"] != "key dhcp."])


if __name__ == "__main__":
    harness.main()
