// The private zones: how many records each has, and from which networks it is reached.

import {all, call, get, path} from "../lib/api.js";
import {count, h, name} from "../lib/element.js";
import {Page, empty} from "../lib/page.js";
import {note, url} from "../lib/router.js";
import {isAdmin} from "../lib/session.js";
import {fullName, reference} from "../lib/words.js";
import {ask} from "../parts/dialog.js";
import {MoreMenu} from "../parts/more.js";
import {changed, warn} from "../parts/notice.js";
import {searchField} from "../parts/search.js";
import {DataTable} from "../parts/table.js";
import {zoneTabs} from "../parts/tabs.js";

export class ZonesPage extends Page {
  async show() {
    this.onEvents(({event}) => event === "change" || event === "reload", () => this.load());
    this.search = this.query.get("search") || "";
    this.table = new DataTable("Zones", [
      {title: "Zone", sort: fullName, cell: (zone) => h("a", {href: url("zone", {path: zone.path})}, name(fullName(zone)))},
      {title: "Networks", cell: (zone) => zone.served?.networks.length ? name(zone.served.networks.join(", "))
        : h("span", {class: "state warn"}, "none: nobody is answered from it")},
      {title: "Records", number: true, sort: (zone) => zone.served?.records, cell: (zone) => (zone.served?.records ?? "").toLocaleString("en")},
      {title: "Registered", cell: (zone) => zone.served?.registers && h("a", {href: url("registered", {zone: fullName(zone)})}, "registered records")},
      {title: "Records from", cell: (zone) => zone.file ? name(zone.file) : "here"},
      ...isAdmin() ? [{title: "", cell: (zone) => this.more(zone)}] : [],
    ], null, (zone) => Number(!zone.served?.networks.length));
    await this.load();
    this.replaceChildren(h("h1", {}, "Zones"), zoneTabs("zones"), h("div", {class: "tools"},
      searchField({label: "Search", value: this.search, placeholder: "a zone", back: (text) => this.find(text)}),
      isAdmin() && h("button", {class: "primary", type: "button", onclick: () => this.attempt(() => this.create())}, "Add a zone")),
    this.table);
  }

  async read() {
    const how = {signal: this.signal};
    const [zones, status] = await Promise.all([all("private_zones?limit=5000", "private_zones", how), get("status", how)]);
    const served = new Map(status.zones.map((zone) => [zone.name, zone]));

    this.networks = status.networks.map((network) => network.name);
    this.zones = zones.map((zone) => ({...zone, served: served.get(fullName(zone))}));
    this.render();
  }

  render() {
    this.table.none = this.zones.length ? empty("No zone has that.") : empty("There is no private zone.",
      h("p", {}, "A zone of yours answers before every rule in the networks that it is linked to."));
    this.table.fill(this.zones.filter((zone) => fullName(zone).toLowerCase().includes(this.search.toLowerCase())));
  }

  find(text) {
    this.search = text;
    this.table.page = 0;
    note(url("zones", {search: text}));
    this.render();
  }

  more(zone) {
    if (zone.origin) return h("span", {class: "hint"}, "read-only");
    return new MoreMenu("zone " + fullName(zone), [{title: "Delete", act: () => this.attempt(() => this.delete(zone))}]);
  }

  async create() {
    await ask({
      title: "Add a zone", confirm: "Add",
      fields: [{name: "name", label: "Name", required: true, placeholder: "corp.internal"},
               {name: "network", label: "Linked to", choices: [...this.networks.map((one) => [one, "network " + one]), ["", "no network yet"]]}],
      work: async ({name: zone, network}) => {
        const where = "private_zones/-/" + path(zone);
        const edits = [{path: where, values: {}, etag: ""}];

        if (network) edits.push({path: where + "/links/" + path(network.split("/").at(-1)), values: {virtual_network: reference(network)}});
        const {body} = await call("POST", "changes", {body: {edits}});
        changed(where, "Zone ", name(zone), " is made.");
        warn(body.warnings);
      },
    });
    await this.load();
  }

  async delete(zone) {
    await ask({
      title: "Delete zone " + fullName(zone) + "?", confirm: "Delete", danger: true,
      text: h("p", {}, `With ${count(zone.served?.records ?? 0, "record")}. Names in it go to rules or the default resolver then.`),
      work: async () => {
        await call("DELETE", zone.path, {etag: zone.etag});
        changed(zone.path, "Zone ", name(fullName(zone)), " is deleted.");
      },
    });
    await this.load();
  }
}
customElements.define("zones-page", ZonesPage);
