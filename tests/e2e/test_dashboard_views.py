"""The pages of the dashboard that show how the server fares, in a real browser: Now, charts, reports, queries."""

import gzip
import re
import time

import dns
import harness
from dashboard import Browser, CONFIG, EYE, HOSTILE, SHOWN_TIME, made_up_history
from selenium.webdriver.common.by import By


class Overview(Browser):
    """Now, Networks and Targets: what works, and what does not."""

    def test_what_fails_and_whom_it_hurts(self):
        where = "rulesets/-/office/rules/dead"
        self.good("PUT", where, {"domain": "dead.test.", "targets": [{"address": "127.0.0.66"}]})
        self.addCleanup(self.call, "DELETE", "/v1/" + where)
        self.log_in("/ui/")
        self.find("h1", "Now")
        self.find(".judgement.good", "All 2 rules can be answered.")
        for number in range(8):
            self.host.ask(("127.0.0.1", 5300), "n%d.dead.test" % number)
        self.find(".judgement.bad", "127.0.0.66:53")
        self.assertRegex(self.text_of(".judgement.bad"),
                         r"^dead\.test\. is not answered for network hub since " + SHOWN_TIME + r": 127\.0\.0\.66:53 (does not answer|cannot be reached)\.\n"
                         r"Check .* from this server \(outbound endpoint hub-resolver/default\)\.[\s\xb7]+office/dead[\s\xb7]+Details$")
        self.find(".plain", "created rule dead of ruleset office")
        self.find(".state.warn", "target")
        self.press("127.0.0.66:53", ".judgement")
        self.find("h1", "127.0.0.66:53 udp")
        self.wait(lambda: re.search("does not answer|cannot be reached", self.text_of(".facts")), "what it says")
        self.find(".plain", "office/dead")
        self.press("Targets", "nav")
        self.find("[role=status]", "1 target of 3 not answering.")
        self.fill("Search", "office/dead")
        self.wait(lambda: len(self.rows()) == 1, "one row")
        self.go("/ui/networks")
        # So are the ruleset that needs it, and the network.
        self.find(".node.bad", "office\n1 rule cannot be answered, of 2")
        self.find(".node.bad", "hub\noffice: 1 rule cannot be answered")
        self.row("hub", "office: 1 rule cannot be answered")
        self.press("office: rules that cannot be answered")
        self.find(".node.bad", "dead\ncannot be answered")
        self.click(".node.bad", "127.0.0.66:53")
        self.find("h1", "127.0.0.66:53 udp")

    def test_a_target_says_what_else_answers_and_one_of_a_kind_is_singular(self):
        status = self.good("GET", "status")
        target = next(one for one in status["targets"] if one["host"] == "127.0.0.5:53")
        target |= dict(asked=8, answered=3, probes=21, timeouts=1, errors=26, suspicions=1, waiting=1, mismatched=1, other="something else answers: 127.0.0.9:53")
        self.stands_in("/v1/status", status)
        self.log_in("/ui/target?target=127.0.0.5:53&protocol=udp")
        self.find(".facts", "Questions\n8 asked, 3 answered\nProbes\n21 sent besides, to see whether it answers\n"
                  "Failed packets\n1 timeout, 26 errors\nMore than questions: one may be sent several times, and probes count, too.\nOutages\n1\n")
        self.find(".facts", "now 1 question\n")
        self.find(".facts", "1 packet; something else answers: 127.0.0.9:53")
        self.go("/ui/targets")
        self.row("127.0.0.5:53", "something else answers: 127.0.0.9:53")
        self.assertIn("1 timeout, 26 errors, by packets: of 8 questions, sent again where needed, and 21 probes", self.attributes("title", "td span"))

    def test_a_rule_whose_target_answers_errors_alone_is_told_until_one_is_answered(self):
        where = "rulesets/-/office/rules/cross"
        self.good("PUT", where, {"domain": "cross.test.", "targets": [{"address": "127.0.0.5"}]})
        self.addCleanup(self.call, "DELETE", "/v1/" + where)
        self.log_in("/ui/")
        self.find(".judgement.good", "All 2 rules can be answered.")
        for number in range(5):
            answer = self.host.ask(("127.0.0.1", 5300), "refused.n%d.cross.test" % number)
            self.assertEqual(2, answer.flags & 15, "SERVFAIL")
        self.find(".judgement.bad", "127.0.0.5:53 answers REFUSED")
        self.assertRegex(self.text_of(".judgement.bad"),
                         r"^cross\.test\. is not answered for network hub since " + SHOWN_TIME + r": 127\.0\.0\.5:53 answers REFUSED\.\n"
                         r"Let it answer questions from this server \(outbound endpoint hub-resolver/default\)\.")
        self.host.ask(("127.0.0.1", 5300), "lame.n5.cross.test")
        self.find(".judgement.bad", "gives lame answers")
        self.find(".judgement.bad .advice", "name the servers that do")
        self.host.ask(("127.0.0.1", 5300), "refused.n6.cross.test")
        self.assertNotIn("can be answered", self.text())
        self.go("/ui/targets")
        self.find("[role=status]", "1 target of 2 answering errors alone.")
        self.go("/ui/networks")
        self.find(".node.bad", "answers REFUSED")
        self.host.ask(("127.0.0.1", 5300), "fine.cross.test")
        self.go("/ui/now")
        self.find(".judgement.good", "All 2 rules can be answered.")
        self.assertTrue(self.none(".failing"))

    def test_figures_are_of_the_last_minute(self):
        self.log_in("/ui/now")
        self.find(".figure")
        for number in range(100):
            self.host.ask(("127.0.0.1", 5300), "web.corp.internal")
        self.wait(lambda: re.search(r"Queries\n(?!0/)\d+(\.\d)?/s\n", self.text()), "some queries a second")
        self.wait(lambda: re.search(r"Decided by\nZones \d+ %\n", self.text()), "who decided them")
        self.wait(lambda: re.search(r"SERVFAIL\n\d\d?(\.\d)? %\n", self.text()), "the share of SERVFAIL")

    def test_the_picture_leads_on_and_a_table_says_the_same(self):
        self.log_in("/ui/networks")
        self.assertEqual(["hub", "all is well", "10.10.0.0/16", "hub-resolver/inbound", "corp.internal", "office"], self.row("hub"))
        titles = self.texts(".node strong")
        for title in ("hub-resolver/inbound", "hub", "corp.internal", "office", "default resolver", "hub-resolver/default", "127.0.0.5:53"):
            self.assertIn(title, titles)
        self.click(".node", "office")
        self.find("h1", "Rules")
        self.row("office/contoso")
        self.driver.back()
        self.find("h1", "Networks")

    def test_a_change_that_waits_is_kept_or_goes_back(self):
        where = "rulesets/-/office/rules/tried"
        edit = {"edits": [{"path": where, "values": {"domain": "tried.test.", "targets": [{"address": "127.0.0.5"}]}}]}
        self.log_in("/ui/now")
        self.good("POST", "changes?confirm=600", edit)
        self.find(".waiting", "The change of revision")
        self.press("Go back", ".waiting")
        self.wait(lambda: self.none(".waiting"), "nothing to wait")
        self.assertEqual(404, self.call("GET", "/v1/" + where).status)
        self.good("POST", "changes?confirm=600", edit)
        self.press("Keep", ".waiting")
        self.wait(lambda: self.none(".waiting"), "nothing to wait")
        self.good("DELETE", where)


