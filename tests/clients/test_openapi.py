#!/usr/bin/env python3
"""The OpenAPI document against a validator that others wrote (@seriousme/openapi-schema-validator, which
has OpenAPI's own JSON Schema), and what the server answers against the document.

The package is in build/clients, where `make test-clients` puts it; without it, or without Python's
jsonschema, this is skipped and named, and with CLIENTS=required their absence is a failure."""

import json
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
import harness
import test_resources

try:
    import jsonschema
except ImportError:
    jsonschema = None

PACKAGES = os.path.join(harness.TOP, "build", "clients")
PROGRAM = os.path.join(harness.TOP, "tests", "clients", "openapi.mjs")
KINDS = {"virtual_networks/-/hub": "network", "virtual_networks/-/hub/subnets/in": "subnet",
         "virtual_networks/-/hub/peerings/spoke": "peering", "network_interfaces/-/vm": "network-interface",
         "private_endpoints/-/store": "private-endpoint", "private_endpoints/-/store/zone_groups/d": "zone-group",
         "resolvers/-/r": "resolver", "resolvers/-/r/inbound_endpoints/in": "inbound-endpoint",
         "resolvers/-/r/outbound_endpoints/out": "outbound-endpoint", "rulesets/-/office": "ruleset",
         "rulesets/-/office/links/hub": "ruleset-link", "rulesets/-/office/rules/contoso": "rule",
         "private_zones/-/corp.internal": "zone", "keys/-/xfr": "key", "clients/-/ci": "client",
         "transfers/-/out": "transfer", "address_pools/-/public": "address-pool",
         "private_zones/-/corp.internal/links/hub": "zone-link"}


class Document(test_resources.World):
    def setUp(self):
        missing = None
        if not shutil.which("node") or not os.path.isdir(os.path.join(PACKAGES, "node_modules", "@seriousme")):
            missing = "@seriousme/openapi-schema-validator is not in build/clients"
        elif not jsonschema:
            missing = "Python's jsonschema is not installed"
        if missing and os.environ.get("CLIENTS") == "required":
            self.fail(missing)
        if missing:
            self.skipTest(missing + ": the OpenAPI document was not validated")
        super().setUp()

    def document(self):
        return self.good("GET", "openapi.json").body

    def schema(self, name):
        document = self.document()
        return jsonschema.Draft202012Validator(
            {"$ref": "#/components/schemas/" + name, "components": document["components"]})

    def fill(self):
        self.build_hub()
        secret = self.world.secret("xfr.secret", test_resources.SECRET)
        self.good("PUT", "virtual_networks/-/hub/peerings/spoke", {"azure": {"peeringState": '"Connected"'}}, 201)
        self.good("PUT", "virtual_networks/-/hub/subnets/apps", {"prefix": "10.10.1.0/24"}, 201)
        self.good("PUT", "network_interfaces/-/vm", {"ip_configurations": [
            {"name": "one", "subnet": "hub/apps", "address": "10.10.1.4"}]}, 201)
        self.good("PUT", "private_endpoints/-/store", {"subnet": "hub/apps"}, 201)
        self.good("PUT", "private_endpoints/-/store/zone_groups/d", {"zones": [
            {"name": "c", "zone": "corp.internal"}]}, 201)
        self.good("PUT", "private_zones/-/corp.internal/links/hub", {"virtual_network": "hub"}, 201)
        self.good("PUT", "keys/-/xfr", {"secret_file": secret}, 201)
        self.good("PUT", "transfers/-/out", {"zones": ["corp.internal"], "key": "xfr"}, 201)
        self.good("PUT", "clients/-/ci", {"secret_sha256": "0" * 64}, 201)
        self.good("PUT", "address_pools/-/public", {"prefix": "198.51.100.0/24"}, 201)

    def test_others_find_it_valid(self):
        ran = subprocess.run(["node", PROGRAM], input=json.dumps(self.document()), text=True,
                             stdout=subprocess.PIPE, env=dict(os.environ, PACKAGES=PACKAGES), check=True)
        self.assertEqual({"valid": True, "version": "3.1"}, json.loads(ran.stdout))

    def test_what_is_answered_is_what_it_says(self):
        self.fill()
        for path, kind in KINDS.items():
            shown = self.good("GET", path).body
            self.schema(kind + "-shown").validate(shown)
            self.schema(kind).validate(shown)  # which may be sent back
            listing = path.rsplit("/", 1)[0].removesuffix("/-")
            self.schema(kind + "-list").validate(self.good("GET", listing).body)
        self.schema("changes").validate(self.good("GET", "changes").body)
        self.schema("edits").validate(self.good("GET", "export").body)
        self.schema("error").validate(self.call("PUT", "rulesets/-/office/rules/x", {}).body)
        self.schema("changed").validate(self.good("POST", "changes?dry_run", {"edits": [
            {"path": "rulesets/-/office", "values": None}]}).body)

    def test_what_it_forbids_is_refused(self):
        self.fill()
        rule = {"domain": "x.corp.", "targets": [{"address": "127.0.0.5"}]}
        for wrong in (dict(rule, size=7), dict(rule, state="On"), {"targets": rule["targets"]},
                      dict(rule, targets=[{"address": "127.0.0.5", "port": 70000}]), dict(rule, domain=7)):
            self.assertFalse(self.schema("rule").is_valid(wrong), wrong)
            self.assertEqual(400, self.call("PUT", "rulesets/-/office/rules/x", wrong).status)
        # What a group of targets could say in their place is looked for by the server alone.
        self.assertTrue(self.schema("rule").is_valid({"domain": "x.corp."}))
        self.assertEqual(400, self.call("PUT", "rulesets/-/office/rules/x", {"domain": "x.corp."}).status)
        self.assertTrue(self.schema("rule").is_valid(rule))
        self.good("PUT", "rulesets/-/office/rules/x", rule, 201)

    def test_addresses_and_services_are_in_it_too(self):
        self.fill()
        self.good("PUT", "addresses/-/vm", {"reverse_fqdn": "vm.example.com.", "tags": {"a": "b"}}, 201)
        self.good("PUT", "services/-/app", {"address": "198.51.100.200"}, 201)
        self.good("PUT", "groups/-/empty", {"region": "west", "tags": {"a": "b"}}, 201)
        for kind, path in (("address", "addresses/-/vm"), ("service", "services/-/app"), ("group", "groups/-/empty"),
                           ("ptr", "ptrs/" + self.good("GET", "addresses/-/vm").body["id"])):
            one = self.good("GET", path).body
            self.schema(kind + "-shown").validate(one)
            self.schema(kind).validate(one)  # it may be sent back
            self.assertFalse(self.schema(kind).is_valid(dict(one, frob=1)), kind)
            self.assertEqual(set(one) - set(self.document()["components"]["schemas"][kind + "-shown"]["properties"]), set())
            listed = self.good("GET", path.split("/")[0])
            self.schema(kind + "-list").validate(listed.body)
        self.schema("address").validate({"family": "6"})
        self.schema("ptr_batch").validate([{"owner": "6f8b4ce6-1111-4d2e-9c55-0242ac120002", "reverse_fqdn": None}])


if __name__ == "__main__":
    harness.main()
