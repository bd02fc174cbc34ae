"""What Azure's API refuses: of each type bodies that are malformed, and ids of what is not there or is of
another type. Every answer is a 4xx that names the member in Azure's words and says what would be right, all
that is wrong comes at once, and nothing has changed."""

import copy
import json
import re

import harness
import test_arm_types
from test_arm_types import HUB, ROWS, S, SOA, SPOKE, below, properties, ref

GONE = object()  # the member is left out
NOT_FOUND = "Resource .* referenced by resource .* was not found"
# The words of the configuration file, which a client of Azure does not know; but the limits are there alone.
OURS = re.compile(
    r"(?<!limits\.)\b[a-z]+_[a-z]|\b(?:subnets|rules|links|resolvers|rulesets)\[[^\]0-9]|sluice\.conf")


def steps_of(place):
    """"a.b[0].c" as "a", "b", 0, "c"."""
    return [int(step) if step.isdigit() else step for step in re.findall(r"[^.\[\]]+", place)]


def with_value(body, place, value):
    """A copy of the body with that in place; objects on the way are made."""
    body = copy.deepcopy(body)
    steps, at = steps_of(place), body
    if not steps:
        return value
    for step, following in zip(steps, steps[1:]):
        if isinstance(step, str) and step not in at:
            at[step] = [{}] if isinstance(following, int) else {}
        at = at[step]
    if value is GONE:
        del at[steps[-1]]
    else:
        at[steps[-1]] = value
    return body


def rows(text, place, *values, target=None):
    """Of a place: each of these values is refused with that text, at the target (the place, if not given)."""
    return [(place, value, text, place if target is None else target) for value in values]


OBJECT = "must be an object"
BODY = rows("must be a JSON object", "", [], 7, "x", True)
PROPERTIES = rows(OBJECT, "properties", 7, [], "x")
LOCATION = (rows("the name of a region", "location", 7, [], {}, True, "") +
            rows("give the name of a region", "location", GONE, None))
GLOBAL = (rows("available regions .* is 'global'", "location", 7, [], "westeurope") +
          rows('give "global"', "location", GONE, None))
TAGS = (rows("an object of strings", "tags", [], "x", 7) +
        rows("give a string", "tags", {"a": 1}, {"a": None}, {"a": []}) +
        rows("at most 50", "tags", {"t%d" % i: "x" for i in range(51)}) +
        rows("give each value a name", "tags", {"": "x"}) +
        rows("at most", "tags", {"x" * 16385: "x"}, {"x": "x" * 16384}))
METADATA = (
    rows("an object of strings", "properties.metadata", [], "x", 7, {"a": 1}, {"a": {}}, {"a=b": "c"}) +
            rows("at most 50", "properties.metadata", {"t%d" % i: "x" for i in range(51)}))
TTL = rows("", "properties.ttl", "x", -1, 2 ** 31, 1.5, [], True,
           {}) + rows("seconds", "properties.ttl", GONE)
NETWORK_ID = "properties.virtualNetwork"
PREFIX = "properties.addressPrefix"
SPACE = "properties.addressSpace.addressPrefixes"
IP = "properties.ipConfigurations"
CONFIGS = "properties.privateDnsZoneConfigs"
TARGETS = "properties.targetDnsServers"


def records_of(member, datum, names):
    """Of a set's member: what is no array of objects, and what is no such datum."""
    at = "properties." + member
    return (rows("an array of objects", at, 7, "x", {}) +
            rows("must be an object", at, [7], [[]], ["x"], target=at + "[0]") +
            sum((rows("must be ", "%s[0].%s" % (at, name), GONE, *wrong) for name, wrong in names.items()),
                []))


