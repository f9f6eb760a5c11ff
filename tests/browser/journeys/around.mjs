// What surrounds every page: signing in by a link, the theme, the menu, keys, and pages that are not there.

import assert from "node:assert/strict";

import { journey } from "../harness/journey.mjs";

const background = (page) => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
const focused = (page) => page.evaluate(() => document.activeElement.textContent.trim());
const LIGHT = "rgb(255, 255, 255)";
const DARK = "rgb(14, 17, 22)";

journey("a link signs in once", { as: "nobody" }, async ({ page, world, check }) => {
  const { email } = await world.person();
  const link = await world.signInLink(email);
  await page.goto(link);
  await check.page(page, { firstView: false });
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { level: 1, name: "Overview" }).waitFor();
  await page.goto(link);
  await page.getByRole("heading", { level: 1, name: "This link is used up" }).waitFor();
  await check.page(page, { firstView: false });
});

journey("an address that is not there says so", async ({ page, check }) => {
  const response = await page.goto("/no/such/page");
  assert.equal(response.status(), 404);
  await page.getByRole("heading", { level: 1, name: "Nothing here" }).waitFor();
  await check.page(page);
});

journey("the theme that was chosen stays", async ({ page, check }) => {
  await page.goto("/kit?from=theme");
  assert.equal(await background(page), LIGHT, "as the system is");
  await page.emulateMedia({ colorScheme: "dark" });
  assert.equal(await background(page), DARK, "as the system is now");
  await page.emulateMedia({ colorScheme: "light" });

  await page.getByRole("button", { name: "Dark" }).click();
  await page.waitForURL("**/kit?from=theme");
  assert.equal(await background(page), DARK);
  const chosen = page.getByRole("button", { name: "Dark" });
  assert.equal(await chosen.getAttribute("aria-pressed"), "true");
  await page.goto("/");
  assert.equal(await background(page), DARK, "on other pages too");
  await check.page(page);

  await page.getByRole("button", { name: "Light" }).click();
  await page.waitForURL("**/");
  await page.emulateMedia({ colorScheme: "dark" });
  assert.equal(await background(page), LIGHT, "whatever the system is");
});

journey("the menu opens and closes on a narrow screen", async ({ page, check }) => {
  await page.setViewportSize({ width: 375, height: 800 });
  await page.goto("/");
  const menu = page.getByRole("button", { name: "Menu" });
  const models = page.getByRole("link", { name: "Models" });
  assert.equal(await models.isVisible(), false);

  await menu.focus();
  await page.keyboard.press("Enter");
  await models.waitFor();
  await page.keyboard.press("Escape");
  await models.waitFor({ state: "hidden" });
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute("aria-label")), "Menu");

  await menu.click();
  await models.waitFor();
  await check.page(page, { firstView: false });
  await page.locator(".sidebar").getByRole("link", { name: "Settings" }).click();
  await page.waitForURL("**/settings**");
});

// Presses Tab until everything was reached; gives each stop.
async function tour(page, most) {
  const stops = [];
  for (let step = 0; step < most; step += 1) {
    await page.keyboard.press("Tab");
    const stop = await page.evaluate(() => {
      const one = document.activeElement;
      if (!one || one === document.body) return null;
      // What is drawn may stand for what is focused, as a tab for its radio button.
      const shown = one.matches(".code-tabs input") ? one.parentElement : one;
      const box = shown.getBoundingClientRect();
      const style = getComputedStyle(shown);
      const ring = (of) => of.outlineStyle !== "none" && parseFloat(of.outlineWidth) >= 2;
      const at = document.elementFromPoint(
        Math.max(0, Math.min(innerWidth - 1, box.left + box.width / 2)),
        Math.max(0, Math.min(innerHeight - 1, box.top + box.height / 2)),
      );
      const name = one.getAttribute("aria-label") ?? (one.textContent.trim() || one.name);
      return {
        name: `${one.tagName.toLowerCase()} ${name.slice(0, 40)}`,
        hasRing: ring(style) || ring(getComputedStyle(shown, "::after")),
        isSeen: Boolean(at) && (shown.contains(at) || at.contains(shown) || box.height > innerHeight),
      };
    });
    if (!stop) return stops;
    stops.push(stop);
  }
  throw new Error(`still going after ${most} stops: ${stops.slice(-3).map(({ name }) => name)}`);
}

journey("everything is reached with Tab, and seen", async ({ page }) => {
  await page.goto("/kit");
  // A summary of faults takes the focus when the page opens; the tour begins at the top.
  await page.evaluate(() => {
    document.body.tabIndex = -1;
    document.body.focus();
    document.body.removeAttribute("tabindex");
  });
  const stops = await tour(page, 250);
  assert.match(stops[0].name, /Skip to content/);
  assert.ok(stops.length > 60, `${stops.length} stops`);
  assert.deepEqual(stops.filter(({ hasRing }) => !hasRing).map(({ name }) => name), [], "no ring");
  assert.deepEqual(stops.filter(({ isSeen }) => !isSeen).map(({ name }) => name), [], "out of sight");
});

journey("keys open, choose and close", async ({ page, check }) => {
  await page.goto("/kit");
  await page.evaluate(() => document.activeElement.blur());

  await page.keyboard.press("Control+k");
  const commands = page.getByRole("dialog", { name: "Go to" });
  await commands.waitFor();
  await check.page(page, { firstView: false, nodesMax: 2_500 });
  await page.keyboard.type("set");
  assert.deepEqual(await commands.getByRole("option").allTextContents(), ["Settings"]);
  await page.keyboard.press("Escape");
  await commands.waitFor({ state: "hidden" });

  await page.keyboard.press("?");
  const shortcuts = page.getByRole("dialog", { name: "Keys" });
  await shortcuts.waitFor();
  await check.page(page, { firstView: false, nodesMax: 2_500 });
  await page.keyboard.press("Escape");
  await shortcuts.waitFor({ state: "hidden" });

  await page.keyboard.press("j");
  assert.equal(await focused(page), "laptop");
  await page.keyboard.press("j");
  assert.equal(await focused(page), "build server with a long name");
  await page.keyboard.press("k");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/kit?key=laptop", { waitUntil: "load" });
  await page.evaluate(() => document.activeElement.blur());

  await page.keyboard.press("/");
  await page.keyboard.type("gobo?");
  assert.equal(await page.getByRole("searchbox").inputValue(), "gobo?", "letters are letters there");
  await page.evaluate(() => document.activeElement.blur());
  await page.keyboard.press("g");
  await page.keyboard.press("o");
  await page.getByRole("heading", { level: 1, name: "Overview" }).waitFor();
});

journey("single keys can be switched off", async ({ page }) => {
  await page.goto("/");
  await page.keyboard.press("?");
  const shortcuts = page.getByRole("dialog", { name: "Keys" });
  await shortcuts.getByRole("checkbox").uncheck();
  await shortcuts.getByRole("button", { name: "Close" }).click();
  await page.reload();
  await page.keyboard.press("?");
  await page.keyboard.press("Control+k");
  await page.getByRole("dialog", { name: "Go to" }).waitFor();
  assert.equal(await shortcuts.isVisible(), false);
});
