"use strict";

const part = (id) => document.getElementById(id);

/** Says how it went. */
function say(words, how) {
  part("said").textContent = words;
  part("said").className = how;
}

/** Asks the website something; its refusals are errors with its words. */
async function ask(path, body) {
  const answer = await fetch(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(await answer.text());
  return answer.json();
}

/** Shows what the website was told. */
function show(told) {
  const attachment = told.attachment ?? "no word";
  part("who").textContent = told.name;
  part("what").textContent = told.phone
    ? `a phone was used (${attachment}, hybrid)`
    : `no phone was used that it knows of (${attachment})`;
  part("verified").textContent = told.verified ? "yes, it was verified" : "no, nobody looked";
}

/** One ceremony: begin, the browser's part, finish. */
async function ceremony(kind, body, credential, done) {
  const buttons = document.querySelectorAll("button");
  buttons.forEach((button) => (button.disabled = true));
  say("The browser asks for a passkey…", "");
  try {
    const { options, ticket } = await ask(`/${kind}/begin`, body);
    const response = (await credential(options)).toJSON();
    const told = await ask(`/${kind}/finish`, { ticket, response });
    show(told);
    say(done(told), "good");
  } catch (error) {
    say(`That did not work: ${error.message} (${error.name})`, "bad");
  } finally {
    buttons.forEach((button) => (button.disabled = false));
  }
}

part("register").addEventListener("submit", (event) => {
  event.preventDefault();
  const create = (options) =>
    navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) });
  ceremony("register", { name: part("name").value }, create, (told) => `${told.name} has a passkey here.`);
});

part("sign-in").addEventListener("submit", (event) => {
  event.preventDefault();
  const get = (options) =>
    navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });
  ceremony("sign-in", {}, get, (told) => `${told.name} is signed in.`);
});
