// A chart of values over time, drawn by Chart.js (Debian's libjs-chart.js, /ui/chart.min.js). For users who do not
// see the canvas its label is a sentence, and a table has the values.
//
// Lines differ by their dashes (DASHES), not only by their colours (style.css); the legend shows
// both.

import {h, svg, visible} from "../lib/element.js";
import {known} from "../lib/history.js";
import {DataTable} from "./table.js";

const DASHES = [[], [7, 3], [2, 3], [9, 3, 2, 3]];
const ROWS = 12;
const MINUTE = 60000;

let library, tries = 0;

// Loads Chart.js with the first chart; it is no module, but sets a global. After a failure the next values try again
// with another URL, because a browser remembers that a URL failed.
function load() {
  library ||= import("../chart.min.js" + (tries ? "?again=" + tries : "")).then(() => globalThis.Chart, (error) => {
    library = null;
    tries++;
    throw error;
  });
  return library;
}

function swatch(i) {
  return svg("svg", {class: "swatch chart-" + (i + 1), viewBox: "0 0 28 6", "aria-hidden": "true"},
    svg("line", {x1: 0, y1: 3, x2: 28, y2: 3, "stroke-dasharray": DASHES[i].join(" ")}));
}

function clock(time, step) {
  const date = new Date(time);

  return step < MINUTE * 5 ? date.toLocaleTimeString([], {hour: "2-digit", minute: "2-digit", hourCycle: "h23", second: "2-digit"})
    : date.toLocaleString([], {weekday: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23"});
}

// The labels of the time axis: each quarter of an hour, or each day.
function tick(time, step) {
  const date = new Date(time), before = new Date(time - step);

  if (step >= MINUTE * 5)
    return date.toDateString() === before.toDateString() ? null : date.toLocaleDateString([], {weekday: "short", day: "numeric"});
  return Math.floor(time / (15 * MINUTE)) === Math.floor((time - step) / (15 * MINUTE)) ? null
    : date.toLocaleTimeString([], {hour: "2-digit", minute: "2-digit", hourCycle: "h23"});
}

// The number of digits that tells the marks of an axis apart: two for 0.05, 0.1, 0.15.
function digitsOf(marks) {
  return Math.max(0, ...marks.map(({value}) => (String(Number(value.toPrecision(6))).split(".")[1] || "").length));
}

// A value without neighbours makes no line, so it is drawn as a point.
function isAlone(data, i) {
  const none = (one) => one === null || one === undefined;

  return !none(data[i]) && none(data[i - 1]) && none(data[i + 1]);
}

export class TimeChart extends HTMLElement {
  // series: names of at most four lines; show: (value, digits) => text, with that many digits after the point if given;
  // log: a logarithmic scale; max: the least upper end of the scale; steps: draw steps between values.
  constructor({title, series, show, log, max, steps}) {
    super();
    Object.assign(this, {name: title, series, show, log, max, steps});
  }

  connectedCallback() {
    this.aborter = new AbortController();
    this.canvas = h("canvas", {role: "img"});
    this.unknown = h("p", {class: "hint", hidden: true}, "Nothing is known of this time.");
    this.failed = h("p", {class: "warning", role: "status", hidden: true}, "What draws this did not come; it is tried again. The table below has the values.");
    this.table = new DataTable(this.name, [{title: "From", cell: ({time}) => clock(time, this.step)},
      ...this.series.map((title, i) => ({title, cell: ({values}) => values[i] === null ? "not known" : this.show(values[i])}))]);
    this.details = h("details", {ontoggle: () => this.fillTable()}, h("summary", {}, "As a table"), this.table);
    this.figure = h("span", {class: "figure"});
    this.replaceChildren(h("figure", {class: "chart"}, h("figcaption", {}, h("strong", {}, this.name), this.figure),
      h("ul", {class: "legend"}, this.series.map((one, i) => h("li", {}, swatch(i), " ", one))),
      h("div", {class: "canvas"}, this.canvas), this.unknown, this.failed, this.details));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.redraw(), {signal: this.aborter.signal});
  }

  disconnectedCallback() {
    this.aborter.abort();
    this.chart?.destroy();
    this.chart = null;
  }

  // Shows the value of the last minute; null: not known.
  tell(figure) {
    this.figure.replaceChildren(figure ?? "none");
    this.figure.classList.toggle("nothing", figure === null);
  }

  // A list for each series, with a value for each time.
  fill(times, step_s, lists) {
    this.times = times;
    this.step = step_s * 1000;
    this.lists = lists.map((list) => times.map((_, i) => list?.[i] ?? null));
    this.unknown.hidden = this.lists.some((list) => known(list).length > 0);
    this.canvas.setAttribute("aria-label", `${this.name}: ${this.said()}`);
    this.fillTable();
    this.draw();
  }

  said() {
    const parts = this.lists.map((list, i) => {
      const values = known(list), label = this.series.length > 1 ? this.series[i] + " " : "";

      return values.length > 0 && `${label}${this.show(values.at(-1))}, between ${this.show(Math.min(...values))} and ${this.show(Math.max(...values))}`;
    }).filter(Boolean);

    return parts.length ? "Last " + parts.join("; ") + "." : this.unknown.textContent;
  }

  fillTable() {
    if (!this.details.open || !this.times) return;
    const wide = Math.ceil(this.times.length / ROWS), rows = [];

    for (let i = 0; i < this.times.length; i += wide)
      rows.push({time: this.times[i], values: this.lists.map((list) => {
        const values = known(list.slice(i, i + wide));

        return values.length ? values.reduce((all, one) => all + one, 0) / values.length : null;
      })});
    this.table.fill(rows.reverse());
  }

  async draw() {
    const Chart = await load().catch(() => null);

    this.failed.hidden = !!Chart;
    if (!Chart) return; // the next values try again
    if (this.aborter.signal.aborted) return;
    if (!this.chart) {
      this.chart = new Chart(this.canvas, this.config());
      return;
    }
    this.chart.data.labels = this.times;
    this.chart.data.datasets.forEach((one, i) => { one.data = this.lists[i]; });
    this.chart.update("none");
  }

  redraw() {
    this.chart?.destroy();
    this.chart = null;
    if (this.times) this.draw();
  }

  config() {
    const style = getComputedStyle(this), colour = (name) => style.getPropertyValue(name).trim();
    const font = {family: style.fontFamily, size: 12};
    const axis = {grid: {color: colour("--line")}, border: {color: colour("--line")}};

    return {
      type: "line",
      data: {labels: this.times, datasets: this.lists.map((data, i) => ({
        data, label: visible(this.series[i]), borderColor: colour("--chart-" + (i + 1)), borderDash: DASHES[i], borderWidth: 2,
        backgroundColor: colour("--chart-" + (i + 1)), pointHitRadius: 6, stepped: this.steps && "before",
        pointRadius: ({dataset, dataIndex}) => isAlone(dataset.data, dataIndex) ? 2 : 0,
      }))},
      options: {
        animation: false, responsive: true, maintainAspectRatio: false, interaction: {mode: "index", intersect: false},
        plugins: {legend: {display: false}, tooltip: {callbacks: {
          title: ([item]) => item && clock(this.times[item.dataIndex], this.step),
          label: ({dataset, raw}) => `${dataset.label}: ${this.show(raw)}`}}},
        scales: {
          x: {...axis, ticks: {autoSkip: false, maxRotation: 0, color: colour("--soft"), font,
            callback: (_, i) => tick(this.times[i], this.step)}},
          y: {...axis, type: this.log ? "logarithmic" : "linear", beginAtZero: !this.log, suggestedMax: this.max,
            ticks: {maxTicksLimit: 6, color: colour("--soft"), font, callback: (value, _, marks) => this.show(value, this.log ? undefined : digitsOf(marks))}},
        },
      },
    };
  }
}
customElements.define("time-chart", TimeChart);
