"""The dashboard's tables and its picture of networks with hundreds of rows: a row is one line, header and table head stay on
top, rows come in pages with the worst first, and a dead target colours the rulesets and networks that need it. How all pages
look is in test_dashboard_looks.py."""

import socket

import dns
import harness
from dashboard import Browser
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

LONG = ".".join(["a" * 61, "b" * 61, "c" * 61, "d" * 60, "test"]) + "."
RULES, DEAD, RECORDS, ADDRESSES = 500, 80, 1000, 120
DESKTOP, WIDE, PHONE = (1280, 900), (1920, 1080), (390, 844)


class Much(Browser):
    """502 rules, a name of 253 bytes, 80 dead targets, a zone with many records."""
    pages = ("now", "ask?name=n0.d0.many.test", "reports", "networks", "rules", "targets", "target?target=127.0.1.1:53", "zones",
             "zone?path=private_zones/-/big.internal", "registered", "reverse", "queries", "changes")

    @classmethod
    def build(cls, world):
        super().build(world)
        rules = [("r%d" % i, "d%d.many.test." % i, ["127.0.1.%d" % (i % DEAD + 1)] + ["127.0.0.5"] * (i >= DEAD)) for i in range(RULES)]
        rules += [("n" * 63, LONG, ["2001:db8:1111:2222:3333:4444:5555:6666"])]
        edits = [{"path": "rulesets/-/many", "values": {"outbound_endpoints": ["hub-resolver/default"]}},
                 {"path": "rulesets/-/many/links/hub", "values": {"virtual_network": "hub"}},
                 {"path": "private_zones/-/big.internal", "values": {}}]
        edits += [{"path": "private_zones/-/z%d.internal" % i, "values": {}} for i in range(40)]
        edits += [{"path": "rulesets/-/many/rules/" + name, "values": {"domain": domain, "targets": [{"address": one} for one in targets]}}
                  for name, domain, targets in rules]
        edits += [{"path": "private_zones/-/big.internal/record_sets/h%d:A" % i, "values": {"ttl": 300, "records": ["10.10.%d.%d" % divmod(i, 250)]}}
                  for i in range(RECORDS)]
        edits += [{"path": "addresses/-/m%d" % i, "values": {"region": "westeurope", "address": "198.51.100.%d" % (i + 1)}} for i in range(ADDRESSES)]
        cls().good("POST", "changes", {"edits": edits})
        # A target is found dead when it is asked; nobody waits for answers.
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            def are_dead():
                status = cls().good("GET", "status")
                if sum(one["state"] == "suspect" for one in status["targets"]) == DEAD:
                    return True
                for i in range(DEAD):
                    asking.sendto(dns.query("x.d%d.many.test" % i), ("127.0.0.1", 5300))
                return False
            harness.wait_for(are_dead, "all of them to be found dead", 120)

    def size(self, width, height, dark=False):
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500})
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]})
        self.addCleanup(self.driver.execute_cdp_cmd, "Emulation.clearDeviceMetricsOverride", {})
        self.addCleanup(self.driver.execute_cdp_cmd, "Emulation.setEmulatedMedia", {"features": []})

    def js(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def box(self, css):
        return self.js("const {left, top, right, bottom} = document.querySelector(arguments[0]).getBoundingClientRect(); return {left, top, right, bottom}", css)

    def shown(self, page):
        self.go("/ui/" + page)
        self.find("main h1")
        self.js("return document.querySelector('main').firstElementChild.showing")

    def outside(self):
        """What stands out of the window at its sides, and cells, buttons and fields of a page that overlap their neighbours."""
        return self.js("""
            const name = one => `${one.localName}.${one.className} ${one.innerText?.slice(0, 30)}`;
            const all = [...document.querySelectorAll("main *, header *")].filter(one => one.checkVisibility({visibilityProperty: true}));
            const boxes = new Map(all.map(one => [one, one.getBoundingClientRect()]));
            const clipped = one => one.closest(".unseen, .cell, svg, pre, .node, .skip, .who");
            const found = all.filter(one => !clipped(one) && boxes.get(one).width && (boxes.get(one).right > innerWidth + 1 || boxes.get(one).left < -1))
                .map(one => "outside: " + name(one));
            for (const row of document.querySelectorAll("main tr, .tools, header, .buttons")) {
                const inside = [...row.children].map(one => [one, one.getBoundingClientRect()]).filter(([, {width, height}]) => width && height);
                inside.forEach(([one, a], i) => inside.slice(i + 1).forEach(([other, b]) => {
                    if (Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1)
                        found.push(`overlap: ${name(one)} and ${name(other)}`);
                }));
            }
            const wide = document.documentElement.scrollWidth - innerWidth;
            return wide > 0 ? [`the page is ${wide} too wide`, ...found] : found;""")

    def test_nothing_overflows_or_overlaps_on_a_tablet(self):
        """test_dashboard_looks.py has a phone and desktops."""
        self.log_in()
        self.size(768, 1024)
        for page in self.pages:
            self.shown(page)
            self.assertEqual([], self.outside(), page)

    def test_a_row_is_a_line_and_its_button_is_level(self):
        self.log_in()
        for width, height in (DESKTOP, WIDE):
            self.size(width, height)
            for page in ("rules", "targets", "zones", "zone?path=private_zones/-/big.internal", "reverse"):
                self.shown(page)
                self.find("tbody tr")
                heights, off = self.js("""
                    const rows = [...document.querySelectorAll("tbody tr")], middle = one => { const {top, bottom} = one.getBoundingClientRect(); return (top + bottom) / 2; };
                    return [rows.map(row => row.getBoundingClientRect().height), rows.flatMap(row => [...row.querySelectorAll("button, a")].filter(one => one.checkVisibility())
                        .map(one => Math.abs(middle(one) - middle(row))))]""")
                self.assertLessEqual(max(heights), 44, page)
                self.assertLessEqual(max(off), 2, page)

    def test_a_long_name_is_cut_and_shown_whole_by_key(self):
        self.log_in("/ui/rules?search=%s" % ("n" * 63))
        self.size(*DESKTOP)
        self.find("tbody tr")
        button = "tbody td:first-child button.whole"
        def is_open(): return self.find(button).get_attribute("aria-expanded") == "true"
        cell = """const one = document.querySelector("tbody td:first-child .cell");
                  return [one.scrollWidth > one.clientWidth, one.title, one.nextElementSibling?.getAttribute("aria-label")]"""
        # A row that is made anew is marked as cut a moment later.
        self.wait(lambda: self.js(cell) == [True, LONG, "All of it: " + LONG], "the name to be cut")
        self.assertLess(self.box("tbody td:first-child")["right"], 700)
        self.js("document.querySelector(arguments[0]).focus()", button)
        self.keys(Keys.ENTER)
        self.wait(is_open, "the row to open")
        self.assertEqual([False] * 8, self.js("return [...document.querySelectorAll('tbody .cell')].map(one => one.scrollWidth > one.clientWidth)"))
        self.assertEqual([], self.outside())
        # A row that is made anew stays open, and the focus where it was.
        self.js("window.old = document.querySelector('tbody tr')")
        self.good("PATCH", "rulesets/-/many/rules/" + "n" * 63, {"description": "another"})
        self.wait(lambda: self.js("return !old.isConnected && document.querySelector('tbody tr')"), "the row to be made anew")
        self.wait(is_open, "it to be open")
        self.keys(Keys.ENTER)
        self.wait(lambda: not is_open(), "it to close")
        # On a phone, too, with a finger.
        self.size(*PHONE)
        self.shown("rules?search=" + "n" * 63)
        self.click("tbody td button.whole")
        self.assertEqual([], self.outside())
        self.assertEqual(LONG, self.text_of("tbody .lead"))

    def test_what_matters_of_a_rule_is_not_cut(self):
        """With names of a usual length; of many targets there is the first, and how many more there are."""
        self.log_in("/ui/rules?search=many/r")
        self.size(*DESKTOP)
        self.row("d0.many.test.", "no target answers")
        cut = self.js("return [...document.querySelectorAll('tbody .cell')].filter(one => one.scrollWidth > one.clientWidth).map(one => one.innerText)")
        self.assertEqual([], cut)
        says = next(one["says"] for one in self.good("GET", "status")["targets"] if one["host"] == "127.0.1.21:53")
        for width, height in (DESKTOP, PHONE):
            self.size(width, height)
            self.shown("rules?search=d100.")
            row = self.row("d100.many.test.")
            self.assertEqual(["127.0.1.21 %s +1" % says, "1 of 2 targets down"], [" ".join(text.split()) for text in row[2:4]])
            self.press("All of it: 127.0.1.21 %s\n127.0.0.5" % says)
            whole = "127.0.1.21 %s 127.0.0.5" % says  # a row that is made again meanwhile opens two frames later
            self.wait(lambda: whole == " ".join(self.row("d100.many.test.")[2].split()), "the whole row")

    def test_numbers_are_right_aligned(self):
        self.log_in("/ui/rules")
        self.size(*DESKTOP)
        self.find("tbody tr")
        edges = self.js("""return [4, 5].map(column => [...new Set([...document.querySelectorAll("tr")].map(row => row.children[column])
            .filter(one => one.innerText).map(one => Math.round((one.querySelector(".cell") || one.querySelector("button")).getBoundingClientRect().right)))])""")
        self.assertEqual([1, 1], [len(one) for one in edges], edges)

    def test_what_is_on_top_stays_there(self):
        self.log_in("/ui/rules")
        for width, height in (DESKTOP, WIDE):
            self.size(width, height)
            self.shown("rules")
            self.find("tbody tr")
            self.js("scrollTo(0, 2000)")
            self.wait(lambda: self.js("return scrollY") > 1000, "it to scroll")
            header, nav, head = [self.box(css) for css in ("header", "nav", "thead")]
            self.assertEqual((0, header["bottom"], header["bottom"]), (header["top"], nav["top"], head["top"]))
        self.press("Zones", "nav")
        self.find("h1", "Zones")

    def test_on_a_phone_the_menu_is_behind_a_button(self):
        self.log_in("/ui/rules")
        self.size(*PHONE)
        self.shown("rules")
        self.find("tbody tr")
        self.assertLess(self.js("return Math.max(...[...document.querySelectorAll('tbody tr')].map(one => one.getBoundingClientRect().height))"), 130)
        self.js("scrollTo(0, 3000)")
        self.assertEqual(0, self.box("header")["top"])
        self.assertTrue(self.js("const who = document.querySelector('.who'); return who.scrollWidth <= who.clientWidth"), "who is logged in is not cut")
        self.assertFalse(self.driver.find_element(By.CSS_SELECTOR, "nav").is_displayed())
        self.press("Menu")
        self.find("nav a", "Targets")
        self.keys(Keys.ESCAPE)
        self.wait(lambda: not self.driver.find_element(By.CSS_SELECTOR, "nav").is_displayed(), "the menu to close")
        self.assertEqual("Menu", self.focused())
        self.press("Menu")
        self.press("Targets", "nav")
        self.find("h1", "Targets")
        self.assertFalse(self.driver.find_element(By.CSS_SELECTOR, "nav").is_displayed())

    def test_hundreds_of_rows_come_in_pages_the_worst_first(self):
        self.log_in("/ui/rules")
        self.size(*DESKTOP)
        self.row("d0.many.test.", "no target answers")
        self.assertEqual("1\u201350 of 502 rows", self.text_of(".foot [role=status]"))
        self.assertTrue(self.js("return document.querySelector('.foot button').disabled"))
        states = [row[3] for row in self.rows()]
        for first in range(51, 502, 50):
            self.press("Next")
            self.find(".foot", "%d\u2013%d of 502 rows" % (first, min(first + 49, 502)))
            states += [row[3] for row in self.rows()]
        self.assertEqual({"no target answers"}, set(states[:DEAD]))
        self.assertEqual("Previous", self.focused())  # there is no next one to stay at
        self.fill("Search", "d49")
        self.find(".foot", "11 rows")
        self.fill("Search", "many/")
        self.find(".foot", "1\u201350 of 501 rows")

    def test_a_column_is_sorted_by_its_head(self):
        self.log_in("/ui/rules")
        self.size(*DESKTOP)
        self.row("d0.many.test.")
        worst = self.rows()[0][0]
        def sorts(): return self.texts("[aria-sort=ascending]") + ["-" + text for text in self.texts("[aria-sort=descending]")]
        self.press("Sort by Rule")
        self.wait(lambda: self.rows()[0][1] == "many/" + "n" * 63, "the first of many")
        self.assertEqual(["many/r0", "many/r1", "many/r2"], [row[1] for row in self.rows()[1:4]])
        self.assertEqual(["Rule"], sorts())
        self.assertEqual("Rule", self.focused())
        self.press("Sort by Rule")
        self.wait(lambda: self.rows()[0][1] == "office/contoso", "the last one")
        self.assertEqual(["-Rule"], sorts())
        self.press("Sort by Rule")
        self.wait(lambda: self.rows()[0][0] == worst, "the worst")
        self.assertEqual([], sorts())
        self.press("Sort by Asked")
        self.wait(lambda: [int(row[4]) for row in self.rows()] == sorted((int(row[4]) for row in self.rows()), reverse=True), "those asked most")

    def test_on_a_phone_the_domain_has_the_line_and_a_field_sorts(self):
        self.log_in("/ui/rules")
        self.size(*PHONE)
        self.shown("rules")
        self.row("d0.many.test.", "no target answers")
        worst = self.rows()[0][0]
        domain, state = [self.box("tbody td." + part) for part in ("lead", "mood")]
        self.assertGreaterEqual(state["top"], domain["bottom"])
        self.choose("Sort by", "Rule, ascending")
        self.wait(lambda: self.rows()[0][1] == "many/" + "n" * 63, "the first of many")
        self.choose("Sort by", "Rule, descending")
        self.wait(lambda: self.rows()[0][1] == "office/contoso", "the last one")
        # What comes meanwhile does not close the field, and a head says the same in a larger window.
        self.js("window.field = document.querySelector('.sorter select')")
        self.good("PATCH", "rulesets/-/many/rules/r0", {"description": "another"})
        self.js("document.querySelector('rules-page').render()")
        self.assertTrue(self.js("return field === document.querySelector('.sorter select') && field.isConnected"))
        self.size(*DESKTOP)
        self.assertEqual(["Rule"], self.texts("[aria-sort=descending]"))
        self.assertEqual([], self.texts(".sorter"))
        self.size(*PHONE)
        self.choose("Sort by", "Worst first")
        self.wait(lambda: self.rows()[0][0] == worst, "the worst")
        self.choose("Sort by", "Asked, descending")
        self.wait(lambda: [int(row[4]) for row in self.rows()] == sorted((int(row[4]) for row in self.rows()), reverse=True), "those asked most")

    def test_what_is_dead_colours_who_needs_it(self):
        self.log_in("/ui/networks")
        self.find(".node.bad", "hub\nmany: %d rules cannot be answered" % DEAD)
        self.find(".node.bad", "many\n%d rules cannot be answered, of %d" % (DEAD, RULES + 1))
        self.find(".node.bad", "%d targets of many\n%d of them down" % (DEAD + 1, DEAD))
        self.assertEqual("office\n1 rule", self.text_of(".node.plain", "office"))
        self.assertEqual("hub-resolver/default\nmade by sluice, any address", self.text_of(".node.made"))
        self.assertNotIn("240.0.0", self.text())
        self.assertEqual([], self.js("return [...document.querySelectorAll('.note')].filter(one => !one.textContent).map(one => one.parentNode.innerText)"))
        self.assertTrue(self.js("return document.querySelectorAll('.line.bad').length") >= 3)

    def test_many_targets_unfold_by_keyboard(self):
        self.log_in("/ui/networks")
        self.assertLess(len(self.texts(".node")), 25)
        name = "%d targets of many: its targets" % (DEAD + 1)
        button = "button[aria-label='%s']" % name
        self.assertEqual("false", self.attribute("aria-expanded", button))
        self.js("document.querySelector(arguments[0]).focus()", button)
        self.keys(Keys.ENTER)
        self.wait(lambda: self.attribute("aria-expanded", button) == "true", "it to open")
        self.assertEqual(DEAD + 1, len(self.texts(".column:last-of-type li li .node")))
        self.wait(lambda: self.js("return document.activeElement.ariaLabel") == name, "the button to have the focus, if drawn anew, too")
        self.keys(Keys.TAB)
        self.assertRegex(self.focused(), "does not answer|cannot be reached")
        self.good("PUT", "addresses/-/another", {"region": "westeurope", "address": "198.51.100.250"})
        self.addCleanup(self.call, "DELETE", "/v1/addresses/-/another")
        self.press("many: rules that cannot be answered")
        self.assertEqual(DEAD, len(self.texts(".column li li .node.bad[href*='rule=many']")))
        self.keys(Keys.TAB, Keys.ENTER)
        self.find("[role=status]", "Rule many/r0 alone.")


if __name__ == "__main__":
    harness.main()