class History(Browser):
    """Charts of Now and of a target: what they say to those who see them, and to those who do not."""

    def charts(self):
        """What is said of each chart, and how many of its dots have a colour."""
        self.find("time-chart canvas[aria-label]")
        return self.driver.execute_script("""return [...document.querySelectorAll('time-chart canvas')].map(canvas => {
            const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
            return [canvas.getAttribute('aria-label'), data.filter((byte, i) => i % 4 === 3 && byte > 0).length]; })""")

    def drawn(self, count):
        return self.wait(lambda: len(self.charts()) == count and all(dots > 500 for _, dots in self.charts()) and self.charts(),
                         "%d charts" % count)

    def test_now_shows_the_last_hour(self):
        self.stands_in("/v1/history", made_up_history())
        self.log_in("/ui/now")
        said = [text for text, _ in self.drawn(6)]
        self.assertEqual(["Queries", "SERVFAIL", "Latency", "From the cache", "Decided by", "Targets asked"], [text.split(":")[0] for text in said])
        self.assertRegex(said[0], r"Last Queries \d+/s, between \d+/s and 1\d\d/s; Over a limit 0/s, between 0/s and 0/s\.$")
        self.assertIn("SERVFAIL: Last 0.1 %, between 0.1 % and ", said[1])
        self.wait(lambda: re.search(r"^Targets asked\n[\d.]+/s failed\n", self.text_of("time-chart", "Targets asked")), "its figure")
        self.find(".legend", "Of these stale")
        self.click("time-chart details summary")
        self.wait(lambda: len(self.rows()) >= 12, "the chart's table")
        self.assertRegex(self.rows()[0][1], r"^1\d\d/s$")
        self.assertEqual("true", self.attribute("aria-pressed", "[data-span=hour]"))
        self.press("Last week")
        self.assertEqual("true", self.attribute("aria-pressed", "[data-span=week]"))
        self.assertTrue(self.driver.current_url.endswith("/ui/now?span=week"))
        self.driver.refresh()
        self.drawn(6)
        self.assertEqual("true", self.attribute("aria-pressed", "[data-span=week]"))

    def test_marks_of_an_axis_are_told_apart(self):
        """Also where all of it is less than one."""
        few = made_up_history()
        for one in few["classes"]:
            one["queries"] = [None if value is None else value / 2000 for value in one["queries"]]
        self.stands_in("/v1/history", few)
        self.log_in("/ui/now")
        self.drawn(6)
        marks = self.driver.execute_script("""return [...document.querySelectorAll('time-chart')].map(({chart}) => chart.scales.y.ticks.map(({label}) => label))""")
        self.assertGreater(len(marks[4]), 3)
        for one in marks:
            self.assertEqual(len(one), len(set(one)), one)

    def test_dark_is_drawn_dark(self):
        self.stands_in("/v1/history", made_up_history())
        self.log_in("/ui/now")
        self.drawn(6)
        colour = "return Chart.getChart(document.querySelector('canvas')).data.datasets[0].borderColor"
        light = self.driver.execute_script(colour)
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": "dark"}]})
        self.addCleanup(self.driver.execute_cdp_cmd, "Emulation.setEmulatedMedia", {"features": []})
        self.wait(lambda: self.driver.execute_script(colour) not in (light, ""), "another colour")

    def test_a_target_was_away(self):
        self.stands_in("/v1/history", made_up_history())
        self.log_in("/ui/targets")
        self.row("127.0.0.5:53")
        labels = self.wait(lambda: self.attributes("aria-label", ".strip[aria-label]"), "the strips")
        self.assertIn("Up in the last hour.", labels)
        self.assertTrue(any(re.match(r"Not up from \d\d:\d\d to \d\d:\d\d\.$", label) for label in labels), labels)
        self.press("127.0.0.5:53")
        self.find("h1", "127.0.0.5:53 udp")
        said = [text for text, _ in self.drawn(3)]
        self.assertRegex(said[0], "Up: Last 100 %, between 0 % and 100 %")
        self.assertRegex(said[1], "Round trip: Last .* ms, between .* ms and .* ms")
        self.assertRegex(said[2], "Failed 0/s, between 0/s and 15/s")
        self.find(".plain", "office/contoso")
        self.press("office/contoso")
        self.row("contoso.corp.")

    def test_what_draws_is_loaded_anew_where_it_did_not_come(self):
        self.stands_in("/v1/history", made_up_history())
        self.log_in("/ui/changes")
        self.driver.execute_cdp_cmd("Network.enable", {})
        self.addCleanup(self.driver.execute_cdp_cmd, "Network.disable", {})
        self.driver.execute_cdp_cmd("Network.setBlockedURLs", {"urls": ["*/chart.min.js*"]})
        self.go("/ui/now")
        self.find("time-chart .warning", "it is tried again")
        self.assertRegex(self.charts()[0][0], "Queries: Last Queries")
        self.driver.execute_cdp_cmd("Network.setBlockedURLs", {"urls": []})
        self.drawn(6)
        self.wait(lambda: not any(one.is_displayed() for one in
                                  self.driver.find_elements(By.CSS_SELECTOR, "time-chart .warning")), "the warnings to go")

    def test_without_a_history_the_rest_is_there(self):
        self.stands_in("/v1/history", {"error": {"code": "not_found", "message": "there is none"}}, 404)
        self.log_in("/ui/now")
        self.find(".empty", "keeps no history")
        self.find(".judgement.good")
        self.go("/ui/targets")
        self.row("127.0.0.5:53", "no history")
        self.assertTrue(self.none(".problem"))

    def test_what_the_server_has_is_drawn(self):
        for _ in range(50):
            self.host.ask(("127.0.0.1", 5300), "web.corp.internal")
        self.log_in("/ui/now")
        found = self.good("GET", "history?span=hour")
        self.assertEqual((found["count"], 360), (len(found["endpoints"][0]["queries"]), found["count"]))

        def latencies():
            return [value for source in self.good("GET", "history?span=hour")["sources"] if source["name"] == "zone"
                    for value in source["p50_us"] if value]
        self.wait(latencies, "latency, without a metrics.listen")
        self.wait(lambda: any(re.search(r"Queries: Last .*between .* and (?!0\b)\d", text) for text, _ in self.charts()), "what was just asked")

    def test_the_licence_of_what_draws_goes_with_it(self):
        self.assertIn(b"(c) 2022 Chart.js Contributors", gzip.decompress(self.call("GET", "/ui/chart.min.js").body))
        self.assertIn(b"Permission is hereby granted", gzip.decompress(self.call("GET", "/ui/chart.licence.txt").body))


