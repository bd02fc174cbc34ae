// A field of a dialog: its label, its control, its fault, and its hint.

import {h} from "../lib/element.js";
import {hintWords} from "../lib/kinds.js";

const PAUSE_MS = 200;
let fields = 0;

// The words of a path: "targets[0].address" is targets, 0, address.
export function wordsOf(path) {
  return (path || "").split(/[.[\]]+/).filter(Boolean);
}

// Makes a sentence of the server's words about a value: "is missing" becomes "This is missing".
function sentence(text) {
  if (/^(is|has|are|does|can|needs|takes|must|names|belongs)\b/.test(text)) return "This " + text;
  return text.replace(/^there /, "There ");
}

// The fault of the input, found without the server.
function invalid({validity, min, max}) {
  if (validity.valueMissing) return "This is required.";
  if (validity.badInput || validity.stepMismatch) return "Give a whole number.";
  if (validity.rangeUnderflow || validity.rangeOverflow) return max ? `Give a number from ${min} to ${max}.` : `Give a number, at least ${min}.`;
  return validity.valid ? "" : "This does not fit.";
}

function read(input) {
  if (input.type === "checkbox") return input.checked;
  if (input.type === "file") return input.files[0];
  if (input.type === "number") return input.value === "" ? null : Number(input.value);
  if (input.localName === "textarea") return input.value.split("\n").map((line) => line.trim()).filter(Boolean);
  return input.value.trim();
}

// The title has the whole choice, because its field may be too small for it.
function choice(attributes, choices) {
  const tell = () => { select.title = select.selectedOptions[0]?.text || ""; };
  const select = h("select", {...attributes, onchange: tell}, choices.map(([value, shown]) => h("option", {value}, shown)));

  tell();
  return select;
}

// {name, label, hint, value, placeholder, required, min, max,
//  type: "text" | "number" | "lines" | "check" | "file" | "list",
//  choices: [["value", "shown"]], or a function that finds them: async (text, form) => [["value", "shown"]],
//  of: the fields of each item of a list, or the only field of an item (without a name)}
export class FormField extends HTMLElement {
  constructor(field) {
    super();
    Object.assign(this, {field, id_: "field-" + ++fields});
    this.className = "field" + (field.type === "check" ? " check" : field.type === "list" ? " list" : "");
    this.wrong = h("p", {class: "fault", id: this.id_ + "-fault", hidden: true});
    if (field.type === "list") this.makeList();
    else this.makeOne();
    // The fault may not apply to the text typed next.
    this.addEventListener("input", () => this.fault(null));
  }

  get name() {
    return this.field.name;
  }

  // The words of the field's path in the form: those of its list, its place there, and its name.
  get words() {
    const outer = this.parentElement?.closest("form-field");

    return outer ? [...outer.words, String(outer.places().findIndex((one) => one.contains(this))), ...this.name ? [this.name] : []] : [this.name];
  }

  get value() {
    if (this.field.type !== "list") return read(this.input);
    return this.places().map((place) => {
      const inner = [...place.querySelectorAll("form-field")];

      return Array.isArray(this.field.of) ? Object.fromEntries(inner.map((one) => [one.name, one.value])) : inner[0].value;
    }).filter((one) => one !== "");
  }

  // ---- one value ----

  makeOne() {
    const {field, id_: id} = this;

    this.input = this.control(field, id);
    this.append(...[
      h("label", {for: id, class: field.unseen && "unseen"}, field.label, field.required && h("span", {class: "hint"}, " (required)")),
      this.input, this.list, this.wrong, this.hint()].filter(Boolean));
    this.describe();
  }

