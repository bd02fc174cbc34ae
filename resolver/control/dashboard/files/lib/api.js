// Calls of /v1, in the name of the logged-in client.

import {current, end} from "./session.js";

const AGAIN_MS = 300;

// A refusal by the server: its text, the wrong member (path), and all faults if there are several.
export class ApiError extends Error {
  constructor(status, error = {}) {
    super(error.message || `The server answered ${status}.`);
    this.status = status;
    this.path = error.path || null;
    this.faults = error.faults || [];
    this.rows = error.rows || [];
  }
}

// Encodes the segments of a path: "rulesets", "-", "office", "rules", "a/b".
export function path(...segments) {
  return segments.map(encodeURIComponent).join("/");
}

// A query of the fields that have a value: "?q=mail&limit=100".
export function query(fields) {
  const kept = Object.entries(fields).filter(([, value]) => value !== "" && value !== null && value !== undefined);

  return kept.length ? "?" + new URLSearchParams(kept) : "";
}

export function headers() {
  return {Authorization: "Bearer " + (current()?.token || "")};
}

// Ends the session after a refusal of these headers, unless somebody has logged in anew since they were sent.
export function ended({Authorization: sent}) {
  if (sent === headers().Authorization) end("Your login has ended; log in again to go on.");
}

function typed(body) {
  if (body === undefined) return {};
  if (body instanceof Blob) return {body, type: "text/csv"};
  return {body: JSON.stringify(body), type: "application/json"};
}

async function parsed(answer) {
  const text = await answer.text();

  if (!(answer.headers.get("Content-Type") || "").startsWith("application/json")) return text;
  return text ? JSON.parse(text) : null;
}

// Repeats a GET once, because a browser drops pending requests when its machine's network changes.
async function ask(where, how) {
  try {
    return await fetch(where, how);
  } catch (error) {
    if (error.name === "AbortError" || how.method !== "GET") throw error;
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    return fetch(where, how);
  }
}

// Returns {body, etag}. Throws an ApiError, or an AbortError if the signal aborts. A Blob is sent as CSV.
export async function call(method, where, {body, etag, none, signal} = {}) {
  const sent = typed(body);
  const all = headers();
  let answer;

  if (sent.type) all["Content-Type"] = sent.type;
  if (etag) all["If-Match"] = etag;
  if (none) all["If-None-Match"] = "*";
  try {
    answer = await ask("/v1/" + where, {method, headers: all, body: sent.body, signal});
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(0, {message: "The server cannot be reached. Is it running?"});
  }
  const got = await parsed(answer);
  if (answer.status === 401) ended(all);
  if (!answer.ok) throw new ApiError(answer.status, {...got?.error, rows: got?.errors});
  return {body: got, etag: answer.headers.get("ETag")};
}

export async function get(where, how) {
  return (await call("GET", where, how)).body;
}

// All items of a list that comes in pages.
export async function all(where, key, how) {
  const items = [];

  for (let next = where; next;) {
    const page = await get(next, how);

    items.push(...page[key]);
    next = page.next && page.next.replace(/^\/v1\//, "");
  }
  return items;
}
