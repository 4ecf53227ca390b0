// GraphiQL and React are on the page already, as globals, if they could be loaded.
import { preparePage } from "./page.js";

const place = document.getElementById("graphiql");
if (window.React && window.ReactDOM && window.GraphiQL) {
  const socketOptions = (subscriptionUrl, wsConnectionParams) => ({
    subscriptionUrl,
    wsConnectionParams,
  });
  const page = React.createElement(GraphiQL, preparePage(GraphiQL.createFetcher, socketOptions));
  ReactDOM.createRoot(place).render(page);
} else {
  place.textContent = "GraphiQL could not be loaded from unpkg.com.";
}
