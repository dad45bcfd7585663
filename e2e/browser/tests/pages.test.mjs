// Every page, in light and dark, at 320 px and 1280 px: axe finds nothing, nothing scrolls sideways, nothing is heavy.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { launch } from '../browser.mjs';
import { NO_PAGE, openPage, PAGES } from '../pages.mjs';
import { routesOfServer } from '../routes.mjs';
import { wholeWorld } from '../world.mjs';

const AXE = readFileSync(new URL('../node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
const WIDTHS = [1280, 320];
// What a change from light to dark can change. All other rules look at the page in light only.
const COLOUR_RULES = ['color-contrast', 'link-in-text-block'];
// The account's, the project's, the person's, and the first one of a list.
const MENUS = 4;
const KIB = 1024;
const MOST = { html: 14 * KIB, css: 12 * KIB, js: 10 * KIB };

let browser;
let world;
before(async () => { [browser, world] = await Promise.all([launch(), wholeWorld()]); });
after(() => Promise.all([browser.close(), world.stop()]));

test('the list of pages holds every page of the server', () => {
  const listed = new Set([...PAGES.map(({ route }) => route), ...Object.keys(NO_PAGE)]);
  const routes = routesOfServer();
  assert.ok(routes.length > 10, 'the table of routes was not understood');
  assert.deepEqual(routes.filter((route) => !listed.has(route)), [], 'pages that pages.mjs does not list');
  assert.deepEqual([...listed].filter((route) => !routes.includes(route)), [], 'routes that the server does not have');
});

for (const page of PAGES) {
  test(`the page ${page.name} suits everybody and is light`, async () => {
    // Colours that are still on their way from light to dark would be those of neither.
    const visitor = await openPage(browser, world, page, { reducedMotion: 'reduce' });
    await checkWeights(visitor);
    const found = [];
    for (const width of WIDTHS) {
      await visitor.page.setViewportSize({ width, height: 800 });
      await visitor.page.emulateMedia({ colorScheme: 'light' });
      found.push(...(await lookAt(visitor.page, `${width} px, light`, { tags: TAGS })));
      await visitor.page.emulateMedia({ colorScheme: 'dark' });
      found.push(...(await lookAt(visitor.page, `${width} px, dark`, { rules: COLOUR_RULES })));
    }
    found.push(...(await lookAtFolded(visitor.page, page.menus)));
    await visitor.close();
    if (found.length > 0) assert.fail(found.join('\n'));
  });
}

async function lookAt(page, how, { tags, rules }) {
  const sideways = await page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    return scrollWidth > clientWidth ? [`scrolls sideways: ${scrollWidth} px of content on ${clientWidth} px`] : [];
  });
  return [...sideways, ...(await violations(page, { tags, rules }))].map((what) => `${how}: ${what}`);
}

/** What is folded away: sections of the page all at once, menus one by one, since they lie above the page. */
async function lookAtFolded(page, hasMenus) {
  const found = [];
  const sections = page.locator('details:not(.menu, [open])');
  if ((await sections.count()) > 0) {
    await sections.evaluateAll((all) => all.forEach((one) => { one.open = true; }));
    found.push(...(await lookAt(page, 'unfolded', { tags: TAGS })));
  }
  const menus = page.locator('details.menu');
  for (let at = 0; hasMenus && at < Math.min(await menus.count(), MENUS); at += 1) {
    await menus.nth(at).evaluate((menu) => { menu.open = true; });
    found.push(...(await violations(page, { tags: TAGS, part: 'details.menu[open]' })).map((what) => `menu ${at + 1}: ${what}`));
  }
  return found;
}

async function violations(page, { tags, rules, part }) {
  // Through the debugger: the page's policy rightly refuses a script that is added to it.
  if (!(await page.evaluate('window.axe !== undefined'))) await page.evaluate(AXE);
  const runOnly = tags ? { type: 'tag', values: tags } : { type: 'rule', values: rules };
  const found = await page.evaluate(([where, how]) => axe.run(where ?? document, how), [part, { runOnly, resultTypes: ['violations'], preload: false }]);
  return found.violations.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => `${id} at ${target}: ${failureSummary}`));
}

async function checkWeights(visitor) {
  const answers = (await visitor.answers()).filter(({ body }) => body.startsWith('<!doctype html>'));
  assert.ok(answers.length > 0);
  for (const { what, body } of answers) atMost(MOST.html, [body], what);
  atMost(MOST.css, await linked(visitor, 'link[rel=stylesheet]', 'href'), 'styles');
  atMost(MOST.js, await linked(visitor, 'script[src]', 'src'), 'scripts');
}

function atMost(limit, texts, what) {
  const size = texts.reduce((sum, text) => sum + gzipSync(text).length, 0);
  assert.ok(size <= limit, `${what}: ${size} of ${limit} bytes`);
}

async function linked({ page }, selector, attribute) {
  const urls = await page.locator(selector).evaluateAll((all, name) => all.map((one) => one[name]), attribute);
  return Promise.all(urls.map(async (url) => (await fetch(url)).text()));
}
