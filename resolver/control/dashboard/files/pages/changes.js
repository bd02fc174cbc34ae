// What was changed, when and by whom, the latest first; and each change can be undone.

import {ApiError, call} from "/ui/lib/api.js";
import {changesOf, editsBetween, latestRevision, thing, verb} from "/ui/lib/changes.js";
import {count, h, name, when} from "/ui/lib/element.js";
import {Page, empty, problem} from "/ui/lib/page.js";
import {isAdmin} from "/ui/lib/session.js";
import {ask} from "/ui/parts/dialog.js";
import {notice} from "/ui/parts/notice.js";
import {DataTable} from "/ui/parts/table.js";

const BACK = 200;  // revisions that are read at once
const LINES = 50;  // edits of a change that are shown

// A login is what a command at the control socket said of itself.
function who(change) {
  return change.login ? `${change.who} (says ${change.login})` : change.who ?? "";
}

function value(of) {
  return of === undefined ? "" : typeof of === "string" ? of : JSON.stringify(of);
}

// The members in which they differ.
function members({before, after}) {
  const keys = [...new Set([...Object.keys(before || {}), ...Object.keys(after || {})])];

  return keys.filter((key) => value(before?.[key]) !== value(after?.[key]));
}

function difference(edit) {
  return h("li", {}, verb(edit), " ", thing(edit),
    h("dl", {}, members(edit).map((key) => [
      h("dt", {}, key),
      h("dd", {}, edit.before && h("del", {}, value(edit.before[key])), " ", edit.after && h("ins", {}, value(edit.after[key]))),
    ])));
}

function differences(edits) {
  return h("ul", {class: "edits"}, edits.slice(0, LINES).map(difference),
    edits.length > LINES && h("li", {}, `and ${edits.length - LINES} more`));
}

// What takes the change back, the last edit first: a path that it touched twice is as it was at first.
function inverse(change) {
  return change.edits.toReversed().map(({path, before}) => ({path, values: before}));
}

export class ChangesPage extends Page {
  async show() {
    this.onEvents(() => true, () => this.showLater());
    this.changes = [];
    this.table = new DataTable("Changes", [
      {title: "When", cell: (change) => when(change.time)},
      {title: "Who", cell: (change) => name(who(change))},
      {title: "What", wraps: true, lead: true, cell: (change) => this.what(change)},
      ...isAdmin() ? [{title: "", cell: (change) => this.undoButton(change)}] : [],
    ], empty("Nothing has been changed in the last week.",
      h("p", {}, "What is made, changed or removed here, by the API or by a command is listed here, and can be undone. ",
        "The configuration file keeps its own history.")));
    this.older = h("button", {type: "button", onclick: () => this.attempt(() => this.showOlder())}, "Older changes");
    this.replaceChildren(h("h1", {}, "Changes"), this.table, this.older);
    this.first = this.last = await latestRevision(this.signal);
    await this.showOlder();
  }

  async showOlder() {
    const after = Math.max(0, this.first - BACK);
    const edits = await editsBetween(after, this.first, this.signal);

    this.first = after;
    this.changes.push(...changesOf(edits));
    this.older.hidden = after === 0;
    this.table.fill(this.changes);
  }

  async showLater() {
    const edits = await editsBetween(this.last, Infinity, this.signal);

    if (!edits.length) return;
    this.last = edits.at(-1).revision;
    this.changes.unshift(...changesOf(edits));
    this.table.fill(this.changes);
  }

  what(change) {
    const [first] = change.edits;

    return h("details", {ontoggle: (event) => this.open(event.target, change)},
      h("summary", {}, change.edits.length === 1 ? [verb(first), " ", thing(first)]
        : [count(change.edits.length, "edit"), ", the first: ", verb(first), " ", thing(first)]));
  }

  open(details, change) {
    if (details.open && details.childElementCount === 1) details.append(differences(change.edits));
  }

  undoButton(change) {
    return h("button", {type: "button", "aria-label": `Undo revision ${change.revision}`,
                        onclick: () => this.attempt(() => this.undo(change))}, "Undo");
  }

  // A later change of the same, or inside of what it made, that an undo would take away; null: none.
  // Something that is again as the change left it is in nobody's way.
  inTheWay(change) {
    const latest = new Map();

    for (const {edits, revision} of this.changes.filter((one) => one.revision > change.revision).reverse())
      for (const edit of edits) latest.set(edit.path, {...edit, revision});
    for (const [path, later] of latest) {
      const same = change.edits.find((edit) => edit.path === path);
      const inside = change.edits.some((edit) => !edit.before && path.startsWith(edit.path + "/"));

      if (same ? JSON.stringify(same.after) !== JSON.stringify(later.after) : inside && later.after) return later;
    }
    return null;
  }

  async undo(change) {
    const edits = inverse(change);
    const later = this.inTheWay(change);

    if (later)
      throw new ApiError(409, {message: `${decodeURIComponent(later.path)} was ${verb(later)} since, in revision ${later.revision} by ${who(later)}; undo that first.`});
    const back = change.edits.map(({path, before, after}) => ({path, before: after, after: before}));
    const found = await call("POST", "changes?dry_run", {body: {edits, undo: true}}).catch((error) => ({error}));

    await ask({
      title: `Undo revision ${change.revision}?`,
      text: [
        h("p", {}, "By ", name(who(change)), ", ", when(change.time), ". This makes a new change:"), differences(back),
        found.error && problem(found.error),
      ],
      confirm: "Undo",
      work: async () => {
        const {body} = await call("POST", "changes", {body: {edits, revision: this.last, undo: true}});

        notice(`Revision ${change.revision} is undone, by revision ${body.revision}.`);
      },
    });
  }
}
customElements.define("changes-page", ChangesPage);
