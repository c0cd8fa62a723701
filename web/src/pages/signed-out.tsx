/** The page for readers who are not signed in: how to get a login link. */

import type { Address } from "../state/address.ts";
import type { Words } from "../words/index.ts";

export function SignedOutPage({ view, adjust, words }: Address & { words: Words }) {
  const labels = words.signedOut;
  return (
    <main class="lone" data-page="signed-out">
      <p class="brand">{words.productWhole}</p>
      <h1>{labels.title}</h1>
      <p>{labels.lead}</p>
      <pre>
        <code>{labels.command}</code>
      </pre>
      <p>{labels.once}</p>
      <p class="quiet">{labels.spent}</p>
      <p class="actions">
        <button type="button" class="button" onClick={() => location.reload()}>
          {labels.again}
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
