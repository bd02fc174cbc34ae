// All rules of all rulesets, with their state: found by suffix, by a name that one of them decides, or by what is
// wrong; create, change, disable and delete, with a preview of what that would change.

import {all, get, query} from "../lib/api.js";
import {count, h, name, when} from "../lib/element.js";
import {Page, empty} from "../lib/page.js";
import {note, url} from "../lib/router.js";
import {isAdmin} from "../lib/session.js";
import {decider, fullName, host, origin, percents, targetText, targetWord} from "../lib/words.js";
import {MoreMenu} from "../parts/more.js";
import {changeRule, createRule, deleteRule, switchRule} from "../parts/rule.js";
import {searchField} from "../parts/search.js";
import {DataTable, firstOf} from "../parts/table.js";

function ruleName(rule) {
  return fullName(rule.ruleset) + "/" + rule.name;
}

// "corp" finds corp., a.corp. and all rules with it in their name or targets.
function fits(rule, text) {
  const wanted = text.toLowerCase();
  const found = [rule.domain, ruleName(rule), rule.target_group || "", ...(rule.targets || []).map(targetText)];

  return found.some((one) => one.toLowerCase().includes(wanted));
}

// Sorts like DNS, from the right: subdomains are below their domain.
function order(domain) {
  return domain.toLowerCase().split(".").reverse().join("\u0001");
}

// Filters by what is wrong. A rule that the server has not counted yet matches only "all" and "disabled".
const SHOWN = {
  all: ["All rules", () => true],
  unused: ["Not used since the start", ({use}) => use?.enabled && !use.queries],
  failing: ["With failures", ({use}) => use?.failures > 0],
  shadowed: ["Deciding nothing", ({use}) => use?.enabled && !use.deciding],
  disabled: ["Disabled", (rule) => rule.state === "Disabled"],
};
const AGAIN_MS = 10000;

function shadow({network, decided_by, object, ruleset}) {
  return [decider(decided_by), " ", name([ruleset, object].filter(Boolean).join("/")), " decides in ", name(network)];
}

function deadOf(targets) {
  return targets.filter((target) => targetWord(target)[0] === "bad").length;
}

// How bad a rule is. 4: it is not served or cannot be answered, or all its targets are dead; 3: some
// targets are dead; 2: queries failed; 1: it decides nothing; 0: none of these, or it is disabled.
function badness({use, state, not_served}, targets, {is_answered}) {
  const dead = deadOf(targets);

  if (state === "Disabled") return 0;
  if (not_served || is_answered === false) return 4;
  if (dead) return dead === targets.length ? 4 : 3;
  return use?.failures ? 2 : Number(!!use?.enabled && !use.deciding);
}

// Whether the rule is served, whether its targets answer, and whether it decides anything; if not, why.
function ruleState({state, use, not_served}, targets, {is_answered, reason}) {
  const dead = deadOf(targets);

  if (state === "Disabled") return h("span", {class: "state soft"}, state);
  if (not_served) return [h("span", {class: "state warn"}, "not served"), h("div", {class: "hint"}, name(not_served))];
  if (dead && dead === targets.length) return h("span", {class: "state bad"}, "no target answers");
  if (is_answered === false) return [h("span", {class: "state bad"}, "cannot be answered"), reason && h("div", {class: "hint"}, reason)];
  if (dead) return h("span", {class: "state warn"}, `${dead} of ${count(targets.length, "target")} down`);
  if (use && !use.linked) return [h("span", {class: "state warn"}, "never asked"), h("div", {class: "hint"}, "its ruleset is linked to no network")];
  if (use && !use.deciding) return [h("span", {class: "state warn"}, "shadowed"), use.shadowed.map((one) => h("div", {class: "hint"}, shadow(one)))];
  return [h("span", {class: "state " + (is_answered || targets.length ? "good" : "soft")}, state), use?.shadowed.map((one) => h("div", {class: "hint"}, "but ", shadow(one)))];
}

