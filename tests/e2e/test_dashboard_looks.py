"""How the dashboard looks, measured: every page and dialog with no data, a little and too much, at 390, 1280 and 1920
pixels, light and dark. PICTURES=FOLDER writes a picture of each view there, which takes half as long again."""

import base64
import os
import re

import harness
from dashboard_pages import Little, Much, Nothing, SCHEMES, SIZES, Walk

PICTURES = os.environ.get("PICTURES")
HIGHEST = 1800  # pixels of a picture
with open(os.path.join(harness.TOP, "tests", "e2e", "boxes.js"), encoding="utf-8") as file:
    BOXES = file.read()


class Looks:
    def picture(self, name, width, scheme):
        """Of a page from its top, of a dialog or a menu where it is."""
        how = {"format": "png", "optimizeForSpeed": True}
        if not self.opened():
            height = self.driver.execute_cdp_cmd("Page.getLayoutMetrics", {})["cssContentSize"]["height"]
            how.update(captureBeyondViewport=True, clip={"x": 0, "y": 0, "width": width, "height": min(height, HIGHEST), "scale": 1})
        data = self.driver.execute_cdp_cmd("Page.captureScreenshot", how)["data"]
        with open(os.path.join(PICTURES, "%s-%d-%s-%s.png" % (self.state, width, scheme, name)), "wb") as file:
            file.write(base64.b64decode(data))

    def look(self, name, width, scheme):
        for _ in range(5):  # a table that is drawn anew marks its cut cells some frames later
            faults = self.driver.execute_script(BOXES, width)
            if not faults:
                break
            self.settle()
        faults += ["console: " + line for line in self.console_errors()]
        for fault in faults:
            # The same one at another size has other numbers, and may be told of another row.
            self.found.setdefault((name, re.sub(r'[0-9.]+|".*?"', "", fault)), []).append((width, scheme, fault))
        if PICTURES:
            self.picture(name, width, scheme)
        self.looked += 1

    def told(self):
        """A line for each fault of a page, with the views that have it."""
        for (name, _), seen in self.found.items():
            views = ["%d" % width if len(schemes) == len(SCHEMES) else "%d %s" % (width, *schemes) for width in SIZES
                     if (schemes := sorted({scheme for at, scheme, _ in seen if at == width}))]
            yield "%s %s (%s) %s" % (self.state, name, ", ".join(views), seen[0][2])

    def test_nothing_overflows_and_nothing_overlaps(self):
        if PICTURES:
            os.makedirs(PICTURES, exist_ok=True)
        self.found, self.looked = {}, 0
        self.walk(self.look)
        print("# %s: looked at %d views" % (self.state, self.looked), flush=True)
        if self.found:
            self.fail("\n".join(self.told()))


class LooksNothing(Looks, Nothing):
    pass


class LooksLittle(Looks, Little):
    pass


class LooksMuch(Looks, Much):
    def laid_out(self):
        metrics = self.driver.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]
        return next(one["value"] for one in metrics if one["name"] == "LayoutCount")

    def test_a_table_of_rows_that_are_cut_is_laid_out_a_few_times(self):
        """And not once for each cell, which takes seconds."""
        self.driver.execute_cdp_cmd("Performance.enable", {})
        self.addCleanup(self.driver.execute_cdp_cmd, "Performance.disable", {})
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": 1000, "height": 900, "deviceScaleFactor": 1, "mobile": False})
        self.log_in("/ui/ask")
        for page in ("registered", "rules", "targets"):
            before = self.laid_out()
            self.driver.execute_script("history.pushState(null, '', arguments[0]); dispatchEvent(new PopStateEvent('popstate'))", "/ui/" + page)
            self.find("main tbody tr")
            self.settle()
            self.wait(lambda: len(self.driver.find_elements("css selector", ".whole")) > 50, "the cut cells of " + page)
            self.assertLess(self.laid_out() - before, 40, page)

    def test_the_latest_changes_do_not_bring_the_first_ones(self):
        """The first one has 11,000 edits."""
        self.log_in("/ui/now")
        self.find("main h1", "Now")
        self.find(".beside li", "All changes")  # comes with them
        self.settle()
        bytes_of = self.wait(lambda: self.driver.execute_script("""return performance.getEntriesByType('resource')
            .filter(one => one.name.includes('/v1/changes')).map(one => one.decodedBodySize)"""), "the changes")
        self.assertLess(max(bytes_of), 100000)


# Puts elements into the page: [tag, its style, its text, its attributes, the elements in it] each.
PLANT = """const make = ([tag, css, text = '', attributes = {}, inner = []]) => {
        const one = document.createElement(tag);
        one.style.cssText = css;
        one.append(text, ...inner.map(make));
        for (const [key, value] of Object.entries(attributes)) one.setAttribute(key, value);
        return one;
    };
    const planted = make(['section', '', '', {id: 'planted'}, arguments[0]]);
    document.getElementById('planted')?.remove();
    document.querySelector('main').append(planted);"""
