/* What the gallery and a character's page have besides the house. */

import "./page.css";
import "./favourite-button.ts";
import "./gallery-search.ts";
