import { jwksTokenVerifier } from '../../src/adapters/runtime/jwks-token-verifier.ts';
import { cachedVerifier } from '../../src/core/identity/cached-verifier.ts';
import { serveJwks } from '../support/tokens.ts';
import { describeTokenVerifier } from './token-verifier.suite.ts';

describeTokenVerifier('jwksTokenVerifier with embedded keys', async (trust) => ({
  verifier: jwksTokenVerifier(trust),
}));

describeTokenVerifier('jwksTokenVerifier with keys over HTTP', async ({ issuer, jwks, clock }) => {
  const server = await serveJwks((response) => response.end(JSON.stringify(jwks)));
  return {
    verifier: jwksTokenVerifier({ issuer, jwksUri: server.jwksUri, clock }),
    close: server.close,
  };
});

describeTokenVerifier('cachedVerifier', async (trust) => ({
  verifier: cachedVerifier(jwksTokenVerifier(trust), trust.clock, { maxTokens: 100 }),
}));
