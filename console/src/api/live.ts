import { signal } from "@preact/signals";
export const connection = signal<"idle" | "waiting" | "live" | "lost">("idle");
