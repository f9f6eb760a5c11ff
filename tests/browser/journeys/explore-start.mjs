// From signing up to a first answer.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { promisify } from "node:util";

import { journey } from "../harness/journey.mjs";

const run = promisify(execFile);

journey("the copied command runs, and the page turns green within two seconds", async ({ page, context, check }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await page.goto("/start");
  await page.getByText("Waiting for your first request").waitFor();
  await check.page(page);
  await page.getByRole("button", { name: "Make a key" }).click();
  const secret = await page.getByRole("status", { name: "Secret" }).innerText();
  assert.match(secret, /^sk-sy-v1-[0-9a-f]+$/);
  await check.page(page, { firstView: false });
  await page.getByRole("region", { name: "curl" }).getByRole("button", { name: "Copy" }).click();
  const command = await page.evaluate(() => navigator.clipboard.readText());
  assert(command.includes(secret));
  const { stdout } = await run("sh", ["-c", command]);
  assert(stdout.includes("data: [DONE]"), stdout);
  await page.getByText("Your first request was answered.").waitFor({ timeout: 2_000 });
  await check.page(page, { firstView: false });
  await page.reload();
  await page.getByText("Your first request was answered.").waitFor();
  assert(!(await page.content()).includes(secret), "the secret is shown twice");
});

journey("the start works without a script", { context: { javaScriptEnabled: false } }, async ({ page }) => {
  await page.goto("/start");
  await page.getByRole("button", { name: "Make a key" }).click();
  await page.getByRole("heading", { name: "Your key" }).waitFor();
  await page.getByRole("link", { name: "Look again" }).waitFor();
});
