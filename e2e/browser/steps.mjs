// How pages are reached that no link leads to: what a form answers, and what is shown once.

import { LONG, MARKUP } from './world.mjs';

export function newProject({ account }) {
  return `/accounts/${account}/projects/new`;
}

export function newKey({ bare }) {
  return `/projects/${bare}/keys/new`;
}

/** A page of an access key of the world, by its name. */
export function aKey(below, name = 'billing-worker') {
  return ({ project, keys }) => `/projects/${project}/keys/${keys[name]}${below}`;
}

/** A page of SMS, or of a service plan of the world. */
export function aPlan(below, plan) {
  return (world) => `/projects/${world.project}/sms${plan ? `/${world[plan]}` : ''}${below}`;
}

export async function makePlan(visitor) {
  await visitor.fill({ 'Display name': `${MARKUP.slice(0, 40)} ${Date.now()}` });
  await visitor.press('CONFIRM');
  await visitor.page.getByLabel('API token', { exact: true }).waitFor();
}

export async function makePlanTwice(visitor) {
  await makePlan(visitor);
  await visitor.leading(() => visitor.page.reload());
}

/** With the world's service plan whose token may be changed as often as the page is opened. */
export async function rotateToken(visitor) {
  await visitor.page.getByLabel('Not at all: it is refused at once').check();
  await visitor.press('CONFIRM');
  await visitor.page.getByLabel('API token', { exact: true }).waitFor();
}

/** A form with nothing in it; the browser's own bubbles are switched off, as if an old browser sent it. */
export function sendEmpty(button, labels = []) {
  return async (visitor) => {
    await withoutBubbles(visitor);
    for (const label of labels) await visitor.fill({ [label]: '' });
    await visitor.expecting(422, () => visitor.press(button));
  };
}

async function withoutBubbles({ page }) {
  await page.evaluate(() => { for (const form of document.forms) form.noValidate = true; });
}

export async function openOptions({ page }) {
  await page.locator('details.options > summary').click();
}

export async function sendWrongKey(visitor) {
  await openOptions(visitor);
  await withoutBubbles(visitor);
  await visitor.page.getByLabel('Display name').evaluate((field, text) => { field.removeAttribute('maxlength'); field.value = text; }, `${LONG}!`);
  await visitor.fill({ Addresses: 'nowhere' });
  await visitor.expecting(422, () => visitor.press('CONFIRM'));
}

export async function makeKey(visitor) {
  await visitor.fill({ 'Display name': `${MARKUP.slice(0, 40)} ${Date.now()}` });
  await visitor.press('CONFIRM');
  await visitor.page.getByLabel('KEY SECRET', { exact: true }).waitFor();
}

export async function makeKeyTwice(visitor) {
  await makeKey(visitor);
  await visitor.leading(() => visitor.page.reload());
}

/** With the world's key that may be rotated as often as the page is opened. */
export async function rotateTwice(visitor) {
  await visitor.page.getByLabel('None: the old secret is refused at once').check();
  await visitor.press('Rotate');
  await visitor.page.getByLabel('KEY SECRET', { exact: true }).waitFor();
  await visitor.leading(() => visitor.page.reload());
}

/** A form whose answer shows something once. */
export function sendForm(button, values = {}) {
  return async (visitor) => {
    await visitor.fill(values);
    await visitor.press(button);
  };
}

export function makeAccount(visitor) {
  const values = { Name: `${MARKUP} ${Date.now()}`, 'E-mail address of the owner': 'somebody-with-a-rather-long-name@customers.example.com' };
  return sendForm('Make account', values)(visitor);
}

export function reset({ account, user }) {
  return `/operator/accounts/${account}/members/${user}/reset`;
}
