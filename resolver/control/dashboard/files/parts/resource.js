// Creates, changes and deletes resources of any kind. The form is made from the kind's schema, so it includes new
// members and kinds.

import {ApiError, call, path} from "../lib/api.js";
import {h, name} from "../lib/element.js";
import {article, choices, collectionIn, hintWords, kinds, labelOf, nameOf, noun, pathOf, said, subjectAt} from "../lib/kinds.js";
import {url} from "../lib/router.js";
import {ask} from "./dialog.js";
import {changed, notice, warn} from "./notice.js";

// Members that are seldom set; the form folds them.
const RARE = new Set(["resource_group", "region", "tags", "metadata", "azure", "id", "delegation"]);

const EXAMPLES = {address: "10.0.0.5", prefix: "10.10.0.0/16", host: "10.0.0.5 or 10.0.0.5:5353", domain: "corp.internal", file: "/etc/sluice/file"};

export function resourceUrl(where) {
  return url("resource", {path: where});
}

export function resourceLink(where, text) {
  return h("a", {href: resourceUrl(where)}, name(text));
}

// ---- values in typed form ----

function isTags({type}) {
  return type === "object";
}

// NAME=VALUE on each line. In a name, a backslash stands before each "=" and each backslash.
function linesOf(tags) {
  return Object.entries(tags || {}).map(([key, value]) => `${key.replace(/[\\=]/g, "\\$&")}=${value}`).join("\n");
}

function toForm(schema, value) {
  if (isTags(schema)) return linesOf(value);
  if (schema.type === "array" && schema.items.type !== "object" && !schema["x-refers"]) return (value || []).join("\n");
  return value ?? (schema.type === "array" ? [] : schema.default);
}

// In a name, a backslash before any other character stands for itself.
const TAG = /^((?:[^\\=]|\\[\\=]|\\(?![\\=]))*)=(.*)$/s;

function tagsOf(key, lines) {
  const wrong = lines.find((line) => !TAG.test(line));

  if (wrong) throw new ApiError(0, {path: key, message: `"${wrong}" has no value; give NAME=VALUE`});
  return Object.fromEntries(lines.map((line) => TAG.exec(line)).map(([, title, value]) => [title.replace(/\\([\\=])/g, "$1"), value]));
}

function withoutEmpty(values) {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== "" && value !== null));
}

// null: the member has no value.
function fromForm(schema, key, value) {
  if (isTags(schema)) return tagsOf(key, value);
  if (schema.type === "array" && schema.items.type === "object") return value.map(withoutEmpty);
  return value === "" ? null : value;
}

function isEmpty(value) {
  return value === null || value === undefined || typeof value === "object" && !Object.keys(value).length;
}

// ---- fields ----

function control(key, schema, where) {
  const refers = schema["x-refers"], offered = refers && ((text) => choices(refers, where, text));
  const {items} = schema;

  if (schema.enum) return {choices: schema.enum.map((one) => [one, one])};
  if (schema.type === "boolean") return {type: "check"};
  if (schema.type === "integer") return {type: "number", min: schema.minimum, max: schema.maximum};
  if (isTags(schema)) return {type: "lines", placeholder: "NAME=VALUE"};
  if (schema.type !== "array") return {choices: offered, placeholder: EXAMPLES[schema.format]};
  if (items.type === "object") return {type: "list", item: items.title, of: fieldsOf(items, where)};
  if (refers) return {type: "list", item: said(refers.kind, false), of: {label: said(key), choices: offered}};
  return {type: "lines", placeholder: EXAMPLES[items.format] && "One on a line: " + EXAMPLES[items.format]};
}

// The member's text in sluice.conf(5), without what is true only in a file; "absent" becomes "left empty".
function hintOf({description = "", "x-chosen": chosen}, required) {
  const text = description.replace(/ In a file, [^.]*\./, "").replace(required ? / Absent: [^.]*\./ : "", "");

  return text.replace(/\bAbsent(?: or empty)?(?=[:,])/, "Left empty") + (chosen ? " Left empty: a free one of a pool." : "");
}

function fieldOf(key, schema, required, where, value) {
  return {name: key, label: labelOf(key, schema), required, hint: hintOf(schema, required), value: toForm(schema, value), ...control(key, schema, where)};
}

// Fields of the members: required ones first, checkboxes last. where: the path of the parent.
function fieldsOf({properties, required}, where, item = {}, skip = []) {
  const made = Object.entries(properties).filter(([key]) => !skip.includes(key))
    .map(([key, schema]) => fieldOf(key, schema, required.includes(key), where, item[key]));

  const rank = ({required: must, type}) => must ? 0 : type === "check" ? 2 : 1;

  return made.sort((a, b) => rank(a) - rank(b));
}

function folded(fields, item = {}) {
  const rare = fields.filter((one) => RARE.has(one.name) && !one.required);

  return [...fields.filter((one) => !rare.includes(one)),
    ...rare.length ? [{title: "More settings", fields: rare, open: rare.some((one) => !isEmpty(item[one.name]))}] : []];
}

// ---- actions ----

function done(kind, where, title, what, warnings) {
  changed(where, noun(kind, true), " ", name(title), ` is ${what}.`);
  warn(warnings);
}

