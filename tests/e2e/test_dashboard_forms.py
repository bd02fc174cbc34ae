"""The dashboard's forms: every kind of resource is made, changed and deleted in the browser, what is wrong is said at its
field, what there is to choose from is offered, and a change that waits has its buttons on every page."""

import json
import os
import time

import harness
from dashboard import EYE, Browser
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select

PTR = "PTR domain name"  # what the dashboard calls reverse_fqdn

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
    ("key", {"Name": "transfer-key", "Secret file": "tsig.secret"}, ("Algorithm", "hmac-sha512"), {"algorithm": "hmac-sha512"}),
    ("transfer", {"Name": "copies", "Zones": "made.internal", "Key": "transfer-key"}, ("Allow", "127.0.0.0/8"), {"allow": ["127.0.0.0/8"]}),
    ("client", {"ID": "ci", "Secret SHA-256": "5e" * 32}, ("Role", "admin"), {"role": "admin"}),
    ("private-endpoint", {"Name": "store", "Subnet": "spoke/machines"}, ("Tags", "a=1"), {"tags": {"a": "1"}}),
    ("address", {"Name": "mail", PTR: "mail.example.com."}, ("Description", "for mail"), {"description": "for mail"}),
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
        self.world.secret("tsig.secret", "c2VjcmV0IHNlY3JldCBzZWNyZXQgc2VjcmV0IQ==")
        self.log_in("/ui/resources")
        self.find("h1", "Resources")
        for kind, values, changed, expected in AT_THE_TOP:
            name = values.get("Name") or values["ID"]
            if kind == "key":
                values = {**values, "Secret file": os.path.join(self.world.dir, values["Secret file"])}
            self.go("/ui/resources?kind=" + kind)
            if kind == "private-endpoint":
                self.good("PUT", "virtual_networks/-/spoke/subnets/machines", {"prefix": "10.20.9.0/24"})
            self.create_and_change("%s/-/%s" % (collection(kind), name), kind, name, values, changed, expected)
        for parent, kind, values, changed, expected in INSIDE:
            self.go("/ui/resource?path=" + parent)
            self.create_and_change("%s/%s/%s" % (parent, collection(kind), values["Name"]), kind, values["Name"], values, changed, expected)
        # What is inside of it goes with it.
        for kind, values, *_ in reversed(AT_THE_TOP):
            name = values.get("Name") or values["ID"]
            self.go("/ui/resources?kind=" + kind)
            self.more("%s %s" % (noun(kind), name), "Delete")
            self.press("Delete", "dialog")
            self.closed()
            self.assertEqual(404, self.call("GET", "/v1/%s/-/%s" % (collection(kind), name)).status)
        self.go("/ui/changes")
        self.row("deleted group berlin")
        self.press("Undo", "tbody tr")
        self.press("Undo", "dialog")
        self.wait(lambda: self.call("GET", "/v1/groups/-/berlin").status == 200, "the undo")


