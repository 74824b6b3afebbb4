// OpenID providers that nobody here wrote (npm oidc-provider), launched for tests: two issuers, `/` and `/branch`, with keys and
// people of their own. Services have client credentials; people log in by authorization codes with PKCE, on the pages that the
// package has for developers. Access tokens are JWTs, in the algorithm that the request names.
//
//   node server.mjs [PORT]        0, the default, takes a free port; prints `listening on http://127.0.0.1:PORT`
//
//   POST /token                   grant_type=client_credentials client_id=m2m client_secret=s3cret-s3cret-s3cret scope=api
//                                 resource=https://orders.example/?alg=ES256&aud=orders-api&ttl=60
//                                 (alg: RS256, PS256, ES256, EdDSA; aud: the audience, else the resource; ttl in seconds)
//   GET  /auth                    client_id=orders-cli redirect_uri=http://127.0.0.1/back; any name and password are let in
//   POST /__rotate[?keep]         new signing keys; the old ones stay published only with `keep`
//   POST /__forget?account=NAME   there is nobody of that name any more
import { createServer } from 'node:http';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import Provider, { errors } from 'oidc-provider';

// Nobody reads its output after the line that says where it listens; the package has notices for developers to write.
console.info = console.error;

const KEYS = {
  RS256: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
  PS256: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
  ES256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  EdDSA: () => generateKeyPairSync('ed25519'),
};

const SERVICE = { tenant: 'acme', groups: ['ops', 'eng'] };
const PERSON = { groups: ['engineering', 'platform'], realm_access: { roles: ['developer', 'on-call'] } };

const CLIENTS = [
  {
    client_id: 'm2m',
    client_secret: 's3cret-s3cret-s3cret',
    grant_types: ['client_credentials'],
    redirect_uris: [],
    response_types: [],
    token_endpoint_auth_method: 'client_secret_post',
  },
  {
    client_id: 'orders-cli',
    application_type: 'native',
    grant_types: ['authorization_code', 'refresh_token'],
    redirect_uris: ['http://127.0.0.1/back'],
    token_endpoint_auth_method: 'none',
  },
];

function freshKeys() {
  const batch = randomBytes(4).toString('hex');
  return Object.entries(KEYS).map(([alg, generate]) => ({
    ...generate().privateKey.export({ format: 'jwk' }),
    alg,
    use: 'sig',
    kid: `${alg}-${batch}`,
  }));
}

class Issuer {
  constructor(url) {
    this.url = url;
    this.forgotten = new Set();
    this.rotate(false);
  }

  // New keys come first: resourceServer() signs with the first that fits.
  rotate(keep) {
    this.keys = [...freshKeys(), ...(keep ? this.keys : [])];
    this.answer = this.provider().callback();
  }

  // The request says what it wants in the query of its resource, the one parameter the provider hands to us untouched.
  resourceServer(resource) {
    const { searchParams: wanted } = new URL(resource);
    const alg = wanted.get('alg') ?? 'RS256';
    const key = this.keys.find((candidate) => candidate.alg === alg);
    if (!key) throw new errors.InvalidTarget(`alg must be one of ${Object.keys(KEYS).join(', ')}`);
    return {
      scope: 'api',
      audience: wanted.get('aud') ?? resource,
      accessTokenTTL: Number(wanted.get('ttl') ?? 300),
      accessTokenFormat: 'jwt',
      jwt: { sign: { alg, kid: key.kid } },
    };
  }

  account(name) {
    return this.forgotten.has(name) ? undefined : { accountId: name, claims: () => ({ sub: name, ...PERSON }) };
  }

  provider() {
    return new Provider(this.url, {
      jwks: { keys: this.keys },
      cookies: { keys: [randomBytes(16).toString('hex')] },
      scopes: ['openid', 'api'],
      claims: { openid: ['sub', ...Object.keys(PERSON)] },
      conformIdTokenClaims: false,
      clients: CLIENTS,
      findAccount: (_context, name) => this.account(name),
      issueRefreshToken: (_context, client) => client.grantTypeAllowed('refresh_token'),
      extraTokenClaims: (_context, token) => (token.accountId ? PERSON : SERVICE),
      features: {
        clientCredentials: { enabled: true },
        devInteractions: { enabled: true },
        resourceIndicators: {
          enabled: true,
          useGrantedResource: () => true,
          getResourceServerInfo: (_context, resource) => this.resourceServer(resource),
        },
      },
    });
  }

  // Answers what is below this issuer's path; the provider wants to be told that there is more in front of it.
  hear(request, response, path) {
    request.originalUrl = request.url;
    request.url = request.url.slice(path.length);
    const { pathname, searchParams } = new URL(request.url, this.url);
    if (request.method !== 'POST' || !pathname.startsWith('/__')) {
      this.answer(request, response);
      return;
    }
    if (pathname === '/__rotate') this.rotate(searchParams.has('keep'));
    if (pathname === '/__forget') this.forgotten.add(searchParams.get('account'));
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(`${JSON.stringify({ published: this.keys.map(({ kid }) => kid), forgotten: [...this.forgotten] })}\n`);
  }
}

const BRANCH = '/branch';
let issuers;

const server = createServer((request, response) => {
  const path = request.url.startsWith(`${BRANCH}/`) ? BRANCH : '';
  issuers[path].hear(request, response, path);
});

server.listen(Number(process.argv[2] ?? 0), '127.0.0.1', () => {
  const url = `http://127.0.0.1:${server.address().port}`;
  issuers = { '': new Issuer(url), [BRANCH]: new Issuer(`${url}${BRANCH}`) };
  console.log(`listening on ${url}`);
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
