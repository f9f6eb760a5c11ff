// Charts: a cursor for the pointer and the arrow keys, and a stretch to look at closer. The figures come
// from the table beside each chart.

// Units across for one tick, as the server draws them.
const STEP = 10;

function chartOf(plot) {
  const figure = plot.closest(".chart");
  const rows = [...figure.querySelectorAll(".twin tbody tr")];
  return { figure, rows, readout: one(".readout", figure), cursor: one(".cursor", plot), chosen: one(".chosen", plot) };
}

function point(plot, at, anchor = at) {
  const { figure, rows, readout, cursor, chosen } = chartOf(plot);
  if (!rows.length) return;
  const clamp = (index) => Math.max(0, Math.min(rows.length - 1, index));
  [at, anchor] = [clamp(at), clamp(anchor)];
  Object.assign(plot.dataset, { at, anchor });
  cursor.setAttribute("x", at * STEP);
  cursor.removeAttribute("visibility");
  const [first, last] = [Math.min(at, anchor), Math.max(at, anchor)];
  const isStretch = figure.dataset.zoom && first !== last;
  chosen?.setAttribute("x", first * STEP);
  chosen?.setAttribute("width", (last - first + 1) * STEP);
  chosen?.setAttribute("visibility", isStretch ? "visible" : "hidden");
  const label = (row) => row.cells[0].textContent;
  const names = [...one(".twin thead tr", figure).cells].map((cell) => cell.textContent);
  const values = [...rows[at].cells].slice(1).map((cell, index) => `${names[index + 1]} ${cell.textContent.trim()}`);
  readout.textContent = isStretch
    ? `${label(rows[first])} to ${label(rows[last])}: Enter looks closer, Esc lets go`
    : `${label(rows[at])}: ${values.join(", ")}`;
}

function letGo(plot) {
  const { cursor, chosen, readout } = chartOf(plot);
  for (const mark of [cursor, chosen]) mark?.setAttribute("visibility", "hidden");
  readout.textContent = "";
  delete plot.dataset.at;
  delete plot.dataset.anchor;
}

function lookCloser(plot) {
  const { figure, rows } = chartOf(plot);
  const [at, anchor] = [Number(plot.dataset.at), Number(plot.dataset.anchor)];
  const { zoom } = figure.dataset;
  if (at === anchor) {
    const link = one("a", rows[at] ?? figure);
    link?.click();
    return Boolean(link);
  }
  if (!zoom) return false;
  const [first, last] = [rows[Math.min(at, anchor)], rows[Math.max(at, anchor)]];
  const fill = (name, value) => (text) => text.replaceAll(name, encodeURIComponent(value));
  location.assign(fill("{to}", last.dataset.to)(fill("{from}", first.dataset.from)(zoom)));
  return true;
}

on("focusin", ({ target }) => {
  if (!target.matches?.(".plot:focus-visible")) return;
  const { readout } = chartOf(target);
  readout.textContent = readout.dataset.hint;
});
on("focusout", ({ target }) => target.matches?.(".plot") && letGo(target));
on("keydown", (event) => {
  const plot = event.target.closest?.(".plot");
  if (!plot) return;
  const { rows } = chartOf(plot);
  const [at, anchor] = [Number(plot.dataset.at ?? -1), Number(plot.dataset.anchor ?? -1)];
  const to = { ArrowRight: at + 1, ArrowLeft: at < 0 ? rows.length - 1 : at - 1, Home: 0, End: rows.length - 1 }[event.key];
  if (to !== undefined) point(plot, to, event.shiftKey && anchor >= 0 ? anchor : to);
  else if (event.key === "Escape" && at >= 0) letGo(plot);
  else if (event.key !== "Enter" || !lookCloser(plot)) return;
  event.preventDefault();
});

const under = (plot, event) => {
  const { left, width } = one("svg", plot).getBoundingClientRect();
  return Math.floor(((event.clientX - left) / width) * chartOf(plot).rows.length);
};
let pulled;
on("pointerdown", (event) => {
  const plot = event.target.closest(".plot");
  if (plot && event.pointerType === "mouse") pulled = { plot, anchor: under(plot, event) };
});
on("pointermove", (event) => {
  const plot = pulled?.plot ?? event.target.closest?.(".plot");
  if (plot) point(plot, under(plot, event), pulled?.anchor);
});
on("pointerup", () => {
  if (pulled && !lookCloser(pulled.plot)) letGo(pulled.plot);
  pulled = null;
});
on("pointerout", (event) => {
  const plot = event.target.closest?.(".plot");
  if (plot && !pulled && !plot.contains(event.relatedTarget) && plot !== document.activeElement) letGo(plot);
});
