// The components, in every state, in a real browser.

import assert from "node:assert/strict";

import { journey } from "../harness/journey.mjs";

// It shows everything at once; no other page is that long.
const KIT = { nodesMax: 2_500 };

journey("every component passes in both themes", { as: "nobody" }, async ({ page, check }) => {
  await page.goto("/kit");
  await check.page(page, KIT);
});

journey("a dialog asks, with the focus on Cancel", async ({ page, check }) => {
  await page.goto("/kit");
  const opener = page.getByRole("button", { name: "Delete this key…" });
  const dialog = page.getByRole("dialog", { name: "Delete laptop?" });
  await opener.click();
  await dialog.waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "Cancel");
  await check.page(page, { firstView: false, ...KIT });

  await dialog.getByRole("textbox").fill("desktop");
  await dialog.getByRole("button", { name: "Delete the key" }).click();
  assert.equal(await dialog.isVisible(), true, "another name deletes nothing");
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "hidden" });
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "Delete this key…");

  await opener.click();
  await dialog.getByRole("button", { name: "Cancel" }).click();
  await dialog.waitFor({ state: "hidden" });
  assert.ok(page.url().endsWith("/kit"), "nothing was sent");
});

journey("what is copied is what is shown", async ({ page, world }) => {
  await page.goto("/kit");
  const copied = () => page.evaluate(() => navigator.clipboard.readText());
  await page.locator("figure.code .copy").first().click();
  assert.equal(await copied(), "curl https://example.com");
  await page.getByRole("radio", { name: "TypeScript" }).last().check();
  await page.locator("section.panel:visible").last().getByRole("button", { name: /Copy|Copied/ }).click();
  assert.match(await copied(), /new OpenAI/);
  await page.locator("summary", { hasText: "As API call" }).click();
  const call = page.getByRole("region", { name: "curl" }).first();
  assert.match(await call.textContent(), new RegExp(`${world.url}/api/v1/keys`));
});

journey("a chart is read and looked into with the keyboard", async ({ page, check }) => {
  await page.goto("/kit");
  const chart = page.locator("figure.chart").first();
  const plot = chart.getByRole("img").first();
  const readout = chart.locator(".readout");
  await plot.focus();
  await page.keyboard.press("ArrowRight");
  await chart.locator("summary").click();
  const cells = await chart.locator("tbody tr").first().locator("th, td").allTextContents();
  await plot.focus();
  await page.keyboard.press("Home");
  const said = await readout.textContent();
  for (const cell of cells) assert.ok(said.includes(cell), `${cell} in ${said}`);

  for (let step = 0; step < 9; step += 1) await page.keyboard.press("ArrowRight");
  assert.match(await readout.textContent(), /10 Sep: openai\/gpt-6-sol –/, "no data is no zero");
  await check.page(page, { firstView: false, ...KIT });
  await page.keyboard.press("Shift+ArrowRight");
  await page.keyboard.press("Shift+ArrowRight");
  assert.match(await readout.textContent(), /10 Sep to 12 Sep/);
  await page.keyboard.press("Enter");
  await page.waitForURL("**/activity?from=2026-09-10&to=2026-09-13");
});

journey("components work without a script", { context: { javaScriptEnabled: false } }, async ({ page }) => {
  await page.goto("/kit");
  await page.getByRole("radio", { name: "Python" }).last().check();
  await page.getByRole("region", { name: "Python" }).last().waitFor();
  await page.getByRole("button", { name: "Delete this key…" }).click();
  await page.getByRole("dialog", { name: "Delete laptop?" }).getByRole("button", { name: "Cancel" }).click();
  assert.equal(await page.locator(".needs-script:visible").count(), 0);
  await page.locator("summary", { hasText: "As a table" }).first().click();
  await page.getByRole("cell", { name: "$0.90" }).first().waitFor();
});

journey("rows are chosen, and then something can be done with them", async ({ page, check }) => {
  await page.goto("/kit");
  const disable = page.getByRole("button", { name: "Disable" });
  assert.equal(await disable.isVisible(), false);
  await page.getByLabel("Select all rows on this page").check();
  await disable.waitFor();
  assert.equal(await page.locator(".select input:checked").count(), 4);
  await check.page(page, { firstView: false, ...KIT });
});
