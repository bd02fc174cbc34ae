"""How the dashboard looks, measured: every page and dialog with no data, a little and too much, at 390, 1280 and 1920
pixels, light and dark. Pictures of all of them are in build/dashboard."""

import base64
import glob
import os
import re

import harness
from dashboard_pages import Little, Much, Nothing, SCHEMES

PICTURES = os.path.join(harness.TOP, "build", "dashboard")
HIGHEST = 2400  # pixels of a picture
with open(os.path.join(harness.TOP, "tests", "e2e", "boxes.js"), encoding="utf-8") as file:
    BOXES = file.read()


class Looks:
    def picture(self, name, width, scheme):
        size = self.driver.execute_cdp_cmd("Page.getLayoutMetrics", {})["cssContentSize"]
        data = self.driver.execute_cdp_cmd("Page.captureScreenshot", {
            "format": "png", "optimizeForSpeed": True, "captureBeyondViewport": True,
            "clip": {"x": 0, "y": 0, "width": width, "height": min(size["height"], HIGHEST), "scale": 1}})["data"]
        with open(os.path.join(PICTURES, "%s-%d-%s-%s.png" % (self.state, width, scheme, name)), "wb") as file:
            file.write(base64.b64decode(data))

    def look(self, name, width, scheme):
        faults = self.driver.execute_script(BOXES, width)
        for fault in faults:
            self.found.setdefault((name, re.sub(r"\b[0-9.]+x[0-9.]+ pixels|\b[0-9.]+ pixels", "some pixels", fault)), []).append((width, scheme, fault))
        self.picture(name, width, scheme)
        self.looked += 1

    def test_nothing_overflows_and_nothing_overlaps(self):
        os.makedirs(PICTURES, exist_ok=True)
        for old in glob.glob(os.path.join(PICTURES, self.state + "-*.png")):
            os.remove(old)
        self.found, self.looked = {}, 0
        self.walk(self.look)
        print("# %s: looked %d times" % (self.state, self.looked), flush=True)
        self.assertFalse(self.found, "\n" + "\n".join(self.told()))

    def told(self):
        """A line for each fault of a page, with the views that have it."""
        for (name, _), seen in self.found.items():
            sizes = {}
            for width, scheme, _ in seen:
                sizes.setdefault(width, []).append(scheme)
            yield "%s %s (%s) %s" % (self.state, name, ", ".join("%d" % width if len(schemes) == len(SCHEMES) else "%d %s" % (width, schemes[0])
                                                               for width, schemes in sizes.items()), seen[0][2])


class LooksNothing(Looks, Nothing):
    pass


class LooksLittle(Looks, Little):
    pass


class LooksMuch(Looks, Much):
    pass


if __name__ == "__main__":
    del Nothing, Little, Much
    harness.main()
