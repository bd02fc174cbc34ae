// "More": the actions for a row, behind one button. Arrow keys move, Escape closes.

import {h} from "../lib/element.js";

export class MoreMenu extends HTMLElement {
  // actions: {title, act, disabled, why}; label: names the subject of the actions.
  constructor(label, actions) {
    super();
    Object.assign(this, {label, actions});
  }

  connectedCallback() {
    if (this.button) return; // it has only been moved
    this.items = this.actions.map(({title, act, disabled, why}) =>
      h("button", {type: "button", role: "menuitem", disabled, title: why, onclick: () => { this.button.focus(); this.close(); act(); }}, title));
    this.menu = h("div", {class: "menu", role: "menu", "aria-label": this.label, hidden: true}, this.items);
    this.button = h("button", {type: "button", "aria-haspopup": "menu", "aria-expanded": "false",
                               "aria-label": "More: " + this.label, onclick: () => this.toggle()}, "More");
    this.replaceChildren(this.button, this.menu);
    this.addEventListener("keydown", (event) => this.key(event));
    this.addEventListener("focusout", ({relatedTarget}) => this.contains(relatedTarget) || this.close());
  }

  toggle() {
    if (!this.menu.hidden) return this.close();
    this.menu.hidden = false;
    this.button.setAttribute("aria-expanded", "true");
    this.shown = new AbortController();
    for (const event of ["resize", "scroll"]) addEventListener(event, () => this.place(), {signal: this.shown.signal});
    this.place();
    this.items.find((item) => !item.disabled)?.focus({preventScroll: true});
  }

  // Follows the button when the page scrolls, and stays inside the window.
  place() {
    const at = this.button.getBoundingClientRect();

    this.menu.style.top = Math.min(at.bottom, innerHeight - this.menu.offsetHeight - 4) + "px";
    this.menu.style.left = Math.max(4, at.right - this.menu.offsetWidth) + "px";
  }

  close() {
    if (this.menu.hidden) return;
    this.shown.abort();
    this.menu.hidden = true;
    this.button.setAttribute("aria-expanded", "false");
    this.dispatchEvent(new Event("menu-closed", {bubbles: true}));
  }

  key(event) {
    const open = this.items.filter((item) => !item.disabled);
    const step = {ArrowDown: 1, ArrowUp: -1}[event.key];

    if (event.key === "Escape" && !this.menu.hidden) {
      this.button.focus();
      this.close();
    } else if (step && open.length) {
      event.preventDefault();
      if (this.menu.hidden) this.toggle();
      else open[(open.indexOf(document.activeElement) + step + open.length) % open.length].focus();
    }
  }
}
customElements.define("more-menu", MoreMenu);
