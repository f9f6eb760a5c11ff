// Programs that ask people for keys: one on another origin, one without any.

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { once } from "node:events";

import { journey } from "../harness/journey.mjs";

const base64url = (bytes) => Buffer.from(bytes).toString("base64url");

function proof() {
  const verifier = base64url(randomBytes(48));
  return { verifier, challenge: base64url(createHash("sha256").update(verifier).digest()) };
}

// A site of somebody else's: its page exchanges the code by itself, as one that has no server would.
async function elsewhere(api, verifier) {
  const html = `<!doctype html><html lang="en"><title>A program</title><main><h1>A program</h1><output id="key"></output></main><script>
    const code = new URL(location.href).searchParams.get("code");
    if (code) fetch(${JSON.stringify(`${api}/api/v1/auth/keys`)}, {
      method: "POST", headers: { "content-type": "application/json" },
      body: JSON.stringify({ code, code_verifier: ${JSON.stringify(verifier)}, code_challenge_method: "S256" }),
    }).then((reply) => reply.json()).then((made) => (document.querySelector("#key").textContent = made.key ?? JSON.stringify(made)));
  </script></html>`;
  const server = createServer((request, response) => {
    response.writeHead(request.url.startsWith("/favicon") ? 204 : 200, { "content-type": "text/html" });
    response.end(request.url.startsWith("/favicon") ? "" : html);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { origin: `http://127.0.0.1:${server.address().port}`, close: () => server.close() };
}

journey("a program on another origin gets a key by PKCE", async ({ page, world, check }) => {
  const { verifier, challenge } = proof();
  const program = await elsewhere(world.url, verifier);
  try {
    const asks = new URLSearchParams({
      callback_url: `${program.origin}/done?tab=1`,
      code_challenge: challenge,
      code_challenge_method: "S256",
      state: "kept",
    });
    await page.goto(`/auth?${asks}`);
    await page.getByRole("heading", { level: 1, name: /^Give 127\.0\.0\.1:\d+ a key\?$/ }).waitFor();
    await check.page(page, { firstView: false });
    await page.getByLabel("Name of the key").fill("from elsewhere");
    await page.getByLabel("Limit in US dollars").fill("a lot");
    await page.getByRole("button", { name: /^Give 127/ }).click();
    await page.getByRole("alert").waitFor();
    await check.page(page, { firstView: false });
    await page.getByLabel("Limit in US dollars").fill("0.50");
    await page.getByRole("button", { name: /^Give 127/ }).click();
    await page.waitForURL(`${program.origin}/**`);
    const key = page.locator("#key", { hasText: /^sk-/ });
    await key.waitFor();
    assert.match(page.url(), /tab=1&code=[0-9a-f]+&state=kept$/);
    const text = await key.textContent();
    const told = await fetch(`${world.url}/api/v1/key`, { headers: { authorization: `Bearer ${text}` } });
    assert.equal((await told.json()).data.limit, 0.5);
    // The journey itself leads elsewhere.
    check.expected(/foreign request: http:\/\/127\.0\.0\.1:\d+\/done/);
  } finally {
    program.close();
  }
});

journey("a code that is shown always needs a challenge", async ({ page, check, world }) => {
  const refused = await page.goto("/auth");
  assert.equal(refused.status(), 400);
  await page.getByText("code_challenge is missing").waitFor();
  await check.page(page, { firstView: false });

  const { verifier, challenge } = proof();
  await page.goto(`/auth?code_challenge=${challenge}`);
  await check.page(page, { firstView: false });
  await page.getByRole("button", { name: "Show a code" }).click();
  const code = await page.getByLabel("Secret").textContent();
  await check.page(page, { firstView: false });
  const exchange = () =>
    fetch(`${world.url}/api/v1/auth/keys`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ code, code_verifier: verifier }),
    });
  assert.equal((await exchange()).status, 200);
  assert.equal((await exchange()).status, 403, "a second use");
});
