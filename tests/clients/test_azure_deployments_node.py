#!/usr/bin/env python3
"""Templates deployed by Azure's SDK for JavaScript: @azure/arm-resourcesdeployments.

The packages are in build/clients, where `make test-clients` puts them; without them this is skipped and
named, and with CLIENTS=required their absence is a failure."""

import azure_deployments
import harness
import test_azure_topology_node as topology
from azure_deployments import body


class Node(azure_deployments.Deployments, topology.Node):
    missing = topology.Node.missing and (
        "Azure's SDK for JavaScript is not in build/clients: no deployments by it")

    @staticmethod
    def call(method, group, *words, of="deployments"):
        scope = "" if group else "AtSubscriptionScope"
        method = "begin%sAndWait" % (method + scope) if method[0].isupper() else method + scope
        return ["deployments", of, method, *([group] if group else []), *words]

    def create(self, group, name, template, mode="Incremental", **parameters):
        return self.good(*self.call("CreateOrUpdate", group, name, body(template, parameters, mode, group)))

    def refusal(self, group, name, template, **parameters):
        words = self.call("CreateOrUpdate", group, name, body(template, parameters, group=group))
        refused = self.tell(*words)["refused"]
        self.assertEqual(400, refused["status"], refused)
        return "%s: %s" % (refused, self.show(group, name)["properties"]["error"])

    def validate(self, group, name, template, **parameters):
        given = self.tell(*self.call("Validate", group, name, body(template, parameters, group=group)))
        return {"error": given["refused"]} if "refused" in given else given

    def what_if(self, group, name, template, mode="Incremental", **parameters):
        given = self.good(*self.call("WhatIf", group, name, body(template, parameters, mode, group)))
        self.assertEqual("Succeeded", given["status"], given)
        return given["changes"]

    def show(self, group, name):
        return self.good(*self.call("get", group, name))

    def exists(self, group, name):
        return self.good(*self.call("checkExistence", group, name))["body"]

    def deployments(self, group, state=None):
        return self.good("deployments", "deployments", *(
            ("listByResourceGroup", group) if group else ("listAtSubscriptionScope",)),
            {"filter": state and "provisioningState eq '%s'" % state})

    def operations(self, group, name):
        given = self.good(*self.call("list", group, name, of="deploymentOperations"))
        one = self.good(*self.call("get", group, name, given[0]["operationId"], of="deploymentOperations"))
        self.assertEqual(given[0], one)
        return given

    def export(self, group, name):
        return self.good(*self.call("exportTemplate", group, name))["template"]

    def delete(self, group, name):
        self.good(*self.call("Delete", group, name))


if __name__ == "__main__":
    harness.main()
