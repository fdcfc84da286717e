/* The administration's pages about running models. */

import "./styles/page.css";
import "./styles/chart.css";
import "./styles/server.css";
import "./elements/live-part.ts";
import "./elements/usage-chart.ts";
