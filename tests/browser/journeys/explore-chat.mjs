// Asking models by hand.

import assert from "node:assert/strict";

import { journey } from "../harness/journey.mjs";

const MODEL = "openai/gpt-oss-120b";

async function open(page, ...models) {
  await page.goto("/chat?models=" + encodeURIComponent(models.join(",")));
  await page.getByRole("heading", { level: 1, name: "Chat" }).waitFor();
}

async function say(page, text) {
  await page.getByLabel("Message").fill(text);
  await page.getByRole("button", { name: "Send" }).click();
}

const facts = (page) => page.locator("[data-generation]");
const nanosOf = async (page) => facts(page).evaluateAll((all) => all.map((one) => BigInt(one.dataset.nanos)).map(String));
const sum = (amounts) => amounts.reduce((total, one) => total + BigInt(one), 0n);

journey("three models answer beside each other, and their costs add up", async ({ page, check }) => {
  await open(page, MODEL, "openai/gpt-4o-mini", "anthropic/claude-haiku-4.5");
  await check.page(page);
  await say(page, "Name three trees.");
  for (const at of [0, 1, 2]) await facts(page).nth(at).waitFor();
  await page.locator(".chat-sum").filter({ hasText: "3 answers cost" }).waitFor();
  const total = await page.locator(".chat-sum").getAttribute("data-nanos");
  assert.equal(String(sum(await nanosOf(page))), total);
  assert(BigInt(total) > 0n);
  assert.equal(await page.getByText("Done", { exact: true }).count(), 3);
  await page.getByText("Why here").first().click();
  await page.getByText(/\d+ endpoints? considered/).first().waitFor();
  await page.evaluate(() => scrollTo(0, 0));
  await check.page(page, { firstView: false });
});

journey("a stopped answer is cancelled in the books, and costs the same there", async ({ page, world, person, check }) => {
  await open(page, MODEL);
  await say(page, "Count. [[sim: tokens=400 drip_ms=50]]");
  await page.locator(".answer-text").filter({ hasText: /\w+ \w+/ }).waitFor();
  await page.getByRole("button", { name: "Stop", exact: true }).click();
  await page.getByText("Stopped", { exact: true }).waitFor();
  await facts(page).waitFor();
  await facts(page).getByText("cancelled").waitFor();
  const id = await facts(page).getAttribute("data-generation");
  const shown = await facts(page).getAttribute("data-nanos");
  const key = await world.key(person.accountId);
  const stored = await (await world.call(key, `/generation?id=${id}`)).json();
  assert.equal(stored.data.cancelled, true);
  assert.equal(Math.round(stored.data.total_cost * 1e9), Number(shown));
  await check.page(page, { firstView: false });
});

journey("a stream that breaks keeps what came, marked", async ({ page, check }) => {
  await open(page, MODEL);
  await say(page, "Go on. [[sim: error=6]]");
  await page.getByText("Cut off", { exact: true }).waitFor();
  assert.notEqual((await page.locator(".answer-text").innerText()).trim(), "");
  await page.getByRole("alert").filter({ hasText: /\w/ }).waitFor();
  await page.getByRole("button", { name: "Retry" }).waitFor();
  await check.page(page, { firstView: false });
});

journey("a refusal says its reason", { worlds: ["demo"] }, async ({ page, world, otherBrowser, check }) => {
  const poor = await world.person({ usd: "" });
  const browser = await otherBrowser();
  await world.signIn(browser, poor.email);
  await open(browser, MODEL);
  await say(browser, "Hello?");
  await browser.getByText("Refused", { exact: true }).waitFor();
  await browser.getByRole("alert").filter({ hasText: "402" }).waitFor();
  await check.page(browser, { firstView: false });
  await open(page, "nobody/nothing");
  await say(page, "Hello?");
  await page.getByRole("alert").filter({ hasText: "nobody/nothing" }).waitFor();
});

journey("T19: markup in an answer is inert while it streams and after", async ({ page, check }) => {
  const hostile = [
    "<script>window.pwned = 1</script>",
    "<img src=x onerror='window.pwned = 2'>",
    "[x](javascript:window.pwned=3)",
    "![p](https://evil.example/pixel.png)",
    "**bold** `code`",
  ].join("\n\n");
  // What a provider answers is ours to say here: the console's way of showing it is what is tried.
  const chunk = (delta) => `data: ${JSON.stringify({ choices: [{ index: 0, delta }] })}\n\n`;
  const pieces = hostile.match(/[\s\S]{1,7}/g).map((content) => chunk({ content }));
  await page.route("**/chat/completions", (route) =>
    route.fulfill({ status: 200, headers: { "content-type": "text/event-stream" }, body: pieces.join("") + "data: [DONE]\n\n" }),
  );
  const name = "acme/<img src=x onerror='window.pwned=4'>";
  await open(page, MODEL, name);
  await say(page, "Be hostile.");
  await page.getByText("Done", { exact: true }).nth(1).waitFor();
  await page.getByRole("heading", { name, exact: true }).waitFor();
  await page.locator(".answer-text strong").first().getByText("bold").waitFor();
  assert.equal(await page.evaluate(() => window.pwned), undefined);
  const inside = await page.locator(".answer-text").first().evaluate((one) => ({
    elements: [...one.querySelectorAll("script, img, iframe, style, form")].length,
    links: [...one.querySelectorAll("a")].map((link) => link.getAttribute("href")),
    text: one.innerText,
  }));
  assert.equal(inside.elements, 0);
  assert(inside.links.every((link) => !link?.startsWith("javascript")), `${inside.links}`);
  assert(inside.text.includes("<script>window.pwned = 1</script>"), inside.text);
  await check.page(page, { firstView: false });
});

journey("the chat's requests come from here only", async ({ page, world }) => {
  await open(page, MODEL);
  const statuses = await page.evaluate(async (model) => {
    const body = JSON.stringify({ model, messages: [{ role: "user", content: "Hi" }] });
    const send = (headers) => fetch("/chat/completions", { method: "POST", headers: { "content-type": "application/json", ...headers }, body });
    return [(await send({})).status, (await send({ "x-csrf-token": "0".repeat(32) })).status];
  }, MODEL).catch((error) => error);
  assert.deepEqual(statuses, [403, 403]);
  const cookies = (await page.context().cookies()).map(({ name, value }) => `${name}=${value}`).join("; ");
  const api = await fetch(world.api + "/chat/completions", { method: "POST", headers: { cookie: cookies, "content-type": "application/json" }, body: "{}" });
  assert.equal(api.status, 401);
});
