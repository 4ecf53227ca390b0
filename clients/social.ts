// Signing in with an account elsewhere, as a single-page app does it: it makes a PKCE verifier, sends the
// browser off, gets it back with a code, and redeems the code. The issuer here is `oidc-provider`, which
// is none of ours, and the server knows no more of it than its address.

import assert from "node:assert/strict";
import { issuer, Browser, CLIENT } from "./support/issuer.ts";
import { serve } from "./support/server.ts";

const REDIRECT_URI = "http://127.0.0.1:1/signed-in";

const elsewhere = await issuer();
const server = await serve({
  REDIRECT_URIS: REDIRECT_URI,
  OIDC_PROVIDERS: "acme",
  OIDC_ACME_NAME: "Acme",
  OIDC_ACME_ISSUER: elsewhere.url,
  OIDC_ACME_CLIENT_ID: CLIENT.id,
  OIDC_ACME_CLIENT_SECRET: CLIENT.secret,
});
elsewhere.open(`${server.PASSBOOK_URL}/auth/acme/callback`);
// What is imported from here on asks this server.
process.env["PASSBOOK_URL"] = server.PASSBOOK_URL;
const { request } = await import("./support/request.ts");
const { Session } = await import("./session.ts");
const { CompleteSocialLogin, IdentityProviders, LinkIdentity, StartSocialLogin, UnlinkIdentity, Viewer } =
  await import("./operations.ts");

/** Carla's, who has one. */
const PASSWORD = "sandbox-platypus";

/** Before the browser leaves: an address to send it to, and what to remember, as in `sessionStorage`. */
async function leave(accessToken?: string, password?: string): Promise<{ address: string; codeVerifier: string }> {
  const codeVerifier = base64url(crypto.getRandomValues(new Uint8Array(32)));
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(codeVerifier));
  const input = {
    provider: "acme",
    redirectUri: REDIRECT_URI,
    codeChallenge: base64url(new Uint8Array(digest)),
    link: accessToken !== undefined,
    password,
  };
  const { startSocialLogin } = await request(StartSocialLogin, { input }, accessToken);
  const { authorizationUrl, userErrors } = startSocialLogin;
  assert.ok(authorizationUrl, JSON.stringify(userErrors));
  return { address: authorizationUrl, codeVerifier };
}

/** When the browser is back: what it brought, and what was remembered. */
function arrive(address: URL, codeVerifier: string): { code: string; codeVerifier: string } {
  const code = address.searchParams.get("code");
  assert.ok(code, address.searchParams.get("error") ?? address.href);
  return { code, codeVerifier };
}

function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

async function through(name: string, browser: Browser, accessToken?: string, password?: string) {
  const { address, codeVerifier } = await leave(accessToken, password);
  return arrive(await browser.follow(address, name, REDIRECT_URI), codeVerifier);
}

async function signIn(name: string, browser = new Browser()) {
  const input = await through(name, browser);
  return (await request(CompleteSocialLogin, { input })).completeSocialLogin;
}

async function link(name: string, accessToken: string) {
  const input = await through(name, new Browser(), accessToken, PASSWORD);
  return (await request(LinkIdentity, { input }, accessToken)).linkIdentity;
}

try {
  const { identityProviders } = await request(IdentityProviders, {});
  assert.deepEqual(identityProviders, [{ id: "acme", name: "Acme" }]);

  // Two people who were never here before.
  const browser = new Browser();
  const ana = await signIn("ana", browser);
  const bob = await signIn("bob");
  assert.deepEqual(ana.userErrors, []);
  assert.equal(ana.user?.email, "ana@example.org");
  assert.equal(ana.user?.firstName, "ana");
  assert.equal(ana.user?.identities[0]?.issuer, elsewhere.url);
  assert.notEqual(ana.user?.id, bob.user?.id);
  const { viewer } = await request(Viewer, {}, bob.accessToken!);
  assert.equal(viewer.email, "bob@example.org");

  // She comes back, still signed in at the issuer.
  assert.equal((await signIn("ana", browser)).user?.id, ana.user?.id);

  // Somebody who registered with a password, and has an account there with the same address.
  const carla = await Session.register("carla@example.org", PASSWORD);
  const before = await request(Viewer, {}, carla.accessToken);
  assert.deepEqual((await signIn("carla")).userErrors.map(({ code }) => code), ["EMAIL_TAKEN"]);
  const linked = await link("carla", carla.accessToken);
  assert.equal(linked.identity?.email, "carla@example.org", JSON.stringify(linked));
  assert.equal((await signIn("carla")).user?.id, before.viewer.id);

  // It is let go of, and linked again.
  const input = { identityId: linked.identity!.id };
  const { unlinkIdentity } = await request(UnlinkIdentity, { input }, carla.accessToken);
  assert.equal(unlinkIdentity.unlinkedIdentityId, linked.identity!.id);
  assert.deepEqual((await signIn("carla")).userErrors.map(({ code }) => code), ["EMAIL_TAKEN"]);
  const again = await link("carla", carla.accessToken);
  assert.notEqual(again.identity?.id, linked.identity!.id);
  assert.equal((await signIn("carla")).user?.id, before.viewer.id);

  // Ana's identity is hers alone.
  const taken = await link("ana", carla.accessToken);
  assert.deepEqual(taken.userErrors.map(({ code }) => code), ["IDENTITY_TAKEN"]);
} finally {
  await server.end();
  elsewhere.end();
}
