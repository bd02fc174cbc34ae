// Shows which of the names asked most in the last day would be decided differently by edits that are not made yet (POST
// /v1/plan), in the dialog that would make them.

import {call} from "../lib/api.js";
import {count, h, name} from "../lib/element.js";
import {problem} from "../lib/page.js";
import {decision} from "../lib/words.js";
import {check, tell, valuesOf} from "./dialog.js";

const LINES = 50;

function change(one) {
  return h("li", {}, h("strong", {}, name(one.name)), ` ${one.type} in `, name(one.network ?? "no network"),
    `, asked ${count(one.count, "time")}`,
    h("div", {}, h("del", {}, decision(one.before))), h("div", {}, h("ins", {}, decision(one.after))));
}

function result({names, changes}) {
  if (!names) return [h("p", {}, "No name has been counted yet, so nobody knows. Names are counted as they are asked, unless ",
    h("code", {}, "count_names"), " is off.")];
  if (!changes.length) return [h("p", {}, `None of ${count(names, "name")} asked in the last day would be decided otherwise.`)];
  return [h("p", {}, `${changes.length} of ${count(names, "name")} asked in the last day would be decided otherwise:`),
    h("ul", {class: "plan"}, changes.slice(0, LINES).map(change)),
    changes.length > LINES && h("p", {}, `and ${changes.length - LINES} more.`)];
}

export class PlanView extends HTMLElement {
  // edits: a function that makes edits, in the form of POST /v1/changes, from the dialog's values.
  // at_once: asks as soon as the dialog opens, without a button.
  constructor(edits, at_once) {
    super();
    Object.assign(this, {edits, at_once});
  }

  connectedCallback() {
    this.shown = h("div", {"aria-live": "polite"});
    this.replaceChildren(...this.at_once ? [] : [h("button", {type: "button", onclick: () => this.run()}, "What would change?")], this.shown);
    // Typing changes the edits, so the shown plan goes, and a plan on its way is dropped.
    this.closest("form").addEventListener("input", () => {
      this.asked = null;
      this.shown.replaceChildren();
    });
    if (this.at_once) this.run();
  }

  async run() {
    const form = this.closest("form");

    if (!check(form)) return;
    this.shown.replaceChildren(h("p", {}, "looking ..."));
    const edits = this.edits(valuesOf(form)), asked = this.asked = {};

    try {
      const {body} = await call("POST", "plan", {body: {edits}});

      if (this.asked !== asked) return;
      this.shown.replaceChildren(...result(body).filter(Boolean));
    } catch (error) {
      if (this.asked !== asked) return;
      const rest = tell(form, error, edits[0].path);

      this.shown.replaceChildren(...rest ? [problem(rest)] : []);
    }
    this.shown.scrollIntoView({block: "nearest"});
  }
}
customElements.define("plan-view", PlanView);
