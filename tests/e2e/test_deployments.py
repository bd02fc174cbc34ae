"""Azure's templates deployed: validated, previewed, made as one change or not at all, kept, and undone as
a whole."""

import base64
import contextlib
import json
import os
import re
import sqlite3
import urllib.parse

import harness
import test_arm_types
from test_arm_types import HUB, LOCATION, ROOT, S, SPOKE, below, ref

SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
DEPLOYMENTS = "/providers/Microsoft.Resources/deployments/"
SECRET = "swordfish-7f3a"


def template(*resources, **more):
    return {"$schema": SCHEMA, "contentVersion": "1.0.0.0", "resources": list(resources), **more}


def resource(type_, name, properties=None, **more):
    return {"type": "Microsoft.Network/" + type_, "apiVersion": "2022-07-01", "name": name,
            "location": "[resourceGroup().location]", "properties": properties or {}, **more}


def network_of(name, prefix, *subnets, **more):
    return resource("virtualNetworks", name, {
        "addressSpace": {"addressPrefixes": [prefix]},
        "subnets": [{"name": subnet, "properties": {"addressPrefix": at, "delegations": [
            {"name": "d", "properties": {"serviceName": "Microsoft.Network/dnsResolvers"}}]}}
            for subnet, at in subnets]}, **more)


def deployment(name, inner, **more):
    return {"type": "Microsoft.Resources/deployments", "apiVersion": "2022-09-01", "name": name,
            "properties": {"mode": "Incremental", "template": inner,
                           "expressionEvaluationOptions": {"scope": "inner"}, **more.pop("properties", {})}, **more}


def values(**given):
    return {name: {"value": value} for name, value in given.items()}


# A private resolver in the style of Azure's quickstart: a network, its resolver, endpoints, a ruleset.
RESOLVER = template(
    network_of("[parameters('vnet')]", "[variables('space')]", ("in", "10.10.0.0/28"), ("out", "10.10.0.16/28")),
    resource("dnsResolvers", "[parameters('resolver')]", {
        "virtualNetwork": {"id": "[resourceId('Microsoft.Network/virtualNetworks', parameters('vnet'))]"}},
        dependsOn=["[resourceId('Microsoft.Network/virtualNetworks', parameters('vnet'))]"]),
    resource("dnsResolvers/inboundEndpoints", "[format('{0}/{1}', parameters('resolver'), 'in')]", {
        "ipConfigurations": [{"privateIpAllocationMethod": "Dynamic", "subnet": {"id": "[variables('inbound')]"}}]},
        dependsOn=["[resourceId('Microsoft.Network/dnsResolvers', parameters('resolver'))]"]),
    resource("dnsResolvers/outboundEndpoints", "[concat(parameters('resolver'), '/out')]", {
        "subnet": {"id": "[resourceId('Microsoft.Network/virtualNetworks/subnets', parameters('vnet'), 'out')]"}},
        dependsOn=["[parameters('resolver')]"]),
    resource("dnsForwardingRulesets", "rs", {"dnsResolverOutboundEndpoints": [
        {"id": "[variables('outbound')]"}]}, dependsOn=["[variables('outbound')]"]),
    resource("dnsForwardingRulesets/forwardingRules", "[concat('rs/', variables('rules')[copyIndex()].name)]", {
        "domainName": "[variables('rules')[copyIndex()].domain]",
        "targetDnsServers": [{"ipAddress": "127.0.0.5", "port": 53}]},
        copy={"name": "rules", "count": "[length(variables('rules'))]"}, dependsOn=["rs"]),
    resource("dnsForwardingRulesets/virtualNetworkLinks", "rs/hub", {"virtualNetwork": {
        "id": "[resourceId('Microsoft.Network/virtualNetworks', parameters('vnet'))]"}},
        dependsOn=["[resourceId('Microsoft.Network/dnsForwardingRulesets', 'rs')]", "rules"]),
    parameters={"vnet": {"type": "string", "defaultValue": "hub"},
                "resolver": {"type": "string", "defaultValue": "r", "metadata": {"description": "its name"}},
                "admin": {"type": "secureString", "defaultValue": ""}},
    variables={
        "space": "10.10.0.0/16",
        "inbound": "[resourceId('Microsoft.Network/virtualNetworks/subnets', parameters('vnet'), 'in')]",
        "outbound": "[resourceId('Microsoft.Network/dnsResolvers/outboundEndpoints', parameters('resolver'), 'out')]",
        "rules": [{"name": "contoso", "domain": "contoso.corp."}, {"name": "fabrikam", "domain": "fabrikam.corp."}]},
    outputs={"address": {"type": "string", "value":
                         "[reference(resourceId('Microsoft.Network/dnsResolvers/inboundEndpoints', "
                         "parameters('resolver'), 'in')).ipConfigurations[0].privateIpAddress]"},
             "secret": {"type": "secureString", "value": "[parameters('admin')]"}})
ZONE = template(
    resource("privateDnsZones", "corp.internal", location="global"),
    resource("privateDnsZones/virtualNetworkLinks", "corp.internal/hub", {
        "registrationEnabled": False,
        "virtualNetwork": {"id": "[resourceId('Microsoft.Network/virtualNetworks', 'hub')]"}},
        location="global", dependsOn=["corp.internal"]),
    resource("privateDnsZones/A", "corp.internal/www", {"ttl": 300, "aRecords": [{"ipv4Address": "10.0.0.1"}]},
             dependsOn=["corp.internal"]))


class World(test_arm_types.World):
    def post(self, what, name, body_template, group=HUB, status=None, mode="Incremental", **given):
        path = ROOT + group + DEPLOYMENTS + name + ("/" + what if what else "")
        return self.arm("PUT" if not what else "POST", path, {"properties": {
            "mode": mode, "template": body_template, "parameters": values(**given)}}, status)

    def deploy(self, name, body_template, status=201, **how):
        return self.post("", name, body_template, status=status, **how)

    def what_if(self, body_template, **how):
        changes = self.post("whatIf", "w", body_template, status=200, **how).body["properties"]["changes"]
        return {change["resourceId"].split("/providers/")[-1].split("/", 1)[-1]: change for change in changes}

    def state(self):
        """All that the state has, but for what is kept of deployments."""
        return self.good("GET", "export").body["edits"]


