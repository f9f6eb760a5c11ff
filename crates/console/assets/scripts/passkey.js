// Asks the device for a passkey and sends its answer with the form. Without it, forms for passkeys stay
// hidden: a browser's keys are reached by script only.

(() => {
  "use strict";

  const toBytes = (text) => {
    const plain = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
    return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
  };
  const toText = (buffer) => {
    const plain = String.fromCharCode(...new Uint8Array(buffer));
    return btoa(plain).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  };
  const named = (list) => (list || []).map((one) => ({ ...one, id: toBytes(one.id) }));

  const make = async (question) => {
    const user = { ...question.user, id: toBytes(question.user.id) };
    const excludeCredentials = named(question.excludeCredentials);
    const made = await navigator.credentials.create({
      publicKey: { ...question, challenge: toBytes(question.challenge), user, excludeCredentials },
    });
    return answer(made, {
      attestationObject: toText(made.response.attestationObject),
      transports: made.response.getTransports ? made.response.getTransports() : [],
    });
  };
  const use = async (question) => {
    const used = await navigator.credentials.get({
      publicKey: {
        ...question,
        challenge: toBytes(question.challenge),
        allowCredentials: named(question.allowCredentials),
      },
    });
    const handle = used.response.userHandle;
    return answer(used, {
      authenticatorData: toText(used.response.authenticatorData),
      signature: toText(used.response.signature),
      userHandle: handle ? toText(handle) : null,
    });
  };
  const answer = (credential, response) => JSON.stringify({
    id: credential.id,
    rawId: toText(credential.rawId),
    type: credential.type,
    response: { ...response, clientDataJSON: toText(credential.response.clientDataJSON) },
    clientExtensionResults: {},
  });

  const ask = async (form) => {
    const body = new URLSearchParams(new FormData(form));
    body.set("answer", "");
    const reply = await fetch(form.dataset.passkey, { method: "POST", body });
    if (reply.redirected) {
      location.assign(reply.url);
      return null;
    }
    if (!reply.ok) throw new Error("The console did not answer. Reload the page and try again.");
    const question = await reply.json();
    return question.user ? make(question) : use(question);
  };

  for (const form of document.querySelectorAll("form[data-passkey]")) {
    if (!window.PublicKeyCredential) continue;
    form.hidden = false;
    const fault = form.querySelector(".fault");
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      fault.textContent = "";
      try {
        const given = await ask(form);
        if (given === null) return;
        form.elements.answer.value = given;
        form.submit();
      } catch (error) {
        const isTheirs = error.name === "NotAllowedError";
        fault.textContent = isTheirs ? "No passkey was given. Try again, or another way." : error.message;
      }
    });
  }
})();
