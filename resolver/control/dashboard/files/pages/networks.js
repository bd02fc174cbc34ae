// Networks, and what is reached from them: endpoints, zones, rulesets, targets, as a picture and, for users who do not
// see it, as a table. A dead target colours everything that needs it, up to the network.

import {get, path} from "../lib/api.js";
import {count, h, name} from "../lib/element.js";
import {kindNamed} from "../lib/kinds.js";
import {Page, empty} from "../lib/page.js";
import {url} from "../lib/router.js";
import {isAdmin} from "../lib/session.js";
import {reference, targetWord} from "../lib/words.js";
import {NetworkPicture} from "../parts/picture.js";
import {createResource, resourceLink} from "../parts/resource.js";
import {DataTable} from "../parts/table.js";

// More boxes of one kind become one box; a longer column ends with one box for the rest.
const MANY = 6, COLUMN = 12;
const DEFAULT = "default resolver", SERVERS = "DNS servers of ";
const WORST = ["bad", "warn"];

function worst(moods) {
  return WORST.find((mood) => moods.includes(mood)) || "plain";
}

function sorted(nodes) {
  const rank = ({mood}) => (WORST.indexOf(mood) + 1 || WORST.length + 1);

  return [...nodes].sort((a, b) => rank(a) - rank(b));
}

// The boxes of one kind; more than MANY become one box.
function bundled(nodes, many, bundle) {
  return nodes.length <= many ? sorted(nodes) : [{...bundle(nodes), mood: worst(nodes.map((node) => node.mood)), nodes: sorted(nodes)}];
}

// The first nodes of a column, the worst on top, and the others in one box.
function limited(nodes, what) {
  const all = sorted(nodes);

  if (all.length <= COLUMN) return all;
  const rest = all.slice(COLUMN - 1).flatMap((node) => node.nodes || [node]);

  const hurt = rest.filter(({mood}) => WORST.includes(mood)).length;

  return [...all.slice(0, COLUMN - 1), ...bundled(rest, 0, () => ({id: "rest " + what, title: `${rest.length.toLocaleString("en")} more ${what}`, what,
    note: hurt ? `${hurt.toLocaleString("en")} of them with failures` : null}))];
}

// ---- consequences of dead targets ----

function isDead(target) {
  return targetWord(target)[0] === "bad";
}

// For each user of targets, such as a ruleset, by name: the number of its dead targets and of its rules that cannot be
// answered, and those rules' names.
function needs(status) {
  const found = new Map();
  const of = (user) => found.get(user) || found.set(user, {targets: 0, dead: 0, unanswered: 0, rules: new Set()}).get(user);

  for (const target of status.targets)
    for (const {name: user, unanswered} of target.users) {
      const need = of(user);

      need.targets++;
      if (!isDead(target)) continue;
      need.dead++;
      need.unanswered = Math.max(need.unanswered, unanswered);
    }
  const lost = new Map();
  for (const rule of status.unanswered.rules) {
    const user = rule.includes(" ") ? rule : rule.slice(0, rule.lastIndexOf("/"));

    lost.set(user, (lost.get(user) || 0) + 1);
    of(user).rules.add(rule);
  }
  for (const [user, rules] of lost) of(user).unanswered = Math.max(of(user).unanswered, rules);
  return found;
}

// [mood, words] of a user of targets. one: "rule" for a ruleset, whose rules are counted; "" for a
// user without rules: the default resolver, or a network with its own DNS servers.
function judged(need, one = "rule") {
  if (need?.unanswered && one !== "rule") return ["bad", "cannot be answered"];
  if (need?.unanswered) return ["bad", count(need.unanswered, one) + " cannot be answered"];
  if (need?.dead) return ["warn", `${need.dead} of ${count(need.targets, "target")} down`];
  return ["plain", ""];
}

// What is wrong in a network. Its own DNS servers are asked instead of rulesets and the default resolver.
function troubles(network, status, found) {
  const users = network.dns_servers.length ? [SERVERS + network.name] : [...network.rulesets, DEFAULT];
  const gone = (list) => list.filter((one) => one.network === network.name && !one.present);
  const absent = [...gone(status.inbound_endpoints), ...status.outbound_endpoints.filter((one) => !one.present &&
    status.rulesets.some((set) => network.rulesets.includes(set.name) && set.outbound_endpoints.includes(one.name)))];

  return [
    ...absent.map((one) => ({mood: "bad", text: `${one.name}: its address is not there`})),
    ...users.map((user) => [user, ...judged(found.get(user), network.rulesets.includes(user) ? "rule" : "")])
      .filter(([, mood]) => mood !== "plain").map(([user, mood, words]) => ({mood, text: `${user}: ${words}`})),
  ];
}

