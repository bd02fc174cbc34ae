// All rules of all rulesets: found by suffix, or by a name that one of them takes; made, changed,
// disabled and deleted.

import {all, call, get, path, query} from "/ui/lib/api.js";
import {h, name} from "/ui/lib/element.js";
import {Page, empty} from "/ui/lib/page.js";
import {note, url} from "/ui/lib/router.js";
import {isAdmin} from "/ui/lib/session.js";
import {DECIDED, host, targetOf, targetState, targetText} from "/ui/lib/words.js";
import {ask} from "/ui/parts/dialog.js";
import {MoreMenu} from "/ui/parts/more.js";
import {notice, warn} from "/ui/parts/notice.js";
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

export class RulesPage extends Page {
  async show() {
    this.search = this.query.get("search") || "";
    this.taken = null;
    this.answer = h("p", {role: "status"});
    this.table = new DataTable("Rules", [
      {title: "Domain", cell: (rule) => h("strong", {}, name(rule.domain))},
      {title: "Rule", cell: (rule) => name(rule.ruleset.name + "/" + rule.name)},
      {title: "Targets", cell: (rule) => this.targets(rule)},
      {title: "State", cell: (rule) => this.state(rule)},
      {title: "From", cell: (rule) => rule.origin ? name(rule.origin) : "here"},
      ...isAdmin() ? [{title: "", narrow: true, cell: (rule) => this.more(rule)}] : [],
    ]);
    await this.load();
    this.replaceChildren(h("h1", {}, "Rules"), this.tools(), this.answer, this.table);
    this.render();
    this.onEvents(({event}) => event === "change" || event === "reload" || event === "target", () => this.reload());
    if (this.query.get("name")) await this.take();
  }

  async load() {
    const how = {signal: this.signal};
    const [rulesets, status] = await Promise.all([all("rulesets?limit=5000", "rulesets", how), get("status", how)]);
    const lists = await Promise.all(rulesets.map((ruleset) => all(ruleset.path + "/rules?limit=5000", "rules", how)));

    this.rulesets = rulesets;
    this.networks = status.networks.map((network) => network.name);
    this.health = new Map(status.targets.map((target) => [target.host + " " + target.protocol, target]));
    this.rules = lists.flatMap((rules, i) => rules.map((rule) => ({...rule, ruleset: rulesets[i], key: order(rule.domain)})));
    this.rules.sort((a, b) => a.key < b.key ? -1 : a.key > b.key ? 1 : 0);
  }

  async reload() {
    await this.load();
    this.render();
  }

  tools() {
    this.asked = h("input", {id: "rule-name", value: this.query.get("name") || "", placeholder: "www.contoso.corp",
                             autocomplete: "off", autocapitalize: "off", spellcheck: "false"});
    this.network = h("select", {id: "rule-network"}, this.networks.map((one) => h("option", {value: one}, one)));
    if (this.networks.includes(this.query.get("network"))) this.network.value = this.query.get("network");
    return h("div", {},
      h("div", {class: "tools"},
        searchField({label: "Search", value: this.search, placeholder: "a suffix, a rule or a target", back: (text) => this.find(text)}),
        isAdmin() && this.rulesets.length > 0 &&
          h("button", {class: "primary", type: "button", onclick: () => this.attempt(() => this.create())}, "Add a rule")),
      this.networks.length > 0 && h("form", {class: "tools", onsubmit: (event) => this.submit(event)},
        h("div", {class: "field"}, h("label", {for: "rule-name"}, "Which rule takes this name?"), this.asked),
        h("div", {class: "field short"}, h("label", {for: "rule-network"}, "Asked in network"), this.network),
        h("button", {}, "Find")));
  }

  find(text) {
    this.search = text;
    this.taken = null;
    this.answer.replaceChildren();
    note(url("rules", {search: text}));
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
      : fits(rule, this.search));

    this.table.none = this.none();
    this.table.fill(shown);
  }

  none() {
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

  state(rule) {
    return h("span", {class: rule.state === "Disabled" ? "state soft" : "state good"}, rule.state);
  }

  more(rule) {
    if (rule.origin) return h("span", {class: "hint"}, "read-only");
    const disabled = rule.state === "Disabled";

    return new MoreMenu("rule " + rule.name, [
      {title: "Change", act: () => this.attempt(() => this.change(rule))},
      {title: disabled ? "Enable" : "Disable", act: () => this.attempt(() => this.patch(rule, {state: disabled ? "Enabled" : "Disabled"}))},
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
      work: async (values) => {
        const {body} = await call("PATCH", rule.path, {body: this.members(values, null), etag: rule.etag});

        this.done(body, "is changed");
      },
    });
    await this.reload();
  }

  async patch(rule, members) {
    const {body} = await call("PATCH", rule.path, {body: members, etag: rule.etag});

    this.done(body, "is " + body.state.toLowerCase());
    await this.reload();
  }

  async delete(rule) {
    await ask({
      title: "Delete rule " + rule.name + "?", confirm: "Delete", danger: true,
      text: h("p", {}, "Names in ", name(rule.domain), " go to the next shorter rule then, or to the default resolver."),
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
