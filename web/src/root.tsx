/** The root component: signs in, then shows the app, how to sign in, or why it cannot start. */

import { useEffect, useState } from "preact/hooks";
import type { Problem } from "./api/client.ts";
import { App } from "./app.tsx";
import { SignedOutPage } from "./pages/signed-out.tsx";
import { FailureIn } from "./parts/failure.tsx";
import { reloadOnLoginLink, useAddress } from "./state/address.ts";
import { useLoad } from "./state/load.ts";
import { signedOut } from "./state/signed-out.ts";
import { readStart } from "./state/start.ts";
import { WORDS, type Words } from "./words/index.ts";

export function Root() {
  const address = useAddress();
  const [ended, setEnded] = useState(false);
  const start = useLoad("start", readStart);
  useEffect(() => signedOut.listen(() => setEnded(true)), []);
  useEffect(reloadOnLoginLink, []);
  const words = WORDS[address.view.lang];
  if (ended) {
    return <SignedOutPage {...address} words={words} />;
  }
  if (start.problem !== null) {
    return <StartFailure words={words} problem={start.problem} retry={start.retry} />;
  }
  if (start.data === null) {
    return (
      <p class="starting" role="status">
        {words.panel.loading}
      </p>
    );
  }
  return <App start={start.data} address={address} words={words} onSessionEnd={() => setEnded(true)} />;
}

function StartFailure({ words, problem, retry }: { words: Words; problem: Problem; retry: () => void }) {
  return (
    <main class="lone">
      <h1>{words.product}</h1>
      <FailureIn words={words} problem={problem} retry={retry} />
    </main>
  );
}
