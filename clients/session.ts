// A session: two tokens, and how to get the next two. The access token goes with every request and
// lives for half an hour; the refresh token gets the next pair, once.

import assert from "node:assert/strict";
import { Logout, RefreshSession, Register } from "./operations.ts";
import { request } from "./support/request.ts";

export class Session {
  /** How often the tokens were refreshed. */
  refreshed = 0;
  #refreshing: Promise<void> | undefined;

  constructor(
    public accessToken: string,
    public refreshToken: string,
  ) {}

  static async register(email: string, password: string): Promise<Session> {
    const { register } = await request(Register, { input: { email, password } });
    return new Session(...tokens(register));
  }

  get authorization(): string {
    return `Bearer ${this.accessToken}`;
  }

  /** Gets the next pair; whoever asks while it is under way waits for the same one. */
  refresh(): Promise<void> {
    this.#refreshing ??= this.#next().finally(() => (this.#refreshing = undefined));
    return this.#refreshing;
  }

  async #next(): Promise<void> {
    const input = { refreshToken: this.refreshToken };
    const { refreshSession } = await request(RefreshSession, { input });
    [this.accessToken, this.refreshToken] = tokens(refreshSession);
    this.refreshed += 1;
  }

  async logout(): Promise<void> {
    const { logout } = await request(Logout, {}, this.accessToken);
    assert.deepEqual(logout.userErrors, []);
  }
}

interface Tokens {
  accessToken: string | null;
  refreshToken: string | null;
  userErrors: { message: string }[];
}

function tokens({ accessToken, refreshToken, userErrors }: Tokens): [string, string] {
  if (accessToken && refreshToken) return [accessToken, refreshToken];
  throw new Error(userErrors.map((error) => error.message).join("; "));
}