export class RulesPage extends Page {
  async show() {
    this.onEvents(({event}) => ["change", "reload", "target", "source", "rule"].includes(event), () => this.reload());
    this.search = this.query.get("search") || "";
    this.only = this.query.get("rule"); // "office/contoso": shows only this rule
    this.shows = Object.hasOwn(SHOWN, this.query.get("show") || "") ? this.query.get("show") : "all";
    this.answer = h("p", {role: "status"});
    await this.load();
    this.table = new DataTable("Rules", [
      {title: "Domain", cell: (rule) => h("strong", {}, name(rule.domain)), sort: (rule) => rule.key},
      {title: "Rule", cell: (rule) => name(ruleName(rule)), sort: ruleName},
      {title: "Targets", cell: (rule) => this.targets(rule)},
      {title: "State", mood: true, cell: (rule) => ruleState(rule, this.asked_of(rule), this.judged(rule))},
      {title: "Asked", number: true, sort: ({use}) => use?.queries,
       cell: ({use, domain}) => use && h("a", {href: url("queries", {suffix: domain})}, use.queries.toLocaleString("en"))},
      {title: "Failed", number: true, sort: ({use}) => use?.failures, cell: ({use}) => use?.failures > 0 &&
        h("span", {class: "state bad", title: percents(100 * use.failures / use.queries)}, use.failures.toLocaleString("en"))},
      ...this.rules.some(({use}) => use?.last_used !== undefined)
        ? [{title: "Last used", sort: ({use}) => use?.last_used, cell: ({use}) => use?.last_used ? when(use.last_used) : "never"}] : [],
      isAdmin() ? {title: "", cell: (rule) => this.more(rule)} : {title: "From", cell: (rule) => origin(rule)},
    ], null, (rule) => badness(rule, this.asked_of(rule), this.judged(rule)));
    this.since = h("p", {class: "hint"});
    this.replaceChildren(h("h1", {}, "Rules"), this.tools(), this.answer, this.since, this.table);
    if (this.only) this.answer.replaceChildren("Rule ", name(this.only), " alone. ", h("a", {href: url("rules")}, "All rules"));
    this.render();
    this.every(AGAIN_MS, () => this.recount());
    if (this.query.get("name")) await this.attempt(() => this.take());
  }

  async read() {
    const how = {signal: this.signal};
    const [status, counted, rulesets, rules] = await Promise.all([get("status", how), this.count(), all("rulesets?limit=5000", "rulesets", how),
      all("rulesets/*/*/rules?limit=5000", "rules", how)]);
    const known = new Map(rulesets.map((ruleset) => [ruleset.path, ruleset])), {count: lost, causes} = status.unanswered;

    this.unanswered = new Map(causes.map(({rule, reason}) => [rule, reason]));
    // If very many rules cannot be answered, the status names only some of them.
    this.knows_all = lost === causes.length;
    this.rulesets = rulesets;
    this.networks = status.networks.map((network) => network.name);
    // A target that two endpoints ask is listed twice, the worse one first. Reversed, the worse one
    // comes last, and stays in the map.
    this.health = new Map(status.targets.toReversed().map((target) => [target.host + " " + target.protocol, target]));
    // Rules of a ruleset that was made between the two answers are left out until the next reading.
    this.rules = rules.map((rule) => ({...rule, ruleset: known.get(rule.path.split("/", 3).join("/")), key: order(rule.domain)})).filter(({ruleset}) => ruleset)
      .map((rule) => ({...rule, use: counted.get(fullName(rule.ruleset) + " " + rule.name)}));
    this.rules.sort((a, b) => a.key < b.key ? -1 : a.key > b.key ? 1 : 0);
  }