class Lists(Form):
    """Members that are lists of things with members."""

    def test_targets_are_added_changed_and_removed_one_by_one(self):
        where = "rulesets/-/office/target_groups/pair"
        self.log_in("/ui/resource?path=rulesets/-/office")
        self.press("Add a target group")
        self.fill("Name", "pair")
        self.fill("Address", "127.0.0.5")
        self.press("Add target", "dialog")
        second = self.driver.switch_to.active_element
        second.send_keys("not-an-address")
        self.press("Add", "dialog")
        self.find("dialog li:nth-child(2) .fault", "give an address")
        self.assertEqual(1, len(self.texts("dialog .fault")))
        self.assertEqual("true", second.get_attribute("aria-invalid"))
        second.clear()
        second.send_keys("::1")
        self.assertEqual([], self.texts("dialog .fault"))
        self.press("Add", "dialog")
        self.closed()
        self.row("pair", "127.0.0.5, ::1")
        self.more("target group pair", "Edit")
        self.press("Remove this target", "dialog")
        self.press("Save", "dialog")
        self.closed()
        self.wait(lambda: ["::1"] == [one["address"] for one in self.good("GET", where)["targets"]], "the first to go")
        self.good("DELETE", where)

    def test_an_interface_has_its_addresses(self):
        where = "network_interfaces/-/vm1"
        self.good("PUT", "virtual_networks/-/hub-2", {"address_space": ["10.30.0.0/16"]})
        self.good("PUT", "virtual_networks/-/hub-2/subnets/machines", {"prefix": "10.30.1.0/24"})
        self.log_in("/ui/resources?kind=network-interface")
        self.press("Add a network interface")
        self.driver.execute_script("document.querySelector('dialog li form-field input').id = 'first-name'")
        self.find("dialog li input[id=first-name]").send_keys("primary")
        self.save("Add", {"Subnet": "hub-2/machines", "Address": "10.30.1.9"})
        self.assertIn("This is required.", self.texts("dialog .fault"))
        self.driver.find_element(By.CSS_SELECTOR, "dialog input[name=name]").send_keys("vm1")
        self.press("Add", "dialog")
        self.closed()
        self.row("vm1")
        self.assertEqual("10.30.1.9", self.good("GET", where)["ip_configurations"][0]["address"])
        self.good("DELETE", where)


class Tags(Form):
    def test_a_name_with_an_equals_sign_stays(self):
        where, tags = "private_zones/-/tagged.internal", {"a=b": "c", "back\\slash": "=d", "ends\\": "e\\=f", "\\=": "\\"}
        self.good("PUT", where, {"tags": tags})
        self.log_in("/ui/resource?path=" + where)
        self.press("Edit")
        self.find("dialog h2")
        self.unfold()
        shown = self.field("Tags").get_attribute("value")
        self.assertEqual({"a\\=b=c", "back\\\\slash==d", "ends\\\\=e\\=f", "\\\\\\==\\"}, set(shown.split("\n")))
        self.save("Save", {"Tags": "no\\=value"})
        self.wait(lambda: self.fault_of("Tags"), "what is wrong")
        self.assertEqual('"no\\=value" has no value; give NAME=VALUE', self.fault_of("Tags"))
        self.save("Save", {"Tags": shown + "\nplain\\name=1"})
        self.closed()
        self.assertEqual({**tags, "plain\\name": "1"}, self.good("GET", where)["tags"])
        self.good("DELETE", where)


