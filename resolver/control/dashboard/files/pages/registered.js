// Records that machines and clients have registered in private zones: by whom, how, since when, and which of them
// something else hides. There may be tens of thousands, so the server searches, and sends a page at a time.

import {call, get, query} from "../lib/api.js";
import {h, name, when} from "../lib/element.js";
import {Page, empty} from "../lib/page.js";
import {note, url} from "../lib/router.js";
import {isAdmin} from "../lib/session.js";
import {reference} from "../lib/words.js";
import {ask} from "../parts/dialog.js";
import {MoreMenu} from "../parts/more.js";
import {notice} from "../parts/notice.js";
import {searchField} from "../parts/search.js";
import {DataTable} from "../parts/table.js";
import {zoneTabs} from "../parts/tabs.js";

const PAGE = 200;
// No event tells of a registration, so the page reads again, unless it has more rows than AGAIN_ROWS.
const AGAIN_MS = 10000, AGAIN_ROWS = 2000;

const SHOWN = {all: "All", true: "Answered", false: "Hidden by something else"};

const HIDDEN = {
  record: "the zone has its own records of this name and type",
  cname: "the zone has its own CNAME of this name",
  dname: "the zone has its own DNAME above this name",
  length: "with the zone's name it is too long to be a name",
  machine: "a machine, a network interface here, has this name or address",
  address: "one of your addresses has its own PTR",
  setting: "registration in the configuration file does not allow it any more",
  pending: "it is not served yet; if that lasts, the log says why",
};

function state({served, hidden_by}) {
  if (served) return h("span", {class: "state good"}, "answered");
  return [h("span", {class: "state warn"}, "hidden"), h("div", {class: "hint"}, HIDDEN[hidden_by] || "something else takes precedence")];
}

// A DHCID is long, so it may be broken anywhere.
function data({type, data: text}) {
  return text && (["A", "AAAA", "PTR"].includes(type) ? name(text) : h("code", {}, text));
}

function since(row) {
  return row.since ? when(row.since) : "with its interface";
}

function renewal(row) {
  if (!row.since) return "needs none";
  return [row.renewed ? when(row.renewed) : "none yet", row.expires && h("div", {class: "hint"}, "expires ", when(row.expires))];
}

function byClients() {
  return h("p", {}, "DHCP servers, and machines themselves, register by DNS UPDATE where ", h("code", {}, "registration"),
    " in the configuration file names the zone, the addresses and who may: sluice.conf(5) says how, and the guide registration.md has it step by step.");
}

export class RegisteredPage extends Page {
  async show() {
    this.onEvents(({event}) => event === "change" || event === "reload", () => this.reload());
    this.search = this.query.get("search") || "";
    this.zone = this.query.get("zone") || "";
    this.shows = Object.hasOwn(SHOWN, this.query.get("show") || "") ? this.query.get("show") : "all";
    this.items = [];
    this.table = new DataTable("Registered records", [
      {title: "Name", cell: (row) => h("strong", {}, name(row.name))},
      {title: "Type", cell: (row) => row.type},
      {title: "Data", cell: data},
      {title: "State", mood: true, cell: state},
      {title: "Registered by", cell: (row) => name(row.by)},
      {title: "Since", cell: since},
      {title: "Last renewal", cell: renewal},
      {title: "Zone", cell: (row) => name(row.zone)},
      ...isAdmin() ? [{title: "", narrow: true, cell: (row) => this.more(row)}] : [],
    ], null, (row) => Number(!row.served));
    this.still = h("p", {class: "hint", hidden: true}, "So many are not looked at again until you search or choose.");
    this.replaceChildren(h("h1", {}, "Registered records"), zoneTabs("registered"), this.tools(), this.table, this.still);
    await this.reload();
    this.every(AGAIN_MS, () => this.items.length <= AGAIN_ROWS && this.load());
  }

  async reload() {
    this.offered = get("status", {signal: this.signal}).then(({zones}) => this.offer(zones.filter((zone) => zone.registers).map((zone) => zone.name)));
    this.offered.catch(() => {}); // whoever reads awaits it
    await this.load();
  }

