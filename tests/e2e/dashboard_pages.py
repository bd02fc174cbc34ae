"""Every page of the dashboard in every state of data, at every size, light and dark: for tests that look at all.

    states   Nothing, Little, Much: a server each
    pages    main.js's table, examples of those that the menu does not have, and what else is worth a look
    parts    what a button or a menu of a page opens
    views    1280, 1920 and 390 pixels, light and dark; a page is resized, and not loaded anew

A new page is walked to as soon as main.js has it; one without a title needs an example here."""

import os
import re
import socket
import urllib.parse

import dns
import harness
from dashboard import Browser, CONFIG, made_up_history
from selenium.common.exceptions import StaleElementReferenceException

FILES = os.path.join(harness.TOP, "resolver", "control", "dashboard", "files")
SIZES = {1280: 900, 1920: 1080, 390: 844}
SCHEMES = ("light", "dark")
RULES, RECORDS, DEAD, ADDRESSES, MACHINES, ZONES, NETWORKS = 502, 10003, 80, 300, 200, 60, 24

# 253 bytes, of labels as long as they may be, in which no line can break.
LONG = ".".join(["anameofsixtythreecharactersinwhichnolinebreaksbyitselfatanyplace"[:63]] * 4)[:248] + ".corp"
WIDE = "a-name-of-eighty-characters-which-is-as-long-as-azure-lets-anybody-name-a-thing-"[:80 - 1] + "x"
assert len(LONG) == 253 and max(map(len, LONG.split("."))) <= 63 and len(WIDE) == 80

# By the page's word in main.js: the part of its URL after the ?.
EXAMPLES = {
    "target": {"target": "127.0.0.5:53", "protocol": "udp"},
    "zone": {"path": "private_zones/-/corp.internal"},
    "registered": {},
    "address": {"id": "198.51.100.25"},
    "resource": {"path": "virtual_networks/-/hub"},
}
# More pages to look at: the page, a name, and the part after the ?.
OTHERS = (
    ("ask", "asked", {"name": "www.contoso.corp", "vnet": "hub", "ask": "1"}),
    ("ask", "refused", {"name": "not a name..", "vnet": "hub"}),
    ("rules", "without-one", {"search": "nothing has this"}),
    ("zone", "file", {"path": "private_zones/-/filed.internal"}),
    ("reports", "since-today", {"days": "0"}),
    ("nowhere", "", {}),
)
OTHERS_OF_MUCH = (
    ("ask", "long", {"name": LONG, "vnet": "hub"}),
    ("rules", "long", {"search": LONG}),
    ("zone", "large", {"path": "private_zones/-/large.internal"}),
    ("zone", "long", {"path": "private_zones/-/long.internal"}),
    ("target", "dead", {"target": "127.0.2.1:53", "protocol": "udp"}),
    ("address", "long", {"id": "198.51.101.43"}),
)
# Buttons of a page that act at once.
ACT = {"Keep it", "Go back now", "Log out"}

# Counts requests to the server, except streams, which do not end.
COUNT_CALLS = """{
    const real = window.fetch;
    window.underWay = 0;
    window.fetch = async (where, how) => {
        const counts = !String(how?.headers?.Accept).includes("event-stream");
        underWay += counts;
        try { return await real(where, how); } finally { underWay -= counts; }
    };
}"""
# Until the page has its heading, asks nothing and stays as it is, or it has had its time. A table marks its cut cells in the
# third frame after a change of its size, and on a busy machine a frame takes longer than the page must be quiet.
SETTLE = """const [quiet, most, done] = arguments, end = performance.now() + most, FRAMES = 5;
    let changed = performance.now(), frames = 0;
    const observer = new MutationObserver(() => { changed = performance.now(); frames = 0; });
    observer.observe(document.documentElement, {subtree: true, childList: true, characterData: true, attributes: true});
    const look = () => requestAnimationFrame(() => {
        const now = performance.now(), ready = document.querySelector('main :is(h1, .problem), form.login') && !window.underWay;
        if ((ready && now - changed > quiet && frames++ > FRAMES) || now > end) {
            observer.disconnect();
            done(now <= end);
        } else setTimeout(look, 20);
    });
    look();"""
