// The bank: Passbook's sandbox, driven by the calls that no real bank has.

import assert from "node:assert/strict";
import {
  ExchangePublicToken,
  Institutions,
  ItemStands,
  LinkInstitution,
  SyncJobUpdated,
} from "../operations.ts";
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

/** The bank ends a login; returns how the item stands when Passbook has heard of it. */
export async function breakLogin(session: Session, link: Link): Promise<string> {
  const stands = follow(session, ItemStands, { itemId: link.itemId });
  await stands.next();
  await call(`/control/items/${link.bankId}/events`, { event: "error", code: "ITEM_LOGIN_REQUIRED" });
  for await (const { itemUpdated } of stands) {
    if (itemUpdated.item.requiredAction) return itemUpdated.item.linkStatus;
  }
  assert.fail("the subscription ended");
}

/** Orders MX's test bank with these credentials, as a form in an app would. */
export async function order(session: Session, name: string, password: string): Promise<string> {
  const variables = { provider: "MX", search: "MX Bank" } as const;
  const { institutions } = await request(Institutions, variables, session.accessToken);
  const [bank] = institutions.nodes;
  assert.ok(bank);
  const credentials = bank.credentialFields.map(({ id, kind }) => ({
    fieldId: id,
    value: kind === "PASSWORD" ? password : name,
  }));
  const input = { institutionCode: bank.code, credentials };
  const { linkInstitution } = await request(LinkInstitution, { input }, session.accessToken);
  assert.ok(linkInstitution.item, JSON.stringify(linkInstitution.userErrors));
  return linkInstitution.item.id;
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
