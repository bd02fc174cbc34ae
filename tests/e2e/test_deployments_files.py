"""Whole templates, as Bicep makes them and the portal exports them, deployed into an empty server by `sluice
deploy`: it answers as Azure would."""

import os

import harness
import test_import

GROUP = "net"
CONFIG = """
subscription = "11111111-2222-3333-4444-555555555555";
management = { socket = "control.sock"; state = "state.db"; };
default_resolver = { targets = ( { address = "192.0.2.99"; } ); };
"""
NETWORKS = "Microsoft.Network/virtualNetworks"


class Files(test_import.Import):
    """Machine "azure" has the address of the inbound endpoint, which the server listens at when it is deployed."""
    INBOUND = ("10.1.0.4", 53)
    FILES = os.path.join(harness.TOP, "tests/e2e/import/")

    @classmethod
    def build(cls, world):
        super().build(world)
        cls.azure = world.host("azure", "10.1.0.4", "10.1.0.20")
        cls.sluice = harness.Sluice(cls.azure, CONFIG)
        cls.sluice.wait_managed()
        cls.run_("group", "create", GROUP, "region=westeurope")

    @classmethod
    def run_(cls, *words, fine=True):
        status, text = cls.sluice.command(*words)
        if (status == 0) != fine:
            raise AssertionError(text)
        return text

    @classmethod
    def deploy(cls, *words, fine=True):
        return cls.run_("deploy", *words, "--group", GROUP, fine=fine)

    @classmethod
    def exported(cls):
        """All that the server has, as a configuration in one line."""
        return " ".join(cls.run_("export").split())

    def ask(self, name, rtype="A"):
        return self.azure.ask(self.INBOUND, name, rtype)


class Bicep(Files):
    """What Bicep makes, with a module, loops, a condition and a file of parameters."""

    @classmethod
    def build(cls, world):
        super().build(world)
        cls.refused = cls.deploy(cls.FILES + "main.json", fine=False)
        words = cls.FILES + "main.json", "-p", cls.FILES + "main.parameters.json"
        cls.seen = cls.deploy(*words, "--what-if")
        cls.before = cls.exported()
        cls.told = cls.deploy(*words)
        cls.again = cls.deploy(*words, "--what-if")
        cls.config = cls.exported()

    def test_it_answers_as_azure_would(self):
        self.assert_answered_by_one(self.ask("www.contoso.corp"), "198.51.100.53", "198.51.100.54")
        self.assert_answer(self.ask("www.lower.contoso.corp"), "198.51.100.54")
        self.assert_answer(self.ask("www.example.org"), "198.51.100.99")
        self.assert_answer(self.ask("acme.privatelink.blob.core.windows.net"), "10.1.9.9")
        # The address that the interface was given when it was deployed.
        self.assert_answer(self.ask("pe.privatelink.blob.core.windows.net"), "10.1.0.36")
        # The link's policy asks the default resolver for what the zone does not have.
        self.assert_answer(self.ask("other.privatelink.blob.core.windows.net"), "198.51.100.99")

    def test_names_parameters_and_loops_are_evaluated(self):
        for pattern in ('name = "acme-hub"', r'name = "dns-out"; prefix = "10\.1\.0\.16/28"',
                        r'outbound_endpoints = \[ "acme-resolver/out" \]', r'metadata = \[ "by=bicep" \]',
                        r'targets = \( \{ address = "192\.0\.2\.53"; [^}]* \}, \{ address = "192\.0\.2\.54"; ',
                        r'tags = \[ "team=net" \]', r'metadata = \[ "zone=privatelink\.blob\.core\.windows\.net" \]'):
            self.assertRegex(self.config, pattern)
        self.assertNotIn("lab.internal", self.config)  # its condition says no

    def test_what_if_shows_all_of_it_first(self):
        self.assertIn("+ %s/acme-hub\n" % NETWORKS, self.seen)
        self.assertIn("\n13 to create, 0 to change, 0 to delete, 0 unchanged, 0 not in the template\n", self.seen)
        self.assertNotIn("acme", self.before)
        self.assertEqual("main: 13 resources deployed\n", self.told)
        self.assertIn("\n0 to create, 0 to change, 0 to delete, 13 unchanged, 0 not in the template\n", self.again)

    def test_a_parameter_without_a_value_is_told_where_it_is_needed(self):
        self.assertRegex(self.refused, r"main\.json:7: .*template parameter 'prefix' is not provided")


class Exported(Files):
    """As the portal exports a resource group: a parameter for each name, and ids of what is in others."""

    @classmethod
    def build(cls, world):
        super().build(world)
        cls.refused = cls.deploy(cls.FILES + "exported.json", fine=False)
        cls.run_("group", "create", "apps", "region=westeurope")
        cls.run_("network", "create", "apps/spoke", "address_space=10.2.0.0/16")
        cls.deploy(cls.FILES + "exported.json")
        cls.config = cls.exported()

    def test_it_answers_as_azure_would(self):
        self.assert_answer(self.ask("www.corp.internal"), "10.1.9.1")
        self.assert_answer(self.ask("none.corp.internal"), rcode="NXDOMAIN")
        self.assert_answer(self.ask("www.contoso.corp"), "198.51.100.53")

    def test_a_network_of_another_group_has_to_be_there(self):
        self.assertRegex(self.refused, r"exported\.json:\d+: corp\.internal/spoke: .*resourceGroups/apps/.*/spoke .*"
                         "was not found")
        self.assertIn("nothing has changed", self.refused)
        self.assertRegex(self.config, r'name = "spoke"; virtual_network = "apps/spoke"; registration = true')

    def test_a_subnet_that_is_said_twice_is_there_once(self):
        self.assertEqual(1, self.config.count('name = "dns-in"'))


class Symbolic(Files):
    """Language version 2.0, with modules in a loop whose outputs are referred to."""

    @classmethod
    def build(cls, world):
        super().build(world)
        cls.told = cls.deploy(cls.FILES + "symbolic.json", "-p", cls.FILES + "symbolic.parameters.json")

    def test_it_answers_as_azure_would(self):
        for zone in ("a.internal", "b.internal"):
            self.assert_answer(self.ask("www." + zone), "10.1.9.9")
        self.assertEqual(42, self.ask("www.b.internal").answer[0].ttl)
        self.assert_answer(self.ask("alias.b.internal", "CNAME"), "www.a.internal.")
        self.assert_answered_by_one(self.ask("www.contoso.corp"), "198.51.100.53", "198.51.100.54")

    def test_outputs_have_what_came_of_it(self):
        self.assertIn("\nregion = westeurope\naddress = 10.1.0.4\n", self.told)

    def test_targets_of_a_lambda_are_there(self):
        self.assertRegex(self.exported(),
                         r'targets = \( \{ address = "192\.0\.2\.53"; [^}]* \}, \{ address = "192\.0\.2\.54"; ')


if __name__ == "__main__":
    harness.main()
