// What people do with their own sign-in: second factor, password, sessions, personal tokens, invitations and resets.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, Visitor } from '../browser.mjs';
import { Client } from '../client.mjs';
import { setUp } from '../people.mjs';
import { code, switchFactorOn } from '../people-world.mjs';
import { Tollgate } from '../tollgate.mjs';

const PASSWORD = 'plain words to begin with';

let browser;
let tollgate;
let account;

before(async () => {
  [browser, tollgate] = await Promise.all([launch(), Tollgate.start()]);
  ({ account } = await setUp(tollgate));
});
after(() => Promise.all([browser.close(), tollgate.stop()]));

/** Takes an invitation up with the pages. */
async function invited(name, role = 'developer') {
  const email = `${name}@example.com`;
  const { url } = await tollgate.api('POST', `accounts/${account}/members`, { email, role });
  const visitor = await Visitor.open(browser, tollgate.url);
  await visitor.page.goto(url);
  await visitor.fill({ 'Choose a password': PASSWORD });
  await visitor.press('Accept and sign in');
  return { email, url, visitor };
}

async function signIn(visitor, email, password) {
  await visitor.page.goto('/sign-in');
  await visitor.fill({ 'E-mail address': email, Password: password });
  await visitor.press('Sign in');
}

test('an invitation makes a member once, and its link is dead after', async () => {
  const { email, url, visitor } = await invited('joiner');
  await visitor.page.goto(`/accounts/${account}/members`);
  await visitor.page.getByRole('cell', { name: email }).first().waitFor();
  await visitor.close();
  const again = new Client(tollgate.url);
  assert.equal((await again.get(url.slice(tollgate.url.length))).status, 404);
});

test('the second factor is asked for, and a code and a recovery code each work once', async () => {
  const { email, visitor } = await invited('careful');
  const client = new Client(tollgate.url);
  for (const { name, value } of await visitor.context.cookies()) client.cookies.set(name, value);
  const { secret, codes } = await switchFactorOn(client);
  assert.equal(codes.length, 10);
  await visitor.close();

  const later = await Visitor.open(browser, tollgate.url);
  await signIn(later, email, PASSWORD);
  assert.match(later.page.url(), /\/sign-in\/code/);
  await later.page.goto('/me');
  assert.match(later.page.url(), /\/sign-in\?/, 'half a sign-in opens nothing');
  await signIn(later, email, PASSWORD);
  await later.fill({ Code: code(secret, 1) });
  await later.press('Sign in');
  await later.page.goto('/me');
  await later.page.getByText('recovery codes left').waitFor();
  await later.close();

  for (const [text, works] of [[code(secret, 1), false], [codes[0], true], [codes[0], false]]) {
    const other = new Client(tollgate.url);
    await other.post('/sign-in', { email, password: PASSWORD });
    const answer = await other.post('/sign-in/code', { code: text });
    assert.equal(answer.status, works ? 303 : 422);
    assert.equal((await other.get('/me')).status, works ? 200 : 303);
  }
});

test('sixteen tries with one code at once sign in once', async () => {
  const { email, visitor } = await invited('hasty');
  const client = new Client(tollgate.url);
  for (const { name, value } of await visitor.context.cookies()) client.cookies.set(name, value);
  const { secret } = await switchFactorOn(client);
  await visitor.close();
  const pending = new Client(tollgate.url);
  await pending.post('/sign-in', { email, password: PASSWORD });
  const digits = code(secret, 1);
  const tries = Array.from({ length: 16 }, () => {
    const one = new Client(tollgate.url);
    one.cookies = new Map(pending.cookies);
    return one.post('/sign-in/code', { code: digits });
  });
  const signedIn = (await Promise.all(tries)).filter(({ status, location }) => status === 303 && !location.startsWith('/sign-in'));
  assert.equal(signedIn.length, 1);
});

test('a new password ends the other sessions, and the old one is wrong', async () => {
  const { email, visitor } = await invited('changer');
  const other = new Client(tollgate.url);
  await other.post('/sign-in', { email, password: PASSWORD });
  assert.equal((await other.get('/me')).status, 200);
  await visitor.page.goto('/me/password');
  await visitor.fill({ 'Present password': PASSWORD, 'New password': 'other words to go on' });
  await visitor.press('Save');
  await visitor.page.getByText('Your password was changed').waitFor();
  assert.equal((await other.get('/me')).status, 303);
  assert.equal((await other.post('/sign-in', { email, password: PASSWORD })).status, 422);
  assert.equal((await other.post('/sign-in', { email, password: 'other words to go on' })).status, 303);
  await visitor.close();
});

test('sessions are listed, and all others are ended', async () => {
  const { email, visitor } = await invited('roamer');
  const other = new Client(tollgate.url);
  await other.post('/sign-in', { email, password: PASSWORD });
  await visitor.page.goto('/me');
  assert.equal(await visitor.page.getByRole('link', { name: /^End the session/ }).count(), 2);
  await visitor.page.getByRole('link', { name: 'End all others' }).click();
  await visitor.press('End all others');
  await visitor.page.getByText('All other sessions have ended').waitFor();
  assert.equal((await other.get('/me')).status, 303);
  await visitor.close();
});

test('a reset link sets a password once', async () => {
  const { email, visitor } = await invited('forgetful');
  await visitor.close();
  const { url } = await tollgate.api('POST', 'resetLinks', { email });
  const reader = await Visitor.open(browser, tollgate.url);
  await reader.page.goto(url);
  await reader.fill({ 'New password': 'words that are remembered' });
  await reader.press('Set password');
  await signIn(reader, email, 'words that are remembered');
  await reader.page.goto('/me');
  await reader.page.getByRole('heading', { name: 'Your settings' }).waitFor();
  await reader.close();
  assert.equal((await new Client(tollgate.url).get(url.slice(tollgate.url.length))).status, 404);
});

test('a personal token is shown once, and opens the management API until it is deleted', async () => {
  const { visitor } = await invited('scripter');
  await visitor.page.goto('/me/tokens/new');
  await visitor.fill({ 'Display name': 'laptop' });
  await visitor.press('Make token');
  const token = await visitor.page.locator('#token').inputValue();
  assert.match(token, /^tgp_/);
  const asked = () => fetch(`${tollgate.url}/v1/me`, { headers: { authorization: `Bearer ${token}` } });
  assert.equal((await asked()).status, 200);
  await visitor.page.goto('/me');
  assert.ok(!(await visitor.page.content()).includes(token));
  await visitor.page.getByRole('link', { name: 'Delete laptop' }).click();
  await visitor.press('Delete');
  assert.equal((await asked()).status, 401);
  await visitor.close();
});

test('a member who is removed is out at the next request', async () => {
  const { email, visitor } = await invited('leaver');
  const { members } = await tollgate.api('GET', `accounts/${account}/members`);
  const { userId } = members.find((one) => one.email === email);
  await tollgate.api('DELETE', `accounts/${account}/members/${userId}`);
  await visitor.expecting(404, () => visitor.page.goto(`/accounts/${account}/keys`));
  await visitor.close();
});
