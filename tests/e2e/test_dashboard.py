"""The dashboard in a real browser (Debian's chromium, headless): each page, each thing that can be done
there, refusals, and names that would like to be markup."""

import contextlib
import gzip
import http.client
import json
import math
import os
import re
import sys
import time
import urllib.parse

import dns
import harness

try:
    from selenium import webdriver
except ImportError:
    DEBIANS = "/usr/bin/python3"  # to which Debian's packages belong, whichever runs the tests
    if not os.path.exists(DEBIANS) or os.path.realpath(sys.executable) == os.path.realpath(DEBIANS):
        raise
    os.execv(DEBIANS, [DEBIANS] + sys.argv)
from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

PORT = 8053
ROOT = "http://127.0.0.1:%d" % PORT
OPS, EYE = "ops-secret-0123456789", "eye-secret-0123456789"
SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
CONFIG = """
region = "westeurope"; subscription = "%s"; workers = 2; limits = { rulesets_per_virtual_network = 2; };
management = { socket = "control.sock"; state = "state.db"; listen = [ "%s" ];
  clients = ( { id = "ops"; secret_file = "ops.secret"; role = "admin"; },
              { id = "eye"; secret_file = "eye.secret"; role = "reader"; } ); };
default_resolver = { targets = ( { address = "127.0.0.3"; } ); };
vnet_resolver = { listen = [ "127.0.0.1:5310" ]; };
address_pools = ( { name = "pool"; region = "westeurope"; prefix = "198.51.100.0/24"; } );
virtual_networks = ( { name = "hub"; address_space = [ "10.10.0.0/16" ]; client_prefixes = [ "127.0.0.1/32" ]; } );
resolvers = ( { name = "hub-resolver"; virtual_network = "hub";
  inbound_endpoints = ( { name = "inbound"; listen = "127.0.0.1:5300"; } ); } );
private_zones = ( { name = "filed.internal"; file = "filed.zone"; }, { name = "corp.internal"; links = ( { name = "hub"; virtual_network = "hub"; } );
  record_sets = ( { name = "web:A"; ttl = 300; records = [ "10.10.1.10" ]; } ); } );
rulesets = ( { name = "office"; links = ( { name = "hub"; virtual_network = "hub"; } );
  rules = ( { name = "contoso"; domain = "contoso.corp."; targets = ( { address = "127.0.0.5"; } ); } ); } );
""" % (SUBSCRIPTION, ROOT)
# What a browser would run if it were taken for markup, and what is written from right to left.
HOSTILE = "<script>document.title='owned'</script><img src=x onerror=document.title='owned'> \u05d0\u05d1\u05d2"


class Here(harness.Host):
    """The world itself as a machine: the browser's driver is called all the time."""

    def __init__(self, world):
        self.world, self.name = world, "here"

    @contextlib.contextmanager
    def inside(self):
        yield self


def browser(folder, *arguments):
    options = webdriver.ChromeOptions()
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--no-first-run",
                     "--disable-background-networking", "--window-size=1280,900", "--lang=en-GB",
                     "--user-data-dir=" + os.path.join(folder, "profile"), *arguments):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)
    driver.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": folder})
    return driver


