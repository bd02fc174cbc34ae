// Loads the dashboard, and tries again if a module fails to load, because the page would stay empty without it. A browser
// drops pending requests when its machine's network changes.

const KEY = "sluice-loading", SOON_MS = 500, LATE_MS = 30000;

function again(error) {
  const tries = Number(sessionStorage.getItem(KEY)) || 0, wait = Math.min(SOON_MS * 2 ** tries, LATE_MS);
  const told = document.querySelector(".starting");

  console.warn(error);
  sessionStorage.setItem(KEY, tries + 1);
  told.textContent = "The dashboard did not come whole; it is loaded anew in a moment.";
  told.classList.add("failed");
  setTimeout(() => location.reload(), wait);
}

import("./main.js").then(() => sessionStorage.removeItem(KEY), again);
