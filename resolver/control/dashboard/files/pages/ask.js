// Who would answer a name, and why: the decision as a row of boxes; boxes that lose are grey, with the reason. If the
// name is really asked, another row shows which servers were asked, their replies and times.

import {get, query} from "../lib/api.js";
import {count, h, name, prose} from "../lib/element.js";
import {Page, empty, problem} from "../lib/page.js";
import {note, url} from "../lib/router.js";
import {DECIDED, OUTCOMES, decider, targetLink, targetState} from "../lib/words.js";
import {ruleLink} from "../parts/rule.js";

const TYPES = ["A", "AAAA", "CNAME", "MX", "NS", "PTR", "SOA", "SRV", "TXT"];

function box(step, wins) {
  const object = [step.ruleset, step.object].filter(Boolean).join("/");

  return h("li", {class: "box " + (wins ? "wins" : "loses")},
    h("strong", {}, DECIDED[step.by] || step.by),
    object && h("span", {}, name(object)),
    step.suffix && step.suffix !== step.object && h("span", {class: "hint"}, step.suffix === "." ? "every name" : name(step.suffix)),
    h("em", {}, wins ? "decides" : OUTCOMES[step.outcome] || step.outcome));
}

const ENDS = {
  truncated: ", truncated: asked again by TCP", plain: " to EDNS: asked again without", lower: ": asked again in lower case",
  unsent: ": not sent",
};

const ms = (number) => number.toFixed(1) + " ms";

// A packet without an answer is no failure where another one has brought it.
function fate({end}, tries) {
  if (end === "answered") return "wins";
  const isFailure = ["failed", "unsent"].includes(end) || end === "silent" && !tries.some((one) => one.end === "answered");

  return isFailure ? "fails" : "loses";
}

function packet(one, tries) {
  return h("li", {class: "box " + fate(one, tries)},
    h("strong", {}, name(one.host)), h("span", {class: "hint"}, `by ${one.protocol}, at ${ms(one.at_ms)}`),
    h("em", {}, one.text + (ENDS[one.end] || "")), h("span", {}, one.end !== "unsent" && "after " + ms(one.ms)));
}

// An answer without asking a target, or why there is none.
function kept(asked) {
  if (asked.from === "target") return null;
  return h("li", {class: "box " + (asked.failed ? "fails" : "wins")},
    h("strong", {}, asked.from === "nobody" ? "Nobody is asked" : "Cache"), asked.host && h("span", {}, name(asked.host)),
    asked.age_s !== null && h("span", {class: "hint"}, `${asked.age_s} s old`, asked.from === "cache" && `, good for ${asked.ttl_s} s`),
    h("em", {}, asked.failed || asked.rcode + (asked.from === "stale" ? ", an old answer: no target gave one" : "")));
}

function askedView(hop) {
  const boxes = hop.asked?.flatMap((asked) => [...asked.tries.map((one) => packet(one, asked.tries)), kept(asked)]).filter(Boolean) || [];
  const more = hop.asked?.reduce((sum, asked) => sum + asked.tries_dropped, 0);

  return [boxes.length > 0 && h("ol", {class: "boxes", "aria-label": "Who was asked, in order"}, boxes),
    more > 0 && h("p", {class: "hint"}, `and ${count(more, "more packet")}`),
    hop.asked?.map((asked) => asked.from === "target" && asked.failed && h("p", {class: "warning"}, prose(asked.failed)))];
}

function answerView({answer}) {
  const records = [...answer.records, ...answer.authority];

  return h("section", {class: "hop answer"}, h("h2", {}, "Answer"),
    h("p", {class: "verdict"}, `${answer.rcode} after ${ms(answer.ms)}`, h("span", {class: "hint"}, `, flags ${answer.flags.join(" ")}`)),
    answer.ede && h("p", {class: "warning"}, `Extended error ${answer.ede.code}`, answer.ede.text && ": " + answer.ede.text),
    records.length > 0 && h("pre", {tabindex: 0, "aria-label": "Records of the answer"}, records.join("\n")));
}

function leg(item) {
  if (item.kind === "enter")
    return h("li", {}, "enters our own endpoint ", name(item.endpoint), item.loop && [": ", h("span", {class: "warning"}, item.loop)],
      item.decision && block(item.decision));
  return h("li", {}, "asks ", item.health ? targetLink(item) : name(item.host), ` by ${item.protocol}`, item.endpoint && [" through ", name(item.endpoint)],
    item.health && [" ", targetState(item.health)]);
}

function verdict(hop) {
  const object = [hop.ruleset, hop.object].filter(Boolean).join("/");
  const by = [decider(hop.decided_by), " ", hop.decided_by === "rule" ? ruleLink(object) : object && name(object)];

  if (hop.kind === "refuse") return ["Nobody answers this here: REFUSED."];
  if (hop.redirected) return ["Not in private zone ", name(hop.object), "; NxDomainRedirect asks the default resolver."];
  return [hop.kind === "answer" ? "Answered by " : "Forwarded by ", by,
    hop.target_group && [", to target group ", name(hop.target_group)], hop.rcode && `: ${hop.rcode}`,
    hop.outcome === "nodata" && ", no data of this type", hop.wildcard && ", from a wildcard", "."];
}

