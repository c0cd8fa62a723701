/** The tour's input: where the stack is, login links, and what to look at. */

export interface Plan {
  url: string;
  key: string;
  chromium: string;
  report: string;
  screenshots: string;
  links: { ministry: string; region: string; factory: string; researcher: string };
  /** A factory with a machine that was producing on `day`, and a factory that never sent anything. */
  factory: string;
  machine: string;
  day: string;
  today: string;
  ghost: string;
  zone: string;
  region: string;
  from: string;
  to: string;
}