# The buttons in a part of the page: the first of each kind, by its label.
OPENERS = """const [css] = arguments, seen = new Set(), found = [];
    for (const one of document.querySelectorAll(css)) {
        const word = (one.getAttribute('aria-label') || one.innerText).split(':')[0].replace(/[0-9]+/g, '').trim();
        if (one.disabled || !one.checkVisibility({visibilityProperty: true}) || !word || seen.has(word)) continue;
        seen.add(word);
        found.push([word, one]);
    }
    return found;"""
BUTTONS = "main button:not(th button, .whole)"  # those that sort, and those that show a row whole, open nothing
ITEMS = "[role=menu] button"
ALIKE = 3  # as many whose first word is the same are pressed


def menu():
    """The words of main.js's table in its order: whether it is in the menu, by word."""
    with open(os.path.join(FILES, "main.js"), encoding="utf-8") as file:
        table = re.search(r"(?s)const PAGES = \[(.*?)\n\];", file.read()).group(1)
    return {row.group(1): "title:" in row.group(0) for row in re.finditer(r'(?m)^\s*\{page: "([^"]+)".*', table)}


def url(word, fields):
    return "/ui/" + word + ("?" + urllib.parse.urlencode(fields) if fields else "")


LAST = 65535  # the id of the question whose response is awaited


