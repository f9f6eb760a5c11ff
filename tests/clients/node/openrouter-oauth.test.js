// OpenRouter's client asks somebody for a key, and exchanges the code for it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { OpenRouter } from "@openrouter/sdk";
import * as errors from "@openrouter/sdk/models/errors";

import { MANAGEMENT_KEY, URL as SERVER } from "./world.js";

// It repeats every 5xx for up to an hour otherwise.
const client = (key = MANAGEMENT_KEY) =>
  new OpenRouter({ apiKey: key, serverURL: SERVER, retryConfig: { strategy: "none" } });

const { oAuth } = client();
const callbackUrl = "https://app.example/done";

test("a code is made and exchanged for a key", async () => {
  const { codeChallenge, codeVerifier } = await oAuth.createSHA256CodeChallenge();
  const { data } = await oAuth.createAuthCode({
    requestBody: { callbackUrl, codeChallenge, codeChallengeMethod: "S256", keyLabel: "node", limit: 1.5 },
  });
  assert.ok(Number.isInteger(data.appId));
  const exchange = (more) =>
    oAuth.exchangeAuthCodeForAPIKey({
      requestBody: { code: data.id, codeVerifier, codeChallengeMethod: "S256", ...more },
    });
  await assert.rejects(exchange({ codeChallengeMethod: "plain" }), errors.BadRequestResponseError);
  await assert.rejects(exchange({ codeVerifier: "x".repeat(43) }), errors.ForbiddenResponseError);
  const { key } = await exchange();
  const current = await client(key).apiKeys.getCurrentKeyMetadata();
  assert.equal(current.data.limit, 1.5);
  await assert.rejects(exchange(), errors.ForbiddenResponseError);
  await assert.rejects(client(key).apiKeys.getCurrentKeyMetadata(), errors.UnauthorizedResponseError);
});

test("the address that it sends people to is ours", async () => {
  const { codeChallenge } = await oAuth.createSHA256CodeChallenge();
  const address = await oAuth.createAuthorizationUrl({
    callbackUrl,
    codeChallenge,
    codeChallengeMethod: "S256",
    limit: 5,
  });
  assert.equal(new URL(address).pathname, "/auth");
  // Nobody is signed in here, so it leads to where that is done, and back.
  const asked = await fetch(address, { redirect: "manual" });
  assert.equal(asked.status, 303);
  assert.match(asked.headers.get("location"), /^\/login\?back=%2Fauth%3Fcallback_url%3D/);
});
