// The two ways to the access keys, and what a list of a thousand of them is like.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, Visitor } from '../browser.mjs';
import { OWNER, PROJECT, setUp } from '../people.mjs';
import { Tollgate } from '../tollgate.mjs';

const MANY = 1_000;
const PAGE = 50;
const AT_ONCE = 20;

let browser;
let tollgate;
let client;
let account;
let project;

before(async () => {
  [browser, tollgate] = await Promise.all([launch(), Tollgate.start()]);
  ({ client, account, project } = await setUp(tollgate));
});
after(() => Promise.all([browser.close(), tollgate.stop()]));

async function visit(options) {
  const visitor = await Visitor.open(browser, tollgate.url, options);
  await visitor.context.addCookies(client.forBrowser());
  return visitor;
}

const side = ({ page }) => page.getByRole('navigation', { name: 'Main' });

for (const javaScriptEnabled of [true, false]) {
  const how = javaScriptEnabled ? 'with' : 'without';

  test(`profile menu, Access keys, NEW KEY, ${how} JavaScript`, async () => {
    const visitor = await visit({ javaScriptEnabled });
    await visitor.page.goto(`/accounts/${account}/projects`);
    await visitor.page.getByText(OWNER.email, { exact: true }).click();
    const profile = visitor.page.getByRole('navigation', { name: 'Help, theme and profile' });
    await visitor.leading(() => profile.getByRole('link', { name: 'Access keys' }).click());
    for (const name of ['Access keys', 'Projects', 'Members', 'Usage & billing', 'Audit log']) {
      await side(visitor).getByRole('link', { name, exact: true }).last().waitFor();
    }
    await isKeysPage(visitor);
    await visitor.close();
  });

  test(`left menu, Settings, Access keys, NEW KEY, ${how} JavaScript`, async () => {
    const visitor = await visit({ javaScriptEnabled });
    await visitor.page.goto(`/accounts/${account}/projects`);
    await visitor.leading(() => side(visitor).getByRole('link', { name: 'Settings', exact: true }).click());
    await visitor.leading(() => side(visitor).getByRole('link', { name: 'Access keys' }).first().click());
    await isKeysPage(visitor);
    await visitor.close();
  });
}

/** A section per project with its name, its Project ID and NEW KEY, the chosen project first. */
async function isKeysPage(visitor) {
  const { page } = visitor;
  await page.getByRole('heading', { level: 1, name: 'Access keys' }).waitFor();
  const section = page.getByRole('region', { name: `Project ${PROJECT}` });
  await section.getByText(project).waitFor();
  await section.getByText(/^\d+ of 10 used$/).waitFor();
  await visitor.leading(() => section.getByRole('link', { name: 'NEW KEY' }).click());
  await page.getByRole('heading', { level: 1, name: 'New access key' }).waitFor();
  assert.equal(visitor.path, `/projects/${project}/keys/new`);
}

test('the other projects are folded below, each with its NEW KEY', async () => {
  const other = (await tollgate.api('POST', `accounts/${account}/projects`, { displayName: 'numbers-prod' })).projectId;
  const visitor = await visit();
  const { page } = visitor;
  await page.goto(`/accounts/${account}/keys`);
  await page.getByRole('heading', { name: 'numbers-prod' }).click();
  await page.getByRole('link', { name: 'NEW KEY in numbers-prod' }).waitFor();
  await visitor.leading(() => page.getByRole('link', { name: /of numbers-prod$/ }).click());
  await page.getByRole('region', { name: 'Project numbers-prod' }).getByText(other).waitFor();
  await visitor.leading(() => page.getByRole('region', { name: 'Project numbers-prod' }).getByRole('link', { name: 'NEW KEY' }).click());
  assert.equal(visitor.path, `/projects/${other}/keys/new`);
  await visitor.close();
});

test('a thousand keys are turned page by page, each once, and scroll sideways nowhere', async () => {
  const many = (await tollgate.api('POST', `accounts/${account}/projects`, { displayName: 'many' })).projectId;
  await tollgate.api('PATCH', `accounts/${account}`, { keyLimit: MANY });
  for (let made = 0; made < MANY; made += AT_ONCE) {
    const names = Array.from({ length: AT_ONCE }, (_, more) => `worker-with-a-name-${made + more}`);
    await Promise.all(names.map((displayName) => tollgate.api('POST', `projects/${many}/accessKeys`, { displayName })));
  }
  const visitor = await visit({ viewport: { width: 320, height: 640 } });
  const { page } = visitor;
  await page.goto(`/accounts/${account}/keys?project=${many}`);
  await page.getByText(`${MANY} of ${MANY} used`).waitFor();
  const seen = new Set();
  for (;;) {
    const names = await page.getByRole('row').getByRole('link', { name: /^worker-with/ }).allTextContents();
    assert.ok(names.length <= PAGE);
    names.forEach((name) => seen.add(name));
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth), 'scrolls sideways');
    if ((await page.getByRole('link', { name: 'Next page' }).count()) === 0) break;
    await visitor.follow('Next page');
  }
  assert.equal(seen.size, MANY);
  await page.goto(`/projects/${many}/keys/new`);
  await visitor.fill({ 'Display name': 'one too many' });
  await visitor.expecting(422, () => visitor.press('CONFIRM'));
  await page.getByText(`Limit of ${MANY} Access Keys reached`).first().waitFor();
  await visitor.close();
});
