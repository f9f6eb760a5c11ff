// What surrounds every page: signing in by a link, the theme, the menu, keys, and pages that are not there.

import assert from "node:assert/strict";

import { journey } from "../harness/journey.mjs";

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