class Reports(Browser):
    """What an operator should look at, each with the way to it."""
    script = "<img src=x onerror=document.title='owned'>.lan"

    @classmethod
    def build(cls, world):
        super().build(world)
        cls.has_found = False

    def found(self):
        """Something for each section, once: what is slow takes its time."""
        if self.has_found:
            return
        type(self).has_found = True
        targets, where = [{"address": "127.0.0.66"}], "rulesets/-/"
        self.good("POST", "changes", {"edits": [
            {"path": where + "office/rules/idle", "values": {"domain": "idle.test.", "targets": targets}},
            {"path": where + "loose", "values": {"outbound_endpoints": ["hub-resolver/default"]}},
            {"path": where + "loose/rules/far", "values": {"domain": "far.example.", "targets": targets}}]})
        for number, name in ((10, "one.example.com."), (11, "servfail.example.com.")):
            self.good("PUT", "addresses/-/a%d" % number, {"region": "westeurope", "address": "198.51.100.%d" % number})
            self.good("PUT", "ptrs/198.51.100.%d" % number, {"reverse_fqdn": name})
        for number in range(10):
            self.ask_counted("late150.n%d.contoso.corp" % number)
        for name in ("www.filed.internal", "www.far.example", self.script):
            self.ask_counted(name)

    def states(self):
        """Of each section; empty until all have one."""
        return dict(self.driver.execute_script("""
            const states = [...document.querySelectorAll('report-section')].map(
                one => [one.id.replace('report-', ''), one.querySelector('summary .state')?.innerText.trim()]);
            return states.every(([, state]) => state) ? states : []"""))

    def known(self):
        """Until nothing is being asked any more."""
        def ended():
            states = self.states()
            return not {"not looked at yet", "being asked"}.intersection(states.values()) and \
                not self.driver.find_elements(By.CSS_SELECTOR, "progress") and states
        return self.wait(ended, "all of it")

    def cells(self, section):
        return self.driver.execute_script("""return [...document.querySelectorAll(`#report-${arguments[0]} tbody tr`)].map(
            tr => [...tr.cells].map(td => td.innerText.trim()))""", section)

    def follow(self, section, text, title, *shown):
        """A link of that section leads there, and back."""
        self.press(text, "#report-" + section)
        self.find("h1", title)
        for one in shown:
            self.find("main", one)
        self.driver.back()
        self.known()

    def test_each_finding_leads_to_what_it_is_about(self):
        self.found()
        self.log_in("/ui/reports?days=0")
        self.assertEqual({"rules": "2 findings", "targets": "1 finding", "leaving": "3 findings", "ptrs": "1 finding",
                          "delegations": "1 finding", "names": "13 names", "slow": "1 finding"}, self.known())
        self.find("[role=status]", "9 findings in 6 sections, as of ")
        self.assertEqual(["office/idle", "loose/far its ruleset is linked to no network"], [row[0] for row in self.cells("rules")])
        self.assertRegex(self.cells("rules")[0][2], "^never, since %s$" % SHOWN_TIME)
        self.assertEqual(["127.0.0.66:53 udp", "any address", "office/idle"], self.cells("targets")[0][:3])
        self.assertIn(["www.filed.internal. A", "hub", "1", "private zone filed.internal is not linked to that network", "Zone filed.internal"],
                      self.cells("leaving"))
        self.assertEqual("198.51.100.10 leads to one.example.com., which leads to 198.51.100.3 and not back", self.cells("ptrs")[0][1])
        self.find("#report-ptrs li", "198.51.100.11 could not be checked")
        self.assertEqual(["100.51.198.in-addr.arpa.", "pool", "sluice ptr delegation 198.51.100.0/24"], [self.cells("delegations")[0][i] for i in (0, 1, 3)])
        self.assertIn("rule office/contoso -> 127.0.0.5:53", [row[3] for row in self.cells("names")])
        slow = self.cells("slow")[0]
        self.assertEqual(["office/contoso", "contoso.corp."], slow[:2])
        for text in slow[2:4]:  # late by 150 ms, and by more on a busy machine
            self.assertGreaterEqual(int(re.fullmatch(r"within ([\d,]+) ms", text)[1].replace(",", "")), 250)
        self.find("#report-rules .hint code", "sluice delete rule RULESET NAME")
        self.follow("rules", "office/idle", "Rules", "Rule office/idle alone.", "1 row")
        self.follow("targets", "127.0.0.66:53", "127.0.0.66:53 udp", "has not answered yet")
        self.follow("targets", "office/idle", "Rules", "Rule office/idle alone.")
        self.follow("leaving", "www.far.example.", "Ask", "Forwarded by default resolver")
        self.follow("leaving", "loose/far", "Rules", "far.example.")
        self.follow("leaving", "Zone filed.internal", "Zones", "filed.zone")
        self.follow("ptrs", "198.51.100.10", "198.51.100.10", "one.example.com.")
        self.follow("ptrs", "198.51.100.11", "198.51.100.11", "servfail.example.com.")
        self.follow("delegations", "100.51.198.in-addr.arpa.", "DNS Reverse", "198.51.100.10", "2 rows")
        self.assertTrue(self.none(".problem"))

    def test_names_are_text(self):
        self.found()
        self.log_in("/ui/reports")
        self.known()
        shown = "<img\\032src=x\\032onerror=document.title='owned'>.lan."
        self.assertIn([shown + " A", "hub", "1", "no public name ends in .lan", ""], self.cells("leaving"))
        self.assertTrue(self.none("main img"))
        self.follow("leaving", shown, "Ask")
        self.has_title("Reports")

    def test_days_and_limit_are_the_servers_and_in_the_url(self):
        self.found()
        self.log_in("/ui/reports")
        self.assertEqual("too early to tell", self.known()["rules"])
        self.find("#report-rules", "on this can tell what was not used for 30 days.")
        self.fill("Days without use", "0")
        self.choose("Findings of each", "20")
        self.press("Look again")
        self.wait(lambda: self.states()["rules"] == "2 findings", "what was never used")
        self.assertTrue(self.driver.current_url.endswith("/ui/reports?days=0&limit=20"))
        self.driver.refresh()
        self.assertEqual("2 findings", self.known()["rules"])
        self.go("/ui/reports?days=0&limit=1")
        self.known()
        self.assertEqual(1, len(self.cells("rules")))
        self.find("#report-rules", "and 1 more")
        self.assertEqual("1", self.field("Findings of each").get_attribute("value"))
        self.go("/ui/reports?days=9999")
        self.find(".problem", "give a number of days up to 3650")
        self.fill("Days without use", "30")
        self.press("Look again")
        self.known()
        self.assertTrue(self.none(".problem"))

    def test_sections_fold_and_have_an_url(self):
        self.found()
        self.log_in("/ui/reports?folded=leaving,rules")
        self.known()
        folded = "return [...document.querySelectorAll('report-section details:not([open])')].map(one => one.parentElement.section)"
        self.assertEqual(["rules", "leaving"], self.driver.execute_script(folded))
        self.click("#report-slow summary")
        self.wait(lambda: self.driver.current_url.endswith("/ui/reports?folded=rules%2Cleaving%2Cslow"), "the URL")
        self.press("Slow rules 1", ".contents")
        self.wait(lambda: self.driver.current_url.endswith("/ui/reports?folded=rules%2Cleaving&section=slow"), "the URL")
        for _ in range(2):
            self.wait(lambda: self.driver.switch_to.active_element.text.replace("\n", "") == "Slow rules1 finding", "its focus")
            top = "return document.querySelector('#report-slow').getBoundingClientRect().top"
            self.wait(lambda: 0 <= self.driver.execute_script(top) < 900, "it to be seen")
            self.driver.refresh()
            self.known()

    def test_a_rule_is_disabled_and_deleted_from_here(self):
        where = "rulesets/-/office/rules/"
        for name in ("goes", "rests"):
            self.good("PUT", where + name, {"domain": name + ".test.", "targets": [{"address": "127.0.0.5"}]})
        self.addCleanup(self.call, "DELETE", "/v1/" + where + "rests")
        self.log_in("/ui/reports?days=0")
        self.known()
        self.more("rule office/goes", "Delete")
        self.find("dialog plan-view p")
        self.press("Delete", "dialog")
        self.wait(lambda: "office/goes" not in [row[0] for row in self.cells("rules")], "the rule to go")
        self.assertEqual(404, self.call("GET", "/v1/" + where + "goes").status)
        self.more("rule office/rests", "Disable")
        self.press("Disable", "dialog")
        self.wait(lambda: "office/rests" not in [row[0] for row in self.cells("rules")], "the rule to go")
        self.assertEqual("Disabled", self.good("GET", where + "rests")["state"])

    def test_a_rule_of_the_file_says_where_it_is(self):
        self.stands_in("/v1/report", {"time": "2026-01-01T00:00:00Z", "days": 30, "sections": [
            {"section": "rules", "summary": "1 of 1 rule", "advice": "delete them", "count": 1, "looked_at": 1, "young": 0, "since": "2025-01-01T00:00:00Z",
             "findings": [{"ruleset": "office", "rule": "contoso", "domain": HOSTILE, "linked": True, "since": "2025-01-01T00:00:00Z", "used": None}]}]})
        self.log_in("/ui/reports")
        self.find("#report-rules", "<script>")
        self.more("rule office/contoso", "Delete")
        self.find(".problem", "Rule office/contoso is in ")
        self.find(".problem", "sluice.conf")
        self.assertTrue(self.none("dialog"))

    def test_a_reader_sees_all_of_it(self):
        self.found()
        self.log_in("/ui/reports?days=0", "eye", EYE)
        self.assertEqual("2 findings", self.known()["rules"])
        self.assertEqual({"Log out", "Look again", "Export CSV"}, set(self.texts("button:not(th *, .whole)")))

    def test_csv_comes_out(self):
        self.found()
        self.log_in("/ui/reports?days=0")
        self.known()
        self.press("Export CSV: Targets not asked")
        head, row, end = self.downloaded("report-targets.csv").split("\r\n")
        self.assertEqual("target,protocol,source,rule,since,used,text", head)
        self.assertRegex(row, r'^127\.0\.0\.66:53,udp,,office/idle,20..-..-..T..:..:..Z,,"127\.0\.0\.66:53 by udp, of rule')
        self.assertEqual("", end)

    def test_what_is_still_asked_is_followed_until_it_is_known_or_left(self):
        many = range(100, 200)
        # What another test has asked is good for a while.
        last = self.wait(lambda: [one for one in self.good("GET", "report?sections=ptrs")["sections"] if one["state"] == "done"],
                         "the PTRs that there are")[0]
        self.wait(lambda: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 1)) > last["good_until"], "its end")
        self.good("POST", "changes", {"edits": [{"path": "addresses/-/m%d" % i, "values": {
            "region": "westeurope", "address": "198.51.100.%d" % i, "reverse_fqdn": "late700.m%d.example.com." % i}} for i in many]})
        self.addCleanup(self.good, "POST", "changes", {"edits": [{"path": "addresses/-/m%d" % i, "values": None} for i in many]})
        self.log_in("/ui/changes")
        self.watches()
        self.go("/ui/reports")
        # On a busy machine it may begin so slowly that minutes are told at first.
        self.wait(lambda: self.find("#report-ptrs progress") and re.search(
            r"\d+ of 10\d asked; known in about \d+ s\.", self.text_of("#report-ptrs")), "what is asked")
        self.find("[role=status]", "Still being asked: PTRs that do not lead back")
        self.known()
        self.assertRegex(self.states()["ptrs"], r"^\d{2,3} findings$")  # on a busy machine some could not be checked
        self.assertEqual(50, len(self.cells("ptrs")))
        self.find("#report-ptrs", "Nobody is asked again before ")
        begun = self.asked_for("/v1/report")
        self.assertGreater(begun, 1)
        self.assertLess(begun, 15)
        time.sleep(1.5)
        self.assertEqual(begun, self.asked_for("/v1/report"))

    def test_a_page_that_is_left_asks_no_more(self):
        running = {"section": "ptrs", "summary": "no PTRs", "advice": "", "count": 0, "looked_at": 10, "of": 1000000, "state": "running",
                   "began": "2026-01-01T00:00:00Z", "ended": None, "good_until": None, "unknown_count": 0, "unknown": [], "findings": []}
        self.stands_in("/v1/report", {"time": "2026-01-01T00:00:01Z", "days": 30, "sections": [running]})
        self.watches()
        self.log_in("/ui/reports")
        self.find("#report-ptrs", "10 of 1,000,000 asked; known in about 27.8 h.")
        self.wait(lambda: self.asked_for("/v1/report") > 2, "it to be asked again")
        self.press("Changes", "nav")
        self.find("h1", "Changes")
        seen = self.asked_for("/v1/report")
        time.sleep(3)
        self.assertEqual(seen, self.asked_for("/v1/report"))

    def test_now_names_what_there_is_to_look_at(self):
        self.found()
        self.watches()
        self.log_in("/ui/now")
        self.press("3 internal names leave", "main")
        self.find("h1", "Reports")
        self.known()
        self.assertTrue(self.driver.current_url.endswith("/ui/reports?section=leaving"))
        self.go("/ui/now")
        self.find("main", "Report: 3 internal names leave, 1 slow rule")
        time.sleep(6)
        self.assertEqual(1, self.asked_for("/v1/report"))


