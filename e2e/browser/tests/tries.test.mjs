// Guessing passwords: it slows down, the owner gets in all the same, and nobody learns who is there.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, Visitor } from '../browser.mjs';
import { Client } from '../client.mjs';
import { OWNER, setUp, signIn } from '../people.mjs';
import { Tollgate } from '../tollgate.mjs';

let browser;
let tollgate;

before(async () => {
  [browser, tollgate] = await Promise.all([launch(), Tollgate.start()]);
  await setUp(tollgate);
});
after(() => Promise.all([browser.close(), tollgate.stop()]));

async function fillSignIn(visitor, password = OWNER.password) {
  await visitor.fill({ 'E-mail address': OWNER.email, Password: password });
  await visitor.press('Sign in');
}

test('an e-mail address that nobody has is refused in the same words', async () => {
  const [known, unknown] = await Promise.all([OWNER.email, 'nobody@example.com'].map(async (email) => {
    const answer = await new Client(tollgate.url).post('/sign-in', { email, password: 'wrong password', next: '' });
    return [answer.status, [...answer.headers.keys()], answer.text.replaceAll(email, 'EMAIL')];
  }));
  assert.equal(known[0], 422);
  assert.deepEqual(known, unknown);
});

test('after five wrong passwords the page says when to try again, and the right one works then', async () => {
  const visitor = await Visitor.open(browser, tollgate.url, { extraHTTPHeaders: { 'x-forwarded-for': '203.0.113.5' } });
  await visitor.page.goto('/sign-in');
  for (let count = 1; count <= 5; count += 1) await visitor.expecting(422, () => fillSignIn(visitor, `wrong ${count}`));
  const [answer] = await visitor.expecting(429, () => Promise.all([
    visitor.page.waitForResponse((one) => one.request().method() === 'POST'),
    fillSignIn(visitor),
  ]));
  const seconds = Number(answer.headers()['retry-after']);
  assert.ok(seconds >= 1 && seconds <= 900, `${seconds}`);
  await visitor.page.getByText(/^Too many tries\. Try again in (one second|\d+ (seconds|minutes))$/).waitFor();
  await visitor.close();
  const client = new Client(tollgate.url);
  const tryAgain = () => client.post('/sign-in', { ...OWNER, next: '' }, { 'x-forwarded-for': '203.0.113.5' });
  let again = await tryAgain();
  for (const end = Date.now() + 10_000; again.status === 429 && Date.now() < end;) again = await tryAgain();
  assert.equal(again.status, 303);
});

test('tries from elsewhere do not hold up who signs in from a browser that it has used before', async () => {
  const client = await signIn(tollgate, OWNER);
  await client.post('/sign-out');
  const stranger = (at) => new Client(tollgate.url).post('/sign-in', { ...OWNER, password: 'a guess' }, { 'x-forwarded-for': `198.51.100.${at}` });
  for (let at = 1; at <= 60; at += 1) await stranger(at);
  assert.equal((await stranger(61)).status, 429);
  const owner = await client.post('/sign-in', { ...OWNER, next: '' });
  assert.equal(owner.status, 303);
});
