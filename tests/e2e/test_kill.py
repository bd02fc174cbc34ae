"""The server is killed at random instants, sometimes with its master, while everything in its state is
being changed by many writers: whatever it has acknowledged is there after the next start, and is
answered; what it has not is there whole, or not at all.

    KILLS=200 python3 tests/e2e/test_kill.py"""

import contextlib
import hashlib
import http.client
import json
import os
import random
import signal
import threading
import time

import harness
import test_random
import test_resources
import test_reverse
from plain import DELEGATION
from test_reverse import HERE

# It is started as often as it is killed, which takes long under valgrind and ThreadSanitizer.
KILLS = int(os.environ.get("KILLS", "20"))
SEED = int(os.environ.get("SEED", "4"))
LIFE_MS = 150
WHOLES = 4  # writers of all kinds
SLOTS, PAIR, COMING = range(6), (6, 7), 8
LABEL = "coming"
OUTSIDE = "198.51.100.11"  # where every name leads that is not ours


def address(slot):
    return "198.51.100.%d" % (100 + slot)


def ptr_name(number):
    return "n%d.example." % number


class Storm(threading.Thread):
    """One change after the other by one connection, until that breaks. Each of them leaves a number
    in the name that some slots have; 0: no PTR."""

    def __init__(self, path, number):
        super().__init__(daemon=True)
        self.path, self.number, self.ending = path, number, False
        self.tried, self.acknowledged, self.refused = {}, {}, []

    def run(self):
        connection = harness.UnixConnection(self.path)
        try:
            while not self.refused and not self.ending:
                self.number += 1
                slots, is_there, method, path, body, status = self.change()
                left = dict.fromkeys(slots, self.number if is_there else 0)
                self.tried.update(left)
                connection.request(method, path, body and json.dumps(body),
                                   {"Content-Type": "application/json"})
                response = connection.getresponse()
                text = response.read()
                if response.status == status:
                    self.acknowledged.update(left)
                else:
                    self.refused.append((response.status, text))
        except (OSError, http.client.HTTPException):
            pass  # it was killed
        finally:
            connection.close()


class Names(Storm):
    """Addresses get other names."""

    def __init__(self, path, number, keys):
        super().__init__(path, number)
        self.keys = keys

    def change(self):
        slot = self.number % len(SLOTS)
        return [slot], True, "PATCH", test_reverse.fip(self.keys[slot]), {
            "ptrdname": ptr_name(self.number)}, 202


class Pairs(Storm):
    """Two addresses get the same name, or none, at once."""

    def change(self):
        is_there = self.number % 3 > 0
        return PAIR, is_there, "POST", "/v1/ptrs", [
            {"address": address(slot), "reverse_fqdn": ptr_name(self.number) if is_there else None}
            for slot in PAIR], 200


class Comings(Storm):
    """An address comes with both of its names, and goes."""

    def __init__(self, path, number, is_there):
        super().__init__(path, number)
        self.is_there = is_there

    def change(self):
        self.is_there = not self.is_there
        way = "/v1/addresses/g/" + LABEL
        return [COMING], self.is_there, *(
            ("PUT", way, {"address": address(COMING), "domain_name_label": LABEL,
                          "reverse_fqdn": ptr_name(self.number)}, 201)
            if self.is_there else ("DELETE", way, None, 204))


def three(number):
    """As the last three bytes of an address."""
    return "%d.%d.%d" % (number >> 16 & 255, number >> 8 & 255, number & 255)


