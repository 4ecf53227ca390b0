// The page at /graphiql in a real browser: somebody signs in at its top, asks, and follows the bank.
// It wants Chromium, at CHROMIUM or /usr/bin/chromium, so it runs only when it is asked for:
//
//     npx tsx run.ts graphiql
//
// SCREENSHOT names a file for the last sight of the page.

import assert from "node:assert/strict";
import { chromium } from "playwright-core";
import { Session } from "./session.ts";
import { book, link } from "./support/bank.ts";
import { invent } from "./support/person.ts";
import { SERVER } from "./support/place.ts";

const ana = invent("ana");
const bank = await link(await Session.register(ana.email, ana.password), 50);

const browser = await chromium.launch({
  executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium",
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
});
const page = await browser.newPage({ viewport: { width: 1400, height: 900 } });
const faults: string[] = [];
page.on("pageerror", (error) => faults.push(error.message));
page.on("console", (message) => message.type() === "error" && faults.push(message.text()));
page.on("request", (request) => {
  if (!request.url().startsWith(SERVER)) faults.push(`asks ${request.url()}`);
});

const run = page.getByRole("button", { name: "Execute query" });
const answer = page.locator(".graphiql-response");
const answers = (text: string) => answer.getByText(text).first().waitFor();

await page.goto(`${SERVER}/graphiql`);
await page.getByLabel("E-mail").fill(ana.email);
await page.getByLabel("Password").fill("not hers");
await page.getByRole("button", { name: "Sign in" }).click();
await page.locator("#bar output").getByText("password").waitFor();
await page.getByLabel("Password").fill(ana.password);
await page.getByRole("button", { name: "Sign in" }).click();
await page.getByText(`Signed in as ${ana.email}`).waitFor();
console.log("signed in, at the second attempt");

await run.click();
await answers('"mask"');
console.log("Latest shows accounts");

const subscribed = new Promise<void>((resolve) =>
  page.on("websocket", (socket) =>
    socket.on("framesent", ({ payload }) => payload.includes('"subscribe"') && resolve()),
  ),
);
await page.getByRole("tab", { name: "News" }).click();
// GraphiQL takes a moment to read what it is.
await page.waitForFunction(() => localStorage.getItem("graphiql:query")?.includes("News"));
await run.click();
await subscribed;
await book(bank, "Seen in a browser");
await answers('"added"');
console.log("News shows what the bank booked");

if (process.env["SCREENSHOT"]) await page.screenshot({ path: process.env["SCREENSHOT"] });
await page.reload();
await page.getByText(`Signed in as ${ana.email}`).waitFor();
await page.waitForFunction(() => localStorage.getItem("graphiql:query")?.includes("News"));
await run.click();
assert.deepEqual(faults, []);
await page.getByRole("button", { name: "Sign out" }).click();
await answers("4403");
await page.getByRole("button", { name: "Sign in" }).waitFor();
await browser.close();
console.log("a reload kept the session, and signing out ended it on the socket too");
