"""The names that are asked for most, and which of them another configuration, or edits, would decide
otherwise: `sluice names`, `sluice plan FILE`, GET /v1/names, POST /v1/plan."""

import json
import re

import harness
import test_resources


class Plan(test_resources.World):
    config = test_resources.CONFIG.replace("workers = 2;", "workers = 1;")

    def build(self, world):
        super().build(world)
        self.build_hub()
        self.good("PUT", "private_zones/-/corp.internal/links/hub", {"virtual_network": "hub"}, 201)
        for name, times in (("a.contoso.corp", 2), ("a.elsewhere.example", 1)):
            for _ in range(times):
                self.ask(name)
                self.sluice.command("flush")
        for _ in range(32):
            self.ask("web.corp.internal")

    def command(self, *argv, status=0):
        found, text = self.sluice.command(*argv)
        self.assertEqual(status, found, text)
        return text

    def names(self, query=""):
        return self.good("GET", "names" + query).body["names"]

    def decisions(self):
        return {one["name"]: one["decided"]["hops"][0] for one in self.names()}

    def file(self, old, new):
        """The served configuration with a change, as a file without the state, which is in it."""
        text = re.sub(r"(?m)^ *state = .*\n", "", self.command("export"))
        self.assertIn(old, text)
        self.world.write("other.conf", text.replace(old, new))
        return self.world.dir + "/other.conf"

    def test_names_are_counted_and_shown_with_who_decides_them(self):
        found = self.names()
        self.assertEqual([("web.corp.internal.", 32), ("a.contoso.corp.", 2), ("a.elsewhere.example.", 1)],
                         [(one["name"], one["count"]) for one in found])
        self.assertEqual({("A", "hub", "inbound", 0)},
                         {(one["type"], one["network"], one["role"], one["over"]) for one in found})
        hops = self.decisions()
        self.assertEqual("zone", hops["web.corp.internal."]["decided_by"])
        self.assertEqual(["127.0.0.5:53"], [leg["host"] for leg in hops["a.contoso.corp."]["route"]])
        self.assertEqual("default", hops["a.elsewhere.example."]["decided_by"])
        self.assertEqual(found[:1], self.names("?limit=1"))
        for query, field in (("limit=0", "limit"), ("name=x", "name")):
            self.bad(self.call("GET", "names?" + query), 400, "invalid", ".", field)
        text = self.command("names")
        self.assertRegex(text, r"(?m)^ *2 +a\.contoso\.corp\. +A +hub +inbound +rule office/contoso -> 127\.0\.0\.5:53$")
        self.assertEqual({"names": found}, json.loads(self.command("names", "--json")))

    def test_a_file_that_decides_otherwise_is_told_name_by_name(self):
        same = self.file("hub", "hub")
        self.assertRegex(self.command("plan", same), r"^0 of 3 names would be decided otherwise, 0 of 35 times")
        text = self.command("plan", self.file('"127.0.0.5"', '"127.0.0.7"'))
        self.assertEqual("""\
a.contoso.corp. A in hub, asked for 2 times
    - rule office/contoso -> 127.0.0.5:53
    + rule office/contoso -> 127.0.0.7:53
1 of 3 names would be decided otherwise, 2 of 35 times that they were asked for
""", text)
        self.world.write("corp.internal.zone", "web 300 IN A 10.10.1.99\n")
        same = self.file("hub", "hub")
        text = self.command("plan", same)
        self.assertRegex(text, r"- zone corp\.internal: web\.corp\.internal\..*10\.10\.1\.10\n")
        self.assertRegex(text, r"\+ zone corp\.internal: web\.corp\.internal\..*10\.10\.1\.99\n")
        told = json.loads(self.command("plan", "--json", same))
        self.assertEqual((3, ["web.corp.internal."]), (told["names"], [one["name"] for one in told["changes"]]))
        # What is served has not changed.
        self.assert_answer(self.ask("web.corp.internal"), "10.10.1.10")

    def test_a_network_that_goes_and_a_file_with_faults(self):
        self.world.write("bare.conf", 'default_resolver = { targets = ( { address = "127.0.0.3"; } ); };\n')
        text = self.command("plan", self.world.dir + "/bare.conf")
        self.assertIn("\n    + no such network\n3 of 3 names", text)
        self.world.write("wrong.conf", "frob = 1;\n")
        text = self.command("plan", self.world.dir + "/wrong.conf", status=1)
        self.assertRegex(text, "frob")
        self.assertIn("wrong.conf has faults", text)
        self.assertIn("usage", self.command("plan", status=2))

    def test_edits_are_planned_and_not_made(self):
        rule = "rulesets/-/office/rules/contoso"
        edit = {"path": rule, "values": {"domain": "contoso.corp.", "state": "Disabled",
                                         "targets": [{"address": "127.0.0.5"}]}}
        etag = self.good("GET", rule).etag
        answer = self.good("POST", "plan", {"edits": [edit]}).body
        self.assertEqual((3, ["a.contoso.corp."]), (answer["names"], [one["name"] for one in answer["changes"]]))
        change = answer["changes"][0]
        self.assertEqual(["rule", "default"], [change[when]["hops"][0]["decided_by"] for when in ("before", "after")])
        self.assertEqual(etag, self.good("GET", rule).etag)
        self.assert_answer(self.ask("c.contoso.corp"), "198.51.100.5")
        self.assertEqual([], self.good("POST", "plan?limit=1", {"edits": [edit]}).body["changes"])
        self.bad(self.call("POST", "plan", {"edits": []}), 400, "invalid", ".", "edits")
        edit["values"]["domain"] = "x..y"
        self.assertEqual(400, self.call("POST", "plan", {"edits": [edit]}).status)
        # Addresses are no part of a policy: nothing is decided otherwise.
        pools = {"path": "address_pools/-/p", "values": {"prefix": "198.51.100.0/24"}}
        self.assertEqual([], self.good("POST", "plan", {"edits": [pools]}).body["changes"])

    def test_they_can_be_left_uncounted(self):
        self.sluice.reconfigure(self.config % self.filed + "count_names = false;\n")
        self.command("reload")
        before = self.names()
        self.ask("b.contoso.corp")
        self.assertEqual(before, self.names())
        self.sluice.kill()
        self.start()
        self.assertEqual([], self.names())
        self.ask("b.contoso.corp")
        self.assertEqual(["b.contoso.corp."], [one["name"] for one in self.names()])


if __name__ == "__main__":
    harness.main()