class Walk(Browser):
    """All pages of a server in one state of data."""
    state = None
    others = OTHERS

    @classmethod
    def build(cls, world):
        super().build(world)
        cls.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": COUNT_CALLS})
        cls.stock()

    @classmethod
    def stock(cls):
        """Makes the data of the state beyond its configuration."""

    @classmethod
    def change(cls, edits, query=""):
        answer = cls.call(cls, "POST", "/v1/changes" + query, {"edits": [{"path": path, "values": values} for path, values in edits]})
        if answer.status != 200:
            raise AssertionError(answer.body[:2000])

    @classmethod
    def asks(cls, names):
        """Asks for all of these names. After each 50, a name of a zone that the server has is asked for and its response awaited, so
        that the server has read them all: a socket's buffer holds some hundred. Responses to the others are not awaited."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.connect(("127.0.0.1", 5300))
            sock.settimeout(10)
            last = dns.query("corp.internal", ident=LAST)
            for start in range(0, len(names), 50):
                for name in names[start:start + 50]:
                    sock.send(dns.query(name, ident=LAST - 1))
                sock.send(last)
                while sock.recv(65535)[:2] != last[:2]:
                    pass

    def pages(self):
        """(name, path) of each."""
        missing = [word for word, has_title in menu().items() if not has_title and word not in EXAMPLES]
        self.assertEqual([], missing, "pages of main.js that the menu does not have, and EXAMPLES does not either")
        rows = [(word, "", {} if has_title else EXAMPLES[word]) for word, has_title in menu().items()] + list(self.others)
        return [("-".join(filter(None, (word, called))), url(word, fields)) for word, called, fields in rows]

    # ---- views ----

    def view(self, width, scheme):
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                                    {"width": width, "height": SIZES[width], "deviceScaleFactor": 1, "mobile": width < 500})

    def settle(self, quiet_ms=120, most_ms=4000):
        return self.driver.execute_async_script(SETTLE, quiet_ms, most_ms)

    def views(self, look, name):
        for width in SIZES:
            for scheme in SCHEMES:
                self.view(width, scheme)
                self.settle(60)
                look(name, width, scheme)

    # ---- the walk ----

    def walk(self, look, parts=True):
        """Calls look(name, width, scheme) with each page and part at each size, light and dark."""
        self.view(1280, "light")
        if self.state != "nothing":
            self.stands_in("/v1/history", made_up_history())
        self.go("/ui/")
        self.find("form.login")
        self.views(look, "login")
        self.view(1280, "light")
        self.log_in()
        for name, path in self.pages():
            self.view(1280, "light")
            self.go(path)
            self.settle()
            self.views(look, name)
            if parts:
                self.open_all(look, name, path)

    def openers(self, css):
        """The examples of each word, by their labels."""
        kinds = {}
        for word, one in self.driver.execute_script(OPENERS, css):
            if word not in ACT:
                kinds.setdefault(word.split()[0], []).append((word, one))
        return dict(pair for alike in kinds.values() for pair in alike[:ALIKE])

    def opened(self):
        """The element over the page: "dialog", "menu", or None."""
        return self.driver.execute_script("""return document.querySelector('dialog[open]') ? 'dialog'
            : [...document.querySelectorAll('[role=menu]')].some(one => one.checkVisibility()) ? 'menu' : null""")

    def close(self):
        for _ in range(3):
            if not self.opened():
                return
            self.driver.execute_cdp_cmd("Input.dispatchKeyEvent", {"type": "keyDown", "key": "Escape", "code": "Escape", "windowsVirtualKeyCode": 27})
            self.driver.execute_cdp_cmd("Input.dispatchKeyEvent", {"type": "keyUp", "key": "Escape", "code": "Escape", "windowsVirtualKeyCode": 27})
            self.settle(40, 500)

    def press_opener(self, one):
        """Whether something has opened."""
        try:
            self.driver.execute_script("arguments[0].scrollIntoView({block: 'center'}); arguments[0].click()", one)
        except StaleElementReferenceException:
            return None
        self.settle(60, 1500)
        return self.opened()

    @staticmethod
    def slug(*words):
        return "-".join(re.sub(r"[^a-z0-9]+", "-", word.lower()).strip("-") for word in words)

    def open_all(self, look, name, path):
        """Each dialog and menu that buttons of the page open; of pages of one kind each is opened once."""
        for word in self.openers(BUTTONS):
            if (name.split("-")[0], word) in self.seen:
                continue
            self.seen.add((name.split("-")[0], word))
            self.view(1280, "light")
            button = self.openers(BUTTONS).get(word)
            what = button and self.press_opener(button)
            if what:
                self.views(look, self.slug(name, word))
            for item in self.openers(ITEMS) if what == "menu" else ():
                self.view(1280, "light")
                if self.opened() != "menu" and (button := self.openers(BUTTONS).get(word)):
                    self.press_opener(button)
                chosen = self.openers(ITEMS).get(item)
                if chosen and self.press_opener(chosen) == "dialog":
                    self.views(look, self.slug(name, word, item))
                self.close()
            self.close()
            if self.driver.execute_script("return location.pathname + location.search") != path:
                self.go(path)
                self.settle()

    def setUp(self):
        super().setUp()
        self.seen = set()


class Nothing(Walk):
    """A server that has a network's worth of nothing."""
    state = "nothing"
    config = re.sub(r"(?s)address_pools = .*", "", CONFIG).replace("127.0.0.1:5310", "127.0.0.1:5300")


LITTLE = CONFIG.replace('links = ( { name = "hub"; virtual_network = "hub"; } );\n  record_sets',
                        'links = ( { name = "hub"; virtual_network = "hub"; registration = true; } );\n  record_sets') + """
keys = ( { name = "dhcp"; secret = "c2x1aWNlIHJlZ2lzdGVycyBtYWNoaW5lcyBoZXJlIQ=="; } );
registration = ( { zone = "corp.internal"; prefixes = [ "10.10.0.0/16" ]; keys = ( { key = "dhcp"; } ); } );
query_log = { file = "queries.json"; };
"""


def machine(name, address):
    return "network_interfaces/-/" + name, {"ip_configurations": [{"name": "ip", "subnet": "hub/vms", "address": address}]}


