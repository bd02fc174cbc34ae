"""Requests to Azure's API for the items of plain.py, and their results as edits of /v1.
It shares no line with the program either, and is made for the values that test_random.py draws.

    Request(draw, method, path, values)   a request that says what a call of /v1 would
    request.url, .body                    how it is sent
    request.edits(answer)                 what it does to the model; raises Refused

A PUT makes a resource as its body says, but for what Azure has no member for (`listen`, `client_prefixes`,
a rule's description): that stays as it is."""

import collections
import copy
import json
import uuid

import plain
from plain import DELEGATION, INSIDE, REGION, Refused, group_in, is_top, kind_of, name_of, parent_of

GROUPS = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/"
ACCOUNT = GROUPS + "data/providers/Microsoft.Storage/storageAccounts/"
CONNECTIONS = "privateLinkServiceConnections"
IDS = uuid.UUID("3d0b5c4e-8a71-4f0d-9b26-5e17c290d864")  # the namespace of ids that sluice derives
OURS = "NxDomainFallthrough"  # a link's resolution_policy that Azure does not have, and is shown as Default
RECORD_TTL = 10  # of those that a private endpoint's zone group makes

# `at`: where the body has the value of the key; `form`: how it differs there; `usual`: the value of a key
# that is missing; `fixed`: it stays as it was when the resource was made.
Member = collections.namedtuple("Member", "at key form usual required fixed",
                                defaults=[None, None, False, False])
LOCATION = Member("location", "region", None, REGION, True, True)
TAGS = Member("tags", "tags")
NETWORK = Member("properties.virtualNetwork", "virtual_network", "id", None, True, True)
SUBNET = Member("properties.subnet", "subnet", "id", None, True, True)
TTL = Member("properties.ttl", "ttl", None, 3600)
TYPES = {  # of a kind and a child, or a record set's type
    ("groups", None): ("", LOCATION, TAGS),
    ("virtual_networks", None): (
        "virtualNetworks", LOCATION, TAGS,
        Member("properties.addressSpace.addressPrefixes", "address_space", required=True),
        Member("properties.dhcpOptions.dnsServers", "dns_servers", "hosts"),
        Member("properties.encryption.enabled", "encryption", None, False)),
    ("virtual_networks", "subnets"): (
        "subnets", Member("properties.addressPrefix", "prefix", required=True),
        Member("properties.delegations.0.properties.serviceName", "delegation")),
    ("virtual_networks", "peerings"): (
        "virtualNetworkPeerings",
        Member("properties.remoteVirtualNetwork", "remoteVirtualNetwork", "kept", required=True)),
    ("network_interfaces", None): (
        "networkInterfaces", LOCATION, TAGS,
        Member("properties.ipConfigurations", "ip_configurations", "configurations", required=True)),
    ("private_endpoints", None): (
        "privateEndpoints", LOCATION, TAGS, SUBNET, Member(
            "properties." + CONNECTIONS, CONNECTIONS, "kept", required=True)),
    ("private_endpoints", "zone_groups"): (
        "privateDnsZoneGroups", Member("properties.privateDnsZoneConfigs", "zones", "zones", required=True)),
    ("addresses", None): ("publicIPAddresses", LOCATION, TAGS,
                          Member("properties.dnsSettings.domainNameLabel", "domain_name_label"),
                          Member("properties.dnsSettings.reverseFqdn", "reverse_fqdn", "reverse")),
    ("resolvers", None): ("dnsResolvers", LOCATION, TAGS, NETWORK),
    ("resolvers", "inbound_endpoints"): (
        "inboundEndpoints",
        Member("properties.ipConfigurations.0.subnet", "subnet", "of network", required=True),
        Member("properties.ipConfigurations.0.privateIpAllocationMethod", "allocation", "word", "dynamic"),
        Member("properties.ipConfigurations.0.privateIpAddress", "address")),
    ("resolvers", "outbound_endpoints"): (
        "outboundEndpoints", Member("properties.subnet", "subnet", "of network", None, True, True)),
    ("rulesets", None): ("dnsForwardingRulesets", LOCATION, TAGS, Member(
        "properties.dnsResolverOutboundEndpoints", "outbound_endpoints", "ids", required=True)),
    ("rulesets", "rules"): (
        "forwardingRules", Member("properties.domainName", "domain", required=True, fixed=True),
        Member("properties.targetDnsServers", "targets", "targets", required=True),
        Member("properties.forwardingRuleState", "state", "word", "Enabled")),
    ("rulesets", "links"): ("virtualNetworkLinks", NETWORK),
    ("private_zones", None): ("privateDnsZones", TAGS),
    ("private_zones", "links"): (
        "virtualNetworkLinks", TAGS, NETWORK,
        Member("properties.registrationEnabled", "registration", None, False),
        Member("properties.resolutionPolicy", "resolution_policy", "word", "Default")),
    "a": ("A", TTL, Member("properties.aRecords", "records", "ipv4Address")),
    "aaaa": ("AAAA", TTL, Member("properties.aaaaRecords", "records", "ipv6Address")),
    "cname": ("CNAME", TTL, Member("properties.cnameRecord", "records", "cname")),
    "txt": ("TXT", TTL, Member("properties.txtRecords", "records", "value"))}
