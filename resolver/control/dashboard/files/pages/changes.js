// The changes: what, when and by whom, the latest first; each can be undone.

import {ApiError, call} from "../lib/api.js";
import {changesOf, difference, editsBetween, latestRevision, line, oldestRevision, whoText} from "../lib/changes.js";
import {h, name, timeFormat, when} from "../lib/element.js";
import {Page, empty, problem} from "../lib/page.js";
import {note, url} from "../lib/router.js";
import {isAdmin} from "../lib/session.js";
import {ask} from "../parts/dialog.js";
import {notice} from "../parts/notice.js";
import {searchField} from "../parts/search.js";
import {DataTable} from "../parts/table.js";

const BACK = 200;  // revisions that are read at once
const FIRST = 20;  // revisions of the first reading, so that something is shown early
const LINES = 50;  // shown edits of a change
const DAYS = 8;    // to choose from: the server keeps a week

const dayFormat = timeFormat({weekday: "long", day: "numeric", month: "short"});

// "2026-11-26" of a time, as the clock here has it.
function dayOf(time) {
  const two = (number) => String(number).padStart(2, "0");

  return `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
}

// [["2026-11-26", "today"], ...], the latest first.
function days() {
  const now = new Date();

  return Array.from({length: DAYS}, (_, ago) => {
    const time = new Date(now.getFullYear(), now.getMonth(), now.getDate() - ago);

    return [dayOf(time), ["today", "yesterday"][ago] || dayFormat.format(time)];
  });
}

function differences(edits, alone = false) {
  return h("div", {class: "edits"}, edits.slice(0, LINES).map((edit) => difference(edit, alone)),
    edits.length > LINES && h("p", {class: "hint"}, `and ${edits.length - LINES} more`));
}

// The path as changes have it: in lower case, and a zone's name without a final dot.
function pathOfChange(where) {
  return decodeURIComponent(where).toLowerCase().replace(/\.(?=\/|$)/g, "");
}

// The edits that undo the change, the last one first, so that a path edited twice gets its first value.
function inverse(change) {
  return change.edits.toReversed().map(({path, before}) => ({path, values: before}));
}

// An undoing edit in words.
const BACKWARD = {created: "deleted", deleted: "created", changed: "changed"};

function backward({before, after, verb, ...edit}) {
  return {...edit, before: after, after: before, verb: BACKWARD[verb]};
}

// Matches the subject, time (also in the form shown), client, and the values before and after.
function fits(change, text) {
  const {title, textContent} = when(change.time);
  const found = [String(change.revision), whoText(change), change.time, title, textContent, ...change.edits.flatMap(({verb, subject, path, before, after}) =>
    [`${verb} ${subject}`, decodeURIComponent(path || ""), JSON.stringify(before), JSON.stringify(after)])];

  return found.some((one) => one.toLowerCase().includes(text.toLowerCase()));
}

export class ChangesPage extends Page {
  async show() {
    this.onEvents(() => true, () => this.load());
    this.changes = [];
    this.search = this.query.get("search") || "";
    this.who = this.query.get("who") || "";
    this.day = /^\d{4}-\d\d-\d\d$/.test(this.query.get("day")) ? this.query.get("day") : "";
    this.table = new DataTable("Changes", [
      {title: "When", cell: (change) => when(change.time)},
      {title: "Who", cell: (change) => name(whoText(change))},
      {title: "What", wraps: true, lead: true, cell: (change) => this.what(change)},
      ...isAdmin() ? [{title: "", cell: (change) => this.undoButton(change)}] : [],
    ]);
    this.older = h("button", {type: "button", onclick: () => this.attempt(() => this.showOlder())}, "Older changes");
    this.replaceChildren(h("h1", {}, "Changes"), this.tools(), this.table, this.older);
    this.first = this.last = await latestRevision(this.signal);
    await this.showOlder(FIRST);
    if (this.query.get("undo")) this.attempt(() => this.undoOf(this.query.get("undo")));
    await this.showOlder();
    await this.readDay();
  }

  tools() {
    const offered = days();

    // The day in the URL may be older than the days offered.
    if (this.day && !offered.some(([day]) => day === this.day)) offered.push([this.day, this.day]);
    this.people = h("select", {id: "changes-who", onchange: () => this.find({who: this.people.value})});
    this.days = h("select", {id: "changes-day", onchange: () => this.attempt(() => this.findDay(this.days.value))}, h("option", {value: ""}, "any day"),
      offered.map(([day, title]) => h("option", {value: day}, title)));
    this.days.value = this.day;
    return h("div", {class: "tools"},
      searchField({label: "Search", value: this.search, placeholder: "a resource or a value", back: (search) => this.find({search})}),
      h("div", {class: "field short"}, h("label", {for: "changes-day"}, "Day"), this.days),
      isAdmin() && h("div", {class: "field short"}, h("label", {for: "changes-who"}, "By"), this.people));
  }

  find(wanted) {
    Object.assign(this, wanted);
    note(url("changes", {search: this.search, who: this.who, day: this.day}));
    this.table.page = 0;
    this.render();
  }

  async findDay(day) {
    this.find({day});
    await this.readDay();
  }

  // Reads on until all changes of the day are there.
  async readDay() {
    const {day} = this, isLater = () => !this.changes.length || dayOf(new Date(this.changes.at(-1).time)) >= day;

    while (day && day === this.day && this.first > 0 && isLater()) await this.showOlder();
  }

  showOlder(revisions = BACK) {
    return this.inTurn(() => this.readOlder(revisions));
  }

  async readOlder(revisions) {
    let after = Math.max(0, this.first - revisions);
    const edits = await editsBetween(after, this.first, this.signal);

    // The server forgets changes after a week, but counts its revisions from the first one on.
    if (!edits.length && after > 0 && await oldestRevision(this.signal) > this.first) after = 0;
    this.first = after;
    this.changes.push(...changesOf(edits));
    this.older.hidden = after === 0;
    this.render();
  }

  // Reads the changes that came after the last one read.
  async read() {
    const edits = await editsBetween(this.last, Infinity, this.signal);

    if (!edits.length) return;
    this.last = edits.at(-1).revision;
    this.changes.unshift(...changesOf(edits));
    this.render();
  }

  render() {
    this.offerPeople();
    this.table.none = this.changes.length ? empty("No change has that.", h("p", {}, this.first > 0 ? "Older changes may: they are read when you ask for them." : "These are all of the last week."))
      : empty("Nothing has been changed in the last week.",
        h("p", {}, "What is created, changed or deleted here, by the API or by a command is listed here, and can be undone. ",
          "The configuration file keeps its own history."));
    this.table.fill(this.changes.filter((change) => (!this.who || whoText(change) === this.who) &&
      (!this.day || dayOf(new Date(change.time)) === this.day) && fits(change, this.search)));
  }

  // All clients that have changed something, and the one from the URL even if it has not.
  offerPeople() {
    const people = [...new Set([...this.who ? [this.who] : [], ...this.changes.map(whoText)])].filter(Boolean).sort();

    if (String(people) === String(this.offered)) return;
    this.offered = people;
    this.people.replaceChildren(h("option", {value: ""}, "everybody"), ...people.map((one) => h("option", {value: one}, one)));
    this.people.value = this.who;
  }

  what(change) {
    return h("details", {ontoggle: (event) => this.open(event.target, change)}, h("summary", {}, line(change.edits)));
  }

  open(details, change) {
    if (details.open && details.childElementCount === 1) details.append(differences(change.edits, change.edits.length === 1));
  }

  undoButton(change) {
    return h("button", {type: "button", "aria-label": `Undo revision ${change.revision}`,
                        onclick: () => this.attempt(() => this.undo(change))}, "Undo");
  }

  // A later change that an undo would destroy: of the same resource, or inside a resource that the change made; null:
  // none. A resource that is again as the change left it does not count.
  inTheWay(change) {
    const latest = new Map();

    for (const {edits, revision} of this.changes.filter((one) => one.revision > change.revision).reverse())
      for (const edit of edits) latest.set(edit.path, {...edit, revision});
    for (const [path, later] of latest) {
      const same = change.edits.findLast((edit) => edit.path === path);
      const inside = change.edits.some((edit) => !edit.before && path.startsWith(edit.path + "/"));

      if (same ? JSON.stringify(same.after) !== JSON.stringify(later.after) : inside && later.after) return later;
    }
    return null;
  }

  // Undoes the last change of that path, for the link in a notice; the dialog says who made the change.
  async undoOf(where) {
    const wanted = pathOfChange(where), change = this.changes.find(({edits}) => edits.some(({path}) => pathOfChange(path || "") === wanted));

    note(url("changes"));
    if (!change) throw new ApiError(404, {message: `No change of ${decodeURIComponent(where)} is among the latest; search for it.`});
    await this.undo(change);
  }

  refuseIfInTheWay(change) {
    const later = this.inTheWay(change);

    if (later)
      throw new ApiError(409, {message: `${later.subject} was ${later.verb} since, in revision ${later.revision} by ${whoText(later)}; undo that first.`});
  }

  async undo(change) {
    const edits = inverse(change);

    this.refuseIfInTheWay(change);
    const back = change.edits.toReversed().map(backward);
    const found = await call("POST", "changes?dry_run", {body: {edits, undo: true}}).catch((error) => ({error}));

    await ask({
      title: `Undo revision ${change.revision}?`,
      text: [
        h("p", {}, name(whoText(change)), " ", line(change.edits), ", ", when(change.time), ". This makes a new change:"), differences(back),
        found.error && problem(found.error),
      ],
      confirm: "Undo",
      work: async () => {
        this.refuseIfInTheWay(change); // again, because later changes come while the dialog is open
        const {body} = await call("POST", "changes", {body: {edits, revision: this.last, undo: true}});

        notice(`Revision ${change.revision} is undone, by revision ${body.revision}.`);
      },
    });
  }
}
customElements.define("changes-page", ChangesPage);
