#!/usr/bin/env python3
"""Azure's own command line against a real server: resource groups, and many addresses.

Where az is not installed this is skipped and named; `make test-clients` installs it, and with
CLIENTS=required its absence is a failure."""

import azure_world
import harness
from azure_world import GROUPS, SUFFIX


class Groups(azure_world.Az):
    def test_groups(self):
        made = self.az("az group create --name TestGroup --location westcentralus --tags a=b c=d")
        self.assertEqual((GROUPS + "TestGroup", "TestGroup", "westcentralus", {"a": "b", "c": "d"},
                          {"provisioningState": "Succeeded"}),
                         tuple(made[key] for key in ("id", "name", "location", "tags", "properties")))
        self.assertEqual(made, self.az("az group show --name testgroup"))
        self.assertIs(True, self.az("az group exists --name TestGroup"))
        self.assertIs(False, self.az("az group exists --name NoGroup"))
        self.assertIn("TestGroup", [each["name"] for each in self.az("az group list")])
        tags = {"a": "e", "c": "d"}
        self.assertEqual(tags, self.az("az group update -n TestGroup --set tags.a=e")["tags"])
        # which an address takes its location from
        one = self.az("az network public-ip create -g TestGroup -n one")["publicIp"]
        self.assertEqual("westcentralus", one["location"])
        self.az("az network public-ip delete -g TestGroup -n one")
        self.assertEqual("westcentralus", self.az("az group show -n TestGroup")["location"])
        self.restart()
        self.assertEqual(tags, self.az("az group show -n TestGroup")["tags"])
        self.assertIn("InvalidResourceGroupLocation",
                      self.refused("az group create -n TestGroup -l westus"))
        self.az("az group delete --name TestGroup --yes")
        self.assertIn("ResourceGroupNotFound", self.refused("az group show -n TestGroup", 3))

    def test_a_group_of_the_file_is_read_only(self):
        self.assertEqual("westus", self.az("az group show -n office")["location"])
        self.az("az group create -n office -l westus")
        for command in ("create -n office -l westus --tags a=b", "delete -n office --yes"):
            text = self.refused("az group " + command)
            self.assertRegex(text, r"(?s)ResourceReadOnly.*sluice\.conf:\d+")

    def test_a_group_is_deleted_with_its_addresses(self):
        self.az("az group create -n doomed -l westus")
        addresses = [self.az("az network public-ip create -g doomed -n %s --dns-name doomed%s "
                             "--reverse-fqdn doomed%s.westus.%s" % (name, name, name, SUFFIX))
                     ["publicIp"]["ipAddress"] for name in ("one", "two")]
        for address, name in zip(addresses, ("one", "two")):
            self.ptr_is(address, "doomed%s.westus.%s." % (name, SUFFIX))
        self.az("az group delete -n doomed --yes")
        for address in addresses:
            self.ptr_is(address)
        status, _, err = self.run_inside("az", "network", "public-ip", "list", "-g", "doomed")
        self.assertEqual(3, status)
        self.assertIn("ResourceGroupNotFound", err)

    def test_addresses(self):
        self.az("az group create -n many -l westus")
        for name in ("one", "two"):
            self.az("az network public-ip create -g many -n %s --allocation-method Static "
                    "--tags team=%s" % (name, name))
        listed = self.az("az network public-ip list -g many")
        self.assertEqual([("one", "Static", {"team": "one"}), ("two", "Static", {"team": "two"})], sorted(
            (each["name"], each["publicIPAllocationMethod"], each["tags"]) for each in listed))
        every = self.az("az network public-ip list")
        self.assertLessEqual({"one", "two", "filed"}, {each["name"] for each in every})
        updated = self.az("az network public-ip update -g many -n one --set tags.team=x "
                          "--idle-timeout 10")
        self.assertEqual({"team": "x"}, updated["tags"])
        self.az("az network public-ip delete -g many -n one")
        self.assertEqual(["two"], [each["name"] for each in self.az("az network public-ip list -g many")])
        self.refused("az network public-ip show -g many -n one", 3)
        self.az("az network public-ip delete -g many -n one")

    def test_lists_are_filtered_and_followed_page_by_page(self):
        self.az("az group create -n tagged -l westus --tags team=x")
        self.assertEqual(["tagged"], [each["name"] for each in self.az("az group list --tag team=x")])
        self.assertEqual([], self.az("az group list --tag team=y"))
        self.fill(1100)
        self.assertEqual(1100, len(self.az("az network public-ip list -g many")))


if __name__ == "__main__":
    harness.main()
