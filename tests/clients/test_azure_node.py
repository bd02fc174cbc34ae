#!/usr/bin/env python3
"""Azure's SDK for JavaScript (@azure/arm-network, with @azure/identity) against a real server:
create, read, list, update, delete. azure_node.mjs is what Node runs.

The packages are in build/clients, where `make test-clients` puts them; without them this is skipped
and named, and with CLIENTS=required their absence is a failure."""

import json
import os
import shutil

import azure_world
import harness
from azure_world import NOT_OURS, SUBSCRIPTION, SUFFIX, URL

PACKAGES = os.path.join(harness.TOP, "build", "clients")
PROGRAM = os.path.join(harness.TOP, "tests", "clients", "azure_node.mjs")


class Node(azure_world.Azure):
    groups = ("npm",)
    missing = None if (shutil.which("node") and os.path.isdir(
        os.path.join(PACKAGES, "node_modules", "@azure", "arm-network"))) else (
            "@azure/arm-network is not in build/clients: Azure's SDK for JavaScript did not run")

    def node(self, method, *arguments, secret=azure_world.OPS):
        """What the method of publicIPAddresses gives; {"refused": ...} when it throws."""
        status, out, err = self.run_inside(
            "node", PROGRAM, method, *(json.dumps(each) for each in arguments), PACKAGES=PACKAGES,
            SERVER=URL, SUBSCRIPTION=SUBSCRIPTION, CLIENT_ID="ops", CLIENT_SECRET=secret)
        self.assertEqual(0, status, out + err)
        return json.loads(out)

    def body(self, label, reverse, **more):
        return {"location": "westus", "publicIPAllocationMethod": "Static",
                "dnsSettings": {"domainNameLabel": label, "reverseFqdn": reverse}, **more}

    def test_the_whole_life_of_an_address(self):
        made = self.node("beginCreateOrUpdateAndWait", "npm", "life",
                         self.body("life", "life.westus." + SUFFIX, tags={"a": "b"}))
        self.assertEqual(("Succeeded", "life.westus.%s." % SUFFIX),
                         (made["provisioningState"], made["dnsSettings"]["reverseFqdn"]), made)
        self.ptr_is(made["ipAddress"], "life.westus.%s." % SUFFIX)
        read = self.node("get", "npm", "life")
        self.assertEqual((made["id"], made["etag"]), (read["id"], read["etag"]))
        self.assertEqual(["life"], [each["name"] for each in self.node("list", "npm")])
        self.assertLessEqual({"life", "filed"}, {each["name"] for each in self.node("listAll")})
        updated = self.node("beginCreateOrUpdateAndWait", "npm", "life", self.body("life", ""))
        self.assertNotIn("reverseFqdn", updated["dnsSettings"])
        self.ptr_is(made["ipAddress"])
        self.assertEqual({"c": "d"}, self.node("updateTags", "npm", "life",
                                               {"tags": {"c": "d"}})["tags"])
        self.node("beginDeleteAndWait", "npm", "life")
        self.assertEqual("ResourceNotFound", self.node("get", "npm", "life")["refused"]["code"])

    def test_a_refusal_says_why(self):
        refused = self.node("beginCreateOrUpdateAndWait", "npm", "refused",
                            self.body("refused", "www.example.com."))["refused"]
        self.assertEqual((400, "ReverseFqdnDoesNotBelongToSubscription"),
                         (refused["status"], refused["code"]))
        self.assertIn(NOT_OURS % ("www.example.com.", "refused"), refused["message"])

    def test_a_wrong_secret_is_told(self):
        refused = self.node("get", "npm", "life", secret=azure_world.EYE)["refused"]
        self.assertIn("no client of management.clients", refused["message"])

    def test_a_list_is_followed_page_by_page(self):
        self.fill(2100)
        names = {"a%d" % i for i in range(2100)}
        listed = [each["name"] for each in self.node("list", "many")]
        self.assertEqual((2100, names), (len(listed), set(listed)))
        self.assertEqual(names | {"filed"}, {each["name"] for each in self.node("listAll")})


if __name__ == "__main__":
    harness.main()
