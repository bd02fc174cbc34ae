"""A hub and a spoke as Azure's documents draw them, made from nothing by one of Azure's clients, asked
about after each step, and taken down again; what each client's test shares.

    hub-rg                                            spoke-rg
    hub 10.10.0.0/16 ◄─────── peerings ─────────────► spoke 10.20.0.0/16
      inbound 10.10.0.0/28   10.10.0.4 ◄── office       workload 10.20.1.0/24   vm-nic
      outbound 10.10.0.16/28 10.10.0.20 ──► office      endpoints 10.20.2.0/24  data-endpoint
    onprem: corp.contoso.com. ──────── link ────────► spoke
    contoso.internal ──── links ────► hub, spoke      privatelink.blob.core.windows.net ── links ──► both

The configuration has nothing of that: only where machines ask (168.63.129.16, as in Azure), who answers
everything else, and the management API. An inbound endpoint listens at its own address, and an outbound
one asks from its own, which the server's machine has."""

import contextlib
import http.client
import itertools
import json
import ssl
import struct
import urllib.parse

import azure_world
import dns
import harness
from azure_world import GROUPS, HERE, OPS, SUBSCRIPTION, URL

LOCATION = "westeurope"
SUBSCRIPTION_PATH = "/subscriptions/" + SUBSCRIPTION
VNET, INBOUND, OUTBOUND = "168.63.129.16", "10.10.0.4", "10.10.0.20"
OFFICE, INTERNET = "192.168.0.53", "192.0.2.53"
OF_OFFICE, OUTSIDE = "192.168.10.20", "203.0.113.1"  # the A records that these two have
CONFIG = """
subscription = "%s";
region = "%s";
workers = 2;
management = { socket = "control.sock"; state = "state.db"; listen = [ "%s" ];
  certificate = "tls.pem"; key = "tls.key";
  clients = ( { id = "ops"; secret_file = "ops.secret"; role = "admin"; },
              { id = "eye"; secret_file = "eye.secret"; role = "reader"; } ); };
vnet_resolver = { listen = [ "%s" ]; };
default_resolver = { targets = ( { address = "%s"; } ); };
""" % (SUBSCRIPTION, LOCATION, URL, VNET, INTERNET)
DELEGATED = [{"name": "dns", "properties": {"serviceName": "Microsoft.Network/dnsResolvers"}}]
STORAGE = GROUPS + "spoke-rg/providers/Microsoft.Storage/storageAccounts/contosodata"
# Of an error's code.
STATUS = {"CannotDeleteResource": 409, "Conflict": 409, "InUseSubnetCannotBeDeleted": 400}


class Thing:
    """A resource: its type below Microsoft.Network, its group, its names, and what its PUT sends."""

    def __init__(self, kind, group, *names, location=LOCATION, **properties):
        self.kind, self.group, self.names = kind, group, names
        self.id = "%s%s/providers/Microsoft.Network%s" % (
            GROUPS, group, "".join("/%s/%s" % pair for pair in zip(kind.split("/"), names)))
        self.body = {"properties": properties}
        if location:
            self.body["location"] = location

    @property
    def name(self):
        return self.names[-1]

    @property
    def ref(self):
        return {"id": self.id}

    @property
    def api_version(self):
        return "2020-06-01" if self.kind.startswith("privateDnsZones") else "2022-07-01"

    def __repr__(self):
        return "%s %s" % (self.kind, "/".join(self.names))


def network(group, name, space, *subnets):
    return Thing("virtualNetworks", group, name, addressSpace={"addressPrefixes": [space]}, subnets=[
        {"name": subnet, "properties": {"addressPrefix": prefix}} for subnet, prefix in subnets])


def subnet(of, name, prefix, **more):
    return Thing("virtualNetworks/subnets", of.group, of.name, name, location=None, addressPrefix=prefix, **more)


def peering(of, name, remote):
    return Thing("virtualNetworks/virtualNetworkPeerings", of.group, of.name, name, location=None,
                 remoteVirtualNetwork=remote.ref, allowVirtualNetworkAccess=True)


def zone_link(of, name, to, registers=False):
    return Thing("privateDnsZones/virtualNetworkLinks", of.group, of.name, name, location="global",
                 virtualNetwork=to.ref, registrationEnabled=registers)


def record_set(of, rtype, name, **properties):
    return Thing("privateDnsZones/" + rtype, of.group, of.name, name, location=None, ttl=300, **properties)


