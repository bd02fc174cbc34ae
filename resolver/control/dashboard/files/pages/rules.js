// All rules of all rulesets, and how each fares: found by suffix, by a name that one of them takes, or
// by what is the matter with them; made, changed, disabled and deleted, with a look ahead at what
// that would change.

import {all, call, get, path, query} from "/ui/lib/api.js";
import {count, h, name, when} from "/ui/lib/element.js";
import {Page, empty} from "/ui/lib/page.js";
import {note, url} from "/ui/lib/router.js";
import {isAdmin} from "/ui/lib/session.js";
import {DECIDED, host, origin, percents, targetOf, targetState, targetText} from "/ui/lib/words.js";
import {ask} from "/ui/parts/dialog.js";
import {MoreMenu} from "/ui/parts/more.js";
import {notice, warn} from "/ui/parts/notice.js";
import {PlanView} from "/ui/parts/plan.js";
import {searchField} from "/ui/parts/search.js";
import {DataTable} from "/ui/parts/table.js";

const TARGETS_HINT = "One on a line, asked in this order: 10.1.0.53, 10.1.0.53:5353, or 10.1.0.53 tcp.";

// "corp" finds corp., a.corp. and whatever has it in its name or its targets.
function fits(rule, text) {
  const wanted = text.toLowerCase();
  const found = [rule.domain, rule.ruleset.name + "/" + rule.name, rule.target_group || "", ...(rule.targets || []).map(targetText)];

  return found.some((one) => one.toLowerCase().includes(wanted));
}

// As DNS sorts names, from the right: what is below a domain stands beneath it.
function order(domain) {
  return domain.toLowerCase().split(".").reverse().join("\u0001");
}

// What is the matter with them; of a rule that the server has not counted yet: nothing.
const SHOWN = {
  all: ["All rules", () => true],
  unused: ["Not used", ({use}) => use?.enabled && !use.queries],
  failing: ["With failures", ({use}) => use?.failures > 0],
  shadowed: ["Deciding nothing", ({use}) => use?.enabled && !use.deciding],
  disabled: ["Disabled", (rule) => rule.state === "Disabled"],
};
const AGAIN_MS = 10000;

function shadow({network, decided_by, object, ruleset}) {
  return [DECIDED[decided_by], " ", name([ruleset, object].filter(Boolean).join("/")), " decides in ", name(network)];
}

// Whether it decides anything, and if not, why.
function standing({state, use}) {
  if (state === "Disabled") return h("span", {class: "state soft"}, state);
  if (use && !use.linked) return [h("span", {class: "state warn"}, "never asked"), h("div", {class: "hint"}, "its ruleset is linked to no network")];
  if (use && !use.deciding) return [h("span", {class: "state warn"}, "shadowed"), use.shadowed.map((one) => h("div", {class: "hint"}, shadow(one)))];
  return [h("span", {class: "state good"}, state), use?.shadowed.map((one) => h("div", {class: "hint"}, "but ", shadow(one)))];
}

// The values of a rule as it is, with some members that are to be otherwise; null removes one.
function valuesWith({ruleset: _ruleset, key: _key, use: _use, ...values}, members) {
  return Object.fromEntries(Object.entries({...values, ...members}).filter(([, value]) => value !== null));
}

export class RulesPage extends Page {
  async show() {
    this.search = this.query.get("search") || "";
    this.taken = null;
    this.shows = Object.hasOwn(SHOWN, this.query.get("show") || "") ? this.query.get("show") : "all";
    this.answer = h("p", {role: "status"});
    await this.load();
    this.table = new DataTable("Rules", [
      {title: "Domain", cell: (rule) => h("strong", {}, name(rule.domain))},
      {title: "Rule", cell: (rule) => name(rule.ruleset.name + "/" + rule.name)},
      {title: "Targets", cell: (rule) => this.targets(rule)},
      {title: "State", cell: standing},
      {title: "Asked", cell: ({use, domain}) => use && [h("a", {href: url("queries", {suffix: domain})}, use.queries.toLocaleString("en")),
        use.failures > 0 && h("div", {class: "state bad"}, `${count(use.failures, "failure")}, ${percents(100 * use.failures / use.queries)}`)]},
      ...this.rules.some(({use}) => use?.last_used !== undefined)
        ? [{title: "Last used", cell: ({use}) => use?.last_used ? when(use.last_used) : "never"}] : [],
      {title: "From", cell: (rule) => origin(rule.origin)},
      ...isAdmin() ? [{title: "", narrow: true, cell: (rule) => this.more(rule)}] : [],
    ]);
    this.since = h("p", {class: "hint"});
    this.replaceChildren(h("h1", {}, "Rules"), this.tools(), this.answer, this.table, this.since);
    this.render();
    this.every(AGAIN_MS, () => this.recount());
    this.onEvents(({event}) => event === "change" || event === "reload" || event === "target", () => this.reload());
    if (this.query.get("name")) await this.take();
  }

