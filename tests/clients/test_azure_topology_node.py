#!/usr/bin/env python3
"""A hub and a spoke by Azure's SDK for JavaScript: @azure/arm-network, arm-dnsresolver, arm-privatedns and
arm-resources. azure_topology.mjs is what Node runs.

The packages are in build/clients, where `make test-clients` puts them; without them this is skipped and named,
and with CLIENTS=required their absence is a failure."""

import json
import os
import shutil
import subprocess

import azure_topology
import azure_world
import harness
from azure_topology import HUB, LOCATION, RESOLVER, RULE, RULESET, SPOKE, SPOKE_LINK, WEB, ZONE, flat
from azure_world import SUBSCRIPTION, URL

PACKAGES = os.path.join(harness.TOP, "build", "clients")
PROGRAM = os.path.join(harness.TOP, "tests", "clients", "azure_topology.mjs")
NEEDED = ("arm-dnsresolver", "arm-network", "arm-privatedns", "arm-resources", "arm-resourcesdeployments",
          "identity")
# (the client, its operations), and whether they are long-running.
OPERATIONS = {
    "virtualNetworks": ("network", "virtualNetworks", True),
    "virtualNetworks/subnets": ("network", "subnets", True),
    "virtualNetworks/virtualNetworkPeerings": ("network", "virtualNetworkPeerings", True),
    "networkInterfaces": ("network", "networkInterfaces", True),
    "privateEndpoints": ("network", "privateEndpoints", True),
    "privateEndpoints/privateDnsZoneGroups": ("network", "privateDnsZoneGroups", True),
    "dnsResolvers": ("resolver", "dnsResolvers", True),
    "dnsResolvers/inboundEndpoints": ("resolver", "inboundEndpoints", True),
    "dnsResolvers/outboundEndpoints": ("resolver", "outboundEndpoints", True),
    "dnsForwardingRulesets": ("resolver", "dnsForwardingRulesets", True),
    "dnsForwardingRulesets/forwardingRules": ("resolver", "forwardingRules", False),
    "dnsForwardingRulesets/virtualNetworkLinks": ("resolver", "virtualNetworkLinks", True),
    "privateDnsZones": ("zones", "privateZones", True),
    "privateDnsZones/virtualNetworkLinks": ("zones", "virtualNetworkLinks", True),
    "privateDnsZones/A": ("zones", "recordSets", False),
    "privateDnsZones/CNAME": ("zones", "recordSets", False),
}


