/** The texts of both languages. */

import { en, type Words } from "./en.ts";
import { ko } from "./ko.ts";
import type { Language } from "./language.ts";

export type { Words };

export const WORDS: Record<Language, Words> = { en, ko };
