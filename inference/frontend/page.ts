/* The administration's pages about running models. */

import "./styles/page.css";
import "./styles/chart.css";
import "./elements/usage-chart.ts";
