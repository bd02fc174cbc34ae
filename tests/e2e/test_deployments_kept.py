"""What is kept of deployments: with the change or not at all, in bounded room, for readers as well; and
deployments beside others, beside a change that waits, and beside what the file declares."""

import http.client
import json
import re
import threading

import harness
import test_arm_types
import test_deployments
from test_arm_types import HUB, ROOT, S, SPOKE, below
from test_deployments import DEPLOYMENTS, ZONE, deployment, network_of, resource, template, values
from test_reverse import Answer

READER, ADMIN, PORT = "eye-of-the-reader", "hand-of-the-admin", 8053
CLIENTS = """  listen = [ "http://127.0.0.1:8053" ];
  clients = ( { id = "eye"; secret_file = "eye.secret"; role = "reader"; },
              { id = "ops"; secret_file = "ops.secret"; role = "admin"; } ); };"""
MEBI = 1 << 20


def zone(name, **more):
    return resource("privateDnsZones", name, location="global", **more)


def of_type(type_, path):
    return {"id": below(path), "resourceType": "Microsoft.Network/" + type_, "resourceName": path.split("/", 1)[1]}


class World(test_deployments.World):
    def path(self, name, group=HUB):
        return ROOT + group + DEPLOYMENTS + name

    def kept(self, name, group=HUB):
        return self.arm("GET", self.path(name, group), status=200).body["properties"]

    def operations(self, name, group=HUB):
        """(provisioningState, targetResource) of each."""
        listed = self.arm("GET", "%s%s/deployments/%s/operations" % (ROOT, group, name), status=200).body["value"]
        return [(each["properties"]["provisioningState"], each["properties"].get("targetResource")) for each in listed]

    def pages(self, group=HUB, query=""):
        """The names on each page of the list."""
        path, pages = (ROOT + group + DEPLOYMENTS).rstrip("/") + query, []
        while path:
            page = self.arm("GET", path, status=200, version=None if "api-version" in path else "2022-07-01")
            pages.append(([each["name"] for each in page.body["value"]], len(page.text)))
            path = re.sub("^https?://[^/]*", "", page.body.get("nextLink", ""))
        return pages


