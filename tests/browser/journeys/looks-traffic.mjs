// What happened: the log, one generation, sessions, activity, and the overview.

import assert from "node:assert/strict";

import { journey } from "../harness/journey.mjs";

const MODEL = "openai/gpt-oss-120b";

// Somebody's key, and requests that it sends one after the other; gives the generations' ids.
async function asker(world, person) {
  const key = await world.key(person.accountId);
  return async (content, more = {}) => {
    const { status, text } = await world.chat(key, content, { model: MODEL, ...more });
    return { status, id: text.match(/"id":"(gen-[^"]+)"/)?.[1] };
  };
}

const number = async (locator) => Number((await locator.textContent()).replaceAll(",", ""));
const total = (page) => number(page.locator("[data-total=requests]"));
const chipsOf = (page) => page.locator(".chip strong").allTextContents();

journey("a failover shows two attempts and why", async ({ page, world, check, person }) => {
  const ask = await asker(world, person);
  const only = { order: ["novita", "groq"] };
  const { id } = await ask("[[sim: provider=novita status=529]] Hello", { provider: only });
  await page.goto(`/logs/${id}`);
  const attempts = page.locator("#attempts tbody tr");
  assert.equal(await attempts.count(), 2);
  assert.match(await attempts.nth(0).textContent(), /novita.*overloaded.*HTTP 529.*the next was tried.*Failed/s);
  assert.match(await attempts.nth(1).textContent(), /groq.*Served/s);
  await check.page(page);
});

journey("an explained charge is what the ledger booked", async ({ page, world, person }) => {
  const ask = await asker(world, person);
  const usage = "[[sim: usage=in:1237,read:411,out:91,reasoning:17]]";
  const { id } = await ask(`${usage} Hello`);
  await page.goto(`/logs/${id}`);
  const value = (locator) => locator.locator("data").getAttribute("value");
  const charge = await value(page.locator("[data-charge]"));
  const booked = await value(page.locator("[data-booked]"));
  assert.equal(`-${charge}`, booked);
  assert.ok(Number(charge) > 0);
  const text = (cell) => cell.textContent();
  const picos = (dollars) => {
    const [whole, places] = dollars.replace(/[^\d.]/g, "").split(".");
    return BigInt(whole + places.padEnd(12, "0"));
  };
  const rows = await page.locator("#cost .table").first().locator("tbody tr").all();
  let sum = 0n;
  for (const row of rows) {
    const [, count, price, amount] = await Promise.all((await row.locator("td").all()).map(text));
    assert.equal(BigInt(count.replaceAll(",", "")) * picos(price), picos(amount));
    sum += picos(amount);
  }
  const half = (sum % 1000n) * 2n;
  const up = half > 1000n || (half === 1000n && (sum / 1000n) % 2n === 1n);
  assert.equal(sum / 1000n + (up ? 1n : 0n), BigInt(Math.round(Number(charge) * 1e9)));
  await page.getByText("agree to the last of nine places").waitFor();
});

journey("another account's generation is not there", async ({ page, world, otherBrowser, person }) => {
  const ask = await asker(world, person);
  const { id } = await ask("Hello");
  const stranger = await otherBrowser();
  await world.signIn(stranger, (await world.person()).email);
  for (const path of [`/logs/${id}`, `/logs/${id}/receipt`]) {
    assert.equal((await stranger.goto(path)).status(), 404);
    assert.notEqual((await page.goto(path)).status(), path.endsWith("receipt") ? 200 : 404);
  }
});

journey("is and is not count over all pages", async ({ page, world, check, person }) => {
  const ask = await asker(world, person);
  for (let at = 0; at < 30; at += 1) {
    await ask(at % 3 === 0 ? "[[sim: status=500]] Hello" : "Hello", { provider: { only: ["groq"] } });
  }
  await page.goto("/logs");
  const all = await total(page);
  assert.equal(all, 30);
  assert.equal(await page.locator("#rows tr").count(), 25);
  await page.goto("/logs?status=error");
  const failed = await total(page);
  assert.deepEqual(await chipsOf(page), ["error"]);
  await page.locator(".chip .flip").click();
  await page.waitForURL(/not\.status=error/);
  const others = await total(page);
  assert.deepEqual([failed, others], [10, 20]);
  await page.goto("/logs");
  await page.getByRole("link", { name: "Older" }).click();
  assert.equal(await page.locator("#rows tr").count(), 5);
  assert.equal(await total(page), all);
  await check.page(page);
  await page.goto("/logs?status=error&model=no/such");
  await page.getByText("Without “Model is no/such”").waitFor();
  await check.page(page);
});

