/** Starts Debian's Chromium, and records a page's console messages, errors and failed requests. */

import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";

const ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export const WIDE = { width: 1280, height: 900 };
export const PHONE = { width: 390, height: 844 };

/** Starts a browser with a profile of its own. */
export function launch(executablePath: string): Promise<Browser> {
  return chromium.launch({ executablePath, args: ARGUMENTS, headless: true });
}

/** A page whose errors and warnings are recorded. */
export class WatchedPage {
  /** Recorded since the last call of `takeMessages`. */
  private messages: string[] = [];

  constructor(readonly page: Page) {
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) {
        this.messages.push(`console ${message.type()}: ${message.text()}`);
      }
    });
    page.on("pageerror", (error) => this.messages.push(`page error: ${error.message}`));
    page.on("requestfailed", (request) => {
      // A view that is left cancels its own requests.
      if (request.failure()?.errorText !== "net::ERR_ABORTED") {
        this.messages.push(`failed: ${request.method()} ${request.url()} ${request.failure()?.errorText}`);
      }
    });
    page.on("response", (answer) => {
      if (answer.status() >= 400) {
        this.messages.push(`${answer.status()}: ${answer.request().method()} ${answer.url()}`);
      }
    });
  }

  /** Returns and forgets what was recorded. */
  takeMessages(): string[] {
    const messages = this.messages;
    this.messages = [];
    return messages;
  }
}

export async function open(context: BrowserContext): Promise<WatchedPage> {
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  return new WatchedPage(page);
}

/** Waits until every panel has its response, and the charts are drawn. */
export async function settle(page: Page): Promise<void> {
  await page.waitForFunction(
    () =>
      document.querySelector("main h1") !== null &&
      document.querySelector(
        '[data-state="loading"], [data-state="stale"], .skeleton, .wait, .strip-wait, .starting',
      ) === null,
    null,
    { timeout: 20_000 },
  );
}
