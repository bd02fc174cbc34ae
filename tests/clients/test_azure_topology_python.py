#!/usr/bin/env python3
"""A hub and a spoke by Azure's SDK for Python: azure.mgmt.dnsresolver, privatedns, network and resource.

Where it is not installed this is skipped and named; `make test-clients` installs it, and with
CLIENTS=required its absence is a failure."""

import os
import sys

import azure_topology
import azure_world
import harness
from azure_topology import HUB, LOCATION, RESOLVER, RULE, RULESET, SPOKE, SPOKE_LINK, WEB, ZONE, flat
from azure_world import SUBSCRIPTION, URL

try:
    from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
    from azure.identity import ClientSecretCredential
    from azure.mgmt.dnsresolver import DnsResolverManagementClient
    from azure.mgmt.network import NetworkManagementClient
    from azure.mgmt.privatedns import PrivateDnsManagementClient
    from azure.mgmt.resource import ResourceManagementClient
    MISSING = None
except ImportError:
    DEBIANS = "/usr/bin/python3"  # to which Debian's packages belong, whichever runs the tests
    if os.path.exists(DEBIANS) and os.path.realpath(sys.executable) != os.path.realpath(DEBIANS):
        os.execv(DEBIANS, [DEBIANS] + sys.argv)
    MISSING = "python3-azure is not installed: no hub and spoke by it"
# The client, its operations, and whether they are long-running.
OPERATIONS = {
    "virtualNetworks": ("network", "virtual_networks", True),
    "virtualNetworks/subnets": ("network", "subnets", True),
    "virtualNetworks/virtualNetworkPeerings": ("network", "virtual_network_peerings", True),
    "networkInterfaces": ("network", "network_interfaces", True),
    "privateEndpoints": ("network", "private_endpoints", True),
    "privateEndpoints/privateDnsZoneGroups": ("network", "private_dns_zone_groups", True),
    "dnsResolvers": ("resolver", "dns_resolvers", True),
    "dnsResolvers/inboundEndpoints": ("resolver", "inbound_endpoints", True),
    "dnsResolvers/outboundEndpoints": ("resolver", "outbound_endpoints", True),
    "dnsForwardingRulesets": ("resolver", "dns_forwarding_rulesets", True),
    "dnsForwardingRulesets/forwardingRules": ("resolver", "forwarding_rules", False),
    "dnsForwardingRulesets/virtualNetworkLinks": ("resolver", "virtual_network_links", True),
    "privateDnsZones": ("zones", "private_zones", True),
    "privateDnsZones/virtualNetworkLinks": ("zones", "virtual_network_links", True),
    "privateDnsZones/A": ("zones", "record_sets", False),
    "privateDnsZones/CNAME": ("zones", "record_sets", False),
}


class Python(azure_topology.Topology):
    missing = MISSING

    @classmethod
    def build(cls, world):
        super().build(world)
        before = os.environ.get("REQUESTS_CA_BUNDLE")
        os.environ["REQUESTS_CA_BUNDLE"] = cls.certificate
        cls.addClassCleanup(os.environ.pop if before is None else os.environ.__setitem__,
                            "REQUESTS_CA_BUNDLE", *([None] if before is None else [before]))
        credential = ClientSecretCredential("adfs", "ops", azure_world.OPS, authority=URL)
        cls.clients = {name: client(credential, SUBSCRIPTION, base_url=URL, credential_scopes=[URL + "/.default"])
                       for name, client in (("network", NetworkManagementClient), ("resolver", DnsResolverManagementClient),
                                            ("zones", PrivateDnsManagementClient), ("resources", ResourceManagementClient))}

    def sdk(self, client, operations, method, *arguments, **named):
        """What the method gives, be it at once, page by page or in the end, on the server's machine."""
        with self.host.inside():
            given = getattr(getattr(self.clients[client], operations), method)(*arguments, **named)
            if method.startswith("begin_"):
                return given.result()
            return list(given) if method.startswith("list") else given

    def about(self, thing, method, *arguments, **named):
        client, operations, is_long = OPERATIONS[thing.kind]
        names = list(thing.names)
        if operations == "record_sets":
            names.insert(1, thing.kind.split("/")[1])
        method = "begin_" + method if is_long and method != "get" else method
        return self.sdk(client, operations, method, thing.group, *names, *arguments, **named)

    def make_group(self, name):
        self.sdk("resources", "resource_groups", "create_or_update", name, {"location": LOCATION})

    def remove_group(self, name):
        self.sdk("resources", "resource_groups", "begin_delete", name)

    def make(self, thing):
        return flat(self.about(thing, "create_or_update", thing.body).serialize(keep_readonly=True))

    def change(self, thing, **properties):
        self.about(thing, "update", {"properties": properties})

    def remove(self, thing):
        self.about(thing, "delete")

    def refusal(self, thing):
        with self.assertRaises(HttpResponseError) as raised:
            self.remove(thing)
        error = raised.exception.error
        self.assertEqual(azure_topology.STATUS.get(error.code), raised.exception.status_code, error)
        return "%s: %s" % (error.code, error.message)


class Once(Python):
    def test_a_hub_and_a_spoke_are_built_and_taken_down(self):
        self.build_and_take_down()


