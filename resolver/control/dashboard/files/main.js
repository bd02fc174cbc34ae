// The frame around the pages: navigation, the logged-in client, and the page for the URL.

import {h, name, visible} from "./lib/element.js";
import {here, router, url} from "./lib/router.js";
import {askServer, server, showTitle} from "./lib/server.js";
import {current, logInByCode, logOut, session, takeCode} from "./lib/session.js";
import {stream} from "./lib/stream.js";
import {WaitingBanner} from "./parts/banner.js";
import {LoginForm} from "./parts/login.js";
import {AddressPage} from "./pages/address.js";
import {AskPage} from "./pages/ask.js";
import {ChangesPage} from "./pages/changes.js";
import {NetworksPage} from "./pages/networks.js";
import {NowPage} from "./pages/now.js";
import {QueriesPage} from "./pages/queries.js";
import {RegisteredPage} from "./pages/registered.js";
import {ReportsPage} from "./pages/reports.js";
import {ResourcePage} from "./pages/resource.js";
import {ResourcesPage} from "./pages/resources.js";
import {ReversePage} from "./pages/reverse.js";
import {RulesPage} from "./pages/rules.js";
import {TargetPage} from "./pages/target.js";
import {TargetsPage} from "./pages/targets.js";
import {ZonePage} from "./pages/zone.js";
import {ZonesPage} from "./pages/zones.js";

// /ui/ leads to the first page. A page without a title is reached from the page in `under`.
const PAGES = [
  {page: "now", title: "Now", type: NowPage},
  {page: "ask", title: "Ask", type: AskPage},
  {page: "reports", title: "Reports", type: ReportsPage},
  {page: "networks", group: "Network", title: "Networks", type: NetworksPage},
  {page: "rules", group: "Network", title: "Rules", type: RulesPage},
  {page: "targets", group: "Network", title: "Targets", type: TargetsPage},
  {page: "target", under: "targets", type: TargetPage},
  {page: "zones", group: "Network", title: "Zones", type: ZonesPage},
  {page: "zone", under: "zones", type: ZonePage},
  {page: "registered", under: "zones", type: RegisteredPage},
  {page: "reverse", group: "Network", title: "DNS Reverse", type: ReversePage},
  {page: "address", under: "reverse", type: AddressPage},
  {page: "resources", group: "Network", title: "Resources", type: ResourcesPage},
  {page: "resource", under: "resources", type: ResourcePage},
  {page: "queries", title: "Queries", type: QueriesPage},
  {page: "changes", title: "Changes", type: ChangesPage},
];

const live = h("span", {class: "live", role: "status"});
const called = h("span", {class: "called"});
const main = h("main", {id: "main", tabindex: "-1"});

function item(page, shown) {
  return h("li", {}, h("a", {href: url(page.page), "aria-current": page.page === shown && "page"}, page.title));
}

// Pages of a group stand under its name, as in Network > DNS Reverse.
function navigation(shown) {
  const nav = h("nav", {id: "pages", "aria-label": "Pages"});
  let group, list;

  for (const page of PAGES.filter((one) => one.title)) {
    if (!list || page.group !== group) {
      group = page.group;
      list = h("ul", {"aria-label": group});
      nav.append(...group ? [h("p", {class: "group", "aria-hidden": "true"}, group)] : [], list);
    }
    list.append(item(page, shown));
  }
  return nav;
}

// On a phone a button shows the pages over everything; choosing anything hides them.
const menu = h("button", {class: "menu-button", type: "button", "aria-controls": "pages", onclick: () => showMenu(menu.ariaExpanded !== "true")}, "Menu");

function showMenu(shown) {
  menu.ariaExpanded = String(shown);
  document.querySelector("nav")?.classList.toggle("shown", shown);
}

function header({client, role}) {
  return h("header", {}, menu, h("a", {class: "brand", href: "/ui/"}, "sluice"), called, live,
    h("span", {class: "who", title: `${visible(client)} (${role})`}, name(client), h("span", {class: "role"}, ` (${role})`)),
    h("button", {type: "button", onclick: logOut}, "Log out"));
}

// The page of an unknown path. It needs no login; its link leads to a page that asks for one.
function nothingHere() {
  return h("div", {class: "nowhere" + (current() ? "" : " login")}, h("h1", {}, "There is no such page"),
    h("p", {}, "The address may be mistyped, or the page has another name now."),
    h("p", {}, h("a", {class: "button", href: url("")}, "Go to the first page")));
}

function pageHere() {
  const {page} = here();

  return PAGES.find((one) => one.page === (page || PAGES[0].page));
}

function show(focus) {
  const found = pageHere(), shown = found?.under || found?.page;
  const content = found ? new found.type() : nothingHere();

  content.query = here().query;
  showTitle(found ? found.title || PAGES.find((one) => one.page === shown).title : "No such page");
  document.querySelector("nav")?.replaceWith(navigation(shown));
  showMenu(false);
  main.replaceChildren(content);
  if (focus) main.focus();
}

function begin(reason) {
  const who = current();

  document.querySelectorAll("dialog").forEach((dialog) => dialog.close());
  main.replaceChildren();
  if (!who && !pageHere()) {
    document.body.replaceChildren(main);
    show(false);
    return;
  }
  if (!who) {
    showTitle("Log in");
    document.body.replaceChildren(new LoginForm(reason));
    return;
  }
  document.body.replaceChildren(h("a", {class: "skip", href: "#main"}, "To the content"),
    header(who), new WaitingBanner(), h("div", {class: "frame"}, navigation(), main));
  show(false);
}

// A link with a code logs in first. In a tab that already has the dashboard, the page begins anew.
async function enter() {
  const code = takeCode();

  if (code) await logInByCode(code).catch(({message}) => begin(message));
  else if (!document.querySelector("main")) begin();
}

stream.addEventListener("live", ({detail}) => {
  live.className = "live " + (detail ? "on" : "off");
  live.replaceChildren(detail ? "live" : "not live, trying again");
  if (detail) askServer();
});
server.addEventListener("change", () => called.replaceChildren(name(server.called), " ", h("span", {class: "version"}, server.version)));
session.addEventListener("change", ({detail}) => begin(detail));
document.addEventListener("keydown", ({key}) => {
  if (key !== "Escape" || menu.ariaExpanded !== "true") return;
  showMenu(false);
  menu.focus();
});
router.addEventListener("go", () => current() ? show(true) : begin());
window.addEventListener("hashchange", enter);
askServer();
enter();