class Faults(Form):
    def test_each_is_said_at_its_field_and_goes_when_that_is_corrected(self):
        self.log_in("/ui/rules")
        self.press("Add a rule")
        self.save("Add", {"Name": "wrong", "Domain": "a..test.", "Targets": "127.0.0.5\nnope"})
        self.find("dialog .fault", "domain name")
        self.assertIn("give a domain name", self.fault_of("Domain"))
        self.assertIn('"nope" does not fit; give an address', self.fault_of("Targets"))
        self.assertIsNone(self.fault_of("Name"))
        self.assertTrue(self.none("dialog .problem"))
        self.assertEqual(self.field("Domain"), self.driver.switch_to.active_element)
        self.fill("Domain", "fine.test.")
        self.assertIsNone(self.fault_of("Domain"))
        self.assertIsNotNone(self.fault_of("Targets"))
        self.press("Add", "dialog")
        self.wait(lambda: self.fault_of("Targets"), "the fault that is left")
        self.press("Cancel", "dialog")

    def test_a_look_ahead_says_each_at_its_field_too(self):
        self.log_in("/ui/rules")
        self.press("Add a rule")
        self.save("What would change?", {"Name": "wrong", "Domain": "a..test.", "Targets": "nope"})
        self.find("dialog .fault", "domain name")
        self.assertIn('"nope" does not fit; give an address', self.fault_of("Targets"))
        self.assertTrue(self.none("dialog .problem"))
        self.assertEqual(self.field("Domain"), self.driver.switch_to.active_element)
        self.press("Cancel", "dialog")

    def test_what_is_missing_is_said_before_the_server_is_asked(self):
        self.log_in("/ui/rules")
        self.press("Add a rule")
        self.press("Add", "dialog")
        self.assertEqual(["This is required."] * 2, [self.fault_of(label) for label in ("Name", "Domain")])
        self.press("What would change?", "dialog")
        self.assertEqual("This is required.", self.fault_of("Name"))
        self.press("Cancel", "dialog")

    def test_what_belongs_to_no_field_stays_at_the_foot(self):
        where = "virtual_networks/-/foot"
        self.good("PUT", where, {"address_space": ["10.40.0.0/16"]})
        self.log_in("/ui/resource?path=" + where)
        self.press("Edit")
        self.find("dialog")
        self.good("PATCH", where, {"address_space": ["10.41.0.0/16"]})
        self.save("Save", {"DNS servers": "10.40.0.5"})
        self.find("dialog .problem", "changed since you read it")
        self.assertEqual([], self.texts("dialog .fault"))
        self.press("Cancel", "dialog")
        self.assertEqual([], self.good("GET", where)["dns_servers"])
        self.good("DELETE", where)

    def test_a_fault_of_another_resource_is_no_fields(self):
        self.good("PUT", "virtual_networks/-/other", {"address_space": ["10.50.0.0/16"]})
        self.good("PUT", "virtual_networks/-/mine", {"address_space": ["10.51.0.0/16"]})
        self.log_in("/ui/resource?path=virtual_networks/-/mine")
        self.press("Edit")
        self.save("Save", {"Address space": "10.50.0.0/16"})
        self.wait(lambda: self.texts("dialog .fault") or self.texts("dialog .problem"), "what is wrong")
        self.assertIn("10.50.0.0/16", " ".join(self.texts("dialog .fault") + self.texts("dialog .problem")))
        self.press("Cancel", "dialog")
        for name in ("other", "mine"):
            self.good("DELETE", "virtual_networks/-/" + name)


class Choices(Form):
    def offered(self, label):
        """What the field offers, when one has gone into it."""
        field = self.field(label)
        field.click()
        return self.wait(lambda: self.driver.execute_script("return [...arguments[0].list.options].map(one => one.value)", field), "choices")

    def test_what_there_is_is_offered(self):
        self.good("PUT", "virtual_networks/-/choice", {"address_space": ["10.60.0.0/16"]})
        self.good("PUT", "virtual_networks/-/choice/subnets/dns", {"prefix": "10.60.1.0/24", "delegation": "Microsoft.Network/dnsResolvers"})
        self.good("PUT", "resolvers/-/chooser", {"virtual_network": "choice"})
        self.good("PUT", "resolvers/-/chooser/outbound_endpoints/out", {})
        self.good("PUT", "rulesets/-/office/target_groups/pair", {"targets": [{"address": "127.0.0.5"}]})
        self.log_in("/ui/resources?kind=resolver")
        self.press("Add a resolver")
        self.assertEqual(["choice", "hub"], sorted(self.offered("Virtual network")))
        self.fill("Virtual network", "ch")
        self.wait(lambda: self.offered("Virtual network") == ["choice"], "those that fit")
        self.press("Cancel", "dialog")
        self.go("/ui/resource?path=resolvers/-/chooser")
        self.press("Add an inbound endpoint")
        self.assertEqual(["dns"], [one for one in self.offered("Subnet") if "out" not in one])
        self.press("Cancel", "dialog")
        self.go("/ui/resources?kind=ruleset")
        self.press("Add a ruleset")
        self.press("Add outbound endpoint", "dialog")
        self.assertIn("chooser/out", self.offered("Outbound endpoints"))
        self.press("Cancel", "dialog")
        self.go("/ui/rules")
        self.press("Add a rule")
        self.assertEqual(["pair"], self.offered("Or a target group of the ruleset"))
        self.press("Cancel", "dialog")


