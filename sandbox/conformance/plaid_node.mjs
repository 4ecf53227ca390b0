// Walks through the sandbox with Plaid's own Node client. Its types are static, so the checks are made here.
//
// usage: node plaid_node.mjs [BASE_URL] [CONTROL_URL]        default http://127.0.0.1:8010

import assert from "node:assert/strict";
import { createHash, createPublicKey, verify } from "node:crypto";
import { createServer } from "node:http";
import { once } from "node:events";
import { Configuration, CountryCode, PlaidApi, Products, SandboxItemFireWebhookRequestWebhookCodeEnum, WebhookType } from "plaid";

const base = (process.argv[2] ?? "http://127.0.0.1:8010").replace(/\/$/, "");
const control = `${process.argv[3] ?? base}/control`;
const headers = { "PLAID-CLIENT-ID": "client", "PLAID-SECRET": "secret", "Plaid-Version": "2020-09-14" };
const plaid = new PlaidApi(new Configuration({ basePath: base, baseOptions: { headers } }));

const hooks = [];
const receiver = createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  hooks.push({ token: request.headers["plaid-verification"], bytes: Buffer.concat(chunks) });
  response.end();
  receiver.emit("hook");
}).listen(0, "127.0.0.1");
await once(receiver, "listening");
const webhook = `http://127.0.0.1:${receiver.address().port}/`;

async function next(code) {
  for (;;) {
    const found = hooks.findIndex((hook) => JSON.parse(hook.bytes).webhook_code === code);
    if (found >= 0) return hooks.splice(found, 1)[0];
    await once(receiver, "hook");
  }
}

async function refused(code, call) {
  const error = await call().then(() => assert.fail(`${code} was expected`), (error) => error);
  assert.equal(error.response?.data.error_code, code);
}

async function link(override_username) {
  const { data } = await plaid.sandboxPublicTokenCreate({
    institution_id: "ins_109508",
    initial_products: [Products.Transactions],
    options: { webhook, override_username, override_password: "pass_good" },
  });
  return (await plaid.itemPublicTokenExchange({ public_token: data.public_token })).data;
}

async function sync(access_token, cursor, rows) {
  for (;;) {
    const { data } = await plaid.transactionsSync({ access_token, cursor, count: 20 });
    for (const row of [...data.added, ...data.modified]) rows.set(row.transaction_id, row);
    for (const row of data.removed) rows.delete(row.transaction_id);
    cursor = data.next_cursor;
    if (!data.has_more) return cursor;
  }
}

// Checks the signature as Plaid's guide tells receivers to, with nothing but Node's own crypto.
async function verified({ token, bytes }) {
  const [head, claims, signature] = token.split(".");
  const read = (part) => JSON.parse(Buffer.from(part, "base64url"));
  assert.equal(read(head).alg, "ES256");
  const { data } = await plaid.webhookVerificationKeyGet({ key_id: read(head).kid });
  const { kty, crv, x, y } = data.key;
  const key = { key: createPublicKey({ key: { kty, crv, x, y }, format: "jwk" }), dsaEncoding: "ieee-p1363" };
  assert.ok(verify("sha256", Buffer.from(`${head}.${claims}`), key, Buffer.from(signature, "base64url")));
  assert.equal(read(claims).request_body_sha256, createHash("sha256").update(bytes).digest("hex"));
  assert.ok(Math.abs(Date.now() / 1000 - read(claims).iat) < 300);
  assert.equal(JSON.stringify(JSON.parse(bytes), null, 2), bytes.toString());
}

await fetch(`${control}/settings`, { method: "POST", body: '{"initial_ready_ms":0,"history_ready_ms":0}' });

const { data: created } = await plaid.linkTokenCreate({
  client_name: "Passbook",
  language: "en",
  country_codes: [CountryCode.Us],
  user: { client_user_id: "ana" },
  products: [Products.Transactions],
  hosted_link: {},
  webhook,
});
assert.equal((await fetch(created.hosted_link_url)).status, 200);
assert.equal((await plaid.linkTokenGet({ link_token: created.link_token })).data.metadata.client_name, "Passbook");
console.log("link tokens: ok");

const { access_token, item_id } = await link("user_transactions_dynamic");
const rows = new Map();
const cursor = await sync(access_token, undefined, rows);
assert.equal(rows.size, 50);
await plaid.transactionsRefresh({ access_token });
await verified(await next("SYNC_UPDATES_AVAILABLE"));
await sync(access_token, cursor, rows);
const oracle = (await (await fetch(`${control}/items/${item_id}/oracle`)).text()).trim().split("\n").map((line) => JSON.parse(line));
assert.deepEqual([...rows.keys()].sort(), oracle.map((row) => row.transaction_id).sort());
console.log("transactions and webhooks: ok");

assert.equal((await plaid.accountsGet({ access_token })).data.accounts.length, 8);
await plaid.sandboxItemFireWebhook({ access_token, webhook_type: WebhookType.Item, webhook_code: SandboxItemFireWebhookRequestWebhookCodeEnum.NewAccountsAvailable });
await verified(await next("NEW_ACCOUNTS_AVAILABLE"));
await plaid.sandboxItemResetLogin({ access_token });
await verified(await next("ERROR"));
await refused("ITEM_LOGIN_REQUIRED", () => plaid.transactionsSync({ access_token }));
assert.equal((await plaid.itemGet({ access_token })).data.item.error.error_code, "ITEM_LOGIN_REQUIRED");
await plaid.itemRemove({ access_token });
await refused("ITEM_NOT_FOUND", () => plaid.itemGet({ access_token }));
console.log("items: ok");
receiver.close();
receiver.closeAllConnections();
