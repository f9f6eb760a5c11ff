// What every page has to pass, whatever it shows.

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

const AXE = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
// All that another theme can change.
const COLOUR_RULES = ["color-contrast", "link-in-text-block"];

export const WIDTHS = [1280, 375];
export const THEMES = ["light", "dark"];
const HEIGHT = 800;

const FIRST_VIEW_BYTES_MAX = 100 * 1024;
const FIRST_VIEW_REQUESTS_MAX = 12;
const NODES_MAX = 1_500;

// What axe finds, each with the rule, what it is about and where. `rules`: only these.
export async function axe(page, rules) {
  const has = await page.evaluate(() => "axe" in window);
  if (!has) await page.evaluate(AXE);
  const found = await page.evaluate(
    async ([tags, rules]) => {
      const runOnly = rules ? { type: "rule", values: rules } : { type: "tag", values: tags };
      const options = { runOnly, resultTypes: ["violations"] };
      if (!rules) options.rules = { "target-size": { enabled: true } };
      const { violations } = await window.axe.run(document, options);
      return violations.flatMap((violation) =>
        violation.nodes.map((node) => ({
          rule: violation.id,
          help: violation.help,
          target: node.target.join(" "),
          summary: node.failureSummary.replaceAll(/\s+/g, " "),
          html: node.html.slice(0, 160),
        })),
      );
    },
    [TAGS, rules],
  );
  return found;
}

// Shows the page as it is in a theme and at a width. The theme is what the system asks for, and what
// the page was told where somebody chose one.
export async function show(page, theme, width) {
  await page.setViewportSize({ width, height: HEIGHT });
  await page.emulateMedia({ colorScheme: theme });
  await page.evaluate((theme) => {
    const root = document.documentElement;
    root.dataset.was ??= root.dataset.theme;
    root.dataset.theme = root.dataset.was === "system" ? "system" : theme;
  }, theme);
}

async function showAsBefore(page, viewport) {
  await page.setViewportSize(viewport);
  await page.emulateMedia({ colorScheme: "light" });
  await page.evaluate(() => {
    const root = document.documentElement;
    root.dataset.theme = root.dataset.was;
    delete root.dataset.was;
  });
}

// Which elements make the page wider than its window.
export async function tooWide(page) {
  return page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    if (scrollWidth <= clientWidth) return [];
    const scrolls = (element) => {
      for (let at = element.parentElement; at; at = at.parentElement) {
        if (getComputedStyle(at).overflowX !== "visible" && at !== document.body) return true;
      }
      return false;
    };
    const wide = [...document.body.querySelectorAll("*")].filter(
      (one) => one.getBoundingClientRect().right > clientWidth + 1 && !scrolls(one),
    );
    const name = (one) => `${one.tagName.toLowerCase()}${one.id && "#" + one.id}.${[...one.classList].join(".")}`;
    return [`${scrollWidth} px in a window of ${clientWidth}`, ...wide.slice(0, 5).map(name)];
  });
}

export class Check {
  constructor({ browser, world, problems, openContext, measured }) {
    Object.assign(this, { browser, world, problems, openContext, measured });
  }

  // Everything below, on the page as it is now. Leaves its size and theme as they were.
  async page(page, { firstView = true, nodesMax = NODES_MAX } = {}) {
    const name = new URL(page.url()).pathname;
    const note = (what) => this.problems.push(`${name}: ${what}`);
    const viewport = page.viewportSize();
    for (const width of WIDTHS) {
      for (const theme of THEMES) {
        await show(page, theme, width);
        const rules = theme === THEMES[0] ? undefined : COLOUR_RULES;
        for (const { rule, target, summary } of await axe(page, rules)) {
          note(`axe in ${theme} at ${width}: ${rule} at ${target}: ${summary}`);
        }
      }
      for (const what of await tooWide(page)) note(`too wide at ${width}: ${what}`);
    }
    await showAsBefore(page, viewport);
    const nodes = await page.evaluate(() => document.querySelectorAll("*").length);
    if (nodes > nodesMax) note(`${nodes} elements, more than ${nodesMax}`);
    if (firstView) await this.firstView(page);
  }

  // What a first view transfers, in a browser that has nothing of the site but the cookies. Once for
  // each kind of page.
  async firstView(page) {
    const url = new URL(page.url());
    const kind = url.pathname.replaceAll(/[^/]*\d[^/]*/g, "*");
    if (this.measured.has(kind)) return;
    this.measured.add(kind);
    const storageState = await page.context().storageState();
    const context = await this.openContext({ storageState });
    const fresh = await context.newPage();
    const network = await context.newCDPSession(fresh);
    let [requests, bytes] = [0, 0];
    network.on("Network.requestWillBeSent", () => (requests += 1));
    network.on("Network.loadingFinished", (event) => (bytes += event.encodedDataLength));
    await network.send("Network.enable");
    await fresh.goto(url.href, { waitUntil: "load" });
    await fresh.waitForLoadState("networkidle").catch(() => {});
    await context.close();
    if (requests > FIRST_VIEW_REQUESTS_MAX) {
      this.problems.push(`${kind}: ${requests} requests on a first view`);
    }
    if (bytes > FIRST_VIEW_BYTES_MAX) {
      this.problems.push(`${kind}: ${bytes} bytes on a first view`);
    }
  }

  // Takes back a complaint that the journey is about, and fails where there was none.
  expected(pattern) {
    const at = this.problems.findIndex((problem) => pattern.test(problem));
    if (at < 0) this.problems.push(`expected, and missing: ${pattern}`);
    else this.problems.splice(at, 1);
  }
}
