/* What the account pages have besides the house: a password one can look at, a key one can copy. */

import "./page.css";
import "./copy-key.ts";
import "./password-field.ts";
