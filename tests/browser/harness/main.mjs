// Goes on every journey, in both worlds, some at a time.

import { readdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { openBrowser } from "./browser.mjs";
import { goOn, journeys } from "./journey.mjs";
import { WORLDS, startDemo, startServed } from "./world.mjs";

const HERE = new URL("../journeys/", import.meta.url);
const ARTEFACTS = fileURLToPath(new URL("../artefacts/", import.meta.url));

const { values } = parseArgs({
  options: {
    only: { type: "string", multiple: true, default: [] },
    world: { type: "string", multiple: true, default: WORLDS },
    workers: { type: "string", default: "2" },
    list: { type: "boolean", default: false },
  },
});

for (const file of (await readdir(HERE)).filter((name) => name.endsWith(".mjs")).sort()) {
  await import(new URL(file, HERE));
}
const isAsked = ({ name }) => values.only.length === 0 || values.only.some((part) => name.includes(part));
const chosen = journeys.filter(isAsked);
if (values.list) {
  for (const { name } of chosen) console.log(name);
  process.exit(0);
}
if (chosen.length === 0) {
  console.error(`there is no journey like ${values.only.join(", ")}`);
  process.exit(1);
}

const started = Date.now();
const seconds = (from) => ((Date.now() - from) / 1000).toFixed(1);
const [browser, demo] = await Promise.all([openBrowser(), startDemo()]);
const worlds = [];
let failures = 0;
try {
  if (values.world.includes("demo")) worlds.push(demo);
  if (values.world.includes("served")) worlds.push(await startServed(demo));
  for (const world of worlds) {
    console.log(`--- ${chosen.length} journeys, ${world.name}`);
    await inWorld(world);
  }
} finally {
  await browser.close();
  for (const world of worlds) if (world !== demo) await world.stop();
  await demo.stop();
}
console.log(failures ? `${failures} failed` : "all went well", `(${seconds(started)} s)`);
process.exitCode = failures ? 1 : 0;

async function inWorld(world) {
  const waiting = chosen.filter(({ options }) => (options.worlds ?? WORLDS).includes(world.name));
  const measured = new Set();
  const work = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const from = Date.now();
      const problems = await goOn(next, { browser, world, measured, artefacts: ARTEFACTS });
      console.log(`${problems.length ? "FAILED" : "ok"}  ${next.name} (${seconds(from)} s)`);
      for (const problem of problems) console.log(`    ${problem.replaceAll("\n", "\n    ")}`);
      if (problems.length) failures += 1;
    }
  };
  await Promise.all(Array.from({ length: Number(values.workers) }, work));
  if (failures) console.log(...world.log.slice(-20).map((line) => `    | ${line}\n`));
}
