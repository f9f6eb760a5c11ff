// What pages about traffic can do better with a script than without: moving along rows and charts by key,
// zooming by drag, and following the log.
"use strict";

// Rows: j and k move, Enter follows the link that has the focus.
document.addEventListener("keydown", (event) => {
  const isTyping = event.target.closest("input, select, textarea, [contenteditable]");
  if (isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
  const neighbour = document.querySelector(`a[data-key="${CSS.escape(event.key)}"]`);
  if (neighbour) {
    event.preventDefault();
    neighbour.click();
    return;
  }
  if (event.key !== "j" && event.key !== "k") return;
  const links = [...document.querySelectorAll("[data-rows] .row-link")];
  if (links.length === 0) return;
  event.preventDefault();
  const at = links.findIndex((link) => link === document.activeElement);
  const step = event.key === "j" ? 1 : -1;
  const next = at < 0 ? 0 : Math.min(Math.max(at + step, 0), links.length - 1);
  links[next].focus();
});

// Charts: arrow keys move between pieces, Enter zooms into one, a drag into several.
for (const chart of document.querySelectorAll("[data-chart]")) {
  const pieces = [...chart.querySelectorAll("a.piece")];
  const place = (piece) => pieces.indexOf(piece);
  const focus = (index) => {
    const to = pieces[Math.min(Math.max(index, 0), pieces.length - 1)];
    pieces.forEach((piece) => piece.setAttribute("tabindex", piece === to ? "0" : "-1"));
    to.focus();
  };
  chart.addEventListener("keydown", (event) => {
    const at = place(event.target.closest("a.piece"));
    if (at < 0) return;
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: pieces.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    focus(to);
  });

  let from = null;
  let to = null;
  const mark = () => pieces.forEach((piece, at) => {
    const [low, high] = [Math.min(from, to), Math.max(from, to)];
    piece.classList.toggle("marked", from !== null && at >= low && at <= high);
  });
  const under = (event) => {
    const hit = document.elementFromPoint(event.clientX, event.clientY);
    return hit ? place(hit.closest("a.piece")) : -1;
  };
  chart.addEventListener("dragstart", (event) => event.preventDefault());
  chart.addEventListener("pointerdown", (event) => {
    const at = under(event);
    if (at < 0 || event.button !== 0) return;
    from = to = at;
  });
  chart.addEventListener("pointermove", (event) => {
    if (from === null) return;
    const at = under(event);
    if (at < 0 || at === to) return;
    to = at;
    mark();
  });
  document.addEventListener("pointerup", () => {
    if (from === null) return;
    const [low, high] = [Math.min(from, to), Math.max(from, to)];
    from = to = null;
    if (low === high) return;
    const first = new URL(pieces[low].getAttribute("href"), location.href);
    const last = new URL(pieces[high].getAttribute("href"), location.href);
    first.searchParams.set("until", last.searchParams.get("until"));
    location.assign(first);
  });
}

// Following: asks again and again from where it was, so that a cut leaves no gap; ids tell what is there.
const follow = document.querySelector("[data-tail]");
const rows = document.getElementById("rows");
if (follow && rows) {
  const SHOWN_MAX = 500;
  const EVERY_MS = 2000;
  const seen = new Set([...rows.rows].map((row) => row.id));
  let since = follow.dataset.since;
  let timer = 0;
  let isLooking = false;

  const look = async () => {
    if (isLooking) return;
    isLooking = true;
    try {
      const address = new URL(follow.dataset.tail, location.href);
      address.searchParams.set("since", since);
      const answer = await fetch(address, { headers: { "HX-Request-Type": "partial" } });
      if (answer.redirected || !answer.ok) throw new Error(String(answer.status));
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const table = page.querySelector("table[data-since]");
      const fresh = [...table.rows].filter((row) => !seen.has(row.id));
      for (const row of fresh.reverse()) {
        seen.add(row.id);
        row.classList.add("fresh");
        rows.prepend(document.adoptNode(row));
      }
      while (rows.rows.length > SHOWN_MAX) rows.lastElementChild.remove();
      since = table.dataset.since;
      follow.textContent = "Following";
    } catch {
      follow.textContent = "Cut off, trying again";
    } finally {
      isLooking = false;
    }
  };
  const start = () => {
    timer = setInterval(look, EVERY_MS);
    follow.setAttribute("aria-pressed", "true");
    look();
  };
  const stop = () => {
    clearInterval(timer);
    timer = 0;
    follow.setAttribute("aria-pressed", "false");
    follow.textContent = "Follow";
  };
  follow.hidden = false;
  follow.addEventListener("click", () => (timer ? stop() : start()));
}
