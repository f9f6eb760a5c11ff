// A running Switchyard with accounts in it. Two of them are tried: the demo, which is one process with
// everything embedded, and a served node on PostgreSQL and Redis with the demo's catalogue and providers.

import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { freePort, run, start, startPostgres, startRedis } from "./processes.mjs";

const BINARY = process.env.SWITCHYARD_BIN;

export const WORLDS = ["demo", "served"];
export const DEMO_OWNER = "demo@switchyard.example";

export class World {
  // `name`: which of the two. `url`: of the console, `api`: of the JSON API, `admin`: of the operators'
  // listener. `demo`: what the demo says of itself: `api_key`, `management_key`, `simulator`.
  constructor(name, folder, env) {
    Object.assign(this, { name, folder, env, stops: [], people: 0 });
  }

  // Runs a command of the program and gives the JSON that it prints.
  async run(...args) {
    return this.feed("", ...args);
  }

  // The same, with something on its standard input.
  async feed(input, ...args) {
    return JSON.parse(await run(BINARY, ["--json", ...args], this.env, input));
  }

  // Somebody new with an account of their own, with `usd` of credit.
  async person({ email, usd = "10" } = {}) {
    this.people += 1;
    email ??= `person-${process.pid}-${this.people}@example.com`;
    const { account_id: accountId } = await this.run("account", "create", "--email", email);
    if (usd) {
      await this.run("credit", "grant", "--account", accountId, "--usd", usd, "--reason", "test");
    }
    return { email, accountId };
  }

  // An API key of an account, as text.
  async key(accountId, ...options) {
    const made = await this.run("key", "create", "--account", accountId, "--name", "test", ...options);
    return made.key;
  }

  // An address that signs somebody in once.
  async signInLink(email) {
    const made = await this.run("account", "sign-in-link", "--email", email);
    return this.url + new URL(made.url).pathname;
  }

  // Signs somebody in, in the browser that the page belongs to.
  async signIn(page, email) {
    await page.goto(await this.signInLink(email));
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.waitForURL(this.url + "/**");
  }

  // A request to the JSON API.
  async call(key, path, body, method = body ? "POST" : "GET") {
    return fetch(this.api + path, {
      method,
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body: body && JSON.stringify(body),
    });
  }

  // Asks a model and waits for the whole answer.
  async chat(key, content, more = {}) {
    const body = { model: "openai/gpt-oss-120b", messages: [{ role: "user", content }], ...more };
    const response = await this.call(key, "/chat/completions", body);
    return { status: response.status, text: await response.text() };
  }

  async stop() {
    for (const stop of this.stops.reverse()) await stop();
    await rm(this.folder, { recursive: true, force: true });
  }
}

async function newWorld(name, settings) {
  const folder = await mkdtemp(join(tmpdir(), `switchyard-${name}.`));
  const [publicPort, adminPort] = [await freePort(), await freePort()];
  const world = new World(name, folder, {
    PATH: process.env.PATH,
    SWITCHYARD__DATA_DIR: join(folder, "data"),
    SWITCHYARD__SERVER__LISTEN: `127.0.0.1:${publicPort}`,
    SWITCHYARD__ADMIN__LISTEN: `127.0.0.1:${adminPort}`,
    ...settings,
  });
  world.url = `http://localhost:${publicPort}`;
  world.api = `${world.url}/api/v1`;
  world.admin = `http://127.0.0.1:${adminPort}`;
  return world;
}

export async function startDemo() {
  const world = await newWorld("demo", {});
  const server = start(BINARY, ["--json", "demo"], world.env);
  world.stops.push(() => server.stop());
  world.log = server.log;
  world.demo = JSON.parse(await server.firstLine);
  return world;
}

// Needs a running demo: its catalogue and its simulated providers.
export async function startServed(demo) {
  const catalog = join(demo.folder, "data", "demo-catalog");
  const [postgres, redis] = await Promise.all([startPostgres(), startRedis()]);
  const world = await newWorld("served", {
    SWITCHYARD__CATALOG__DIR: catalog,
    SWITCHYARD__EGRESS__OPERATOR_PRIVATE_CIDRS: "127.0.0.0/8",
    DATABASE_URL: postgres.url,
    REDIS_URL: redis.url,
  });
  world.stops.push(postgres.stop, redis.stop);
  for (const provider of await providersOf(catalog)) {
    await world.feed("any credential will do", "provider-key", "set", provider);
  }
  const { accountId } = await world.person({ email: DEMO_OWNER, usd: "25" });
  world.demo = {
    api_key: await world.key(accountId),
    management_key: await world.key(accountId, "--management"),
    simulator: demo.demo.simulator,
  };
  const server = start(BINARY, ["serve"], world.env);
  world.stops.push(() => server.stop());
  world.log = server.log;
  await server.said("ready to serve");
  return world;
}

async function providersOf(catalog) {
  const { providers } = JSON.parse(await readFile(join(catalog, "providers.json"), "utf8"));
  return providers.map((provider) => provider.slug);
}
