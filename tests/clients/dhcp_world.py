"""A network whose machines get their addresses from DHCP servers that others wrote, which register them here;
what each server's test shares. The files are those that the guide shows, etc/guide/registration.md.

    dns  10.1.0.53    sluice
    dhcp 10.1.0.2     Kea, or ISC's dhcpd
    vm1, vm2 ...      busybox's udhcpc or ISC's dhclient: no address but that of its lease"""

import contextlib
import json
import os
import re
import shutil
import signal
import sqlite3
import sys
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
import dns
import guide
import harness

DNS, DHCP = "10.1.0.53", "10.1.0.2"
SECRET = "c2x1aWNlLWV4YW1wbGUtbWFrZS15b3VyLW93bi0uLi4="  # the guide's
ZONE = "home.internal"
GUIDE = guide.Guide(os.path.join(harness.TOP, "etc", "guide", "registration.md"))
BOUND = ("bound", "BOUND", "BOUND6", "REBOOT")  # events with the address that a machine has
KEPT = ("DHCID", "TXT")  # what a DHCP server knows its own names by
# What a client runs at each of its events: the machine gets the lease's address, and the file EVENTS a line.
# dhclient declines an address that is in EVENTS.in_use.
UDHCPC = """#!/bin/sh
case $1 in
deconfig) ip -4 addr flush dev eth0 ;;
bound | renew) ip addr replace $ip/16 dev eth0 ;;
esac
echo "$1 $ip" >>EVENTS
"""
DHCLIENT = """#!/bin/sh
case $reason in
BOUND | RENEW | REBIND | REBOOT)
	grep -qsx "$new_ip_address" EVENTS.in_use && exit 1
	ip addr replace $new_ip_address/16 dev eth0 ;;
BOUND6) ip addr replace $new_ip6_address/128 dev eth0 nodad ;;
RELEASE | EXPIRE | STOP) ip -4 addr flush dev eth0 ;;
esac
echo "$reason $new_ip_address$new_ip6_address" >>EVENTS
"""


def shown(path):
    """A file as the guide shows it."""
    return next(step.text for step in GUIDE.steps if isinstance(step, guide.File) and step.path == path)


def replaced(text, *pairs):
    """With each text replaced by another; it has to be there."""
    for old, new in pairs:
        if old not in text:
            raise AssertionError("there is no %s in\n%s" % (old, text))
        text = text.replace(old, new)
    return text


def find(program):
    return shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def wait_link_local(host):
    """DHCPv6 begins with that address."""
    harness.wait_for(lambda: "fe80:" in harness.sh("ip", "-n", host.name, "-6", "addr", "show", "dev", "eth0", "-tentative"),
                     "a link-local address")


class DhcpClient(harness.Process):
    """What it tells its script are its events."""

    def __init__(self, host, name, script, argv):
        self.events_path = host.world.write("%s.events" % host.name, "")
        self.script = host.world.write("%s-%s.sh" % (host.name, name), script.replace("EVENTS", self.events_path))
        os.chmod(self.script, 0o755)
        super().__init__(host, name, argv(self.script))

    def events(self):
        with open(self.events_path) as file:
            return [line.split() for line in file if line.endswith("\n")]

    def next_event(self, act):
        """The one that comes of that."""
        count = len(self.events())
        act()
        return harness.wait_for(lambda: self.events()[count:], "the DHCP client " + self.host.name)[0]

    def bound(self):
        """The address that it has."""
        return harness.wait_for(lambda: [event[1] for event in self.events() if event[0] in BOUND],
                                "a lease of " + self.host.name)[-1]


class Udhcpc(DhcpClient):
    """Renews and releases when it is told to."""

    def __init__(self, host, hostname, *options):
        super().__init__(host, "udhcpc", UDHCPC, lambda script: [
            find("busybox"), "udhcpc", "-f", "-i", "eth0", "-s", script, "-x", "hostname:" + hostname,
            "-t", "20", "-T", "1", "-A", "1", *options])

    def renew(self):
        return self.next_event(lambda: self.signal(signal.SIGUSR1))

    def release(self):
        return self.next_event(lambda: self.signal(signal.SIGUSR2))


