// What an operator should look at, as GET /v1/report tells it: the words of its sections.

import {count} from "./element.js";

export const DAYS = 30, LIMIT = 100;

// As the server orders them. `found` says how many there are; what has none is no fault.
export const SECTIONS = {
  rules: {title: "Rules not used", found: (n) => count(n, "rule") + " not used"},
  targets: {title: "Targets not asked", found: (n) => count(n, "target") + " not asked"},
  leaving: {title: "Internal names that leave", found: (n) => count(n, "internal name") + (n === 1 ? " leaves" : " leave")},
  ptrs: {title: "PTRs that do not lead back", found: (n) => count(n, "PTR") + (n === 1 ? " does" : " do") + " not lead back"},
  delegations: {title: "Reverse zones not delegated", found: (n) => count(n, "reverse zone") + " not delegated"},
  names: {title: "Names asked most"},
  slow: {title: "Slow rules", found: (n) => count(n, "slow rule")},
};

export function isRunning({state}) {
  return state === "running";
}
