"""How rules fare, one by one: GET /v1/statistics/rules."""

import harness
import test_resources

RULES = "rulesets/-/office/rules/"


class RuleStatistics(test_resources.World):
    def build(self, world):
        super().build(world)
        self.build_hub()
        self.good("PUT", "private_zones/-/corp.internal/links/hub", {"virtual_network": "hub"}, 201)

    def rule(self, name, domain, target="127.0.0.5", where=RULES, **more):
        self.good("PUT", where + name, {"domain": domain, "targets": [{"address": target}], **more})

    def all(self, query=""):
        return self.good("GET", "statistics/rules" + query).body

    def one(self, name, ruleset="office"):
        found, = [one for one in self.all()["rules"] if (one["ruleset"], one["rule"]) == (ruleset, name)]
        return found

    def test_what_each_has_decided_is_counted(self):
        self.rule("dead", "dead.test.", "127.0.0.66")
        for name in ("a.contoso.corp", "b.contoso.corp", "a.dead.test", "web.corp.internal"):
            self.ask(name)
        self.assertEqual((2, 0), tuple(self.one("contoso")[key] for key in ("queries", "failures")))
        self.assertEqual((1, 1), tuple(self.one("dead")[key] for key in ("queries", "failures")))
        self.assertEqual(("contoso.corp.", True, 1, 1, []), tuple(
            self.one("contoso")[key] for key in ("domain", "enabled", "linked", "deciding", "shadowed")))
        self.assertRegex(self.one("contoso")["last_used"], r"^\d{4}-\d\d-\d\dT.*Z$")
        self.rule("idle", "idle.test.")
        self.assertIsNone(self.one("idle")["last_used"])
        # They stay with the name, also over a change, and over what the metrics show.
        self.good("PATCH", RULES + "contoso", {"description": "changed"})
        self.ask("c.contoso.corp")
        self.assertEqual(3, self.one("contoso")["queries"])

    def test_a_zone_or_another_rule_that_decides_instead_is_told(self):
        self.rule("inside", "a.corp.internal.")
        self.assertEqual([{"network": "hub", "decided_by": "zone", "object": "corp.internal", "ruleset": None}],
                         self.one("inside")["shadowed"])
        self.assertEqual((1, 0), tuple(self.one("inside")[key] for key in ("linked", "deciding")))
        self.good("PUT", "rulesets/-/zweiter", {"outbound_endpoints": ["r/out"]}, 201)
        self.rule("unlinked", "contoso.corp.", where="rulesets/-/zweiter/rules/")
        self.assertEqual((0, 0, []), tuple(self.one("unlinked", "zweiter")[key] for key in ("linked", "deciding", "shadowed")))
        # The other one may be refused there; where it is not, one of the two decides.
        answer = self.call("PUT", "rulesets/-/zweiter/links/hub", {"virtual_network": "hub"})
        if answer.status == 201:
            pair = [self.one("contoso"), self.one("unlinked", "zweiter")]
            self.assertEqual([0, 1], sorted(one["deciding"] for one in pair))
            loser, = [one["shadowed"] for one in pair if not one["deciding"]]
            self.assertEqual(("hub", "rule"), (loser[0]["network"], loser[0]["decided_by"]))

    def test_a_zone_that_passes_names_on_leaves_the_rule_those_below(self):
        self.rule("inside", "a.corp.internal.")
        self.rule("whole", "corp.internal.")
        link = "private_zones/-/corp.internal/links/hub"
        self.good("PATCH", link, {"resolution_policy": "NxDomainFallthrough"})
        for name in ("inside", "whole"):
            self.assertEqual((1, []), tuple(self.one(name)[key] for key in ("deciding", "shadowed")), name)
        # A wildcard of the zone has all of them.
        self.good("PUT", "private_zones/-/wild.internal", {}, 201)
        self.good("PUT", "private_zones/-/wild.internal/links/hub", {
            "virtual_network": "hub", "resolution_policy": "NxDomainFallthrough"}, 201)
        self.rule("wild", "a.wild.internal.")
        self.assertEqual(1, self.one("wild")["deciding"])
        self.good("PUT", "private_zones/-/wild.internal/record_sets/*.a:A", {"records": ["10.10.9.9"]}, 201)
        self.assertEqual((0, "wild.internal"), (self.one("wild")["deciding"], self.one("wild")["shadowed"][0]["object"]))

    def test_one_that_is_disabled_is_there_and_decides_nothing(self):
        self.good("PATCH", RULES + "contoso", {"state": "Disabled"})
        self.assertEqual((False, 1, 0, []), tuple(self.one("contoso")[key] for key in ("enabled", "linked", "deciding", "shadowed")))

    def test_pages_have_each_once(self):
        names = ["contoso"] + ["r%d" % i for i in range(5)]
        for i in range(5):
            self.rule("r%d" % i, "d%d.test." % i)
        found, next_page = [], "?limit=2"
        while next_page:
            page = self.all(next_page)
            found += [one["rule"] for one in page["rules"]]
            self.assertLessEqual(len(page["rules"]), 2)
            next_page = page["next"] and page["next"].replace("/v1/statistics/rules", "")
        self.assertEqual(names, found)
        self.assertRegex(self.all()["since"], r"^\d{4}-\d\d-\d\dT.*Z$")
        for query, field in (("limit=0", "limit"), ("name=x", "name")):
            self.bad(self.call("GET", "statistics/rules?" + query), 400, "invalid", ".", field)


if __name__ == "__main__":
    harness.main()
