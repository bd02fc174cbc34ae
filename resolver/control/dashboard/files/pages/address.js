// One address and its PTR, with all its data.

import {get, path, query} from "../lib/api.js";
import {h, name} from "../lib/element.js";
import {said} from "../lib/kinds.js";
import {Page} from "../lib/page.js";
import {url} from "../lib/router.js";
import {isAdmin} from "../lib/session.js";
import {origin, ptrStatus} from "../lib/words.js";
import {ptrMenu} from "../parts/ptr.js";

const ACTIONS = {NONE: "None", CREATE: "Create", UPDATE: "Update", DELETE: "Delete"};

export class AddressPage extends Page {
  async show() {
    this.onEvents(({event}) => event === "change" || event === "reload", () => this.load());
    this.back = h("span", {role: "status"});
    this.addEventListener("menu-closed", () => this.waits && this.render(this.waits));
    // Shows the way back in case there is no such address.
    this.replaceChildren(h("p", {}, h("a", {href: url("reverse")}, "DNS Reverse")), h("h1", {}, "Address"));
    await this.load();
  }

  // New data wait until an open menu is closed, as in a table.
  async read() {
    const ptr = await get("ptrs/" + path(this.query.get("id") || ""), {signal: this.signal});

    if (this.querySelector("[aria-expanded=true]")) this.waits = ptr;
    else this.render(ptr);
  }

  render(ptr) {
    const changed = this.ptr?.reverse_fqdn !== ptr.reverse_fqdn || this.ptr?.status !== ptr.status;
    const facts = [
      ["Address", name(ptr.address || "")], [said("reverse_fqdn"), ptr.reverse_fqdn ? name(ptr.reverse_fqdn) : "not set"],
      ["Description", ptr.description ? name(ptr.description) : ""], ["ID", h("code", {}, ptr.id)],
      ["TTL (seconds)", ptr.ttl_served ?? ptr.ttl ?? ""], ["Status", [ptrStatus(ptr), ptr.reason && [" ", ptr.reason]]],
      ["Action", ACTIONS[ptr.action] || ptr.action],
      ["Name", [ptr.resource_group && [name(ptr.resource_group), "/"], name(ptr.name)]],
      ["From", origin(ptr)],
    ];

    const focused = this.querySelector("more-menu")?.contains(document.activeElement);

    this.ptr = ptr;
    this.waits = null;
    this.replaceChildren(
      h("p", {}, h("a", {href: url("reverse")}, "DNS Reverse")),
      h("div", {class: "title"}, h("h1", {}, name(ptr.address || ptr.name)),
        isAdmin() && ptrMenu(ptr, this, (one) => this.render(one))),
      h("dl", {class: "facts"}, facts.map(([term, value]) => [h("dt", {}, term), h("dd", {}, value)]),
        h("dt", {}, "Leads back"), h("dd", {}, this.back)));
    if (focused) this.querySelector("more-menu button")?.focus();
    if (changed) this.attempt(() => this.check(ptr));
  }

  // Asks now whether the name has an address record with this address. Only the latest answer, or its error, counts.
  async check(ptr) {
    this.checked = ptr;
    if (!ptr.reverse_fqdn || ptr.status !== "ACTIVE") {
      this.back.replaceChildren("");
      return;
    }
    this.back.replaceChildren("looking ...");
    const {result, text} = await get("check" + query({subject: ptr.address || ptr.name}), {signal: this.signal}).catch((error) => {
      if (this.checked === ptr) throw error;
      return {};
    });

    if (this.checked !== ptr) return;
    this.back.replaceChildren(h("span", {class: "state " + (result === "confirmed" ? "good" : "warn")}, name(text)));
  }
}
customElements.define("address-page", AddressPage);