class ReportsFine(Browser):
    config = re.sub(r"(?m)^address_pools = .*\n", "", CONFIG)

    def test_what_is_well_says_since_when(self):
        self.ask_counted("a.contoso.corp")
        self.ask_counted("www.example.com")
        self.log_in("/ui/now")
        self.find("main", "Report: nothing was found.")
        self.press("nothing was found")
        self.find("[role=status]", "Nothing was found, as of ")
        for section, state, text in (("rules", "all is well", "; counted since "), ("targets", "all is well", "; counted since "),
                                     ("leaving", "all is well", "(of the last 12 to 24 hours"), ("ptrs", "nothing to look at", "No PTRs"),
                                     ("delegations", "nothing to look at", "No public reverse zones"), ("names", "2 names", "2 names most asked for")):
            self.find("#report-%s summary .state" % section, state)
            self.find("#report-" + section, text)
        self.assertTrue(self.none("main table:not([aria-label='Names asked most'])"))
        # Times in the server's sentences are as those beside them, and have the exact one in their title.
        self.assertNotRegex(self.text_of("main"), r"UTC|\d-\d\d-\d\d")
        self.assertRegex(self.text_of("#report-rules p"), r"; counted since (\w+ \d+, )?\d\d:\d\d\.$")
        self.assertRegex(self.attribute("title", "#report-rules p time"), r"20\d\d.*\d\d:\d\d:\d\d .+")


