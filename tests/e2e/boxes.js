// What is wrong with how a page is laid out, measured by its boxes: the body of a function that is given the width
// of the window and gives texts, one for each fault, with the element that has it, and how many others have the like.
//
//   wide       the document is wider than the window, or a part has to be scrolled sideways
//   cut        a text is cut, and nothing says that it goes on, or what it is in full
//   overlaps   two texts, or a text and a control, are drawn over each other; a picture with a z-index below 0 is behind
//   small      a control is too small to be hit, as WCAG 2.5.8 counts it
//   crowded    a control lies over another
//   uneven     of controls beside each other one is higher or lower than the other
//   outside    something sticks out of the box that is drawn around it
//   value      a text is a value of the program: undefined, NaN, a 0 that is a paragraph of its own

const [width] = arguments;
const NEAR = 1;         // pixels that rounding may take
const TARGET = 24;      // WCAG 2.5.8: pixels of a control, or as much room around it
const SCROLLED = "pre, textarea"; // lines of which one expects that they do not wrap
const CONTROLS = "a[href], button, input:not([type=hidden]), select, textarea, summary, [role=button], [role=menuitem], [role=tab]";
const VALUE = /^(undefined|null|NaN|\[object \w+\])$/;
const SOLID = "img, canvas, progress, meter, input, select, textarea, button";

const faults = new Map(); // by kind and place
const styles = new Map();

function style(element) {
  if (!styles.has(element)) styles.set(element, getComputedStyle(element));
  return styles.get(element);
}

function words(element) {
  return (element.innerText ?? element.textContent ?? "").trim().replace(/\s+/g, " ");
}

function place(element) {
  const path = [];

  for (let one = element; one && one !== document.body && path.length < 3; one = one.parentElement)
    path.unshift(one.localName + (one.id && !/\d/.test(one.id) ? "#" + one.id : [...one.classList].map((c) => "." + c).join("")));
  return path.join(" > ");
}

// How a person finds it: its place in the page, and what it says.
function named(element) {
  const text = words(element) || element.getAttribute("aria-label") || element.getAttribute("placeholder") || "";

  return `${place(element)} "${text.length > 50 ? text.slice(0, 50) + "\u2026" : text}"`;
}

// Those of one kind at elements of one place are one; what it is about with the other element is measured only once.
function fault(kind, element, what, other) {
  const key = [kind, place(element), other && place(other)].join(" ");
  const known = faults.get(key);

  if (!known) faults.set(key, {text: `${kind}: ${named(element)}: ${what}${other ? " " + named(other) : ""}`, elements: new Set([element])});
  else known.elements.add(element);
}

function empty({left, top, right, bottom}) {
  return right - left <= NEAR || bottom - top <= NEAR;
}

function common(a, b) {
  return {left: Math.max(a.left, b.left), top: Math.max(a.top, b.top), right: Math.min(a.right, b.right), bottom: Math.min(a.bottom, b.bottom)};
}

function round(value) {
  return Math.round(value * 10) / 10;
}

function clips(element, axis) {
  return style(element)["overflow" + axis] !== "visible";
}

// Whether the page hides it from the eye, and shows it to a screen reader only.
function unseen(element) {
  for (let one = element; one && one !== document.documentElement; one = one.parentElement)
    if (style(one).clipPath === "inset(50%)" || style(one).opacity === "0") return true;
  return false;
}

function shown(element) {
  return element.checkVisibility({visibilityProperty: true, opacityProperty: true}) && !unseen(element);
}

// What of a box is seen: all that is around it cuts it where it does not fit, and nothing cuts what is fixed in the window.
function seen(box, element, around = element.parentElement) {
  let left = box;

  for (let one = around; one && one !== document.body && style(element).position !== "fixed"; element = one, one = one.parentElement) {
    if (!clips(one, "X") && !clips(one, "Y")) continue;
    const edge = one.getBoundingClientRect();
    left = common(left, {
      left: clips(one, "X") ? edge.left : -Infinity, right: clips(one, "X") ? edge.right : Infinity,
      top: clips(one, "Y") ? edge.top : -Infinity, bottom: clips(one, "Y") ? edge.bottom : Infinity});
  }
  return left;
}

