"""A plain model of everything that can be configured and changed: the items, the refusals and their words,
and the answers. It shares no line with the program, and is made
for the small world of test_random.py alone.

    Model.declared, .stored   {path: values}: networks ... record sets, of the file and of the state; a
                              path is in lower case, with the group, "rulesets/berlin/c1/rules/a"
    Model.owned               {path: values}: addresses, services, groups of the state
    Model.written()           a path and values as they are sent, as those above
    Model.faults()            the words of what `sluice check` would say; none: it is fine
    Model.answer()            (rcode, [data]) of a question from a network

What is at the top is known by its full name, "berlin/c1", or "c1" in no group; keys and clients by their
names alone."""

import copy
import ipaddress

DELEGATION = "Microsoft.Network/dnsResolvers"
REGION = "westeurope"
DEFAULT, CUSTOM, TARGET, OTHER = "127.0.0.3", "127.0.0.7", "127.0.0.5", "127.0.0.6"
PASSED_ON = "passed on"  # by a zone that does not have the name
LIMITS = {"rulesets_per_virtual_network": 2, "rules_per_ruleset": 6, "links_per_ruleset": 3,
          "rulesets_per_outbound_endpoint": 2, "targets_per_rule": 2, "links_per_zone": 3,
          "zones_per_virtual_network": 3, "record_sets_per_zone": 9, "records_per_record_set": 2,
          "inbound_endpoints_per_resolver": 1, "outbound_endpoints_per_resolver": 1,
          "outbound_endpoints_per_ruleset": 2, "private_zones_per_subscription": 5, "resolvers_per_subscription": 3}
SUFFIX, SERVICE_SUFFIX = "cloudapp.azure.com.", "cloudapp.net."
REQUIRED = {"subnets": "prefix", "resolvers": "virtual_network", "links": "virtual_network", "rules": "domain",
            "target_groups": "targets", "address_pools": "prefix", "record_sets": "records", "transfers": "zones",
            "network_interfaces": "ip_configurations", "private_endpoints": "subnet", "zone_groups": "zones"}
PTR = ("reverse_fqdn", "ttl")  # members of addresses and services
OWNED = ("addresses", "services", "groups", "ptrs")
NAMED = ["virtual_networks", "resolvers", "private_zones", "rulesets", "address_pools", "transfers",
         "network_interfaces", "private_endpoints"]
NOUNS = {"virtual_networks": "virtual network", "resolvers": "resolver", "private_zones": "private zone"}
TOP = ["virtual_networks", "resolvers", "private_zones", "rulesets", "address_pools", "keys", "transfers", "clients",
       "network_interfaces", "private_endpoints"]
INSIDE = {"resolvers": "outbound_endpoints", "subnets": "subnets"}  # the part of a reference after the last slash


class Refused(Exception):
    """A refusal of a change: its status, its code, and words that the faults contain."""

    def __init__(self, status, code="invalid", words=(), may=()):
        super().__init__("%d %s %s" % (status, code, list(words)))
        self.status, self.code, self.words, self.may = status, code, list(words), list(may)


def kind_of(path):
    """("rulesets", None) or ("rulesets", "rules")"""
    parts = path.split("/")
    return parts[0], parts[3] if len(parts) == 5 else None


def is_top(path):
    return path.count("/") == 2


def group_in(path):
    return path.split("/")[1]


def parent_of(path):
    parts = path.split("/")
    return "/".join(parts[:3]) if len(parts) == 5 else None


def name_of(path):
    return path.rsplit("/", 1)[1]


def bare(full):
    """The name without the group."""
    return full.rsplit("/", 1)[-1]


def full_name(path):
    """The full name of an item at the top."""
    kind, group, name = path.split("/")
    return name if group == "-" or kind not in NAMED else "%s/%s" % (group, name)


def order(path):
    return name_of(path), group_in(path)


def referring(path):
    """(member, kind) of the references in values at the path, or in objects of the member; None: there are
    none."""
    kind, child = kind_of(path)
    if child == "links" or (kind == "resolvers" and not child):
        return "virtual_network", "virtual_networks"
    if child == "zone_groups":
        return "zones", "private_zones"
    if child is None:
        return {"rulesets": ("outbound_endpoints", "resolvers"), "transfers": ("zones", "private_zones"),
                "network_interfaces": ("ip_configurations", "subnets"),
                "private_endpoints": ("subnet", "subnets")}.get(kind)
    return None


def rewritten(path, values, full):
    """Values with each reference changed by the function."""
    member, kind = referring(path) or (None, None)
    if member not in (values or {}):
        return values

    def each(value):
        if isinstance(value, list):
            return [each(item) for item in value]
        if isinstance(value, dict):
            return {key: full(item) if key in ("subnet", "zone") else item for key, item in value.items()}
        return full(value)
    return dict(values, **{member: each(values[member])})


def in_full(path, values):
    """Values with full references, in lower case, and ports of servers."""
    if "dns_servers" in (values or {}):
        servers = [text if ":" in text else text + ":53" for text in values["dns_servers"]]
        values = dict(values, dns_servers=servers)
    group, (_, kind) = group_in(path), referring(path) or (None, None)
    return rewritten(path, values, lambda text: (
        "%s/%s" % (group, text) if text.count("/") == (kind in INSIDE) else text).lower())


def is_owned(path):
    return path.split("/")[0] in OWNED


def patched(values, patch):
    """Replaces objects in the values as a whole."""
    out = dict(values, **patch)
    return {key: value for key, value in out.items() if value is not None}


