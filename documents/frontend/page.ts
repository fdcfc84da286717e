/* What the documents pages have besides the house: the table, the search, the viewer, collections. */

import "./page.css";
import "./document-finder.ts";
import "./document-list.ts";
import "./document-search.ts";
import "./document-viewer.ts";
import "./drop-zone.ts";
import "./collections.ts";
import "./compare-dialog.ts";
import "./share-dialog.ts";

import type { ShownPage } from "./document-viewer.ts";
import { listenForTasks } from "./tasks.ts";

listenForTasks();

// The address follows the page that shows, so that it can be copied and reloaded.
document.addEventListener("viewer:page", (event) => {
  const { page } = (event as CustomEvent<ShownPage>).detail;
  const viewer = event.target as Element;
  const url = new URL(location.href);
  url.searchParams.set("page", String(page));
  for (const name of ["start", "end"]) if (!viewer.hasAttribute(name)) url.searchParams.delete(name);
  if (!viewer.hasAttribute("start")) url.hash = "";
  history.replaceState(history.state, "", url);
});
