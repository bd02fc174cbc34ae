// What happens on the server, as it happens (GET /v1/events), for every page of every tab.
//
// A client has one such stream at a time, and another one ends the first. So of all tabs that are logged
// in as the same client one reads the stream, which a lock decides, and tells the others; when it is
// closed another one gets the lock.
//
// fetch() reads it, because an EventSource cannot send a token.

import {headers} from "./api.js";
import {current, end, session} from "./session.js";

const SOON_MS = 1000, LATE_MS = 30000, LASTING_MS = 10000;

// How long to wait before it is tried again, after one that began then. One that ends at once may be
// taken away by another browser of the same client: no race for it.
export function waitAfter(begun, wait) {
  return Date.now() - begun > LASTING_MS ? SOON_MS : Math.min(2 * wait, LATE_MS);
}

// "event" with an event of the server's; "live" with whether there is a stream.
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

// Of the tab that has the stream.
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

// One event of the text/event-stream; {} for a comment.
function parse(block) {
  const event = {};

  for (const line of block.split("\n")) {
    const [, key, value] = /^(\w+): ?(.*)$/.exec(line) || [];
    if (key) event[key] = value;
  }
  return event;
}

// Any stream of the API's, until it ends. Calls back when it has begun, and with the fields of each
// of its events, as texts. Gives the status of an answer that is none, else 0.
export async function readStream(where, signal, onBegin, onEvent) {
  const answer = await fetch(where, {headers: {...headers(), Accept: "text/event-stream"}, signal});
  let text = "";

  if (answer.status === 401) end("Your login has ended; log in again to go on.");
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

// It goes on behind the last event that this tab has heard of.
function read(signal) {
  return readStream("/v1/events" + (last ? "?after=" + last : ""), signal, () => shareLive(true, signal),
    ({data}) => share("event", JSON.parse(data), signal));
}

async function follow(signal) {
  for (let wait = SOON_MS; !signal.aborted;) {
    const begun = Date.now();

    await read(signal).catch(() => {}); // whatever broke it, it is tried again
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
  // The lock is let go at once, not when what is being read has ended: a page that the browser has
  // put aside comes no further.
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
// A page that is left is kept by the browser for a while, and would keep the lock.
window.addEventListener("pagehide", () => stop?.());
window.addEventListener("pageshow", ({persisted}) => persisted && again());
again();