class Hints(Form):
    """They are those of sluice.conf(5), in the words of the form."""

    def hints(self):
        """Their texts, and what is shown as code in them."""
        self.find("dialog h2")
        self.unfold()
        self.driver.execute_script("document.querySelectorAll('dialog details.hint').forEach(one => { one.open = true; })")
        return self.texts("dialog .hint"), self.texts("dialog .hint code")

    def test_a_field_is_called_as_the_form_calls_it(self):
        self.log_in("/ui/resources?kind=address")
        self.press("Add an address")
        texts, code = self.hints()
        self.assertIn("For people; it goes with PTR domain name.", texts)
        self.assertTrue(any(text.endswith("Left empty: reverse.ttl.") for text in texts), texts)
        self.assertIn("reverse.ttl", code)
        self.go("/ui/resources?kind=transfer")
        self.press("Add a transfer")
        texts, code = self.hints()
        self.assertIn("Unique in its resource group.", texts)  # which has to be given
        self.assertTrue(any(text.startswith("A server of Notify that lacks a change") for text in texts), texts)
        self.assertEqual([], code)

    def test_no_form_speaks_of_what_it_does_not_have(self):
        self.log_in("/ui/resources")
        for kind in ("network", "resolver", "zone", "ruleset", "address-pool", "key", "transfer", "client", "network-interface", "private-endpoint",
                     "address", "service", "group"):
            self.go("/ui/resources?kind=" + kind)
            self.press("Add " + article(kind))
            texts, code = self.hints()
            plain = " ".join(texts)
            for word in code:
                plain = plain.replace(word, "")
            self.assertNotRegex(plain, r"[a-z]_[a-z]|\bAbsent|In a file|`", kind)


class FromOtherPages(Form):
    def test_an_address_is_added_with_its_ptr_where_they_are_listed(self):
        self.log_in("/ui/reverse")
        self.press("Add an address")
        self.save("Add", {"Name": "mx", "Address": "198.51.100.40", PTR: "mx..example."})
        self.wait(lambda: self.fault_of(PTR), "what is wrong with the name")
        self.save("Add", {PTR: "mx.example."})
        self.closed()
        self.row("198.51.100.40", "mx.example.")
        self.assertEqual("mx.example.", self.good("GET", "ptrs/198.51.100.40")["reverse_fqdn"])
        self.good("DELETE", "addresses/-/mx")

    def test_a_network_is_added_beside_the_picture(self):
        self.log_in("/ui/networks")
        self.press("Add a network")
        self.save("Add", {"Name": "pictured", "Address space": "10.95.0.0/16"})
        self.closed()
        self.press("pictured", "main data-table")
        self.find("h1", "Network pictured")
        self.good("DELETE", "virtual_networks/-/pictured")

    def test_a_zone_leads_to_its_links(self):
        self.log_in("/ui/zone?path=private_zones/-/corp.internal")
        self.press("Links and settings")
        self.find("h1", "Zone corp.internal")
        self.row("hub", "sluice.conf:")


class Searching(Form):
    def test_rows_are_found_behind_a_page_that_has_none(self):
        """The server ends a page when it has passed over very many rows."""
        self.good("PUT", "addresses/-/late", {"region": "westeurope", "address": "198.51.100.90"})
        self.stands_for("""async (where, how) => {
            const {pathname, searchParams} = new URL(where, location.href);
            if (pathname !== "/v1/addresses" || !searchParams.get("q")) return real(where, how);
            if (searchParams.has("behind")) return real("/v1/addresses?q=late", how);
            return new Response(JSON.stringify({addresses: [], next: "/v1/addresses?q=late&behind=1"}), {headers: {"Content-Type": "application/json"}});
        }""")
        self.log_in("/ui/resources?kind=address&search=late")
        self.row("late")
        self.find(".foot", "1 row")
        self.good("DELETE", "addresses/-/late")


