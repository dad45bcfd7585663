// Who uses the dashboard, and the steps that many tests begin with.

import assert from 'node:assert/strict';
import { Client } from './client.mjs';

export const OWNER = { email: 'owner@example.com', password: 'four plain words here' };
export const ACCOUNT = 'Example AB';
export const PROJECT = 'sms-prod';

/** Sets up by the printed link as a program, and is signed in as the operator and owner. */
export async function setUp(tollgate) {
  const client = new Client(tollgate.url);
  const { pathname, search } = new URL(tollgate.setupLink);
  const answer = await client.send(pathname + search, { ...OWNER, account: ACCOUNT, project: PROJECT });
  assert.equal(answer.status, 303, told(answer));
  const project = answer.location.match(/^\/projects\/([^/]+)\/keys\/new$/)[1];
  const account = (await tollgate.api('GET', `projects/${project}`)).accountId;
  return { client, account, project };
}

/** The same with the pages. */
export async function setUpByHand(visitor, tollgate) {
  await visitor.page.goto(tollgate.setupLink);
  await visitor.fill({
    'Your e-mail address': OWNER.email,
    Password: OWNER.password,
    'Name of the first account': ACCOUNT,
    'Name of its first project': PROJECT,
  });
  await visitor.press('Set up');
}

export async function signIn(tollgate, { email, password }) {
  const client = new Client(tollgate.url);
  const answer = await client.post('/sign-in', { email, password, next: '' });
  assert.equal(answer.status, 303, told(answer));
  return client;
}

/** What the page shows that reveals a secret. */
export async function shownPair(page) {
  const value = (label) => page.getByLabel(label, { exact: true }).inputValue();
  return { project: await value('Project ID'), key: await value('KEY ID'), secret: await value('KEY SECRET') };
}

/** Makes an access key as a program; the answer's page is parsed for what it shows. */
export async function newKey(client, project, name, more = {}) {
  const answer = await client.send(`/projects/${project}/keys/new`, { display_name: name, ...more });
  assert.equal(answer.status, 200, told(answer));
  return { key: field(answer.text, 'key-id'), secret: field(answer.text, 'key-secret') };
}

function field(text, id) {
  return text.match(new RegExp(`id="${id}" readonly value="([^"]+)"`))[1];
}

/** What a page tells people, without its frame: for messages of tests. */
export function told({ status, text }) {
  return `${status}: ${text.match(/<main[^]*<\/main>/)?.[0].replaceAll(/<[^>]*>|\s+/g, ' ') ?? text}`;
}