class Records(World):
    def test_a_nested_deployment_has_its_own_resources(self):
        inner = deployment("inner", template(zone("inner.internal")))
        outer = deployment("outer", template(zone("outer.internal"), inner), resourceGroup=SPOKE)
        made = self.deploy("all", template(zone("all.internal"), outer)).body["properties"]
        ids = {name: below("privateDnsZones/%s.internal" % name, HUB if name == "all" else SPOKE)
               for name in ("all", "outer", "inner")}
        outputs = lambda shown: {each["id"] for each in shown["outputResources"]}
        self.assertEqual(set(ids.values()), outputs(made))
        self.assertEqual({ids["outer"], ids["inner"]}, outputs(self.kept("outer", SPOKE)))
        self.assertEqual({ids["inner"]}, outputs(self.kept("inner", SPOKE)))
        self.assertEqual([{"namespace": "Microsoft.Network", "resourceTypes": [
            {"resourceType": "privateDnsZones", "locations": [None]}]}], self.kept("inner", SPOKE)["providers"])
        for name, group, below_it in (("all", HUB, "outer"), ("outer", SPOKE, "inner")):
            self.assertEqual([("Succeeded", ids[name]), ("Succeeded", self.path(below_it, SPOKE))],
                             [(state, target["id"]) for state, target in self.operations(name, group)])
        self.assertEqual(["Microsoft.Network/privateDnsZones", "Microsoft.Resources/deployments"],
                         [target["resourceType"] for _, target in self.operations("outer", SPOKE)])

    def test_a_nested_deployment_of_another_subscription_is_refused(self):
        other = deployment("telemetry", template(), subscriptionId=S.replace("1", "2"), location="westeurope")
        error = self.deploy("d", template(other), status=400).body["error"]["details"][0]
        self.assertEqual("SubscriptionNotFound", error["code"])
        here = deployment("telemetry", template(), subscriptionId=S, location="westeurope")
        self.deploy("d", template(here), status=200)
        shown = self.arm("GET", "/subscriptions/" + S + DEPLOYMENTS + "telemetry", status=200).body
        self.assertEqual("Succeeded", shown["properties"]["provisioningState"])

    def test_an_operation_that_failed_names_its_resource(self):
        self.deploy("d", template(zone("z.internal"), resource("privateDnsZones/A", "z.internal/www", {
            "ttl": 60, "aRecords": [{"ipv4Address": "10.0.0.256"}]}, dependsOn=["z.internal"])), status=400)
        self.assertEqual([("Failed", {"id": below("privateDnsZones/z.internal/A/www"),
                                      "resourceType": "Microsoft.Network/privateDnsZones/A",
                                      "resourceName": "z.internal/www"})], self.operations("d"))
        self.assertEqual("Failed", self.kept("d")["provisioningState"])
        self.deploy("d", template(network_of("n", "10.1.0.0/16", ("a", "10.1.0.0/24"), ("b", "10.1.0.0/28"))),
                    status=400)
        self.assertEqual({below("virtualNetworks/n")}, {target["id"] for _, target in self.operations("d")})

    def test_what_changes_nothing_is_kept_and_is_no_change(self):
        self.deploy("d", template(zone("z.internal")))
        changes = self.good("GET", "changes").body["changes"]
        before = self.kept("d")["timestamp"]
        self.deploy("d", template(zone("z.internal")), status=200)
        self.deploy("wrong", template(network_of("n", "10.1.0.0/33")), status=400)
        self.assertEqual(changes, self.good("GET", "changes").body["changes"])
        self.assertLess(before, self.kept("d")["timestamp"])
        self.assertEqual([below("privateDnsZones/z.internal")],
                         [each["id"] for each in self.kept("d")["outputResources"]])
        self.assertEqual("Failed", self.kept("wrong")["provisioningState"])

    def test_so_many_bytes_of_a_group_are_kept_and_a_page_has_few(self):
        given = template(parameters={"p": {"type": "string"}})
        for i in range(24):
            self.deploy("d%02d" % i, given, p="x" * 3 * MEBI)
        self.deploy("small", template())
        pages = self.pages()
        names = [name for page, _ in pages for name in page]
        self.assertEqual(["d%02d" % i for i in range(24 - 21, 24)] + ["small"], names)  # 21 are 63 MiB
        for page, length in pages:
            self.assertLessEqual(len(page), 2)
            self.assertLess(length, 4 * MEBI)
        for i in range(24):
            status = 200 if "d%02d" % i in names else 404
            self.arm("GET", self.path("d%02d" % i), status=status)
            self.arm("POST", self.path("d%02d" % i) + "/exportTemplate", status=status)
            self.arm("GET", "%s%s/deployments/d%02d/operations" % (ROOT, HUB, i), status=status)
        self.assertEqual([["small"]], [page for page, _ in self.pages(query="?$filter=provisioningState%20eq%20"
                                                                      "'Succeeded'&$skiptoken=d99")])

    def test_what_is_kept_of_one_deployment_is_bounded(self):
        inner = template(parameters={"p": {"type": "string"}})
        modules = [deployment("m%d" % i, inner, properties={"parameters": {"p": {"value": "[parameters('p')]"}}})
                   for i in range(6)]
        answer = self.deploy("d", template(zone("z.internal"), *modules, parameters={"p": {"type": "string"}}),
                             status=400, p="x" * 3 * MEBI)
        self.assertRegex(answer.text, "what is to be kept of the deployment, .* more than 16777216 bytes")
        self.arm("GET", below("privateDnsZones/z.internal"), status=404)
        self.arm("GET", self.path("d"), status=404)

    def test_a_group_that_goes_takes_its_deployments_along(self):
        self.arm("PUT", ROOT + "other-rg", test_arm_types.LOCATION, 201)
        for name in ("a", "b"):
            self.deploy(name, template(), group="other-rg")
        self.deploy("stays", template())
        self.arm("DELETE", ROOT + "other-rg", status=200)
        self.arm("PUT", ROOT + "other-rg", test_arm_types.LOCATION, 201)
        self.assertEqual([[]], [page for page, _ in self.pages("other-rg")])
        self.arm("GET", self.path("stays"), status=200)