class Browser(harness.Case):
    """One server and one browser for all tests of a class."""
    config = CONFIG

    @classmethod
    def build(cls, world):
        os.environ["HOME"] = world.dir
        world.secret("ops.secret", OPS)
        world.secret("eye.secret", EYE)
        world.write("filed.zone", 'www 300 IN A 10.10.1.11\nnote IN TXT "<b>filed</b>"\n')
        cls.host = Here(world)
        cls.default = harness.Upstream(cls.host, "127.0.0.3", "198.51.100.3")
        cls.target = harness.Upstream(cls.host, "127.0.0.5", "198.51.100.5")
        cls.sluice = harness.Sluice(cls.host, cls.config, ("127.0.0.1", 5300))
        cls.driver = browser(world.dir)
        cls.addClassCleanup(cls.driver.quit)
        cls.see_a_first_page()

    @classmethod
    def see_a_first_page(cls):
        """A browser drops what it is loading when the machine's addresses change, and the world's bridge gets one of
        its own some time after it was made. And on a busy machine a browser takes its time to start."""
        harness.wait_for(lambda: "tentative" not in harness.sh("ip", "address"), "the world's addresses")
        cls.driver.get(ROOT + "/ui/")
        harness.wait_for(lambda: cls.driver.find_elements(By.CSS_SELECTOR, "form.login"), "the browser's first page", 120)

    def setUp(self):
        self.driver.get(ROOT + "/ui/icon.svg")
        self.driver.execute_script("sessionStorage.clear()")
        self.driver.get_log("browser")

    def tearDown(self):
        """No page may do what its own policy forbids, or fail where nobody sees it."""
        wrong = [line["message"] for line in self.driver.get_log("browser")
                 if line["level"] == "SEVERE" and line["source"] != "network"]
        self.assertEqual([], wrong)

    # ---- the server ----

    def call(self, method, path, body=None, secret=OPS, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=dns.PATIENCE)
        try:
            headers.setdefault("Authorization", "Bearer " + secret)
            headers.setdefault("Content-Type", "application/json")
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            answer.body = answer.read()
            return answer
        finally:
            connection.close()

    def good(self, method, path, body=None):
        answer = self.call(method, "/v1/" + path, body)
        self.assertLess(answer.status, 300, answer.body)
        return json.loads(answer.body) if answer.body else None

    def stands_in(self, path, answer, status=200):
        """From the next page on the browser gets this in place of what the server says of the path."""
        made = self.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": """{
            const real = window.fetch;
            window.fetch = (where, how) => new URL(where, location.href).pathname !== %s ? real(where, how)
              : Promise.resolve(new Response(%s, {status: %d, headers: {"Content-Type": "application/json"}}));
        }""" % (json.dumps(path), json.dumps(json.dumps(answer)), status)})
        self.addCleanup(self.driver.execute_cdp_cmd, "Page.removeScriptToEvaluateOnNewDocument", made)

    def watches(self):
        """From the next page on the browser keeps which paths of the server were asked for: asked_for()."""
        made = self.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": """{
            const real = window.fetch;
            window.asked = [];
            window.fetch = (where, how) => {
              asked.push(new URL(where, location.href).pathname);
              return real(where, how);
            };
        }"""})
        self.addCleanup(self.driver.execute_cdp_cmd, "Page.removeScriptToEvaluateOnNewDocument", made)

    def asked_for(self, path):
        """How often, since the page was loaded."""
        return self.driver.execute_script("return asked.filter(one => one === arguments[0]).length", path)

    @contextlib.contextmanager
    def another_tab(self, path):
        """Logged in as this one; gives the windows of both, this one first."""
        session = self.driver.execute_script("return sessionStorage['sluice-session']")
        first = self.driver.current_window_handle
        self.driver.switch_to.new_window("tab")
        try:
            self.go("/ui/icon.svg")
            self.driver.execute_script("sessionStorage['sluice-session'] = arguments[0]", session)
            self.go(path)
            yield first, self.driver.current_window_handle
        finally:
            self.driver.close()
            self.driver.switch_to.window(first)

    # ---- the page ----

    def wait(self, condition, what):
        def attempt():
            with contextlib.suppress(NoSuchElementException, StaleElementReferenceException):
                return condition()
        try:
            return harness.wait_for(attempt, what)
        except AssertionError as error:
            raise AssertionError("%s\n%s\n%s" % (error, self.driver.current_url, self.text()[:2000])) from None

    def text(self):
        return self.driver.find_element(By.TAG_NAME, "body").text

    def log_in(self, path="/ui/", client="ops", secret=OPS):
        self.driver.get(ROOT + path)
        self.fill("Client", client)
        self.fill("Secret", secret)
        self.press("Log in")
        self.find("header .who")

    def go(self, path):
        self.driver.get(ROOT + path)

    def find(self, css, text=None):
        """The first that is shown, and has that text."""
        def found():
            for element in self.driver.find_elements(By.CSS_SELECTOR, css):
                if element.is_displayed() and (text is None or text in element.text):
                    return element
        return self.wait(found, "%s with %s" % (css, text))

    def none(self, css):
        return not self.driver.find_elements(By.CSS_SELECTOR, css)

    # A page may draw anew between what finds an element and what is done with it.

    def text_of(self, css, text=None):
        return self.wait(lambda: self.find(css, text).text, "the text of " + css)

    def texts(self, css):
        """Of all that are shown, at one moment."""
        return self.driver.execute_script("""
            return [...document.querySelectorAll(arguments[0])].filter(one => one.getClientRects().length > 0)
                .map(one => (one.innerText ?? one.textContent).trim())""", css)

    def click(self, css, text=None):
        self.wait(lambda: self.find(css, text).click() or True, "a click on " + css)

    def press(self, text, within=""):
        """A button or a link by its name, or by what is said of it."""
        def found():
            for element in self.driver.find_elements(By.CSS_SELECTOR, "%s button, %s a, %s summary" % ((within,) * 3)):
                if element.is_displayed() and element.is_enabled() and text in (
                        element.text.strip(), element.get_attribute("aria-label")):
                    return element

        def pressed():
            element = found()
            if element:
                self.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
                element.click()
            return element
        self.wait(pressed, "the button " + text)

    def field(self, label):
        """By the label that stands at it."""
        def found():
            for one in self.driver.find_elements(By.TAG_NAME, "label"):
                if one.is_displayed() and re.sub(r" \(required\)$", "", one.text.strip()) == label:
                    return self.driver.find_element(By.ID, one.get_attribute("for"))
        return self.wait(found, "the field " + label)

    def fill(self, label, text):
        def filled():
            field = self.field(label)
            field.clear()
            field.send_keys(text)
            return True
        self.wait(filled, "the field " + label)

    def more(self, of, what):
        """What is chosen from the menu behind a row."""
        self.press("More: " + of)
        self.press(what, "[role=menu]")

    def downloaded(self, name):
        """A file has its name, and nothing in it, before it is whole."""
        path = os.path.join(self.world.dir, name)
        self.wait(lambda: os.path.exists(path) and os.path.getsize(path), "the file " + name)
        with open(path, newline="", encoding="utf-8") as file:
            return file.read()

    def submit(self, button, values):
        """A dialog, filled in: values by their labels."""
        for label, value in values.items():
            self.fill(label, value)
        self.press(button, "dialog")

    def choose(self, label, text):
        Select(self.field(label)).select_by_visible_text(text)

    def rows(self):
        """The texts of the cells of each row that is shown."""
        return self.driver.execute_script(
            "return [...document.querySelectorAll('main tbody tr')].map(tr => [...tr.cells].map(td => td.innerText.trim()))")

    def row(self, *texts):
        """Waits for a row that has these among its cells' texts."""
        def found():
            for row in self.rows():
                if all(any(text in cell for cell in row) for text in texts):
                    return row
        return self.wait(found, "a row with %s" % (texts,))


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

    def test_a_path_without_a_dot_is_a_page_and_one_with_a_dot_a_file(self):
        page = self.call("GET", "/ui/").body
        for path in ("/ui", "/ui/changes", "/ui/whatever/it/is"):
            self.assertEqual(page, self.call("GET", path).body, path)
        for path in ("/ui/nothing.js", "/ui/../sluice.conf", "/ui/%2e%2e/state.db", "/ui/index.html%00"):
            self.assertIn(self.call("GET", path).status, (400, 404), path)
        self.assertEqual(405, self.call("PUT", "/ui/index.html", {}).status)
        # Nobody needs to be known for the files; everybody needs to be for what they ask.
        self.assertEqual(200, self.call("GET", "/ui/", secret="").status)
        self.assertEqual(401, self.call("GET", "/v1/status", secret="").status)

    def test_a_browser_is_led_there_and_a_client_of_openstack_is_not(self):
        answer = self.call("GET", "/", Accept="text/html,application/xhtml+xml,*/*;q=0.8")
        self.assertEqual((303, "/ui/"), (answer.status, answer.headers["Location"]))
        self.assertEqual(300, self.call("GET", "/", Accept="application/json").status)


    def test_a_page_whose_parts_did_not_all_come_is_loaded_anew(self):
        self.driver.execute_cdp_cmd("Network.enable", {})
        self.addCleanup(self.driver.execute_cdp_cmd, "Network.disable", {})
        self.driver.execute_cdp_cmd("Network.setBlockedURLs", {"urls": ["*/ui/pages/zones.js"]})
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
        active = self.driver.switch_to.active_element
        active.send_keys("ops", Keys.TAB)
        self.driver.switch_to.active_element.send_keys(OPS, Keys.ENTER)
        self.find("header .who")
        self.driver.find_element(By.TAG_NAME, "body").send_keys(Keys.TAB)
        self.assertEqual("To the content", self.driver.switch_to.active_element.text)


