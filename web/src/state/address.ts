/** The view, held in the browser's address and history. */

import { useCallback, useEffect, useState } from "preact/hooks";
import { type Language, parseView, type View, writeView } from "./view.ts";

const LANGUAGE_KEY = "jejo-language";

/** The language last chosen here, else the browser's: Korean unless it asks for something else. */
export function usualLanguage(): Language {
  const kept = localStorage.getItem(LANGUAGE_KEY);
  if (kept === "ko" || kept === "en") {
    return kept;
  }
  return navigator.language.startsWith("ko") ? "ko" : "en";
}

export interface Address {
  view: View;
  /** A new entry in the history. */
  go: (view: View) => void;
  /** The same entry, changed. */
  adjust: (view: View) => void;
}

export function useAddress(): Address {
  const [view, setView] = useState(() => parseView(location.search, usualLanguage()));
  useEffect(() => {
    const follow = () => setView(parseView(location.search, usualLanguage()));
    window.addEventListener("popstate", follow);
    return () => window.removeEventListener("popstate", follow);
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

/** A login link opened where the dashboard is open already changes nothing but the fragment: begin anew with it. */
export function followLoginLinks(): () => void {
  const follow = () => {
    if (LOGIN.test(location.hash)) {
      location.reload();
    }
  };
  window.addEventListener("hashchange", follow);
  return () => window.removeEventListener("hashchange", follow);
}

/** The one-time token of a login link, which is taken out of the address at once. */
export function takeLoginToken(): string | null {
  const token = location.hash.match(LOGIN)?.[1] ?? null;
  if (token !== null) {
    history.replaceState(null, "", location.pathname + location.search);
  }
  return token === null ? null : decodeURIComponent(token);
}
