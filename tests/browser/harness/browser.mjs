// The browser, and what it complains about.

import { chromium } from "playwright-core";

const PROGRAMS = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

export async function openBrowser() {
  const { existsSync } = await import("node:fs");
  const program = process.env.CHROMIUM ?? PROGRAMS.find((path) => existsSync(path));
  if (!program) throw new Error("there is no Chromium; tests/tools/ensure-services installs it");
  return chromium.launch({
    executablePath: program,
    args: ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--font-render-hinting=none"],
  });
}

// A fresh browser for one person: no cookies, nothing cached. What it complains about goes to `problems`.
export async function openContext(browser, world, problems, options = {}) {
  const context = await browser.newContext({
    baseURL: world.url,
    viewport: { width: 1280, height: 800 },
    reducedMotion: "reduce",
    colorScheme: "light",
    permissions: ["clipboard-read", "clipboard-write"],
    ...options,
  });
  context.setDefaultTimeout(15_000);
  context.setDefaultNavigationTimeout(20_000);
  await watch(context, world, problems);
  return context;
}

// Answers that a page may get to what it does, and that browsers write to the console as errors.
const REFUSED = /Failed to load resource: the server responded with a status of 4\d\d/;

async function watch(context, world, problems) {
  const note = (what) => problems.push(what);
  await context.exposeFunction("switchyardNote", note);
  await context.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (event) => {
      const { violatedDirective, blockedURI, sourceFile, lineNumber } = event;
      window.switchyardNote(
        `policy violated: ${violatedDirective} ${blockedURI} at ${sourceFile}:${lineNumber}`,
      );
    });
  });
  const own = new URL(world.url).origin;
  context.on("request", (request) => {
    const url = new URL(request.url());
    if (url.protocol.startsWith("http") && url.origin !== own) note(`foreign request: ${url}`);
  });
  context.on("response", (response) => {
    const kind = response.request().resourceType();
    const isPart = ["stylesheet", "script", "image", "font"].includes(kind);
    if (response.status() >= 500 || (isPart && response.status() >= 400)) {
      note(`${response.status()} for ${response.url()}`);
    }
  });
  context.on("console", (message) => {
    if (message.type() === "error" && !REFUSED.test(message.text())) {
      note(`console error: ${message.text()}`);
    }
  });
  context.on("weberror", (error) => note(`uncaught: ${error.error().message}`));
}