MALFORMED = {
    "virtualNetworks": LOCATION + TAGS + rows(OBJECT, "properties.addressSpace", 7, [], "x") +
    rows("is required", SPACE, GONE, None) + rows("an array of prefixes", SPACE, "10.30.0.0/16", 7, {}) +
    rows("", SPACE, [7], ["x"], ["10.30.0.0"], ["10.30.0.0/33"], ["10.30.0.1/16"], target=SPACE + "[0]") +
    rows("", SPACE, ["127.0.0.0/8"], ["224.0.0.0/4"], target=SPACE + "[0]") +
    rows("overlap", SPACE, ["10.30.0.0/16", "10.30.0.0/24"], target=SPACE + "[1]") +
    rows(OBJECT, "properties.dhcpOptions", 7, []) +
    rows("an array of addresses", "properties.dhcpOptions.dnsServers", 7, "x", {}) +
    rows("address", "properties.dhcpOptions.dnsServers", ["x"], [7],
         target="properties.dhcpOptions.dnsServers[0]") +
    rows("true or false", "properties.encryption.enabled", "yes", 7) +
    rows("an array of resources", "properties.subnets", 7, {}, "x") +
    rows("occurs twice", "properties.subnets", [{"name": name, "properties": {"addressPrefix": prefix}}
                                                for name, prefix
                                                in (("a", "10.30.0.0/24"), ("A", "10.30.1.0/24"))],
         target="properties.subnets[1].name") +
    rows("the name of a resource", "properties.subnets", [7], [{}], [{"name": 7}], [{"name": ""}],
         target="properties.subnets[0].name") +
    rows("is required", "properties.subnets", [{"name": "a"}], [{"name": "a", "properties": {}}],
         target="properties.subnets[0].properties.addressPrefix") +
    rows("", "properties.subnets[0].properties.addressPrefix", 7, "x", "10.30.0.0", "10.99.0.0/24",
         "10.30.0.0/30") +
    rows("", "properties.subnets", [{"name": "a/b", "properties": {"addressPrefix": "10.30.0.0/24"}}],
         [{"name": "-", "properties": {"addressPrefix": "10.30.0.0/24"}}],
        [{"name": "a]b", "properties": {"addressPrefix": "10.30.0.0/24"}}],
         target="properties.subnets[0].name"),
    "virtualNetworks/subnets": rows("is required", PREFIX, GONE, None) +
    rows("", PREFIX, 7, [], "x", "10.20.1.0", "10.20.1.1/24", "10.99.0.0/24", "10.20.1.0/30",
         "2001:db8::/64") +
    rows("an array of one", "properties.addressPrefixes", "x", 7, ["10.20.1.0/24", "10.20.2.0/24"]) +
    rows("an array of one object", "properties.delegations", 7, "x", ["x"], [{}, {}]) +
    rows("", "properties.delegations[0].properties.serviceName", 7, []),
    "virtualNetworks/virtualNetworkPeerings": rows("is required", "properties.remoteVirtualNetwork", GONE,
                                                   None) + PROPERTIES,
    "networkInterfaces": LOCATION + TAGS + rows("is required", IP, GONE, None) +
    rows("an array of objects", IP, 7, "x", {}) + rows("an object", IP, [7], ["x"], target=IP + "[0]") +
    rows("is missing", IP + "[0].name", GONE) + rows("", IP + "[0].name", 7, []) +
    rows("is missing", IP + "[0].properties.subnet", GONE) +
    sum((rows(text, IP, [{"name": "ip", "properties": {
        "subnet": ref("virtualNetworks/hub/subnets/pe"), "privateIPAllocationMethod": "Static", **given}}],
              target=IP + "[0].properties.privateIPAddress") for text, given in (
                  ("give an address", {"privateIPAddress": 7}),
                  ("give an address", {"privateIPAddress": "x"}),
                  ("", {"privateIPAddress": "10.10.0.4"}), ("reserved", {"privateIPAddress": "10.10.4.1"}),
                  ("", {}))), []) +
    rows('"Dynamic" or "Static"', IP + "[0].properties.privateIPAllocationMethod", 7, "Both") +
    rows("", "properties.dnsSettings.internalDnsNameLabel", 7, "a.b", "x" * 64, []),
    "privateEndpoints": LOCATION + TAGS + rows("is required", "properties.subnet", GONE, None),
    "privateEndpoints/privateDnsZoneGroups": rows("is required", CONFIGS, GONE, None) +
    rows("an array of objects", CONFIGS, 7, "x", {}) +
    rows("an object", CONFIGS, [7], ["x"], target=CONFIGS + "[0]") +
    rows("is missing", CONFIGS + "[0].name", GONE) + rows("", CONFIGS + "[0].name", 7, []) +
    rows("is missing", CONFIGS + "[0].properties.privateDnsZoneId", GONE) + rows("", CONFIGS, []),
    "publicIPAddresses": LOCATION + TAGS + rows(OBJECT, "properties.dnsSettings", 7, [], "x") +
    rows('"Dynamic" or "Static"', "properties.publicIPAllocationMethod", 7, "Both", []) +
    rows("", "properties.dnsSettings.domainNameLabel", 7, [], "-", "a b", "A" * 64) +
    rows("", "properties.dnsSettings.reverseFqdn", 7, [], "a..b"),
    "dnsResolvers": LOCATION + TAGS + rows("is required", NETWORK_ID, GONE, None),
    "dnsResolvers/inboundEndpoints": TAGS + rows("an array of one object", IP, 7, "x", {}, ["x"], [{}, {}]) +
    rows("is required", IP, GONE, None, [], target=IP + "[0].subnet") +
    rows("is required", IP + "[0].subnet", GONE, None) +
    rows('"Dynamic" or "Static"', IP + "[0].privateIpAllocationMethod", 7, "Both", []) +
    sum((rows(text, IP,
              [{"subnet": ref("virtualNetworks/hub/subnets/in2"), "privateIpAllocationMethod": "Static",
                **given}],
              target=IP + "[0].privateIpAddress") for text, given in (
                  ("give an address", {"privateIpAddress": 7}),
                  ("give an address", {"privateIpAddress": "x"}),
                  ("", {"privateIpAddress": "10.99.0.4"}), ("reserved", {"privateIpAddress": "10.10.0.33"}),
                  ("", {}))), []),
    "dnsResolvers/outboundEndpoints": TAGS + rows("is required", "properties.subnet", GONE, None),
    "dnsForwardingRulesets": LOCATION + TAGS +
    rows("is required", "properties.dnsResolverOutboundEndpoints", GONE, None),
    "dnsForwardingRulesets/forwardingRules": METADATA +
    rows("is required", "properties.domainName", GONE, None) +
    rows("", "properties.domainName", 7, [], "x y", "fabrikam.corp", "a..b.", "contoso.corp.", "x" * 64 +
         ".corp.") +
    rows("is required", TARGETS, GONE, None) + rows("an array of objects", TARGETS, 7, "x", {}) +
    rows("", TARGETS, []) + rows("an object", TARGETS, [7], ["x"], target=TARGETS + "[0]") +
    rows("is required|is missing", TARGETS, [{}], [{"port": 53}], target=TARGETS + "[0].ipAddress") +
    rows("address", TARGETS + "[0].ipAddress", 7, "x", "10.0.0.1:53", "dns.contoso.com") +
    rows("65535", TARGETS + "[0].port", 0, 65536, "x", -1) +
    rows('"Enabled" or "Disabled"', "properties.forwardingRuleState", 7, "On", [], True) +
    rows("at most 6", TARGETS, [{"ipAddress": "10.0.0.%d" % i} for i in range(1, 8)]),
    "dnsForwardingRulesets/virtualNetworkLinks": METADATA + rows("is required", NETWORK_ID, GONE, None),
    "privateDnsZones": GLOBAL + TAGS,
    "privateDnsZones/virtualNetworkLinks": GLOBAL + TAGS + rows("is required", NETWORK_ID, GONE, None) +
    rows("true or false", "properties.registrationEnabled", "yes", 7, []) +
    rows('"Default" or "NxDomainRedirect"', "properties.resolutionPolicy", "x", 7),
    "privateDnsZones/A": METADATA + TTL +
    records_of("aRecords", {}, {"ipv4Address": (7, "", "10.0.0.1 ; x", "10.0.0.1 10.0.0.2", [])}) +
    rows("give an IPv4 address", "properties.aRecords", [{"ipv4Address": "2001:db8::1"}],
         [{"ipv4Address": "x"}]),
    "privateDnsZones/AAAA": METADATA + TTL + records_of("aaaaRecords", {}, {"ipv6Address": (7, "", [])}) +
    rows("", "properties.aaaaRecords", [{"ipv6Address": "10.0.0.1"}]),
    "privateDnsZones/CNAME": METADATA + TTL + rows("an object", "properties.cnameRecord", 7, "x", []) +
    rows("a domain name", "properties.cnameRecord.cname", 7, "", GONE, []),
    "privateDnsZones/MX": METADATA + TTL + records_of("mxRecords", {}, {
        "preference": ("x", 1.5, [], -1), "exchange": (7, "", "a b", [])}) +
    rows("", "properties.mxRecords", [{"preference": 65536, "exchange": "x"}]),
    "privateDnsZones/PTR": METADATA + TTL + records_of("ptrRecords", {}, {"ptrdname": (7, "", [])}),
    "privateDnsZones/SRV": METADATA + TTL + records_of("srvRecords", {}, {
        "priority": ("x", []), "weight": ("x",), "port": ("x",), "target": (7, "")}),
    "privateDnsZones/TXT": METADATA + TTL + records_of("txtRecords", {}, {"value": (7, "x", [], [7], {})}) +
    rows("at most 255 bytes", "properties.txtRecords", [{"value": ["x" * 256]}]),
    "privateDnsZones/SOA": METADATA + rows("an object", "properties.soaRecord", 7, [], "x") +
    rows("a domain name", "properties.soaRecord.host", 7, GONE) +
    rows("a whole number", "properties.soaRecord.serialNumber", "x", GONE, -1) +
    rows("too large", "properties.soaRecord", {**SOA, "refreshTime": 2 ** 32}),
}


