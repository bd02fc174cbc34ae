"""Machines that are registered in the private zones that their networks are linked to: network interfaces,
with their addresses and PTRs; beside records of the zone, which take precedence."""

import json

import harness
import test_arm_types
from test_arm_types import HUB, LOCATION, below, ref

ZONE = below("privateDnsZones/corp.internal")
LINK = ZONE + "/virtualNetworkLinks/hub"
NETWORK = below("virtualNetworks/hub")


class Registration(test_arm_types.World):
    def link(self, name="hub", network="hub", registers=True, status=201):
        return self.arm("PUT", ZONE + "/virtualNetworkLinks/" + name, {"location": "global", "properties": {
            "registrationEnabled": registers, "virtualNetwork": ref("virtualNetworks/" + network)}}, status)

    def interface(self, name, address, label=None, network="hub", status=201, **more):
        return self.arm("PUT", below("networkInterfaces/" + name), {**LOCATION, "properties": {
            "ipConfigurations": [{"name": "ip", "properties": {
                "privateIPAddress": address, "privateIPAllocationMethod": "Static",
                "subnet": ref("virtualNetworks/%s/subnets/vms" % network)}}],
            **({"dnsSettings": {"internalDnsNameLabel": label}} if label else {}), **more}}, status)

    def set_of(self, name, status=200):
        return self.arm("GET", ZONE + "/" + name, status=status).body

    def listed(self, of="ALL"):
        sets = self.arm("GET", ZONE + "/" + of, status=200).body["value"]
        return [(each["name"], each["properties"]["isAutoRegistered"]) for each in sets]

    def lookup(self, name, rtype="A"):
        return self.host.ask("10.10.0.4", name, rtype)

    def ptrs(self, address):
        return self.lookup(harness.reverse_name(address), "PTR").texts()

    def command(self, *argv):
        status, text = self.sluice.command(*argv)
        self.assertEqual(0, status, text)
        return text

    def start(self):
        super().start()
        for path, body in test_arm_types.STEPS[:8]:
            self.arm("PUT", path, body, 201)
        self.arm("PUT", ZONE, {"location": "global"}, 201)
        self.arm("PUT", NETWORK + "/subnets/vms", {"properties": {"addressPrefix": "10.10.7.0/24"}}, 201)


