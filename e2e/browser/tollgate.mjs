// A Tollgate of one's own: `tollgate serve` in an empty directory, on a free port of loopback, with two products.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const START_SECONDS = 60;
const STOP_SECONDS = 15;
// Below the range from which the system gives ports to outgoing connections.
const [FIRST_PORT, LAST_PORT] = [20_000, 32_000];

export class Tollgate {
  /** Starts a server, and waits until it answers. `more` goes on top of its configuration file. */
  static async start({ more = '', publicUrl } = {}) {
    // Short, because the path of a Unix socket may not be long.
    const directory = mkdtempSync('/tmp/tollgate-web.');
    const port = await freePort();
    const file = join(directory, 'tollgate.toml');
    writeFileSync(file, configuration(port, directory, publicUrl ?? `http://127.0.0.1:${port}`, more));
    const self = new Tollgate(directory, port, ['serve', '--config', file]);
    self.setupLink = await self.lineWith(/Set up the dashboard within a day, with this link: (\S+)/);
    return self;
  }

  /** Starts `tollgate dev`, which makes an account, a project, a key and an owner. */
  static async dev() {
    const directory = mkdtempSync('/tmp/tollgate-web.');
    // The sample API and the admin listener take the next two.
    const port = await freePort(3);
    const self = new Tollgate(directory, port, ['dev', '--listen', `127.0.0.1:${port}`, '--data', `${directory}/data`]);
    self.sample = `http://127.0.0.1:${port + 1}`;
    self.signInLink = await self.lineWith(/^(http:\S+\/sign-in\/link\?token=\S+)$/);
    self.key = await self.lineWith(/^KEY ID +(\S+)/);
    self.secret = await self.lineWith(/^KEY SECRET +(\S+)/);
    return self;
  }

  constructor(directory, port, args) {
    this.directory = directory;
    this.url = `http://127.0.0.1:${port}`;
    this.said = [];
    this.process = spawn(process.env.TOLLGATE_BINARY, args, { cwd: directory, stdio: ['ignore', 'pipe', 'pipe'] });
    this.ended = once(this.process, 'exit');
    this.listeners = new Set();
    for (const stream of [this.process.stdout, this.process.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        this.said.push(line);
        for (const listener of this.listeners) listener(line);
      });
    }
  }

  /** What the pattern finds in a line that the server has printed or will print. */
  lineWith(pattern) {
    return new Promise((resolve, reject) => {
      const done = (outcome) => {
        clearTimeout(timer);
        this.listeners.delete(listener);
        this.process.off('exit', gone);
        outcome();
      };
      const listener = (line) => {
        const found = line.match(pattern);
        if (found) done(() => resolve(found[1]));
      };
      const gone = (code) => done(() => reject(new Error(`Tollgate ended with ${code}:\n${this.harmlessLog()}`)));
      const late = () => done(() => reject(new Error(`Tollgate was not ready in time:\n${this.harmlessLog()}`)));
      const timer = setTimeout(late, START_SECONDS * 1000);
      this.process.on('exit', gone);
      this.listeners.add(listener);
      this.said.forEach(listener);
    });
  }

  /** SIGTERM ends it in order and in time; a secret that its log holds is a leak. */
  async stop() {
    this.process.kill('SIGTERM');
    const timer = setTimeout(() => this.process.kill('SIGKILL'), STOP_SECONDS * 1000);
    const [code] = await this.ended;
    clearTimeout(timer);
    rmSync(this.directory, { recursive: true, force: true });
    if (code !== 0) throw new Error(`Tollgate ended with ${code} after SIGTERM:\n${this.harmlessLog()}`);
  }

  harmlessLog() {
    return this.said.join('\n').replaceAll(/\btg[a-z]_\w+/g, '<secret>');
  }

  /** Asks the management API as the operator, over the socket beside the data. */
  async api(method, path, body) {
    const asked = request({
      socketPath: join(this.directory, 'data/tollgate.sock'),
      method,
      path: `/v1/${path}`,
      headers: { host: 'tollgate', 'content-type': 'application/json' },
    });
    asked.end(body === undefined ? undefined : JSON.stringify(body));
    const [answer] = await once(asked, 'response');
    let text = '';
    for await (const part of answer.setEncoding('utf8')) text += part;
    if (answer.statusCode >= 300) throw new Error(`${method} ${path}: ${answer.statusCode} ${text}`);
    return JSON.parse(text);
  }

  /** All access keys of a project, page by page. */
  async keys(project) {
    const all = [];
    let token = '';
    do {
      const page = await this.api('GET', `projects/${project}/accessKeys?pageSize=1000&pageToken=${token}`);
      all.push(...page.accessKeys);
      token = page.nextPageToken;
    } while (token !== '');
    return all;
  }

  /** Exchanges a KEY ID and KEY SECRET for a token: the answer with its status. */
  async askToken(key, secret) {
    const answer = await fetch(`${this.url}/oauth2/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${btoa(`${key}:${secret}`)}` },
      body: new URLSearchParams({ grant_type: 'client_credentials' }),
    });
    return { status: answer.status, ...(await answer.json()) };
  }

  /** The status of a call through the gate, as Traefik or Caddy asks about it. */
  async call(token, path) {
    const headers = { authorization: `Bearer ${token}`, 'x-forwarded-method': 'GET', 'x-forwarded-uri': path };
    const answer = await fetch(`${this.url}/gate`, { headers });
    await answer.text();
    return { status: answer.status, request: answer.headers.get('tollgate-request-id') ?? answer.headers.get('request-id') };
  }
}

function configuration(port, directory, publicUrl, more) {
  return `public_url = "${publicUrl}"
listen = "127.0.0.1:${port}"
admin_listen = "127.0.0.1:0"
data_dir = "${directory}/data"
${more}

[http]
drain_wait_seconds = 0

[[product]]
name = "demo"
routes = ["/v1/projects/{project_id}/**"]
accepts = ["token", "basic"]
scope = "demo"

[[product]]
name = "sms"
routes = ["/xms/v1/{service_plan_id}/**"]
accepts = ["token", "basic", "api-token"]
scope = "sms"
errors = "xms"
`;
}

/** The first of some free neighbours. */
async function freePort(neighbours = 1) {
  for (;;) {
    const port = FIRST_PORT + Math.floor(Math.random() * (LAST_PORT - FIRST_PORT - neighbours));
    const wanted = Array.from({ length: neighbours }, (_, more) => port + more);
    const free = await Promise.all(wanted.map(isFree));
    if (free.every(Boolean)) return port;
  }
}

async function isFree(port) {
  const server = createServer();
  server.listen(port, '127.0.0.1');
  const free = await new Promise((resolve) => server.once('listening', () => resolve(true)).once('error', () => resolve(false)));
  if (free) await new Promise((resolve) => server.close(resolve));
  return free;
}
