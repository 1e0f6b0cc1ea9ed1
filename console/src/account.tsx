/** Who looks; logging in and out. */
import { useEffect, useRef, useState } from "preact/hooks";
import { answerOf, DELETE, GET, POST } from "./api/client";
import { session } from "./api/session";
import { warn } from "./notices";

/** Ask the server who we are to it. */
export async function refreshSession(): Promise<void> {
  session.value = await answerOf(GET("/api/session"));
}

export function Account() {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    refreshSession().catch(warn);
  }, []);
  const found = session.value;
  if (!found) return <span class="account" />;
  const may = found.features.review ? "may judge" : "read only";
  return (
    <span class="account">
      <span class="quiet" title={`zilzal ${found.version}`}>{found.name ? `${found.name}, ${found.role}` : may}</span>
      {found.features.login ? (
        found.name
          ? <button class="plain" onClick={() => { leave().catch(warn); }}>Log out</button>
          : <button class="plain" onClick={() => dialog.current?.showModal()}>Log in</button>
      ) : null}
      <dialog ref={dialog} aria-label="Log in">
        <LogIn done={() => dialog.current?.close()} />
      </dialog>
    </span>
  );
}

async function leave(): Promise<void> {
  session.value = await answerOf(DELETE("/api/session"));
}

function LogIn({ done }: { readonly done: () => void }) {
  const [problem, setProblem] = useState("");
  const submit = async (form: HTMLFormElement): Promise<void> => {
    const fields = new FormData(form);
    try {
      session.value = await answerOf(POST("/api/session", {
        body: { name: String(fields.get("name")), password: String(fields.get("password")) },
      }));
      form.reset();
      setProblem("");
      done();
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
  };
  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault();
        void submit(event.currentTarget);
      }}
    >
      <label class="field">Name <input name="name" autocomplete="username" required maxLength={100} /></label>
      <label class="field">Password <input name="password" type="password" autocomplete="current-password" required maxLength={1000} /></label>
      {problem ? <p class="bad" role="alert">{problem}</p> : null}
      <div><button class="primary" type="submit">Log in</button> <button type="button" onClick={done}>Cancel</button></div>
    </form>
  );
}
