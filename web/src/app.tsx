/** The signed-in dashboard: head, page, foot, and the panel of the figure that is open. */

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { signOut } from "./api/client.ts";
import { Patterns } from "./charts/patterns.tsx";
import type { FigureData } from "./figures/data.ts";
import { FigurePanel } from "./figures/panel.tsx";
import { DefinitionsPage } from "./pages/definitions.tsx";
import { FactoriesPage } from "./pages/factories.tsx";
import { FactoryPage } from "./pages/factory.tsx";
import { GroupPage } from "./pages/group.tsx";
import { MachinePage } from "./pages/machine.tsx";
import { NationPage } from "./pages/nation.tsx";
import { ProgrammePage } from "./pages/programme.tsx";
import { Head } from "./parts/head.tsx";
import { Link } from "./parts/link.tsx";
import type { Address } from "./state/address.ts";
import { AppContext, type App as AppState } from "./state/context.ts";
import { homeOf, isOffered, seesFigures } from "./state/roles.ts";
import { dayAndTimeOf, dayOf, lastWholeDays } from "./state/seoul.ts";
import type { Start } from "./state/start.ts";
import { DEFAULT_KPI, idOf, type Page, type View, viewOf } from "./state/view.ts";
import type { Words } from "./words/index.ts";
import { regionName } from "./words/places.ts";

const USUAL_DAYS = 30;
const PAGES: Record<Page, () => preact.JSX.Element> = {
  nation: NationPage,
  programme: ProgrammePage,
  region: GroupPage,
  zone: GroupPage,
  sponsor: GroupPage,
  factories: FactoriesPage,
  factory: FactoryPage,
  machine: MachinePage,
  definitions: DefinitionsPage,
};

interface Props {
  start: Start;
  address: Address;
  words: Words;
  onEnd: () => void;
}

export function App({ start, address, words, onEnd }: Props) {
  const { session, definitions, figures } = start;
  const [figure, openFigure] = useState<FigureData | null>(null);
  const accountedUntilMs = useMemo(() => start.accountedUntilMs ?? Date.now(), [start]);
  const view = settled(start, address.view, accountedUntilMs);
  const { adjust } = address;
  // The address holds what is shown from the first paint on, so that it can be sent to somebody.
  // biome-ignore lint/correctness/useExhaustiveDependencies: once, when the app appears.
  useEffect(() => adjust(view), []);
  const main = useRef<HTMLElement>(null);
  const shown = `${view.page} ${view.scope}`;
  const before = useRef(shown);
  useEffect(() => {
    document.title = `${titleOf(view, words)} · ${words.product}`;
    if (before.current !== shown) {
      before.current = shown;
      window.scrollTo(0, 0);
      main.current?.focus({ preventScroll: true });
    }
  }, [shown, view, words]);
  const app: AppState = {
    view,
    words,
    session,
    definitions,
    figures,
    accountedUntilMs,
    window: { from: view.from ?? "", to: view.to ?? "" },
    go: address.go,
    adjust,
    openFigure,
  };
  const leave = () => void signOut().finally(onEnd);
  const Shown = PAGES[view.page];
  return (
    <AppContext.Provider value={app}>
      <Patterns />
      <Head onLeave={leave} />
      <main id="main" ref={main} tabIndex={-1} data-page={view.page} data-lang={view.lang}>
        {start.accountedUntilMs === null && seesFigures(session) && (
          <p class="partial-note">{words.panel.notAccounted}</p>
        )}
        <Shown key={shown} />
      </main>
      <footer class="foot quiet small">
        {seesFigures(session) && <span>{words.accountedUntil(dayAndTimeOf(accountedUntilMs))}</span>}
        <Link to={viewOf(view, "definitions")}>{words.nav.definitions}</Link>
        <span>{words.productWhole}</span>
      </footer>
      {figure !== null && <FigurePanel figure={figure} onClose={() => openFigure(null)} />}
    </AppContext.Provider>
  );
}

/** The view made whole: a window, a KPI that there is, no day to come, and where a page is not for the role its own. */
function settled({ session, definitions }: Start, asked: View, accountedUntilMs: number): View {
  const usual = lastWholeDays(accountedUntilMs, USUAL_DAYS);
  const kpi = definitions.some(({ id }) => id === asked.kpi) ? asked.kpi : DEFAULT_KPI;
  const day = asked.day !== null && asked.day > dayOf(accountedUntilMs) ? null : asked.day;
  const view = { ...asked, kpi, from: asked.from ?? usual.from, to: asked.to ?? usual.to, day };
  return isOffered(session, view.page) ? view : homeOf(session, view);
}

function titleOf(view: View, words: Words): string {
  if (view.page === "region") {
    return regionName(idOf(view.scope), view.lang);
  }
  const id = idOf(view.scope);
  return id === "" ? words.nav[view.page as keyof Words["nav"]] : id;
}
