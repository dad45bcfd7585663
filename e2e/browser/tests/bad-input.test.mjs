// What people type wrong comes back with what they typed, and says what would be right.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, Visitor } from '../browser.mjs';
import { OWNER, setUp } from '../people.mjs';
import { Tollgate } from '../tollgate.mjs';
import { FAR, LONG, MARKUP } from '../world.mjs';

let browser;
let tollgate;
let client;
let account;
let project;
let visitor;

before(async () => {
  [browser, tollgate] = await Promise.all([launch(), Tollgate.start()]);
  ({ client, account, project } = await setUp(tollgate));
  await tollgate.api('PATCH', `accounts/${account}`, { keyLimit: 100 });
  await tollgate.api('POST', `projects/${project}/accessKeys`, { displayName: 'taken' });
  visitor = await Visitor.open(browser, tollgate.url);
  await visitor.context.addCookies(client.forBrowser());
});
after(async () => {
  await visitor.close();
  await Promise.all([browser.close(), tollgate.stop()]);
});

const WRONG_NAMES = {
  'an empty name': ['', /must not be empty/],
  'a name of blanks': ['   ', /must not be empty/],
  'a name of 65 characters': [`${LONG}!`, /at most 64 characters/],
  'a name with a control character': ['bell\u0007', /control characters/],
  'a name that turns the direction of the text': ['abc\u202Egpj.exe', /control characters/],
  'a name that is taken': ['taken', /is taken by another access key/],
};

for (const [what, [name, says]] of Object.entries(WRONG_NAMES)) {
  test(`${what} comes back, with a link from the summary to the field`, async () => {
    await openForm(`/projects/${project}/keys/new`);
    await typeRaw('Display name', name);
    await visitor.expecting(422, () => visitor.press('CONFIRM'));
    await isCorrected('Display name', name, says);
  });
}

test('other options are kept when the name is wrong', async () => {
  await openForm(`/projects/${project}/keys/new`);
  await visitor.page.getByText('Options', { exact: true }).click();
  await visitor.page.getByLabel('Expires').selectOption('In 90 days');
  await visitor.page.getByLabel('sms', { exact: true }).uncheck();
  await visitor.page.getByLabel('keys:manage').check();
  await visitor.fill({ Addresses: '203.0.113.0/24 2001:db8::1', 'At once': '7', 'Then per second': '3' });
  await typeRaw('Display name', 'taken');
  await visitor.expecting(422, () => visitor.press('CONFIRM'));
  const { page } = visitor;
  assert.equal(await page.getByLabel('Expires').inputValue(), '90');
  assert.equal(await page.getByLabel('Addresses').inputValue(), '203.0.113.0/24 2001:db8::1');
  assert.equal(await page.getByLabel('At once').inputValue(), '7');
  assert.equal(await page.getByLabel('Then per second').inputValue(), '3');
  assert.deepEqual(await page.locator('input[name=scope]:checked').evaluateAll((all) => all.map((one) => one.value)), ['demo', 'keys:manage']);

  await visitor.fill({ 'Display name': 'corrected' });
  await visitor.press('CONFIRM');
  await page.getByLabel('KEY SECRET', { exact: true }).waitFor();
  const key = (await tollgate.keys(project)).find((one) => one.displayName === 'corrected');
  assert.deepEqual([key.scopes.toSorted(), key.allowedAddresses, key.tokenRate], [
    ['demo', 'keys:manage'],
    ['203.0.113.0/24', '2001:db8::1/128'],
    { burst: 7, perSecond: 3 },
  ]);
  assert.ok(Math.abs(Date.parse(key.expireTime) - Date.now() - 90 * 86_400_000) < 60_000, key.expireTime);
});

const WRONG_OPTIONS = {
  Addresses: ['203.0.113.0/33', /203\.0\.113\.0\/24/],
  'At once': ['many', /number from 1 to 1000000/],
  'Then per second': ['0', /number from 1 to 1000000/],
};

for (const [label, [text, says]] of Object.entries(WRONG_OPTIONS)) {
  test(`wrong ${label} comes back in the unfolded options`, async () => {
    await openForm(`/projects/${project}/keys/new`);
    await visitor.page.getByText('Options', { exact: true }).click();
    await visitor.fill({ 'Display name': 'never-made', 'At once': '1', 'Then per second': '1' });
    await typeRaw(label, text);
    await visitor.expecting(422, () => visitor.press('CONFIRM'));
    await isCorrected(label, text, says);
    assert.equal(await visitor.page.getByLabel('Display name').inputValue(), 'never-made');
    assert.ok(!(await tollgate.keys(project)).some((key) => key.displayName === 'never-made'));
  });
}

