/* What the gallery, a character's page and the editor have besides the house. */

import "./page.css";
import "./copy-link.ts";
import "./favourite-button.ts";
import "./gallery-search.ts";
import "./refreshing-part.ts";
import "./submit-on-choose.ts";

// The editor is ten times the gallery's script, and few pages have it.
if (document.querySelector("character-editor")) void import("./editor/character-editor.ts");
