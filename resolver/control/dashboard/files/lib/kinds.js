// The kinds of resources, as GET /v1/schema describes them: their names, paths and members. No kind's name is
// written here, so that a new kind needs no change.

import {get, path, query} from "./api.js";
import {h} from "./element.js";
import {fullName, targetText} from "./words.js";

const MOST = 50; // choices offered at once, and parents searched for them

let known;

// {name, collection, parent, name_key, groups, guarded, schema} of all kinds, requested once.
export function kinds() {
  known ||= get("schema").then((answer) => {
    answer.kinds.forEach((kind) => learn(kind.schema));
    return answer.kinds;
  }).catch((error) => {
    known = null;
    throw error;
  });
  return known;
}

export async function kindNamed(name) {
  return (await kinds()).find((kind) => kind.name === name);
}

export function childrenOf(all, kind) {
  return all.filter((one) => one.parent === kind.name);
}

// The kind of the resource with this path: "rulesets/-/office/rules/a".
export function kindAt(all, where) {
  const [collection, , , inner] = where.split("/");
  const root = all.find((kind) => !kind.parent && kind.collection === collection);

  return inner ? all.find((kind) => kind.parent === root?.name && kind.collection === inner) : root;
}

// "rule contoso of ruleset office" for its path, in the words of the history.
export function subjectAt(all, where) {
  const [, group, one, , child] = where.split("/").map(decodeURIComponent), kind = kindAt(all, where);
  const full = (group === "-" ? "" : group + "/") + one;

  if (!kind) return decodeURIComponent(where);
  return child === undefined ? `${noun(kind)} ${full}` : `${noun(kind)} ${child} of ${noun(all.find((other) => other.name === kind.parent))} ${full}`;
}

// ---- words ----

// Words of the dashboard that differ from sluice.conf.
const WORDS = {reverse_fqdn: "PTR domain name"};
const CAPITALS = {dns: "DNS", ttl: "TTL", id: "ID", fqdn: "FQDN", ip: "IP", cname: "CNAME", ptr: "PTR", sha256: "SHA-256", azure: "Azure"};

// Spells out keys: "dns_servers" as "DNS servers", "zone-link" as "Zone link".
export function said(key, capital = true) {
  const words = (WORDS[key] || key).split(/[-_ ]/).map((word) => CAPITALS[word] || word);

  if (capital) words[0] = words[0].charAt(0).toUpperCase() + words[0].slice(1);
  return words.join(" ");
}

// The label of a member's field in forms: "Behind after (seconds)".
export function labelOf(key, schema) {
  const unit = schema["x-unit"];

  return unit ? `${said(key.replace(/_s$/, ""))} (${unit})` : said(key);
}

const labels = new Map(); // of the members of all kinds, by their keys

function learn({properties}) {
  for (const [key, schema] of Object.entries(properties)) {
    labels.set(key, labelOf(key, schema));
    if (schema.items?.properties) learn(schema.items);
  }
}

// A text of sluice.conf(5) for a form: settings with a field here are named like the field, others are code.
export function hintWords(text) {
  return text.split(/(`[^`]+`|\b(?:[a-z]+\.)?[a-z0-9]+(?:_[a-z0-9]+)+\b)/).map((part, i) => {
    const key = part.replaceAll("`", "");

    return i % 2 === 0 ? part : labels.has(key) ? h("em", {}, labels.get(key)) : h("code", {}, key);
  });
}

export function noun(kind, capital = false) {
  return said(kind.name, capital);
}

export function nouns(kind, capital = false) {
  const one = noun(kind, capital);

  return one + (one.endsWith("s") ? "es" : "s");
}

export function article(kind) {
  return (/^[aeiou]/.test(kind.name) ? "an " : "a ") + noun(kind);
}

// A member's value, on one line.
export function valueText(value, between = ", ") {
  if (value === null || value === undefined) return "";
  if (value === true || value === false) return value ? "yes" : "no";
  if (Array.isArray(value)) return value.map((one) => valueText(one, " ")).join(", ");
  if (typeof value !== "object") return String(value);
  if (value.address && value.protocol) return targetText(value) + (value.description ? ` (${value.description})` : "");
  return Object.entries(value).map(([key, one]) => `${key}=${valueText(one)}`).join(between);
}

// ---- paths ----

export function nameOf(kind, item) {
  return item[kind.name_key];
}

// The path of an item in a list. Addresses, services, PTRs and groups come without their path.
export function pathOf(kind, item) {
  return item.path || path(kind.collection, item.resource_group || "-", nameOf(kind, item));
}

export function collectionIn(kind, parentPath) {
  return (parentPath ? parentPath + "/" : "") + kind.collection;
}

// ---- choices ----

async function listed(where, kind, text) {
  return (await get(where + query({limit: MOST, q: text})))[kind.collection];
}

// The items of all parents, each as PARENT/NAME.
async function ofAllParents(all, kind) {
  const parent = all.find((one) => one.name === kind.parent);
  const lists = await Promise.all((await listed(parent.collection, parent)).map(async (one) =>
    (await listed(collectionIn(kind, pathOf(parent, one)), kind)).map((item) => fullName(one) + "/" + nameOf(kind, item))));

  return lists.flat();
}

// The items inside the resource that the parent refers to: subnets of the resolver's network.
async function ofReferred(all, kind, parentPath) {
  const ours = kindAt(all, parentPath), parent = all.find((one) => one.name === kind.parent);
  const [key] = Object.entries(ours.schema.properties).find(([, schema]) => schema["x-refers"]?.kind === parent.name) || [];
  const wanted = key && (await get(parentPath))[key], group = parentPath.split("/")[1];
  const found = (await listed(parent.collection, parent)).find((one) => fullName(one) === wanted || (one.resource_group || "-") === group && nameOf(parent, one) === wanted);

  return found ? (await listed(collectionIn(kind, pathOf(parent, found)), kind)).map((item) => nameOf(kind, item)) : [];
}

// The names that a member with a reference may have: those that contain the text.
// parentPath: the path of the resource's parent; "": it has none.
export async function choices({kind: name, by}, parentPath, text) {
  const all = await kinds(), kind = all.find((one) => one.name === name);
  let names;

  if (by === "path")
    names = kind.parent ? await ofAllParents(all, kind) : (await listed(kind.collection, kind, text.split("/").at(-1))).map(fullName);
  else if (!kind.parent)
    names = (await listed(kind.collection, kind, text)).map((item) => nameOf(kind, item));
  else if (parentPath && kindAt(all, parentPath).name === kind.parent)
    names = (await listed(collectionIn(kind, parentPath), kind)).map((item) => nameOf(kind, item));
  else
    names = await ofReferred(all, kind, parentPath);
  return names.filter((one) => one.toLowerCase().includes(text.toLowerCase())).slice(0, MOST).map((one) => [one, one]);
}
