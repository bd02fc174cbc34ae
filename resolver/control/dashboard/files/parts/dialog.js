// A dialog that asks for values, or for a confirmation. Each fault is shown at its field, or at the foot if it has
// none; nothing that was typed is lost.

import {ApiError} from "../lib/api.js";
import {h} from "../lib/element.js";
import {problem} from "../lib/page.js";
import {router} from "../lib/router.js";
import {FormField, wordsOf} from "./field.js";

function fieldsOf(form) {
  return [...form.querySelectorAll("form-field")];
}

function outermost(form) {
  return fieldsOf(form).filter((one) => !one.parentElement.closest("form-field"));
}

// The values by the fields' names.
export function valuesOf(form) {
  return Object.fromEntries(outermost(form).map((one) => [one.name, one.value]));
}

// Shows at each field the faults that can be found without the server. Returns whether there are none.
export function check(form) {
  const wrong = fieldsOf(form).map((field) => [field, field.check()]).filter(([, text]) => text);

  for (const field of fieldsOf(form)) field.fault(null);
  for (const [field, text] of wrong) field.fault(text);
  wrong[0]?.[0].focus();
  return !wrong.length;
}

// A path in the form of faults: "rulesets[dev/office].rules[a]" for "rulesets/dev/office/rules/a".
function faultPrefix(about) {
  const [collection, group, one, inner, child] = about.split("/").map(decodeURIComponent);

  return `${collection}[${group === "-" ? "" : group + "/"}${one}]` + (child === undefined ? "" : `.${inner}[${child}]`);
}

// Where the words of the field's path (`own`) appear within the fault's path, or -1: "values.targets[0].address"
// matches "targets", and with more words the address of its first item.
function place(words, own) {
  for (let at = words.length - own.length; at >= 0; at--)
    if (own.every((word, i) => word === words[at + i])) return at;
  return -1;
}

// The field that the fault is about. `about`: the resource's path, to skip faults of other resources.
function fieldOf(fields, path, about) {
  const prefix = about && faultPrefix(about).toLowerCase(), at = prefix ? path.toLowerCase().indexOf(prefix) : -1;
  let found = null, best = 0;

  if (prefix && at < 0 && path.includes("[") && /^[\w.]+\[[^\]]*\D[^\]]*\]/.test(path)) return null;
  const words = wordsOf(at < 0 ? path : path.slice(at + prefix.length));
  for (const field of fields) {
    const own = field.words;

    if (own.length > best && place(words, own) >= 0) [found, best] = [field, own.length];
  }
  return found;
}

// Shows each fault of a refusal at its field; returns the faults without a field, as an error.
export function tell(form, error, about) {
  const fields = fieldsOf(form), marked = [];
  const faults = error.faults?.length ? error.faults.filter((one) => one.severity !== "warning") : [{path: error.path, text: error.message}];
  const rest = faults.filter(({path, text}) => {
    const field = path ? fieldOf(fields, path, about) : null;

    if (field && !marked.includes(field)) field.fault(text);
    if (field) marked.push(field);
    return !field;
  });

  fields.find((one) => marked.includes(one))?.focus();
  if (!rest.length) return null;
  const [{path, text}] = rest;
  return {path, message: marked.length || error.faults?.length ? text : error.message, faults: rest, rows: error.rows};
}

function shown(field) {
  if (!field.fields) return new FormField(field);
  return h("details", {class: "fold", open: field.open}, h("summary", {}, field.title), field.fields.map(shown));
}

// Shows the dialog, and calls `work` with the values when the user confirms; the dialog stays until
// `work` succeeds or the user leaves it. Returns whether `work` succeeded. fields: as for FormField,
// or {title, fields} for folded ones. about: the path of the resource that the fields belong to, or
// a function that makes the path from the values.
export function ask({title, text, fields: asked = [], confirm = "Confirm", danger, work, more, about}) {
  const told = h("div", {}, []);
  const yes = h("button", {class: danger ? "danger" : "primary"}, confirm);
  const form = h("form", {method: "dialog", novalidate: true}, h("h2", {id: "dialog-title"}, title), text && h("div", {}, text),
    asked.map(shown), more, told,
    h("div", {class: "buttons"}, yes, h("button", {type: "button", onclick: () => dialog.close()}, "Cancel")));
  const dialog = h("dialog", {"aria-labelledby": "dialog-title"}, form);

  return new Promise((resolve) => {
    let done = false;

    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      if (yes.disabled || !check(form)) return;
      yes.disabled = true;
      told.replaceChildren();
      try {
        const values = valuesOf(form);

        await work(values);
        done = true;
        dialog.close();
      } catch (error) {
        if (!(error instanceof ApiError)) console.error(error);
        const rest = tell(form, error, typeof about === "function" ? about(valuesOf(form)) : about);

        told.replaceChildren(...rest ? [problem(rest)] : []);
        if (rest) told.scrollIntoView({block: "nearest"});
        if (error.status === 401) dialog.close();
      }
      yes.disabled = false;
    });
    const leave = () => dialog.close(); // for links in the dialog

    router.addEventListener("go", leave);
    dialog.addEventListener("close", () => {
      router.removeEventListener("go", leave);
      dialog.remove();
      resolve(done);
    });
    document.body.append(dialog);
    dialog.showModal();
    // A dialog without fields that removes something must not be confirmed by Enter alone.
    if (danger && !asked.length) form.querySelector(".buttons button[type=button]").focus();
  });
}