// What stays in its place while the page is scrolled: it lies over the rest, and that is meant.
function layer(element) {
  for (let one = element; one && one !== document.documentElement; one = one.parentElement) {
    const {position} = style(one);
    if (position === "fixed" || position === "sticky" || one.localName === "dialog") return one;
  }
  return null;
}

const modal = [...document.querySelectorAll("dialog[open]")].at(-1);
const root = modal || document.body;
const elements = [...root.querySelectorAll("*")].filter((one) => !one.closest("noscript, script, datalist, option") && shown(one));

// ---- texts and other things that must not lie over each other ----

const things = [];

for (const element of elements) {
  const svg = element.namespaceURI.endsWith("svg");
  if (element.matches(SOLID) || (element.localName === "svg" && !element.querySelector("text") && !(style(element).zIndex < 0)))
    things.push({element, solid: true, box: element.getBoundingClientRect()});
  if (svg && !element.matches("text, tspan")) continue;
  for (const node of element.childNodes) {
    if (node.nodeType !== Node.TEXT_NODE || !node.data.trim() || element.matches("details:not([open])")) continue;
    if (VALUE.test(node.data.trim()) || (element.localName === "p" && words(element) === "0")) fault("value", element, "is no text");
    const range = document.createRange();
    range.selectNodeContents(node);
    for (const box of range.getClientRects()) things.push({element, box});
  }
}
for (const thing of things) {
  // A text is cut by its own element, too.
  const {left, top, right, bottom} = thing.solid ? seen(thing.box, thing.element) : seen(thing.box, thing.element, thing.element);
  // Letters do not fill the height of their line.
  const spare = thing.solid ? 0 : (bottom - top) * 0.15;
  thing.seen = {left, right, top: top + spare, bottom: bottom - spare};
  thing.layer = layer(thing.element);
}

const sorted = things.filter((one) => !empty(one.seen)).sort((a, b) => a.seen.top - b.seen.top);
let active = [];

for (const one of sorted) {
  active = active.filter((other) => other.seen.bottom - NEAR > one.seen.top);
  for (const other of active) {
    if (other.element === one.element || other.layer !== one.layer || empty(common(one.seen, other.seen))) continue;
    if (one.element.contains(other.element) || other.element.contains(one.element)) continue;
    if (one.element.matches(CONTROLS) && other.element.matches(CONTROLS)) continue; // which is "crowded"
    const {left, top, right, bottom} = common(one.seen, other.seen);
    fault("overlaps", one.element, `${round(right - left)}x${round(bottom - top)} pixels of`, other.element);
  }
  active.push(one);
}

// ---- what is wider than its place ----

const scrolled = document.documentElement.scrollWidth;
if (scrolled > width + NEAR) {
  const culprits = elements.filter((one) => {
    const box = one.getBoundingClientRect();
    return seen(box, one).right > width + NEAR && ![...one.children].some((child) => child.getBoundingClientRect().right >= box.right);
  });
  fault("wide", culprits[0] || document.body, `the document has ${scrolled} pixels, the window ${width}`);
}
for (const element of elements) {
  if (element.matches(SCROLLED) || element.closest("svg") || element.clientWidth === 0) continue;
  if (["auto", "scroll"].includes(style(element).overflowX) && element.scrollWidth > element.clientWidth + NEAR)
    fault("wide", element, `${element.scrollWidth} pixels in ${element.clientWidth}, scrolled sideways`);
}

// ---- what is cut ----

const canvas = document.createElement("canvas").getContext("2d");

function drawn(text, element) {
  canvas.font = style(element).font;
  return canvas.measureText(text).width;
}

// Where the whole text can be read: it is said of the element, or of what is around or in it.
function whole(element) {
  const text = words(element);

  for (let one = element; one && one !== document.body; one = one.parentElement)
    if ((one.title || one.getAttribute("aria-label") || "").replace(/\s+/g, " ").includes(text)) return true;
  return [...element.querySelectorAll("[title]")].some((one) => one.title.replace(/\s+/g, " ").includes(words(one)) && words(one));
}

