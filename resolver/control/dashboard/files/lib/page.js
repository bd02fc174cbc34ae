// A page is an element that shows itself when it enters the document, and stops all its requests when it leaves.
// `query` is the part of its URL after the ?; `read` asks the server for the page's data, and draws them.

import {ApiError, get} from "./api.js";
import {h} from "./element.js";
import {here} from "./router.js";
import {stream} from "./stream.js";

export class Page extends HTMLElement {
  turn = Promise.resolve();

  connectedCallback() {
    this.aborter = new AbortController();
    this.signal = this.aborter.signal;
    this.showing = this.attempt(() => this.show().catch((error) => {
      this.refused = error.status >= 400 && error.status < 500;
      throw error;
    }));
    stream.addEventListener("live", ({detail}) => detail && this.showAgain(), {signal: this.signal});
  }

  disconnectedCallback() {
    this.aborter.abort();
  }

  // When a stream begins, replaces a page that could not be shown, for instance because the server
  // restarted. A page that the server refused (4xx) stays: a new one would be refused as well.
  async showAgain() {
    if (!await this.showing && !this.refused && !this.signal.aborted) this.replaceWith(Object.assign(new this.constructor(), {query: here().query}));
  }

  // Calls `back` a little after wanted events of the server, once for many together, while the page is shown; and
  // at each beginning of a stream, which does not tell what happened before. Call it before loading the data that
  // the events are about, so that none is missed.
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

  // Reads the page's data again. A load that still waits for its turn serves all callers meanwhile.
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

  // Reads `wanted` rows of a list, searched by the filters of `asked`, from the URL `next` on; returns them and the URL
  // of the rows behind. Several requests may be needed, because the server's pages are short, even empty, if it has
  // skipped many rows. null: the filters have changed meanwhile, and the next turn reads the rows.
  async rowsFrom(next, key, wanted) {
    const rows = [], asked = JSON.stringify(this.asked());

    while (next && rows.length < wanted) {
      const page = await get(next, {signal: this.signal});

      if (asked !== JSON.stringify(this.asked())) return null;
      rows.push(...page[key]);
      next = page.next && page.next.replace(/^\/v1\//, "");
    }
    return {rows, next};
  }

  // Does what the user asked for, and shows an error above the rest of the page. Returns whether it succeeded.
  attempt(work) {
    this.querySelector(":scope > .problem")?.remove();
    return this.try(work, "problem");
  }

  // Does work that the user did not ask for. Success removes only an error of refresh, not one of the user's own work.
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

// An error: the server's text, and the member with the fault.
export function problem(error, kind = "problem") {
  const more = error.faults?.slice(1) || [];

  return h("div", {class: kind, role: "alert"},
    h("p", {}, error.path && h("code", {}, error.path), error.path && ": ", error.message),
    error.rows?.length > 0 && h("ul", {}, error.rows.map((row) => h("li", {}, row.line && `line ${row.line}: `, row.message))),
    more.length > 0 && h("ul", {}, more.map((fault) => h("li", {}, h("code", {}, fault.path), ": ", fault.text))));
}

// A place with nothing to show: why, and what to do about it.
export function empty(text, ...more) {
  return h("div", {class: "empty"}, h("p", {}, text), more);
}
