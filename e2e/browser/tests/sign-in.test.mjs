// Signing in and out, sessions that end while somebody types, and what the browser keeps of them.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, Visitor } from '../browser.mjs';
import { Client } from '../client.mjs';
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

async function fillSignIn(visitor, password = OWNER.password) {
  await visitor.fill({ 'E-mail address': OWNER.email, Password: password });
  await visitor.press('Sign in');
}

for (const javaScriptEnabled of [true, false]) {
  const how = javaScriptEnabled ? 'with' : 'without';

  test(`signing in leads back to the page that was asked for, and signing out ends it, ${how} JavaScript`, async () => {
    const visitor = await Visitor.open(browser, tollgate.url, { javaScriptEnabled });
    const { page } = visitor;
    const wanted = `/accounts/${account}/keys?project=${project}`;
    await page.goto(wanted);
    assert.equal(visitor.path, `/sign-in?next=${encodeURIComponent(wanted)}`);
    await fillSignIn(visitor);
    assert.equal(visitor.path, wanted);
    const old = new Client(tollgate.url);
    for (const { name, value } of await visitor.context.cookies()) old.cookies.set(name, value);
    assert.equal((await old.get(wanted)).status, 200);
    await page.locator('summary').filter({ hasText: OWNER.email }).click();
    await visitor.press('Sign out');
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    assert.equal((await old.get(wanted)).status, 303, 'the session itself has ended, not the cookie alone');
    await page.goBack();
    assert.equal(await page.getByRole('heading', { name: 'Access keys' }).count(), 0, 'back shows nothing from the session');
    await visitor.close();
  });

  test(`a session that ended while a form was filled in leads to sign-in and back, ${how} JavaScript`, async () => {
    const client = await signIn(tollgate, OWNER);
    const visitor = await Visitor.open(browser, tollgate.url, { javaScriptEnabled });
    await visitor.context.addCookies(client.forBrowser());
    const { page } = visitor;
    const form = `/projects/${project}/keys/new`;
    await page.goto(form);
    await visitor.fill({ 'Display name': `ended-meanwhile-${how}` });
    await client.post('/sign-out');
    await visitor.press('CONFIRM');
    assert.equal(visitor.path, `/sign-in?next=${encodeURIComponent(form)}`);
    await fillSignIn(visitor);
    assert.equal(visitor.path, form);
    assert.deepEqual(await namesLike('ended-meanwhile'), [], 'nothing was done');
    await visitor.fill({ 'Display name': `ended-meanwhile-${how}` });
    await visitor.press('CONFIRM');
    await page.getByLabel('KEY SECRET', { exact: true }).waitFor();
    const made = await namesLike('ended-meanwhile');
    assert.deepEqual(made, [`ended-meanwhile-${how}`], 'and now it was done once');
    await deleteNamed(made);
    await visitor.close();
  });
}

async function namesLike(start) {
  return (await tollgate.keys(project)).map(({ displayName }) => displayName).filter((name) => name.startsWith(start));
}

async function deleteNamed(names) {
  for (const { displayName, accessKeyId } of await tollgate.keys(project)) {
    if (names.includes(displayName)) await tollgate.api('DELETE', `projects/${project}/accessKeys/${accessKeyId}`);
  }
}

test('no way leads from the sign-in page to another site', async () => {
  for (const next of ['https://example.com/', '//example.com/', '/\\example.com', '\\\\example.com', '/\t/example.com', 'javascript:alert(1)', ' //example.com']) {
    const client = new Client(tollgate.url);
    const answer = await client.post('/sign-in', { ...OWNER, next });
    assert.equal(answer.status, 303, next);
    assert.equal(answer.location, '/', next);
    const page = await client.get(`/sign-in?next=${encodeURIComponent(next)}`);
    assert.equal(page.location, '/', next);
  }
});

test('cookies are for the server alone, and bound to the host where there is TLS', async () => {
  const client = new Client(tollgate.url);
  const plain = await client.post('/sign-in', { ...OWNER, next: '' });
  for (const line of plain.headers.getSetCookie()) assert.match(line, /^tollgate(-device)?=[^;]+; Path=\/; HttpOnly; SameSite=Lax; Max-Age=\d+$/);
  const secure = await Tollgate.start({ publicUrl: 'https://auth.example.com' });
  try {
    assert.match(secure.setupLink, /^https:\/\/auth\.example\.com\/setup\?token=/);
    await setUp(secure);
    const answer = await new Client(secure.url).post('/sign-in', { ...OWNER, next: '' });
    const lines = answer.headers.getSetCookie();
    assert.equal(lines.length, 2);
    for (const line of lines) assert.match(line, /^__Host-tollgate(-device)?=[^;]+; Path=\/; HttpOnly; SameSite=Lax; Max-Age=\d+; Secure$/);
  } finally {
    await secure.stop();
  }
});

test('each sign-in has a session id of its own', async () => {
  const client = new Client(tollgate.url);
  await client.post('/sign-in', { ...OWNER, next: '' });
  const first = client.cookies.get('tollgate');
  await client.post('/sign-in', { ...OWNER, next: '' });
  assert.ok(first && client.cookies.get('tollgate') !== first);
});

test('the link that dev prints signs in once', async () => {
  const dev = await Tollgate.dev();
  const visitor = await Visitor.open(browser, dev.url);
  await visitor.page.goto(dev.signInLink);
  await visitor.page.getByRole('row').filter({ hasText: dev.key }).waitFor();
  assert.ok(!visitor.page.url().includes('token'));
  await visitor.close();
  const second = await Visitor.open(browser, dev.url);
  await second.expecting(404, () => second.page.goto(dev.signInLink));
  await second.page.getByText('This link was used before or has ended').waitFor();
  await second.close();
  const token = await dev.askToken(dev.key, dev.secret);
  const project = await firstProject(dev);
  const headers = { authorization: `Bearer ${token.access_token}` };
  const { activeNumbers } = await (await fetch(`${dev.sample}/v1/projects/${project}/activeNumbers`, { headers })).json();
  assert.deepEqual(activeNumbers.map((number) => number.projectId), [project]);
  await dev.stop();
});

async function firstProject(dev) {
  const { accounts } = await dev.api('GET', 'accounts');
  return (await dev.api('GET', `accounts/${accounts[0].accountId}/projects`)).projects[0].projectId;
}
