// A table that is quick with many rows: the first ones are shown, and more when they are asked for.
// On a phone each row is a card (style.css), so every cell says which column it is of.
//
// What comes in by itself disturbs nobody: the row of an item that is still there stays as it is,
// nothing moves while a menu is open, and the focus stays at what it was at.

import {count, h} from "/ui/lib/element.js";

const STEP = 200;

// columns: {title, cell: (item) => content, narrow: true}. `label` names the table for those who
// do not see it; `none` is shown in place of no rows.
export class DataTable extends HTMLElement {
  constructor(label, columns, none) {
    super();
    Object.assign(this, {label, columns, none, items: [], shown: STEP, made: new WeakMap()});
    this.addEventListener("menu-closed", () => this.waits && this.renew());
    this.sizes = new ResizeObserver(() => this.reach());
  }

  connectedCallback() {
    this.sizes.observe(this);
  }

  disconnectedCallback() {
    this.sizes.disconnect();
  }

  // What is wider than its place is scrolled by keys, too, for which it takes the focus.
  reach() {
    const wide = this.scrollWidth > this.clientWidth;

    for (const [key, value] of Object.entries({tabindex: "0", role: "region", "aria-label": this.label}))
      if (wide) this.setAttribute(key, value);
      else this.removeAttribute(key);
  }

  fill(items) {
    this.items = items;
    this.waits = this.querySelector("[aria-expanded=true]");
    if (!this.waits) this.renew();
  }

  renew() {
    const focused = this.contains(document.activeElement) && document.activeElement.getAttribute("aria-label");

    this.waits = null;
    this.render();
    if (focused) [...this.querySelectorAll("[aria-label]")].find((one) => one.getAttribute("aria-label") === focused)?.focus();
  }

  row(item) {
    if (!this.made.has(item)) this.made.set(item, this.make(item));
    return this.made.get(item);
  }

  make(item) {
    return h("tr", {role: "row"}, this.columns.map(({title, cell, narrow}) =>
      h("td", {role: "cell", "data-title": title, class: narrow && "narrow"}, h("div", {}, cell(item)))));
  }

  render() {
    const more = this.items.length - this.shown;

    if (!this.items.length) {
      this.replaceChildren(...[this.none].flat().filter(Boolean));
      return;
    }
    this.replaceChildren(
      h("table", {role: "table", "aria-label": this.label},
        h("thead", {role: "rowgroup"}, h("tr", {role: "row"},
          this.columns.map(({title, narrow}) => h("th", {role: "columnheader", scope: "col", class: narrow && "narrow"},
            title || h("span", {class: "unseen"}, "Actions"))))),
        h("tbody", {role: "rowgroup"}, this.items.slice(0, this.shown).map((item) => this.row(item)))),
      h("p", {class: "foot"}, more > 0 ? `${this.shown} of ${count(this.items.length, "row")} ` : count(this.items.length, "row"),
        more > 0 && h("button", {type: "button", onclick: () => this.more()}, `Show ${Math.min(STEP, more)} more`)));
    this.reach();
  }

  more() {
    this.shown += STEP;
    this.render();
  }
}
customElements.define("data-table", DataTable);
