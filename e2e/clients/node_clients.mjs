// openid-client, oauth4webapi and jose, as they come, against a running Tollgate.
//
// Each OAuth client finds the token endpoint by discovery and gets a token with HTTP Basic alone; jose verifies it with the
// published keys. The address and the access key come from the environment.

import assert from 'node:assert/strict';
import { webcrypto } from 'node:crypto';
import * as jose from 'jose';
import * as oauth from 'oauth4webapi';
import * as openid from 'openid-client';

// Node.js 18, which is Debian 12's, has it under this name only.
globalThis.crypto ??= webcrypto;

const {
  TOLLGATE_URL: URL_,
  TOLLGATE_ACCOUNT_ID: ACCOUNT_ID,
  TOLLGATE_PROJECT_ID: PROJECT_ID,
  TOLLGATE_KEY_ID: KEY_ID,
  TOLLGATE_KEY_SECRET: KEY_SECRET,
} = process.env;
const WRONG_SECRET = KEY_SECRET.slice(0, -1) + (KEY_SECRET.endsWith('A') ? 'B' : 'A');

// Tokens over plain HTTP, on loopback: each library has its own word for "I know what I do".
const overHttp = { [oauth.allowInsecureRequests]: true };

const clients = {
  'openid-client, RFC 8414': openidClient('oauth2'),
  'openid-client, OpenID discovery': openidClient('oidc'),
  'oauth4webapi, RFC 8414': oauth4webapi('oauth2'),
  'oauth4webapi, OpenID discovery': oauth4webapi('oidc'),
};

for (const [name, client] of Object.entries(clients)) {
  const { metadata, getToken } = await client(KEY_SECRET);
  assert.equal(metadata.issuer, URL_);
  const answer = await getToken({});
  checkAnswer(answer);
  const claims = await checkToken(metadata, answer);
  console.log(`ok: ${name}: gets a token by discovery and jose verifies it`);

  const scope = answer.scope.split(' ')[0];
  const narrow = await getToken({ scope });
  assert.equal(narrow.scope, scope);
  assert.notEqual((await checkToken(metadata, narrow)).jti, claims.jti);
  console.log(`ok: ${name}: gets a token of the scope that it asks for`);

  const wrong = await client(WRONG_SECRET);
  await assert.rejects(wrong.getToken({}), (error) => {
    assert.ok(error instanceof oauth.WWWAuthenticateChallengeError, error);
    assert.equal(error.status, 401);
    assert.equal(error.cause[0].scheme, 'basic');
    assert.ok(error.cause[0].parameters.realm);
    wrong.error = error;
    return true;
  });
  // These two libraries stop at the challenge, and leave the body for whoever wants the code.
  const body = await wrong.error.response.json();
  assert.equal(body.error, 'invalid_client');
  assert.ok(body.error_description);
  console.log(`ok: ${name}: hears invalid_client for a wrong secret`);
}

function openidClient(algorithm) {
  return async (secret) => {
    const config = await openid.discovery(new URL(URL_), KEY_ID, undefined, openid.ClientSecretBasic(secret), {
      algorithm,
      execute: [openid.allowInsecureRequests],
      [openid.customFetch]: watchedFetch,
    });
    return {
      metadata: config.serverMetadata(),
      getToken: (parameters) => openid.clientCredentialsGrant(config, parameters),
    };
  };
}

function oauth4webapi(algorithm) {
  return async (secret) => {
    const issuer = new URL(URL_);
    const found = await oauth.discoveryRequest(issuer, { algorithm, ...overHttp });
    const metadata = await oauth.processDiscoveryResponse(issuer, found);
    const client = { client_id: KEY_ID };
    const basic = oauth.ClientSecretBasic(secret);
    return {
      metadata,
      getToken: async (parameters) => {
        const options = { ...overHttp, [oauth.customFetch]: watchedFetch };
        const answer = await oauth.clientCredentialsGrantRequest(metadata, client, basic, parameters, options);
        return oauth.processClientCredentialsResponse(metadata, client, answer);
      },
    };
  };
}

// The ordinary fetch, which sees that a token request authenticates by the header and by nothing else.
async function watchedFetch(url, options) {
  if (options.method === 'POST') {
    assert.match(new Headers(options.headers).get('authorization'), /^Basic /);
    const fields = new URLSearchParams(options.body);
    assert.equal(fields.get('grant_type'), 'client_credentials');
    for (const other of ['client_id', 'client_secret', 'client_assertion']) {
      assert.equal(fields.has(other), false, other);
    }
  }
  const answer = await fetch(url, options);
  if (options.method === 'POST') {
    assert.equal(answer.headers.get('cache-control'), 'no-store');
  }
  return answer;
}

function checkAnswer(answer) {
  assert.equal(answer.token_type, 'bearer');
  assert.equal(answer.expires_in, 3600);
  assert.equal(answer.access_token.split('.').length, 3);
  assert.equal(answer.refresh_token, undefined);
}

// What jose makes of the token with the published key, and only with the right issuer, audience and signature.
async function checkToken(metadata, answer) {
  const keys = jose.createRemoteJWKSet(new URL(metadata.jwks_uri));
  const token = answer.access_token;
  const right = {
    issuer: metadata.issuer,
    audience: jose.decodeJwt(token).aud,
    typ: 'at+jwt',
    requiredClaims: ['sub', 'iat', 'exp', 'jti', 'client_id', 'scope'],
  };
  const { payload } = await jose.jwtVerify(token, keys, right);
  assert.equal(payload.sub, KEY_ID);
  assert.equal(payload.client_id, KEY_ID);
  assert.equal(payload.project_id, PROJECT_ID);
  assert.equal(payload.account_id, ACCOUNT_ID);
  assert.equal(payload.exp - payload.iat, answer.expires_in);
  assert.equal(payload.scope, answer.scope);
  assert.ok(payload.jti.length >= 16);

  const forged = token.slice(0, -5) + (token.endsWith('AAAAA') ? 'BBBBB' : 'AAAAA');
  await assert.rejects(jose.jwtVerify(forged, keys, right), jose.errors.JWSSignatureVerificationFailed);
  for (const wrong of [{ audience: 'another audience' }, { issuer: 'https://another.example' }, { typ: 'JWT' }]) {
    await assert.rejects(jose.jwtVerify(token, keys, { ...right, ...wrong }), jose.errors.JWTClaimValidationFailed);
  }
  return payload;
}
