// The present: first what fails, for whom, since when and what to do; then charts of the last hour or week with figures
// of the last minute; and the latest changes and warnings.

import {get, query} from "../lib/api.js";
import {changesOf, editsBetween, latestRevision, line, whoText} from "../lib/changes.js";
import {count, h, name, prose, when} from "../lib/element.js";
import {history, known, percent, scaled, sum} from "../lib/history.js";
import {Page} from "../lib/page.js";
import {SECTIONS} from "../lib/report.js";
import {note, url} from "../lib/router.js";
import {milliseconds, percents, perSecond, targetLink} from "../lib/words.js";
import {HistoryCharts} from "../parts/history.js";
import {ruleLink} from "../parts/rule.js";

const AGAIN_MS = 5000, CHANGES = 5, EVENTS = 8, TOLD = 5;
const REPORTED = "rules,targets,leaving,slow"; // sections of the report that ask nobody

// The first items, with commas, and the number of the others.
function listed(items) {
  return [items.slice(0, TOLD).map((one, i) => [i > 0 && ", ", one]), items.length > TOLD && ` and ${items.length - TOLD} more`];
}

// A sentence from the server, in which targets lead to their pages.
function sentence(text, targets) {
  const known = new Map(targets.map((target) => [target.host, target]));

  return prose(text, (part) => part.split(/(\s|[()]|[,;:.]+(?=\s|$))/).map((word) => known.has(word) ? targetLink(known.get(word)) : word));
}

// A failure from GET /v1/status (`failing`): what fails and for whom, then advice and links.
function failure({severity, text, advice, target, protocol, rules, rule_count: all}, targets) {
  const onward = [
    all === 1 ? rules[0].includes("/") && ruleLink(rules[0]) : all > 1 && h("a", {href: url("rules", target ? {search: target.replace(/:53$/, "")} : {})}, count(all, "rule")),
    target && h("a", {href: url("target", {target, protocol})}, "Details"),
  ].filter(Boolean);

  return h("li", {class: "judgement " + (severity === "error" ? "bad" : "warn")}, h("p", {}, sentence(text, targets)),
    h("p", {class: "advice"}, advice && h("span", {}, advice), onward.map((link) => h("span", {}, link))));
}

function all(found, key) {
  return sum(found.endpoints.map((one) => one[key]));
}

function source(found, name, key) {
  return found.of("sources", "name", name)?.[key] || [];
}

// Three lists: answers from the cache; stale ones among these; and all answers from the cache or a target.
function cached(found) {
  const [cache, stale, forwarded] = ["cache", "stale", "forwarded"].map((name) => source(found, name, "responses"));

  return [sum([cache, stale]), stale, sum([cache, stale, forwarded])];
}

const DECIDERS = {Zones: ["zone"], Rules: ["ruleset"], "Default resolver": ["default"]};

function decided(found, kinds) {
  return sum(found.classes.filter(({kind}) => kinds ? kinds.includes(kind) : !Object.values(DECIDERS).flat().includes(kind)).map((one) => one.queries));
}

function deciders(found) {
  return [...Object.values(DECIDERS), null].map((kinds) => decided(found, kinds));
}

function asked(found) {
  return ["queries", "failures"].map((key) => sum(found.targets.map((one) => one[key])));
}

function total(list) {
  return known(list).reduce((all, one) => all + one, 0);
}

function eachSecond(list, {step_s: step}) {
  const seen = known(list);

  return seen.length ? total(seen) / seen.length / step : 0;
}

// The part's share of the whole, over all steps, as a text; null: the whole is 0 or not known. Both
// lists have the same steps, so both totals count the same answers.
function share(part, whole) {
  const all = total(whole);

  return all ? percents(100 * total(part) / all) : null;
}

function most(found) {
  const lists = deciders(found), sums = lists.map(total), best = sums.indexOf(Math.max(...sums));

  return sums[best] ? `${[...Object.keys(DECIDERS), "Other"][best]} ${share(lists[best], sum(lists))}` : null;
}

