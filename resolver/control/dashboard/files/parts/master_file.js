// Imports a master file into a zone: the server reads it, the changes are shown, and then made as one change.

import {ApiError, all, call} from "../lib/api.js";
import {count, h, name} from "../lib/element.js";
import {ask} from "./dialog.js";
import {changed, notice, warn} from "./notice.js";

const LINES = 100; // shown lines of the plan, and of doubts about the file

// Whether both sets have the same data; the server gives the serial of a SOA.
function same(set, served) {
  const data = ({name: of, records}) => JSON.stringify(records.map((one) => /:soa$/i.test(of)
    ? one.replace(/^(\S+\s+\S+\s+)\S+/, "$1") : one).sort());

  return set.ttl === served.ttl && data(set) === data(served);
}

// [{verb, name, path, values, etag}]. Metadata and sets of the configuration file stay. An etag lets the server refuse the
// change if somebody has changed the set since; "": the set must not exist yet.
function plan(where, sets, served, prune) {
  const there = new Map(served.map((set) => [set.name.toLowerCase(), set]));
  const edits = [];

  for (const set of sets) {
    const old = there.get(set.name.toLowerCase());

    there.delete(set.name.toLowerCase());
    if (old && same(set, old)) continue;
    edits.push({verb: old ? "change" : "create", name: set.name, path: where + "/" + encodeURIComponent(set.name),
                values: {ttl: set.ttl, records: set.records, metadata: old?.metadata || []}, etag: old?.etag ?? ""});
  }
  if (prune)
    for (const set of there.values())
      if (!set.origin) edits.push({verb: "delete", name: set.name, path: set.path, values: null, etag: set.etag});
  return edits;
}

// The file's text, which must be UTF-8: file.text() would silently replace the bytes of other
// encodings.
async function textOf(file) {
  const bytes = await file.arrayBuffer();

  try {
    return new TextDecoder("utf-8", {fatal: true}).decode(bytes);
  } catch {
    throw new ApiError(0, {message: `${file.name} is not UTF-8; write its other bytes as \\DDD, like \\233.`});
  }
}

function summary(edits) {
  const of = (verb) => edits.filter((edit) => edit.verb === verb).length;

  return `${of("create")} to create, ${of("change")} to change, ${of("delete")} to delete`;
}

export async function importZone(zone) {
  const where = zone + "/record_sets";
  let edits, body, doubts;
  const tried = await ask({
    title: "Import a master file", confirm: "Try it", text: h("p", {}, "Nothing is changed yet."),
    fields: [{name: "file", label: "File", type: "file", required: true},
             {name: "prune", label: "Delete what the file does not have", type: "check"}],
    work: async ({file, prune}) => {
      const read = await call("POST", zone + "/master_file", {body: {text: await textOf(file)}});

      doubts = read.body.warnings;
      edits = plan(where, read.body.record_sets, await all(where + "?limit=5000", "record_sets"), prune);
      body = {edits: edits.map(({path, values, etag}) => ({path, values, etag}))};
      if (edits.length) await call("POST", "changes?dry_run", {body});
    },
  });

  if (tried && !edits.length) {
    notice("The zone is as the file has it: there is nothing to change.");
    warn(doubts.slice(0, LINES));
  }
  if (!tried || !edits.length) return;
  await ask({
    title: "Import the master file?", confirm: "Import",
    text: [doubts.length > 0 && h("ul", {class: "warning"}, doubts.slice(0, LINES).map((doubt) => h("li", {}, doubt))),
      h("p", {}, summary(edits) + ":"), h("ul", {}, edits.slice(0, LINES).map((edit) => h("li", {}, edit.verb, " ", name(edit.name))),
      edits.length > LINES && h("li", {}, `and ${edits.length - LINES} more`))],
    work: async () => {
      const made = await call("POST", "changes", {body});

      changed(edits[0].path, `Imported: ${count(edits.length, "record set")}.`);
      warn(made.body.warnings);
    },
  });
}
