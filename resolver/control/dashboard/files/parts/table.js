// A table for few rows and for very many: it shows a page of them at a time. Its columns share the width, so that
// a long name displaces nothing; a button at the end of a cut cell, which keys and fingers reach, shows the row
// whole. In a small window a row is a line or two (style.css), and a field above them sorts.
//
// New data disturb nobody: the row of an item that still exists stays, nothing moves while a menu is open, and the
// focus stays at its place.

import {count, h} from "../lib/element.js";

const ROWS = 50; // of a page: the time to show a page grows with them
let tables = 0;
const collator = new Intl.Collator("en", {numeric: true});

// Compares two values to sort by; unknown values come last.
function compare(a, b) {
  const gone = (a ?? null) === null, other = (b ?? null) === null;

  if (gone || other) return gone - other;
  return typeof a === "number" && typeof b === "number" ? a - b : collator.compare(String(a), String(b));
}

function sorted(items, key, down) {
  const known = items.map((item) => ({item, key: key(item)}));
  const isGone = (one) => (one.key ?? null) === null;

  known.sort((a, b) => down && !isGone(a) && !isGone(b) ? compare(b.key, a.key) : compare(a.key, b.key));
  return known.map(({item}) => item);
}

function track({title, narrow, number, lead, mood}) {
  if (narrow || number || !title) return "max-content";
  return `minmax(${lead || mood ? 9 : 4}rem, auto)`;
}

// Whether the cell has no text, and no elements but those that hold text.
function isNothing(cell) {
  return !cell.textContent && !cell.querySelector(":not(div, span, bdi, strong)");
}

// The first of a list, and the number of the others, which only a whole row shows.
export function firstOf([first, ...others]) {
  return [h("div", {}, first), others.length > 0 && [h("span", {class: "hint more"}, ` +${others.length}`), others.map((one) => h("div", {class: "rest"}, one))]];
}

// The full text of a cell that is cut, or that shows only the first of a list.
function wholeText(cell) {
  return cell.querySelector(".rest") ? [...cell.querySelectorAll(":scope > div")].map((one) => one.textContent).join("\n") : cell.innerText;
}

function rowName(row) {
  return row.querySelector(".lead").textContent;
}

// columns: {title, cell: (item) => content} and, if they apply: narrow (never cut), number (right-aligned), wraps (as
// many lines as it needs), lead (the row's subject; the first column by default), mood (the subject's state), sort:
// (item) => a number or a text to sort by. A column without a title has the row's actions. `label` names the table for
// screen readers; `none` is shown instead of no rows. worst: (item) => a number: the highest come first, unless the
// user sorts otherwise.
export class DataTable extends HTMLElement {
  constructor(label, columns, none, worst) {
    super();
    Object.assign(this, {label, none, worst, items: [], page: 0, by: null, further: null, whole: new Set()});
    this.columns = columns;
    this.addEventListener("menu-closed", () => this.waits && this.renew());
    this.addEventListener("focusin", ({target}) => this.reach(target));
    this.sizes = new ResizeObserver(() => this.markLater());
  }

  // New columns drop the rows that were made for the old ones.
  set columns(columns) {
    const lead = columns.find((one) => one.lead) || columns[0];

    this.shownColumns = columns.map((one) => ({...one, lead: one === lead}));
    this.made = new WeakMap();
    this.offerSorts();
  }

  connectedCallback() {
    this.sizes.observe(this);
  }

  disconnectedCallback() {
    this.sizes.disconnect();
  }

  fill(items) {
    this.items = items;
    this.waits = this.querySelector("[aria-expanded=true][aria-haspopup]");
    if (!this.waits) this.renew();
  }

  // Keeps the focus on the same element.
  renew() {
    const focused = this.contains(document.activeElement) && document.activeElement.getAttribute("aria-label");

    this.waits = null;
    this.render();
    if (focused) this.mark();
    if (focused) [...this.querySelectorAll("[aria-label]")].find((one) => one.getAttribute("aria-label") === focused)?.focus({preventScroll: true});
  }

  row(item) {
    if (!this.made.has(item)) this.made.set(item, this.make(item));
    return this.made.get(item);
  }

  make(item) {
    return h("tr", {role: "row"}, this.shownColumns.map((column) => {
      const {title, number, wraps, lead, mood} = column, cell = h("div", {class: "cell"}, column.cell(item));

      // Blanks between the parts of a cell: only a row shown whole has each part on a line of its own.
      for (const one of cell.querySelectorAll(":scope > div"))
        if (one.previousSibling) one.before(h("span", {class: "between"}, " "));
      return h("td", {role: "cell", "data-title": title, class: [number && "number", wraps && "wraps", lead && "lead", mood && "mood",
        !title && "action", isNothing(cell) && "nothing"].filter(Boolean).join(" ")}, cell);
    }));
  }

  head(column) {
    const {title, number, sort} = column, by = this.by?.title === title && this.by;

    return h("th", {role: "columnheader", scope: "col", class: number && "number", "aria-sort": by && (by.down ? "descending" : "ascending")},
      !title && h("span", {class: "unseen"}, "Actions"),
      sort ? h("button", {type: "button", onclick: () => this.sortBy(column), "aria-label": "Sort by " + title}, title) : title);
  }

  // The first press sorts the greatest numbers or the first texts to the top, the second reverses
  // that, and the third ends the sorting: the worst come first, or the rows are as listed.
  sortBy({title, sort, number}) {
    const first = !!number;

    if (this.by?.title !== title) this.by = {title, sort, down: first};
    else this.by = this.by.down === first ? {title, sort, down: !first} : null;
    this.page = 0;
    this.renew();
  }