test('several mistakes are told at once', async () => {
  await openForm(`/projects/${project}/keys/new`);
  await visitor.page.getByText('Options', { exact: true }).click();
  await typeRaw('Display name', '');
  await visitor.fill({ Addresses: 'nowhere' });
  await visitor.expecting(422, () => visitor.press('CONFIRM'));
  const links = visitor.page.locator('#errors a');
  assert.deepEqual(await links.evaluateAll((all) => all.map((one) => one.hash)), ['#display_name', '#addresses']);
});

for (const name of [MARKUP, FAR, "'; DROP TABLE access_keys; --", '{{ name }} ${name}', '=1+1']) {
  test(`the name ${name} is text wherever it stands`, async () => {
    await openForm(`/projects/${project}/keys/new`);
    await visitor.fill({ 'Display name': name });
    await visitor.press('CONFIRM');
    const { page } = visitor;
    await page.getByRole('heading', { level: 1 }).getByText(name, { exact: true }).waitFor();
    await page.getByLabel('I have stored the KEY SECRET').check();
    await visitor.press('CONFIRM');
    await visitor.leading(() => page.getByRole('row').getByRole('link', { name, exact: true }).click());
    await page.getByRole('heading', { level: 1 }).getByText(name, { exact: true }).waitFor();
    for (const link of ['Rename', 'Rotate secret', 'Disable', 'Delete']) {
      const at = page.url();
      await visitor.follow(link);
      await page.getByRole('main').getByText(name, { exact: true }).first().waitFor();
      await page.goto(at);
    }
    assert.equal(await page.locator('main b, main script').count(), 0);
  });
}

test('a wrong name of a project, of an account and of a renamed key comes back', async () => {
  const key = (await tollgate.keys(project)).find((one) => one.displayName === 'taken').accessKeyId;
  await tollgate.api('POST', `projects/${project}/accessKeys`, { displayName: 'other' });
  for (const [path, label, button, name, says] of [
    [`/accounts/${account}/projects/new`, 'Name', 'Make project', '\u2066', /control characters/],
    [`/projects/${project}/settings`, 'Name', 'Rename', 'x'.repeat(256), /at most 255/],
    [`/accounts/${account}/settings`, 'Name', 'Rename', ' ', /must not be empty/],
    [`/projects/${project}/keys/${key}/rename`, 'Display name', 'Rename', 'other', /is taken/],
  ]) {
    await openForm(path);
    await typeRaw(label, name);
    await visitor.expecting(422, () => visitor.press(button));
    await isCorrected(label, name, says);
  }
});

test('a wrong password comes back without the password', async () => {
  const stranger = await Visitor.open(browser, tollgate.url);
  await stranger.page.goto('/sign-in');
  await stranger.fill({ 'E-mail address': OWNER.email, Password: 'not the password' });
  await stranger.expecting(422, () => stranger.press('Sign in'));
  await stranger.page.locator('#errors:focus').waitFor();
  assert.equal(await stranger.page.getByLabel('E-mail address').inputValue(), OWNER.email);
  assert.equal(await stranger.page.getByLabel('Password').inputValue(), '');
  assert.ok(!(await stranger.page.content()).includes('not the password'));
  await stranger.close();
});

async function openForm(path) {
  await visitor.page.goto(path);
  // As a browser sends it that knows neither `required` nor `maxlength`.
  await visitor.page.evaluate(() => {
    for (const form of document.forms) form.noValidate = true;
    for (const field of document.querySelectorAll('[maxlength]')) field.removeAttribute('maxlength');
  });
}

/** Characters that no keyboard types. */
function typeRaw(label, text) {
  return visitor.page.getByLabel(label, { exact: true }).evaluate((field, value) => { field.value = value; }, text);
}

async function isCorrected(label, text, says) {
  const { page } = visitor;
  const field = page.getByLabel(label, { exact: true });
  await page.locator('#errors:focus').waitFor();
  assert.equal(await field.inputValue(), text);
  assert.equal(await field.getAttribute('aria-invalid'), 'true');
  const described = await field.evaluate((one) => one.getAttribute('aria-describedby').split(' ').map((id) => document.getElementById(id).textContent).join(' '));
  assert.match(described, says);
  const link = page.locator('#errors a').first();
  assert.match(await link.textContent(), says);
  await link.click();
  await page.locator('[aria-invalid=true]:focus').waitFor();
}
