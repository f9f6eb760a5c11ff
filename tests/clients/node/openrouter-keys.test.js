// OpenRouter's client manages API keys.

import assert from "node:assert/strict";
import { test } from "node:test";
import { OpenRouter } from "@openrouter/sdk";
import * as errors from "@openrouter/sdk/models/errors";

import { KEY, MANAGEMENT_KEY, OAK, QUESTION, URL } from "./world.js";

// It repeats every 5xx for up to an hour otherwise.
const client = (key = MANAGEMENT_KEY) =>
  new OpenRouter({ apiKey: key, serverURL: URL, retryConfig: { strategy: "none" } });

const { apiKeys } = client();

const ask = (key) =>
  client(key).chat.send({
    chatRequest: { model: OAK, messages: [{ role: "user", content: QUESTION }] },
  });

test("a key's whole life", async () => {
  const { data, key } = await apiKeys.create({
    requestBody: {
      name: "node",
      limit: 2.5,
      limitReset: "monthly",
      includeByokInLimit: true,
      expiresAt: new Date("2099-01-01T00:00:00Z"),
      external: { user: "their-user", apiKey: "k".repeat(40) },
    },
  });
  assert.equal(data.limit, 2.5);
  assert.equal(data.limitRemaining, 2.5);
  assert.equal(data.limitReset, "monthly");
  assert.equal(data.externalUser, "their-user");
  assert.equal(data.expiresAt.toISOString(), "2099-01-01T00:00:00.000Z");
  assert.equal(data.updatedAt, null);
  const { hash } = data;

  await ask(key);
  const current = await client(key).apiKeys.getCurrentKeyMetadata();
  assert.equal(current.data.limit, 2.5);
  const found = (await apiKeys.get({ hash })).data;
  assert.ok(found.usage > 0 && found.usage === found.usageMonthly);
  assert.ok(found.limitRemaining < 2.5);

  const changed = (
    await apiKeys.update({ hash, requestBody: { name: "renamed", limit: null, disabled: true } })
  ).data;
  assert.equal(changed.name, "renamed");
  assert.equal(changed.limit, null);
  assert.equal(changed.limitReset, null);
  assert.ok(changed.disabled && changed.updatedAt);
  await assert.rejects(ask(key), errors.UnauthorizedResponseError);

  const listed = (await apiKeys.list()).data.map((one) => one.hash);
  assert.ok(!listed.includes(hash) && listed.length > 0);
  const all = (await apiKeys.list({ includeDisabled: true, offset: 0 })).data;
  assert.equal(all[0].hash, hash);

  assert.equal((await apiKeys.delete({ hash })).deleted, true);
  await assert.rejects(apiKeys.get({ hash }), errors.NotFoundResponseError);
  await assert.rejects(apiKeys.delete({ hash }), errors.NotFoundResponseError);
});

test("what is refused has a type of its own", async () => {
  const strict = { name: "x", limitReset: "monthly" };
  await assert.rejects(apiKeys.create({ requestBody: strict }), errors.BadRequestResponseError);
  const refused = client(KEY).apiKeys.create({ requestBody: { name: "x" } });
  await assert.rejects(refused, (error) => {
    assert.equal(error.statusCode, 403);
    assert.match(error.message, /Only management keys can perform this operation/);
    return true;
  });
  await assert.rejects(
    client("sk-sy-v1-nonsense").apiKeys.list(),
    errors.UnauthorizedResponseError,
  );
});

test("the key's limit is a budget", async () => {
  const { data } = await client(KEY).apiKeys.getCurrentKeyMetadata();
  assert.equal(data.limit, 5);
});
