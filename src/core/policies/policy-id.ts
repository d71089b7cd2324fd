/** 1 to 128 ASCII letters, digits, dots, dashes and underscores; the first and last no mark. */
export const policyIdPattern = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,126}[A-Za-z0-9])?$/;

export function isPolicyId(text: string): boolean {
  return policyIdPattern.test(text);
}
