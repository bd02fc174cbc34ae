#!/usr/bin/env python3
"""axe-core looks at every page of the dashboard, light and dark, with a dialog and a menu open, and on a
phone: nothing serious.

axe-core is in build/clients, where `make test-clients` puts it; without it this is skipped and named,
and with CLIENTS=required its absence is a failure."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
import harness
import dashboard
import test_dashboard

AXE = os.path.join(harness.TOP, "build", "clients", "node_modules", "axe-core", "axe.min.js")
RUN = "const done = arguments[0]; axe.run(document).then(found => done(found.violations), error => done(String(error)))"


class Axe(dashboard.Browser):
    config = test_dashboard.Registered.config

    def setUp(self):
        missing = None if os.path.exists(AXE) else "axe-core is not in build/clients: nobody looked whether all can use the dashboard"
        if missing and os.environ.get("CLIENTS") == "required":
            self.fail(missing)
        if missing:
            self.skipTest(missing)
        super().setUp()
        with open(AXE, encoding="utf-8") as file:
            self.axe = file.read()
        self.good("PUT", "addresses/-/mail", {"region": "westeurope", "address": "198.51.100.25"})
        self.good("PUT", "ptrs/198.51.100.25", {"reverse_fqdn": "mail.example.com."})
        self.good("PUT", "rulesets/-/office/rules/mine", {"domain": "mine.corp.", "targets": [{"address": "127.0.0.5"}]})
        self.good("PUT", "virtual_networks/-/hub/subnets/vms", {"prefix": "10.10.7.0/24"})
        for name, address in (("web", "10.10.7.4"), ("box", "10.10.7.5")):
            self.good("PUT", "network_interfaces/-/" + name,
                      {"ip_configurations": [{"name": "ip", "subnet": "hub/vms", "address": address}]})
        self.host.ask(("127.0.0.1", 5300), "www.mine.corp")

    def look(self, what):
        self.driver.execute_script(self.axe)
        found = self.driver.execute_async_script(RUN)
        self.assertIsInstance(found, list, found)
        wrong = ["%s: %s (%s): %s" % (what, one["id"], one["impact"], [node["html"][:200] for node in one["nodes"][:3]])
                 for one in found]
        for line, one in zip(wrong, found):
            if one["impact"] not in ("serious", "critical"):
                print("# " + line, flush=True)
        self.assertEqual([], [line for line, one in zip(wrong, found) if one["impact"] in ("serious", "critical")])

    def emulate(self, scheme, width):
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                                    {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500})

    def look_at_all(self, scheme, width=1280):
        self.emulate(scheme, width)
        self.stands_in("/v1/history", dashboard.made_up_history())
        self.go("/ui/")
        self.find("form.login")
        self.look("login")
        self.log_in()
        for page in test_dashboard.Everywhere.pages + ("address?id=198.51.100.25", "registered?search=nothing", "reports?days=0", "ask?name=www.contoso.corp",
                                                       "nowhere"):
            self.go("/ui/" + page)
            self.find("main :is(h1, p)")
            self.wait(lambda: self.driver.execute_script("return document.readyState") == "complete", "the page")
            if page == "now" or page.startswith("target?"):
                self.find("time-chart canvas[aria-label]")
                self.driver.execute_script("document.querySelectorAll('time-chart details').forEach(one => { one.open = true; })")
            if page.startswith("reports"):
                self.find("#report-names .state", "name")
                self.wait(lambda: self.none("progress"), "all of it")
            if page == "registered":
                self.find("td .state.warn", "hidden")
            if page == "queries":
                self.find("[role=status]", "Live.")
                self.host.ask(("127.0.0.1", 5300), "www.contoso.corp")
                self.row("www.contoso.corp.")
            self.look(page)
        self.go("/ui/reverse")
        self.press("Check names")
        self.find("td .state.warn", "not back")
        self.look("reverse, checked")

    def test_light(self):
        self.look_at_all("light")

    def test_dark(self):
        self.look_at_all("dark")

    def test_on_a_phone(self):
        self.look_at_all("light", 360)

    def test_a_dialog_a_menu_and_a_refusal(self):
        for scheme in ("light", "dark"):
            self.emulate(scheme, 1280)
            self.setUp()
            self.log_in("/ui/rules")
            self.row("mine.corp.")
            self.press("More: rule mine")
            self.find("[role=menu]")
            self.look("menu")
            self.press("Change")
            self.press("What would change?", "dialog")
            self.find("plan-view p", "in the last day")
            self.look("plan")
            self.fill("Targets", "nonsense")
            self.look("dialog")
            self.press("Save", "dialog")
            self.find("dialog .problem")
            self.look("refusal")


if __name__ == "__main__":
    harness.main()