class Dhclient(DhcpClient):
    """Asks for the lease that it had before, where there is one. options: -r releases that, and ends the one before."""

    def __init__(self, host, config, *options):
        if "-6" in options:
            wait_link_local(host)
        path = lambda what: os.path.join(host.world.dir, "%s-dhclient.%s" % (host.name, what))
        super().__init__(host, "dhclient", DHCLIENT, lambda script: [
            host.world.program(find("dhclient")), "-d", "-cf", host.world.write(host.name + "-dhclient.conf", config),
            "-lf", path("leases"), "-pf", path("pid"), "-sf", script, *options, "eth0"])


class Network(harness.FreshCase):
    needs = ()  # programs

    def setUp(self):
        missing = [name for name in ("busybox", *self.needs) if not find(name)]
        if missing:
            why = "%s is not installed: no DHCP with it" % " and ".join(missing)
            if os.environ.get("CLIENTS") == "required":
                self.fail(why)
            self.skipTest(why)
        super().setUp()

    def build(self, world):
        self.dns, self.dhcp = world.host("dns", DNS), world.host("dhcp", DHCP)
        self.servers = []
        self.serve()

    def serve(self, *pairs):
        secret = self.world.secret("dhcp.secret", SECRET)
        config = replaced(shown("/etc/sluice/sluice.conf"), ("/run/credentials/sluice.service/secrets_dhcp", secret),
                          ('state = "/var/lib/sluice/state.db"', 'socket = "control.sock"; state = "state.db"'),
                          *pairs) + 'metrics = { listen = [ "http://127.0.0.1:9153" ]; };\n'
        # No address of the machine that runs the tests is to be a default resolver.
        resolv_conf = self.world.write("system.conf", "nameserver 192.0.2.53\n")
        self.sluice = harness.Sluice(self.dns, config, (DNS, 53), options=("--resolv-conf", resolv_conf))
        self.sluice.wait_managed()

    def machine(self, name, *options, hostname=None):
        return Udhcpc(self.world.host(name), hostname or name, *options)

    def rows(self):
        status, text = self.sluice.command("registration", "list", "--json")
        self.assertEqual(0, status, text)
        return json.loads(text)

    def data(self):
        """The rows, but for when each was renewed last."""
        return [{key: value for key, value in row.items() if key != "renewed"} for row in self.rows()]

    def updates(self):
        """How many were answered, each after it was stored."""
        return self.sluice.status()["counters"]["updates_answered"]

    def responses(self):
        """By rcode, how many there were."""
        with self.dns.inside(), urllib.request.urlopen("http://127.0.0.1:9153/metrics", timeout=dns.PATIENCE) as response:
            text = response.read().decode()
        found = re.findall(r'(?m)^sluice_update_responses_total.*rcode="(\w+)".* (\d+)$', text)
        return {rcode: int(count) for rcode, count in found}

    def stored(self):
        """What is stored, without what the server writes by itself now and then: what is used, and renewals."""
        with contextlib.closing(sqlite3.connect(os.path.join(self.world.dir, "state.db"))) as state:
            return state.execute("SELECT key, value FROM pairs WHERE key NOT LIKE 'use %' AND key NOT LIKE 'renewal %' "
                                 "ORDER BY key").fetchall()

    def lookup(self, name, rtype="A"):
        return self.dns.ask(DNS, name, rtype)

    def wait_registered(self, leases, ptrs=True, hidden=False):
        """Until names and PTRs are those of {hostname: address}, and there are no others. hidden: the zone has these
        names itself."""
        wanted = {(name + "." + ZONE + ".", "AAAA" if ":" in address else "A", address) for name, address in leases.items()}
        if ptrs:
            wanted |= {(harness.reverse_name(address), "PTR", name + "." + ZONE + ".") for name, address in leases.items()}
        found = lambda: {(row["name"], row["type"], row["data"]) for row in self.rows() if row["type"] not in KEPT}
        asked = [(name, rtype, data) for name, rtype, data in wanted if not (hidden and rtype == "A")]
        answers = lambda: all(self.lookup(name, rtype).texts() == [data] for name, rtype, data in asked)
        try:
            harness.wait_for(lambda: found() == wanted and answers(), "these to be registered: %s" % wanted)
        except AssertionError as error:
            raise AssertionError("%s, but there are %s" % (error, found()))
