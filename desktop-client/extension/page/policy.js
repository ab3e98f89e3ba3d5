/**
 * What the browser itself would say before it shows anything. Asked in the
 * extension's own world, whose `navigator.credentials` no page can change.
 */

// eslint-disable-next-line no-unused-vars
const cablecarPolicy = (() => {
  "use strict";

  const CHALLENGE = new Uint8Array(32);
  /** No page of any site may use this RP ID. */
  const NOBODY = "nobody.invalid";
  const PROBES = {
    get: { challenge: CHALLENGE, rpId: NOBODY },
    create: {
      challenge: CHALLENGE,
      rp: { id: NOBODY, name: "-" },
      user: { id: new Uint8Array(1), name: "-", displayName: "-" },
      pubKeyCredParams: [{ type: "public-key", alg: -7 }],
    },
  };

  /** Once this page is in front again, or two seconds later. */
  const inFront = () => new Promise((resolve) => {
    const deadline = performance.now() + 2000;
    const look = () => (document.hasFocus() || performance.now() > deadline ? resolve() : setTimeout(look, 10));
    look();
  });

  const probe = async (kind, mediation) => {
    try {
      await navigator.credentials[kind]({ publicKey: PROBES[kind], mediation });
      return false;
    } catch (error) {
      return error.name === "SecurityError";
    }
  };

  /**
   * Whether this document may ask for passkeys at all, by its Permissions
   * Policy and those of the frames around it. Chromium tells. Firefox is asked
   * by a request for an RP ID that nobody may use: it shows nothing, and looks
   * at the policy first, so that the error tells: SecurityError where it is
   * allowed, NotAllowedError where not. To a page that is not in front it says
   * that as well, and our own window of the request before may still be there.
   */
  const allowed = async (kind, mediation) => {
    const policy = document.permissionsPolicy ?? document.featurePolicy;
    if (policy) return policy.allowsFeature(`publickey-credentials-${kind}`);
    if (await probe(kind, mediation)) return true;
    if (document.hasFocus()) return false;
    await inFront();
    return probe(kind, mediation);
  };

  /** Whether every frame around this one is of its own origin. */
  const isSameOriginWithAncestors = () => {
    for (let frame = window; frame !== frame.parent; frame = frame.parent) {
      try {
        if (frame.parent.location.origin !== location.origin) return false;
      } catch {
        return false;
      }
    }
    return true;
  };

  return { allowed, inFront, isSameOriginWithAncestors };
})();
