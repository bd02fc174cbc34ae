// A picture of what leads to what: columns of boxes with lines between them. A box is a link; what it
// is connected with stands out while it is pointed at or has the focus.

import {svg, visible} from "/ui/lib/element.js";

const WIDE = 200, HIGH = 46, GAP = 14, BETWEEN = 64, TOP = 30, LONG = 26;

function short(text) {
  const shown = visible(text);

  return shown.length > LONG ? shown.slice(0, LONG - 1) + "\u2026" : shown;
}

function left(column) {
  return column * (WIDE + BETWEEN);
}

// node: {id, title, note, mood, href}
function box(node, column, row) {
  const link = svg("a", {href: node.href, class: "node " + (node.mood || "soft"), transform: `translate(${left(column)} ${TOP + row * (HIGH + GAP)})`},
    svg("title", {}, visible(node.title + (node.note ? ": " + node.note : ""))),
    svg("rect", {width: WIDE, height: HIGH, rx: 7}),
    svg("text", {x: 10, y: node.note ? 19 : 28, direction: "ltr"}, short(node.title)));

  if (node.note) link.append(svg("text", {x: 10, y: 36, class: "note", direction: "ltr"}, short(node.note)));
  return link;
}

function line(from, to) {
  const [x1, y1, x2, y2] = [left(from.column) + WIDE, from.y, left(to.column), to.y];
  const middle = (x1 + x2) / 2;

  return svg("path", {d: `M${x1} ${y1} C${middle} ${y1} ${middle} ${y2} ${x2} ${y2}`, class: "line"});
}

// columns: [{title, nodes}]; lines: [[id, id]], from a column to one further right.
export function picture(label, columns, lines) {
  const places = new Map();
  const boxes = columns.flatMap(({nodes}, column) => nodes.map((node, row) => {
    places.set(node.id, {column, y: TOP + row * (HIGH + GAP) + HIGH / 2, lines: [], box: box(node, column, row)});
    return places.get(node.id).box;
  }));
  const drawn = lines.filter(([from, to]) => places.has(from) && places.has(to)).map(([from, to]) => {
    const one = line(places.get(from), places.get(to));

    places.get(from).lines.push(one);
    places.get(to).lines.push(one);
    return one;
  });
  const height = TOP + Math.max(1, ...columns.map(({nodes}) => nodes.length)) * (HIGH + GAP);
  const heads = columns.map(({title}, column) => svg("text", {x: left(column), y: 14, class: "head"}, title));

  for (const {box: one, lines: mine} of places.values()) {
    const mark = (on) => mine.forEach((path) => path.classList.toggle("on", on));

    for (const [event, on] of [["pointerenter", true], ["focus", true], ["pointerleave", false], ["blur", false]])
      one.addEventListener(event, () => mark(on));
  }
  return svg("svg", {class: "picture", role: "group", "aria-label": label, viewBox: `-2 0 ${left(columns.length) - BETWEEN + 4} ${height}`},
    ...heads, ...drawn, ...boxes);
}