class Changes(Browser):
    def rule(self, name, domain="a.test."):
        return "rulesets/-/office/rules/" + name, {"domain": domain, "targets": [{"address": "127.0.0.5"}]}

    def test_each_change_comes_by_itself(self):
        self.log_in("/ui/changes")
        self.find(".live.on")
        self.good("PUT", *self.rule("streamed", "streamed.test."))
        row = self.row("made rulesets/-/office/rules/streamed")
        self.assertEqual("ops", row[1])
        self.good("PUT", *self.rule("streamed", "other.test."))
        self.row("changed rulesets/-/office/rules/streamed")
        self.click("tbody summary")
        self.assertEqual(["streamed.test."], [self.text_of("del")])
        self.assertEqual(["other.test."], [self.text_of("ins")])

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
        self.row("made rulesets/-/office/rules/meanwhile")

    def test_a_change_before_the_stream_begins_is_not_missed(self):
        self.good("PUT", *self.rule("early", "early.test."))
        self.slows("/v1/events", before=True)
        self.log_in("/ui/changes")
        self.row("rules/early")
        self.good("PUT", *self.rule("before", "before.test."))
        self.row("made rulesets/-/office/rules/before")

    def test_a_change_is_undone(self):
        self.good("PUT", *self.rule("kept", "kept.test."))
        before = self.good("GET", "rulesets/-/office/rules/kept")
        self.good("DELETE", "rulesets/-/office/rules/kept")
        self.log_in("/ui/changes")
        self.row("removed rulesets/-/office/rules/kept")
        self.press("Undo", "tbody tr:first-child")
        self.assertIn("This makes a new change", self.text_of("dialog"))
        self.press("Undo", "dialog")
        self.wait(lambda: sum("made rulesets/-/office/rules/kept" in row[2] for row in self.rows()) == 2, "the undo's row")
        after = self.good("GET", "rulesets/-/office/rules/kept")
        self.assertEqual([before[key] for key in ("domain", "targets")], [after[key] for key in ("domain", "targets")])

    def test_an_undo_that_cannot_be_says_why_and_changes_nothing(self):
        self.good("PUT", *self.rule("first", "twice.test."))
        self.good("DELETE", "rulesets/-/office/rules/first")
        self.good("PUT", *self.rule("second", "twice.test."))
        self.log_in("/ui/changes")
        self.row("removed rulesets/-/office/rules/first")
        self.press("Undo", "tbody tr:nth-child(2)")
        self.find("dialog .problem")
        self.press("Cancel", "dialog")
        self.assertEqual(404, self.call("GET", "/v1/rulesets/-/office/rules/first").status)

    def test_what_was_changed_since_is_not_undone_over(self):
        self.good("PUT", *self.rule("since", "since.test."))
        self.good("PUT", *self.rule("since", "since2.test."))
        self.log_in("/ui/changes")
        self.row("changed rulesets/-/office/rules/since")
        self.press("Undo", "tbody tr:nth-child(2)")
        self.find(".problem", "was changed since, in revision")
        self.assertTrue(self.none("dialog"))
        self.press("Undo", "tbody tr:nth-child(1)")
        self.press("Undo", "dialog")
        self.wait(lambda: self.good("GET", "rulesets/-/office/rules/since")["domain"] == "since.test.", "the undo")
        # Now it is again as the first one left it.
        self.wait(lambda: sum("rules/since" in row[2] for row in self.rows()) == 3, "the undo's row")
        self.press("Undo", "tbody tr:nth-child(3)")
        self.press("Undo", "dialog")
        self.wait(lambda: self.call("GET", "/v1/rulesets/-/office/rules/since").status == 404, "the undo")

    def test_a_reader_sees_all_and_can_change_nothing(self):
        self.good("PUT", *self.rule("seen", "seen.test."))
        self.log_in("/ui/changes", "eye", EYE)
        self.row("rules/seen")
        self.assertNotIn("Undo", self.texts("button"))

    def test_names_are_text(self):
        self.good("PUT", "addresses/-/hostile", {"region": "westeurope", "address": "198.51.100.66"})
        self.good("PUT", "ptrs/198.51.100.66", {"reverse_fqdn": "hostile.example.", "description": HOSTILE})
        self.log_in("/ui/changes")
        self.row("changed addresses/-/hostile")
        self.click("tbody summary")
        shown = self.text_of("ins", "<script>")
        self.assertIn("<img src=x onerror=", shown)
        self.assertIn("\u05d0\u05d1\u05d2", shown)
        self.assertEqual("Changes - sluice", self.driver.title)
        # The server lets nobody store what turns text around; a page would show it, too.
        self.assertEqual(["BDI", "isolate", "a<U+202E>gnp.exe<U+0000>"], self.driver.execute_async_script("""
            import('/ui/lib/element.js').then(({name}) => {
              const made = name('a\\u202egnp.exe\\u0000');
              document.body.append(made);
              arguments[0]([made.tagName, getComputedStyle(made).unicodeBidi, made.textContent]);
            })"""))

    def test_two_tabs_share_one_stream(self):
        self.log_in("/ui/changes")
        self.find(".live.on")
        with self.another_tab("/ui/changes") as (first, second):
            self.find(".live.on")
            self.good("PUT", *self.rule("both", "both.test."))
            self.row("rules/both")
            # The one that has the stream goes, and the other one takes over.
            self.driver.switch_to.window(first)
            self.row("rules/both")
            self.driver.get("about:blank")
            self.driver.switch_to.window(second)
            time.sleep(0.5)
            self.good("DELETE", "rulesets/-/office/rules/both")
            self.row("removed rulesets/-/office/rules/both")


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
        self.assertEqual("Forwarded by Rule office/contoso.", self.text_of(".verdict"))
        self.assertRegex(self.text_of(".route"), "asks 127.0.0.5:53 by udp through hub-resolver/default")
        self.assertTrue(self.driver.current_url.endswith("/ui/ask?name=www.contoso.corp&type=A&vnet=hub"))

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
        self.find(".verdict", "Answered by Private zone corp.internal")

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
        first, *more = self.asked()
        self.assertRegex(first, r"^127.0.0.5:53\nby udp, at 0.0 ms\nNOERROR\nafter [\d.]+ ms$")
        for again in more:  # on a busy machine its answer is late, and it is asked once more
            self.assertRegex(again, r"^127.0.0.5:53\nby udp, at [1-9][\d.]* ms\nno answer\nafter [\d.]+ ms$")
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
        self.assertEqual("read-only", self.row("contoso.corp.")[-1])
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
        self.assertEqual("Cancel", self.driver.switch_to.active_element.text)  # Enter is not yet a yes
        self.press("Delete", "dialog")
        self.wait(lambda: not any("fresher.test." in row for row in self.rows()), "the rule to go")
        self.assertEqual(404, self.call("GET", "/v1/rulesets/-/office/rules/fresh").status)

    def test_what_is_refused_is_said_at_its_field_and_nothing_is_lost(self):
        self.log_in("/ui/rules")
        self.row("contoso.corp.")
        self.add("bad", "bad.test.", "not-an-address")
        self.assertIn("address", self.text_of("dialog .problem"))
        self.assertEqual("true", self.field("Targets").get_attribute("aria-invalid"))
        self.assertEqual(["bad", "bad.test."], [self.field(label).get_attribute("value") for label in ("Name", "Domain")])
        self.submit("Add", {"Targets": "127.0.0.5", "Domain": "contoso.corp."})
        self.find("dialog .problem", "contoso.corp")
        self.driver.switch_to.active_element.send_keys(Keys.ESCAPE)
        self.wait(lambda: self.none("dialog"), "the dialog to close")
        self.assertEqual(404, self.call("GET", "/v1/rulesets/-/office/rules/bad").status)

    def test_an_error_stays_until_one_does_something(self):
        where = "rulesets/-/office/rules/stale"
        self.good("PUT", where, {"domain": "stale.test.", "targets": [{"address": "127.0.0.5"}]})
        self.log_in("/ui/rules")
        self.row("stale.test.")
        self.driver.execute_script("document.querySelector('rules-page').reload = () => {}")  # it has not heard of it yet
        self.good("PATCH", where, {"description": "another's"})
        self.more("rule stale", "Disable")
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
        self.log_in("/ui/rules")
        self.fill("Which rule takes this name?", "a.b.contoso.corp")
        self.press("Find")
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
            {"path": where + "inside", "values": {"domain": "a.corp.internal.", "targets": targets}},
            {"path": where + "off", "values": {"domain": "off.test.", "targets": targets, "state": "Disabled"}},
            {"path": "rulesets/-/loose", "values": {"outbound_endpoints": ["hub-resolver/default"]}},
            {"path": "rulesets/-/loose/rules/far", "values": {"domain": "far.test.", "targets": targets}}]})
        self.addCleanup(self.good, "POST", "changes", {"edits": [{"path": path, "values": None} for path in (
            where + "idle", where + "broken", where + "inside", where + "off", "rulesets/-/loose")]})
        for name in ("a.contoso.corp", "b.contoso.corp", "a.broken.test"):
            self.host.ask(("127.0.0.1", 5300), name)
        self.log_in("/ui/rules")
        self.assertEqual("1\n1 failure, 100 %", self.row("broken.test.")[4])
        self.assertEqual("Asked since the start", self.texts("th")[4])
        self.find(".hint", "Asked: queries of which the rule has decided a name since the server started, ")
        self.assertEqual(["0", "never"], self.row("idle.test.")[4:6])
        self.assertRegex(self.row("broken.test.")[5], r"^\d\d:\d\d:\d\d$")
        self.assertEqual("shadowed\nPrivate zone corp.internal decides in hub", self.row("a.corp.internal.")[3])
        self.assertEqual("never asked\nits ruleset is linked to no network", self.row("loose/far")[3])
        asked = int(self.row("contoso.corp.")[4])
        self.assertGreaterEqual(asked, 2)
        self.host.ask(("127.0.0.1", 5300), "c.contoso.corp")
        self.wait(lambda: int(self.row("contoso.corp.")[4]) == asked + 1, "the count to go on by itself")
        for choice, expected in (("Not used since the start", {"idle.test.", "a.corp.internal.", "far.test."}), ("With failures", {"broken.test."}),
                                 ("Deciding nothing", {"a.corp.internal.", "far.test."}), ("Disabled", {"off.test."})):
            self.choose("Show", choice)
            self.wait(lambda: {row[0] for row in self.rows()} == expected, "rules that are " + choice)
        self.assertTrue(self.driver.current_url.endswith("/ui/rules?show=disabled"))
        self.driver.refresh()
        self.wait(lambda: [row[0] for row in self.rows()] == ["off.test."], "the same")
        self.press("report", ".hint")
        self.find("h1", "Reports")
        self.wait(lambda: self.driver.switch_to.active_element.text.startswith("Rules not used"), "its section")

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
        self.assertTrue(self.none("plan-view ins"))  # it was of what is typed no more
        self.press("What would change?", "dialog")
        self.find("plan-view .problem", "address")
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

    def test_a_thousand_rules_are_quick(self):
        targets = [{"address": "127.0.0.5"}]
        edits = [{"path": "rulesets/-/many", "values": {"outbound_endpoints": ["hub-resolver/default"]}},
                 {"path": "rulesets/-/many/links/hub", "values": {"virtual_network": "hub"}}] + [
            {"path": "rulesets/-/many/rules/r%d" % i, "values": {
                "domain": "d%d.many.test." % i, "targets": targets + [{"address": "192.0.2.%d" % (i % 100 + 1)}]}} for i in range(1000)]
        self.good("POST", "changes", {"edits": edits})
        self.log_in("/ui/rules")
        self.row("d0.many.test.")
        begin = time.monotonic()
        self.driver.refresh()
        self.row("d0.many.test.")
        shown = time.monotonic() - begin
        # The best of three: other processes have the processor too.
        took = min(self.driver.execute_script("""const page = document.querySelector('rules-page');
            page.find(''); const begin = performance.now(); page.find('d999.'); return performance.now() - begin""") for _ in range(3))
        self.assertEqual(["d999.many.test."], [row[0] for row in self.rows()])
        print("# 1000 rules: shown %.2f s after the page was loaded, searched in %.0f ms" % (shown, took), flush=True)
        self.assertLess(shown, 10)
        self.assertLess(took, 500)
        for page, content in (("now", ".judgement"), ("networks", ".node"), ("targets", "tbody tr"), ("ask?name=d7.many.test", ".box.wins"),
                              ("target?target=127.0.0.5:53", ".facts .state")):
            begin = time.monotonic()
            self.go("/ui/" + page)
            self.find(content)
            self.assertLess(time.monotonic() - begin, 10, page)
        self.press("and 993 more")
        self.wait(lambda: len(self.rows()) == 200, "the rules of this target")
        self.press("Log out")
        self.good("DELETE", "rulesets/-/many")


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

    def test_a_ptr_is_set_and_unset(self):
        self.address("smtp", "198.51.100.10")
        self.log_in("/ui/reverse")
        self.row("198.51.100.10")
        heads = self.texts("th")
        self.assertEqual(["Address", "PTR Domain Name", "Status"], heads[:3])
        self.assertEqual(["198.51.100.10", "", "Inactive", "More"], self.row("198.51.100.10")[:4])
        self.press("More: 198.51.100.10")
        self.assertFalse(self.find("[role=menuitem]", "Unset").is_enabled())
        self.press("Set")
        self.assertEqual("Set Domain Name PTR", self.text_of("dialog h2"))
        self.assertEqual(("3600", "0"), tuple(self.field("TTL (Time To Live)").get_attribute(name) for name in ("placeholder", "min")))
        self.fill("Domain Name", "smtp.example.com.")
        self.fill("Description", "Mail server reverse DNS")
        self.fill("TTL (Time To Live)", "600")
        # Every status that the row has from now on.
        self.driver.execute_script("""window.seen = [];
            new MutationObserver(() => { const now = document.querySelector('tbody .state')?.textContent;
              if (now !== seen.at(-1)) seen.push(now); }).observe(document.querySelector('data-table'), {childList: true, subtree: true})""")
        self.press("Confirm", "dialog")
        self.row("198.51.100.10", "smtp.example.com.", "Active")
        self.assertEqual(["Pending", "Active"], self.driver.execute_script("return seen"))
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
        self.assertEqual({"Address": "198.51.100.11", "PTR Domain Name": "detail.example.com.", "Description": "<i>d</i>", "ID": identity,
                          "Time To Live": "0", "Action": "None"}, {key: shown[key] for key in (
                              "Address", "PTR Domain Name", "Description", "ID", "Time To Live", "Action")})
        # The upstream says 198.51.100.3 of every name: it does not lead back, and that is said.
        self.find("dd .state.warn", "198.51.100.11")
        self.driver.refresh()
        self.find("h1", "198.51.100.11")
        self.more("198.51.100.11", "Set")
        self.submit("Confirm", {"Domain Name": "another.example.com"})
        self.wait(lambda: re.search(r"(?s)another\.example\.com\..*Active", self.text_of(".facts")), "it to be served")
        self.is_served("198.51.100.11", "another.example.com.")

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
        self.submit("Confirm", {"Domain Name": "a..b"})
        self.find("dialog .problem", "reverse_fqdn")
        self.assertEqual(("a..b", "true"), tuple(self.field("Domain Name").get_attribute(name) for name in ("value", "aria-invalid")))
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
        self.assertEqual(["corp.internal", "2", "hub", "here", "read-only"], self.row("corp.internal"))
        self.press("Add a zone")
        self.submit("Add", {"Name": "made.test"})
        self.row("made.test", "hub")
        self.press("made.test")
        self.find(".empty", "no records of its own yet")
        self.press("Add a record set")
        self.submit("Add", {"Name": "www", "TTL": "120", "Data": "10.0.0.1\n10.0.0.2"})
        self.row("www", "A", "120", "10.0.0.1\n10.0.0.2")
        self.assertEqual(["10.0.0.1", "10.0.0.2"], sorted(self.resolved("www.made.test")))
        self.more("www:A", "Change")
        self.submit("Save", {"Data": "not an address"})
        self.find("dialog .problem")
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
        self.assertEqual("Zones - sluice", self.driver.title)

    def test_many_come_page_by_page(self):
        where = self.zone("many.test", **{"n%03d" % number: "\"x\"" for number in range(250)})
        self.log_in(where)
        self.row("n000")
        self.assertEqual(200, len(self.rows()))
        self.press("More record sets")
        self.wait(lambda: len(self.rows()) == 250, "all of them")
        self.assertFalse(self.driver.find_element(By.XPATH, "//button[.='More record sets']").is_displayed())
        self.good("DELETE", "private_zones/-/many.test/record_sets/n249:TXT")
        self.wait(lambda: len(self.rows()) == 249, "one to go, and the others to stay")

    def test_a_master_file_comes_in_when_one_has_seen_what_it_changes(self):
        where = self.zone("master.test", stays="\"1\"", goes="\"2\"")
        good = self.world.write("good.zone", "$TTL 60\n@ IN MX 10 mail\nstays TXT 1\nwww 300 A 10.0.0.7\n    300 A 10.0.0.8\n")
        bad = self.world.write("bad.zone", "www A 10.0.0.7\nwww A nonsense\n$INCLUDE /etc/passwd\n")
        self.log_in(where)
        self.row("goes")
        self.press("Import master file")
        self.field("File").send_keys(bad)
        self.press("Try it", "dialog")
        shown = self.text_of("dialog .problem")
        self.assertIn("nonsense", shown)
        self.assertIn("$INCLUDE is for a zone that is a file", shown)
        self.field("File").send_keys(good)
        self.field("Delete what the file does not have").click()
        self.press("Try it", "dialog")
        shown = self.text_of("dialog", "2 to create, 0 to change, 1 to delete")
        for line in ("create @:MX", "create www:A", "delete goes:TXT"):
            self.assertIn(line, shown)
        self.assertEqual([], self.resolved("www.master.test"))
        self.press("Import", "dialog")
        self.row("www", "10.0.0.7\n10.0.0.8")
        self.assertEqual(["10.0.0.7", "10.0.0.8"], sorted(self.resolved("www.master.test")))
        self.press("Export master file")
        self.assertRegex(self.downloaded("master.test.zone"), r"www 300 IN A 10\.0\.0\.7")

    def test_a_zone_of_a_file_is_shown_and_not_changed(self):
        self.log_in("/ui/zones")
        self.row("filed.internal", "filed.zone")
        self.press("filed.internal")
        self.assertIn('note 3600 IN TXT "<b>filed</b>"', self.text_of("pre"))
        self.assertFalse({"Add a record set", "Import master file"} & set(self.texts("button")))


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
                         r"^1 rule cannot be answered, since \d\d:\d\d:\d\d: office/dead \(127\.0\.0\.66:53 (does not answer|cannot be reached)\)\.$")
        self.row("127.0.0.66:53", "not answering since", "office/dead")
        self.find(".plain", "made rulesets/-/office/rules/dead")
        self.find(".state.warn", "target")
        self.press("127.0.0.66:53", ".judgement")
        self.find("h1", "127.0.0.66:53 udp")
        self.find(".facts", "not answering")
        self.find(".plain", "office/dead")
        self.press("Targets", "nav")
        self.find("[role=status]", "1 target of 3 not answering.")
        self.fill("Search", "office/dead")
        self.wait(lambda: len(self.rows()) == 1, "one row")
        self.go("/ui/networks")
        self.assertIn("not answering", self.text_of(".node.bad"))
        self.click(".node.bad")
        self.find("h1", "127.0.0.66:53 udp")

    def test_a_target_says_what_else_answers_and_one_of_a_kind_is_singular(self):
        status = self.good("GET", "status")
        target = next(one for one in status["targets"] if one["host"] == "127.0.0.5:53")
        target |= dict(timeouts=1, errors=1, suspicions=1, waiting=1, mismatched=1, other="something else answers: 127.0.0.9:53")
        self.stands_in("/v1/status", status)
        self.log_in("/ui/target?target=127.0.0.5:53&protocol=udp")
        self.find(".facts", "1 timeout, 1 error, 1 time suspect\n")
        self.find(".facts", "now 1 question\n")
        self.find(".facts", "1 packet; something else answers: 127.0.0.9:53")
        self.go("/ui/targets")
        self.row("127.0.0.5:53", "something else answers: 127.0.0.9:53")

    def test_a_rule_whose_target_answers_errors_alone_is_told_until_one_is_answered(self):
        where = "rulesets/-/office/rules/cross"
        self.good("PUT", where, {"domain": "cross.test.", "targets": [{"address": "127.0.0.5"}]})
        self.addCleanup(self.call, "DELETE", "/v1/" + where)
        self.log_in("/ui/")
        self.find(".judgement.good", "All 2 rules can be answered.")
        for number in range(5):
            answer = self.host.ask(("127.0.0.1", 5300), "refused.n%d.cross.test" % number)
            self.assertEqual(2, answer.flags & 15, "SERVFAIL")
        self.find(".judgement.bad", "127.0.0.5:53")
        self.assertRegex(self.text_of(".judgement.bad"),
                         r"^1 rule cannot be answered, since \d\d:\d\d:\d\d: office/cross \(127\.0\.0\.5:53 answers REFUSED\)\.$")
        self.row("127.0.0.5:53", "answers REFUSED", "office/cross")
        self.assertNotIn("Every target that was asked answers", self.text())
        self.go("/ui/targets")
        self.find("[role=status]", "1 target of 2 answering errors alone.")
        self.go("/ui/networks")
        self.assertIn("answers REFUSED", self.text_of(".node.bad"))
        self.host.ask(("127.0.0.1", 5300), "fine.cross.test")
        self.go("/ui/now")
        self.find(".judgement.good", "All 2 rules can be answered.")
        self.find("main", "Every target that was asked answers.")

    def test_figures_are_of_the_last_seconds(self):
        self.log_in("/ui/now")
        self.find(".figures")
        for number in range(100):
            self.host.ask(("127.0.0.1", 5300), "web.corp.internal")
        self.wait(lambda: re.search(r"Queries\n(?!0\.0)\d+(\.\d)? a second", self.text()), "some queries a second")

    def test_the_picture_leads_on_and_a_table_says_the_same(self):
        self.log_in("/ui/networks")
        self.assertEqual(["hub", "hub-resolver/inbound", "corp.internal", "office"], [self.row("hub")[i] for i in (0, 3, 4, 5)])
        titles = self.texts(".node text")
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
        self.find(".judgement.warn")
        self.press("Go back now")
        self.wait(lambda: self.none(".judgement.warn"), "nothing to wait")
        self.assertEqual(404, self.call("GET", "/v1/" + where).status)
        self.good("POST", "changes?confirm=600", edit)
        self.press("Keep it")
        self.wait(lambda: self.none(".judgement.warn"), "nothing to wait")
        self.good("DELETE", where)


