// Every page of the dashboard, once: what axe, the weights and the pictures look at.
//
// `route` is the path in the server's table of routes. `at` gives the path in a world of world.mjs; where that is not
// enough, `open` leads a browser there and says which statuses come on the way.

import { readFileSync } from 'node:fs';
import { Visitor } from './browser.mjs';
import { LONG, MARKUP } from './world.mjs';

const KEY = '/projects/{project}/keys/{key}';
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
  { name: 'key-exists-rotated', route: `${KEY}/rotate`, at: aKey('/rotate', 'rotated-often'), open: rotateTwice },
  { name: 'key', route: KEY, at: aKey('') },
  { name: 'key-rotating', route: KEY, at: aKey('', 'old-cron') },
  { name: 'key-disabled', route: KEY, at: aKey('', 'laptop-test') },
  { name: 'key-rename', route: `${KEY}/rename`, at: aKey('/rename') },
  { name: 'key-rename-wrong', route: `${KEY}/rename`, at: aKey('/rename'), open: sendEmpty('Rename', ['Display name']) },
  { name: 'key-rotate', route: `${KEY}/rotate`, at: aKey('/rotate') },
  { name: 'key-rotate-two-live', route: `${KEY}/rotate`, at: aKey('/rotate', 'old-cron') },
  { name: 'key-end-overlap', route: `${KEY}/end-overlap`, at: aKey('/end-overlap', 'old-cron') },
  { name: 'key-revoke-tokens', route: `${KEY}/revoke-tokens`, at: aKey('/revoke-tokens') },
  { name: 'key-disable', route: `${KEY}/disable`, at: aKey('/disable') },
  { name: 'key-enable', route: `${KEY}/enable`, at: aKey('/enable', 'laptop-test') },
  { name: 'key-delete', route: `${KEY}/delete`, at: aKey('/delete', 'ends-at-once') },
  { name: 'key-delete-in-use', route: `${KEY}/delete`, at: aKey('/delete'), open: sendEmpty('Delete') },
  { name: 'project', route: '/projects/{project}', at: ({ project }) => `/projects/${project}` },
  { name: 'project-bare', route: '/projects/{project}', at: ({ bare }) => `/projects/${bare}` },
  { name: 'project-settings', route: '/projects/{project}/settings', at: ({ project }) => `/projects/${project}/settings` },
  { name: 'project-archive', route: '/projects/{project}/archive', at: ({ project }) => `/projects/${project}/archive`, open: sendEmpty('Archive') },
  { name: 'project-archived', route: '/projects/{project}', at: ({ archived }) => `/projects/${archived}` },
  { name: 'account-settings', route: '/accounts/{account}/settings', at: ({ account }) => `/accounts/${account}/settings` },
  { name: 'audit', route: '/accounts/{account}/audit', at: ({ account }) => `/accounts/${account}/audit` },
  { name: 'audit-wrong', route: '/accounts/{account}/audit', at: ({ account }) => `/accounts/${account}/audit?who=%3Cb%3E&from=x`, status: 422 },
  { name: 'requests', route: '/accounts/{account}/requests', at: ({ account }) => `/accounts/${account}/requests` },
  { name: 'requests-found', route: '/accounts/{account}/requests', at: ({ account, denied }) => `/accounts/${account}/requests?id=${denied}` },
  { name: 'requests-unknown', route: '/accounts/{account}/requests', at: ({ account }) => `/accounts/${account}/requests?id=${NOTHING}` },
  { name: 'not-here', route: '/accounts/{account}/keys', at: () => `/accounts/${NOTHING}/keys`, status: 404 },
];

/** Routes that answer a GET with no page of their own. */
export const NO_PAGE = {
  '/': 'leads on to the access keys, or to the sign-in page',
  '/sign-in/link': 'signs in and leads on; a dead link is the same page as any other problem',
  '/sign-out': 'leads home',
  [`${KEY}/first-use`]: 'JSON for the live line',
  '/accounts/{account}/audit.ndjson': 'a file',
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
    return /^\.route\(/.test(step) && /\bget\(/.test(step) ? [path.replace(/(?<=.)\/$/, '')] : [];
  });
}

function newProject({ account }) {
  return `/accounts/${account}/projects/new`;
}

function newKey({ bare }) {
  return `/projects/${bare}/keys/new`;
}

/** A page of an access key of the world, by its name. */
function aKey(below, name = 'billing-worker') {
  return ({ project, keys }) => `/projects/${project}/keys/${keys[name]}${below}`;
}

/** A form with nothing in it; the browser's own bubbles are switched off, as if an old browser sent it. */
function sendEmpty(button, labels = []) {
  return async (visitor) => {
    await withoutBubbles(visitor);
    for (const label of labels) await visitor.fill({ [label]: '' });
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

/** With the world's key that may be rotated as often as the page is opened. */
async function rotateTwice(visitor) {
  await visitor.page.getByLabel('None: the old secret is refused at once').check();
  await visitor.press('Rotate');
  await visitor.page.getByLabel('KEY SECRET', { exact: true }).waitFor();
  await visitor.leading(() => visitor.page.reload());
}
