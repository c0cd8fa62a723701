/** Collects the results of all checks in a file, which the test that started the tour reads. */

import { writeFileSync } from "node:fs";

interface Finding {
  check: string;
  failures: string[];
}

export class Report {
  private findings: Finding[] = [];

  constructor(private readonly file: string) {}

  /** Records a check with its failures; none is success. */
  add(check: string, failures: string[]): void {
    this.findings.push({ check, failures });
    for (const failure of failures) {
      console.error(`${check}: ${failure}`);
    }
  }

  /** Records a check of one condition. */
  expect(check: string, truth: boolean, otherwise = "does not hold"): void {
    this.add(check, truth ? [] : [otherwise]);
  }

  /** Runs a part of the tour; an error in it is a failure, and the tour goes on. */
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
