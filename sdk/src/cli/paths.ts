/** A path of the service out of its parts, each of which may hold anything. */
export function path(
  strings: TemplateStringsArray,
  ...parts: readonly (string | number)[]
): string {
  return String.raw({ raw: strings }, ...parts.map((part) => encodeURIComponent(part)));
}
