"""Azure's types as resources here: the hub and spoke of a private resolver made by Azure Resource Manager's
API alone, each step served at once; what Azure refuses, refused in its words; and what Azure has no member
for, left as it is."""

import contextlib
import json
import re
import sqlite3

import harness
import test_random
import test_resources
import test_reverse

S = "11111111-2222-3333-4444-555555555555"
ROOT = "/subscriptions/%s/resourceGroups/" % S
CONFIG = """
subscription = "%s";
region = "westeurope";
workers = 2;
address_pools = ( { name = "pool"; prefix = "203.0.113.0/24"; } );
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


# ---- a resource of each type: (type, path, what makes it, what it is made next, a PATCH) ----

HUB_NETWORK = (("in", "10.10.0.0/28"), ("out", "10.10.0.16/28"), ("in2", "10.10.0.32/28"),
               ("out2", "10.10.0.48/28"),
               ("in3", "10.10.0.64/28"), ("pe", "10.10.4.0/24"))


def properties(**values):
    return {"properties": values}


def endpoint_at(subnet, address=None):
    how = {"privateIpAddress": address, "privateIpAllocationMethod": "Static"} if address else {
        "privateIpAllocationMethod": "Dynamic"}
    return {**LOCATION, "properties": {"ipConfigurations": [
        {**how, "subnet": ref("virtualNetworks/hub/subnets/" + subnet)}]}}


def targets(*addresses):
    return [{"ipAddress": address, "port": 53} for address in addresses]


def interface(*addresses):
    pe = ref("virtualNetworks/hub/subnets/pe")
    return {**LOCATION, **properties(ipConfigurations=[
        {"name": name,
         "properties": {"subnet": pe, "privateIPAddress": address, "privateIPAllocationMethod": "Static"}}
        for name, address in addresses] or [{"name": "ip", "properties": {"subnet": pe}}])}


def private_endpoint():
    account = below("x").replace("Microsoft.Network/x", "Microsoft.Storage/storageAccounts/acct")
    return {**LOCATION,
            **properties(subnet=ref("virtualNetworks/hub/subnets/pe"), privateLinkServiceConnections=[
        {"name": "c", "properties": {"privateLinkServiceId": account, "groupIds": ["blob"]}}])}


def zone_group(name):
    return properties(privateDnsZoneConfigs=[
        {"name": name, "properties": {"privateDnsZoneId": below("privateDnsZones/corp.internal")}}])


SPOKE_NETWORK = ref("virtualNetworks/spoke", SPOKE)
TAGGED = {"tags": {"team": "net", "Cost=centre": "7 \u00e4"}}
SETS = {"A": ("aRecords", [{"ipv4Address": "10.0.0.1"}, {"ipv4Address": "10.0.0.2"}],
              [{"ipv4Address": "10.0.0.9"}]),
        "AAAA": ("aaaaRecords", [{"ipv6Address": "2001:db8::1"}], [{"ipv6Address": "2001:db8::2"}]),
        "CNAME": ("cnameRecord", {"cname": "www.contoso.com"}, {"cname": "other.contoso.com"}),
        "MX": ("mxRecords", [{"preference": 10, "exchange": "mail.contoso.com"}],
               [{"preference": 20, "exchange": "mx.contoso.com"},
                {"preference": 0, "exchange": "b.contoso.com"}]),
        "PTR": ("ptrRecords", [{"ptrdname": "one.contoso.com"}], [{"ptrdname": "two.contoso.com"}]),
        "SRV": ("srvRecords", [{"priority": 1, "weight": 2, "port": 5060, "target": "sip.contoso.com"}],
                [{"priority": 0, "weight": 0, "port": 1, "target": "b.contoso.com"}]),
        "TXT": ("txtRecords", [{"value": ["one", 'two; "three" \\']}, {"value": ["\u00e4"]}],
                [{"value": [""]}])}
SOA = {"host": "ns.contoso.com", "email": "admin.contoso.com", "serialNumber": 1, "refreshTime": 3600,
       "retryTime": 300,
       "expireTime": 2419200, "minimumTtl": 300}
ROWS = [
    ("virtualNetworks", below("virtualNetworks/v"), network("10.30.0.0/16", ("a", "10.30.0.0/24")),
     {**network("10.31.0.0/16", ("b", "10.31.0.0/24"), dhcpOptions={"dnsServers": ["10.31.0.4"]}), **TAGGED},
     {"tags": {"a": "b"}}),
    ("virtualNetworks/subnets", below("virtualNetworks/spoke/subnets/s", SPOKE),
     properties(addressPrefix="10.20.1.0/24"),
     properties(addressPrefix="10.20.2.0/24",
                delegations=[{"name": "0", "properties": {"serviceName": DELEGATION}}]),
     properties(addressPrefix="10.20.3.0/24")),
    ("virtualNetworks/virtualNetworkPeerings", below("virtualNetworks/hub/virtualNetworkPeerings/p"),
     properties(remoteVirtualNetwork=SPOKE_NETWORK),
     properties(remoteVirtualNetwork=SPOKE_NETWORK, allowForwardedTraffic=True),
     properties(useRemoteGateways=True)),
    ("networkInterfaces", below("networkInterfaces/vm"), interface(), {
        **interface(("a", "10.10.4.20"), ("b", "10.10.4.21")), **TAGGED}, {"tags": {"a": "b"}}),
    ("privateEndpoints", below("privateEndpoints/p"), private_endpoint(), {**private_endpoint(), **TAGGED},
     {"tags": {"a": "b"}}),
    ("privateEndpoints/privateDnsZoneGroups", below("privateEndpoints/pe/privateDnsZoneGroups/default"),
     zone_group("one"), zone_group("other"), zone_group("one")),
    ("publicIPAddresses", below("publicIPAddresses/web"),
     {**LOCATION, **properties(publicIPAllocationMethod="Static", dnsSettings={"domainNameLabel": "web"})},
     {**LOCATION, **properties(publicIPAllocationMethod="Static", dnsSettings={"domainNameLabel": "www"},
                               idleTimeoutInMinutes=10), **TAGGED}, {"tags": {"a": "b"}}),
    ("dnsResolvers", below("dnsResolvers/r2"), {**LOCATION, **properties(virtualNetwork=SPOKE_NETWORK)},
     {**LOCATION, **properties(virtualNetwork=SPOKE_NETWORK), **TAGGED}, {"tags": {"a": "b"}}),
    ("dnsResolvers/inboundEndpoints", below("dnsResolvers/r/inboundEndpoints/in2"), endpoint_at("in2"),
     {**endpoint_at("in3", "10.10.0.70"), **TAGGED}, {"tags": {"a": "b"}}),
    ("dnsResolvers/outboundEndpoints", below("dnsResolvers/r/outboundEndpoints/out2"),
     {**LOCATION, **properties(subnet=ref("virtualNetworks/hub/subnets/out2"))},
     {**LOCATION, **properties(subnet=ref("virtualNetworks/hub/subnets/out2")), **TAGGED},
     {"tags": {"a": "b"}}),
    ("dnsForwardingRulesets", below("dnsForwardingRulesets/rs2"),
     {**LOCATION, **properties(dnsResolverOutboundEndpoints=[ref("dnsResolvers/r/outboundEndpoints/out")])},
     {**LOCATION, **properties(dnsResolverOutboundEndpoints=[ref("dnsResolvers/r/outboundEndpoints/out")]),
      **TAGGED},
     {"tags": {"a": "b"}}),
    ("dnsForwardingRulesets/forwardingRules", below("dnsForwardingRulesets/rs/forwardingRules/fabrikam"),
     properties(domainName="fabrikam.corp.", targetDnsServers=targets("127.0.0.5")),
     properties(domainName="fabrikam.corp.", targetDnsServers=targets("127.0.0.6", "127.0.0.5"),
                forwardingRuleState="Disabled", metadata={"a": "b", "c": "d=e"}),
     properties(forwardingRuleState="Enabled")),
    ("dnsForwardingRulesets/virtualNetworkLinks", below("dnsForwardingRulesets/rs/virtualNetworkLinks/spoke"),
     properties(virtualNetwork=SPOKE_NETWORK), properties(virtualNetwork=SPOKE_NETWORK, metadata={"a": "b"}),
     properties(metadata={"c": "d"})),
    ("privateDnsZones", below("privateDnsZones/z.internal"), {"location": "global"},
     {"location": "global", **TAGGED},
     {"tags": {"a": "b"}}),
    ("privateDnsZones/virtualNetworkLinks", below("privateDnsZones/corp.internal/virtualNetworkLinks/spoke"),
     {"location": "global", **properties(virtualNetwork=SPOKE_NETWORK, registrationEnabled=False)},
     {"location": "global", **properties(virtualNetwork=SPOKE_NETWORK, registrationEnabled=True), **TAGGED},
     {**properties(registrationEnabled=False), "tags": {"a": "b"}}),
] + [("privateDnsZones/" + type_, below("privateDnsZones/corp.internal/%s/x-%s" % (type_, type_.lower())),
      properties(ttl=300, **{member: first}), properties(ttl=60, metadata={"a": "b"}, **{member: second}),
      properties(ttl=7, metadata={"c": "d"}, **{member: first})) for type_, (member, first, second)
      in SETS.items()]
TOP = [row for row in ROWS if "/" not in row[0]]


def parent_of(path):
    """The path of the list that it is in."""
    return path.rsplit("/", 1)[0]


# Whose names are the client's own, or are kept as they were given.
USERS = ("tags", "metadata", "remoteVirtualNetwork", "privateLinkServiceConnections")


def bare(value):
    """As people and templates write a body: keys without quotes, comments, commas behind the last, and the
    names of members in other cases."""
    def key_of(key, is_own):
        key = key if is_own else key.swapcase()
        return key if key.isalnum() and key[0].isalpha() else json.dumps(key)

    def text_of(value, is_own=False):
        if isinstance(value, dict):
            return "{ // one\n%s}" % "".join("%s /* of */ : %s,\n" % (
                key_of(key, is_own), text_of(item, is_own or key in USERS)) for key, item in value.items())
        if isinstance(value, list):
            return "[%s]" % "".join(text_of(item, is_own) + ", " for item in value)
        return json.dumps(value, ensure_ascii=False)
    return "\ufeff" + text_of(value)


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
        text = text and text.encode()
        if text is not None:
            headers["Content-Type"] = "application/json"
        join = "&" if "?" in path else "?"
        try:
            connection.request(method, path + (join + "api-version=" + version if version else ""), text,
                               {name.replace("_", "-"): value for name, value in headers.items()})
            answer = test_reverse.Answer(connection.getresponse())
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

    def test_a_whole_number_may_come_as_a_text(self):
        self.build_all()
        zone, rule = "privateDnsZones/corp.internal/", "dnsForwardingRulesets/rs/forwardingRules/contoso"
        for path, body, member, shown in (
                (rule, {"domainName": "contoso.corp.", "targetDnsServers": [{"ipAddress": "127.0.0.5", "port": "5301"}]},
                 "targetDnsServers", [{"ipAddress": "127.0.0.5", "port": 5301}]),
                (zone + "A/db", {"ttl": "60", "aRecords": [{"ipv4Address": "10.10.9.1"}]}, "ttl", 60),
                (zone + "MX/mx", {"ttl": 60, "mxRecords": [{"preference": "10", "exchange": "a.b"}]},
                 "mxRecords", [{"preference": 10, "exchange": "a.b"}]),
                ("publicIPAddresses/ip", {"publicIPAllocationMethod": "Static", "idleTimeoutInMinutes": "10"},
                 "idleTimeoutInMinutes", 10)):
            with self.subTest(path=path):
                self.arm("PUT", below(path), {**LOCATION, "properties": body})
                first = self.arm("GET", below(path), status=200)
                self.assertEqual(shown, first.body["properties"][member])
                self.arm("PUT", below(path), {**LOCATION, "properties": body}, 200)
                self.assertEqual(first.body, self.arm("GET", below(path), status=200).body)
        for wrong in ("53x", "-1", " 53", "5.3", "", "9" * 30):
            with self.subTest(wrong=wrong):
                self.arm("PUT", below(rule), {"properties": {"domainName": "contoso.corp.", "targetDnsServers": [
                    {"ipAddress": "127.0.0.5", "port": wrong}]}}, 400 if wrong else 200)

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
        self.assertEqual("10.10.1.4",
                         nic["properties"]["ipConfigurations"][0]["properties"]["privateIPAddress"])
        account = below("x").replace("Microsoft.Network/x", "Microsoft.Storage/storageAccounts/acct")
        made = self.arm("PUT", below("privateEndpoints/pe"), {**LOCATION, "properties": {
            "subnet": ref("virtualNetworks/hub/subnets/pe"), "privateLinkServiceConnections": [
                {"name": "c", "properties": {"privateLinkServiceId": account, "groupIds": ["blob"]}}]}},
                201).body
        nic = self.arm("GET", made["properties"]["networkInterfaces"][0]["id"], status=200).body
        self.assertEqual("10.10.1.5",
                         nic["properties"]["ipConfigurations"][0]["properties"]["privateIPAddress"])
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
        self.refused(400, "InUseSubnetCannotBeDeleted", "networkInterfaces/(vm|pe.nic.)", "DELETE",
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


class Everything(World):
    """With all that a resource of each type needs."""

    def start(self):
        super().start()
        for number in (36, 70):
            with contextlib.suppress(RuntimeError):  # it has them, after a restart
                self.host.add_address("10.10.0.%d" % number)

    def build_all(self):
        super().build_all()
        self.arm("PUT", below("virtualNetworks/hub"), network("10.10.0.0/16", *HUB_NETWORK), 200)
        self.arm("PUT", below("privateEndpoints/pe"), private_endpoint(), 201)

    def build_rows(self):
        self.build_all()
        for _, path, body, changed, _ in ROWS:
            self.arm("PUT", path, body, 201)
            self.arm("PUT", path, changed, 200)

    def revision(self):
        """Of the last change of anything."""
        return self.arm("GET", below("virtualNetworks"), status=200).headers["x-sluice-revision"]

    def names(self, path):
        return [each["name"] for each in self.arm("GET", path, status=200).body["value"]]


class Lifecycle(Everything):
    def assert_shown(self, type_, path, body, shown):
        self.assertEqual((path, path.rsplit("/", 1)[1], "Microsoft.Network/" + type_),
                         (shown["id"], shown["name"], shown["type"]))
        self.assertEqual("Succeeded", shown["properties"]["provisioningState"])
        self.assertTrue(shown["etag"])
        self.assertTrue(test_random.covers(shown, body), "%s\n%s" % (shown, body))

    def test_each_type_is_made_changed_listed_and_removed(self):
        self.build_all()
        for type_, path, body, changed, patch in ROWS:
            self.refused(404, "ResourceNotFound", "was not found", "GET", path)
            self.arm("HEAD", path, status=404)
            self.refused(404, "ResourceNotFound", "was not found", "PATCH", path, patch)
            self.arm("DELETE", path, status=204)
            before = self.names(parent_of(path))
            made = self.arm("PUT", path, body, 201)
            self.assert_shown(type_, path, body, made.body)
            self.assertEqual(made.body, self.arm("GET", path, status=200).body)
            self.arm("HEAD", path, status=204)
            again = self.arm("PUT", path, body, 200)
            self.assertEqual((made.body, made.headers["x-sluice-revision"]),
                             (again.body, again.headers["x-sluice-revision"]))
            put = self.arm("PUT", path, changed, 200).body
            self.assert_shown(type_, path, changed, put)
            self.assertNotEqual(made.body["etag"], put["etag"])
            patched = self.arm("PATCH", path, patch, 200).body
            self.assert_shown(type_, path, patch, patched)
            self.assertEqual(patched, self.arm("PATCH", path, patch, 200).body)
            self.assertEqual(patched, self.arm("GET", path, status=200).body)
            self.assertEqual(sorted(before + [path.rsplit("/", 1)[1]]), sorted(self.names(parent_of(path))))
            listed = self.arm("GET", parent_of(path), status=200).body["value"]
            self.assertIn(patched, listed)
            self.arm("DELETE", path, status=200)
            self.arm("DELETE", path, status=204)
            self.arm("HEAD", path, status=404)
            self.refused(404, "ResourceNotFound", "was not found", "GET", path)
            self.assertEqual(before, self.names(parent_of(path)))
    def test_paths_are_taken_in_any_case_and_with_slashes_too_many(self):
        self.build_all()
        for _, path, body, changed, _ in ROWS:
            made = self.arm("PUT", path.upper().replace("/", "//"), body, 201).body
            self.assertEqual(path.lower(), made["id"].lower())
            self.assertEqual(path.split("/")[4], made["id"].split("/")[4])  # the group, as it was made
            for other in (path.lower(),
                          path.replace("/providers", "//providers").replace("Network/", "Network//"),
                          path.swapcase()):
                self.assertEqual(made, self.arm("GET", other, status=200).body)
                self.arm("HEAD", other, status=204)
                self.assertEqual(made, self.arm("PUT", other, body, 200).body)
                self.assertIn(made, self.arm("GET", parent_of(other), status=200).body["value"])
            self.assertNotEqual(made, self.arm("PUT", path.lower(), changed, 200).body)
            self.arm("DELETE", path.lower(), status=200)
            # The types are written as Azure writes them, and names as they were first.
            self.assertEqual(path,
                             self.arm("PUT", path.replace("Microsoft.Network", "microsoft.network"), body,
                                      201).body["id"])

    def test_a_body_is_taken_as_people_write_it(self):
        self.build_all()
        for _, path, body, changed, patch in ROWS:
            made = self.arm("PUT", path, bare(body), 201)
            revision = made.headers["x-sluice-revision"]
            again = self.arm("PUT", path, body, 200)
            self.assertEqual((made.body, revision), (again.body, again.headers["x-sluice-revision"]))
            self.arm("PUT", path, bare(changed), 200)
            patched = self.arm("PATCH", path, bare(patch), 200).body
            self.assertEqual(patched, self.arm("PATCH", path, patch, 200).body)
            # With what only an answer has, and with members of versions to come.
            shown = {**patched, "systemData": {"createdBy": "x"}, "properties": {
                **patched["properties"], "provisioningState": "Updating", "colour": [1], "resourceGuid": 7}}
            shown.update(id=7, name=[], type={}, etag=None)
            revision = self.revision()
            self.assertEqual(patched, self.arm("PUT", path, shown, 200).body)
            self.assertEqual(patched, self.arm("PATCH", path, shown, 200).body)
            self.assertEqual(revision, self.revision())

    def test_a_request_without_a_version_of_the_api_is_refused(self):
        self.build_all()
        for _, path, body, _, patch in ROWS:
            for method, sent in (("GET", None), ("PUT", body), ("PATCH", patch), ("DELETE", None),
                                 ("POST", None)):
                self.refused(400, "MissingApiVersionParameter", "any will do", method, path, sent,
                             "api-version", version=None)
            self.arm("GET", path, status=404)
            self.refused(400, "MissingApiVersionParameter", "any will do", "GET", parent_of(path), version="")
            self.arm("GET", parent_of(path), version="1999-01-01", status=200)

    def test_what_is_not_ours_is_not_found(self):
        self.build_all()
        for type_, path, body, _, patch in ROWS:
            title = "Microsoft.Network/" + type_
            for method, sent in (("GET", None), ("PUT", body), ("PATCH", patch), ("DELETE", None)):
                self.refused(404, "SubscriptionNotFound", "it is " + S, method,
                             path.replace(S, S.replace("1", "2")), sent)
                self.refused(404, "InvalidResourceNamespace", "this server has Microsoft.Network", method,
                             path.replace("Microsoft.Network", "Microsoft.Compute"), sent)
                self.refused(404, "InvalidResourceType",
                             "could not be found in the namespace 'Microsoft.Network'", method,
                             path.replace("/" + type_.rsplit("/", 1)[-1] + "/", "/frobs/"), sent)
            elsewhere = path.replace(HUB, "nowhere").replace(SPOKE, "nowhere")
            for method, sent in (("GET", None), ("PUT", body), ("PATCH", patch)):
                self.refused(404, "ResourceGroupNotFound", "'nowhere' could not be found", method, elsewhere,
                             sent)
            self.refused(404, "ResourceGroupNotFound", "'nowhere' could not be found", "GET",
                         parent_of(elsewhere))
            self.arm("DELETE", elsewhere, status=204)
            if "/" in type_:
                root = path.split("/")
                root[8] = "nowhere" + ("" if "Zones" not in type_ else ".internal")
                orphan = "/".join(root)
                error = self.refused(404, "ParentResourceNotFound", "Failed to perform 'write'", "PUT",
                                     orphan, body)
                self.assertIn("type '%s', because the parent resource '%s'" % (type_, "/".join(root[:9])),
                              error["message"])
                self.refused(404, "ParentResourceNotFound", "Failed to perform 'read'", "GET",
                             parent_of(orphan))
                self.refused(404, "ResourceNotFound", re.escape("'%s/%s/%s'" % (title, root[8], root[-1])),
                             "GET", orphan)
            self.refused(405, "MethodNotAllowed", "give the name of a resource", "PUT", parent_of(path), body)

    def test_an_etag_is_written_and_compared_as_each_family_does_it(self):
        self.build_all()
        for type_, path, body, changed, patch in ROWS:
            name, family = path.rsplit("/", 1)[1], type_.split("/")[0]
            weak, bare_, quoted = ('^W/"[^"]+"$', True), ('^[^"/]+$', True), ('^"[^"]+"$', False)
            form, in_header = (quoted if family.startswith("dns") else
                               bare_ if family == "privateDnsZones" else weak)
            self.refused(412, "PreconditionFailed", " %s does not exist" % re.escape(name), "PUT", path, body,
                         If_Match="*")
            self.refused(412, "PreconditionFailed", "does not exist", "PUT", path, body, If_Match='"x"')
            self.refused(412, "PreconditionFailed", "does not exist", "DELETE", path, If_Match="*")
            self.refused(412, "PreconditionFailed", "does not exist", "PATCH", path, patch, If_Match="*")
            made = self.arm("PUT", path, body, 201, If_None_Match="*")
            etag = made.body["etag"]
            self.assertRegex(etag, form)
            self.assertEqual(etag if in_header else None, made.headers["ETag"])
            for method, sent in (("PUT", body), ("PATCH", patch), ("DELETE", None)):
                self.refused(412, "PreconditionFailed",
                             "^The .*%s exists already and hence cannot be created again.$" % re.escape(name),
                             method, path, sent,
                             If_None_Match="*")
                self.refused(412, "PreconditionFailed",
                             r"^The .*%s has been modified \(etag mismatch\).$" % re.escape(name),
                             method, path, sent, If_Match='"other"')
            text = etag.strip('W/"')
            for written in (etag, text, '"%s"' % text, 'W/"%s"' % text, '"x", "%s"' % text, "*",
                            '\\"%s\\"' % text):
                self.arm("PUT", path, body, 200, If_Match=written)
            self.arm("PUT", path, changed, 200, If_Match=etag)
            for method, sent in (("PUT", body), ("PATCH", patch), ("DELETE", None)):
                self.refused(412, "PreconditionFailed", "etag mismatch", method, path, sent, If_Match=etag)
            # One in the body is that of some answer, and is not asked for.
            now = self.arm("PUT", path, {**body, "etag": etag}, 200).body["etag"]
            self.arm("DELETE", path, status=200, If_Match=now)

    def test_what_is_shown_in_a_network_shares_its_etag(self):
        self.build_all()
        hub = self.arm("GET", below("virtualNetworks/hub"), status=200).body
        self.assertEqual({hub["etag"]}, {each["etag"] for each in hub["properties"]["subnets"]})
        self.arm("PUT", below("virtualNetworks/hub/subnets/more"), properties(addressPrefix="10.10.1.0/24"),
                 201)
        after = self.arm("GET", below("virtualNetworks/hub"), status=200).body
        self.assertNotEqual(hub["etag"], after["etag"])
        self.assertEqual(after["etag"],
                         self.arm("GET", below("virtualNetworks/hub/subnets/in"), status=200).body["etag"])
        self.arm("DELETE", below("virtualNetworks/hub/subnets/more"), status=200)
        gone = self.arm("GET", below("virtualNetworks/hub"), status=200).body["etag"]
        self.assertNotEqual(after["etag"], gone)

    # ---- lists ----

    def pages(self, path):
        while path:
            body = self.arm("GET", path, version=None if "api-version" in path else "2022-07-01",
                            status=200).body
            yield [each["name"] for each in body["value"]]
            path = body.get("nextLink")
            if path:
                self.assertTrue(path.startswith("http://localhost/subscriptions/"), path)
                path = path[len("http://localhost"):]

    def test_what_is_at_the_top_is_listed_in_its_group_and_in_the_subscription(self):
        self.build_rows()
        for type_, path, _, _, _ in TOP:
            everywhere = self.arm("GET", "/subscriptions/%s/providers/Microsoft.Network/%s" % (S, type_),
                                  status=200).body["value"]
            groups = [self.arm("GET", below(type_, group), status=200).body["value"] for group
                      in (HUB, SPOKE, "office", "-")
                      if self.arm("HEAD", ROOT + group).status == 204 or group == "-"]
            by_id = lambda listed: sorted(listed, key=lambda each: each["id"])
            self.assertEqual(by_id(sum(groups, [])), by_id(everywhere))
            self.assertIn(path, [each["id"] for each in everywhere])
        self.assertEqual({"value": []}, self.arm("GET", below("dnsResolvers", SPOKE), status=200).body)
        self.assertEqual({"value": []},
                         self.arm("GET", below("virtualNetworks/v/virtualNetworkPeerings"), status=200).body)

    def test_every_list_comes_in_pages(self):
        self.build_rows()
        for type_, path, body, _, _ in ROWS:
            whole = self.names(parent_of(path))
            for top in (1, 2):
                pages = list(self.pages(parent_of(path) + "?$top=%d" % top))
                self.assertEqual(whole, sum(pages, []), type_)
                self.assertEqual({top}, {len(page) for page in pages[:-1]} | {top}, type_)
                self.assertLessEqual(len(pages[-1]), top)
            for wrong in ("0", "-1", "x", ""):
                self.refused(400, "InvalidTopInQueryString", "1 or more", "GET", parent_of(path) + "?$top=" +
                             wrong)

    def test_a_page_goes_on_behind_a_group_whose_name_others_begin_with(self):
        groups, names = ["a", "a-b", "a.c", "a0"], ["n", "n-1", "n.2", "n0"]
        for group in groups:
            self.arm("PUT", ROOT + group, LOCATION, 201)
            for name in names:
                self.arm("PUT", below("virtualNetworks/" + name, group), network("10.0.0.0/16"), 201)
        for path in ("/subscriptions/%s/providers/Microsoft.Network/virtualNetworks" % S,
                     "/subscriptions/%s/resources" % S):
            whole = self.names(path)
            self.assertLess(len(groups) * len(names), len(whole))
            for top in (1, 3):
                self.assertEqual(whole, sum(self.pages(path + "?$top=%d" % top), []))

    def test_a_list_of_networks_shows_the_users_of_each(self):
        self.build_all()
        for group in (HUB, SPOKE):
            self.arm("PUT", below("virtualNetworks/same", group), network("10.77.0.0/16", ("pe", "10.77.1.0/24")), 201)
            self.arm("PUT", below("networkInterfaces/same", group), {**LOCATION, **properties(ipConfigurations=[
                {"name": "ip", "properties": {"subnet": ref("virtualNetworks/same/subnets/pe", group)}}])}, 201)
        every = "/subscriptions/%s/providers/Microsoft.Network/virtualNetworks" % S
        for path, least in ((every, 5), (every + "?$top=2", 2), (below("virtualNetworks"), 2)):
            shown = self.arm("GET", path, status=200).body["value"]
            self.assertGreaterEqual(len(shown), least)
            self.assertEqual([self.arm("GET", each["id"], status=200).body for each in shown], shown)
        for group in (HUB, SPOKE):
            [subnet] = self.arm("GET", below("virtualNetworks/same", group)).body["properties"]["subnets"]
            self.assertEqual([{"id": below("networkInterfaces/same", group)}],
                             subnet["properties"]["ipConfigurations"])

    def test_record_sets_are_listed_by_type_by_suffix_and_all(self):
        self.build_rows()
        for name in ("b.app", "a.app", "app"):
            self.arm("PUT", below("privateDnsZones/corp.internal/A/" + name), properties(ttl=5, aRecords=[]),
                     201)
        zone = below("privateDnsZones/corp.internal/")
        every = self.names(zone + "ALL")
        self.assertEqual("@", every[0])
        self.assertEqual(
            sorted(["@", "a.app", "b.app", "app", "db", "acct"] + ["x-" + each.lower() for each in SETS]),
            sorted(every))
        for all_ in ("aLL", "all"):
            self.assertEqual(every, self.names(zone + all_))
            for top in (1, 2, 3):
                pages = list(self.pages(zone + all_ + "?$top=%d" % top))
                self.assertEqual(every, sum(pages, []))
                self.assertLessEqual(max(map(len, pages)), top)
        self.assertEqual(["@"], self.names(zone + "SOA"))
        self.assertEqual(["a.app", "app", "b.app"], sorted(self.names(zone + "A?$recordsetnamesuffix=app")))
        self.assertEqual(["a.app", "b.app"], sorted(self.names(zone + "ALL?$recordsetnamesuffix=.app")))
        self.assertEqual([], self.names(zone + "MX?$recordsetnamesuffix=.app"))
        pages = list(self.pages(zone + "ALL?$top=1&$recordsetnamesuffix=.APP"))
        self.assertEqual([1, 1], [len(page) for page in pages])
        shown = {each["type"] for each in self.arm("GET", zone + "ALL", status=200).body["value"]}
        self.assertEqual({"Microsoft.Network/privateDnsZones/" + each for each in [*SETS, "SOA"]}, shown)

    # ---- zones ----

    def test_every_zone_has_a_soa(self):
        self.build_all()
        zone = below("privateDnsZones/new.internal")
        self.arm("PUT", zone, {"location": "global"}, 201)
        self.assertEqual(1, self.arm("GET", zone, status=200).body["properties"]["numberOfRecordSets"])
        first = self.arm("GET", zone + "/soa/@", status=200).body
        self.assertEqual((zone + "/SOA/@", "@", "Microsoft.Network/privateDnsZones/SOA", "new.internal."),
                         (first["id"], first["name"], first["type"], first["properties"]["fqdn"]))
        self.assertEqual(set(SOA), set(first["properties"]["soaRecord"]))
        for at in ("/SOA/@", "/SOA/%40"):
            self.arm("HEAD", zone + at, status=204)
            self.assertEqual(first, self.arm("PUT", zone + at, first, 200).body)
        soa = dict(first["properties"]["soaRecord"], email="admin.contoso.com", minimumTtl=7)
        put = self.arm("PUT", zone + "/SOA/@", properties(ttl=60, soaRecord=soa), 200).body
        self.assertEqual(("admin.contoso.com", 7, 60), (
            put["properties"]["soaRecord"]["email"], put["properties"]["soaRecord"]["minimumTtl"],
            put["properties"]["ttl"]))
        self.assertEqual(77,
                         self.arm("PATCH", zone + "/SOA/@", properties(ttl=77, metadata={"a": "b"}),
                                  200).body["properties"]["ttl"])
        self.assertEqual(["@"], self.names(zone + "/ALL"))
        self.assertEqual(1, self.arm("GET", zone, status=200).body["properties"]["numberOfRecordSets"])
        self.refused(412, "PreconditionFailed", "exists already", "PUT", zone + "/SOA/@", put,
                     If_None_Match="*")
        self.arm("DELETE", zone + "/A/none", status=204)

    def test_records_are_answered_as_they_were_given(self):
        self.build_rows()
        self.arm("PUT", below("privateDnsZones/corp.internal/A/*.apps"),
                 properties(ttl=5, aRecords=[{"ipv4Address": "10.0.0.7"}]), 201)
        self.arm("PUT", below("privateDnsZones/corp.internal/A/%40"),
                 properties(ttl=5, aRecords=[{"ipv4Address": "10.0.0.8"}]), 201)
        self.arm("PUT", below("privateDnsZones/corp.internal/SRV/_sip._tcp"), properties(ttl=5, srvRecords=[
            {"priority": 1, "weight": 2, "port": 5060, "target": "sip.contoso.com"}]), 201)
        asked = lambda name, rtype: sorted(self.host.dig("10.10.0.4", name + "corp.internal", rtype).texts)
        self.assertEqual(["10.0.0.7"], asked("any.apps.", "A"))
        self.assertEqual(["10.0.0.8"], asked("", "A"))
        self.assertEqual(["1 2 5060 sip.contoso.com."], asked("_sip._tcp.", "SRV"))
        self.assertEqual(["0 b.contoso.com.", "20 mx.contoso.com."], asked("x-mx.", "MX"))
        self.assertEqual(["2001:db8::2"], asked("x-aaaa.", "AAAA"))
        self.assertEqual(["two.contoso.com."], asked("x-ptr.", "PTR"))
        self.arm("PUT", below("privateDnsZones/corp.internal/TXT/x-txt"), properties(ttl=5, txtRecords=[
            {"value": ["one", 'two; "three" \\']}]), 200)
        self.assertEqual(['"one" "two; \\"three\\" \\\\"'], asked("x-txt.", "TXT"))

    def test_records_that_azure_shows_alike_stay(self):
        self.build_all()
        path, records = "private_zones/hub-rg/corp.internal/record_sets/bytes:TXT", ['"\\200"', '"\\201"']
        self.good("PUT", path, {"ttl": 60, "records": records}, 201)
        shown = self.arm("GET", below("privateDnsZones/corp.internal/TXT/bytes"), status=200).body
        self.assertEqual(shown["properties"]["txtRecords"][0], shown["properties"]["txtRecords"][1])
        shown["properties"]["txtRecords"].append({"value": ["third"]})
        self.arm("PUT", below("privateDnsZones/corp.internal/TXT/bytes"), shown, 200)
        self.assertEqual(sorted(records + ['"third"']), sorted(self.good("GET", path).body["records"]))

    def test_a_record_set_may_be_empty(self):
        self.build_all()
        for type_, (member, first, _) in SETS.items():
            path = below("privateDnsZones/corp.internal/%s/empty-%s" % (type_, type_.lower()))
            made = self.arm("PUT", path, properties(ttl=3600), 201).body
            if type_ != "CNAME":
                self.assertEqual([], made["properties"][member])
            self.assertEqual(made, self.arm("PUT", path, made, 200).body)
            self.assertIn(made["name"], self.names(parent_of(path)))
            self.arm("PUT", path, properties(ttl=3600, **{member: first}), 200)
            self.assertEqual(first, self.arm("GET", path, status=200).body["properties"][member])
            self.arm("PATCH", path, properties(ttl=5), 200)
            self.assertEqual(first, self.arm("GET", path, status=200).body["properties"][member])

    # ---- what belongs together ----

    def test_a_network_lists_who_is_in_it(self):
        self.build_all()
        hub = below("virtualNetworks/hub")
        self.assertEqual({"value": [{"id": below("dnsResolvers/r")}]},
                         self.arm("POST", hub + "/listDnsResolvers", status=200).body)
        self.assertEqual(
            {"value": [{"id": below("dnsForwardingRulesets/rs"), "properties": {"virtualNetworkLink": {
            "id": below("dnsForwardingRulesets/rs/virtualNetworkLinks/hub")}}}]},
            self.arm("POST", hub.lower() + "/LISTDNSFORWARDINGRULESETS", status=200).body)
        spoke = below("virtualNetworks/spoke", SPOKE)
        for action in ("/listDnsResolvers", "/listDnsForwardingRulesets"):
            self.assertEqual({"value": []}, self.arm("POST", spoke + action, {}, 200).body)
            self.refused(404, "ResourceNotFound", "was not found", "POST", below("virtualNetworks/none") +
                         action)
        self.refused(404, "InvalidResourceType", "has no action 'listFrobs'", "POST", hub + "/listFrobs")

    def test_nothing_goes_while_something_else_needs_it(self):
        self.build_all()
        self.arm("DELETE", below("privateEndpoints/pe"), status=200)
        nested = ("Cannot delete resource while nested resources exist. Some existing nested resource IDs "
                  "include: '%s'")
        used = "is in use by %s and cannot be deleted"
        resolver, rules, zone = below("dnsResolvers/r"), below("dnsForwardingRulesets/rs"), below(
            "privateDnsZones/corp.internal")
        hub = below("virtualNetworks/hub")
        steps = [
            ([(hub + "/subnets/in", 400, "InUseSubnetCannotBeDeleted", "Subnet in " +
               used % (resolver + "/inboundEndpoints/in")),
              (hub + "/subnets/out", 400, "InUseSubnetCannotBeDeleted",
               used % (resolver + "/outboundEndpoints/out")),
              (resolver, 409, "CannotDeleteResource",
               nested % "Microsoft.Network/dnsResolvers/r/inboundEndpoints/in"),
              (resolver + "/outboundEndpoints/out", 409, "Conflict", used % rules),
              (rules, 409, "CannotDeleteResource",
               nested % "Microsoft.Network/dnsForwardingRulesets/rs/virtualNetworkLinks/hub"),
              (zone, 409, "CannotDeleteResource",
               nested % "Microsoft.Network/privateDnsZones/corp.internal/virtualNetworkLinks/hub"),
              (hub, 400, "InUseSubnetCannotBeDeleted", "cannot be deleted")], resolver +
              "/inboundEndpoints/in"),
            ([(resolver, 409, "CannotDeleteResource",
               nested % "Microsoft.Network/dnsResolvers/r/outboundEndpoints/out")],
             rules + "/virtualNetworkLinks/hub"),
            ([(resolver + "/outboundEndpoints/out", 409, "Conflict", used % rules)], rules),
            ([], resolver + "/outboundEndpoints/out"),
            ([(hub, 409, "Conflict", "Virtual network hub " + used % resolver)], resolver),
            ([(hub, 409, "Conflict", used % (zone + "/virtualNetworkLinks/hub"))], zone +
             "/virtualNetworkLinks/hub"),
            ([], zone), ([], hub)]
        for refused, goes in steps:
            for path, status, code, text in refused:
                revision = self.revision()
                self.refused(status, code, re.escape(text), "DELETE", path)
                self.assertEqual(revision, self.revision())
                self.arm("HEAD", path, status=204)
            self.arm("DELETE", goes, status=200)
        for path in (hub + "/subnets/in", zone + "/A/db", rules + "/forwardingRules/contoso"):
            self.arm("GET", path, status=404)

    def test_a_patch_of_a_ruleset_has_its_endpoints_beside_the_tags(self):
        """As Azure's clients send it."""
        self.build_all()
        path, second = below("dnsForwardingRulesets/rs"), ref("dnsResolvers/r/outboundEndpoints/out2")
        self.arm("PUT", below("dnsResolvers/r/outboundEndpoints/out2"),
                 {**LOCATION, **properties(subnet=ref("virtualNetworks/hub/subnets/out2"))}, 201)
        patched = self.arm("PATCH", path, {"dnsResolverOutboundEndpoints": [second], **TAGGED}, 200).body
        self.assertEqual(([second], TAGGED["tags"]), (patched["properties"]["dnsResolverOutboundEndpoints"], patched["tags"]))
        self.assertNotIn("dnsResolverOutboundEndpoints", patched)
        self.assertEqual(["r/out2"], self.good("GET", "rulesets/hub-rg/rs").body["outbound_endpoints"])
        wrong = self.arm("PATCH", path, {"dnsResolverOutboundEndpoints": "out"}, 400).body["error"]
        self.assertEqual("dnsResolverOutboundEndpoints", wrong["target"])

    def test_an_endpoint_that_a_ruleset_leaves_by_unasked_may_go(self):
        self.build_all()
        self.arm("DELETE", below("dnsForwardingRulesets/rs/virtualNetworkLinks/hub"), status=200)
        self.arm("DELETE", below("dnsForwardingRulesets/rs"), status=200)
        self.good("PUT", "rulesets/-/free", {}, 201)
        self.good("PUT", "rulesets/-/free/links/hub", {"virtual_network": "hub"}, 201)
        placed = self.good("GET", "rulesets/-/free").body["placed"]
        self.assertEqual(["hub-rg/r/out"], placed["outbound_endpoints"])
        self.arm("DELETE", below("dnsResolvers/r/outboundEndpoints/out"), status=200)

    def test_a_network_that_is_put_loses_the_subnets_it_does_not_name_unless_they_are_used(self):
        self.build_all()
        hub, body = below("virtualNetworks/hub"), network("10.10.0.0/16", *HUB_NETWORK[:2], HUB_NETWORK[-1])
        self.arm("PUT", hub,
                 {**LOCATION, "properties": {"addressSpace": {"addressPrefixes": ["10.10.0.0/16"]}}}, 200)
        every = sorted(name for name, _ in HUB_NETWORK)
        self.assertEqual(every, self.names(hub + "/subnets"))
        error = self.refused(400, "InUseSubnetCannotBeDeleted", "is in use by", "PUT", hub,
                             network("10.10.0.0/16"))
        self.assertEqual(3, len(error["details"]), error)
        self.assertEqual(every, self.names(hub + "/subnets"))
        before = int(self.arm("GET", hub, status=200).headers["x-sluice-revision"])
        put = self.arm("PUT", hub, body, 200)
        self.assertEqual(before + 1, int(put.headers["x-sluice-revision"]))
        self.assertEqual(["in", "out", "pe"], self.names(hub + "/subnets"))
        self.assertEqual(0, self.sluice.command("undo", str(before + 1))[0])
        self.assertEqual(every, self.names(hub + "/subnets"))

    def test_an_endpoint_delegates_its_subnet_in_the_same_change(self):
        self.build_all()
        subnet, endpoint = below("virtualNetworks/hub/subnets/in2"), below(
            "dnsResolvers/r/inboundEndpoints/in2")
        self.assertEqual([], self.arm("GET", subnet, status=200).body["properties"]["delegations"])
        before = int(self.arm("GET", subnet, status=200).headers["x-sluice-revision"])
        made = self.arm("PUT", endpoint, endpoint_at("in2"), 201)
        self.assertEqual(before + 1, int(made.headers["x-sluice-revision"]))
        self.assertEqual("10.10.0.36", made.body["properties"]["ipConfigurations"][0]["privateIpAddress"])
        shown = self.arm("GET", subnet, status=200).body["properties"]
        self.assertEqual([DELEGATION], [each["properties"]["serviceName"] for each in shown["delegations"]])
        self.assertEqual([{"id": endpoint}], shown["ipConfigurations"])
        status, text = self.sluice.command("undo", str(before + 1))
        self.assertEqual(0, status, text)
        self.arm("GET", endpoint, status=404)
        self.assertEqual([], self.arm("GET", subnet, status=200).body["properties"]["delegations"])
        # One that belongs to another service is left to it.
        self.arm("PUT", subnet, properties(addressPrefix="10.10.0.32/28", delegations=[
            {"name": "web", "properties": {"serviceName": "Microsoft.Web/serverFarms"}}]), 200)
        self.arm("PUT", endpoint, endpoint_at("in2"), 400)
        self.arm("GET", endpoint, status=404)

    def test_a_subnet_whose_row_cannot_be_read_is_not_written_anew(self):
        self.build_all()
        def row():
            return state.execute("SELECT json FROM resources WHERE path = ?", (HUB + "/hub/in2",)).fetchone()[0]
        with contextlib.closing(sqlite3.connect(self.world.dir + "/state.db", isolation_level=None)) as state:
            state.execute("UPDATE resources SET json = 'x' || json WHERE path = ?", (HUB + "/hub/in2",))
            before = row()
            for path, body in ((below("virtualNetworks/hub"), network("10.10.0.0/16", *HUB_NETWORK)),
                               (below("dnsResolvers/r/inboundEndpoints/in2"), endpoint_at("in2"))):
                with self.subTest(path=path):
                    self.refused(503, "StoreFailed", "^in2: its values in the state are no JSON", "PUT", path, body)
                    self.assertEqual(before, row())

    def test_an_endpoint_keeps_the_address_that_was_chosen(self):
        self.build_all()
        path = below("dnsResolvers/r/inboundEndpoints/in")
        shown = self.arm("GET", path, status=200).body
        self.assertEqual("10.10.0.4", shown["properties"]["ipConfigurations"][0]["privateIpAddress"])
        for body in (endpoint_at("in"), shown, {**shown, "tags": {"a": "b"}}):
            again = self.arm("PUT", path, body, 200).body
            self.assertEqual(shown["properties"], again["properties"])
        self.arm("PUT", path, endpoint_at("IN", "10.10.0.4"), 200)
        self.assertTrue(test_random.covers(self.good("GET", "resolvers/hub-rg/r/inbound_endpoints/in").body, {
            "subnet": "in", "allocation": "static", "address": "10.10.0.4"}))