// `figure`: the value of the last minute; null: not known.
const CHARTS = [
  {title: "Queries", series: ["Queries", "Over a limit"], show: perSecond, figure: (found) => perSecond(eachSecond(all(found, "queries"), found)),
   lists: (found) => [all(found, "queries"), all(found, "over_limit")].map((list) => scaled(list, 1 / found.step_s))},
  {title: "SERVFAIL", series: ["Of all responses"], max: 1, show: percents, figure: (found) => share(all(found, "servfail"), all(found, "responses")),
   lists: (found) => [percent(all(found, "servfail"), all(found, "responses"))]},
  {title: "Latency", series: ["Forwarded p99", "Forwarded median", "Cache median", "Zone median"], log: true, show: milliseconds,
   figure: (found) => {
     const median = known(source(found, "forwarded", "p50_us")).at(-1);

     return median === undefined ? null : "median " + milliseconds(median / 1000);
   },
   lists: (found) => [["forwarded", "p99_us"], ["forwarded", "p50_us"], ["cache", "p50_us"], ["zone", "p50_us"]]
     .map(([name, key]) => scaled(source(found, name, key), 0.001))},
  {title: "From the cache", series: ["From the cache", "Of these stale"], max: 100, show: percents,
   figure: (found) => {
     const [part, , whole] = cached(found);

     return share(part, whole);
   },
   lists: (found) => {
     const [part, stale, whole] = cached(found);

     return [percent(part, whole), percent(stale, whole)];
   }},
  {title: "Decided by", series: [...Object.keys(DECIDERS), "Other"], show: perSecond, figure: most,
   lists: (found) => deciders(found).map((list) => scaled(list, 1 / found.step_s))},
  {title: "Targets asked", series: ["Asked", "Failed"], show: perSecond,
   figure: (found) => `${perSecond(eachSecond(asked(found)[1], found))} failed`,
   lists: (found) => asked(found).map((list) => scaled(list, 1 / found.step_s))},
];

export class NowPage extends Page {
  async show() {
    this.onEvents(() => true, () => Promise.all([this.look(), this.lookAtChanges(), this.lookAtEvents()]));
    this.told = h("div", {role: "status"});
    this.report = h("p");
    this.changes = h("ul", {class: "plain"});
    this.events = h("ul", {class: "plain"});
    this.charts = new HistoryCharts(this, CHARTS, this.query.get("span"), (span) => note(url("now", {span})));
    await this.look();
    this.replaceChildren(h("h1", {}, "Now"), this.told, this.charts, this.report,
      h("div", {class: "beside"}, h("section", {}, h("h2", {}, "Last changes"), this.changes), h("section", {}, h("h2", {}, "Warnings"), this.events)));
    await Promise.all([this.lookAtChanges(), this.lookAtEvents()]);
    this.refresh(() => this.lookAtReport());
    this.refresh(() => this.lookAtFigures());
    this.every(AGAIN_MS, () => Promise.all([this.look(), this.lookAtFigures()]));
  }

  async look() {
    this.showFailing(await get("status", {signal: this.signal}));
  }

  // Renders the list only if it has changed: a user may be about to press a link in it.
  showFailing({judgement: {good, texts}, failing: {count: all, list}, targets}) {
    const shown = JSON.stringify([good, texts, all, list, this.whole]), told = this.whole ? list : list.slice(0, TOLD);

    if (shown === this.shown) return;
    this.shown = shown;
    this.told.replaceChildren(...good ? [h("p", {class: "judgement good"}, sentence(texts[0], targets))] : [],
      ...told.length ? [h("ul", {class: "failing", "aria-label": "What fails"}, told.map((one) => failure(one, targets)))] : [],
      ...all > told.length ? [this.showMore(all - told.length, list.length > told.length)] : []);
  }

  showMore(left, here) {
    const more = () => {
      this.whole = true;
      this.refresh(() => this.look());
    };

    return here ? h("p", {}, h("button", {type: "button", onclick: more}, `Show ${left.toLocaleString("en")} more`))
      : h("p", {}, `and ${left.toLocaleString("en")} more; `, h("a", {href: url("targets")}, "all targets"));
  }

  async lookAtFigures() {
    const found = await history("minute", this.signal).catch((error) => {
      if (error.status !== 404) throw error;
      return null; // the charts say so
    });

    if (found) this.charts.figures(found);
  }

  async lookAtChanges() {
    const last = await latestRevision(this.signal).catch(() => 0); // without a state there is none
    const changes = last ? changesOf(await editsBetween(Math.max(0, last - CHANGES), last, this.signal)) : [];

    this.changes.replaceChildren(...changes.map((change) => h("li", {}, when(change.time), " ", name(whoText(change)), " ", line(change.edits))),
    h("li", {}, changes.length ? h("a", {href: url("changes")}, "All changes") : "None in the last week."));
  }

  // Reads the report once for the page, because it changes within days, and costs more than the other requests.
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
      h("span", {class: "state " + (event.level === "error" ? "bad" : "warn")}, event.event), " ", prose(event.text)))
      : [h("li", {}, "None since the server started.")]);
  }
}
customElements.define("now-page", NowPage);
