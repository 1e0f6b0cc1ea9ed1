import { signal } from "@preact/signals";
export const token = signal("");
export function csrfToken(): string { return token.value; }