class Lists(Python):
    def names(self, *words, **named):
        return sorted(each.name for each in self.sdk(*words, **named))

    def test_what_is_there_is_listed_patched_and_tagged(self):
        self.build_all()
        for kind, group, in_group, every in (
                ("virtualNetworks", "hub-rg", "list", "list_all"), ("networkInterfaces", "spoke-rg", "list", "list_all"),
                ("privateEndpoints", "spoke-rg", "list", "list_by_subscription"),
                ("dnsResolvers", "hub-rg", "list_by_resource_group", "list"),
                ("dnsForwardingRulesets", "hub-rg", "list_by_resource_group", "list"),
                ("privateDnsZones", "hub-rg", "list_by_resource_group", "list")):
            client, operations, _ = OPERATIONS[kind]
            here = self.names(client, operations, in_group, group)
            self.assertTrue(here, kind)
            self.assertLessEqual(set(here), set(self.names(client, operations, every)))
        self.assertEqual(["inbound", "outbound", "workload"], self.names("network", "subnets", "list", "hub-rg", "hub"))
        for operations, names in (("inbound_endpoints", ["in"]), ("outbound_endpoints", ["out"])):
            self.assertEqual(names, self.names("resolver", operations, "list", "hub-rg", RESOLVER.name))
        for operations, names in (("forwarding_rules", ["corp"]), ("virtual_network_links", ["spoke"])):
            self.assertEqual(names, self.names("resolver", operations, "list", "hub-rg", RULESET.name))
        self.assertEqual([RESOLVER.id], [each.id for each in self.sdk(
            "resolver", "dns_resolvers", "list_by_virtual_network", "hub-rg", "hub")])
        [linked] = self.sdk("resolver", "dns_forwarding_rulesets", "list_by_virtual_network", "spoke-rg", "spoke")
        self.assertEqual((RULESET.id, azure_topology.RULESET_LINK.id), (linked.id, linked.virtual_network_link.id))
        self.assertEqual({"vm-nic": True, "web": False}, {
            each.name: each.is_auto_registered
            for each in self.sdk("zones", "record_sets", "list_by_type", "hub-rg", ZONE.name, "A")})
        self.assertLessEqual({"@", "vm-nic", "web", "www"}, set(self.names("zones", "record_sets", "list", "hub-rg", ZONE.name)))
        self.assertEqual(["www"], self.names("zones", "record_sets", "list", "hub-rg", ZONE.name, recordsetnamesuffix="ww"))
        self.assertEqual(["hub", "spoke"], self.names("zones", "virtual_network_links", "list", "hub-rg", ZONE.name))
        self.assertEqual([HUB.name], self.names(
            "resources", "resources", "list",
            filter="resourceType eq 'Microsoft.Network/virtualNetworks' and resourceGroup eq 'hub-rg'"))
        self.assertLessEqual({HUB.name, RESOLVER.name, RULESET.name, ZONE.name},
                             set(self.names("resources", "resources", "list_by_resource_group", "hub-rg")))
        with self.host.inside():
            self.assertIs(True, self.clients["resources"].resources.check_existence_by_id(HUB.id, "2022-07-01"))
            self.assertIs(False, self.clients["resources"].resources.check_existence_by_id(HUB.id + "x", "2022-07-01"))
        # PATCH: tags as a whole, and of properties what is given.
        for thing in (RESOLVER, RULESET, ZONE, SPOKE_LINK):
            self.assertEqual({"team": "dns"}, self.about(thing, "update", {"tags": {"team": "dns"}}).tags)
        self.assertEqual({"team": "net"}, self.sdk("network", "virtual_networks", "update_tags", "spoke-rg", "spoke",
                                                   {"tags": {"team": "net"}}).tags)
        self.assertEqual({"a": "b"}, self.about(RULE, "update", {"properties": {"metadata": {"a": "b"}}}).metadata)
        self.all_answers()
        # Preconditions.
        web = self.about(WEB, "get")
        changed = self.about(WEB, "create_or_update", dict(WEB.body, properties=dict(WEB.body["properties"], ttl=60)),
                             if_match=web.etag)
        self.assertNotEqual(web.etag, changed.etag)
        for named in ({"if_match": web.etag}, {"if_none_match": "*"}):
            with self.assertRaises(HttpResponseError) as raised:
                self.about(WEB, "create_or_update", WEB.body, **named)
            self.assertEqual((412, "PreconditionFailed"), (raised.exception.status_code, raised.exception.error.code))
        with self.assertRaises(HttpResponseError) as raised:
            self.about(RESOLVER, "delete", if_match='"another"')
        self.assertEqual(412, raised.exception.status_code)
        with self.assertRaises(ResourceNotFoundError) as raised:
            self.sdk("resolver", "dns_resolvers", "get", "hub-rg", "nothing")
        self.assertEqual("ResourceNotFound", raised.exception.error.code)
        with self.assertRaises(HttpResponseError) as raised:
            self.sdk("resolver", "dns_resolvers", "begin_create_or_update", "hub-rg", "other",
                     {"location": LOCATION, "properties": {"virtualNetwork": {"id": SPOKE.id + "x"}}})
        self.assertEqual("InvalidResourceReference", raised.exception.error.code)


if __name__ == "__main__":
    harness.main()