class Whole(Storm):
    """Something of every kind comes, says the number in all that it has, and goes, each time by one
    request."""

    def __init__(self, path, number, which, secret):
        super().__init__(path, number)
        self.which, self.secret = which, secret

    def everything(self, number):
        """(path, values), each behind what it is inside."""
        k, n = self.which, number
        at = lambda kind: "%s/%s/k%d" % (kind, "-" if k % 2 else "k%d" % k, k)  # half of them are in a group
        net, zone, rules = at("virtual_networks"), at("private_zones") + ".internal", at("rulesets")
        own = "198.51.100.%d" % (150 + k)
        return [
            (net, {"address_space": ["10.%d.0.0/16" % (60 + k)],
                   "client_prefixes": ["127.%s/32" % three(n * 4 + k)]}),
            (net + "/subnets/in", {"prefix": "10.%d.%d.0/28" % (60 + k, n % 250), "delegation": DELEGATION}),
            (at("resolvers"), {"virtual_network": "k%d" % k}),
            (at("resolvers") + "/inbound_endpoints/in",
             {"subnet": "in", "listen": "127.0.4.%d:53" % k, "allow": ["127.%s/32" % three(n)]}),
            (at("resolvers") + "/outbound_endpoints/out", {"source": "127.0.0.%d" % (n % 200 + 10)}),
            (zone, {}),
            (zone + "/links/k", {"virtual_network": "k%d" % k, "registration": n % 2 == 0}),
            (zone + "/links/hub", {"virtual_network": "hub" if k % 2 else "-/hub"}),
            (zone + "/record_sets/www:A", {"ttl": n, "records": ["10.0.0.1"]}),
            (zone + "/record_sets/txt:TXT", {"ttl": n, "records": ['"%d"' % n]}),
            (rules, {"outbound_endpoints": ["k%d/out" % k]}),
            (rules + "/links/k", {"virtual_network": "k%d" % k}),
            (rules + "/target_groups/t", {"targets": [{"address": "127.0.0.3"}], "description": str(n)}),
            (rules + "/rules/r", {"domain": "n%d.corp." % n, "target_group": "t", "description": str(n)}),
            (at("address_pools"), {"prefix": "203.0.%d.0/24" % (k * 50 + n % 50)}),
            (at("keys"), {"secret_file": self.secret, "algorithm": ["hmac-sha256", "hmac-sha512"][n % 2]}),
            (at("transfers"), {"zones": ["k%d.internal" % k], "key": "k%d" % k,
                               "allow": ["127.%s/32" % three(n)]}),
            (at("clients"), {"secret_sha256": hashlib.sha256(b"%d %d" % (k, n)).hexdigest()}),
            ("groups/-/k%d" % k, {"region": "westeurope", "tags": {"n": str(n)}}),
            ("addresses/k%d/a" % k, {"address": own, "tags": {"n": str(n)}, "reverse_fqdn": ptr_name(n)}),
            ("services/-/k%d" % k, {"address": "198.51.100.%d" % (160 + k), "description": str(n)})]

    def change(self):
        gone = self.number % 5 == 0
        edits = self.everything(self.number)
        if gone:
            edits = [(path, None) for path, _ in reversed(edits)]
        return ["all"], not gone, "POST", "/v1/changes", {"edits": [
            {"path": path, "values": values} for path, values in edits]}, 200


class Single(Storm):
    """One resource of many kinds after the other says the number."""

    def __init__(self, path, number, hub):
        super().__init__(path, number)
        self.hub = hub

    def change(self):
        path, member = self.hub[self.number % len(self.hub)]
        return [path], True, "PATCH", "/v1/" + path, {member: saying(member, self.number)}, 200


def saying(member, number):
    return {"ttl": number, "description": str(number), "metadata": ["n=%d" % number],
            "client_prefixes": ["127.%s/32" % three(number * 4)], "allow": ["127.%s/32" % three(number)]}[member]


SINGLES = [("virtual_networks/-/one", "client_prefixes"), ("private_zones/-/one.internal/record_sets/www:A", "ttl"),
           ("private_zones/-/one.internal/record_sets/txt:TXT", "metadata"),
           ("rulesets/-/one/target_groups/t", "description"), ("rulesets/-/one/rules/r", "description"), ("transfers/-/one", "allow")]
ONE = [("virtual_networks/-/one", {"client_prefixes": ["127.0.0.0/32"]}), ("private_zones/-/one.internal", {}),
       ("private_zones/-/one.internal/links/hub", {"virtual_network": "hub"}),
       ("private_zones/-/one.internal/record_sets/www:A", {"ttl": 0, "records": ["10.0.0.1"]}),
       ("private_zones/-/one.internal/record_sets/txt:TXT", {"metadata": ["n=0"], "records": ["x"]}),
       ("rulesets/-/one", {"outbound_endpoints": []}),
       ("rulesets/-/one/target_groups/t", {"targets": [{"address": "127.0.0.3"}], "description": "0"}),
       ("rulesets/-/one/rules/r", {"domain": "one.corp.", "target_group": "t", "description": "0"}),
       ("transfers/-/one", {"zones": ["one.internal"], "allow": ["127.0.0.0/32"]})]


