"""Every member that Azure's API maps, by the table of types itself (arm_members.c): what /v1 has of a
resource is in the body that ARM shows, makes the same resource of an empty server, and is put back without
a loss. A type, or a member of one, that has no value here is a failure."""

import json
import os
import subprocess

import harness
import test_arm_types
import test_random
from test_arm_types import DELEGATION, ROOT, S, below

ARM_MEMBERS = os.path.join(os.path.dirname(os.environ.get("SLUICE_UNDER") or harness.SLUICE), "tests", "e2e",
                           "arm_members")
CONFIG = """
subscription = "%s";
region = "westeurope";
workers = 2;
limits = { subnet_prefix_length_min = 8; };
address_pools = ( { name = "pool"; region = "northeurope"; prefix = "203.0.113.0/24"; } );
management = { socket = "control.sock"; state = "state.db"; };
default_resolver = { targets = ( { address = "127.0.0.3"; } ); };
""" % S
G, REGION = "g", {"region": "northeurope"}
TAGS = {"tags": {"team": "net", "A=b": ""}}
METADATA = {"metadata": ["a=b", "c=d=e"]}
ACCOUNT = "/subscriptions/%s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/acct" % S
# (type, path in /v1, values, path of ARM), each behind what it needs. What is kept is filled in by the table.
ROWS = [
    ("resourceGroups", "groups/-/g", {**REGION, **TAGS}, ROOT + G),
    ("virtualNetworks", "virtual_networks/g/hub", {**REGION, "address_space": ["10.10.0.0/16"]},
     "virtualNetworks/hub"),
    ("virtualNetworks", "virtual_networks/g/v", {
        **REGION, **TAGS, "address_space": ["10.20.0.0/16", "10.30.0.0/16"],
        "dns_servers": ["10.9.0.4", "10.9.0.5:54"],
        "encryption": True, "client_prefixes": ["192.0.2.0/24"], "uses_default_resolver": False},
        "virtualNetworks/v"),
    ("virtualNetworks/subnets", "virtual_networks/g/v/subnets/s", {
        "prefix": "10.20.0.0/24", "delegation": "Microsoft.Web/serverFarms"}, "virtualNetworks/v/subnets/s"),
    *(("virtualNetworks/subnets", "virtual_networks/g/hub/subnets/" + name, {"prefix": prefix, **more},
       "virtualNetworks/hub/subnets/" + name) for name, prefix, more in (
           ("in", "10.10.0.0/28", {"delegation": DELEGATION}),
           ("out", "10.10.0.16/28", {"delegation": DELEGATION}),
           ("pe", "10.10.1.0/24", {}))),
    ("virtualNetworks/virtualNetworkPeerings", "virtual_networks/g/v/peerings/p", {},
     "virtualNetworks/v/virtualNetworkPeerings/p"),
    ("publicIPAddresses", "addresses/g/a", {
        **REGION, **TAGS, "allocation": "static", "domain_name_label": "web", "address": "203.0.113.9",
        "reverse_fqdn": "web.northeurope.cloudapp.azure.com.", "description": "first", "ttl": 60,
        "azure": {"idleTimeoutInMinutes": "10"}}, "publicIPAddresses/a"),
    ("networkInterfaces", "network_interfaces/g/n", {
        **REGION, **TAGS, "label": "vm", "primary": False, "ip_configurations": [
            {"name": "one", "subnet": "hub/pe", "address": "10.10.1.20", "allocation": "static",
             "primary": True},
            {"name": "two", "subnet": "hub/pe", "address": "10.10.1.21", "allocation": "static"}]},
            "networkInterfaces/n"),
    ("dnsResolvers", "resolvers/g/r", {**REGION, **TAGS, "virtual_network": "hub"}, "dnsResolvers/r"),
    ("dnsResolvers/inboundEndpoints", "resolvers/g/r/inbound_endpoints/in", {
        **TAGS, "subnet": "in", "allocation": "static", "address": "10.10.0.4", "listen": "127.0.0.1:5300",
        "allow": ["192.0.2.0/24"]}, "dnsResolvers/r/inboundEndpoints/in"),
    ("dnsResolvers/outboundEndpoints", "resolvers/g/r/outbound_endpoints/out",
     {**TAGS, "subnet": "out", "source": "0.0.0.0"},
     "dnsResolvers/r/outboundEndpoints/out"),
    ("dnsForwardingRulesets", "rulesets/g/rs", {**REGION, **TAGS, "outbound_endpoints": ["r/out"]},
     "dnsForwardingRulesets/rs"),
    ("dnsForwardingRulesets/virtualNetworkLinks", "rulesets/g/rs/links/l",
     {**METADATA, "virtual_network": "hub"},
     "dnsForwardingRulesets/rs/virtualNetworkLinks/l"),
    ("dnsForwardingRulesets/forwardingRules", "rulesets/g/rs/rules/x", {
        **METADATA, "domain": "x.corp.", "state": "Disabled", "follow_cname": True, "description": "why",
        "targets": [
            {"address": "127.0.0.5", "port": 5353, "protocol": "tcp", "description": "dc"},
            {"address": "2001:db8::5"}]},
     "dnsForwardingRulesets/rs/forwardingRules/x"),
    ("privateDnsZones", "private_zones/g/privatelink.internal", TAGS, "privateDnsZones/privatelink.internal"),
    ("privateDnsZones/virtualNetworkLinks", "private_zones/g/privatelink.internal/links/l", {
        **TAGS, "virtual_network": "hub", "registration": True, "resolution_policy": "NxDomainRedirect"},
     "privateDnsZones/privatelink.internal/virtualNetworkLinks/l"),
    *(("privateDnsZones/" + type_, "private_zones/g/privatelink.internal/record_sets/%s:%s" % (name, type_), {
        **METADATA, "ttl": 77, "records": records},
        "privateDnsZones/privatelink.internal/%s/%s" % (type_, name))
      for name, type_, records in (
          ("x", "A", ["10.0.0.1", "10.0.0.2"]), ("x", "AAAA", ["2001:db8::1"]),
          ("c", "CNAME", ["www.contoso.com."]),
          ("x", "MX", ["10 mail.contoso.com.", "0 ."]), ("x", "PTR", ["x.contoso.com."]),
          ("@", "SOA", ["ns.contoso.com. admin.contoso.com. 7 3601 301 2419201 301"]),
          ("_s._tcp", "SRV", ["1 2 5060 sip.contoso.com."]),
          ("x", "TXT", ['"one" "two; \\"three\\" \\\\"', '""']))),
    ("privateEndpoints", "private_endpoints/g/pe", {**REGION, **TAGS, "subnet": "hub/pe", "azure": {
        "privateLinkServiceConnections": json.dumps([{"name": "c", "properties": {
            "privateLinkServiceId": ACCOUNT, "groupIds": ["blob"]}}], separators=(",", ":")),
        "customNetworkInterfaceName": '"own.nic"', "ipConfigurations": "[]"}}, "privateEndpoints/pe"),
    ("privateEndpoints/privateDnsZoneGroups", "private_endpoints/g/pe/zone_groups/d", {
        "zones": [{"name": "z", "zone": "privatelink.internal"}]},
        "privateEndpoints/pe/privateDnsZoneGroups/d"),
]
# What is of the resource's place, of a file alone, chosen, or instead of another that is given.
NOT_GIVEN = {"name", "resource_group", "azure", "file", "id", "target_group", "private_endpoint",
             "network_interface"}


