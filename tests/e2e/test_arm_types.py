"""Azure's types as resources here: the hub and spoke of a private resolver made by Azure Resource Manager's
API alone, each step served at once; what Azure refuses, refused in its words; and what Azure has no member
for, left as it is."""

import json

import harness
import test_resources

S = "11111111-2222-3333-4444-555555555555"
ROOT = "/subscriptions/%s/resourceGroups/" % S
CONFIG = """
subscription = "%s";
region = "westeurope";
workers = 2;
management = { socket = "control.sock"; state = "state.db"; };
default_resolver = { targets = ( { address = "127.0.0.3"; } ); };
""" % S
FILED = """
virtual_networks = ( { name = "filed"; resource_group = "office"; address_space = [ "10.90.0.0/16" ]; } );
"""
DELEGATION = "Microsoft.Network/dnsResolvers"
HUB, SPOKE = "hub-rg", "spoke-rg"
LOCATION = {"location": "westeurope"}


def below(path, group=HUB):
    return "%s%s/providers/Microsoft.Network/%s" % (ROOT, group, path)


def ref(path, group=HUB):
    return {"id": below(path, group)}


def network(prefix, *subnets, **more):
    return {**LOCATION, "properties": {
        "addressSpace": {"addressPrefixes": [prefix]},
        "subnets": [{"name": name, "properties": {"addressPrefix": at}} for name, at in subnets], **more}}


STEPS = [
    (below("virtualNetworks/hub"), network("10.10.0.0/16", ("in", "10.10.0.0/28"), ("out", "10.10.0.16/28"))),
    (below("virtualNetworks/spoke", SPOKE), network("10.20.0.0/16")),
    (below("dnsResolvers/r"), {**LOCATION, "properties": {"virtualNetwork": ref("virtualNetworks/hub")}}),
    (below("dnsResolvers/r/inboundEndpoints/in"), {**LOCATION, "properties": {"ipConfigurations": [
        {"privateIpAddress": "", "privateIpAllocationMethod": "Dynamic",
         "subnet": ref("virtualNetworks/hub/subnets/in")}]}}),
    (below("dnsResolvers/r/outboundEndpoints/out"), {**LOCATION, "properties": {
        "subnet": ref("virtualNetworks/hub/subnets/out")}}),
    (below("dnsForwardingRulesets/rs"), {**LOCATION, "properties": {
        "dnsResolverOutboundEndpoints": [ref("dnsResolvers/r/outboundEndpoints/out")]}}),
    (below("dnsForwardingRulesets/rs/forwardingRules/contoso"), {"properties": {
        "domainName": "contoso.corp.", "forwardingRuleState": "Enabled", "metadata": {},
        "targetDnsServers": [{"ipAddress": "127.0.0.5", "port": 53}]}}),
    (below("dnsForwardingRulesets/rs/virtualNetworkLinks/hub"), {"properties": {
        "metadata": {"a": "b"}, "virtualNetwork": ref("virtualNetworks/hub")}}),
    (below("privateDnsZones/corp.internal"), {"location": "global", "tags": {"team": "net"}}),
    (below("privateDnsZones/corp.internal/virtualNetworkLinks/hub"), {"location": "global", "properties": {
        "virtualNetwork": ref("virtualNetworks/hub"), "registrationEnabled": False}}),
    (below("privateDnsZones/corp.internal/A/db"), {"properties": {"ttl": 300, "aRecords": [
        {"ipv4Address": "10.10.9.1"}]}}),
]


class World(test_resources.World):
    config, filed = CONFIG + "%s", FILED

    def build(self, world):
        self.host = world.host("cloud", "10.10.0.4", "10.10.0.20")
        self.default = harness.Upstream(self.host, "127.0.0.3", "198.51.100.3")
        self.target = harness.Upstream(self.host, "127.0.0.5", "198.51.100.5")
        self.start()

    def start(self):
        super().start()
        for group in (HUB, SPOKE):
            self.arm("PUT", ROOT + group, LOCATION)

    def arm(self, method, path, body=None, status=None, version="2022-07-01", **headers):
        connection = harness.UnixConnection(self.sluice.socket)
        text = body if isinstance(body, (str, type(None))) else json.dumps(body)
        if text is not None:
            headers["Content-Type"] = "application/json"
        join = "&" if "?" in path else "?"
        try:
            connection.request(method, path + (join + "api-version=" + version if version else ""), text,
                               {name.replace("_", "-"): value for name, value in headers.items()})
            answer = test_resources.Answer(connection.getresponse())
        finally:
            connection.close()
        if status:
            self.assertEqual(status, answer.status, "%s %s: %s" % (method, path, answer))
        return answer

    def refused(self, status, code, text, method, path, body=None, target=None, **headers):
        answer = self.arm(method, path, body, status, **headers)
        error = answer.body["error"]
        self.assertEqual(code, error["code"], answer)
        self.assertRegex(error["message"], text)
        if target:
            self.assertEqual(target, error["target"], answer)
        return error

    def build_all(self):
        for path, body in STEPS:
            self.arm("PUT", path, body, 201)


