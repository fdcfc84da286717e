/** The icon sprite's file name, put in by the build. */
declare const ICON_SPRITE: string;

declare module "*.css";

declare module "stylesheet:*" {
  const href: string;
  export default href;
}
