"""For tests of the dashboard: a server, and a browser (Debian's chromium, headless) that looks at its pages."""

import contextlib
import http.client
import json
import math
import os
import socket
import sys
import time

import dns
import harness

try:
    from selenium import webdriver
except ImportError:
    DEBIANS = "/usr/bin/python3"  # the interpreter of Debian's packages, whichever runs the tests
    if not os.path.exists(DEBIANS) or os.path.realpath(sys.executable) == os.path.realpath(DEBIANS):
        raise
    os.execv(DEBIANS, [DEBIANS] + sys.argv)
from selenium.common.exceptions import (ElementClickInterceptedException, ElementNotInteractableException,
                                        NoSuchElementException, StaleElementReferenceException)
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
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
# A moment ago, as the pages show it: a clock, and just after midnight the day as well.
SHOWN_TIME = r"(?:[A-Z][a-z]{2} \d+, \d\d:\d\d|\d\d:\d\d:\d\d)"
# Texts that a browser would run as markup, and a text written from right to left.
HOSTILE = "<script>document.title='owned'</script><img src=x onerror=document.title='owned'> \u05d0\u05d1\u05d2"


class Here(harness.Host):
    """The world's own network as a machine, so that the many calls of the browser's driver need not enter another
    one."""

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
    driver.set_script_timeout(dns.PATIENCE)
    driver.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": folder})
    return driver


