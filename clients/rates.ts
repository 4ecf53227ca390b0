// An exchange rate as it changes: the newest comes first, then each new one. A rate that somebody
// refreshes is told to all who follow it. Amounts are texts: give them to a library for decimals.

import assert from "node:assert/strict";
import { ExchangeRates, ExchangeRateUpdated, RefreshExchangeRate } from "./operations.ts";
import { follow } from "./support/follow.ts";
import { register } from "./support/person.ts";
import { request } from "./support/request.ts";

const ana = await register("ana");
const pair = { base: "BTC", quote: "USD" };
const rates = follow(ana, ExchangeRateUpdated, pair);
const next = async () => {
  const { value } = await rates.next();
  assert.ok(value);
  return value.exchangeRateUpdated;
};

const newest = await next();
assert.match(newest.rate, /^\d+(\.\d+)?$/);
assert.match(newest.source, /invented/);
console.log(`a bitcoin costs ${newest.rate} dollars, says the ${newest.source}`);

// The sandbox's rate is another one each second; ask until it is.
let refreshed = newest.rate;
while (refreshed === newest.rate) {
  const answer = await request(RefreshExchangeRate, { input: pair }, ana.accessToken);
  const { exchangeRate, userErrors } = answer.refreshExchangeRate;
  assert.ok(exchangeRate, JSON.stringify(userErrors));
  refreshed = exchangeRate.rate;
}
let told = await next();
while (told.rate !== refreshed) told = await next();
await rates.return();
console.log(`refreshed, it costs ${told.rate}, and who follows it was told`);

const { exchangeRates } = await request(ExchangeRates, { ...pair, first: 10 }, ana.accessToken);
assert.equal(exchangeRates.nodes[0]?.id, told.id);
