"""What an operator should look at: `sluice report`, GET /v1/report. Each section tells what is wrong,
and tells it no more when that is mended."""

import contextlib
import json
import os
import sqlite3
import time

import harness
import servers
import test_resources

DAY = 24 * 60 * 60
POOLS = """
reverse = { name_servers = [ "ns1.example.com." ]; };
address_pools = ( { name = "public"; prefix = "203.0.114.0/24"; },
                  { name = "part"; prefix = "203.0.115.64/26"; },
                  { name = "inside"; prefix = "10.10.7.0/24"; } );
addresses = (
  { name = "good"; address = "203.0.114.10"; allocation = "static"; reverse_fqdn = "good.example.com."; },
  { name = "bad"; address = "203.0.114.11"; allocation = "static"; reverse_fqdn = "bad.example.com."; },
  { name = "part"; address = "203.0.115.70"; allocation = "static"; reverse_fqdn = "part.example.com."; },
  { name = "inside"; address = "10.10.7.1"; allocation = "static"; reverse_fqdn = "web.corp.internal."; } );
"""
OUTSIDE = ["good.example.com. 1 A 203.0.114.10", "part.example.com. 1 A 203.0.115.70",
           "bad.example.com. 1 A 203.0.114.99"]
MENDED = OUTSIDE[:2] + ["bad.example.com. 1 A 203.0.114.11", "114.0.203.in-addr.arpa. 1 NS ns1.example.com.",
                        "64-127.115.0.203.in-addr.arpa. 1 NS ns1.example.com.",
                        "70.115.0.203.in-addr.arpa. 1 CNAME 70.64-127.115.0.203.in-addr.arpa."]


class Asked:
    """Answers as a server whose PTRs are asked for long, and whose delegations are done at once, and asked for anew
    by each report."""

    def __init__(self):
        self.sections = []

    def answer(self, _, query):
        names = query.get("sections", ["rules,ptrs,delegations"])[0].split(",")
        first = not self.sections
        self.sections.append(names)
        states = {"ptrs": "running" if len(self.sections) < 4 else "done", "delegations": "done" if first else "running"}
        return {"sections": [{"section": name, "summary": str(len(self.sections)),
                              **({"state": states[name]} if name in states else {})} for name in names]}


class World(test_resources.World):
    config = test_resources.CONFIG.replace("workers = 2;", "workers = 1;")

    def build(self, world):
        super().build(world)
        self.build_hub()

    def report(self, *words):
        """Its sections by their names."""
        status, text = self.sluice.command("report", "--json", *words)
        self.assertEqual(0, status, text)
        return {one["section"]: one for one in json.loads(text)["sections"]}

    def told(self, section, *words):
        return [one["text"] for one in self.report(section, *words)[section]["findings"]]

    def text(self, *words):
        status, text = self.sluice.command("report", *words)
        self.assertEqual(0, status, text)
        return text

    def add_rule(self, name, target="127.0.0.5"):
        self.good("PUT", "rulesets/-/office/rules/" + name,
                  {"domain": name + ".corp.", "targets": [{"address": target}]}, 201)

    def flush(self):
        self.assertEqual(0, self.sluice.command("flush")[0])