// ---- the picture ----

// The address space without prefixes that the program made for endpoints without an address.
function ownSpace(one) {
  return one.address_space.filter((prefix) => !one.made_address_space?.includes(prefix));
}

function made(one, words) {
  return one.made ? "made by sluice, " + words : words;
}

function entrance(one) {
  const address = one.listen || (one.made_address ? "" : one.address);

  return {id: "in " + one.name, title: one.name, made: one.made, mood: one.present ? "plain" : "bad",
          note: one.present ? made(one, address || "no address of its own") : `${address} is not there`,
          href: one.network ? url("ask", {endpoint: one.name}) : url("ask")};
}

function targetNode(one) {
  const [mood, words] = targetWord(one);

  return {id: "to " + one.host + one.protocol, title: one.host + (one.protocol === "tcp" ? " tcp" : ""), note: words, mood: mood === "soft" ? "plain" : mood,
          href: url("target", {target: one.host, protocol: one.protocol})};
}

// Targets with the same outbound endpoint and users stand together; more than MANY become one box.
function targetNodes(targets) {
  const groups = Map.groupBy(targets, (one) => JSON.stringify([one.endpoint, one.users.map((user) => user.name)]));

  return [...groups].flatMap(([key, list]) => {
    const [endpoint, users] = JSON.parse(key), dead = list.filter(isDead).length, of = users.join(", ") || "nobody";

    return bundled(list.map(targetNode), MANY, () => ({id: "targets " + key, title: `${count(list.length, "target")} of ${of}`, what: "its targets",
      note: dead ? `${dead} of them down` : "none of them down", href: url("targets", {search: users.length === 1 ? users[0] : endpoint || ""})}));
  });
}

function zoneNodes(zones) {
  const nodes = zones.map((one) => ({id: "zone " + one.name, title: one.name, mood: "plain", note: count(one.records, "record"),
    href: url("zones", {search: one.name}), networks: one.networks.join(", ")}));

  return [...Map.groupBy(nodes, (one) => one.networks)].flatMap(([networks, list]) => bundled(list, MANY, () => ({id: "zones " + networks,
    title: count(list.length, "zone"), what: "its zones", note: networks ? "linked to " + networks : "linked to no network", href: url("zones")})));
}

// The box has the rules that cannot be answered; its title leads to all rules.
function rulesetNode(one, need) {
  const [mood, words] = judged(need), href = url("rules", {search: one.name + "/"});
  const node = {id: "set " + one.name, title: one.name, mood, note: words ? `${words}, of ${one.rules}` : count(one.rules, "rule"), href};
  const rules = [...need?.rules || []].map((rule) => ({id: "rule " + rule, title: rule.slice(one.name.length + 1), mood: "bad", note: "cannot be answered",
    href: url("rules", {rule})}));

  return rules.length ? {...node, nodes: rules, what: "rules that cannot be answered", more: {title: "All " + count(one.rules, "rule"), href}} : node;
}

function columns(status, found) {
  // A target asked from several addresses is as bad as its worst row, which comes first.
  const targets = [...new Map([...status.targets].reverse().map((one) => [one.host + one.protocol, one])).values()].reverse();
  const [mood, words] = judged(found.get(DEFAULT), "");

  return [
    {title: "Asked at", nodes: limited([...status.inbound_endpoints, ...status.vnet_resolver].map(entrance), "endpoints")},
    {title: "Networks", nodes: limited(status.networks.map((one) => {
      const wrong = troubles(one, status, found);

      return {id: "net " + one.name, title: one.name, mood: worst(wrong.map((trouble) => trouble.mood)), href: url("ask", {vnet: one.name}),
              note: wrong.length ? wrong.map(({text}) => text).join("; ") : one.dns_servers.length ? "asks " + one.dns_servers.join(", ") : ownSpace(one).join(", ")};
    }), "networks")},
    {title: "Zones and rulesets", nodes: limited([...status.rulesets.map((one) => rulesetNode(one, found.get(one.name))),
      ...bundled([{id: "default", title: DEFAULT, mood, note: words, href: url("targets", {search: DEFAULT})}], MANY), ...zoneNodes(status.zones)], "zones and rulesets")},
    {title: "Outbound endpoints", nodes: limited(status.outbound_endpoints.map((one) => ({id: "out " + one.name, title: one.name, made: one.made,
      note: one.present ? made(one, one.source || "any address") : `${one.source} is not there`, mood: one.present ? "plain" : "bad",
      href: url("targets", {search: one.name})})), "endpoints")},
    {title: "Targets", nodes: limited(targetNodes(targets), "targets")},
  ];
}

