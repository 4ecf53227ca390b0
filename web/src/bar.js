// The bar at the top: signs in and out, and says who is signed in.

/** Whom `passbook demo` registers. On another server of its kind she can be registered here. */
const DEMO = { email: "ana@example.com", password: "sandbox-platypus" };

export function showBar(bar, session) {
  const local = document.querySelector("meta[name=sandbox]").content === "on";
  const said = element("output", { className: "said" });
  const show = () => {
    said.textContent = "";
    bar.replaceChildren(
      element("strong", {}, "Passbook"),
      session.email ? signedIn(session, said) : signedOut(session, said, local),
      said,
    );
  };
  session.addEventListener("change", show);
  show();
}

function signedIn(session, said) {
  const leave = element("button", { type: "button" }, "Sign out");
  leave.addEventListener("click", () => attempt(said, () => session.logout()));
  return element("span", {}, `Signed in as ${session.email} `, leave);
}

function signedOut(session, said, local) {
  const suggested = local ? DEMO : { email: "", password: "" };
  const form = element(
    "form",
    {},
    field("email", "E-mail", "username", suggested.email),
    field("password", "Password", "current-password", suggested.password),
    element("button", { value: "login" }, "Sign in"),
    element("button", { value: "register" }, "Register"),
    local ? element("small", {}, "Ana, of the demo. Register her if she is not here yet.") : "",
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const input = Object.fromEntries(new FormData(form));
    attempt(said, () => session[event.submitter.value](input));
  });
  return form;
}

function field(name, label, autocomplete, value) {
  const input = element("input", { name, type: name, autocomplete, value, required: true });
  input.setAttribute("aria-label", label);
  input.placeholder = label;
  return input;
}

async function attempt(said, act) {
  said.textContent = "";
  try {
    await act();
  } catch (error) {
    said.textContent = error.message;
  }
}

function element(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}
