// OpenRouter's client manages workspaces, their members and provider credentials.

import assert from "node:assert/strict";
import { test } from "node:test";
import { OpenRouter } from "@openrouter/sdk";
import * as errors from "@openrouter/sdk/models/errors";

import { KEY, MANAGEMENT_KEY, OAK, URL } from "./world.js";

const client = (key = MANAGEMENT_KEY) =>
  new OpenRouter({ apiKey: key, serverURL: URL, retryConfig: { strategy: "none" } });

const { workspaces, byok, organization } = client();

// A workspace for the length of a test.
async function inWorkspace(slug, fields, run) {
  const { data } = await workspaces.create({
    createWorkspaceRequest: { name: "Team", slug, ...fields },
  });
  try {
    await run(data);
  } finally {
    assert.equal((await workspaces.delete({ id: data.id })).deleted, true);
  }
}

async function rows(pages) {
  const found = [];
  for await (const page of await pages) found.push(...page.result.data);
  return found;
}

test("workspaces", async () => {
  let id;
  await inWorkspace("node-team", { description: "Research" }, async (made) => {
    id = made.id;
    assert.deepEqual(
      [made.name, made.slug, made.description, made.ioLoggingSamplingRate],
      ["Team", "node-team", "Research", 1],
    );
    for (const name of [made.id, made.slug]) {
      assert.deepEqual((await workspaces.get({ id: name })).data, made);
    }
    const slugs = (await rows(workspaces.list({ limit: 1 }))).map((row) => row.slug);
    assert.equal(slugs[0], "default");
    assert.ok(slugs.includes("node-team"));
    const { data: changed } = await workspaces.update({
      id: "node-team",
      updateWorkspaceRequest: { name: "Crew", description: null, defaultProviderSort: "latency" },
    });
    assert.deepEqual(
      [changed.name, changed.description, changed.defaultProviderSort],
      ["Crew", null, "latency"],
    );
  });
  await assert.rejects(workspaces.get({ id }), errors.NotFoundResponseError);
  await assert.rejects(workspaces.delete({ id: "default" }), errors.ForbiddenResponseError);
  await assert.rejects(
    workspaces.create({ createWorkspaceRequest: { name: "Team", slug: "Not A Slug" } }),
    errors.BadRequestResponseError,
  );
});

test("members", async () => {
  // A personal account is no organization.
  await assert.rejects(organization.listMembers({}), errors.NotFoundResponseError);
  const [everybody] = await rows(workspaces.listMembers({ id: "default" }));
  await inWorkspace("node-members", {}, async ({ id }) => {
    const userIds = [everybody.userId];
    const added = await workspaces.bulkAddMembers({
      id,
      bulkAddWorkspaceMembersRequest: { userIds },
    });
    assert.deepEqual([added.addedCount, added.data[0].role], [1, "admin"]);
    assert.deepEqual(await rows(workspaces.listMembers({ id })), added.data);
    const removed = await workspaces.bulkRemoveMembers({
      id,
      bulkRemoveWorkspaceMembersRequest: { userIds },
    });
    assert.equal(removed.removedCount, 1);
  });
});

test("byok", async () => {
  await inWorkspace("node-byok", {}, async ({ id: workspaceId }) => {
    const { data: stored } = await byok.create({
      createBYOKKeyRequest: { provider: "alder", key: "sk-node-1234567890", workspaceId },
    });
    assert.equal(stored.workspaceId, workspaceId);
    assert.ok(!stored.label.includes("1234567"));
    const { id } = stored;
    const { data: changed } = await byok.update({
      id,
      updateBYOKKeyRequest: { name: "Ours", isFallback: true, allowedModels: [OAK] },
    });
    assert.deepEqual(
      [changed.name, changed.isFallback, changed.allowedModels],
      ["Ours", true, [OAK]],
    );
    const { data: rotated } = await byok.update({
      id,
      updateBYOKKeyRequest: { key: "sk-node-0987654321", allowedModels: null },
    });
    assert.notEqual(rotated.label, stored.label);
    assert.deepEqual([rotated.name, rotated.allowedModels], ["Ours", null]);
    assert.deepEqual((await byok.get({ id })).data, rotated);
    assert.deepEqual(await rows(byok.list({ workspaceId, provider: "alder" })), [rotated]);
    await assert.rejects(
      byok.update({ id, updateBYOKKeyRequest: { allowedModels: [] } }),
      errors.BadRequestResponseError,
    );
    assert.equal((await byok.delete({ id })).deleted, true);
    await assert.rejects(byok.get({ id }), errors.NotFoundResponseError);
  });
  // The client has no class for this status of this call.
  await assert.rejects(client(KEY).byok.list({}), { statusCode: 403 });
});
