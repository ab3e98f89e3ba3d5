/**
 * In the page's own world: takes the page's calls of `navigator.credentials`
 * and settles its promises. Everything that decides is elsewhere, where no
 * page reaches it; what is here, a page could do to itself as well.
 */

(() => {
  "use strict";
  if (!window.isSecureContext || !window.PublicKeyCredential || !navigator.credentials) return;

  const container = CredentialsContainer.prototype;
  const original = { create: container.create, get: container.get };
  const { parseCreationOptionsFromJSON, parseRequestOptionsFromJSON } = PublicKeyCredential;
  const { stringify, parse } = JSON;
  const { apply } = Reflect;

  /** The event that a page can listen for; docs/browser-extension.md has it. */
  const MAY_OFFER = "cablecar:may-offer-passkey";

  const native = (kind, args) => apply(original[kind], navigator.credentials, args);

  // --- bytes and JSON ---

  const encode = (bytes) => {
    let text = "";
    for (const byte of bytes) text += String.fromCharCode(byte);
    return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  };

  const decode = (text) => {
    const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    return Uint8Array.from(binary, (one) => one.charCodeAt(0)).buffer;
  };

  const isBytes = (value) => value instanceof ArrayBuffer || ArrayBuffer.isView(value) ||
    Object.prototype.toString.call(value) === "[object ArrayBuffer]";

  const bytes = (value) => {
    if (!isBytes(value)) throw new TypeError("not bytes");
    return encode(ArrayBuffer.isView(value)
      ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
      : new Uint8Array(value));
  };

  /** A copy in which bytes are base64url, as WebAuthn's JSON has it. */
  const plain = (value) => {
    if (isBytes(value)) return bytes(value);
    if (Array.isArray(value)) return value.map(plain);
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, plain(one)]));
  };

  const descriptors = (list) => list && Array.from(list, ({ type, id, transports }) =>
    ({ type: String(type), id: bytes(id), transports: transports && Array.from(transports, String) }));

  const common = ({ challenge, timeout, hints, extensions }) => ({
    challenge: bytes(challenge),
    timeout: timeout === undefined ? undefined : Number(timeout),
    hints: hints && Array.from(hints, String),
    extensions: plain(extensions),
  });

  const READ = {
    create: (asked) => ({
      ...common(asked),
      rp: { id: asked.rp.id, name: String(asked.rp.name) },
      user: {
        id: bytes(asked.user.id),
        name: String(asked.user.name),
        displayName: String(asked.user.displayName),
      },
      pubKeyCredParams: Array.from(asked.pubKeyCredParams, ({ type, alg }) => ({ type: String(type), alg: Number(alg) })),
      excludeCredentials: descriptors(asked.excludeCredentials),
      authenticatorSelection: plain(asked.authenticatorSelection),
      attestation: asked.attestation,
      attestationFormats: plain(asked.attestationFormats),
    }),
    get: (asked) => ({
      ...common(asked),
      rpId: asked.rpId,
      allowCredentials: descriptors(asked.allowCredentials),
      userVerification: asked.userVerification,
    }),
  };

  // --- credentials ---

  /** Gives an object of the page's own class these members, each as a getter. */
  const like = (prototype, members) => {
    const made = Object.create(prototype);
    for (const [name, value] of Object.entries(members)) {
      Object.defineProperty(made, name, { get: () => value, enumerable: true, configurable: true });
    }
    return made;
  };

  const methods = (made, functions) => {
    for (const [name, value] of Object.entries(functions)) {
      Object.defineProperty(made, name, { value, writable: true, configurable: true });
    }
    return made;
  };

  const attestation = (json) => {
    const made = like(AuthenticatorAttestationResponse.prototype, {
      clientDataJSON: decode(json.clientDataJSON),
      attestationObject: decode(json.attestationObject),
    });
    return methods(made, {
      getAuthenticatorData: () => decode(json.authenticatorData),
      getPublicKey: () => (json.publicKey ? decode(json.publicKey) : null),
      getPublicKeyAlgorithm: () => json.publicKeyAlgorithm,
      getTransports: () => [...json.transports],
    });
  };

  const assertion = (json) => like(AuthenticatorAssertionResponse.prototype, {
    clientDataJSON: decode(json.clientDataJSON),
    authenticatorData: decode(json.authenticatorData),
    signature: decode(json.signature),
    userHandle: json.userHandle ? decode(json.userHandle) : null,
  });

  /** Extension outputs with bytes as bytes: of ours, only prf has any. */
  const results = (json) => {
    const made = structuredClone(json);
    const values = made.prf?.results;
    for (const name of Object.keys(values ?? {})) values[name] = decode(values[name]);
    return made;
  };

  /** A credential out of its JSON, where the browser makes none itself. */
  const build = (kind, json) => {
    const made = like(PublicKeyCredential.prototype, {
      id: json.id,
      type: "public-key",
      rawId: decode(json.rawId),
      authenticatorAttachment: json.authenticatorAttachment ?? null,
      response: kind === "create" ? attestation(json.response) : assertion(json.response),
    });
    return methods(made, {
      getClientExtensionResults: () => results(json.clientExtensionResults),
      toJSON: () => structuredClone(json),
    });
  };

  const errorOf = ({ name, message }) =>
    (name === "TypeError" ? new TypeError(message) : new DOMException(message, name));

  // --- calls ---

  const { port1: port, port2: others } = new MessageChannel();
  const post = (message) => port.postMessage(stringify(message));
  const calls = new Map();
  let last = 0;

  class Call {
    constructor(kind, args, options) {
      const [{ signal, mediation }] = args;
      Object.assign(this, { kind, args, options, signal, mediation, number: (last += 1) });
      this.promise = new Promise((resolve, reject) => Object.assign(this, { resolve, reject }));
      this.abort = () => {
        post({ do: "drop", number: this.number });
        this.settle(() => this.reject(signal.reason));
      };
      signal?.addEventListener("abort", this.abort);
    }

    begin() {
      calls.set(this.number, this);
      const { number, kind, options, mediation } = this;
      post({ do: "ask", number, kind, options, mediation });
    }

    /** The browser's own list of passkeys stays, until a phone is asked for. */
    besides() {
      const own = new AbortController();
      this.own = own;
      const settled = (how) => (value) => {
        if (this.own !== own) return;
        post({ do: "drop", number: this.number });
        this.settle(() => how(value));
      };
      native(this.kind, [{ ...this.args[0], signal: own.signal }]).then(settled(this.resolve), settled(this.reject));
    }

    settle(how) {
      if (!calls.delete(this.number)) return;
      this.signal?.removeEventListener("abort", this.abort);
      this.quiet();
      how();
    }

    /** Takes back what the browser offers besides. */
    quiet() {
      const own = this.own;
      this.own = null;
      own?.abort();
    }

    hear(message) {
      this.mayOffer = message.mayOffer;
      if (message.do === "native") this.settle(() => this.resolve(native(this.kind, this.args)));
      else if (message.do === "taken") this.quiet();
      else if (message.do === "wait") this.besides();
      else if (message.do === "reject") this.settle(() => this.reject(errorOf(message)));
      else if (message.do === "resolve") this.give(build(this.kind, message.response));
      else if (message.do === "call") this.handOver();
    }

    /** A good end. Then the page may offer a passkey for this computer. */
    give(credential) {
      this.settle(() => this.resolve(credential));
      if (this.mayOffer) setTimeout(() => window.dispatchEvent(new CustomEvent(MAY_OFFER)));
    }

    /** The browser has the answer in hand, and makes the credential of it. */
    async handOver() {
      const publicKey = this.kind === "create"
        ? parseCreationOptionsFromJSON.call(PublicKeyCredential, this.options)
        : parseRequestOptionsFromJSON.call(PublicKeyCredential, this.options);
      try {
        this.give(await native(this.kind, [{ publicKey, signal: this.signal }]));
      } catch (error) {
        this.settle(() => this.reject(error));
      } finally {
        post({ do: "called", number: this.number });
      }
    }
  }

  const take = (kind) => function taken(options) {
    if (this !== navigator.credentials || !options?.publicKey || options.signal?.aborted) {
      return apply(original[kind], this, arguments);
    }
    let asked;
    try {
      asked = parse(stringify(READ[kind](options.publicKey)));
    } catch {
      // The browser says what is wrong with them.
      return native(kind, arguments);
    }
    const call = new Call(kind, [...arguments], asked);
    call.begin();
    return call.promise;
  };

  port.onmessage = ({ data }) => {
    const message = parse(data);
    calls.get(message.number)?.hear(message);
  };
  window.postMessage("cablecar", "/", [others]);

  for (const kind of ["create", "get"]) {
    const value = take(kind);
    Object.defineProperty(value, "name", { value: kind });
    Object.defineProperty(container, kind, { value, writable: true, enumerable: true, configurable: true });
  }
})();
