// A search field. It calls back a little after typing, once for quick typing.

import {h} from "../lib/element.js";

const PAUSE_MS = 150;
let fields = 0;

export function searchField({label, value, placeholder, back}) {
  const id = "search-" + ++fields;
  let timer;
  const input = h("input", {id, type: "search", value, placeholder, autocomplete: "off", autocapitalize: "off",
                            spellcheck: "false", oninput: () => {
    clearTimeout(timer);
    timer = setTimeout(() => back(input.value.trim()), PAUSE_MS);
  }});

  return h("div", {class: "field"}, h("label", {for: id}, label), input);
}
