// What a page is: an element that shows itself when it comes into the document, and that nothing
// reaches any more once it has left. `query` is what stands behind the ? of its URL; `read` asks the
// server for what the page shows, and draws it.

import {ApiError} from "./api.js";
import {h} from "./element.js";
import {stream} from "./stream.js";

export class Page extends HTMLElement {
  turn = Promise.resolve();

  connectedCallback() {
    this.aborter = new AbortController();
    this.signal = this.aborter.signal;
    this.showing = this.attempt(() => this.show());
  }

  disconnectedCallback() {
    this.aborter.abort();
  }

  // Calls back for events of the server while the page is there, and a little later than they come:
  // many that come together are one. A page says so before it loads what they are about, so that none is
  // missed; it is called back when it is shown. And when a stream has begun: what happened before that it
  // does not tell.
  onEvents(wanted, back) {
    let timer = null;
    const soon = () => {
      timer ||= setTimeout(async () => {
        const shown = await this.showing;

        timer = null;
        if (shown && !this.signal.aborted) this.refresh(back);
      }, 200);
    };

    stream.addEventListener("event", ({detail}) => wanted(detail) && soon(), {signal: this.signal});
    stream.addEventListener("live", ({detail}) => detail && soon(), {signal: this.signal});
  }

  every(ms, back) {
    const timer = setInterval(() => document.hidden || this.refresh(back), ms);

    this.signal.addEventListener("abort", () => clearInterval(timer));
  }

  // Reads again what the page shows. A load that still waits for its turn serves everybody who asks
  // for one meanwhile.
  load() {
    this.awaited ||= this.inTurn(() => {
      this.awaited = null;
      return this.read();
    });
    return this.awaited;
  }

  // Reads come one after the other: if two overlapped, the older answer could be drawn over the newer.
  inTurn(read) {
    const done = this.turn.then(read);

    this.turn = done.catch(() => {});
    return done;
  }

  // Does what one has asked for, and shows what goes wrong above the rest of the page. Gives whether it
  // went well.
  attempt(work) {
    this.querySelector(":scope > .problem")?.remove();
    return this.try(work, "problem");
  }

  // What the page does by itself. It takes away what it has shown itself, and nothing that one may
  // still be reading.
  async refresh(work) {
    if (await this.try(work, "problem refreshing")) this.querySelector(":scope > .refreshing")?.remove();
  }

  async try(work, kind) {
    try {
      await work();
      return true;
    } catch (error) {
      if (this.signal.aborted || error.name === "AbortError" || error.status === 401) return false;
      if (!(error instanceof ApiError)) console.error(error);
      this.querySelector(":scope > .problem")?.remove();
      this.prepend(problem(error, kind));
      return false;
    }
  }
}

// An error, as it is shown: what the server said, and where.
export function problem(error, kind = "problem") {
  const more = error.faults?.slice(1) || [];

  return h("div", {class: kind, role: "alert"},
    h("p", {}, error.path && h("code", {}, error.path), error.path && ": ", error.message),
    error.rows?.length > 0 && h("ul", {}, error.rows.map((row) => h("li", {}, row.line && `line ${row.line}: `, row.message))),
    more.length > 0 && h("ul", {}, more.map((fault) => h("li", {}, h("code", {}, fault.path), ": ", fault.text))));
}

// Where there is nothing to show: why, and what to do about it.
export function empty(text, ...more) {
  return h("div", {class: "empty"}, h("p", {}, text), more);
}