# What Azure has no member for: (path in /v1, values).
APART = [
    ("virtual_networks/hub-rg/hub", {"client_prefixes": ["192.0.2.0/24"], "uses_default_resolver": False}),
    ("resolvers/hub-rg/r/inbound_endpoints/in", {"listen": "127.0.0.1:5300", "allow": ["192.0.2.0/24"]}),
    ("resolvers/hub-rg/r/outbound_endpoints/out", {"source": "0.0.0.0"}),
    ("rulesets/hub-rg/rs/target_groups/t",
     {"targets": [{"address": "127.0.0.5", "protocol": "tcp", "description": "dc"}]}),
    ("rulesets/hub-rg/rs/rules/contoso", {"follow_cname": True, "description": "why", "targets": [
        {"address": "127.0.0.5", "protocol": "tcp", "description": "first"},
        {"address": "127.0.0.6", "description": "second"}]}),
    ("rulesets/hub-rg/rs/rules/grouped",
     {"domain": "grouped.corp.", "target_group": "t", "description": "why"}),
    ("private_zones/hub-rg/corp.internal/record_sets/rel:CNAME", {"records": ["db"]}),
    ("private_zones/hub-rg/corp.internal/record_sets/mail:MX",
     {"records": ["10 mail", "20 mail.contoso.com."]}),
    ("private_zones/hub-rg/corp.internal/record_sets/txt:TXT", {"records": ['one two', '"three"']}),
]
APART_IDS = [below(path) for path in (
    "virtualNetworks/hub", "dnsResolvers/r/inboundEndpoints/in", "dnsResolvers/r/outboundEndpoints/out", None,
    "dnsForwardingRulesets/rs/forwardingRules/contoso", "dnsForwardingRulesets/rs/forwardingRules/grouped",
    "privateDnsZones/corp.internal/CNAME/rel", "privateDnsZones/corp.internal/MX/mail",
    "privateDnsZones/corp.internal/TXT/txt",
) if path]
# What is used by nothing here, and belongs to the resource all the same.
KEPT = [
    (below("virtualNetworks/hub"), {
        "encryption": {"enabled": False, "enforcement": "AllowUnencrypted"}, "enableDdosProtection": True,
        "ddosProtectionPlan": {"id": "/x"}, "flowTimeoutInMinutes": 10,
        "bgpCommunities": {"virtualNetworkCommunity": "12076:20000"},
        "ipAllocations": [{"id": "/y"}], "privateEndpointVNetPolicies": "Basic"}),
    (below("virtualNetworks/hub/subnets/in3"), {
        "delegations": [{"name": "mine", "properties": {"serviceName": "Microsoft.Web/serverFarms"}}],
        "privateEndpointNetworkPolicies": "Enabled", "privateLinkServiceNetworkPolicies": "Disabled",
        "networkSecurityGroup": {"id": "/a"}, "routeTable": {"id": "/b"}, "natGateway": {"id": "/c"},
        "serviceEndpoints": [{"service": "Microsoft.Storage", "locations": ["*"]}],
        "defaultOutboundAccess": False}),
    (below("virtualNetworks/hub/virtualNetworkPeerings/p"), {
        "remoteVirtualNetwork": {"id": "/somewhere/else"}, "allowVirtualNetworkAccess": False,
        "allowForwardedTraffic": True,
        "allowGatewayTransit": True, "useRemoteGateways": True,
        "remoteAddressSpace": {"addressPrefixes": ["10.20.0.0/16"]},
        "doNotVerifyRemoteGateways": True})]


