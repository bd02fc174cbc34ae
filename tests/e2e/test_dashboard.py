"""The dashboard in a real browser: each thing that can be done there, refusals, and names that would like to be
markup."""

import gzip
import json
import os
import re
import shutil
import subprocess
import tempfile
import time
import urllib.parse

import harness
from dashboard import SUBSCRIPTION, Browser, CONFIG, EYE, HOSTILE, OPS, SHOWN_TIME, made_up_history
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select


class Serving(Browser):
    def test_files_are_compressed_and_never_markup_of_others(self):
        answer = self.call("GET", "/ui/")
        self.assertEqual((200, "gzip", "text/html; charset=utf-8", "nosniff", ["no-cache"], None), (
            answer.status, *[answer.headers[name] for name in ("Content-Encoding", "Content-Type",
                                                               "X-Content-Type-Options")],
            answer.headers.get_all("Cache-Control"), answer.headers["Set-Cookie"]))
        self.assertRegex(answer.headers["Content-Security-Policy"], "^default-src 'self';.*frame-ancestors 'none'")
        self.assertIn(b"<!doctype html>", gzip.decompress(answer.body))
        again = self.call("GET", "/ui/", **{"If-None-Match": answer.headers["ETag"]})
        self.assertEqual((304, b""), (again.status, again.body))
        head = self.call("HEAD", "/ui/main.js")
        self.assertEqual((200, "text/javascript; charset=utf-8", b""), (
            head.status, head.headers["Content-Type"], head.body))

    def test_a_path_of_no_page_is_the_page_with_404_and_every_page_has_its_own(self):
        page = self.call("GET", "/ui/").body
        with open(os.path.join(os.path.dirname(__file__), "../../resolver/control/dashboard/files/main.js"), encoding="utf-8") as file:
            pages = re.findall(r'\{page: "([^"]+)"', file.read())
        self.assertIn("changes", pages)
        for path in ("/ui", *("/ui/" + one for one in pages), "/ui/changes/"):
            answer = self.call("GET", path)
            self.assertEqual((200, page), (answer.status, answer.body), path)
        for path in ("/ui/whatever/it/is", "/ui/changes/more", "/ui/pages/now", "/ui/nothing.js", "/ui/pages/", "/ui/" + "x" * 300):
            answer = self.call("GET", path, **{"If-None-Match": "*"})
            self.assertEqual((404, page), (answer.status, answer.body), path)
            self.assertEqual("text/html; charset=utf-8", answer.headers["Content-Type"])
            self.assertIn("default-src 'self'", answer.headers["Content-Security-Policy"])
        for path in ("/ui/../sluice.conf", "/ui/%2e%2e/state.db", "/ui/index.html%00"):
            self.assertIn(self.call("GET", path).status, (400, 404), path)
        self.assertEqual(405, self.call("PUT", "/ui/index.html", {}).status)
        # Nobody needs to be known for the files; everybody needs to be for what they ask.
        self.assertEqual(200, self.call("GET", "/ui/", secret="").status)
        self.assertEqual(401, self.call("GET", "/v1/status", secret="").status)

    def test_a_browser_is_led_there_and_a_client_of_openstack_is_not(self):
        answer = self.call("GET", "/", Accept="text/html,application/xhtml+xml,*/*;q=0.8")
        self.assertEqual((303, "/ui/"), (answer.status, answer.headers["Location"]))
        self.assertEqual(300, self.call("GET", "/", Accept="application/json").status)


    def test_a_browser_keeps_the_files_of_a_version_and_gets_all_at_once(self):
        files = os.path.join(os.path.dirname(__file__), "../../resolver/control/dashboard/files")
        page = gzip.decompress(self.call("GET", "/ui/").body).decode()
        modules = {os.path.relpath(os.path.join(folder, name), files) for folder, _, names in os.walk(files) for name in names if name.endswith(".js")}
        version, = set(re.findall(r'(?:href|src)="/ui/([^/]*)/', page))
        self.assertEqual(modules - {"start.js"}, set(re.findall(r'modulepreload" href="/ui/%s/([^"]*)"' % version, page)))

        def kept(path):
            answer = self.call("GET", path)
            return answer.status, answer.headers.get_all("Cache-Control"), answer.body
        status, kept_by, body = kept("/ui/%s/main.js" % version)
        self.assertEqual((200, ["max-age=31536000, immutable"]), (status, kept_by))
        # A page of before an upgrade gets what there is, and does not keep that under the old name.
        self.assertEqual((200, ["no-cache"], body), kept("/ui/0123456789abcdef/main.js"))
        self.assertEqual((200, ["no-cache"], body), kept("/ui/main.js"))
        self.assertEqual((404, ["no-cache"]), kept("/ui/%s/now" % version)[:2])
        self.assertEqual((404, ["no-cache"]), kept("/ui/%s/%s/main.js" % (version, version))[:2])
        self.go("/ui/changes")
        self.find("form.login")
        self.go("/ui/rules")
        self.find("form.login")
        sent = self.driver.execute_script("""return performance.getEntriesByType('resource')
            .filter(one => one.name.includes('/ui/')).map(one => [new URL(one.name).pathname, one.transferSize])""")
        self.assertLess(40, len(sent))
        self.assertEqual([], [one for one in sent if one[1]], "asked for again")

    def test_a_module_of_no_version_is_refused_when_the_program_is_built(self):
        dashboard = os.path.join(os.path.dirname(__file__), "../../resolver/control/dashboard")
        with tempfile.TemporaryDirectory() as folder:
            shutil.copy(os.path.join(dashboard, "files/index.html"), folder)
            for line in ('import {a} from "./b.js";', 'import {a} from "/ui/b.js";', "import '/ui/b.js';", "await import(`/ui/b.js`);"):
                with open(os.path.join(folder, "one.js"), "w", encoding="ascii") as file:
                    file.write(line + "\n")
                made = subprocess.run([os.path.join(dashboard, "embed"), folder], capture_output=True, text=True, check=False)
                self.assertEqual((int("/ui/" in line), "/ui/" in line), (made.returncode, "import by a relative path" in made.stderr), line)

    def test_a_page_whose_parts_did_not_all_come_is_loaded_anew(self):
        self.driver.execute_cdp_cmd("Network.enable", {})
        self.addCleanup(self.driver.execute_cdp_cmd, "Network.disable", {})
        self.driver.execute_cdp_cmd("Network.setBlockedURLs", {"urls": ["*/pages/zones.js"]})
        self.go("/ui/")
        self.find(".starting", "loaded anew")
        self.driver.execute_cdp_cmd("Network.setBlockedURLs", {"urls": []})
        self.find("form.login")
        self.assertTrue(self.none(".starting"))
        self.assertEqual(0, self.driver.execute_script("return sessionStorage.length"))

    def test_what_is_only_read_is_asked_again_where_the_network_changed(self):
        made = self.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": """{
            const real = window.fetch, seen = new Set();
            window.fetch = (where, how) => {
              if (seen.has(where) || how?.method !== "GET") return real(where, how);
              seen.add(where);
              return Promise.reject(new TypeError("Failed to fetch"));
            };
        }"""})
        self.addCleanup(self.driver.execute_cdp_cmd, "Page.removeScriptToEvaluateOnNewDocument", made)
        self.log_in("/ui/rules")
        self.row("contoso.corp.")
        self.assertTrue(self.none(".problem"))


class LoggingIn(Browser):
    def test_one_logs_in_and_out(self):
        self.go("/ui/changes?x=1")
        self.fill("Client", "ops")
        self.fill("Secret", "not-the-secret-at-all")
        self.press("Log in")
        self.assertIn("No client has this id and secret", self.text_of("[role=alert]"))
        self.fill("Secret", OPS)
        self.press("Log in")
        self.assertEqual("ops (admin)", self.text_of("header .who"))
        self.assertTrue(self.driver.current_url.endswith("/ui/changes?x=1"))
        self.assertEqual([], self.driver.get_cookies())
        # Its own tab goes on when it is loaded again, and nobody else has the token.
        self.driver.refresh()
        self.find("header .who")
        self.assertEqual(0, self.driver.execute_script("return localStorage.length"))
        self.press("Log out")
        self.find("form.login")
        self.assertEqual(0, self.driver.execute_script("return sessionStorage.length"))

    def test_a_login_that_ended_is_asked_for_again_in_place(self):
        self.log_in("/ui/changes", "eye", EYE)
        self.assertEqual("eye (reader)", self.text_of("header .who"))
        # As the page goes: it would ask with that token itself, and the one loaded next find no login.
        self.driver.execute_script("""addEventListener('pagehide', () => {
            const kept = JSON.parse(sessionStorage['sluice-session']);
            sessionStorage['sluice-session'] = JSON.stringify({...kept, token: 'gone'});
        });""")
        self.driver.refresh()
        self.assertIn("Your login has ended", self.text_of("[role=alert]"))
        self.fill("Client", "eye")
        self.fill("Secret", EYE)
        self.press("Log in")
        self.find("h1", "Changes")

    def test_by_keyboard_alone(self):
        self.go("/ui/")
        self.find("form.login")
        self.keys("ops", Keys.TAB, OPS, Keys.ENTER)
        self.find("header .who")
        self.keys(Keys.TAB)
        self.assertEqual("To the content", self.focused())


class Changes(Browser):
    def rule(self, name, domain="a.test."):
        return "rulesets/-/office/rules/" + name, {"domain": domain, "targets": [{"address": "127.0.0.5"}]}

    def test_each_change_comes_by_itself(self):
        self.log_in("/ui/changes")
        self.find(".live.on")
        self.good("PUT", *self.rule("streamed", "streamed.test."))
        row = self.row("created rule streamed of ruleset office")
        self.assertEqual("ops", row[1])
        self.good("PUT", *self.rule("streamed", "other.test."))
        self.row("changed rule streamed of ruleset office: domain")
        self.click("tbody summary")
        self.assertEqual(["streamed.test."], [self.text_of("del")])
        self.assertEqual(["other.test."], [self.text_of("ins")])

    def test_a_deployment_is_one_change_and_is_undone_as_one(self):
        group = "/subscriptions/%s/resourceGroups/deployed" % SUBSCRIPTION
        zones = [{"type": "Microsoft.Network/privateDnsZones", "apiVersion": "2020-06-01", "location": "global",
                  "name": "[concat('z', copyIndex(), '.internal')]", "copy": {"name": "z", "count": 3}}]
        version = "?api-version=2022-09-01"
        self.assertEqual(201, self.call("PUT", group + version, {"location": "westeurope"}).status)
        answer = self.call("PUT", group + "/providers/Microsoft.Resources/deployments/d" + version, {"properties": {
            "mode": "Incremental", "template": {
                "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
                "contentVersion": "1.0.0.0", "resources": zones}}})
        self.assertEqual(201, answer.status, answer.body)
        self.log_in("/ui/changes")
        self.assertEqual("ops", self.row("created zone deployed/z0.internal, zone deployed/z1.internal, zone deployed/z2.internal")[1])
        self.press("Undo", "tbody tr")
        self.press("Undo", "dialog")
        self.row("deleted zone deployed/z2.internal, zone deployed/z1.internal, zone deployed/z0.internal")
        self.assertEqual([], [zone for zone in self.good("GET", "private_zones")["private_zones"]
                              if zone["name"].startswith("z")])

    def slows(self, path, before):
        """From the next page on it takes two seconds before the server is asked for the path, or before its answer is heard."""
        made = self.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": """{
            const real = window.fetch, late = () => new Promise(resolve => setTimeout(resolve, 2000));
            window.fetch = async (where, how) => {
              const slow = where === %s;
              if (slow && %s) await late();
              const answer = await real(where, how);
              if (slow && !%s) await late();
              return answer;
            };
        }""" % (json.dumps(path), json.dumps(before), json.dumps(before))})
        self.addCleanup(self.driver.execute_cdp_cmd, "Page.removeScriptToEvaluateOnNewDocument", made)

    def test_a_change_while_the_page_loads_is_not_missed(self):
        self.slows("/v1/changes?limit=1", before=False)
        self.log_in("/ui/targets")
        self.find(".live.on")
        self.press("Changes", "nav")
        self.find("h1", "Changes")
        time.sleep(0.5)
        self.good("PUT", *self.rule("meanwhile", "meanwhile.test."))
        self.row("created rule meanwhile of ruleset office")

    def test_a_change_before_the_stream_begins_is_not_missed(self):
        self.good("PUT", *self.rule("early", "early.test."))
        self.slows("/v1/events", before=True)
        self.log_in("/ui/changes")
        self.row("rule early of")
        self.good("PUT", *self.rule("before", "before.test."))
        self.row("created rule before of ruleset office")

    def test_a_time_that_is_shown_finds_its_change(self):
        self.good("PUT", *self.rule("dated", "dated.test."))
        self.log_in("/ui/changes")
        self.row("created rule dated of ruleset office")
        whole = self.attribute("title", "tbody tr:first-child time")
        self.fill("Search", whole + "x")
        self.find(".empty", "No change has that.")
        self.fill("Search", whole)
        self.row("created rule dated of ruleset office")

    def test_a_change_is_undone(self):
        self.good("PUT", *self.rule("kept", "kept.test."))
        before = self.good("GET", "rulesets/-/office/rules/kept")
        self.good("DELETE", "rulesets/-/office/rules/kept")
        self.log_in("/ui/changes")
        self.row("deleted rule kept of ruleset office")
        self.press("Undo", "tbody tr:first-child")
        self.assertRegex(self.text_of("dialog"), r"ops deleted rule kept of ruleset office, %s\. This makes a new change" % SHOWN_TIME)
        self.press("Undo", "dialog")
        self.wait(lambda: sum("created rule kept of ruleset office" in row[2] for row in self.rows()) == 2, "the undo's row")
        after = self.good("GET", "rulesets/-/office/rules/kept")
        self.assertEqual([before[key] for key in ("domain", "targets")], [after[key] for key in ("domain", "targets")])

    def test_an_undo_that_cannot_be_says_why_and_changes_nothing(self):
        self.good("PUT", *self.rule("first", "twice.test."))
        self.good("DELETE", "rulesets/-/office/rules/first")
        self.good("PUT", *self.rule("second", "twice.test."))
        self.log_in("/ui/changes")
        self.row("deleted rule first of ruleset office")
        self.press("Undo", "tbody tr:nth-child(2)")
        self.find("dialog .problem")
        self.press("Cancel", "dialog")
        self.assertEqual(404, self.call("GET", "/v1/rulesets/-/office/rules/first").status)

    def test_what_was_changed_since_is_not_undone_over(self):
        self.good("PUT", *self.rule("since", "since.test."))
        self.good("PUT", *self.rule("since", "since2.test."))
        self.log_in("/ui/changes")
        self.row("changed rule since of ruleset office")
        self.press("Undo", "tbody tr:nth-child(2)")
        self.find(".problem", "was changed since, in revision")
        self.assertTrue(self.none("dialog"))
        self.press("Undo", "tbody tr:nth-child(1)")
        self.press("Undo", "dialog")
        self.wait(lambda: self.good("GET", "rulesets/-/office/rules/since")["domain"] == "since.test.", "the undo")
        # Now it is again as the first one left it.
        self.wait(lambda: sum("rule since of" in row[2] for row in self.rows()) == 3, "the undo's row")
        self.press("Undo", "tbody tr:nth-child(3)")
        self.press("Undo", "dialog")
        self.wait(lambda: self.call("GET", "/v1/rulesets/-/office/rules/since").status == 404, "the undo")

    def test_an_undo_compares_with_what_the_change_left_at_last(self):
        def edit(domain):
            path, values = self.rule("again", domain)
            return {"path": path, "values": values}

        self.good("PUT", *self.rule("again", "a.again.test."))
        # Only edits of one path in a row become one.
        self.good("POST", "changes", {"edits": [edit("b.again.test."), {"path": "address_pools/-/between", "values": {
            "region": "westeurope", "prefix": "203.0.113.0/24"}}, edit("c.again.test.")]})
        self.good("PUT", *self.rule("again", "b.again.test."))
        self.log_in("/ui/changes")
        self.row("changed rule again of ruleset office")
        self.press("Undo", "tbody tr:nth-child(2)")
        self.find(".problem", "was changed since, in revision")
        self.assertEqual("b.again.test.", self.good("GET", "rulesets/-/office/rules/again")["domain"])

    def test_what_is_changed_while_the_dialog_asks_is_not_undone_over(self):
        self.good("PUT", *self.rule("raced", "raced.test."))
        self.log_in("/ui/changes")
        self.find(".live.on")
        self.row("created rule raced of ruleset office")
        self.press("Undo", "tbody tr:first-child")
        self.find("dialog")
        self.good("PUT", *self.rule("raced", "raced2.test."))
        self.wait(lambda: any("changed rule raced" in text for text in self.driver.execute_script(
            "return [...document.querySelectorAll('tbody tr')].map(one => one.textContent)")), "the other change")
        self.press("Undo", "dialog")
        self.find("dialog .problem", "was changed since, in revision")
        self.press("Cancel", "dialog")
        self.assertEqual("raced2.test.", self.good("GET", "rulesets/-/office/rules/raced")["domain"])

    def test_a_reader_sees_all_and_can_change_nothing(self):
        self.good("PUT", *self.rule("seen", "seen.test."))
        self.log_in("/ui/changes", "eye", EYE)
        self.row("rule seen of")
        self.assertNotIn("Undo", self.texts("button"))

    def test_names_are_text(self):
        self.good("PUT", "addresses/-/hostile", {"region": "westeurope", "address": "198.51.100.66"})
        self.good("PUT", "ptrs/198.51.100.66", {"reverse_fqdn": "hostile.example.", "description": HOSTILE})
        self.log_in("/ui/changes")
        self.row("changed address hostile")
        self.click("tbody summary")
        shown = self.text_of("ins", "<script>")
        self.assertIn("<img src=x onerror=", shown)
        self.assertIn("\u05d0\u05d1\u05d2", shown)
        self.has_title("Changes")
        # The server lets nobody store what turns text around; a page would show it, too.
        self.assertEqual(["BDI", "isolate", "a<U+202E>gnp.exe<U+0000>"], self.driver.execute_async_script("""
            import(document.querySelector('[href$="lib/element.js"]').href).then(({name}) => {
              const made = name('a\\u202egnp.exe\\u0000');
              document.body.append(made);
              arguments[0]([made.tagName, getComputedStyle(made).unicodeBidi, made.textContent]);
            })"""))

    def test_what_only_looks_like_a_time_is_text(self):
        self.log_in("/ui/changes")
        self.assertEqual(["TIME", "asked for 2026-99-99T99:99Z.test since "], self.driver.execute_async_script("""
            import(document.querySelector('[href$="lib/element.js"]').href).then(({prose}) => {
              const made = prose('asked for 2026-99-99T99:99Z.test since 2026-11-26 10:00 UTC');
              arguments[0]([made.lastElementChild.tagName, made.firstChild.textContent + made.childNodes[1].textContent + made.childNodes[2].textContent]);
            }, error => arguments[0](String(error)))"""))

    def test_two_tabs_share_one_stream(self):
        self.log_in("/ui/changes")
        self.find(".live.on")
        with self.another_tab("/ui/changes") as (first, second):
            self.find(".live.on")
            self.good("PUT", *self.rule("both", "both.test."))
            self.row("rule both of")
            # The one that has the stream goes, and the other one takes over.
            self.driver.switch_to.window(first)
            self.row("rule both of")
            self.driver.get("about:blank")
            self.driver.switch_to.window(second)
            time.sleep(0.5)
            self.good("DELETE", "rulesets/-/office/rules/both")
            self.row("deleted rule both of ruleset office")


class Asking(Browser):
    def boxes(self):
        self.find(".box")
        return self.wait(lambda: [
            (box.find_element(By.TAG_NAME, "strong").text, "wins" in box.get_attribute("class"),
             box.find_element(By.TAG_NAME, "em").text) for box in self.driver.find_elements(By.CSS_SELECTOR, ".box")], "boxes")

    def test_who_decides_stands_beside_who_does_not_and_why(self):
        self.log_in("/ui/ask")
        self.assertIn("Give a name", self.text_of(".empty"))
        self.fill("Name", "www.contoso.corp")
        self.press("Explain")
        self.assertEqual([("Private zone", False, "there is none"), ("Rule", True, "decides"),
                          ("Default resolver", False, "would match, but something earlier decides")], self.boxes())
        self.assertEqual("Forwarded by rule office/contoso.", self.text_of(".verdict"))
        self.assertRegex(self.text_of(".route"), "asks 127.0.0.5:53 by udp through hub-resolver/default")
        self.press("127.0.0.5:53", ".route")
        self.find("h1", "127.0.0.5:53 udp")
        self.driver.back()
        self.press("office/contoso", ".verdict")
        self.find("h1", "Rules")
        self.driver.back()
        self.find(".verdict")
        self.assertTrue(self.driver.current_url.endswith("/ui/ask?name=www.contoso.corp&type=A&vnet=hub"))

    def test_a_target_that_fails_is_no_loser(self):
        """Those that lose are what does not decide, and packets that another one has overtaken."""
        where = "rulesets/-/office/rules/dead"
        self.good("PUT", where, {"domain": "dead.test.", "targets": [{"address": "127.0.0.66"}]})
        self.addCleanup(self.call, "DELETE", "/v1/" + where)
        self.log_in("/ui/ask?name=www.dead.test&vnet=hub&ask=1")
        self.find(".answer", "SERVFAIL after")
        self.assertEqual({"box fails"}, set(self.driver.execute_script(
            "return [...document.querySelectorAll(\"[aria-label^='Who was asked'] .box\")].map(one => one.className)")))
        self.assertEqual("Default resolver\nevery name\nwould match, but something earlier decides", self.text_of(".box.loses", "Default resolver"))

    def test_an_url_shows_the_same(self):
        self.log_in("/ui/ask?name=web.corp.internal&type=A&endpoint=hub-resolver/inbound")
        self.assertEqual(("Private zone", True, "decides"), self.boxes()[0])
        self.assertIn("web.corp.internal. 300 IN A 10.10.1.10", self.text_of("pre"))
        self.assertIn("At inbound endpoint hub-resolver/inbound", self.text())

    def test_a_place_that_is_gone_is_not_taken_for_another(self):
        self.log_in("/ui/ask?name=web.corp.internal&type=A&vnet=gone")
        self.find(".problem", 'there is no virtual network "gone"; there is: hub')
        self.assertTrue(self.none(".verdict"))

    def test_from_an_address(self):
        self.log_in("/ui/ask?name=web.corp.internal&from=192.0.2.1")
        self.find(".verdict", "REFUSED")
        self.assertIn("which is in no network", self.text_of("main"))
        self.fill("Client's address", "127.0.0.1")
        self.press("Explain")
        self.find(".verdict", "Answered by private zone corp.internal")

    def test_whom_an_endpoint_lets_in(self):
        self.log_in("/ui/ask?name=web.corp.internal&type=A&endpoint=hub-resolver/inbound&from=8.8.8.8")
        self.find("main", "hub-resolver/inbound, whose allow does not let 8.8.8.8 in: REFUSED.")
        self.press("Ask now")
        self.find(".answer", "REFUSED after")
        self.fill("Client's address", "10.0.0.1")
        self.press("Ask now")
        self.find(".answer", "NOERROR after")
        self.assertTrue(self.driver.current_url.endswith("&endpoint=hub-resolver%2Finbound&from=10.0.0.1&ask=1"))

    def test_a_name_that_is_none_is_refused_in_words(self):
        self.log_in("/ui/ask")
        self.fill("Name", "<b>..</b>")
        self.press("Explain")
        self.assertIn('"<b>..</b>" is not a domain name', self.text_of(".problem"))

    def asked(self):
        return self.texts("[aria-label^='Who was asked'] .box")

    def test_asked_now_the_boxes_have_answers_and_milliseconds(self):
        self.log_in("/ui/ask", "eye", EYE)
        self.fill("Name", "now.contoso.corp")
        self.press("Ask now")
        self.assertRegex(self.text_of(".answer"), r"Answer\nNOERROR after [\d.]+ ms, flags qr rd ra\n"
                         r"now.contoso.corp. 60 IN A 198.51.100.5")
        self.assertEqual(("Rule", True, "decides"), self.boxes()[1])
        asked = self.asked()  # on a busy machine its answer is late, it is asked once more, and either may answer first
        for at, box in zip([r"0\.0"] + len(asked) * [r"[1-9][\d.]*"], asked):
            self.assertRegex(box, r"^127.0.0.5:53\nby udp, at %s ms\n(NOERROR|no answer)\nafter [\d.]+ ms$" % at)
        self.assertEqual(1, sum("\nNOERROR\n" in box for box in asked))
        self.assertTrue(self.driver.current_url.endswith("/ui/ask?name=now.contoso.corp&type=A&vnet=hub&ask=1"))
        self.driver.refresh()  # an URL shows the same, and now the cache has it
        self.find(".box", "good for")
        self.assertRegex("\n".join(self.asked()), r"^Cache\n127.0.0.5:53\n\d+ s old, good for \d+ s\nNOERROR$")
        self.press("Explain")
        self.wait(lambda: self.none(".answer") and not self.asked(), "nobody to be asked")
        self.fill("Name", "servfail.contoso.corp")
        self.press("Ask now")
        self.find(".answer", "SERVFAIL after")
        self.assertIn("Extended error 22: ruleset office, rule contoso: no usable answer", self.text_of(".answer .warning"))
        self.assertRegex("\n".join(self.asked()), "SERVFAIL")
        self.fill("Name", "<b>x</b>.contoso.corp")
        self.press("Ask now")
        self.find(".answer", "<b>x</b>.contoso.corp. 60 IN A 198.51.100.5")


class Rules(Browser):
    def add(self, name, domain, targets):
        self.press("Add a rule")
        self.submit("Add", {"Name": name, "Domain": domain, "Targets": targets})

    def test_a_rule_is_made_changed_disabled_and_deleted(self):
        self.log_in("/ui/rules")
        self.assertRegex(self.row("contoso.corp.")[-1], r"^sluice\.conf:\d+$")
        self.add("fresh", "fresh.test", "127.0.0.5\n[2001:db8::1]:5353 tcp")
        self.row("fresh.test.", "office/fresh", "Enabled")
        made = self.good("GET", "rulesets/-/office/rules/fresh")
        self.assertEqual(("fresh.test.", [("127.0.0.5", 53, "udp"), ("2001:db8::1", 5353, "tcp")]), (
            made["domain"], [(one["address"], one["port"], one["protocol"]) for one in made["targets"]]))
        message = self.host.ask(("127.0.0.1", 5300), "www.fresh.test")
        self.assertEqual(["198.51.100.5"], message.texts())
        self.more("rule fresh", "Change")
        self.submit("Save", {"Domain": "fresher.test.", "Targets": "127.0.0.5"})
        self.row("fresher.test.")
        self.assertEqual(1, len(self.good("GET", "rulesets/-/office/rules/fresh")["targets"]))
        self.more("rule fresh", "Disable")
        self.press("Disable", "dialog")
        self.row("fresher.test.", "Disabled")
        self.more("rule fresh", "Enable")
        self.press("Enable", "dialog")
        self.row("fresher.test.", "Enabled")
        self.more("rule fresh", "Delete")
        self.assertEqual("Cancel", self.focused())  # Enter is not yet a yes
        self.press("Delete", "dialog")
        self.wait(lambda: not any("fresher.test." in row for row in self.rows()), "the rule to go")
        self.assertEqual(404, self.call("GET", "/v1/rulesets/-/office/rules/fresh").status)
        # Those of one name in two groups are told apart.
        self.good("PUT", "rulesets/dev/office", {})
        self.addCleanup(self.call, "DELETE", "/v1/rulesets/dev/office")
        self.addCleanup(self.call, "DELETE", "/v1/rulesets/-/office/rules/twice")
        for group in ("-", "dev"):
            self.good("PUT", "rulesets/%s/office/rules/twice" % group, {"domain": "twice.test.", "targets": [{"address": "127.0.0.5"}]})
        self.wait(lambda: {"office/twice", "dev/office/twice"} <= {
            cell.split("\n")[0] for row in self.rows() for cell in row}, "both rules")

    def test_what_is_not_typed_anew_stays(self):
        where = "rulesets/-/office/rules/told"
        first, second = [{"address": "127.0.0.%d" % last, "port": 53, "protocol": "udp", "description": said} for last, said in ((5, "Berlin"), (6, "Rome"))]
        self.good("PUT", where, {"domain": "told.test.", "targets": [first, second]})
        self.log_in("/ui/rules")
        self.row("told.test.")
        self.more("rule told", "Change")
        self.submit("Save", {"Description": "mine"})
        self.wait(lambda: self.good("GET", where).get("description") == "mine", "the change")
        self.assertEqual([first, second], self.good("GET", where)["targets"])
        self.wait(lambda: self.none("dialog"), "the dialog to close")
        self.good("PUT", "rulesets/-/office/rules/later", {"domain": "later.test.", "targets": [second]})
        self.row("later.test.")  # so the page has read the rule again, too
        self.more("rule told", "Change")
        self.submit("Save", {"Targets": "127.0.0.7\n[127.0.0.6]:53 UDP"})
        self.row("told.test.", "127.0.0.7")
        self.assertEqual([("127.0.0.7", None), ("127.0.0.6", "Rome")],
                         [(one["address"], one.get("description")) for one in self.good("GET", where)["targets"]])
        self.more("rule told", "Change")
        self.press("Save", "dialog")
        self.find(".notices p", "Nothing was changed.")
        for made in (where, "rulesets/-/office/rules/later"):
            self.good("DELETE", made)

    def test_a_rule_that_is_not_served_comes_first(self):
        rules = self.good("GET", "rulesets/*/*/rules?limit=5000")
        rules["rules"] += [{**rules["rules"][0], "name": name, "path": "rulesets/-/office/rules/" + name, "domain": name + ".corp.", "targets": [],
                            **unserved} for name, unserved in (("young", {}), ("zold", {"not_served": "size: there is no such key"}))]
        self.stands_in("/v1/rulesets/*/*/rules", rules)
        self.log_in("/ui/rules")
        self.assertIn("not served size: there is no such key", self.row("zold.corp."))
        self.assertEqual(["zold.corp.", "contoso.corp.", "young.corp."], [
            row[0] for row in self.rows() if row[0] in ("zold.corp.", "contoso.corp.", "young.corp.")])

    def test_what_is_refused_is_said_at_its_field_and_nothing_is_lost(self):
        self.log_in("/ui/rules")
        self.row("contoso.corp.")
        self.add("bad", "bad.test.", "not-an-address")
        self.find("dialog .fault", "give an address")
        self.assertEqual("true", self.field("Targets").get_attribute("aria-invalid"))
        self.assertEqual(["bad", "bad.test."], [self.field(label).get_attribute("value") for label in ("Name", "Domain")])
        self.submit("Add", {"Targets": "127.0.0.5", "Domain": "contoso.corp."})
        self.find("dialog .fault", "contoso.corp")
        self.assertIsNone(self.field("Targets").get_attribute("aria-invalid"))
        self.keys(Keys.ESCAPE)
        self.wait(lambda: self.none("dialog"), "the dialog to close")
        self.assertEqual(404, self.call("GET", "/v1/rulesets/-/office/rules/bad").status)

    def test_an_error_stays_until_one_does_something(self):
        where = "rulesets/-/office/rules/stale"
        self.good("PUT", where, {"domain": "stale.test.", "targets": [{"address": "127.0.0.5"}]})
        self.log_in("/ui/rules")
        self.row("stale.test.")
        self.driver.execute_script("document.querySelector('rules-page').reload = () => {}")  # it has not heard of it yet
        self.more("rule stale", "Disable")
        self.good("PATCH", where, {"description": "another's"})
        self.press("Disable", "dialog")
        self.find("dialog .problem", "changed since you read it")
        self.good("DELETE", where)
        time.sleep(1)  # what comes in by itself takes nothing away
        self.find("dialog .problem", "changed since you read it")
        self.press("Cancel", "dialog")

    def test_somebody_elses_change_is_not_written_over(self):
        where = "rulesets/-/office/rules/shared"
        self.good("PUT", where, {"domain": "shared.test.", "targets": [{"address": "127.0.0.5"}]})
        self.log_in("/ui/rules")
        self.row("shared.test.")
        self.more("rule shared", "Change")
        self.good("PATCH", where, {"description": "another's"})
        self.submit("Save", {"Description": "mine"})
        self.find("dialog .problem", "changed since you read it")
        self.assertEqual("another's", self.good("GET", where)["description"])
        self.good("DELETE", where)

    def test_which_rule_takes_a_name(self):
        # The answer to the first question comes when the test says so, after that to the second.
        self.stands_for("""async (where, how) => {
            const answer = await real(where, how), text = answer.text.bind(answer);
            if (String(where).includes("first.contoso.corp")) answer.text = async () => {
              const got = await text();
              await new Promise(resolve => { window.release = resolve; });
              setTimeout(() => { window.drawn = true; });
              return got;
            };
            return answer;
        }""")
        self.log_in("/ui/rules")
        self.fill("Which rule takes this name?", "first.contoso.corp")
        self.press("Find")
        self.wait(lambda: self.driver.execute_script("return !!window.release"), "the first question")
        self.fill("Which rule takes this name?", "a.b.contoso.corp")
        self.press("Find")
        self.find("[role=status]", "The rule office/contoso takes a.b.contoso.corp.")
        self.driver.execute_script("release()")
        self.wait(lambda: self.driver.execute_script("return window.drawn"), "the answer to the first")
        self.find("[role=status]", "The rule office/contoso takes a.b.contoso.corp.")
        self.assertEqual(1, len(self.rows()))
        self.fill("Which rule takes this name?", "web.corp.internal")
        self.press("Find")
        self.find("[role=status]", "No rule: it is decided by private zone corp.internal")
        self.press("Why?")
        self.find("h1", "Ask")
        self.find(".box.wins")

    def test_a_network_that_is_gone_is_not_taken_for_another(self):
        self.log_in("/ui/rules?name=a.contoso.corp&network=gone")
        self.find(".problem", 'there is no virtual network "gone"; there is: hub')
        self.assertEqual("gone, which is gone", Select(self.field("Asked in network")).first_selected_option.text)
        self.assertNotIn("takes a.contoso.corp", self.text())
        self.choose("Asked in network", "hub")
        self.press("Find")
        self.find("[role=status]", "The rule office/contoso takes a.contoso.corp.")
        self.assertTrue(self.none(".problem"))

    def test_a_link_shows_one_rule_and_says_when_it_is_gone(self):
        where = "rulesets/-/office/rules/"
        for name in ("one", "one-more"):
            self.good("PUT", where + name, {"domain": name + ".test.", "targets": [{"address": "127.0.0.5"}]})
            self.addCleanup(self.call, "DELETE", "/v1/" + where + name)
        self.log_in("/ui/rules?rule=office/one")
        self.find("[role=status]", "Rule office/one alone.")
        self.assertEqual(["one.test."], [row[0] for row in self.rows()])
        self.good("DELETE", where + "one")
        self.find(".empty", "There is no such rule any more.")
        self.press("All rules")
        self.row("one-more.test.")

    def test_how_each_fares_and_those_that_nobody_needs(self):
        targets, where = [{"address": "127.0.0.5"}], "rulesets/-/office/rules/"
        self.good("POST", "changes", {"edits": [
            {"path": where + "idle", "values": {"domain": "idle.test.", "targets": targets}},
            {"path": where + "broken", "values": {"domain": "broken.test.", "targets": [{"address": "127.0.0.66"}]}},
            {"path": "rulesets/-/office/target_groups/gone", "values": {"targets": [{"address": "127.0.0.67"}]}},
            {"path": where + "grouped", "values": {"domain": "grouped.test.", "target_group": "gone"}},
            {"path": where + "inside", "values": {"domain": "a.corp.internal.", "targets": targets}},
            {"path": where + "off", "values": {"domain": "off.test.", "targets": targets, "state": "Disabled"}},
            {"path": "rulesets/-/loose", "values": {"outbound_endpoints": ["hub-resolver/default"]}},
            {"path": "rulesets/-/loose/rules/far", "values": {"domain": "far.test.", "targets": targets}}]})
        self.addCleanup(self.good, "POST", "changes", {"edits": [{"path": path, "values": None} for path in (
            where + "idle", where + "broken", where + "grouped", "rulesets/-/office/target_groups/gone", where + "inside", where + "off",
            "rulesets/-/loose")]})
        for name in ("a.contoso.corp", "b.contoso.corp", "a.broken.test", "a.grouped.test"):
            self.host.ask(("127.0.0.1", 5300), name)
        self.log_in("/ui/rules")
        self.assertEqual("no target answers", self.row("broken.test.", "no target answers")[3])
        self.assertRegex(self.row("grouped.test.", "cannot be answered")[3], r"^cannot be answered 127\.0\.0\.67:53 ")
        self.more("rule grouped", "Change")
        self.submit("Save", {"Description": "dark"})
        self.wait(lambda: self.good("GET", where + "grouped").get("description") == "dark", "the change")
        self.assertEqual(["1", "1"], self.row("broken.test.")[4:6])
        self.assertEqual(["Asked", "Failed"], self.texts("th")[4:6])
        self.find(".hint", "Asked: queries of which the rule has decided a name since the server started, ")
        self.assertEqual(["0", "", "never"], self.row("idle.test.")[4:7])
        self.assertRegex(self.row("broken.test.")[6], "^%s$" % SHOWN_TIME)
        self.assertEqual("shadowed private zone corp.internal decides in hub", self.row("a.corp.internal.")[3])
        self.assertEqual("never asked its ruleset is linked to no network", self.row("loose/far")[3])
        asked = int(self.row("contoso.corp.")[4])
        self.assertGreaterEqual(asked, 2)
        self.host.ask(("127.0.0.1", 5300), "c.contoso.corp")
        self.wait(lambda: int(self.row("contoso.corp.")[4]) == asked + 1, "the count to go on by itself")
        for choice, expected in (("Not used since the start", {"idle.test.", "a.corp.internal.", "far.test."}), ("With failures", {"broken.test.", "grouped.test."}),
                                 ("Deciding nothing", {"a.corp.internal.", "far.test."}), ("Disabled", {"off.test."})):
            self.choose("Show", choice)
            self.wait(lambda: {row[0] for row in self.rows()} == expected, "rules that are " + choice)
        self.assertTrue(self.driver.current_url.endswith("/ui/rules?show=disabled"))
        self.driver.refresh()
        self.wait(lambda: [row[0] for row in self.rows()] == ["off.test."], "the same")
        self.press("report", ".hint")
        self.find("h1", "Reports")
        self.wait(lambda: self.focused().startswith("Rules not used"), "its section")

    def test_a_plan_says_which_names_would_be_decided_otherwise(self):
        where = "rulesets/-/office/rules/planned"
        self.good("PUT", where, {"domain": "planned.corp.", "targets": [{"address": "127.0.0.5"}]})
        self.addCleanup(self.call, "DELETE", "/v1/" + where)
        self.host.ask(("127.0.0.1", 5300), "www.planned.corp")
        self.log_in("/ui/rules")
        self.row("planned.corp.")
        self.more("rule planned", "Disable")
        shown = self.text_of("plan-view", "would be decided otherwise:")
        self.assertRegex(shown, r"(?s)www\.planned\.corp\. A in hub, asked 1 time.*Rule office/planned, asks 127\.0\.0\.5:53.*Default resolver")
        self.press("Cancel", "dialog")
        self.more("rule planned", "Change")
        self.submit("What would change?", {"Targets": "127.0.0.7"})
        self.find("plan-view ins", "asks 127.0.0.7:53")
        self.fill("Targets", "nonsense")
        self.assertTrue(self.none("plan-view ins"))  # it was for the earlier values
        self.fill("Targets", "127.0.0.7")
        self.driver.execute_script("""const real = window.fetch;
            window.fetch = async (where, how) => {
              const answer = await real(where, how), text = await answer.text();
              if (where.endsWith("/plan") && !window.give) await new Promise(done => window.give = done);
              return new Response(text, {status: answer.status, headers: answer.headers});
            };""")
        self.press("What would change?", "dialog")
        self.wait(lambda: self.driver.execute_script("return !!window.give"), "the server's answer")
        self.fill("Targets", "nonsense")
        self.driver.execute_async_script("window.give(); fetch('/readyz').then(arguments[0], arguments[0])")
        self.assertTrue(self.none("plan-view p"))  # a plan for earlier values that comes late is not shown
        self.press("What would change?", "dialog")
        self.find("dialog .fault", "address")
        self.assertTrue(self.none("plan-view .problem"))
        self.submit("What would change?", {"Targets": "127.0.0.5"})
        self.find("plan-view", "None of ")
        self.press("Cancel", "dialog")
        self.more("rule planned", "Delete")
        self.find("plan-view del", "Rule office/planned")
        self.press("Cancel", "dialog")
        self.press("Add a rule")
        self.submit("What would change?", {"Name": "longer", "Domain": "www.planned.corp", "Targets": "127.0.0.7"})
        self.find("plan-view ins", "Rule office/longer, asks 127.0.0.7:53")
        self.assertEqual(404, self.call("GET", "/v1/rulesets/-/office/rules/longer").status)
        self.press("Cancel", "dialog")

    def test_a_reader_gets_no_buttons(self):
        self.log_in("/ui/rules", "eye", EYE)
        self.row("contoso.corp.")
        self.assertFalse({"Add a rule", "More"} & set(self.texts("button")))

    def quickest(self, page, content):
        """Seconds until the page has that; of three, as other processes have the processor, too."""
        took = []
        for _ in range(3):
            begin = time.monotonic()
            self.go("/ui/" + page)
            self.find(content)
            took.append(time.monotonic() - begin)
        return min(took)

    def test_a_thousand_rules_are_quick(self):
        """Beside a few: no page takes twenty times as long."""
        pages = (("rules", "tbody tr"), ("now", ".judgement"), ("networks", ".node"), ("targets", "tbody tr"),
                 ("ask?name=d7.many.test", ".box.wins"), ("target?target=127.0.0.5:53", ".facts .state"))
        self.log_in("/ui/rules")
        few = [self.quickest(*page) for page in pages]
        targets = [{"address": "127.0.0.5"}]
        edits = [{"path": "rulesets/-/many", "values": {"outbound_endpoints": ["hub-resolver/default"]}},
                 {"path": "rulesets/-/many/links/hub", "values": {"virtual_network": "hub"}}] + [
            {"path": "rulesets/-/many/rules/r%d" % i, "values": {
                "domain": "d%d.many.test." % i, "targets": targets + [{"address": "192.0.2.%d" % (i % 100 + 1)}]}} for i in range(1000)]
        self.good("POST", "changes", {"edits": edits})
        self.addCleanup(self.call, "DELETE", "/v1/rulesets/-/many")
        many = [self.quickest(*page) for page in pages]
        self.go("/ui/rules")
        self.row("d0.many.test.")
        took = self.drawn("""const page = document.querySelector('rules-page');
            return () => { page.find(''); page.find('d999.'); }""")
        self.assertEqual(["d999.many.test."], [row[0] for row in self.rows()])
        print("# 1000 rules: %s times as long, searched in the time of drawing %.1f tables" % (
            ", ".join("%s %.1f" % (page, after / before) for (page, _), before, after in zip(pages, few, many)), took), flush=True)
        for page, before, after in zip(pages, few, many):
            if after >= 20 * before:  # the machine may have been busier
                after = self.quickest(*page)
            self.assertLess(after, 20 * before, page)
        self.assertLess(took, 10)
        self.go("/ui/target?target=127.0.0.5:53")
        self.press("and 993 more")
        self.wait(lambda: len(self.rows()) == 50, "the rules of this target")
        self.press("Log out")


PTR = "PTR domain name"  # the one word for it


class Reverse(Browser):
    """Network > DNS Reverse, as in the document that the project began with."""

    def address(self, name, address, ptr=None):
        self.good("PUT", "addresses/-/" + name, {"region": "westeurope", "address": address})
        if ptr:
            self.good("PUT", "ptrs/" + address, {"reverse_fqdn": ptr})

    def is_served(self, address, *names):
        rcode = "NOERROR" if names else "NXDOMAIN"
        message = self.host.ask(("127.0.0.1", 5300), harness.reverse_name(address), "PTR")
        self.assertEqual((rcode, list(names)), (message.rcode, message.texts()))

    def test_errors_come_first_and_what_is_shown_the_server_chooses(self):
        row = {"id": "1", "address": "198.51.100.61", "name": "good", "resource_group": None, "reverse_fqdn": "good.example.com.", "status": "ACTIVE",
               "reason": None, "ttl": None, "description": None, "origin": None, "action": "NONE", "etag": "\"1\""}
        bad = {**row, "id": "2", "address": "198.51.100.62", "status": "ERROR", "reason": "it is not served"}
        self.stands_in("/v1/ptrs", {"ptrs": [row, bad], "next": None})
        self.log_in("/ui/reverse")
        self.row("198.51.100.61")
        self.assertEqual(["198.51.100.62", "198.51.100.61"], [cells[0] for cells in self.rows()])
        self.doCleanups()
        self.address("named", "198.51.100.63", "named.example.com.")
        self.address("bare", "198.51.100.64")
        self.go("/ui/reverse")
        self.row("198.51.100.63", "named.example.com.")
        self.choose("Show", "Without a name")
        self.wait(lambda: "198.51.100.63" not in [cells[0] for cells in self.rows()], "those with a name to go")
        self.row("198.51.100.64", "Inactive")
        self.assertTrue(self.driver.current_url.endswith("/ui/reverse?show=INACTIVE"))
        self.choose("Show", "With an error")
        self.find(".empty", "No address or name has that.")

    def test_where_the_server_has_more_rows_its_order_stays(self):
        row = {"id": "1", "address": "198.51.100.61", "name": "good", "resource_group": None, "reverse_fqdn": "good.example.com.", "status": "ACTIVE",
               "reason": None, "ttl": None, "description": None, "origin": None, "action": "NONE", "etag": "\"1\""}
        rows = [{**row, "id": str(i), "address": "198.51.100.%d" % i, "status": "ERROR" if i == 199 else "ACTIVE"} for i in range(200)]
        self.stands_in("/v1/ptrs", {"ptrs": rows, "next": "/v1/ptrs?marker=198.51.100.199"})
        self.log_in("/ui/reverse")
        self.row("198.51.100.0")
        self.assertEqual("198.51.100.0", self.rows()[0][0])

    def test_a_ptr_is_set_and_unset(self):
        self.address("smtp", "198.51.100.10")
        self.log_in("/ui/reverse")
        self.row("198.51.100.10")
        heads = self.texts("th")
        self.assertEqual(["Address", PTR, "Status"], heads[:3])
        self.assertEqual(["198.51.100.10", "", "Inactive", "More"], self.row("198.51.100.10")[:4])
        self.press("More: 198.51.100.10")
        self.assertTrue(self.first("[role=menuitem]", "text === 'Unset' && one.disabled"))
        self.press("Set")
        self.assertEqual("Set PTR domain name", self.text_of("dialog h2"))
        self.assertEqual(("3600", "0"), tuple(self.field("TTL (seconds)").get_attribute(name) for name in ("placeholder", "min")))
        self.fill(PTR, "smtp.example.com.")
        self.fill("Description", "Mail server reverse DNS")
        self.fill("TTL (seconds)", "600")
        # Every status that the row has from now on. A load that began before "Confirm" would show an older one once more.
        self.driver.execute_async_script("""const page = document.querySelector('reverse-page');
            page.load = async () => {};
            page.turn.then(() => arguments[0]())""")
        self.driver.execute_script("""window.seen = ["Inactive"];
            new MutationObserver(() => { const now = document.querySelector('tbody .state')?.textContent;
              if (now !== seen.at(-1)) seen.push(now); }).observe(document.querySelector('data-table'), {childList: true, subtree: true})""")
        self.press("Confirm", "dialog")
        self.row("198.51.100.10", "smtp.example.com.", "Active")
        self.assertEqual(["Inactive", "Pending", "Active"], self.driver.execute_script("return seen"))
        self.is_served("198.51.100.10", "smtp.example.com.")
        self.more("198.51.100.10", "Unset")
        self.assertIn("resolves to smtp.example.com. now", self.text_of("dialog"))
        self.press("Cancel", "dialog")
        self.is_served("198.51.100.10", "smtp.example.com.")
        self.more("198.51.100.10", "Unset")
        self.press("Unset", "dialog")
        self.wait(lambda: self.row("198.51.100.10")[1:3] == ["", "Inactive"], "the PTR to go")
        self.is_served("198.51.100.10")

    def test_the_page_of_an_address_has_all_of_it(self):
        self.address("detail", "198.51.100.11")
        self.good("PUT", "ptrs/198.51.100.11", {"reverse_fqdn": "detail.example.com.", "ttl": 0, "description": "<i>d</i>"})
        self.log_in("/ui/reverse")
        self.row("198.51.100.11")
        self.press("198.51.100.11")
        self.find("h1", "198.51.100.11")
        shown = dict(zip(*[self.texts(".facts > " + tag) for tag in ("dt", "dd")]))
        identity = self.good("GET", "ptrs/198.51.100.11")["id"]
        self.assertEqual({"Address": "198.51.100.11", PTR: "detail.example.com.", "Description": "<i>d</i>", "ID": identity,
                          "TTL (seconds)": "0", "Action": "None"}, {key: shown[key] for key in (
                              "Address", PTR, "Description", "ID", "TTL (seconds)", "Action")})
        # The upstream says 198.51.100.3 of every name: it does not lead back, and that is said.
        self.find("dd .state.warn", "198.51.100.11")
        self.driver.refresh()
        self.find("h1", "198.51.100.11")
        self.more("198.51.100.11", "Set")
        self.submit("Confirm", {PTR: "another.example.com"})
        self.wait(lambda: re.search(r"(?s)another\.example\.com\..*Active", self.text_of(".facts")), "it to be served")
        self.is_served("198.51.100.11", "another.example.com.")

    def test_only_the_latest_check_says_whether_a_name_leads_back(self):
        self.address("checked", "198.51.100.17", "first.example.com.")
        # The first check is answered when the test says so, as the second, which fails; `drawn` counts those answers once
        # the page has had them.
        self.stands_for("""async (where, how) => {
            if (new URL(where, location.href).pathname !== "/v1/check") return real(where, how);
            const answer = (body, status) => new Response(JSON.stringify(body), {status, headers: {"Content-Type": "application/json"}});
            window.checks = (window.checks || 0) + 1;
            if (checks > 2) return answer({result: "confirmed", text: "the third"}, 200);
            const late = checks > 1 ? answer({error: {message: "the second"}}, 500) : answer({result: "other", text: "the first"}, 200);
            const text = late.text.bind(late);
            late.text = async () => {
              const got = await text();
              setTimeout(() => { window.drawn = (window.drawn || 0) + 1; });
              return got;
            };
            window.released ||= new Promise(resolve => { window.release = resolve; });
            await released;
            return late;
        }""")
        self.log_in("/ui/address?id=198.51.100.17")
        self.find("dd", "looking ...")
        self.find(".live.on")
        self.good("PUT", "ptrs/198.51.100.17", {"reverse_fqdn": "second.example.com."})
        self.wait(lambda: self.driver.execute_script("return window.checks") == 2, "the second check")
        self.good("PUT", "ptrs/198.51.100.17", {"reverse_fqdn": "third.example.com."})
        self.find("dd .state.good", "the third")
        self.driver.execute_script("release()")
        self.wait(lambda: self.driver.execute_script("return window.drawn") == 2, "the answers to the others")
        self.find("dd .state.good", "the third")
        self.assertNotIn("the first", self.text_of(".facts"))
        self.assertIsNone(self.first(".problem", "true"))

    def test_a_change_of_somebody_else_leaves_an_open_menu_open(self):
        def asked():
            return self.driver.execute_script(
                "return performance.getEntriesByType('resource').filter(({name}) => name.includes('/v1/ptrs/')).length")
        self.address("open", "198.51.100.16", "open.example.com.")
        self.log_in("/ui/reverse")
        self.press("198.51.100.16")
        self.find("h1", "198.51.100.16")
        self.press("More: 198.51.100.16")
        self.find("[role=menuitem]", "Set")
        before = asked()
        self.good("PUT", "ptrs/198.51.100.16", {"reverse_fqdn": "other.example.com."})
        self.wait(lambda: asked() > before, "the change to be read")
        self.assertTrue(self.first("[role=menuitem]", "text === 'Set'"))
        self.press("More: 198.51.100.16")  # which closes it
        self.wait(lambda: "other.example.com." in self.text_of(".facts"), "the change to be shown")

    def test_a_page_that_is_left_asks_no_more(self):
        self.address("left", "198.51.100.14", "left.example.com.")
        ptr = self.good("GET", "ptrs/198.51.100.14")
        path = "/v1/ptrs/" + urllib.parse.quote(ptr["id"], safe="")
        self.stands_in(path, {**ptr, "status": "PENDING"})
        self.watches()
        self.log_in("/ui/reverse?search=198.51.100.14")
        self.row("left.example.com.", "Active")
        self.more("198.51.100.14", "Set")
        self.press("Confirm", "dialog")
        self.row("left.example.com.", "Pending")
        self.wait(lambda: self.asked_for(path) > 4, "it to be asked for, again and again")
        self.press("Changes", "nav")
        self.find("h1", "Changes")
        seen = self.asked_for(path)
        time.sleep(3)
        self.assertEqual(seen, self.asked_for(path))
        self.assertTrue(self.none(".problem"))

    def test_what_is_refused_is_said_in_the_dialog(self):
        self.address("refused", "198.51.100.12", "before.example.com.")
        self.log_in("/ui/reverse?search=198.51.100.12")
        self.row("before.example.com.")
        self.more("198.51.100.12", "Set")
        self.submit("Confirm", {PTR: "a..b"})
        self.find("dialog .fault", "domain name")
        self.assertEqual("true", self.field(PTR).get_attribute("aria-invalid"))
        self.assertEqual(("a..b", "true"), tuple(self.field(PTR).get_attribute(name) for name in ("value", "aria-invalid")))
        self.press("Cancel", "dialog")
        self.is_served("198.51.100.12", "before.example.com.")

    def test_a_search_is_the_servers_and_in_the_url(self):
        for number in range(20, 24):
            self.address("many%d" % number, "198.51.100.%d" % number, "host%d.search.example." % number)
        self.log_in("/ui/reverse")
        self.row("198.51.100.20")
        self.fill("Search", "host22.")
        self.wait(lambda: [row[0] for row in self.rows()] == ["198.51.100.22"], "one row")
        self.assertTrue(self.driver.current_url.endswith("/ui/reverse?search=host22."))
        self.driver.refresh()
        self.wait(lambda: [row[0] for row in self.rows()] == ["198.51.100.22"], "one row")
        self.fill("Search", "nobody.has.this")
        self.find(".empty", "No address or name has that.")

    def test_csv_goes_in_with_a_dry_run_and_comes_out(self):
        self.address("csv1", "198.51.100.30", "one.csv.example.")
        self.address("csv2", "198.51.100.31")
        self.log_in("/ui/reverse?search=198.51.100.3")
        self.row("198.51.100.31")
        bad = self.world.write("bad.csv", "address,reverse_fqdn\n198.51.100.31,two.csv.example.\n192.0.2.1,x.example.\n")
        good = self.world.write("good.csv", "address,reverse_fqdn,description,ttl\n198.51.100.30,,,\n"
                                '198.51.100.31,two.csv.example.,"\'=a ""quoted"", text",60\n')
        self.press("Import CSV")
        self.field("File").send_keys(bad)
        self.press("Try it", "dialog")
        self.find("dialog .problem", "line 3: ")
        self.field("File").send_keys(good)
        self.press("Try it", "dialog")
        self.find("dialog", "1 PTR set, 1 removed, 0 unchanged")
        self.is_served("198.51.100.30", "one.csv.example.")  # nothing has moved yet
        # What somebody else changes meanwhile is not overwritten by what was tried before.
        self.good("PUT", "ptrs/198.51.100.31", {"reverse_fqdn": "other.csv.example."})
        self.press("Import", "dialog")
        self.find("dialog .problem")
        self.press("Cancel", "dialog")
        self.is_served("198.51.100.30", "one.csv.example.")
        self.is_served("198.51.100.31", "other.csv.example.")
        self.press("Import CSV")
        self.field("File").send_keys(good)
        self.press("Try it", "dialog")
        self.find("dialog", "1 PTR set, 1 removed, 0 unchanged")
        self.press("Import", "dialog")
        self.row("198.51.100.31", "two.csv.example.", "Active")
        self.is_served("198.51.100.30")
        self.is_served("198.51.100.31", "two.csv.example.")
        self.assertEqual('=a "quoted", text', self.good("GET", "ptrs/198.51.100.31")["description"])
        self.press("Export CSV")
        self.assertEqual('address,reverse_fqdn,description,ttl\r\n198.51.100.31,two.csv.example.,"\'=a ""quoted"", text",60\r\n',
                         self.downloaded("ptrs.csv"))

    def test_names_that_do_not_lead_back_are_found(self):
        self.address("back1", "198.51.100.41", "back.example.com.")
        self.address("back2", "198.51.100.3", "there.example.com.")  # what the upstream says of every name
        self.address("back3", "198.51.100.42")
        self.addCleanup(self.good, "POST", "changes", {"edits": [{"path": "addresses/-/back%d" % i, "values": None} for i in (1, 2, 3)]})
        self.log_in("/ui/reverse?search=198.51.100.")
        self.row("back.example.com.")
        self.assertNotIn("Leads back", self.text_of("thead"))
        self.press("Check names")
        self.wait(lambda: re.search(r"Leading back: 1 of \d+\.", self.text()), "all of them")
        self.find(".state.good", "198.51.100.3 leads to there.example.com. and back")
        self.find("thead", "Leads back")
        self.wait(lambda: self.row("back.example.com.")[3] and self.row("there.example.com.")[3], "what came of both")
        self.assertTrue(self.find("tr:has(a[href*='/ui/address']) .state.warn", "198.51.100.41"))
        self.assertEqual("", self.row("198.51.100.42")[3])

    def test_a_reader_looks_on(self):
        self.address("looked", "198.51.100.13", "looked.example.com.")
        self.log_in("/ui/reverse", "eye", EYE)
        self.row("looked.example.com.")
        self.assertEqual(["Log out", "Check names", "Export CSV"], self.texts("button"))


class Zones(Browser):
    def zone(self, name, **sets):
        where = "private_zones/-/" + name
        edits = [{"path": where, "values": {}}, {"path": where + "/links/hub", "values": {"virtual_network": "hub"}}]
        edits += [{"path": where + "/record_sets/" + owner + ":TXT", "values": {"ttl": 60, "records": [data]}}
                  for owner, data in sets.items()]
        self.good("POST", "changes", {"edits": edits})
        return "/ui/zone?path=" + where

    def resolved(self, name, rtype="A"):
        return self.host.ask(("127.0.0.1", 5300), name, rtype).texts()

    def test_a_zone_is_made_filled_and_deleted(self):
        self.log_in("/ui/zones")
        self.assertEqual(["corp.internal", "hub", "2", "", "here", "read-only"], self.row("corp.internal"))
        self.press("Add a zone")
        self.submit("Add", {"Name": "made.test"})
        self.row("made.test", "hub")
        self.press("made.test")
        self.find(".empty", "no records of its own yet")
        self.press("Add a record set")
        self.submit("Add", {"Name": "www", "TTL": "120", "Data": "10.0.0.1\n10.0.0.2"})
        self.row("www", "A", "120", "10.0.0.1 10.0.0.2")
        self.assertEqual(["10.0.0.1", "10.0.0.2"], sorted(self.resolved("www.made.test")))
        self.more("www:A", "Change")
        self.submit("Save", {"Data": "not an address"})
        self.find("dialog .fault")
        self.submit("Save", {"Data": "10.0.0.3"})
        self.row("www", "10.0.0.3")
        self.assertEqual(["10.0.0.3"], self.resolved("www.made.test"))
        self.more("www:A", "Delete")
        self.press("Delete", "dialog")
        self.find(".empty")
        self.press("Zones", "main")
        self.row("made.test")
        self.more("zone made.test", "Delete")
        self.press("Delete", "dialog")
        self.wait(lambda: not any("made.test" in row[0] for row in self.rows()), "the zone to go")

    def test_a_search_for_a_zone_is_in_the_url(self):
        self.log_in("/ui/zones")
        self.row("corp.internal")
        self.fill("Search", "filed")
        self.wait(lambda: [row[0] for row in self.rows()] == ["filed.internal"], "one zone")
        self.assertTrue(self.driver.current_url.endswith("/ui/zones?search=filed"))
        self.driver.refresh()
        self.wait(lambda: [row[0] for row in self.rows()] == ["filed.internal"], "the same")

    def test_names_and_data_are_text_and_found(self):
        where = self.zone("texts.test", a="\"<img src=x onerror=document.title='owned'>\"", b="\"plain\"", **{"0%2F26": "\"slash\""})
        self.log_in(where)
        self.row("a", "<img src=x onerror=document.title='owned'>")
        self.row("0/26", "slash")
        self.fill("Search", "0/26")
        self.wait(lambda: [row[0] for row in self.rows()] == ["0/26"], "one row")
        self.more("0/26:TXT", "Delete")
        self.press("Delete", "dialog")
        self.find(".empty", "No record set has that")
        self.has_title("Zones")

    def test_many_come_page_by_page(self):
        where = self.zone("many.test", **{"n%03d" % number: "\"x\"" for number in range(250)})
        self.log_in(where)
        self.row("n000")
        self.assertEqual(50, len(self.rows()))
        self.assertEqual("1\u201350 of more than 200 rows", self.text_of(".foot [role=status]"))
        for last in ("n099", "n149", "n199"):
            self.press("Next")
            self.row(last)
        self.press("Next")
        self.wait(lambda: [row[0] for row in self.rows()] == ["n%03d" % number for number in range(200, 250)], "the last ones, of the server")
        self.assertEqual("201\u2013250 of 250 rows", self.text_of(".foot [role=status]"))
        self.assertTrue(self.first(".foot button", "text === 'Next' && one.disabled"))
        self.good("DELETE", "private_zones/-/many.test/record_sets/n249:TXT")
        self.wait(lambda: len(self.rows()) == 49, "one to go, and the others to stay")
        self.press("Previous")
        self.row("n150")

    def test_more_that_is_asked_for_while_the_page_reads_again_stays(self):
        where = self.zone("slow.test", **{"n%03d" % number: "\"x\"" for number in range(250)})
        self.log_in(where)
        self.row("n000")
        for last in ("n099", "n149", "n199"):
            self.press("Next")
            self.row(last)
        self.find(".live.on")
        # What is read from now on is answered when the test says so.
        self.driver.execute_script("""
            const real = window.fetch, sets = where => new URL(where, location.href).pathname.endsWith("/record_sets");
            window.asked = 0;
            const released = new Promise(resolve => { window.release = resolve; });
            window.fetch = async (where, how) => {
              if (!sets(where)) return real(where, how);
              asked++;
              const answer = await real(where, how);
              await released;
              return answer;
            };""")
        self.good("DELETE", "private_zones/-/slow.test/record_sets/n000:TXT")
        self.wait(lambda: self.driver.execute_script("return asked") == 1, "the page to read again")
        self.press("Next")
        self.assertEqual(1, self.driver.execute_script("return asked"))
        self.driver.execute_script("release()")
        self.wait(lambda: [row[0] for row in self.rows()] == ["n%03d" % number for number in range(201, 250)], "the last of those that are left")

    def test_a_master_file_comes_in_when_one_has_seen_what_it_changes(self):
        where = self.zone("master.test", stays="\"1\"", goes="\"2\"")
        good = self.world.write("good.zone", "$TTL 60\n@ IN MX 10 mail\nstays TXT 1\nwww 300 A 10.0.0.7\n    300 A 10.0.0.8\n"
                                "_dmarc TXT v=DMARC1; p=none\n")
        bad = self.world.write("bad.zone", "www A 10.0.0.7\nwww A nonsense\n$INCLUDE /etc/passwd\n")
        latin = self.world.write("latin.zone", "")
        with open(latin, "wb") as file:
            file.write(b'www TXT "caf\xe9"\n')
        self.log_in(where)
        self.row("goes")
        self.press("Import master file")
        self.field("File").send_keys(bad)
        self.press("Try it", "dialog")
        shown = self.text_of("dialog .problem")
        self.assertIn("nonsense", shown)
        self.assertIn("$INCLUDE is for a zone that is a file", shown)
        self.field("File").send_keys(latin)
        self.press("Try it", "dialog")
        self.find("dialog .problem", "is not UTF-8")
        self.field("File").send_keys(good)
        self.field("Delete what the file does not have").click()
        self.press("Try it", "dialog")
        shown = self.text_of("dialog", "3 to create, 0 to change, 1 to delete")
        for line in ("create @:MX", "create www:A", "delete goes:TXT", "line 6: what stands behind the ; is a comment"):
            self.assertIn(line, shown)
        self.assertEqual([], self.resolved("www.master.test"))
        self.press("Import", "dialog")
        self.row("www", "10.0.0.7 10.0.0.8")
        self.assertEqual(["10.0.0.7", "10.0.0.8"], sorted(self.resolved("www.master.test")))
        self.press("Export master file")
        self.assertRegex(self.downloaded("master.test.zone"), r"www 300 IN A 10\.0\.0\.7")

    def test_an_import_writes_over_nothing_that_was_changed_meanwhile(self):
        where = self.zone("raced.test", www="\"1\"", goes="\"2\"")
        sets = "private_zones/-/raced.test/record_sets/"
        file = self.world.write("raced.zone", "$TTL 60\nwww TXT file\nfresh TXT file\n")
        self.log_in(where)
        self.row("goes")
        for name in ("www", "fresh", "goes"):
            self.press("Import master file")
            self.field("File").send_keys(file)
            self.field("Delete what the file does not have").click()
            self.press("Try it", "dialog")
            self.find("dialog h2", "Import the master file?")
            self.good("PUT", sets + name + ":TXT", {"ttl": 60, "records": ['"another\'s"']})
            self.press("Import", "dialog")
            self.find("dialog .problem")
            self.assertIn("there is one already" if name == "fresh" else "changed since you read it", self.text_of("dialog .problem"))
            self.press("Cancel", "dialog")
            self.assertEqual(['"another\'s"'], self.good("GET", sets + name + ":TXT")["records"])
        self.press("Import master file")
        self.field("File").send_keys(file)
        self.field("Delete what the file does not have").click()
        self.press("Try it", "dialog")
        self.press("Import", "dialog")
        self.row("fresh", "file")
        self.assertEqual(["file"], self.resolved("www.raced.test", "TXT"))
        self.assertEqual(404, self.call("GET", "/v1/" + sets + "goes:TXT").status)

    def test_a_zone_of_a_file_is_shown_and_not_changed(self):
        self.log_in("/ui/zones")
        self.row("filed.internal", "filed.zone")
        self.press("filed.internal")
        self.assertIn('note 300 IN TXT "<b>filed</b>"', self.text_of("pre"))
        self.assertFalse({"Add a record set", "Import master file"} & set(self.texts("button")))


class Registered(Browser):
    config = CONFIG.replace('links = ( { name = "hub"; virtual_network = "hub"; } );\n  record_sets',
                            'links = ( { name = "hub"; virtual_network = "hub"; registration = true; } );\n  record_sets') + """
