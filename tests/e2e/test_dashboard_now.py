"""The dashboard's first page, and how one gets there: what fails comes first, charts fill the width at every size, the
server says its name, and a link logs in once."""

import re

import harness
from dashboard import Browser, CONFIG, made_up_history
from selenium.webdriver.common.by import By

SIZES = {390: 1, 1000: 2, 1280: 3, 1920: 3}  # of a window, and how many charts stand beside each other


class Now(Browser):
    config = CONFIG + 'identity = { server = "hub-1"; };'

    def window(self, width):
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500})
        self.addCleanup(self.driver.execute_cdp_cmd, "Emulation.clearDeviceMetricsOverride", {})

    def boxes(self, css):
        """[left, top, width, height] of each."""
        return self.driver.execute_script("""return [...document.querySelectorAll(arguments[0])].map(one => {
            const {left, top, width, height} = one.getBoundingClientRect();
            return [left, top, width, height].map(Math.round); })""", css)

    def test_one_dead_target_that_hurts_twelve_rules_is_one_failure_and_the_worst_is_first(self):
        def rule(name, *targets):
            where = "rulesets/-/office/rules/" + name
            self.good("PUT", where, {"domain": name + ".test.", "targets": [{"address": one} for one in targets]})
            self.addCleanup(self.call, "DELETE", "/v1/" + where)
        for number in range(12):
            rule("a%d" % number, "127.0.0.66")
        rule("alone", "127.0.0.67")
        rule("spare", "127.0.0.68", "127.0.0.5")
        for name in ("x.alone.test", "x.a0.test", "x.spare.test"):
            self.host.ask(("127.0.0.1", 5300), name)
        self.wait(lambda: self.good("GET", "status")["failing"]["count"] == 3, "three failures")
        failing = self.good("GET", "status")["failing"]["list"]
        self.assertEqual([("error", "127.0.0.66:53", 12), ("error", "127.0.0.67:53", 1), ("warning", "127.0.0.68:53", 1)],
                         [(one["severity"], one["target"], one["rule_count"]) for one in failing])
        self.assertRegex(failing[0]["text"], r"^(a\d+\.test\., ){2}a\d+\.test\. and 9 more are not answered for network hub since \S+: "
                         r"127\.0\.0\.66:53 (does not answer|cannot be reached)\.$")
        self.assertEqual((["hub"], "udp", 8), (failing[0]["networks"], failing[0]["protocol"], len(failing[0]["rules"])))
        self.log_in("/ui/")
        told = self.wait(lambda: len(self.texts(".failing li")) == 3 and self.texts(".failing li"), "three failures")
        self.assertIn("12 rules", told[0])
        self.assertIn("spare.test. is answered by other targets.", told[2])
        self.assertLess(self.boxes(".failing")[0][1], self.boxes(".charts")[0][1])
        self.press("12 rules")
        self.find("h1", "Rules")
        self.wait(lambda: len(self.rows()) == 12, "its rules")

    def test_very_many_failures_show_the_first_and_then_all(self):
        status = self.good("GET", "status")
        one = {"severity": "error", "advice": "Check that it runs.", "since": None, "protocol": "udp", "source": None, "rule_count": 2, "networks": []}
        status["judgement"] = {"good": False, "texts": ["80 rules cannot be answered."], "notes": []}
        status["failing"] = {"count": 80, "list": [
            dict(one, text="n%d.test. is not answered: 10.0.0.%d:53 does not answer." % (i, i), target="10.0.0.%d:53" % i, rules=["office/a", "office/b"])
            for i in range(80)]}
        self.stands_in("/v1/status", status)
        self.log_in("/ui/")
        self.wait(lambda: len(self.texts(".failing li")) == 5, "five")
        self.press("Show 75 more")
        self.wait(lambda: len(self.texts(".failing li")) == 80, "all")

    def test_charts_fill_the_width_in_boxes_of_one_size_whatever_their_legends(self):
        self.stands_in("/v1/history", made_up_history())
        self.log_in("/ui/")
        for width, beside in SIZES.items():
            self.window(width)
            self.find("time-chart canvas[aria-label]")
            charts = self.wait(lambda: len(self.boxes(".chart")) == 6 and self.boxes(".chart"), "the charts")
            [[left, _, all_, _]] = self.boxes(".charts")
            self.assertEqual(1, len({height for *_, height in charts}), (width, charts))
            self.assertLessEqual(max(one[2] for one in charts) - min(one[2] for one in charts), 1, (width, charts))
            self.assertEqual(beside, len({one[0] for one in charts}), (width, charts))
            self.assertEqual(left, charts[0][0])
            self.assertAlmostEqual(left + all_, max(one[0] + one[2] for one in charts), delta=1)
            self.assertEqual(width, self.driver.execute_script("return Math.max(document.documentElement.scrollWidth, innerWidth)"))
            self.assertFalse(self.driver.execute_script(
                "return [...document.querySelectorAll('.legend')].some(one => one.scrollHeight > one.clientHeight + 1)"), width)
        high = charts[0][3]
        self.click("time-chart details summary")
        self.wait(lambda: self.boxes(".chart")[0][3] > high, "the table")
        self.assertEqual({high}, {one[3] for one in self.boxes(".chart")[1:]})

    def test_no_share_is_more_than_all(self):
        history = made_up_history()
        for row in history["endpoints"]:  # each query of before is answered SERVFAIL while few come
            row["servfail"] = row["responses"] = [None if one is None else 4 * one for one in row["queries"]]
        self.stands_in("/v1/history", history)
        self.log_in("/ui/")
        self.wait(lambda: re.search(r"SERVFAIL\n100 %\n", self.text()), "the share")
        label = self.wait(lambda: [one for one in self.attributes("aria-label", "time-chart canvas")
                                   if one and one.startswith("SERVFAIL")], "its label")
        self.assertEqual(["SERVFAIL: Last 100 %, between 100 % and 100 %."], label)

    def test_the_server_is_called_by_its_name_on_each_page_and_before_a_login(self):
        version = self.good("GET", "server")["version"]
        self.go("/ui/")
        self.find(".login .called", "hub-1 " + version)
        self.wait(lambda: self.driver.title == "Log in - hub-1 - sluice", "the title")
        self.log_in("/ui/rules")
        self.find("header .called", "hub-1 " + version)
        self.wait(lambda: self.driver.title == "Rules - hub-1 - sluice", "the title")
        self.press("Zones", "nav")
        self.wait(lambda: self.driver.title == "Zones - hub-1 - sluice", "the title")

    def link(self):
        status, text = self.sluice.command("dashboard")
        self.assertEqual(0, status, text)
        return re.search(r"open (\S+)", text)[1]

    def test_a_link_logs_in_once_and_no_address_keeps_its_code(self):
        link = self.link()
        code = link.split("=")[1]
        self.driver.get(link)
        self.find("header .who", "uid ")
        self.find("h1", "Now")
        self.assertTrue(self.driver.current_url.endswith("/ui/"), self.driver.current_url)
        self.assertNotIn(code, self.driver.page_source)
        self.press("Rules", "nav")
        self.driver.back()
        self.find("h1", "Now")
        self.assertNotIn(code, self.driver.execute_script("return location.href + JSON.stringify({...sessionStorage})"))
        self.press("Log out")
        self.find("form.login")
        self.driver.get(link)  # in a page that is there already
        self.find(".problem", "used already, or is older than a minute")
        self.assertNotIn(code, self.driver.current_url)
        self.driver.get("about:blank")
        self.driver.get(self.link().replace("/ui/#", "/ui/rules#"))
        self.find("h1", "Rules")
        self.assertNotIn(code, self.sluice.log())


if __name__ == "__main__":
    harness.main()