  async load() {
    const how = {signal: this.signal};
    const [rulesets, status] = await Promise.all([all("rulesets?limit=5000", "rulesets", how), get("status", how)]);
    const [counted, ...lists] = await Promise.all([this.count(), ...rulesets.map((ruleset) => all(ruleset.path + "/rules?limit=5000", "rules", how))]);

    this.rulesets = rulesets;
    this.networks = status.networks.map((network) => network.name);
    this.health = new Map(status.targets.map((target) => [target.host + " " + target.protocol, target]));
    this.rules = lists.flatMap((rules, i) => rules.map((rule) => ({...rule, ruleset: rulesets[i], key: order(rule.domain),
      use: counted.get(rulesets[i].name + " " + rule.name)})));
    this.rules.sort((a, b) => a.key < b.key ? -1 : a.key > b.key ? 1 : 0);
  }

  // What each has decided, by ruleset and name.
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

  // A rule that was asked nothing since keeps its row.
  async recount() {
    const counted = await this.count();

    this.rules = this.rules.map((rule) => {
      const use = counted.get(rule.ruleset.name + " " + rule.name);

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
    this.network = h("select", {id: "rule-network"}, this.networks.map((one) => h("option", {value: one}, one)));
    if (this.networks.includes(this.query.get("network"))) this.network.value = this.query.get("network");
    return h("div", {},
      h("div", {class: "tools"},
        searchField({label: "Search", value: this.search, placeholder: "a suffix, a rule or a target", back: (text) => this.find(text)}),
        h("div", {class: "field short"}, h("label", {for: "rule-shown"}, "Show"), this.shown),
        isAdmin() && this.rulesets.length > 0 &&
          h("button", {class: "primary", type: "button", onclick: () => this.attempt(() => this.create())}, "Add a rule")),
      this.networks.length > 0 && h("form", {class: "tools", onsubmit: (event) => this.submit(event)},
        h("div", {class: "field"}, h("label", {for: "rule-name"}, "Which rule takes this name?"), this.asked),
        h("div", {class: "field short"}, h("label", {for: "rule-network"}, "Asked in network"), this.network),
        h("button", {}, "Find")));
  }

  find(text, shows = this.shows) {
    this.search = text;
    this.shows = shows;
    this.taken = null;
    this.answer.replaceChildren();
    note(url("rules", {search: text, show: shows === "all" ? "" : shows}));
    this.render();
  }

  submit(event) {
    event.preventDefault();
    note(url("rules", {name: this.asked.value.trim(), network: this.network.value}));
    this.attempt(() => this.take());
  }

  async take() {
    const fields = {name: this.asked.value.trim(), vnet: this.network.value};
    const {hops: [hop]} = await get("explain" + query(fields), {signal: this.signal});
    const isRule = hop.decided_by === "rule" && hop.kind === "forward";

    this.taken = isRule ? hop : null;
    this.answer.replaceChildren(...[isRule ? "The rule " : "No rule: it is decided by ", isRule ? name(hop.ruleset + "/" + hop.object)
      : DECIDED[hop.decided_by].toLowerCase(), !isRule && hop.object ? [" ", name(hop.object)] : "", isRule ? " takes " : ", for ",
    name(hop.name), ". ", h("a", {href: url("ask", fields)}, "Why?")].flat());
    this.render();
  }

  render() {
    const shown = this.rules.filter((rule) => this.taken ? rule.name === this.taken.object && rule.ruleset.name === this.taken.ruleset
      : fits(rule, this.search) && SHOWN[this.shows][1](rule));

    this.table.none = this.none();
    this.table.fill(shown);
    this.since.replaceChildren(...this.rules.length ? ["Asked: names that the rule decided, since ", when(this.counted_since), "."] : []);
  }

  none() {
    if (this.rules.length && this.shows !== "all" && this.rules.some((rule) => fits(rule, this.search)))
      return empty(`"${SHOWN[this.shows][0]}": there is no such rule.`);
    if (this.rules.length) return empty("No rule has that.", h("p", {}, "A rule for a shorter suffix may take it all the same: ask ",
      h("em", {}, "Which rule takes this name?")));
    if (this.rulesets.length) return empty("There is no rule yet.", h("p", {}, isAdmin() ? "Add one: it sends a domain and all below it to servers of yours."
      : "An admin can add one."));
    return empty("There is no ruleset, which rules are in.", h("p", {}, "Declare one in the configuration file, or make one: "),
      h("pre", {}, "sluice ruleset create office\nsluice ruleset-link create office hub virtual_network=hub"));
  }

  targets(rule) {
    if (rule.target_group) return ["group ", name(rule.target_group)];
    return (rule.targets || []).map((target) => h("div", {}, name(targetText(target)), " ", this.stateOf(target)));
  }

  stateOf(target) {
    const found = this.health.get(host(target) + " " + (target.protocol || "udp"));

    return found && targetState(found);
  }

  more(rule) {
    if (rule.origin) return h("span", {class: "hint"}, "read-only");
    const disabled = rule.state === "Disabled";

    return new MoreMenu("rule " + rule.name, [
      {title: "Change", act: () => this.attempt(() => this.change(rule))},
      {title: disabled ? "Enable" : "Disable", act: () => this.attempt(() => this.patch(rule, disabled))},
      {title: "Delete", act: () => this.attempt(() => this.delete(rule))},
    ]);
  }

  fields(rule = {}) {
    return [
      {name: "domain", label: "Domain", required: true, value: rule.domain, placeholder: "contoso.corp.", hint: "With all below it; . is everything."},
      {name: "targets", label: "Targets", type: "lines", value: (rule.targets || []).map(targetText).join("\n"), hint: TARGETS_HINT},
      {name: "target_group", label: "Or a target group of the ruleset", value: rule.target_group},
      {name: "follow_cname", label: "Follow CNAMEs by zones and rules", type: "check", value: rule.follow_cname},
      {name: "description", label: "Description", value: rule.description},
    ];
  }

  // Members that are empty are not sent; in a PATCH they are null, which removes them.
  members({domain, targets, target_group, follow_cname, description}, none) {
    const kept = {
      domain: domain.endsWith(".") ? domain : domain + ".", follow_cname, targets: targets.length ? targets.map(targetOf) : none,
      target_group: target_group || none, description: description || none,
    };

    return Object.fromEntries(Object.entries(kept).filter(([, value]) => value !== undefined));
  }

  async create() {
    const [first] = this.rulesets;

    await ask({
      title: "Add a rule", confirm: "Add",
      fields: [
        {name: "ruleset", label: "Ruleset", value: first.path, choices: this.rulesets.map((one) => [one.path, one.name])},
        {name: "name", label: "Name", required: true, placeholder: "contoso", hint: "Letters, digits, _ and -; begins with a letter."},
        ...this.fields()],
      more: new PlanView((values) => [{path: values.ruleset + "/rules/" + path(values.name), values: this.members(values)}]),
      work: async (values) => {
        const {body} = await call("PUT", values.ruleset + "/rules/" + path(values.name), {body: this.members(values), none: true});

        this.done(body, "is made");
      },
    });
    await this.reload();
  }

  async change(rule) {
    await ask({
      title: "Change rule " + rule.name, confirm: "Save", fields: this.fields(rule),
      more: new PlanView((values) => [{path: rule.path, values: valuesWith(rule, this.members(values, null))}]),
      work: async (values) => {
        const {body} = await call("PATCH", rule.path, {body: this.members(values, null), etag: rule.etag});

        this.done(body, "is changed");
      },
    });
    await this.reload();
  }

  async patch(rule, enable) {
    const members = {state: enable ? "Enabled" : "Disabled"}, word = enable ? "Enable" : "Disable";

    await ask({
      title: `${word} rule ${rule.name}?`, confirm: word, more: new PlanView(() => [{path: rule.path, values: valuesWith(rule, members)}], true),
      text: h("p", {}, "Names in ", name(rule.domain), enable ? " go to its targets then." : " go to the next shorter rule then, or to the default resolver."),
      work: async () => {
        const {body} = await call("PATCH", rule.path, {body: members, etag: rule.etag});

        this.done(body, "is " + body.state.toLowerCase());
      },
    });
    await this.reload();
  }

  async delete(rule) {
    await ask({
      title: "Delete rule " + rule.name + "?", confirm: "Delete", danger: true,
      text: h("p", {}, "Names in ", name(rule.domain), " go to the next shorter rule then, or to the default resolver."),
      more: new PlanView(() => [{path: rule.path, values: null}], true),
      work: async () => {
        await call("DELETE", rule.path, {etag: rule.etag});
        this.done(rule, "is deleted");
      },
    });
    await this.reload();
  }

  done(rule, what) {
    notice("Rule ", name(rule.name), ` ${what}.`);
    warn(rule.warnings);
  }
}
customElements.define("rules-page", RulesPage);
