/** Puts a tree on the page by changing only what differs, so that text in place is never laid out again. */

import type { ElementNode, TreeNode } from "./tree.ts";

/** Makes the children of `parent`, from the `from`th on, equal to `nodes`. */
export function patchChildren(parent: Element, nodes: TreeNode[], from = 0): void {
  for (const [index, node] of nodes.entries()) {
    const current = parent.childNodes[from + index];
    if (!current) parent.append(create(node));
    else if (!patch(current, node)) current.replaceWith(create(node));
  }
  while (parent.childNodes.length > from + nodes.length) parent.lastChild?.remove();
}

/** Changes `current` into `node` in place; false where it is another kind of node. */
function patch(current: ChildNode, node: TreeNode): boolean {
  if (typeof node === "string") {
    if (!(current instanceof Text)) return false;
    // Appending keeps a selection that ends in this text.
    if (node.startsWith(current.data)) current.appendData(node.slice(current.data.length));
    else current.data = node;
    return true;
  }
  if (!(current instanceof HTMLElement) || current.localName !== node.tag) return false;
  patchAttributes(current, node);
  if (!current.localName.includes("-")) patchChildren(current, node.children);
  return true;
}

function patchAttributes(current: HTMLElement, node: ElementNode): void {
  // Custom elements keep attributes of their own; the tree speaks to them through properties.
  if (!current.localName.includes("-")) {
    for (const name of current.getAttributeNames()) if (!(name in node.attributes)) current.removeAttribute(name);
  }
  for (const [name, value] of Object.entries(node.attributes)) {
    if (current.getAttribute(name) !== value) current.setAttribute(name, value);
  }
  const own = current as unknown as Record<string, unknown>;
  for (const [name, value] of Object.entries(node.properties)) if (own[name] !== value) own[name] = value;
}

function create(node: TreeNode): Node {
  if (typeof node === "string") return document.createTextNode(node);
  const made = document.createElement(node.tag);
  for (const [name, value] of Object.entries(node.attributes)) made.setAttribute(name, value);
  Object.assign(made, node.properties);
  for (const child of node.children) made.append(create(child));
  return made;
}