for (const element of elements) {
  if (element.closest("svg") || element.matches("canvas, progress")) continue;
  const hidden = (axis) => ["hidden", "clip"].includes(style(element)["overflow" + axis]);
  const wide = hidden("X") && element.scrollWidth > element.clientWidth + NEAR;
  const high = hidden("Y") && element.scrollHeight > element.clientHeight + NEAR;

  if (element.matches("input, select")) {
    const box = style(element), room = element.clientWidth - parseFloat(box.paddingLeft) - parseFloat(box.paddingRight);
    const text = element.localName === "select" ? element.selectedOptions[0]?.text || "" : element.value ? "" : element.placeholder;
    if (text && drawn(text, element) > room + NEAR && !element.title.includes(text))
      fault("cut", element, `"${text}" has ${round(drawn(text, element))} pixels, its field ${round(room)}`);
  } else if ((wide || high) && words(element)) {
    const clamped = style(element).textOverflow === "ellipsis" || style(element).webkitLineClamp !== "none";
    if (!clamped) fault("cut", element, `${element.scrollWidth}x${element.scrollHeight} pixels in ${element.clientWidth}x${element.clientHeight}, without an ellipsis`);
    else if (!whole(element)) fault("cut", element, "with an ellipsis, and its full text is nowhere");
  }
}

// ---- what sticks out of the box that is drawn around it ----

function painted(element) {
  const {backgroundColor, borderTopWidth, borderLeftWidth, borderTopStyle, borderLeftStyle} = style(element);

  return backgroundColor !== "rgba(0, 0, 0, 0)" || (borderTopStyle !== "none" && borderLeftStyle !== "none" &&
    parseFloat(borderTopWidth) > 0 && parseFloat(borderLeftWidth) > 0);
}

function frame(element) {
  for (let one = element.parentElement; one && one !== document.body; one = one.parentElement) {
    if (["fixed", "absolute"].includes(style(one).position) && !painted(one)) return null;
    if (style(one).display !== "inline" && (painted(one) || clips(one, "X"))) return one;
  }
  return null;
}

const inner = [...things.map(({element, solid, box}) => ({element, box, of: solid ? frame(element) : painted(element) && style(element).display !== "inline" ? element : frame(element)})),
  ...elements.filter((one) => painted(one) && !one.matches(SOLID) && !one.closest("svg") && style(one).display !== "inline")
    .map((one) => ({element: one, box: one.getBoundingClientRect(), of: frame(one)}))];
const out = new Set();

for (const {element, box, of} of inner) {
  if (!of || out.has(element) || empty(box) || ["fixed", "absolute", "sticky"].includes(style(element).position) || element.closest("svg")) continue;
  const edge = of.getBoundingClientRect();
  const x = clips(of, "X") ? 0 : Math.max(edge.left - box.left, box.right - edge.right);
  const y = clips(of, "Y") ? 0 : Math.max(edge.top - box.top, box.bottom - edge.bottom);
  // A line that is lower than its letters' height lets them stick out by some pixels that are empty.
  if (x <= NEAR && y <= (box.height * 0.15 + NEAR)) continue;
  out.add(element);
  fault("outside", element, `by ${round(x > NEAR ? x : y)} pixels ${x > NEAR ? "sideways" : "up or down"} of`, of);
}

// ---- what is pressed ----

const size = (box) => Math.min(box.right - box.left, box.bottom - box.top);

// What is not in sight whole is scrolled to before it is pressed.
function scrolledAway(element) {
  const box = element.getBoundingClientRect();

  for (let one = element.parentElement; one && one !== document.body; one = one.parentElement) {
    const edge = one.getBoundingClientRect();
    if (["auto", "scroll"].includes(style(one).overflowY) && (box.top < edge.top || box.bottom > edge.bottom)) return true;
  }
  return false;
}

// Of a line that ends with an ellipsis the browser gives the whole, and the two parts of it.
function isPart(box, i, boxes) {
  return boxes.some((other, k) => k !== i && other.left <= box.left && other.right >= box.right && other.top <= box.top && other.bottom >= box.bottom
    && (k < i || other.right - other.left > box.right - box.left));
}

