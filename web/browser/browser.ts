/** Debian's Chromium, and what a page says that nobody asked for: console lines, errors, failed requests. */

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

/** A browser with a profile of its own. */
export function launch(executablePath: string): Promise<Browser> {
  return chromium.launch({ executablePath, args: ARGUMENTS, headless: true });
}

/** A page that is listened to. */
export class Listened {
  /** What was said since the last look. */
  private said: string[] = [];

  constructor(readonly page: Page) {
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) {
        this.said.push(`console ${message.type()}: ${message.text()}`);
      }
    });
    page.on("pageerror", (error) => this.said.push(`page error: ${error.message}`));
    page.on("requestfailed", (request) => {
      // A view that is left behind stops its own requests.
      if (request.failure()?.errorText !== "net::ERR_ABORTED") {
        this.said.push(`failed: ${request.method()} ${request.url()} ${request.failure()?.errorText}`);
      }
    });
    page.on("response", (answer) => {
      if (answer.status() >= 400) {
        this.said.push(`${answer.status()}: ${answer.request().method()} ${answer.url()}`);
      }
    });
  }

  /** What was said since the last look; looking forgets it. */
  take(): string[] {
    const said = this.said;
    this.said = [];
    return said;
  }
}

export async function open(context: BrowserContext): Promise<Listened> {
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  return new Listened(page);
}

/** Wait until every panel of the page has its answer, and the charts are drawn. */
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
