// What has been done, said once at the foot of the window, and read out.

import {h} from "../lib/element.js";

const SHOWN_MS = 6000;

const place = h("div", {class: "notices", role: "status", "aria-live": "polite"});

export function notice(...content) {
  const one = h("p", {}, content);

  if (!place.isConnected) document.body.append(place);
  place.append(one);
  setTimeout(() => one.remove(), SHOWN_MS);
}

// The server's warnings about something that it has done all the same.
export function warn(warnings) {
  for (const warning of warnings || []) notice("Note: ", warning.text ?? warning);
}
