// Verifies one response with @simplewebauthn/server: JSON in, JSON out.
import { webcrypto } from "node:crypto";

// Node 18 has it, and not under its own name.
globalThis.crypto ??= webcrypto;
const { verifyAuthenticationResponse, verifyRegistrationResponse } = await import("@simplewebauthn/server");

let text = "";
for await (const piece of process.stdin) text += piece;
const { kind, response, challenge, origin, rpId, key } = JSON.parse(text);

const expected = {
  response,
  expectedChallenge: challenge,
  expectedOrigin: origin,
  expectedRPID: rpId,
  requireUserVerification: true,
};
const credential = { id: response.id, publicKey: Uint8Array.from(Buffer.from(key, "hex")), counter: 0 };
const { verified } = kind === "create"
  ? await verifyRegistrationResponse(expected)
  : await verifyAuthenticationResponse({ ...expected, credential });
console.log(JSON.stringify({ verified }));