class Looking(Form):
    def test_what_the_file_declares_is_read_only_with_its_place(self):
        self.log_in("/ui/resources?kind=ruleset")
        self.assertEqual("read-only", self.row("office")[-1])
        self.press("office", "main")
        self.find("main", "Declared at ")
        self.find("main code", "sluice.conf:")
        self.assertNotIn("Edit", self.texts("main button:not(th button)"))

    def test_what_sluice_made_says_so(self):
        self.log_in("/ui/resource?path=virtual_networks/-/hub")
        row = self.row("default-outbound")
        self.assertIn("made by sluice", row)

    def test_a_reader_sees_no_buttons(self):
        self.good("PUT", "virtual_networks/-/seen", {"address_space": ["10.70.0.0/16"]})
        self.log_in("/ui/resources?kind=network", "eye", EYE)
        self.row("seen", "10.70.0.0/16")
        self.assertEqual([], self.texts("main button:not(th button)"))
        self.assertNotIn("Clients", self.texts(".tabs a"))
        self.go("/ui/resource?path=virtual_networks/-/seen")
        self.find("main dd", "10.70.0.0/16")
        self.assertEqual([], self.texts("main button:not(th button)"))
        self.good("POST", "changes?confirm=600", {"edits": [{"path": "virtual_networks/-/seen", "values": None}]})
        self.find(".waiting", "The change of revision")
        self.assertEqual([], self.texts(".waiting button"))
        self.assertNotIn("ops", self.text_of(".waiting"))
        self.good("POST", "confirm?back")
        self.wait(lambda: self.none(".waiting"), "nothing to wait")
        self.good("DELETE", "virtual_networks/-/seen")

    def test_what_others_change_comes_by_itself_and_what_is_gone_says_so(self):
        where = "virtual_networks/-/watched"
        self.stands_for("""async (where, how) => {
            if (new URL(where, location.href).pathname.endsWith("/subnets")) await window.held;
            return real(where, how);
        }""")
        self.good("PUT", where, {"address_space": ["10.80.0.0/16"]})
        self.log_in("/ui/resource?path=" + where)
        self.find("main dd", "10.80.0.0/16")
        self.find(".live.on")
        self.good("PATCH", where, {"address_space": ["10.81.0.0/16"]})
        self.find("main dd", "10.81.0.0/16")
        self.good("PUT", where + "/subnets/inside", {"prefix": "10.81.1.0/24"})
        self.row("inside")
        self.good("DELETE", where)
        self.find("h1", "It is gone.")
        self.assertEqual([], self.texts("main :is(dd, tr)"))
        # The network comes back, as by an undo. Its old subnet is not shown while the new ones are still to come.
        self.driver.execute_script("window.held = new Promise(done => window.go_on = done)")
        self.good("PUT", where, {"address_space": ["10.82.0.0/16"]})
        self.find("h1", "Network watched")
        self.find("main dd", "10.82.0.0/16")
        self.assertNotIn("inside", self.text_of("main"))
        self.driver.execute_script("window.go_on()")
        self.wait(lambda: self.texts("main data-table .hint") == ["none", "none"], "neither subnets nor peerings")
        self.good("DELETE", where)

    def test_very_many_inside_are_read_again_in_parts_that_the_server_allows(self):
        self.stands_for("""async (where, how) => {
            const {pathname, searchParams} = new URL(where, location.href), limit = Number(searchParams.get("limit"));
            if (!pathname.endsWith("/corp.internal/record_sets") || limit > 5000) return real(where, how); // which refuses the latter
            const from = Number(searchParams.get("marker")), to = Math.min(from + limit, 5300), next = to < 5300 ? `${pathname}?limit=5000&marker=${to}` : null;
            const rows = Array.from({length: to - from}, (_, i) => ({name: `n${from + i}:A`, path: `${pathname.slice("/v1/".length)}/n${from + i}:A`, ttl: 60, records: ["10.0.0.1"]}));
            window.answered = (window.answered || 0) + 1;
            return new Response(JSON.stringify({record_sets: rows, next}), {headers: {"Content-Type": "application/json"}});
        }""")
        self.log_in("/ui/resource?path=private_zones/-/corp.internal")
        table = "data-table:has([aria-label='Record sets'])"
        for last in (50, 100, 150, 200):
            self.find(table + " .foot", "\u2013%d of more than 200 rows" % last)
            self.press("Next page: Record sets")
        self.find(table + " .foot", "201\u2013250 of more than 5,200 rows")
        self.find(".live.on")
        before = self.driver.execute_script("return answered")
        self.good("PUT", "groups/-/anything", {"region": "westeurope"})
        self.wait(lambda: self.driver.execute_script("return answered") >= before + 2, "both parts to be read again")
        self.find(table + " .foot", "201\u2013250 of 5,300 rows")
        self.assertTrue(self.none(".problem"))
        self.good("DELETE", "groups/-/anything")

    def test_one_that_is_used_says_by_whom(self):
        self.good("PUT", "virtual_networks/-/used", {"address_space": ["10.90.0.0/16"]})
        self.good("PUT", "rulesets/-/office/links/used", {"virtual_network": "used"})
        self.log_in("/ui/resources?kind=network")
        self.more("network used", "Delete")
        self.find("dialog li", "ruleset link used of ruleset office")
        self.press("Delete", "dialog")
        self.find("dialog .problem")
        self.press("ruleset link used of ruleset office", "dialog")
        self.closed()
        self.find("h1", "Ruleset link used")
        self.press("Delete")
        self.press("Delete", "dialog")
        self.closed()
        self.find("h1", "Ruleset office")
        self.go("/ui/resources?kind=network")
        self.more("network used", "Delete")
        self.press("Delete", "dialog")
        self.closed()
        self.wait(lambda: self.call("GET", "/v1/virtual_networks/-/used").status == 404, "the network to go")

    def test_a_change_waits_on_every_page_and_counts_down(self):
        where = "virtual_networks/-/tried"
        edit = {"edits": [{"path": where, "values": {"address_space": ["10.91.0.0/16"]}}]}
        self.log_in("/ui/zones")
        self.find(".live.on")
        self.good("POST", "changes?confirm=600", edit)
        said = self.text_of(".waiting")
        self.assertRegex(said, r"The change of revision \d+ by ops waits to be kept. It goes back in (10:00|9:\d\d), at ")
        self.assertNotIn("sluice confirm", said)
        self.wait(lambda: self.text_of(".waiting") != said, "the clock to go on")
        self.press("Rules", "nav")
        self.find("h1", "Rules")
        self.press("Go back", ".waiting")
        self.wait(lambda: self.none(".waiting"), "nothing to wait")
        self.assertEqual(404, self.call("GET", "/v1/" + where).status)
        self.good("POST", "changes?confirm=10", edit)  # so long that a busy browser shows it
        self.find(".waiting")
        self.wait(lambda: self.none(".waiting"), "it to go back by itself")
        self.assertEqual(404, self.call("GET", "/v1/" + where).status)


