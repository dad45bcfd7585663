// From the first start to a counted call, as people go: with and without JavaScript.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, Visitor } from '../browser.mjs';
import { setUpByHand, shownPair } from '../people.mjs';
import { Tollgate } from '../tollgate.mjs';

let browser;
before(async () => { browser = await launch(); });
after(() => browser.close());

for (const javaScriptEnabled of [true, false]) {
  test(`set-up, NEW KEY, a token and a counted call, ${javaScriptEnabled ? 'with' : 'without'} JavaScript`, async () => {
    const tollgate = await Tollgate.start();
    try {
      const visitor = await Visitor.open(browser, tollgate.url, { javaScriptEnabled });
      await setUpByHand(visitor, tollgate);
      await makeKeyAndCall(visitor, tollgate);
      await visitor.close();
    } finally {
      await tollgate.stop();
    }
  });
}

async function makeKeyAndCall(visitor, tollgate) {
  const { page } = visitor;
  await page.getByRole('heading', { name: 'New access key' }).waitFor();
  await visitor.fill({ 'Display name': 'billing-worker' });
  await visitor.press('CONFIRM');
  const { project, key, secret } = await shownPair(page);

  const token = await tollgate.askToken(key, secret);
  assert.equal(token.status, 200);
  const call = await tollgate.call(token.access_token, `/v1/projects/${project}/hello`);
  assert.equal(call.status, 200);

  await page.getByLabel('I have stored the KEY SECRET').check();
  await visitor.press('CONFIRM');
  await page.getByText('The access key is ready.').waitFor();
  const row = page.getByRole('row').filter({ hasText: 'billing-worker' });
  await row.getByText(key).waitFor();
  await row.getByText('Active').waitFor();

  await visitor.leading(() => page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Usage & billing' }).click());
  await page.getByLabel('Group by').selectOption('Access key or service plan');
  await visitor.press('Show');
  await page.getByRole('row', { name: /billing-worker.* 1 .*100/ }).waitFor();
}
