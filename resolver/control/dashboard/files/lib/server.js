// The server's name and version, which need no login: the login page shows them.

export const server = Object.assign(new EventTarget(), {called: "", version: ""});

// Asks again, because a new version may have taken over. Without an answer, name and version stay.
export async function askServer() {
  const answer = await fetch("/v1/server").catch(() => null);

  if (!answer?.ok) return;
  const {server: called, version} = await answer.json();
  if (called === server.called && version === server.version) return;
  Object.assign(server, {called, version});
  server.dispatchEvent(new Event("change"));
}

// "Rules - dns1 - sluice"
export function showTitle(page) {
  server.page = page;
  document.title = [page, server.called, "sluice"].filter(Boolean).join(" - ");
}

server.addEventListener("change", () => showTitle(server.page));
