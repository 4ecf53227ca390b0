// Somebody new, with a name that nobody else has.

import { Session } from "../session.ts";

export interface Person {
  email: string;
  password: string;
}

export function invent(name: string): Person {
  return { email: `${name}-${crypto.randomUUID()}@example.com`, password: "sandbox-platypus" };
}

/** Registers somebody new. */
export function register(name: string): Promise<Session> {
  const { email, password } = invent(name);
  return Session.register(email, password);
}
