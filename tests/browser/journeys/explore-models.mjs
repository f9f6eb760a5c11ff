// Choosing a model: searching, sifting, comparing, and why one is not offered.

import assert from "node:assert/strict";

import { journey } from "../harness/journey.mjs";

const rows = (page) => page.locator("#results tbody tr");
const listed = async (page) => {
  const cells = await rows(page).getByRole("rowheader").allInnerTexts();
  return cells.map((text) => text.split("\n")[0].trim());
};

journey("the landing page shows a first request to anybody", { as: "nobody" }, async ({ page, world, check }) => {
  await page.goto("/");
  await page.getByRole("heading", { level: 1, name: "One key for every model" }).waitFor();
  await page.getByText(`curl -N ${world.url}/api/v1/chat/completions`).waitFor();
  await check.page(page);
  await page.getByRole("radio", { name: "Python" }).check();
  await page.getByText(`OpenAI(base_url="${world.url}/api/v1"`).waitFor();
  await page.getByRole("link", { name: "Look at the models" }).click();
  await page.getByRole("heading", { level: 1, name: "Models" }).waitFor();
  await check.page(page);
});

journey("a search with facets and an order is its address, and a reload shows the same", async ({ page, check }) => {
  await page.goto("/models");
  await page.getByLabel("Search models").fill("openai");
  await page.waitForURL(/\bq=openai\b/);
  await page.getByRole("checkbox", { name: /^Zero data retention/ }).check();
  await page.waitForURL(/\bzdr=1\b/);
  await page.getByRole("checkbox", { name: /^reasoning/ }).check();
  await page.waitForURL(/\bparam=reasoning\b/);
  await page.getByLabel("Order").selectOption({ label: "Price, lowest first" });
  await page.waitForURL(/\bsort=price\b/);
  const before = await listed(page);
  assert(before.length > 1, `too few to put in order: ${before}`);
  assert(before.every((name) => name.includes("OpenAI")), `${before}`);
  await check.page(page, { firstView: false });
  const address = page.url();
  await page.reload();
  assert.equal(page.url(), address);
  assert.deepEqual(await listed(page), before);
  assert.equal(await page.getByLabel("Search models").inputValue(), "openai");
  assert(await page.getByRole("checkbox", { name: /^Zero data retention/ }).isChecked());
  // Each number beside a choice is how many rows it leaves.
  const facet = page.getByRole("checkbox", { name: /^images/ }).first();
  const label = await facet.evaluate((one) => one.closest("label").innerText);
  const promised = Number(label.match(/(\d+)\s*$/)[1]);
  await facet.check();
  await page.waitForURL(/\bin=image\b/);
  await page.getByRole("heading", { name: new RegExp(`^${promised} model`) }).waitFor();
  assert.equal((await listed(page)).length, promised);
  await page.goBack();
  await page.waitForURL(address);
});

journey("where no model is left it says which condition to drop", async ({ page, check }) => {
  await page.goto("/models?q=claude&provider=groq");
  await page.getByRole("heading", { name: "No model is like that" }).waitFor();
  await page.getByText(/at Groq: \d+ models? without it/).waitFor();
  await check.page(page);
  await page.getByRole("link", { name: "“claude”", exact: true }).click();
  await page.getByRole("heading", { name: /^[1-9]\d* models?$/ }).waitFor();
});

journey("the list works without a script", { context: { javaScriptEnabled: false } }, async ({ page }) => {
  await page.goto("/models");
  await page.getByLabel("Search models").fill("claude");
  await page.getByRole("button", { name: "Apply" }).click();
  await page.waitForURL(/\bq=claude\b/);
  assert((await listed(page)).every((name) => name.includes("Claude")));
});

journey("three models are compared on a phone without scrolling sideways", async ({ page, check }) => {
  await page.setViewportSize({ width: 375, height: 800 });
  await page.goto("/models");
  const boxes = page.getByRole("checkbox", { name: /^Compare / });
  for (const at of [0, 1, 2]) await boxes.nth(at).check();
  await page.getByRole("button", { name: "Compare" }).click();
  await page.waitForURL(/\/models\/compare\?/);
  assert.equal(await page.getByRole("article").count(), 3);
  await check.page(page);
  await page.getByRole("link", { name: /^Leave out/ }).first().click();
  await page.waitForFunction(() => document.querySelectorAll("article").length === 2);
});

journey("a model's page says why zero data retention hides it", async ({ page, world, check, person }) => {
  const rules = { zdr: { anthropic: true, openai: true, google: true, xai: true, other: true } };
  await page.goto("/models/openai/gpt-oss-120b");
  const open = await page.getByRole("row").filter({ hasText: "open" }).count();
  assert(open > 1);
  await world.feed(JSON.stringify(rules), "policy", "set", "--account", person.accountId);
  await page.reload();
  const left = page.getByRole("row").filter({ hasText: "Zero data retention, set by the account" });
  await left.first().waitFor();
  await left.first().getByRole("link", { name: "Privacy and routing" }).waitFor();
  await check.page(page);
  await page.goto("/models/openai/gpt-oss-120b:free");
  await page.getByText("Nothing is left of this model for you.").waitFor();
  await page.getByRole("status").getByRole("link", { name: "Privacy and routing" }).waitFor();
  await check.page(page);
  await page.goto("/models?hidden=1");
  await page.getByRole("row").filter({ hasText: "gpt-oss-120b:free" }).getByRole("link", { name: "Privacy and routing" }).waitFor();
  await check.page(page);
});

journey("endpoints are put in order by the server", async ({ page, check }) => {
  await page.goto("/models/openai/gpt-oss-120b");
  await check.page(page);
  const providers = async () => page.locator("table.endpoints tbody th .model span:last-child").allInnerTexts();
  const byPrice = await providers();
  await page.getByRole("link", { name: "Provider", exact: true }).click();
  await page.waitForURL(/sort=provider/);
  await page.locator("th[aria-sort=ascending]").getByText("Provider").waitFor();
  const byName = await providers();
  assert.deepEqual(byName, [...byPrice].sort((a, b) => a.toLowerCase().localeCompare(b.toLowerCase())));
});

journey("another's or no model is not found", async ({ page }) => {
  const response = await page.goto("/models/nobody/nothing");
  assert.equal(response.status(), 404);
});
