/** What the tour is given: where the stack is, who may sign in, and what there is to look at. */

export interface Plan {
  url: string;
  key: string;
  chromium: string;
  report: string;
  screenshots: string;
  links: { ministry: string; region: string; factory: string; researcher: string };
  /** What the fleet has: a factory with a machine that was at work on a day, and a factory that never sent anything. */
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