class Apart(Everything):
    """What only one of the two APIs knows."""

    def everything(self):
        return {path: self.good("GET", path).body for path, _ in APART}

    def test_what_azure_has_no_member_for_is_left_alone(self):
        self.build_all()
        for path, values in APART:
            answer = self.call("PATCH", path, values)
            self.assertIn((answer if answer.status == 200 else self.call("PUT", path, values)).status,
                          (200, 201), answer)
        before = self.everything()
        for path, values in APART:
            self.assertTrue(test_random.covers(before[path], values), (before[path], values))
        for path in APART_IDS:
            shown = self.arm("GET", path, status=200)
            for method in ("PUT", "PATCH"):
                again = self.arm(method, path, shown.body, 200)
                self.assertEqual((shown.body, shown.headers["x-sluice-revision"]),
                                 (again.body, again.headers["x-sluice-revision"]))
        self.assertEqual(before, self.everything())
        # Nor does it go when something else of the resource changes.
        for path in APART_IDS:
            body = self.arm("GET", path, status=200).body
            if "/dnsForwardingRulesets/" in path or "privateDnsZones" in path:
                body["properties"]["metadata"] = {"n": "1"}
            else:
                body["tags"] = {"n": "1"}
            self.arm("PUT", path, body, 200)
        self.arm("PATCH", below("privateDnsZones/corp.internal/MX/mail"), properties(ttl=9), 200)
        for path, values in APART:
            self.assertTrue(test_random.covers(self.good("GET", path).body, values),
                            (self.good("GET", path).body, values))

    def test_a_policy_that_azure_does_not_have_is_shown_as_default_and_left_alone(self):
        self.build_all()
        link = "private_zones/hub-rg/corp.internal/links/hub"
        path = below("privateDnsZones/corp.internal/virtualNetworkLinks/hub")
        self.good("PATCH", link, {"resolution_policy": "NxDomainFallthrough"})
        shown = self.arm("GET", path, status=200).body
        self.assertEqual("Default", shown["properties"]["resolutionPolicy"])
        self.assertEqual(shown, self.arm("PUT", path, shown, 200).body)
        # A body without a policy says Default, too, as older clients do.
        for method, change in (("PUT", {}), ("PUT", {"resolutionPolicy": "default"}), ("PATCH", {"resolutionPolicy": "Default"})):
            said = {key: value for key, value in shown["properties"].items() if key != "resolutionPolicy"}
            tags = {"n": method + str(change)}
            self.arm(method, path, {**shown, "tags": tags, "properties": {**said, **change}}, 200)
            values = self.good("GET", link).body
            self.assertEqual(("NxDomainFallthrough", tags), (values["resolution_policy"], values["tags"]), change)
        # Whoever knows it may change it; in Azure's words it cannot be said.
        answer = self.arm("PUT", path, {**shown, "properties": {**shown["properties"], "resolutionPolicy": "NxDomainFallthrough"}}, 400)
        self.assertIn('"Default" or "NxDomainRedirect"', answer.body["error"]["message"])
        self.good("PATCH", link, {"resolution_policy": "Default"})
        self.arm("PUT", path, shown, 200)
        self.assertEqual("Default", self.good("GET", link).body["resolution_policy"])

    def test_of_two_networks_of_one_name_the_one_that_is_meant_is_shown(self):
        self.build_all()
        self.good("PUT", "virtual_networks/-/hub", {"address_space": ["10.77.0.0/16"]}, 201)
        link = "private_zones/hub-rg/corp.internal/links/other"
        self.good("PUT", link, {"virtual_network": "-/hub"}, 201)
        path = below("privateDnsZones/corp.internal/virtualNetworkLinks/other")
        shown = self.arm("GET", path, status=200).body
        self.assertEqual(ref("virtualNetworks/hub", "-"), shown["properties"]["virtualNetwork"])
        self.assertEqual(shown, self.arm("PUT", path, shown, 200).body)

    def test_what_was_made_without_a_member_that_is_required_can_be_put_back(self):
        self.build_all()
        self.good("PUT", "resolvers/spoke-rg/s", {"virtual_network": "spoke"}, 201)
        self.good("PUT", "resolvers/spoke-rg/s/outbound_endpoints/out", {}, 201)
        self.good("PUT", "private_endpoints/hub-rg/bare", {"subnet": "hub/pe"}, 201)
        self.good("PUT", "virtual_networks/hub-rg/hub/peerings/bare", {}, 201)
        for path in (below("dnsResolvers/s/outboundEndpoints/out", SPOKE), below("privateEndpoints/bare"),
                     below("virtualNetworks/hub/virtualNetworkPeerings/bare")):
            shown = self.arm("GET", path, status=200).body
            self.assertEqual(shown, self.arm("PUT", path, shown, 200).body)
            self.arm("PUT", path, {**shown, "tags": {"n": "1"}}, 200)

    def test_of_targets_and_records_those_that_stay_are_left_alone(self):
        self.build_all()
        for path, values in APART:
            answer = self.call("PATCH", path, values)
            self.assertIn((answer if answer.status == 200 else self.call("PUT", path, values)).status,
                          (200, 201), answer)
        rule = below("dnsForwardingRulesets/rs/forwardingRules/contoso")
        body = self.arm("GET", rule, status=200).body
        body["properties"]["targetDnsServers"] = targets("127.0.0.7", "127.0.0.6", "127.0.0.5")
        self.arm("PUT", rule, body, 200)
        self.assertEqual(
            [("127.0.0.7", "udp", None), ("127.0.0.6", "udp", "second"), ("127.0.0.5", "tcp", "first")],
                         [(each["address"], each.get("protocol", "udp"), each.get("description"))
                          for each in self.good("GET", "rulesets/hub-rg/rs/rules/contoso").body["targets"]])
        sets = below("privateDnsZones/corp.internal/MX/mail")
        body = self.arm("GET", sets, status=200).body
        self.assertEqual({"preference": 10, "exchange": "mail.corp.internal"},
                         body["properties"]["mxRecords"][0])
        body["properties"]["mxRecords"] = [{"preference": 30, "exchange": "new.contoso.com"},
                                           body["properties"]["mxRecords"][0]]
        self.arm("PUT", sets, body, 200)
        self.assertEqual(["30 new.contoso.com.", "10 mail"],
                         self.good("GET",
                                   "private_zones/hub-rg/corp.internal/record_sets/mail:MX").body["records"])
        # The targets of a group are shown; others are the rule's own.
        grouped = below("dnsForwardingRulesets/rs/forwardingRules/grouped")
        body = self.arm("GET", grouped, status=200).body
        self.assertEqual(targets("127.0.0.5"), body["properties"]["targetDnsServers"])
        body["properties"]["targetDnsServers"] = targets("127.0.0.6")
        self.assertEqual(targets("127.0.0.6"),
                         self.arm("PUT", grouped, body, 200).body["properties"]["targetDnsServers"])
        values = self.good("GET", "rulesets/hub-rg/rs/rules/grouped").body
        self.assertEqual(("127.0.0.6", None, "why"),
                         (values["targets"][0]["address"], values.get("target_group"), values["description"]))

    # ---- what is kept ----

    def put_kept(self):
        for path, values in KEPT:
            there = self.arm("GET", path)
            body = there.body if there.status == 200 else {"properties": {}}
            body["properties"].update(values)
            self.arm("PUT", path, body)

    def assert_kept(self):
        for path, values in KEPT:
            shown = self.arm("GET", path, status=200).body["properties"]
            self.assertTrue(test_random.covers(shown, values), "%s\n%s" % (shown, values))

    def test_what_is_not_used_is_given_back_whatever_happens(self):
        self.build_all()
        before = self.revision()
        self.put_kept()
        self.assert_kept()
        shown = [self.arm("GET", path, status=200).body for path, _ in KEPT]
        for (path, _), body in zip(KEPT, shown):
            self.assertEqual(body, self.arm("PUT", path, body, 200).body)
        exported = self.sluice.command("export")
        self.assertEqual(0, exported[0], exported)
        self.sluice.kill()
        self.start()
        self.assert_kept()
        self.assertEqual(shown, [self.arm("GET", path, status=200).body for path, _ in KEPT])
        for command in ("reload", "upgrade"):
            self.assertEqual(0, self.sluice.command(command)[0])
            self.assert_kept()
        # Another name of a member is the same member; one that is left out is not kept.
        network_body = dict(shown[0], properties=dict(shown[0]["properties"]))
        network_body["properties"]["FLOWTIMEOUTINMINUTES"] = network_body["properties"].pop(
            "flowTimeoutInMinutes")
        self.assertEqual(shown[0], self.arm("PUT", KEPT[0][0], network_body, 200).body)
        del network_body["properties"]["FLOWTIMEOUTINMINUTES"]
        self.assertNotIn("flowTimeoutInMinutes",
                         self.arm("PUT", KEPT[0][0], network_body, 200).body["properties"])
        self.assertEqual(0, self.sluice.command("undo", str(self.revision()))[0])
        self.assert_kept()
        patched = self.arm("PATCH", KEPT[0][0], properties(flowTimeoutInMinutes=20), 200).body["properties"]
        self.assertEqual((20, True), (patched["flowTimeoutInMinutes"], patched["enableDdosProtection"]))
        # And by a file of what there is, and of what was.
        self.world.write("kept.conf", exported[1])
        status, text = self.sluice.command("apply", self.world.dir + "/kept.conf")
        self.assertEqual(0, status, text)
        self.assert_kept()
        for (path, _) in reversed(KEPT[1:]):
            self.arm("DELETE", path, status=200)
        status, text = self.sluice.command("apply", self.world.dir + "/kept.conf")
        self.assertEqual(0, status, text)
        self.assert_kept()
        self.assertLess(int(before), int(self.revision()))


