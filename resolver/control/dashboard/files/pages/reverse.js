// Network > DNS Reverse: all our addresses and cloud services with their PTRs. Sets and removes
// PTRs, many at once by CSV, and checks whether their names lead back.

import {all, call, get, query} from "../lib/api.js";
import {csv, save} from "../lib/csv.js";
import {count, h, name} from "../lib/element.js";
import {kindNamed, said} from "../lib/kinds.js";
import {Page, empty} from "../lib/page.js";
import {note, url} from "../lib/router.js";
import {isAdmin} from "../lib/session.js";
import {sleep} from "../lib/stream.js";
import {ptrStatus} from "../lib/words.js";
import {ask} from "../parts/dialog.js";
import {notice} from "../parts/notice.js";
import {ptrMenu} from "../parts/ptr.js";
import {createResource} from "../parts/resource.js";
import {searchField} from "../parts/search.js";
import {DataTable} from "../parts/table.js";

const PAGE = 200, MOST = 5000;
const CHECKS = 4; // at a time: each asks the DNS, and may take three seconds
const AGAIN_MS = 1000; // pause after a refused check: the server limits the checks of each client
const COLUMNS = ["address", "reverse_fqdn", "description", "ttl"];

// By the statuses of the API.
const SHOWN = {all: "All addresses", ERROR: "With an error", INACTIVE: "Without a name"};

function told({set, removed, unchanged}) {
  return `${count(set, "PTR")} set, ${removed} removed, ${unchanged} unchanged`;
}

export class ReversePage extends Page {
  async show() {
    this.onEvents(({event}) => event === "change" || event === "reload", () => this.load());
    this.search = this.query.get("search") || "";
    this.shows = Object.hasOwn(SHOWN, this.query.get("show") || "") ? this.query.get("show") : "all";
    this.checks = null; // results by name and address checked; null: not wanted
    this.table = new DataTable("Addresses", this.columns(), null, (ptr) => Number(ptr.status === "ERROR"));
    this.shown = h("select", {id: "reverse-shown", onchange: () => this.find(this.search, this.shown.value)},
      Object.entries(SHOWN).map(([value, title]) => h("option", {value}, title)));
    this.shown.value = this.shows;
    this.told = h("p", {role: "status"});
    this.replaceChildren(h("h1", {}, "DNS Reverse"), h("div", {class: "tools"},
      searchField({label: "Search", value: this.search, placeholder: "an address or a name", back: (text) => this.find(text)}),
      h("div", {class: "field short"}, h("label", {for: "reverse-shown"}, "Show"), this.shown),
      isAdmin() && h("button", {class: "primary", type: "button", onclick: () => this.attempt(() => this.add())}, "Add an address"),
      h("button", {type: "button", onclick: () => this.attempt(() => this.checkAll())}, "Check names"),
      h("button", {type: "button", onclick: () => this.attempt(() => this.export())}, "Export CSV"),
      isAdmin() && h("button", {type: "button", onclick: () => this.attempt(() => this.import())}, "Import CSV")),
    this.told, this.table);
    await this.load();
  }

  async add() {
    await createResource(await kindNamed("address"));
    await this.load();
  }

  columns() {
    return [
      {title: "Address", cell: (ptr) => h("a", {href: url("address", {id: ptr.id})}, name(ptr.address || ptr.name))},
      {title: said("reverse_fqdn"), cell: (ptr) => ptr.reverse_fqdn ? name(ptr.reverse_fqdn) : ""},
      {title: "Status", mood: true, cell: (ptr) => ptrStatus(ptr)},
      ...this.checks ? [{title: "Leads back", cell: (ptr) => this.leadsBack(ptr)}] : [],
      ...isAdmin() ? [{title: "", cell: (ptr) => ptrMenu(ptr, this, (one) => this.replace(one))}] : [],
    ];
  }

  leadsBack(ptr) {
    const found = this.checks.get(ptr.address + " " + ptr.reverse_fqdn);

    return found && h("span", {class: "state " + (found.result === "confirmed" ? "good" : "warn")}, name(found.text));
  }

  // Waits where the server says that this client asks too much.
  async check(ptr) {
    for (;; await sleep(AGAIN_MS, this.signal)) {
      try {
        return await get("check" + query({subject: ptr.address}), {signal: this.signal});
      } catch (error) {
        if (error.status !== 429) throw error;
      }
    }
  }