class Deployments(World):
    def listed(self, wanted):
        path = ROOT + HUB + DEPLOYMENTS.rstrip("/") + "?$filter=" + urllib.parse.quote(wanted)
        return [each["name"] for each in self.arm("GET", path, status=200).body["value"]]

    def test_a_private_resolver_is_there_at_once_and_goes_as_a_whole(self):
        before = self.state()
        made = self.deploy("dns", RESOLVER).body
        self.assertEqual("Succeeded", made["properties"]["provisioningState"])
        self.assertEqual({"type": "String", "value": "10.10.0.4"}, made["properties"]["outputs"]["address"])
        self.assertEqual(8, len(made["properties"]["outputResources"]))
        self.assert_answer(self.ask("a.contoso.corp"), "198.51.100.5")
        self.assert_answer(self.ask("a.fabrikam.corp"), "198.51.100.5")
        changes = self.good("GET", "changes").body["changes"]
        revision = changes[-1]["revision"]
        self.assertEqual(2 + 8, len([1 for change in changes if change["revision"] == revision]))  # and subnets
        self.deploy("zone", ZONE)
        self.assert_answer(self.ask("www.corp.internal"), "10.0.0.1")
        for _ in range(2):
            number = self.good("GET", "changes").body["changes"][-1]["revision"]
            status, text = self.sluice.command("undo", str(number if _ == 0 else revision))
            self.assertEqual(0, status, text)
        self.assertEqual(before, self.state())

    def test_it_is_kept_and_shown(self):
        self.deploy("dns", RESOLVER)
        path = ROOT + HUB + DEPLOYMENTS + "dns"
        self.arm("HEAD", path, status=204)
        self.arm("HEAD", path + "x", status=404)
        shown = self.arm("GET", path.replace("/dns", "/DNS"), status=200).body
        self.assertEqual("Microsoft.Resources/deployments", shown["type"])
        self.assertEqual({"type": "String", "value": "hub"}, shown["properties"]["parameters"]["vnet"])
        operations = self.arm("GET", ROOT + HUB + "/deployments/dns/operations", status=200).body["value"]
        self.assertEqual({"virtualNetworks", "dnsResolvers", "inboundEndpoints", "outboundEndpoints",
                          "dnsForwardingRulesets", "forwardingRules", "virtualNetworkLinks"},
                         {each["properties"]["targetResource"]["resourceType"].split("/")[-1] for each in operations})
        one = self.arm("GET", ROOT + HUB + "/deployments/dns/operations/" + operations[0]["operationId"], status=200)
        self.assertEqual(operations[0], one.body)
        self.assertEqual(RESOLVER, self.arm("POST", path + "/exportTemplate", status=200).body["template"])
        self.refused(409, "DeploymentCannotBeCancelled", "'Succeeded'", "POST", path + "/cancel")
        self.deploy("dns", RESOLVER, status=200)
        self.sluice.kill()
        self.start()
        listed = self.arm("GET", ROOT + HUB + DEPLOYMENTS.rstrip("/"), status=200).body["value"]
        self.assertEqual(["dns"], [each["name"] for each in listed])
        self.arm("DELETE", path, status=204)
        self.arm("GET", path, status=404)
        self.arm("GET", below("dnsResolvers/r"), status=200)

    def test_all_of_it_is_made_or_nothing(self):
        before = self.state()
        wrong = json.loads(json.dumps(RESOLVER))
        wrong["resources"][4]["properties"]["dnsResolverOutboundEndpoints"][0]["id"] = below(
            "dnsResolvers/r/outboundEndpoints/other")
        error = self.deploy("dns", wrong, status=400).body["error"]
        self.assertEqual("DeploymentFailed", error["code"])
        self.assertEqual(["InvalidResourceReference"], [each["code"] for each in error["details"]])
        self.assertEqual("resources[4].properties.dnsResolverOutboundEndpoints[0].id", error["details"][0]["target"])
        self.assertRegex(error["details"][0]["message"], "^rs: .*outboundEndpoints/other")
        self.assertEqual(before, self.state())
        shown = self.arm("GET", ROOT + HUB + DEPLOYMENTS + "dns", status=200).body["properties"]
        self.assertEqual(("Failed", error), (shown["provisioningState"], shown["error"]))
        [failed] = self.arm("GET", ROOT + HUB + "/deployments/dns/operations", status=200).body["value"]
        self.assertEqual(("Failed", {"status": "Failed", "error": error["details"][0]}),
                         tuple(map(failed["properties"].get, ("provisioningState", "statusMessage"))))
        self.assertEqual(["dns"], self.listed("provisioningState eq 'Failed'"))
        self.assertEqual([], self.listed("provisioningState eq 'Succeeded'"))
        overlapping = template(network_of("n", "10.1.0.0/16", ("a", "10.1.0.0/24"), ("b", "10.1.0.0/28")))
        error = self.deploy("n", overlapping, status=400).body["error"]["details"][0]
        self.assertRegex(error["message"], "virtualNetworks/n/subnets/.: .*overlaps")
        self.assertEqual(before, self.state())
        self.post("validate", "n", overlapping, status=400)

    def test_the_environment_is_azures(self):
        made = self.deploy("e", template(outputs={"e": {"type": "object", "value": "[environment()]"}})).body
        cloud = made["properties"]["outputs"]["e"]["value"]
        self.assertEqual({
            "storage": "core.windows.net", "sqlServerHostname": ".database.windows.net",
            "keyvaultDns": ".vault.azure.net", "acrLoginServer": ".azurecr.io",
            "azureDatalakeAnalyticsCatalogAndJob": "azuredatalakeanalytics.net",
            "azureDatalakeStoreFileSystem": "azuredatalakestore.net",
            "azureFrontDoorEndpointSuffix": "azurefd.net"}, cloud["suffixes"])
        self.assertEqual([cloud["resourceManager"]], cloud["authentication"]["audiences"])

    def test_a_template_sees_who_deploys_and_what_there_is(self):
        made = self.deploy("e", template(outputs={
            name: {"type": kind, "value": "[%s]" % call} for name, kind, call in (
                ("who", "object", "deployer()"), ("subscription", "object", "subscription()"),
                ("provider", "object", "providers('Microsoft.Network')"),
                ("type", "object", "providers('microsoft.network', 'dnsresolvers')"),
                ("zones", "array", "pickZones('Microsoft.Network', 'publicIPAddresses', 'westeurope')"))})).body
        made = {name: output["value"] for name, output in made["properties"]["outputs"].items()}
        subscription = self.arm("GET", "/subscriptions/" + S, status=200).body
        self.assertEqual(subscription, {**made["subscription"], "state": "Enabled"})
        provider = self.arm("GET", "/subscriptions/" + S + "/providers/Microsoft.Network", status=200).body
        self.assertEqual(provider, made["provider"])
        self.assertIn(made["type"], provider["resourceTypes"])
        self.assertEqual("dnsResolvers", made["type"]["resourceType"])
        self.assertEqual([], made["zones"])
        self.assertEqual(["objectId", "tenantId", "userPrincipalName"], sorted(made["who"]))
        self.assertEqual(("uid %d" % os.getuid(), subscription["tenantId"]),
                         (made["who"]["userPrincipalName"], made["who"]["tenantId"]))
        error = self.deploy("e", template(outputs={
            "o": {"type": "object", "value": "[providers('Microsoft.Sql')]"}}), status=400).body["error"]
        self.assertRegex(error["message"], "the provider 'Microsoft.Sql' is not known here")

    def test_a_template_has_its_hash_ahead_of_its_deployment(self):
        path = "/providers/Microsoft.Resources/calculateTemplateHash"
        answer = self.arm("POST", path, ZONE, 200).body
        self.assertEqual(ZONE, json.loads(answer["minifiedTemplate"]))
        self.assertNotIn("\n", answer["minifiedTemplate"])
        self.assertNotEqual(answer["templateHash"], self.arm("POST", path, template(), 200).body["templateHash"])
        self.deploy("dns", RESOLVER)
        self.assertEqual(answer["templateHash"], self.deploy("zone", ZONE).body["properties"]["templateHash"])
        self.refused(400, "InvalidRequestContent", "must be a template", "POST", path, [])

    def test_a_resource_that_is_only_for_where_there_is_none_stays(self):
        once = {"@options": {"onlyIfNotExists": []}}
        first = template(network_of("hub", "10.1.0.0/16", ("in", "10.1.0.0/24")),
                         resource("virtualNetworks/subnets", "hub/in", {"addressPrefix": "10.1.7.0/24"},
                                  dependsOn=["hub"], **once),
                         network_of("other", "10.2.0.0/16", **once))
        self.deploy("first", first)
        again = template(network_of("hub", "10.3.0.0/16", **once), network_of("other", "10.4.0.0/16"))
        changes = self.what_if(again)
        self.assertEqual({"virtualNetworks/hub": "NoChange", "virtualNetworks/other": "Modify"},
                         {path: change["changeType"] for path, change in changes.items()})
        made = self.deploy("again", again, mode="Complete").body
        self.assertEqual(2, len(made["properties"]["outputResources"]))
        for name, prefix in (("hub", "10.1.0.0/16"), ("other", "10.4.0.0/16")):
            shown = self.arm("GET", below("virtualNetworks/" + name), status=200).body["properties"]
            self.assertEqual([prefix], shown["addressSpace"]["addressPrefixes"])
        [subnet] = self.arm("GET", below("virtualNetworks/hub"), status=200).body["properties"]["subnets"]
        self.assertEqual("10.1.0.0/24", subnet["properties"]["addressPrefix"])

    def test_a_template_that_is_wrong_says_where(self):
        for wrong, place, text in (
                (template(network_of("[parameters('no')]", "10.1.0.0/16")), "resources[0].name", "'?no'?"),
                (template(network_of("n", "[variables('no')]")), "resources[0].properties.addressSpace", "no"),
                (template(resource("virtualNetworks", "a/b")), "resources[0]", "segment"),
                (template(dict(network_of("n", "10.1.0.0/16"), dependsOn=["other"])), "resources[0]", "other")):
            with self.subTest(place=place, text=text):
                error = self.deploy("n", wrong, status=400).body["error"]
                self.assertEqual("InvalidTemplate", error["code"])
                self.assertTrue(error["target"].startswith(place), error)
                self.assertRegex(error["message"], text)
        error = self.deploy("n", template(dict(network_of("n", "10.1.0.0/16"), type="Microsoft.Sql/servers")),
                            status=400).body["error"]
        self.assertRegex(error["details"][0]["message"], "Microsoft.Sql/servers are not supported here")
        self.arm("GET", below("virtualNetworks/n"), status=404)

    def test_validate_and_what_if_change_nothing(self):
        self.build_all()
        before, revision = self.state(), self.arm("GET", ROOT + HUB, status=200)
        zone = json.loads(json.dumps(ZONE))
        zone["resources"][2]["properties"]["ttl"] = 60
        zone["resources"] += [network_of("new", "10.50.0.0/16")]
        validated = self.post("validate", "w", zone, status=200).body["properties"]
        self.assertEqual(4, len(validated["validatedResources"]))
        changes = self.what_if(zone)
        self.assertEqual({"privateDnsZones/corp.internal": "Modify",  # it had tags
                          "privateDnsZones/corp.internal/virtualNetworkLinks/hub": "NoChange",
                          "privateDnsZones/corp.internal/A/www": "Create",
                          "virtualNetworks/new": "Create", "virtualNetworks/hub": "Ignore",
                          "dnsResolvers/r": "Ignore", "dnsForwardingRulesets/rs": "Ignore"},
                         {path: change["changeType"] for path, change in changes.items()})
        zone["resources"][2]["name"] = "corp.internal/db"
        delta = self.what_if(zone)["privateDnsZones/corp.internal/A/db"]["delta"]
        self.assertIn({"path": "properties.ttl", "propertyChangeType": "Modify", "before": 300, "after": 60,
                       "children": None}, delta)
        self.assertEqual(before, self.state())
        self.assertEqual(revision.body, self.arm("GET", ROOT + HUB, status=200).body)
        self.arm("GET", ROOT + HUB + DEPLOYMENTS + "w", status=404)

    def test_what_if_shows_a_change_of_a_tag_with_a_very_long_name(self):
        for i, name in enumerate(("é" * 200, "x" + "é" * 200)):
            with self.subTest(i):
                self.deploy("d%d" % i, template(network_of("n", "10.10.0.0/16", tags={name: "a"})), status=None)
                changes = self.what_if(template(network_of("n", "10.10.0.0/16", tags={name: "b"})))
                [delta] = changes["virtualNetworks/n"]["delta"]
                self.assertEqual(("Modify", "a", "b"),
                                 (delta["propertyChangeType"], delta["before"], delta["after"]))
                self.assertTrue(("tags." + name).startswith(delta["path"]), delta["path"])
                self.assertGreater(len(delta["path"].encode()), 250)

    def test_complete_removes_the_rest_of_the_group_and_no_more(self):
        self.build_all()
        self.arm("PUT", below("virtualNetworks/old"), test_arm_types.network("10.60.0.0/16"), 201)
        self.arm("PUT", below("virtualNetworks/other", SPOKE), test_arm_types.network("10.61.0.0/16"), 201)
        rest = template(network_of("hub", "10.10.0.0/16", ("in", "10.10.0.0/28"), ("out", "10.10.0.16/28")),
                        resource("dnsResolvers", "r", {"virtualNetwork": ref("virtualNetworks/hub")}),
                        resource("privateDnsZones", "corp.internal", location="global"),
                        resource("dnsForwardingRulesets", "rs", {"dnsResolverOutboundEndpoints": [
                            ref("dnsResolvers/r/outboundEndpoints/out")]}))
        changes = self.what_if(rest, mode="Complete")
        self.assertEqual(["virtualNetworks/old"],
                         [path for path, change in changes.items() if change["changeType"] == "Delete"])
        self.deploy("all", rest, mode="Complete")
        self.arm("GET", below("virtualNetworks/old"), status=404)
        for path in ("privateDnsZones/corp.internal/A/db", "dnsForwardingRulesets/rs/forwardingRules/contoso",
                     "dnsResolvers/r/inboundEndpoints/in", "dnsForwardingRulesets/rs/virtualNetworkLinks/hub"):
            self.arm("GET", below(path), status=200)
        self.arm("GET", below("virtualNetworks/other", SPOKE), status=200)
        error = self.deploy("none", template(resource("privateDnsZones", "corp.internal", location="global")),
                            status=400, mode="Complete").body["error"]
        self.assertRegex(json.dumps(error), "virtualNetworkLinks/hub: .*there is no")
        self.arm("GET", below("dnsResolvers/r"), status=200)

    def test_spokes_by_copy_and_nested_templates(self):
        self.deploy("dns", RESOLVER)
        spoke = template(
            resource("virtualNetworks", "[parameters('name')]", {
                "addressSpace": {"addressPrefixes": ["[parameters('prefix')]"]},
                "dhcpOptions": {"dnsServers": []}}),
            resource("virtualNetworks/virtualNetworkPeerings", "[format('{0}/hub', parameters('name'))]", {
                "remoteVirtualNetwork": {"id": "[parameters('hub')]"}}, dependsOn=["[parameters('name')]"]),
            parameters={"name": {"type": "string"}, "prefix": {"type": "string"}, "hub": {"type": "string"}},
            outputs={"id": {"type": "string",
                            "value": "[resourceId('Microsoft.Network/virtualNetworks', parameters('name'))]"}})
        link = resource("dnsForwardingRulesets/virtualNetworkLinks", "[format('rs/spoke{0}', copyIndex())]", {
            "virtualNetwork": {"id": "[reference(format('spoke{0}', copyIndex())).outputs.id.value]"}},
            copy={"name": "links", "count": 3})
        made = self.deploy("spokes", template(
            deployment("[format('spoke{0}', copyIndex())]", spoke, resourceGroup=SPOKE,
                       copy={"name": "spokes", "count": 3},
                       properties={"parameters": {
                           "name": {"value": "[format('spoke{0}', copyIndex())]"},
                           "prefix": {"value": "[cidrSubnet('10.64.0.0/12', 16, copyIndex())]"},
                           "hub": {"value": "[resourceId('Microsoft.Network/virtualNetworks', 'hub')]"}}}),
            link)).body
        self.assertEqual(9, len(made["properties"]["outputResources"]), made)
        for i in range(3):
            shown = self.arm("GET", below("virtualNetworks/spoke%d" % i, SPOKE), status=200).body
            self.assertEqual(["10.%d.0.0/16" % (64 + i)], shown["properties"]["addressSpace"]["addressPrefixes"])
            self.arm("GET", below("dnsForwardingRulesets/rs/virtualNetworkLinks/spoke%d" % i), status=200)
            nested = self.arm("GET", ROOT + SPOKE + DEPLOYMENTS + "spoke%d" % i, status=200).body
            self.assertEqual(below("virtualNetworks/spoke%d" % i, SPOKE),
                             nested["properties"]["outputs"]["id"]["value"])

    def test_two_zones_in_which_a_network_would_register(self):
        self.deploy("dns", RESOLVER)
        zones = [each for zone in ("a.internal", "b.internal") for each in (
            resource("privateDnsZones", zone, location="global"),
            resource("privateDnsZones/virtualNetworkLinks", zone + "/hub", {
                "registrationEnabled": True, "virtualNetwork": ref("virtualNetworks/hub")},
                location="global", dependsOn=[zone]))]
        for what, status in (("validate", 400), ("whatIf", 400), ("", 400)):
            error = self.post(what, "zones", template(*zones), status=status).body["error"]
            self.assertRegex(json.dumps(error), "registration")
        self.deploy("one", template(*zones[:2]))
        [error] = self.post("", "other", template(*zones[2:]), status=400).body["error"]["details"]
        self.assertRegex(error["message"], "b.internal/virtualNetworkLinks/hub: A virtual network can only be linked "
                                           "to 1 Private DNS zone.*zone is 'a.internal'")
        self.assertEqual(("Conflict", "resources[1].properties.registrationEnabled"), (error["code"], error["target"]))
        ahead = json.loads(json.dumps(zones[2:]).replace("b.internal", "0.internal"))
        [error] = self.post("", "ahead", template(*ahead), status=400).body["error"]["details"]
        self.assertRegex(error["message"], "0.internal/virtualNetworkLinks/hub: A virtual .*zone is 'a.internal'")
        self.assertEqual("resources[1].properties.registrationEnabled", error["target"])

    def test_a_subscription_gets_groups_and_what_is_in_them(self):
        body = {"location": "westeurope", "properties": {"mode": "Incremental", "template": template(
            {"type": "Microsoft.Resources/resourceGroups", "apiVersion": "2022-09-01",
             "name": "[parameters('group')]", "location": "[deployment().location]", "tags": {"a": "b"}},
            deployment("inner", MADE_ALONE, resourceGroup="[parameters('group')]", dependsOn=[
                "[subscriptionResourceId('Microsoft.Resources/resourceGroups', parameters('group'))]"]),
            parameters={"group": {"type": "string"}}), "parameters": values(group="made-rg")}}
        body["tags"] = {"c": "d"}
        path = "/subscriptions/" + S + DEPLOYMENTS + "all"
        made = self.arm("PUT", path, body, 201).body
        self.assertEqual(["/subscriptions/%s/resourceGroups/made-rg" % S,
                          below("privateDnsZones/made.internal", "made-rg")],
                         [each["id"] for each in made["properties"]["outputResources"]])
        self.assertEqual({"a": "b"}, self.arm("GET", ROOT + "made-rg", status=200).body["tags"])
        self.arm("GET", below("privateDnsZones/made.internal", "made-rg"), status=200)
        self.assertNotIn("tags", self.arm("GET", ROOT + "made-rg" + DEPLOYMENTS + "inner", status=200).body)
        self.assertEqual({"c": "d"}, self.arm("GET", path, status=200).body["tags"])
        self.arm("DELETE", ROOT + "made-rg", status=200)
        self.arm("PUT", ROOT + "made-rg", LOCATION, 201)
        self.arm("GET", ROOT + "made-rg" + DEPLOYMENTS + "inner", status=404)
        del body["location"]
        self.arm("PUT", path, body, 400)

    def test_private_endpoints_of_one_template_have_addresses_and_names_of_their_own(self):
        self.build_all()
        self.arm("PUT", below("virtualNetworks/hub/subnets/pe"), {"properties": {"addressPrefix": "10.10.4.0/24"}},
                 201)
        endpoints = template(
            resource("privateEndpoints", "[concat('pe', copyIndex())]", {
                "subnet": ref("virtualNetworks/hub/subnets/pe"),
                "privateLinkServiceConnections": [{"name": "c", "properties": {
                    "privateLinkServiceId": "[resourceId('Microsoft.Storage/storageAccounts', "
                                            "concat('acct', copyIndex()))]", "groupIds": ["blob"]}}]},
                copy={"name": "pes", "count": 150}),
            resource("privateEndpoints/privateDnsZoneGroups", "[concat('pe', copyIndex(), '/default')]", {
                "privateDnsZoneConfigs": [{"name": "z", "properties": {"privateDnsZoneId": below(
                    "privateDnsZones/corp.internal")}}]}, copy={"name": "groups", "count": 150}, dependsOn=["pes"]))
        self.deploy("pe", endpoints)
        for i in (0, 1, 149):
            self.assert_answer(self.ask("acct%d.corp.internal" % i), "10.10.4.%d" % (4 + i))
        same = template(*[resource("privateEndpoints", "same%d" % i, {
            "subnet": ref("virtualNetworks/hub/subnets/pe"), "privateLinkServiceConnections": [
                {"name": "c", "properties": {"privateLinkServiceId": below("x/acct0"), "groupIds": ["blob"]}}]})
            for i in range(2)], *[resource("privateEndpoints/privateDnsZoneGroups", "same%d/default" % i, {
                "privateDnsZoneConfigs": [{"name": "z", "properties": {"privateDnsZoneId": below(
                    "privateDnsZones/corp.internal")}}]}, dependsOn=["same%d" % i]) for i in range(2)])
        self.deploy("same", same)
        self.assert_answer(self.ask("acct0.corp.internal"), "10.10.4.4", "10.10.4.154", "10.10.4.155")
        nic = template(*[resource("privateEndpoints", "nic%d" % i, {
            "customNetworkInterfaceName": "one", "subnet": ref("virtualNetworks/hub/subnets/pe"),
            "privateLinkServiceConnections": [{"name": "c", "properties": {
                "privateLinkServiceId": below("x/a"), "groupIds": ["blob"]}}]}) for i in range(2)])
        refused = self.deploy("nic", nic, 400).body["error"]["details"]
        self.assertIn("there is a network interface one already", refused[0]["message"])
        groups = template(*[resource("privateEndpoints/privateDnsZoneGroups", "grouped/" + name, {
            "privateDnsZoneConfigs": [{"name": "z", "properties": {"privateDnsZoneId": below(
                "privateDnsZones/corp.internal")}}]}, dependsOn=["grouped"]) for name in ("a", "b")],
                          {**nic["resources"][0], "name": "grouped"})
        refused = self.deploy("groups", groups, 400).body["error"]["details"]
        self.assertIn("has the zone group a already", refused[0]["message"])

    def test_an_address_that_one_network_uses_is_free_in_another(self):
        names = ["n%d" % i for i in range(4)]
        self.deploy("networks", template(*[resource("virtualNetworks", name, {
            "addressSpace": {"addressPrefixes": ["10.77.0.0/24"]},
            "subnets": [{"name": "few", "properties": {"addressPrefix": "10.77.0.0/29"}}]}) for name in names]))
        self.deploy("interfaces", template(*[resource("networkInterfaces", name, {"ipConfigurations": [
            {"name": "ip", "properties": {"subnet": ref("virtualNetworks/%s/subnets/few" % name)}}]})
            for name in names]))
        for name in names:
            shown = self.arm("GET", below("networkInterfaces/" + name), status=200).body["properties"]
            self.assertEqual("10.77.0.4", shown["ipConfigurations"][0]["properties"]["privateIPAddress"])

    def test_secrets_are_nowhere(self):
        self.deploy("dns", RESOLVER, admin=SECRET)
        self.deploy("bad", template(network_of("[parameters('p')]", "10.1.0.0/33"),
                                    parameters={"p": {"type": "securestring"}}), status=400, p=SECRET)
        error = self.deploy("defined", template(network_of("[toUpper(parameters('p'))]", "10.1.0.0/33"), parameters={
            "p": {"$ref": "#/definitions/s"}}, definitions={"s": {"type": "securestring"}}), status=400, p=SECRET)
        self.assertNotIn(SECRET.upper(), error.text)
        self.assertIn("***", error.text)
        coded = base64.b64encode(SECRET.encode()).decode()
        for name, prefix in (("[base64(parameters('p'))]", "10.1.0.0/33"), ("n", "[base64(parameters('p'))]")):
            error = self.deploy("derived", template(network_of(name, prefix), parameters={
                "p": {"type": "securestring"}}), status=400, p=SECRET)
            self.assertNotIn(coded, error.text)
            self.assertIn("***", error.text)
        self.sluice.command("events")
        shown = json.dumps(self.arm("GET", ROOT + HUB + DEPLOYMENTS + "dns", status=200).body)
        kept = [shown, self.sluice.log(), json.dumps(self.good("GET", "changes").body),
                json.dumps(self.good("GET", "events").body)]
        self.sluice.stop()
        for name in os.listdir(self.world.dir):
            if re.match(r"state\.db", name):
                with open(os.path.join(self.world.dir, name), "rb") as file:
                    kept.append(file.read().decode("latin-1"))
        for text in kept:
            self.assertNotIn(SECRET, text)
            self.assertNotIn(coded, text)

    def test_of_each_group_the_latest_eight_hundred_are_kept(self):
        for i in range(803):
            self.deploy("d%03d" % i, template())
        self.arm("GET", ROOT + HUB + DEPLOYMENTS + "d002", status=404)
        self.arm("GET", ROOT + HUB + DEPLOYMENTS + "d003", status=200)
        names, path = [], ROOT + HUB + DEPLOYMENTS.rstrip("/")
        while path:
            page = self.arm("GET", path, status=200, version=None if "?" in path else "2022-07-01").body
            names += [each["name"] for each in page["value"]]
            path = re.sub("^https?://[^/]*", "", page.get("nextLink", ""))
        self.assertEqual(["d%03d" % i for i in range(3, 803)], names)

    def test_complete_leaves_the_interface_of_an_endpoint_and_removes_addresses(self):
        address = resource("publicIPAddresses", "[concat('ip', copyIndex())]", {"publicIPAllocationMethod": "Static"},
                           copy={"name": "ips", "count": 2})
        subnet = {"name": "pe", "properties": {"addressPrefix": "10.10.4.0/24"}}
        kept = [resource("virtualNetworks", "n", {"addressSpace": {"addressPrefixes": ["10.10.0.0/16"]},
                                                  "subnets": [subnet]}),
                resource("privateEndpoints", "pe", {
                    "subnet": ref("virtualNetworks/n/subnets/pe"), "privateLinkServiceConnections": [
                        {"name": "c", "properties": {"privateLinkServiceId": below("x/a"), "groupIds": ["blob"]}}]},
                    dependsOn=["n"])]
        self.deploy("d", template(address, *kept))
        before = self.state()
        self.assertEqual({"NoChange", "Ignore"}, {change["changeType"] for change in self.what_if(
            template(address, *kept), mode="Complete").values()})
        self.deploy("d", template(address, *kept), status=200, mode="Complete")
        self.assertEqual(before, self.state())
        changes = self.what_if(template(*kept), mode="Complete")
        self.assertEqual({"publicIPAddresses/ip0", "publicIPAddresses/ip1"},
                         {path for path, change in changes.items() if change["changeType"] == "Delete"})
        self.deploy("d", template(*kept), status=200, mode="Complete")
        self.arm("GET", below("publicIPAddresses/ip1"), status=404)
        self.deploy("d", template(), status=200, mode="Complete")
        for path in ("networkInterfaces", "privateEndpoints", "virtualNetworks"):
            self.assertEqual([], self.arm("GET", below(path), status=200).body["value"])

    def test_an_address_is_what_its_outputs_say_and_is_deployed_again_with_a_reverse_name(self):
        body = template(
            resource("publicIPAddresses", "ip", {"publicIPAllocationMethod": "Static"}),
            resource("publicIPAddresses", "after", {"publicIPAllocationMethod": "Static"}, tags={
                "first": "[reference('ip').ipAddress]"}, dependsOn=["ip"]),
            outputs={member: {"type": "string", "value": "[reference(resourceId('Microsoft.Network/"
                              "publicIPAddresses', 'ip')).%s]" % member} for member in ("ipAddress", "resourceGuid")})
        path = below("publicIPAddresses/ip")
        said = self.deploy("addresses", body).body["properties"]["outputs"]
        shown = self.arm("GET", path, status=200).body["properties"]
        for member in said:
            self.assertEqual(shown[member], said[member]["value"])
        address = shown["ipAddress"]
        self.assertEqual(address, self.arm("GET", below("publicIPAddresses/after"), status=200).body["tags"]["first"])
        self.good("PUT", "ptrs/" + address, {"reverse_fqdn": "ip.corp.example"})
        self.assertIn("reverseFqdn", json.dumps(self.arm("GET", path, status=200).body))
        self.deploy("addresses", body, 200)
        self.assertNotIn("reverseFqdn", json.dumps(self.arm("GET", path, status=200).body))

    def test_an_address_has_the_reverse_name_of_its_own_forward_name(self):
        def deploy(status, **more):
            return self.deploy("named", template(resource("publicIPAddresses", "ip", {
                "publicIPAllocationMethod": "Static", "dnsSettings": {"domainNameLabel": "front", **more}})), status)

        def names():
            return self.arm("GET", below("publicIPAddresses/ip"), status=200).body["properties"]["dnsSettings"]
        refused = deploy(400, reverseFqdn="other.example.").body["error"]["details"]
        self.assertEqual("ReverseFqdnNotSupportedInTemplate", refused[0]["code"])
        deploy(200)
        name = names()["fqdn"] + "."
        self.deploy("nothing", template(), mode="Complete")
        deploy(200, reverseFqdn=name)
        self.assertEqual(name, names()["reverseFqdn"])
        exported = self.arm("POST", ROOT + HUB + "/exportTemplate", {"resources": ["*"]}, 200).body["template"]
        self.deploy("nothing", template(), 200, mode="Complete")
        self.deploy("again", exported)
        self.assertEqual(name, names()["reverseFqdn"])

    def test_an_address_has_the_reverse_name_of_another_address_of_its_template(self):
        def address(name, **names):
            return resource("publicIPAddresses", name, {"publicIPAllocationMethod": "Static", "dnsSettings": names})

        def names(name):
            return self.arm("GET", below("publicIPAddresses/" + name), status=200).body["properties"]["dnsSettings"]
        front = address("front", domainNameLabel="front")
        self.deploy("front", template(front))
        name = names("front")["fqdn"] + "."
        web, foreign = (address("web", domainNameLabel="web", reverseFqdn=reverse) for reverse in (name, "other.example."))
        for i, order in enumerate(((front, web), (web, front))):
            self.deploy("nothing", template(), mode="Complete", status=None)
            self.deploy("both%d" % i, template(*order))
            self.assertEqual(name, names("web")["reverseFqdn"])
        self.deploy("nothing", template(), mode="Complete", status=None)
        [refused] = self.deploy("foreign", template(front, foreign), status=400).body["error"]["details"]
        self.assertEqual(("ReverseFqdnNotSupportedInTemplate", "resources[1].properties.dnsSettings.reverseFqdn"),
                         (refused["code"], refused["target"]))
        self.deploy("front", template(front), status=None)
        [refused] = self.deploy("removed", template(web), mode="Complete", status=400).body["error"]["details"]
        self.assertEqual("ReverseFqdnNotSupportedInTemplate", refused["code"])

    def test_a_wrong_address_with_a_reverse_name_has_only_its_own_errors(self):
        answer = self.deploy("named", template(resource("publicIPAddresses", "ip", {
            "publicIPAllocationMethod": "Sometimes", "dnsSettings": {"reverseFqdn": "other.example."}})), 400)
        self.assertIn("publicIPAllocationMethod", answer.text)
        self.assertNotIn("ReverseFqdnNotSupportedInTemplate", answer.text)

    def test_an_expression_has_lines(self):
        """A reference behind a line break, a tab or a blank sees what the template makes."""
        for i, space in enumerate(("\n", "\t", "\r\n", " ")):
            name = "a%d.internal" % i
            self.deploy("lines%d" % i, template(
                resource("privateDnsZones", name, location="global"),
                resource("privateDnsZones", "b%d.internal" % i, location="global", tags={
                    "n": "[%sreference('%s', '2020-06-01', 'Full').name]" % (space, name)})))
            self.assertEqual({"n": name}, self.arm(
                "GET", below("privateDnsZones/b%d.internal" % i), status=200).body["tags"])

    def test_a_template_sees_the_etag_of_what_is_inside_a_network(self):
        paths = {"network": "virtualNetworks/one", "subnet": "virtualNetworks/one/subnets/in",
                 "peering": "virtualNetworks/one/virtualNetworkPeerings/p"}
        self.deploy("networks", template(
            network_of("one", "10.40.0.0/24", ("in", "10.40.0.0/28")), network_of("two", "10.41.0.0/24"),
            resource("virtualNetworks/virtualNetworkPeerings", "one/p", {"remoteVirtualNetwork": {
                "id": "[resourceId('Microsoft.Network/virtualNetworks', 'two')]"}}, dependsOn=["one", "two"])))
        said = self.deploy("etags", template(outputs={name: {
            "type": "string", "value": "[reference('%s', '2022-07-01', 'Full').etag]" % below(path)}
            for name, path in paths.items()})).body["properties"]["outputs"]
        etag = self.arm("GET", below(paths["network"]), status=200).body["etag"]
        for name, path in paths.items():
            self.assertEqual(etag, self.arm("GET", below(path), status=200).body["etag"])
            self.assertEqual(etag, said[name]["value"])

    def test_complete_removes_nothing_if_the_group_cannot_be_read(self):
        self.deploy("d", template(resource("publicIPAddresses", "[concat('ip', copyIndex())]", {
            "publicIPAllocationMethod": "Static"}, copy={"name": "ips", "count": 3})))
        def count():
            with contextlib.closing(sqlite3.connect(os.path.join(self.world.dir, "state.db"))) as state, state:
                state.execute("UPDATE resources SET json = '[]' WHERE path = ?", ("%s/ip1" % HUB,))
                return state.execute("SELECT count(*) FROM resources WHERE path LIKE '%/ip_'").fetchone()[0]
        self.assertEqual(3, count())
        answer = self.deploy("d", template(), 503, mode="Complete")
        self.assertIn("which was not written by sluice", answer.text)
        self.assertEqual(3, count())

    def test_a_subnet_with_a_resource_of_its_own_stays_although_its_network_does_not_list_it(self):
        subnet = lambda name, at, **more: resource("virtualNetworks/subnets", "n/" + name, {"addressPrefix": at},
                                                   dependsOn=["n"], **more)
        for listed in ([], None, [("b", "10.10.2.0/24")]):
            with self.subTest(listed=listed):
                network = network_of("n", "10.10.0.0/16", *listed or ())
                if listed is None:
                    del network["properties"]["subnets"]
                all_of_it = template(network, subnet("a", "10.10.1.0/24"), subnet("B", "10.10.2.0/24"), resource(
                    "networkInterfaces", "nic", {"ipConfigurations": [{"name": "ip", "properties": {"subnet": {
                        "id": "[resourceId('Microsoft.Network/virtualNetworks/subnets', 'n', 'a')]"}}}]},
                    dependsOn=["n/a"]))
                self.deploy("d", all_of_it, status=None)
                before = self.good("GET", "changes").body["changes"]
                self.assertEqual({"NoChange"}, {change["changeType"] for change in self.what_if(all_of_it).values()})
                self.deploy("d", all_of_it, status=200)
                self.assertEqual(before, self.good("GET", "changes").body["changes"])
        del network["properties"]["subnets"][:]
        modules = [deployment("m%s" % name, template(dict(subnet(name, at), dependsOn=[])), dependsOn=["n"])
                   for name, at in (("a", "10.10.1.0/24"), ("B", "10.10.2.0/24"))]
        self.deploy("d", template(network, *modules), status=200)
        self.assertEqual(before, self.good("GET", "changes").body["changes"])
        self.refused_in_use(template(network, subnet("a", "10.10.1.0/24", condition=False)))
        self.refused_in_use(template(network, subnet("b", "10.10.2.0/24")))
        self.deploy("d", template(network, subnet("a", "10.10.1.0/24")), status=200)
        self.arm("GET", below("virtualNetworks/n/subnets/b"), status=404)
        self.arm("GET", below("virtualNetworks/n/subnets/a"), status=200)

    def refused_in_use(self, body_template):
        error = self.deploy("d", body_template, status=400).body["error"]["details"][0]
        self.assertEqual("InUseSubnetCannotBeDeleted", error["code"])

    def test_what_if_shows_what_happens_to_addresses_and_interfaces(self):
        kept = [resource("virtualNetworks", "n", {"addressSpace": {"addressPrefixes": ["10.10.0.0/16"]}, "subnets": [
            {"name": "pe", "properties": {"addressPrefix": "10.10.4.0/24"}}]})]
        endpoint = resource("privateEndpoints", "pe", {
            "subnet": ref("virtualNetworks/n/subnets/pe"), "privateLinkServiceConnections": [
                {"name": "c", "properties": {"privateLinkServiceId": below("x/a"), "groupIds": ["blob"]}}]},
            dependsOn=["n"])
        address = resource("publicIPAddresses", "ip", {"publicIPAllocationMethod": "Static"})
        self.deploy("d", template(address, endpoint, *kept))
        types = lambda body, mode: {path.split("/")[0]: change["changeType"]
                                    for path, change in self.what_if(body, mode=mode).items()}
        self.assertEqual({"virtualNetworks": "NoChange", "networkInterfaces": "Ignore", "privateEndpoints": "Ignore",
                          "publicIPAddresses": "Ignore"}, types(template(*kept), "Incremental"))
        self.assertEqual({"virtualNetworks": "NoChange", "networkInterfaces": "Ignore", "privateEndpoints": "NoChange",
                          "publicIPAddresses": "Delete"}, types(template(endpoint, *kept), "Complete"))
        self.assertEqual({"virtualNetworks": "NoChange", "networkInterfaces": "Delete", "privateEndpoints": "Delete",
                          "publicIPAddresses": "Delete"}, types(template(*kept), "Complete"))
        shown = self.what_if(template(*kept), mode="Complete")
        for path, change in shown.items():
            if change["changeType"] == "Delete":
                self.assertEqual((path.split("/")[-1], None), (change["before"]["name"], change["after"]))
        made = self.deploy("d", template(*kept), status=200, mode="Complete").body["properties"]
        self.assertEqual([below("virtualNetworks/n")], [each["id"] for each in made["outputResources"]])
        self.assertEqual({"virtualNetworks": "NoChange"}, types(template(*kept), "Complete"))

    def test_so_many_addresses_are_looked_at_by_what_if(self):
        rows = [{"name": "ip%04d" % i, "resource_group": HUB, "address": "198.18.%d.%d" % (i // 250, i % 250)}
                for i in range(1010)]
        self.good("POST", "changes", {"edits": [{"path": "address_pools/-/more", "values": {
            "prefix": "198.18.0.0/20"}}]})
        self.good("POST", "changes", {"edits": [
            {"path": "addresses/%s/%s" % (HUB, row["name"]), "values": {"address": row["address"]}} for row in rows]})
        answer = self.post("whatIf", "w", template(), status=200).body["properties"]
        self.assertEqual(1000, len(answer["changes"]))
        self.assertRegex(answer["diagnostics"][0]["message"], "more than 1000 public IP addresses")

    def test_nested_deployments_are_checked_as_others_are(self):
        for name, where, text in (("x" * 65, {}, "exceeds the maximum"), ("a b", {}, "'a b' contains invalid"),
                                  ("n", {"resourceGroup": "no-rg"}, "n: Resource group 'no-rg' could not be found")):
            error = self.deploy("d", template(deployment(name, template(), **where)), status=400).body["error"]
            self.assertRegex(error["details"][0]["message"], text)
        other = deployment("n", template(resource("privateDnsZones", "z.internal", location="global")),
                           subscriptionId=S.replace("1", "2"), resourceGroup=HUB)
        error = self.deploy("d", template(other), status=400).body["error"]["details"][0]
        self.assertRegex(error["message"], "z.internal: it is not in the subscription " + S)

    def test_an_error_of_an_address_has_its_place(self):
        address = resource("publicIPAddresses", "[concat('ip', copyIndex())]", {
            "publicIPAllocationMethod": "Static", "dnsSettings": {"domainNameLabel": "same"}},
            copy={"name": "ips", "count": 2})
        error = self.deploy("d", template(network_of("n", "10.1.0.0/16"), address), status=400).body["error"]
        [detail] = error["details"]
        self.assertEqual(("Conflict", "resources[1]"), (detail["code"], detail["target"]))
        self.assertRegex(detail["message"], "^ip1: same.*is taken, by address .ip0")

    def test_deployments_of_no_group_are_not_those_of_the_subscription(self):
        path = "/subscriptions/" + S + DEPLOYMENTS
        body = {"location": "westeurope", "properties": {"mode": "Incremental", "template": template()}}
        self.arm("PUT", path + "all", body, 201)
        self.deploy("ungrouped", template(network_of("n", "10.1.0.0/16")), group="-")
        for place, names in ((path, ["all"]), (ROOT + "-" + DEPLOYMENTS, ["ungrouped"])):
            listed = self.arm("GET", place.rstrip("/"), status=200).body["value"]
            self.assertEqual(names, [each["name"] for each in listed])

    def test_what_is_exported_can_be_deployed(self):
        self.build_all()
        hub, here = ref("virtualNetworks/hub"), ref("virtualNetworks/here")
        self.arm("PUT", below("virtualNetworks/here"), test_arm_types.network("10.60.0.0/16"), 201)
        for path, other in (("hub/virtualNetworkPeerings/here", here), ("here/virtualNetworkPeerings/hub", hub)):
            self.arm("PUT", below("virtualNetworks/" + path), {"properties": {"remoteVirtualNetwork": other}}, 201)
        exported = self.arm("POST", ROOT + HUB + "/exportTemplate", {"resources": ["*"]}, 200).body["template"]
        self.assertEqual({"NoChange"}, {change["changeType"] for change in self.what_if(exported).values()})
        before = self.state()
        self.deploy("nothing", template(), mode="Complete")
        self.arm("GET", below("virtualNetworks/hub"), status=404)
        self.deploy("again", exported)
        self.assertEqual(before, self.state())

    def test_what_cannot_be_is_refused(self):
        path = ROOT + HUB + DEPLOYMENTS + "d"
        for name, body, text in (
                ("x" * 65, {}, "exceeds the maximum of '64'"), ("a b", {}, "invalid characters"),
                ("d", {}, "properties.template: must be"), ("d", {"properties": {"template": []}}, "must be"),
                ("d", {"properties": {"template": template()}, "tags": {"a": 1}}, "tags: must be"),
                ("d", {"properties": {"templateLink": {"uri": "https://x"}}}, "not fetched from elsewhere"),
                ("d", {"properties": {"template": template(), "parameters": "p"}}, "parameters: must be an object"),
                ("d", {"properties": {"template": template(), "mode": "All"}}, "Incremental")):
            with self.subTest(name=name, text=text):
                answer = self.arm("PUT", path[:-1] + name.replace(" ", "%20"), body, 400)
                self.assertRegex(answer.body["error"]["message"], text)
        self.arm("PUT", path, "x" * (1 + (1 << 22)), 413)
        self.deploy("d", template(), group="no-rg", status=404)


class Commands(World):
    def command(self, name, body, *words, status=0):
        file = self.world.write(name, body if isinstance(body, str) else json.dumps(body, indent=2))
        code, text = self.sluice.command("deploy", file, *words)
        self.assertEqual(status, code, text)
        return text.replace(file, name)

    def test_a_template_is_deployed_by_the_command_line(self):
        self.assertEqual("dns: 8 resources deployed\naddress = 10.10.0.4\n",
                         self.command("dns.json", RESOLVER, "--group", HUB, "-p", "resolver=r2"))
        self.assert_answer(self.ask("a.contoso.corp"), "198.51.100.5")
        self.arm("GET", ROOT + HUB + DEPLOYMENTS + "dns", status=200)
        given = self.world.write("zone.parameters.json", json.dumps({"parameters": values(zone="x.internal")}))
        zone = template(resource("privateDnsZones", "[parameters('zone')]", location="global"),
                        resource("privateDnsZones/A", "[format('{0}/h{1}', parameters('zone'), copyIndex())]", {
                            "ttl": "[parameters('ttl')]", "aRecords": [{"ipv4Address": "10.0.0.1"}]},
                            copy={"name": "h", "count": "[length(parameters('more'))]"},
                            dependsOn=["[parameters('zone')]"]),
                        parameters={"zone": {"type": "string"}, "ttl": {"type": "int", "defaultValue": 60},
                                    "more": {"type": "array", "defaultValue": []}})
        what = self.command("zone.json", zone, "--group", HUB, "-p", given, "-p", "more=[1, 2]", "--what-if")
        self.assertEqual("+ Microsoft.Network/privateDnsZones/x.internal\n"
                         "+ Microsoft.Network/privateDnsZones/x.internal/A/h0\n"
                         "+ Microsoft.Network/privateDnsZones/x.internal/A/h1\n"
                         "* Microsoft.Network/virtualNetworks/hub\n* Microsoft.Network/dnsResolvers/r2\n"
                         "* Microsoft.Network/dnsForwardingRulesets/rs\n"
                         "3 to create, 0 to change, 0 to delete, 0 unchanged, 3 not in the template\n", what)
        self.command("zone.json", zone, "--group", HUB, "-p", given, "-p", "more=[1]")
        what = self.command("zone.json", zone, "--group", HUB, "-p", given, "-p", "more=[1, 2]", "-p", "ttl=30",
                            "--what-if")
        self.assertIn("~ Microsoft.Network/privateDnsZones/x.internal/A/h0\n    properties.ttl: 60 -> 30\n", what)

    def test_errors_have_the_line_of_the_template(self):
        wrong = """{ // a zone
  "$schema": "%s", contentVersion: "1.0.0.0",
  "resources": [
    { "type": "Microsoft.Network/privateDnsZones", "name": "a.internal", "apiVersion": "2020-06-01",
      "location": "global" },
    { "type": "Microsoft.Network/privateDnsZones/A", "name": "a.internal/www", "apiVersion": "2020-06-01",
      "dependsOn": [ "a.internal" ],
      "properties": {
        "ttl": 300,
        "aRecords": [ { "ipv4Address": "10.0.0.256" } ],
      }
    },
%s  ]
}
""" % (SCHEMA, "%s")
        text = self.command("zone.json", wrong % "", "--group", HUB, status=1)
        self.assertRegex(text, r"^zone\.json:10: .*a\.internal/A/www: .*give an IPv4 address.*\n.*nothing has changed")
        text = self.command("zone.json", wrong % '{"type": "Microsoft.Network/virtualNetworks",\n"name": "[wrong()]"}\n',
                            "--group", HUB, status=1)
        self.assertRegex(text, r"^zone\.json:14: .*function .wrong. is not valid")
        self.assertRegex(self.command("zone.json", "{ ]", "--group", HUB, status=1), r"zone\.json:1: it is not JSON")
        self.assertRegex(self.command("zone.json", template(), status=2), "give --group")
        self.assertRegex(self.command("p.json", {"parameters": values(a=1)}, "--group", HUB, status=1),
                         "p.json: it is no template, .*; a file of parameters is given with -p")
        given = self.world.write("wrong.parameters.json", json.dumps({"parameters": []}))
        text = self.command("none.json", template(), "--group", HUB, "-p", given, status=1)
        self.assertIn('wrong.parameters.json: it has no "parameters": {', text)
        self.assertNotIn("deployed", text)
        self.assertRegex(self.command("zone.json", template(), "--group", "no-rg", status=1), "could not be found")
        self.arm("GET", below("privateDnsZones/a.internal"), status=404)

    def test_a_template_for_the_subscription_needs_no_group(self):
        made = template({"type": "Microsoft.Resources/resourceGroups", "apiVersion": "2022-09-01",
                         "name": "made-rg", "location": "[deployment().location]"})
        made["$schema"] = SCHEMA.replace("deployment", "subscriptionDeployment")
        self.assertEqual("all: 1 resource deployed\n", self.command("all.json", made))
        self.assertEqual("westeurope", self.arm("GET", ROOT + "made-rg", status=200).body["location"])


MADE_ALONE = template(resource("privateDnsZones", "made.internal", location="global",
                               tags={"at": "[resourceGroup().location]"}))


if __name__ == "__main__":
    harness.main()
