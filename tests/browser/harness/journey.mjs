// How a journey is written down, and how one is told.

import { mkdir } from "node:fs/promises";
import { join } from "node:path";

import { openContext } from "./browser.mjs";
import { Check } from "./check.mjs";
import { DEMO_OWNER } from "./world.mjs";

export const journeys = [];

// A journey through the console.
//
//   journey("what it proves", async ({ page, world, check, person }) => { … });
//   journey("what it proves", { as: "nobody" }, async ({ page, … }) => { … });
//
// `as` says who goes on it: "somebody" (the default: somebody new with an account of their own and 10
// dollars, signed in), "owner" (the demo's owner, signed in; shared with other journeys), or "nobody".
// `worlds` says where, both unless it is given; `context` has more of playwright's options for a context.
export function journey(name, options, tell) {
  if (typeof options === "function") [options, tell] = [{}, options];
  journeys.push({ name, options, tell });
}

// Goes on one; gives what is wrong.
export async function goOn({ name, options, tell }, { browser, world, measured, artefacts }) {
  const problems = [];
  const open = (more) => openContext(browser, world, problems, { ...options.context, ...more });
  const contexts = [];
  const opened = async (more) => {
    const context = await open(more);
    contexts.push(context);
    return context;
  };
  const check = new Check({ browser, world, problems, openContext: opened, measured });
  let page;
  try {
    const context = await opened();
    page = await context.newPage();
    const person = await arrive(page, world, options.as ?? "somebody");
    // Another browser, which belongs to nobody yet; it is watched like the first.
    const otherBrowser = async (more) => (await opened(more)).newPage();
    await tell({ page, context, world, check, person, otherBrowser });
  } catch (error) {
    problems.push(error.stack ?? String(error));
  }
  if (problems.length > 0 && page) {
    await mkdir(artefacts, { recursive: true });
    const path = join(artefacts, `${world.name}-${name.replaceAll(/\W+/g, "-")}.png`);
    await page.screenshot({ path, fullPage: true }).catch(() => {});
    problems.push(`at ${page.url()}; screenshot: ${path}`);
  }
  for (const context of contexts) await context.close().catch(() => {});
  return problems;
}

async function arrive(page, world, as) {
  if (as === "nobody") return null;
  const person = as === "owner" ? { email: DEMO_OWNER } : await world.person();
  await world.signIn(page, person.email);
  return person;
}
