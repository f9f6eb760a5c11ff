// API keys: shown once, limited, rotated, switched off.

import assert from "node:assert/strict";

import { journey } from "../harness/journey.mjs";

// Makes a key by the form; the page with its text is shown.
async function make(page, name, limit = "") {
  await page.goto("/keys/new");
  await page.getByLabel("Name").fill(name);
  if (limit) await page.getByLabel(/^Limit in US dollars/).fill(limit);
  await page.getByRole("button", { name: "Create the key" }).click();
  const secret = await page.getByLabel("Secret", { exact: true }).textContent();
  return secret.trim();
}

const asks = (world, key) => world.chat(key, "How tall?", { max_tokens: 16 });

journey("a new key's secret is shown once", async ({ page, world, check }) => {
  await page.goto("/keys");
  await page.getByRole("heading", { name: "No keys yet" }).waitFor();
  await check.page(page);
  await page.goto("/keys/new");
  await check.page(page);
  const key = await make(page, "laptop");
  await check.page(page, { firstView: false });
  assert.equal((await asks(world, key)).status, 200);
  await page.getByRole("link", { name: "I have stored it" }).click();
  await page.getByRole("heading", { level: 1, name: "laptop" }).waitFor();
  assert.ok(!(await page.content()).includes(key), "the key's page has its text");
  await check.page(page);
  // The browser would have to send the form again, and asks first: there is no copy of the answer to go back to.
  await assert.rejects(page.goBack(), /ERR_CACHE_MISS/);
  await page.waitForURL(/^chrome-error:/);
  await page.goto("/keys");
  assert.ok(!(await page.content()).includes(key), "the list has its text");
  await check.page(page);
});

journey("a form for a key says what is wrong and keeps what was typed", async ({ page, check }) => {
  await page.goto("/keys/new");
  await page.getByLabel("Name").fill("limited");
  await page.getByLabel(/^Limit in US dollars/).fill("ten");
  await page.getByRole("button", { name: "Create the key" }).click();
  await page.getByRole("heading", { name: "Please look at this again" }).waitFor();
  assert.equal(await page.getByLabel(/^Limit in US dollars/).inputValue(), "ten");
  await check.page(page, { firstView: false });
});

journey("a limit of a cent names itself as what blocks", async ({ page, world, check }) => {
  const key = await make(page, "small", "0.0000001");
  await page.getByRole("link", { name: "I have stored it" }).click();
  await page.getByText("Blocks first: This key's limit").waitFor();
  await check.page(page);
  assert.equal((await asks(world, key)).status, 402);
});

journey("a rotated key and its successor both work, from one limit", async ({ page, world, check }) => {
  const old = await make(page, "rotated", "5");
  assert.equal((await asks(world, old)).status, 200);
  await page.getByRole("link", { name: "I have stored it" }).click();
  await page.getByRole("link", { name: "Rotate…" }).click();
  await check.page(page);
  await page.getByRole("button", { name: "Rotate the key" }).click();
  const fresh = (await page.getByLabel("Secret", { exact: true }).textContent()).trim();
  await check.page(page, { firstView: false });
  for (const key of [old, fresh]) assert.equal((await asks(world, key)).status, 200);
  const told = async (key) => (await (await world.call(key, "/key")).json()).data;
  assert.equal((await told(old)).limit_remaining, (await told(fresh)).limit_remaining);
  await page.getByRole("link", { name: "I have stored it" }).click();
  await page.getByText("It takes the place of").waitFor();
  await check.page(page);
});

journey("a disabled key is refused", async ({ page, world, check }) => {
  const key = await make(page, "switched");
  await page.getByRole("link", { name: "I have stored it" }).click();
  await page.getByRole("button", { name: "Disable" }).click();
  await page.getByText("The key is disabled.").waitFor();
  assert.equal((await asks(world, key)).status, 401);
  await page.goto("/keys?state=disabled");
  await page.getByRole("link", { name: "switched" }).waitFor();
  await check.page(page);
});

journey(
  "keys work without JavaScript",
  { context: { javaScriptEnabled: false } },
  async ({ page, world }) => {
    const key = await make(page, "plain", "1");
    assert.equal((await asks(world, key)).status, 200);
    await page.goto("/keys");
    await page.getByRole("checkbox", { name: "Select plain" }).check();
    await page.getByRole("button", { name: "Delete…" }).click();
    await page.getByRole("button", { name: "Delete the key" }).click();
    await page.getByText("1 key was deleted.").waitFor();
    assert.equal((await asks(world, key)).status, 401);
  },
);
