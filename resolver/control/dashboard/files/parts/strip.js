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
  const drawn = {good: "", bad: "", soft: ""};

  for (let cell = 0; cell < CELLS; cell++) {
    const values = known(up.slice(cell * wide, (cell + 1) * wide));
    const worst = values.length ? Math.min(...values) : null;
    // Bad cells are higher as well, for users who cannot tell the colours apart.
    const [mood, high] = worst === null ? ["soft", 2] : worst >= 1 ? ["good", 7] : ["bad", 14];

    drawn[mood] += `M${cell * 2} 14v-${high}h1.6v${high}z`;
  }
  // One element for all cells of a mood: hundreds of strips have thousands of cells.
  picture.append(...Object.entries(drawn).filter(([, d]) => d).map(([mood, d]) => svg("path", {class: mood, d})));
  return h("span", {class: "strip-frame"}, picture);
}
