// What other sites make a browser send.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { launch, Visitor } from '../browser.mjs';
import { hiddenFields } from '../client.mjs';
import { OWNER, setUp, signIn } from '../people.mjs';
import { Tollgate } from '../tollgate.mjs';

let browser;
let tollgate;
let account;
let project;

before(async () => {
  [browser, tollgate] = await Promise.all([launch(), Tollgate.start()]);
  ({ account, project } = await setUp(tollgate));
});
after(() => Promise.all([browser.close(), tollgate.stop()]));

async function signedIn() {
  const client = await signIn(tollgate, OWNER);
  const visitor = await Visitor.open(browser, tollgate.url);
  await visitor.context.addCookies(client.forBrowser());
  return { client, visitor };
}

async function namesLike(start) {
  return (await tollgate.keys(project)).map(({ displayName }) => displayName).filter((name) => name.startsWith(start));
}

const FOREIGN = [
  { 'sec-fetch-site': 'cross-site' },
  { 'sec-fetch-site': 'same-site' },
  { origin: 'https://example.com' },
  { origin: 'null' },
  { origin: 'https://example.com', 'sec-fetch-site': 'cross-site' },
];

test('what another site sends is refused, and nothing is done', async () => {
  const client = await signIn(tollgate, OWNER);
  const path = `/projects/${project}/keys/new`;
  for (const headers of FOREIGN) {
    const fields = { ...hiddenFields((await client.get(path)).text), display_name: 'cross-site' };
    for (const target of [path, '/sign-out', `/accounts/${account}/projects/new`, '/theme', '/sign-in', '/confirm']) {
      const answer = await client.post(target, fields, headers);
      assert.equal(answer.status, 403, `${target} ${JSON.stringify(headers)}`);
      assert.deepEqual(answer.headers.getSetCookie(), []);
    }
  }
  assert.deepEqual(await namesLike('cross-site'), []);
  assert.equal((await client.get(path)).status, 200, 'still signed in');
});

test("a page on another port of this host can send nothing in the visitor's name, and not frame a page", async () => {
  const { client, visitor } = await signedIn();
  const fields = { ...hiddenFields((await client.get(`/projects/${project}/keys/new`)).text), display_name: 'from-next-door' };
  const inputs = Object.entries(fields).map(([name, value]) => `<input name="${name}" value="${value}">`).join('');
  const attack = `<form method="post" action="${tollgate.url}/projects/${project}/keys/new">${inputs}<button>Win</button></form>
    <iframe src="${tollgate.url}/accounts/${account}/keys"></iframe>`;
  const neighbour = createServer((_, answer) => answer.setHeader('content-type', 'text/html').end(attack)).listen(0, '127.0.0.1');
  await once(neighbour, 'listening');
  const { page } = visitor;
  await page.goto(`http://127.0.0.1:${neighbour.address().port}/`);
  assert.equal(await page.frames()[1].getByRole('heading', { name: 'Access keys' }).count(), 0);
  const [answer] = await Promise.all([page.waitForNavigation(), page.getByRole('button', { name: 'Win' }).click()]);
  assert.equal(answer.status(), 403);
  await page.getByText('This was sent from another site and was not done').waitFor();
  assert.deepEqual(await namesLike('from-next-door'), []);
  // Another host, a refused frame and a 403 are what this test is about.
  visitor.problems = [];
  await visitor.close();
  neighbour.close();
});
