/** The channels of a tenant, from the first trial to what is enforced. */
export const channels = ['dev', 'test', 'prod'] as const;

export type Channel = (typeof channels)[number];

export function isChannel(text: string): text is Channel {
  return (channels as readonly string[]).includes(text);
}
