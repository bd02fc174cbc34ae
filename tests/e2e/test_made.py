"""A network, a ruleset and a rule are enough: what nobody named is made, shown as made, gives way to what
is named later, and is made again of what was exported."""

import json

import harness
from test_resources import World

LITTLE = """
management = { socket = "control.sock"; state = "state.db"; };
default_resolver = { targets = ( { address = "127.0.0.3"; } ); };
virtual_networks = ( { name = "home"; } );
rulesets = ( { name = "office"; links = ( { name = "home"; virtual_network = "home"; } );
  target_groups = ( { name = "dc"; targets = ( { address = "::1"; port = 5301; description = "old"; } ); } );
  rules = ( { name = "contoso"; domain = "contoso.corp."; targets = ( { address = "127.0.0.5"; } ); },
            { name = "fabrikam"; domain = "fabrikam.corp."; target_group = "dc"; } ); } );
"""
NOTHING = """
management = { socket = "control.sock"; state = "state.db"; };
default_resolver = { targets = ( { address = "127.0.0.3"; } ); };
"""
LOOPBACK = ("127.0.0.1", 53)


class Made(World):
    config = LITTLE

    def start(self):
        self.sluice = harness.Sluice(self.host, self.config)
        self.sluice.wait_managed()

    def ask(self, name, server=LOOPBACK):
        return self.host.ask(server, name)

    def run_command(self, *argv):
        status, text = self.sluice.command(*argv)
        self.assertEqual(0, status, text)
        return text

    def checked(self, config):
        """What is made of a configuration: {path: value}."""
        status, text = harness.command("check", "--json", "-c", config)
        self.assertEqual(0, status, text)
        return {made["path"]: made["value"] for made in json.loads(text)["made"]}