class Types(World):
    def test_a_hub_and_spoke_is_built_and_each_step_is_served_at_once(self):
        for path, body in STEPS[:6]:
            self.arm("PUT", path, body, 201)
        self.assert_answer(self.ask("a.contoso.corp"), "198.51.100.3")
        for path, body in STEPS[6:8]:
            self.arm("PUT", path, body, 201)
        self.assert_answer(self.ask("a.contoso.corp"), "198.51.100.5")
        for path, body in STEPS[8:]:
            self.arm("PUT", path, body, 201)
        self.assert_answer(self.ask("db.corp.internal"), "10.10.9.1")

    def test_a_private_endpoint_has_an_interface_and_names_which_go_with_it(self):
        self.build_all()
        self.arm("PUT", below("virtualNetworks/hub/subnets/pe"), {"properties": {
            "addressPrefix": "10.10.1.0/24"}}, 201)
        for zone in ("privatelink.blob.core.windows.net", "10.in-addr.arpa"):
            self.arm("PUT", below("privateDnsZones/" + zone), {"location": "global"}, 201)
            self.arm("PUT", below("privateDnsZones/%s/virtualNetworkLinks/hub" % zone), {
                "location": "global", "properties": {"virtualNetwork": ref("virtualNetworks/hub")}}, 201)
        nic = self.arm("PUT", below("networkInterfaces/vm"), {**LOCATION, "properties": {"ipConfigurations": [
            {"name": "ip", "properties": {"subnet": ref("virtualNetworks/hub/subnets/pe")}}]}}, 201).body
        self.assertEqual("10.10.1.4", nic["properties"]["ipConfigurations"][0]["properties"]["privateIPAddress"])
        account = below("x").replace("Microsoft.Network/x", "Microsoft.Storage/storageAccounts/acct")
        made = self.arm("PUT", below("privateEndpoints/pe"), {**LOCATION, "properties": {
            "subnet": ref("virtualNetworks/hub/subnets/pe"), "privateLinkServiceConnections": [
                {"name": "c", "properties": {"privateLinkServiceId": account, "groupIds": ["blob"]}}]}}, 201).body
        nic = self.arm("GET", made["properties"]["networkInterfaces"][0]["id"], status=200).body
        self.assertEqual("10.10.1.5", nic["properties"]["ipConfigurations"][0]["properties"]["privateIPAddress"])
        self.assertEqual(made["id"], nic["properties"]["privateEndpoint"]["id"])
        group = below("privateEndpoints/pe/privateDnsZoneGroups/default")
        self.arm("PUT", group, {"properties": {"privateDnsZoneConfigs": [
            {"name": "z", "properties": {"privateDnsZoneId": below(
                "privateDnsZones/privatelink.blob.core.windows.net")}}]}}, 201)
        name = "acct.privatelink.blob.core.windows.net"
        self.assert_answer(self.ask(name), "10.10.1.5")
        self.assertEqual([name + "."], self.host.ask(
            test_resources.INBOUND, "5.1.10.10.in-addr.arpa", "PTR").texts())
        for path in (below("privateEndpoints/pe"), group):
            shown = self.arm("GET", path, status=200)
            self.assertEqual(shown.body, self.arm("PUT", path, shown.body, 200).body)
        self.refused(400, "NetworkInterfaceInUse", "pe", "DELETE", nic["id"])
        self.refused(400, "InUseSubnetCannotBeDeleted", "networkInterfaces/vm|privateEndpoints/pe", "DELETE",
                     below("virtualNetworks/hub/subnets/pe"))
        self.arm("DELETE", below("privateEndpoints/pe"), status=200)
        self.assertEqual(404, self.arm("GET", nic["id"]).status)
        self.assertEqual(404, self.arm("GET", group).status)
        self.assertEqual([], self.host.ask(test_resources.INBOUND, "5.1.10.10.in-addr.arpa", "PTR").texts())
        self.assertEqual([], self.ask(name).texts())

    def test_what_get_gave_can_be_put_back_and_changes_nothing(self):
        self.build_all()
        before = self.good("GET", "export").body
        for path, _ in STEPS:
            shown = self.arm("GET", path, status=200)
            again = self.arm("PUT", path, shown.body, 200)
            self.assertEqual(shown.body, again.body)
        self.assertEqual(before, self.good("GET", "export").body)
        for path, body in STEPS:
            self.arm("PUT", path, body, 200)
        self.assertEqual(before, self.good("GET", "export").body)


if __name__ == "__main__":
    harness.main()