LINE = "a line longer than its place"
CLIPPED = "width: 100px; overflow: hidden; white-space: nowrap;"
CHOICE = ["option", "", LINE]
FAULTS = {
    "a page that is wider than its window": ("wide", [["div", "width: 2500px; height: 20px; background: red"]]),
    "a part that is scrolled sideways": ("wide", [["div", "width: 200px; overflow-x: auto", "", {}, [["p", "width: 400px", "text"]]]]),
    "a text that is cut": ("cut", [["p", CLIPPED, LINE]]),
    "lines that are cut": ("cut", [["p", "width: 100px; height: 30px; overflow: hidden", LINE]]),
    "an ellipsis and no full text": ("cut", [["p", CLIPPED + "text-overflow: ellipsis", LINE]]),
    "a field too small for what it hints at": ("cut", [["input", "width: 100px", "", {"placeholder": LINE}]]),
    "a choice that is cut": ("cut", [["select", "width: 100px", "", {}, [CHOICE]]]),
    "two texts over each other": ("overlaps", [["p", "margin: 0", "one text"], ["p", "margin: -16px 0 0", "another text"]]),
    "a text under a button": ("overlaps", [["p", "margin: 0", "one text"], ["button", "display: block; margin: -24px 0 0; min-height: 32px", "Press"]]),
    "a text under a picture": ("overlaps", [["p", "margin: 0", "one text"], ["canvas", "display: block; width: 50px; height: 30px; margin-top: -20px"]]),
    "a button that is too small": ("small", [["button", "width: 16px; height: 16px; min-height: 0; min-width: 0; padding: 0", "x"]]),
    "links too close to each other": ("small", [["a", "display: block; width: 30px; font-size: 10px; line-height: 12px", "one", {"href": "#1"}],
                                                ["a", "display: block; width: 30px; font-size: 10px; line-height: 12px", "two", {"href": "#2"}]]),
    "a button over another": ("crowded", [["button", "", "One button"], ["button", "margin-left: -30px", "Another"]]),
    "a text outside of its box": ("outside", [["div", "width: 100px; border: 1px solid; white-space: nowrap", LINE]]),
    "a button outside of its box": ("outside", [["div", "height: 20px; border: 1px solid", "", {}, [["button", "height: 40px", "Press"]]]]),
    "a box outside of its box": ("outside", [["div", "width: 100px; border: 1px solid", "", {}, [["div", "width: 150px; border: 1px solid", "text"]]]]),
    "controls that do not stand level": ("uneven", [["div", "display: flex; align-items: end", "", {"class": "tools"}, [
        ["button", "height: 40px", "One"], ["button", "height: 36px", "Two"]]]]),
    "a value for a text": ("value", [["p", "", "NaN"]]),
    "a number for nothing": ("value", [["p", "", "0"]]),
}
FINE = [
    ["p", "", "0 of 2"],
    ["p", CLIPPED + "text-overflow: ellipsis", LINE, {"title": LINE}], ["p", "width: 300px; border: 1px solid", LINE],
    ["p", "", "A sentence with a ", {}, [["a", "font-size: 12px", "link", {"href": "#3"}]]], ["pre", "width: 100px; overflow-x: auto", LINE],
    ["div", "display: flex; gap: 8px", "", {"class": "tools"}, [["button", "height: 40px", "One"], ["button", "height: 40px", "Two"]]],
    ["div", "height: 60px; overflow-y: auto", "", {}, [["p", "height: 50px; margin: 0", "text"], ["button", "height: 32px", "Half of it"]]],
]


class Measuring(Walk):
    """What measures the pages finds what it is to find."""

    def test_each_kind_of_fault_is_found_and_nothing_else(self):
        self.log_in("/ui/ask")
        for width in SIZES:
            self.view(width, "light")
            self.settle()
            for plants, expected, what in [(FINE, set(), "what is fine")] + [(plants, {kind}, what) for what, (kind, plants) in FAULTS.items()]:
                self.driver.execute_script(PLANT, plants)
                found = self.driver.execute_script(BOXES, width)
                self.assertEqual(expected, {fault.split(":")[0] for fault in found}, "%s, %d: %s" % (what, width, found))
                self.assertTrue(all("planted" in fault or what.startswith("a page") for fault in found), found)

    def test_an_error_on_the_console_is_found(self):
        self.log_in("/ui/ask")
        self.driver.execute_script("console.error('planted')")
        self.assertEqual(1, len(self.console_errors()))


if __name__ == "__main__":
    harness.main()
