// How it is now: one sentence of judgement, what fails and whom that hurts, figures since the last
// look, charts of the last hour or week, and what was changed last.

import {get, query} from "/ui/lib/api.js";
import {changesOf, editsBetween, latestRevision, line, whoText} from "/ui/lib/changes.js";
import {count, h, name, when} from "/ui/lib/element.js";
import {percent, scaled, sum} from "/ui/lib/history.js";
import {Page} from "/ui/lib/page.js";
import {SECTIONS} from "/ui/lib/report.js";
import {note, url} from "/ui/lib/router.js";
import {milliseconds, percents, perSecond, targetState, targetWord} from "/ui/lib/words.js";
import {HistoryCharts} from "/ui/parts/history.js";
import {DataTable} from "/ui/parts/table.js";
import {rulesOf} from "/ui/pages/targets.js";

const AGAIN_MS = 5000, CHANGES = 5, EVENTS = 8, TOLD = 5;
const REPORTED = "rules,targets,leaving,slow"; // of the report, what asks nobody

function targetLink({host, protocol}) {
  return h("a", {href: url("target", {target: host, protocol})}, name(host));
}

// The first ones, with commas between, and that there are more.
function listed(items) {
  return [items.slice(0, TOLD).map((one, i) => [i > 0 && ", ", one]), items.length > TOLD && ` and ${items.length - TOLD} more`];
}

// A sentence of the server's: the targets in it lead to their pages, and its times are as others here.
function sentence(text, targets) {
  const known = new Map(targets.map((target) => [target.host, target]));

  return h("bdi", {}, text.split(/(\s|[()]|[,;:.]+(?=\s|$))/).map((word) => {
    if (known.has(word)) return targetLink(known.get(word));
    return /^\d{4}-\d\d-\d\dT[\d:]+Z$/.test(word) ? when(word) : word;
  }));
}

// Of what was counted since the look before.
function figures(before, now, seconds) {
  const more = (read) => read(now) - read(before);
  const queries = more((one) => one.counters.queries);
  const hits = more((one) => one.cache.hits), misses = more((one) => one.cache.misses);
  const share = (part, whole) => whole ? `${(100 * part / whole).toFixed(part / whole < 0.1 ? 1 : 0)} %` : "none asked";

  return [
    ["Queries", `${(queries / seconds).toFixed(queries / seconds < 10 ? 1 : 0)} a second`],
    ["From the cache", share(hits, hits + misses)],
    ["SERVFAIL", share(more((one) => one.counters.servfail), queries)],
    ["Since the start", count(now.counters.queries, "query", "queries")],
  ];
}

function all(found, key) {
  return sum(found.endpoints.map((one) => one[key]));
}

function source(found, name, key) {
  return found.of("sources", "name", name)?.[key] || [];
}

const CHARTS = [
  {title: "Queries a second", series: ["Queries", "Over a limit"], show: perSecond,
   lists: (found) => [all(found, "queries"), all(found, "over_limit")].map((list) => scaled(list, 1 / found.step_s))},
  {title: "Latency", series: ["Forwarded, p99", "Forwarded, median", "Cache, median", "Zone, median"], log: true, show: milliseconds,
   lists: (found) => [["forwarded", "p99_us"], ["forwarded", "p50_us"], ["cache", "p50_us"], ["zone", "p50_us"]]
     .map(([name, key]) => scaled(source(found, name, key), 0.001))},
  {title: "From the cache", series: ["From the cache", "Of these stale"], max: 100, show: percents, lists: (found) => {
    const [cache, stale, forwarded] = ["cache", "stale", "forwarded"].map((name) => source(found, name, "responses"));
    const whole = sum([cache, stale, forwarded]);

    return [percent(sum([cache, stale]), whole), percent(stale, whole)];
  }},
  {title: "SERVFAIL", series: ["SERVFAIL"], max: 1, show: percents,
   lists: (found) => [percent(all(found, "servfail"), all(found, "queries"))]},
];

