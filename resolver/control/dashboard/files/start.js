// Loads the dashboard, and again if a part of it failed: a browser drops pending requests when its machine's network
// changes, and a page without one of its modules stays empty.

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
