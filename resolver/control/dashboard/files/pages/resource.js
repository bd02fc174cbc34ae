// One resource of any kind: its members, further data from the server, and its children.

import {get, query} from "../lib/api.js";
import {h, name} from "../lib/element.js";
import {article, childrenOf, collectionIn, kindAt, kinds, labelOf, nameOf, noun, nouns, said, valueText} from "../lib/kinds.js";
import {Page, empty} from "../lib/page.js";
import {go, url} from "../lib/router.js";
import {isAdmin} from "../lib/session.js";
import {insideOf, resourceTable} from "./resources.js";
import {changeResource, createResource, deleteResource, resourceLink, resourceUrl} from "../parts/resource.js";

const PAGE = 200, MOST = 5000;
const BESIDE = new Set(["path", "etag", "origin", "warnings", "not_served", "placed"]);

function lines(value) {
  return (Array.isArray(value) ? value : [value]).map((one) => h("div", {}, name(valueText(one))));
}

function isGiven(value) {
  return value !== null && value !== undefined && value !== "" && !(typeof value === "object" && !Object.keys(value).length);
}

// The children of one kind.
class Inside {
  constructor(kind, page) {
    Object.assign(this, {kind, page, items: []});
    this.table = resourceTable(kind, page);
    this.table.none = h("p", {class: "hint"}, "none");
  }

  content(may) {
    return [h("div", {class: "part"}, h("h2", {}, nouns(this.kind, true)),
      may && h("button", {type: "button", onclick: () => this.page.act(() => createResource(this.kind, this.page.path))}, "Add " + article(this.kind))),
    this.table];
  }

  // Shows neither rows nor "none" until the next load, because the resource is gone.
  clear() {
    this.items = [];
    this.table.replaceChildren();
  }

  // Reads as many rows as are shown already.
  async load() {
    const wanted = Math.max(PAGE, this.items.length), first = collectionIn(this.kind, this.page.path) + query({limit: Math.min(MOST, wanted)});

    this.fill([], await this.page.rowsFrom(first, this.kind.collection, wanted));
  }

  async more() {
    this.fill(this.items, await this.page.rowsFrom(this.next, this.kind.collection, PAGE));
  }

  fill(before, found) {
    this.items = [...before, ...found.rows];
    this.next = found.next;
    this.table.further = this.next && (() => this.page.attempt(() => this.page.inTurn(() => this.more())));
    this.table.fill(this.items);
  }
}

export class ResourcePage extends Page {
  async show() {
    this.onEvents(({event}) => event === "change" || event === "reload", () => this.load());
    this.path = this.query.get("path") || "";
    this.kinds = await kinds();
    this.kind = kindAt(this.kinds, this.path);
    if (!this.kind) {
      this.replaceChildren(h("h1", {}, "There is no such resource."), h("a", {href: url("resources")}, "All resources"));
      return;
    }
    this.parts = childrenOf(this.kinds, this.kind).map((kind) => new Inside(kind, this));
    this.told = h("div");
    this.facts = h("dl", {class: "facts"});
    this.head = h("div", {class: "title"});
    this.whole = h("div", {hidden: true}, this.facts, this.parts.map((part) => part.content(isAdmin() && !this.kind.guarded)));
    this.replaceChildren(this.way(), this.head, this.told, this.whole);
    await this.load();
  }

  // The path of the parent.
  parent() {
    return this.path.split("/").slice(0, 3).join("/");
  }

  // Links back to the kind, and to the parent.
  way() {
    const root = this.kinds.find((kind) => kind.name === this.kind.parent) || this.kind;
    const parent = this.parent();

    return h("p", {}, h("a", {href: url("resources", {kind: root.name})}, nouns(root, true)),
      this.kind.parent && [" / ", resourceLink(parent, decodeURIComponent(parent.split("/")[2]))]);
  }

  // No filters for rowsFrom: the lists of children have no search field.
  asked() {
    return {};
  }

  async read() {
    const item = await get(this.path, {signal: this.signal}).catch((error) => {
      if (error.status !== 404) throw error;
      return null;
    });

    if (!item) {
      this.head.replaceChildren(h("h1", {}, "It is gone."));
      this.told.replaceChildren(empty(`There is no such ${noun(this.kind)} any more.`, h("p", {}, h("a", {href: url("changes")}, "Changes"), " has who deleted it, and can undo that.")));
      this.whole.hidden = true; // until it comes back, as by an undo
      for (const part of this.parts) part.clear();
      return;
    }
    this.render(item);
    this.whole.hidden = false;
    await Promise.all(this.parts.map((part) => part.load()));
  }

  render(item) {
    const may = isAdmin() && !item.origin, focused = this.head.contains(document.activeElement) && document.activeElement.textContent;

    this.head.replaceChildren(h("h1", {}, noun(this.kind, true), " ", name(nameOf(this.kind, item))),
      ...may ? [h("button", {type: "button", onclick: () => this.act(() => changeResource(this.kind, item))}, "Edit"),
        h("button", {type: "button", class: "danger", onclick: () => this.delete(item)}, "Delete")] : []);
    if (focused) [...this.head.querySelectorAll("button")].find((one) => one.textContent === focused)?.focus();
    this.told.replaceChildren(...[
      item.origin && h("p", {class: "hint"}, "Declared at ", h("code", {}, item.origin), "; change it there, and reload."),
      item.not_served && h("p", {class: "judgement warn"}, "It is not served: ", name(item.not_served))].filter(Boolean));
    this.facts.replaceChildren(...this.factsOf(item).flatMap(([term, value]) => [h("dt", {}, term), h("dd", {}, value)]));
  }

  // The members in the order of the schema, then further data.
  factsOf(item) {
    const {properties} = this.kind.schema;
    const known = Object.keys(item).filter((key) => !properties[key] && !BESIDE.has(key));

    const placed = item.placed || {};
    const keys = [...Object.keys(properties), ...known, ...Object.keys(placed).filter((key) => !properties[key])];

    return keys.filter((key) => key !== this.kind.name_key && (isGiven(item[key]) || isGiven(placed[key]))).map((key) => [properties[key] ? labelOf(key, properties[key]) : said(key),
      [isGiven(item[key]) && this.fact(key, item[key]), isGiven(placed[key]) && this.found(placed[key], item[key])]]);
  }

  // Values that the server found because they were not given.
  found(value, given) {
    const more = [value].flat().filter((one) => ![given].flat().includes(one));

    return more.length > 0 && [lines(more), h("div", {class: "hint"}, "not given: found by the server")];
  }

  fact(key, value) {
    const schema = this.kind.schema.properties[key];

    return schema?.type === "object" ? Object.entries(value).map(([one, text]) => h("div", {}, name(`${one}=${text}`))) : lines(value);
  }

  delete(item) {
    this.attempt(async () => {
      if (await deleteResource(this.kind, item, insideOf(this.kinds, this.kind)))
        go(this.kind.parent ? resourceUrl(this.parent()) : url("resources", {kind: this.kind.name}));
    });
  }

  act(work) {
    this.attempt(async () => {
      await work();
      await this.load();
    });
  }
}
customElements.define("resource-page", ResourcePage);
