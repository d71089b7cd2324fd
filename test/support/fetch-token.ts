interface Client {
  readonly clientId: string;
  readonly clientSecret: string;
}

/** An access token by client credentials; with `scopes` as tokens carry them, no more than those. */
export async function fetchToken(
  tokenUrl: string,
  { clientId, clientSecret }: Client,
  scopes?: readonly string[],
): Promise<string> {
  const response = await fetch(tokenUrl, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: clientId,
      client_secret: clientSecret,
      ...(scopes === undefined ? {} : { scope: scopes.join(' ') }),
    }),
  });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`No token for ${clientId}: ${text}`);
  return (JSON.parse(text) as { access_token: string }).access_token;
}