# ---- by Azure's API ----

GROUP = "/subscriptions/%s/resourceGroups/" % test_reverse.SUBSCRIPTION
NETWORK = GROUP + "arm/providers/Microsoft.Network/"
VERSION = "?api-version=2022-07-01"
HUB = {"id": GROUP + "-/providers/Microsoft.Network/virtualNetworks/hub"}


def ref(path):
    return {"id": NETWORK + path}


def body(number, location="westeurope", **properties):
    """What a resource is made of that has tags, in which it says the number."""
    return {"location": location, "tags": {"n": str(number)}, "properties": properties}


def below(number, **properties):
    """Of what has metadata."""
    return {"properties": {**properties, "metadata": {"n": str(number)}}}


# Each is made once, and from then on changed by its method: (path, method, what it says of a number).
ARM_SINGLES = [
    ("virtualNetworks/arm", "PATCH", lambda n: body(n, addressSpace={"addressPrefixes": ["10.200.0.0/16"]})),
    ("virtualNetworks/arm/subnets/plain", "PUT",
     lambda n: {"properties": {"addressPrefix": "10.200.%d.0/24" % (n % 200 + 10)}}),
    ("virtualNetworks/arm/subnets/in", "PATCH", lambda n: {"properties": {
        "addressPrefix": "10.200.0.0/28", "routeTable": {"id": "/n%d" % n}}}),
    ("virtualNetworks/arm/subnets/out", "PUT", lambda n: {"properties": {
        "addressPrefix": "10.200.0.16/28", "routeTable": {"id": "/n%d" % n}}}),
    ("virtualNetworks/arm/virtualNetworkPeerings/p", "PUT",
     lambda n: {"properties": {"remoteVirtualNetwork": {"id": "/n%d" % n}}}),
    ("dnsResolvers/arm", "PATCH", lambda n: body(n, virtualNetwork=ref("virtualNetworks/arm"))),
    ("dnsResolvers/arm/inboundEndpoints/in", "PATCH", lambda n: body(n, ipConfigurations=[
        {"subnet": ref("virtualNetworks/arm/subnets/in"), "privateIpAllocationMethod": "Dynamic"}])),
    ("dnsResolvers/arm/outboundEndpoints/out", "PUT",
     lambda n: body(n, subnet=ref("virtualNetworks/arm/subnets/out"))),
    ("dnsForwardingRulesets/arm", "PATCH", lambda n: body(
        n, dnsResolverOutboundEndpoints=[ref("dnsResolvers/arm/outboundEndpoints/out")])),
    ("dnsForwardingRulesets/arm/forwardingRules/r", "PUT", lambda n: below(
        n, domainName="arm.corp.", targetDnsServers=[{"ipAddress": "127.0.0.3", "port": n % 65535 + 1}])),
    ("dnsForwardingRulesets/arm/virtualNetworkLinks/l", "PATCH",
     lambda n: below(n, virtualNetwork=ref("virtualNetworks/arm"))),
    ("privateDnsZones/arm.internal", "PATCH", lambda n: body(n, "global")),
    ("privateDnsZones/arm.internal/virtualNetworkLinks/hub", "PATCH",
     lambda n: body(n, "global", virtualNetwork=HUB)),
    ("privateDnsZones/arm.internal/A/www", "PUT",
     lambda n: below(n, ttl=n, aRecords=[{"ipv4Address": "10.0.0.1"}])),
    ("privateDnsZones/arm.internal/TXT/t", "PATCH",
     lambda n: below(n, ttl=n, txtRecords=[{"value": [str(n)]}])),
    ("privateDnsZones/arm.internal/SOA/@", "PATCH", lambda n: below(n, ttl=n)),
]
# Each comes by a PUT that says the number, with what it is made of, and goes by a DELETE.
ARM_COMINGS = [
    ("virtualNetworks/coming",
     lambda n: body(n, addressSpace={"addressPrefixes": ["10.201.0.0/16"]}, subnets=[
        {"name": name, "properties": {"addressPrefix": prefix, "routeTable": {"id": "/n%d" % n}}}
        for name, prefix in (("a", "10.201.0.0/24"), ("b", "10.201.1.0/24"))])),
    ("virtualNetworks/arm/subnets/coming", lambda n: {"properties": {
        "addressPrefix": "10.200.1.0/24", "routeTable": {"id": "/n%d" % n}}}),
    ("dnsForwardingRulesets/arm/forwardingRules/coming", lambda n: below(
        n, domainName="n%d.corp." % n, targetDnsServers=[{"ipAddress": "127.0.0.3", "port": 53}])),
    ("privateDnsZones/coming.internal", lambda n: body(n, "global")),
    ("privateDnsZones/arm.internal/MX/coming",
     lambda n: below(n, ttl=n, mxRecords=[{"preference": 1, "exchange": "n%d.test" % n}])),
]


