// Queries as they are answered, with filters, and from each a link to Ask. The latest of the query log come first, then
// the stream, which exists even without a log.

import {get, query} from "../lib/api.js";
import {h, name, timeFormat, when} from "../lib/element.js";
import {Page, empty} from "../lib/page.js";
import {note, url} from "../lib/router.js";
import {current} from "../lib/session.js";
import {readStream, sleep, waitAfter} from "../lib/stream.js";
import {DECIDED, milliseconds} from "../lib/words.js";
import {DataTable} from "../parts/table.js";

const KEPT = 500, LATEST = 200, SHOW_MS = 300, SOON_MS = 1000;
const CODES = ["NOERROR", "NXDOMAIN", "SERVFAIL", "REFUSED", "FORMERR", "NOTIMP"];
const FROM = {zone: "own data", cache: "the cache", stale: "the cache, stale", none: "nobody"};
const FILTERS = ["suffix", "client", "network", "rcode", "slower_than_ms"];

const exact = timeFormat({hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3});

function clock(text) {
  const time = when(text);

  time.textContent = exact.format(new Date(text));
  return time;
}

// A query to an inbound endpoint is asked again there, any other in its client's network, which is known even if
// privacy has cut the client's address.
function askUrl({name: asked, type, endpoint, client, network}) {
  return url("ask", {name: asked, type, ...endpoint ? {endpoint} : network ? {vnet: network} : {from: client}});
}

function question(entry) {
  if (!entry.name) return h("span", {class: "hint"}, "could not be read");
  return [h("a", {href: askUrl(entry)}, name(entry.name)), " ", entry.type];
}

function answer({rcode, ede, text}) {
  const mood = {NOERROR: "good", NXDOMAIN: "soft"}[rcode] || "bad";

  return [h("span", {class: "state " + mood}, rcode || "none"),
    (text || ede !== null) && h("div", {class: "hint"}, ede !== null && `EDE ${ede} `, text && name(text))];
}

function decided({decided_by, ruleset, object}) {
  return [DECIDED[decided_by] || decided_by, object && [" ", name([ruleset, object].filter(Boolean).join("/"))]];
}

function origin({answered_from, target}) {
  if (answered_from === "forwarded" || !FROM[answered_from]) return target ? name(target) : answered_from;
  return [FROM[answered_from], answered_from === "none" && target && h("div", {class: "hint"}, "asked ", name(target))];
}

function key({time, client, port, name: asked, type, microseconds}) {
  return [time, client, port, asked, type, microseconds].join(" ");
}

export class QueriesPage extends Page {
  async show() {
    const status = await get("status", {signal: this.signal});

    this.entries = [];
    this.told = h("span", {role: "status"});
    this.figures = h("span", {class: "hint"});
    this.hint = h("div");
    this.pause = h("button", {type: "button", onclick: () => this.reading ? this.stop("Paused.") : this.attempt(() => this.begin())});
    this.table = new DataTable("Queries", [
      {title: "When", narrow: true, cell: ({time}) => clock(time)},
      {title: "Client", cell: (entry) => [name(entry.client), entry.network && h("div", {class: "hint"}, "in ", name(entry.network))]},
      {title: "Question", lead: true, cell: question},
      {title: "Answer", mood: true, cell: answer},
      {title: "Decided by", cell: decided},
      {title: "From", cell: origin},
      {title: "Took", number: true, cell: ({microseconds}) => milliseconds(microseconds / 1000)},
    ]);
    this.replaceChildren(h("h1", {}, "Queries"), this.form(status.networks.map((one) => one.name)), this.hint, h("p", {}, this.told, " ", this.figures), this.table);
    this.signal.addEventListener("abort", () => this.stop(""));
    // A client has one stream of queries: this window takes it from other windows of the browser, which show that, and
    // do not take it back.
    this.windows = new BroadcastChannel("sluice-queries-" + current().client);
    this.windows.onmessage = () => this.reading && this.stop("Another window shows them now.");
    this.signal.addEventListener("abort", () => this.windows.close());
    await this.begin();
  }

