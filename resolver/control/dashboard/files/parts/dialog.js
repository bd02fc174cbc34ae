// A dialog that asks for values, or for a yes. What the server refuses is shown in it, at the field
// where it belongs, and nothing that was typed is lost.

import {ApiError} from "/ui/lib/api.js";
import {h} from "/ui/lib/element.js";
import {problem} from "/ui/lib/page.js";

let fields = 0;

// {name, label, hint, value, placeholder, required, type: "text" | "number" | "lines" | "check" | "file",
//  choices: [["value", "shown"]], min}
function control(field, id) {
  const shared = {id, name: field.name, required: field.required, "aria-describedby": field.hint && id + "-hint"};

  if (field.choices)
    return h("select", {...shared, value: field.value}, field.choices.map(([value, shown]) => h("option", {value}, shown)));
  if (field.type === "lines")
    return h("textarea", {...shared, rows: 4, value: field.value || "", placeholder: field.placeholder, spellcheck: "false"});
  if (field.type === "file") return h("input", {...shared, type: "file", accept: field.accept});
  if (field.type === "check") return h("input", {...shared, type: "checkbox", checked: !!field.value});
  return h("input", {...shared, type: field.type || "text", value: field.value ?? "", placeholder: field.placeholder,
                     min: field.min, autocomplete: "off", autocapitalize: "off", spellcheck: "false"});
}

function labelled(field) {
  const id = "field-" + ++fields;

  return h("div", {class: "field" + (field.type === "check" ? " check" : "")},
    h("label", {for: id}, field.label, field.required && h("span", {class: "hint"}, " (required)")),
    control(field, id),
    field.hint && h("p", {class: "hint", id: id + "-hint"}, field.hint));
}

function read(input) {
  if (input.type === "checkbox") return input.checked;
  if (input.type === "file") return input.files[0];
  if (input.type === "number") return input.value === "" ? null : Number(input.value);
  if (input.localName === "textarea") return input.value.split("\n").map((line) => line.trim()).filter(Boolean);
  return input.value.trim();
}

// By the fields' names.
export function valuesOf(form) {
  return Object.fromEntries([...form.elements].filter((one) => one.name).map((one) => [one.name, read(one)]));
}

// Marks the field that the server's path ends with: "values.targets[0].address" is "targets".
function mark(form, path) {
  const words = (path || "").split(/[.[\]]+/);

  for (const input of form.elements) {
    const wrong = input.name && words.includes(input.name);

    if (wrong) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
    if (wrong) input.focus();
  }
}

// Shows it, and calls `work` with the values when it is confirmed; the dialog stays until that has
// gone well. Gives whether it has.
export function ask({title, text, fields: asked = [], confirm = "Confirm", danger, work, more}) {
  const told = h("div", {}, []);
  const yes = h("button", {class: danger ? "danger" : "primary"}, confirm);
  const form = h("form", {method: "dialog"}, h("h2", {id: "dialog-title"}, title), text && h("div", {}, text),
    asked.map(labelled), more, told,
    h("div", {class: "buttons"}, yes, h("button", {type: "button", onclick: () => dialog.close()}, "Cancel")));
  const dialog = h("dialog", {"aria-labelledby": "dialog-title"}, form);

  return new Promise((resolve) => {
    let done = false;

    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      if (yes.disabled) return;
      yes.disabled = true;
      told.replaceChildren();
      try {
        await work(valuesOf(form));
        done = true;
        dialog.close();
      } catch (error) {
        if (!(error instanceof ApiError)) console.error(error);
        told.replaceChildren(problem(error));
        mark(form, error.path);
        if (error.status === 401) dialog.close();
      }
      yes.disabled = false;
    });
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(done);
    });
    document.body.append(dialog);
    dialog.showModal();
    // Where there is nothing to type, Enter is not yet a yes to something that removes.
    if (danger && !asked.length) form.querySelector("button[type=button]").focus();
  });
}
