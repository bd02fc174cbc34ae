// Networks, and what is reached from them: endpoints, zones, rulesets, targets, as a picture and, for
// whom a picture says nothing, as a table.

import {get} from "/ui/lib/api.js";
import {count, h, name} from "/ui/lib/element.js";
import {Page, empty} from "/ui/lib/page.js";
import {url} from "/ui/lib/router.js";
import {targetWord} from "/ui/lib/words.js";
import {picture} from "/ui/parts/picture.js";
import {DataTable} from "/ui/parts/table.js";

const MOST = 25; // boxes of a column

// The first ones, and one box for the rest.
function limited(nodes, href) {
  if (nodes.length <= MOST) return nodes;
  return [...nodes.slice(0, MOST), {id: "more " + href, title: `and ${nodes.length - MOST} more`, href}];
}

function entrance(one) {
  return {id: "in " + one.name, title: one.name, note: one.listen || one.address, mood: one.present ? "good" : "bad",
          href: one.network ? url("ask", {endpoint: one.name}) : url("ask")};
}

// Without what the program took for endpoints that nobody gave an address.
function ownSpace(one) {
  return one.address_space.filter((prefix) => !one.made_address_space?.includes(prefix));
}

function columns(status) {
  // One that is asked from several addresses is as bad as the worst of them, which comes first.
  const targets = [...new Map([...status.targets].reverse().map((one) => [one.host + one.protocol, one])).values()].reverse();

  return [
    {title: "Asked at", nodes: limited([...status.inbound_endpoints, ...status.vnet_resolver].map(entrance), url("ask"))},
    {title: "Networks", nodes: limited(status.networks.map((one) => ({id: "net " + one.name, title: one.name, mood: "plain",
      note: one.dns_servers.length ? "asks " + one.dns_servers.join(", ") : ownSpace(one).join(", "), href: url("ask", {vnet: one.name})})), url("networks"))},
    {title: "Zones and rulesets", nodes: limited([
      ...status.zones.map((one) => ({id: "zone " + one.name, title: one.name, mood: "plain", note: count(one.records, "record"), href: url("zones")})),
      ...status.rulesets.map((one) => ({id: "set " + one.name, title: one.name, mood: "plain", note: count(one.rules, "rule"),
                                        href: url("rules", {search: one.name + "/"})})),
      {id: "default", title: "default resolver", mood: "plain", href: url("targets", {search: "default resolver"})}], url("rules"))},
    {title: "Outbound endpoints", nodes: limited(status.outbound_endpoints.map((one) => ({id: "out " + one.name, title: one.name,
      note: one.source || "any address", mood: one.present ? "good" : "bad", href: url("targets", {search: one.name})})), url("targets"))},
    {title: "Targets", nodes: limited(targets.map((one) => ({id: "to " + one.host + one.protocol, title: one.host,
      note: targetWord(one)[1], mood: targetWord(one)[0], href: url("target", {target: one.host, protocol: one.protocol})})), url("targets"))},
  ];
}

function lines(status) {
  return [
    ...status.inbound_endpoints.map((one) => ["in " + one.name, "net " + one.network]),
    ...status.vnet_resolver.flatMap((one) => status.networks.map((network) => ["in " + one.name, "net " + network.name])),
    ...status.zones.flatMap((one) => one.networks.map((network) => ["net " + network, "zone " + one.name])),
    ...status.rulesets.flatMap((one) => one.networks.map((network) => ["net " + network, "set " + one.name])),
    ...status.rulesets.flatMap((one) => one.outbound_endpoints.map((endpoint) => ["set " + one.name, "out " + endpoint])),
    ...status.networks.map((one) => ["net " + one.name, "default"]),
    ...status.targets.map((one) => [one.endpoint ? "out " + one.endpoint : "default", "to " + one.host + one.protocol]),
  ];
}

export class NetworksPage extends Page {
  async show() {
    this.onEvents(({event}) => ["change", "reload", "target", "source"].includes(event), () => this.load());
    this.drawing = h("div", {class: "drawing", tabindex: 0, role: "region", "aria-label": "What is reached from where"});
    this.table = new DataTable("Networks", [
      {title: "Network", cell: (one) => h("strong", {}, name(one.name))},
      {title: "Address space", cell: (one) => ownSpace(one).map((prefix) => h("div", {}, name(prefix)))},
      {title: "Own DNS servers", cell: (one) => one.dns_servers.length ? name(one.dns_servers.join(", ")) : "none"},
      {title: "Asked at", cell: (one) => name(this.status.inbound_endpoints.filter((end) => end.network === one.name).map((end) => end.name).join(", "))},
      {title: "Zones", cell: (one) => name(this.status.zones.filter((zone) => zone.networks.includes(one.name)).map((zone) => zone.name).join(", "))},
      {title: "Rulesets", cell: (one) => name(one.rulesets.join(", "))},
    ], empty("There is no network yet.", h("p", {}, "Everything is asked inside of one. Declare it in the configuration file, or make it: "),
      h("pre", {}, "sluice network create hub address_space=10.10.0.0/16")));
    this.replaceChildren(h("h1", {}, "Networks"), this.drawing, this.table);
    await this.load();
  }

  async read() {
    this.status = await get("status", {signal: this.signal});
    this.drawing.replaceChildren(...this.status.networks.length ? [picture("What is reached from where", columns(this.status), lines(this.status))] : []);
    this.table.fill(this.status.networks);
  }
}
customElements.define("networks-page", NetworksPage);