const controls = elements.filter((one) => one.matches(CONTROLS) && !one.matches(":disabled") && !scrolledAway(one)).map((element) => {
  const label = element.matches("[type=checkbox], [type=radio]") && element.labels?.[0];
  const boxes = [...element.getClientRects(), ...label ? label.getClientRects() : []].map((box) => seen(box, element))
    .filter((box) => !empty(box)).filter((box, i, all) => !isPart(box, i, all));
  return {element, boxes, layer: layer(element)};
}).filter(({boxes}) => boxes.length);

// In a sentence: the line's height decides how high it is.
function inSentence(element) {
  if (style(element).display !== "inline") return false;
  let block = element.parentElement;
  while (style(block).display === "inline") block = block.parentElement;
  return words(block).length > words(element).length + 3;
}

const middle = (box) => [(box.left + box.right) / 2, (box.top + box.bottom) / 2];

function distance([x, y], {left, top, right, bottom}) {
  return Math.hypot(Math.max(left - x, 0, x - right), Math.max(top - y, 0, y - bottom));
}

const sized = controls.flatMap(({element, boxes, layer: on}) => boxes.map((box) => ({element, box, on})))
  .sort((a, b) => a.box.top - b.box.top);

for (const [i, one] of sized.entries()) {
  const small = size(one.box) < TARGET - NEAR / 2 && !inSentence(one.element);
  for (let k = i + 1; k < sized.length && sized[k].box.top < one.box.bottom + TARGET; k++) {
    const other = sized[k];
    if (other.element === one.element || other.on !== one.on || one.element.contains(other.element) || other.element.contains(one.element)) continue;
    if (one.element.labels && [...one.element.labels].some((label) => label.contains(other.element))) continue;
    if (!empty(common(one.box, other.box))) {
      fault("crowded", one.element, "lies over", other.element);
      continue;
    }
    const otherSmall = size(other.box) < TARGET - NEAR / 2 && !inSentence(other.element);
    if (!small && !otherSmall) continue;
    const apart = small && otherSmall ? Math.hypot(middle(one.box)[0] - middle(other.box)[0], middle(one.box)[1] - middle(other.box)[1]) - TARGET / 2
      : small ? distance(middle(one.box), other.box) : distance(middle(other.box), one.box);
    if (apart < TARGET / 2 - NEAR / 2) {
      const [little, near] = small ? [one, other] : [other, one];
      fault("small", little.element, `${round(little.box.right - little.box.left)}x${round(little.box.bottom - little.box.top)} pixels, and close to`, near.element);
    }
  }
  const alone = one.element.matches("button, summary, select, input:not([type=checkbox], [type=radio]), textarea");
  if (small && alone) fault("small", one.element, `${round(one.box.right - one.box.left)}x${round(one.box.bottom - one.box.top)} pixels`);
}

// ---- what stands beside each other ----

const BESIDE = 6; // pixels that nobody means: more is another line, or another kind of control

for (const place of new Set(controls.map(({element}) => element.closest(".tools, .buttons, form, header")).filter(Boolean))) {
  const here = controls.filter(({element}) => element.matches("button, select, textarea, input:not([type=checkbox], [type=radio])") &&
    element.closest(".tools, .buttons, form, header") === place).map(({element}) => ({element, box: element.getBoundingClientRect()}));
  for (const [i, one] of here.entries()) {
    const next = here[i + 1];
    if (!next || next.box.left < one.box.right - NEAR) continue;
    const top = Math.abs(one.box.top - next.box.top), bottom = Math.abs(one.box.bottom - next.box.bottom);
    if (Math.max(top, bottom) > NEAR / 2 && Math.max(top, bottom) < BESIDE)
      fault("uneven", next.element, `${round(Math.max(top, bottom))} pixels off`, one.element);
  }
}

return [...faults.values()].map(({text, elements}) => text + (elements.size > 1 ? `, and ${elements.size - 1} more like it` : ""));
