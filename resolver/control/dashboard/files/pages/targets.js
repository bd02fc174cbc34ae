// The servers that are asked: which do not answer, their response times, and the rules that need them. The server lists
// the worst first.

import {get} from "../lib/api.js";
import {count, h, name} from "../lib/element.js";
import {history, join} from "../lib/history.js";
import {Page, empty} from "../lib/page.js";
import {note, url} from "../lib/router.js";
import {targetState, targetWord} from "../lib/words.js";
import {searchField} from "../parts/search.js";
import {awaitedStrip, strip} from "../parts/strip.js";
import {DataTable} from "../parts/table.js";

const AGAIN_MS = 10000, RULES = 3;

function number(value) {
  return value.toLocaleString("en");
}

function failuresOf({timeouts, errors}) {
  return timeouts + errors;
}

function failuresText({timeouts, errors, asked, probes}) {
  return `${count(timeouts, "timeout")}, ${count(errors, "error")}, by packets: of ${count(asked, "question")}, sent again where needed, and ${count(probes, "probe")}`;
}

function rulesOf(target) {
  const more = target.rule_count - Math.min(RULES, target.rules.length);

  return [target.rules.slice(0, RULES).map((rule) => h("div", {}, name(rule))),
    more > 0 && h("div", {class: "hint"}, `and ${number(more)} more`)];
}

export class TargetsPage extends Page {
  async show() {
    this.search = this.query.get("search") || "";
    this.table = new DataTable("Targets", [
      {title: "Target", sort: (target) => target.host, cell: (target) => [h("a", {href: url("target", {target: target.host, protocol: target.protocol})}, name(target.host)),
        " ", target.protocol]},
      {title: "State", mood: true, cell: (target) => targetState(target)},
      {title: "Last hour", narrow: true, cell: (target) => this.pastCell(target)},
      {title: "Questions", number: true, sort: (target) => target.asked, cell: (target) => number(target.asked)},
      {title: "Failures", number: true, sort: failuresOf, cell: (target) => h("span", {title: failuresText(target)}, number(failuresOf(target)))},
      {title: "Through", sort: (target) => target.endpoint, cell: (target) => target.endpoint ? name(target.endpoint) : "any address"},
      {title: "Needed by", sort: (target) => -target.rule_count, cell: (target) => rulesOf(target)},
    ], null, (target) => targetWord(target)[0] === "bad" ? 1 + target.rule_count : 0);
    this.said = h("p", {role: "status"});
    this.replaceChildren(h("h1", {}, "Targets"), h("div", {class: "tools"},
      searchField({label: "Search", value: this.search, placeholder: "an address or a rule", back: (text) => this.find(text)})),
    this.said, this.table);
    await this.load();
    this.every(AGAIN_MS, () => this.load());
  }

  // The history of hundreds of targets takes longer than the rest, so it is read last, and then fills the cells.
  async read() {
    this.targets = (await get("status", {signal: this.signal})).targets;
    this.pasts = new Map();
    this.render();
    this.history = await history("hour", this.signal).catch((error) => {
      if (error.status < 400) throw error;
      return null; // without a history the rest is shown
    });
    for (const [target, cell] of this.pasts) cell.replaceChildren(this.past(target));
  }

  pastCell(target) {
    const cell = h("span", {}, this.past(target));

    this.pasts.set(target, cell);
    return cell;
  }

  past({host, protocol}) {
    if (this.history === undefined) return awaitedStrip();
    const found = this.history?.targets.filter((one) => one.target === host && one.protocol === protocol);

    return found?.length ? strip(this.history.times, this.history.step_s, join(found.map((one) => one.up), (known) => Math.min(...known)))
      : h("span", {class: "hint"}, "no history");
  }

  find(text) {
    this.search = text;
    this.table.page = 0;
    note(url("targets", {search: text}));
    this.render();
  }

  render() {
    const wanted = this.search.toLowerCase();
    const silent = this.targets.filter((target) => target.state === "suspect").length;
    const erring = this.targets.filter((target) => targetWord(target)[0] === "bad").length - silent;

    this.said.textContent = [silent && `${count(silent, "target")} of ${this.targets.length} not answering.`,
      erring && `${count(erring, "target")} of ${this.targets.length} answering errors alone.`].filter(Boolean).join(" ");
    this.table.none = this.targets.length ? empty("No target has that.") : empty("No server is asked by anything here.",
      h("p", {}, "Rules and the default resolver have targets: ", h("a", {href: url("rules")}, "Rules")));
    this.table.fill(this.targets.filter((target) => [target.host, target.endpoint || "", ...target.rules]
      .some((one) => one.toLowerCase().includes(wanted))));
  }
}
customElements.define("targets-page", TargetsPage);