class Machines(Registration):
    def test_a_machine_has_its_records_as_long_as_it_and_its_link_are_there(self):
        self.interface("vm1", "10.10.7.4")
        self.interface("nic-2", "10.10.7.5", label="web")
        self.assert_answer(self.lookup("vm1.corp.internal"), "198.51.100.3")  # of the default resolver
        self.link()
        self.assert_answer(self.lookup("vm1.corp.internal"), "10.10.7.4")
        self.assert_answer(self.lookup("WEB.corp.internal"), "10.10.7.5")
        self.assert_rcode(self.lookup("nic-2.corp.internal"), "NXDOMAIN")
        by = "registered by network interface %s/nic-2" % HUB
        for asked in (("web.corp.internal", "A"), (harness.reverse_name("10.10.7.5"), "PTR")):
            self.assertIn(by, self.command("explain", *asked, "--vnet", HUB + "/hub"))
        self.assertEqual(["vm1.corp.internal."], self.ptrs("10.10.7.4"))
        self.interface("vm1", "10.10.7.9", status=200)
        self.assert_answer(self.lookup("vm1.corp.internal"), "10.10.7.9")
        self.assertEqual(["vm1.corp.internal."], self.ptrs("10.10.7.9"))
        self.assertEqual([], self.ptrs("10.10.7.4"))
        self.arm("DELETE", below("networkInterfaces/vm1"))
        self.assert_rcode(self.lookup("vm1.corp.internal"), "NXDOMAIN")
        self.link(registers=False, status=200)
        self.assert_rcode(self.lookup("web.corp.internal"), "NXDOMAIN")
        self.link(status=200)
        self.assert_answer(self.lookup("web.corp.internal"), "10.10.7.5")

    def test_records_of_the_zone_take_precedence_and_lists_show_which_are_whose(self):
        self.link()
        self.interface("vm1", "10.10.7.4")
        self.interface("vm2", "10.10.7.5")
        self.assertEqual([("@", False), ("vm1", True), ("vm2", True)], sorted(self.listed()))
        self.assertEqual([("vm1", True), ("vm2", True)], self.listed("A"))
        shown = self.set_of("A/VM1")["properties"]
        self.assertEqual((True, 10, [{"ipv4Address": "10.10.7.4"}], "vm1.corp.internal."), (
            shown["isAutoRegistered"], shown["ttl"], shown["aRecords"], shown["fqdn"]))
        own = {"properties": {"ttl": 60, "aRecords": [{"ipv4Address": "10.0.0.1"}]}}
        for method, body in (("PATCH", own), ("DELETE", None)):
            error = self.arm(method, ZONE + "/A/VM1", body, 409).body["error"]
            self.assertEqual("Conflict", error["code"])
            self.assertIn("is registered automatically", error["message"])
        self.arm("PUT", ZONE + "/A/vm1", own, 201)
        self.assert_answer(self.lookup("vm1.corp.internal"), "10.0.0.1")
        self.assertFalse(self.set_of("A/vm1")["properties"]["isAutoRegistered"])
        self.assertEqual([("vm1", False), ("vm2", True)], self.listed("A"))
        self.arm("DELETE", ZONE + "/A/vm1", status=200)
        self.assert_answer(self.lookup("vm1.corp.internal"), "10.10.7.4")
        self.arm("PUT", ZONE + "/CNAME/vm2", {"properties": {
            "ttl": 60, "cnameRecord": {"cname": "vm1.corp.internal"}}}, 201)
        self.assertEqual([("vm1", True)], self.listed("A"))
        self.assert_answer(self.lookup("vm2.corp.internal"), "vm1.corp.internal.", "10.10.7.4")
        rows = {row["name"]: row for row in json.loads(self.command("registration", "list", "--json"))}
        self.assertEqual((False, "network interface %s/vm2" % HUB), (
            rows["vm2.corp.internal."]["served"], rows["vm2.corp.internal."]["by"]))
        self.assertTrue(rows["vm1.corp.internal."]["served"])
        self.assertIn("10.10.7.4", self.command("registration", "list", "corp.internal"))

    def test_no_history_no_export_and_no_undo_has_them(self):
        self.link()
        self.interface("vm1", "10.10.7.4")
        self.assert_answer(self.lookup("vm1.corp.internal"), "10.10.7.4")
        self.assertEqual([], [edit for edit in self.good("GET", "export").body["edits"]
                              if edit["path"].startswith("record_sets") or "/vm1:A" in edit["path"]])
        self.assertNotIn("vm1", self.command("zone", "export", "corp.internal"))
        revision = self.good("GET", "changes").body["changes"][-1]["revision"]
        self.command("undo", str(revision))
        self.assert_rcode(self.lookup("vm1.corp.internal"), "NXDOMAIN")

    def test_pages_have_each_once(self):
        self.link()
        for i in range(9):
            self.interface("vm%d" % i, "10.10.7.%d" % (10 + i))
            if i % 2:
                self.arm("PUT", ZONE + "/A/a%d" % i, {"properties": {
                    "ttl": 60, "aRecords": [{"ipv4Address": "10.0.0.1"}]}}, 201)
        found, path = [], ZONE + "/A?$top=4&api-version=2020-06-01"
        while path:
            page = self.arm("GET", path, status=200, version=None).body
            found += [each["name"] for each in page["value"]]
            self.assertLess(len(found), 20)
            path = page.get("nextLink") and page["nextLink"][page["nextLink"].index("/subscriptions"):]
        self.assertEqual(["a1", "a3", "a5", "a7"] + ["vm%d" % i for i in range(9)], found)

    def test_one_zone_of_a_network_registers(self):
        self.link()
        other = below("privateDnsZones/other.internal")
        self.arm("PUT", other, {"location": "global"}, 201)
        for zone in (other, below("privateDnsZones/a.internal")):  # behind and ahead of the first
            self.arm("PUT", zone, {"location": "global"}, 201 if zone != other else 200)
            self.refused(409, "Conflict", "^A virtual network can only be linked to 1 Private DNS zone.*"
                         "zone is 'corp.internal'", "PUT",
                         zone + "/virtualNetworkLinks/hub", {"location": "global", "properties": {
                             "registrationEnabled": True, "virtualNetwork": ref("virtualNetworks/hub")}})


if __name__ == "__main__":
    harness.main()
