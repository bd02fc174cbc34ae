"""Azure's operations beside those of one type: a list of all resources, the tags of one by themselves, deleting
a group with its resources, exporting a group as a template, and the list of the types that the server has."""

import json
import re

import harness
from test_arm_types import HUB, LOCATION, ROOT, S, SPOKE, STEPS, World, below

ALL = "/subscriptions/%s/resources" % S
TAGS = "/providers/Microsoft.Resources/tags/default"


class Around(World):
    def listed(self, where=ALL, query=""):
        """(type, name) of each, over all pages."""
        rows, link = [], where + ("?" + query if query else "")
        while link:
            answer = self.arm("GET", link, status=200, version=None if "api-version" in link else "2021-04-01").body
            rows += answer["value"]
            link = answer.get("nextLink", "")[len("http://localhost"):]
        return [(row["type"][len("Microsoft.Network/"):], row["name"]) for row in rows]

    def test_all_resources_are_in_one_list_which_a_filter_narrows(self):
        self.build_all()
        every = [("virtualNetworks", "hub"), ("virtualNetworks", "filed"), ("virtualNetworks", "spoke"),
                 ("dnsResolvers", "r"), ("dnsResolvers/inboundEndpoints", "r/in"),
                 ("dnsResolvers/outboundEndpoints", "r/out"), ("dnsForwardingRulesets", "rs"),
                 ("privateDnsZones", "corp.internal"), ("privateDnsZones/virtualNetworkLinks", "corp.internal/hub")]
        self.assertEqual(every, self.listed())
        self.assertEqual(every, self.listed(query="$top=2"))
        self.assertEqual(["spoke"], [name for _, name in self.listed(ROOT + SPOKE + "/resources")])
        for clause, names in (("resourceType eq 'microsoft.network/DNSRESOLVERS'", ["r"]),
                              ("tagName eq 'team' and tagValue eq 'net'", ["corp.internal"]),
                              ("tagName eq 'team' and tagValue eq 'Net'", []),
                              ("name eq 'r/in' and resourceType ne 'Microsoft.Network/virtualNetworks'", ["r/in"]),
                              ("location eq 'global'", ["corp.internal", "corp.internal/hub"]),
                              ("resourceGroup eq 'office'", ["filed"])):
            query = "$filter=" + clause.replace(" ", "%20").replace("'", "%27")
            self.assertEqual(names, [name for _, name in self.listed(query=query)], clause)
        for clause in ("frob eq 'x'", "name eq x", "name eq 'x' or name eq 'y'", "name eq 'x' and"):
            self.refused(400, "InvalidFilterInQueryString", "resourceType", "GET",
                         ALL + "?$filter=" + clause.replace(" ", "%20").replace("'", "%27"), target="$filter")
        self.refused(404, "ResourceGroupNotFound", "none", "GET", ROOT + "none/resources")

    def test_tags_are_read_and_changed_by_themselves(self):
        self.build_all()
        for scope in (below("virtualNetworks/hub"), below("dnsResolvers/r/inboundEndpoints/in"), ROOT + HUB):
            def tags(method, body=None, scope=scope):
                answer = self.arm(method, scope + TAGS, body, 200)
                return answer.body and answer.body["properties"]["tags"]
            self.assertEqual({}, tags("GET"))
            self.assertEqual({"a": "1"}, tags("PUT", {"properties": {"tags": {"a": "1"}}}))
            self.assertEqual({"a": "1", "b": "2"}, tags("PATCH", {"operation": "Merge", "properties": {
                "tags": {"b": "2"}}}))
            self.assertEqual({"b": "2"}, tags("PATCH", {"operation": "Delete", "properties": {
                "tags": {"a": "1"}}}))
            self.assertEqual({"c": "3"}, tags("PATCH", {"operation": "Replace", "properties": {
                "tags": {"c": "3"}}}))
            self.assertEqual({"c": "3"}, self.arm("GET", scope, status=200).body["tags"])
            self.refused(400, "InvalidRequestContent", "Merge", "PATCH", scope + TAGS,
                         {"operation": "Frob", "properties": {"tags": {}}}, target="operation")
            self.refused(400, "InvalidRequestContent", "object", "PUT", scope + TAGS, {"properties": {}},
                         target="properties.tags")
            self.assertEqual({"C": "4"}, tags("PATCH", {"operation": "Merge", "properties": {"tags": {"C": "4"}}}))
            self.assertEqual({}, tags("PATCH", {"operation": "Delete", "properties": {"tags": {"c": "4"}}}))
            tags("PUT", {"properties": {"tags": {"d": "5"}}})
            logged = self.changes_logged(scope)
            tags("DELETE")
            self.assertEqual({}, tags("GET"))
            harness.wait_for(lambda: len(self.changes_logged(scope)) > len(logged), "the log to tell of it")
            self.assertEqual("set", self.changes_logged(scope)[-1])
        self.refused(400, "BadRequest", "at most 50", "PATCH", below("virtualNetworks/hub") + TAGS,
                     {"operation": "Merge", "properties": {"tags": {"t%d" % i: "" for i in range(40000)}}})
        self.refused(400, "ResourceTypeNotSupported", "no tags", "PUT", below("virtualNetworks/hub/subnets/in") + TAGS,
                     {"properties": {"tags": {}}})
        self.refused(404, "ResourceNotFound", "none", "PUT", below("virtualNetworks/none") + TAGS,
                     {"properties": {"tags": {}}})

    def changes_logged(self, scope):
        return re.findall(r"(\w+) by uid .*: %s$" % re.escape(scope), self.sluice.log(), re.M)

    def test_a_group_goes_with_all_that_is_in_it(self):
        self.build_all()
        self.arm("DELETE", ROOT + HUB, status=200)
        self.assertEqual(["filed", "spoke"], [name for _, name in self.listed()])
        self.refused(404, "ResourceGroupNotFound", HUB, "GET", below("virtualNetworks/hub"))
        self.refused(409, "ResourceReadOnly", "sluice.conf:", "DELETE", ROOT + "office")

    def test_names_of_private_endpoints_go_with_their_group(self):
        self.build_all()
        zone = below("privateDnsZones/privatelink.test", SPOKE)
        self.arm("PUT", zone, {"location": "global"}, 201)
        self.arm("PUT", below("virtualNetworks/hub/subnets/pe"), {"properties": {"addressPrefix": "10.10.1.0/24"}}, 201)
        for name in ("one", "two"):
            self.arm("PUT", below("privateEndpoints/" + name), {**LOCATION, "properties": {
                "subnet": {"id": below("virtualNetworks/hub/subnets/pe")}, "privateLinkServiceConnections": [
                    {"name": "c", "properties": {"privateLinkServiceId": "/x/acct", "groupIds": ["blob"]}}]}}, 201)
            self.arm("PUT", below("privateEndpoints/%s/privateDnsZoneGroups/default" % name), {"properties": {
                "privateDnsZoneConfigs": [{"name": "z", "properties": {"privateDnsZoneId": zone}}]}}, 201)
        shown = self.arm("GET", zone + "/A/acct", status=200).body["properties"]["aRecords"]
        self.assertEqual(["10.10.1.4", "10.10.1.5"], [each["ipv4Address"] for each in shown])
        self.arm("PUT", zone + "/A/acct", {"properties": {"ttl": 10, "aRecords": shown + [
            {"ipv4Address": "10.9.9.9"}]}}, 200)
        self.arm("DELETE", ROOT + HUB, status=200)
        shown = self.arm("GET", zone + "/A/acct", status=200).body["properties"]["aRecords"]
        self.assertEqual([{"ipv4Address": "10.9.9.9"}], shown)

    def test_the_providers_are_those_of_the_table(self):
        types = [each["resourceType"] for each in self.arm(
            "GET", "/subscriptions/%s/providers/Microsoft.Network" % S, status=200).body["resourceTypes"]]
        self.assertEqual({"/".join(below_.split("/")[7::2]) for below_, _ in STEPS} - set(types), set())
        for each in types:
            if "/" not in each:
                self.arm("GET", "/subscriptions/%s/providers/Microsoft.Network/%s" % (S, each), status=200)

    def test_a_template_of_a_group_names_what_it_needs_and_nothing_computed(self):
        self.build_all()
        template = self.arm("POST", ROOT + HUB + "/exportTemplate", {"resources": ["*"]}, 200).body["template"]
        self.assertEqual({"defaultValue": "hub", "type": "string"},
                         template["parameters"]["virtualNetworks_hub_name"])
        found = {each["type"][len("Microsoft.Network/"):]: each for each in template["resources"]}
        self.assertEqual(len(STEPS) - 1, len(template["resources"]))  # all but the spoke
        network = found["virtualNetworks"]
        self.assertEqual(["in", "out"], [each["name"] for each in network["properties"]["subnets"]])
        self.assertNotIn("provisioningState", json.dumps(template))
        rule = found["dnsForwardingRulesets/forwardingRules"]
        self.assertEqual("[concat(parameters('dnsForwardingRulesets_rs_name'), '/contoso')]", rule["name"])
        endpoint = found["dnsResolvers/inboundEndpoints"]["properties"]["ipConfigurations"][0]
        self.assertEqual("[resourceId('Microsoft.Network/virtualNetworks/subnets', "
                         "parameters('virtualNetworks_hub_name'), 'in')]", endpoint["subnet"]["id"])
        self.assertIn("[resourceId('Microsoft.Network/dnsResolvers', parameters('dnsResolvers_r_name'))]",
                      found["dnsResolvers/inboundEndpoints"]["dependsOn"])
        one = self.arm("POST", ROOT + HUB + "/exportTemplate", {"resources": [below("virtualNetworks/hub")]},
                       200).body["template"]
        self.assertEqual(["Microsoft.Network/virtualNetworks"], [each["type"] for each in one["resources"]])
        self.assertEqual(LOCATION["location"], one["resources"][0]["location"])
        rule = below("dnsForwardingRulesets/rs/forwardingRules/contoso")
        one = self.arm("POST", ROOT + HUB + "/exportTemplate", {"resources": [rule]}, 200).body["template"]
        self.assertEqual([None], [each.get("dependsOn") for each in one["resources"]])

    def exported(self, *asked):
        return self.arm("POST", ROOT + HUB + "/exportTemplate", {"resources": list(asked)}, 200).body["template"]

    def test_a_template_of_record_sets_has_these_alone(self):
        zone = below("privateDnsZones/corp.internal")
        self.arm("PUT", zone, {"location": "global"}, 201)
        for name in ("one", "two"):
            self.arm("PUT", zone + "/A/" + name, {"properties": {"ttl": 60, "aRecords": [
                {"ipv4Address": "10.0.0.1"}]}}, 201)
        for asked, names in ((zone + "/a/ONE", ["one"]), (zone + "/A/none", []), (zone, [None, "one", "two"])):
            found = self.exported(asked)["resources"]
            self.assertEqual(names, [each["name"].partition(", '/")[2][:-3] or None for each in found
                                     if not each["type"].endswith("/SOA")], asked)
        [one] = self.exported(zone + "/A/one")["resources"]
        self.assertNotIn("dependsOn", one)

    def test_a_template_refers_to_its_addresses(self):
        self.build_all()
        address, interface = below("publicIPAddresses/Pip"), below("networkInterfaces/nic")
        self.arm("PUT", below("virtualNetworks/hub/subnets/vms"), {"properties": {"addressPrefix": "10.10.7.0/24"}}, 201)
        self.arm("PUT", address, {**LOCATION, "properties": {"publicIPAllocationMethod": "Static"}}, 201)
        self.arm("PUT", interface, {**LOCATION, "properties": {"ipConfigurations": [{"name": "ip", "properties": {
            "subnet": {"id": below("virtualNetworks/hub/subnets/vms")},
            "publicIPAddress": {"id": below("publicIPAddresses/pip")}}}]}}, 201)

        def reference(template):
            [each] = [each for each in template["resources"] if each["type"].endswith("/networkInterfaces")
                      and each["name"] == "[parameters('networkInterfaces_nic_name')]"]
            return each["properties"]["ipConfigurations"][0]["properties"]["publicIPAddress"]["id"], each.get("dependsOn")
        whole = self.exported("*")
        expression = "[resourceId('Microsoft.Network/publicIPAddresses', parameters('publicIPAddresses_Pip_name'))]"
        self.assertEqual(expression, reference(whole)[0])
        self.assertIn(expression, reference(whole)[1])
        self.assertEqual("Pip", whole["parameters"]["publicIPAddresses_Pip_name"]["defaultValue"])
        self.assertEqual(below("publicIPAddresses/pip"), reference(self.exported(interface))[0])

    def test_a_template_has_all_record_sets_of_zones_with_similar_names(self):
        zones = ["corp-x.internal", "corp.x.internal"]
        tags = {"[parameters('x')]": "it's \u00e4", "[[a]": "[b]", "[": "]"}
        for zone in zones:
            self.arm("PUT", below("privateDnsZones/" + zone), {"location": "global", "tags": tags}, 201)
            self.good("POST", "changes", {"edits": [
                {"path": "private_zones/%s/%s/record_sets/%s:A" % (HUB, zone, name),
                 "values": {"records": ["10.0.0.1"]}} for name in ["it's", *("h%03d" % i for i in range(200))]]})
        template = self.arm("POST", ROOT + HUB + "/exportTemplate", {"resources": ["*"]}, 200).body["template"]
        parameters = {"privateDnsZones_corp_x_internal_name": zones[0],
                      "privateDnsZones_corp_x_internal_name2": zones[1]}
        self.assertEqual(parameters, {key: value["defaultValue"] for key, value in template["parameters"].items()})
        names = {each["name"] for each in template["resources"]}
        for parameter in parameters:
            self.assertIn("[parameters('%s')]" % parameter, names)
            self.assertIn("[concat(parameters('%s'), '/it''s')]" % parameter, names)
            for i in range(200):
                self.assertIn("[concat(parameters('%s'), '/h%03d')]" % (parameter, i), names)
        before = self.good("GET", "export").body["edits"]
        self.arm("PUT", ROOT + HUB + "/providers/Microsoft.Resources/deployments/same", {"properties": {
            "mode": "Complete", "template": template}}, 201)
        self.assertEqual(before, self.good("GET", "export").body["edits"])

    def test_few_sets_of_a_large_zone_come_in_short_pages(self):
        zone = below("privateDnsZones/corp.internal")
        self.arm("PUT", zone, {"location": "global"}, 201)
        self.good("POST", "changes", {"edits": [
            {"path": "private_zones/%s/corp.internal/record_sets/h%04d:A" % (HUB, i),
             "values": {"records": ["10.0.0.1"]}} for i in range(2100)]})
        for name in ("a", "h1500", "z"):
            self.arm("PUT", zone + "/MX/" + name, {"properties": {"ttl": 60, "mxRecords": []}}, 201)
        for query, wanted in (("/MX?", ["a", "h1500", "z"]), ("/ALL?$recordsetnamesuffix=99&",
                                                              ["h%02d99" % i for i in range(21)])):
            pages, path = [], zone + query + "api-version=2020-06-01"
            while path:
                page = self.arm("GET", path, status=200, version=None).body
                pages.append([each["name"] for each in page["value"]])
                path = page.get("nextLink") and page["nextLink"][page["nextLink"].index("/subscriptions"):]
                self.assertLess(len(pages), 10)
            self.assertEqual(wanted, sum(pages, []))
            self.assertEqual(3, len(pages))


if __name__ == "__main__":
    harness.main()
