// Changes, from GET /v1/changes.

import {call, get} from "./api.js";
import {count, h, name} from "./element.js";
import {said, valueText} from "./kinds.js";

const NAMED = 3; // edits of a change shown by name; more are counted

// The state's latest revision, a number, read from the list's ETag, which has it in hexadecimal.
// The request asks for no changes, because the oldest one may have thousands of edits, and a page
// of the list never splits a change.
export async function latestRevision(signal) {
  const {etag} = await call("GET", `changes?after=${Number.MAX_SAFE_INTEGER}`, {signal});

  return parseInt(/[0-9a-f]+/.exec(etag)[0], 16);
}

// The oldest revision whose change the server still has; Infinity: it has none.
export async function oldestRevision(signal) {
  const {changes: [oldest]} = await get("changes?after=0&limit=1", {signal});

  return oldest ? oldest.revision : Infinity;
}

// The edits after a revision, up to another one, the oldest first.
export async function editsBetween(after, upTo, signal) {
  const edits = [];

  for (let next = after; next !== null && next < upTo;) {
    const page = await get(`changes?after=${next}&limit=1000`, {signal});

    edits.push(...page.changes);
    next = page.next;
  }
  return edits.filter((edit) => edit.revision <= upTo);
}

// Groups edits by revision into changes, the latest first.
export function changesOf(edits) {
  const changes = new Map();

  for (const edit of edits) {
    const {revision, time, who, login} = edit;

    if (!changes.has(revision)) changes.set(revision, {revision, time, who, login, edits: []});
    changes.get(revision).edits.push(edit);
  }
  return [...changes.values()].reverse();
}

// ---- in words ----

// `login` is the name that a command at the control socket gave. The API hides the client from a reader.
export function whoText({who, login}) {
  return login ? `${who} (says ${login})` : who ?? "";
}

// The members that differ: [[key, before, after]], undefined if absent.
export function members({before, after}) {
  const keys = [...new Set([...Object.keys(before || {}), ...Object.keys(after || {})])];

  return keys.filter((key) => JSON.stringify(before?.[key]) !== JSON.stringify(after?.[key])).map((key) => [key, before?.[key], after?.[key]]);
}

function named(edits) {
  let last = "";
  const words = edits.map(({verb, subject}, i) => [i > 0 && ", ", verb === last ? "" : (last = verb) + " ", name(subject)]);

  return edits.length === 1 && last === "changed" ? [words, ": ", members(edits[0]).map(([key]) => said(key, false)).join(", ")] : words;
}

function counted(edits) {
  const kinds = new Map();

  for (const {verb, kind} of edits) {
    const noun = (kind || "resource").replace(/-/g, " "), key = verb + " " + noun;
    const one = kinds.get(key) || {verb, noun, number: 0};

    one.number++;
    kinds.set(key, one);
  }
  return ["created", "changed", "deleted"].map((verb) => [verb, [...kinds.values()].filter((one) => one.verb === verb)]).filter(([, some]) => some.length)
    .map(([verb, some]) => verb + " " + some.map(({noun, number}) => count(number, noun, noun + (noun.endsWith("s") ? "es" : "s"))).join(", ")).join(", ");
}

// "changed rule contoso of ruleset office: state"; "created 1 group, 254 addresses"
export function line(edits) {
  return edits.length > NAMED ? counted(edits) : named(edits);
}

function side(title, tag, value) {
  const text = valueText(value);

  return h("div", {class: "side"}, h("span", {class: "hint when"}, title), text === "" ? h("span", {class: "hint"}, "not given") : h(tag, {}, name(text)));
}

// The changed members of an edit, before beside after. alone: the edit's resource is shown above it.
export function difference(edit, alone = false) {
  const shown = members(edit).filter(([key]) => key !== "name" && key !== "resource_group");
  const both = edit.before && edit.after;

  return h("section", {class: "edit"}, !alone && h("p", {}, edit.verb, " ", name(edit.subject)),
    both && h("div", {class: "member heads", "aria-hidden": "true"}, h("span", {}), h("span", {}, "Before"), h("span", {}, "After")),
    shown.map(([key, before, after]) => h("div", {class: "member"}, h("span", {title: key}, said(key)),
      edit.before && side(both ? "Before" : "Was", "del", before), edit.after && side(both ? "After" : "Is", "ins", after))));
}
