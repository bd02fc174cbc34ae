// A search field. It calls back a little after typing, once for quick typing, unless its page has been left meanwhile.

import {h} from "../lib/element.js";

const PAUSE_MS = 150;
let fields = 0;

export function searchField({label, value, placeholder, back}) {
  const id = "search-" + ++fields;
  let timer;
  const input = h("input", {id, type: "search", value, placeholder, autocomplete: "off", autocapitalize: "off",
                            spellcheck: "false", oninput: () => {
    clearTimeout(timer);
    timer = setTimeout(() => input.isConnected && back(input.value.trim()), PAUSE_MS);
  }});

  return h("div", {class: "field"}, h("label", {for: id}, label), input);
}
