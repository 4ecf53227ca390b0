// The bank: Passbook's sandbox, driven by the calls that no real bank has.

import assert from "node:assert/strict";
import { ExchangePublicToken, SyncJobUpdated } from "../operations.ts";
import type { Session } from "../session.ts";
import { follow } from "./follow.ts";
import { SANDBOX } from "./place.ts";
import { request } from "./request.ts";

/** A login at the bank, seen from both sides. */
export interface Link {
  /** The id of the API. */
  itemId: string;
  /** The bank's own id for it, which the API never shows. */
  bankId: string;
}

/** Links a bank with `count` transactions, and waits until they are here. */
export async function link(session: Session, count: number): Promise<Link> {
  await call("/control/settings", { initial_ready_ms: 0, history_ready_ms: 0 });
  const before = new Set(await logins());
  const { public_token } = await call<{ public_token: string }>("/sandbox/public_token/create", {
    institution_id: "ins_109508",
    initial_products: ["transactions"],
    // No address for webhooks: Passbook names its own with the first sync, and none comes before.
    options: {
      override_username: `user_transactions_${count}`,
      override_password: "pass_good",
      transactions: { days_requested: 730 },
    },
  });
  const [bankId] = (await logins()).filter((id) => !before.has(id));
  const input = { publicToken: public_token };
  const linked = await request(ExchangePublicToken, { input }, session.accessToken);
  const { item, syncJob, userErrors } = linked.exchangePublicToken;
  assert.ok(item && syncJob && bankId, JSON.stringify(userErrors));
  for await (const event of follow(session, SyncJobUpdated, { syncJobId: syncJob.id })) {
    if (event.syncJobUpdated.syncJob.status === "SUCCEEDED") break;
    assert.notEqual(event.syncJobUpdated.syncJob.status, "FAILED");
  }
  return { itemId: item.id, bankId };
}

/** The bank books transactions, and tells Passbook by a signed webhook. */
export async function book(link: Link, ...names: string[]): Promise<void> {
  const add = names.map((name) => ({ name, amount: 4.2, pending: false }));
  await call(`/control/items/${link.bankId}/transactions`, { add });
}

async function logins(): Promise<string[]> {
  const response = await fetch(`${SANDBOX}/control/items`);
  const { items } = (await response.json()) as { items: { item_id: string }[] };
  return items.map((item) => item.item_id);
}

async function call<Answer>(path: string, body: object): Promise<Answer> {
  const response = await fetch(`${SANDBOX}${path}`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "plaid-client-id": "client",
      "plaid-secret": "secret",
    },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  assert.ok(response.ok, `${path}: ${response.status} ${text}`);
  return (text ? JSON.parse(text) : undefined) as Answer;
}