class Little(Walk):
    """Like on the first day: a few of everything, one of which does not work."""
    state = "little"
    config = LITTLE

    @classmethod
    def stock(cls):
        alive, dead = [{"address": "127.0.0.5"}], [{"address": "127.0.0.66"}]
        cls.change([
            ("private_zones/-/apps.internal", {}), ("private_zones/-/apps.internal/links/hub", {"virtual_network": "hub"}),
            ("private_zones/-/apps.internal/record_sets/shop:A", {"ttl": 300, "records": ["10.10.2.1", "10.10.2.2"]}),
            ("rulesets/-/office/rules/fabrikam", {"domain": "fabrikam.corp.", "targets": dead}),
            ("rulesets/-/office/rules/branch", {"domain": "branch.contoso.corp.", "targets": alive}),
            ("virtual_networks/-/hub/subnets/vms", {"prefix": "10.10.7.0/24"}), machine("web", "10.10.7.4"), machine("box", "10.10.7.5"),
            *[("addresses/-/host%d" % number, {"region": "westeurope", "address": "198.51.100.%d" % number,
                                               **({"reverse_fqdn": name + ".example.com."} if name else {})})
              for number, name in ((25, "mail"), (26, "smtp"), (27, None))]])
        cls.change([("rulesets/-/office/rules/branch", {"domain": "branch.contoso.corp.", "targets": alive, "state": "Disabled"})])
        cls.change([("rulesets/-/office/rules/tried", {"domain": "tried.corp.", "targets": alive})])
        cls.change([("rulesets/-/office/rules/tried", None)])
        cls.asks(["n%d.%s" % (number, zone) for number in range(8) for zone in ("fabrikam.corp", "contoso.corp", "corp.internal", "example.com")])
        harness.wait_for(lambda: any(one["state"] == "suspect" for one in cls.sluice.status()["targets"]), "a dead target")