  control(field, id) {
    const shared = {id, name: field.name, required: field.required};
    const typed = {...shared, placeholder: field.placeholder, autocomplete: "off", autocapitalize: "off", spellcheck: "false"};

    if (Array.isArray(field.choices))
      return choice({...shared, value: field.value}, field.choices);
    if (field.type === "lines") return h("textarea", {...typed, rows: field.rows || 2, value: field.value || ""});
    if (field.type === "file") return h("input", {...shared, type: "file", accept: field.accept});
    if (field.type === "check") return h("input", {...shared, type: "checkbox", checked: !!field.value});
    if (field.choices) this.list = h("datalist", {id: id + "-choices"});
    return h("input", {...typed, type: field.type || "text", value: field.value ?? "", min: field.min, max: field.max,
                       ...this.list && {list: this.list.id, oninput: () => this.offerSoon(), onfocus: () => this.offer()}});
  }

  offerSoon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.offer(), PAUSE_MS);
  }

  // Offers choices for the typed text. If the server does not answer, the user can type all the same.
  async offer() {
    const {value} = this.input;
    const found = await this.field.choices(value.trim(), this.closest("form")).catch(() => []);

    if (value === this.input.value)
      this.list.replaceChildren(...found.map(([choice, shown]) => h("option", {value: choice}, shown === choice ? null : shown)));
  }

  // Shows the first sentence of the hint, and the rest folded.
  hint() {
    const {hint} = this.field, id = this.id_ + "-hint";

    if (!hint) return null;
    const [, first, rest] = hint.length > 110 && /^(.{20,}?[.;])\s+(?=[A-Z0-9"])(.+)$/s.exec(hint) || [null, hint];
    return rest ? h("details", {class: "hint"}, h("summary", {id}, hintWords(first.replace(/;$/, ""))), hintWords(rest)) : h("p", {class: "hint", id}, hintWords(hint));
  }

  describe() {
    const ids = [!this.wrong.hidden && this.wrong.id, this.field.hint && this.id_ + "-hint"].filter(Boolean);
    const target = this.input || this.group;

    if (ids.length) target.setAttribute("aria-describedby", ids.join(" "));
    else target.removeAttribute("aria-describedby");
  }

  // ---- a list of values, or of groups of them ----

  makeList() {
    const {label, required, value = []} = this.field;

    this.items = h("ol", {class: "items"});
    this.group = h("fieldset", {}, h("legend", {}, label, required && h("span", {class: "hint"}, " (required)")), this.items, this.wrong,
      h("button", {type: "button", class: "more-items", onclick: () => this.addItem().querySelector("input, select").focus()}, "Add " + this.one()),
      this.hint());
    this.append(this.group);
    for (const one of value.length || !required ? value : [undefined]) this.addItem(one);
    this.describe();
  }

  one() {
    return this.field.item || "one";
  }

  places() {
    return [...this.items.children];
  }

  addItem(value) {
    const {of} = this.field, some = Array.isArray(of);
    const inner = some ? of.map((one) => new FormField({...one, value: one.toForm ? one.toForm(value?.[one.name]) : value?.[one.name] ?? one.value}))
      : [new FormField({...of, value, unseen: true})];
    const place = h("li", {}, h("div", {class: some ? "some" : "alone"}, inner),
      h("button", {type: "button", "aria-label": "Remove this " + this.one(), onclick: () => this.removeItem(place)}, "Remove"));

    this.items.append(place);
    return place;
  }

  removeItem(place) {
    place.remove();
    this.dispatchEvent(new Event("input", {bubbles: true}));
    this.group.querySelector(".more-items").focus();
  }

  // ---- faults ----

  // Shows a fault at the field until the user types; null: no fault.
  fault(text) {
    const wrong = text !== null;

    if (!wrong && this.wrong.hidden) return;
    this.wrong.replaceChildren(...wrong ? [sentence(text)] : []);
    this.wrong.hidden = !wrong;
    this.describe();
    if (wrong) {
      this.input?.setAttribute("aria-invalid", "true");
      this.closest("details.fold")?.setAttribute("open", "");
    } else {
      this.input?.removeAttribute("aria-invalid");
    }
  }

  // The fault that can be found without the server; "": none.
  check() {
    if (this.input) return this.input.willValidate ? invalid(this.input) : "";
    return this.field.required && !this.places().length ? "This is required." : "";
  }

  focus() {
    (this.input || this.group.querySelector("input, select, button")).focus();
  }
}
customElements.define("form-field", FormField);
