/* Choices that the server must know before it draws the page: kept in cookies, for a year. */

const YEAR_SECONDS = 31_536_000;

/** Remember `value` under `name` for a year, or forget it when it is null. */
export function remember(name: string, value: string | null): void {
  const life = value === null ? 0 : YEAR_SECONDS;
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `${name}=${encodeURIComponent(value ?? "")}; Path=/; Max-Age=${life}; SameSite=Lax${secure}`;
}

/** The value of the cookie `name`, or null. */
export function readCookie(name: string): string | null {
  for (const pair of document.cookie.split("; ")) {
    const at = pair.indexOf("=");
    if (pair.slice(0, at) === name) return decodeURIComponent(pair.slice(at + 1));
  }
  return null;
}
