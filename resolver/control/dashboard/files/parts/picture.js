// A picture of connections: columns of boxes with lines between them. A box with a `href` is a
// link; the lines of the box that is pointed at, or has the focus, are highlighted. Many of a kind
// are one box that unfolds. In a small window there are no lines, and columns that do not fit
// beside each other are below.

import {h, name, svg} from "../lib/element.js";

const SHOWN = 200; // of an unfolded bundle

// node: {id, title, note, mood, href}: mood is good, bad, warn or plain
function box({title, note, mood, href, made}) {
  return h(href ? "a" : "span", {href, class: `node ${mood || "plain"}${made ? " made" : ""}`, title: title + (note ? ": " + note : "")},
    h("strong", {}, name(title)),
    note && h("span", {class: "note" + (mood && mood !== "plain" ? " state " + mood : "")}, name(note)));
}

function curve(from, to) {
  const middle = (from.x + to.x) / 2;

  return `M${from.x} ${from.y} C${middle} ${from.y} ${middle} ${to.y} ${to.x} ${to.y}`;
}

export class NetworkPicture extends HTMLElement {
  constructor(label) {
    super();
    this.open = new Set(); // ids of bundles
    this.drawn = svg("svg", {class: "lines", "aria-hidden": "true"});
    this.setAttribute("role", "group");
    this.setAttribute("aria-label", label);
    this.sizes = new ResizeObserver(() => this.draw());
    for (const [event, on] of [["pointerover", true], ["focusin", true], ["pointerout", false], ["focusout", false]])
      this.addEventListener(event, ({target}) => this.mark(target.closest(".node"), on));
  }

  connectedCallback() {
    this.sizes.observe(this);
  }

  disconnectedCallback() {
    this.sizes.disconnect();
  }

  // columns: [{title, nodes}]; a node may be a bundle, {..., nodes: [node], more: {title, href}}, `more` a link to all
  // of them; lines: [[id, id, mood]], from a column to one further right. Unchanged content is not drawn again.
  fill(columns, lines) {
    const now = JSON.stringify([columns, lines]);

    if (now === this.now) return;
    const focused = this.contains(document.activeElement) && document.activeElement.dataset.id;

    Object.assign(this, {now, lines, places: new Map()});
    this.replaceChildren(this.drawn, ...columns.filter(({nodes}) => nodes.length).map((column) => h("section", {class: "column"}, h("h2", {}, column.title),
      h("ul", {}, column.nodes.map((node) => h("li", {}, node.nodes ? this.bundle(node) : this.single(node)))))));
    if (focused) [...this.querySelectorAll("[data-id]")].find((one) => one.dataset.id === focused)?.focus({preventScroll: true});
    this.draw();
  }

  single(node) {
    const made = box(node);

    made.dataset.id = node.id;
    this.places.set(node.id, {box: made});
    return made;
  }

  // Makes the nodes of a bundle when it is unfolded, because there may be hundreds.
  bundle(node) {
    const head = box(node);
    const list = h("ul", {hidden: true});
    const button = h("button", {type: "button", class: "unfold", "aria-expanded": "false", "aria-label": `${node.title}: ${node.what || "what is in it"}`,
      onclick: () => unfold(!this.open.has(node.id))});
    const unfold = (open) => {
      this.open[open ? "add" : "delete"](node.id);
      button.setAttribute("aria-expanded", String(open));
      list.hidden = !open;
      if (open && !list.childElementCount) this.unfold(node, list);
      this.draw();
    };

    button.dataset.id = "unfold " + node.id;
    head.dataset.id = node.id;
    this.places.set(node.id, {box: head});
    for (const one of node.nodes) this.places.set(one.id, {within: node.id});
    if (this.open.has(node.id)) unfold(true);
    return [h("div", {class: "bundle"}, head, button), list];
  }

  unfold({nodes, more}, list) {
    list.replaceChildren(...nodes.slice(0, SHOWN).map((one) => {
      const made = box(one);

      made.dataset.id = one.id;
      return h("li", {}, made);
    }), ...more ? [h("li", {}, h("a", {href: more.href}, more.title))] : []);
  }

  // The box where a node's lines end: its own, or the one of its bundle.
  seen(id) {
    const place = this.places.get(id);

    return place?.within ? this.places.get(place.within).box : place?.box;
  }

  draw() {
    if (!this.places || !this.isConnected) return;
    const frame = this.getBoundingClientRect(), lines = new Map();
    const at = (box, right) => {
      const {left, top, width, height} = box.getBoundingClientRect();

      return {x: left - frame.left + (right ? width : 0), y: top - frame.top + height / 2};
    };

    this.connected = new Map();
    if (getComputedStyle(this.drawn).display === "none") return this.drawn.replaceChildren();
    for (const [from, to, mood] of this.lines) {
      const [left, right] = [this.seen(from), this.seen(to)];

      if (!left || !right || left === right) continue;
      const key = left.dataset.id + "\n" + right.dataset.id;

      // Lines that share both ends become one line, with the worst mood.
      if (!lines.has(key) || mood === "bad" || (mood === "warn" && lines.get(key).mood !== "bad")) lines.set(key, {left, right, mood});
    }
    this.drawn.setAttribute("viewBox", `0 0 ${frame.width} ${frame.height}`);
    this.drawn.replaceChildren(...[...lines.values()].map(({left, right, mood}) => {
      const path = svg("path", {d: curve(at(left, true), at(right, false)), class: "line " + (mood || "")});

      for (const box of [left, right]) this.connected.set(box, [...this.connected.get(box) || [], path]);
      return path;
    }));
  }

  mark(box, on) {
    for (const path of this.connected?.get(box) || []) path.classList.toggle("on", on);
  }
}
customElements.define("network-picture", NetworkPicture);
