// oidc-provider, in memory, with one client: what Tollgate is compared with under `--peer`.
//
//     node oidc-provider.mjs FILE        prints its address and the client into FILE, as NAME=value

import { randomBytes, randomUUID, generateKeyPairSync } from "node:crypto";
import { rename, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import Provider from "oidc-provider";

const RESOURCE = "urn:bench";
const LIFETIME_SECONDS = 3600;
const [file] = process.argv.slice(2);
const server = createServer();
server.listen(0, "127.0.0.1", async () => {
  const address = `127.0.0.1:${server.address().port}`;
  const client = { client_id: randomUUID(), client_secret: randomBytes(32).toString("hex") };
  const provider = new Provider(`http://${address}`, configuration(client));
  provider.proxy = false;
  server.on("request", provider.callback());
  const lines = `PEER_ADDRESS=${address}\nPEER_KEY_ID=${client.client_id}\nPEER_KEY_SECRET=${client.client_secret}\n`;
  await writeFile(`${file}.new`, lines);
  await rename(`${file}.new`, file);
});

function configuration(client) {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const signed = {
    scope: "demo",
    audience: RESOURCE,
    accessTokenTTL: LIFETIME_SECONDS,
    accessTokenFormat: "jwt",
    jwt: { sign: { alg: "ES256" } },
  };
  return {
    clients: [
      {
        ...client,
        grant_types: ["client_credentials"],
        redirect_uris: [],
        response_types: [],
        id_token_signed_response_alg: "ES256",
      },
    ],
    jwks: { keys: [{ ...privateKey.export({ format: "jwk" }), alg: "ES256", use: "sig", kid: "bench" }] },
    scopes: ["demo"],
    ttl: { ClientCredentials: LIFETIME_SECONDS },
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      introspection: { enabled: true },
      // With a resource the token is a JWT; without one it is opaque, as introspection wants it.
      resourceIndicators: { enabled: true, getResourceServerInfo: () => signed },
    },
  };
}
