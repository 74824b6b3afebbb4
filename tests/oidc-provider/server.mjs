// An OpenID provider that nobody here wrote (npm oidc-provider), launched for tests: client credentials to JWT access
// tokens, in the algorithm that the request names.
//
//   node server.mjs [PORT]        0, the default, takes a free port; prints `listening on http://127.0.0.1:PORT`
//
//   POST /token                   grant_type=client_credentials client_id=m2m client_secret=s3cret-s3cret-s3cret scope=api
//                                 resource=https://orders.example/?alg=ES256&aud=orders-api&ttl=60
//                                 (alg: RS256, PS256, ES256, EdDSA; aud: the audience, else the resource; ttl in seconds)
//   POST /__rotate[?keep]         new signing keys; the old ones stay published only with `keep`
import { createServer } from 'node:http';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import Provider, { errors } from 'oidc-provider';

const KEYS = {
  RS256: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
  PS256: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
  ES256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  EdDSA: () => generateKeyPairSync('ed25519'),
};

function freshKeys() {
  const batch = randomBytes(4).toString('hex');
  return Object.entries(KEYS).map(([alg, generate]) => ({
    ...generate().privateKey.export({ format: 'jwk' }),
    alg,
    use: 'sig',
    kid: `${alg}-${batch}`,
  }));
}

// The request says what it wants in the query of its resource, the one parameter the provider hands to us untouched.
function resourceServer(resource) {
  const { searchParams: wanted } = new URL(resource);
  const alg = wanted.get('alg') ?? 'RS256';
  const key = keys.find((candidate) => candidate.alg === alg);
  if (!key) throw new errors.InvalidTarget(`alg must be one of ${Object.keys(KEYS).join(', ')}`);
  return {
    scope: 'api',
    audience: wanted.get('aud') ?? resource,
    accessTokenTTL: Number(wanted.get('ttl') ?? 300),
    accessTokenFormat: 'jwt',
    jwt: { sign: { alg, kid: key.kid } },
  };
}

function provider(issuer) {
  return new Provider(issuer, {
    jwks: { keys },
    cookies: { keys: [randomBytes(16).toString('hex')] },
    scopes: ['api'],
    clients: [
      {
        client_id: 'm2m',
        client_secret: 's3cret-s3cret-s3cret',
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
        token_endpoint_auth_method: 'client_secret_post',
      },
    ],
    extraTokenClaims: () => ({ tenant: 'acme', groups: ['ops', 'eng'] }),
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        useGrantedResource: () => true,
        getResourceServerInfo: (_context, resource) => resourceServer(resource),
      },
    },
  }).callback();
}

let keys = freshKeys();
let answer;

const server = createServer((request, response) => {
  const url = new URL(request.url, 'http://localhost');
  if (request.method === 'POST' && url.pathname === '/__rotate') {
    // New keys come first: resourceServer() signs with the first that fits.
    keys = [...freshKeys(), ...(url.searchParams.has('keep') ? keys : [])];
    answer = provider(issuer);
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(`${JSON.stringify({ published: keys.map(({ kid }) => kid) })}\n`);
    return;
  }
  answer(request, response);
});

let issuer;
server.listen(Number(process.argv[2] ?? 0), '127.0.0.1', () => {
  issuer = `http://127.0.0.1:${server.address().port}`;
  answer = provider(issuer);
  console.log(`listening on ${issuer}`);
});
server.on('error', (problem) => {
  console.error(`cannot listen: ${problem.message}`);
  process.exit(1);
});

for (const signal of ['SIGTERM', 'SIGINT']) {
  process.once(signal, () => {
    server.close(() => process.exit(0));
    server.closeAllConnections();
  });
}