function hopView(hop) {
  return h("section", {class: "hop"}, h("h2", {}, name(hop.name)),
    h("ol", {class: "boxes", "aria-label": "Who could decide, in order"}, hop.trace.map((step) => box(step, step.outcome === "matched"))),
    h("p", {class: "verdict"}, verdict(hop)),
    hop.registered_by?.map((by) => h("p", {class: "hint"}, "Registered by ", name(by), ".")),
    askedView(hop),
    hop.records.length > 0 && h("pre", {tabindex: 0, "aria-label": "Records"}, hop.records.join("\n")),
    hop.records_left && h("p", {class: "hint"}, `and ${hop.records_left} more records`),
    hop.route.length > 0 && h("ol", {class: "route"}, hop.route.map(leg)),
    hop.next && h("p", {}, "Leads on to ", name(hop.next), "."));
}

function block(decision) {
  return h("div", {class: "block"},
    h("p", {class: "hint"}, decision.network ? ["In network ", name(decision.network)] : "In no network"), decision.hops.map(hopView),
    decision.loop && h("p", {class: "warning"}, decision.loop));
}

function place(found) {
  const {from} = found;

  if (from?.allowed === false) return ["At inbound endpoint ", name(found.endpoint), ", whose allow does not let ", name(from.address), " in: REFUSED."];
  if (found.role !== "vnet_resolver") return ["At inbound endpoint ", name(found.endpoint), ": as inside its network ", name(found.network), "."];
  if (!from) return ["At the VNet resolver, by a machine in network ", name(found.network), "."];
  if (!found.network) return ["At the VNet resolver, by ", name(from.address), ", which is in no network's address_space or client_prefixes."];
  return ["At the VNet resolver, by ", name(from.address), ", which is in ", name(from.prefix), " of network ", name(found.network), "."];
}

export class AskPage extends Page {
  async show() {
    const status = await get("status", {signal: this.signal});
    const places = [
      ...status.networks.map((one) => ["vnet " + one.name, "a machine in network " + one.name]),
      ...status.inbound_endpoints.map((one) => ["endpoint " + one.name, "at inbound endpoint " + one.name]),
      ["from", "at the VNet resolver, another address:"],
    ];
    const asked = ["vnet", "endpoint"].find((key) => this.query.get(key));
    const wanted = asked && asked + " " + this.query.get(asked);

    // A place that is gone is kept: the server then says that it does not exist.
    if (wanted && !places.some(([value]) => value === wanted)) places.unshift([wanted, this.query.get(asked) + ", which is gone"]);
    this.field = h("input", {id: "ask-name", required: true, value: this.query.get("name") || "", placeholder: "www.example.com",
                             autocomplete: "off", autocapitalize: "off", spellcheck: "false"});
    this.type = h("input", {id: "ask-type", list: "types", value: this.query.get("type") || "A"});
    this.place = h("select", {id: "ask-place", onchange: () => this.follow()}, places.map(([value, shown]) => h("option", {value}, shown)));
    this.from = h("input", {id: "ask-from", value: this.query.get("from") || "", placeholder: "10.10.1.4", autocomplete: "off"});
    if (wanted) this.place.value = wanted;
    else if (this.query.get("from")) this.place.value = "from";
    this.result = h("div", {"aria-live": "polite"});
    this.fromField = h("div", {class: "field"}, h("label", {for: "ask-from"}, "Client's address"), this.from);
    this.replaceChildren(h("h1", {}, "Ask"),
      h("form", {class: "tools", onsubmit: (event) => this.submit(event)},
        h("div", {class: "field"}, h("label", {for: "ask-name"}, "Name"), this.field),
        h("div", {class: "field short"}, h("label", {for: "ask-type"}, "Type"), this.type,
          h("datalist", {id: "types"}, TYPES.map((type) => h("option", {value: type})))),
        h("div", {class: "field"}, h("label", {for: "ask-place"}, "Asked by"), this.place), this.fromField,
        h("button", {class: "primary"}, "Explain"), h("button", {name: "ask", value: "1"}, "Ask now")),
      this.result);
    this.follow();
    this.field.focus();
    if (this.field.value) await this.explain(this.query.get("ask") === "1");
    else this.result.replaceChildren(empty("Give a name to see who would answer it here, and why.",
      h("p", {}, "Explain asks nobody: the decision is made by the rules and zones that are served now. ",
        "Ask now resolves the name as for such a client, and shows what each target says.")));
  }

  follow() {
    this.place.title = this.place.selectedOptions[0]?.text || ""; // its field may be too small for it
    this.fromField.hidden = this.place.value.startsWith("vnet ");
    this.from.required = this.place.value === "from";
  }

  fields(asks) {
    const [key, ...words] = this.place.value.split(" ");

    return {name: this.field.value.trim(), type: this.type.value.trim() || "A",
            ...key !== "from" && {[key]: words.join(" ")}, ...key !== "vnet" && {from: this.from.value.trim()}, ...asks && {ask: 1}};
  }

  submit(event) {
    const asks = event.submitter?.name === "ask";

    event.preventDefault();
    note(url("ask", this.fields(asks)));
    this.attempt(() => this.explain(asks));
  }

  // An answer may take seconds, so only the latest question counts.
  async explain(asks) {
    const turn = this.turn = {};

    try {
      if (asks) this.result.replaceChildren(h("p", {class: "hint"}, "Asking\u2026"));
      const found = await get("explain" + query(this.fields(asks)), {signal: this.signal});

      if (this.turn !== turn) return;
      this.result.replaceChildren(h("p", {}, place(found)), ...found.answer ? [answerView(found)] : [], ...found.hops.map(hopView),
        ...found.loop ? [h("p", {class: "warning"}, found.loop)] : []);
    } catch (error) {
      if (error.name === "AbortError" || this.turn !== turn) return;
      this.result.replaceChildren(problem(error));
    }
  }
}
customElements.define("ask-page", AskPage);