def wrong_ids(place, own, other, child, group=HUB):
    """What is no id of one: `own` is the type, `other` another, and `child` what is below it. All that is not
    an object with an id is named itself."""
    kind = ("the id of one; give /subscriptions/SUBSCRIPTION/resourceGroups/GROUP/providers/"
            "Microsoft.Network/%s/NAME" % own.split("/")[0])
    name = below("%s/r" % own.replace("/", "/none/"))
    return (rows(r'\{"id": "/subscriptions/...', place, 7, "x", [], {}, {"id": 7}, {"id": []}, {"name": "x"},
                 {"id": None}) +
            rows(kind, place, {"id": ""}, {"id": "hub"}, {"id": "/"},
                 {"id": name.replace(S, S.replace("1", "2"))},
                 {"id": name.replace("Microsoft.Network", "Microsoft.Compute")}, {"id": below(other)},
                 {"id": below(child)},
                 {"id": name + "/"  + "x"}, {"id": name.rsplit("/", 1)[0]}, {"id": "x" * 5000}, target=place +
                 ".id") +
            rows(NOT_FOUND, place, {"id": name}, {"id": name.replace("/" + group + "/", "/nowhere/")},
                 target=place + ".id"))


def network_ids(place):
    return wrong_ids(place, "virtualNetworks", "dnsResolvers/r", "virtualNetworks/hub/subnets/in")


