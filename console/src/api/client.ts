/** Requests to the server, typed by its own description (openapi.json). */
import createClient, { type Middleware } from "openapi-fetch";
import type { components, paths } from "./schema";
import { csrfToken } from "./session";

export type Schemas = components["schemas"];

/** Where the page lies, so that it also works behind a proxy's prefix. */
export const BASE = typeof location === "undefined" ? "" : new URL(".", location.href).pathname.replace(/\/$/, "");

const client = createClient<paths>({ baseUrl: BASE, credentials: "same-origin" });

/** A request that the server refused, with its words. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

const guard: Middleware = {
  onRequest({ request }) {
    const token = csrfToken();
    if (token && request.method !== "GET") request.headers.set("X-CSRF-Token", token);
    return request;
  },
};
client.use(guard);

interface Outcome<T> {
  readonly data?: T;
  readonly error?: unknown;
  readonly response: Response;
}

/** The content of an answer.

Throws `Refusal` where the server refused, an `Error` where it could not be reached. */
export async function answerOf<T>(asked: Promise<Outcome<T>>): Promise<T> {
  let outcome: Outcome<T>;
  try {
    outcome = await asked;
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Error("The server does not answer.");
  }
  if (outcome.error !== undefined || !outcome.response.ok) {
    throw new Refusal(outcome.response.status, detailOf(outcome.error, outcome.response));
  }
  return outcome.data as T;
}

function detailOf(error: unknown, response: Response): string {
  if (typeof error === "object" && error !== null && "detail" in error && typeof error.detail === "string") {
    return error.detail;
  }
  return `${response.status} ${response.statusText}`;
}

export const { GET, POST, PUT, DELETE } = client;
