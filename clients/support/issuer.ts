// An OpenID Connect issuer that is none of ours: `oidc-provider`, certified by the OpenID Foundation,
// with its own pages for signing in and consenting, and a browser that goes through them.

import assert from "node:assert/strict";
import { generateKeyPairSync, randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import Provider from "oidc-provider";

export const CLIENT = { id: "passbook", secret: randomUUID() };

export interface Issuer {
  url: string;
  /** Opens, once it is known where people come back to. */
  open(redirectUri: string): void;
  end(): void;
}

/** Takes an address; nothing answers there before the issuer is opened. */
export async function issuer(): Promise<Issuer> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const key = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ format: "jwk" });
  const open = (redirectUri: string) => {
    const provider = new Provider(url, {
      clients: [
        { client_id: CLIENT.id, client_secret: CLIENT.secret, redirect_uris: [redirectUri] },
      ],
      claims: {
        openid: ["sub"],
        email: ["email", "email_verified"],
        profile: ["given_name", "family_name", "birthdate"],
      },
      cookies: { keys: [randomUUID()] },
      jwks: { keys: [{ ...key, kty: "RSA", kid: "one", use: "sig", alg: "RS256" }] },
      findAccount: (_, sub) => ({
        accountId: sub,
        claims: () => ({ sub, email: `${sub}@example.org`, email_verified: true, given_name: sub }),
      }),
    });
    server.on("request", provider.callback());
  };
  return { url, open, end: () => server.close().closeAllConnections() };
}

/** A browser that keeps the cookies of each origin. */
export class Browser {
  #cookies: { origin: string; path: string; name: string; value: string }[] = [];

  /** Follows redirects and forms as `name`, until it is sent to `end`; returns that address. */
  async follow(address: string, name: string, end: string): Promise<URL> {
    let response = await this.#ask(address);
    for (let step = 0; step < 20; step += 1) {
      const place = new URL(response.headers.get("location") ?? address, address);
      if (response.status >= 300 && response.status < 400) {
        if (place.href.startsWith(end)) return place;
        address = place.href;
        response = await this.#ask(address);
        continue;
      }
      const html = await response.text();
      const action = /action="([^"]+)"/.exec(html)?.[1];
      const prompt = /name="prompt" value="([^"]+)"/.exec(html)?.[1];
      assert.ok(response.ok && action && prompt, `${address}: ${response.status} ${html}`);
      address = new URL(action, address).href;
      response = await this.#ask(address, { prompt, login: name, password: "any" });
    }
    assert.fail(`${address} does not come to an end`);
  }

  async #ask(address: string, form?: Record<string, string>): Promise<Response> {
    const { origin, pathname } = new URL(address);
    const sent = this.#cookies.filter((one) => one.origin === origin && pathname.startsWith(one.path));
    const response = await fetch(address, {
      method: form ? "POST" : "GET",
      headers: { cookie: sent.map(({ name, value }) => `${name}=${value}`).join("; ") },
      redirect: "manual",
      ...(form && { body: new URLSearchParams(form) }),
    });
    for (const line of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line)!;
      const path = /;\s*path=([^;]+)/i.exec(line)?.[1] ?? "/";
      this.#cookies = this.#cookies.filter(
        (one) => one.origin !== origin || one.name !== name || one.path !== path,
      );
      if (value) this.#cookies.push({ origin, path, name: name!, value });
    }
    return response;
  }
}
