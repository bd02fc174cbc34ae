#!/usr/bin/env python3
"""Templates deployed by Azure's own command line: az deployment group, az deployment sub.

Where az is not installed this is skipped and named; `make test-clients` installs it, and with
CLIENTS=required its absence is a failure."""

import json

import azure_deployments
import azure_world
import harness
from azure_deployments import RESOLVER, body, text_of
from azure_topology import LOCATION, SUBSCRIPTION_PATH
from azure_world import GROUPS


class Az(azure_deployments.Deployments, azure_world.Az):
    """Parameters are words of a command, but for lists and objects, which are in a file."""

    missing = azure_world.Az.missing and "azure-cli is not installed: `az deployment` did not run"

    def words(self, verb, group, name, template=None, mode="Incremental", **parameters):
        command = "az deployment %s %s -n %s" % ("group" if group else "sub", verb, name)
        command += " -g " + group if group else " -l " + LOCATION if template else ""
        if not template:
            return command
        text = "/* by\n az */ " + text_of(template) + "// the end\n"
        command += " -f " + self.world.write(template + ".json", text)
        if group and verb != "validate":
            command += " --mode " + mode
        if not parameters:
            return command
        words = {key: value if isinstance(value, str) else json.dumps(value)
                 for key, value in parameters.items() if isinstance(value, (str, int))}
        file = self.world.write("parameters.json", json.dumps({
            "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentParameters.json#",
            "contentVersion": "1.0.0.0", "parameters": {
                key: {"value": value} for key, value in parameters.items() if key not in words}}))
        return "%s --parameters @%s %s" % (command, file, " ".join("%s=%s" % pair for pair in words.items()))

    def create(self, *words, **named):
        return self.az(self.words("create", *words, **named))

    def refusal(self, group, name, template, **parameters):
        """az validates first; what then is put all the same fails, too."""
        text = self.refused(self.words("create", group, name, template, **parameters))
        file = self.world.write("body.json", json.dumps(body(template, parameters, group=group)))
        path = GROUPS + group if group else SUBSCRIPTION_PATH
        self.refused("az rest --method put --url %s/providers/Microsoft.Resources/deployments/%s"
                     "?api-version=2021-04-01 --body @%s" % (path, name, file))
        return text

    def validate(self, group, name, template, **parameters):
        command = self.words("validate", group, name, template, **parameters)
        status, out, err = self.run_inside(*command.split())
        self.assertIn(status, (0, 1), err)
        return json.loads(out) if status == 0 else {"error": err}

    def what_if(self, *words, **named):
        return self.az(self.words("what-if", *words, **named) + " --no-pretty-print")["changes"]

    def show(self, group, name):
        return self.az(self.words("show", group, name))

    def exists(self, group, name):
        return self.run_inside(*self.words("show", group, name).split())[0] == 0

    def deployments(self, group, state=None):
        command = "az deployment group list -g " + group if group else "az deployment sub list"
        return self.az(command + (" --filter \"provisioningState eq '%s'\"" % state if state else ""))

    def operations(self, group, name):
        return self.az(self.words("list", group, name).replace("deployment", "deployment operation"))

    def export(self, group, name):
        return self.az(self.words("export", group, name))

    def delete(self, group, name):
        self.az(self.words("delete", group, name))

    def test_what_if_is_shown(self):
        command = self.words("what-if", "hub-rg", "resolver", "private-resolver", **RESOLVER)
        status, out, err = self.run_inside(*command.split())
        self.assertEqual(0, status, err)
        self.assertIn("  + Microsoft.Network/virtualNetworks/hub", out)
        self.assertIn("Resource changes: 7 to create.", out)


if __name__ == "__main__":
    harness.main()