class Beside(World):
    config = World.config.replace("};\ndefault_resolver", CLIENTS + "\ndefault_resolver", 1)

    def build(self, world):
        world.secret("eye.secret", READER)
        world.secret("ops.secret", ADMIN)
        super().build(world)

    def by(self, secret, method, path, body=None):
        with self.host.inside():
            connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=60)
            try:
                connection.request(method, path + "?api-version=2022-09-01", body and json.dumps(body), {
                    "Authorization": "Bearer " + secret, "Content-Type": "application/json"})
                return Answer(connection.getresponse())
            finally:
                connection.close()

    def test_a_reader_sees_deployments_and_makes_none(self):
        self.deploy("d", ZONE_ALONE)
        body = {"location": "westeurope", "properties": {"mode": "Incremental", "template": template()}}
        for scope in (ROOT + HUB, "/subscriptions/" + S):
            path = scope + DEPLOYMENTS + "d"
            for method, more in (("PUT", ""), ("DELETE", ""), ("POST", "/validate"), ("POST", "/whatIf"),
                                 ("POST", "/cancel")):
                answer = self.by(READER, method, path + more, body)
                self.assertEqual(403, answer.status, "%s %s: %s" % (method, path + more, answer))
        path = ROOT + HUB + DEPLOYMENTS + "d"
        for method, at, status in (("GET", path, 200), ("HEAD", path, 204), ("GET", path.rsplit("/", 1)[0], 200),
                                   ("POST", path + "/exportTemplate", 200), ("GET", path + "/operations", 200),
                                   ("GET", ROOT + HUB + "/deployments/d/operations", 200)):
            self.assertEqual(status, self.by(READER, method, at).status, at)
        self.arm("GET", path, status=200)
        self.assertEqual(200, self.by(ADMIN, "POST", path + "/whatIf", body).status)

    def test_beside_a_change_that_waits_only_what_changes_nothing_is_done(self):
        self.deploy("d", ZONE_ALONE)
        waiting = {"edits": [{"path": "virtual_networks/-/waits", "values": {"address_space": ["10.77.0.0/16"]}}]}
        self.good("POST", "changes?confirm=600", waiting)
        for method, more, status in (("PUT", "", 409), ("DELETE", "", 409), ("POST", "/validate", 200),
                                     ("POST", "/whatIf", 200), ("POST", "/cancel", 409), ("GET", "", 200),
                                     ("POST", "/exportTemplate", 200)):
            answer = self.arm(method, self.path("d") + more, {"properties": {
                "mode": "Incremental", "template": ZONE_ALONE}} if method == "PUT" or "a" in more else None, status)
            if method in ("PUT", "DELETE"):
                self.assertRegex(answer.body["error"]["message"], "confirm")
        self.good("POST", "confirm?back=true")
        self.assertEqual("Succeeded", self.kept("d")["provisioningState"])
        self.deploy("d", ZONE_ALONE, status=200)

    def test_two_of_one_name_at_the_same_time_are_made_one_behind_the_other(self):
        zones = lambda letter: template(zone("[concat('%s', copyIndex(), '.internal')]" % letter,
                                             copy={"name": "zones", "count": 200}))
        answers = {}

        def deploy(letter):
            answers[letter] = self.deploy("same", zones(letter), status=None)

        threads = [threading.Thread(target=deploy, args=letter) for letter in "ab"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual([200, 201], sorted(answer.status for answer in answers.values()))
        [last] = [answer.body for answer in answers.values() if answer.status == 200]
        self.assertEqual(last, self.arm("GET", self.path("same"), status=200).body)
        self.assertEqual(400, len(self.good("GET", "private_zones?limit=1000").body["private_zones"]))

    def test_one_that_runs_is_not_cancelled(self):
        self.deploy("d", ZONE_ALONE)
        many = template(zone("[concat('z', copyIndex(), '.internal')]", copy={"name": "zones", "count": 300}))
        runs = threading.Thread(target=self.deploy, args=("d", many), kwargs={"status": 200})
        runs.start()
        while runs.is_alive():
            answer = self.arm("POST", self.path("d") + "/cancel", status=409)
            self.assertRegex(answer.body["error"]["message"], "cannot be cancelled .* is 'Succeeded'")
        runs.join()
        self.assertEqual(300, len(self.kept("d")["outputResources"]))


class Filed(World):
    """The file declares a network, its zone and an address of the group."""
    filed = """
virtual_networks = ( { name = "filed"; resource_group = "hub-rg"; address_space = [ "10.90.0.0/16" ];
  subnets = ( { name = "s"; prefix = "10.90.1.0/24"; } ); } );
private_zones = ( { name = "filed.internal"; resource_group = "hub-rg"; file = "filed.zone";
  links = ( { name = "filed"; virtual_network = "filed"; } ); } );
addresses = ( { name = "filed"; resource_group = "hub-rg"; address = "203.0.113.9"; } );
"""

    def build(self, world):
        world.write("filed.zone", "$TTL 300\nwww IN A 10.90.1.9\n")
        super().build(world)

    def test_what_the_file_declares_stays_and_is_not_changed(self):
        ours = template(zone("z.internal"))
        self.deploy("d", ours, mode="Complete")
        for mode in ("Complete", "Incremental"):
            changes = {path: change["changeType"] for path, change in self.what_if(template(), mode=mode).items()}
            self.assertEqual({"virtualNetworks/filed": "Ignore", "privateDnsZones/filed.internal": "Ignore",
                              "publicIPAddresses/filed": "Ignore",
                              "privateDnsZones/z.internal": "Delete" if mode == "Complete" else "Ignore"}, changes)
        same = self.arm("GET", below("virtualNetworks/filed"), status=200).body
        network = {"type": same["type"], "name": "filed", "apiVersion": "2022-07-01", "location": same["location"],
                   "properties": same["properties"]}
        self.assertEqual("NoChange", self.what_if(template(network))["virtualNetworks/filed"]["changeType"])
        self.deploy("same", template(network))
        network["tags"] = {"a": "b"}
        error = self.deploy("other", template(network), status=400).body["error"]["details"][0]
        self.assertEqual(("ResourceReadOnly", "resources[0]"), (error["code"], error["target"]))
        self.deploy("d", template(), status=200, mode="Complete")
        for path in ("virtualNetworks/filed/subnets/s", "privateDnsZones/filed.internal", "publicIPAddresses/filed"):
            self.arm("GET", below(path), status=200)
        self.arm("GET", below("privateDnsZones/z.internal"), status=404)


ZONE_ALONE = template(zone("corp.internal"))


if __name__ == "__main__":
    harness.main()
