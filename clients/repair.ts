// A bank that needs the person, whoever connects it. The app knows `linkStatus` and `requiredAction`
// and no provider: it shows questions and passes the answers on, or sends the person to a page.

import assert from "node:assert/strict";
import type { ItemStandsSubscription } from "./gql/graphql.ts";
import { AnswerChallenge, CreateLinkToken, ItemStands } from "./operations.ts";
import type { Session } from "./session.ts";
import { breakLogin, link, order } from "./support/bank.ts";
import { visit } from "./support/browser.ts";
import { follow } from "./support/follow.ts";
import { register } from "./support/person.ts";
import { request } from "./support/request.ts";

type Item = ItemStandsSubscription["itemUpdated"]["item"];
type Challenge = Extract<Item["requiredAction"], { challenges: unknown }>["challenges"][number];

/** What the app has of the person: it shows a question, or opens a page. */
interface Screen {
  ask(challenge: Challenge): string;
  open(address: string): Promise<void>;
}

/** Does whatever a bank needs until it works; returns what it needed. */
async function untilItWorks(session: Session, itemId: string, screen: Screen): Promise<string[]> {
  const done: string[] = [];
  let asked = "";
  for await (const { itemUpdated } of follow(session, ItemStands, { itemId })) {
    const { linkStatus, transactionsStatus, requiredAction } = itemUpdated.item;
    if (linkStatus === "SUCCESS" && transactionsStatus === "COMPLETE" && !requiredAction) return done;
    // The same thing may be told twice; it is done once.
    if (!requiredAction || JSON.stringify(requiredAction) === asked) continue;
    asked = JSON.stringify(requiredAction);
    done.push(requiredAction.__typename);
    if (requiredAction.__typename === "AnswerChallengeAction") {
      const answers = requiredAction.challenges.map((challenge) => ({
        challengeId: challenge.id,
        value: screen.ask(challenge),
      }));
      const input = { itemId, answers };
      const { answerChallenge } = await request(AnswerChallenge, { input }, session.accessToken);
      assert.deepEqual(answerChallenge.userErrors, []);
    } else {
      // A new sign-in, a consent, new accounts: all of it is done on one page.
      const { createLinkToken } = await request(
        CreateLinkToken,
        { input: { itemId } },
        session.accessToken,
      );
      assert.ok(createLinkToken.hostedLinkUrl, JSON.stringify(createLinkToken.userErrors));
      await screen.open(createLinkToken.hostedLinkUrl);
    }
  }
  assert.fail("the subscription ended");
}

/** A person who knows the answers and her name at the bank, and her browser. */
const person = (name: string): Screen => ({
  ask: ({ options }) => options.find((option) => option.value === "correct")?.value ?? "correct",
  open: (address) => visit(address, name),
});

const ana = await register("ana");
const bank = await link(ana, 50);
assert.equal(await breakLogin(ana, bank), "LOGIN_REQUIRED");
const renewed = await untilItWorks(ana, bank.itemId, person("user_transactions_50"));
assert.deepEqual(renewed, ["ReauthenticateAction"]);
console.log("a login that has ended was renewed on the hosted page");

for (const [password, needed] of [
  ["image_options_twice", ["AnswerChallengeAction", "AnswerChallengeAction"]],
  ["DENIED", ["ReauthenticateAction"]],
] as const) {
  const ben = await register("ben");
  const itemId = await order(ben, "mxuser", password);
  assert.deepEqual(await untilItWorks(ben, itemId, person("mxuser")), needed);
  console.log(`a bank that answers ${password} was linked, after ${needed.join(" and ")}`);
}
