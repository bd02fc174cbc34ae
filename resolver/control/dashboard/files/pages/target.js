// One target: its state, its history, and the rules that need it.

import {get} from "../lib/api.js";
import {count, h, name, when} from "../lib/element.js";
import {join, scaled, sum} from "../lib/history.js";
import {Page, empty} from "../lib/page.js";
import {note, url} from "../lib/router.js";
import {milliseconds, perSecond, targetState} from "../lib/words.js";
import {HistoryCharts} from "../parts/history.js";
import {ruleLink} from "../parts/rule.js";

const AGAIN_MS = 5000;

function facts(target) {
  return [
    ["State", targetState(target)],
    ["Questions", `${target.asked.toLocaleString("en")} asked, ${target.answered.toLocaleString("en")} answered`],
    ["Probes", target.probes ? `${target.probes.toLocaleString("en")} sent besides, to see whether it answers` : "none"],
    ["Failed packets", [`${count(target.timeouts, "timeout")}, ${count(target.errors, "error")}`,
      target.timeouts + target.errors > target.asked && h("div", {class: "hint"}, "More than questions: one may be sent several times, and probes count, too.")]],
    ["Outages", target.suspicions.toLocaleString("en")],
    ["Did not match", target.other ? [count(target.mismatched, "packet"), "; ", name(target.other)] : count(target.mismatched, "packet")],
    ["Waits", `for ${milliseconds(target.allowance_ms)} at most, now ${count(target.waiting, "question")}`],
    ["Through", target.endpoint ? name(target.endpoint) : "any address"],
  ];
}

export class TargetPage extends Page {
  async show() {
    const target = this.query.get("target") || "", protocol = this.query.get("protocol") || "udp";
    const mine = (found) => found.targets.filter((one) => one.target === target && one.protocol === protocol);
    // A target asked from several addresses has a row for each: it is as bad as the worst of them.
    const of = (found, key, make) => (make ? join : sum)(mine(found).map((one) => one[key]), make);

    this.is = (one) => one.host === target && one.protocol === protocol;
    this.facts = h("dl", {class: "facts"});
    this.rules = h("ul", {class: "plain"});
    this.replaceChildren(h("p", {}, h("a", {href: url("targets")}, "Targets")), h("h1", {}, name(target), " ", protocol), this.facts,
      h("h2", {}, "State and round trip"),
      new HistoryCharts(this, [
        {title: "Up", series: ["Up"], max: 100, steps: true, show: (value) => value.toFixed(0) + " %",
         lists: (found) => [scaled(of(found, "up", (known) => Math.min(...known)), 100)]},
        {title: "Round trip", series: ["Mean"], show: milliseconds, lists: (found) => [scaled(of(found, "mean_us", (known) => Math.max(...known)), 0.001)]},
        {title: "Questions", series: ["Asked", "Failed"], show: perSecond,
         lists: (found) => [of(found, "queries"), of(found, "failures")].map((list) => scaled(list, 1 / found.step_s))},
      ], this.query.get("span"), (span) => note(url("target", {target, protocol, span}))),
      h("h2", {}, "Needed by"), this.rules);
    await this.load();
    this.every(AGAIN_MS, () => this.load());
  }

  async read() {
    const {targets} = await get("status", {signal: this.signal});
    const found = targets.find(this.is);

    if (!found) {
      this.shown = null;
      this.facts.replaceChildren();
      this.rules.replaceChildren(h("li", {}, empty("Nothing asks it now.", h("p", {}, h("a", {href: url("targets")}, "All targets")))));
      return;
    }
    this.facts.replaceChildren(...facts(found).flatMap(([term, value]) => [h("dt", {}, term), h("dd", {}, value)]),
      ...found.since ? [h("dt", {}, "Since"), h("dd", {}, when(found.since))] : []);
    this.showRules(found);
  }

  // Drawn again only if they have changed: the user may be about to press a link, or have the focus on it.
  showRules(found) {
    const rules = JSON.stringify([found.rules, found.rule_count]);

    if (rules === this.shown) return;
    this.shown = rules;
    this.rules.replaceChildren(...found.rules.map((rule) => h("li", {}, rule.includes("/")
      ? ruleLink(rule) : name(rule))),
    ...found.rule_count > found.rules.length ? [h("li", {}, h("a", {href: url("rules", {search: found.host.replace(/:53$/, "")})},
      `and ${found.rule_count - found.rules.length} more`))] : []);
  }
}
customElements.define("target-page", TargetPage);
