/** Keeps the view in the browser's address and history. */

import { useCallback, useEffect, useState } from "preact/hooks";
import type { Language } from "../words/language.ts";
import { parseView, type View, writeView } from "./view.ts";

const LANGUAGE_KEY = "jejo-language";

/** Returns the language last chosen, or else the browser's: Korean if it prefers Korean, else English. */
export function defaultLanguage(): Language {
  const chosen = localStorage.getItem(LANGUAGE_KEY);
  if (chosen === "ko" || chosen === "en") {
    return chosen;
  }
  return navigator.language.startsWith("ko") ? "ko" : "en";
}

export interface Address {
  view: View;
  /** Shows a view, with a new entry in the history. */
  go: (view: View) => void;
  /** Shows a view in place of the current one. */
  adjust: (view: View) => void;
}

export function useAddress(): Address {
  const [view, setView] = useState(() => parseView(location.search, defaultLanguage()));
  useEffect(() => {
    const onPopState = () => setView(parseView(location.search, defaultLanguage()));
    window.addEventListener("popstate", onPopState);
    return () => window.removeEventListener("popstate", onPopState);
  }, []);
  useEffect(() => {
    document.documentElement.lang = view.lang;
    localStorage.setItem(LANGUAGE_KEY, view.lang);
  }, [view.lang]);
  const go = useCallback((next: View) => {
    const query = writeView(next);
    if (query !== location.search) {
      history.pushState(null, "", query);
    }
    setView(next);
  }, []);
  const adjust = useCallback((next: View) => {
    history.replaceState(null, "", writeView(next));
    setView(next);
  }, []);
  return { view, go, adjust };
}

const LOGIN = /^#login=(.+)$/;

/** Reloads on a login link: opened in the dashboard's own tab, it changes nothing but the fragment. */
export function reloadOnLoginLink(): () => void {
  const onHashChange = () => {
    if (LOGIN.test(location.hash)) {
      location.reload();
    }
  };
  window.addEventListener("hashchange", onHashChange);
  return () => window.removeEventListener("hashchange", onHashChange);
}

/** Returns the one-time token of a login link, and removes it from the address. */
export function takeLoginToken(): string | null {
  const token = location.hash.match(LOGIN)?.[1] ?? null;
  if (token !== null) {
    history.replaceState(null, "", location.pathname + location.search);
  }
  return token === null ? null : decodeURIComponent(token);
}