class History(Form):
    def test_before_stands_beside_after_and_both_are_found(self):
        where = "rulesets/-/office/rules/told"
        self.good("PUT", where, {"domain": "told.test.", "targets": [{"address": "127.0.0.5"}]})
        self.good("PATCH", where, {"targets": [{"address": "127.0.0.6"}], "description": "moved"})
        status, printed = harness.command("history", "-c", self.sluice.config, "--limit", "1")
        self.assertEqual(0, status, printed)
        self.log_in("/ui/changes")
        words = self.row("changed rule told of ruleset office")[2]
        self.assertIn(words, printed)
        self.click("tbody summary")
        before, after = self.find(".side del", "127.0.0.5"), self.find(".side ins", "127.0.0.6")
        self.assertEqual(before.rect["y"], after.rect["y"])
        self.driver.set_window_size(500, 900)
        self.addCleanup(self.driver.set_window_size, 1280, 900)
        self.wait(lambda: self.find(".side del", "127.0.0.5").rect["y"] < self.find(".side ins", "127.0.0.6").rect["y"],
                  "one above the other")
        self.driver.set_window_size(1280, 900)
        self.fill("Search", "127.0.0.6")
        self.wait(lambda: len(self.rows()) == 1, "what has it")
        self.assertIn("search=127.0.0.6", self.driver.current_url)
        self.fill("Search", "nothing-has-this")
        self.find(".empty", "No change has that.")

    @staticmethod
    def noons():
        """Of today, yesterday and the day before, by the browser's clock. mktime takes a day of the month below 1, too."""
        now = time.localtime()
        return [time.mktime((now.tm_year, now.tm_mon, now.tm_mday - ago, 12, 0, 0, 0, 0, -1)) for ago in (0, 1, 2)]

    def stands_in_for_700_changes(self):
        """Of today, yesterday and the day before."""
        noons = self.noons()

        def change(revision, ago):
            return {"revision": revision, "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(noons[ago])), "who": "ops", "login": None,
                    "path": "groups/-/g%d" % revision, "before": None, "after": {}, "verb": "created", "kind": "group", "subject": "group g%d" % revision}
        changes = [change(n, 2 if n <= 400 else 1 if n <= 500 else 0) for n in range(1, 701)]
        self.stands_for("""(where, how) => {
            const {pathname, searchParams} = new URL(where, location.href), all = %s;
            if (pathname !== '/v1/changes' || String(how?.headers?.Accept).includes('event-stream')) return real(where, how);
            const after = Number(searchParams.get('after')), some = all.filter(one => one.revision > after).slice(0, Number(searchParams.get('limit')) || 1000);
            const next = some.length && some.at(-1).revision < 700 ? some.at(-1).revision : null;
            return Promise.resolve(new Response(JSON.stringify({changes: some, next}), {headers: {'Content-Type': 'application/json', ETag: '"00000000000002bc-0"'}}));
        }""" % json.dumps(changes))

    def test_older_ones_that_are_asked_for_twice_come_once(self):
        self.stands_in_for_700_changes()
        self.log_in("/ui/changes")
        self.find(".foot", "of 220 rows")
        self.driver.execute_script("""
            const older = [...document.querySelectorAll('main button')].find(one => one.textContent === 'Older changes');
            older.click();
            older.click();""")
        self.find(".foot", "of 620 rows")
        self.fill("Search", "group g400")
        self.wait(lambda: [row[2] for row in self.rows()] == ["created group g400"], "one row of it")

    def test_a_day_is_chosen_and_read_back_to(self):
        """Also where the page has not read that far back by itself."""
        harness.wait_for(lambda: time.localtime()[3:5] < (23, 58), "midnight to pass", 180)
        days = [time.strftime("%Y-%m-%d", time.localtime(noon)) for noon in self.noons()]
        self.stands_in_for_700_changes()
        self.log_in("/ui/changes")
        self.row("created group g700")
        self.choose("Day", "yesterday")
        self.find(".foot", "100 rows")
        self.row("created group g500")
        self.assertTrue(self.driver.current_url.endswith("/ui/changes?day=" + days[1]))
        self.driver.refresh()
        self.find(".foot", "100 rows")
        self.go("/ui/changes?day=" + days[2])
        self.find(".foot", "1\u201350 of 400 rows")
        self.choose("Day", "any day")
        self.find(".foot", "of 700 rows")
        self.choose("Day", "today")
        self.find(".foot", "1\u201350 of 200 rows")

    def test_the_notice_of_a_change_undoes_it(self):
        where = "rulesets/-/office/rules/hasty"
        self.log_in("/ui/rules")
        self.press("Add a rule")
        self.save("Add", {"Name": "hasty", "Domain": "hasty.test.", "Targets": "127.0.0.5"})
        self.find(".notices p", "Rule hasty is made.")
        self.press("Undo", ".notices")
        self.assertRegex(self.text_of("dialog"), r"^Undo revision \d+\?\nops created rule hasty of ruleset office, ")
        self.press("Undo", "dialog")
        self.wait(lambda: self.call("GET", "/v1/" + where).status == 404, "the undo")
        self.find("h1", "Changes")
        self.assertTrue(self.driver.current_url.endswith("/ui/changes"))
        self.go("/ui/resources?kind=group")
        self.press("Add a group")
        self.save("Add", {"Name": "hasty_group"})
        self.press("Undo", ".notices")
        self.press("Undo", "dialog")
        self.wait(lambda: self.call("GET", "/v1/groups/-/hasty_group").status == 404, "the undo")

    def test_the_notice_of_a_name_with_capitals_undoes_it_too(self):
        """Changes have their paths in lower case."""
        self.good("PUT", "private_zones/Mixed/Undone.test", {})
        self.log_in("/ui/zone?path=private_zones/Mixed/Undone.test")
        self.press("Add a record set")
        self.save("Add", {"Name": "Www", "Data": "10.10.1.7"})
        self.press("Undo", ".notices")
        self.find("dialog", "created record set Www:A of zone")
        self.press("Undo", "dialog")
        self.wait(lambda: self.call("GET", "/v1/private_zones/Mixed/Undone.test/record_sets/Www:A").status == 404, "the undo")
        self.go("/ui/zones")
        self.press("Add a zone")
        self.save("Add", {"Name": "dotted.test."})
        self.press("Undo", ".notices")
        self.find("dialog", "created zone dotted.test")

    def test_what_the_server_has_forgotten_is_not_read_for(self):
        made = self.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": """{
            const real = window.fetch;
            window.times = 0;
            window.fetch = (where, how) => {
                const {pathname, searchParams} = new URL(where, location.href);
                if (pathname !== '/v1/changes' || String(how?.headers?.Accept).includes('event-stream')) return real(where, how);
                const one = {revision: 10000, time: new Date().toISOString(), who: 'ops', login: null, path: 'groups/-/last', before: null, after: {},
                             verb: 'created', kind: 'group', subject: 'group last'};
                window.times++;
                return Promise.resolve(new Response(JSON.stringify({changes: Number(searchParams.get('after')) < 10000 ? [one] : [], next: null}),
                    {headers: {'Content-Type': 'application/json', ETag: '"0000000000002710-0"'}}));
            };
        }"""})
        self.addCleanup(self.driver.execute_cdp_cmd, "Page.removeScriptToEvaluateOnNewDocument", made)
        self.log_in("/ui/changes")
        self.row("created group last")
        self.wait(lambda: "Older changes" not in self.texts("button"), "the end of the history")
        self.go("/ui/changes?day=2026-01-01")
        self.find(".empty", "These are all of the last week.")
        self.assertLess(self.driver.execute_script("return times"), 10)
        self.go("/ui/changes?day=!")
        self.row("created group last")
        self.assertEqual("", self.driver.execute_script("return document.getElementById('changes-day').value"))
        self.assertNotIn("!", self.text_of("#changes-day"))

    def test_one_is_found_by_who_did_it(self):
        self.good("PUT", "groups/-/of-ops", {"region": "westeurope"})
        status, printed = harness.command("group", "create", "-c", self.sluice.config, "of-root", "region=westeurope")
        self.assertEqual(0, status, printed)
        self.log_in("/ui/changes")
        root = self.row("created group of-root")[1]
        self.assertTrue(root.startswith("uid "), root)
        self.choose("By", "ops")
        self.wait(lambda: {row[1] for row in self.rows()} == {"ops"}, "those of ops")
        self.choose("By", root)
        self.wait(lambda: {row[1] for row in self.rows()} == {root}, "those of root")
        self.press("Undo", "tbody tr")
        self.find("dialog", "deleted group of-root")
        self.press("Undo", "dialog")
        self.wait(lambda: self.call("GET", "/v1/groups/-/of-root").status == 404, "the undo")
        self.good("DELETE", "groups/-/of-ops")


if __name__ == "__main__":
    harness.main()
