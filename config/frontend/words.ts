/* Words for people in scripts, through Django's JavaScript catalog. English needs no catalog and loads none:
   base.html adds the catalog's script for any other language.

   `makemessages -d djangojs -e ts` finds `gettext("…")` and `ngettext("…", "…", n)`: pass literals. */

interface Catalog {
  gettext(text: string): string;
  ngettext(one: string, many: string, count: number): string;
}

const catalog = (globalThis as { django?: Partial<Catalog> }).django;

export type Values = Readonly<Record<string, string | number>>;

/** `text` in the page's language, with each %(name)s replaced by its value. */
export function gettext(text: string, values?: Values): string {
  return fill(catalog?.gettext?.(text) ?? text, values);
}

/** The form of a sentence that `count` calls for; %(count)s is the count itself, formatted. */
export function ngettext(one: string, many: string, count: number, values?: Values): string {
  const text = catalog?.ngettext?.(one, many, count) ?? (count === 1 ? one : many);
  return fill(text, { count: formatNumber(count), ...values });
}

function fill(text: string, values?: Values): string {
  if (!values) return text;
  return text.replace(/%\((\w+)\)s/g, (whole, name: string) => String(values[name] ?? whole));
}

const language = document.documentElement.lang || "en";
const numbers = new Intl.NumberFormat(language);

/** A number as people write it here: 1,204. */
export function formatNumber(value: number): string {
  return numbers.format(value);
}

/** A size as Django's `filesizeformat` writes it: 910.0 KB. */
export function formatBytes(bytes: number): string {
  const units = ["bytes", "KB", "MB", "GB", "TB"];
  let size = bytes;
  let unit = 0;
  while (size >= 1024 && unit < units.length - 1) {
    size /= 1024;
    unit += 1;
  }
  const shown = new Intl.NumberFormat(language, {
    minimumFractionDigits: unit ? 1 : 0,
    maximumFractionDigits: unit ? 1 : 0,
  }).format(size);
  return `${shown} ${units[unit]}`;
}