class Filed(Everything):
    """What the configuration file declares, of every type."""

    filed = """
virtual_networks = (
  { name = "v"; resource_group = "office"; address_space = [ "10.30.0.0/16" ];
    azure = [ "flowTimeoutInMinutes=10" ];
    subnets = ( { name = "in"; prefix = "10.30.0.0/28"; delegation = "Microsoft.Network/dnsResolvers"; },
                { name = "out"; prefix = "10.30.0.16/28"; delegation = "Microsoft.Network/dnsResolvers"; },
                { name = "more"; prefix = "10.30.0.32/28"; } );
    peerings = ( { name = "p"; azure = [ "remoteVirtualNetwork={\\"id\\":\\"/x\\"}" ]; } ); } );
resolvers = ( { name = "r"; resource_group = "office"; virtual_network = "v";
  inbound_endpoints = ( { name = "in"; subnet = "in"; allocation = "static"; address = "10.30.0.4";
                          listen = "127.0.0.1:5301"; } );
  outbound_endpoints = ( { name = "out"; subnet = "out"; source = "0.0.0.0"; } ); } );
rulesets = ( { name = "rs"; resource_group = "office"; outbound_endpoints = [ "r/out" ];
  links = ( { name = "l"; virtual_network = "v"; metadata = [ "a=b" ]; } );
  rules = ( { name = "x"; domain = "x.corp.";
              targets = ( { address = "127.0.0.5"; protocol = "tcp"; } ); } ); } );
private_zones = ( { name = "filed.internal"; resource_group = "office"; tags = [ "a=b" ];
  links = ( { name = "l"; virtual_network = "v"; } );
  record_sets = ( %s ); },
  { name = "master.internal"; resource_group = "office"; file = "corp.internal.zone"; } );
""" % ", ".join('{ name = "%s"; records = [ %s ]; }' % (name, json.dumps(data)) for name, data in (
        ("x:A", "10.0.0.1"), ("x:AAAA", "2001:db8::1"), ("c:CNAME", "x"), ("x:MX", "10 x"), ("x:PTR", "x"),
        ("x:SRV", "1 2 3 x"), ("x:TXT", '"a b"')))
    paths = [below(path, "office") for path in (
        "virtualNetworks/v", "virtualNetworks/v/subnets/more", "virtualNetworks/v/subnets/in",
        "virtualNetworks/v/virtualNetworkPeerings/p",
        "dnsResolvers/r", "dnsResolvers/r/inboundEndpoints/in", "dnsResolvers/r/outboundEndpoints/out",
        "dnsForwardingRulesets/rs",
        "dnsForwardingRulesets/rs/forwardingRules/x", "dnsForwardingRulesets/rs/virtualNetworkLinks/l",
        "privateDnsZones/filed.internal",
        "privateDnsZones/filed.internal/virtualNetworkLinks/l", "privateDnsZones/filed.internal/CNAME/c",
        *("privateDnsZones/filed.internal/%s/x" % type_ for type_ in SETS if type_ != "CNAME"))]

    def build(self, world):
        world.write("corp.internal.zone", "web 300 IN A 10.10.1.10\nmail 300 IN MX 10 web\n")
        super().build(world)

    def test_what_the_file_declares_is_shown_and_changed_there_alone(self):
        exported = self.good("GET", "export").body
        for path in self.paths:
            shown = self.arm("GET", path, status=200).body
            again = self.arm("PUT", path, shown, 200)
            self.assertEqual(shown, again.body)
            self.arm("PATCH", path, shown, 200)
            self.arm("HEAD", path, status=204)
            if "remoteVirtualNetwork" not in json.dumps(shown):  # whose id is kept as it is
                shouted = re.sub('(?<="id": )"[^"]*"', lambda id_: id_[0].upper(), json.dumps(shown))
                self.assertEqual(shown, self.arm("PUT", path, shouted, 200).body)
            tagged = {**shown, "tags": {"n": "1"}}
            if "metadata" in json.dumps(shown) or "/forwardingRules/" in path or "filed.internal/" in path:
                tagged["properties"] = {**shown["properties"], "metadata": {"n": "1"}}
            if "/subnets/" in path:
                tagged["properties"] = {**shown["properties"], "routeTable": {"id": "/r"}}
            if "/virtualNetworkPeerings/" in path:
                tagged["properties"] = {**shown["properties"], "allowForwardedTraffic": True}
            for method, body in (("PUT", tagged), ("PATCH", tagged), ("DELETE", None)):
                if method == "DELETE" and path.rsplit("/",
                                                      2)[1] in ("dnsResolvers", "outboundEndpoints",
                                                                "virtualNetworks",
                                                                     "dnsForwardingRulesets",
                                                                     "privateDnsZones", "subnets"):
                    continue  # something else is in the way, too
                self.refused(409, "ResourceReadOnly", r"declared at .*sluice\.conf:\d+; change it there",
                             method, path, body)
        self.assertEqual(exported, self.good("GET", "export").body)

    def test_the_records_of_a_master_file_are_read(self):
        zone = below("privateDnsZones/master.internal", "office")
        self.arm("GET", zone + "/SOA/@", status=200)
        self.refused(409, "ResourceReadOnly", "its file", "PUT", zone + "/A/new",
                     properties(ttl=5, aRecords=[]))

if __name__ == "__main__":
    harness.main()
