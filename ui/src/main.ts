/** The beginning: asks for what the address leads to, then brings everything that draws it. */

// The styles that all others build on come first.
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/controls.css";
import "./styles/tables.css";
import "./styles/cards.css";

import { askAhead } from "./ahead";

const asked = askAhead(location.hash);
void import("./app").then(({ start }) => start(asked));
