/** The signed-in dashboard: header, page, footer, and the sheet of the open KPI. */

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { signOut } from "./api/client.ts";
import { Patterns } from "./charts/patterns.tsx";
import { KpiSheet } from "./kpis/sheet.tsx";
import { DefinitionsPage } from "./pages/definitions.tsx";
import { FactoriesPage } from "./pages/factories.tsx";
import { FactoryPage } from "./pages/factory.tsx";
import { GroupPage } from "./pages/group.tsx";
import { MachinePage } from "./pages/machine.tsx";
import { NationPage } from "./pages/nation.tsx";
import { ProgrammePage } from "./pages/programme.tsx";
import { Head } from "./parts/head.tsx";
import type { Address } from "./state/address.ts";
import { AppContext, type App as AppState } from "./state/context.ts";
import type { Kpi } from "./state/kpi.ts";
import { Link } from "./state/link.tsx";
import { homeOf, isOffered, seesKpis } from "./state/roles.ts";
import { dayAndTimeOf, dayOf, lastWholeDays } from "./state/seoul.ts";
import type { Start } from "./state/start.ts";
import { DEFAULT_KPI, idOf, type Page, type View, viewOf } from "./state/view.ts";
import type { Words } from "./words/index.ts";
import { regionName } from "./words/places.ts";

const DEFAULT_DAYS = 30;
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
  onSessionEnd: () => void;
}

export function App({ start, address, words, onSessionEnd }: Props) {
  const { session, definitions, figures, meanings } = start;
  const [kpi, openKpi] = useState<Kpi | null>(null);
  const accountedUntilMs = useMemo(() => start.accountedUntilMs ?? Date.now(), [start]);
  const view = completeView(start, address.view, accountedUntilMs);
  const { adjust } = address;
  // The address names the view from the first paint on, so that it can be shared.
  // biome-ignore lint/correctness/useExhaustiveDependencies: once, on mounting.
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
    meanings,
    accountedUntilMs,
    window: { from: view.from ?? "", to: view.to ?? "" },
    go: address.go,
    adjust,
    openKpi,
  };
  const leave = () => void signOut().finally(onSessionEnd);
  const CurrentPage = PAGES[view.page];
  return (
    <AppContext.Provider value={app}>
      <Patterns />
      <Head onLeave={leave} />
      <main id="main" ref={main} tabIndex={-1} data-page={view.page} data-lang={view.lang}>
        {start.accountedUntilMs === null && seesKpis(session) && <p class="partial-note">{words.panel.notAccounted}</p>}
        <CurrentPage key={shown} />
      </main>
      <footer class="foot quiet small">
        {seesKpis(session) && <span>{words.accountedUntil(dayAndTimeOf(accountedUntilMs))}</span>}
        <Link to={viewOf(view, "definitions")}>{words.nav.definitions}</Link>
        <span>{words.productWhole}</span>
      </footer>
      {kpi !== null && <KpiSheet kpi={kpi} onClose={() => openKpi(null)} />}
    </AppContext.Provider>
  );
}

/** Completes a view: a window, a known KPI, no future day, and the role's first page if it may not open this one. */
function completeView({ session, definitions }: Start, requested: View, accountedUntilMs: number): View {
  const defaultWindow = lastWholeDays(accountedUntilMs, DEFAULT_DAYS);
  const kpi = definitions.some(({ id }) => id === requested.kpi) ? requested.kpi : DEFAULT_KPI;
  const day = requested.day !== null && requested.day > dayOf(accountedUntilMs) ? null : requested.day;
  const view = {
    ...requested,
    kpi,
    from: requested.from ?? defaultWindow.from,
    to: requested.to ?? defaultWindow.to,
    day,
  };
  return isOffered(session, view.page) ? view : homeOf(session, view);
}

function titleOf(view: View, words: Words): string {
  if (view.page === "region") {
    return regionName(idOf(view.scope), view.lang);
  }
  const id = idOf(view.scope);
  return id === "" ? words.nav[view.page as keyof Words["nav"]] : id;
}
