// Organizations: made, joined by invitation, looked at by role, left.

import assert from "node:assert/strict";

import { journey } from "../harness/journey.mjs";

async function found(page, name) {
  await page.goto("/organizations/new");
  assert.equal(await page.getByLabel("Name").inputValue(), "");
  await page.getByLabel("Name").fill(name);
  await page.getByRole("button", { name: "Create organization" }).click();
  await page.getByRole("heading", { level: 1, name: "Members" }).waitFor();
}

journey("an organization is made and joined by invitation", async ({ page, world, check, otherBrowser }) => {
  await page.goto("/members");
  await page.getByRole("heading", { name: "Work with others in an organization" }).waitFor();
  await check.page(page);
  await page.goto("/organizations/new");
  await check.page(page);
  await found(page, "Acme");
  await check.page(page, { firstView: false });

  const other = await world.person();
  await page.getByLabel("E-mail address").fill("nobody");
  await page.locator("form[action='/members/invite']").evaluate((form) => (form.noValidate = true));
  await page.getByRole("button", { name: "Send invitation" }).click();
  await page.getByRole("alert").waitFor();
  await check.page(page, { firstView: false });
  await page.getByLabel("E-mail address").fill(other.email);
  await page.getByLabel("Role", { exact: true }).selectOption("viewer");
  await page.getByRole("button", { name: "Send invitation" }).click();
  await page.getByRole("heading", { name: "Invited" }).waitFor();
  await check.page(page, { firstView: false });

  // The demo keeps its mails; without a mail server the link is shown for handing over.
  const link = await invitationLink(page, world, other.email);
  const theirs = await otherBrowser();
  await theirs.goto(link);
  await theirs.getByText("Viewer").waitFor();
  await check.page(theirs, { firstView: false });
  await world.signIn(theirs, other.email);
  await theirs.goto(link);
  await theirs.getByRole("button", { name: "Accept" }).click();
  await theirs.waitForURL(world.url + "/");
  const refused = await theirs.goto("/members");
  assert.equal(refused.status(), 403, "viewers do not manage members");
  await check.page(theirs, { firstView: false });

  await page.goto("/members");
  await page.getByLabel(/^Role of person-|^Role of .*@/).last().selectOption("admin");
  await page.getByRole("button", { name: /^Change the role of/ }).last().click();
  await page.getByText("The role was changed.").waitFor();
  const allowed = await theirs.goto("/members");
  assert.equal(allowed.status(), 200, "the same session, the new role");
  await check.page(theirs, { firstView: false });
});

async function invitationLink(page, world, email) {
  const shown = page.locator("figure.code code");
  if (await shown.count()) return shown.first().textContent();
  await page.goto("/demo/mail");
  const text = await page.locator("main").textContent();
  const found = text.match(/https?:\/\/\S+\/invitations\/[0-9a-f]+/);
  assert.ok(found, `a mail to ${email}: ${text.slice(0, 500)}`);
  return world.url + new URL(found[0]).pathname;
}

journey("the last owner cannot leave", async ({ page, check, person }) => {
  await found(page, "Alone");
  await page.goto("/settings");
  assert.equal(await page.getByLabel("Name", { exact: true }).inputValue(), person.email);
  await check.page(page);
  await page.getByRole("link", { name: "Leave Alone" }).click();
  await check.page(page);
  await page.getByRole("button", { name: "Leave Alone" }).click();
  await page.getByText("at least one owner").waitFor();
  await check.page(page, { firstView: false });
});

journey("a workspace is made, renamed and deleted by its typed name", async ({ page, check }) => {
  await page.goto("/workspaces");
  await check.page(page);
  await page.getByRole("link", { name: "New workspace" }).click();
  await check.page(page);
  await page.getByLabel("Name").fill("Team A");
  await page.getByLabel("Slug").fill("Team A");
  await page.getByRole("button", { name: "Create workspace" }).click();
  await page.getByRole("alert").waitFor();
  assert.equal(await page.getByLabel("Name").inputValue(), "Team A", "what was written stays");
  await check.page(page, { firstView: false });
  await page.getByLabel("Slug").fill("team-a");
  await page.getByRole("button", { name: "Create workspace" }).click();
  await page.getByRole("heading", { level: 1, name: "Team A" }).waitFor();
  await check.page(page, { firstView: false });

  await page.goto("/settings/workspace");
  await check.page(page);
  await page.getByRole("button", { name: /^Switch to Team A/ }).click();
  await page.locator(".place-workspace").getByText("Team A").waitFor();

  await page.goto("/workspaces/team-a/delete");
  await check.page(page);
  await page.getByLabel(/^Type/).fill("team-a");
  await page.getByRole("button", { name: "Delete Team A" }).click();
  await page.getByText("The workspace was deleted.").waitFor();
  await page.goto("/audit?action=workspace.");
  await page.getByText("workspace.delete").waitFor();
  await page.locator("details summary", { hasText: /changed|Details/ }).first().click();
  await check.page(page);
  await page.goto("/audit?actor=nobody");
  await page.getByRole("heading", { name: "No entry fits" }).waitFor();
  await check.page(page, { firstView: false });
});
