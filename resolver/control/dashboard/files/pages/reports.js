// Findings for an operator: unused items, names that leak, PTRs that do not lead back, slow rules. The server finds
// them (GET /v1/report); this page follows the background questions until they are answered, or the page is left.

import {ApiError, all, get, path, query} from "../lib/api.js";
import {count, h, when} from "../lib/element.js";
import {Page} from "../lib/page.js";
import {DAYS, LIMIT, SECTIONS, isRunning} from "../lib/report.js";
import {note, url} from "../lib/router.js";
import {isAdmin} from "../lib/session.js";
import {sleep} from "../lib/stream.js";
import {fullName} from "../lib/words.js";
import {MoreMenu} from "../parts/more.js";
import {ReportSection} from "../parts/report.js";
import {deleteRule, switchRule} from "../parts/rule.js";

const SOON_MS = 300, LATE_MS = 10000;
const LIMITS = ["20", "100", "1000", "5000"];
const OF_RULES = ["rules", "targets", "slow"];

export class ReportsPage extends Page {
  async show() {
    const folded = (this.query.get("folded") || "").split(",");

    this.told = h("p", {role: "status"}, "Looking ...");
    this.sections = Object.keys(SECTIONS).map((section) => new ReportSection(section, folded.includes(section), section === "rules" && isAdmin() && this.actions()));
    this.links = this.sections.map((section) => this.link(section));
    this.replaceChildren(h("h1", {}, "Reports"), this.form(), this.told,
      h("ul", {class: "contents", "aria-label": "Sections"}, this.links.map(({link}) => h("li", {}, link))), ...this.sections);
    this.note();
    this.addEventListener("folded", () => this.signal.aborted || this.note());
    await this.look();
    this.at(this.query.get("section"))?.goTo();
  }

  at(section) {
    return this.sections.find((one) => one.section === section);
  }

  form() {
    const days = this.query.get("days") ?? String(DAYS), limit = this.query.get("limit") ?? String(LIMIT);
    const limits = LIMITS.includes(limit) ? LIMITS : [limit, ...LIMITS];

    this.days = h("input", {id: "report-days", type: "number", min: 0, max: 3650, required: true, value: days, "aria-describedby": "report-days-hint"});
    this.limit = h("select", {id: "report-limit"}, limits.map((one) => h("option", {value: one}, one)));
    this.limit.value = limit;
    // Values from the URL that the fields cannot show stay, so that the server reports them.
    this.wanted = {days, limit};
    return h("form", {class: "tools", onsubmit: (event) => this.submit(event)},
      h("div", {class: "field short"}, h("label", {for: "report-days"}, "Days without use"), this.days),
      h("div", {class: "field short"}, h("label", {for: "report-limit"}, "Findings of each"), this.limit),
      h("button", {class: "primary"}, "Look again"),
      h("p", {class: "hint", id: "report-days-hint"}, "0: never used at all."));
  }

  submit(event) {
    event.preventDefault();
    this.wanted = {days: this.days.value, limit: this.limit.value};
    this.note();
    this.attempt(() => this.look());
  }

  // The report skips disabled rules, so both actions take the rule out of it.
  actions() {
    const act = (finding, what) => this.attempt(async () => {
      if (await what(await this.ruleOf(finding))) await this.look(OF_RULES);
    });

    return {title: "", cell: (finding) => new MoreMenu(`rule ${finding.ruleset}/${finding.rule}`, [
      {title: "Disable", act: () => act(finding, (rule) => switchRule(rule, false))},
      {title: "Delete", act: () => act(finding, deleteRule)},
    ])};
  }

  async ruleOf({ruleset, rule}) {
    const rulesets = await all("rulesets?limit=5000", "rulesets", {signal: this.signal});
    const found = rulesets.find((one) => fullName(one) === ruleset);

    if (!found) throw new ApiError(404, {message: `There is no ruleset ${ruleset} any more.`});
    const made = await get(found.path + "/rules/" + path(rule), {signal: this.signal});
    if (made.origin) throw new ApiError(0, {message: `Rule ${ruleset}/${rule} is in ${made.origin}, where it can be changed; then reload.`});
    return made;
  }

  // The fields that differ from their defaults.
  fields() {
    const {days, limit} = this.wanted, folded = this.sections.filter((one) => one.folded).map((one) => one.section);

    return {days: days === String(DAYS) ? null : days, limit: limit === String(LIMIT) ? null : limit, folded: folded.join(",")};
  }

  note() {
    note(url("reports", {...this.fields(), section: this.query.get("section")}));
    for (const {section, link} of this.links) link.href = url("reports", {...this.fields(), section});
  }

  // Reads all or some sections, then follows those that are running. Only the latest call counts.
  async look(sections = Object.keys(SECTIONS)) {
    const turn = this.turn = {};

    this.said = null;
    try {
      await this.load(sections, turn);
    } catch (error) {
      this.told.replaceChildren();
      throw error;
    }
    this.follow(turn);
  }

  async load(sections, turn) {
    const report = await get("report" + query({...this.wanted, sections: sections.join(",")}), {signal: this.signal});

    if (this.turn !== turn) return;
    for (const found of report.sections) this.at(found.section)?.fill(found, report);
    this.tell(report.time);
  }

  running() {
    return this.sections.filter(({found}) => found && isRunning(found));
  }

  // Asks only for running sections, at growing intervals: asking for complete ones would start them again.
  async follow(turn) {
    for (let wait = SOON_MS; this.running().length; wait = Math.min(wait + SOON_MS, LATE_MS)) {
      await sleep(wait, this.signal);
      if (this.signal.aborted || this.turn !== turn) return;
      if (!document.hidden) await this.refresh(() => this.load(this.running().map((one) => one.section), turn));
    }
  }

  tell(time) {
    const found = this.sections.map((one) => SECTIONS[one.section].found && one.found?.count || 0);
    const sum = found.reduce((all, one) => all + one, 0), sections = found.filter(Boolean).length;
    const running = this.running().map(({section}) => SECTIONS[section].title).join(", "), said = [sum, sections, running].join();

    this.links.forEach(({found: shown}, i) => shown.replaceChildren(found[i] ? " " + found[i].toLocaleString("en") : ""));
    if (running && said === this.said) return; // unchanged, so not read out again
    this.said = said;
    this.told.replaceChildren(sum ? `${count(sum, "finding")} in ${count(sections, "section")}` : "Nothing was found", ", as of ", when(time), ".",
      running && ` Still being asked: ${running}.`);
  }

  link(element) {
    const {section} = element, found = h("strong");
    const link = h("a", {href: url("reports", {section}), onclick: (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      element.goTo();
      this.query.set("section", section);
      this.note();
    }}, SECTIONS[section].title, found);

    return {section, link, found};
  }
}
customElements.define("reports-page", ReportsPage);