class Queries(Browser):
    """What is asked, as it is answered."""
    config = CONFIG + 'query_log = { file = "queries.json"; };'

    def ask(self, *names):
        for name in names:
            self.host.ask(("127.0.0.1", 5300), name)

    def questions(self):
        return [row[2] for row in self.rows()]

    def test_the_latest_are_there_and_others_come(self):
        self.ask("early.contoso.corp")
        self.log_in("/ui/queries")
        self.row("early.contoso.corp. A", "NOERROR", "Rule office/contoso", "127.0.0.5:53", "in hub")
        self.find("[role=status]", "Live.")
        self.find(".live.on")  # it goes on hearing of events meanwhile
        self.ask("web.corp.internal", "nothing.corp.internal", "early.contoso.corp")
        self.row("web.corp.internal. A", "Private zone corp.internal", "own data")
        self.row("nothing.corp.internal. A", "NXDOMAIN")
        self.row("early.contoso.corp. A", "the cache")
        self.assertEqual(1, sum(question == "web.corp.internal. A" for question in self.questions()))
        self.assertRegex(self.row("web.corp.internal. A")[0], r"^\d\d:\d\d:\d\d\.\d{3}$")
        self.assertRegex(self.row("web.corp.internal. A")[6], r"^[\d.]+ ms$")
        self.find(".live.on")

    def test_each_leads_to_ask(self):
        self.log_in("/ui/queries")
        self.find("[role=status]", "Live.")
        self.ask("lead.contoso.corp")
        self.press("lead.contoso.corp.")
        self.find("h1", "Ask")
        self.find(".verdict", "Forwarded by rule office/contoso")
        self.assertIn("endpoint=hub-resolver", self.driver.current_url)
        self.driver.back()
        self.row("lead.contoso.corp.")

    def test_filters_are_the_servers_and_in_the_url(self):
        self.ask("one.filter.corp", "two.contoso.corp")
        self.log_in("/ui/queries")
        self.row("two.contoso.corp.")
        self.fill("Name or suffix", "filter.corp")
        self.press("Filter", "main")
        self.wait(lambda: self.questions() == ["one.filter.corp. A"], "one")
        self.assertIn("/ui/queries?suffix=filter.corp", self.driver.current_url)
        self.find("[role=status]", "Live.")
        self.ask("three.contoso.corp", "four.filter.corp")
        self.wait(lambda: self.questions() == ["four.filter.corp. A", "one.filter.corp. A"], "what fits alone")
        self.driver.refresh()
        self.wait(lambda: self.questions() == ["four.filter.corp. A", "one.filter.corp. A"], "the same")
        self.fill("Client", "nonsense")
        self.press("Filter", "main")
        self.find(".problem", "client")
        self.fill("Client", "192.0.2.0/24")
        self.press("Filter", "main")
        self.find(".empty", "Nothing like that")
        self.assertTrue(self.none(".problem"))

    def test_it_can_be_held(self):
        self.log_in("/ui/queries")
        self.find("[role=status]", "Live.")
        self.press("Pause")
        self.find("[role=status]", "Paused.")
        self.ask("held.contoso.corp")
        time.sleep(1)
        self.assertNotIn("held.contoso.corp. A", self.questions())
        self.press("Go on")
        self.row("held.contoso.corp.")

    def test_another_window_takes_it_over_once(self):
        self.log_in("/ui/queries")
        self.find("[role=status]", "Live.")
        with self.another_tab("/ui/queries") as (first, second):
            self.find("[role=status]", "Live.")
            self.driver.switch_to.window(first)
            self.find("[role=status]", "Another window shows them now.")
            self.driver.switch_to.window(second)
            self.ask("over.contoso.corp")
            self.row("over.contoso.corp.")

    def test_very_many_are_no_burden(self):
        self.log_in("/ui/queries")
        self.find("[role=status]", "Live.")
        self.ask(*["n%d.corp.internal" % number for number in range(1500)])
        self.wait(lambda: re.search(r"\d,\d{3} came", self.text()), "more than a thousand to come")
        self.wait(lambda: len(self.rows()) == 50, "the first of them")
        self.assertLess(self.drawn("return () => document.querySelector('queries-page').render()"), 10)

    def test_names_of_clients_are_text(self):
        message = dns.query("x.corp.internal", ident=7)  # in which the name's bytes are not
        hostile = "<b>x\u202egnp.</b>".encode()
        self.host.ask(("127.0.0.1", 5300), "x.corp.internal")
        dns.udp(message.replace(b"\x01x", bytes([len(hostile)]) + hostile), ("127.0.0.1", 5300))
        self.log_in("/ui/queries")
        self.row("<b>x")
        self.assertTrue(self.none("main td b"))


