// Actions for a rule, on the list and in a report: create, change, disable and delete, with a preview of what that
// would change.

import {call, get, path} from "../lib/api.js";
import {h, name} from "../lib/element.js";
import {url} from "../lib/router.js";
import {fullName, targetOf, targetText} from "../lib/words.js";
import {ask, valuesOf} from "./dialog.js";
import {changed, notice, warn} from "./notice.js";
import {PlanView} from "./plan.js";
import {asRead} from "./resource.js";

const TARGETS_HINT = "One on a line, asked in this order: 10.1.0.53, 10.1.0.53:5353, or 10.1.0.53 tcp.";

// A link to the row of "office/contoso" on the list.
export function ruleLink(rule) {
  return h("a", {href: url("rules", {rule})}, name(rule));
}

// The rule's values with some members replaced; null removes one.
function valuesWith({ruleset: _ruleset, key: _key, use: _use, ...values}, members) {
  return Object.fromEntries(Object.entries({...values, ...members}).filter(([, value]) => value !== null));
}

// The target groups of the rule's ruleset.
async function targetGroups(ruleset) {
  const {target_groups: groups} = await get(ruleset + "/target_groups?limit=1000");

  return groups.map((group) => [group.name, group.targets.map(targetText).join(", ")]);
}

function fields(rule = {}) {
  return [
    {name: "domain", label: "Domain", required: true, value: rule.domain, placeholder: "contoso.corp.", hint: "With all below it; . is everything."},
    {name: "targets", label: "Targets", type: "lines", value: (rule.targets || []).map(targetText).join("\n"), hint: TARGETS_HINT},
    {name: "target_group", label: "Or a target group of the ruleset", value: rule.target_group,
     choices: (_text, form) => targetGroups(rule.ruleset?.path || valuesOf(form).ruleset)},
    {name: "follow_cname", label: "Follow CNAMEs by zones and rules", type: "check", value: rule.follow_cname},
    {name: "description", label: "Description", value: rule.description},
  ];
}

// The typed targets. One that the rule has already is as it was, with its description, which the form does not show.
function targetsOf(lines, before) {
  const known = new Map((before || []).map((target) => [targetText(target), target]));

  return lines.map(targetOf).map((target) => known.get(targetText(target)) || target);
}

// Empty members are not sent; in a PATCH they are null, which removes them.
function members({domain, targets, target_group, follow_cname, description}, none, before) {
  const kept = {
    domain: domain.endsWith(".") ? domain : domain + ".", follow_cname, targets: targets.length ? targetsOf(targets, before) : none,
    target_group: target_group || none, description: description || none,
  };

  return Object.fromEntries(Object.entries(kept).filter(([, value]) => value !== undefined));
}

// The members that are typed differently from the rule's.
function changedMembers(rule, values) {
  const typed = Object.fromEntries(fields(rule).map((one) => [one.name, asRead(one)]));
  const [before, after] = [typed, values].map((one) => members(one, null, rule.targets));

  return Object.fromEntries(Object.entries(after).filter(([key, value]) => JSON.stringify(value) !== JSON.stringify(before[key])));
}

function done(rule, what) {
  changed(rule.path, "Rule ", name(rule.name), ` ${what}.`);
  warn(rule.warnings);
}

// Each returns whether it was done.

export function createRule(rulesets) {
  const [first] = rulesets;

  return ask({
    title: "Add a rule", confirm: "Add",
    fields: [
      {name: "ruleset", label: "Ruleset", value: first.path, choices: rulesets.map((one) => [one.path, fullName(one)])},
      {name: "name", label: "Name", required: true, placeholder: "contoso", hint: "Letters, digits, _ and -; begins with a letter."},
      ...fields()],
    about: (values) => values.ruleset + "/rules/" + path(values.name),
    more: new PlanView((values) => [{path: values.ruleset + "/rules/" + path(values.name), values: members(values)}]),
    work: async (values) => {
      const {body} = await call("PUT", values.ruleset + "/rules/" + path(values.name), {body: members(values), none: true});

      done(body, "is made");
    },
  });
}

export function changeRule(rule) {
  return ask({
    title: "Change rule " + rule.name, confirm: "Save", fields: fields(rule), about: rule.path,
    more: new PlanView((values) => [{path: rule.path, values: valuesWith(rule, changedMembers(rule, values))}]),
    work: async (values) => {
      const changes = changedMembers(rule, values);

      if (!Object.keys(changes).length) {
        notice("Nothing was changed.");
        return;
      }
      const {body} = await call("PATCH", rule.path, {body: changes, etag: rule.etag});

      done(body, "is changed");
    },
  });
}

export function switchRule(rule, enable) {
  const state = {state: enable ? "Enabled" : "Disabled"}, word = enable ? "Enable" : "Disable";

  return ask({
    title: `${word} rule ${rule.name}?`, confirm: word, more: new PlanView(() => [{path: rule.path, values: valuesWith(rule, state)}], true),
    text: h("p", {}, "Names in ", name(rule.domain), enable ? " go to its targets then." : " go to the next shorter rule then, or to the default resolver."),
    work: async () => {
      const {body} = await call("PATCH", rule.path, {body: state, etag: rule.etag});

      done(body, "is " + body.state.toLowerCase());
    },
  });
}

export function deleteRule(rule) {
  return ask({
    title: "Delete rule " + rule.name + "?", confirm: "Delete", danger: true,
    text: h("p", {}, "Names in ", name(rule.domain), " go to the next shorter rule then, or to the default resolver."),
    more: new PlanView(() => [{path: rule.path, values: null}], true),
    work: async () => {
      await call("DELETE", rule.path, {etag: rule.etag});
      done(rule, "is deleted");
    },
  });
}
