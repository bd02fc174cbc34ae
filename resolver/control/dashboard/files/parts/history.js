// Charts of the last hour or week, side by side, and the switch between the two.

import {h} from "../lib/element.js";
import {SPANS, history} from "../lib/history.js";
import {empty} from "../lib/page.js";
import {TimeChart} from "./chart.js";

const AGAIN_MS = 10000;

// Shown if the server keeps no history.
function noHistory() {
  return empty("This server keeps no history.", h("p", {}, "Prometheus does, of its metrics: see ", h("code", {}, "metrics.listen"), " in sluice.conf(5)."));
}

export class HistoryCharts extends HTMLElement {
  // charts: as for TimeChart, with `lists`: (history) => the lists to draw. `page`: the page with the charts; `note` is
  // called with the chosen span.
  constructor(page, charts, span, note) {
    super();
    Object.assign(this, {page, charts: charts.map((one) => ({...one, element: new TimeChart(one)})), note});
    this.span = Object.hasOwn(SPANS, span || "") ? span : "hour";
  }

  connectedCallback() {
    this.buttons = Object.entries(SPANS).map(([span, title]) => h("button", {type: "button", "data-span": span, onclick: () => this.choose(span)}, title));
    this.shown = h("div", {class: "charts"}, this.charts.map(({element}) => element));
    this.replaceChildren(h("div", {class: "switch", role: "group", "aria-label": "Time"}, this.buttons), this.shown);
    this.choose(this.span, true);
    this.page.every(AGAIN_MS, () => this.load());
  }

  choose(span, first) {
    this.span = span;
    this.buttons.forEach((one) => one.setAttribute("aria-pressed", String(one.dataset.span === span)));
    if (!first) this.note(span);
    this.page.refresh(() => this.load());
  }

  // Shows the figures of this history in charts that have one (`figure`: (history) => a text, or null).
  figures(found) {
    for (const {element, figure} of this.charts) if (figure) element.tell(figure(found));
  }

  async load() {
    const {span} = this;

    try {
      const found = await history(span, this.page.signal);

      if (span !== this.span || this.page.signal.aborted) return;
      if (!this.shown.contains(this.charts[0].element)) this.shown.replaceChildren(...this.charts.map(({element}) => element));
      for (const {element, lists} of this.charts) element.fill(found.times, found.step_s, lists(found));
    } catch (error) {
      if (error.status !== 404) throw error;
      this.shown.replaceChildren(noHistory());
    }
  }
}
customElements.define("history-charts", HistoryCharts);
