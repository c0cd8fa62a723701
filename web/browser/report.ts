/** What the tour found: each check with what it is about. The test that started the tour reads it. */

import { writeFileSync } from "node:fs";

interface Finding {
  check: string;
  failures: string[];
}

export class Report {
  private findings: Finding[] = [];

  constructor(private readonly file: string) {}

  /** A check that found this. Nothing found is success. */
  add(check: string, failures: string[]): void {
    this.findings.push({ check, failures });
    for (const failure of failures) {
      console.error(`${check}: ${failure}`);
    }
  }

  /** A check of one truth. */
  expect(check: string, truth: boolean, otherwise = "does not hold"): void {
    this.add(check, truth ? [] : [otherwise]);
  }

  /** A part of the tour; an error in it is a finding, and the tour goes on. */
  async part(name: string, walk: () => Promise<void>): Promise<void> {
    const began = Date.now();
    try {
      await walk();
      console.error(`${name}: ${((Date.now() - began) / 1000).toFixed(1)} s`);
    } catch (error) {
      this.add(name, [error instanceof Error ? `${error.message}\n${error.stack}` : String(error)]);
    }
  }

  write(): void {
    writeFileSync(this.file, JSON.stringify(this.findings, null, 1));
  }
}
