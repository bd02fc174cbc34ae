// A section of a report: its findings, each with a link to its subject, and what to do about them.

import {csv, save} from "../lib/csv.js";
import {count, h, name, prose, when} from "../lib/element.js";
import {SECTIONS, isRunning} from "../lib/report.js";
import {url} from "../lib/router.js";
import {milliseconds} from "../lib/words.js";
import {ruleLink} from "./rule.js";
import {DataTable} from "./table.js";

const DAY_MS = 24 * 60 * 60 * 1000;
const ASKED_PER_SECOND = 100; // by the server, at most

const RULE = {title: "Rule", cell: ({rule}) => ruleLink(rule)};
const NAME = {title: "Name", cell: ({name: asked, type, network}) => [h("a", {href: url("ask", {name: asked, type, vnet: network})}, name(asked)), " ", type]};
const NETWORK = {title: "Network", cell: ({network}) => network && name(network)};
const ASKED = {title: "Asked", number: true, sort: (one) => one.count, cell: (one) => one.count.toLocaleString("en")};
const TEXT = {title: "Found", cell: ({text}) => prose(text)};

function lastUse({used, since}) {
  return used ? when(used) : ["never, since ", when(since)];
}

// A link to the rule or zone that would have answered.
function owner({why, ruleset, object}) {
  if (why === "rule") return ruleLink(ruleset + "/" + object);
  return why === "zone" && h("a", {href: url("zones", {search: object})}, "Zone ", name(object));
}

// The common beginning of a prefix's addresses, for a search: "203.0.114." for 203.0.114.64/26.
function searchOf(prefix) {
  const [address, length] = prefix.split("/");

  return address.includes(":") ? address.replace(/::$/, ":") : address.split(".").slice(0, Math.min(3, Math.floor(length / 8))).join(".") + ".";
}

function within(ms) {
  return ms === null ? "in more than 5 s" : "within " + milliseconds(ms);
}

function addressLink(address) {
  return h("a", {href: url("address", {id: address})}, name(address));
}

function zoneLink({subject, prefix}) {
  return h("a", {href: url("reverse", {search: searchOf(prefix)})}, name(subject));
}

// For each section: the columns of its table, and of its CSV.
const TABLES = {
  rules: {
    columns: [
      {title: "Rule", cell: ({ruleset, rule, linked}) => [ruleLink(ruleset + "/" + rule), !linked && h("div", {class: "hint"}, "its ruleset is linked to no network")]},
      {title: "Domain", cell: ({domain}) => name(domain)},
      {title: "Last used", cell: lastUse},
    ],
    csv: ["ruleset", "rule", "domain", "linked", "since", "used"],
  },
  targets: {
    columns: [
      {title: "Target", cell: ({target, protocol}) => [h("a", {href: url("target", {target, protocol})}, name(target)), " ", protocol]},
      {title: "From", cell: ({source}) => source ? name(source) : "any address"},
      {title: "Of rule", cell: ({rule}) => rule ? ruleLink(rule) : "none: the default resolver, or DNS servers of a network"},
      {title: "Last asked", cell: lastUse},
    ],
    csv: ["target", "protocol", "source", "rule", "since", "used"],
  },
  leaving: {
    columns: [NAME, NETWORK, ASKED, {title: "Why", cell: (one) => name(one.reason)}, {title: "Rule or zone", cell: owner}],
    csv: ["name", "type", "network", "count", "why", "ruleset", "object"],
  },
  ptrs: {
    columns: [{title: "Address", cell: ({subject}) => addressLink(subject)}, TEXT],
    csv: ["subject", "result"], about: ({subject}) => addressLink(subject),
  },
  delegations: {
    columns: [
      {title: "Zone", cell: zoneLink}, {title: "Pool", cell: ({pool}) => name(pool)}, TEXT,
      {title: "What to ask for", cell: ({prefix}) => h("code", {}, "sluice ptr delegation " + prefix)}],
    csv: ["subject", "pool", "prefix", "result"], about: zoneLink,
  },
  names: {
    columns: [NAME, NETWORK, ASKED, {title: "Decided by", cell: ({by}) => name(by)}],
    csv: ["name", "type", "network", "role", "count", "over", "by"],
  },
  slow: {
    columns: [RULE, {title: "Domain", cell: ({domain}) => name(domain)},
      {title: "Half of the answers", number: true, cell: ({half_ms}) => within(half_ms)}, {title: "95 of 100", number: true, cell: ({most_ms}) => within(most_ms)},
      {title: "On average", number: true, sort: (one) => one.average_ms, cell: ({average_ms}) => milliseconds(average_ms)},
      {title: "Answers", number: true, sort: (one) => one.answers, cell: ({answers}) => answers.toLocaleString("en")}],
    csv: ["rule", "domain", "answers", "average_ms", "half_ms", "most_ms"],
  },
};

// Says when unused items can be found, if none is known for long enough yet; else null.
function early({since, young, count: found}, {days}) {
  if (!young || found) return null;
  const told = new Date(Date.parse(since) + days * DAY_MS).toISOString();

  return ["From ", when(told), " on this can tell what was not used for ", count(days, "day"), "."];
}