class ArmSingle(Storm):
    """One resource of each of Azure's types after the other says the number."""

    def change(self):
        path, method, says = ARM_SINGLES[self.number % len(ARM_SINGLES)]
        return [path], True, method, NETWORK + path + VERSION, says(self.number), 200


class ArmComing(Storm):
    """Some come, each by one request with all that is in it, and go."""

    def __init__(self, path, number, there):
        super().__init__(path, number)
        self.there = dict(there)

    def change(self):
        path, says = ARM_COMINGS[self.number % len(ARM_COMINGS)]
        comes = self.there[path] = not self.there[path]
        return [path], comes, *(("PUT", NETWORK + path + VERSION, says(self.number), 201) if comes
                                else ("DELETE", NETWORK + path + VERSION, None, 200))


# What one template makes of its group, each time anew: all of it says the number, and every other time
# there is a network more, which the next one, in mode Complete, takes away.
DEPLOYED = GROUP + "deployed/providers/"
DEPLOYMENT = DEPLOYED + "Microsoft.Resources/deployments/storm" + VERSION
DEPLOYED_SAYS = [
    ("virtualNetworks/first", lambda n: body(n, addressSpace={"addressPrefixes": ["10.201.0.0/16"]})),
    ("privateDnsZones/deployed.internal", lambda n: body(n, "global")),
    ("privateDnsZones/deployed.internal/A/www", lambda n: below(n, ttl=n, aRecords=[{"ipv4Address": "10.0.0.1"}])),
    ("networkInterfaces/nic", lambda n: body(n, ipConfigurations=[{"name": "ip", "properties": {"subnet": {
        "id": DEPLOYED + "Microsoft.Network/virtualNetworks/first/subnets/s"}}}]))]
MORE = ("virtualNetworks/more", lambda n: body(n, addressSpace={"addressPrefixes": ["10.202.0.0/16"]}))


def deployed(number):
    """The resources of the template."""
    return dict(DEPLOYED_SAYS + ([MORE] if number % 2 else []))


def template(number):
    resources = []
    for path, says in deployed(number).items():
        words = path.split("/")
        made = says(number)
        if path == "virtualNetworks/first":
            made["properties"]["subnets"] = [{"name": "s", "properties": {"addressPrefix": "10.201.1.0/24"}}]
        resources.append({"type": "Microsoft.Network/" + "/".join(words[::2]), "name": "/".join(words[1::2]),
                          "apiVersion": "2022-07-01", "dependsOn": words[1:2] * (len(words) > 2)
                          or ["first"] * (path == "networkInterfaces/nic"), **made})
    return {"tags": {"n": str(number)}, "properties": {"mode": "Complete", "template": {
        "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
        "contentVersion": "1.0.0.0", "resources": resources}}}


class Deployments(Storm):
    def change(self):
        return ["deployed"], True, "PUT", DEPLOYMENT, template(self.number), 200


