// One zone and its record sets: search, create, change and delete; import and export of a master file. The records of a
// zone with a file are no resources, and are shown as served.

import {call, get, path, query} from "../lib/api.js";
import {save} from "../lib/csv.js";
import {h, name} from "../lib/element.js";
import {Page, empty} from "../lib/page.js";
import {note, url} from "../lib/router.js";
import {isAdmin} from "../lib/session.js";
import {fullName, origin} from "../lib/words.js";
import {ask} from "../parts/dialog.js";
import {importZone} from "../parts/master_file.js";
import {MoreMenu} from "../parts/more.js";
import {changed, warn} from "../parts/notice.js";
import {resourceUrl} from "../parts/resource.js";
import {searchField} from "../parts/search.js";
import {DataTable} from "../parts/table.js";

const PAGE = 200, MOST = 5000;
const TYPES = ["A", "AAAA", "CAA", "CNAME", "HTTPS", "MX", "NS", "PTR", "SOA", "SRV", "SVCB", "TXT"];
const DATA_HINT = "One record on a line, its data as in a master file: 10.0.0.1, or 10 mail.example.com.";

// "www:A": the set of type A of www.
function ownerOf(set) {
  return set.name.slice(0, set.name.lastIndexOf(":"));
}

function typeOf(set) {
  return set.name.slice(set.name.lastIndexOf(":") + 1);
}

export class ZonePage extends Page {
  async show() {
    this.onEvents(({event}) => event === "change" || event === "reload", () => this.load());
    this.path = this.query.get("path") || "";
    this.search = this.query.get("search") || "";
    // Shows the way back in case there is no such zone.
    this.replaceChildren(h("p", {}, h("a", {href: url("zones")}, "Zones")), h("h1", {}, "Zone"));
    const how = {signal: this.signal};
    const [zone, status] = await Promise.all([get(this.path, how), get("status", how)]);
    const registers = status.zones.find((one) => one.name === fullName(zone))?.registers;

    this.zone = zone;
    const own = !zone.file;
    const may = own && isAdmin();

    this.table = new DataTable("Record sets", [
      {title: "Name", cell: (set) => h("strong", {}, name(ownerOf(set)))},
      {title: "Type", cell: (set) => typeOf(set)},
      {title: "TTL", number: true, cell: (set) => set.ttl},
      {title: "Data", cell: (set) => set.records.map((record) => h("div", {}, name(record)))},
      {title: "From", cell: origin},
      ...may ? [{title: "", cell: (set) => this.more(set)}] : [],
    ]);
    this.replaceChildren(h("p", {}, h("a", {href: url("zones")}, "Zones")),
      h("div", {class: "title"}, h("h1", {}, name(fullName(zone))), h("a", {href: resourceUrl(this.path)}, "Links and settings")),
      ...registers ? [h("p", {class: "hint"}, "These are the zone's own records. Beneath them are ",
        h("a", {href: url("registered", {zone: fullName(zone)})}, "those that machines and clients have registered"), ".")] : [],
      h("div", {class: "tools"},
        own && searchField({label: "Search", value: this.search, placeholder: "a name or a type", back: (text) => this.find(text)}),
        may && h("button", {class: "primary", type: "button", onclick: () => this.attempt(() => this.create())}, "Add a record set"),
        may && h("button", {type: "button", onclick: () => this.attempt(() => this.import())}, "Import master file"),
        h("button", {type: "button", onclick: () => this.attempt(() => this.export())}, "Export master file")));
    if (own) this.append(this.table);
    await this.load();
  }

  async showFile() {
    const text = await get(this.path + "/master_file", {signal: this.signal});

    this.querySelector(".file")?.remove();
    this.append(h("div", {class: "file"}, h("p", {}, "Its records are those of ", name(this.zone.file), "; change them there, and reload."),
      h("pre", {tabindex: 0, "aria-label": "Master file"}, text)));
  }

  sets() {
    return this.path + "/record_sets";
  }

  asked() {
    return {q: this.search};
  }

  async read() {
    const limit = Math.min(MOST, Math.max(PAGE, this.items?.length || 0));

    if (this.zone.file) await this.showFile();
    else this.fill([], await this.rowsFrom(this.sets() + query({...this.asked(), limit}), "record_sets", limit));
  }

  loadMore() {
    return this.inTurn(() => this.readMore());
  }

  async readMore() {
    this.fill(this.items, await this.rowsFrom(this.next, "record_sets", PAGE));
  }

  fill(before, found) {
    if (!found) return; // the search has changed; the next turn reads its rows
    this.items = [...before, ...found.rows];
    this.next = found.next;
    this.table.further = this.next && (() => this.attempt(() => this.loadMore()));
    this.table.none = this.search ? empty("No record set has that.") : empty("The zone has no records of its own yet.",
      h("p", {}, isAdmin() ? "Add one, or import a master file." : "An admin can add some."));
    this.table.fill(this.items);
  }

  find(text) {
    this.search = text;
    this.items = [];
    this.table.page = 0;
    note(url("zone", {path: this.path, search: text}));
    this.attempt(() => this.load());
  }

  more(set) {
    if (set.origin) return h("span", {class: "hint"}, "read-only");
    return new MoreMenu(set.name, [
      {title: "Change", act: () => this.attempt(() => this.change(set))},
      {title: "Delete", act: () => this.attempt(() => this.delete(set))},
    ]);
  }

  fields(set) {
    return [{name: "ttl", label: "TTL", type: "number", min: 0, value: set?.ttl ?? 3600, required: true, hint: "Seconds."},
            {name: "records", label: "Data", type: "lines", value: set?.records.join("\n"), hint: DATA_HINT}];
  }

  async create() {
    await ask({
      title: "Add a record set", confirm: "Add",
      fields: [{name: "owner", label: "Name", required: true, value: "@", hint: "Relative to the zone: www; @ is the zone itself."},
               {name: "type", label: "Type", value: "A", choices: TYPES.map((type) => [type, type])}, ...this.fields()],
      work: async ({owner, type, ttl, records}) => {
        const {body} = await call("PUT", this.sets() + "/" + path(owner + ":" + type), {body: {ttl, records}, none: true});

        this.done(body, "is made");
      },
    });
    await this.load();
  }

  async change(set) {
    await ask({
      title: "Change " + set.name, confirm: "Save", fields: this.fields(set),
      work: async ({ttl, records}) => {
        const {body} = await call("PATCH", set.path, {body: {ttl, records}, etag: set.etag});

        this.done(body, "is changed");
      },
    });
    await this.load();
  }

  async delete(set) {
    await ask({
      title: "Delete " + set.name + "?", confirm: "Delete", danger: true, text: h("ul", {}, set.records.map((record) => h("li", {}, name(record)))),
      work: async () => {
        await call("DELETE", set.path, {etag: set.etag});
        this.done(set, "is deleted");
      },
    });
    await this.load();
  }

  async import() {
    await importZone(this.path);
    await this.load();
  }

  async export() {
    save(this.zone.name + ".zone", await get(this.path + "/master_file", {signal: this.signal}), "text/dns");
  }

  done(set, what) {
    changed(set.path, name(set.name), ` ${what}.`);
    warn(set.warnings);
  }
}
customElements.define("zone-page", ZonePage);