def merged(values, patch):
    """RFC 7396."""
    inside = {key: merged(values.get(key) or {}, value) for key, value in patch.items() if isinstance(value, dict)}
    return patched(values, dict(patch, **inside))


def net(text):
    return ipaddress.ip_network(text)


def repeated(items):
    return len(set(items)) < len(items)


class Model:
    def __init__(self, secret, declared, declared_owned):
        self.secret = secret  # the one file that has a secret
        self.declared, self.declared_owned = declared, declared_owned
        self.stored, self.owned = {}, {}

    def copy(self):
        other = copy.copy(self)
        other.stored, other.owned = copy.deepcopy(self.stored), copy.deepcopy(self.owned)
        return other

    # ---- groups: a name is there once in each of them ----

    def called(self, kind, name):
        """The paths of items with this name in all groups."""
        return sorted({path for source in (self.declared, self.stored) for path in source
                       if is_top(path) and kind_of(path)[0] == kind and name_of(path) == name})

    def meant(self, kind, name):
        """The item of a name without a group: the one in no group, else the only one; None: there is none."""
        paths = self.called(kind, name)
        own = "%s/-/%s" % (kind, name)
        if own in paths or len(paths) < 2:
            return own if own in paths else paths[0] if paths else None
        raise Refused(400, words=['there is more than one'])

    def spelled(self, path):
        """The group of an existing item, as written; "-": none."""
        return (self.declared.get(path) or self.stored.get(path) or {}).get("resource_group", "-")

    def at(self, kind, full):
        """The path of the item that has, or would have, the full name."""
        if kind in NAMED:
            return "%s/%s" % (kind, full if "/" in full else "-/" + full)
        return next(iter(self.called(kind, full)), "%s/-/%s" % (kind, full))

    def ref(self, kind, group, text):
        """The full name of the item that the text refers to in an item of the group; None: there is not
        exactly one."""
        text = text.lower()
        own = "%s/%s/%s" % (kind, group.lower(), text) if "/" not in text else "%s/%s" % (kind, text)
        paths = [own] if self.there(own) else [] if "/" in text else self.called(kind, text)
        return full_name(paths[0]) if len(paths) == 1 else None

    def ref_end(self, group, text):
        """(resolver, endpoint) of an outbound endpoint; resolver None: there is none."""
        resolver, _, end = text.rpartition("/")
        return self.ref("resolvers", group, resolver), end

    def ref_subnet(self, group, text):
        """(network, subnet) of a subnet; network None: there is none."""
        network, _, subnet = text.rpartition("/")
        return self.ref("virtual_networks", group, network), subnet

    def refer(self, path):
        """Stores full references at the path, so that later items do not change their meaning."""
        _, kind = referring(path) or (None, None)
        top = "virtual_networks" if kind == "subnets" else kind

        def full(text):
            end = ""
            if kind in INSIDE:
                found, end = (self.ref_end if kind == "resolvers" else self.ref_subnet)(group_in(path), text)
                if found and end not in self.items(INSIDE[kind], self.at(top, found)):
                    found = None
                end = "/" + end
            else:
                found = self.ref(kind, group_in(path), text)
            if found is None or text.count("/") > bool(end):
                return text
            return "%s/%s%s" % (self.spelled(self.at(top, found)), bare(found), end)
        self.stored[path] = rewritten(path, self.stored[path], full)

    def no(self, kind, text):
        """The words about a text that refers to no item."""
        if "/" not in text and len(self.called(kind, text.lower())) > 1:
            return 'there is more than one %s "%s"' % (NOUNS[kind], text)
        return 'there is no %s "%s"' % ("zone" if kind == "private_zones" else NOUNS[kind], self.shown(kind, text))

    def shown(self, kind, text):
        """A reference in a refusal: without "-/", unless an item in a group has this name."""
        name = text.removeprefix("-/")
        return text if self.called(kind, name.split("/")[0].lower()) else name

    def declared_meanings(self):
        """{(path, text): path} of the file's references to networks."""
        found = {}
        for path, values in self.declared.items():
            if "virtual_network" in values:
                text = values["virtual_network"]
                full = self.ref("virtual_networks", group_in(path), text)
                found[path, text] = full and self.at("virtual_networks", full)
        return found

    def written(self, path, values):
        """The path and values of a request: "*" stands for the item's group, and an item at the top has the
        path's group if the values have none."""
        if is_owned(path):
            return path if path.startswith("ptrs/") else path.lower(), values
        kind, group, name = path.split("/")[:3]
        if group == "*":
            found = self.meant(kind, name.lower())
            group = self.spelled(found) if found else "-"
        if is_top(path) and values is not None and group != "-":
            values = dict({"resource_group": group}, **values)
        elif is_top(path) and values and values.get("resource_group", "") is None:
            values = {key: value for key, value in values.items() if key != "resource_group"}
        return "/".join([kind, group] + path.split("/")[2:]).lower(), values

    def is_in_another(self, path):
        """Whether the path's item, or the item around it, exists only in another group."""
        top = "/".join(path.split("/")[:3])
        return not self.there(top) and bool(self.called(top.split("/")[0], name_of(top)))

    def members(self, group):
        """(kind, values) of the items at the top in this group, in the order of kinds."""
        return [(kind, values) for kind in TOP for values in self.items(kind).values()
                if values.get("resource_group", "-").lower() == group]

    def addresses_in(self, group):
        return [path for path in self.owners() if path.startswith("addresses/%s/" % group)]

    def group(self, name):
        """{"region", "tags", "filed"}; None: there is no such group."""
        row, inside, addresses = self.owned.get("groups/-/" + name), self.members(name), self.addresses_in(name)
        filed = any(path in self.declared_owned for path in addresses) or any(
            is_top(path) and group_in(path) == name for path in self.declared)
        if row is None and not addresses and not inside:
            return None
        region = REGION if addresses or not inside else self.region(inside[0][1])
        return dict(row or {"region": region, "tags": {}}, filed=filed)

    def groups(self):
        names = {name_of(path) for path in self.owned if path.startswith("groups/")}
        names |= {group_in(path) for path in self.owners() if path.startswith("addresses/")}
        names |= {group_in(path) for source in (self.declared, self.stored) for path in source if is_top(path)}
        return {name: self.group(name) for name in names - {"-"}}

    # ---- what is there ----

    def there(self, path):
        return path in self.declared or path in self.stored

    def is_orphan(self, path):
        parent = parent_of(path)
        return bool(parent) and path in self.stored and not self.there(parent)

    def items(self, kind, parent=None):
        """{name: values} of served items, the file's first; items at the top have full names."""
        start = parent + "/" + kind + "/" if parent else kind + "/"
        depth = 4 if parent else 2
        found = {}
        for source in (self.declared, self.stored):
            for path in sorted(source, key=order):
                if path.startswith(start) and path.count("/") == depth and not self.is_orphan(path):
                    found[name_of(path) if parent else full_name(path)] = source[path]
        return found

    def orphans(self):
        return [path for path in self.stored if self.is_orphan(path)]

    # ---- edits of what is part of the model ----

    def edit(self, path, values, again=False):
        """The changed model; faults() says whether it is allowed. `again`: restores an item, so the items
        inside a removed one stay."""
        if values is None and again:
            self.stored.pop(path, None)
        elif values is None:
            for inner in [p for p in self.stored if p == path or p.startswith(path + "/")]:
                del self.stored[inner]
        else:
            self.stored[path] = values

    def faults(self, edits=(), before=None):
        """Raises the refusal of these edits of the former model."""
        edited = [path for path, _ in edits]
        for path in edited:
            if path in self.stored:
                self.refer(path)
        words = [word for path in edited if path in self.stored and kind_of(path)[1] != "record_sets"
                 and not self.is_orphan(path) for word in self.malformed(path, self.stored[path])]
        if words:
            raise Refused(400, words=words, may=["there is no"])
        lost = [path for at, path in enumerate(edited)
                if self.is_orphan(path) and (parent_of(path), None) not in edits[at:]]
        words = ["here; " if self.is_in_another(path) else "make it first" for path in lost]
        if [path for path in lost if kind_of(path)[1] != "record_sets"]:
            words = [word for word, path in zip(words, lost) if kind_of(path)[1] != "record_sets"]
            raise Refused(400, words=words)
        if before and any(is_top(path) and kind_of(path)[0] in NAMED and before.there(path) != self.there(path)
                          for path in edited):
            after = self.declared_meanings()
            for at, path in before.declared_meanings().items():
                several = len(self.called("virtual_networks", at[1])) > 1
                if path and after[at] != path and (after[at] or several):
                    raise Refused(409, "read_only", ["give the group there first"])
        # Each edit of these counts, even one that another follows.
        words += [word for at, (path, values) in enumerate(edits) if kind_of(path)[1] == "record_sets"
                  and values is not None and (parent_of(path), None) not in edits[at:] and path not in lost
                  and self.there(parent_of(path)) for word in self.malformed(path, values)]
        may = []
        for zone in {parent_of(path) for path in edited if kind_of(path)[1] == "record_sets"} - {None}:
            (may if words else words).extend(self.zone_faults(zone))
        if words:
            raise Refused(400, words=words, may=may)
        words, may = self.limits()
        if words:
            raise Refused(400, words=words, may=may)
        digests = [client["secret_sha256"] for client in self.items("clients").values()]
        if repeated(digests):
            raise Refused(400, words=["has the same secret; give each its own"])

    def malformed(self, path, values):
        kind, child = kind_of(path)
        words = []
        if REQUIRED.get(child or kind, "domian") not in values and (child or kind) in REQUIRED:
            return ["is missing"]
        if child == "rules" and isinstance(values.get("domain"), int):
            words.append("is an integer; give a domain name")
        if "domian" in values:
            words.append('did you mean "domain"')
        if kind == "private_zones" and child is None and "file" in values:
            words.append("is for zones of the configuration file")
        if kind == "keys" and values.get("secret_file") not in (None, self.secret):
            words.append("cannot be used: No such file")
        if child == "record_sets":
            words += ["give an IPv4 address" for text in values["records"] if text == "10.0.0.256"]
        return words

    def served_sets(self, zone):
        """A set without records is kept and not served."""
        sets = self.items("record_sets", zone)
        return {name: values for name, values in sets.items() if values.get("records")}

    def zone_faults(self, zone):
        sets = self.served_sets(zone)
        words = []
        owners = {}
        for name in sets:
            owner, kind = name.rsplit(":", 1)
            owners.setdefault(owner, set()).add(kind)
        for owner, kinds in owners.items():
            if "cname" in kinds and owner == "@":
                words.append("a CNAME at the apex")
                continue
            if "cname" in kinds and len(kinds) > 1:
                words.append("a CNAME stands alone")
            if "cname" in kinds and len(sets[owner + ":cname"].get("records") or []) > 1:
                words.append("has a second CNAME")
        return words

    # ---- what does not fit together ----

    def region(self, values):
        return values.get("region", REGION)

    def limits(self):
        self.words, self.may = [], []
        for kind in TOP:
            if repeated([full_name(path) for source in (self.declared, self.stored) for path in source
                         if is_top(path) and kind_of(path)[0] == kind]):
                self.say("is already the name of the")
                self.may = [""]  # and whatever else two of one name come to
                return self.words, self.may
        self.networks = self.items("virtual_networks")
        self.check_networks()
        self.make()
        self.check_resolvers()
        self.check_zones()
        self.check_rulesets()
        self.check_interfaces()
        self.check_rest()
        return self.words, self.may

    def say(self, text):
        self.words.append(text)

    def count(self, number, key):
        if number > LIMITS[key]:
            self.say("and at most %d %s allowed; remove some, or raise limits.%s" % (
                LIMITS[key], "is" if LIMITS[key] == 1 else "are", key))

    def check_networks(self):
        claimed = set()
        for name, network in self.networks.items():
            spaces = [net(space) for space in network.get("address_space", [])]
            for space in spaces:
                if space.overlaps(net("127.0.0.0/8")):
                    self.say("overlaps 127.0.0.0/8, which no virtual network may have")
            subnets = self.items("subnets", self.at("virtual_networks", name))
            if subnets and not spaces:
                # Unless some were made for endpoints there.
                self.say("is missing; give the prefixes" if not self.has_made_space(name) else
                         "is outside the network's address space")
            prefixes = [net(subnet["prefix"]) for subnet in subnets.values()]
            for prefix in prefixes:
                if spaces and not any(prefix.subnet_of(space) for space in spaces):
                    self.say("is outside the network's address space")
            if any(a.overlaps(b) for i, a in enumerate(prefixes) for b in prefixes[:i]):
                self.say("prefixes here must not overlap")
            if repeated(network.get("dns_servers", [])):
                self.say("is listed twice; keep one of them")
            for prefix in network.get("address_space", []) + network.get("client_prefixes", []):
                if prefix in claimed:
                    self.say("the VNet resolver could not tell their machines apart")
            claimed |= set(network.get("address_space", []) + network.get("client_prefixes", []))

    def has_made_space(self, network):
        """Whether it has endpoints without a subnet."""
        self.make()
        return any("subnet" not in end for resolver in self.resolvers.values()
                   if resolver["network"] == network
                   for end in list(resolver["in"].values()) + list(resolver["out"].values())
                   if end.get("allocation") != "static" and "address" not in end)

    def links(self, path):
        """[(text, the network's full name)] of a zone or a ruleset."""
        texts = [link["virtual_network"] for link in self.items("links", path).values()]
        return [(text, self.ref("virtual_networks", group_in(path), text)) for text in texts]

    def make(self):
        """Made items: the outbound endpoints of rulesets without any."""
        self.resolvers = copy.deepcopy(self.items("resolvers"))
        for name, resolver in self.resolvers.items():
            resolver["network"] = self.ref("virtual_networks", group_in(self.at("resolvers", name)),
                                           resolver["virtual_network"])
            resolver["in"] = self.items("inbound_endpoints", self.at("resolvers", name))
            resolver["out"] = self.items("outbound_endpoints", self.at("resolvers", name))
        self.leaves = {}
        for name, ruleset in self.items("rulesets").items():
            path = self.at("rulesets", name)
            ends = [(text, *self.ref_end(group_in(path), text)) for text in ruleset.get("outbound_endpoints", [])]
            links = [network for _, network in self.links(path)]
            if not ends and links:
                ends = self.home(links)
            self.leaves[name] = ends

    def home(self, links):
        near = [(name, one) for link in links for name, one in self.resolvers.items()
                if link and one["network"] == link]
        found = next((pair for pair in near if pair[1]["out"]), near[0] if near else None)
        if not found:
            known = [link for link in links if link in self.networks]
            if not known:
                return []
            network = next((link for link in known if not self.networks[link].get("encryption")), known[0])
            made = {"virtual_network": network, "network": network, "region": self.region(self.networks[network]),
                    "in": {}, "out": {}, "made": True}
            found = (network + " made", made)
            self.resolvers[found[0]] = made
        name, resolver = found
        if not resolver["out"]:
            resolver["out"] = {"default": {"made": True}}
        return [("%s/%s" % (name, end), name, end) for end in list(resolver["out"])[:2]]

    def check_resolvers(self):
        homes, taken, listens = {}, set(), ["127.0.0.53:53"]
        self.endpoint_subnets = []
        for name, resolver in self.resolvers.items():
            self.count(len(resolver["in"]), "inbound_endpoints_per_resolver")
            self.count(len(resolver["out"]), "outbound_endpoints_per_resolver")
            listens += [end["listen"] for end in resolver["in"].values() if "listen" in end]
            network = self.networks.get(resolver["network"])
            if not network:
                self.say(self.no("virtual_networks", resolver["virtual_network"]))
                if any(end.get("allocation") == "static" and "address" not in end for end in resolver["in"].values()):
                    self.say('give one of the subnet\'s, or allocation = "dynamic"')
                continue
            homes.setdefault(resolver["network"], []).append(name)
            if len(homes[resolver["network"]]) > 1:
                self.say("use another network, or raise limits.resolvers_per_virtual_network")
            if network.get("encryption"):
                self.say("a resolver cannot be in such a network")
            if self.region(resolver) != self.region(network):
                self.say("both must be in one region")
            subnets = self.items("subnets", self.at("virtual_networks", resolver["network"]))
            for end in list(resolver["in"].values()) + list(resolver["out"].values()):
                self.check_endpoint(resolver["network"], subnets, taken, end)
        if len(self.resolvers) > LIMITS["resolvers_per_subscription"]:
            self.count(len(self.resolvers), "resolvers_per_subscription")
        if repeated(listens):
            self.say("is taken by the listener at")
            self.may.append("is the address of the endpoint at")

    def check_endpoint(self, network, subnets, taken, end):
        static = end.get("allocation") == "static"
        if "subnet" not in end:
            if static or "address" in end:
                self.say("name one of the network's, which an address that is given is in")
                if static and "address" not in end:
                    self.say('give one of the subnet\'s, or allocation = "dynamic"')
            return
        subnet = subnets.get(end["subnet"])
        if not subnet:
            self.say('there is no subnet "%s" in virtual network "' % end["subnet"])
            if static and "address" not in end:
                self.say('give one of the subnet\'s, or allocation = "dynamic"')
            return
        if subnet.get("delegation") != DELEGATION:
            self.say("is not delegated to endpoints")
        if (network, end["subnet"]) in taken:
            self.say("holds the endpoint at")
            self.may.append("is the address of the endpoint at")
        taken.add((network, end["subnet"]))
        prefix = net(subnet["prefix"])
        self.endpoint_subnets.append(prefix)
        if static and "address" not in end:
            self.say('give one of the subnet\'s, or allocation = "dynamic"')
        elif "address" in end:
            address = ipaddress.ip_address(end["address"])
            if address not in prefix:
                self.say("is outside the endpoint's subnet")
            elif int(address) - int(prefix[0]) < 4 or address == prefix[-1]:
                self.say("which are reserved")

    def check_zones(self):
        zones = self.items("private_zones")
        self.count(len(zones), "private_zones_per_subscription")
        linked, registered, seen = {}, {}, {}
        for name in zones:
            path = self.at("private_zones", name)
            if "file" not in zones[name]:
                sets = self.served_sets(path)
                if len(sets) + ("@:soa" not in sets) > LIMITS["record_sets_per_zone"]:
                    self.count(len(sets) + ("@:soa" not in sets), "record_sets_per_zone")
                for values in sets.values():
                    if len(values["records"]) > LIMITS["records_per_record_set"]:
                        self.say("raise limits.records_per_record_set")
            domain = bare(name)
            if domain in ("azure.com", "windows.net"):
                self.say("is reserved for Azure's own services")
            if "." not in domain:
                self.say("has 1 label; a private zone has 2 to 34")
            links = list(self.items("links", path).values())
            self.count(len(links), "links_per_zone")
            for link in links:
                if link.get("resolution_policy") == "NxDomainRedirect" and not domain.startswith("privatelink."):
                    self.say("NxDomainRedirect is for zones named privatelink.*")
                network = self.ref("virtual_networks", group_in(path), link["virtual_network"])
                if not network:
                    self.say(self.no("virtual_networks", link["virtual_network"]))
                    continue
                first = seen.setdefault((domain, network), None)
                if first:
                    self.say("is linked to this zone twice" if first == name else "is linked to another zone")
                seen[domain, network] = first or name
                linked[network] = linked.get(network, 0) + 1
                if linked[network] > LIMITS["zones_per_virtual_network"]:
                    self.say("raise limits.zones_per_virtual_network")
                if link.get("registration"):
                    registered[network] = registered.get(network, 0) + 1
                    if registered[network] > 1:
                        self.say("raise limits.registration_zones_per_virtual_network")

    def check_rulesets(self):
        used, linked = {}, {}
        for name, ruleset in self.items("rulesets").items():
            path, ends = self.at("rulesets", name), self.leaves[name]
            links = self.links(path)
            if not ends and any(network for _, network in links):
                self.say("give at least one endpoint as RESOLVER/ENDPOINT")
            real = {}
            for text, of, end in ends:
                resolver = self.resolvers.get(of)
                if resolver and end in resolver["out"]:
                    real.setdefault((of, end), []).append(text)
                elif of is None and text.count("/") == 1 and len(self.called("resolvers", text.split("/")[0])) > 1:
                    self.say('there is more than one resolver "%s"' % text.split("/")[0])
                else:
                    self.say('there is no outbound endpoint "%s"' % self.shown("resolvers", text))
            for end, texts in real.items():
                resolver = self.resolvers[end[0]]
                if len(texts) > 1:
                    self.say("is listed twice; keep one of them")
                if self.region(resolver) != self.region(ruleset):
                    self.say("both must be in one region")
                used[end] = used.get(end, 0) + 1
                if used[end] > LIMITS["rulesets_per_outbound_endpoint"]:
                    self.say("raise limits.rulesets_per_outbound_endpoint")
            self.count(len(ends), "outbound_endpoints_per_ruleset")
            self.count(len(links), "links_per_ruleset")
            seen = set()
            for text, network in links:
                if not network:
                    self.say(self.no("virtual_networks", text))
                    continue
                if self.region(ruleset) != self.region(self.networks[network]):
                    self.say("both must be in one region")
                if network in seen:
                    self.say("is linked to this ruleset twice")
                    continue
                seen.add(network)
                linked[network] = linked.get(network, 0) + 1
                if linked[network] > LIMITS["rulesets_per_virtual_network"]:
                    self.say("raise limits.rulesets_per_virtual_network")
            self.check_rules(path)

    def check_targets(self, targets):
        if not targets:
            self.say("is empty; give at least one")
        if repeated([target["address"] for target in targets]):
            self.say("is listed twice")
        self.count(len(targets), "targets_per_rule")
        if any(target["address"] == "168.63.129.16" for target in targets):
            self.say("168.63.129.16 cannot be a rule's target")

    def check_rules(self, path):
        groups, rules = self.items("target_groups", path), self.items("rules", path)
        for group in groups.values():
            self.check_targets(group["targets"])
        for rule in rules.values():
            named = rule.get("target_group")
            if named and rule.get("targets"):
                self.say("is given, and targets too; keep one of them")
            elif named and named.lower() not in groups:
                self.say('there is no target group "%s" in this ruleset' % named)
            elif not named and "targets" not in rule:
                self.say("is missing; give at least one server, or target_group")
            if not named and "targets" in rule:
                self.check_targets(rule["targets"])
        if repeated([rule["domain"] for rule in rules.values()]):
            self.say("of this ruleset, too, at")
        self.count(len(rules), "rules_per_ruleset")

    def check_subnet(self, path, text):
        """The network and the prefix; None: the subnet is not for machines, which is a fault."""
        network, name = self.ref_subnet(group_in(path), text)
        subnet = self.items("subnets", self.at("virtual_networks", network)).get(name) if network else None
        if not subnet:
            several = len(self.called("virtual_networks", text.split("/")[0].lower())) > 1
            self.say('there is more than one virtual network' if network is None and text.count("/") == 1 and several
                     else 'there is no subnet "%s"' % self.shown("virtual_networks", text))
        elif subnet.get("delegation") == DELEGATION:
            self.say("so an endpoint has it for itself")
        else:
            return network, net(subnet["prefix"])
        return None

    def check_home(self, values, network):
        if self.region(values) != self.region(self.networks[network]):
            self.say("both must be in one region")

    def check_interfaces(self):
        taken = set()
        for name, interface in self.items("network_interfaces").items():
            path, home = self.at("network_interfaces", name), None
            if not interface["ip_configurations"]:
                self.say("is empty; give at least one")
            if [one.get("primary") for one in interface["ip_configurations"]].count(True) > 1:
                self.say("is primary already; mark one of them")
            for one in interface["ip_configurations"]:
                place = self.check_subnet(path, one["subnet"])
                if not place:
                    continue
                (network, prefix), address = place, ipaddress.ip_address(one["address"])
                if home and network != home:
                    self.say("keep an interface in one network")
                if not home:
                    self.check_home(interface, network)
                home = home or network
                if address not in prefix:
                    self.say("is outside its subnet")
                elif int(address) - int(prefix[0]) < 4 or address == prefix[-1]:
                    self.say("which are reserved")
                if (network, address) in taken:
                    self.say("is the address of another ip configuration")
                taken.add((network, address))
        for name, endpoint in self.items("private_endpoints").items():
            path = self.at("private_endpoints", name)
            place = self.check_subnet(path, endpoint["subnet"])
            if place:
                self.check_home(endpoint, place[0])
            for group in self.items("zone_groups", path).values():
                if not group["zones"]:
                    self.say("is empty; give at least one")
                for zone in group["zones"]:
                    if not self.ref("private_zones", group_in(path), zone["zone"]):
                        self.say(self.no("private_zones", zone["zone"]))

    def check_rest(self):
        pools = [net(pool["prefix"]) for pool in self.items("address_pools").values()]
        if any(a.overlaps(b) for i, a in enumerate(pools) for b in pools[:i]):
            self.say("prefixes here must not overlap")
        for key in self.items("keys").values():
            if "secret_file" not in key and "secret" not in key:
                self.say("the key has no secret")
        claims = []
        for name, transfer in self.items("transfers").items():
            if "key" in transfer and transfer["key"] not in self.items("keys"):
                self.say('there is no key "%s"' % transfer["key"])
            if "key" not in transfer and "allow" not in transfer:
                self.say("anybody could copy the zones")
            for text in transfer["zones"]:
                zone = self.ref("private_zones", group_in(self.at("transfers", name)), text)
                if not zone:
                    self.say(self.no("private_zones", text))
                elif any(bare(other) == bare(zone) and other != zone and self.has_both(one, transfer) for other, one in claims):
                    self.say("a client that may copy ")
                claims.append((zone or "", transfer))
        for client in self.items("clients").values():
            if "secret_sha256" not in client:
                self.say("the client has no secret")

    @staticmethod
    def has_both(one, other):
        """Whether both may allow the same client; there is only one prefix."""
        return not ("key" in one and "key" in other and one["key"] != other["key"])

    # ---- what is ours: addresses, services, PTRs, groups ----

    def owners(self):
        """{path: values} of addresses and services, of file and state."""
        both = dict(self.declared_owned, **{p: v for p, v in self.owned.items() if p.split("/")[0] != "ptrs"})
        found = {p: dict(v) for p, v in both.items() if p.split("/")[0] in ("addresses", "services")}
        for path, values in self.owned.items():  # a PTR for what the file declares
            if path.startswith("ptrs/"):
                for owner in found.values():
                    if owner["address"] == path[len("ptrs/"):]:
                        owner.update(values)
        return found

    def by_address(self, address):
        return next((p for p, v in self.owners().items() if v["address"] == address), None)

    def is_ours(self, address):
        """Whether it is in a pool, or private and in a network, and in no endpoint's subnet."""
        self.limits()
        address = ipaddress.ip_address(address)
        pools = [net(pool["prefix"]) for pool in self.items("address_pools").values()]
        spaces = [net(space) for network in self.networks.values()
                  for space in network.get("address_space", [])]
        return (any(address in pool for pool in pools)
                or (address.is_private and any(address in space for space in spaces))
                ) and not any(address in subnet for subnet in self.endpoint_subnets)

    @staticmethod
    def fqdn(path, values):
        if path.startswith("services/"):
            return "%s.%s" % (name_of(path), SERVICE_SUFFIX)
        label = values.get("domain_name_label")
        return label and "%s.%s.%s" % (label, REGION, SUFFIX)

    def forward_names(self):
        return [self.fqdn(path, values) for path, values in self.owners().items()]

    def edit_owned(self, path, values, bulk, owner=None):
        """`path` of a PTR has its address, unless its owner is given. `bulk`: one of many edits; "again":
        as it was before."""
        kind = path.split("/")[0]
        if kind == "groups":
            self.edit_group(path, values, bulk == "again")
        elif kind == "ptrs":
            self.edit_ptr(path, values, bulk, owner or self.by_address(path[len("ptrs/"):]))
        elif self.is_same_but_ptr(path, values):
            self.edit_only_ptr(path, values, bulk)
        elif path in self.declared_owned:
            if values is not None:
                self.refuse_ttl_alone(path, values)
            raise Refused(409, "read_only", ["it is declared at"])
        elif values is None:
            if path in self.owned:
                del self.owned[path]
            elif not bulk:
                raise Refused(404, "not_found")
        else:
            self.put_owner(path, values, bulk)

    def is_same_but_ptr(self, path, values):
        """Whether the values change nothing but the PTR, or nothing at all."""
        before = self.owners().get(path)
        if values is None or before is None or values.get("address", 0) is None:
            return False
        values = dict({"address": before["address"]}, **values)
        rest = [{key: value for key, value in one.items() if value not in (None, {}) and key not in PTR}
                for one in (before, values)]
        rest[1] = dict({key: before[key] for key in ("allocation",) if key in before}, **rest[1])
        return rest[0] == rest[1]

    def edit_only_ptr(self, path, values, bulk):
        before = self.owners()[path]
        if path in self.declared_owned and "reverse_fqdn" not in values:
            values = dict({key: before.get(key) for key in PTR}, **values)
        ptr = {key: values.get(key) for key in PTR}
        if ptr != {key: before.get(key) for key in PTR}:
            self.edit_ptr("ptrs/" + self.owners()[path]["address"], ptr, bulk, path)

    def refuse_ttl_alone(self, path, values):
        before = self.owners().get(path, {})
        if not values.get("reverse_fqdn") and not before.get("reverse_fqdn") and values.get("ttl") is not None:
            raise Refused(400, "invalid", ["belongs to the PTR, and there is none"])

    def put_owner(self, path, values, bulk):
        before = self.owned.get(path, {})
        if values.get("address", 0) is None:
            raise Refused(400, "invalid", ["is missing"])
        kind, group = path.split("/")[0], path.split("/")[1]
        values = {key: value for key, value in values.items() if value not in (None, {})}
        label = values.get("domain_name_label")
        self.refuse_ttl_alone(path, values)
        if "reverse_fqdn" not in values:
            values.pop("ttl", None)
        if kind == "services" and bulk and values.get("reverse_fqdn") not in (
                None, self.fqdn(path, values), before.get("reverse_fqdn"), *self.forward_names()):
            raise Refused(400, "invalid", ["not checked in bulk"])
        if "address" in before and "address" not in values:
            values["address"] = before["address"]
        if kind == "addresses":
            for key in ("allocation",):
                if key in before and key not in values:
                    values[key] = before[key]
        if label == "X":
            raise Refused(400, "invalid", ["does not fit; use 3 to 63"])
        if not self.is_ours(values["address"]):
            raise Refused(400, "invalid", [], ["is in no address pool", "is in the subnet of the endpoint"])
        for other, theirs in self.owners().items():
            if other != path and (theirs["address"] == values["address"]
                                  or (label and self.fqdn(other, theirs) == self.fqdn(path, values))):
                raise Refused(409, "taken", ["is taken, by"])
        if kind == "addresses" and path not in self.owned:
            self.ensure_group(group)
        self.owned[path] = values

    def edit_ptr(self, path, values, bulk, owner):
        if owner not in self.owners():
            if bulk and values is None:
                return
            raise Refused(404, "not_found", may=["is not an address or id that we own"])
        now = self.owners()[owner]
        if owner in self.declared_owned and self.declared_owned[owner].get("reverse_fqdn"):
            raise Refused(409, "read_only", ["it is declared at"])
        named = values is not None and values.get("reverse_fqdn") is not None
        if values and not named and values.get("ttl") is not None and not now.get("reverse_fqdn"):
            raise Refused(400, "invalid", ["belongs to the PTR"])
        if not named:
            if not now.get("reverse_fqdn"):
                if values is None and not bulk:
                    raise Refused(404, "not_found", ["it has no PTR"])
                return
            ptr = {}
        else:
            fqdn = values["reverse_fqdn"]
            if owner.startswith("services/") and bulk != "again" and fqdn != now.get("reverse_fqdn") and fqdn not in (
                    self.forward_names()):
                raise Refused(400, *("invalid", ["not checked in bulk"]) if bulk else
                              ("ReverseFqdnDoesNotBelongToSubscription", ["does not belong to subscription"]))
            ptr = {key: values[key] for key in ("reverse_fqdn", "ttl", "description") if values.get(key) is not None}
        if owner in self.declared_owned:
            self.owned.pop(path, None)
            if ptr:
                self.owned[path] = ptr
        else:
            kept = {key: value for key, value in self.owned[owner].items() if key not in ("reverse_fqdn", "ttl")}
            self.owned[owner] = dict(kept, **ptr)

    def ensure_group(self, name):
        """Makes the group for an address, if need be."""
        there = self.group(name)
        if name != "-" and "groups/-/" + name not in self.owned:
            self.owned["groups/-/" + name] = {"region": there["region"] if there else REGION, "tags": {}}

    def edit_group(self, path, values, again):
        """`again`: restores only its own row."""
        now = self.group(name_of(path))
        if values is None:
            if self.addresses_in(name_of(path)):
                if again and not now["tags"]:
                    return
                raise Refused(400, "invalid", ["has addresses; remove them first"])
            if self.members(name_of(path)) and not again:
                raise Refused(400, "invalid", ["has other resources ("])
            self.owned.pop(path, None)
            return
        values = {"region": values.get("region"), "tags": values.get("tags") or {}}
        if now and values == {"region": now["region"], "tags": now["tags"]}:
            return  # as it is
        if now and now["filed"]:
            raise Refused(409, "read_only", ["it is declared at"])
        self.owned[path] = values

    # ---- who answers ----

    def answer(self, network, name, rtype, depth=0):
        """(rcode, [data]) for a machine of this network from the VNet resolver; None: a loop, with an
        undefined result."""
        if depth > 8:
            return None
        networks = self.items("virtual_networks")
        upstream = lambda at: ("NOERROR", [at] if rtype == "A" else [])
        if networks[network].get("dns_servers"):
            return upstream(CUSTOM)
        zones = [zone for zone in self.items("private_zones") if ("." + name).endswith("." + bare(zone) + ".")
                 and self.is_linked(zone, network)]
        for zone in sorted(zones, key=lambda zone: -len(bare(zone))):
            answer = self.from_zone(zone, network, name, rtype, depth)
            if answer != PASSED_ON:
                return answer
        ruled = [(len(rule["domain"]), -place, rule, ruleset)
                 for place, ruleset in enumerate(self.items("rulesets")) if network in dict(map(reversed, self.links(self.at("rulesets", ruleset))))
                 for rule in self.items("rules", self.at("rulesets", ruleset)).values()
                 if rule.get("state") != "Disabled" and ("." + name).endswith("." + rule["domain"])]
        if ruled:
            _, _, rule, ruleset = max(ruled, key=lambda one: one[:2])
            groups = self.items("target_groups", self.at("rulesets", ruleset))
            targets = rule.get("targets") or groups[rule["target_group"].lower()]["targets"]
            return upstream(targets[0]["address"])
        return self.from_owned(network, name, rtype) or upstream(DEFAULT)

    def is_linked(self, zone, network):
        return network in dict(map(reversed, self.links(self.at("private_zones", zone))))

    def is_above_zone(self, network, name):
        return any((bare(zone) + ".").endswith("." + name) and self.is_linked(zone, network)
                   for zone in self.items("private_zones"))

    def from_zone(self, zone, network, name, rtype, depth):
        owner = name[:-len(bare(zone)) - 2] or "@"
        if "file" in self.items("private_zones")[zone]:
            sets = {"web:a": {"records": ["10.10.1.10"]}}
        else:
            sets = self.served_sets(self.at("private_zones", zone))
        owners = {each.rsplit(":", 1)[0] for each in sets} | {"@"}
        nodes = {".".join(each.split(".")[i:]) for each in owners for i in range(each.count(".") + 1)}
        found = owner
        if owner not in nodes:
            labels = owner.split(".")
            closest = next((".".join(labels[i:]) for i in range(1, len(labels)) if ".".join(labels[i:]) in nodes), "")
            found = ("*." + closest).rstrip(".")
            if found not in owners:
                at = self.at("private_zones", zone)
                link = next(link for link in self.items("links", at).values()
                            if self.ref("virtual_networks", group_in(at), link["virtual_network"]) == network)
                if link.get("resolution_policy") == "NxDomainFallthrough":
                    return PASSED_ON
                if self.is_above_zone(network, name):
                    return "NOERROR", []
                if link.get("resolution_policy") == "NxDomainRedirect" and rtype in ("A", "AAAA", "CNAME"):
                    return "NOERROR", [DEFAULT] if rtype == "A" else []
                return "NXDOMAIN", []
        if found + ":cname" in sets:
            target = sets[found + ":cname"]["records"][0]
            target = target if target.endswith(".") else "%s.%s." % (target, bare(zone))
            if rtype == "CNAME":
                return "NOERROR", [target]
            rest = self.answer(network, target, rtype, depth + 1)
            return rest and (rest[0], [target] + rest[1])
        data = sets.get("%s:%s" % (found, rtype.lower()))
        return "NOERROR", [text.strip('"') for text in data["records"]] if data else []

    def is_seen(self, network, address):
        """A private address has its names only in its own network."""
        address = ipaddress.ip_address(address)
        return address not in net("10.0.0.0/8") or any(
            address in net(space) for space in self.items("virtual_networks")[network].get("address_space", []))

    def from_owned(self, network, name, rtype):
        """None: it is not one of our addresses."""
        owners = {p: v for p, v in self.owners().items()
                  if self.is_ours(v["address"]) and self.is_seen(network, v["address"])}
        for path, values in owners.items():
            if self.fqdn(path, values) == name:
                return "NOERROR", [values["address"]] if rtype == "A" else []
            if ipaddress.ip_address(values["address"]).reverse_pointer + "." == name:
                ptr = values.get("reverse_fqdn")
                if ptr:
                    return "NOERROR", [ptr] if rtype == "PTR" else []
        if name.endswith(".in-addr.arpa."):
            address = ipaddress.ip_address(".".join(name.split(".")[3::-1]))
            pools = [pool["prefix"] for pool in self.items("address_pools").values()]
            # Our own zone, or one of RFC 6303.
            if any(address in net(prefix) for prefix in pools + [
                    "10.0.0.0/8", "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24"]):
                return "NXDOMAIN", []
        return None
