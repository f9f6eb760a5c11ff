// Following: asks again and again from where it was, so that a cut leaves no gap; ids tell what is there.
{
  const follow = one("[data-tail]");
  const rows = one("#rows");
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
        const answer = await fetch(address, { headers: { "HX-Request-Type": "partial" }, signal: AbortSignal.timeout(10000) });
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
}
