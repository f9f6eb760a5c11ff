// Shows what screenshots.mjs lists.

import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { shots } from "../screenshots.mjs";
import { openBrowser, openContext } from "./browser.mjs";
import { THEMES, WIDTHS, show } from "./check.mjs";
import { practise } from "./practise.mjs";
import { DEMO_OWNER, startDemo } from "./world.mjs";

const { values } = parseArgs({
  options: {
    only: { type: "string", multiple: true, default: [] },
    out: { type: "string", default: fileURLToPath(new URL("../artefacts/screenshots/", import.meta.url)) },
  },
});
const out = resolve(process.env.INIT_CWD ?? ".", values.out);
const isAsked = ({ name }) => values.only.length === 0 || values.only.some((part) => name.includes(part));

const [browser, world] = await Promise.all([openBrowser(), startDemo()]);
try {
  await practise(world, 24);
  await mkdir(out, { recursive: true });
  const owner = await openContext(browser, world, []);
  await world.signIn(await owner.newPage(), DEMO_OWNER);
  const nobody = await openContext(browser, world, []);
  for (const shot of shots.filter(isAsked)) {
    await take(shot, shot.as === "nobody" ? nobody : owner);
  }
} finally {
  await browser.close();
  await world.stop();
}
console.log(`screenshots are in ${out}`);

async function take({ name, path, prepare }, context) {
  const page = await context.newPage();
  try {
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: 800 });
      await page.goto(typeof path === "function" ? await path(world) : path);
      await prepare?.(page, world);
      for (const theme of THEMES) {
        await show(page, theme, width);
        await page.screenshot({ path: join(out, `${name}-${theme}-${width}.png`), fullPage: true });
      }
    }
    console.log(`  ${name}`);
  } catch (error) {
    process.exitCode = 1;
    console.error(`  ${name}: ${error.message}`);
  }
  await page.close();
}