HUB = network("hub-rg", "hub", "10.10.0.0/16")
SUBNETS = IN, OUT, JOBS = [
    subnet(HUB, "inbound", "10.10.0.0/28", delegations=DELEGATED),
    subnet(HUB, "outbound", "10.10.0.16/28", delegations=DELEGATED), subnet(HUB, "workload", "10.10.1.0/24")]
SPOKE = network("spoke-rg", "spoke", "10.20.0.0/16", ("workload", "10.20.1.0/24"), ("endpoints", "10.20.2.0/24"))
WORKLOAD, ENDPOINTS = subnet(SPOKE, "workload", "10.20.1.0/24"), subnet(SPOKE, "endpoints", "10.20.2.0/24")
PEERINGS = [peering(HUB, "hub-to-spoke", SPOKE), peering(SPOKE, "spoke-to-hub", HUB)]
RESOLVER = Thing("dnsResolvers", "hub-rg", "hub-resolver", virtualNetwork=HUB.ref)
IN_ENDPOINT = Thing("dnsResolvers/inboundEndpoints", "hub-rg", "hub-resolver", "in", ipConfigurations=[
    {"privateIpAllocationMethod": "Dynamic", "subnet": IN.ref}])
OUT_ENDPOINT = Thing("dnsResolvers/outboundEndpoints", "hub-rg", "hub-resolver", "out", subnet=OUT.ref)
RULESET = Thing("dnsForwardingRulesets", "hub-rg", "onprem", dnsResolverOutboundEndpoints=[OUT_ENDPOINT.ref])
RULE = Thing("dnsForwardingRulesets/forwardingRules", "hub-rg", "onprem", "corp", location=None,
             domainName="corp.contoso.com.", forwardingRuleState="Enabled",
             targetDnsServers=[{"ipAddress": OFFICE, "port": 53}])
RULESET_LINK = Thing("dnsForwardingRulesets/virtualNetworkLinks", "hub-rg", "onprem", "spoke", location=None,
                     virtualNetwork=SPOKE.ref)
ZONE = Thing("privateDnsZones", "hub-rg", "contoso.internal", location="global")
HUB_LINK, SPOKE_LINK = zone_link(ZONE, "hub", HUB), zone_link(ZONE, "spoke", SPOKE, registers=True)
WEB = record_set(ZONE, "A", "web", aRecords=[{"ipv4Address": "10.10.1.10"}])
WWW = record_set(ZONE, "CNAME", "www", cnameRecord={"cname": "web.contoso.internal"})
NIC = Thing("networkInterfaces", "spoke-rg", "vm-nic", ipConfigurations=[
    {"name": "one", "properties": {"subnet": WORKLOAD.ref, "privateIPAllocationMethod": "Dynamic"}}])
LINKED = Thing("privateDnsZones", "spoke-rg", "privatelink.blob.core.windows.net", location="global")
LINKED_LINKS = [zone_link(LINKED, "spoke", SPOKE), zone_link(LINKED, "hub", HUB)]
ENDPOINT = Thing("privateEndpoints", "spoke-rg", "data-endpoint", subnet=ENDPOINTS.ref, privateLinkServiceConnections=[
    {"name": "data", "properties": {"privateLinkServiceId": STORAGE, "groupIds": ["blob"]}}])
ZONE_GROUP = Thing("privateEndpoints/privateDnsZoneGroups", "spoke-rg", "data-endpoint", "default", location=None,
                   privateDnsZoneConfigs=[{"name": "blob", "properties": {"privateDnsZoneId": LINKED.id}}])
BLOB = "contosodata." + LINKED.name
# What is still needed, and the codes with which its removal may be refused.
IN_USE, NESTED = ("InUseSubnetCannotBeDeleted",), ("CannotDeleteResource",)
NEEDED = [(HUB, IN_USE + NESTED), (SPOKE, IN_USE + NESTED), (IN, IN_USE), (OUT, IN_USE), (WORKLOAD, IN_USE),
          (ENDPOINTS, IN_USE), (RESOLVER, NESTED), (OUT_ENDPOINT, NESTED + ("Conflict",)), (RULESET, NESTED),
          (ZONE, NESTED), (LINKED, NESTED)]


def flat(value):
    """As the SDKs for Python and JavaScript show it: without `properties`, however deep."""
    if isinstance(value, list):
        return [flat(each) for each in value]
    if not isinstance(value, dict):
        return value
    inner = value.get("properties")
    if isinstance(inner, dict):
        value = dict({key: each for key, each in value.items() if key != "properties"}, **inner)
    return {key: flat(each) for key, each in value.items()}


