#!/usr/bin/env python3
"""Templates deployed by Azure's SDK for Python: azure.mgmt.resource.

Where python3-azure is not installed this is skipped and named; `make test-clients` installs it, and with
CLIENTS=required its absence is a failure."""

import azure_deployments
import harness
import test_azure_topology_python as topology
from azure_deployments import body


class Python(azure_deployments.Deployments, topology.Python):
    missing = topology.MISSING and "python3-azure is not installed: no deployments by it"

    def call(self, method, group, *words, of="deployments"):
        """What the method gives, in the API's words."""
        if group:
            words = (group, *words)
        given = self.sdk("resources", of, method + ("" if group else "_at_subscription_scope"), *words)
        return given.serialize(keep_readonly=True) if hasattr(given, "serialize") else given

    def create(self, group, name, template, mode="Incremental", **parameters):
        return self.call("begin_create_or_update", group, name, body(template, parameters, mode, group))

    def refusal(self, group, name, template, **parameters):
        with self.assertRaises(topology.HttpResponseError) as raised:
            self.create(group, name, template, **parameters)
        self.assertEqual(400, raised.exception.status_code)
        error = raised.exception.error
        return "\n".join(str(each) for each in [error, *error.details])

    def validate(self, group, name, template, **parameters):
        try:
            return self.call("begin_validate", group, name, body(template, parameters, group=group))
        except topology.HttpResponseError as error:
            return {"error": str(error)}

    def what_if(self, group, name, template, mode="Incremental", **parameters):
        given = self.call("begin_what_if", group, name, body(template, parameters, mode, group))
        self.assertEqual("Succeeded", given["status"], given)
        return given["properties"]["changes"]

    def show(self, group, name):
        return self.call("get", group, name)

    def exists(self, group, name):
        return self.call("check_existence", group, name)

    def deployments(self, group, state=None):
        given = self.sdk("resources", "deployments", *(
            ("list_by_resource_group", group) if group else ("list_at_subscription_scope",)),
            filter=state and "provisioningState eq '%s'" % state)
        return [each.serialize(keep_readonly=True) for each in given]

    def operations(self, group, name):
        given = self.call("list", group, name, of="deployment_operations")
        one = self.call("get", group, name, given[0].operation_id, of="deployment_operations")
        self.assertEqual(one, given[0].serialize(keep_readonly=True))
        return [each.serialize(keep_readonly=True) for each in given]

    def export(self, group, name):
        return self.call("export_template", group, name)["template"]

    def delete(self, group, name):
        self.call("begin_delete", group, name)


if __name__ == "__main__":
    harness.main()
