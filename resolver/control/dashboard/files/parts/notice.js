// Tells once, at the foot of the window, what has been done; screen readers read it out.

import {h} from "../lib/element.js";
import {go, url} from "../lib/router.js";

const SHOWN_MS = 6000, UNDO_MS = 12000;

const place = h("div", {class: "notices", role: "status", "aria-live": "polite"});

function show(content, ms) {
  const one = h("p", {}, content);

  if (!place.isConnected) document.body.append(place);
  place.append(one);
  setTimeout(() => one.remove(), ms);
}

export function notice(...content) {
  show(content, SHOWN_MS);
}

// Shows a notice of a change, with a button to undo the latest change at the path `where`.
export function changed(where, ...content) {
  show([content, h("button", {type: "button", class: "small", onclick: (event) => {
    event.target.closest("p").remove();
    go(url("changes", {undo: where}));
  }}, "Undo")], UNDO_MS);
}

// Shows the server's warnings about something it has done all the same.
export function warn(warnings) {
  for (const warning of warnings || []) notice("Note: ", warning.text ?? warning);
}
