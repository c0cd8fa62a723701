/** Starts the dashboard. */

import { render } from "preact";
import { Root } from "./root.tsx";

const place = document.getElementById("app");
if (place === null) {
  throw new Error("the page has no place for the app");
}
render(<Root />, place);