class Much(Walk):
    """Like after years: more than anybody reads, and names of the greatest length."""
    state = "much"
    others = OTHERS + OTHERS_OF_MUCH
    config = (LITTLE.replace("limits = { rulesets_per_virtual_network = 2; }",
                             "limits = { rulesets_per_virtual_network = 100; rulesets_per_outbound_endpoint = 100; }")
              .replace('prefix = "198.51.100.0/24"', 'prefix = "198.51.100.0/23"'))
    sets = ("office", "sales", "factory", "branches", "partners", "cloud", "laboratory", WIDE)

    filed = "".join("host%d 300 IN A 10.10.%d.%d\n" % (i, i // 250, i % 250 + 1) for i in range(3000))

    @classmethod
    def targets(cls, number):
        if number < DEAD:
            return [{"address": "127.0.2.%d" % (number + 1)}]
        return [{"address": "127.0.0.5"}, {"address": "127.0.3.%d" % (number % 200 + 1)}][:1 + number % 2]

    @classmethod
    def stock(cls):
        edits = []
        networks = ["hub", WIDE] + ["spoke-%02d" % number for number in range(NETWORKS - 2)]
        for number, network in enumerate(networks[1:], 11):
            edits.append(("virtual_networks/-/" + network, {"address_space": ["10.%d.0.0/16" % number, "172.16.%d.0/24" % number]}))
        for number, ruleset in enumerate(cls.sets):
            if number:
                edits.append(("rulesets/-/" + ruleset, {"outbound_endpoints": ["hub-resolver/default"]}))
            for network in ["hub"] + networks[number::3] if number else []:
                edits.append(("rulesets/-/%s/links/%s" % (ruleset, network), {"virtual_network": network}))
        for number in range(RULES - 2):
            ruleset = cls.sets[number % len(cls.sets)]
            edits.append(("rulesets/-/%s/rules/rule-%d" % (ruleset, number), {
                "domain": "d%d.%s.corp." % (number, "cloud" if ruleset == WIDE else ruleset), "targets": cls.targets(number),
                "state": "Disabled" if number % 50 == 49 else "Enabled"}))
        edits.append(("rulesets/-/%s/rules/%s" % (WIDE, WIDE), {"domain": LONG + ".", "targets": [{"address": "127.0.0.5"}] * 1 + [
            {"address": "127.0.4.%d" % number} for number in range(1, 6)]}))
        for number in range(ZONES):
            zone = "private_zones/-/zone-%d.internal" % number
            edits += [(zone, {}), (zone + "/links/hub", {"virtual_network": "hub"}),
                      (zone + "/record_sets/www:A", {"ttl": 300, "records": ["10.10.3.%d" % number]})]
        for zone in ("large", "long"):
            edits += [("private_zones/-/%s.internal" % zone, {})] + [
                ("private_zones/-/%s.internal/links/%s" % (zone, network), {"virtual_network": network}) for network in networks]
        edits += [("private_zones/-/large.internal/record_sets/host-%d:A" % number,
                   {"ttl": 300, "records": ["10.20.%d.%d" % (number // 250, number % 250 + 1)]}) for number in range(RECORDS - 3)]
        edits += [("private_zones/-/large.internal/record_sets/mail:TXT", {"ttl": 60, "records": ['"v=spf1 ip4:192.0.2.0/24 %s -all"' % ("include:example.com " * 11)]}),
                  ("private_zones/-/large.internal/record_sets/many:A", {"ttl": 60, "records": ["10.30.0.%d" % i for i in range(1, 21)]}),
                  ("private_zones/-/large.internal/record_sets/alias:CNAME", {"ttl": 60, "records": [LONG + "."]}),
                  ("private_zones/-/long.internal/record_sets/%s:A" % LONG[:253 - len(".long.internal")].rstrip(".-"), {"ttl": 60, "records": ["10.30.1.1"]})]
        edits.append(("virtual_networks/-/hub/subnets/vms", {"prefix": "10.10.128.0/17"}))
        edits += [machine("machine-%d" % number, "10.10.%d.%d" % (128 + number // 200, number % 200 + 4)) for number in range(MACHINES)]
        edits.append(machine(WIDE[:60] + "x", "10.10.140.4"))
        for number in range(ADDRESSES):
            address = "198.51.%d.%d" % (100 + number // 256, number % 256)
            values = {"region": "westeurope", "address": address}
            if number % 3:
                values["reverse_fqdn"] = "host-%d.example.com." % number
            if number == ADDRESSES - 1 or address == "198.51.101.43":
                values.update(reverse_fqdn=LONG + ".", description="A description that somebody wrote with care, " * 2 + "as the name alone does not say it.")
            edits.append(("addresses/-/%s" % (WIDE if number == ADDRESSES - 1 else "host-%d" % number), values))
        cls.change(edits)
        for number in range(40):
            cls.change([("rulesets/-/office/rules/rule-0", {"domain": "d0.office.corp.", "targets": cls.targets(0), "description": "edit %d" % number})])
        cls.change([("rulesets/-/office/rules/waits", {"domain": "waits.corp.", "targets": [{"address": "127.0.0.5"}]})], "?confirm=3600")
        dead = ["n%d.d%d.%s.corp" % (again, number, "cloud" if cls.sets[number % len(cls.sets)] == WIDE else cls.sets[number % len(cls.sets)])
                for again in range(6) for number in range(DEAD)]
        cls.asks(dead + ["n%d.d%d.sales.corp" % (number, number * 8 + 81) for number in range(40)] + [LONG]
                 + ["host-%d.large.internal" % number for number in range(100)])
        harness.wait_for(lambda: cls.dead() >= DEAD, "the dead targets")

    @classmethod
    def dead(cls):
        return sum(one["state"] == "suspect" for one in cls.sluice.status()["targets"])


STATES = (Nothing, Little, Much)