def srv(priority, weight, port, target):
    """A SRV's rdata, as dns.py shows it."""
    return (struct.pack(">3H", priority, weight, port) + dns.wire_name(target)).hex()


class Arm:
    """The management API, asked by plain HTTP, as ops."""

    def __init__(self, host, certificate):
        self.host, self.trust, self.token = host, ssl.create_default_context(cafile=certificate), None

    def send(self, method, path, text=None, kind=None, **headers):
        """(status, headers, the body as JSON or None)"""
        with self.host.inside():
            connection = http.client.HTTPSConnection(HERE, 8443, timeout=dns.PATIENCE, context=self.trust)
            with contextlib.closing(connection):
                if self.token:
                    headers["Authorization"] = "Bearer " + self.token
                connection.request(method, path, text, dict(headers, **({"Content-Type": kind} if kind else {})))
                response = connection.getresponse()
                body = response.read()
        return response.status, response.headers, json.loads(body) if body.strip() else None

    def log_in(self, path="/adfs/oauth2/token", scope=URL + "/.default"):
        form = urllib.parse.urlencode({"grant_type": "client_credentials", "client_id": "ops", "client_secret": OPS,
                                       "scope": scope})
        status, _, body = self.send("POST", path, form, "application/x-www-form-urlencoded")
        if status != 200:
            raise AssertionError("no token: %d %s" % (status, body))
        self.token = body["access_token"]

    def call(self, method, path, body=None, version="2022-07-01", **headers):
        """(status, the body as JSON or None)"""
        if not self.token:
            self.log_in()
        text = None if body is None else json.dumps(body)
        path += ("&" if "?" in path else "?") + "api-version=" + version
        status, _, answer = self.send(method, path, text, text and "application/json", **headers)
        return status, answer


