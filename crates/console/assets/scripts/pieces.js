// What pages can do better with a script than without. Nothing here is needed but to copy.

const one = (selector, root = document) => root.querySelector(selector);
const on = (name, act, options) => document.addEventListener(name, act, options);

// Tells something that happened, at the edge of the page and to screen readers. Failures stay.
function say(text, kind = "info") {
  const toast = document.createElement("p");
  toast.className = `toast toast-${kind}`;
  toast.textContent = text;
  const close = document.createElement("button");
  close.type = "button";
  close.className = "plain small";
  close.textContent = "Close";
  close.onclick = () => toast.remove();
  toast.append(close);
  one("#toasts").append(toast);
  if (kind !== "danger") setTimeout(() => toast.remove(), 8000);
}

async function copy(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const field = document.createElement("textarea");
  field.value = text;
  (one("dialog[open]") ?? document.body).append(field);
  field.select();
  document.execCommand("copy");
  field.remove();
}

on("click", async ({ target }) => {
  const button = target.closest("[data-copy]");
  if (!button || button.dataset.done) return;
  await copy(button.dataset.copy);
  button.dataset.done = "";
  const use = one("use", button);
  const [label, icon] = [button.textContent, use?.getAttribute("href")];
  if (use) use.setAttribute("href", icon.replace(/#.*/, "#check"));
  else button.textContent = "Copied";
  one("#toasts").append(Object.assign(document.createElement("span"), { className: "visually-hidden copied", textContent: "Copied" }));
  setTimeout(() => {
    if (use) use.setAttribute("href", icon);
    else button.textContent = label;
    delete button.dataset.done;
    one(".copied")?.remove();
  }, 1500);
});

// Whoever copies a short number gets the exact one.
on("copy", (event) => {
  const selection = getSelection();
  const number = selection.anchorNode?.parentElement?.closest("data[title], time[title]");
  if (!number || selection.toString().trim() !== number.textContent.trim()) return;
  event.clipboardData.setData("text/plain", number.title);
  event.preventDefault();
});

// Browsers without invoker commands get them here.
if (!("command" in HTMLButtonElement.prototype)) {
  on("click", ({ target }) => {
    const button = target.closest("[commandfor]");
    const dialog = button && document.getElementById(button.getAttribute("commandfor"));
    if (dialog) button.getAttribute("command") === "close" ? dialog.close() : dialog.showModal();
  });
}

// A click beside a dialog closes it.
on("click", ({ target }) => target.tagName === "DIALOG" && target.close());

on("click", ({ target }) => {
  const button = target.closest("[data-reveal]");
  if (!button) return;
  const input = button.previousElementSibling;
  const isHidden = input.type === "password";
  input.type = isHidden ? "text" : "password";
  button.textContent = isHidden ? "Hide" : "Show";
});

on("input", ({ target }) => {
  const name = target.dataset.typed;
  if (name) target.setCustomValidity(target.value === name ? "" : `Type ${name} to confirm.`);
});

on("change", ({ target }) => {
  if (target.matches("[data-all]")) {
    for (const box of target.closest("table").querySelectorAll(".select input")) box.checked = target.checked;
  }
  if (target.closest("[data-auto]")) target.form.requestSubmit();
});

// A list is put in order by dragging. What was dropped is sent like a press on one of its buttons.
let dragged;
on("dragstart", ({ target }) => {
  dragged = target.closest?.(".sort-list li");
  dragged?.classList.add("dragged");
});
on("dragover", (event) => {
  const over = event.target.closest(".sort-list li");
  if (!dragged || !over || over.parentNode !== dragged.parentNode) return;
  event.preventDefault();
  const { top, height } = over.getBoundingClientRect();
  over[event.clientY < top + height / 2 ? "before" : "after"](dragged);
});
on("dragend", () => {
  if (!dragged) return;
  dragged.classList.remove("dragged");
  const form = dragged.closest("form");
  form.elements.order.value = [...dragged.parentNode.children].map((item) => item.dataset.id).join(",");
  dragged = null;
  form.requestSubmit();
});

// Parts of pages, fetched: what is busy says so, failures are told, and focus goes to what is new.
on("htmx:before:request", ({ detail: { ctx } }) => ctx.target?.setAttribute("aria-busy", "true"));
on("htmx:finally:request", ({ detail: { ctx } }) => ctx.target?.removeAttribute("aria-busy"));
on("htmx:before:response", (event) => {
  const { status, headers } = event.detail.ctx.response;
  if (status < 500) return;
  event.preventDefault();
  say(`That did not work. Try again; if it stays so, tell support ${headers.get("x-request-id")}.`, "danger");
});
on("htmx:error", () => say("The server does not answer. Check the connection and try again.", "danger"));
on("htmx:after:swap", () => {
  const fresh = one("#faults:not([data-seen]), [data-focus]:not([data-seen])");
  if (!fresh) return;
  fresh.dataset.seen = "";
  fresh.focus();
});
one("#faults")?.focus();
