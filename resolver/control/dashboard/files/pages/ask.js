// Who would answer a name, and why: the decision as a row of boxes, those that lose grey, with what
// they lose by.

import {get, query} from "/ui/lib/api.js";
import {h, name} from "/ui/lib/element.js";
import {Page, empty, problem} from "/ui/lib/page.js";
import {note, url} from "/ui/lib/router.js";
import {DECIDED, OUTCOMES, targetState} from "/ui/lib/words.js";

const TYPES = ["A", "AAAA", "CNAME", "MX", "NS", "PTR", "SOA", "SRV", "TXT"];

function box(step, wins) {
  const object = [step.ruleset, step.object].filter(Boolean).join("/");

  return h("li", {class: "box " + (wins ? "wins" : "loses")},
    h("strong", {}, DECIDED[step.by] || step.by),
    object && h("span", {}, name(object)),
    step.suffix && step.suffix !== step.object && h("span", {class: "hint"}, name(step.suffix)),
    h("em", {}, wins ? "decides" : OUTCOMES[step.outcome] || step.outcome));
}

function leg(item) {
  if (item.kind === "enter")
    return h("li", {}, "enters our own endpoint ", name(item.endpoint), item.loop && [": ", h("span", {class: "warning"}, item.loop)],
      item.decision && block(item.decision));
  return h("li", {}, "asks ", name(item.host), ` by ${item.protocol}`, item.endpoint && [" through ", name(item.endpoint)],
    item.health && [" ", targetState(item.health)]);
}

function verdict(hop) {
  const by = [DECIDED[hop.decided_by] || hop.decided_by, " ", hop.object && name([hop.ruleset, hop.object].filter(Boolean).join("/"))];

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
    hop.records.length > 0 && h("pre", {tabindex: 0, "aria-label": "Records"}, hop.records.join("\n")),
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
      ["from", "another address:"],
    ];
    const asked = ["vnet", "endpoint"].find((key) => this.query.get(key));

    this.field = h("input", {id: "ask-name", required: true, value: this.query.get("name") || "", placeholder: "www.example.com",
                             autocomplete: "off", autocapitalize: "off", spellcheck: "false"});
    this.type = h("input", {id: "ask-type", list: "types", value: this.query.get("type") || "A"});
    this.place = h("select", {id: "ask-place", onchange: () => this.follow()}, places.map(([value, shown]) => h("option", {value}, shown)));
    this.from = h("input", {id: "ask-from", value: this.query.get("from") || "", placeholder: "10.10.1.4", autocomplete: "off"});
    if (this.query.get("from")) this.place.value = "from";
    else if (asked) this.place.value = asked + " " + this.query.get(asked);
    this.result = h("div", {"aria-live": "polite"});
    this.fromField = h("div", {class: "field"}, h("label", {for: "ask-from"}, "Client's address"), this.from);
    this.replaceChildren(h("h1", {}, "Ask"),
      h("form", {class: "tools", onsubmit: (event) => this.submit(event)},
        h("div", {class: "field"}, h("label", {for: "ask-name"}, "Name"), this.field),
        h("div", {class: "field short"}, h("label", {for: "ask-type"}, "Type"), this.type,
          h("datalist", {id: "types"}, TYPES.map((type) => h("option", {value: type})))),
        h("div", {class: "field"}, h("label", {for: "ask-place"}, "Asked by"), this.place), this.fromField,
        h("button", {class: "primary"}, "Explain")),
      this.result);
    this.follow();
    this.field.focus();
    if (this.field.value) await this.explain();
    else this.result.replaceChildren(empty("Give a name to see who would answer it here, and why.",
      h("p", {}, "Nothing is asked for it: the decision is made by the rules and zones that are served now.")));
  }

  follow() {
    this.fromField.hidden = this.place.value !== "from";
  }

  fields() {
    const [key, ...words] = this.place.value.split(" ");

    return {name: this.field.value.trim(), type: this.type.value.trim() || "A",
            [key]: key === "from" ? this.from.value.trim() : words.join(" ")};
  }

  submit(event) {
    event.preventDefault();
    note(url("ask", this.fields()));
    this.attempt(() => this.explain());
  }

  async explain() {
    try {
      const found = await get("explain" + query(this.fields()), {signal: this.signal});

      this.result.replaceChildren(h("p", {}, place(found)), ...found.hops.map(hopView),
        ...found.loop ? [h("p", {class: "warning"}, found.loop)] : []);
    } catch (error) {
      if (error.name === "AbortError") return;
      this.result.replaceChildren(problem(error));
    }
  }
}
customElements.define("ask-page", AskPage);