class Topology(azure_world.Azure):
    """A client's test has make, remove, change and refusal; then this builds, checks and takes down."""

    config, server = CONFIG, (VNET, 53)
    numbers = itertools.count()

    @classmethod
    def machines(cls, world):
        cls.host = world.host("cloud", VNET, INBOUND, OUTBOUND)
        cls.office, cls.internet = world.host("office", OFFICE), world.host("internet", INTERNET)
        cls.of_office = harness.Upstream(cls.office, OFFICE, OF_OFFICE)
        cls.outside = harness.Upstream(cls.internet, INTERNET, OUTSIDE)
        cls.hub_vm, cls.spoke_vm = world.host("hub-vm", "10.10.1.10"), world.host("spoke-vm", "10.20.1.4")

    @classmethod
    def build(cls, world):
        super().build(world)
        cls.arm = Arm(cls.host, cls.certificate)

    # ---- what a client does

    def make_group(self, name):
        raise NotImplementedError

    def remove_group(self, name):
        raise NotImplementedError

    def make(self, thing):
        """What the client gives of it, flat."""
        raise NotImplementedError

    def change(self, thing, **properties):
        """Nothing but these."""
        raise NotImplementedError

    def remove(self, thing):
        """There or not."""
        raise NotImplementedError

    def refusal(self, thing):
        """What the client says when the removal is refused, with the code in it."""
        raise NotImplementedError

    # ---- what is there

    def get(self, thing):
        status, body = self.arm.call("GET", thing.id if isinstance(thing, Thing) else thing)
        self.assertEqual(200, status, "%s: %s" % (thing, body))
        return body

    def is_gone(self, thing):
        self.assertEqual(404, self.arm.call("GET", thing.id)[0], thing)

    def makes(self, thing):
        """The resource that was made."""
        made = self.make(thing)
        self.assertEqual((thing.name.lower(), thing.id.lower()), (made["name"].lower(), made["id"].lower()), made)
        shown = self.get(thing)
        self.assertEqual("Microsoft.Network/" + thing.kind, shown["type"])
        if thing.kind not in ("privateDnsZones/A", "privateDnsZones/CNAME"):
            self.assertEqual("Succeeded", shown["properties"]["provisioningState"])
        self.assertEqual(thing.body.get("location"), shown.get("location"), shown)
        return shown["properties"]

    def removes(self, *things):
        for thing in things:
            self.remove(thing)
            self.is_gone(thing)

    # ---- what DNS says

    def answers(self, machine, name, *texts, server=VNET, rtype="A", rcode="NOERROR"):
        message = machine.ask(server, name, rtype)
        self.assertIsNotNone(message, name)
        self.assertEqual((rcode, sorted(texts)), (message.rcode, sorted(message.texts(rtype))), message)
        return message

    def below(self, machine, domain, *texts, **how):
        """The same of a name that nobody has asked for; that name."""
        name = "n%d.%s" % (next(self.numbers), domain)
        self.answers(machine, name, *texts, **how)
        return name

    def office_answers(self, machine):
        """As asked by the outbound endpoint."""
        name = self.below(machine, RULE.body["properties"]["domainName"], OF_OFFICE)
        self.assertEqual({OUTBOUND}, {each["from"] for each in self.of_office.questions(name)})

    def all_answers(self):
        for machine, server in ((self.hub_vm, VNET), (self.spoke_vm, VNET), (self.office, INBOUND)):
            self.below(machine, "example.com", OUTSIDE, server=server)
            self.answers(machine, "web.contoso.internal", "10.10.1.10", server=server)
            self.below(machine, "contoso.internal", rcode="NXDOMAIN", server=server)
            self.answers(machine, BLOB, "10.20.2.4", server=server)
        self.office_answers(self.spoke_vm)
        self.below(self.hub_vm, "corp.contoso.com", OUTSIDE)

    # ---- step by step

    def make_networks(self):
        for machine in (self.hub_vm, self.spoke_vm):
            self.below(machine, "example.com", rcode="REFUSED")
        for group in ("hub-rg", "spoke-rg"):
            self.make_group(group)
        self.makes(HUB)
        self.below(self.hub_vm, "example.com", OUTSIDE)
        self.below(self.spoke_vm, "example.com", rcode="REFUSED")
        for each in SUBNETS:
            made = self.makes(each)
            services = [one["properties"]["serviceName"] for one in made["delegations"]]
            self.assertEqual([] if each is JOBS else ["Microsoft.Network/dnsResolvers"], services)
        self.makes(SPOKE)
        self.below(self.spoke_vm, "example.com", OUTSIDE)
        for each, names in ((HUB, {"inbound", "outbound", "workload"}), (SPOKE, {"workload", "endpoints"})):
            shown = self.get(each)["properties"]["subnets"]
            self.assertEqual({"%s/subnets/%s" % (each.id, name) for name in names}, {one["id"] for one in shown})
        for each in PEERINGS:
            self.assertEqual(each.body["properties"]["remoteVirtualNetwork"], self.makes(each)["remoteVirtualNetwork"])
        self.assertEqual([PEERINGS[0].name], [one["name"] for one in self.get(HUB)["properties"]["virtualNetworkPeerings"]])

    def make_resolver(self):
        self.assert_refused(self.office, (INBOUND, 53))
        self.assertEqual("Connected", self.makes(RESOLVER)["dnsResolverState"])
        self.assertEqual([INBOUND], [each["privateIpAddress"] for each in self.makes(IN_ENDPOINT)["ipConfigurations"]])
        self.below(self.office, "example.com", OUTSIDE, server=INBOUND)
        self.makes(OUT_ENDPOINT)

    def make_ruleset(self):
        self.makes(RULESET)
        self.assertEqual("Enabled", self.makes(RULE)["forwardingRuleState"])
        self.below(self.spoke_vm, "corp.contoso.com", OUTSIDE)
        self.makes(RULESET_LINK)
        self.office_answers(self.spoke_vm)
        self.below(self.hub_vm, "corp.contoso.com", OUTSIDE)
        self.change(RULE, forwardingRuleState="Disabled")
        self.below(self.spoke_vm, "corp.contoso.com", OUTSIDE)
        self.change(RULE, forwardingRuleState="Enabled")
        self.office_answers(self.spoke_vm)

    def make_zone(self):
        self.makes(ZONE)
        self.below(self.hub_vm, "contoso.internal", OUTSIDE)
        self.makes(HUB_LINK)
        self.below(self.hub_vm, "contoso.internal", rcode="NXDOMAIN")
        self.assertEqual("web.contoso.internal.", self.makes(WEB)["fqdn"])
        self.answers(self.hub_vm, "web.contoso.internal", "10.10.1.10")
        self.answers(self.office, "web.contoso.internal", "10.10.1.10", server=INBOUND)
        self.below(self.spoke_vm, "contoso.internal", OUTSIDE)
        self.assertEqual((True, "Completed"), tuple(map(
            self.makes(SPOKE_LINK).get, ("registrationEnabled", "virtualNetworkLinkState"))))
        self.answers(self.spoke_vm, "web.contoso.internal", "10.10.1.10")
        self.makes(WWW)
        self.answers(self.spoke_vm, "www.contoso.internal", "10.10.1.10")
        self.change(WEB, aRecords=[{"ipv4Address": "10.10.1.11"}])
        self.answers(self.spoke_vm, "www.contoso.internal", "10.10.1.11")
        self.change(WEB, aRecords=[{"ipv4Address": "10.10.1.10"}])
        counted = self.get(ZONE)["properties"]
        self.assertEqual((2, 1), (counted["numberOfVirtualNetworkLinks"], counted["numberOfVirtualNetworkLinksWithRegistration"]))
        self.assertGreaterEqual(counted["numberOfRecordSets"], 3)  # with the SOA
        self.assertIn("serialNumber", self.get(ZONE.id + "/SOA/@")["properties"]["soaRecord"])

    def make_private_endpoint(self):
        self.assertEqual(["10.20.1.4"], [one["privateIPAddress"] for one in flat(self.makes(NIC))["ipConfigurations"]])
        self.makes(LINKED)
        for each in LINKED_LINKS:
            self.makes(each)
        self.answers(self.spoke_vm, BLOB, rcode="NXDOMAIN")
        made = self.makes(ENDPOINT)
        self.assertEqual("Approved", flat(made)["privateLinkServiceConnections"][0]["privateLinkServiceConnectionState"]["status"])
        [its_nic] = made["networkInterfaces"]
        self.assertEqual(["10.20.2.4"], [one["privateIPAddress"] for one in flat(self.get(its_nic["id"]))["ipConfigurations"]])
        [config] = flat(self.makes(ZONE_GROUP))["privateDnsZoneConfigs"]
        self.assertEqual([("A", "contosodata", BLOB, 10, ["10.20.2.4"])], [tuple(map(
            each.get, ("recordType", "recordSetName", "fqdn", "ttl", "ipAddresses"))) for each in config["recordSets"]])
        for machine, server in ((self.spoke_vm, VNET), (self.hub_vm, VNET), (self.office, INBOUND)):
            self.assertEqual(10, self.answers(machine, BLOB, "10.20.2.4", server=server).answer[0].ttl)
        return its_nic["id"]

    def refuse_the_wrong_order(self):
        for thing, codes in NEEDED:
            before, text = self.get(thing), self.refusal(thing)
            self.assertTrue([code for code in codes if code in text], "%s: none of %s in %s" % (thing, codes, text))
            self.assertEqual(before, self.get(thing))
        self.all_answers()

    def take_down(self, its_nic):
        self.removes(ZONE_GROUP)
        self.answers(self.spoke_vm, BLOB, rcode="NXDOMAIN")
        self.removes(ENDPOINT)
        self.assertEqual(404, self.arm.call("GET", its_nic)[0])
        self.removes(NIC, *LINKED_LINKS, LINKED)
        self.below(self.spoke_vm, LINKED.name, OUTSIDE)
        self.removes(SPOKE_LINK)
        self.below(self.spoke_vm, "contoso.internal", OUTSIDE)
        self.answers(self.hub_vm, "www.contoso.internal", "10.10.1.10")
        self.removes(WWW, WEB)
        self.answers(self.hub_vm, "web.contoso.internal", rcode="NXDOMAIN")
        self.removes(HUB_LINK, ZONE)
        self.below(self.hub_vm, "contoso.internal", OUTSIDE)
        self.removes(RULESET_LINK)
        self.below(self.spoke_vm, "corp.contoso.com", OUTSIDE)
        self.removes(RULE, RULESET, OUT_ENDPOINT)
        self.below(self.office, "example.com", OUTSIDE, server=INBOUND)
        self.removes(IN_ENDPOINT)
        self.assert_refused(self.office, (INBOUND, 53))
        self.removes(RESOLVER, *SUBNETS, *PEERINGS, SPOKE)
        self.below(self.spoke_vm, "example.com", rcode="REFUSED")
        self.below(self.hub_vm, "example.com", OUTSIDE)
        self.removes(HUB)
        self.below(self.hub_vm, "example.com", rcode="REFUSED")
        self.remove(HUB)  # which is gone
        self.assertEqual([], self.get(SUBSCRIPTION_PATH + "/resources")["value"])
        for group in ("hub-rg", "spoke-rg"):
            self.remove_group(group)
            self.assertEqual(404, self.arm.call("GET", GROUPS + group)[0])

    def build_all(self):
        """The id of the private endpoint's NIC."""
        self.make_networks()
        self.make_resolver()
        self.make_ruleset()
        self.make_zone()
        return self.make_private_endpoint()

    def build_and_take_down(self):
        its_nic = self.build_all()
        self.all_answers()
        self.restart()
        self.all_answers()
        self.refuse_the_wrong_order()
        self.take_down(its_nic)
