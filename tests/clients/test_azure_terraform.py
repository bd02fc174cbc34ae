#!/usr/bin/env python3
"""What Terraform's provider azurerm sends for a hub and a spoke, replayed in its order by plain HTTP: Terraform
itself is not run. The order is that of the provider's sources (go-azure-sdk, resourcemanager/poller*.go):

    create   GET, which must be 404; PUT; GET until it is Succeeded, or has no state; GET
    update   GET; PUT of everything that was read, with the change; GET as above
    delete   DELETE; GET until it is 404, of an endpoint three times

No answer may name an operation to poll: then the provider would poll that."""

import base64
import json

import azure_topology
import azure_world
import harness
from azure_topology import GROUPS, RULE, RULESET, Thing, WEB
from azure_world import URL

# As the provider's resources ask for them.
VERSIONS = {"dnsResolvers": "2022-07-01", "dnsForwardingRulesets": "2022-07-01", "privateDnsZones": "2024-06-01"}
NETWORK, RESOURCES = "2025-01-01", "2023-07-01"
ENDPOINTS = ("dnsResolvers/inboundEndpoints", "dnsResolvers/outboundEndpoints")
# Synchronous ones are not polled.
AT_ONCE = ("dnsForwardingRulesets/forwardingRules", "privateDnsZones/A", "privateDnsZones/CNAME")


class Terraform(azure_topology.Topology):
    def send(self, method, path, version, body=None):
        """(status, the body)"""
        if not self.arm.token:
            self.arm.log_in()
        status, headers, answer = self.arm.send(
            method, "%s?api-version=%s" % (path, version), None if body is None else json.dumps(body),
            body and "application/json; charset=utf-8", **{"Accept": "application/json", "OData-Version": "4.0",
                                                           "X-Ms-Correlation-Request-Id": "5b22bd4e-3c0f-4d7c"})
        if method != "GET":
            for name in ("Azure-AsyncOperation", "Location"):
                self.assertIsNone(headers[name], path)
        if answer is not None:
            self.assertIn("application/json", headers["Content-Type"])
        return status, answer

    @staticmethod
    def version(thing):
        return VERSIONS.get(thing.kind.split("/")[0], NETWORK)

    def read(self, path, version):
        status, body = self.send("GET", path, version)
        self.assertEqual(200, status, body)
        return body

    def put(self, path, version, body, statuses, polled=True):
        status, answer = self.send("PUT", path, version, body)
        self.assertIn(status, statuses, answer)
        if polled:
            self.assertIn(self.read(path, version)["properties"].get("provisioningState"), ("Succeeded", None))
        return self.read(path, version)

    def create(self, path, version, body, polled=True):
        status, answer = self.send("GET", path, version)
        self.assertEqual(404, status, answer)
        return self.put(path, version, body, (201,), polled)

    def update(self, path, version, change, polled=True):
        body = self.read(path, version)
        change(body)
        return self.put(path, version, body, (200,), polled)

    def make_group(self, name):
        self.create(GROUPS + name, RESOURCES, {"location": azure_topology.LOCATION, "tags": {}}, polled=False)

    def remove_group(self, name):
        """What is in it is looked for before."""
        self.assertEqual([], self.read(GROUPS + name + "/resources", RESOURCES)["value"])
        status, answer = self.send("DELETE", GROUPS + name, RESOURCES)
        self.assertEqual(200, status, answer)

    def make(self, thing):
        return azure_topology.flat(self.create(thing.id, self.version(thing), thing.body, thing.kind not in AT_ONCE))

    def change(self, thing, **properties):
        self.update(thing.id, self.version(thing), lambda body: body["properties"].update(properties),
                    thing.kind not in AT_ONCE)

    def remove(self, thing):
        there = self.send("GET", thing.id, self.version(thing))[0] == 200
        status, answer = self.send("DELETE", thing.id, self.version(thing))
        self.assertEqual((200 if there else 204, None), (status, answer))
        for _ in range(3 if thing.kind in ENDPOINTS else 1):
            self.assertEqual(404, self.send("GET", thing.id, self.version(thing))[0])

    def refusal(self, thing):
        status, answer = self.send("DELETE", thing.id, self.version(thing))
        error = answer["error"]
        self.assertEqual(azure_topology.STATUS.get(error["code"]), status, answer)
        return "%s: %s" % (error["code"], error["message"])