function lines(status, found) {
  const mood = (user) => judged(found.get(user))[0];

  return [
    ...status.inbound_endpoints.map((one) => ["in " + one.name, "net " + one.network]),
    ...status.vnet_resolver.flatMap((one) => status.networks.map((network) => ["in " + one.name, "net " + network.name])),
    ...status.zones.flatMap((one) => one.networks.map((network) => ["net " + network, "zone " + one.name])),
    ...status.rulesets.flatMap((one) => one.networks.map((network) => ["net " + network, "set " + one.name, mood(one.name)])),
    ...status.rulesets.flatMap((one) => one.outbound_endpoints.map((endpoint) => ["set " + one.name, "out " + endpoint, mood(one.name)])),
    ...status.networks.map((one) => ["net " + one.name, "default", mood(DEFAULT)]),
    ...status.targets.map((one) => [one.endpoint ? "out " + one.endpoint : "default", "to " + one.host + one.protocol, isDead(one) ? "bad" : ""]),
  ];
}

export class NetworksPage extends Page {
  async show() {
    this.onEvents(({event}) => ["change", "reload", "target", "source", "rule"].includes(event), () => this.load());
    this.picture = new NetworkPicture("What is reached from where");
    this.table = new DataTable("Networks", this.columns(), empty("There is no network yet.",
      h("p", {}, "Everything is asked inside of one. Declare it in the configuration file, ",
        h("a", {href: url("resources", {kind: "network"})}, "add it here"), ", or make it: "),
      h("pre", {}, "sluice network create hub address_space=10.10.0.0/16")),
    ({wrong}) => wrong.length ? 1 + WORST.length - WORST.indexOf(worst(wrong.map((one) => one.mood))) : 0);
    this.replaceChildren(h("div", {class: "title"}, h("h1", {}, "Networks"),
      isAdmin() && h("button", {class: "primary", type: "button", onclick: () => this.attempt(() => this.add())}, "Add a network")), this.picture, this.table);
    await this.load();
  }

  async add() {
    await createResource(await kindNamed("network"));
    await this.load();
  }

  columns() {
    const own = this.status?.networks.some((one) => one.dns_servers.length);

    return [
      {title: "Network", cell: (one) => resourceLink(path("virtual_networks", ...reference(one.name).split("/")), one.name), sort: (one) => one.name},
      {title: "State", mood: true, cell: ({wrong}) => wrong.length ? wrong.map(({mood, text}) => h("div", {class: "state " + mood}, name(text)))
        : h("span", {class: "state good"}, "all is well")},
      {title: "Address space", cell: (one) => ownSpace(one).map((prefix) => h("div", {}, name(prefix)))},
      ...own ? [{title: "Own DNS servers", cell: (one) => one.dns_servers.length ? name(one.dns_servers.join(", ")) : "none"}] : [],
      {title: "Asked at", cell: (one) => name(this.status.inbound_endpoints.filter((end) => end.network === one.name).map((end) => end.name).join(", "))},
      {title: "Zones", cell: (one) => name(this.status.zones.filter((zone) => zone.networks.includes(one.name)).map((zone) => zone.name).join(", "))},
      {title: "Rulesets", cell: (one) => name(one.rulesets.join(", "))},
    ];
  }

  async read() {
    const status = await get("status", {signal: this.signal}), found = needs(status);

    this.status = status;
    this.picture.hidden = !status.networks.length;
    this.picture.fill(columns(status, found), lines(status, found));
    this.table.columns = this.columns();
    this.table.fill(status.networks.map((one) => ({...one, wrong: troubles(one, status, found)})));
  }
}
customElements.define("networks-page", NetworksPage);
