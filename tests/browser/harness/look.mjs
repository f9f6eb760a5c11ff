// Shows pages: screenshots in both themes at both widths, and what the checks find.

import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { openBrowser, openContext } from "./browser.mjs";
import { THEMES, WIDTHS, axe, show, tooWide } from "./check.mjs";
import { practise } from "./practise.mjs";
import { DEMO_OWNER, startDemo } from "./world.mjs";

const { values, positionals: paths } = parseArgs({
  allowPositionals: true,
  options: {
    out: { type: "string", default: fileURLToPath(new URL("../artefacts/looks/", import.meta.url)) },
    requests: { type: "string", default: "12" },
    nobody: { type: "boolean", default: false },
    viewport: { type: "boolean", default: false },
  },
});
if (paths.length === 0) {
  console.error("usage: tests/browser/look [--out FOLDER] [--requests N] [--nobody] [--viewport] PATH...");
  process.exit(1);
}

const out = resolve(process.env.INIT_CWD ?? ".", values.out);
const fileName = (path) => path.replaceAll(/[^a-z0-9]+/gi, "-").replaceAll(/^-|-$/g, "") || "overview";

const [browser, world] = await Promise.all([openBrowser(), startDemo()]);
try {
  await practise(world, Number(values.requests));
  await mkdir(out, { recursive: true });
  const problems = [];
  const context = await openContext(browser, world, problems);
  const page = await context.newPage();
  if (!values.nobody) await world.signIn(page, DEMO_OWNER);
  for (const path of paths) await look(page, path, problems);
} finally {
  await browser.close();
  await world.stop();
}

async function look(page, path, problems) {
  const response = await page.goto(path);
  console.log(`${path}: ${response.status()}${page.url().endsWith(path) ? "" : `, at ${page.url()}`}`);
  for (const width of WIDTHS) {
    for (const theme of THEMES) {
      await show(page, theme, width);
      const file = join(out, `${fileName(path)}-${theme}-${width}.png`);
      await page.evaluate(() => {
        document.activeElement?.blur();
        scrollTo(0, 0);
      });
      await page.screenshot({ path: file, fullPage: !values.viewport });
      console.log(`  ${file}`);
      for (const { rule, help, target, summary, html } of await axe(page)) {
        console.log(`  axe in ${theme} at ${width}: ${rule} (${help})\n    ${target}\n    ${html}\n    ${summary}`);
      }
    }
    for (const what of await tooWide(page)) console.log(`  too wide at ${width}: ${what}`);
  }
  for (const problem of problems.splice(0)) console.log(`  ${problem}`);
}