class Once(Terraform):
    def test_a_hub_and_a_spoke_are_built_and_taken_down(self):
        self.build_and_take_down()


class Again(Terraform):
    def test_everything_is_put_again_as_it_was_read_and_stays(self):
        self.build_all()
        things = [each for each in vars(azure_topology).values() if isinstance(each, Thing)]
        for thing in things:
            version = self.version(thing)
            before = self.read(thing.id, version)
            after = self.update(thing.id, version, lambda body: None, thing.kind not in AT_ONCE)
            for each in (before, after):
                each.pop("etag", None)
                each.pop("systemData", None)
            self.assertEqual(before["properties"].keys(), after["properties"].keys(), thing)
            self.assertEqual(before["id"], after["id"])
        self.all_answers()
        # Changes of what may change.
        for thing in (each for each in things if each.body.get("location")):
            changed = self.update(thing.id, self.version(thing), lambda body: body.update(tags={"team": "dns"}))
            self.assertEqual({"team": "dns"}, changed["tags"], thing)
        self.change(RULE, targetDnsServers=[{"ipAddress": "192.168.0.54", "port": 53},
                                            {"ipAddress": azure_topology.OFFICE, "port": 53}])
        self.change(WEB, ttl=60, metadata={"owner": "web"})
        self.assertEqual(60, self.answers(self.hub_vm, "web.contoso.internal", "10.10.1.10").answer[0].ttl)
        self.all_answers()
        # Of what may not.
        for thing, change in ((azure_topology.RESOLVER, {"virtualNetwork": azure_topology.SPOKE.ref}),
                              (RULE, {"domainName": "other.contoso.com."}),
                              (azure_topology.RULESET_LINK, {"virtualNetwork": azure_topology.HUB.ref}),
                              (azure_topology.HUB_LINK, {"virtualNetwork": azure_topology.SPOKE.ref})):
            body = self.read(thing.id, self.version(thing))
            body["properties"].update(change)
            status, answer = self.send("PUT", thing.id, self.version(thing), body)
            self.assertEqual((409, "Conflict"), (status, answer["error"]["code"]), thing)
        # A group at once, when nothing of another is linked to its networks.
        self.removes(azure_topology.RULESET_LINK, azure_topology.SPOKE_LINK)
        for group in ("spoke-rg", "hub-rg"):
            self.send("DELETE", GROUPS + group, RESOURCES)
        for thing in things:
            self.is_gone(thing)
        self.below(self.hub_vm, "example.com", rcode="REFUSED")
        self.assertEqual(404, self.send("GET", RULESET.id, "2022-07-01")[0])


class Login(azure_topology.Topology):
    """How the provider finds the server, by `metadata_host`, and who it takes itself for."""

    def test_the_metadata_have_what_the_provider_needs(self):
        status, _, body = self.arm.send("GET", "/metadata/endpoints?api-version=2022-09-01")
        self.assertEqual(200, status)
        self.assertTrue(body["name"])
        self.assertEqual(URL, body["resourceManager"].rstrip("/"))
        self.assertTrue(body["microsoftGraphResourceId"])
        login = body["authentication"]
        self.assertTrue(login["loginEndpoint"].startswith(URL))
        # Else it takes the cloud for an Azure Stack, and refuses it.
        self.assertEqual(("AAD", "common"), (login["identityProvider"], login["tenant"]))
        self.assertNotEqual("AzureStackCloud", body["name"])

    def test_the_token_is_asked_for_and_read_as_the_provider_does(self):
        """Its claims are read without a look at the signature; without an oid the provider asks Microsoft Graph."""
        _, _, body = self.arm.send("GET", "/metadata/endpoints?api-version=2022-09-01")
        login = body["authentication"]["loginEndpoint"].removeprefix(URL)
        tenant = azure_world.SUBSCRIPTION
        for scope in (body["microsoftGraphResourceId"].rstrip("/") + "/.default", URL + "/.default"):
            self.arm.log_in("%s/%s/oauth2/v2.0/token" % (login, tenant), scope)
            parts = self.arm.token.split(".")
            self.assertEqual(3, len(parts), "no JWT")
            claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=="))
            self.assertTrue(claims["oid"])
            self.assertEqual("ops", claims["appid"])
        self.assertEqual(200, self.arm.call("GET", "/subscriptions")[0])


if __name__ == "__main__":
    harness.main()
