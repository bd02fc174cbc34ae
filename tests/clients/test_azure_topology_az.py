#!/usr/bin/env python3
"""A hub and a spoke by Azure's own command line (azure_topology_az.py).

Where az is not installed this is skipped and named; `make test-clients` installs it, and with
CLIENTS=required its absence is a failure."""

import azure_topology
import harness
from azure_topology import HUB, IN, RESOLVER, WEB, ZONE
from azure_topology_az import Az
from azure_world import URL


class Once(Az):
    def test_a_hub_and_a_spoke_are_built_and_taken_down(self):
        self.build_and_take_down()


class Everything(Az):
    """What az says of all resources alike."""

    def names(self, command):
        return sorted(each["name"] for each in self.az(command))

    def test_resources_are_listed_tagged_updated_and_exported(self):
        self.build_all()
        network = "Microsoft.Network/"
        types = {each["resourceType"] for each in self.az("az provider show -n Microsoft.Network")["resourceTypes"]}
        self.assertLessEqual({thing.kind for thing in (HUB, IN, RESOLVER, azure_topology.IN_ENDPOINT, azure_topology.RULE,
                                                       ZONE, azure_topology.NIC, azure_topology.ZONE_GROUP)}, types)
        self.assertEqual(["hub-resolver", "hub-resolver/in", "hub-resolver/out"], [
            name for name in self.names("az resource list -g hub-rg") if name.startswith("hub-resolver")])
        self.assertEqual(["hub", "spoke"], self.names("az resource list --resource-type %svirtualNetworks" % network))
        self.assertEqual(["hub"], self.names("az resource list --name hub"))
        self.assertEqual("hub", self.az("az resource show -g hub-rg -n hub --resource-type %svirtualNetworks" % network)["name"])
        # Tags: of a resource as a whole, and one by one.
        self.assertEqual({"team": "dns"}, self.az("az resource tag --ids %s --tags team=dns" % RESOLVER.id)["tags"])
        self.assertEqual(["hub-resolver"], self.names("az resource list --tag team=dns"))
        self.az("az tag create --resource-id %s --tags team=net" % HUB.id)
        self.az("az tag update --resource-id %s --operation merge --tags env=test" % HUB.id)
        self.assertEqual({"team": "net", "env": "test"}, self.get(HUB)["tags"])
        self.az("az tag update --resource-id %s --operation delete --tags team=net" % HUB.id)
        self.assertEqual({"env": "test"}, self.az("az tag list --resource-id %s" % HUB.id)["properties"]["tags"])
        self.az("az tag delete --yes --resource-id %s" % HUB.id)
        self.assertFalse(self.get(HUB).get("tags"))
        # A network's own commands, which send back all that they were given.
        self.assertEqual({"a": "b"}, self.az("az network vnet update -g hub-rg -n hub --set tags.a=b")["tags"])
        self.assertEqual(["inbound", "outbound", "workload"], self.names("az network vnet subnet list -g hub-rg --vnet-name hub"))
        self.az("az network vnet update -g hub-rg -n hub --dns-servers 192.168.0.53")
        name = self.below(self.hub_vm, "example.com", azure_topology.OF_OFFICE)
        self.assertTrue(self.of_office.questions(name))
        self.az("az network vnet update -g hub-rg -n hub --remove dhcpOptions.dnsServers")
        self.below(self.hub_vm, "example.com", azure_topology.OUTSIDE)
        self.all_answers()
        # The whole group as a template.
        template = self.az("az group export -n hub-rg")
        kinds = {each["type"] for each in template["resources"]}
        self.assertLessEqual({network + thing.kind for thing in (
            HUB, RESOLVER, azure_topology.IN_ENDPOINT, azure_topology.OUT_ENDPOINT, azure_topology.RULESET,
            azure_topology.RULE, azure_topology.RULESET_LINK, ZONE, azure_topology.HUB_LINK, WEB)}, kinds)
        # Any URL.
        listed = self.az("az rest --url %s%s/subnets?api-version=2022-07-01" % (URL, HUB.id))
        self.assertEqual(["inbound", "outbound", "workload"], sorted(each["name"] for each in listed["value"]))
        found = self.az("az rest --method post --url %s/listDnsResolvers?api-version=2022-07-01" % HUB.id)
        self.assertEqual([RESOLVER.id], [each["id"] for each in found["value"]])
        # A group at once, when nothing of another is linked to its networks.
        self.removes(azure_topology.RULESET_LINK, azure_topology.SPOKE_LINK)
        self.az("az group delete --yes -n spoke-rg")
        self.below(self.spoke_vm, "example.com", rcode="REFUSED")
        self.answers(self.hub_vm, "web.contoso.internal", "10.10.1.10")
        self.az("az group delete --yes -n hub-rg")
        self.assertEqual([], self.az("az resource list"))


if __name__ == "__main__":
    harness.main()