WRONG_REFERENCES = {
    "networkInterfaces": wrong_ids(IP + "[0].properties.subnet", "virtualNetworks/subnets", "dnsResolvers/r",
                                   "virtualNetworks/hub"),
    "privateEndpoints": wrong_ids("properties.subnet", "virtualNetworks/subnets", "dnsResolvers/r",
                                  "virtualNetworks/hub"),
    "privateEndpoints/privateDnsZoneGroups": [
        (place, value["id"] if isinstance(value, dict) and isinstance(value.get("id"), str) else value,
         text.replace(r'\{"id": "', 'an id: "'), place) for place, value, text, _ in wrong_ids(
             CONFIGS + "[0].properties.privateDnsZoneId", "privateDnsZones", "dnsResolvers/r",
             "privateDnsZones/corp.internal/A/db") if value != "x" and value != {"id": ""}],
    "dnsResolvers": network_ids(NETWORK_ID),
    "dnsResolvers/inboundEndpoints": wrong_ids(IP + "[0].subnet", "virtualNetworks/subnets", "dnsResolvers/r",
                                               "virtualNetworks/hub") +
    rows("not in the resolver's network; give one of " + below("virtualNetworks/hub"), IP + "[0].subnet",
         {"id": below("virtualNetworks/spoke/subnets/s", SPOKE)}, target=IP + "[0].subnet.id"),
    "dnsResolvers/outboundEndpoints": wrong_ids("properties.subnet", "virtualNetworks/subnets",
                                                "dnsResolvers/r", "virtualNetworks/hub"),
    "dnsForwardingRulesets": wrong_ids("properties.dnsResolverOutboundEndpoints[0]",
                                       "dnsResolvers/outboundEndpoints",
                                       "dnsResolvers/r/inboundEndpoints/in", "dnsResolvers/r") +
    rows("an array of one or two objects with an id", "properties.dnsResolverOutboundEndpoints", 7, "x", {}, []),
    "dnsForwardingRulesets/virtualNetworkLinks": network_ids(NETWORK_ID),
    "privateDnsZones/virtualNetworkLinks": network_ids(NETWORK_ID),
}


