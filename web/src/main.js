import { createGraphiQLFetcher } from "@graphiql/toolkit";
import { GraphiQL } from "graphiql";
import "graphiql/setup-workers/vite";
import "graphiql/style.css";
import { createElement } from "react";
import { createRoot } from "react-dom/client";
import "./page.css";
import { preparePage } from "./page.js";

const page = createElement(GraphiQL, preparePage(createGraphiQLFetcher));
createRoot(document.getElementById("graphiql")).render(page);
