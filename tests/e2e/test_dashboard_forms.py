"""The dashboard's forms: every kind of resource is made, changed and deleted in the browser, what is wrong is said at its
field, what there is to choose from is offered, and a change that waits has its buttons on every page."""

import json

import dns
import harness
from dashboard import CONFIG, EYE, Browser
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

# One of each kind, in an order in which each finds what it needs: kind, the tab or the path of what it is inside, its
# name, what is typed, and a member that is another one later.
AT_THE_TOP = (
    ("group", {"Name": "berlin"}, ("Tags", "team=dns"), {"tags": {"team": "dns"}}),
    ("network", {"Name": "spoke", "Address space": "10.20.0.0/16"}, ("DNS servers", "10.20.0.5\n10.20.0.6:5353"),
     {"dns_servers": ["10.20.0.5:53", "10.20.0.6:5353"]}),
    ("resolver", {"Name": "spoke-resolver", "Virtual network": "spoke"}, ("Tags", "a=1"), {"tags": {"a": "1"}}),
    ("zone", {"Name": "made.internal"}, ("Tags", "a=1"), {"tags": {"a": "1"}}),
    ("ruleset", {"Name": "branch"}, ("Tags", "a=1"), {"tags": {"a": "1"}}),
    ("address-pool", {"Name": "second", "Prefix": "203.0.113.0/28"}, ("Zone", "0-15.113.0.203.in-addr.arpa"), {"zone": "0-15.113.0.203.in-addr.arpa."}),
    ("key", {"Name": "transfer-key", "Secret file": "tsig.secret"}, ("Algorithm", "Hmac sha512"), {"algorithm": "hmac-sha512"}),
    ("transfer", {"Name": "copies", "Key": "transfer-key"}, ("Allow", "127.0.0.0/8"), {"allow": ["127.0.0.0/8"]}),
    ("client", {"ID": "ci", "Secret SHA-256": "5e" * 32}, ("Role", "Admin"), {"role": "admin"}),
    ("private-endpoint", {"Name": "store", "Subnet": "spoke/machines"}, ("Tags", "a=1"), {"tags": {"a": "1"}}),
    ("address", {"Name": "mail", "Reverse FQDN": "mail.example.com."}, ("Description", "for mail"), {"description": "for mail"}),
    ("service", {"Name": "shop", "Address": "198.51.100.77"}, ("Description", "for sale"), {"description": "for sale"}),
)
INSIDE = (
    ("virtual_networks/-/spoke", "peering", {"Name": "to-hub"}, ("Azure", "allowForwardedTraffic=true"), {"azure": {"allowForwardedTraffic": "true"}}),
    ("resolvers/-/spoke-resolver", "inbound-endpoint", {"Name": "in", "Listen": "127.0.0.1:5320"}, ("Allow", "127.0.0.0/8"), {"allow": ["127.0.0.0/8"]}),
    ("resolvers/-/spoke-resolver", "outbound-endpoint", {"Name": "out"}, ("Source", "0.0.0.0"), {"source": "0.0.0.0"}),
    ("private_zones/-/made.internal", "zone-link", {"Name": "spoke", "Virtual network": "spoke"}, ("Registration", True), {"registration": True}),
    ("private_zones/-/made.internal", "record-set", {"Name": "www:A", "Records": "10.20.0.9"}, ("TTL (seconds)", "60"), {"ttl": 60}),
    ("rulesets/-/branch", "ruleset-link", {"Name": "spoke", "Virtual network": "spoke"}, ("Metadata", "a=1"), {"metadata": ["a=1"]}),
)
COLLECTIONS = {"network": "virtual_networks", "zone": "private_zones", "zone-link": "links", "ruleset-link": "links", "address": "addresses"}


def collection(kind):
    return COLLECTIONS.get(kind, kind.replace("-", "_") + "s")


def noun(kind):
    return kind.replace("-", " ")


def article(kind):
    return ("an " if kind[0] in "aeiou" else "a ") + noun(kind)


class Form(Browser):
    def unfold(self):
        """What few give."""
        self.driver.execute_script("document.querySelectorAll('dialog details.fold').forEach(one => { one.open = true; })")

    def put(self, label, value):
        field = self.field(label)
        if field.tag_name == "select":
            Select(field).select_by_visible_text(value)
        elif value is True:
            field.click()
        else:
            self.fill(label, value)

    def save(self, button, values):
        self.find("dialog h2")
        self.unfold()
        for label, value in values.items():
            self.put(label, value)
        self.press(button, "dialog")

    def closed(self):
        self.wait(lambda: self.none("dialog"), "the dialog to close")

    def fault_of(self, label):
        """What is said at the field, as one who does not see it hears it."""
        field = self.field(label)
        ids = (field.get_attribute("aria-describedby") or "").split()
        said = [self.driver.find_element(By.ID, one) for one in ids if one.endswith("-fault")]
        return said[0].text.lstrip("\u26a0\u00a0 ") if said and field.get_attribute("aria-invalid") == "true" else None


class EveryKind(Form):
    def create_and_change(self, where, kind, name, values, changed, expected):
        self.press("Add " + article(kind))
        self.save("Add", values)
        self.closed()
        self.row(name)
        self.good("GET", where)
        self.more("%s %s" % (noun(kind), name), "Edit")
        self.save("Save", dict([changed]))
        self.closed()
        shown = self.good("GET", where)
        self.assertEqual(expected, {key: shown[key] for key in expected}, where)

    def test_each_is_made_changed_and_deleted(self):
        harness.write_file = None
        self.world.secret("tsig.secret", "c2VjcmV0IHNlY3JldCBzZWNyZXQgc2VjcmV0IQ==")
        self.log_in("/ui/resources")
        self.find("h1", "Resources")
        for kind, values, changed, expected in AT_THE_TOP:
            name = values.get("Name") or values["ID"]
            self.go("/ui/resources?kind=" + kind)
            if kind == "private-endpoint":
                self.good("PUT", "virtual_networks/-/spoke/subnets/machines", {"prefix": "10.20.9.0/24"})
            if kind == "transfer":
                self.press("Add a transfer")
                self.fill("Zones", "made.internal")
                self.press("Cancel", "dialog")
            self.create_and_change("%s/-/%s" % (collection(kind), name), kind, name, values, changed, expected)
        for parent, kind, values, changed, expected in INSIDE:
            self.go("/ui/resource?path=" + parent)
            self.create_and_change("%s/%s/%s" % (parent, collection(kind), values["Name"]), kind, values["Name"], values, changed, expected)


if __name__ == "__main__":
    harness.main()