def link_to(network):
    return {"location": "global", **properties(virtualNetwork=ref(network))}


def zone(path, body, text, target):
    return below("privateDnsZones/" + path), body, text, target


VNET, ZONE, LINKS = "properties.virtualNetwork", below("privateDnsZones/corp.internal"), below(
    "dnsForwardingRulesets/rs/virtualNetworkLinks/")
RULE = properties(domainName="new.corp.", targetDnsServers=[{"ipAddress": "127.0.0.5"}])
# What does not go with the rest: (path, body, text, target). `elsewhere` is a network in another region.
MISFITS = [
    zone("single", {"location": "global"}, "has 1 label; a private zone has 2 to 34", "name"),
    zone("azure.com", {"location": "global"}, "is reserved for Azure's own services; use a zone below it",
         "name"),
    zone("corp.internal/CNAME/db", properties(ttl=5, cnameRecord={"cname": "x.y"}),
         "^db.corp.internal. has a CNAME beside A data", ""),
    zone("corp.internal/CNAME/@", properties(ttl=5, cnameRecord={"cname": "x.y"}), "a CNAME at the apex", ""),
    zone("corp.internal/A/a..b", properties(ttl=5, aRecords=[]), "does not fit", "name"),
    zone("corp.internal/A/many",
         properties(ttl=5, aRecords=[{"ipv4Address": "10.0.0.%d" % i} for i in range(1, 22)]),
         "^%s: many.corp.internal. A .* at most 20" % ZONE,
         ""),
    zone("corp.internal/virtualNetworkLinks/again", link_to("virtualNetworks/hub"),
         "is linked to this zone twice; keep one link", VNET),
    zone("corp.internal/virtualNetworkLinks/x", {"location": "global", **properties(
        virtualNetwork=ref("virtualNetworks/spoke", SPOKE), resolutionPolicy="NxDomainRedirect")},
         'for zones named privatelink..*; use "Default"', "properties.resolutionPolicy"),
    (below("privateDnsZones/corp.internal/virtualNetworkLinks/other", SPOKE), link_to("virtualNetworks/hub"),
     "is linked to another zone .*, at %s; two zones of one name cannot be seen in one network" % ZONE, VNET),
    (below("virtualNetworks/a%20b"), test_arm_types.network("10.77.0.0/16"), "give a name of 1 to 80 letters",
     "name"),
    (below("virtualNetworks/hub/subnets/in%5Dx"), properties(addressPrefix="10.30.9.0/24"),
     "give a name of 1 to 80 letters", "name"),
    (below("virtualNetworks/hub/subnets/x"), properties(addressPrefix="10.10.0.0/29"), "overlaps",
     "properties.addressPrefix"),
    (below("virtualNetworks/hub/subnets/in"), properties(addressPrefix="10.10.0.0/29"),
     "^%s: .* is 10.10.0.0/29, too small for an endpoint" % below("dnsResolvers/r/inboundEndpoints/in"), IP +
     "[0].subnet"),
    (LINKS + "elsewhere", properties(virtualNetwork=ref("virtualNetworks/elsewhere")),
     "both must be in one region", VNET),
    (LINKS + "again", properties(virtualNetwork=ref("virtualNetworks/hub")), "twice", VNET),
    (below("dnsForwardingRulesets/rs/forwardingRules/late"),
     {"properties": {**RULE["properties"], "domainName": "Contoso.corp."}},
     "is the domain of rule \"contoso\" of this ruleset, too, at %s; keep one" % below(
         "dnsForwardingRulesets/rs/forwardingRules/contoso"),
     "properties.domainName"),
    (below("dnsForwardingRulesets/rs/forwardingRules/7x"), RULE, "does not begin with a letter", "name"),
    (below("dnsResolvers/other"),
     {"location": "westeurope", **properties(virtualNetwork=ref("virtualNetworks/elsewhere"))},
     "both must be in one region", "location"),
    (below("dnsResolvers/other"),
     {"location": "westeurope", **properties(virtualNetwork=ref("virtualNetworks/hub"))},
     "has 2 resolvers, and at most 1 is allowed", VNET),
    (below("dnsResolvers/r/inboundEndpoints/x"), test_arm_types.endpoint_at("in"),
     "holds the endpoint at %s already; give each" % below("dnsResolvers/r/inboundEndpoints/in"), IP +
     "[0].subnet"),
    (below("dnsResolvers/r/inboundEndpoints/a.b"), test_arm_types.endpoint_at("in3"),
     "give a name of 1 to 80 letters", "name"),
    (below("dnsResolvers/r/outboundEndpoints/x"),
     {"location": "westeurope", **properties(subnet=ref("virtualNetworks/hub/subnets/in"))},
     "already; give each", "properties.subnet"),
]
# What cannot change, ever.
FIXED = [
    (below("virtualNetworks/hub"), "location", "eastus", "InvalidResourceLocation",
     "already exists in location 'westeurope'"),
    (below("dnsResolvers/r"), "location", "eastus", "InvalidResourceLocation",
     "already exists in location 'westeurope'"),
    (below("dnsForwardingRulesets/rs"), "location", "East US", "InvalidResourceLocation", "delete it first"),
    (below("dnsResolvers/r"), VNET, ref("virtualNetworks/spoke", SPOKE), "Conflict",
     "cannot change; delete r and create it again"),
    (below("dnsForwardingRulesets/rs/forwardingRules/contoso"), "properties.domainName", "other.corp.",
     "Conflict", "delete contoso"),
    (LINKS + "hub", VNET, ref("virtualNetworks/spoke", SPOKE), "Conflict", "delete hub"),
    (ZONE + "/virtualNetworkLinks/hub", VNET, ref("virtualNetworks/spoke", SPOKE), "Conflict", "delete hub"),
    (below("dnsResolvers/r/outboundEndpoints/out"), "properties.subnet",
     ref("virtualNetworks/hub/subnets/out2"), "Conflict", "delete out"),
]


