// By keyboard alone: Tab, Enter and Space lead from the set-up link to a stored key, and the focus can always be seen.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, Visitor } from '../browser.mjs';
import { ACCOUNT, OWNER, PROJECT, setUp, shownPair } from '../people.mjs';
import { Tollgate } from '../tollgate.mjs';

// Enough to go once round the longest of these pages.
const MOST_STOPS = 120;

let browser;
before(async () => { browser = await launch(); });
after(() => browser.close());

async function withServer(run) {
  const tollgate = await Tollgate.start();
  try {
    await run(tollgate);
  } finally {
    await tollgate.stop();
  }
}

test('set-up, NEW KEY, storing it and the list, by keyboard alone', () => withServer(async (tollgate) => {
  const visitor = await Visitor.open(browser, tollgate.url);
  await visitor.page.goto(tollgate.setupLink);
  await typeInto(visitor, 'Your e-mail address', OWNER.email);
  await typeInto(visitor, 'Password', OWNER.password);
  await typeInto(visitor, 'Name of the first account', ACCOUNT);
  await typeInto(visitor, 'Name of its first project', PROJECT);
  await visitor.leading(() => visitor.page.keyboard.press('Enter'));

  // The one field that is needed has the focus already.
  assert.equal((await focused(visitor.page)).name, 'Display name');
  await visitor.page.keyboard.type('by-keyboard');
  await tabTo(visitor, 'Options');
  await visitor.page.keyboard.press('Space');
  await tabTo(visitor, 'demo');
  await visitor.page.keyboard.press('Space');
  await tabTo(visitor, 'CONFIRM');
  await visitor.leading(() => visitor.page.keyboard.press('Enter'));

  const { key, secret } = await shownPair(visitor.page);
  await tabTo(visitor, 'Copy KEY SECRET');
  await visitor.page.keyboard.press('Enter');
  await visitor.page.getByRole('button', { name: 'Copied' }).waitFor();
  assert.equal(await visitor.page.evaluate(() => navigator.clipboard.readText()), secret);
  await tabTo(visitor, 'I have stored the KEY SECRET');
  await visitor.page.keyboard.press('Space');
  await tabTo(visitor, 'CONFIRM');
  await visitor.leading(() => visitor.page.keyboard.press('Enter'));
  await visitor.page.getByRole('row').filter({ hasText: key }).waitFor();
  assert.equal((await tollgate.askToken(key, secret)).scope, 'sms', 'the box of the scope demo was taken out by keyboard');
  await visitor.close();
}));

test('menus open, close and give the focus back, and lead to NEW KEY and out, by keyboard alone', () => withServer(async (tollgate) => {
  const { client, account } = await setUp(tollgate);
  const visitor = await Visitor.open(browser, tollgate.url);
  await visitor.context.addCookies(client.forBrowser());
  const { page } = visitor;
  await page.goto(`/accounts/${account}/projects`);
  await page.keyboard.press('Tab');
  assert.equal((await focused(page)).name, 'Skip to content');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Tab');
  assert.equal((await focused(page)).name, 'New project', 'the first stop of the content itself');

  await page.goto(`/accounts/${account}/projects`);
  await tabTo(visitor, OWNER.email);
  await page.keyboard.press('Enter');
  await page.getByRole('link', { name: 'Your settings' }).waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('link', { name: 'Your settings' }).waitFor({ state: 'hidden' });
  assert.equal((await focused(page)).name, OWNER.email);
  await page.keyboard.press('Space');
  await tabTo(visitor, 'Access keys');
  await visitor.leading(() => page.keyboard.press('Enter'));
  await page.getByRole('heading', { level: 1, name: 'Access keys' }).waitFor();
  await tabTo(visitor, 'NEW KEY');
  await visitor.leading(() => page.keyboard.press('Enter'));
  await tabTo(visitor, OWNER.email);
  await page.keyboard.press('Enter');
  await tabTo(visitor, 'Sign out');
  await visitor.leading(() => page.keyboard.press('Enter'));
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  await visitor.close();
}));

test('every stop of the keyboard is in view, uncovered, and in the order of the page', () => withServer(async (tollgate) => {
  const { client, account, project } = await setUp(tollgate);
  await tollgate.api('POST', `projects/${project}/accessKeys`, { displayName: 'one' });
  for (const viewport of [{ width: 1280, height: 800 }, { width: 320, height: 640 }]) {
    const visitor = await Visitor.open(browser, tollgate.url, { viewport });
    await visitor.context.addCookies(client.forBrowser());
    for (const path of [`/accounts/${account}/keys`, `/projects/${project}/keys/new`, '/theme']) {
      await visitor.page.goto(path);
      await visitor.page.evaluate(() => document.activeElement.blur());
      await goRound(visitor.page, path);
    }
    await visitor.close();
  }
}));

/** Tabs through a whole page. */
async function goRound(page, path) {
  let last = -1;
  for (let stop = 0; stop < MOST_STOPS; stop += 1) {
    await page.keyboard.press('Tab');
    const now = await focused(page);
    if (now.place === undefined) break;
    assert.ok(now.place > last, `${path}: ${now.name} comes out of order`);
    assertSeen(now, path);
    last = now.place;
  }
  assert.ok(last > 0, `${path} has stops`);
}

async function typeInto(visitor, label, text) {
  await tabTo(visitor, label);
  await visitor.page.keyboard.type(text);
}

async function tabTo({ page }, name) {
  const seen = [];
  while (seen.length < MOST_STOPS) {
    await page.keyboard.press('Tab');
    const now = await focused(page);
    if (now.place !== undefined) assertSeen(now, page.url());
    if (now.name === name) return;
    seen.push(now.name);
  }
  assert.fail(`no stop is called ${name}; there are: ${[...new Set(seen)].join(', ')}`);
}

function assertSeen({ name, outline, inView, covered }, where) {
  assert.ok(outline >= 2, `${where}: the focus on ${name} cannot be seen`);
  assert.ok(inView, `${where}: ${name} is out of view when it has the focus`);
  assert.equal(covered, '', `${where}: ${name} is covered when it has the focus`);
}

/** What has the focus: its name, its place among all that can have it, and whether one sees that. */
function focused(page) {
  return page.evaluate(() => {
    const element = document.activeElement;
    if (element === null || element === document.body) return {};
    const text = (one) => one.textContent.trim().replace(/\s+/g, ' ');
    const name = element.getAttribute('aria-label') ?? (element.labels?.[0] ? text(element.labels[0]) : text(element));
    const style = getComputedStyle(element);
    const box = element.getBoundingClientRect();
    const inView = box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
    const middle = document.elementFromPoint(box.left + box.width / 2, Math.min(Math.max(box.top + box.height / 2, 0), innerHeight - 1));
    const isOver = middle !== null && !element.contains(middle) && !middle.contains(element) && !element.labels?.[0]?.contains(middle);
    return {
      name: name.replace(/^(.*?) (asks about|makes and changes) .*$/, '$1').replace(/ ?▾$/, ''),
      place: [...document.querySelectorAll('*')].indexOf(element),
      // Inside a field for a date the browser itself marks the day, the month, the year and the calendar's button.
      outline: element.type === 'date' ? 2 : style.outlineStyle === 'none' ? 0 : parseFloat(style.outlineWidth),
      inView,
      covered: isOver ? middle.outerHTML.slice(0, 100) : '',
    };
  });
}
