// Every view has a URL below /ui/: the name of the page, then "?" and fields for what it shows.

export const router = new EventTarget();

// "/ui/rules?search=contoso"
export function url(page, fields = {}) {
  const kept = Object.entries(fields).filter(([, value]) => value !== "" && value !== null && value !== undefined);

  return "/ui/" + page + (kept.length ? "?" + new URLSearchParams(kept) : "");
}

export function here() {
  return {page: location.pathname.replace(/^\/ui\/?|\/$/g, ""), query: new URLSearchParams(location.search)};
}

export function go(to) {
  history.pushState(null, "", to);
  router.dispatchEvent(new Event("go"));
}

// Makes the URL follow the user's typing, without showing the page anew.
export function note(to) {
  history.replaceState(null, "", to);
}

window.addEventListener("popstate", () => router.dispatchEvent(new Event("go")));

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[href^='/ui/']");

  if (!link || event.defaultPrevented || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey ||
      event.altKey || link.hasAttribute("download")) return;
  event.preventDefault();
  go(link.getAttribute("href"));
});
