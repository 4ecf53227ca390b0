// Where the server and its bank are: by default, where `passbook demo` puts them.

export const SERVER = process.env["PASSBOOK_URL"] ?? "http://127.0.0.1:8000";
export const SANDBOX = process.env["SANDBOX_URL"] ?? "http://127.0.0.1:8010";

export const API = `${SERVER}/graphql`;
export const SOCKET = API.replace(/^http/, "ws");
