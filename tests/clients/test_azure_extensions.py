#!/usr/bin/env python3
"""az's extensions beside each other: etc/az/sluice, and one that owns the group dns-resolver, as Azure's own of
that name does. That one is az_resolver here, as no package has Azure's.

Where az is not installed this is skipped and named; `make test-clients` installs it, and with
CLIENTS=required its absence is a failure."""

import os
import shutil

import azure_topology
import azure_world
import harness
from azure_topology import HUB, LOCATION, RESOLVER
from azure_world import URL

EXTENSION = os.path.join(harness.TOP, "tests", "clients", "az_resolver")


class Extensions(azure_topology.Topology, azure_world.Az):
    @classmethod
    def build(cls, world):
        super().build(world)
        azure = os.path.join(world.dir, "azure")
        shutil.copytree(EXTENSION, os.path.join(azure, "cliextensions", "dns-resolver"))
        os.remove(os.path.join(azure, "commandIndex.json"))

    def test_both_are_found(self):
        self.assertEqual(["dns-resolver", "sluice"], sorted(each["name"] for each in self.az("az extension list")))
        for words in ("network", "dns-resolver"):
            self.assertEqual({"cloud": "sluice", "resourceManager": URL}, self.az("az %s sluice show" % words))

    def test_both_modules_that_a_thread_could_race_for_are_there_before_it(self):
        """The thread of a long-running command imports requests, while the main one imports msrestazure."""
        program = ("import sys, azext_sluice; print(all(name in sys.modules for name in "
                   "('requests', 'msrestazure.azure_operation')))")
        path = os.path.join(harness.TOP, "etc", "az", "sluice")
        self.assertEqual((0, "True\n", ""), self.run_inside("/usr/bin/python3", "-c", program, PYTHONPATH=path))

    def test_long_running_commands_of_the_other_one_end_well(self):
        self.az("az group create -n hub-rg -l " + LOCATION)
        self.az("az network vnet create -g hub-rg -n hub -l %s --address-prefixes 10.10.0.0/16" % LOCATION)
        about = "-g hub-rg -n hub-resolver"
        for tag in ("one", "two"):
            made = self.az("az dns-resolver create %s -l %s --id %s" % (about, LOCATION, HUB.id))
            self.assertEqual(("Succeeded", "Connected"), tuple(map(
                made["properties"].get, ("provisioningState", "dnsResolverState"))))
            updated = self.az("az dns-resolver update %s --tags a=%s" % (about, tag))
            self.assertEqual({"a": tag}, updated["tags"])
            self.assertEqual(updated, self.az("az dns-resolver show " + about))
            self.az("az dns-resolver delete " + about)
            self.is_gone(RESOLVER)
            self.refused("az dns-resolver show " + about, 3)
        self.az("az dns-resolver create --no-wait %s -l %s --id %s" % (about, LOCATION, HUB.id))
        self.assertEqual("Succeeded", self.get(RESOLVER)["properties"]["provisioningState"])
        self.assertIn("InvalidResourceReference", self.refused(
            "az dns-resolver create -g hub-rg -n other -l %s --id %s" % (LOCATION, HUB.id + "x")))


if __name__ == "__main__":
    harness.main()