  form(networks) {
    const field = (key, label, control) => h("div", {class: "field short"}, h("label", {for: "query-" + key}, label), control);
    const input = (key, more) => h("input", {id: "query-" + key, name: key, value: this.query.get(key) || "", autocomplete: "off",
                                             autocapitalize: "off", spellcheck: "false", ...more});
    const network = h("select", {id: "query-network", name: "network"}, h("option", {value: ""}, "any"), networks.map((one) => h("option", {value: one}, one)));

    network.value = this.query.get("network") || "";
    this.asked = h("form", {class: "tools", onsubmit: (event) => this.filter(event)},
      field("suffix", "Name or suffix", input("suffix", {placeholder: "contoso.corp"})),
      field("client", "Client", input("client", {placeholder: "10.0.0.0/8"})),
      field("network", "Network", network),
      field("rcode", "Answer", input("rcode", {placeholder: "SERVFAIL", list: "codes"})),
      field("slower_than_ms", "Slower than (ms)", input("slower_than_ms", {type: "number", min: 0})),
      h("datalist", {id: "codes"}, CODES.map((value) => h("option", {value}))),
      h("button", {class: "primary"}, "Filter"), this.pause);
    return this.asked;
  }

  fields() {
    return Object.fromEntries(FILTERS.map((key) => [key, this.asked.elements[key].value.trim()]));
  }

  filter(event) {
    event.preventDefault();
    this.entries = [];
    note(url("queries", this.fields()));
    this.attempt(() => this.begin());
  }

  // Begins the stream before reading the latest queries, so that none between them is missed.
  async begin() {
    this.stop("");
    this.reader = new AbortController();
    this.reading = true;
    this.pending = [];
    this.lost = this.seen = 0;
    this.pause.replaceChildren("Pause");
    this.windows.postMessage("mine");
    const {signal} = this.reader, fields = this.fields();

    this.follow(signal, fields);
    try {
      const {on, queries} = await get("queries" + query({...fields, limit: LATEST}), {signal});

      this.tellWhetherOn(on);
      if (on) this.entries = queries.reverse();
      this.known = new Set(this.entries.map(key));
    } catch (error) {
      if (signal.aborted) return;
      this.stop("");
      if (error.status !== 404) throw error;
      this.hint.replaceChildren(empty("This server does not tell of queries.", h("p", {}, "Its log and its metrics do: see sluice-log(8).")));
      this.pause.hidden = true;
      return;
    }
    this.render();
    this.timer = setInterval(() => this.take(), SHOW_MS);
  }

  async follow(signal, fields) {
    for (let wait = SOON_MS; !signal.aborted;) {
      const begun = Date.now();
      const failed = await readStream("/v1/queries" + query(fields), signal, () => this.tell("Live."), (event) => this.keep(event)).catch(() => 0);

      if (signal.aborted) return;
      if (failed === 429) return this.stop("The server has as many streams as it may have; close one, and go on here.");
      if (failed >= 400 && failed < 500) return; // begin's GET shows the refusal
      this.tell("Not live, trying again.");
      wait = waitAfter(begun, wait);
      await sleep(wait, signal);
    }
  }

  // If very many come, only those that will be shown are parsed.
  keep({event, data}) {
    if (event === "lost") this.lost += JSON.parse(data).lost;
    else {
      this.seen++;
      this.pending.push(data);
      if (this.pending.length > KEPT) this.pending.shift();
    }
  }

  take() {
    const came = this.pending.splice(0).map((one) => JSON.parse(one)).filter((one) => !this.known?.delete(key(one)));

    if (came.length) {
      this.entries = [...came.reverse(), ...this.entries].slice(0, KEPT);
      this.render();
    }
    this.figures.textContent = [this.seen > 0 && `${this.seen.toLocaleString("en")} came`,
      this.lost > 0 && `${this.lost.toLocaleString("en")} more ${this.lost === 1 ? "was" : "were"} too many for this page`].filter(Boolean).join(", ");
  }

  render() {
    this.table.none = empty("Nothing like that has been asked yet.", h("p", {}, "It is shown here as soon as it is answered."));
    this.table.fill(this.entries);
  }

  tell(how) {
    if (this.told.textContent !== how) this.told.textContent = how;
  }

  tellWhetherOn(on) {
    this.hint.replaceChildren(...on ? [] : [h("p", {class: "hint"}, "The configuration logs no queries, so there are none of before this page was opened. To keep them: ",
      h("code", {}, 'query_log = { file = "/var/log/sluice/queries.log"; };'), ", see sluice.conf(5).")]);
  }

  stop(why) {
    this.reader?.abort();
    clearInterval(this.timer);
    this.reading = false;
    this.pause.replaceChildren("Go on");
    this.tell(why);
  }
}
customElements.define("queries-page", QueriesPage);