class Refused(test_arm_types.Everything):
    maxDiff = None

    def build_all(self):
        super().build_all()
        self.arm("PUT", below("virtualNetworks/spoke/subnets/s", SPOKE),
                 properties(addressPrefix="10.20.9.0/24"), 201)

    def bodies(self):
        """(type, path, a good body)"""
        yield from ((type_, path, body) for type_, path, body, _, _ in ROWS)
        yield "privateDnsZones/SOA", below("privateDnsZones/corp.internal/SOA/@"), properties(
            ttl=3600, soaRecord=SOA)

    def what_is_wrong(self, answer, text, target):
        """What does not hold of a refusal, in words; "": all is well."""
        if not 400 <= answer.status < 500:
            return "it is no 4xx"
        error = answer.body["error"]
        if (error["target"] or "") != target:
            return "the target is not " + target
        if not error["message"] or not error["code"]:
            return "it says nothing"
        if OURS.search(error["message"]):
            return "it is in words of the configuration file"
        if not re.search(text, error["message"]):
            return "it does not say /%s/" % text
        return ""

    def refuse_all(self, table):
        self.build_all()
        failed = []
        for type_, path, body in self.bodies():
            revision = self.revision()
            for place, value, text, target in table.get(type_, ()):
                answer = self.arm("PUT", path, json.dumps(with_value(body, place, value)))
                wrong = self.what_is_wrong(answer, text, target)
                if self.revision() != revision:
                    wrong += "; it has changed something"
                    revision = self.revision()
                if wrong:
                    failed.append(
                        "%s %s %s: %s\n    %s" % (type_, place, "GONE" if value is GONE
                                                  else json.dumps(value)[:100], wrong, str(answer)[:600]))
        self.assertFalse(failed, "\n".join(failed))

    def test_a_malformed_body_is_refused_and_changes_nothing(self):
        self.refuse_all({type_: BODY + PROPERTIES + own for type_, own in MALFORMED.items()})

    def test_a_wrong_reference_is_refused_and_changes_nothing(self):
        self.refuse_all(WRONG_REFERENCES)

    def test_what_does_not_go_with_the_rest_is_refused_and_changes_nothing(self):
        self.build_all()
        self.arm("PUT", below("virtualNetworks/elsewhere"), {"location": "eastus", "properties": {
            "addressSpace": {"addressPrefixes": ["10.78.0.0/16"]}}}, 201)
        self.arm("PUT", below("privateDnsZones/corp.internal", SPOKE), {"location": "global"}, 201)
        revision = self.revision()
        wrong = {}
        for path, body, text, target in MISFITS:
            answer = self.arm("PUT", path, body)
            wrong[path] = self.what_is_wrong(answer, text, target) and (
                self.what_is_wrong(answer, text, target), str(answer))
        self.assertEqual({}, {path: why for path, why in wrong.items() if why})
        self.assertEqual(revision, self.revision())

    def test_what_cannot_change_is_a_conflict_and_what_it_is_already_is_none(self):
        self.build_all()
        revision = self.revision()
        for path, place, value, code, text in FIXED:
            shown = self.arm("GET", path, status=200).body
            for method in ("PUT", "PATCH"):
                self.refused(409, code, text, method, path, with_value(shown, place, value), place)
        for path, place, value in (
                (below("virtualNetworks/hub"), "location", "West Europe"), (below("dnsResolvers/r"), VNET, {
                    "id": below("virtualNetworks/hub").upper()}),
                (below("dnsForwardingRulesets/rs/forwardingRules/contoso"), "properties.domainName",
                 "CONTOSO.corp")):
            self.arm("PUT", path, with_value(self.arm("GET", path).body, place, value), 200)
        self.assertEqual(revision, self.revision())

    def test_all_that_is_wrong_comes_at_once(self):
        self.build_all()
        several = set()
        for type_, path, body in self.bodies():
            self.arm("DELETE", path)
            revision = self.revision()
            for code in ("InvalidRequestContent", "BadRequest"):
                whole, wrong = body, {}
                for place, value, _, _ in MALFORMED[type_] + WRONG_REFERENCES.get(type_, []):
                    alone = self.arm("PUT", path,
                                     json.dumps(with_value(body, place, value))).body.get("error", {})
                    near = [other for other in wrong if other.startswith(place) or place.startswith(other)]
                    # Whether it goes with the rest is looked at when all of it fits, and what is inside when
                    # what it is inside of does.
                    is_form = code == "InvalidRequestContent" or (
                        re.search(r"(is an? [a-z ]+|does not fit); give ", alone.get("message", "")) and
                        not place.startswith("properties.subnets"))
                    if alone.get("code") == code and is_form and not near and value is not GONE:
                        whole, wrong[place] = with_value(whole, place, value), alone["details"] or [alone]
                if len(wrong) < 2:
                    continue
                several.add((type_, code))
                alone = {each["target"]: each["message"] for each in sum(wrong.values(), [])}
                error = self.refused(400, code, r"\(and %d more\)$" % (len(alone) - 1), "PUT", path,
                                     json.dumps(whole))
                self.assertEqual(alone, {each["target"]: each["message"] for each in error["details"]}, type_)
                self.assertEqual({code}, {each["code"] for each in error["details"]})
            self.assertEqual(revision, self.revision())
        self.assertGreater(len(several), len(ROWS))

    def test_the_table_has_a_dozen_of_each(self):
        for type_ in [row[0] for row in ROWS] + ["privateDnsZones/SOA"]:
            self.assertGreaterEqual(len(BODY + PROPERTIES + MALFORMED[type_]), 12, type_)
        for type_, wrong in WRONG_REFERENCES.items():
            self.assertGreaterEqual(len(wrong), 12, type_)


if __name__ == "__main__":
    harness.main()
