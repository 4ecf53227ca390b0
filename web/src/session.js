// Who explores. The tokens live as long as the tab does, and go with every request and every socket
// that names none of its own.

const KEPT = "passbook:session";

/** Refreshed so long before its end, a token is still good when it arrives. */
const MARGIN = 10_000;

const SESSION =
  "user { email } accessToken accessTokenExpiresAt refreshToken secondFactor { token } verificationSent userErrors { message }";

/** Tells of itself by the event `change`. */
export class Session extends EventTarget {
  #url;
  #kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
  #refreshing;

  constructor(url) {
    super();
    this.#url = url;
  }

  /** Whose it is; nobody's if she has not signed in. */
  get email() {
    return this.#kept?.user.email;
  }

  login(input) {
    return this.#begin("login", "LoginInput", input);
  }

  register(input) {
    return this.#begin("register", "RegisterInput", input);
  }

  async logout() {
    const { refreshToken } = this.#kept;
    this.#keep(null);
    await this.#mutate("logout", "LogoutInput", { refreshToken }, "userErrors { message }");
  }

  /** Fetches with the token, unless the headers have one. */
  fetch = async (url, init) => {
    const headers = new Headers(init.headers);
    const own = !headers.has("authorization") && (await this.#token());
    if (own) headers.set("authorization", `Bearer ${own}`);
    const response = await fetch(url, { ...init, headers });
    if (own && response.status === 401) this.#keep(null);
    return response;
  };

  /** What a socket opens with: the headers, and the token unless they have one. */
  async connectionParams(headers = {}) {
    const named = Object.keys(headers).some((name) => name.toLowerCase() === "authorization");
    const own = !named && (await this.#token());
    return own ? { ...headers, Authorization: `Bearer ${own}` } : headers;
  }

  /** The token, a new one if it is about to expire. */
  async #token() {
    if (this.#kept && Date.parse(this.#kept.accessTokenExpiresAt) < Date.now() + MARGIN) {
      this.#refreshing ??= this.#refresh().finally(() => (this.#refreshing = undefined));
      await this.#refreshing;
    }
    return this.#kept?.accessToken;
  }

  async #refresh() {
    const { refreshToken } = this.#kept;
    try {
      await this.#begin("refreshSession", "RefreshSessionInput", { refreshToken });
    } catch {
      this.#keep(null);
    }
  }

  async #begin(field, type, input) {
    this.#keep(await this.#complete(await this.#mutate(field, type, input, SESSION)));
  }

  /** What stands between a right password and a session. */
  async #complete(session) {
    if (session.verificationSent)
      throw new Error("A mail is on its way to the address: its token goes to `verifyEmail`.");
    if (!session.secondFactor) return session;
    const { token } = session.secondFactor;
    const code = prompt("The code of your authenticator app, or a recovery code") ?? "";
    return this.#mutate("completeLogin", "CompleteLoginInput", { token, code }, SESSION);
  }

  #keep(session) {
    this.#kept = session;
    if (session) sessionStorage.setItem(KEPT, JSON.stringify(session));
    else sessionStorage.removeItem(KEPT);
    this.dispatchEvent(new Event("change"));
  }

  async #mutate(field, type, input, selection) {
    const query = `mutation($input: ${type}!) { ${field}(input: $input) { ${selection} } }`;
    const response = await fetch(this.#url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ query, variables: { input } }),
    });
    const { data, errors } = await response.json();
    const refused = errors ?? data[field].userErrors;
    if (refused.length) throw new Error(refused.map((error) => error.message).join(" "));
    return data[field];
  }
}
