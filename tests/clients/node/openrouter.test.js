// OpenRouter's client, which checks every answer against its schema.

import assert from "node:assert/strict";
import { test } from "node:test";
import { OpenRouter } from "@openrouter/sdk";
import * as errors from "@openrouter/sdk/models/errors";

import {
  CLAUDE, INVENTED_GENERATION, KEPT, KEY, MANAGEMENT_KEY, OAK, PIXEL_URL, POOR_KEY, QUESTION,
  SERVED_BY, TREE_SCHEMA, URL, WEATHER_PARAMETERS, told,
} from "./world.js";

const WEATHER = {
  type: "function",
  function: { name: "get_weather", description: "Tells the weather.", parameters: WEATHER_PARAMETERS },
};

// It repeats every 5xx for up to an hour otherwise.
const client = (key = KEY) =>
  new OpenRouter({ apiKey: key, serverURL: URL, retryConfig: { strategy: "none" } });

const ask = ({ provider, model }, more = {}, key = KEY) =>
  client(key).chat.send({
    chatRequest: {
      model,
      messages: [{ role: "user", content: QUESTION }],
      provider: { order: [provider], allowFallbacks: false },
      ...more,
    },
  });

const user = (content) => ({ messages: [{ role: "user", content }] });

async function collect(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
}

for (const served of SERVED_BY) {
  const by = `${served.model} by ${served.provider}`;

  test(`completion, ${by}`, async () => {
    const result = await ask(served);
    const [choice] = result.choices;
    assert.match(choice.message.content, /^Hello!/);
    assert.equal(choice.finishReason, "stop");
    assert.equal(result.model, served.model);
    assert.ok(result.usage.cost > 0);
    assert.equal(result.usage.promptTokensDetails.cachedTokens, 0);
  });

  test(`stream, ${by}`, async () => {
    const chunks = await collect(await ask(served, { stream: true }));
    const choices = chunks.flatMap((chunk) => chunk.choices);
    assert.match(choices.map((choice) => choice.delta.content ?? "").join(""), /^Hello!.*\.$/s);
    const reasons = choices.map((choice) => choice.finishReason).filter(Boolean);
    assert.deepEqual(reasons, ["stop"]);
    const usages = chunks.map((chunk) => chunk.usage).filter(Boolean);
    assert.equal(usages.length, 1);
    assert.ok(usages[0].cost > 0);
  });

  test(`tool round trip, ${by}`, async () => {
    const { choices: [choice] } = await ask(served, { tools: [WEATHER], toolChoice: "required" });
    assert.equal(choice.finishReason, "tool_calls");
    const [call] = choice.message.toolCalls;
    assert.equal(call.function.name, "get_weather");
    assert.equal(typeof JSON.parse(call.function.arguments).city, "string");
    const messages = [
      { role: "user", content: QUESTION },
      choice.message,
      { role: "tool", toolCallId: call.id, content: "17 degrees" },
    ];
    const answer = await ask(served, { messages, tools: [WEATHER] });
    assert.match(answer.choices[0].message.content, /17 degrees/);
  });

  test(`tool call in a stream, ${by}`, async () => {
    const options = { tools: [WEATHER], toolChoice: "required", stream: true };
    const chunks = await collect(await ask(served, options));
    const calls = chunks.flatMap((chunk) => chunk.choices).flatMap((choice) => choice.delta.toolCalls ?? []);
    assert.ok(calls[0].id);
    assert.equal(calls[0].function.name, "get_weather");
    const text = calls.map((call) => call.function?.arguments ?? "").join("");
    assert.equal(typeof JSON.parse(text).city, "string");
  });

  test(`structured output, ${by}`, async () => {
    const responseFormat = {
      type: "json_schema",
      jsonSchema: { name: "tree", strict: true, schema: TREE_SCHEMA },
    };
    const { choices: [{ message }] } = await ask(served, { responseFormat });
    assert.deepEqual(Object.keys(JSON.parse(message.content)).sort(), ["height_metres", "name"]);
  });

  test(`image, ${by}`, async () => {
    const content = [
      { type: "text", text: "What is this?" },
      { type: "image_url", imageUrl: { url: PIXEL_URL } },
    ];
    const { choices: [{ message }] } = await ask(served, user(content));
    assert.match(message.content, /One image came along/);
  });

  test(`reasoning comes and goes back, ${by}`, async () => {
    const options = { reasoning: { effort: "low" }, maxTokens: 4000 };
    const { choices: [{ message }] } = await ask(served, options);
    assert.ok(message.reasoning);
    const messages = [
      { role: "user", content: QUESTION },
      message,
      { role: "user", content: "And in Poland?" },
    ];
    const answer = await ask(served, { ...options, messages });
    assert.ok(answer.choices[0].message.content);
  });

  test(`generation, ${by}`, async () => {
    const chunks = await collect(await ask(served, { stream: true }));
    const { data } = await client().generations.getGeneration({ id: chunks[0].id });
    assert.equal(data.id, chunks[0].id);
    assert.equal(data.model, served.model);
    assert.equal(data.totalCost, chunks.at(-1).usage.cost);
    assert.equal(data.streamed, true);
    assert.equal(data.cancelled, false);
  });

  test(`429 and 502, ${by}`, async () => {
    const slowed = await fails(
      errors.TooManyRequestsResponseError, served, user(told("status=429 retry_after=3")),
    );
    assert.equal(slowed.headers.get("retry-after"), "3");
    await fails(errors.BadGatewayResponseError, served, user(told("status=500")));
  });

  test(`an error inside a stream, ${by}`, async () => {
    const chunks = await collect(await ask(served, { ...user(told("cut=8 tokens=40")), stream: true }));
    assert.equal(chunks.at(-1).error.code, 502);
    assert.equal(chunks.at(-1).choices[0].finishReason, "error");
  });
}

