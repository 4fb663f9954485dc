"use strict";

// While something is under way, the part of the page that tells of it is fetched once a second; at
// its end the whole page, whose buttons are others then. Without this script a reload does it.
const SECOND = 1000;
const live = document.querySelector("[data-live]");

function isUnderWay() {
  return live.querySelector("[data-under-way]") !== null;
}

async function look() {
  try {
    const answer = await fetch(live.dataset.live, { credentials: "same-origin" });
    if (answer.redirected || answer.status === 404) return location.reload();
    if (answer.ok) live.innerHTML = await answer.text();
  } catch {
    // The server is away for a moment, and asked again.
  }
  return isUnderWay() ? setTimeout(look, SECOND) : location.reload();
}

if (live && isUnderWay()) setTimeout(look, SECOND);
