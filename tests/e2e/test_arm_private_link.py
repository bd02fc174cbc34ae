"""Private endpoints by Azure's API, with what comes and goes with them: an interface, and records in zones
of the same group and of others."""

import harness
import test_arm_types
from test_arm_types import HUB, LOCATION, ROOT, SPOKE, below, private_endpoint, properties, ref

GROUP = below("privateEndpoints/pe/privateDnsZoneGroups/default")


def leading_to(name, **more):
    """An endpoint's body, to a storage account of that name."""
    body = private_endpoint()
    connection = body["properties"]["privateLinkServiceConnections"][0]["properties"]
    connection["privateLinkServiceId"] = connection["privateLinkServiceId"].replace("/acct", "/" + name)
    body["properties"].update(more)
    return body


def zones(*names):
    return properties(privateDnsZoneConfigs=[
        {"name": "z%d" % i, "properties": {"privateDnsZoneId": below("privateDnsZones/" + name)}}
        for i, name in enumerate(names)])


class PrivateLink(test_arm_types.World):
    def build(self, world):
        super().build(world)
        self.build_all()
        for group, name, prefix in ((HUB, "hub", "10.10.4.0/24"), (SPOKE, "spoke", "10.20.4.0/24")):
            self.arm("PUT", below("virtualNetworks/%s/subnets/pe" % name, group),
                     properties(addressPrefix=prefix), 201)
        for zone in ("one.internal", "two.internal", "10.in-addr.arpa"):
            self.arm("PUT", below("privateDnsZones/" + zone), {"location": "global"}, 201)
            self.arm("PUT", below("privateDnsZones/%s/virtualNetworkLinks/hub" % zone), {
                "location": "global", **properties(virtualNetwork=ref("virtualNetworks/hub"))}, 201)
        self.arm("PUT", below("privateEndpoints/pe"), private_endpoint(), 201)

    def ptrs(self, address="4.4.10.10"):
        return sorted(self.host.ask(self.inbound, address + ".in-addr.arpa", "PTR").texts())

    inbound = ("10.10.0.4", 53)

    def test_an_address_has_the_names_of_all_zones_of_its_group(self):
        for names in (["one.internal", "two.internal"], ["two.internal"], ["one.internal"],
                      ["two.internal", "one.internal", "corp.internal"]):
            self.arm("PUT", GROUP, zones(*names))
            self.assertEqual(sorted("acct.%s." % name for name in names), self.ptrs())
            for name in ("one.internal", "two.internal", "corp.internal"):
                self.assertEqual(["10.10.4.4"] if name in names else [], self.ask("acct." + name).texts())
        for removed in ("corp.internal/A/acct", "10.in-addr.arpa/PTR/4.4.10"):
            self.arm("DELETE", below("privateDnsZones/" + removed), status=200)
        self.arm("PUT", GROUP, zones("two.internal", "one.internal", "corp.internal"), 200)
        self.assert_answer(self.ask("acct.corp.internal"), "10.10.4.4")
        self.assertIn("acct.corp.internal.", self.ptrs())
        self.arm("DELETE", below("privateEndpoints/pe"), status=200)
        self.assertEqual([], self.ptrs())
        self.assertEqual(404, self.arm("GET", below("privateDnsZones/10.in-addr.arpa/PTR/4.4.10")).status)

    def test_a_subnet_that_is_full_is_said_to_be(self):
        self.arm("PUT", below("virtualNetworks/hub/subnets/few"), properties(addressPrefix="10.10.5.0/29"), 201)
        few = ref("virtualNetworks/hub/subnets/few")
        for name in ("a", "b", "c"):
            self.arm("PUT", below("privateEndpoints/" + name), leading_to(name, subnet=few), 201)
        self.refused(400, "SubnetIsFull", "no address of the subnet is free", "PUT",
                     below("privateEndpoints/d"), leading_to("d", subnet=few), "properties.subnet.id")
        self.refused(400, "SubnetIsFull", "no address of the subnet is free", "PUT", below("networkInterfaces/d"),
                     {**LOCATION, **properties(ipConfigurations=[{"name": "ip", "properties": {"subnet": few}}])},
                     "properties.ipConfigurations[0].properties.privateIPAddress")

    def test_an_interface_is_in_the_group_of_its_endpoint_as_that_was_made(self):
        made = self.arm("PUT", below("privateEndpoints/p2", HUB.upper()), leading_to("acct"), 201).body
        nic = made["properties"]["networkInterfaces"][0]["id"]
        self.assertIn("/resourceGroups/%s/" % HUB, nic)
        self.assertEqual(nic, self.arm("GET", nic, status=200).body["id"])

    def test_an_interface_that_is_there_is_not_taken_over(self):
        vm = below("networkInterfaces/vm")
        body = {**LOCATION, **properties(ipConfigurations=[
            {"name": "ip", "properties": {"subnet": ref("virtualNetworks/hub/subnets/pe")}}])}
        shown = self.arm("PUT", vm, body, 201).body
        path, member = below("privateEndpoints/p2"), "customNetworkInterfaceName"
        self.refused(409, "Conflict", "there is a network interface VM already", "PUT", path,
                     leading_to("acct", **{member: "VM"}), "properties." + member)
        self.assertEqual(shown, self.arm("GET", vm, status=200).body)
        self.arm("PUT", path, leading_to("acct", **{member: "nic"}), 201)
        self.arm("GET", below("networkInterfaces/nic"), status=200)

    def test_an_interface_may_have_ipv6_addresses(self):
        def asking(version):
            return {"name": version, "properties": {
                "subnet": ref("virtualNetworks/six/subnets/" + version), "privateIPAddressVersion": version}}
        self.arm("PUT", below("virtualNetworks/six"), {**LOCATION, **properties(
            addressSpace={"addressPrefixes": ["10.70.0.0/16", "fd00:70::/48"]})}, 201)
        for version, prefix in (("IPv4", "10.70.1.0/24"), ("IPv6", "fd00:70:0:1::/64")):
            self.arm("PUT", below("virtualNetworks/six/subnets/" + version), properties(addressPrefix=prefix), 201)
        vm, other = below("networkInterfaces/vm"), below("networkInterfaces/other")
        both = {**LOCATION, **properties(ipConfigurations=[asking("IPv4"), asking("IPv6")])}
        shown = self.arm("PUT", vm, both, 201).body
        self.assertEqual([("10.70.1.4", "IPv4"), ("fd00:70:0:1::4", "IPv6")], [
            (each["properties"]["privateIPAddress"], each["properties"]["privateIPAddressVersion"])
            for each in shown["properties"]["ipConfigurations"]])
        self.assertEqual(shown, self.arm("PUT", vm, shown, 200).body)
        second = self.arm("PUT", other, both, 201).body["properties"]["ipConfigurations"]
        self.assertEqual("fd00:70:0:1::5", second[1]["properties"]["privateIPAddress"])
        for version, text in (("IPv6", "is IPv6, and the address is 10.70.1.6"), ("6", "must be \"IPv4\" or")):
            wrong = asking("IPv4")
            wrong["properties"]["privateIPAddressVersion"] = version
            self.refused(400, "InvalidRequestContent", text, "PUT", below("networkInterfaces/third"),
                         {**LOCATION, **properties(ipConfigurations=[wrong])},
                         "properties.ipConfigurations[0].properties.privateIPAddressVersion")
        path = below("privateEndpoints/six")
        self.arm("PUT", path, leading_to("six", subnet=ref("virtualNetworks/six/subnets/IPv6")), 201)
        group = self.arm("PUT", path + "/privateDnsZoneGroups/default", zones("one.internal"), 201).body
        record = group["properties"]["privateDnsZoneConfigs"][0]["properties"]["recordSets"][0]
        self.assertEqual(("AAAA", ["fd00:70:0:1::6"]), (record["recordType"], record["ipAddresses"]))
        self.assertEqual(["fd00:70:0:1::6"], self.host.ask(self.inbound, "six.one.internal", "AAAA").texts())

    def test_what_records_were_made_of_cannot_change(self):
        self.arm("PUT", GROUP, zones("one.internal"), 201)
        revision = self.arm("GET", GROUP).headers["x-sluice-revision"]
        path = below("privateEndpoints/pe")
        self.refused(409, "Conflict", "storageAccounts/acct, cannot change", "PUT", path, leading_to("other"),
                     "properties.privateLinkServiceConnections")
        self.refused(409, "Conflict", "storageAccounts/acct, cannot change", "PATCH", path, properties(
            privateLinkServiceConnections=leading_to("other")["properties"]["privateLinkServiceConnections"]))
        nic = self.arm("GET", path).body["properties"]["networkInterfaces"][0]["id"]
        shown = self.arm("GET", nic).body
        shown["properties"]["ipConfigurations"][0]["properties"].update(
            privateIPAddress="10.10.4.77", privateIPAllocationMethod="Static")
        self.refused(409, "NetworkInterfaceInUse", "those of .*privateEndpoints/pe, and cannot", "PUT", nic,
                     shown, "properties.ipConfigurations")
        self.refused(409, "Conflict", "has the zone group default already", "PUT",
                     below("privateEndpoints/pe/privateDnsZoneGroups/second"), zones("one.internal"))
        self.refused(400, "InvalidRequestContent", "there are 6, and at most 5", "PUT", GROUP,
                     zones(*["one.internal"] * 6), "properties.privateDnsZoneConfigs")
        self.assertEqual(revision, self.arm("GET", GROUP).headers["x-sluice-revision"])
        self.assert_answer(self.ask("acct.one.internal"), "10.10.4.4")
        self.arm("PUT", nic, {**self.arm("GET", nic).body, "tags": {"a": "b"}}, 200)
        self.arm("PUT", path, {**leading_to("ACCT"), "tags": {"a": "b"}}, 200)

    def test_an_address_that_is_asked_for_is_the_endpoints(self):
        def asking(address):
            return leading_to("other", ipConfigurations=[{"name": "ip", "properties": {
                "groupId": "blob", "memberName": "blob", "privateIPAddress": address}}])
        path = below("privateEndpoints/p2")
        made = self.arm("PUT", path, asking("10.10.4.50"), 201).body
        self.assertEqual(["10.10.4.50"], made["properties"]["customDnsConfigs"][0]["ipAddresses"])
        nic = self.arm("GET", made["properties"]["networkInterfaces"][0]["id"], status=200).body
        inner = nic["properties"]["ipConfigurations"][0]["properties"]
        self.assertEqual(("10.10.4.50", "Static"),
                         (inner["privateIPAddress"], inner["privateIPAllocationMethod"]))
        self.assertEqual(made, self.arm("PUT", path, made, 200).body)
        self.refused(409, "Conflict", "it is 10.10.4.50 and cannot change", "PUT", path, asking("10.10.4.51"))
        for address, text in (("10.10.4.50", "is the address of"), ("10.10.4.2", "reserved"),
                              ("10.99.0.1", "outside its subnet"), ("x", "does not fit")):
            self.refused(400, "BadRequest", text, "PUT", below("privateEndpoints/p3"), asking(address))
        self.assertEqual(404, self.arm("GET", below("privateEndpoints/p3")).status)

    def test_a_group_takes_its_endpoints_names_in_zones_of_others_along(self):
        subnet = ref("virtualNetworks/spoke/subnets/pe", SPOKE)
        for name, service, names in (("p2", "acct", ("one.internal", "two.internal")),
                                     ("p3", "acct", ("one.internal", "two.internal")),
                                     ("p4", "other", ("one.internal",))):
            path = below("privateEndpoints/" + name, SPOKE)
            self.arm("PUT", path, leading_to(service, subnet=subnet), 201)
            self.arm("PUT", path + "/privateDnsZoneGroups/default", zones(*names), 201)
        self.arm("PUT", GROUP, zones("one.internal"), 201)
        self.assert_answer(self.ask("acct.one.internal"), "10.10.4.4", "10.20.4.4", "10.20.4.5")
        self.assert_answer(self.ask("other.one.internal"), "10.20.4.6")
        self.arm("DELETE", ROOT + SPOKE, status=200)
        self.assert_answer(self.ask("acct.one.internal"), "10.10.4.4")
        self.assertEqual([], self.ask("acct.two.internal").texts())
        self.assertEqual([], self.ask("other.one.internal").texts())
        self.assertEqual(["acct.one.internal."], self.ptrs())
        self.arm("DELETE", ROOT + HUB, status=200)


if __name__ == "__main__":
    harness.main()
