// The AI SDK with OpenRouter's provider.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createOpenRouter } from "@openrouter/ai-sdk-provider";
import { APICallError, Output, generateText, stepCountIs, streamText, tool } from "ai";
import { z } from "zod";

import { KEPT, KEY, PIXEL, POOR_KEY, QUESTION, SERVED_BY, URL, told } from "./world.js";

const model = ({ provider, model }, settings = {}, key = KEY) =>
  createOpenRouter({ apiKey: key, baseURL: URL, compatibility: "strict" })(model, {
    provider: { order: [provider], allow_fallbacks: false },
    usage: { include: true },
    ...settings,
  });

const generate = (served, more = {}) =>
  generateText({ model: model(served), prompt: QUESTION, maxRetries: 0, ...more });

const weather = (calls) =>
  tool({
    description: "Tells the weather.",
    inputSchema: z.object({ city: z.string() }),
    execute: async ({ city }) => {
      calls.push(city);
      return "17 degrees";
    },
  });

for (const served of SERVED_BY) {
  const by = `${served.model} by ${served.provider}`;

  test(`completion, ${by}`, async () => {
    const result = await generate(served);
    assert.match(result.text, /^Hello!/);
    assert.equal(result.finishReason, "stop");
    assert.equal(result.response.modelId, served.model);
    const usage = result.providerMetadata.openrouter.usage;
    assert.ok(usage.cost > 0);
    assert.equal(usage.totalTokens, usage.promptTokens + usage.completionTokens);
  });

  test(`stream, ${by}`, async () => {
    const failures = [];
    const result = streamText({
      model: model(served),
      prompt: QUESTION,
      maxRetries: 0,
      onError: ({ error }) => failures.push(error),
    });
    let text = "";
    for await (const piece of result.textStream) text += piece;
    assert.match(text, /^Hello!.*\.$/s);
    assert.deepEqual(failures, []);
    assert.equal(await result.finishReason, "stop");
    const metadata = await result.providerMetadata;
    assert.ok(metadata.openrouter.usage.cost > 0);
  });

  test(`tools, all the way, ${by}`, async () => {
    for (const ask of [generateText, streamText]) {
      const cities = [];
      const result = await ask({
        model: model(served),
        prompt: "Please get_weather for me.",
        tools: { get_weather: weather(cities) },
        stopWhen: stepCountIs(3),
        maxRetries: 0,
      });
      assert.match(await result.text, /17 degrees/);
      assert.equal(cities.length, 1);
      assert.equal(typeof cities[0], "string");
      const steps = await result.steps;
      assert.deepEqual(steps.map((step) => step.finishReason), ["tool-calls", "stop"]);
    }
  });

  test(`structured output, ${by}`, async () => {
    const tree = z.object({ name: z.string(), height_metres: z.number() });
    const result = await generate(served, { output: Output.object({ schema: tree }) });
    assert.doesNotThrow(() => tree.parse(result.output));
  });

  test(`image, ${by}`, async () => {
    const content = [
      { type: "text", text: "What is this?" },
      { type: "image", image: Buffer.from(PIXEL, "base64"), mediaType: "image/png" },
    ];
    const result = await generate(served, { prompt: undefined, messages: [{ role: "user", content }] });
    assert.match(result.text, /One image came along/);
  });

  test(`reasoning, ${by}`, async () => {
    const thinking = model(served, { reasoning: { effort: "low" }, maxTokens: 4000 });
    const first = await generate(served, { model: thinking });
    assert.ok(first.reasoningText);
    const messages = [
      { role: "user", content: QUESTION },
      ...first.response.messages,
      { role: "user", content: "And in Poland?" },
    ];
    const second = await generate(served, { model: thinking, prompt: undefined, messages });
    assert.ok(second.text);
  });

  test(`429 and 502, ${by}`, async () => {
    const slowed = await fails(429, { model: model(served), prompt: told("status=429 retry_after=3") });
    assert.equal(slowed.responseHeaders["retry-after"], "3");
    assert.equal(slowed.isRetryable, true);
    await fails(502, { model: model(served), prompt: told("status=500") });
  });

  test(`an error inside a stream is told, ${by}`, async () => {
    const failures = [];
    const result = streamText({
      model: model(served),
      prompt: told("cut=8 tokens=40"),
      maxRetries: 0,
      onError: ({ error }) => failures.push(error),
    });
    await result.consumeStream();
    assert.equal(failures.length, 1);
    assert.equal(await result.finishReason, "error");
  });
}

/** The same error, asked for in one piece and as a stream. */
async function fails(status, options) {
  const check = (error) => {
    assert.ok(APICallError.isInstance(error), String(error));
    assert.equal(error.statusCode, status);
    assert.equal(error.data.error.code, status);
    return true;
  };
  const failures = [];
  const onError = ({ error }) => failures.push(error);
  const request = { prompt: QUESTION, maxRetries: 0, ...options };
  await streamText({ ...request, onError }).consumeStream();
  assert.equal(failures.length, 1);
  check(failures[0]);
  let last;
  await assert.rejects(generateText(request), (error) => {
    last = error;
    return check(error);
  });
  return last;
}

const ALDER = SERVED_BY[0];

test("400", () => fails(400, { model: model({ provider: "alder", model: "acme/elm" }) }));

test("401", () => fails(401, { model: model(ALDER, {}, "sk-sy-v1-nobody") }));

test("402", () => fails(402, { model: model(ALDER, {}, POOR_KEY) }));

test("404 when no endpoint is left", () =>
  fails(404, { model: model({ provider: "birch", model: KEPT }, { provider: { zdr: true } }) }));
