// The resources of each top-level kind except PTRs, which have a page of their own: create, change
// and delete. A resource of the configuration file is shown with its place there.

import {query} from "../lib/api.js";
import {h, name} from "../lib/element.js";
import {article, hintWords, kinds, labelOf, nameOf, noun, nouns, pathOf, valueText} from "../lib/kinds.js";
import {Page, empty} from "../lib/page.js";
import {go, note, url} from "../lib/router.js";
import {isAdmin} from "../lib/session.js";
import {fullName, origin} from "../lib/words.js";
import {MoreMenu} from "../parts/more.js";
import {changeResource, createResource, deleteResource, resourceLink} from "../parts/resource.js";
import {searchField} from "../parts/search.js";
import {DataTable} from "../parts/table.js";

const PAGE = 200, MOST = 5000, COLUMNS = 3;
const HIDDEN = new Set(["tags", "azure", "metadata", "resource_group", "region", "id"]);

// The columns of a kind: required members first, then the order of the schema, and members with a fixed set of words last.
function columnsOf(kind) {
  const {properties, required} = kind.schema;
  const keys = Object.keys(properties).filter((key) => key !== kind.name_key && !HIDDEN.has(key) && properties[key].type !== "boolean");

  const rank = (key) => required.includes(key) ? 0 : properties[key].enum ? 2 : 1;

  return keys.sort((a, b) => rank(a) - rank(b)).slice(0, COLUMNS);
}

// A value that the server derived because none was given is shown soft.
function valueCell(item, key) {
  const given = valueText(item[key]);

  return given ? name(given) : h("span", {class: "hint"}, name(valueText(item.placed?.[key])));
}

// A table of a kind's items with their actions, which call methods of `page`.
export function resourceTable(kind, page) {
  return new DataTable(nouns(kind, true), [
    {title: "Name", sort: (item) => nameOf(kind, item), cell: (item) => [resourceLink(pathOf(kind, item), kind.groups ? fullName({...item, name: nameOf(kind, item)}) : nameOf(kind, item)),
      item.not_served && [" ", h("span", {class: "state warn"}, "not served")]]},
    ...columnsOf(kind).map((key) => ({title: labelOf(key, kind.schema.properties[key]), sort: (item) => valueText(item[key]), cell: (item) => valueCell(item, key)})),
    {title: "From", cell: (item) => origin(item)},
    ...isAdmin() ? [{title: "", cell: (item) => resourceMenu(kind, item, page)}] : [],
  ], null, (item) => Number(!!item.not_served));
}

function resourceMenu(kind, item, page) {
  if (item.origin) return h("span", {class: "hint"}, "read-only");
  return new MoreMenu(noun(kind) + " " + nameOf(kind, item), [
    {title: "Edit", act: () => page.act(() => changeResource(kind, item))},
    {title: "Delete", act: () => page.act(() => deleteResource(kind, item, insideOf(page.kinds, kind)))},
  ]);
}

// Words for the items that are deleted with their parent.
export function insideOf(all, kind) {
  const inner = all.filter((one) => one.parent === kind.name).map((one) => nouns(one));

  return inner.length ? `All that is inside it goes with it: ${inner.join(", ")}.` : "";
}

export class ResourcesPage extends Page {
  async show() {
    this.onEvents(({event}) => event === "change" || event === "reload", () => this.load());
    this.kinds = await kinds();
    this.tops = this.kinds.filter((kind) => !kind.parent && kind.name !== "ptr" && (isAdmin() || !kind.guarded));
    this.kind = this.tops.find((kind) => kind.name === this.query.get("kind")) || this.tops[0];
    this.search = this.query.get("search") || "";
    this.items = [];
    this.table = resourceTable(this.kind, this);
    this.replaceChildren(h("h1", {}, "Resources"), this.tabs(),
      h("p", {class: "hint"}, hintWords(this.kind.schema.description)),
      h("div", {class: "tools"}, this.chosen(),
        searchField({label: "Search", value: this.search, placeholder: "a name", back: (text) => this.find(text)}),
        isAdmin() && h("button", {class: "primary", type: "button", onclick: () => this.act(() => createResource(this.kind))}, "Add " + article(this.kind))),
      this.table);
    await this.load();
  }

  tabs() {
    return h("ul", {class: "tabs kind-tabs", "aria-label": "Kinds of resources"}, this.tops.map((kind) => h("li", {},
      h("a", {href: url("resources", {kind: kind.name}), "aria-current": kind === this.kind && "page"}, nouns(kind, true)))));
  }

  // Instead of the tabs, where there is no room for them.
  chosen() {
    const select = h("select", {id: "resources-kind", value: this.kind.name, onchange: () => go(url("resources", {kind: select.value}))},
      this.tops.map((kind) => h("option", {value: kind.name}, nouns(kind, true))));

    select.value = this.kind.name;
    return h("div", {class: "field kinds"}, h("label", {for: "resources-kind"}, "Kind"), select);
  }

  asked() {
    return {q: this.search};
  }

  // Reads as many rows as are shown already.
  async read() {
    const {collection} = this.kind, wanted = Math.max(PAGE, this.items.length);

    this.fill([], await this.rowsFrom(collection + query({...this.asked(), limit: Math.min(MOST, wanted)}), collection, wanted));
  }

  loadMore() {
    return this.inTurn(async () => {
      this.fill(this.items, await this.rowsFrom(this.next, this.kind.collection, PAGE));
    });
  }

  fill(before, found) {
    if (!found) return; // the search has changed; the next turn reads its rows
    this.items = [...before, ...found.rows];
    this.next = found.next;
    this.table.further = this.next && (() => this.attempt(() => this.loadMore()));
    this.table.none = this.search ? empty(`No ${noun(this.kind)} has that.`)
      : empty(`There is no ${noun(this.kind)} yet.`, h("p", {}, isAdmin() ? `Add ${article(this.kind)}, or declare it in the configuration file.` : "An admin can add one."));
    this.table.fill(this.items);
  }

  find(text) {
    this.search = text;
    this.items = [];
    this.table.page = 0;
    note(url("resources", {kind: this.kind.name, search: text}));
    this.attempt(() => this.load());
  }

  act(work) {
    this.attempt(async () => {
      await work();
      await this.load();
    });
  }
}
customElements.define("resources-page", ResourcesPage);
