// Every page and every state of it that is worth looking at. Whoever adds a page adds it here.
//
//   name     the files' name
//   path     where it is; or a function of the world that gives it, when it needs an id
//   as       who looks: "owner" (the default), or "nobody"
//   prepare  what is done on the page before it is shown, such as opening a dialog
//   measure  false where asking for it again and again would not be fair to it

const open = (name) => async (page) => page.getByRole("button", { name }).first().click();

export const shots = [
  { name: "kit", path: "/kit", as: "nobody" },
  { name: "kit-dialog", path: "/kit", prepare: open("Delete this key…"), measure: false },
  { name: "kit-not-found", path: "/no/such/page", measure: false },
  { name: "overview", path: "/" },
  {
    name: "overview-go-to",
    path: "/",
    prepare: async (page) => page.keyboard.press("Control+k"),
    measure: false,
  },
  {
    name: "overview-keys",
    path: "/",
    prepare: async (page) => page.keyboard.press("?"),
    measure: false,
  },
  { name: "overview-account", path: "/", prepare: async (page) => page.locator(".place").click(), measure: false },
  {
    name: "sign-in-link",
    path: async (world) => new URL(await world.signInLink("demo@switchyard.example")).pathname,
    as: "nobody",
  },
  { name: "sign-in", path: "/login", as: "nobody" },
  { name: "sign-up", path: "/signup", as: "nobody" },
  { name: "reset", path: "/reset", as: "nobody" },
  { name: "demo-mail", path: "/demo/mail", as: "nobody" },
  { name: "sign-out", path: "/logout" },
  { name: "security", path: "/settings/security" },
  { name: "logs", path: "/logs" },
  { name: "logs-none", path: "/logs?model=no/such" },
  { name: "landing", path: "/", as: "nobody" },
  { name: "start", path: "/start" },
  { name: "keys", path: "/keys" },
  { name: "key-new", path: "/keys/new" },
  { name: "provider-keys", path: "/byok" },
  { name: "provider-key-new", path: "/byok/openai/new" },
  { name: "privacy", path: "/privacy" },
  { name: "models", path: "/models" },
  { name: "models-none", path: "/models?q=no-such-model" },
  { name: "models-compare", path: "/models/compare?models=openai/gpt-oss-120b" },
  { name: "model", path: "/models/openai/gpt-oss-120b" },
  { name: "chat", path: "/chat" },
  { name: "activity", path: "/activity" },
  { name: "sessions", path: "/sessions" },
  { name: "notifications", path: "/notifications" },
  { name: "billing", path: "/billing" },
  { name: "members", path: "/members" },
  { name: "organization-new", path: "/organizations/new" },
  { name: "workspaces", path: "/workspaces" },
  { name: "workspace-new", path: "/workspaces/new" },
  { name: "audit", path: "/audit" },
  { name: "settings", path: "/settings" },
  { name: "place", path: "/settings/workspace" },
];
