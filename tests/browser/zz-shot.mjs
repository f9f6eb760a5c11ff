import { chromium } from "playwright-core";
import { readFileSync } from "node:fs";
const link = readFileSync("/tmp/looks/link", "utf8").trim();
const out = "/tmp/looks/shots"; import { mkdirSync, existsSync, writeFileSync } from "node:fs"; mkdirSync(out, { recursive: true });
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
const [width, theme, ...paths] = process.argv.slice(2);
const state = "/tmp/looks/state.json";
const context = await browser.newContext({ viewport: { width: Number(width), height: 900 }, colorScheme: theme, storageState: existsSync(state) ? state : undefined });
const page = await context.newPage();
page.on("console", (m) => m.type() === "error" && console.log("console:", m.text(), page.url()));
page.on("pageerror", (e) => console.log("pageerror:", e.message));
if (!existsSync(state)) { await page.goto(link); await page.click("main button.primary"); await page.waitForURL("**/"); await context.storageState({ path: state }); }
const origin = new URL(link).origin;
for (const path of paths) {
  const name = path.split("?")[0].replace(/[^a-z0-9]+/gi, "-").slice(0, 30) || "root";
  const t = Date.now();
  const answer = await page.goto(origin + path);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  await page.screenshot({ path: `${out}/${name}-${theme}-${width}.png`, fullPage: true });
  console.log(answer.status(), path, Date.now() - t, "ms", wide > 0 ? `OVERFLOW ${wide}` : "", `nodes ${await page.evaluate(() => document.querySelectorAll("*").length)}`);
}
await browser.close();
