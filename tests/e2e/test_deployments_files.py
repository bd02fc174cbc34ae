"""Whole templates, as Bicep makes them and the portal exports them, deployed into an empty server by `sluice
deploy`: it answers as Azure would. And what the language's functions come to."""

import json
import os
import re

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
        self.assert_answer(self.ask("www.contoso.corp"), "198.51.100.53")
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
        self.assert_answer(self.ask("www.contoso.corp"), "198.51.100.53")

    def test_outputs_have_what_came_of_it(self):
        self.assertIn("\nregion = westeurope\naddress = 10.1.0.4\n", self.told)

    def test_targets_of_a_lambda_are_there(self):
        self.assertRegex(self.exported(), r'targets = \( \{ address = "192\.0\.2\.53"; [^}]* \}, \{ address = "192\.0\.2\.54"; ')


class Functions(Files):
    """Each is an output, which is printed."""
    CASES = (
        ("[concat('10.0', '.0.0/16')]", "10.0.0.0/16"),
        ("[format('10.{0}.{1:D1}.0/24', 3, 4)]", "10.3.4.0/24"),
        ("[if(true(), '10.5.0.0/16', parameters('none'))]", "10.5.0.0/16"),
        ("[if(and(equals(1, 1), not(contains('abc', 'd'))), '10.6.0.0/16', '')]", "10.6.0.0/16"),
        ("[coalesce(null(), tryGet(createObject('a', '10.7.0.0/16'), 'a'))]", "10.7.0.0/16"),
        ("[first(split('10.8.0.0/16;x', ';'))]", "10.8.0.0/16"),
        ("[join(createArray('10', '9', '0', '0/16'), '.')]", "10.9.0.0/16"),
        ("[replace(toLower('10.X.0.0/16'), 'x', string(add(4, 6)))]", "10.10.0.0/16"),
        ("[cidrSubnet('10.11.0.0/16', 24, 255)]", "10.11.255.0/24"),
        ("[cidrSubnet('2001:db8::/32', 48, 258)]", "2001:db8:102::/48"),
        ("[format('{0}/32', cidrHost('10.12.0.0/24', 3))]", "10.12.0.4/32"),
        ("[last(map(range(1, 3), lambda('n', format('10.13.{0}.0/24', lambdaVariables('n')))))]", "10.13.3.0/24"),
        ("[filter(parameters('list'), lambda('x', startsWith(lambdaVariables('x').p, '10.14')))[0].p]", "10.14.0.0/16"),
        ("[variables('loop')[1]]", "10.15.1.0/24"),
        ("[test.space('16')]", "10.16.0.0/16"),
        ("""[json('{"p": "10.17.0.0/16"}').P]""", "10.17.0.0/16"),
        ("[substring('x10.18.0.0/16', 1)]", "10.18.0.0/16"),
        ("[union(createObject('p', '1'), createObject('p', '10.19.0.0/16')).p]", "10.19.0.0/16"),
    )
    BAD = (("[concat('a']", r"expressions.json:\d+: "), ("[nothing('a')]", "nothing"), ("[variables('circle')]", "circ"),
           ("[createArray()[0]]", "index"), ("[resourceGroup().x]", "'x'"), ("[div(1, 0)]", "zero|divi"),
           ("[if(true())]", r"if\(\)"), ("['it''s' x]", r"expressions.json:\d+: "))

    def given(self, *expressions, **more):
        outputs = {"o%d" % i: {"type": "string", "value": text} for i, text in enumerate(expressions)}
        return self.path("expressions.json", json.dumps({
            "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
            "contentVersion": "1.0.0.0",
            "parameters": {"list": {"type": "array", "defaultValue": [{"p": "x"}, {"p": "10.14.0.0/16"}]}},
            "variables": {"copy": [{"name": "loop", "count": 2, "input": "[format('10.15.{0}.0/24', copyIndex('loop'))]"}]},
            "functions": [{"namespace": "test", "members": {"space": {
                "parameters": [{"name": "n", "type": "string"}],
                "output": {"type": "string", "value": "[format('10.{0}.0.0/16', parameters('n'))]"}}}}],
            "resources": [], "outputs": outputs, **more}, indent=1))

    def test_they_come_to_what_azure_says(self):
        told = self.deploy(self.given(*(text for text, _ in self.CASES)))
        self.assertEqual([value for _, value in self.CASES], re.findall(r"(?m)^o\d+ = (.*)$", told))

    def test_what_has_no_value_is_told_with_its_line(self):
        for text, why in self.BAD:
            with self.subTest(text):
                path = self.given(text, variables={"circle": "[variables('circle')]"})
                with open(path) as file:
                    line = 1 + file.read().split('"outputs"')[0].count("\n")
                told = self.deploy(path, fine=False)
                self.assertRegex(told, why)
                self.assertGreaterEqual(int(re.search(r"expressions\.json:(\d+): ", told).group(1)),
                                        line if "circle" not in text else 1, told)

    def test_what_grows_or_goes_deep_comes_to_an_end(self):
        grows = {"v0": "x" * 1000}
        grows.update({"v%d" % i: "[concat(%s)]" % ",".join(["variables('v%d')" % (i - 1)] * 8) for i in range(1, 40)})
        self.assertRegex(self.deploy(self.given("[variables('v39')]", variables=grows), fine=False), "limit|more than|at most")
        deep = "[" + "toLower(" * 5000 + "'a'" + ")" * 5000 + "]"
        self.assertRegex(self.deploy(self.given(deep), fine=False), "limit|more than|at most|deep")
        copy = {"name": "x", "count": 10000, "input": {"copy": [{"name": "y", "count": 10000, "input": "[copyIndex('y')]"}]}}
        network = {"type": NETWORKS, "apiVersion": "2023-09-01", "name": "n", "properties": {"copy": [copy]}}
        self.assertRegex(self.deploy(self.given(resources=[network]), fine=False), "limit|more than|at most")
        self.assertEqual("expressions: 0 resources deployed\no0 = a\n", self.deploy(self.given("[toLower('A')]")))


if __name__ == "__main__":
    harness.main()
