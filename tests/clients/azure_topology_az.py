"""The steps of azure_topology in the words of Azure's own command line: az network vnet, nic, private-endpoint and
private-dns, and az resource and az rest for resolvers and rulesets, whose extension Debian does not have."""

import json
import shlex

import azure_topology
import azure_world
from azure_topology import HUB, IN, JOBS, LOCATION, OUT, SPOKE, WEB, WWW, flat

# The words of its commands, and the options with its names.
COMMANDS = {
    "virtualNetworks": ("network vnet", "-n"),
    "virtualNetworks/subnets": ("network vnet subnet", "--vnet-name", "-n"),
    "virtualNetworks/virtualNetworkPeerings": ("network vnet peering", "--vnet-name", "-n"),
    "networkInterfaces": ("network nic", "-n"),
    "privateEndpoints": ("network private-endpoint", "-n"),
    "privateEndpoints/privateDnsZoneGroups": ("network private-endpoint dns-zone-group", "--endpoint-name", "-n"),
    "privateDnsZones": ("network private-dns zone", "-n"),
    "privateDnsZones/virtualNetworkLinks": ("network private-dns link vnet", "-z", "-n"),
    "privateDnsZones/A": ("network private-dns record-set a", "-z", "-n"),
    "privateDnsZones/CNAME": ("network private-dns record-set cname", "-z", "-n"),
}
ASKS = ("network private-dns zone", "network private-dns link vnet", "network private-dns record-set a",
        "network private-dns record-set cname")  # whether that is meant
DELEGATION = " --delegations Microsoft.Network/dnsResolvers"
# What its creation says beside that; of what is not here, by the kind.
CREATED = {
    HUB: "--address-prefixes 10.10.0.0/16", IN: "--address-prefixes 10.10.0.0/28" + DELEGATION,
    OUT: "--address-prefixes 10.10.0.16/28" + DELEGATION, JOBS: "--address-prefixes 10.10.1.0/24",
    SPOKE: "--address-prefixes 10.20.0.0/16 --subnet-name workload --subnet-prefixes 10.20.1.0/24",
    azure_topology.NIC: "--vnet-name spoke --subnet workload",
    azure_topology.ENDPOINT: "--connection-name data --private-connection-resource-id %s --group-id blob --subnet %s"
                             % (azure_topology.STORAGE, azure_topology.ENDPOINTS.id),
    azure_topology.ZONE_GROUP: "--zone-name blob --private-dns-zone " + azure_topology.LINKED.id,
}
BY_REST = ("dnsForwardingRulesets/forwardingRules", "dnsForwardingRulesets/virtualNetworkLinks")


class Az(azure_topology.Topology, azure_world.Az):
    """Topology's steps in az's commands."""

    @staticmethod
    def words(thing, verb):
        words, *options = COMMANDS[thing.kind]
        return "az %s %s -g %s %s" % (words, verb, thing.group, " ".join(
            "%s %s" % pair for pair in zip(options, thing.names)))

    def make_group(self, name):
        self.az("az group create -n %s -l %s" % (name, LOCATION))

    def remove_group(self, name):
        self.az("az group delete --yes -n " + name)

    def make(self, thing):
        return flat(self.create(thing))

    def create(self, thing):
        wanted = thing.body["properties"]
        if thing.kind in BY_REST:
            return self.az("az rest --method put --url %s?api-version=%s --body %s" % (
                thing.id, thing.api_version, shlex.quote(json.dumps(thing.body))))
        if thing.kind not in COMMANDS:
            return self.az("az resource create --id %s --is-full-object --properties %s" % (
                thing.id, shlex.quote(json.dumps(thing.body))))
        if thing is WEB:
            return self.az(self.words(thing, "add-record") + " -a 10.10.1.10")
        if thing is WWW:
            return self.az(self.words(thing, "set-record") + " -c web.contoso.internal")
        more = CREATED.get(thing, "")
        if thing.kind == "virtualNetworks/virtualNetworkPeerings":
            more = "--allow-vnet-access --remote-vnet " + wanted["remoteVirtualNetwork"]["id"]
        if thing.kind == "privateDnsZones/virtualNetworkLinks":
            more = "-v %s -e %s" % (wanted["virtualNetwork"]["id"], str(wanted["registrationEnabled"]).lower())
        if thing.kind in ("virtualNetworks", "networkInterfaces", "privateEndpoints"):
            more += " -l " + LOCATION
        made = self.az("%s %s" % (self.words(thing, "create"), more))
        if thing is SPOKE:
            self.az(self.words(azure_topology.ENDPOINTS, "create") + " --address-prefixes 10.20.2.0/24")
        return made.get("newVNet") or made.get("NewNIC") or made

    def makes(self, thing):
        if thing is WEB:
            self.is_gone(thing)
        return super().makes(thing)

    def change(self, thing, **properties):
        if thing is WEB:
            [new] = [each["ipv4Address"] for each in properties["aRecords"]]
            [old] = {"10.10.1.10", "10.10.1.11"} - {new}
            self.az("%s -a %s" % (self.words(thing, "add-record"), new))
            self.answers(self.hub_vm, "web.contoso.internal", old, new)
            self.az("%s -a %s" % (self.words(thing, "remove-record"), old))
        else:
            self.az("az resource update --ids %s --set %s" % (thing.id, " ".join(
                "properties.%s=%s" % pair for pair in properties.items())))

    def removal(self, thing):
        if thing.kind not in COMMANDS:
            return "az resource delete --ids " + thing.id
        return self.words(thing, "delete") + (" --yes" if COMMANDS[thing.kind][0] in ASKS else "")

    def remove(self, thing):
        self.az(self.removal(thing))

    def refusal(self, thing):
        if thing.kind in COMMANDS:
            return self.refused(self.removal(thing))
        return self.refused("az rest --method delete --url %s?api-version=%s" % (thing.id, thing.api_version))