class Browser(harness.Case):
    """One server and one browser for all tests of a class."""
    config = CONFIG
    filed = 'www 300 IN A 10.10.1.11\nnote IN TXT "<b>filed</b>"\n'  # a zone's master file

    @classmethod
    def build(cls, world):
        os.environ["HOME"] = world.dir
        world.secret("ops.secret", OPS)
        world.secret("eye.secret", EYE)
        world.write("filed.zone", cls.filed)
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
        """Checks that no page violates its own policy or fails invisibly."""
        self.assertEqual([], self.console_errors())

    def console_errors(self):
        """The browser's errors since the last call, without the server's refusals."""
        return [line["message"] for line in self.driver.get_log("browser") if line["level"] == "SEVERE" and line["source"] != "network"]

    # ---- the server ----

    def call(self, method, path, body=None, secret=OPS, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=5 * dns.PATIENCE)
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

    def ask_counted(self, name):
        """Asks until the list of names changes: a query that is answered while the server reads them is not counted."""
        before = self.good("GET", "names")["names"]

        def is_counted():
            self.host.ask(("127.0.0.1", 5300), name)
            return self.good("GET", "names")["names"] != before
        harness.wait_for(is_counted, name + " to be counted")

    def stands_in(self, path, answer, status=200):
        """From the next page on the browser gets this instead of the server's response for the path."""
        made = self.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": """{
            const real = window.fetch;
            window.fetch = (where, how) => new URL(where, location.href).pathname !== %s ? real(where, how)
              : Promise.resolve(new Response(%s, {status: %d, headers: {"Content-Type": "application/json"}}));
        }""" % (json.dumps(path), json.dumps(json.dumps(answer)), status)})
        self.addCleanup(self.driver.execute_cdp_cmd, "Page.removeScriptToEvaluateOnNewDocument", made)

    def stands_for(self, source):
        """From the next page on the browser calls this function instead of fetch, which is `real` in it."""
        made = self.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": "{ const real = window.fetch; window.fetch = %s; }" % source})
        self.addCleanup(self.driver.execute_cdp_cmd, "Page.removeScriptToEvaluateOnNewDocument", made)

    def watches(self):
        """From the next page on the browser notes the requested paths: asked_for()."""
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
        """Opens another window with the same login; returns both windows, the first one first."""
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
            with contextlib.suppress(NoSuchElementException, StaleElementReferenceException,
                                     ElementClickInterceptedException, ElementNotInteractableException):
                return condition()
        try:
            return harness.wait_for(attempt, what)
        except AssertionError as error:
            raise AssertionError("%s\n%s\n%s" % (error, self.driver.current_url, self.text()[:2000])) from None

    def has_title(self, page):
        title = "%s - %s - sluice" % (page, socket.gethostname())
        self.wait(lambda: self.driver.title == title, "the title " + title)

    def text(self):
        return self.driver.find_element(By.TAG_NAME, "body").text

    def drawn(self, script):
        """The time of the function that the script returns, as a multiple of the time in which the browser draws a
        table of 1000 plain rows. Of each the quickest of five counts, because other processes use the processor,
        too."""
        return self.driver.execute_script("""const action = (() => {%s})();
            const table = () => {
                const body = document.createElement('tbody');
                for (let i = 0; i < 1000; i++) {
                    const row = body.insertRow();
                    for (let k = 0; k < 6; k++) row.insertCell().textContent = `${i} ${k}`;
                }
                document.body.append(body);
                body.getBoundingClientRect();
                body.remove();
            };
            const time = one => { const begin = performance.now(); one(); return performance.now() - begin; };
            const [ours, plain] = [action, table].map(() => []);
            for (let i = 0; i < 5; i++) { ours.push(time(action)); plain.push(time(table)); }
            return Math.min(...ours) / Math.min(...plain)""" % script)

    def log_in(self, path="/ui/", client="ops", secret=OPS):
        self.driver.get(ROOT + path)
        self.fill("Client", client)
        self.fill("Secret", secret)
        self.press("Log in")
        self.find("header .who")

    def go(self, path):
        self.driver.get(ROOT + path)

    def first(self, css, condition, *arguments):
        """The first shown element that matches `css` and fulfils the condition: JavaScript about `one` (the element),
        `text` (its text) and `given` (the arguments). One script looks for it, because a page may draw anew at any
        moment."""
        return self.driver.execute_script("""const [css, ...given] = arguments;
            return [...document.querySelectorAll(css)].find(one => {
                const text = (one.innerText ?? one.textContent).trim();
                return one.getClientRects().length > 0 && one.checkVisibility({visibilityProperty: true}) && (%s);
            })""" % condition, css, *arguments)

    def find(self, css, text=None):
        """The first shown element with this text."""
        return self.wait(lambda: self.first(css, "given[0] === null || text.includes(given[0])", text), "%s with %s" % (css, text))

    def none(self, css):
        return not self.driver.find_elements(By.CSS_SELECTOR, css)

    # A page may be drawn again between finding an element and using it.

    def text_of(self, css, text=None):
        return self.wait(lambda: self.find(css, text).text, "the text of " + css)

    def texts(self, css):
        """The texts of all shown elements, at one moment."""
        return self.driver.execute_script("""
            return [...document.querySelectorAll(arguments[0])].filter(one => one.getClientRects().length > 0)
                .map(one => (one.innerText ?? one.textContent).trim())""", css)

    def attribute(self, name, css, text=None):
        """The attribute of the first element that `find` finds; None: it has none."""
        return self.wait(lambda: (self.find(css, text).get_attribute(name),), "%s of %s" % (name, css))[0]

    def attributes(self, name, css):
        """Of all, at one moment."""
        return self.driver.execute_script(
            "return [...document.querySelectorAll(arguments[1])].map(one => one.getAttribute(arguments[0]))", name, css)

    def keys(self, *keys):
        """Sends keys to the element with the focus."""
        ActionChains(self.driver).send_keys(*keys).perform()

    def focused(self):
        """The text of the element with the focus."""
        return self.driver.execute_script("return document.activeElement.innerText.trim()")

    def click(self, css, text=None):
        self.wait(lambda: self.find(css, text).click() or True, "a click on " + css)

    def press(self, text, within=""):
        """A button or a link by its name or label."""
        def pressed():
            element = self.first("%s button, %s a, %s summary" % ((within,) * 3),
                                 "!one.disabled && [text, one.getAttribute('aria-label')].includes(given[0])", text)
            if element:
                self.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
                element.click()
            return element
        self.wait(pressed, "the button " + text)

    def field(self, label):
        """A field by its label."""
        def found():
            one = self.first("label", "text.replace(/ \\(required\\)$/, '') === given[0]", label)
            return one and self.driver.find_element(By.ID, one.get_attribute("for"))
        return self.wait(found, "the field " + label)

    def fill(self, label, text):
        def filled():
            field = self.field(label)
            field.clear()
            field.send_keys(text)
            return True
        self.wait(filled, "the field " + label)

    def more(self, of, what):
        """Chooses from the menu of a row."""
        self.press("More: " + of)
        self.press(what, "[role=menu]")

    def downloaded(self, name):
        """Waits until a file is complete: before, it exists and is empty."""
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
        """The texts of the cells of each row of the page's tables."""
        return self.driver.execute_script(
            "return [...document.querySelectorAll('main tbody tr')].map(tr => [...tr.cells].map(td => td.innerText.trim()))")

    def row(self, *texts):
        """Waits for a row that has these among its cells' texts."""
        def found():
            for row in self.rows():
                if all(any(text in cell for cell in row) for text in texts):
                    return row
        return self.wait(found, "a row with %s" % (texts,))


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
                       "responses": values(lambda i: int(scale * (800 + 200 * wave(i)))),
                       "servfail": values(lambda i: 40 if i in away else 1)}
                      for name, scale in (("hub-resolver/inbound", 1), ("vnet_resolver", 0.5))],
        "sources": [{"name": name, "responses": values(lambda i: responses + 20 * wave(i) * (responses > 0) + (30 if name == "stale" and i in away else 0)),
                     "p50_us": values(lambda i: median * (1000 + 80 * wave(i * 3))), "p99_us": values(lambda i: slow * (1000 + 300 * wave(i * 2)))}
                    for name, responses, median, slow in sources],
        "classes": [{"name": name, "kind": kind, "queries": values(lambda i, n=n: n)}
                    for name, kind, n in (("zone", "zone", 500), ("office", "ruleset", 300), ("default", "default", 200))],
        "targets": [{"target": host, "protocol": "udp", "queries": values(lambda i: 200), "mean_us": values(lambda i: None if at and i in away else int(9000 + 2000 * wave(i * 2))),
                     "failures": values(lambda i: 150 if at and i in away else 0),
                     "up": values(lambda i: 0 if at and i in away else 1)} for at, host in enumerate(hosts)]}
