#!/usr/bin/env python3
"""A hub and a spoke by Azure's own command line: az network vnet, nic, private-endpoint and private-dns, and
az resource and az rest for resolvers and rulesets, whose extension Debian does not have.

Where az is not installed this is skipped and named; `make test-clients` installs it, and with
CLIENTS=required its absence is a failure."""

import json
import os
import shlex

import azure_topology
import azure_world
import harness
from azure_topology import HUB, IN, JOBS, LOCATION, OUT, RESOLVER, SPOKE, WEB, WWW, ZONE, flat, srv
from azure_world import URL

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


class Once(Az):
    def test_a_hub_and_a_spoke_are_built_and_taken_down(self):
        self.build_and_take_down()


class Records(Az):
    """A zone with everything in it, linked to one network."""

    @classmethod
    def build(cls, world):
        super().build(world)
        case = cls("make_zone")
        case.az("az group create -n hub-rg -l " + LOCATION)
        for thing in (HUB, ZONE, azure_topology.HUB_LINK):
            case.create(thing)

    def record_set(self, command):
        return self.az("az network private-dns record-set %s -g hub-rg -z contoso.internal" % command)

    def is_said(self, name, rtype, *texts, **how):
        self.answers(self.hub_vm, name + ".contoso.internal", *texts, rtype=rtype, **how)

    def test_record_sets_of_all_types_are_made_shown_changed_and_deleted(self):
        for rtype, name, options, texts in (
                ("a", "four", ["-a 10.10.1.4", "-a 10.10.1.5"], ["10.10.1.4", "10.10.1.5"]),
                ("aaaa", "six", ["-a 2001:db8::4", "-a 2001:db8::5"], ["2001:db8::4", "2001:db8::5"]),
                ("mx", "mail", ["-e mx1.contoso.com. -p 10", "-e mx2.contoso.com. -p 20"],
                 ["10 mx1.contoso.com.", "20 mx2.contoso.com."]),
                ("ptr", "4.1", ["-d four.contoso.internal.", "-d five.contoso.internal."],
                 ["four.contoso.internal.", "five.contoso.internal."]),
                ("srv", "_sip._tcp", ["-p 1 -w 2 -r 5060 -t sip1.contoso.com.", "-p 2 -w 2 -r 5061 -t sip2.contoso.com."],
                 [srv(1, 2, 5060, "sip1.contoso.com"), srv(2, 2, 5061, "sip2.contoso.com")]),
                ("txt", "text", ["-v one", "-v two"], ["one", "two"])):
            self.record_set("%s create -n %s --ttl 60" % (rtype, name))
            for option in options:
                self.record_set("%s add-record -n %s %s" % (rtype, name, option))
            self.is_said(name, rtype.upper(), *texts)
            shown = self.record_set("%s show -n %s" % (rtype, name))
            self.assertEqual((60, "%s.contoso.internal." % name, "Microsoft.Network/privateDnsZones/" + rtype.upper()),
                             (shown["ttl"], shown["fqdn"], shown["type"]))
            self.assertEqual([name], [each["name"] for each in self.record_set("%s list" % rtype) if each["name"] == name])
            self.record_set("%s update -n %s --set ttl=30 --metadata a=b" % (rtype, name))
            self.assertEqual({"a": "b"}, self.record_set("%s show -n %s" % (rtype, name))["metadata"])
            self.record_set("%s remove-record -n %s %s" % (rtype, name, options[0]))
            self.is_said(name, rtype.upper(), texts[1])
            self.record_set("%s delete --yes -n %s" % (rtype, name))
            self.is_said(name, rtype.upper(), rcode="NXDOMAIN")
        self.record_set("cname set-record -n www -c web.contoso.com.")
        self.is_said("www", "CNAME", "web.contoso.com.")
        self.record_set("cname remove-record -n www -c web.contoso.com.")
        self.is_said("www", "CNAME", rcode="NXDOMAIN")
        self.record_set("a add-record -n @ -a 10.10.1.1")
        self.answers(self.hub_vm, "contoso.internal", "10.10.1.1")
        self.record_set("a add-record -n * -a 10.10.1.2")
        self.below(self.hub_vm, "contoso.internal", "10.10.1.2")
        for name in ("@", "*"):
            self.record_set("a delete --yes -n " + name)
        self.record_set("soa update --email admin.contoso.com --minimum-ttl 17")
        soa = self.record_set("soa show")["soaRecord"]
        self.assertEqual(("admin.contoso.com", 17), (soa["email"], soa["minimumTtl"]))
        self.assertEqual(["@"], [each["name"] for each in self.record_set("list")])

    def test_what_is_there_already_or_in_the_way_is_refused(self):
        self.record_set("a add-record -n taken -a 10.10.1.4")
        record_set = "az network private-dns record-set %s -g hub-rg -z contoso.internal -n taken"
        self.assertIn("PreconditionFailed", self.refused(record_set % "a create"))
        self.assertIn("BadRequest", self.refused(record_set % "cname set-record" + " -c other.contoso.com."))
        self.assertIn("PreconditionFailed", self.refused("az network private-dns zone create -g hub-rg -n contoso.internal"))
        self.refused(record_set.replace("taken", "nothing") % "a show", 3)
        self.az(record_set % "a delete" + " --yes")

    def test_a_zone_goes_out_as_a_file_and_comes_in_again(self):
        file = self.world.write("in.zone", "$ORIGIN files.internal.\n$TTL 300\n"
                                "@ IN SOA ns.files.internal. hostmaster.files.internal. 1 3600 300 86400 60\n"
                                "web IN A 10.10.1.80\nweb IN A 10.10.1.81\nwww 60 IN CNAME web\n"
                                "@ IN MX 10 mail.contoso.com.\ntext IN TXT \"a text\"\n_sip._tcp IN SRV 1 2 5060 web\n")
        zone = "az network private-dns zone %s -g hub-rg -n files.internal"
        self.az(zone % "import" + " -f " + file)
        self.az("az network private-dns link vnet create -g hub-rg -z files.internal -n hub -v %s -e false" % HUB.id)
        for name, rtype, texts in (("web", "A", ["10.10.1.80", "10.10.1.81"]), ("text", "TXT", ["a text"]),
                                   ("_sip._tcp", "SRV", [srv(1, 2, 5060, "web.files.internal")]),
                                   ("www", "CNAME", ["web.files.internal."])):
            self.answers(self.hub_vm, name + ".files.internal", *texts, rtype=rtype)
        self.answers(self.hub_vm, "files.internal", "10 mail.contoso.com.", rtype="MX")
        out = os.path.join(self.world.dir, "out.zone")
        status, printed, err = self.run_inside(*shlex.split(zone % "export" + " -f " + out))
        self.assertEqual(0, status, printed + err)
        with open(out) as text:
            lines = {" ".join(line.split()) for line in text}
        for line in ("60 IN CNAME web.files.internal.", "300 IN A 10.10.1.80", "300 IN MX 10 mail.contoso.com."):
            self.assertTrue([each for each in lines if each.endswith(line)], "%s is not in %s" % (line, lines))
        self.az("az network private-dns link vnet delete --yes -g hub-rg -z files.internal -n hub")
        self.az(zone % "delete" + " --yes")
        self.below(self.hub_vm, "files.internal", azure_topology.OUTSIDE)
        self.az(zone % "import" + " -f " + out)
        self.az("az network private-dns link vnet create -g hub-rg -z files.internal -n hub -v %s -e false" % HUB.id)
        self.answers(self.hub_vm, "www.files.internal", "10.10.1.80", "10.10.1.81")
        self.az("az network private-dns link vnet delete --yes -g hub-rg -z files.internal -n hub")
        self.az(zone % "delete" + " --yes")


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
