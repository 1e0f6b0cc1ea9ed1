/** Who looks, and what this server lets them do. */
import { signal } from "@preact/signals";
import type { components } from "./schema";

export type Session = components["schemas"]["Session"];

/** Null until the server has said. */
export const session = signal<Session | null>(null);

/** Goes with every request that changes something. */
export function csrfToken(): string {
  return session.peek()?.csrf_token ?? "";
}
