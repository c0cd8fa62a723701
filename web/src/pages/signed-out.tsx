/** Nobody is signed in: how to get a link. */

import type { Address } from "../state/address.ts";
import type { Words } from "../words/index.ts";

export function SignedOutPage({ view, adjust, words }: Address & { words: Words }) {
  const said = words.signedOut;
  return (
    <main class="lone" data-page="signed-out">
      <p class="brand">{words.productWhole}</p>
      <h1>{said.title}</h1>
      <p>{said.lead}</p>
      <pre>
        <code>{said.command}</code>
      </pre>
      <p>{said.once}</p>
      <p class="quiet">{said.spent}</p>
      <p class="actions">
        <button type="button" class="button" onClick={() => location.reload()}>
          {said.again}
        </button>
        <button
          type="button"
          class="button plain"
          onClick={() => adjust({ ...view, lang: view.lang === "ko" ? "en" : "ko" })}
        >
          {words.otherLanguage}
        </button>
      </p>
    </main>
  );
}
