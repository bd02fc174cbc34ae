// The login, which belongs to this tab and ends with it: a token of the API, never a cookie.

import {count} from "./element.js";

const KEY = "sluice-session";

export const session = new EventTarget();

// {client, role, token}, or null. The server decides by its own clock whether the token is still valid.
export function current() {
  return JSON.parse(sessionStorage.getItem(KEY) || "null");
}

export function isAdmin() {
  return current()?.role === "admin";
}

function tell(reason) {
  session.dispatchEvent(new CustomEvent("change", {detail: reason}));
}

// Ends the session; the login page shows the reason.
export function end(reason = "") {
  sessionStorage.removeItem(KEY);
  tell(reason);
}

// Ends the token at the server as well; if the request fails, it expires there within the hour.
export function logOut() {
  const {token} = current();
  fetch("/v3/auth/tokens", {
    method: "DELETE",
    headers: {"X-Auth-Token": token, "X-Subject-Token": token},
    keepalive: true,
  }).catch(() => {});
  end();
}

function refusal(status, wait) {
  if (status === 401) return "No client has this id and secret.";
  if (status === 429) return `Too many logins have failed; try again in ${wait ? count(Number(wait), "second") : "some seconds"}.`;
  return `The server did not log you in (${status}).`;
}

function begin(client, role, token) {
  sessionStorage.setItem(KEY, JSON.stringify({client, role, token}));
  tell("");
}

function post(where, body) {
  return fetch(where, {method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify(body)})
    .catch(() => { throw new Error("The server cannot be reached."); });
}

// Throws an Error whose message is for the user.
export async function logIn(client, secret) {
  const user = {name: client, domain: {id: "default"}, password: secret};
  const answer = await post("/v3/auth/tokens", {auth: {identity: {methods: ["password"], password: {user}}}});

  if (answer.status !== 201) throw new Error(refusal(answer.status, answer.headers.get("Retry-After")));
  const {token} = await answer.json();
  begin(client, token.roles.some((one) => one.name === "admin") ? "admin" : "reader", answer.headers.get("X-Subject-Token"));
}

// The code of a link that `sluice dashboard` printed ("#login=..."); null: there is none. Removes it from the
// address, so that it is in no bookmark.
export function takeCode() {
  const [, code] = /^#login=([0-9a-f]+)$/.exec(location.hash) || [];

  if (!code) return null;
  history.replaceState(null, "", location.pathname + location.search);
  return code;
}

// Throws like logIn.
export async function logInByCode(code) {
  const answer = await post("/v1/login", {code});

  if (answer.status === 401) throw new Error("This link was used already, or is older than a minute. sluice dashboard prints another one.");
  if (answer.status === 403) throw new Error("This link logs in on the server's own machine alone.");
  if (answer.status !== 201) throw new Error(refusal(answer.status, answer.headers.get("Retry-After")));
  const {client, role, token} = await answer.json();
  begin(client, role, token);
}
