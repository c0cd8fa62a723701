/** The header of every page: product, pages, language, and signing out. */

import { useApp } from "../state/context.ts";
import { Link } from "../state/link.tsx";
import { homeOf, isOffered, regionOf, seesEverything, seesKpis } from "../state/roles.ts";
import { idOf, viewOf } from "../state/view.ts";
import { regionName } from "../words/places.ts";

export function Head({ onLeave }: { onLeave: () => void }) {
  const { view, words, session, go } = useApp();
  const home = homeOf(session, view);
  const region = regionOf(session);
  const homeName =
    home.scope === "nation"
      ? words.nav[seesKpis(session) ? "nation" : "definitions"]
      : region === null
        ? idOf(home.scope)
        : regionName(region, view.lang);
  return (
    <header class="head">
      <a class="skip" href="#main">
        {words.skip}
      </a>
      <Link to={home} class="brand">
        {words.productWhole}
      </Link>
      <nav aria-label={words.nav.label}>
        <Link to={home} current={view.page === home.page && view.scope === home.scope}>
          {homeName}
        </Link>
        {seesEverything(session) && (
          <Link to={viewOf(view, "programme")} current={view.page === "programme"}>
            {words.nav.programme}
          </Link>
        )}
        {isOffered(session, "factories") && (
          <Link to={viewOf(view, "factories")} current={view.page === "factories"}>
            {words.nav.factories}
          </Link>
        )}
      </nav>
      <div class="head-end">
        <button
          type="button"
          class="button plain"
          lang={view.lang === "ko" ? "en" : "ko"}
          onClick={() => go({ ...view, lang: view.lang === "ko" ? "en" : "ko" })}
        >
          {words.otherLanguage}
        </button>
        <button type="button" class="button plain" title={`${session.name} (${session.role})`} onClick={onLeave}>
          {words.signOut}
        </button>
      </div>
    </header>
  );
}
