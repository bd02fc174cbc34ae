// A table that is quick with many rows: the first ones are shown, and more when they are asked for.
// On a phone each row is a card (style.css), so every cell says which column it is of.

import {count, h} from "/ui/lib/element.js";

const STEP = 200;

// columns: {title, cell: (item) => content, narrow: true}. `label` names the table for those who
// do not see it; `none` is shown in place of no rows.
export class DataTable extends HTMLElement {
  constructor(label, columns, none) {
    super();
    Object.assign(this, {label, columns, none, items: [], shown: STEP});
  }

  fill(items) {
    this.items = items;
    this.render();
  }

  row(item) {
    return h("tr", {role: "row"}, this.columns.map(({title, cell, narrow}) =>
      h("td", {role: "cell", "data-title": title, class: narrow && "narrow"}, cell(item))));
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
  }

  more() {
    this.shown += STEP;
    this.render();
  }
}
customElements.define("data-table", DataTable);
