/** Starts the dashboard. */

import { render } from "preact";
import { Root } from "./root.tsx";

const container = document.getElementById("app");
if (container === null) {
  throw new Error("index.html has no #app");
}
render(<Root />, container);