class Node(azure_topology.Topology):
    missing = None if shutil.which("node") and all(os.path.isdir(os.path.join(
        PACKAGES, "node_modules", "@azure", name)) for name in NEEDED) else (
            "Azure's SDK for JavaScript is not in build/clients: no hub and spoke by it")

    @classmethod
    def build(cls, world):
        super().build(world)
        environment = cls.environment(PACKAGES=PACKAGES, SERVER=URL, SUBSCRIPTION=SUBSCRIPTION, CLIENT_ID="ops",
                                      CLIENT_SECRET=azure_world.OPS)
        cls.errors = open(os.path.join(world.dir, "node.log"), "w+")
        with cls.host.inside():
            cls.program = subprocess.Popen(["node", PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                           stderr=cls.errors, text=True, cwd=world.dir, env=environment)

    @classmethod
    def tearDownClass(cls):
        if cls.missing is None:
            cls.program.communicate(timeout=60)
            cls.errors.close()
        super().tearDownClass()

    def tell(self, client, operations, method, *values):
        """What the method gives, or {"refused": ...}."""
        self.program.stdin.write(json.dumps([client, operations, method, values]) + "\n")
        self.program.stdin.flush()
        line = self.program.stdout.readline()
        if not line:
            self.errors.seek(0)
            self.fail("node ended: " + self.errors.read())
        return json.loads(line)

    def good(self, *words):
        given = self.tell(*words)
        if isinstance(given, dict):
            self.assertNotIn("refused", given, words)
        return given

    @staticmethod
    def words(thing, method):
        """Of a call about the thing: the client, operations, method, and the arguments that name it."""
        client, operations, is_long = OPERATIONS[thing.kind]
        names = list(thing.names)
        if operations == "recordSets":
            names.insert(1, thing.kind.split("/")[1])
        if is_long and method != "get":
            method = "begin%s%sAndWait" % (method[0].upper(), method[1:])
        return [client, operations, method, thing.group, *names]

    def make_group(self, name):
        self.good("resources", "resourceGroups", "createOrUpdate", name, {"location": LOCATION})

    def remove_group(self, name):
        self.good("resources", "resourceGroups", "beginDeleteAndWait", name)

    def make(self, thing):
        return self.good(*self.words(thing, "createOrUpdate"), flat(thing.body))

    def change(self, thing, **properties):
        self.good(*self.words(thing, "update"), properties)

    def remove(self, thing):
        self.good(*self.words(thing, "delete"))

    def refusal(self, thing):
        refused = self.tell(*self.words(thing, "delete"))["refused"]
        self.assertEqual(azure_topology.STATUS.get(refused["code"]), refused["status"], refused)
        return "%(code)s: %(message)s" % refused


class Once(Node):
    def test_a_hub_and_a_spoke_are_built_and_taken_down(self):
        self.build_and_take_down()


class Lists(Node):
    def names(self, *words):
        return sorted(each["name"] for each in self.good(*words))

    def test_what_is_there_is_listed_patched_and_tagged(self):
        self.build_all()
        for kind, group, in_group, every in (
                ("virtualNetworks", "hub-rg", "list", "listAll"), ("networkInterfaces", "spoke-rg", "list", "listAll"),
                ("privateEndpoints", "spoke-rg", "list", "listBySubscription"),
                ("dnsResolvers", "hub-rg", "listByResourceGroup", "list"),
                ("dnsForwardingRulesets", "hub-rg", "listByResourceGroup", "list"),
                ("privateDnsZones", "hub-rg", "listByResourceGroup", "list")):
            client, operations, _ = OPERATIONS[kind]
            here = self.names(client, operations, in_group, group)
            self.assertTrue(here, kind)
            self.assertLessEqual(set(here), set(self.names(client, operations, every)))
        self.assertEqual(["inbound", "outbound", "workload"], self.names("network", "subnets", "list", "hub-rg", "hub"))
        for operations, names in (("inboundEndpoints", ["in"]), ("outboundEndpoints", ["out"])):
            self.assertEqual(names, self.names("resolver", operations, "list", "hub-rg", RESOLVER.name))
        for operations, names in (("forwardingRules", ["corp"]), ("virtualNetworkLinks", ["spoke"])):
            self.assertEqual(names, self.names("resolver", operations, "list", "hub-rg", RULESET.name))
        self.assertEqual([RESOLVER.id], [each["id"] for each in self.good(
            "resolver", "dnsResolvers", "listByVirtualNetwork", "hub-rg", "hub")])
        self.assertEqual([RULESET.id], [each["id"] for each in self.good(
            "resolver", "dnsForwardingRulesets", "listByVirtualNetwork", "spoke-rg", "spoke")])
        self.assertEqual(["vm-nic", "web"], self.names("zones", "recordSets", "listByType", "hub-rg", ZONE.name, "A"))
        self.assertLessEqual({"@", "web", "www"}, set(self.names("zones", "recordSets", "list", "hub-rg", ZONE.name)))
        self.assertEqual(["hub", "spoke"], self.names("zones", "virtualNetworkLinks", "list", "hub-rg", ZONE.name))
        self.assertEqual([HUB.name], self.names("resources", "resources", "list", {
            "filter": "resourceType eq 'Microsoft.Network/virtualNetworks' and resourceGroup eq 'hub-rg'"}))
        # PATCH: tags as a whole, and of properties what is given.
        for thing in (RESOLVER, RULESET, ZONE, SPOKE_LINK):
            self.assertEqual({"team": "dns"}, self.good(*self.words(thing, "update"), {"tags": {"team": "dns"}})["tags"])
        self.assertEqual({"team": "net"}, self.good("network", "virtualNetworks", "updateTags", "spoke-rg", "spoke",
                                                    {"tags": {"team": "net"}})["tags"])
        self.assertEqual({"a": "b"}, self.good(*self.words(RULE, "update"), {"metadata": {"a": "b"}})["metadata"])
        self.assertEqual({"a": "b"}, self.good("resources", "tagsOperations", "beginCreateOrUpdateAtScopeAndWait", HUB.id, {
            "properties": {"tags": {"a": "b"}}})["properties"]["tags"])
        self.all_answers()
        # Preconditions.
        web = self.good(*self.words(WEB, "get"))
        changed = self.good(*self.words(WEB, "createOrUpdate"), dict(flat(WEB.body), ttl=60), {"ifMatch": web["etag"]})
        self.assertNotEqual(web["etag"], changed["etag"])
        for body, options in (({"ttl": 90}, {"ifMatch": web["etag"]}), ({"ttl": 90}, {"ifNoneMatch": "*"})):
            refused = self.tell(*self.words(WEB, "createOrUpdate"), dict(flat(WEB.body), **body), options)["refused"]
            self.assertEqual((412, "PreconditionFailed"), (refused["status"], refused["code"]))
        self.assertEqual("ResourceNotFound", self.tell(
            "resolver", "dnsResolvers", "get", "hub-rg", "nothing")["refused"]["code"])
        self.assertEqual("InvalidResourceReference", self.tell(
            "resolver", "dnsResolvers", "beginCreateOrUpdateAndWait", "hub-rg", "other",
            {"location": LOCATION, "virtualNetwork": {"id": SPOKE.id + "x"}})["refused"]["code"])


if __name__ == "__main__":
    harness.main()
