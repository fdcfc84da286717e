/** What else can be done with a message, behind one button; the menu is made when it is first wanted. */

import { icon } from "../../../config/frontend/icon.ts";
import { gettext } from "../../../config/frontend/words.ts";
import { iconButton, make } from "../dom.ts";

export interface MenuItem {
  words: string;
  image: SVGSVGElement;
  run: () => void;
}

/** A button that opens a menu of what `items` says then. A thousand messages cost a thousand buttons, no more. */
export function messageMenu(items: () => MenuItem[]): HTMLElement {
  const holder = make("span", { class: "message-menu" });
  const open = (): void => {
    const menu = make("div", { class: "menu", popover: "auto" });
    const again = iconButton(gettext("More"), icon("ellipsis"), () => fill(menu, items()));
    const element = make("menu-button", {}, again, menu);
    fill(menu, items());
    holder.replaceChildren(element);
    menu.showPopover();
  };
  holder.append(iconButton(gettext("More"), icon("ellipsis"), open));
  return holder;
}

function fill(menu: HTMLElement, items: MenuItem[]): void {
  menu.replaceChildren(
    ...items.map(({ words, image, run }) => make("button", { type: "button", role: "menuitem", onclick: run }, image, words)),
  );
}