  // The statistics of each rule, by ruleset and name.
  async count() {
    const counted = new Map();

    for (let next = "statistics/rules?limit=5000"; next;) {
      const page = await get(next, {signal: this.signal});

      this.counted_since = page.since;
      for (const one of page.rules) counted.set(one.ruleset + " " + one.rule, one);
      next = page.next && page.next.replace(/^\/v1\//, "");
    }
    return counted;
  }

  // A rule without new queries keeps its row.
  async recount() {
    const counted = await this.count();

    this.rules = this.rules.map((rule) => {
      const use = counted.get(fullName(rule.ruleset) + " " + rule.name);

      return JSON.stringify(use) === JSON.stringify(rule.use) ? rule : {...rule, use};
    });
    this.render();
  }

  async reload() {
    await this.load();
    this.render();
  }

  tools() {
    this.asked = h("input", {id: "rule-name", value: this.query.get("name") || "", placeholder: "www.contoso.corp",
                             autocomplete: "off", autocapitalize: "off", spellcheck: "false"});
    this.shown = h("select", {id: "rule-shown", onchange: () => this.find(this.search, this.shown.value)},
      Object.entries(SHOWN).map(([value, [title]]) => h("option", {value}, title)));
    this.shown.value = this.shows;
    const wanted = this.query.get("network"), gone = wanted && !this.networks.includes(wanted) ? [[wanted, wanted + ", which is gone"]] : [];

    // A network that is gone is kept: the server then says that it does not exist.
    this.network = h("select", {id: "rule-network"}, [...gone, ...this.networks.map((one) => [one, one])].map(([value, shown]) => h("option", {value}, shown)));
    if (wanted) this.network.value = wanted;
    return h("div", {},
      h("div", {class: "tools"},
        searchField({label: "Search", value: this.search, placeholder: "a suffix, a rule or a target", back: (text) => this.find(text)}),
        h("div", {class: "field short"}, h("label", {for: "rule-shown"}, "Show"), this.shown),
        isAdmin() && this.rulesets.length > 0 &&
          h("button", {class: "primary", type: "button", onclick: () => this.act(() => createRule(this.rulesets))}, "Add a rule")),
      this.network.length > 0 && h("form", {class: "tools", onsubmit: (event) => this.submit(event)},
        h("div", {class: "field"}, h("label", {for: "rule-name"}, "Which rule takes this name?"), this.asked),
        h("div", {class: "field short"}, h("label", {for: "rule-network"}, "Asked in network"), this.network),
        h("button", {}, "Find")));
  }

  find(text, shows = this.shows) {
    this.search = text;
    this.shows = shows;
    this.only = this.taking = null;
    this.table.page = 0;
    this.answer.replaceChildren();
    note(url("rules", {search: text, show: shows === "all" ? "" : shows}));
    this.render();
  }

  submit(event) {
    event.preventDefault();
    note(url("rules", {name: this.asked.value.trim(), network: this.network.value}));
    this.answer.replaceChildren();
    this.attempt(() => this.take());
  }

  // Only the latest question counts, and none after another search.
  async take() {
    const fields = {name: this.asked.value.trim(), vnet: this.network.value}, taking = this.taking = {};
    const {hops: [hop]} = await get("explain" + query(fields), {signal: this.signal}).catch((error) => {
      if (this.taking === taking) throw error;
      return {hops: []};
    });

    if (this.taking !== taking) return;
    const isRule = hop.decided_by === "rule" && hop.kind === "forward";

    this.only = isRule ? hop.ruleset + "/" + hop.object : null;
    this.answer.replaceChildren(...[isRule ? "The rule " : "No rule: it is decided by ", isRule ? name(this.only)
      : decider(hop.decided_by), !isRule && hop.object ? [" ", name(hop.object)] : "", isRule ? " takes " : ", for ",
    name(hop.name), ". ", h("a", {href: url("ask", fields)}, "Why?")].flat());
    this.render();
  }

  render() {
    const shown = this.rules.filter((rule) => this.only ? ruleName(rule) === this.only
      : fits(rule, this.search) && SHOWN[this.shows][1](rule));

    this.table.none = this.none();
    this.table.fill(shown);
    this.since.replaceChildren(...this.rules.length ? ["Asked: queries of which the rule has decided a name since the server started, ",
      when(this.counted_since), ". What was not used for days or weeks is in the ", h("a", {href: url("reports", {section: "rules"})}, "report"), "."] : []);
  }

  none() {
    if (this.rules.length && this.only) return empty("There is no such rule any more.");
    if (this.rules.length && this.shows !== "all" && this.rules.some((rule) => fits(rule, this.search)))
      return empty(`"${SHOWN[this.shows][0]}": there is no such rule.`);
    if (this.rules.length) return empty("No rule has that.", h("p", {}, "A rule for a shorter suffix may take it all the same: ask ",
      h("em", {}, "Which rule takes this name?")));
    if (this.rulesets.length) return empty("There is no rule yet.", h("p", {}, isAdmin() ? "Add one: it sends a domain and all below it to servers of yours."
      : "An admin can add one."));
    return empty("There is no ruleset, which rules are in.", h("p", {}, "Declare one in the configuration file, ",
      h("a", {href: url("resources", {kind: "ruleset"})}, "add one here"), ", or make one: "), h("pre", {}, "sluice ruleset create office\nsluice ruleset-link create office hub virtual_network=hub"));
  }

  targets(rule) {
    if (rule.target_group) return ["group ", name(rule.target_group)];
    return rule.targets?.length ? firstOf(rule.targets.map((target) => this.target(target, this.known(target)))) : "";
  }

  // The target's state by colour, and in words for screen readers; the rule's state says what it means for the rule.
  target(target, known) {
    const [mood, words] = known ? targetWord(known) : ["soft", ""];

    return h("span", {class: "state " + mood, title: words}, name(targetText(target)), mood === "bad" && h("span", {class: "unseen"}, " " + words));
  }

  known(target) {
    return this.health.get(host(target) + " " + (target.protocol || "udp"));
  }

  // The server's judgement: is_answered (undefined: not known), and if it is false, the reason.
  judged(rule) {
    const full = ruleName(rule);

    return {is_answered: this.unanswered.has(full) ? false : this.knows_all || undefined, reason: this.unanswered.get(full)};
  }

  asked_of({targets = []}) {
    return targets.map((target) => this.known(target)).filter(Boolean);
  }

  more(rule) {
    if (rule.origin) return h("span", {class: "hint"}, origin(rule));
    const disabled = rule.state === "Disabled";

    return new MoreMenu("rule " + rule.name, [
      {title: "Change", act: () => this.act(() => changeRule(rule))},
      {title: disabled ? "Enable" : "Disable", act: () => this.act(() => switchRule(rule, disabled))},
      {title: "Delete", act: () => this.act(() => deleteRule(rule))},
    ]);
  }

  act(work) {
    this.attempt(async () => {
      await work();
      await this.reload();
    });
  }
}
customElements.define("rules-page", RulesPage);
