// Passkeys. A form with data-passkey="get" or "create" asks the browser for one before it is sent;
// its options lie in the JSON block that data-options names, or at the address data-options-from.
"use strict";

(() => {
  const TROUBLE = {
    NotAllowedError: "Nothing was sent: it was cancelled, or it took too long.",
    InvalidStateError: "This device or key has been added already.",
    SecurityError: "The browser makes no passkeys at this address. It needs https and a host name.",
  };

  function bytes(text) {
    const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
  }

  function text(buffer) {
    const plain = btoa(String.fromCharCode(...new Uint8Array(buffer)));
    return plain.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  }

  function opened(options) {
    const inside = { ...options.publicKey, challenge: bytes(options.publicKey.challenge) };
    for (const list of ["allowCredentials", "excludeCredentials"]) {
      inside[list] = (inside[list] || []).map((each) => ({ ...each, id: bytes(each.id) }));
    }
    if (inside.user) inside.user = { ...inside.user, id: bytes(inside.user.id) };
    return { publicKey: inside };
  }

  function told(credential) {
    const response = {};
    for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
      if (credential.response[name]) response[name] = text(credential.response[name]);
    }
    if (credential.response.getTransports) response.transports = credential.response.getTransports();
    return {
      type: credential.type,
      id: credential.id,
      rawId: text(credential.rawId),
      response,
      clientExtensionResults: credential.getClientExtensionResults(),
      authenticatorAttachment: credential.authenticatorAttachment,
    };
  }

  async function optionsOf(form) {
    if (form.dataset.options) return JSON.parse(document.getElementById(form.dataset.options).textContent);
    const answer = await fetch(form.dataset.optionsFrom, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(`error ${answer.status}`);
    return answer.json();
  }

  async function ask(form) {
    const offered = await optionsOf(form);
    const options = opened(offered.creation_options || offered.request_options);
    return form.dataset.passkey === "create"
      ? navigator.credentials.create(options)
      : navigator.credentials.get(options);
  }

  function complain(form, error) {
    const place = form.querySelector("[data-passkey-trouble]");
    place.textContent = TROUBLE[error.name] || `The passkey could not be used: ${error.message}. Try again.`;
    place.hidden = false;
  }

  async function send(form) {
    const button = form.querySelector("[type=submit]");
    button.disabled = true;
    try {
      form.elements.credential.value = JSON.stringify(told(await ask(form)));
      form.submit();
    } catch (error) {
      complain(form, error);
      button.disabled = false;
    }
  }

  document.addEventListener("submit", (event) => {
    if (!event.target.matches("form[data-passkey]")) return;
    event.preventDefault();
    send(event.target);
  });

  const possible = Boolean(window.PublicKeyCredential && navigator.credentials);
  for (const place of document.querySelectorAll("[data-passkey-possible]")) place.hidden = !possible;
  for (const place of document.querySelectorAll("[data-passkey-impossible]")) place.hidden = possible;
})();
