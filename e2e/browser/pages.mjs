// Every page of the dashboard, once: what axe, the weights and the pictures look at.
//
// `route` is the path in the server's table of routes. `at` gives the path in a world of world.mjs; where that is not
// enough, `open` goes on from there. `status` is what the page answers with when that is an error. `menus` are looked at where
// that is set: they are the same on all pages.

import { Visitor } from './browser.mjs';
import { PEOPLE_PAGES } from './people-pages.mjs';
import { aKey, aPlan, makeAccount, makeKey, makeKeyTwice, makePlan, makePlanTwice, newKey, newProject, openOptions, reset, rotateToken, rotateTwice, sendEmpty, sendForm, sendWrongKey } from './steps.mjs';

const KEY = '/projects/{project}/keys/{key}';
const SMS = '/projects/{project}/sms';
const OPERATED = '/operator/accounts/{account}';
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
  { name: 'keys', route: '/accounts/{account}/keys', menus: true, at: ({ account }) => `/accounts/${account}/keys` },
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
  { name: 'sms', route: SMS, at: aPlan('') },
  { name: 'sms-none', route: SMS, at: ({ bare }) => `/projects/${bare}/sms` },
  { name: 'sms-new', route: `${SMS}/new`, at: aPlan('/new') },
  { name: 'sms-new-wrong', route: `${SMS}/new`, at: aPlan('/new'), open: sendEmpty('CONFIRM') },
  { name: 'sms-token', route: `${SMS}/new`, at: aPlan('/new'), open: makePlan },
  { name: 'sms-exists', route: `${SMS}/new`, at: aPlan('/new'), open: makePlanTwice },
  { name: 'sms-token-new', route: `${SMS}/{plan}/tokens/new`, at: aPlan('/tokens/new', 'often') },
  { name: 'sms-token-new-two-live', route: `${SMS}/{plan}/tokens/new`, at: aPlan('/tokens/new', 'plan'), open: sendEmpty('CONFIRM') },
  { name: 'sms-token-more', route: `${SMS}/{plan}/tokens/new`, at: aPlan('/tokens/new', 'often'), open: rotateToken },
  { name: 'sms-revoke', route: `${SMS}/{plan}/tokens/{token}/revoke`, at: ({ project, plan, planToken }) => `/projects/${project}/sms/${plan}/tokens/${planToken}/revoke` },
  { name: 'sms-rename', route: `${SMS}/{plan}/rename`, at: aPlan('/rename', 'plan') },
  { name: 'sms-rename-wrong', route: `${SMS}/{plan}/rename`, at: aPlan('/rename', 'plan'), open: sendEmpty('Rename', ['Display name']) },
  { name: 'sms-delete', route: `${SMS}/{plan}/delete`, at: aPlan('/delete', 'plan') },
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
  { name: 'help', route: '/help', at: () => '/help' },
  { name: 'help-outside', route: '/help', nobody: true, at: () => '/help' },
  { name: 'usage', route: '/accounts/{account}/usage', at: ({ account }) => `/accounts/${account}/usage` },
  { name: 'usage-by-day', route: '/accounts/{account}/usage', at: ({ account }) => `/accounts/${account}/usage?period=7d&group=day` },
  { name: 'usage-none', route: '/accounts/{account}/usage', at: ({ empty }) => `/accounts/${empty}/usage` },
  { name: 'usage-wrong', route: '/accounts/{account}/usage', at: ({ account }) => `/accounts/${account}/usage?from=x&group=y`, status: 422 },
  { name: 'usage-project', route: '/projects/{project}/usage', at: ({ project }) => `/projects/${project}/usage?group=key` },
  { name: 'statement', route: '/accounts/{account}/usage/statement', at: ({ account }) => `/accounts/${account}/usage/statement` },
  { name: 'statement-none', route: '/accounts/{account}/usage/statement', at: ({ empty }) => `/accounts/${empty}/usage/statement` },
  { name: 'operator-accounts', route: '/operator/accounts', at: () => '/operator/accounts' },
  { name: 'operator-accounts-none', route: '/operator/accounts', at: () => '/operator/accounts?search=%3Cnothing%3E' },
  { name: 'operator-account-new', route: '/operator/accounts/new', at: () => '/operator/accounts/new' },
  { name: 'operator-account-new-wrong', route: '/operator/accounts/new', at: () => '/operator/accounts/new', open: sendEmpty('Make account') },
  { name: 'operator-account-made', route: '/operator/accounts/new', at: () => '/operator/accounts/new', open: makeAccount },
  { name: 'operator-account', route: OPERATED, at: ({ account }) => `/operator/accounts/${account}` },
  { name: 'operator-account-empty', route: OPERATED, at: ({ empty }) => `/operator/accounts/${empty}` },
  { name: 'operator-account-suspended', route: OPERATED, at: ({ suspended }) => `/operator/accounts/${suspended}` },
  { name: 'operator-suspend', route: `${OPERATED}/suspend`, at: ({ account }) => `/operator/accounts/${account}/suspend` },
  { name: 'operator-resume', route: `${OPERATED}/resume`, at: ({ suspended }) => `/operator/accounts/${suspended}/resume` },
  { name: 'operator-limit', route: `${OPERATED}/limit`, at: ({ account }) => `/operator/accounts/${account}/limit` },
  { name: 'operator-limit-wrong', route: `${OPERATED}/limit`, at: ({ account }) => `/operator/accounts/${account}/limit`, open: sendEmpty('Save', ['Access keys per project']) },
  { name: 'operator-reset', route: `${OPERATED}/members/{user}/reset`, at: reset },
  { name: 'operator-reset-made', route: `${OPERATED}/members/{user}/reset`, at: reset, open: sendForm('Make reset link') },
  { name: 'operator-signing-keys', route: '/operator/signing-keys', at: () => '/operator/signing-keys' },
  { name: 'operator-rotate', route: '/operator/signing-keys/rotate', at: () => '/operator/signing-keys/rotate' },
  { name: 'operator-products', route: '/operator/products', at: () => '/operator/products' },
  { name: 'operator-node', route: '/operator/node', at: () => '/operator/node' },
  ...PEOPLE_PAGES,
  { name: 'not-here', route: '/accounts/{account}/keys', at: () => `/accounts/${NOTHING}/keys`, status: 404 },
];

/** Routes that answer a GET with no page of their own. */
export const NO_PAGE = {
  '/': 'leads on to the access keys, or to the sign-in page',
  '/sign-in/link': 'signs in and leads on; a dead link is the same page as any other problem',
  '/sign-out': 'leads home',
  [`${KEY}/first-use`]: 'JSON for the live line',
  '/accounts/{account}/audit.ndjson': 'a file',
  '/accounts/{account}/usage.csv': 'a file',
  '/accounts/{account}/usage.json': 'a file',
  '/projects/{project}/usage.csv': 'a file',
  '/projects/{project}/usage.json': 'a file',
};

/** Opens a page of the list in a browser of its own. */
export async function openPage(browser, world, page, options = {}) {
  const { url } = page.fresh ? world.fresh : world.tollgate;
  const visitor = await Visitor.open(browser, url, options);
  if (!page.fresh && !page.nobody) await visitor.context.addCookies(world[page.as ?? 'client'].forBrowser());
  await visitor.expecting(page.status ?? [], () => visitor.page.goto(page.at(world)));
  await page.open?.(visitor, world);
  return visitor;
}
