#!/usr/bin/env python3
"""Azure's own command line against a real server: how it comes to log in, every command that the guide to
reverse DNS prints and that az has, as it is printed there, and what is refused.

Where az is not installed this is skipped and named; `make test-clients` installs it, and with
CLIENTS=required its absence is a failure."""

import os

import azure_world
import harness
from azure_world import GROUPS, NOT_OURS, SUBSCRIPTION, SUFFIX, URL


class Guide(azure_world.Az):
    groups = ("MyResourceGroup", "refused")
    def test_the_guides_commands(self):
        self.az("az group create --name MyResourceGroup --location westus")
        self.az("az network public-ip create -g MyResourceGroup -n PublicIp")
        address = self.address()["ipAddress"]
        self.ptr_is(address)
        # an address that has no DNS name yet
        self.az("az network public-ip update --resource-group MyResourceGroup --name PublicIp "
                "--reverse-fqdn contosoapp1.westus.cloudapp.azure.com --dns-name contosoapp1")
        self.ptr_is(address, "contosoapp1.westus.cloudapp.azure.com.")
        # away with it
        self.az('az network public-ip update --resource-group MyResourceGroup --name PublicIp '
                '--reverse-fqdn ""')
        self.ptr_is(address)
        self.assertIsNone(self.address()["dnsSettings"].get("reverseFqdn"))
        # an address that has a DNS name
        self.az("az network public-ip update --resource-group MyResourceGroup --name PublicIp "
                "--reverse-fqdn contosoapp1.westus.cloudapp.azure.com.")
        self.ptr_is(address, "contosoapp1.westus.cloudapp.azure.com.")
        shown = self.az("az network public-ip show --name PublicIp --resource-group MyResourceGroup")
        self.assertEqual({"domainNameLabel": "contosoapp1",
                          "fqdn": "contosoapp1.westus.cloudapp.azure.com",
                          "reverseFqdn": "contosoapp1.westus.cloudapp.azure.com."},
                         {key: shown["dnsSettings"][key] for key in
                          ("domainNameLabel", "fqdn", "reverseFqdn")})
        self.az("az network public-ip delete --name PublicIp --resource-group MyResourceGroup")
        self.ptr_is(address)
        # with it from the start
        made = self.az("az network public-ip create --name PublicIp --resource-group MyResourceGroup "
                       "--location westcentralus --dns-name contosoapp1 "
                       "--reverse-fqdn contosoapp1.westcentralus.cloudapp.azure.com")["publicIp"]
        self.assertEqual(("westcentralus", "Succeeded", "contosoapp1.westcentralus." + SUFFIX),
                         (made["location"], made["provisioningState"],
                          made["dnsSettings"]["fqdn"]))
        self.ptr_is(made["ipAddress"], "contosoapp1.westcentralus.cloudapp.azure.com.")
        self.az("az group delete --name MyResourceGroup --yes")
        self.ptr_is(made["ipAddress"])

    def test_a_name_that_is_not_ours_is_refused_in_azures_words(self):
        self.az("az group create -n refused -l westus")
        self.az("az network public-ip create -g refused -n one --dns-name refusedone")
        for fqdn in ("www.example.com.", "www.example.com"):
            text = self.refused("az network public-ip update -g refused -n one --reverse-fqdn " + fqdn)
            self.assertIn("ReverseFqdnDoesNotBelongToSubscription", text)
            self.assertIn(NOT_OURS % (fqdn, "one"), text)
        self.assertIsNone(self.address("refused", "one")["dnsSettings"].get("reverseFqdn"))
        self.assertIn("DomainNameLabelMissing", self.refused(
            "az network public-ip create -g refused -n two --reverse-fqdn refusedone.westus." + SUFFIX))
        self.assertIn("ResourceNotFound", self.refused("az network public-ip show -g refused -n two", 3))

    def test_az_rest_and_resource(self):
        where = GROUPS + "office/providers/Microsoft.Network/publicIPAddresses/filed"
        self.assertEqual("filed", self.az(
            "az rest --url %s%s?api-version=2022-07-01" % (URL, where))["name"])
        self.assertEqual(where, self.az(
            "az resource show -g office -n filed "
            "--resource-type Microsoft.Network/publicIPAddresses")["id"])
        self.assertEqual(["westus"], [each["name"] for each in
                                      self.az("az account list-locations")])
        self.assertEqual("Registered", self.az(
            "az provider show -n Microsoft.Network")["registrationState"])
        self.assertEqual({"cloud": "sluice", "resourceManager": URL}, self.az("az network sluice show"))

    def test_a_login_outlives_a_restart(self):
        self.assertEqual([SUBSCRIPTION], [each["id"] for each in self.az("az account list")])
        token = self.az("az account get-access-token")["accessToken"]
        self.assertTrue(token.startswith("sluice2."), token)
        self.restart()
        self.assertIn("office", [each["name"] for each in self.az("az group list")])
        self.assertEqual(token, self.az("az account get-access-token")["accessToken"])

    def test_a_wrong_secret_and_a_reader(self):
        """Each with a configuration of its own, so that the others stay logged in."""
        other = os.path.join(self.world.dir, "azure-other")
        status, out, err = self.run_inside(azure_world.SETUP, URL, AZURE_CONFIG_DIR=other)
        self.assertEqual(0, status, out + err)
        login = "az login --service-principal --tenant adfs -u %s -p %s"
        text = self.refused(login % ("ops", azure_world.EYE), AZURE_CONFIG_DIR=other)
        self.assertIn("no client of management.clients has this id and secret", text)
        self.az(login % ("eye", azure_world.EYE), AZURE_CONFIG_DIR=other)
        self.assertIn("office", [each["name"] for each in
                                 self.az("az group list", AZURE_CONFIG_DIR=other)])
        self.assertIn("AuthorizationFailed", self.refused("az group create -n no -l westus",
                                                          AZURE_CONFIG_DIR=other))

    def test_another_cloud_of_the_name_is_left_alone(self):
        status, out, err = self.run_inside(azure_world.SETUP, "https://other.example:8443")
        self.assertEqual((1, True), (status, "already, at " + URL in err), out + err)
        self.assertEqual(URL, self.az("az cloud show")["endpoints"]["resourceManager"])


if __name__ == "__main__":
    harness.main()
