// Every page of the dashboard, once: what axe, the weights and the pictures look at.
//
// `route` is the path in the server's table of routes. `at` gives the path in a world of world.mjs; where that is not
// enough, `open` leads a browser there and says which statuses come on the way.

import { readFileSync } from 'node:fs';
import { Visitor } from './browser.mjs';
import { LONG, MARKUP } from './world.mjs';

const NOTHING = '01999999-9999-7999-8999-999999999999';

export const PAGES = [
  { name: 'setup', route: '/setup', fresh: true, at: ({ fresh }) => fresh.setupLink },
  { name: 'setup-wrong', route: '/setup', fresh: true, at: ({ fresh }) => fresh.setupLink, open: sendEmpty('Set up') },
  { name: 'setup-dead-link', route: '/setup', nobody: true, at: () => '/setup?token=dead', status: 404 },
  { name: 'sign-in', route: '/sign-in', nobody: true, at: () => '/sign-in' },
  { name: 'sign-in-wrong', route: '/sign-in', nobody: true, at: () => '/sign-in', open: sendEmpty('Sign in') },
  { name: 'confirm', route: '/confirm', at: () => '/confirm?next=/me' },
  { name: 'confirm-wrong', route: '/confirm', at: () => '/confirm?next=/me', open: sendEmpty('Go on') },
  { name: 'theme', route: '/theme', at: () => '/theme' },
  { name: 'keys', route: '/accounts/{account}/keys', at: ({ account }) => `/accounts/${account}/keys` },
  { name: 'keys-done', route: '/accounts/{account}/keys', at: ({ account }) => `/accounts/${account}/keys?done=key-created` },
  { name: 'keys-none', route: '/accounts/{account}/keys', at: ({ account, bare }) => `/accounts/${account}/keys?project=${bare}` },
  { name: 'keys-no-project', route: '/accounts/{account}/keys', at: ({ empty }) => `/accounts/${empty}/keys` },
  { name: 'keys-suspended', route: '/accounts/{account}/keys', at: ({ suspended }) => `/accounts/${suspended}/keys` },
  { name: 'projects', route: '/accounts/{account}/projects', at: ({ account }) => `/accounts/${account}/projects` },
  { name: 'projects-none', route: '/accounts/{account}/projects', at: ({ empty }) => `/accounts/${empty}/projects` },
  { name: 'project-new', route: '/accounts/{account}/projects/new', at: newProject },
  { name: 'project-new-wrong', route: '/accounts/{account}/projects/new', at: newProject, open: sendEmpty('Make project') },
  { name: 'key-new', route: '/projects/{project}/keys/new', at: newKey },
  { name: 'key-new-options', route: '/projects/{project}/keys/new', at: newKey, open: openOptions },
  { name: 'key-new-wrong', route: '/projects/{project}/keys/new', at: newKey, open: sendWrongKey },
  { name: 'key-secret', route: '/projects/{project}/keys/new', at: newKey, open: makeKey },
  { name: 'key-exists', route: '/projects/{project}/keys/new', at: newKey, open: makeKeyTwice },
  { name: 'not-here', route: '/accounts/{account}/keys', at: () => `/accounts/${NOTHING}/keys`, status: 404 },
];

/** Routes that answer a GET with no page of their own. */
export const NO_PAGE = {
  '/': 'leads on to the access keys, or to the sign-in page',
  '/sign-in/link': 'signs in and leads on; a dead link is the same page as any other problem',
  '/sign-out': 'leads home',
};

/** Opens a page of the list in a browser of its own. */
export async function openPage(browser, world, page, options = {}) {
  const { url } = page.fresh ? world.fresh : world.tollgate;
  const visitor = await Visitor.open(browser, url, options);
  if (!page.fresh && !page.nobody) await visitor.context.addCookies(world.client.forBrowser());
  await visitor.expecting(page.status ?? [], () => visitor.page.goto(page.at(world)));
  await page.open?.(visitor, world);
  return visitor;
}

/** The paths that the server's table answers with GET: those of `pages`, and of the functions that it nests or merges. */
export function routesOfServer() {
  const table = readFileSync(new URL('../../crates/server/src/http/mod.rs', import.meta.url), 'utf8');
  return routesIn(table, 'pages', '');
}

function routesIn(table, name, prefix) {
  const body = table.match(new RegExp(`fn ${name}\\(\\)[^]*?\\n}`))[0];
  return body.split(/(?=\.(?:route|nest|merge)\()/).flatMap((step) => {
    const inner = step.match(/^\.(?:nest|merge)\([^()]*?(\w+)\(\)\)/)?.[1];
    const path = prefix + (step.match(/^\.\w+\(\s*"([^"]*)"/)?.[1] ?? '');
    if (inner) return routesIn(table, inner, path);
    return /^\.route\(/.test(step) && /\bget\(/.test(step) ? [path] : [];
  });
}

function newProject({ account }) {
  return `/accounts/${account}/projects/new`;
}

function newKey({ bare }) {
  return `/projects/${bare}/keys/new`;
}

/** A form without anything in it; the browser's own bubbles are switched off, as if an old browser sent it. */
function sendEmpty(button) {
  return async (visitor) => {
    await withoutBubbles(visitor);
    await visitor.expecting(422, () => visitor.press(button));
  };
}

async function withoutBubbles({ page }) {
  await page.evaluate(() => { for (const form of document.forms) form.noValidate = true; });
}

async function openOptions({ page }) {
  await page.locator('details.options > summary').click();
}

async function sendWrongKey(visitor) {
  await openOptions(visitor);
  await withoutBubbles(visitor);
  await visitor.page.getByLabel('Display name').evaluate((field, text) => { field.removeAttribute('maxlength'); field.value = text; }, `${LONG}!`);
  await visitor.fill({ Addresses: 'nowhere' });
  await visitor.expecting(422, () => visitor.press('CONFIRM'));
}

async function makeKey(visitor) {
  await visitor.fill({ 'Display name': `${MARKUP.slice(0, 40)} ${Date.now()}` });
  await visitor.press('CONFIRM');
  await visitor.page.getByLabel('KEY SECRET', { exact: true }).waitFor();
}

async function makeKeyTwice(visitor) {
  await makeKey(visitor);
  await visitor.leading(() => visitor.page.reload());
}
