// NEW KEY: never a second key, and the secret in one answer only, whatever people do with reload, back and double clicks.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { launch, Visitor } from '../browser.mjs';
import { hiddenFields } from '../client.mjs';
import { setUp, shownPair } from '../people.mjs';
import { Tollgate } from '../tollgate.mjs';

let browser;
let tollgate;
let owner;
let project;

before(async () => {
  [browser, tollgate] = await Promise.all([launch(), Tollgate.start()]);
  ({ client: owner, project } = await setUp(tollgate));
  await tollgate.api('PATCH', `accounts/${(await tollgate.api('GET', `projects/${project}`)).accountId}`, { keyLimit: 100 });
});
after(() => Promise.all([browser.close(), tollgate.stop()]));

async function visit(options) {
  const visitor = await Visitor.open(browser, tollgate.url, options);
  await visitor.context.addCookies(owner.forBrowser());
  return visitor;
}

async function makeKey(visitor, name) {
  await visitor.page.goto(`/projects/${project}/keys/new`);
  await visitor.fill({ 'Display name': name });
  await visitor.press('CONFIRM');
  return shownPair(visitor.page);
}

async function keysNamed(name) {
  return (await tollgate.keys(project)).filter((key) => key.displayName === name);
}

/** The secret stood in exactly one answer, and is in nothing that the browser keeps. */
async function isNowhereElse(visitor, secret) {
  const answers = (await visitor.answers()).filter(({ body }) => body.includes(secret));
  assert.deepEqual(answers.map(({ what }) => what), [`POST ${tollgate.url}/projects/${project}/keys/new`]);
  const kept = await visitor.page.evaluate(() => JSON.stringify([localStorage, sessionStorage, document.cookie, history.state, document.title]));
  const cookies = JSON.stringify(await visitor.context.cookies());
  const debug = await visitor.context.newCDPSession(visitor.page);
  const { entries } = await debug.send('Page.getNavigationHistory');
  assert.ok(![kept, cookies, JSON.stringify(entries)].join().includes(secret), 'the browser keeps the secret');
  assert.ok(entries.every(({ url }) => url === 'about:blank' || url.startsWith(`${tollgate.url}/`)), JSON.stringify(entries));
}

for (const javaScriptEnabled of [true, false]) {
  const how = javaScriptEnabled ? 'with' : 'without';

  test(`a reload makes no second key and shows no secret, ${how} JavaScript`, async () => {
    const visitor = await visit({ javaScriptEnabled });
    const name = `reload-${how}`;
    const { key, secret } = await makeKey(visitor, name);
    await visitor.leading(() => visitor.page.reload());
    await visitor.page.getByRole('heading', { name: 'The access key exists' }).waitFor();
    await visitor.page.getByText('can no longer be shown').waitFor();
    await visitor.page.getByText(key).waitFor();
    for (const next of ['Rotate', 'Delete']) await visitor.page.getByRole('link', { name: next, exact: true }).waitFor();
    assert.equal((await keysNamed(name)).length, 1);
    await isNowhereElse(visitor, secret);
    await visitor.close();
  });

  test(`back and CONFIRM again make no second key, ${how} JavaScript`, async () => {
    const visitor = await visit({ javaScriptEnabled });
    const name = `back-${how}`;
    const { secret } = await makeKey(visitor, name);
    await visitor.page.goBack();
    assert.ok(!(await visitor.page.content()).includes(secret));
    await visitor.page.getByLabel('Display name').waitFor();
    await visitor.fill({ 'Display name': name });
    // The form may have come anew from the server, where the name is taken now; or from memory, and was used before.
    const [answer] = await Promise.all([visitor.page.waitForResponse(isPost), sendAgain(visitor)]);
    assert.ok([200, 422].includes(answer.status()), `${answer.status()}`);
    assert.equal((await keysNamed(name)).length, 1);
    await isNowhereElse(visitor, secret);
    await visitor.close();
  });

  test(`forward to the page that showed it does not show the secret again, ${how} JavaScript`, async () => {
    const visitor = await visit({ javaScriptEnabled });
    const name = `forward-${how}`;
    const { secret } = await makeKey(visitor, name);
    await visitor.page.goto(`/projects/${project}/keys/new`);
    // The browser asks whether it shall send the form again, and shows nothing by itself.
    await visitor.page.goBack().catch((error) => assert.match(error.message, /ERR_CACHE_MISS/));
    visitor.problems = visitor.problems.filter((problem) => !/ERR_CACHE_MISS/.test(problem));
    assert.ok(!(await visitor.page.content()).includes(secret));
    assert.equal((await keysNamed(name)).length, 1);
    await visitor.page.goto(`/projects/${project}/keys/new`);
    await isNowhereElse(visitor, secret);
    await visitor.close();
  });

  test(`two quick clicks on CONFIRM make one key, ${how} JavaScript`, async () => {
    const visitor = await visit({ javaScriptEnabled });
    visitor.abortsAllowed = true;
    const name = `clicks-${how}`;
    await visitor.page.goto(`/projects/${project}/keys/new`);
    await visitor.fill({ 'Display name': name });
    await visitor.press('CONFIRM', { clickCount: 2 });
    // Without the script the browser may drop the first answer for the second, which says that the key exists.
    const heading = javaScriptEnabled ? /is made$/ : /is made$|^The access key exists$/;
    await visitor.page.getByRole('heading', { level: 1, name: heading }).waitFor();
    assert.equal((await keysNamed(name)).length, 1);
    await visitor.close();
  });
}