class QueriesPrivate(Browser):
    config = CONFIG + 'query_log = { file = "queries.json"; privacy = true; };'

    def test_ask_is_as_in_the_network_of_the_client_that_is_cut(self):
        self.host.ask(("127.0.0.1", 5310), "cut.contoso.corp")
        self.log_in("/ui/queries")
        self.row("cut.contoso.corp. A", "127.0.0.0", "in hub")
        self.press("cut.contoso.corp.")
        self.find(".verdict", "Forwarded by rule office/contoso")
        self.assertTrue(self.driver.current_url.endswith("/ui/ask?name=cut.contoso.corp.&type=A&vnet=hub"))


class QueriesUnlogged(Browser):
    def test_without_a_log_it_says_so_and_what_comes_is_there(self):
        self.host.ask(("127.0.0.1", 5300), "before.contoso.corp")
        self.log_in("/ui/queries")
        self.find(".hint", "The configuration logs no queries")
        self.find("[role=status]", "Live.")
        self.host.ask(("127.0.0.1", 5300), "after.contoso.corp")
        self.row("after.contoso.corp.")
        self.assertEqual(1, len(self.rows()))

    def test_a_server_that_tells_of_none(self):
        self.stands_in("/v1/queries", {"error": {"code": "not_found", "message": "there is none"}}, 404)
        self.log_in("/ui/queries")
        self.find(".empty", "does not tell of queries")
        self.assertTrue(self.none(".problem"))


if __name__ == "__main__":
    harness.main()