class File(Made):
    def test_a_network_a_ruleset_and_a_rule_answer(self):
        v6 = harness.Upstream(self.host, "::1", "198.51.100.6", port=5301)
        self.assert_answer(self.ask("a.contoso.corp"), "198.51.100.5")
        self.assert_answer(self.ask("a.elsewhere.example"), "198.51.100.3")
        # The system's choice of source is one for each IP version.
        self.assert_answer(self.ask("a.fabrikam.corp"), "198.51.100.6")
        del v6

    def test_it_stays_through_an_upgrade_and_goes_with_a_reload_that_names_it(self):
        self.run_command("upgrade")
        self.assert_answer(self.ask("a.contoso.corp"), "198.51.100.5")
        self.world.write("sluice.conf", LITTLE + """
resolvers = ( { name = "edge"; virtual_network = "home";
  inbound_endpoints = ( { name = "lan"; listen = "127.0.0.8:53"; } );
  outbound_endpoints = ( { name = "out"; source = "127.0.0.1"; } ); } );""")
        self.run_command("reload")
        self.assert_answer(self.ask("b.contoso.corp", ("127.0.0.8", 53)), "198.51.100.5")
        self.assertEqual(["edge"], [item["name"] for item in self.good("GET", "resolvers").body["resolvers"]])
        self.assertEqual(["edge/out"],
                         self.good("GET", "rulesets/-/office").body["placed"]["outbound_endpoints"])
        self.assert_refused(self.host, LOOPBACK)

    def test_a_status_does_not_show_it_as_ones_own(self):
        for options in ((), ("--all",)):
            text = self.run_command("status", *options)
            self.assertNotIn("240.0.0", text)
            self.assertRegex(text, r"home/default \(made\) +")
        self.assertRegex(text, r"(?m)^ +office .*home/default \(made\)")
        status = self.sluice.status()
        # Programs find what there was, and beside it which of it was made.
        self.assertEqual((["240.0.0.0/24"], ["240.0.0.0/24"]),
                         tuple(status["networks"][0][key] for key in ("address_space", "made_address_space")))
        self.assertEqual([(True, True)], [(one["made"], one["made_address"]) for one in status["inbound_endpoints"]])
        self.assertEqual([True], [one["made"] for one in status["outbound_endpoints"]])
        self.world.write("sluice.conf", LITTLE.replace('name = "home"; } );', 'name = "home"; address_space = [ "240.0.9.0/24" ]; } );')
                         + 'resolvers = ( { name = "edge"; virtual_network = "home"; outbound_endpoints = ( { name = "out"; } ); } );')
        self.run_command("reload")
        text = self.run_command("status")
        self.assertRegex(text, r"(?m)^ +home +240\.0\.9\.0/24 ")  # which somebody named
        self.assertRegex(text, r"edge/out +outbound")

    def test_check_tells_what_is_made_and_why(self):
        text = self.run_command("check", "-v")
        self.assertIn("made: resolvers[home]: in virtual network home, because ruleset \"office\"", text)
        self.assertIn("made: resolvers[home].inbound_endpoints[default].listen: 127.0.0.1:53, because", text)
        self.assertNotIn("made:", self.run_command("check"))
        self.assertEqual("home/default",
                         self.checked(self.sluice.config)["rulesets[office].outbound_endpoints"])
        self.assertIn("127.0.0.5:53 by udp through home/default (made)",
                      self.run_command("explain", "a.contoso.corp", "--endpoint", "home/default"))
        self.assertIn("by rule fabrikam of ruleset office, to target group dc\n",
                      self.run_command("explain", "a.fabrikam.corp"))

    def test_it_is_shown_beside_what_was_given_and_cannot_be_changed(self):
        resolver = self.good("GET", "resolvers/-/home").body
        self.assertRegex(resolver["made"], "names no outbound endpoint")
        self.assertIsNone(resolver["origin"])
        self.assertRegex(self.run_command("list", "resolver"), "home +- +home .* made")
        endpoint = self.good("GET", "resolvers/-/home/inbound_endpoints/default").body
        self.assertEqual("127.0.0.1:53", endpoint["listen"])
        self.assertIn("made", self.good("GET", "virtual_networks/-/home/subnets/default-inbound").body)
        self.assertIn("[::1]:5301 (old)", self.run_command("list", "target-group", "office"))
        ruleset = self.good("GET", "rulesets/-/office").body
        self.assertEqual([], ruleset["outbound_endpoints"])
        self.assertEqual(["home/default"], ruleset["placed"]["outbound_endpoints"])
        self.assertNotIn("made", ruleset)
        self.bad(self.call("DELETE", "resolvers/-/home"), 409, "read_only", "nobody named it: it is made because")
        self.bad(self.call("PATCH", "resolvers/-/home", {"region": "x"}), 409, "read_only", "nobody named it")

    def test_what_is_made_for_a_ruleset_of_the_file_makes_no_group_the_file_s(self):
        self.sluice.reconfigure(NOTHING + 'rulesets = ( { name = "office"; } );')
        self.run_command("reload")
        self.good("PUT", "virtual_networks/lab/dev", {"address_space": ["10.30.0.0/16"]}, 201)
        self.good("PUT", "rulesets/-/office/links/dev", {"virtual_network": "lab/dev"}, 201)
        self.assertIn("made", self.good("GET", "resolvers/lab/dev").body)
        self.assertIsNone(self.good("GET", "groups/-/lab").body["origin"])
        self.good("PUT", "groups/-/lab", {"tags": {"team": "lab"}})

    def test_what_was_exported_checks_and_is_the_same(self):
        made = self.checked(self.sluice.config)
        text = self.run_command("export")
        self.assertIn("# made: resolvers[home]: in virtual network home", text)
        self.assertNotIn("resolvers = (", text)
        path = self.world.write("exported.conf", text.replace("control.sock", "other.sock")
                                .replace("state.db", "other.db"))
        self.assertEqual(made, self.checked(path))
        for name in ("a.contoso.corp", "a.fabrikam.corp", "x.example"):
            here, there = self.run_command("explain", name, "--offline"), harness.command("explain", name, "-c", path)[1]
            self.assertEqual(here.partition("\n")[2], there.partition("\n")[2])  # below who says so
        exported = json.loads(self.run_command("export", "--as", "json"))
        self.assertEqual(len(made), len(exported["made"]))
        self.assertFalse([edit for edit in exported["edits"] if edit["path"].startswith("resolvers")])
        self.assertIn("nothing to change", self.run_command("apply", path, "--prune"))


