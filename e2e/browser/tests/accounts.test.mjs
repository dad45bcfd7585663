// Two accounts that cannot see each other, and what each role may.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, Visitor } from '../browser.mjs';
import { Client, hiddenFields } from '../client.mjs';
import { newKey, setUp } from '../people.mjs';
import { routesOfServer } from '../routes.mjs';
import { Tollgate } from '../tollgate.mjs';

const ROLES = ['owner', 'admin', 'developer', 'billing', 'auditor'];
const NOTHING = '01999999-9999-7999-8999-999999999999';
const PASSWORD = 'yet more plain words';

let browser;
let tollgate;
let one;
let other;

before(async () => {
  [browser, tollgate] = await Promise.all([launch(), Tollgate.start()]);
  await setUp(tollgate);
  [one, other] = await Promise.all([customer('one'), customer('other')]);
});
after(() => Promise.all([browser.close(), tollgate.stop()]));

/** An account with a project and a key, an owner who is no operator, and whatever else has an id. */
async function customer(name) {
  const made = await tollgate.api('POST', 'accounts', { displayName: name, ownerEmail: `owner@${name}.example` });
  const account = made.accountId;
  const client = await joined(made.invitationUrl);
  const { projectId: project } = await tollgate.api('POST', `accounts/${account}/projects`, { displayName: `project of ${name}` });
  const { key, secret } = await newKey(client, project, `key of ${name}`);
  const { invitation } = await tollgate.api('POST', `accounts/${account}/members`, { email: `guest@${name}.example`, role: 'billing' });
  const user = (await tollgate.api('GET', `accounts/${account}/members`)).members[0].userId;
  await client.send('/me/tokens/new', { display_name: name, days: '90' });
  const mine = (await client.get('/me')).text;
  const token = mine.match(/\/me\/tokens\/([^/"]+)\/delete/)[1];
  const session = mine.match(/\/me\/sessions\/([^/"]+)\/end"/)[1];
  const { access_token: bearer } = await tollgate.askToken(key, secret);
  const denied = (await tollgate.call(bearer, `/v1/projects/${NOTHING}/hello`)).request;
  return { name, client, denied, ids: { account, project, key, user, link: invitation.invitationId, session, token } };
}

/** Takes an invitation up, as somebody new. */
async function joined(url) {
  const client = new Client(tollgate.url);
  const answer = await client.send(url.slice(tollgate.url.length), { password: PASSWORD });
  assert.equal(answer.status, 303, answer.text);
  return client;
}

function filled(route, ids) {
  return route.replaceAll(/\{(\w+)\}/g, (_, name) => ids[name] ?? NOTHING);
}

/** All mixtures of own and foreign ids in a route that hold at least one foreign id. */
function mixtures(route, own, foreign) {
  const names = [...route.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
  const all = names.reduce((sets, name) => sets.flatMap((set) => [own, foreign].map((ids) => ({ ...set, [name]: ids[name] }))), [{}]);
  return all.filter((set) => names.some((name) => set[name] === foreign[name])).map((set) => filled(route, set));
}

test('every id of one account in every path of the other leads nowhere and changes nothing', async () => {
  const before = await trails();
  const routes = routesOfServer().filter((route) => route.includes('{') && !route.startsWith('/operator'));
  assert.ok(routes.length > 30, 'the table of routes was not understood');
  for (const [me, stranger] of [[one, other], [other, one]]) {
    for (const path of routes.flatMap((route) => mixtures(route, me.ids, stranger.ids))) {
      for (const method of ['GET', 'POST']) {
        const answer = await me.client.ask(method, path, { fields: method === 'POST' ? { name: 'x', display_name: 'x', role: 'admin' } : undefined });
        // A session that is over already is over: ending it again leads back, whosesoever it was.
        const mayLeadBack = method === 'POST' && path.startsWith('/me/sessions/');
        assert.ok([404, 405].includes(answer.status) || mayLeadBack, `${me.name}: ${method} ${path}: ${answer.status}`);
        assert.ok(!answer.text.includes(`of ${stranger.name}`), `${method} ${path} shows what belongs to another`);
      }
    }
    const { text } = await me.client.get(`/accounts/${me.ids.account}/requests?id=${stranger.denied}`);
    assert.ok(!text.includes(stranger.ids.project), 'a denial of another account is not found');
    assert.equal((await me.client.get(`/accounts/${me.ids.account}/keys?project=${stranger.ids.project}`)).status, 404);
  }
  assert.deepEqual(await trails(), before);
  for (const { client } of [one, other]) assert.equal((await client.get('/me')).status, 200, 'its session goes on');
});

async function trails() {
  const trail = async ({ ids }) => (await tollgate.api('GET', `accounts/${ids.account}/auditEvents?pageSize=1000`)).auditEvents;
  return Promise.all([trail(one), trail(other)]);
}

test('two browsers side by side each see their own account alone', async () => {
  const pages = await Promise.all([one, other].map(async ({ client }) => {
    const visitor = await Visitor.open(browser, tollgate.url);
    await visitor.context.addCookies(client.forBrowser());
    await visitor.page.goto('/');
    return visitor;
  }));
  for (const [at, { name }] of [one, other].entries()) {
    const text = await pages[at].page.locator('body').innerText();
    assert.ok(text.includes(`key of ${name}`));
    assert.ok(!text.includes(`key of ${[other, one][at].name}`));
    await pages[at].close();
  }
});

// What each role may, written out by hand: a page that changes something, and who gets it.
const ACTIONS = {
  '/accounts/{account}/projects/new': ['owner', 'admin', 'developer'],
  '/accounts/{account}/members/invite': ['owner', 'admin'],
  '/accounts/{account}/members/{user}/role': ['owner', 'admin'],
  '/accounts/{account}/members/{user}/remove': ['owner', 'admin'],
  '/accounts/{account}/members/invitations/{link}/withdraw': ['owner', 'admin'],
  '/accounts/{account}/keys': ['owner', 'admin', 'developer', 'auditor'],
  '/accounts/{account}/projects': ROLES,
  '/accounts/{account}/members': ['owner', 'admin', 'developer', 'auditor'],
  '/accounts/{account}/usage': ROLES,
  '/accounts/{account}/audit': ['owner', 'admin', 'auditor'],
  '/accounts/{account}/requests': ['owner', 'admin', 'developer', 'auditor'],
  '/projects/{project}': ROLES,
  '/projects/{project}/archive': ['owner', 'admin', 'developer'],
  '/projects/{project}/keys/new': ['owner', 'admin', 'developer'],
  '/projects/{project}/keys/{key}': ['owner', 'admin', 'developer', 'auditor'],
  '/projects/{project}/keys/{key}/rename': ['owner', 'admin', 'developer'],
  '/projects/{project}/keys/{key}/rotate': ['owner', 'admin', 'developer'],
  '/projects/{project}/keys/{key}/disable': ['owner', 'admin', 'developer'],
  '/projects/{project}/keys/{key}/delete': ['owner', 'admin', 'developer'],
};

for (const role of ROLES) {
  test(`the role ${role} gets its pages and no others, and no link leads to one that it does not get`, async () => {
    const { url } = await tollgate.api('POST', `accounts/${one.ids.account}/members`, { email: `another-${role}@one.example`, role });
    const client = await joined(url);
    for (const [route, may] of Object.entries(ACTIONS)) {
      const path = filled(route, one.ids);
      const { status, text } = await client.get(path);
      const denied = may.includes(role) ? 200 : 403;
      assert.ok(status === denied || (denied === 200 && status === 403 && text.includes('owner')), `${role} GET ${path}: ${status}`);
      if (denied === 403) {
        const sent = await client.post(path, { ...hiddenFields(text), name: 'x', display_name: 'x' });
        assert.ok([403, 405].includes(sent.status), `${role} POST ${path}: ${sent.status}`);
      }
    }
    await followAllLinks(client);
  });
}

/** Every link of the pages that a member is led to. */
async function followAllLinks(client) {
  const start = (await client.get('/')).location;
  const { text } = await client.get(start);
  const links = new Set([...text.matchAll(/href="(\/[^"#]*)"/g)].map(([, path]) => path.replaceAll('&#38;', '&').replaceAll('&amp;', '&')));
  for (const path of links) {
    const { status } = await client.get(path);
    assert.ok(status < 400, `a link to ${path}: ${status}`);
  }
}
