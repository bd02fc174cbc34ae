#!/usr/bin/env python3
"""axe-core looks at every page and dialog of the dashboard, with no data, a little and too much, at each size, light
and dark: it finds nothing.

axe-core is in build/clients, where `make test-clients` puts it; without it this is skipped and named,
and with CLIENTS=required its absence is a failure."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
import harness
from dashboard_pages import Little, Much, Nothing

AXE = os.path.join(harness.TOP, "build", "clients", "node_modules", "axe-core", "axe.min.js")
RUN = """const done = arguments[0];
    axe.run(document, {resultTypes: ['violations']}).then(found => done(found.violations), error => done(String(error)))"""


class Axe:
    def setUp(self):
        missing = None if os.path.exists(AXE) else "axe-core is not in build/clients: nobody looked whether all can use the dashboard"
        if missing and os.environ.get("CLIENTS") == "required":
            self.fail(missing)
        if missing:
            self.skipTest(missing)
        super().setUp()
        with open(AXE, encoding="utf-8") as file:
            self.axe = file.read()
        self.found, self.looked = {}, 0

    def look(self, name, width, scheme):
        if not self.driver.execute_script("return 'axe' in window"):
            self.driver.execute_script(self.axe)
        found = self.driver.execute_async_script(RUN)
        self.assertIsInstance(found, list, found)
        for one in found:
            self.found.setdefault((name, one["id"]), []).append((width, scheme, one))
        self.looked += 1

    def finds_nothing(self):
        print("# %s: axe looked at %d views" % (self.state, self.looked), flush=True)
        told = ["%s %s (%s) %s, %s: %s" % (
            self.state, name, ", ".join("%d %s" % (width, scheme) for width, scheme, _ in seen), rule, seen[0][2]["impact"],
            [node["html"][:200] for node in seen[0][2]["nodes"][:3]]) for (name, rule), seen in self.found.items()]
        if told:
            self.fail("\n".join(told))

    def test_every_page_and_dialog(self):
        self.walk(self.look)
        self.finds_nothing()


class AxeNothing(Axe, Nothing):
    pass


class AxeLittle(Axe, Little):
    def test_what_is_shown_on_demand(self):
        """Tables of charts, a plan, what is refused, names that are checked."""
        self.view(1280, "light")
        self.log_in("/ui/rules")
        self.row("fabrikam.corp.")
        self.press("More: rule fabrikam")
        self.press("Change")
        self.press("What would change?", "dialog")
        self.find("plan-view p", "in the last day")
        self.views(self.look, "plan")
        self.fill("Targets", "nonsense")
        self.press("Save", "dialog")
        self.find("dialog [aria-invalid=true]")
        self.views(self.look, "refusal")
        self.go("/ui/now")
        self.find("time-chart canvas[aria-label]")
        self.driver.execute_script("document.querySelectorAll('time-chart details').forEach(one => { one.open = true; })")
        self.views(self.look, "charts as tables")
        self.go("/ui/reverse")
        self.press("Check names")
        self.find("td .state.warn", "not back")
        self.views(self.look, "reverse, checked")
        self.finds_nothing()


class AxeMuch(Axe, Much):
    pass


if __name__ == "__main__":
    harness.main()
