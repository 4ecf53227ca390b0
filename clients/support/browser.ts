// A browser with a patient person before it: fills in the forms of the sandbox's pages, whichever
// provider's they stand in for, until there is none left.

import assert from "node:assert/strict";
import { setTimeout } from "node:timers/promises";

/** Goes through a page to its end, as the person with this name at the bank. */
export async function visit(address: string, name: string): Promise<void> {
  let page = await fetch(address);
  const place = page.url;
  for (let step = 0; step < 60; step += 1) {
    const html = await page.text();
    assert.ok(page.ok, `${place}: ${page.status} ${html}`);
    if (html.includes('http-equiv="refresh"')) {
      await setTimeout(250);
      page = await fetch(place);
      continue;
    }
    const fields = filledIn(html, name);
    if (!fields) return;
    page = await fetch(place, { method: "POST", body: new URLSearchParams(fields) });
  }
  assert.fail(`${place} does not come to an end`);
}

/** What a person would send off; nothing if the page wants nothing more. */
function filledIn(html: string, name: string): string[][] | undefined {
  if (html.includes('name="username"')) {
    return [
      ["username", name],
      ["password", "pass_good"],
    ];
  }
  if (html.includes('name="LOGIN"')) {
    return [
      ["action", "sign_in"],
      ["LOGIN", name],
      ["PASSWORD", "any"],
    ];
  }
  const accounts = [...html.matchAll(/name="account_id" value="([^"]+)"/g)];
  if (accounts.length) return accounts.map((account) => ["account_id", account[1]!]);
  return html.includes('method="post"') && !html.includes("mx/connect/") ? [] : undefined;
}