function isPost(response) {
  return response.request().method() === 'POST';
}

/** With whatever answer. */
async function sendAgain(visitor) {
  visitor.expected = [422];
  await visitor.press('CONFIRM');
  visitor.expected = [];
}

test('the same form sent many times at once makes one key and shows one secret', async () => {
  const path = `/projects/${project}/keys/new`;
  const fields = { ...hiddenFields((await owner.get(path)).text), display_name: 'at-once' };
  const answers = await Promise.all(Array.from({ length: 8 }, () => owner.post(path, fields)));
  assert.deepEqual(answers.map(({ status }) => status), Array(8).fill(200));
  assert.equal(answers.filter(({ text }) => text.includes('id="key-secret"')).length, 1);
  assert.equal(answers.filter(({ text }) => text.includes('The access key exists')).length, 7);
  assert.equal((await keysNamed('at-once')).length, 1);
});

test('a form without its id makes nothing', async () => {
  const answer = await owner.post(`/projects/${project}/keys/new`, { display_name: 'no-form-id' });
  assert.equal(answer.status, 422);
  assert.match(answer.text, /Nothing was made/);
  assert.equal((await keysNamed('no-form-id')).length, 0);
});

test('a form that made a key which is deleted now makes nothing', async () => {
  const path = `/projects/${project}/keys/new`;
  const fields = { ...hiddenFields((await owner.get(path)).text), display_name: 'deleted-since' };
  assert.equal((await owner.post(path, fields)).status, 200);
  const [key] = await keysNamed('deleted-since');
  await tollgate.api('DELETE', `projects/${project}/accessKeys/${key.accessKeyId}`);
  const again = await owner.post(path, fields);
  assert.match(again.text, /The access key that it made is deleted\. Nothing was made now/);
  assert.equal((await keysNamed('deleted-since')).length, 0);
});

test('the page that shows a secret is not kept anywhere', async () => {
  const path = `/projects/${project}/keys/new`;
  const answer = await owner.send(path, { display_name: 'headers' });
  assert.equal(answer.headers.get('cache-control'), 'no-store');
  assert.equal(answer.headers.get('referrer-policy'), 'same-origin');
  assert.match(answer.headers.get('content-security-policy'), /^default-src 'none';/);
  assert.doesNotMatch(answer.headers.get('content-security-policy'), /unsafe|\*|data:/);
});

