// The page, whichever GraphiQL it has: its bar, its examples, and the way to the API.

import { showBar } from "./bar.js";
import { examples } from "./examples.js";
import { Session } from "./session.js";

const url = new URL("/graphql", window.location.href);
const socket = new URL(url);
socket.protocol = url.protocol === "https:" ? "wss:" : "ws:";

/**
 * Shows the bar; returns what GraphiQL is to be shown with. `socketOptions` are those of a fetcher
 * whose subscriptions go to an address with some parameters.
 */
export function preparePage(createFetcher, socketOptions) {
  const session = new Session(url.href);
  showBar(document.getElementById("bar"), session);
  return {
    defaultTabs: examples.map((query) => ({ query })),
    async fetcher(params, options) {
      const connectionParams = await session.connectionParams(options?.headers);
      const ask = createFetcher({
        url: url.href,
        fetch: session.fetch,
        enableIncrementalDelivery: false,
        ...socketOptions(socket.href, connectionParams),
      });
      return ask(params, options);
    },
  };
}
