// Keys: a menu of everything, and single letters, which can be switched off.

const commands = one("#commands");
const shortcuts = one("#shortcuts");
const places = () => [...document.querySelectorAll(".sidebar a, main a[data-command]")];
const areSingleKeysOn = () => localStorage.getItem("single-keys") !== "off";

function list(text = "") {
  const found = places().filter((place) => place.textContent.toLowerCase().includes(text.trim().toLowerCase()));
  const items = found.map((place, index) => {
    const item = document.createElement("li");
    Object.assign(item, { id: `command-${index}`, textContent: place.textContent.trim(), role: "option" });
    item.setAttribute("aria-selected", index === 0);
    item.onclick = () => location.assign(place.href);
    return item;
  });
  const none = Object.assign(document.createElement("li"), { className: "none", role: "option", textContent: "Nothing is called that." });
  one("ul", commands).replaceChildren(...(items.length ? items : [none]));
  select(0);
}

function select(index) {
  const items = [...commands.querySelectorAll("li[id]")];
  const at = (index + items.length) % (items.length || 1);
  items.forEach((item, place) => item.setAttribute("aria-selected", place === at));
  items[at]?.scrollIntoView({ block: "nearest" });
  one("input", commands).setAttribute("aria-activedescendant", items[at]?.id ?? "");
  commands.dataset.at = at;
}

if (commands) {
  commands.addEventListener("beforetoggle", ({ newState }) => {
    if (newState !== "open") return;
    one("input", commands).value = "";
    list();
  });
  commands.addEventListener("input", ({ target }) => list(target.value));
  commands.addEventListener("keydown", (event) => {
    const at = Number(commands.dataset.at);
    if (event.key === "ArrowDown") select(at + 1);
    else if (event.key === "ArrowUp") select(at - 1);
    else if (event.key === "Enter") commands.querySelectorAll("li[id]")[at]?.click();
    else return;
    event.preventDefault();
  });
  const box = one("#single-keys");
  box.checked = areSingleKeysOn();
  box.addEventListener("change", () => localStorage.setItem("single-keys", box.checked ? "on" : "off"));
}

function move(step) {
  const rows = [...document.querySelectorAll("main .row-link a.cover")];
  const at = rows.findIndex((row) => row.closest("tr, li").contains(document.activeElement));
  rows[at < 0 ? (step > 0 ? 0 : rows.length - 1) : Math.max(0, Math.min(rows.length - 1, at + step))]?.focus();
}

const single = {
  "/": () => one("main input[type=search]")?.focus(),
  "?": () => shortcuts?.showModal(),
  j: () => move(1),
  k: () => move(-1),
  "[": () => one("main a[rel=prev]")?.click(),
  "]": () => one("main a[rel=next]")?.click(),
};
let afterG = -Infinity;

on("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k" && commands) {
    event.preventDefault();
    return commands.open ? commands.close() : commands.showModal();
  }
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || one("dialog[open]")) return;
  if (event.key === "Escape" && !one(":popover-open")) return one("[data-close]")?.click();
  if (!areSingleKeysOn() || event.target.closest?.("input:not([type=checkbox],[type=radio]), select, textarea, .plot, [contenteditable]")) return;
  const isPlace = event.timeStamp - afterG < 1500;
  afterG = -Infinity;
  if (isPlace) return one(`.sidebar a[data-letter="${CSS.escape(event.key)}"]`)?.click();
  if (event.key === "g") afterG = event.timeStamp;
  else if (single[event.key]) {
    event.preventDefault();
    single[event.key]();
  }
});