export class NowPage extends Page {
  async show() {
    this.onEvents(() => true, () => Promise.all([this.look(), this.lookAtChanges(), this.lookAtEvents()]));
    this.told = h("div", {role: "status"});
    this.report = h("p");
    this.figures = h("dl", {class: "figures"});
    this.failing = new DataTable("What fails", [
      {title: "Target", cell: targetLink},
      {title: "State", mood: true, cell: (target) => targetState(target)},
      {title: "Needed by", cell: (target) => rulesOf(target)},
    ]);
    this.changes = h("ul", {class: "plain"});
    this.events = h("ul", {class: "plain"});
    await this.look();
    this.replaceChildren(h("h1", {}, "Now"), this.told, this.report, this.figures,
      new HistoryCharts(this, CHARTS, this.query.get("span"), (span) => note(url("now", {span}))),
      h("h2", {}, "What fails"), this.failing, h("h2", {}, "Last changes"), this.changes,
      h("h2", {}, "Warnings"), this.events);
    await Promise.all([this.lookAtChanges(), this.lookAtEvents()]);
    this.refresh(() => this.lookAtReport());
    this.every(AGAIN_MS, () => this.look());
  }

  async look() {
    const status = await get("status", {signal: this.signal}), at = performance.now();
    const {judgement: {good, texts, notes}, targets} = status;
    const told = (mood) => (text) => h("p", {class: "judgement " + mood}, sentence(text, targets));

    this.told.replaceChildren(...texts.map(told(good ? "good" : "bad")), ...notes.map(told("warn")));
    this.showFigures(status, at);
    this.failing.none = h("p", {}, good && !notes.length ? "Every target that was asked answers." : "No target is at fault.");
    this.failing.fill(targets.filter((target) => targetWord(target)[0] === "bad"));
  }

  // Two looks that are close together, as when much happens, are one.
  showFigures(status, at) {
    if (!this.seen || status.uptime_s < this.seen.status.uptime_s) this.seen = {status, at};
    const seconds = (at - this.seen.at) / 1000;

    if (seconds > 0 && seconds < 2) return;
    this.figures.replaceChildren(...(seconds ? figures(this.seen.status, status, seconds) : figures(status, status, 1)).map(([term, value]) =>
      h("div", {}, h("dt", {}, term), h("dd", {}, value))));
    this.seen = {status, at};
  }

  async lookAtChanges() {
    const last = await latestRevision(this.signal).catch(() => 0); // there may be no state
    const changes = last ? changesOf(await editsBetween(Math.max(0, last - CHANGES), last, this.signal)) : [];

    this.changes.replaceChildren(...changes.map((change) => h("li", {}, when(change.time), " ", name(whoText(change)), " ", line(change.edits))),
    h("li", {}, changes.length ? h("a", {href: url("changes")}, "All changes") : "None in the last week."));
  }

  // Once: what it tells moves within days, and it costs more than the rest.
  async lookAtReport() {
    const {sections} = await get("report" + query({sections: REPORTED, limit: 1}), {signal: this.signal});
    const faults = sections.filter((one) => one.count > 0);

    this.report.replaceChildren("Report: ", ...faults.length
      ? listed(faults.map((one) => h("a", {href: url("reports", {section: one.section})}, SECTIONS[one.section].found(one.count)))).flat(2).filter(Boolean)
      : [h("a", {href: url("reports")}, "nothing was found"), "."]);
  }

  async lookAtEvents() {
    const {events} = await get("events?level=warning&limit=1000", {signal: this.signal});
    const last = events.slice(-EVENTS).reverse();

    this.events.replaceChildren(...last.length ? last.map((event) => h("li", {}, when(event.time), " ",
      h("span", {class: "state " + (event.level === "error" ? "bad" : "warn")}, event.event), " ", name(event.text)))
      : [h("li", {}, "None since the server started.")]);
  }
}
customElements.define("now-page", NowPage);
