// Shown on every page: a change or reload that goes back unless somebody confirms it, the time
// left, and, for an admin, buttons to keep the change and to let it go back.

import {call, get} from "../lib/api.js";
import {h, name, prose, when} from "../lib/element.js";
import {problem} from "../lib/page.js";
import {current, isAdmin} from "../lib/session.js";
import {stream} from "../lib/stream.js";
import {notice} from "./notice.js";

const AGAIN_MS = 5000;
const EVENTS = new Set(["change", "reload", "confirm"]);

// "9:05", "2:00:00"
function left(seconds) {
  const two = (number) => String(number).padStart(2, "0");
  const hours = Math.floor(seconds / 3600), minutes = Math.floor(seconds / 60) % 60;

  return (hours ? `${hours}:${two(minutes)}` : minutes) + ":" + two(seconds % 60);
}

function subject({what, who, revision}) {
  const by = who ? [" by ", name(who)] : "";

  return what === "reload" ? ["The reload", by] : [`The change of revision ${revision}`, by];
}

export class WaitingBanner extends HTMLElement {
  connectedCallback() {
    this.aborter = new AbortController();
    const {signal} = this.aborter;

    stream.addEventListener("event", ({detail: {event}}) => EVENTS.has(event) && this.lookSoon(), {signal});
    stream.addEventListener("live", ({detail}) => detail && this.lookSoon(), {signal});
    this.timer = setInterval(() => this.tick(), 1000);
    this.lookSoon(); // a little later, so the page's own requests go first
  }

  disconnectedCallback() {
    this.aborter.abort();
    clearInterval(this.timer);
    clearTimeout(this.soon);
    this.soon = null;
  }

  // Events that come together cause one request.
  lookSoon() {
    this.soon ||= setTimeout(() => {
      this.soon = null;
      this.look();
    }, 200);
  }

  async look() {
    if (!current()) return;
    try {
      const {unconfirmed: waiting} = await get("status", {signal: this.aborter.signal});

      // The server's clock counts; the browser's may be wrong.
      this.until = performance.now() + 1000 * (waiting?.left_s ?? 0);
      this.show(waiting);
    } catch {
      // The page shows this error.
    }
  }

  show(waiting) {
    const key = JSON.stringify({...waiting, left_s: 0});

    if (key === this.shown) return;
    this.shown = key;
    this.waiting = waiting;
    this.clock = h("strong", {class: "clock", role: "timer", "aria-live": "off"});
    this.replaceChildren(...waiting ? [h("div", {class: "waiting", role: "region", "aria-label": "A change that waits"}, this.words(waiting),
      isAdmin() && h("div", {class: "buttons"}, h("button", {type: "button", class: "primary", onclick: () => this.end(false)}, "Keep"),
        h("button", {type: "button", onclick: () => this.end(true)}, "Go back")))] : []);
    this.tick();
  }

  words(waiting) {
    if (waiting.error) return h("p", {role: "status"}, subject(waiting), " could not go back, which is tried again: ", prose(waiting.error));
    return h("p", {role: "status"}, subject(waiting), " waits to be kept. It goes back in ", this.clock, ", at ", when(waiting.until), ".");
  }

  tick() {
    if (!this.waiting) return;
    const seconds = Math.max(0, Math.ceil((this.until - performance.now()) / 1000));

    this.clock.textContent = left(seconds);
    // The change has gone back, or could not: the server knows which.
    if (seconds === 0 && performance.now() > (this.asked || 0) + AGAIN_MS) {
      this.asked = performance.now();
      this.look();
    }
  }

  async end(back) {
    if (this.ending) return; // a second press
    this.ending = true;
    this.querySelector(".problem")?.remove();
    try {
      await call("POST", "confirm" + (back ? "?back" : ""), {});
      notice(back ? "It has gone back." : "It stays.");
    } catch (error) {
      this.firstElementChild?.append(problem(error));
      return;
    } finally {
      this.ending = false;
    }
    await this.look();
  }
}
customElements.define("waiting-banner", WaitingBanner);