class Kill(test_reverse.Reverse):
    def asked(self, name, type_):
        message = self.host.ask((HERE, 53), name, type_)
        self.assertIn(message.rcode, ("NOERROR", "NXDOMAIN"))
        return message

    def number_of(self, slot):
        """Which name DNS gives the slot's address; 0: none."""
        texts = self.asked(harness.reverse_name(address(slot)), "PTR").texts()
        return int(texts[0][1:].split(".")[0]) if texts else 0

    def storms(self, kept, keys, number):
        path = os.path.join(self.world.dir, "control.sock")
        return [Names(path, number, keys), Pairs(path, number),
                Comings(path, number, kept[COMING] > 0)]

    def look(self, storm, kept):
        for slot in storm.tried:
            found = self.number_of(slot)
            least = storm.acknowledged.get(slot, kept[slot])
            # The last one may have been on its way.
            self.assertIn(found, (least, storm.tried[slot]))
            kept[slot] = found

    def shown(self, path):
        """None: it is not there."""
        if path.startswith("groups/"):
            groups = self.good("GET", "/v1/state").body["groups"]
            return next((group for group in groups if "groups/-/" + group["name"] == path), None)
        answer = self.call("GET", "/v1/" + path.replace("services/-/", "services/"))
        return answer.body if answer.status == 200 else None

    def look_at_whole(self, storm, kept):
        """All of one request is there, that of the last that was acknowledged, or of the next."""
        known = storm.acknowledged.get("all", kept[storm.which])
        found = []
        for number in dict.fromkeys([known, storm.tried.get("all", known)]):
            wanted = [(path, values if number else None) for path, values in storm.everything(number)]
            shown = [(path, self.shown(path)) for path, _ in wanted]
            if all(test_random.covers(now, values) for (_, now), (_, values) in zip(shown, wanted)):
                found.append(number)
                break
        self.assertTrue(found, "neither %s nor %s: %s" % (known, storm.tried.get("all"), shown))
        kept[storm.which] = found[0]
        message = self.asked("www.k%d.internal" % storm.which, "A")
        self.assertEqual([found[0]] if found[0] else [], [record.ttl for record in message.answer
                                                          if record.text == "10.0.0.1"])

    def look_at_singles(self, storm, kept):
        for path, member in SINGLES:
            least = storm.acknowledged.get(path, kept[path])
            now = self.shown(path)[member]
            self.assertIn(now, (saying(member, least), saying(member, storm.tried.get(path, least))), path)
            kept[path] = next(number for number in (least, storm.tried.get(path, least))
                              if saying(member, number) == now)

    def arm(self, path):
        """What ARM shows; None: it is not there."""
        answer = self.call("GET", NETWORK + path + VERSION)
        self.assertIn(answer.status, (200, 404), answer)
        return answer.body if answer.status == 200 else None

    def look_at_arm(self, storm, kept, says):
        """What a request made is there whole: that of the last that was acknowledged, or of the next."""
        for path in says:
            least = storm.acknowledged.get(path, kept[path])
            now = self.arm(path)
            for number in dict.fromkeys([least, storm.tried.get(path, least)]):
                if test_random.covers(now, says[path](number)) if number else now is None:
                    kept[path] = number
                    break
            else:
                self.fail("%s is neither of %s and %s: %s" % (path, least, storm.tried.get(path), now))

    def look_at_deployed(self, storm, known):
        """The resources of one template are there, of the last that was acknowledged or of the next, and no
        others. Returns its number."""
        least = storm.acknowledged.get("deployed", known)
        now = {path: self.call("GET", DEPLOYED + "Microsoft.Network/" + path + VERSION)
               for path, _ in DEPLOYED_SAYS + [MORE]}
        shown = {path: answer.body for path, answer in now.items() if answer.status == 200}
        for number in dict.fromkeys([least, storm.tried.get("deployed", least)]):
            wanted = {path: says(number) for path, says in deployed(number).items()}
            wanted["networkInterfaces/nic"] = {"tags": wanted["networkInterfaces/nic"]["tags"]}
            if wanted.keys() == shown.keys() and all(
                    test_random.covers(shown[path], values) for path, values in wanted.items()):
                break
        else:
            self.fail("neither %s nor %s: %s" % (least, storm.tried.get("deployed"), shown))
        record = self.call("GET", DEPLOYMENT).body  # of that very template
        self.assertEqual(({"n": str(number)}, "Succeeded"), (
            record["tags"], record["properties"]["provisioningState"]))
        self.assertEqual(sorted(wanted), sorted(each["id"].split("Microsoft.Network/")[1]
                                                for each in record["properties"]["outputResources"]))
        return number

    def end_it(self, both):
        """By kill -9: the master too, or the server alone, which the master starts again."""
        if both:
            self.sluice.kill()
            return
        before = self.sluice.pid
        os.kill(before, signal.SIGKILL)
        harness.wait_for(lambda: harness.is_gone(before), "the server to go")
        self.sluice.wait_another(before)

    def test_what_was_acknowledged_outlives_a_kill_at_any_instant(self):
        print("# KILLS=%d" % KILLS, flush=True)
        chance = random.Random(SEED)
        for slot in (*SLOTS, *PAIR):
            self.good("PUT", "/v1/addresses/g/a%d" % slot, {"address": address(slot)}, 201)
        for path, values in ONE:
            self.good("PUT", "/v1/" + path, values, 201)
        self.good("PUT", GROUP + "arm" + VERSION, {"location": "westeurope"}, 201)
        for path, _, says in ARM_SINGLES:
            self.assertIn(self.call("PUT", NETWORK + path + VERSION, says(1)).status, (200, 201), path)
        self.good("PUT", GROUP + "deployed" + VERSION, {"location": "westeurope"}, 201)
        self.good("PUT", DEPLOYMENT, template(1), 201)
        arm_singles, in_template = {path: 1 for path, _, _ in ARM_SINGLES}, 1
        arm_comings = {path: 0 for path, _ in ARM_COMINGS}
        keys = [self.key_of("a%d" % slot, "g") for slot in SLOTS]
        kept, number = dict.fromkeys((*SLOTS, *PAIR, COMING), 0), 0
        wholes, singles = dict.fromkeys(range(1, WHOLES + 1), 0), {path: 0 for path, _ in SINGLES}
        kills, acknowledged, requests = 0, [0] * (3 + WHOLES + 4), 0
        secret = self.world.secret("some.secret", test_resources.SECRET)
        path = os.path.join(self.world.dir, "control.sock")
        # On a busy machine on and on, and longer, until each kind has had its turn.
        while kills < KILLS or min(acknowledged) <= KILLS // 10:
            names = self.storms(kept, keys, number)
            all_kinds = [Whole(path, number, which, secret) for which in wholes]
            storms = names + all_kinds + [Single(path, number, SINGLES), ArmSingle(path, number),
                                          ArmComing(path, number, {
                at: number > 0 for at, number in arm_comings.items()}), Deployments(path, number)]
            for storm in storms:
                storm.start()
            time.sleep(chance.uniform(0, LIFE_MS << kills // KILLS) / 1000)
            both = chance.random() < 0.5
            self.end_it(both)
            for storm in storms:  # one that had not been let in yet is, by the next server
                storm.ending = True
            for storm in storms:
                storm.join(60)
                self.assertFalse(storm.is_alive())
                self.assertEqual([], storm.refused)
            if both:
                self.start()
            self.sluice.wait_managed()
            for storm in names:
                self.look(storm, kept)
            for storm in all_kinds:
                self.look_at_whole(storm, wholes)
            self.look_at_singles(storms[-4], singles)
            self.look_at_arm(storms[-3], arm_singles, {at: says for at, _, says in ARM_SINGLES})
            self.look_at_arm(storms[-2], arm_comings, dict(ARM_COMINGS))
            in_template = self.look_at_deployed(storms[-1], in_template)
            self.assertEqual([arm_singles["privateDnsZones/arm.internal/A/www"]], [
                record.ttl for record in self.asked("www.arm.internal", "A").answer])
            self.assertEqual(kept[PAIR[0]], kept[PAIR[1]])
            forward = self.asked("%s.westeurope.cloudapp.azure.com." % LABEL, "A").texts()
            self.assertEqual([address(COMING) if kept[COMING] else OUTSIDE], forward)
            requests += sum(storm.number for storm in storms) - number * len(storms)
            number, kills = max(storm.number for storm in storms), kills + 1
            acknowledged = [a + len(s.acknowledged) for a, s in zip(acknowledged, storms)]
        revisions = [c["revision"] for c in self.good("GET", "/v1/changes?limit=5000").body["changes"]]
        self.assertEqual(sorted(revisions), revisions)
        print("# %d kills, %d requests" % (kills, requests), flush=True)


if __name__ == "__main__":
    harness.main()
