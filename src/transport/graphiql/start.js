// Headers typed into the page go with requests, and with connection_init on the socket.
const url = new URL("/graphql", window.location.href);
const socket = new URL(url);
socket.protocol = url.protocol === "https:" ? "wss:" : "ws:";
const fetcher = GraphiQL.createFetcher({ url: url.href, subscriptionUrl: socket.href });
const page = React.createElement(GraphiQL, { fetcher, defaultEditorToolsVisibility: true });
ReactDOM.createRoot(document.getElementById("graphiql")).render(page);