class Unused(World):
    def rows(self):
        """The state's rows of uses."""
        with contextlib.closing(sqlite3.connect(self.world.dir + "/state.db")) as other:
            found = other.execute("SELECT substr(key, 5), value FROM pairs WHERE key LIKE 'use %'").fetchall()
        return {what: tuple(map(int, value.split())) for what, value in found}

    def age(self, days, what="%"):
        """By somebody else's hand."""
        self.assertEqual(0, self.sluice.stop())
        with contextlib.closing(sqlite3.connect(self.world.dir + "/state.db")) as other:
            for key, value in other.execute("SELECT key, value FROM pairs WHERE key LIKE ?", ("use " + what,)).fetchall():
                since, used = map(int, value.split())
                other.execute("UPDATE pairs SET value = ? WHERE key = ?",
                              ("%d %d" % (since - days * DAY, max(0, used - days * DAY)), key))
            other.commit()
        self.start()

    def test_rules_without_a_hit_are_told_until_they_have_one(self):
        self.add_rule("fabrikam")
        self.ask("a.contoso.corp")
        rule = self.report("rules", "--days", "0")["rules"]
        self.assertEqual((1, 2, ["fabrikam"]), (rule["count"], rule["looked_at"],
                                                [one["rule"] for one in rule["findings"]]))
        found = rule["findings"][0]
        self.assertEqual(("office", "fabrikam.corp.", None, True),
                         (found["ruleset"], found["domain"], found["used"], found["linked"]))
        self.assertRegex(found["text"], r"^office/fabrikam \(fabrikam\.corp\.\): never used since \d{4}-")
        text = self.text("rules", "--days", "0")
        self.assertRegex(text, r"^rules: 1 of 2 rules without a hit at any time; counted since .* UTC\n"
                               r"  What to do: delete them .*\n    office/fabrikam .*\n$")
        # It is too short that it is known.
        self.assertEqual((0, 1), tuple(self.report("rules")["rules"][key] for key in ("count", "young")))
        text = self.text("rules")
        self.assertRegex(text, r"^rules: none of 2 rules without a hit for 30 days; counted since .*; "
                               r"1 not used so far, but known for a shorter time\n$")
        self.ask("a.fabrikam.corp")
        self.assertRegex(self.text("rules", "--days", "0"), r"^rules: none of 2 rules without a hit at any time.*\n$")
        # A rule of the same names in another group has hits of its own.
        self.good("PUT", "rulesets/prod/office", {"outbound_endpoints": ["-/r/out"]}, 201)
        self.good("PUT", "rulesets/prod/office/rules/contoso", {"domain": "contoso.corp.", "targets": [{"address": "127.0.0.5"}]}, 201)
        self.ask("b.contoso.corp")
        rule = self.report("rules", "--days", "0")["rules"]
        self.assertEqual((3, [("prod/office", "contoso", False)]), (rule["looked_at"], [
            (one["ruleset"], one["rule"], one["linked"]) for one in rule["findings"]]))
        self.assertRegex(rule["findings"][0]["text"], r"^prod/office/contoso \(contoso\.corp\.\): never used .*; its ruleset is linked to no network$")

    def test_what_is_known_of_rules_outlives_restarts_and_upgrades(self):
        self.add_rule("fabrikam")
        self.ask("a.contoso.corp")
        self.age(40)
        rows = self.rows()
        before = self.report("rules")["rules"]
        self.assertEqual(["contoso", "fabrikam"], [one["rule"] for one in before["findings"]])
        used = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(rows["rule office\tcontoso"][1]))
        self.assertEqual([used, None], [one["used"] for one in before["findings"]])
        self.assertRegex(before["findings"][0]["text"], "last used %s" % used[:10])
        self.assertEqual([], self.told("rules", "--days", "41"))
        self.assertEqual(0, self.sluice.command("upgrade")[0])
        self.assertEqual(before["findings"], self.report("rules")["rules"]["findings"])
        self.ask("b.contoso.corp")
        self.assertEqual(["fabrikam"], [one["rule"] for one in self.report("rules")["rules"]["findings"]])
        # A use within the last hour is not lost with the process.
        self.assertEqual(0, self.sluice.command("upgrade")[0])
        self.assertEqual(["fabrikam"], [one["rule"] for one in self.report("rules")["rules"]["findings"]])
        self.assertEqual(0, self.sluice.stop())
        self.start()
        self.assertEqual(["fabrikam"], [one["rule"] for one in self.report("rules")["rules"]["findings"]])

    def test_what_is_gone_is_forgotten_and_begins_anew(self):
        self.add_rule("fabrikam")
        self.age(40)
        self.good("DELETE", "rulesets/-/office/rules/fabrikam", status=204)
        self.assertEqual(0, self.sluice.stop())
        self.assertEqual(["rule office\tcontoso"], [what for what in self.rows() if what.startswith("rule")])
        self.start()
        self.add_rule("fabrikam")
        self.assertEqual(["contoso"], [one["rule"] for one in self.report("rules")["rules"]["findings"]])
        # As does what is disabled; a ruleset that no network has is told.
        self.good("PATCH", "rulesets/-/office/rules/contoso", {"state": "Disabled"})
        self.good("DELETE", "rulesets/-/office/links/hub", status=204)
        self.assertEqual(1, self.report("rules")["rules"]["looked_at"])
        self.assertRegex(self.told("rules", "--days", "0")[0], "fabrikam.*; its ruleset is linked to no network$")

    def test_targets_never_asked_are_told_until_they_are(self):
        self.add_rule("fabrikam", "127.0.0.9")
        self.ask("a.contoso.corp")
        self.assertEqual({"127.0.0.3:53", "127.0.0.9:53"},
                         {one["target"] for one in self.report("targets", "--days", "0")["targets"]["findings"]})
        self.ask("a.elsewhere.example")
        told = self.told("targets", "--days", "0")
        self.assertEqual(1, len(told))
        self.assertRegex(told[0], r"^127\.0\.0\.9:53 by udp from 0\.0\.0\.0, of rule office/fabrikam: "
                                  "never asked since")
        self.age(40)
        self.assertEqual(3, len(self.told("targets")))
        harness.Upstream(self.host, "127.0.0.9", "198.51.100.9")
        for name in ("a.contoso.corp", "a.fabrikam.corp", "b.elsewhere.example"):
            self.ask(name)
        self.assertEqual([], self.told("targets"))
        self.assertRegex(self.text("targets"), r"^targets: none of 3 targets without a question for 30 days.*\n$")

    def test_without_a_state_it_is_known_as_long_as_the_process_runs(self):
        self.assertEqual(0, self.sluice.stop())
        config = self.config.replace('state = "state.db";', "") + """
rulesets = ( { name = "plain"; rules = ( { name = "one"; domain = "one.corp.";
    targets = ( { address = "127.0.0.5"; } ); } ); } );
"""
        self.sluice = harness.Sluice(self.host, config % self.filed)
        harness.wait_for(lambda: self.sluice.command("status")[0] == 0, "the server")
        self.assertRegex(self.text("rules", "--days", "0"), "1 of 1 rule without a hit")
        self.assertRegex(self.text("rules"), "none of 1 rule without.*1 not used so far, but known for a shorter time")


