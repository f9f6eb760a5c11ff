// The chat: sends the same requests as a program would, and shows answers as they come. What a model writes is
// only ever put into text nodes; its markup is made by the server once it is complete.
"use strict";

(() => {
  const form = document.getElementById("chat");
  const one = (id) => document.getElementById(id);
  const columns = one("chat-columns");
  const stopAll = one("chat-stop");
  const csrf = { "X-CSRF-Token": form.dataset.csrf };
  // By model: what was said, and the last answer.
  let talks = new Map();
  const running = new Set();

  const models = () => [...new Set([...form.querySelectorAll("[name=model]")].map((field) => field.value.trim()).filter(Boolean))];

  const element = (tag, name, text) => {
    const made = document.createElement(tag);
    if (name) made.className = name;
    if (text) made.textContent = text;
    return made;
  };

  function talkOf(model) {
    const known = talks.get(model);
    if (known) return known;
    const column = element("section", "chat-column");
    const title = element("h2", "", model);
    title.id = "column-" + talks.size;
    column.setAttribute("aria-labelledby", title.id);
    column.append(title);
    columns.append(column);
    const talk = { model, column, said: [], generations: [] };
    talks.set(model, talk);
    return talk;
  }

  function parameters() {
    const wanted = {};
    for (const field of form.querySelectorAll("[data-parameter]"))
      if (field.value !== "") wanted[field.dataset.parameter] = Number(field.value);
    return wanted;
  }

  function bodyOf(talk) {
    const system = one("chat-system").value.trim();
    const messages = system ? [{ role: "system", content: system }, ...talk.said] : [...talk.said];
    return { model: talk.model, stream: true, messages, ...parameters() };
  }

  // Events of a stream, one JSON value each; `true` at the end where it ended as it should.
  async function* events(response) {
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let left = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const blocks = (left + value).split("\n\n");
      left = blocks.pop();
      for (const block of blocks) {
        if (!block.startsWith("data: ")) continue;
        const data = block.slice(6);
        if (data === "[DONE]") yield true;
        else yield JSON.parse(data);
      }
    }
  }

  async function refused(response) {
    const isJson = (response.headers.get("content-type") || "").includes("json");
    if (response.redirected || !isJson) return "Sign in again, or reload the page: the session has changed.";
    const { error } = await response.json();
    return `${error.message} (${error.code})`;
  }

  function answerOf(talk) {
    const card = one("chat-answer").content.firstElementChild.cloneNode(true);
    const part = (name) => card.querySelector(".answer-" + name);
    card.querySelector("h3").textContent = "Answer";
    const text = document.createTextNode("");
    part("text").append(text);
    talk.column.append(card);
    const answer = { talk, card, part, text, body: bodyOf(talk), controller: new AbortController(), id: null };
    part("stop").addEventListener("click", () => answer.controller.abort());
    part("retry").addEventListener("click", () => retry(answer));
    part("code").addEventListener("click", () => copyCode(answer));
    return answer;
  }

  const tell = (answer, state, kind) => {
    const badge = answer.part("state");
    badge.textContent = state;
    badge.className = "answer-state badge badge-" + kind;
  };

  function complain(answer, words) {
    const fault = answer.part("fault");
    fault.hidden = false;
    fault.textContent = words;
  }

  // Resolves to how it ended, having shown what came.
  async function listen(answer) {
    const response = await fetch("/chat/completions", {
      method: "POST",
      headers: { ...csrf, "Content-Type": "application/json" },
      body: JSON.stringify(answer.body),
      signal: answer.controller.signal,
    });
    answer.id = response.headers.get("x-generation-id");
    if (!response.ok || !(response.headers.get("content-type") || "").startsWith("text/event-stream")) {
      complain(answer, await refused(response));
      return "refused";
    }
    tell(answer, "Answering", "info");
    for await (const event of events(response)) {
      if (event === true) return "done";
      if (event.error) {
        complain(answer, event.error.message);
        return "cut";
      }
      const delta = event.choices?.[0]?.delta;
      if (delta?.content) answer.text.appendData(delta.content);
      if (delta?.reasoning) {
        answer.part("reasoning").hidden = false;
        answer.part("reasoning").querySelector("p").append(delta.reasoning);
      }
    }
    complain(answer, "The connection broke off.");
    return "cut";
  }

  async function ask(talk) {
    const answer = answerOf(talk);
    running.add(answer);
    stopAll.hidden = false;
    tell(answer, "Waiting", "plain");
    let end;
    try {
      end = await listen(answer);
    } catch (error) {
      const isStopped = error.name === "AbortError";
      if (!isStopped) complain(answer, "The connection broke off.");
      end = isStopped ? "stopped" : "cut";
    }
    running.delete(answer);
    stopAll.hidden = running.size === 0;
    answer.part("stop").hidden = true;
    answer.part("retry").hidden = false;
    const [words, kind] = { done: ["Done", "ok"], stopped: ["Stopped", "warn"], cut: ["Cut off", "danger"], refused: ["Refused", "danger"] }[end];
    tell(answer, words, kind);
    const written = answer.text.data;
    if (written) talk.said.push({ role: "assistant", content: written });
    talk.last = answer;
    await Promise.all([render(answer, written), end === "refused" && !answer.id ? null : account(answer)]);
  }

  async function render(answer, written) {
    if (!written) return;
    const response = await fetch("/chat/rendered", { method: "POST", headers: csrf, body: new URLSearchParams({ text: written }) });
    if (response.ok && !response.redirected) answer.part("text").innerHTML = await response.text();
  }

  // What became of it, as soon as it is written down, and what all of them cost.
  async function account(answer) {
    if (!answer.id) return;
    answer.talk.generations.push(answer.id);
    for (let tries = 0; tries < 40; tries += 1) {
      const response = await fetch("/chat/answers/" + encodeURIComponent(answer.id));
      if (response.status === 404) {
        await new Promise((resolve) => { setTimeout(resolve, 250); });
        continue;
      }
      if (response.ok && !response.redirected) answer.part("about").innerHTML = await response.text();
      break;
    }
    const ids = [...talks.values()].flatMap((talk) => talk.generations);
    const total = await fetch("/chat/total?" + new URLSearchParams(ids.map((id) => ["id", id])));
    if (total.ok && !total.redirected) one("chat-total").innerHTML = await total.text();
  }

  function retry(answer) {
    const { talk } = answer;
    if (talk.last !== answer) return;
    if (talk.said.at(-1)?.role === "assistant") talk.said.pop();
    answer.part("retry").hidden = true;
    ask(talk);
  }

  async function copyCode(answer) {
    const body = JSON.stringify(answer.body).replaceAll("'", "'\\''");
    const code = `curl -N ${form.dataset.base}/chat/completions \\\n  -H "Authorization: Bearer $SWITCHYARD_API_KEY" \\\n  -H 'Content-Type: application/json' \\\n  -d '${body}'`;
    await navigator.clipboard.writeText(code);
    answer.part("code").textContent = "Copied";
  }

  function send(event) {
    event.preventDefault();
    const prompt = one("chat-prompt").value.trim();
    const asked = models();
    if (!prompt || asked.length === 0 || running.size > 0) return;
    one("chat-prompt").value = "";
    for (const model of asked) {
      const talk = talkOf(model);
      talk.said.push({ role: "user", content: prompt });
      talk.column.append(element("p", "asked", prompt));
      ask(talk);
    }
  }

  function modelsChanged() {
    const fields = [...form.querySelectorAll(".chat-model")];
    fields.forEach((field, index) => {
      field.querySelector("input").setAttribute("aria-label", "Model " + (index + 1));
      field.querySelector(".remove").setAttribute("aria-label", "Remove model " + (index + 1));
      field.querySelector(".remove").disabled = fields.length === 1;
    });
    one("chat-add").hidden = fields.length >= Number(form.dataset.modelsMax);
    history.replaceState(null, "", "/chat?" + new URLSearchParams({ models: models().join(",") }));
  }

  form.addEventListener("submit", send);
  stopAll.addEventListener("click", () => running.forEach((answer) => answer.controller.abort()));
  one("chat-new").addEventListener("click", () => {
    running.forEach((answer) => answer.controller.abort());
    talks = new Map();
    columns.replaceChildren();
    one("chat-total").replaceChildren();
    one("chat-prompt").focus();
  });
  one("chat-add").addEventListener("click", () => {
    const last = form.querySelector(".chat-model:last-of-type");
    const added = last.cloneNode(true);
    added.querySelector("input").value = "";
    last.after(added);
    modelsChanged();
    added.querySelector("input").focus();
  });
  one("chat-models").addEventListener("click", (event) => {
    const remove = event.target.closest(".remove");
    if (!remove) return;
    remove.closest(".chat-model").remove();
    modelsChanged();
  });
  one("chat-models").addEventListener("change", modelsChanged);
  one("chat-prompt").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
  // Leaving the page, for another workspace or for good, ends what is being answered: it is asked first.
  addEventListener("beforeunload", (event) => { if (running.size > 0) event.preventDefault(); });
  modelsChanged();
})();