  // The zones to choose from. A zone that is gone is kept: the server then says that it does not exist.
  offer(zones) {
    const gone = this.zone && !zones.includes(this.zone) ? [this.zone] : [];

    if (String(zones) === String(this.zones)) return;
    this.zones = zones;
    this.chosen.replaceChildren(h("option", {value: ""}, "all zones"),
      ...[...gone, ...zones].map((zone) => h("option", {value: zone}, zone)));
    this.chosen.value = this.zone;
  }

  tools() {
    this.chosen = h("select", {id: "registered-zone", onchange: () => this.find({zone: this.chosen.value})});
    this.shown = h("select", {id: "registered-shown", onchange: () => this.find({shows: this.shown.value})},
      Object.entries(SHOWN).map(([value, title]) => h("option", {value}, title)));
    this.shown.value = this.shows;
    return h("div", {class: "tools"},
      searchField({label: "Search", value: this.search, placeholder: "a name, an address or a key", back: (search) => this.find({search})}),
      h("div", {class: "field short"}, h("label", {for: "registered-zone"}, "Zone"), this.chosen),
      h("div", {class: "field short"}, h("label", {for: "registered-shown"}, "Show"), this.shown));
  }

  find(wanted) {
    Object.assign(this, wanted);
    this.items = [];
    this.table.page = 0;
    note(url("registered", {search: this.search, zone: this.zone, show: this.shows === "all" ? "" : this.shows}));
    this.attempt(() => this.load());
  }

  asked() {
    return {q: this.search, zone: this.zone, served: this.shows === "all" ? "" : this.shows};
  }

  async read() {
    const wanted = Math.max(PAGE, this.items.length);
    const [found] = await Promise.all([this.rowsFrom("registrations" + query({...this.asked(), limit: PAGE}), "registrations", wanted), this.offered]);

    this.fill([], found);
  }

  loadMore() {
    return this.inTurn(() => this.readMore());
  }

  async readMore() {
    this.fill(this.items, await this.rowsFrom(this.next, "registrations", PAGE));
  }

  // Unchanged rows stay; if all are unchanged, nothing is drawn.
  fill(before, found) {
    const known = new Map(this.items.map((row) => [JSON.stringify(row), row]));

    if (!found) return;
    const items = [...before, ...found.rows.map((row) => known.get(JSON.stringify(row)) || row)];
    const same = items.length > 0 && items.length === this.items.length && items.every((row, at) => row === this.items[at]);

    this.items = items;
    this.next = found.next;
    this.table.further = this.next && (() => this.attempt(() => this.loadMore()));
    this.still.hidden = items.length <= AGAIN_ROWS;
    if (same) return;
    this.table.none = this.none();
    this.table.fill(this.items);
  }

  // A machine's record cannot be deleted here: it goes with its network interface.
  more(row) {
    if (!row.since) return "";
    return new MoreMenu(`${row.name} ${row.type} ${row.data}`, [{title: "Delete", act: () => this.attempt(() => this.delete(row))}]);
  }

  async delete({zone, name: owner, type, by}) {
    await ask({
      title: `Delete ${owner} ${type}?`, confirm: "Delete", danger: true,
      text: [h("p", {}, "Registered by ", name(by), " in ", name(zone), "; all records of this name and type go" +
               (["A", "AAAA"].includes(type) ? ", with the PTRs that lead back to it." : ".")),
             h("p", {}, "There is no undo. A client that is still there registers it again.")],
      work: async () => {
        await call("DELETE", "registrations" + query({zone: reference(zone), name: owner, type}));
        notice(name(`${owner} ${type}`), " is deleted.");
      },
    });
    await this.load();
  }

  none() {
    if (this.search || this.shows !== "all") return empty("No registered record has that.");
    if (this.zones.length)
      return empty(this.zone ? "Nothing is registered in this zone." : "Nothing is registered yet.",
        h("p", {}, "Machines are, with their network interfaces (", h("code", {}, "sluice network-interface create"), "), where the link of the zone to " +
          "their network has registration."), byClients());
    return empty("Machines register in none of the zones yet.",
      h("p", {}, "A link with registration has the names of all machines of its network in the zone, those with a network interface here: "),
      h("pre", {}, "sluice zone create corp.internal\nsluice zone-link create corp.internal hub virtual_network=hub registration=true"), byClients());
  }
}
customElements.define("registered-page", RegisteredPage);
