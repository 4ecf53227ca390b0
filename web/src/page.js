// The page, whichever GraphiQL it has: its bar, its examples, and the way to the API.

import { showBar } from "./bar.js";
import { examples } from "./examples.js";
import { Session } from "./session.js";

const url = new URL("/graphql", window.location.href);
const socket = new URL(url);
socket.protocol = url.protocol === "https:" ? "wss:" : "ws:";

/** Shows the bar; returns what GraphiQL is to be shown with. */
export function preparePage(createFetcher) {
  const session = new Session(url.href);
  showBar(document.getElementById("bar"), session);
  return {
    defaultTabs: examples.map((query) => ({ query })),
    async fetcher(params, options) {
      const ask = createFetcher({
        url: url.href,
        subscriptionUrl: socket.href,
        fetch: session.fetch,
        wsConnectionParams: await session.connectionParams(options?.headers),
        enableIncrementalDelivery: false,
      });
      return ask(params, options);
    },
  };
}
