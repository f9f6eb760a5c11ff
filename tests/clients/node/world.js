// What the Node suites ask for.

const environment = (name) => {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set; tests/clients/run sets it`);
  return value;
};

export const URL = environment("SWITCHYARD_URL");
export const KEY = environment("SWITCHYARD_KEY");
export const MANAGEMENT_KEY = environment("SWITCHYARD_MANAGEMENT_KEY");
export const POOR_KEY = environment("SWITCHYARD_POOR_KEY");

export const OAK = "acme/oak";
export const KEPT = "acme/kept";
export const CLAUDE = "anthropic/claude-cedar";

// Who serves: OpenAI's dialect behind, and Anthropic's.
export const SERVED_BY = [
  { provider: "alder", model: OAK },
  { provider: "cedar", model: OAK },
  { provider: "cedar", model: CLAUDE },
];

export const QUESTION = "How tall do oaks grow?";

// A question that makes the simulated provider behave in some way.
export const told = (directive) => `${QUESTION} [[sim: ${directive}]]`;

export const PIXEL =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
export const PIXEL_URL = `data:image/png;base64,${PIXEL}`;

export const WEATHER_PARAMETERS = {
  type: "object",
  properties: { city: { type: "string" } },
  required: ["city"],
};

export const TREE_SCHEMA = {
  type: "object",
  properties: { name: { type: "string" }, height_metres: { type: "number" } },
  required: ["name", "height_metres"],
  additionalProperties: false,
};

export const INVENTED_GENERATION = "gen-1764000000-AAAAAAAAAAAAAAAAAAAA";
