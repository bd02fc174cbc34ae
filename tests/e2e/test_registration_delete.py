"""What clients have registered can be removed: a name, one of its types, or all of a zone, which need not be there any
more. It is gone for queries and lists at once, and stays so; what is a machine's, or the zone's own, stays."""

import contextlib
import hashlib
import http.client
import json
import re

import dns
import harness
import test_update
from test_update import DHCID, SHOWN

WITHOUT = re.sub(r"(?s)private_zones = .*", "", SHOWN)
# The zone in no group, which makes it another one.
MOVED = SHOWN.replace('{ name = "corp.internal"; resource_group = "net";', '{ name = "corp.internal";').replace(
    'name = "hub"; virtual_network = "hub"; registration', 'name = "hub"; virtual_network = "net/hub"; registration')
PTR = harness.reverse_name("10.10.7.4")


class Deletions(test_update.Client):
    start, add, add_ptr = test_update.Shown.start, test_update.Shown.add, test_update.Shown.add_ptr

    def delete(self, *argv):
        return self.command("registration", "delete", *argv)

    def deleted(self, *argv):
        return [(row["name"], row["type"]) for row in json.loads(self.delete(*argv, "--json"))]

    def refused(self, text, *argv, status=1):
        """By a command; and nothing has gone."""
        before = self.data()
        code, said = self.sluice.command("registration", "delete", *argv)
        self.assertEqual(status, code, said)
        self.assertIn(text, said)
        self.assertEqual(before, self.data())

    def ask(self, method, path, status=200, body=None):
        with contextlib.closing(harness.UnixConnection(self.sluice.socket)) as connection:
            connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
            response = connection.getresponse()
            body = json.loads(response.read())
        self.assertEqual(status, response.status, body)
        return body

    def listed(self):
        return [(row["name"], row["type"]) for row in self.rows() if row["since"]]

    def restart(self, config=SHOWN):
        self.sluice.kill()
        self.start(config)

    def reload(self, config):
        self.sluice.reconfigure(config % {"secret": test_update.SECRET})
        self.command("reload")

    def fill(self):
        self.add("vm1.corp.internal 60 A 10.10.7.4", "vm1.corp.internal 60 AAAA fd00:10::4", "vm1.corp.internal 60 DHCID " + DHCID,
                 "vm2.corp.internal 60 A 10.10.7.5")
        self.add_ptr("10.10.7.4", "vm1.corp.internal")
        self.add_ptr("10.10.7.5", "vm2.corp.internal")

    def test_a_name_goes_with_the_ptrs_that_lead_back_and_stays_gone(self):
        self.fill()
        self.assertEqual("NOERROR", self.nsupdate("zone 10.10.in-addr.arpa", "add %s 60 DHCID %s" % (PTR, DHCID)))
        whole = {("vm1.corp.internal.", rtype) for rtype in ("A", "AAAA", "DHCID")} | {(PTR, "PTR"), (PTR, "DHCID")}
        would = self.delete("VM1.corp.internal", "--dry-run")
        self.assertIn("5 record sets would be removed; nothing was done (--dry-run)", would)
        self.assertEqual(7, len(self.listed()))
        text = self.delete("VM1.corp.internal")
        self.assertRegex(text, r"(?m)^ *NAME +TYPE +ZONE +BY$")
        self.assertRegex(text, r"(?m)^ *vm1\.corp\.internal\. +AAAA +net/corp\.internal +key dhcp\.$")
        self.assertIn("5 record sets are removed", text)
        self.gone("vm1.corp.internal")
        self.gone(PTR, "PTR")
        kept = [(harness.reverse_name("10.10.7.5"), "PTR"), ("vm2.corp.internal.", "A")]
        self.assertEqual(kept, self.listed())
        self.registered("vm2.corp.internal", "10.10.7.5")
        self.assertRegex(self.command("events"), r"vm1\.corp\.internal\. A and 4 other record sets in net/corp\.internal, "
                         r"registered by key dhcp\., removed by uid 0")
        self.restart()
        self.assertEqual(kept, self.listed())
        self.gone("vm1.corp.internal")
        self.fill()
        self.assertEqual(6, len(self.listed()))
        self.assertEqual(whole - {(PTR, "DHCID")}, set(self.deleted("vm1.corp.internal.", "--zone", "corp.internal")))

    def test_a_reader_learns_that_it_has_gone_and_not_who_removed_it(self):
        self.restart(SHOWN.replace('"control.sock";', '"control.sock"; listen = [ "http://127.0.0.1:8053" ];'))
        secret = "eye-secret-0123456789"
        body = json.dumps({"secret_sha256": hashlib.sha256(secret.encode()).hexdigest()})
        self.ask("PUT", "/v1/clients/-/eye", 201, body)
        self.add("vm1.corp.internal 60 A 10.10.7.4")
        self.delete("vm1.corp.internal")
        with self.host.inside():
            connection = http.client.HTTPConnection("127.0.0.1", 8053, timeout=dns.PATIENCE)
            connection.connect()
        with contextlib.closing(connection):
            connection.request("GET", "/v1/events?event=registration", headers={"Authorization": "Bearer " + secret})
            events = json.loads(connection.getresponse().read())["events"]
        self.assertEqual("vm1.corp.internal. A in net/corp.internal, registered by key dhcp., removed", events[-1]["text"])

    def test_ptrs_alone_are_served_after_a_restart_whatever_their_group_is(self):
        config = SHOWN.replace('"net"', '"%s"' % ("g" * 60)).replace("net/", "g" * 60 + "/")
        self.restart(config)
        self.add_ptr("10.10.7.4", "vm1.corp.internal")
        self.restart(config)
        self.assertEqual([(PTR, "PTR")], self.listed())
        self.registered(PTR, "vm1.corp.internal.", rtype="PTR")

    def test_a_ptr_to_another_name_stays(self):
        self.fill()
        self.add("twin.corp.internal 60 A 10.10.7.5")
        self.assertEqual([("twin.corp.internal.", "A")], self.deleted("twin.corp.internal"))
        self.registered(harness.reverse_name("10.10.7.5"), "vm2.corp.internal.", rtype="PTR")

    def test_a_type_goes_alone(self):
        self.fill()
        self.assertEqual([("vm1.corp.internal.", "DHCID")], self.deleted("vm1.corp.internal", "dhcid"))
        self.assertEqual([(PTR, "PTR")], self.deleted(PTR, "PTR"))
        self.assertEqual([("vm1.corp.internal.", "AAAA")], self.deleted("vm1.corp.internal", "AAAA"))
        self.registered("vm1.corp.internal", "10.10.7.4")
        self.assert_rcode(self.lookup("vm1.corp.internal", "AAAA"), "NOERROR")
        self.assertEqual([], self.lookup("vm1.corp.internal", "AAAA").answer)

    def test_what_a_machine_has_and_what_the_zone_has_stays(self):
        self.add("www.corp.internal 60 A 10.10.7.8", "box.corp.internal 60 A 10.10.7.9")
        self.assertEqual([("www.corp.internal.", "A")], self.deleted("www.corp.internal"))
        self.registered("www.corp.internal", "10.0.0.1")
        self.assertEqual([("box.corp.internal.", "A")], self.deleted("box.corp.internal"))
        self.registered("box.corp.internal", "10.10.7.99")
        for asked in ("box.corp.internal",), ("box.corp.internal", "A"), (harness.reverse_name("10.10.7.99"),):
            self.refused("is registered by the network interface net/nic1, and goes with it", *asked)
        self.refused("no client has registered www.corp.internal.", "www.corp.internal")
        self.refused("no client has registered box.corp.internal. AAAA", "box.corp.internal", "AAAA")

    def test_what_does_not_fit_says_what_would(self):
        self.fill()
        self.refused("no client has registered vm1.; give a whole name", "vm1")
        self.refused("must be one that clients register: A, AAAA, PTR, DHCID or TXT", "vm1.corp.internal", "MX")
        self.refused("must be one that clients register", "vm1.corp.internal", "nonsense")
        self.refused("must be a domain name", "vm1..corp.internal")
        self.refused('there is no private zone "lab.internal"', "--zone", "lab.internal", "--all")
        self.refused("no client has registered vm1.corp.internal. in lab.internal", "vm1.corp.internal", "--zone", "lab.internal")
        self.refused("if that is meant, give --all", "--zone", "corp.internal", status=2)
        self.refused("give a NAME, or --zone and --all", status=2)
        self.refused("give a NAME, or --zone and --all", "--all", status=2)
        self.refused("leave it out, or the name", "vm1.corp.internal", "--all", status=2)
        self.refused("one --zone at a time", "--zone", "a", "--zone", "b", "--all", status=2)
        for query, path in (("", "name"), ("zone=corp.internal", "name"), ("all=true", "zone"), ("name=a&all=true", "all"),
                            ("type=A&zone=corp.internal&all=true", "all"), ("all=yes&zone=corp.internal", "all"), ("all=&zone=corp.internal", "all"),
                            ("name=a&more=1", "more"), ("name=vm1.corp.internal&dry_run=maybe", "dry_run")):
            with self.subTest(query=query):
                self.assertEqual(path, self.ask("DELETE", "/v1/registrations?" + query, 400)["error"]["path"])
        self.assertEqual(6, len(self.listed()))

    def test_a_zone_that_is_gone_can_be_emptied(self):
        self.fill()
        for config, names in ((WITHOUT, ("vm1.corp.internal",)), (SHOWN.split("registration = (")[0], ("vm2.corp.internal",))):
            self.reload(config)
            self.assertEqual({False}, {row["served"] for row in self.rows() if row["since"]})
            self.assertLess(1, len(self.deleted(*names)))
            self.assertFalse({name + "." for name in names} & {name for name, _ in self.listed()})
            self.reload(SHOWN)
            self.gone(*names)
            self.fill()
            self.registered(*names, "10.10.7.4" if names[0][2] == "1" else "10.10.7.5")
        self.reload(WITHOUT)
        self.assertIn("6 record sets would be removed", self.delete("--zone", "net/corp.internal", "--all", "--dry-run"))
        self.restart(WITHOUT)
        self.assertEqual(6, len(self.listed()))
        self.assertIn("6 record sets are removed\n", self.delete("--zone", "net/corp.internal", "--all"))
        self.assertEqual([], self.rows())
        self.refused("and nothing that clients have registered in one of that name", "--zone", "net/corp.internal", "--all")
        self.reload(SHOWN)
        self.gone("vm1.corp.internal")
        self.restart()
        self.assertEqual([], self.listed())
        self.gone("vm1.corp.internal")

    def test_of_zones_of_one_name_one_has_to_be_named(self):
        self.add("vm1.corp.internal 60 A 10.10.7.4")
        self.reload(MOVED)
        self.add("vm1.corp.internal 60 A 10.10.7.5", "vm2.corp.internal 60 A 10.10.7.6")
        self.refused("is registered in several zones, corp.internal and net/corp.internal among them", "vm1.corp.internal")
        self.assertEqual([("vm1.corp.internal.", "A")], self.deleted("vm1.corp.internal", "--zone", "net/corp.internal"))
        self.registered("vm1.corp.internal", "10.10.7.5")
        self.reload(SHOWN)
        self.gone("vm1.corp.internal")
        self.assertEqual([("vm2.corp.internal.", "A")], self.deleted("vm2.corp.internal", "--zone", "-/corp.internal"))
        self.assertIn("0 record sets are removed", self.delete("--zone", "corp.internal", "--all"))
        self.reload(MOVED)
        self.registered("vm1.corp.internal", "10.10.7.5")
        self.gone("vm2.corp.internal")

    def test_all_of_a_zone_goes_however_much_it_is(self):
        adds = ["add vm%d.corp.internal 60 A 10.10.%d.%d" % (i, 8 + i // 250, i % 250) for i in range(1100)]
        for i in range(0, len(adds), 60):
            self.assertEqual("NOERROR", self.nsupdate("zone corp.internal", *adds[i:i + 60]))
        self.assertIn("1000 record sets and more would be removed", self.delete("--zone", "corp.internal", "--all", "--dry-run"))
        self.assertIn("1100 record sets are removed", self.delete("--zone", "corp.internal", "--all"))
        self.assertEqual([], self.listed())
        self.gone("vm0.corp.internal")
        self.gone("vm1099.corp.internal")
        self.registered("box.corp.internal", "10.10.7.99")
        self.assertIn("0 record sets are removed", self.delete("--zone", "corp.internal", "--all"))
        self.restart()
        self.assertEqual([], self.listed())


if __name__ == "__main__":
    harness.main()
