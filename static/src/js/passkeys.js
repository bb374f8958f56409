// Passkeys: a form with `data-passkey` asks the browser to make one ("create") or to use one ("get"), then sends the
// answer in its field `credential`. What to ask for is JSON in the page (`data-options`) or elsewhere (`data-options-url`).

const toBytes = (text) =>
  Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (character) => character.charCodeAt(0));

const toText = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");

/** Browsers refuse passkeys at addresses that are mere numbers. */
const possible = () => Boolean(window.PublicKeyCredential) && !/^[\d.]+$|^\[/.test(location.hostname);

async function readOptions(form) {
  const { options, optionsUrl } = form.dataset;
  if (!optionsUrl) return JSON.parse(document.getElementById(options).textContent);
  const response = await fetch(optionsUrl, { headers: { Accept: "application/json" } });
  if (!response.ok) throw new Error(String(response.status));
  return (await response.json()).request_options;
}

const withBytes = (list) => list?.map((known) => ({ ...known, id: toBytes(known.id) }));

async function create({ publicKey }, alone) {
  const selection = { ...publicKey.authenticatorSelection };
  if (alone) Object.assign(selection, { residentKey: "required", requireResidentKey: true, userVerification: "required" });
  return navigator.credentials.create({
    publicKey: {
      ...publicKey,
      authenticatorSelection: selection,
      challenge: toBytes(publicKey.challenge),
      user: { ...publicKey.user, id: toBytes(publicKey.user.id) },
      excludeCredentials: withBytes(publicKey.excludeCredentials),
    },
  });
}

async function get({ publicKey }) {
  return navigator.credentials.get({
    publicKey: {
      ...publicKey,
      challenge: toBytes(publicKey.challenge),
      allowCredentials: withBytes(publicKey.allowCredentials),
    },
  });
}

/** A credential as JSON: whatever it has in bytes becomes base64url. */
function asJson(credential) {
  const response = {};
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (credential.response[name]) response[name] = toText(credential.response[name]);
  }
  return JSON.stringify({
    type: credential.type,
    id: credential.id,
    rawId: toText(credential.rawId),
    clientExtensionResults: credential.getClientExtensionResults(),
    response,
  });
}

function complain(form, error) {
  const place = form.querySelector("[data-not-used]");
  const { notUsed, known, impossible } = place.dataset;
  place.textContent = { InvalidStateError: known, SecurityError: impossible }[error?.name] ?? notUsed;
  place.hidden = false;
}

for (const form of document.querySelectorAll("[data-passkey]")) {
  if (!possible()) {
    if ("hideWithout" in form.dataset) form.hidden = true;
    else {
      form.querySelector("[type=submit]").disabled = true;
      complain(form, { name: "SecurityError" });
    }
    continue;
  }
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      const options = await readOptions(form);
      const alone = form.elements.passwordless?.checked;
      const credential = await (form.dataset.passkey === "create" ? create(options, alone) : get(options));
      form.elements.credential.value = asJson(credential);
      form.submit();
    } catch (error) {
      complain(form, error);
    }
  });
}