test('CONFIRM leads on only when the box is ticked', async () => {
  const visitor = await visit();
  const { page } = visitor;
  await makeKey(visitor, 'gate');
  const confirm = page.getByRole('button', { name: 'CONFIRM' });
  assert.equal(await confirm.getAttribute('aria-disabled'), 'true');
  await confirm.click({ force: true });
  await page.getByText(/^Tick .I have stored the KEY SECRET. first\.$/).waitFor();
  await page.locator('[data-gate-box]:focus').waitFor();
  assert.equal(visitor.path, `/projects/${project}/keys/new`);
  await page.getByLabel('I have stored the KEY SECRET').check();
  assert.equal(await confirm.getAttribute('aria-disabled'), 'false');
  await visitor.press('CONFIRM');
  await page.getByText('The access key is ready.').waitFor();
  await visitor.close();
});

test('without JavaScript the browser itself asks for the tick', async () => {
  const visitor = await visit({ javaScriptEnabled: false });
  await makeKey(visitor, 'gate-plain');
  await visitor.page.getByRole('button', { name: 'CONFIRM' }).click();
  assert.equal(await visitor.page.locator('[data-gate-box]:invalid').count(), 1);
  assert.equal(visitor.path, `/projects/${project}/keys/new`);
  await visitor.page.getByLabel('I have stored the KEY SECRET').check();
  await visitor.press('CONFIRM');
  await visitor.page.getByText('The access key is ready.').waitFor();
  assert.equal(await visitor.page.getByRole('button', { name: /Copy|Download/ }).count(), 0, 'buttons that cannot work');
  await visitor.close();
});

test('each Copy copies what stands beside it, and says so', async () => {
  const visitor = await visit();
  const { page } = visitor;
  const pair = await makeKey(visitor, 'copy');
  const copied = () => page.evaluate(() => navigator.clipboard.readText());
  for (const [label, value] of [['Project ID', pair.project], ['KEY ID', pair.key], ['KEY SECRET', pair.secret]]) {
    await page.getByRole('button', { name: `Copy ${label}`, exact: true }).click();
    await page.getByRole('status').filter({ hasText: /^Copied$/ }).waitFor({ state: 'attached' });
    assert.equal(await copied(), value);
    await page.getByRole('button', { name: `Copy ${label}`, exact: true }).waitFor();
  }
  await page.getByRole('button', { name: 'Copy all as .env' }).click();
  await page.getByRole('button', { name: 'Copied' }).waitFor();
  assert.equal(await copied(), envFile(pair));
  await page.getByLabel('I have stored the KEY SECRET').check();
  await visitor.press('CONFIRM');
  const row = page.getByRole('row').filter({ has: page.getByRole('link', { name: 'copy', exact: true }) });
  await row.getByRole('button', { name: 'Copy KEY ID' }).click();
  await row.getByRole('button', { name: 'Copied: Copy KEY ID' }).waitFor();
  assert.equal(await copied(), pair.key);
  await visitor.close();
});

test('the downloads hold the pair and nothing else', async () => {
  const visitor = await visit();
  const pair = await makeKey(visitor, 'download');
  assert.equal(await downloaded(visitor, 'Download .env', `tollgate-${pair.key}.env`), envFile(pair));
  assert.deepEqual(JSON.parse(await downloaded(visitor, '.json', `tollgate-${pair.key}.json`)), {
    projectId: pair.project,
    keyId: pair.key,
    keySecret: pair.secret,
    url: tollgate.url,
  });
  const values = [pair.project, pair.key, pair.secret, tollgate.url];
  const table = await downloaded(visitor, '.csv', `tollgate-${pair.key}.csv`);
  assert.equal(table, `projectId,keyId,keySecret,url\r\n${values}\r\n`);
  await isNowhereElse(visitor, pair.secret);
  await visitor.close();
});

function envFile({ project: id, key, secret }) {
  return `TOLLGATE_URL=${tollgate.url}\nTOLLGATE_PROJECT_ID=${id}\nTOLLGATE_KEY_ID=${key}\nTOLLGATE_KEY_SECRET=${secret}\n`;
}

async function downloaded({ page }, button, name) {
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: button, exact: true }).click()]);
  assert.match(download.url(), /^blob:/);
  assert.equal(download.suggestedFilename(), name);
  return readFileSync(await download.path(), 'utf8');
}
