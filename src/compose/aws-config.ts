/** What the stack tells a function: names that CDK made, so a missing one is a defect of the stack. */
export function setting(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === '') throw new Error(`The environment lacks ${name}.`);
  return value;
}
