// The server's stable words, in words for people.

import {h, name, when} from "./element.js";
import {url} from "./router.js";

export const DECIDED = {
  nobody: "Nobody", custom: "Custom DNS servers", zone: "Private zone", address: "Address of the network", rule: "Rule",
  pool: "Address pool", name: "Own name", special: "Special-use name", default: "Default resolver", admission: "Turned away",
};

// In the middle of a sentence: "rule", "default resolver".
export function decider(by) {
  const word = DECIDED[by] || by;

  return word.charAt(0).toLowerCase() + word.slice(1);
}

export const OUTCOMES = {
  shorter: "matches, but a longer suffix does too", passed: "does not have the name, and passes it on",
  later: "matches, but an earlier ruleset has a rule for the same domain", shadowed: "would match, but something earlier decides",
  disabled: "matches, but is disabled", reserved: "is reserved: shorter rules do not match",
  not_found: "has nothing for this name", none: "there is none",
  elsewhere: "is that of a private address, and answered in its network only",
};

// Where a resource comes from: the configuration (its file without the folder), sluice itself, or a client.
export function origin({origin: place, made}) {
  if (made) return h("span", {title: made}, "made by sluice");
  return place ? h("span", {title: place}, name(place.split("/").at(-1))) : "here";
}

// The name in status, statistics and references: names are unique only in their group.
export function fullName(one) {
  return (one.resource_group ? one.resource_group + "/" : "") + one.name;
}

// A reference to the item of that full name, valid in every group.
export function reference(full) {
  return full.includes("/") ? full : "-/" + full;
}

// What decides, from GET /v1/names: "Rule office/contoso, asks 10.0.0.5:53".
export function decision(decided) {
  const hop = decided?.hops[0];

  if (!hop) return "there is no such network then";
  const asked = hop.route.map((leg) => leg.host || leg.endpoint).join(", ");
  const records = hop.records.map((one) => one.replace(/^\S+ \d+ IN /, "")).join("; ");

  return [DECIDED[hop.decided_by] || hop.decided_by, hop.object && [" ", name([hop.ruleset, hop.object].filter(Boolean).join("/"))],
    asked && [", asks ", name(asked)], records && [": ", name(records)], !asked && !records && hop.rcode && `: ${hop.rcode}`];
}

const MOODS = {up: "good", unknown: "soft"};

// [mood, words] of a target of GET /v1/status. The target's `says` has the words, unless the target
// is up.
export function targetWord({state, says}) {
  return [MOODS[state] || "bad", says || state];
}

// A link to the target's page.
export function targetLink({host, protocol}) {
  return h("a", {href: url("target", {target: host, protocol})}, name(host));
}

// The target's state, in a word and not only by colour.
export function targetState(target) {
  const [mood, word] = targetWord(target);

  return h("span", {class: "state " + mood}, word, target.since && [" since ", when(target.since)],
    target.other && [", ", name(target.other)],
    target.srtt_ms !== null && target.srtt_ms !== undefined && ` ${target.srtt_ms.toFixed(1)} ms`);
}

// Numbers with their units, and only as many digits as they need.
export function milliseconds(value) {
  return value.toLocaleString("en", {maximumSignificantDigits: 3}) + " ms";
}

export function perSecond(value, digits = value < 10 ? 1 : 0) {
  return value.toLocaleString("en", {maximumFractionDigits: digits}) + "/s";
}

export function percents(value, digits = value < 10 ? 1 : 0) {
  return value.toLocaleString("en", {maximumFractionDigits: digits}) + " %";
}

// The host of a rule's target in the form of the status: "1.2.3.4:53", "[::1]:53".
export function host({address, port}) {
  return (address.includes(":") ? `[${address}]` : address) + ":" + (port || 53);
}

// A target as users type it: the address, the port unless it is 53, and "tcp" unless the protocol
// is UDP.
export function targetText({address, port, protocol}) {
  const where = port && port !== 53 ? host({address, port}) : address;

  return protocol === "tcp" ? where + " tcp" : where;
}

// The typed target in the server's form; the server reports what is wrong with it.
export function targetOf(text) {
  const [, bracketed, plain, port, protocol] = /^(?:\[([^\]]*)\]|([^:\s]+|\S*:\S*:\S*))(?::(\d+))?(?:\s+(udp|tcp))?$/i.exec(text) || [];
  const target = {address: bracketed ?? plain ?? text};

  if (port) target.port = Number(port);
  if (protocol) target.protocol = protocol.toLowerCase();
  return target;
}

const STATUSES = {ACTIVE: ["good", "Active"], PENDING: ["warn", "Pending"], ERROR: ["bad", "Error"], INACTIVE: ["soft", "Inactive"]};

// The state of a PTR.
export function ptrStatus({status, reason}) {
  const [mood, word] = STATUSES[status] || ["soft", status];

  return h("span", {class: "state " + mood, title: reason}, word);
}