function duration(seconds) {
  if (seconds < 90) return `${Math.max(1, Math.ceil(seconds))} s`;
  return seconds < 90 * 60 ? `${Math.ceil(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}

// The progress, and when it will be complete at the present pace.
function progress({looked_at, of, began}, {time}) {
  const took = (Date.parse(time) - Date.parse(began)) / 1000, pace = looked_at && took ? Math.min(ASKED_PER_SECOND, looked_at / took) : ASKED_PER_SECOND;

  if (of === null)
    return [h("progress", {"aria-label": "Being asked"}), " ", `${looked_at.toLocaleString("en")} asked so far; how many there are is known at the end.`];
  return [h("progress", {value: looked_at, max: Math.max(1, of), "aria-label": "Being asked"}), " ",
    `${looked_at.toLocaleString("en")} of ${of.toLocaleString("en")} asked; known in about ${duration((of - looked_at) / pace)}.`];
}

// The section's state in a word.
function stateOf({section, count: found, looked_at, unknown_count, young, state}) {
  if (section === "names") return ["soft", count(looked_at, "name")];
  if (found) return ["warn", count(found, "finding")];
  if (state === "running") return ["soft", "being asked"];
  if (unknown_count) return ["warn", "not all known"];
  if (young) return ["soft", "too early to tell"];
  return looked_at ? ["good", "all is well"] : ["soft", "nothing to look at"];
}

// `words` from the server, with commands in backquotes.
function withCommands(words) {
  return words.split("`").map((part, i) => i % 2 ? h("code", {}, part) : part);
}

function sentence(text) {
  return prose(text.charAt(0).toUpperCase() + text.slice(1) + ".");
}

export class ReportSection extends HTMLElement {
  // section: its word; actions: a column with actions for a finding, or null. Sends "folded" when the user folds or
  // unfolds it.
  constructor(section, folded, actions) {
    super();
    const {columns} = TABLES[section], {title} = SECTIONS[section];

    Object.assign(this, {section, findings: "", told: h("p"), progress: h("p", {hidden: true}), advice: h("p", {class: "hint"}),
      more: h("p", {class: "hint"}), unknown: h("div"), state: h("span", {class: "state soft"}, "not looked at yet"),
      table: new DataTable(title, actions ? [...columns, actions] : columns)});
    this.out = h("button", {type: "button", hidden: true, onclick: () => this.export(), "aria-label": "Export CSV: " + title}, "Export CSV");
    this.head = h("summary", {}, h("h2", {}, title), this.state);
    this.fold = h("details", {open: !folded, ontoggle: () => this.dispatchEvent(new Event("folded", {bubbles: true}))}, this.head,
      this.told, this.progress, this.advice, this.table, this.more, this.unknown, this.out);
  }

  connectedCallback() {
    this.id = "report-" + this.section;
    if (!this.fold.isConnected) this.replaceChildren(this.fold);
  }

  get folded() {
    return !this.fold.open;
  }

  // Shows the section that a link leads to.
  goTo() {
    this.fold.open = true;
    this.scrollIntoView({block: "start"});
    this.head.focus({preventScroll: true});
  }

  // found: the SECTION, and report: its REPORT, as GET /v1/report sends them (observe/findings.h).
  // The rows stay if no finding has changed.
  fill(found, report) {
    const [mood, word] = stateOf(found), findings = JSON.stringify(found.findings);
    const left = found.count - found.findings.length;

    this.found = found;
    this.state.className = "state " + mood;
    this.state.replaceChildren(word);
    this.told.replaceChildren(sentence(found.summary));
    this.progress.hidden = !isRunning(found);
    this.progress.replaceChildren(...isRunning(found) ? progress(found, report) : []);
    this.advice.hidden = !found.count;
    this.advice.replaceChildren("What to do: ", ...withCommands(found.advice), ".");
    this.table.none = h("p", {class: "hint"}, early(found, report));
    if (findings !== this.findings || !found.count) this.table.fill(found.findings);
    this.findings = findings;
    this.more.replaceChildren(...left > 0 && this.section !== "names"
      ? [`and ${left.toLocaleString("en")} more; a higher number of findings shows them, up to what the server keeps.`] : []);
    this.more.append(...found.good_until ? this.until(found) : []);
    this.fillUnknown(found);
    this.out.hidden = !found.findings.length;
  }

  until({good_until}) {
    return [h("span", {}, " Nobody is asked again before ", when(good_until), ".")];
  }

  fillUnknown({unknown = [], unknown_count: all = 0}) {
    this.unknown.replaceChildren(...all ? [h("h3", {}, "Could not be found out"), h("ul", {class: "plain"},
      unknown.map((one) => h("li", {}, TABLES[this.section].about(one), ": ", prose(one.text))),
      all > unknown.length && h("li", {}, `and ${(all - unknown.length).toLocaleString("en")} more`))] : []);
  }

  export() {
    save(`report-${this.section}.csv`, csv([...TABLES[this.section].csv, "text"], this.found.findings), "text/csv");
  }
}
customElements.define("report-section", ReportSection);
