// Makes elements whose text is never markup: names from a server, a zone or a client become text nodes.

// Invisible characters, and those that reorder others; except tabs and line ends, which outside of <pre> are only
// blanks.
const HIDDEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;

export function visible(text) {
  return String(text).replace(HIDDEN, (one) => "<U+" + one.codePointAt(0).toString(16).toUpperCase().padStart(4, "0") + ">");
}

function add(element, child) {
  if (Array.isArray(child)) child.forEach((one) => add(element, one));
  else if (child instanceof Node) element.append(child);
  else if (child !== null && child !== undefined && child !== false) element.append(visible(child));
}

function set(element, key, value) {
  if (typeof value === "function") element.addEventListener(key.slice("on".length), value);
  else if (value === false || value === null || value === undefined) return;
  else if (key === "value" || key === "checked") element[key] = value;
  else element.setAttribute(key, value === true ? "" : value);
}

// h("p", {class: "hint"}, "text", [more]). Attributes that are functions are listeners (onclick);
// null, undefined and false are left out.
export function h(tag, attributes, ...children) {
  const element = document.createElement(tag);

  add(element, children);
  for (const [key, value] of Object.entries(attributes || {})) set(element, key, value);
  return element;
}

// An element of a picture; children are elements, or text that has passed visible().
export function svg(tag, attributes, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);

  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

// A name from elsewhere: <bdi> keeps its text direction from affecting its surroundings.
export function name(text) {
  return h("bdi", {class: "name"}, text);
}

// A number with its noun: "1 rule", "1,024 rules".
export function count(number, one, many = one + "s") {
  return number.toLocaleString("en") + " " + (number === 1 ? one : many);
}

// A formatter of times, kept because making one costs more than formatting all the times of a page.
export function timeFormat(how) {
  return new Intl.DateTimeFormat([], {hourCycle: "h23", ...how});
}

const MINUTES = {hour: "2-digit", minute: "2-digit"}, SECONDS = {...MINUTES, second: "2-digit"}, DAY = {day: "numeric", month: "short"};
const FORMATS = Object.entries({
  clock: SECONDS, minutes: MINUTES, day: {...DAY, ...MINUTES}, year: {...DAY, year: "numeric", ...MINUTES},
  exact: {...DAY, year: "numeric", ...SECONDS, timeZoneName: "short"},
});
const formats = Object.fromEntries(FORMATS.map(([key, how]) => [key, timeFormat(how)]));

function formatOf(text, time, now) {
  if (time.toDateString() === now.toDateString()) return /:\d\d:/.test(text) ? "clock" : "minutes";
  return time.getFullYear() === now.getFullYear() ? "day" : "year";
}

// Shows all times the same way: in local time, today's as a clock, others with their day; the title is exact.
export function when(text) {
  const time = new Date(text);

  return h("time", {datetime: text, title: formats.exact.format(time)}, formats[formatOf(text, time, new Date())].format(time));
}

const TIMES = /(\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d)?(?:Z| UTC))/;

// A sentence from the server, with its times shown as when() shows them. plain: maps the other
// parts. A name in the sentence may look like a time without being one, so Date.parse decides.
export function prose(text, plain = (part) => part) {
  return h("bdi", {class: "name"}, text.split(TIMES).map((part, i) => {
    const time = part.replace(" UTC", "Z").replace(" ", "T");

    return i % 2 && !Number.isNaN(Date.parse(time)) ? when(time) : plain(part);
  }));
}
