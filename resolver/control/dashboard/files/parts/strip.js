// The state of one item over the last hour, in a line of a table: a cell for each minute or so.

import {count, h, svg, timeFormat} from "../lib/element.js";
import {known} from "../lib/history.js";

const CELLS = 60, TOLD = 3;

const clock = timeFormat({hour: "2-digit", minute: "2-digit"});

// [[from, to]] of the steps in which it was not always up; to null: it is still down.
function outages(times, step, up) {
  const found = [];

  up.forEach((share, i) => {
    const last = found.at(-1);

    if (share === null || share === undefined || share >= 1) return;
    if (last && last[1] >= times[i]) last[1] = times[i] + step;
    else found.push([times[i], times[i] + step]);
  });
  return found.map(([from, to]) => [from, to > times.at(-1) ? null : to]);
}

function said(times, step, up) {
  const found = outages(times, step, up), share = known(up);

  if (!share.length) return "Nothing is known of the last hour.";
  if (!found.length) return "Up in the last hour.";
  return "Not up " + found.slice(-TOLD).map(([from, to]) => `from ${clock.format(from)} to ${to ? clock.format(to) : "now"}`).join(", ") +
    (found.length > TOLD ? `, and ${count(found.length - TOLD, "time")} before` : "") + ".";
}

// The empty strip of an item whose history has not come yet.
export function awaitedStrip() {
  return h("span", {class: "strip-frame"}, svg("svg", {class: "strip", "aria-hidden": "true"}));
}

// times: when the steps began, in milliseconds; up: the share of each step in which it was up, or null.
export function strip(times, step_s, up) {
  const wide = Math.ceil(times.length / CELLS), label = said(times, step_s * 1000, up);
  const picture = svg("svg", {class: "strip", role: "img", "aria-label": label, viewBox: `0 0 ${CELLS * 2} 14`, preserveAspectRatio: "none"});
  const title = svg("title", {});

  title.textContent = label;
  picture.append(title);
  for (let cell = 0; cell < CELLS; cell++) {
    const values = known(up.slice(cell * wide, (cell + 1) * wide));
    const worst = values.length ? Math.min(...values) : null;
    const [mood, high] = worst === null ? ["soft", 2] : worst >= 1 ? ["good", 7] : ["bad", 14];

    // Bad cells are higher as well, for users who cannot tell the colours apart.
    picture.append(svg("rect", {class: mood, x: cell * 2, y: 14 - high, width: 1.6, height: high}));
  }
  return h("span", {class: "strip-frame"}, picture);
}
