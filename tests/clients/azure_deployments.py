"""Templates as people have them (templates/), deployed by one of Azure's clients, and what DNS says then;
what each client's test shares. The machines are those of azure_topology.

A client's test says how it calls the operations on deployments. There `group` None is the subscription, and
what is given is as Azure's API gives it, with `properties`."""

import json
import os

import azure_topology
from azure_topology import HUB, HUB_LINK, INBOUND, LOCATION, OF_OFFICE, OFFICE, OUTSIDE, WEB, ZONE
from azure_topology import SUBSCRIPTION_PATH
from azure_world import GROUPS

TEMPLATES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "templates")
# What the private resolver needs, and one whose rules cannot be.
RESOLVER = {"office": OFFICE, "domains": [{"name": "corp.contoso.com.", "port": 53}]}
WRONG = dict(RESOLVER, domains=RESOLVER["domains"] + [{"name": "no..where.", "port": 53}])
RESOLVER_HAS = {"virtualNetworks/hub", "dnsResolvers/hub-resolver", "inboundEndpoints/in",
                "outboundEndpoints/out", "dnsForwardingRulesets/hub-ruleset", "forwardingRules/rule1",
                "virtualNetworkLinks/hub"}


def text_of(template):
    with open(os.path.join(TEMPLATES, template + ".json")) as file:
        return file.read()


def load(template):
    """Its texts may have several lines, as Azure's client reads them, too."""
    return json.loads(text_of(template), strict=False)


def body(template, parameters, mode="Incremental", group=None):
    wanted = {"properties": {"mode": mode, "template": load(template), "parameters": {
        name: {"value": value} for name, value in parameters.items()}}}
    return wanted if group else dict(wanted, location=LOCATION)


def outputs(deployment):
    return {name: each.get("value") for name, each in deployment["properties"]["outputs"].items()}


def short(resource):
    return "/".join(resource.split("/")[-2:])


