import { createGraphiQLFetcher } from "@graphiql/toolkit";
import { GraphiQL } from "graphiql";
import "graphiql/setup-workers/vite";
import "graphiql/style.css";
import { createClient } from "graphql-ws";
import { createElement } from "react";
import { createRoot } from "react-dom/client";
import "./page.css";
import { preparePage } from "./page.js";

// Whoever explores is to see that a socket ended, not to wait for the next.
const socketOptions = (url, connectionParams) => ({
  wsClient: createClient({ url, connectionParams, retryAttempts: 0 }),
});
const page = createElement(GraphiQL, preparePage(createGraphiQLFetcher, socketOptions));
createRoot(document.getElementById("graphiql")).render(page);
