/** The texts of both languages. */

import type { Language } from "../state/view.ts";
import { en, type Words } from "./en.ts";
import { ko } from "./ko.ts";

export type { Words };

export const WORDS: Record<Language, Words> = { en, ko };