  // Checks all shown PTRs that are served, some at a time, and shows each result when it is known. Another press begins
  // anew.
  async checkAll() {
    const wanted = this.ptrs.filter((ptr) => ptr.address && ptr.reverse_fqdn && ptr.status === "ACTIVE"), left = [...wanted];
    let good = 0, done = 0;
    const checks = new Map();
    const check = async () => {
      for (let ptr; (ptr = left.shift());) {
        const found = await this.check(ptr);

        if (this.checks !== checks) return;
        good += found.result === "confirmed";
        done++;
        checks.set(ptr.address + " " + ptr.reverse_fqdn, found);
        this.told.textContent = `Leading back: ${good} of ${done}` + (done < wanted.length ? `, ${wanted.length - done} to go ...` : ".");
        this.replace({...this.ptrs.find((one) => one.id === ptr.id) || ptr});
      }
    };

    this.checks = checks;
    this.table.columns = this.columns();
    this.table.fill(this.ptrs);
    if (!wanted.length) this.told.textContent = "No name is served here.";
    await Promise.all(Array.from({length: CHECKS}, check));
  }

  asked() {
    return {q: this.search, status: this.shows === "all" ? "" : this.shows};
  }

  // Reads as many rows as are shown already.
  async read() {
    const limit = Math.min(MOST, Math.max(PAGE, this.ptrs?.length || 0));

    this.fill([], await this.rowsFrom("ptrs" + query({...this.asked(), limit}), "ptrs", limit));
  }

  loadMore() {
    return this.inTurn(() => this.readMore());
  }

  async readMore() {
    this.fill(this.ptrs, await this.rowsFrom(this.next, "ptrs", PAGE));
  }

  fill(before, found) {
    if (!found) return; // the search has changed; the next turn reads its rows
    this.ptrs = [...before, ...found.rows];
    this.next = found.next;
    this.table.further = this.next && (() => this.attempt(() => this.loadMore()));
    this.table.none = this.search || this.shows !== "all" ? empty("No address or name has that.") : empty("There are no addresses.",
      h("p", {}, "Add one, and before a public one the pool that it is in: "),
      h("pre", {}, "sluice address-pool create public prefix=198.51.100.0/24\nsluice address create mail 198.51.100.25"));
    this.table.fill(this.ptrs);
  }

  replace(ptr) {
    this.ptrs = this.ptrs.map((one) => one.id === ptr.id ? ptr : one);
    this.table.fill(this.ptrs);
  }

  find(text, shows = this.shows) {
    this.search = text;
    this.shows = shows;
    this.ptrs = [];
    this.table.page = 0;
    note(url("reverse", {search: text, show: shows === "all" ? "" : shows}));
    this.attempt(() => this.load());
  }

  async export() {
    const ptrs = await all("ptrs" + query({...this.asked(), limit: MOST}), "ptrs", {signal: this.signal});

    save("ptrs.csv", csv(COLUMNS, ptrs.filter((ptr) => ptr.address && ptr.reverse_fqdn)), "text/csv");
  }

  // Tries the import first, and makes it once the user has seen what it would do; not if something has changed since.
  async import() {
    let file, found;
    const tried = await ask({
      title: "Import CSV", confirm: "Try it",
      text: h("p", {}, "The first line has the columns: ", h("code", {}, "address"), ", ", h("code", {}, "reverse_fqdn"), " (the PTR domain name) and, if wanted, ",
        h("code", {}, "description"), " and ", h("code", {}, "ttl"), ". An empty name removes the PTR. Nothing is changed yet."),
      fields: [{name: "file", label: "File", type: "file", accept: ".csv,text/csv", required: true}],
      work: async (values) => {
        file = values.file;
        found = await call("POST", "ptrs?dry_run=true", {body: file});
      },
    });

    if (!tried) return;
    await ask({
      title: "Import " + file.name + "?", confirm: "Import", text: h("p", {}, "It fits. This would be: " + told(found.body) + "."),
      work: async () => {
        const {body} = await call("POST", "ptrs", {body: file, etag: found.etag});

        notice("Imported: " + told(body) + ".");
      },
    });
    await this.load();
  }
}
customElements.define("reverse-page", ReversePage);
