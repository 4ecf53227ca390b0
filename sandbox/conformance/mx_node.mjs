// Walks through MX's face with MX's own Node client. Its types are static, so the checks are made here.
//
// usage: node mx_node.mjs [BASE_URL] [CONTROL_URL]        default http://127.0.0.1:8010/mx and http://127.0.0.1:8010

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { once } from "node:events";
import { AccountsApi, Configuration, InstitutionsApi, MembersApi, TransactionsApi, UsersApi, WidgetsApi } from "mx-platform-node";

const version = "application/vnd.mx.api.v1+json";
const basePath = (process.argv[2] ?? "http://127.0.0.1:8010/mx").replace(/\/$/, "");
const control = `${process.argv[3] ?? "http://127.0.0.1:8010"}/control`;
const configuration = new Configuration({ basePath, username: "client", password: "key", baseOptions: { headers: { Accept: version } } });
const [users, banks, members] = [new UsersApi(configuration), new InstitutionsApi(configuration), new MembersApi(configuration)];
const [accounts, transactions, widgets] = [new AccountsApi(configuration), new TransactionsApi(configuration), new WidgetsApi(configuration)];

const tell = (path, body) => fetch(control + path, { method: "POST", body: JSON.stringify(body) });

const hooks = [];
const receiver = createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  hooks.push({ headers: request.headers, body: JSON.parse(Buffer.concat(chunks)) });
  response.writeHead(204).end();
  receiver.emit("hook");
}).listen(0, "127.0.0.1");
await once(receiver, "listening");

async function next(type) {
  for (;;) {
    const found = hooks.findIndex((hook) => hook.body.type === type);
    if (found >= 0) return hooks.splice(found, 1)[0];
    await once(receiver, "hook");
  }
}

async function refused(status, call) {
  const error = await call().then(() => assert.fail(`${status} was expected`), (error) => error);
  assert.equal(error.response?.status, status, error);
}

async function settle(user, guid) {
  for (;;) {
    const { member } = (await members.readMemberStatus(guid, user)).data;
    if (member.connection_status === "CHALLENGED" || !member.is_being_aggregated) return member;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

await tell("/settings", { mx: { step_ms: 10 } });
await tell("/mx/webhooks", { url: `http://127.0.0.1:${receiver.address().port}/`, user: "mx", password: "sesame" });

const { user } = (await users.createUser({ user: { id: "ben" } })).data;
await refused(409, () => users.createUser({ user: { id: "ben" } }));
assert.equal((await banks.listInstitutions("mx bank")).data.institutions[0].code, "mxbank");
const fields = (await banks.listInstitutionCredentials("mxbank")).data.credentials;
const credentials = (password) => [{ guid: fields[0].guid, value: "mxuser" }, { guid: fields[1].guid, value: password }];
console.log("users and institutions: ok");

const body = { member: { institution_code: "mxbank", credentials: credentials("challenge") } };
const { status, data: { member } } = await members.createMember(user.guid, body, "aGVsbG8=");
assert.equal(status, 202);
await refused(409, () => members.createMember(user.guid, body));
const made = await next("MEMBER");
assert.equal(made.headers["x-callback-payload"], "aGVsbG8=");
assert.equal(made.headers.authorization, `Basic ${Buffer.from("mx:sesame").toString("base64")}`);
assert.equal((await settle(user.guid, member.guid)).connection_status, "CHALLENGED");
assert.equal((await next("CONNECTION_STATUS")).body.connection_status, "CHALLENGED");
const { challenges } = (await members.listMemberChallenges(member.guid, user.guid)).data;
await members.resumeAggregation(member.guid, user.guid, { member: { challenges: [{ guid: challenges[0].guid, value: "correct" }] } });
assert.equal((await settle(user.guid, member.guid)).connection_status, "CONNECTED");
assert.equal((await next("AGGREGATION")).body.transactions_created_count, 180);
assert.equal((await members.listMemberChallenges(member.guid, user.guid)).status, 204);
console.log("members, challenges and webhooks: ok");

const found = new Map();
for (let page = 1, pages = 1; page <= pages; page += 1) {
  const { data } = await transactions.listTransactionsByMember(member.guid, user.guid, page, 50);
  for (const row of data.transactions) found.set(row.guid, row);
  pages = data.pagination.total_pages;
}
const oracle = (await (await fetch(`${control}/members/${member.guid}/oracle`)).text()).trim().split("\n").map((line) => JSON.parse(line));
assert.deepEqual([...found.values()], oracle);
assert.equal((await accounts.listUserAccounts(user.guid)).data.accounts.length, 8);
const { widget_url } = (await widgets.requestWidgetURL(user.guid, { widget_url: { widget_type: "connect_widget" } })).data;
assert.equal((await fetch(widget_url.url)).status, 200);
assert.equal((await fetch(widget_url.url)).status, 410);
assert.equal((await members.deleteMember(member.guid, user.guid)).status, 204);
assert.equal((await users.deleteUser(version, user.guid)).status, 204);
console.log("transactions, accounts and widgets: ok");
receiver.close();
receiver.closeAllConnections();
