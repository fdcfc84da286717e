/** Copying text. The clipboard API works on https and localhost only; elsewhere a selection does. */

export async function copyText(text: string): Promise<boolean> {
  if (navigator.clipboard) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      // Refused by the browser: the selection below may still be allowed.
    }
  }
  const field = document.createElement("textarea");
  field.value = text;
  field.className = "visually-hidden";
  document.body.append(field);
  field.select();
  // Deprecated, and still the only way on a page without https.
  const isCopied = document.execCommand("copy");
  field.remove();
  return isCopied;
}