def made_up_history(hosts=("127.0.0.3:53", "127.0.0.5:53")):
    """As GET /v1/history tells it: the second target was away for a while, and nothing is known of the first steps."""
    count, step = 360, 10
    begin = time.time() // step * step - count * step

    def values(value):
        return [None] * 30 + [value(i) for i in range(30, count)]
    def wave(i):
        return math.sin(i / 45) + math.sin(i * 1.7) / 8 + math.sin(i / 7) / 10
    away = range(200, 230)
    sources = (("zone", 400, 0.03, 0.2), ("cache", 600, 0.05, 0.3), ("stale", 0, 0.06, 0.3), ("forwarded", 250, 12, 80))
    return {
        "span": "hour", "step_s": step, "count": count, "from": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(begin)),
        "endpoints": [{"name": name, "queries": values(lambda i: int(scale * (800 + 200 * wave(i)))), "over_limit": values(lambda i: 0),
                       "servfail": values(lambda i: 40 if i in away else 1)}
                      for name, scale in (("hub-resolver/inbound", 1), ("vnet_resolver", 0.5))],
        "sources": [{"name": name, "responses": values(lambda i: responses + 20 * wave(i) * (responses > 0) + (30 if name == "stale" and i in away else 0)),
                     "p50_us": values(lambda i: median * (1000 + 80 * wave(i * 3))), "p99_us": values(lambda i: slow * (1000 + 300 * wave(i * 2)))}
                    for name, responses, median, slow in sources],
        "classes": [{"name": name, "queries": values(lambda i: 100)} for name in ("zone", "office", "default")],
        "targets": [{"target": host, "protocol": "udp", "queries": values(lambda i: 200), "mean_us": values(lambda i: None if at and i in away else int(9000 + 2000 * wave(i * 2))),
                     "failures": values(lambda i: 150 if at and i in away else 0),
                     "up": values(lambda i: 0 if at and i in away else 1)} for at, host in enumerate(hosts)]}


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
        said = [text for text, _ in self.drawn(4)]
        self.assertEqual(["Queries a second", "Latency", "From the cache", "SERVFAIL"], [text.split(":")[0] for text in said])
        self.assertRegex(said[0], r"Last Queries \d+, between \d+ and 1\d\d; Over a limit 0, between 0 and 0\.$")
        self.assertIn("SERVFAIL: Last 0.1 %, between 0.1 % and ", said[3])
        self.find(".legend", "Of these stale")
        self.click("time-chart details summary")
        self.wait(lambda: len(self.rows()) >= 12, "the chart's table")
        self.assertRegex(self.rows()[0][1], r"^1\d\d$")
        self.assertEqual("true", self.find("[data-span=hour]").get_attribute("aria-pressed"))
        self.press("Last week")
        self.assertEqual("true", self.find("[data-span=week]").get_attribute("aria-pressed"))
        self.assertTrue(self.driver.current_url.endswith("/ui/now?span=week"))
        self.driver.refresh()
        self.drawn(4)
        self.assertEqual("true", self.find("[data-span=week]").get_attribute("aria-pressed"))

    def test_dark_is_drawn_dark(self):
        self.stands_in("/v1/history", made_up_history())
        self.log_in("/ui/now")
        self.drawn(4)
        colour = "return Chart.getChart(document.querySelector('canvas')).data.datasets[0].borderColor"
        light = self.driver.execute_script(colour)
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": "dark"}]})
        self.addCleanup(self.driver.execute_cdp_cmd, "Emulation.setEmulatedMedia", {"features": []})
        self.wait(lambda: self.driver.execute_script(colour) not in (light, ""), "another colour")

    def test_a_target_was_away(self):
        self.stands_in("/v1/history", made_up_history())
        self.log_in("/ui/targets")
        self.row("127.0.0.5:53")
        labels = self.wait(lambda: [strip.get_attribute("aria-label") for strip in
                                    self.driver.find_elements(By.CSS_SELECTOR, ".strip[aria-label]")], "the strips")
        self.assertIn("Up in the last hour.", labels)
        self.assertTrue(any(re.match(r"Not up from \d\d:\d\d to \d\d:\d\d\.$", label) for label in labels), labels)
        self.press("127.0.0.5:53")
        self.find("h1", "127.0.0.5:53 udp")
        said = [text for text, _ in self.drawn(3)]
        self.assertRegex(said[0], "Up: Last 100 %, between 0 % and 100 %")
        self.assertRegex(said[1], "Round trip: Last .* ms, between .* ms and .* ms")
        self.assertRegex(said[2], "Failed 0, between 0 and 15")
        self.find(".plain", "office/contoso")
        self.press("office/contoso")
        self.row("contoso.corp.")

    def test_what_draws_is_loaded_anew_where_it_did_not_come(self):
        self.stands_in("/v1/history", made_up_history())
        self.log_in("/ui/changes")
        self.driver.execute_cdp_cmd("Network.enable", {})
        self.addCleanup(self.driver.execute_cdp_cmd, "Network.disable", {})
        self.driver.execute_cdp_cmd("Network.setBlockedURLs", {"urls": ["*/ui/chart.min.js*"]})
        self.go("/ui/now")
        self.find("time-chart .warning", "it is tried again")
        self.assertRegex(self.charts()[0][0], "Queries a second: Last Queries")
        self.driver.execute_cdp_cmd("Network.setBlockedURLs", {"urls": []})
        self.drawn(4)
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
        self.wait(lambda: any(re.search(r"Queries a second: Last .*between .* and (?!0\b)\d", text) for text, _ in self.charts()), "what was just asked")

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
            self.host.ask(("127.0.0.1", 5300), "late150.n%d.contoso.corp" % number)
        for name in ("www.filed.internal", "www.far.example", self.script):
            self.host.ask(("127.0.0.1", 5300), name)

    def states(self):
        return {one.get_attribute("id").removeprefix("report-"): one.find_element(By.CSS_SELECTOR, "summary .state").text
                for one in self.driver.find_elements(By.TAG_NAME, "report-section")}

    def known(self):
        """Until nothing is being asked any more."""
        return self.wait(lambda: self.states() and not self.driver.find_elements(By.CSS_SELECTOR, "progress") and
                         "not looked at yet" not in self.states().values() and self.states(), "all of it")

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
        self.assertEqual(["office/idle", "loose/far\nits ruleset is linked to no network"], [row[0] for row in self.cells("rules")])
        self.assertRegex(self.cells("rules")[0][2], r"^never, since \d\d:\d\d:\d\d$")
        self.assertEqual(["127.0.0.66:53 udp", "any address", "office/idle"], self.cells("targets")[0][:3])
        self.assertIn(["www.filed.internal. A", "hub", "1 time", "private zone filed.internal is not linked to that network\nZone filed.internal"],
                      self.cells("leaving"))
        self.assertEqual("198.51.100.10 leads to one.example.com., which leads to 198.51.100.3 and not back", self.cells("ptrs")[0][1])
        self.find("#report-ptrs li", "198.51.100.11 could not be checked")
        self.assertEqual(["100.51.198.in-addr.arpa.", "pool", "sluice ptr delegation 198.51.100.0/24"], [self.cells("delegations")[0][i] for i in (0, 1, 3)])
        self.assertIn("rule office/contoso -> 127.0.0.5:53", [row[3] for row in self.cells("names")])
        self.assertEqual(["office/contoso", "contoso.corp.", "within 250 ms"], self.cells("slow")[0][:3])
        self.assertRegex(self.cells("slow")[0][3], r"^within [\d,]+ ms$")  # what was late decides
        self.find("#report-rules .hint code", "sluice delete rule RULESET NAME")
        self.follow("rules", "office/idle", "Rules", "Rule office/idle alone.", "1 row")
        self.follow("targets", "127.0.0.66:53", "127.0.0.66:53 udp", "not asked yet")
        self.follow("targets", "office/idle", "Rules", "Rule office/idle alone.")
        self.follow("leaving", "www.far.example.", "Ask", "Forwarded by Default resolver")
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
        self.assertIn([shown + " A", "hub", "1 time", "no public name ends in .lan"], self.cells("leaving"))
        self.assertTrue(self.none("main img"))
        self.follow("leaving", shown, "Ask")
        self.assertEqual("Reports - sluice", self.driver.title)

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
        self.assertEqual({"Log out", "Look again", "Export CSV"}, set(self.texts("button")))

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
        self.assertRegex(self.wait(lambda: self.find("#report-ptrs progress") and self.text_of("#report-ptrs"), "what is asked"),
                         r"\d+ of 10\d asked; known in about \d+ s\.")
        self.find("[role=status]", "Still being asked: PTRs that do not lead back")
        self.known()
        self.assertRegex(self.states()["ptrs"], r"^10\d findings$")
        self.assertEqual(100, len(self.cells("ptrs")))
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
        self.host.ask(("127.0.0.1", 5300), "a.contoso.corp")
        self.host.ask(("127.0.0.1", 5300), "www.example.com")
        self.log_in("/ui/now")
        self.find("main", "Report: nothing was found.")
        self.press("nothing was found")
        self.find("[role=status]", "Nothing was found, as of ")
        for section, state, text in (("rules", "all is well", "As counted since "), ("targets", "all is well", "As counted since "),
                                     ("leaving", "all is well", "In the last 12 to 24 hours."), ("ptrs", "nothing to look at", "No PTRs"),
                                     ("delegations", "nothing to look at", "No public reverse zones"), ("names", "2 names", "2 names most asked for")):
            self.find("#report-%s summary .state" % section, state)
            self.find("#report-" + section, text)
        self.assertTrue(self.none("main table:not([aria-label='Names asked most'])"))


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
        self.find(".verdict", "Forwarded by Rule office/contoso")
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
        self.wait(lambda: len(self.rows()) == 200, "the first of them")
        # The best of some, because others have the processor, too.
        self.assertLess(self.driver.execute_script("""const page = document.querySelector('queries-page');
            return Math.min(...Array.from({length: 5}, () => {
                const begin = performance.now();
                page.render();
                return performance.now() - begin;
            }))"""), 200)

    def test_names_of_clients_are_text(self):
        message = dns.query("x.corp.internal")
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
        self.find(".verdict", "Forwarded by Rule office/contoso")
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


class Everywhere(Browser):
    """What holds for every page."""
    pages = ("now", "ask", "reports", "networks", "rules", "targets", "zones", "zone?path=private_zones/-/corp.internal", "reverse",
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
        for page, field in (("target", "target"), ("rules", "search"), ("targets", "search"), ("zones", "search"), ("queries", "suffix"),
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
        self.log_in("/ui/nowhere")
        self.assertIn("There is no such page", self.text_of("main"))
        self.press("Begin here.")
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
                           ("rules", "sluice ruleset create office"), ("zones", "There is no private zone"),
                           ("reverse", "sluice address create mail"), ("changes", "Nothing has been changed")):
            self.go("/ui/" + page)
            self.find("main", text)

    def test_the_commands_that_it_tells_work(self):
        self.log_in()
        for page, shown in (("networks", "hub"), ("rules", "There is no rule yet"), ("reverse", "198.51.100.25")):
            self.go("/ui/" + page)
            for line in self.text_of("pre").splitlines():
                program, *words = line.split()
                self.assertEqual("sluice", program)
                status, printed = harness.command(*words[:2], "-c", self.sluice.config, *words[2:])
                self.assertEqual(0, status, printed)
            self.find("main", shown)


if __name__ == "__main__":
    harness.main()
