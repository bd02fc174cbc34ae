// The views of one subject, beside each other.

import {h} from "../lib/element.js";
import {url} from "../lib/router.js";

function tabs(label, pages, shown) {
  return h("ul", {class: "tabs", "aria-label": label},
    pages.map(([page, title]) => h("li", {}, h("a", {href: url(page), "aria-current": page === shown && "page"}, title))));
}

export function zoneTabs(shown) {
  return tabs("Zones and what is in them", [["zones", "Zones"], ["registered", "Registered"]], shown);
}
