/** What the stack tells a function: names that CDK made, so a missing one is a defect of the stack. */
export function setting(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === '') throw new Error(`The environment lacks ${name}.`);
  return value;
}

/**
 * For every client: the SDK by itself waits for ever. Three attempts end well before API Gateway
 * gives up after 29 s, so that a caller gets our problem and not its timeout.
 */
export const awsClient = {
  maxAttempts: 3,
  requestHandler: { connectionTimeout: 1000, requestTimeout: 5000 },
} as const;
