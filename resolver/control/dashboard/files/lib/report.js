// Words for the sections of GET /v1/report, the findings for an operator.

import {count} from "./element.js";

export const DAYS = 30, LIMIT = 100;

// In the server's order. `found` says how many findings there are; a section without it lists no faults.
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