class Leaving(World):
    def test_internal_names_that_leave_are_told_until_they_do_not(self):
        self.good("DELETE", "rulesets/-/office/links/hub", status=204)
        for name, times in (("web.corp.internal", 3), ("a.contoso.corp", 2), ("printer.lan", 1), ("nas", 1),
                            ("www.example.com", 9), ("contoso.corp.example.com", 1)):
            for _ in range(times):
                self.ask_counted(name)
        section = self.report("leaving")["leaving"]
        self.assertEqual([("web.corp.internal.", "zone", "corp.internal", 3),
                          ("a.contoso.corp.", "suffix", "corp", 2),
                          ("nas.", "single_label", None, 1), ("printer.lan.", "suffix", "lan", 1)],
                         [(one["name"], one["why"], one["object"], one["count"]) for one in section["findings"]])
        self.assertEqual((4, 6), (section["count"], section["looked_at"]))
        text = self.text("leaving")
        self.assertRegex(text, r"^leaving: 4 of 6 names asked of the default resolver and internal "
                               r"\(of the last 12 to 24 hours, without what the cache answered\)\n")
        self.assertIn("    web.corp.internal. A in hub, asked for 3 times: private zone corp.internal is "
                      "not linked to that network\n", text)
        self.assertEqual(2, len(self.told("leaving", "--limit", "2")))
        self.assertIn("    and 2 more (--limit)\n", self.text("leaving", "--limit", "2"))
        # What is decided now counts, not what was then.
        self.good("PUT", "private_zones/-/corp.internal/links/hub", {"virtual_network": "hub"}, 201)
        self.good("PUT", "rulesets/-/office/links/hub", {"virtual_network": "hub"}, 201)
        self.assertEqual(["nas.", "printer.lan."],
                         [one["name"] for one in self.report("leaving")["leaving"]["findings"]])

    def test_what_a_zone_passes_on_leaves_by_design(self):
        link = "private_zones/-/corp.internal/links/"
        self.good("PUT", "virtual_networks/-/other", {"address_space": ["10.99.0.0/16"]}, 201)
        self.good("PUT", link + "other", {"virtual_network": "other", "resolution_policy": "NxDomainFallthrough"}, 201)
        self.ask("web.corp.internal")
        self.ask("missing.corp.internal")
        # In a network without the zone one of them is missed, and the other would not be there either.
        self.assertEqual({"web.corp.internal.": "corp.internal"}, self.missed())
        self.good("PUT", link + "hub", {"virtual_network": "hub", "resolution_policy": "NxDomainFallthrough"}, 201)
        self.assertEqual({}, self.missed())
        # A zone that denies what it does not have is missed for all names.
        self.good("DELETE", link + "hub", status=204)
        self.good("PATCH", link + "other", {"resolution_policy": "Default"})
        self.assertEqual({"missing.corp.internal.": "corp.internal", "web.corp.internal.": "corp.internal"}, self.missed())
        # Of zones of one domain in two groups the one that has the name is missed.
        self.good("PATCH", link + "other", {"resolution_policy": "NxDomainFallthrough"})
        self.good("PUT", "private_zones/prod/corp.internal", {}, 201)
        self.good("PUT", "private_zones/prod/corp.internal/record_sets/missing:A", {"records": ["10.0.0.1"]}, 201)
        self.good("PUT", "virtual_networks/prod/third", {"address_space": ["10.98.0.0/16"]}, 201)
        self.good("PUT", "private_zones/prod/corp.internal/links/third", {
            "virtual_network": "third", "resolution_policy": "NxDomainFallthrough"}, 201)
        self.assertEqual({"missing.corp.internal.": "prod/corp.internal", "web.corp.internal.": "corp.internal"}, self.missed())
        self.assertIn(": private zone prod/corp.internal is not linked to that network\n", self.text("leaving"))

    def missed(self):
        """The names that a private zone elsewhere has, and that zone."""
        return {one["name"]: one["object"] for one in self.report("leaving")["leaving"]["findings"] if one["why"] == "zone"}

    def test_names_of_a_ruleset_elsewhere_and_of_private_addresses(self):
        self.good("PUT", "rulesets/-/office/rules/partner",
                  {"domain": "partner.example.", "targets": [{"address": "127.0.0.5"}], "state": "Disabled"}, 201)
        self.ask("a.partner.example")
        self.assertRegex(self.told("leaving")[0], "rule office/partner is for it, and is disabled$")
        self.good("DELETE", "rulesets/-/office/links/hub", status=204)
        self.good("PATCH", "rulesets/-/office/rules/partner", {"state": "Enabled"})
        self.assertRegex(self.told("leaving")[0], "rule office/partner is for it, and its ruleset is not linked")
        found = self.report("leaving")["leaving"]["findings"][0]
        self.assertEqual(("rule", "office", "partner", "rule office/partner is for it, and its ruleset is not linked to that network"),
                         tuple(found[key] for key in ("why", "ruleset", "object", "reason")))
        self.good("PUT", "rulesets/-/office/links/hub", {"virtual_network": "hub"}, 201)
        self.assertEqual([], self.told("leaving"))
        self.assertRegex(self.text("leaving"), r"^leaving: none of 1 name asked .*\n$")
        self.sluice.reconfigure(self.config.replace("default_resolver = {", 'default_resolver = { special_names = "forward";') %
                                self.filed)
        self.assertEqual(0, self.sluice.command("reload")[0])
        self.host.ask(test_resources.INBOUND, "9.1.168.192.in-addr.arpa", "PTR")
        self.assertRegex(self.told("leaving")[0], r"^9\.1\.168\.192\.in-addr\.arpa\. PTR in hub.*private address")

    def test_hostile_names_are_shown_as_what_they_are(self):
        for name in ("<script>alert(1)</script>.lan", "\x1b[31mred.lan", "a\u00e9b.lan"):
            self.ask(name)
        text = self.text("leaving", "names")
        self.assertIn("<script>alert\\(1\\)</script>.lan. A in hub", text)
        self.assertNotRegex(text, "[^\n -~]")
        self.assertNotRegex(json.dumps(self.report()), "[^ -~]")
        self.assertEqual(3, len(self.told("leaving")))


