// Events of the server as they happen (GET /v1/events), for every page of every tab.
//
// A client has one such stream at a time, and another one ends the first. So of all tabs that are logged in as
// the same client only one, which holds a lock, reads the stream, and tells the others; when it is closed
// another tab gets the lock.
//
// fetch() reads it, because an EventSource cannot send a token.

import {ended, headers} from "./api.js";
import {current, session} from "./session.js";

const SOON_MS = 1000, LATE_MS = 30000, LASTING_MS = 10000;

// The wait before the next try, after a stream that began at `begun`. If a stream ends at once, another browser of the
// same client may have taken it: the growing wait avoids a race.
export function waitAfter(begun, wait) {
  return Date.now() - begun > LASTING_MS ? SOON_MS : Math.min(2 * wait, LATE_MS);
}

// Dispatches "event" with an event of the server, and "live" with whether there is a stream.
export const stream = new EventTarget();

let channel, stop, last = "", live = false;

function tell(type, detail) {
  if (type === "event") last = detail.id;
  stream.dispatchEvent(new CustomEvent(type, {detail}));
}

function share(type, detail, signal) {
  if (signal.aborted) return;
  tell(type, detail);
  channel.postMessage({type, detail});
}

// Called in the tab that has the stream.
function shareLive(is, signal) {
  live = is;
  share("live", live, signal);
}

export function sleep(ms, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => { clearTimeout(timer); resolve(); });
  });
}

// Parses one event of a text/event-stream; {} for a comment.
function parse(block) {
  const event = {};

  for (const line of block.split("\n")) {
    const [, key, value] = /^(\w+): ?(.*)$/.exec(line) || [];
    if (key) event[key] = value;
  }
  return event;
}

// Reads any stream of the API until it ends. Calls onBegin when it has begun, and onEvent with the fields of each
// event, as texts. Returns the status of a refusal, else 0.
export async function readStream(where, signal, onBegin, onEvent) {
  const sent = headers(), answer = await fetch(where, {headers: {...sent, Accept: "text/event-stream"}, signal});
  let text = "";

  if (answer.status === 401) ended(sent);
  if (!answer.ok) return answer.status;
  onBegin();
  for (const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();;) {
    const {value, done} = await reader.read();

    if (done) return 0;
    const blocks = (text + value).split("\n\n");
    text = blocks.pop();
    for (const event of blocks.map(parse))
      if (event.data) onEvent(event);
  }
}

// Reads the events after the last one that this tab knows.
function read(signal) {
  return readStream("/v1/events" + (last ? "?after=" + last : ""), signal, () => shareLive(true, signal),
    ({data}) => share("event", JSON.parse(data), signal));
}

async function follow(signal) {
  for (let wait = SOON_MS; !signal.aborted;) {
    const begun = Date.now();

    await read(signal).catch(() => {}); // after any failure it is tried again
    shareLive(false, signal);
    wait = waitAfter(begun, wait);
    await sleep(wait, signal);
  }
}

function begin(client) {
  const aborter = new AbortController();

  channel = new BroadcastChannel("sluice-events-" + client);
  channel.onmessage = ({data}) => {
    if (data.type !== "ask") tell(data.type, data.detail);
    else if (live) channel.postMessage({type: "live", detail: true});
  };
  channel.postMessage({type: "ask"});
  // Gives the lock back at once, without waiting for the end of a read: a page that the browser has put aside does not
  // run on.
  const stopped = new Promise((resolve) => aborter.signal.addEventListener("abort", resolve));
  navigator.locks.request("sluice-stream-" + client, {signal: aborter.signal},
    () => Promise.race([stopped, follow(aborter.signal)])).catch(() => {});
  stop = () => {
    aborter.abort();
    channel.close();
    [stop, last, live] = [null, "", false];
  };
}

function again() {
  stop?.();
  if (current()) begin(current().client);
}

session.addEventListener("change", again);
// The browser keeps a page for a while after the user leaves it; such a page must not keep the lock.
window.addEventListener("pagehide", () => stop?.());
window.addEventListener("pageshow", ({persisted}) => persisted && again());
again();
