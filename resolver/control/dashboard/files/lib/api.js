// Calls of /v1, in the name of who is logged in.

import {current, end} from "./session.js";

const AGAIN_MS = 300;

// What the server refused: its text, the member that is wrong (path), all faults where it tells
// more than one.
export class ApiError extends Error {
  constructor(status, error = {}) {
    super(error.message || `The server answered ${status}.`);
    this.status = status;
    this.path = error.path || null;
    this.faults = error.faults || [];
    this.rows = error.rows || [];
  }
}

// "rulesets", "-", "office", "rules", "a/b" as a path whose segments are encoded.
export function path(...segments) {
  return segments.map(encodeURIComponent).join("/");
}

// "?q=mail&limit=100", of the fields that have a value.
export function query(fields) {
  const kept = Object.entries(fields).filter(([, value]) => value !== "" && value !== null && value !== undefined);

  return kept.length ? "?" + new URLSearchParams(kept) : "";
}

export function headers() {
  return {Authorization: "Bearer " + (current()?.token || "")};
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

// A browser drops what is under way when its machine's network changes; what only reads is asked again,
// once.
async function ask(where, how) {
  try {
    return await fetch(where, how);
  } catch (error) {
    if (error.name === "AbortError" || how.method !== "GET") throw error;
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    return fetch(where, how);
  }
}

// {body, etag}. Throws an ApiError, or an AbortError where the signal says so. A Blob is sent as CSV.
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
  if (answer.status === 401) end("Your login has ended; log in again to go on.");
  if (!answer.ok) throw new ApiError(answer.status, {...got?.error, rows: got?.errors});
  return {body: got, etag: answer.headers.get("ETag")};
}

export async function get(where, how) {
  return (await call("GET", where, how)).body;
}

// Every item of a list that comes in pages.
export async function all(where, key, how) {
  const items = [];

  for (let next = where; next;) {
    const page = await get(next, how);

    items.push(...page[key]);
    next = page.next && page.next.replace(/^\/v1\//, "");
  }
  return items;
}