class Deployments(azure_topology.Topology):
    def setUp(self):
        super().setUp()
        for group in ("hub-rg", "spoke-rg"):
            self.ask_arm("PUT", GROUPS + group, {"location": LOCATION})

    def tearDown(self):
        """All groups go, those with a hub first."""
        for each in self.get(SUBSCRIPTION_PATH + "/resourcegroups")["value"]:
            self.ask_arm("DELETE", each["id"])
        super().tearDown()

    def ask_arm(self, method, path, sent=None):
        status, answer = self.arm.call(method, path, sent)
        self.assertIn(status, (200, 201), answer)

    # ---- what a client does

    def create(self, group, name, template, mode="Incremental", **parameters):
        """The deployment, which must succeed."""
        raise NotImplementedError

    def refusal(self, group, name, template, **parameters):
        """What the client says when it cannot be created, and why."""
        raise NotImplementedError

    def validate(self, group, name, template, **parameters):
        """The deployment that it would be, or its "error"."""
        raise NotImplementedError

    def what_if(self, group, name, template, mode="Incremental", **parameters):
        """A list of changes."""
        raise NotImplementedError

    def show(self, group, name):
        raise NotImplementedError

    def exists(self, group, name):
        raise NotImplementedError

    def deployments(self, group, state=None):
        """A list of all; of those in that state."""
        raise NotImplementedError

    def operations(self, group, name):
        """A list of them."""
        raise NotImplementedError

    def export(self, group, name):
        """The template."""
        raise NotImplementedError

    def delete(self, group, name):
        raise NotImplementedError

    # ---- what is seen of it

    def changes(self, *words, **named):
        """What would be done, by the resource's type and name."""
        return {short(each["resourceId"]): each["changeType"] for each in self.what_if(*words, **named)}

    def names(self, *words):
        return sorted(each["name"] for each in self.deployments(*words))

    def is_deployed(self, deployment):
        """Its outputs; the client shows it with the same."""
        self.assertEqual("Succeeded", deployment["properties"]["provisioningState"], deployment)
        return outputs(deployment)

    # ---- templates

    def test_a_private_resolver(self):
        self.below(self.hub_vm, "example.com", rcode="REFUSED")
        given = self.is_deployed(self.create("hub-rg", "resolver", "private-resolver", **RESOLVER))
        self.assertEqual({"address": INBOUND, "network": {"displayName": "HUB"},
                          "rules": ["corp.contoso.com."]}, given)
        self.office_answers(self.hub_vm)
        self.below(self.office, "corp.contoso.com", OF_OFFICE, server=INBOUND)
        self.below(self.office, "example.com", OUTSIDE, server=INBOUND)
        # Once more, with a parameter changed and one rule more.
        more = dict(RESOLVER, domains=RESOLVER["domains"] + [{"name": "fabrikam.com.", "port": 53}])
        self.create("hub-rg", "resolver", "private-resolver", **more)
        self.below(self.hub_vm, "fabrikam.com", OF_OFFICE)
        self.create("hub-rg", "resolver", "private-resolver", ruleState="Disabled", **more)
        for domain in ("corp.contoso.com", "fabrikam.com"):
            self.below(self.hub_vm, domain, OUTSIDE)

    def test_private_zones(self):
        for name, prefix in (("hub", "10.10.0.0/16"), ("spoke", "10.20.0.0/16")):
            self.make_network("hub-rg", name, prefix)
        made = self.create("hub-rg", "zones", "private-zones", networks=["hub", "spoke"], ttl=60, machines={
            "db": ["10.10.1.20"], "web": ["10.10.1.10", "10.10.1.11"]})
        self.assertEqual({"links": 2, "fqdn": "www.contoso.internal."}, self.is_deployed(made))
        for machine in (self.hub_vm, self.spoke_vm):
            self.answers(machine, "web.contoso.internal", "10.10.1.10", "10.10.1.11")
            self.assertEqual(60, self.answers(machine, "www.contoso.internal", "10.10.1.20").answer[0].ttl)
            self.answers(machine, "contoso.internal", "v=spf1 mx -all", rtype="TXT")
            self.below(machine, "contoso.internal", rcode="NXDOMAIN")

    def test_private_endpoints(self):
        self.below(self.spoke_vm, "example.com", rcode="REFUSED")
        made = self.create("spoke-rg", "endpoints", "private-endpoints", account="ContosoData")
        self.assertIn("/networkInterfaces/", self.is_deployed(made)["interface"])
        self.answers(self.spoke_vm, "contosodata.privatelink.blob.core.windows.net", "10.20.2.4")
        self.answers(self.spoke_vm, "contosodata.privatelink.queue.core.windows.net", "10.20.2.5")

    def test_a_hub_with_spokes_by_copy_and_nested_deployments(self):
        made = self.create("hub-rg", "all", "hub-and-spokes", spokeGroup="spoke-rg", spokes=2)
        spokes = [azure_topology.network("spoke-rg", "spoke%d" % i, "").id for i in range(2)]
        self.assertEqual({"networks": spokes, "spaces": {"addressPrefixes": ["10.10.0.0/16"]}},
                         self.is_deployed(made))
        for i in range(2):
            self.answers(self.spoke_vm, "spoke%d.contoso.internal" % i, "10.2%d.0.4" % i)
        self.below(self.hub_vm, "contoso.internal", OUTSIDE)
        self.assertEqual(["all", "hub-to-spoke-0", "hub-to-spoke-1"], self.names("hub-rg"))
        self.assertEqual(["spoke-0", "spoke-1"], self.names("spoke-rg"))
        given = outputs(self.show("spoke-rg", "spoke-1"))
        self.assertEqual({"network": spokes[1], "first": "10.21.0.4"}, given)

    def test_a_subscription_gets_groups_and_modules_in_them(self):
        parameters = {"prefix": "made", "zones": ["one.internal", "two.internal"]}
        validated = self.validate(None, "groups", "groups", **parameters)
        self.assertEqual("Succeeded", validated["properties"]["provisioningState"], validated)
        changes = self.changes(None, "groups", "groups", **parameters)
        self.assertEqual({"Create"}, set(changes.values()))
        self.assertLessEqual({"resourceGroups/made-0", "virtualNetworks/net1", "A/web"}, set(changes))
        text = self.refusal(None, "wrong", "groups", **dict(parameters, address="10.10.1.300"))
        self.assertIn("10.10.1.300", text)
        self.assertEqual("Failed", self.show(None, "wrong")["properties"]["provisioningState"])
        self.assertEqual(404, self.arm.call("GET", GROUPS + "made-0")[0])
        self.below(self.hub_vm, "example.com", rcode="REFUSED")
        given = self.is_deployed(self.create(None, "groups", "groups", **parameters))
        self.assertEqual({"groups": ["made-0", "made-1"], "subscription": SUBSCRIPTION_PATH}, given)
        self.answers(self.hub_vm, "web.one.internal", "10.10.1.10")
        self.below(self.hub_vm, "two.internal", OUTSIDE)
        self.assertEqual(given, outputs(self.show(None, "groups")))
        self.assertEqual(["zone-1"], self.names("made-1"))
        self.assertIn("groups", self.names(None))
        self.assertIn("resourceGroups/made-1", self.targets(None, "groups"))
        self.assertEqual(load("groups"), self.export(None, "groups"))
        self.delete(None, "groups")
        self.assertIs(False, self.exists(None, "groups"))
        self.answers(self.hub_vm, "web.one.internal", "10.10.1.10")

    def test_what_bicep_makes(self):
        parameters = {
            "networkName": "hub", "zoneName": None, "tags": {"owner": "dns"},
            "records": [{"name": "web", "addresses": ["10.10.1.10"], "ttl": 60},
                        {"name": "db", "addresses": ["10.10.1.20", "10.10.1.21"]}],
            "rules": [{"domain": "corp.contoso.com.", "targets": [{"ip": OFFICE}]},
                      {"domain": "fabrikam.com.", "targets": [{"ip": OFFICE, "port": 53}], "enabled": False}]}
        self.assertIn("hub", self.refusal("hub-rg", "bicep", "bicep", **parameters))  # which is to exist
        self.make_network("hub-rg", "hub", "10.10.0.0/16")
        given = self.is_deployed(self.create("hub-rg", "bicep", "bicep", **parameters))
        self.assertEqual({"spaces": ["10.10.0.0/16"], "names": ["web.corp.internal.", "db.corp.internal."],
                          "address": None, "owner": "dns"}, given)
        self.assertEqual(60, self.answers(self.hub_vm, "web.corp.internal", "10.10.1.10").answer[0].ttl)
        self.answers(self.hub_vm, "db.corp.internal", "10.10.1.20", "10.10.1.21")
        self.below(self.hub_vm, "corp.internal", rcode="NXDOMAIN")
        self.below(self.hub_vm, "corp.contoso.com", OUTSIDE)
        parameters.update(withResolver=True, tags=None)
        given = self.is_deployed(self.create("hub-rg", "bicep", "bicep", **parameters))
        self.assertEqual((INBOUND, None), (given["address"], given["owner"]))
        self.office_answers(self.hub_vm)
        self.below(self.office, "fabrikam.com", OUTSIDE, server=INBOUND)

    # ---- operations

    def make_network(self, group, name, prefix):
        thing = azure_topology.network(group, name, prefix)
        self.ask_arm("PUT", thing.id, thing.body)

    def targets(self, group, name):
        return {short(each["properties"]["targetResource"]["id"]) for each in self.operations(group, name)}

    def test_it_is_tried_made_shown_and_forgotten(self):
        name = ("hub-rg", "resolver")
        validated = self.validate(*name, "private-resolver", **RESOLVER)
        self.assertEqual("Succeeded", validated["properties"]["provisioningState"], validated)
        self.assertEqual(dict.fromkeys(RESOLVER_HAS, "Create"),
                         self.changes(*name, "private-resolver", **RESOLVER))
        self.below(self.hub_vm, "example.com", rcode="REFUSED")
        self.assertEqual((False, []), (self.exists(*name), self.names("hub-rg")))
        made = self.create(*name, "private-resolver", **RESOLVER)
        self.office_answers(self.hub_vm)
        self.assertEqual(made["properties"], self.show(*name)["properties"])
        self.assertEqual((True, ["resolver"]), (self.exists(*name), self.names("hub-rg")))
        self.assertEqual(RESOLVER_HAS, self.targets(*name))
        self.assertEqual(load("private-resolver"), self.export(*name))
        self.assertEqual(dict.fromkeys(RESOLVER_HAS, "NoChange"),
                         self.changes(*name, "private-resolver", **RESOLVER))
        changes = self.changes(*name, "private-resolver", ruleState="Disabled", **RESOLVER)
        self.assertEqual(["forwardingRules/rule1"], [each for each in changes if changes[each] == "Modify"])
        self.delete(*name)
        self.assertEqual((False, []), (self.exists(*name), self.names("hub-rg")))
        self.office_answers(self.hub_vm)

    def test_mode_complete_removes_the_rest_of_the_group(self):
        for each in (HUB, ZONE, HUB_LINK, WEB):
            self.ask_arm("PUT", each.id, each.body)
        self.answers(self.hub_vm, "web.contoso.internal", "10.10.1.10")
        name = ("hub-rg", "rest", "private-resolver")
        for mode, change in (("Incremental", "Ignore"), ("Complete", "Delete")):
            changes = self.changes(*name, mode=mode, **RESOLVER)
            self.assertEqual(change, changes["privateDnsZones/contoso.internal"])
        self.answers(self.hub_vm, "web.contoso.internal", "10.10.1.10")
        self.create(*name, mode="Complete", **RESOLVER)
        self.below(self.hub_vm, "contoso.internal", OUTSIDE)
        self.is_gone(ZONE)
        self.office_answers(self.hub_vm)

    def test_all_of_it_is_made_or_nothing(self):
        name = ("hub-rg", "resolver")
        self.assertTrue(self.validate(*name, "private-resolver", **WRONG)["error"])
        self.assertIn("no..where.", self.refusal(*name, "private-resolver", **WRONG))
        shown = self.show(*name)["properties"]
        self.assertEqual(("Failed", "DeploymentFailed"), (shown["provisioningState"], shown["error"]["code"]))
        self.assertEqual([["resolver"], []], [self.names("hub-rg", state) for state in ("Failed", "Succeeded")])
        [failed] = self.operations(*name)
        self.assertIn("no..where.", failed["properties"]["statusMessage"]["error"]["message"])
        self.below(self.hub_vm, "example.com", rcode="REFUSED")
        self.is_gone(HUB)
        self.create(*name, "private-resolver", **RESOLVER)
        self.refusal(*name, "private-resolver", ruleState="Disabled", **WRONG)
        self.assertEqual("Failed", self.show(*name)["properties"]["provisioningState"])
        self.office_answers(self.hub_vm)
