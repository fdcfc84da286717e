/* What every page has: the style, the sidebar, menus, tooltips, toasts, questions, times, the theme. */

import "./house.css";
import "./confirm.ts";
import "./menu-button.ts";
import "./relative-time.ts";
import "./side-bar.ts";
import "./theme-switch.ts";
import "./toast-list.ts";
import "./tooltip.ts";

// Answers page loads with the offline page when the server cannot be reached; a browser without one loses nothing.
navigator.serviceWorker?.register("/service-worker.js").catch(() => undefined);