  // The sort field, for windows without table heads. It is made again only for other columns, because it may be open.
  offerSorts() {
    const titles = this.shownColumns.filter((one) => one.sort).map((one) => one.title).join("\n");

    if (titles === this.offered) return;
    this.offered = titles;
    const id = "sort-" + ++tables, ways = (number) => number ? ["descending", "ascending"] : ["ascending", "descending"];

    this.sorts = h("select", {id, onchange: () => this.choose(this.sorts.value)}, h("option", {value: ""}, this.worst ? "Worst first" : "As listed"),
      this.shownColumns.filter((one) => one.sort).map(({title, number}) => ways(number).map((way) => h("option", {value: `${way} ${title}`}, `${title}, ${way}`))));
    this.sorter = titles && h("div", {class: "sorter"}, h("label", {for: id}, "Sort by"), this.sorts);
  }

  choose(wanted) {
    const [way, ...words] = wanted.split(" "), column = this.shownColumns.find((one) => one.sort && one.title === words.join(" "));

    this.by = column ? {title: column.title, sort: column.sort, down: way === "descending"} : null;
    this.page = 0;
    this.renew();
  }

  ordered() {
    if (this.by) return sorted(this.items, this.by.sort, this.by.down);
    // Where the server has more rows the worst of all are not known, and its order stays.
    return this.worst && !this.further ? sorted(this.items, this.worst, true) : this.items;
  }

  // The sort field stays in the document: taken out of it, an open one would close.
  show(...parts) {
    for (const one of [...this.childNodes]) if (one !== this.sorter) one.remove();
    if (this.sorter && this.sorter.parentNode !== this) this.prepend(this.sorter);
    this.append(...parts.filter(Boolean));
  }

  render() {
    if (this.sorter) {
      this.sorter.hidden = this.items.length < 2;
      this.sorts.value = this.by ? `${this.by.down ? "descending" : "ascending"} ${this.by.title}` : "";
    }
    if (!this.items.length) {
      this.show(...[this.none].flat());
      return;
    }
    this.page = Math.min(this.page, Math.ceil(this.items.length / ROWS) - 1);
    const from = this.page * ROWS, rows = this.ordered().slice(from, from + ROWS).map((item) => this.row(item));
    const table = h("table", {role: "table", "aria-label": this.label},
      h("thead", {role: "rowgroup"}, h("tr", {role: "row"}, this.shownColumns.map((column) => this.head(column)))),
      h("tbody", {role: "rowgroup"}, rows));

    table.style.gridTemplateColumns = this.shownColumns.map(track).join(" ");
    this.show(table, this.foot(from, rows.length));
    this.markLater();
  }

  // this.further asks the server for more rows, and returns whether that succeeded, even if no row
  // came; null: the server has no more.
  foot(from, shown) {
    const all = this.items.length, last = from + shown >= all;
    const button = (title, to, disabled) => h("button", {class: "small", type: "button", disabled, "aria-label": title + " page: " + this.label,
      onclick: () => this.turn(to)}, title);

    if (all <= ROWS && !this.further) return h("div", {class: "foot"}, count(all, "row"));
    return h("div", {class: "foot"}, h("span", {role: "status"}, `${(from + 1).toLocaleString("en")}\u2013${(from + shown).toLocaleString("en")} of ` +
      (this.further ? "more than " : "") + count(all, "row")),
    button("Previous", this.page - 1, !this.page), button("Next", this.page + 1, last && !this.further));
  }

  async turn(to) {
    if (to * ROWS >= this.items.length && !await this.further?.()) return;
    const forward = to > this.page;

    this.page = to;
    this.render();
    const [back, on] = this.querySelectorAll(".foot button");

    (forward && !on.disabled || back.disabled ? on : back).focus({preventScroll: true});
    this.scrollIntoView({block: "start"});
  }

  // Runs one frame after the rows are shown: by then the browser has measured them, so `mark` costs little.
  markLater() {
    this.marking ||= requestAnimationFrame(() => requestAnimationFrame(() => {
      this.marking = null;
      this.mark();
    }));
  }

  // Adds a button, which shows the whole row, to each cut cell.
  mark() {
    // Measures everything before changing anything: each measure after a change makes the browser lay out the page.
    const cells = [...this.querySelectorAll("tbody tr:not(.open) .cell")].map((cell) => {
      const cut = cell.scrollWidth > cell.clientWidth || !!cell.querySelector(".rest");

      return {cell, cut, text: cut && wholeText(cell)};
    });

    for (const {cell, cut, text} of cells) {
      const known = cell.nextElementSibling;

      if (cut === !!known) continue;
      if (known) known.remove();
      else cell.after(h("button", {class: "whole", type: "button", "aria-expanded": "false", "aria-label": "All of it: " + text,
        onclick: () => this.open(cell.closest("tr"), !cell.closest(".open"))}));
      if (cut) cell.title = text;
      else cell.removeAttribute("title");
    }
    for (const row of this.querySelectorAll("tbody tr:not(.open):has(.whole)"))
      if (this.whole.has(rowName(row))) this.open(row, true);
  }

  // Shows the row whole if a link that gets the focus is cut off: nobody would see the focus.
  reach(link) {
    const cell = link.localName === "a" && link.closest(".cell");

    if (cell && link.getBoundingClientRect().right > cell.getBoundingClientRect().right + 1) this.open(cell.closest("tr"), true);
  }

  // A row that is made again stays open; rows are identified by their names.
  open(row, open) {
    this.whole[open ? "add" : "delete"](rowName(row));
    row.classList.toggle("open", open);
    row.querySelectorAll(".whole").forEach((one) => one.setAttribute("aria-expanded", String(open)));
    if (!open) this.markLater();
  }
}
customElements.define("data-table", DataTable);