def table():
    return {each["type"]: each for each
            in json.loads(subprocess.run([ARM_MEMBERS], capture_output=True, check=True).stdout)}


def kept_of(values):
    """What is kept, as JSON; without the state of a connection, which is computed."""
    kept = {path: json.loads(text) for path, text in (values.get("azure") or {}).items()}
    for connection in kept.get("privateLinkServiceConnections", ()):
        connection["properties"].pop("privateLinkServiceConnectionState", None)
    return kept


def at(values, key):
    """What stands at "targets.address": a list, of each target's."""
    if key == "azure":
        return kept_of(values)
    outer, _, inner = key.partition(".")
    if not inner:
        return values.get(key)
    return [item.get(inner) for item in values.get(outer) or []]


class Members(test_arm_types.World):
    def build(self, world):
        self.host = world.host("cloud", "10.10.0.4", "10.10.0.20")
        self.types = table()
        self.start()

    def start(self):
        self.sluice = harness.Sluice(self.host, CONFIG)
        self.sluice.wait_managed()

    def rows(self):
        for type_, path, values, arm in ROWS:
            kept = {each: json.dumps({"kept": [each]}, separators=(",", ":")) for each
                    in self.types[type_]["kept"]}
            if kept and "hub" not in arm:
                values = {**values, "azure": {**kept, **values.get("azure", {})}}
            yield type_, path, values, arm if arm.startswith("/") else below(arm, G)

    def mapped(self):
        """{path: what /v1 has of the members that Azure has}"""
        return {path: {key: at(self.good("GET", path).body, key) for key in self.types[type_]["keys"] + (
            ["azure"] if self.types[type_]["kept"] else [])} for type_, path, _, _ in self.rows()}

    def test_each_member_of_each_type_has_a_value_here(self):
        given = {type_: {} for type_ in self.types}
        for type_, _, values, _ in ROWS:
            given[type_].update(values)
        lacking = {type_: [key for key in sorted(set(of["keys"] + of["fields"]) - NOT_GIVEN) if not any(
            at(values, key) not in (None, []) if "." not in key
            else any(each is not None for each in at(values, key))
            for values in [given[type_]])] for type_, of in self.types.items()}
        self.assertEqual({}, {type_: keys for type_, keys in lacking.items() if keys},
                         "give them a value in ROWS")
        self.assertEqual([], [type_ for type_ in self.types if type_ not in [row[0] for row in ROWS]])

    def test_what_is_shown_makes_the_same_of_an_empty_server_and_is_put_back_without_a_loss(self):
        rows = list(self.rows())
        for _, path, values, _ in rows:
            self.assertIn(self.call("PUT", path, values).status, (200, 201), path)
        mapped, bodies = self.mapped(), [(arm, self.arm("GET", arm, status=200)) for _, _, _, arm in rows]
        for _, path, values, _ in rows:
            self.assertTrue(test_random.covers(self.good("GET", path).body, {
                key: values[key] for key in values if key not in ("dns_servers", "targets")}), path)
        exported = self.good("GET", "export").body
        for arm, shown in bodies:
            for method in ("PUT", "PATCH"):
                again = self.arm(method, arm, shown.body, 200)
                self.assertEqual((shown.body, shown.headers["x-sluice-revision"]),
                                 (again.body, again.headers["x-sluice-revision"]))
        self.assertEqual(exported, self.good("GET", "export").body)
        self.assertEqual(0, self.sluice.stop())
        for name in os.listdir(self.world.dir):
            if name.startswith("state.db"):
                os.remove(os.path.join(self.world.dir, name))
        self.start()
        self.assertEqual([], self.good("GET", "virtual_networks").body["virtual_networks"])
        for arm, shown in bodies:
            answer = self.arm("PUT", arm, shown.body)
            self.assertIn(answer.status, (200, 201), "%s: %s" % (arm, answer))
        self.maxDiff = None
        self.assertEqual(mapped, self.mapped())


if __name__ == "__main__":
    harness.main()
