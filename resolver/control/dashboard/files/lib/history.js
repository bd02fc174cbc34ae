// The counters of the last hour or week, from GET /v1/history: lists with a value for each step, the oldest first; null
// where it is not known.

import {get, query} from "./api.js";

export const SPANS = {hour: "Last hour", week: "Last week"};

export function known(list) {
  return list.filter((one) => one !== null && one !== undefined);
}

// Combines lists step by step, over the values that are known; null where none is. An empty list belongs to
// a counter that does not exist, and is ignored.
export function join(lists, make) {
  const length = Math.max(0, ...lists.map((list) => list.length));

  return Array.from({length}, (_, i) => {
    const values = known(lists.map((list) => list[i]));

    return values.length ? make(values) : null;
  });
}

export function sum(lists) {
  return join(lists, (values) => values.reduce((all, one) => all + one, 0));
}

// 100 * part / whole; null if there is no whole.
export function percent(part, whole) {
  return whole.map((all, i) => all && part[i] !== null && part[i] !== undefined ? 100 * part[i] / all : null);
}

export function scaled(list, factor) {
  return (list || []).map((one) => one === null ? null : one * factor);
}

// Adds `times`: the beginning of each step, in milliseconds. `of` finds the row with that name.
export async function history(span, signal) {
  const found = await get("history" + query({span}), {signal});
  const from = Date.parse(found.from), step = found.step_s * 1000;

  return {...found, times: Array.from({length: found.count}, (_, i) => from + i * step),
          of: (kind, key, name) => found[kind].find((one) => one[key] === name)};
}
