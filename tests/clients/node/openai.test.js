// OpenAI's own client.

import assert from "node:assert/strict";
import { test } from "node:test";
import OpenAI from "openai";
import { zodResponseFormat } from "openai/helpers/zod";
import { z } from "zod";

import {
  CLAUDE, KEPT, KEY, OAK, PIXEL_URL, POOR_KEY, QUESTION, SERVED_BY, TREE_SCHEMA, URL,
  WEATHER_PARAMETERS, told,
} from "./world.js";

const WEATHER = {
  type: "function",
  function: { name: "get_weather", description: "Tells the weather.", parameters: WEATHER_PARAMETERS },
};

const chat = (key = KEY) => new OpenAI({ apiKey: key, baseURL: URL, maxRetries: 0 }).chat.completions;

const request = ({ provider, model }, more = {}) => ({
  model,
  messages: [{ role: "user", content: QUESTION }],
  provider: { order: [provider], allow_fallbacks: false },
  ...more,
});

for (const served of SERVED_BY) {
  const by = `${served.model} by ${served.provider}`;

  test(`completion, ${by}`, async () => {
    const completion = await chat().create(request(served));
    const [choice] = completion.choices;
    assert.match(choice.message.content, /^Hello!/);
    assert.equal(choice.finish_reason, "stop");
    assert.equal(completion.model, served.model);
    assert.equal(completion._request_id, completion.id);
    assert.ok(completion.usage.cost > 0);
  });

  test(`stream, ${by}`, async () => {
    let text = "";
    const reasons = [];
    const usages = [];
    for await (const chunk of await chat().create(request(served, { stream: true }))) {
      text += chunk.choices[0].delta.content ?? "";
      if (chunk.choices[0].finish_reason) reasons.push(chunk.choices[0].finish_reason);
      if (chunk.usage) usages.push(chunk.usage);
    }
    assert.match(text, /^Hello!.*\.$/s);
    assert.deepEqual(reasons, ["stop"]);
    assert.equal(usages.length, 1);
    assert.ok(usages[0].completion_tokens > 0);
  });

  test(`tool round trip, ${by}`, async () => {
    const tools = { tools: [WEATHER], tool_choice: "required" };
    const whole = await chat().create(request(served, tools));
    // The helper throws on streams that are not quite right.
    const streamed = await chat().stream(request(served, tools)).finalChatCompletion();
    for (const { choices: [choice] } of [whole, streamed]) {
      assert.equal(choice.finish_reason, "tool_calls");
      const [call] = choice.message.tool_calls;
      assert.equal(call.function.name, "get_weather");
      assert.equal(typeof JSON.parse(call.function.arguments).city, "string");
      const messages = [
        { role: "user", content: QUESTION },
        choice.message,
        { role: "tool", tool_call_id: call.id, content: "17 degrees" },
      ];
      const answer = await chat().create(request(served, { messages, tools: [WEATHER] }));
      assert.match(answer.choices[0].message.content, /17 degrees/);
    }
  });

  test(`the tool runner goes the whole way, ${by}`, async () => {
    const get_weather = {
      ...WEATHER,
      function: { ...WEATHER.function, parse: JSON.parse, function: () => "17 degrees" },
    };
    const messages = [{ role: "user", content: "Please get_weather for me." }];
    const runner = chat().runTools(request(served, { messages, tools: [get_weather] }));
    assert.match(await runner.finalContent(), /17 degrees/);
  });

  test(`structured output, ${by}`, async () => {
    const tree = z.object({ name: z.string(), height_metres: z.number() });
    const response_format = zodResponseFormat(tree, "tree");
    const parsed = await chat().parse(request(served, { response_format }));
    assert.doesNotThrow(() => tree.parse(parsed.choices[0].message.parsed));
    const plain = { type: "json_schema", json_schema: { name: "tree", schema: TREE_SCHEMA } };
    const answer = await chat().create(request(served, { response_format: plain }));
    assert.doesNotThrow(() => tree.parse(JSON.parse(answer.choices[0].message.content)));
  });

  test(`image, ${by}`, async () => {
    const content = [
      { type: "text", text: "What is this?" },
      { type: "image_url", image_url: { url: PIXEL_URL } },
    ];
    const answer = await chat().create(request(served, { messages: [{ role: "user", content }] }));
    assert.match(answer.choices[0].message.content, /One image came along/);
  });

  test(`429 and 502, ${by}`, async () => {
    const asked = (directive) => ({ messages: [{ role: "user", content: told(directive) }] });
    const slowed = await fails(OpenAI.RateLimitError, served, asked("status=429 retry_after=3"));
    assert.equal(slowed.headers.get("retry-after"), "3");
    const broken = await fails(OpenAI.InternalServerError, served, asked("status=500"));
    assert.equal(broken.status, 502);
  });

  test(`an error inside a stream is thrown, ${by}`, async () => {
    const messages = [{ role: "user", content: told("cut=8 tokens=40") }];
    const stream = await chat().create(request(served, { messages, stream: true }));
    await assert.rejects(async () => {
      for await (const _ of stream);
    }, OpenAI.APIError);
  });
}

/** The same error, asked for in one piece and as a stream. */
async function fails(kind, served, more = {}, key = KEY) {
  let last;
  for (const stream of [false, true]) {
    await assert.rejects(chat(key).create(request(served, { ...more, stream })), (error) => {
      assert.ok(error instanceof kind, `${error.constructor.name}: ${error.message}`);
      assert.equal(error.error.code, error.status);
      assert.ok(error.error.message);
      last = error;
      return true;
    });
  }
  return last;
}

const ALDER = SERVED_BY[0];

test("400", async () => {
  await fails(OpenAI.BadRequestError, ALDER, { model: "acme/elm" });
  await fails(OpenAI.BadRequestError, ALDER, { temperature: 9 });
});

test("401", () => fails(OpenAI.AuthenticationError, ALDER, {}, "sk-sy-v1-nobody"));

test("402", async () => {
  const error = await fails(OpenAI.APIError, ALDER, {}, POOR_KEY);
  assert.equal(error.status, 402);
});

test("404 when no endpoint is left", async () => {
  const error = await fails(OpenAI.NotFoundError, ALDER, { model: KEPT, provider: { zdr: true } });
  assert.equal(error.error.availability.code, "privacy_restricted");
});

test("models list", async () => {
  const ids = [];
  const client = new OpenAI({ apiKey: KEY, baseURL: URL, maxRetries: 0 });
  for await (const model of client.models.list()) ids.push(model.id);
  for (const id of [OAK, KEPT, CLAUDE]) assert.ok(ids.includes(id), id);
});