class Names(World):
    def test_names_most_asked_are_listed(self):
        self.assertRegex(self.text("names"), r"^names: 0 names most asked for \(of the last 12 to 24 hours, .*\)\n$")
        for name in ("a.contoso.corp", "a.contoso.corp", "a.elsewhere.example"):
            self.ask_counted(name)
        self.assertEqual(["a.contoso.corp. A in hub, asked for 2 times: rule office/contoso -> 127.0.0.5:53",
                          "a.elsewhere.example. A in hub, asked for 1 time: default resolver -> 127.0.0.3:53"],
                         self.told("names"))
        self.assertEqual(["rule office/contoso -> 127.0.0.5:53", "default resolver -> 127.0.0.3:53"],
                         [one["by"] for one in self.report("names")["names"]["findings"]])
        self.assertEqual(1, len(self.told("names", "--limit", "1")))
        self.sluice.reconfigure(self.config % self.filed + "count_names = false;\n")
        self.assertEqual(0, self.sluice.command("reload")[0])
        self.assertIn("(count_names is false: nothing is counted)", self.text("names"))

    def test_slow_rules_are_told_until_they_have_a_quicker_target(self):
        self.add_rule("fabrikam", "127.0.0.6")
        harness.Upstream(self.host, "127.0.0.6", "198.51.100.6")
        for i in range(12):
            self.ask("late300.n%d.fabrikam.corp" % i)
            for j in range(10):  # a few may be late
                self.ask("n%d.%d.contoso.corp" % (j, i))
        quick = ["127.0.0.5"]

        def alone():
            """What is told once nearly all quick answers were quick; on a busy machine another target has better luck."""
            section = self.report("slow")["slow"]
            if len(section["findings"]) == 1:
                return section
            quick.append("127.0.0.%d" % (19 + len(quick)))
            harness.Upstream(self.host, quick[-1], "198.51.100.5")
            self.good("PATCH", "rulesets/-/office/rules/contoso", {"targets": [{"address": quick[-1]}]})
            for i in range(20):
                self.ask("m%d.%d.contoso.corp" % (i, len(quick)))
        section = harness.wait_for(alone, "the slow rule alone", 120)
        self.assertEqual(["office/fabrikam"], [one["rule"] for one in section["findings"]])
        self.assertEqual((1, 2), (section["count"], section["looked_at"]))
        found = section["findings"][0]
        self.assertGreaterEqual(found["average_ms"], 300)
        self.assertGreaterEqual(found["half_ms"], 500)  # late by 300 ms, and by more on a busy machine
        self.assertGreaterEqual(found["most_ms"], found["half_ms"])
        self.assertRegex(found["text"], r"^office/fabrikam \(fabrikam\.corp\.\): half of the answers came "
                         r"within %d ms, 95 of 100 within %d ms, %.1f ms" % (
                             found["half_ms"], found["most_ms"], found["average_ms"]))
        self.good("PATCH", "rulesets/-/office/rules/fabrikam", {"targets": [{"address": quick[-1]}]})
        self.assertRegex(self.text("slow"), r"^slow: none of 2 rules with targets that take over 100 ms .*\n$")

    def test_what_is_done_is_not_asked_for_again_while_the_rest_is_waited_for(self):
        asked = Asked()
        with harness.FakeServer(os.path.join(self.world.dir, "fake.sock"), asked.answer) as fake:
            status, text = harness.command("report", "--wait", "--json", "--socket", fake.path)
        self.assertEqual(0, status, text)
        self.assertEqual([["rules", "ptrs", "delegations"], ["ptrs"], ["ptrs"], ["ptrs"]], asked.sections)
        self.assertEqual([("rules", "1", None), ("ptrs", "4", "done"), ("delegations", "1", "done")],
                         [(one["section"], one["summary"], one.get("state")) for one in json.loads(text)["sections"]])

    def test_all_sections_without_a_word_and_bad_parameters(self):
        self.assertEqual(["rules", "targets", "leaving", "ptrs", "delegations", "names", "slow"], list(self.report()))
        self.assertEqual(["leaving", "slow"], list(self.report("slow", "leaving")))
        for query, field, text in (("sections=frob", "sections", 'no section "frob"; give some of rules, targets'),
                                   ("sections=", "sections", "no section"),
                                   ("sections=rules,", "sections", "no section"),
                                   ("days=x", "days", '"x" does not fit; give a number of days up to 3650'),
                                   ("days=-1", "days", "does not fit"), ("days=3651", "days", "does not fit"),
                                   ("limit=0", "limit", "does not fit"), ("day=1", "day", "is not known here")):
            self.bad(self.call("GET", "report?" + query), 400, "invalid", text, field)
        status, text = self.sluice.command("report", "frob")
        self.assertEqual(1, status)
        self.assertIn('there is no section "frob"', text)
        self.assertEqual(2, self.sluice.command("report", "--days")[0])
        self.assertIn("report", self.sluice.completed("rep"))
        self.assertEqual(["--days"], self.sluice.completed("report", "--d"))
        self.assertEqual(["delegations"], self.sluice.completed("report", "de"))


