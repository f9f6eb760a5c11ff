// Programs that tests start, and that end with them.

import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { createInterface } from "node:readline";

const SCRIPTS = new URL("../../../crates/testkit/src/", import.meta.url);
const START_MS = 60_000;
const STOP_MS = 30_000;

// What was started and runs, so that all of it ends with this, however this ends.
const running = new Set();

for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(1));
process.on("exit", () => {
  for (const stop of running) stop();
});

const ended = (child) =>
  child.exitCode !== null || child.signalCode !== null
    ? Promise.resolve()
    : new Promise((resolve) => child.once("exit", resolve));

// A server. `firstLine` resolves to what it says first, or fails when it ends before.
export function start(program, args, env) {
  const child = spawn(program, args, { env, stdio: ["ignore", "pipe", "pipe"] });
  const log = [];
  const listeners = new Set();
  const note = (line) => {
    log.push(line);
    if (log.length > 200) log.shift();
    for (const listen of listeners) listen(line);
  };
  createInterface({ input: child.stderr }).on("line", note);
  const output = createInterface({ input: child.stdout });
  const firstLine = new Promise((resolve, reject) => {
    output.once("line", resolve);
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`${program} ended with ${code}:\n${log.join("\n")}`)));
  });
  firstLine.catch(() => {});
  output.on("line", note);
  // Resolves once a line of it holds `words`.
  const said = (words) =>
    new Promise((resolve, reject) => {
      if (log.some((line) => line.includes(words))) return resolve();
      listeners.add((line) => line.includes(words) && resolve());
      AbortSignal.timeout(START_MS).onabort = () =>
        reject(new Error(`${program} never said ${words}:\n${log.join("\n")}`));
      child.once("exit", () => reject(new Error(`${program} ended:\n${log.join("\n")}`)));
    });
  const kill = () => child.kill("SIGTERM");
  running.add(kill);
  return {
    firstLine,
    said,
    log,
    async stop() {
      running.delete(kill);
      kill();
      AbortSignal.timeout(STOP_MS).onabort = () => child.kill("SIGKILL");
      await ended(child);
    },
  };
}

// Runs a program to its end; gives what it printed.
export function run(program, args, env, input = "") {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env, stdio: ["pipe", "pipe", "pipe"] });
    let [out, err] = ["", ""];
    child.stdout.on("data", (chunk) => (out += chunk));
    child.stderr.on("data", (chunk) => (err += chunk));
    child.once("error", reject);
    child.once("close", (code) =>
      code === 0 ? resolve(out) : reject(new Error(`${args.join(" ")}: ${out}${err}`)),
    );
    // A command that reads nothing may be over before.
    child.stdin.on("error", () => {});
    child.stdin.end(input);
  });
}

// A server that a script keeps until its input ends; resolves when a line of its output says so.
async function keptBy(script, args, isReady) {
  const text = await readFile(new URL(script, SCRIPTS), "utf8");
  const child = spawn("sh", ["-c", text, "sh", ...(args ?? [text])], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const stop = () => child.stdin.end();
  running.add(stop);
  const line = await new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).on("line", (line) => isReady(line) && resolve(line));
    child.once("exit", () => reject(new Error(`${script}: the server did not start`)));
  });
  return {
    line,
    async stop() {
      running.delete(stop);
      stop();
      await ended(child);
    },
  };
}

export async function startPostgres() {
  const server = await keptBy("postgres.sh", null, () => true);
  return { ...server, url: `postgres://postgres@localhost/postgres?host=${server.line.trim()}` };
}

export async function startRedis() {
  const port = await freePort();
  const server = await keptBy("redis.sh", ["-", String(port)], (line) =>
    line.includes("Ready to accept connections"),
  );
  return { ...server, url: `redis://127.0.0.1:${port}` };
}

// A port below the range that the system hands out by itself, so that nobody is given it meanwhile.
export async function freePort() {
  for (;;) {
    const port = 12_000 + Math.floor(Math.random() * 8_000);
    const isFree = await new Promise((resolve) => {
      const server = createServer();
      server.once("error", () => resolve(false));
      server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
    });
    if (isFree) return port;
  }
}
