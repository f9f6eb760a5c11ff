// Provider keys and rules: stored, tried out, ordered, and shown before they are saved.

import assert from "node:assert/strict";

import { journey } from "../harness/journey.mjs";

const MODEL = "openai/gpt-oss-120b";

// Stores a key by the form; its page is shown.
async function add(page, provider, name, secret) {
  await page.goto(`/byok/${provider}/new`);
  await page.getByLabel("Key", { exact: true }).fill(secret);
  await page.getByLabel(/^Name/).fill(name);
  await page.getByLabel("Paid capacity may stand in").check();
  await page.getByRole("button", { name: "Save and check" }).click();
  await page.getByRole("heading", { level: 1, name }).waitFor();
}

journey("a provider key is stored, tried out and never shown", async ({ page, check }) => {
  const secret = "gsk_0123456789abcdefghijABCDEFGHIJ";
  await page.goto("/byok");
  await check.page(page);
  await page.goto("/byok/groq");
  await page.getByRole("heading", { name: "No key of yours" }).waitFor();
  await check.page(page);
  await page.goto("/byok/groq/new");
  await check.page(page);
  await add(page, "groq", "team", secret);
  await page.getByText("Saved. The provider takes the key.").waitFor();
  assert.ok(!(await page.content()).includes(secret));
  await check.page(page);
  await page.goto("/byok/groq");
  assert.ok(!(await page.content()).includes(secret));
  await check.page(page);
  await page.goto("/byok");
  await page.getByRole("heading", { name: "With keys of yours" }).waitFor();
});

journey("a provider key is moved by keyboard, and other tries come of it", async ({ page }) => {
  await add(page, "groq", "first", "gsk_0123456789abcdefghijABCDEFGHI1");
  await add(page, "groq", "second", "gsk_0123456789abcdefghijABCDEFGHI2");
  const tries = async () => {
    await page.goto(`/byok/groq?model=${MODEL}`);
    return page.locator("ol.attempts strong").allTextContents();
  };
  assert.deepEqual((await tries()).slice(0, 2), ["first", "second"]);
  await page.getByRole("button", { name: "Move second up" }).focus();
  await page.keyboard.press("Enter");
  await page.getByText("The order is saved.").waitFor();
  assert.deepEqual((await tries()).slice(0, 2), ["second", "first"]);
});

journey(
  "provider keys work without JavaScript",
  { context: { javaScriptEnabled: false } },
  async ({ page }) => {
    await add(page, "groq", "plain", "gsk_0123456789abcdefghijABCDEFGHI3");
    const label = (await page.locator("main .tools code").first().textContent()).trim();
    await page.getByRole("link", { name: "Delete…" }).click();
    await page.getByLabel(/^Type/).fill(label);
    await page.getByRole("button", { name: "Delete the key" }).click();
    await page.getByText("The key is deleted.").waitFor();
  },
);

journey("a rule that kills a model in use warns before it is saved", async ({ page, world, check, person }) => {
  const key = await world.key(person.accountId);
  assert.equal((await world.chat(key, "How tall?")).status, 200);
  await page.goto("/privacy?scope=account");
  await check.page(page);
  await page.getByLabel(/^Never these models/).fill(MODEL);
  await page.getByRole("button", { name: "Show what this excludes" }).click();
  await page.getByText("Models in use would have nothing to serve them:").waitFor();
  await check.page(page, { firstView: false });
  await page.getByRole("button", { name: "Save the rules" }).click();
  await page.getByRole("heading", { name: "Please look at this again" }).waitFor();
  check.expected(/422/);
  await page.getByLabel("Requests for these models shall fail from now on").check();
  await page.getByRole("button", { name: "Save the rules" }).click();
  await page.getByText("Saved. Every node goes by it").waitFor();
  await check.page(page);
  assert.equal((await world.chat(key, "How tall?")).status, 403);
});