HOLDING = ("links", "inbound_endpoints", "outbound_endpoints")  # the items around these stay as long as they do


def type_of(path):
    kind, child = kind_of(path)
    return TYPES.get(name_of(path).rsplit(":", 1)[1] if child == "record_sets" else (kind, child))


def has_type(path):
    return type_of(path) is not None


def members(path):
    return type_of(path)[1:]


def url_of(path):
    kind, group, name, *inside = path.split("/")
    if kind == "groups":
        return GROUPS + name
    top = "%s%s/providers/Microsoft.Network/%s/%s" % (GROUPS, group, TYPES[kind, None][0], name)
    return "%s/%s/%s" % (top, type_of(path)[0], name_of(path).rsplit(":", 1)[0]) if inside else top


def put(body, at, value):
    """0 is the place in an array of one."""
    first, _, rest = at.partition(".")
    if rest.startswith("0."):
        put(body.setdefault(first, [{}])[0], rest[2:], value)
    elif rest:
        put(body.setdefault(first, {}), rest, value)
    else:
        body[first] = value


def kept(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def service_of(values):
    """The target of a private endpoint with these values; "": none."""
    connections = json.loads(values.get("azure", {}).get(CONNECTIONS, "[]"))
    return connections[0]["properties"]["privateLinkServiceId"].rsplit("/", 1)[1] if connections else ""


def address_of(model, endpoint):
    """The address that the records of a private endpoint have; None: it has no interface or no target."""
    values = model.stored[endpoint]
    interface = model.stored.get("network_interfaces/%s/%s" % (group_in(endpoint), values.get("network_interface")))
    has_record = interface and interface["ip_configurations"] and service_of(values)
    return interface["ip_configurations"][0]["address"] if has_record else None


def lacks_records(model, path):
    """Whether a record of this zone group is missing, so that a PUT of the group restores it."""
    if kind_of(path) != ("private_endpoints", "zone_groups"):
        return False
    endpoint = parent_of(path)
    address, name = address_of(model, endpoint), service_of(model.stored[endpoint])
    zones = [one["zone"].lower() for one in model.stored[path]["zones"]]
    sets = model.stored
    return bool(address) and any(
        address not in sets.get("private_zones/%s/record_sets/%s:a" % (zone, name), {}).get("records", []) for zone in zones)


class Request:
    def __init__(self, draw, method, path, values):
        self.draw, self.model, self.method = draw, draw.world.model, method
        if path.startswith("private_endpoints/"):
            path = path.replace("/e2", "/e3")  # which only sluice makes, so it has an interface and records
        self.at, _ = self.model.written(path, None)
        kind, group, *names = path.split("/")
        self.path = "/".join([kind, group_in(self.at) if group == "*" else group] + names)
        self.merges, self.subnets, self.given = method == "PATCH", None, {}
        self.url, self.body = url_of(self.path), None
        if method != "DELETE":
            self.give(values)
            self.body = self.body_of(self.at, self.given)
            if kind == "private_zones" and not name_of(path).count(":"):
                self.body["location"] = "global"
            if self.subnets is not None:
                put(self.body, "properties.subnets", [dict(
                    self.body_of(at, given), name=name_of(at)) for at, given in self.subnets.items()])

    # ---- what it says ----

    def give(self, values):
        """The values that have a member in Azure, and the other members of such a body."""
        draw, (kind, child) = self.draw, kind_of(self.at)
        for member in members(self.at):
            usual = member.usual if member in (LOCATION, TTL) else None
            if values.get(member.key, usual) is not None:
                self.given[member.key] = copy.deepcopy(values.get(member.key, usual))
        if self.given.get("resolution_policy") == OURS:
            self.given["resolution_policy"] = "Default"
        if child == "peerings":
            self.given["remoteVirtualNetwork"] = {"id": url_of("virtual_networks/-/" + draw.one("n1", "n2"))}
        if (kind, child) == ("private_endpoints", None):
            account = ACCOUNT + draw.one("acct", "acct", "acct", "b")
            self.given[CONNECTIONS] = [{"name": "c", "properties": {
                "groupIds": ["blob"], "privateLinkServiceId": account}}]
        if kind == "resolvers" and child and "subnet" not in self.given:
            self.given["subnet"] = draw.one("s1", "s2", "s3")
        if child == "inbound_endpoints" and draw.rarely(0.3):
            self.given.update(allocation="static", address=self.address_in(self.given["subnet"]))
        if child == "record_sets" and name_of(self.at).endswith(":cname") and "records" in self.given:
            del self.given["records"][1:]
        for one in self.given.get("ip_configurations", []):
            one["allocation"] = draw.one("static", "static", "dynamic")
            if one["allocation"] == "dynamic":
                del one["address"]
        if (kind, child) == ("virtual_networks", None) and name_of(self.at) != "filed" and draw.rarely(0.3):
            self.subnets = self.some_subnets()
        if self.merges:
            self.given = {key: value for key, value in self.given.items() if draw.rarely(0.5)}
        elif draw.rarely(0.03) and self.given:
            self.given.pop(draw.one(*self.given))

    def address_in(self, subnet):
        """The address that is chosen for a resolver's endpoint without one."""
        resolver = self.values_of(parent_of(self.at)) or {"virtual_network": "none"}
        network = self.referred(parent_of(self.at), "virtual_networks", resolver["virtual_network"])
        prefix = (self.values_of("%s/subnets/%s" % (network, subnet)) or {"prefix": "10.31.0.0/28"})["prefix"]
        return str(plain.net(prefix)[4])

    def some_subnets(self):
        """{path: values}: most existing items, and perhaps another."""
        found = {}
        for name, values in self.model.items("subnets", self.at).items():
            if not self.draw.rarely(0.15):
                found["%s/subnets/%s" % (self.at, name)] = {
                    key: values[key] for key in values if key == "prefix" or not self.draw.rarely(0.2)}
        path, values = self.draw.subnets()
        if self.draw.rarely(0.4):
            found["%s/subnets/%s" % (self.at, name_of(path))] = values
        return dict(sorted(found.items()))  # as they are shown

    def body_of(self, path, given):
        body = {}
        for member in members(path):
            if member.key in given:
                put(body, member.at, self.written(path, member, given[member.key]))
        return body

    def written(self, path, member, value):
        """As the body has it."""
        form, id_of = member.form, lambda kind, text: self.spelled(url_of(self.referred(path, kind, text)))
        _, kind = plain.referring(path) or (None, None)
        if form == "id":
            return {"id": id_of(kind, value)}
        if form == "ids":
            return [{"id": id_of(kind, text)} for text in value]
        if form == "of network":
            resolver = self.values_of(parent_of(path)) or {"virtual_network": "none"}
            network = self.referred(parent_of(path), "virtual_networks", resolver["virtual_network"])
            return {"id": self.spelled(url_of("%s/subnets/%s" % (network, value)))}
        if form == "hosts":
            return [text.removesuffix(":53") for text in value]
        if form == "word":
            return value[0].upper() + value[1:]
        if form == "targets":
            return [{"ipAddress": target["address"], "port": 53} for target in value]
        if form == "zones":
            return [{"name": one["name"], "properties": {"privateDnsZoneId": id_of(kind, one["zone"])}}
                    for one in value]
        if form == "configurations":
            return [{"name": one["name"], "properties": dict(
                {"subnet": {"id": id_of(kind, one["subnet"])},
                 "privateIPAllocationMethod": one["allocation"].title()},
                **{"privateIPAddress": one["address"]} if "address" in one else {},
                **{"primary": one["primary"]} if "primary" in one else {})} for one in value]
        if form == "cname":
            return {"cname": self.absolute(value[0])[:-1]}
        if form == "value":
            return [{"value": [text.strip('"')]} for text in value]
        if form in ("ipv4Address", "ipv6Address"):
            return [{form: text} for text in value]
        return value

    def spelled(self, text):
        return text.upper() if self.draw.rarely(0.1) else text

    def absolute(self, text):
        return text if text.endswith(".") else "%s.%s." % (text, self.at.split("/")[2])

    # ---- what there is ----

    def values_of(self, path):
        """None: there is no such resource for Azure's API."""
        if path.startswith("groups/"):
            group = self.model.group(name_of(path))
            return group and {"region": group["region"], "tags": group["tags"]}
        if path.startswith("addresses/"):
            return self.model.owners().get(path)
        if self.model.is_orphan(path):
            return None
        return self.model.stored.get(path, self.model.declared.get(path))

    def referred(self, path, kind, text):
        """The path of the item that the text refers to or would refer to."""
        end = ""
        if kind in INSIDE:
            text, _, end = text.rpartition("/")
            end = "/%s/%s" % (INSIDE[kind], end)
        kind = "virtual_networks" if kind == "subnets" else kind
        full = self.model.ref(kind, group_in(path), text)
        if full:
            return self.model.at(kind, full) + end
        return "%s/%s%s" % (kind, text if "/" in text else "%s/%s" % (group_in(path), text), end)

    def full(self, path, kind, text):
        """The text of a reference as it is kept."""
        found = self.referred(path, kind, text)
        if self.values_of(found) is None:
            raise Refused(400)
        _, _, name, *inside = found.split("/")
        return "/".join([self.model.spelled("/".join(found.split("/")[:3])), name] + inside[1:])

    # ---- what it comes to ----

    def edits(self, answer):
        """[(path, values)]; what is chosen is as the answer has it."""
        if self.method == "DELETE":
            return self.removal()
        base = self.values_of(self.at)
        if base is None:
            if self.merges or self.at[:7] != "groups/" and group_in(self.at) != "-" and not self.model.group(
                    group_in(self.at)):
                raise Refused(404)
            if parent_of(self.at) and not self.model.there(parent_of(self.at)):
                raise Refused(404)
        now = self.read(self.at, base, self.given, self.merges)
        also = []
        hook = getattr(self, "_".join(filter(None, ("read",) + kind_of(self.at))), None)
        if hook:
            now = hook(base, now, also, answer)
        return ([(self.path, now)] if now != base else []) + also

    def read(self, path, base, given, merges):
        now = copy.deepcopy(base or {})
        for member in members(path):
            value, was = given.get(member.key), now.get(member.key)
            if value is None and member.required and not merges and not self.may_lack(path, member, base):
                raise Refused(400)
            if member.form == "kept":
                if value is not None:
                    now["azure"] = dict(now.get("azure", {}), **{member.key: kept(value)})
            elif was == OURS and value in (None, "Default"):
                continue
            elif value is not None:
                value = self.meant(path, member, value, was)
                if self.is_same(path, member, value, was, base is None and member.required):
                    continue
                if base is not None and member.fixed or member.form == "ids" and not value:
                    raise Refused(400)
                now[member.key] = value
            elif not merges and was not in (None, member.usual, [], {}):
                del now[member.key]
        return now

    def is_same(self, path, member, value, was, has_to_be_said):
        if was is None:
            return value in (member.usual, []) and not has_to_be_said
        _, kind = plain.referring(path) or (None, None)
        return value == was or plain.in_full(path, {member.key: value}) == plain.rewritten(
            path, {member.key: was}, lambda text: self.full(path, kind, text).lower())

    @staticmethod
    def may_lack(path, member, base):
        """An item that /v1 made without it may lack it."""
        if member.form == "kept":
            return base is not None and member.key not in base.get("azure", {})
        return base is not None and kind_of(path)[1] == "outbound_endpoints" and member.key not in base

    def meant(self, path, member, value, was):
        """As it is kept."""
        _, kind = plain.referring(path) or (None, None)
        if member.form in ("id", "ids", "zones", "configurations"):
            full = plain.rewritten(path, {member.key: value}, lambda text: self.full(path, kind, text))
            return full[member.key]
        if member.form == "of network":
            resolver = self.values_of(parent_of(path))
            self.full(parent_of(path), "subnets", "%s/%s" % (resolver["virtual_network"], value))
        if member.form == "cname":
            return [next((text for text in was or [] if self.absolute(text) == self.absolute(each)),
                         self.absolute(each)) for each in value]
        return value

    def read_virtual_networks(self, base, now, also, _answer):
        """With all of the subnets, where the body has some."""
        for path, given in (self.subnets or {}).items():
            was = self.values_of(path)
            subnet = self.with_delegation(path, was, self.read(path, was, given, False))
            if subnet != was:
                also.append((path, subnet))
        if self.subnets is not None:
            there = ["%s/subnets/%s" % (self.at, name) for name in self.model.items("subnets", self.at)]
            also += [(path, None) for path in there if path not in self.subnets]
        return now

    def read_virtual_networks_subnets(self, base, now, _also, _answer):
        return self.with_delegation(self.at, base, now)

    def with_delegation(self, path, base, now):
        """It stays as long as an endpoint needs it."""
        if base and "delegation" in base and "delegation" not in now:
            for name in self.model.items("resolvers"):
                at = self.model.at("resolvers", name)
                network = self.referred(at, "virtual_networks", self.values_of(at)["virtual_network"])
                if network == parent_of(path) and any(
                        end.get("subnet") == name_of(path) for child in HOLDING[1:]
                        for end in self.model.items(child, at).values()):
                    now["delegation"] = base["delegation"]
        return now

    def read_rulesets_rules(self, base, now, _also, _answer):
        """Shows a group's targets as the rule's own."""
        if base and "target_group" in base and "targets" not in base and "targets" in now:
            group = self.model.items("target_groups", parent_of(self.at))[base["target_group"].lower()]
            del now["targets" if now["targets"] == group["targets"] else "target_group"]
        return now

    def read_resolvers_inbound_endpoints(self, base, now, also, answer):
        if now.get("allocation") != "static" and "address" not in (base or {}):
            now.pop("address", None)
        return self.read_resolvers_outbound_endpoints(base, now, also, answer)

    def read_resolvers_outbound_endpoints(self, _base, now, also, _answer):
        """The subnet is delegated."""
        resolver = self.values_of(parent_of(self.at))["virtual_network"]
        network = self.referred(parent_of(self.at), "virtual_networks", resolver)
        path = "%s/subnets/%s" % (network, now.get("subnet"))
        subnet = self.model.stored.get(path)
        if subnet and "delegation" not in subnet:
            also.append((path, dict(subnet, delegation=DELEGATION)))
        return now

    def read_private_zones_record_sets(self, _base, now, _also, _answer):
        if not self.merges and "ttl" not in self.given:
            raise Refused(400)
        now.setdefault("records", [])
        return now

    # ---- interfaces and private endpoints ----

    def free(self, text, given=()):
        """The first free address of the subnet."""
        network, _, subnet = text.rpartition("/")
        subnets = self.model.items("subnets", "virtual_networks/" + network.lower())
        prefix = plain.net(subnets[subnet]["prefix"])
        used = {one["address"] for values in self.model.items("network_interfaces").values()
                for one in values["ip_configurations"]} | set(given)
        return next((str(each) for each in list(prefix)[4:-1] if str(each) not in used), None)

    def read_network_interfaces(self, base, now, _also, _answer):
        was = (base or {}).get("ip_configurations", [])
        if now.get("ip_configurations") == was:
            return now
        for one in now["ip_configurations"]:
            if "address" not in one:
                same = [each["address"] for each in was if each["name"] == one["name"]
                        and each["subnet"].lower() == one["subnet"].lower()]
                one["address"] = same[0] if same else self.free(
                    one["subnet"], [each.get("address") for each in now["ip_configurations"]])
            if one["address"] is None:
                raise Refused(400)
        places = [[(one["subnet"].lower(), one["address"]) for one in each]
                  for each in (was, now["ip_configurations"])]
        if places[0] != places[1] and self.is_of_endpoint(base):
            raise Refused(409)
        return now

    def is_of_endpoint(self, values):
        endpoint = (values or {}).get("private_endpoint")
        return endpoint and self.model.there("private_endpoints/%s/%s" % (group_in(self.at), endpoint))

    def read_private_endpoints(self, base, now, also, answer):
        """A new one gets an interface, whose name is chosen."""
        if base is not None:
            if service_of(base) not in ("", service_of(now)):
                raise Refused(409)
            return now
        interface = "network_interfaces/%s/%s.nic.%s" % (
            group_in(self.at), name_of(self.at), uuid.uuid5(IDS, url_of(self.at).lower()))
        if interface.lower() in (path.lower() for path in self.model.stored):
            raise Refused(409)  # of an earlier endpoint, but written since, so it belongs to none
        address = self.free(now["subnet"])
        if not address:
            raise Refused(400)
        if answer.status < 300:
            made = answer.body["properties"]["networkInterfaces"][0]["id"]
            now["network_interface"] = name_of(made)
            group = answer.body["id"].split("/")[4]  # as it was made; self.path has the request's spelling
            also.append(("network_interfaces/%s/%s" % (group, now["network_interface"]), {
                "region": now["region"], "private_endpoint": name_of(self.at), "ip_configurations": [
                    {"name": "privateEndpointIpConfig", "subnet": now["subnet"], "address": address,
                     "allocation": "dynamic", "primary": True}]}))
        return now

    def read_private_endpoints_zone_groups(self, base, now, also, _answer):
        """The endpoint's target has an address record in each of the zones."""
        parent = parent_of(self.at)
        if len(now["zones"]) > 5 or base is None and self.model.items("zone_groups", parent):
            raise Refused(400)
        before = [] if base is None else base["zones"]
        self.change_zones(parent, before, now["zones"], also)
        return now

    def change_zones(self, endpoint, before, after, also):
        """A record that somebody has removed is restored."""
        address = address_of(self.model, endpoint)
        if address:
            zones = [[one["zone"].lower() for one in each] for each in (before, after)]
            for zone in zones[0]:
                if zone not in zones[1]:
                    self.change_record(endpoint, zone, address, False, also)
            for zone in zones[1]:
                self.change_record(endpoint, zone, address, True, also)

    def change_record(self, endpoint, zone, address, adds, also):
        path = "%s/record_sets/%s:a" % (self.referred(endpoint, "private_zones", zone), service_of(
            self.model.stored[endpoint]))
        earlier = dict(also)
        now = earlier[path] if path in earlier else self.values_of(path)
        now = copy.deepcopy(now) or {"ttl": RECORD_TTL, "records": []}
        if (address in now["records"]) != adds:
            now["records"] = now["records"] + [address] if adds else [
                each for each in now["records"] if each != address]
            also[:] = [edit for edit in also if edit[0] != path] + [(path, now if now["records"] else None)]

    # ---- public addresses and groups ----

    def read_addresses(self, base, now, also, answer):
        """Chooses an address, whose PTR may only be an item's own name."""
        was = base or {}
        reverse = self.given.get("reverse_fqdn", was.get("reverse_fqdn") if self.merges else None)
        now.pop("reverse_fqdn", None)
        may_lack_label = "domain_name_label" not in was and was.get("reverse_fqdn") and reverse in (
            None, was["reverse_fqdn"])
        if "dnsSettings" in self.body.get("properties", {}) and "domain_name_label" not in now and (
                not may_lack_label):
            raise Refused(400)
        if base is None:
            made = answer.status < 300
            now["address"] = answer.body["properties"]["ipAddress"] if made else "198.51.100.99"
        rest = {key: value for key, value in was.items() if key != "reverse_fqdn"}
        if reverse == was.get("reverse_fqdn"):
            return dict(now, **{"reverse_fqdn": reverse} if reverse else {})
        owners = self.model.owners().items()
        others = [self.model.fqdn(path, values) for path, values in owners if path != self.at]
        if reverse and reverse not in others + [self.model.fqdn(self.at, now)]:
            raise Refused(400)
        if now == rest and base is not None:
            also.append(("ptrs/" + was["address"], {"reverse_fqdn": reverse}))
            return base
        now.pop("ttl", None)
        return dict(now, **{"reverse_fqdn": reverse} if reverse else {})

    def read_groups(self, _base, now, _also, _answer):
        return dict({"tags": {}}, **now)

    # ---- what goes ----

    def removal(self):
        base, also = self.values_of(self.at), []
        if self.at.startswith("groups/"):
            return self.removal_of_group(base)
        if base is None:
            return []
        for child in HOLDING:
            if is_top(self.at) and self.model.items(child, self.at):
                raise Refused(409)
        if kind_of(self.at) == ("network_interfaces", None) and self.is_of_endpoint(base):
            raise Refused(400)
        if kind_of(self.at) == ("private_endpoints", "zone_groups"):
            self.change_zones(parent_of(self.at), base["zones"], [], also)
        if kind_of(self.at) == ("private_endpoints", None):
            self.remove_endpoint(self.at, also)
        return [(self.at, None)] + also

    def remove_endpoint(self, path, also):
        for group in self.model.items("zone_groups", path).values():
            self.change_zones(path, group["zones"], [], also)
        interface = "network_interfaces/%s/%s" % (
            group_in(path), self.model.stored[path].get("network_interface"))
        if interface in self.model.stored:
            also.append((interface, None))

    def removal_of_group(self, base):
        """Removes everything in it."""
        if base is None:
            raise Refused(404)
        name, also = name_of(self.at), []
        inside = sorted(path for source in (self.model.declared, self.model.stored) for path in source
                        if is_top(path) and group_in(path) == name)
        for path in inside:
            if path.startswith("private_endpoints/"):
                self.remove_endpoint(path, also)
        also = [edit for edit in also if group_in(edit[0]) != name]
        addresses = self.model.addresses_in(name)
        row = [(self.at, None)] if self.at in self.model.owned or addresses else []
        return [(path, None) for path in inside] + also + [(path, None) for path in addresses] + row