/** The same typed error, asked for in one piece and as a stream. */
async function fails(kind, served, more = {}, key = KEY) {
  let last;
  for (const stream of [false, true]) {
    await assert.rejects(ask(served, { ...more, stream }, key), (error) => {
      assert.ok(error instanceof kind, `${error.constructor.name}: ${error.message}`);
      assert.equal(error.error.code, error.statusCode);
      assert.ok(error.error.message);
      last = error;
      return true;
    });
  }
  return last;
}

const ALDER = SERVED_BY[0];

test("400", async () => {
  await fails(errors.BadRequestResponseError, ALDER, { model: "acme/elm" });
  await fails(errors.BadRequestResponseError, ALDER, { temperature: 9 });
});

test("401", () => fails(errors.UnauthorizedResponseError, ALDER, {}, "sk-sy-v1-nobody"));

test("402", () => fails(errors.PaymentRequiredResponseError, ALDER, {}, POOR_KEY));

test("403", () => fails(errors.ForbiddenResponseError, ALDER, {}, MANAGEMENT_KEY));

test("404 when no endpoint is left", () =>
  fails(errors.NotFoundResponseError, ALDER, { model: KEPT, provider: { zdr: true } }));

test("404 for a generation that nobody made", () =>
  assert.rejects(
    client().generations.getGeneration({ id: INVENTED_GENERATION }),
    errors.NotFoundResponseError,
  ));

test("models, endpoints and providers", async () => {
  const models = [];
  for await (const page of await client().models.list()) models.push(...page.result.data);
  const ids = models.map((model) => model.id);
  for (const id of [OAK, KEPT, CLAUDE]) assert.ok(ids.includes(id), id);
  const count = await client().models.count();
  assert.equal(count.data.count, models.length);
  const one = await client().models.get({ author: "acme", slug: "oak" });
  assert.equal(one.data.id, OAK);
  const { data } = await client().endpoints.list({ author: "acme", slug: "oak" });
  assert.deepEqual(data.endpoints.map((endpoint) => endpoint.tag).sort(), ["alder", "birch", "cedar"]);
  const providers = await client().providers.list();
  assert.equal(providers.data.length, 3);
  const kept = await client().endpoints.listZdrEndpoints();
  assert.ok(kept.data.every((endpoint) => endpoint.providerName !== "Birch"));
});

test("key", async () => {
  const { data } = await client().apiKeys.getCurrentKeyMetadata();
  assert.equal(data.limit, 5);
  assert.ok(data.limitRemaining <= 5);
  assert.equal(data.isManagementKey, false);
  const manager = await client(MANAGEMENT_KEY).apiKeys.getCurrentKeyMetadata();
  assert.equal(manager.data.isManagementKey, true);
  assert.equal(manager.data.limit, null);
});

test("credits", async () => {
  const { data } = await client(MANAGEMENT_KEY).credits.getCredits();
  assert.equal(data.totalCredits, 10);
  assert.ok(data.totalUsage >= 0);
  await assert.rejects(client().credits.getCredits(), errors.ForbiddenResponseError);
});
