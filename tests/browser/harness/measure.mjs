// How long pages take on the server. A bucket's upper bound is as exact as a histogram is.

import { parseArgs } from "node:util";

import { shots } from "../screenshots.mjs";
import { practise } from "./practise.mjs";
import { DEMO_OWNER, startDemo } from "./world.mjs";

const { values } = parseArgs({
  options: {
    times: { type: "string", default: "100" },
    requests: { type: "string", default: "40" },
    only: { type: "string", multiple: true, default: [] },
  },
});
const times = Number(values.times);
const isAsked = ({ name, measure }) =>
  measure !== false && (values.only.length === 0 || values.only.some((part) => name.includes(part)));

const world = await startDemo();
try {
  await practise(world, Number(values.requests));
  const cookie = await signedIn();
  console.log("page                      status   bytes     p50     p95  (ms, with the way there and back)");
  for (const shot of shots.filter(isAsked)) await measure(shot, cookie);
  console.log("\nroute                                      count    p50     p95  (ms, as switchyard_console_render_seconds says)");
  for (const line of await histograms()) console.log(line);
} finally {
  await world.stop();
}

async function signedIn() {
  const link = await world.signInLink(DEMO_OWNER);
  const response = await fetch(link, { method: "POST", redirect: "manual", body: new URLSearchParams() });
  return response.headers.get("set-cookie").split(";")[0];
}

async function measure({ name, path, as }, cookie) {
  const address = world.url + (typeof path === "function" ? await path(world) : path);
  const headers = as === "nobody" ? {} : { cookie };
  const taken = [];
  let [status, bytes] = [0, 0];
  for (let time = 0; time < times; time += 1) {
    const from = performance.now();
    const response = await fetch(address, { headers, redirect: "manual" });
    bytes = (await response.arrayBuffer()).byteLength;
    taken.push(performance.now() - from);
    status = response.status;
  }
  taken.sort((one, other) => one - other);
  const at = (share) => taken[Math.min(taken.length - 1, Math.floor(taken.length * share))].toFixed(1);
  console.log(`${name.padEnd(25)} ${status} ${String(bytes).padStart(10)} ${at(0.5).padStart(7)} ${at(0.95).padStart(7)}`);
}

async function histograms() {
  const text = await (await fetch(`${world.admin}/metrics`)).text();
  const routes = new Map();
  const line = /^switchyard_console_render_seconds(_bucket|)\{(.*)\} (\S+)$/gm;
  for (const [, kind, labels, value] of text.matchAll(line)) {
    const label = Object.fromEntries([...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, key, text]) => [key, text]));
    const bound = kind ? label.le : label.quantile;
    if (bound === undefined) continue;
    routes.set(label.route, [...(routes.get(label.route) ?? []), [bound, Number(value), kind]]);
  }
  return [...routes].sort().map(([route, points]) => {
    const count = points.at(-1)[1];
    const at = (share) => {
      if (!points[0][2]) return points.find(([bound]) => Number(bound) >= share)?.[1] * 1000;
      const bucket = points.find(([, seen]) => seen >= count * share);
      return bucket[0] === "+Inf" ? Infinity : Number(bucket[0]) * 1000;
    };
    const shown = (share) => String(at(share)?.toFixed(1) ?? "–").padStart(7);
    return `${route.padEnd(40)} ${String(count).padStart(7)} ${shown(0.5)} ${shown(0.95)}`;
  });
}
