// What was changed, as GET /v1/changes tells it.

import {call, get} from "/ui/lib/api.js";
import {name} from "/ui/lib/element.js";

// The state's latest revision: the list's ETag, in hexadecimal.
export async function latestRevision(signal) {
  const {etag} = await call("GET", "changes?limit=1", {signal});

  return parseInt(/[0-9a-f]+/.exec(etag)[0], 16);
}

// The edits behind a revision, up to another one, the oldest first.
export async function editsBetween(after, upTo, signal) {
  const edits = [];

  for (let next = after; next !== null && next < upTo;) {
    const page = await get(`changes?after=${next}&limit=1000`, {signal});

    edits.push(...page.changes);
    next = page.next;
  }
  return edits.filter((edit) => edit.revision <= upTo);
}

// Edits of one revision are one change; the latest first.
export function changesOf(edits) {
  const changes = new Map();

  for (const edit of edits) {
    const {revision, time, who, login} = edit;

    if (!changes.has(revision)) changes.set(revision, {revision, time, who, login, edits: []});
    changes.get(revision).edits.push(edit);
  }
  return [...changes.values()].reverse();
}

export function verb({before, after}) {
  if (!before) return "made";
  return after ? "changed" : "removed";
}

// Paths are percent-encoded where a name has a "/" or the like.
export function thing({path}) {
  return name(decodeURIComponent(path));
}