function membersOf(kind, values) {
  const {properties} = kind.schema;

  return Object.fromEntries(Object.entries(values).filter(([key]) => properties[key]).map(([key, value]) => [key, fromForm(properties[key], key, value)]));
}

// parentPath: the path of the parent; "": none. Each function returns whether the change was made.
export function createResource(kind, parentPath = "") {
  const where = ({[kind.name_key]: title, resource_group: group}) =>
    collectionIn(kind, parentPath) + "/" + (parentPath ? "" : path(group || "-") + "/") + path(title);

  return ask({
    title: "Add " + article(kind), confirm: "Add", about: where, text: h("p", {class: "hint"}, hintWords(kind.schema.description)),
    fields: folded(fieldsOf({...kind.schema, required: [...kind.schema.required, kind.name_key]}, parentPath)),
    work: async (values) => {
      const {[kind.name_key]: title, resource_group: _group, ...members} = membersOf(kind, values);
      const body = Object.fromEntries(Object.entries(members).filter(([key, value]) => !isEmpty(value) && value !== kind.schema.properties[key].default));
      const made = await call("PUT", where(values), {body, none: true});

      done(kind, where(values), title, "made", made.body.warnings);
    },
  });
}

// A merge patch removes a name from an object by null (RFC 7396).
function merge(before, after) {
  if (isEmpty(after)) return null;
  if (Array.isArray(after) || typeof after !== "object") return after;
  return {...Object.fromEntries(Object.keys(before || {}).map((key) => [key, null])), ...after};
}

export function changeResource(kind, item) {
  const skip = [kind.name_key, "resource_group"], where = pathOf(kind, item), title = nameOf(kind, item);
  const fields = fieldsOf(kind.schema, where.split("/").slice(0, -2).join("/"), item, skip);
  const typed = membersOf(kind, Object.fromEntries(fields.map((one) => [one.name, asRead(one)])));

  return ask({
    title: `Edit ${noun(kind)} ${title}`, confirm: "Save", about: where, fields: folded(fields, item),
    work: async (values) => {
      const members = Object.entries(membersOf(kind, values)).filter(([key, value]) => JSON.stringify(value) !== JSON.stringify(typed[key]));

      if (!members.length) {
        notice("Nothing was changed.");
        return;
      }
      const body = Object.fromEntries(members.map(([key, value]) => [key, merge(item[key], value)]));
      const made = await call("PATCH", where, {body, etag: item.etag});

      done(kind, where, title, "changed", made.body.warnings);
    },
  });
}

// A field's first value, in the form that the dialog returns.
export function asRead({type, value, of, choices: offered}) {
  if (type === "lines") return (value || "").split("\n").map((line) => line.trim()).filter(Boolean);
  if (type === "check") return !!value;
  if (type === "number") return value ?? null;
  if (type === "list" && Array.isArray(of))
    return value.map((one) => Object.fromEntries(of.map((inner) => [inner.name, asRead({...inner, value: one[inner.name] ?? inner.value})])));
  if (type === "list") return value;
  return value ?? (Array.isArray(offered) ? offered[0][0] : "");
}

// The path of the link for "rulesets[dev/office].links[hub].virtual_network".
function pathOfFault(text) {
  const [, collection, full, inner, child] = /^(?:\w+\.)?(\w+)\[([^\]]*)\](?:\.(\w+)\[([^\]]*\D[^\]]*)\])?/.exec(text || "") || [];

  if (!collection) return null;
  const [group, one] = full.includes("/") ? full.split("/") : ["-", full];
  return path(collection, group, one) + (inner ? "/" + path(inner, child) : "");
}

// The result of a dry run of the deletion: names that would not be served, and resources that prevent it.
async function whatOf(where, etag) {
  try {
    return {warnings: (await call("DELETE", where + "?dry_run", {etag})).body?.warnings || []};
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return {error, users: error.faults.map((fault) => [pathOfFault(fault.path), fault.text]).filter(([user]) => user && user !== where)};
  }
}

function users(all, found) {
  return [h("p", {}, "It is used. Change or delete these first:"),
    h("ul", {}, [...new Map(found).keys()].map((one) => h("li", {}, resourceLink(one, subjectAt(all, one)))))];
}

// inside: words for the children, which are deleted with it.
export async function deleteResource(kind, item, inside = "") {
  const where = pathOf(kind, item), title = nameOf(kind, item);
  const {warnings = [], error, users: found = []} = await whatOf(where, item.etag);

  return ask({
    title: `Delete ${noun(kind)} ${title}?`, confirm: "Delete", danger: true,
    text: [inside && h("p", {}, inside), found.length > 0 && users(await kinds(), found), error && !found.length && h("p", {class: "warning"}, error.message),
      warnings.map((one) => h("p", {class: "warning"}, one.text ?? one)),
      !inside && !error && !warnings.length && h("p", {}, "Nothing else depends on it. It can be undone under Changes.")],
    work: async () => {
      const gone = await call("DELETE", where, {etag: item.etag});

      done(kind, where, title, "deleted", gone.body?.warnings);
    },
  });
}