class Outside(World):
    config = World.config + POOLS

    def build(self, world):
        self.unbound = None
        super().build(world)
        self.good("PUT", "private_zones/-/corp.internal/links/hub", {"virtual_network": "hub"}, 201)

    def start(self):
        if not self.unbound:
            self.default.stop()
            self.host.add_address("10.10.0.9") # unbound asks nobody on loopback
            self.elsewhere = harness.Upstream(self.host, "10.10.0.9", "203.0.114.99")
            self.serve(OUTSIDE)
        super().start()

    def serve(self, lines, dead=()):
        """dead: names that nobody answers."""
        if self.unbound:
            self.unbound.stop()
            self.flush()
        self.unbound = servers.unbound(self.host, "127.0.0.3", lines, {
            ".": "10.10.0.9", **{name: "10.10.0.9@5999" for name in dead}})

    def again(self, section, count):
        """The result is good for a moment: until it is another one."""
        harness.wait_for(lambda: self.report(section)[section]["count"] == count, "another round", 180)
        return self.told(section)

    def test_ptrs_that_do_not_lead_back_are_told_until_they_do(self):
        section = self.report("ptrs")["ptrs"]
        self.assertEqual(("done", 4, 4, 2), tuple(section[key] for key in ("state", "looked_at", "of", "count")), section)
        self.assertEqual(["10.10.7.1", "203.0.114.11"], sorted(one["subject"] for one in section["findings"]))
        text = self.text("ptrs")
        self.assertIn("    203.0.114.11 leads to bad.example.com., which leads to 203.0.114.99 and not back\n", text)
        # A private address's name is asked as its own network sees it.
        self.assertIn("    10.10.7.1 leads to web.corp.internal., which leads to 10.10.1.10 and not back\n", text)
        self.assertRegex(text, r"^ptrs: 2 of 4 PTRs without a way back; asked until ")
        harness.wait_for(lambda: "2 of 4 PTRs do not lead back; new is " in self.sluice.log(), "the event")
        self.world.write("corp.internal.zone", "web 300 IN A 10.10.7.1\n")
        self.assertEqual(0, self.sluice.command("reload")[0])
        self.serve(MENDED)
        self.assertEqual([], self.again("ptrs", 0))
        self.assertRegex(self.text("ptrs"), r"^ptrs: none of 4 PTRs without a way back; asked until .*\n$")

    def test_zones_that_are_not_delegated_are_told_until_they_are(self):
        told = sorted(self.told("delegations"))  # they are in the order of their answers
        self.assertEqual(["114.0.203.in-addr.arpa. is not delegated by the zone above it",
                          "64-127.115.0.203.in-addr.arpa. is not delegated by the zone above it"], told)
        self.assertRegex(self.text("delegations"), r"^delegations: 2 of 2 public reverse zones without a delegation to us alone")
        self.serve([line.replace("ns1.example.com", "ns1.other.test") for line in MENDED[:4]] + MENDED[4:5] +
                   [MENDED[4].replace("ns1", "ns9")])
        harness.wait_for(lambda: "ns9" in " ".join(self.told("delegations")), "another round", 180)
        self.assertEqual(["114.0.203.in-addr.arpa. is delegated to ns1.other.test., and not to us",
                          "64-127.115.0.203.in-addr.arpa. is delegated to us and to ns9.example.com., which "
                          "reverse.name_servers has not"], sorted(self.told("delegations")))
        self.serve(MENDED[:5])
        self.assertEqual(["70.115.0.203.in-addr.arpa. is no CNAME to 70.64-127.115.0.203.in-addr.arpa. in the zone above"],
                         self.again("delegations", 1))
        self.serve(MENDED[:5], ["70.115.0.203.in-addr.arpa"])
        harness.wait_for(lambda: self.report("delegations")["delegations"]["unknown_count"] == 1, "another round", 180)
        self.assertEqual(0, self.report("delegations")["delegations"]["count"])
        self.serve(MENDED)
        self.assertEqual([], self.again("delegations", 0))
        self.serve(MENDED[:4])
        self.assertEqual(1, len(self.again("delegations", 1)))
        # The zone by the prefix's length, as others write it.
        self.serve([line.replace("64-127.", "64-26.") for line in MENDED])
        self.assertEqual([], self.again("delegations", 0))

    def test_what_cannot_be_found_out_is_said_and_is_no_finding(self):
        self.unbound.stop()
        section = self.report("ptrs", "--wait")["ptrs"]
        self.assertEqual((1, 3), (section["count"], section["unknown_count"]))
        text = self.text("ptrs")
        self.assertIn("; 3 could not be found out", text)
        self.assertRegex(text, r"(?m)^    not known: 203\.0\.114\.10 could not be checked: ")

    def test_it_is_asked_in_the_background_at_a_pace(self):
        for i in range(100, 160):
            self.good("PUT", "addresses/-/a%d" % i,
                      {"address": "203.0.114.%d" % i, "allocation": "static", "reverse_fqdn": "good.example.com."})
        since = time.monotonic()
        answer = self.good("GET", "report?sections=ptrs").body["sections"][0]
        self.assertEqual(("running", 64), (answer["state"], answer["of"]))
        self.assertRegex(answer["summary"], "still being asked, of 64$")
        section = self.report("ptrs")["ptrs"]
        self.assertEqual((62, 64), (section["count"], section["looked_at"]))
        self.assertGreater(time.monotonic() - since, 0.5)
        # Its result is good for a while: nobody is asked again.
        self.assertIsNone(answer["good_until"])
        for _ in range(10):  # on a busy machine the result may be too old at the second request
            self.assertGreater(section["good_until"], section["ended"])
            again = self.good("GET", "report?sections=ptrs").body["sections"][0]
            if again["began"] == section["began"]:
                break
            self.assertGreaterEqual(again["began"], section["good_until"])
            section = self.report("ptrs")["ptrs"]
        else:
            self.fail("it was asked again each time")

    def test_the_end_waits_for_what_is_under_way_and_not_for_the_whole_round(self):
        many = "".join('{ name = "a%d"; address = "203.0.114.%d"; reverse_fqdn = "late600.n%d.example.com."; }, ' % (i, i, i)
                       for i in range(100, 250))
        for _ in range(10):  # the end waits for two seconds (LEAVE_MS), in which a busy machine may stand still
            self.sluice.reconfigure(self.config.replace('{ name = "good"', many + '{ name = "good"') % self.filed)
            self.assertEqual(0, self.sluice.command("reload")[0])
            self.assertEqual("running", self.good("GET", "report?sections=ptrs").body["sections"][0]["state"])
            before = len(self.sluice.log())
            self.assertEqual(0, self.sluice.stop())
            is_late = "still unanswered" in self.sluice.log()[before:]
            self.start()  # with the same log
            if not is_late:
                break
        self.assertFalse(is_late)


if __name__ == "__main__":
    harness.main()