class Api(Made):
    config = NOTHING

    def test_four_commands_forward_a_domain(self):
        self.run_command("network", "create", "home")
        self.run_command("ruleset", "create", "office")
        self.run_command("rule", "create", "office", "contoso", "domain=contoso.corp.", "targets=127.0.0.5")
        self.assertEqual([], self.good("GET", "resolvers").body["resolvers"])
        self.run_command("ruleset-link", "create", "office", "home", "virtual_network=home")
        self.assert_answer(self.ask("a.contoso.corp"), "198.51.100.5")
        self.run_command("ruleset-link", "delete", "office", "home")
        self.assertEqual([], self.good("GET", "resolvers").body["resolvers"])

    def test_what_is_named_later_comes_first(self):
        self.run_command("network", "create", "home")
        self.run_command("ruleset", "create", "office")
        self.run_command("ruleset-link", "create", "office", "home", "virtual_network=home")
        self.run_command("rule", "create", "office", "contoso", "domain=contoso.corp.", "targets=127.0.0.5")
        self.bad(self.call("PUT", "resolvers/-/home/inbound_endpoints/lan", {"listen": "127.0.0.8:53"}),
                 400, "invalid", "there is no resolver \"home\"; make it first")
        self.run_command("resolver", "create", "home", "virtual_network=home")
        self.assertNotIn("made", self.good("GET", "resolvers/-/home").body)
        self.assert_answer(self.ask("a.contoso.corp"), "198.51.100.5")
        # Its subnet is made, its place is not.
        self.run_command("inbound-endpoint", "create", "home", "lan", "listen=127.0.0.8:53")
        self.assert_answer(self.ask("b.contoso.corp", ("127.0.0.8", 53)), "198.51.100.5")
        self.assertEqual(["lan"], [item["name"] for item in self.good(
            "GET", "resolvers/-/home/inbound_endpoints").body["inbound_endpoints"]])
        self.good("PUT", "virtual_networks/-/home", {"address_space": ["10.9.0.0/24"]})
        placed = self.good("GET", "resolvers/-/home/inbound_endpoints/lan").body["placed"]
        self.assertEqual({"subnet": "lan-inbound", "address": "240.0.0.4"}, placed)
        self.run_command("resolver", "delete", "home")
        self.assert_answer(self.ask("c.contoso.corp"), "198.51.100.5")
        self.sluice.kill()
        self.start()
        self.assert_answer(self.ask("d.contoso.corp"), "198.51.100.5")

    def test_a_resolver_is_found_beside_one_that_was_made(self):
        for name in ("home", "other"):
            self.run_command("network", "create", name)
        self.run_command("ruleset", "create", "office")
        self.run_command("ruleset-link", "create", "office", "home", "virtual_network=home")
        self.run_command("resolver", "create", "west", "virtual_network=other")
        self.assertEqual(["home", "west"], [one["name"] for one in self.good("GET", "resolvers").body["resolvers"]])
        self.good("GET", "resolvers/-/west/inbound_endpoints")
        self.good("PATCH", "resolvers/-/west", {"region": None})
        self.good("DELETE", "resolvers/-/west")

    def test_a_target_group_is_changed_once_for_all_of_its_rules(self):
        self.run_command("network", "create", "home")
        self.run_command("ruleset", "create", "office")
        self.run_command("ruleset-link", "create", "office", "home", "virtual_network=home")
        status, text = self.sluice.command("rule", "create", "office", "a", "domain=a.corp.", "target_group=dc")
        self.assertEqual(1, status)
        self.assertIn("there is no target group \"dc\" in this ruleset; it has none", text)
        self.run_command("target-group", "create", "office", "dc", "targets=127.0.0.3", "description=Berlin")
        for name in "ab":
            self.run_command("rule", "create", "office", name, "domain=%s.corp." % name, "target_group=dc")
        self.assert_answer(self.ask("x.a.corp"), "198.51.100.3")
        self.run_command("target-group", "set", "office", "dc", "targets=127.0.0.5")
        for name in "ab":
            self.assert_answer(self.ask("y.%s.corp" % name), "198.51.100.5")
        rule = self.good("GET", "rulesets/-/office/rules/a").body
        self.assertEqual(("dc", []), (rule["target_group"], rule["targets"]))
        self.bad(self.call("DELETE", "rulesets/-/office/target_groups/dc"), 400, "invalid",
                 "there is no target group \"dc\"")
        self.bad(self.call("PATCH", "rulesets/-/office/rules/a", {"targets": [{"address": "127.0.0.3"}]}),
                 400, "invalid", "and targets too; keep one of them")
        self.good("PATCH", "rulesets/-/office/rules/a",
                  {"target_group": None, "targets": [{"address": "127.0.0.3", "description": "for now"}]})
        self.assert_answer(self.ask("z.a.corp"), "198.51.100.3")


if __name__ == "__main__":
    harness.main()