keys = ( { name = "dhcp"; secret = "c2x1aWNlIHJlZ2lzdGVycyBtYWNoaW5lcyBoZXJlIQ=="; } );
registration = ( { zone = "corp.internal"; prefixes = [ "10.10.0.0/16" ]; keys = ( { key = "dhcp"; } ); } );
"""
    TITLES = ["Name", "Type", "Data", "State", "Registered by", "Since", "Last renewal", "Zone"]

    def update(self, *lines, zone="corp.internal"):
        """As a DHCP server does."""
        with self.host.inside() as host:
            status, text = host.run("nsupdate", "-t", "20", "-y", "hmac-sha256:dhcp:c2x1aWNlIHJlZ2lzdGVycyBtYWNoaW5lcyBoZXJlIQ==",
                                    input="\n".join(["server 127.0.0.1 5300", "zone " + zone, *lines, "send", ""]))
        self.assertEqual((0, ""), (status, text))

    def machine(self, name, address):
        self.good("PUT", "virtual_networks/-/hub/subnets/vms", {"prefix": "10.10.7.0/24"})
        self.good("PUT", "network_interfaces/-/" + name, {"ip_configurations": [{"name": "ip", "subnet": "hub/vms", "address": address}]})

    def names(self):
        return [row[0].split(".")[0] for row in self.rows()]

    def test_who_has_registered_what_and_what_is_hidden(self):
        self.machine("box", "10.10.7.99")
        self.update("add vm1.corp.internal 60 A 10.10.7.4", "add web.corp.internal 60 A 10.10.7.5", "add box.corp.internal 60 A 10.10.7.6")
        self.log_in("/ui/zones", "eye", EYE)
        self.press("Registered", "main")
        self.find("h1", "Registered records")
        self.assertEqual("Registered", self.text_of(".tabs [aria-current=page]"))
        self.assertEqual("Zones", self.text_of("nav [aria-current=page]"))
        self.row("vm1.corp.internal.")
        self.assertEqual(self.TITLES, self.texts("th"))
        rows = [[re.sub(".*%s$" % SHOWN_TIME, "a time", cell) for cell in row[:5] + row[6:]] for row in self.rows()]
        last = ["a time", "corp.internal"]
        self.assertEqual([
            ["box.corp.internal.", "A", "10.10.7.6", "hidden a machine, a network interface here, has this name or address", "key dhcp.", *last],
            ["web.corp.internal.", "A", "10.10.7.5", "hidden the zone has its own records of this name and type", "key dhcp.", *last],
            ["box.corp.internal.", "A", "10.10.7.99", "answered", "network interface box", "needs none", "corp.internal"],
            ["vm1.corp.internal.", "A", "10.10.7.4", "answered", "key dhcp.", *last]], rows)
        self.assertEqual("with its interface", self.rows()[2][5])
        self.assertRegex(self.rows()[3][5], SHOWN_TIME + "$")
        self.choose("Show", "Hidden by something else")
        self.wait(lambda: self.names() == ["box", "web"], "those that are hidden")
        self.fill("Search", "7.5")
        self.wait(lambda: self.names() == ["web"], "one")
        self.assertTrue(self.driver.current_url.endswith("/ui/registered?search=7.5&show=false"))
        self.driver.refresh()
        self.wait(lambda: self.names() == ["web"], "the same")
        self.fill("Search", "nothing of that kind")
        self.find(".empty", "No registered record has that.")

    def test_renewals_are_told_where_the_server_knows_them(self):
        row = {"zone": "corp.internal", "name": "vm1.corp.internal.", "type": "A", "data": "10.10.7.4", "address": "10.10.7.4", "ttl": 10,
               "by": "key dhcp.", "since": "2020-01-30T10:00:00Z", "served": True, "hidden_by": None}
        rows = [row, {**row, "name": "vm2.corp.internal.", "renewed": "2020-01-31T10:00:00Z", "expires": "2020-02-01T10:00:00Z"},
                {**row, "name": HOSTILE, "data": HOSTILE, "by": HOSTILE, "zone": HOSTILE, "served": False, "hidden_by": HOSTILE}]
        self.stands_in("/v1/registrations", {"registrations": rows, "next": None})
        self.log_in("/ui/registered")
        self.assertEqual("none yet", self.row("vm1.corp.internal.")[6])
        self.assertRegex(self.row("vm2.corp.internal.")[6], r"^Jan 3\d, 2020, \d\d:\d\d expires \w{3} \d, 2020, \d\d:\d\d$")
        self.assertEqual([rows[1]["renewed"], rows[1]["expires"]], self.driver.execute_script(
            "return [...document.querySelectorAll('tr:nth-child(3) td:nth-child(7) time')].map(one => one.dateTime)"))
        self.assertEqual("hidden something else takes precedence", self.row("<script>document.title='owned'</script>")[3])
        self.has_title("Zones")
        self.assertTrue(self.none("main img, main script"))

    def test_what_comes_and_goes_is_seen_without_a_click(self):
        self.log_in("/ui/registered")
        self.find(".live.on")
        self.find("main .tabs")
        self.machine("new", "10.10.7.98")
        self.row("new.corp.internal.")
        self.update("add soon.corp.internal 60 A 10.10.7.20")
        self.row("soon.corp.internal.")
        self.update("del soon.corp.internal")
        self.wait(lambda: "soon" not in self.names(), "it to go")
        self.good("DELETE", "network_interfaces/-/new")
        self.wait(lambda: "new" not in self.names(), "the machine to go")

    def test_an_admin_deletes_what_a_client_has_registered(self):
        self.machine("box", "10.10.7.99")
        self.update("add dead.corp.internal 60 A 10.10.7.4", "add dead.corp.internal 60 A 10.10.7.5", "add live.corp.internal 60 A 10.10.7.6")
        self.update("add 4.7.10.10.in-addr.arpa 60 PTR dead.corp.internal", zone="10.10.in-addr.arpa")
        self.log_in("/ui/registered")
        self.row("dead.corp.internal.")
        self.assertEqual([*self.TITLES, "Actions"], self.texts("th"))
        self.assertEqual("", self.row("box.corp.internal.")[-1])
        self.more("dead.corp.internal. A 10.10.7.4", "Delete")
        shown = self.text_of("dialog", "Delete dead.corp.internal. A?")
        self.assertIn("Registered by key dhcp. in corp.internal; all records of this name and type go", shown)
        self.press("Cancel", "dialog")
        self.more("dead.corp.internal. A 10.10.7.4", "Delete")
        self.press("Delete", "dialog")
        self.wait(lambda: not {"dead", "4"} & set(self.names()), "both records and the PTR to go")
        self.assertTrue({"box", "live"} <= set(self.names()))
        self.update("add live.corp.internal 60 A 10.10.7.7", "del live.corp.internal 60 A 10.10.7.6")
        self.row("live.corp.internal.", "10.10.7.7")
        self.update("del live.corp.internal")
        self.assertEqual(403, self.call("DELETE", "/v1/registrations?name=vm1.corp.internal", secret=EYE).status)
        self.good("DELETE", "network_interfaces/-/box")

    def test_many_come_page_by_page_and_are_searched_by_the_server(self):
        adds = ["add many%d.corp.internal 60 A 10.10.%d.%d" % (i, 8 + i // 250, i % 250) for i in range(720)]
        for i in range(0, len(adds), 60):
            self.update(*adds[i:i + 60])
        self.log_in("/ui/registered?search=many")
        self.row("many0.corp.internal.")
        seen = set(self.names())
        for first in range(51, 720, 50):
            self.press("Next")
            self.find(".foot", "%d\u2013" % first)
            seen |= set(self.names())
        self.assertEqual(720, len(seen))
        self.find(".foot", "701\u2013720 of 720 rows")
        self.assertTrue(self.first(".foot button", "text === 'Next' && one.disabled"))
        self.driver.execute_script("window.first = document.querySelector('tbody tr')")
        gone = self.names()[-1]
        self.update("del %s.corp.internal" % gone)
        self.wait(lambda: len(self.rows()) == 19, "one to go, and the others to stay")
        self.assertNotIn(gone, self.names())
        self.assertTrue(self.driver.execute_script("return first === document.querySelector('tbody tr')"))
        self.fill("Search", "many718.")
        self.wait(lambda: self.names() == ["many718"], "one that no first page has")
        for i in range(0, len(adds), 60):
            self.update(*["del many%d.corp.internal" % k for k in range(i, i + 60)])

    def test_a_zone_leads_to_what_is_registered_in_it(self):
        self.update("add vm1.corp.internal 60 A 10.10.7.4")
        self.log_in("/ui/zones")
        self.assertEqual(["2", "registered records"], self.row("corp.internal")[2:4])
        self.assertEqual("", self.row("filed.internal")[3])
        self.press("corp.internal")
        self.press("those that machines and clients have registered")
        self.row("vm1.corp.internal.")
        self.assertTrue(self.driver.current_url.endswith("/ui/registered?zone=corp.internal"))
        self.assertEqual("corp.internal", self.field("Zone").get_attribute("value"))
        self.go("/ui/registered?zone=gone.internal")
        self.find(".problem", "gone.internal")
        self.assertEqual("gone.internal", self.field("Zone").get_attribute("value"))
        self.driver.get_log("browser")
        self.go("/ui/ask?name=vm1.corp.internal&vnet=hub")
        self.assertRegex(self.text_of("main .hop"), r"Registered by key dhcp\. at 20")
        self.go("/ui/ask?name=web.corp.internal&vnet=hub")
        self.assertNotIn("Registered by", self.text_of("main .hop"))


class Everywhere(Browser):
    """What holds for every page."""
    pages = ("now", "ask", "reports", "networks", "rules", "targets", "zones", "zone?path=private_zones/-/corp.internal", "registered", "reverse",
             "target?target=127.0.0.5:53", "queries", "changes")

    def test_a_phone_shows_all_of_it(self):
        self.log_in()
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                                    {"width": 360, "height": 700, "deviceScaleFactor": 1, "mobile": True})
        self.addCleanup(self.driver.execute_cdp_cmd, "Emulation.clearDeviceMetricsOverride", {})
        for page in self.pages:
            self.go("/ui/" + page)
            self.find("main h1")
            time.sleep(0.3)
            self.assertLessEqual(self.driver.execute_script("return document.documentElement.scrollWidth"), 360, page)

    def test_what_a_url_brings_is_text(self):
        self.log_in()
        for page, field in (("target", "target"), ("rules", "search"), ("targets", "search"), ("zones", "search"), ("registered", "search"), ("registered", "zone"),
                            ("registered", "show"), ("queries", "suffix"),
                            ("ask", "name"), ("address", "id"), ("zone", "path"), ("now", "span"), ("rules", "show"), ("rules", "rule"), ("reports", "days"),
                            ("reports", "limit"), ("reports", "section"), ("reports", "folded")):
            self.go("/ui/%s?%s" % (page, urllib.parse.urlencode({field: HOSTILE})))
            self.find("main :is(h1, .problem)")
            self.assertNotEqual("owned", self.driver.title, page)
            self.assertTrue(self.none("main img, main script"), page)
        self.driver.get_log("browser")  # the server did not find some of these
        self.go("/ui/target?" + urllib.parse.urlencode({"target": HOSTILE}))
        self.find("h1", "<script>document.title='owned'</script>")
        self.find(".empty", "Nothing asks it now.")

    def test_a_page_that_is_none_leads_back(self):
        for path in ("/ui/nowhere", "/ui/nowhere.html", "/ui/rules/office"):
            self.go(path)
            self.assertIn("There is no such page", self.text_of("main"))
            self.assertTrue(self.driver.title.startswith("No such page - "), self.driver.title)
            self.press("Go to the first page")
            self.find("form.login")
        self.log_in("/ui/")
        for path in ("/ui/nowhere", "/ui/nowhere.html", "/ui/rules/office"):
            self.go(path)
            self.assertIn("There is no such page", self.text_of("main"))
            self.press("Go to the first page")
            self.find("h1", "Now")

    def test_events_come_after_each_way_to_a_page(self):
        self.log_in("/ui/now")
        self.find(".live.on")
        for _ in range(3):
            self.driver.refresh()
            self.find(".live.on")
        self.go("/ui/rules")
        self.find(".live.on")
        self.driver.back()
        self.find("h1", "Now")
        self.find(".live.on")

    def test_links_go_and_come_back_without_loading_anew(self):
        self.log_in()
        self.driver.execute_script("window.same = true")
        for title in ("Rules", "DNS Reverse", "Changes"):
            self.press(title, "nav")
            self.find("h1", title)
            self.assertEqual(title, self.text_of("nav [aria-current=page]"))
        self.driver.back()
        self.find("h1", "DNS Reverse")
        self.assertTrue(self.driver.execute_script("return window.same"))

    def test_a_search_that_is_left_while_one_types_stays_out_of_the_url(self):
        # `ran`: how many of the timers that the page has set since have ended.
        self.log_in("/ui/zones")
        self.row("corp.internal")
        self.driver.execute_script("""
            const real = window.setTimeout, search = document.querySelector('main input[type=search]');
            window.set = window.ran = 0;
            window.setTimeout = (work, ...rest) => { set++; return real(() => { work(); ran++; }, ...rest); };
            search.value = 'corp';
            search.dispatchEvent(new Event('input'));
            [...document.querySelectorAll('nav a')].find(one => one.textContent === 'Rules').click();
            window.setTimeout = real;""")
        self.wait(lambda: self.driver.execute_script("return set > 0 && ran === set"), "the search's timer")
        self.find("h1", "Rules")
        self.assertTrue(self.driver.current_url.endswith("/ui/rules"), self.driver.current_url)

    def test_a_server_that_is_gone_is_said_and_found_again(self):
        self.log_in("/ui/now")
        self.find(".live.on")
        self.sluice.stop()
        self.find(".live.off")
        self.find(".problem", "The server cannot be reached")
        type(self).sluice = harness.Sluice(self.host, CONFIG, ("127.0.0.1", 5300))
        self.wait(lambda: self.none(".problem"), "the problem to go")
        self.find(".live.on")
        self.find(".judgement.good")


    def test_a_page_that_is_opened_while_the_server_is_gone_is_shown_when_it_is_back(self):
        self.log_in("/ui/now")
        self.find(".live.on")
        self.sluice.stop()
        self.find(".live.off")
        self.press("Rules", "nav")
        self.find("rules-page > .problem", "The server cannot be reached")
        type(self).sluice = harness.Sluice(self.host, CONFIG, ("127.0.0.1", 5300))
        self.row("contoso.corp.")
        self.assertTrue(self.none(".problem"))
        self.good("PUT", "rulesets/-/office/rules/after", {"domain": "after.test.", "targets": [{"address": "127.0.0.5"}]})
        self.row("after.test.")
        self.good("DELETE", "rulesets/-/office/rules/after")


class Pictures(Browser):
    """As README and the guides show it; SCREENSHOTS=etc/guide writes their pictures anew."""
    folder = os.environ.get("SCREENSHOTS")

    def picture(self, name):
        time.sleep(0.5)
        path = os.path.join(self.folder or self.world.dir, "dashboard-%s.png" % name)
        self.assertTrue(self.driver.save_screenshot(path))
        self.assertTrue(10000 < os.path.getsize(path) < 150000, os.path.getsize(path))

    def test_pages_as_they_are_shown(self):
        targets = [{"address": "127.0.0.5"}]
        self.good("POST", "changes", {"edits": [
            {"path": "private_zones/-/apps.internal", "values": {}},
            {"path": "private_zones/-/apps.internal/links/hub", "values": {"virtual_network": "hub"}},
            {"path": "rulesets/-/office/rules/fabrikam", "values": {"domain": "fabrikam.corp.", "targets": [{"address": "127.0.0.66"}]}},
            {"path": "rulesets/-/office/rules/branch", "values": {"domain": "branch.contoso.corp.", "targets": targets}}]})
        for number, name in ((25, "mail"), (26, "smtp"), (27, None)):
            address = "198.51.100.%d" % number
            self.good("PUT", "addresses/-/host%d" % number, {"region": "westeurope", "address": address})
            if name:
                self.good("PUT", "ptrs/" + address, {"reverse_fqdn": name + ".example.com.", "ttl": 3600})
        for number in range(8):
            self.host.ask(("127.0.0.1", 5300), "n%d.fabrikam.corp" % number)
            self.host.ask(("127.0.0.1", 5300), "n%d.contoso.corp" % number)
        for name in ("www.filed.internal", "printer.lan"):
            self.host.ask(("127.0.0.1", 5300), name)
        self.driver.set_window_size(1180, 900)
        self.addCleanup(self.driver.set_window_size, 1280, 900)
        self.stands_in("/v1/history", made_up_history())
        self.log_in("/ui/now")
        self.find(".judgement.bad")
        self.find("time-chart canvas[aria-label]")
        self.picture("now")
        self.driver.set_window_size(1180, 700)
        self.go("/ui/networks")
        self.find(".node.bad")
        self.picture("networks")
        self.go("/ui/ask?name=www.branch.contoso.corp&type=A&vnet=hub")
        self.find(".box.wins")
        self.picture("ask")
        self.driver.set_window_size(1180, 900)
        self.go("/ui/reports?days=0")
        self.find("#report-leaving .state.warn")
        self.wait(lambda: self.none("progress"), "all of it")
        self.picture("reports")
        self.driver.set_window_size(1180, 700)
        self.go("/ui/reverse")
        self.row("198.51.100.27")
        self.press("More: 198.51.100.26")
        self.picture("reverse")


class Empty(Browser):
    """Where there is nothing yet, a page says what to do."""
    config = re.sub(r"(?s)address_pools = .*", "", CONFIG).replace("127.0.0.1:5310", "127.0.0.1:5300")

    def test_each_page_says_how_to_begin(self):
        self.log_in()
        for page, text in (("now", "There are no rules"), ("networks", "sluice network create hub"),
                           ("rules", "sluice ruleset create office"), ("zones", "There is no private zone"), ("registered", "sluice zone-link create corp.internal"),
                           ("reverse", "sluice address create mail"), ("changes", "Nothing has been changed")):
            self.go("/ui/" + page)
            self.find("main", text)

    def test_the_commands_that_it_tells_work(self):
        self.log_in()
        for page, shown in (("networks", "hub"), ("rules", "There is no rule yet"), ("registered", "Nothing is registered yet"),
                            ("reverse", "198.51.100.25")):
            self.go("/ui/" + page)
            for line in self.text_of("pre").splitlines():
                program, *words = line.split()
                self.assertEqual("sluice", program)
                status, printed = harness.command(*words[:2], "-c", self.sluice.config, *words[2:])
                self.assertEqual(0, status, printed)
            self.find("main", shown)


if __name__ == "__main__":
    harness.main()