journey("following the log survives a cut", async ({ page, world, person }) => {
  const ask = await asker(world, person);
  await ask("First");
  await page.goto("/logs");
  await page.getByRole("button", { name: "Follow" }).click();
  const cut = (route) => route.fulfill({ status: 408, body: "" });
  await page.route("**/logs/tail*", cut);
  const missed = [];
  for (let at = 0; at < 3; at += 1) missed.push((await ask(`Missed ${at}`)).id);
  await page.getByRole("button", { name: "Cut off, trying again" }).waitFor();
  await page.unroute("**/logs/tail*", cut);
  for (const id of missed) await page.locator(`[id="${id}"]`).waitFor();
  const { id } = await ask("After");
  await page.locator(`[id="${id}"]`).waitFor();
  const ids = await page.locator("#rows tr").evaluateAll((rows) => rows.map((row) => row.id));
  assert.equal(new Set(ids).size, ids.length);
  assert.equal(ids.length, 5);
});

journey("an export has the whole filter, and nothing in it is a formula", async ({ page, world, person }) => {
  const ask = await asker(world, person);
  for (let at = 0; at < 27; at += 1) await ask("Hello", { session_id: "=1+1" });
  await page.goto("/logs");
  const answer = await page.request.get("/logs/export?format=csv");
  const text = await answer.text();
  const lines = text.trimEnd().split("\r\n");
  assert.equal(answer.headers()["x-total-count"], "27");
  assert.equal(lines.at(0), "# rows: 27");
  assert.equal(lines.at(-1), "# rows: 27");
  assert.equal(lines.length, 27 + 3);
  assert.ok(!/(^|,)"?[=+@]/m.test(text), "no cell begins a formula");
  assert.ok(text.includes(`"'=1+1"`));
  const json = await (await page.request.get("/logs/export?format=json")).json();
  assert.deepEqual([json.expected_rows, json.rows, json.data.length], [27, 27, 27]);
});

journey("a chart is zoomed by key, and its table says the same", async ({ page, world, check, person }) => {
  const ask = await asker(world, person);
  for (let at = 0; at < 4; at += 1) await ask("Hello");
  await page.goto("/activity?metric=requests&range=24h");
  assert.equal(await number(page.locator("[data-total=requests]")), 4);
  const cells = page.locator(".twin tbody td.number");
  const sum = (await cells.allTextContents()).reduce((sum, text) => sum + (Number(text.replaceAll(",", "")) || 0), 0);
  assert.equal(sum, 4);
  await check.page(page);
  await page.locator(".plot").focus();
  await page.keyboard.press("End");
  await page.keyboard.press("Enter");
  await page.waitForURL(/from=/);
  assert.equal(await number(page.locator("[data-total=requests]")), 4);
  await page.goto("/activity?metric=first_token&by=model&range=1h");
  await page.locator(".legend").getByText(`${MODEL} p95`).waitFor();
  await check.page(page);
});

journey("a session shows where it moved and why", async ({ page, world, check, person }) => {
  const ask = await asker(world, person);
  const provider = { order: ["novita", "groq"] };
  const session = { session_id: "a session", provider };
  await ask("[[sim: usage=in:4000,read:3000,out:10]] One", session);
  await ask("[[sim: provider=novita status=503]] Two", session);
  await page.goto("/sessions");
  await check.page(page);
  await page.getByRole("link", { name: "a session" }).click();
  const moves = page.locator("#moves tbody tr");
  assert.equal(await moves.count(), 1);
  assert.match(await moves.textContent(), /2.*novita.*groq/s);
  await check.page(page);
});

journey("the overview waits, then leads to the rows", async ({ page, world, check, person }) => {
  await page.goto("/");
  await page.getByText("Waiting for your first request").waitFor();
  await check.page(page);
  const ask = await asker(world, person);
  await ask("Hello");
  await page.reload();
  await page.getByRole("link", { name: MODEL }).waitFor();
  await check.page(page);
  await page.getByRole("link", { name: "Requests", exact: true }).click();
  await page.waitForURL(/\/logs/);
  assert.equal(await total(page), 1);
});

journey("the log works without a script", { context: { javaScriptEnabled: false } }, async ({ page, world, person }) => {
  const ask = await asker(world, person);
  await ask("[[sim: status=500]] Hello", { provider: { only: ["groq"] } });
  const { id } = await ask("Hello");
  await page.goto("/logs?status=ok");
  assert.equal(await page.locator("#rows tr").count(), 1);
  await page.locator("#rows a.cover").click();
  await page.getByText(id).first().waitFor();
  await page.locator("#f-category").selectOption("latency");
  await page.getByRole("button", { name: "Send" }).click();
  await page.getByText("Thank you").waitFor();
  await page.goto("/notifications");
  await page.getByText("Nothing to tell").waitFor();
});
