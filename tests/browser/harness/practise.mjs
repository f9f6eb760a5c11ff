// Requests to simulated providers, so that pages have something to show.

const SAYINGS = [
  { model: "openai/gpt-oss-120b", content: "Why is the sky blue?" },
  { model: "openai/gpt-oss-120b", content: "Name three trees.", user: "ada" },
  { model: "openai/gpt-oss-120b", content: "Summarise the weather. [[sim: status=429]]" },
  { model: "openai/gpt-oss-120b", content: "Count to ten.", max_tokens: 16 },
];

// The demo's key asks `count` times.
export async function practise(world, count) {
  for (let at = 0; at < count; at += 1) {
    const { content, ...more } = SAYINGS[at % SAYINGS.length];
    await world.chat(world.demo.api_key, content, more);
  }
}
