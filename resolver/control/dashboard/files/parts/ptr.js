// Actions for a PTR, on the list and on the page of its address: Set and Unset.

import {call, get, path} from "../lib/api.js";
import {h, name} from "../lib/element.js";
import {said} from "../lib/kinds.js";
import {sleep} from "../lib/stream.js";
import {ask} from "./dialog.js";
import {MoreMenu} from "./more.js";
import {notice, warn} from "./notice.js";

const AGAIN_MS = 500, LATE_MS = 5000;

function where(ptr) {
  return "ptrs/" + path(ptr.id);
}

// Waits until every worker answers the PTR, or the page is left; `show` gets its states meanwhile.
async function untilServed(ptr, {signal}, show) {
  show(ptr);
  for (let wait = AGAIN_MS; ptr.status === "PENDING"; wait = Math.min(wait + AGAIN_MS, LATE_MS)) {
    await sleep(wait, signal);
    signal.throwIfAborted();
    ptr = await get(where(ptr), {signal});
    show(ptr);
  }
}

// The dialog shows refusals, which a dry run finds. After the dialog the PTR is shown as Pending
// until the server has checked whether the name leads back, and every worker serves the PTR.
async function set(ptr, page, show) {
  let body;
  const fields = [
    {name: "reverse_fqdn", label: said("reverse_fqdn"), required: true, value: ptr.reverse_fqdn, placeholder: "smtp.example.com.",
     hint: "The whole name that the address resolves to, with a dot at its end; it should have an address record that leads back."},
    {name: "description", label: "Description", value: ptr.description},
    {name: "ttl", label: "TTL (seconds)", type: "number", min: 0, value: ptr.ttl, placeholder: "3600", hint: "0: it is not to be cached."},
  ];
  const confirmed = await ask({
    title: "Set PTR domain name", text: h("p", {}, "Of ", name(ptr.address), "."), fields,
    work: async ({reverse_fqdn, description, ttl}) => {
      body = {reverse_fqdn: reverse_fqdn.endsWith(".") ? reverse_fqdn : reverse_fqdn + ".", description: description || null, ttl};
      await call("PUT", where(ptr) + "?dry_run", {body, etag: ptr.etag});
    },
  });

  if (!confirmed) return;
  show({...ptr, ...body, status: "PENDING", action: ptr.reverse_fqdn ? "UPDATE" : "CREATE"});
  try {
    const made = await call("PUT", where(ptr), {body, etag: ptr.etag});

    warn(made.body.warnings);
    await untilServed(made.body, page, show);
    notice("The PTR of ", name(ptr.address), " is set.");
  } catch (error) {
    show(ptr);
    throw error;
  }
}

async function unset(ptr, page, show) {
  const done = await ask({
    title: "Unset PTR domain name?", confirm: "Unset", danger: true,
    text: h("p", {}, name(ptr.address), " resolves to ", name(ptr.reverse_fqdn), " now, and to nothing then. The address stays."),
    work: () => call("DELETE", where(ptr), {etag: ptr.etag}),
  });

  if (!done) return;
  await untilServed(await get(where(ptr), {signal: page.signal}), page, show);
  notice("The PTR of ", name(ptr.address), " is unset.");
}

// The menu of a PTR on a page, which shows errors; `show` gets the changed PTR.
export function ptrMenu(ptr, page, show) {
  const active = ptr.reverse_fqdn && ptr.status === "ACTIVE";

  return new MoreMenu(ptr.address || ptr.name, [
    {title: "Set", act: () => page.attempt(() => set(ptr, page, show))},
    {title: "Unset", act: () => page.attempt(() => unset(ptr, page, show)), disabled: !active,
     why: active ? null : "Only an active PTR can be unset."},
  ]);
}
