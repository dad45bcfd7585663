// An installation with something of everything: long names, names that look like markup, keys in every state.

import { Client } from './client.mjs';
import { addPeople } from './people-world.mjs';
import { newKey, setUp } from './people.mjs';
import { Tollgate } from './tollgate.mjs';

export const LONG = 'W'.repeat(64);
export const MARKUP = '<b>bold</b> & "quoted" <script>alert(1)</script>';
export const FAR = 'שלום עולם 鍵 🔑 مفتاح';

/** A running installation, and one that nobody has set up yet. */
export async function wholeWorld() {
  const [tollgate, fresh] = await Promise.all([Tollgate.start(), Tollgate.start()]);
  const { client, account, project } = await setUp(tollgate);
  const world = { tollgate, fresh, client, account, project, nobody: new Client(tollgate.url) };
  const { key, secret } = await newKey(client, project, 'billing-worker');
  Object.assign(world, { key, secret });
  world.keys = await manyKeys(world);
  world.user = (await tollgate.api('GET', `accounts/${account}/members`)).members[0].userId;
  await somePlans(world);
  await otherPlaces(world);
  await someCalls(world);
  await addPeople(world);
  world.stop = () => Promise.all([tollgate.stop(), fresh.stop()]);
  return world;
}

async function manyKeys({ tollgate, project }) {
  const make = (displayName, more) => tollgate.api('POST', `projects/${project}/accessKeys`, { displayName, ...more });
  const at = (path, { accessKey }, body) =>
    tollgate.api('POST', `projects/${project}/accessKeys/${accessKey.accessKeyId}/${path}`, body);
  await make(LONG, { expireTime: inSeconds(9 * 86_400) });
  await make(MARKUP, { expireTime: inSeconds(2 * 86_400) });
  await make(FAR);
  await make('ends-at-once', { expireTime: inSeconds(2) });
  await make('rotated-often');
  await at('disable', await make('laptop-test'));
  await at('rotateSecret', await make('old-cron'), { overlapSeconds: 86_400 });
  return Object.fromEntries((await tollgate.keys(project)).map((key) => [key.displayName, key.accessKeyId]));
}

/** A service plan with two API tokens, one that is nearly over; one without any; and names that are hard to show. */
async function somePlans(world) {
  const { tollgate, project } = world;
  const plans = `projects/${project}/servicePlans`;
  const make = (displayName) => tollgate.api('POST', plans, { displayName });
  const main = await make('sms-prod');
  await tollgate.api('POST', `${plans}/${main.servicePlan.servicePlanId}/apiTokens`, { overlapSeconds: 3600 });
  const [without] = [await make(MARKUP), await make(LONG), await make(FAR)];
  await tollgate.api('DELETE', `${plans}/${without.servicePlan.servicePlanId}/apiTokens/${without.apiToken.apiTokenId}`);
  const often = await make('changed-often');
  world.plan = main.servicePlan.servicePlanId;
  world.planToken = main.apiToken.apiTokenId;
  world.often = often.servicePlan.servicePlanId;
}

/** A project without keys, a long list of projects, an account without anything, and a suspended one. */
async function otherPlaces(world) {
  const { tollgate, account } = world;
  const project = async (name, at = account) => (await tollgate.api('POST', `accounts/${at}/projects`, { displayName: name })).projectId;
  const place = async (name) => (await tollgate.api('POST', 'accounts', { displayName: name })).accountId;
  world.bare = await project('numbers-prod');
  await project(MARKUP);
  await project(`${LONG}${LONG}${LONG}`);
  world.archived = await project('over-and-done');
  await tollgate.api('POST', `projects/${world.archived}/archive`);
  world.empty = await place('An account without anything');
  world.suspended = await place('Suspended Ltd');
  world.suspendedProject = await project('stopped', world.suspended);
  await tollgate.api('POST', `accounts/${world.suspended}/suspend`);
}

/** Some that are let through, and one that is denied. */
async function someCalls(world) {
  const { tollgate, project, key, secret } = world;
  const { access_token: token } = await tollgate.askToken(key, secret);
  for (let count = 0; count < 5; count += 1) await tollgate.call(token, `/v1/projects/${project}/hello`);
  world.denied = (await tollgate.call(token, `/v1/projects/${world.bare}/hello`)).request;
}

function inSeconds(seconds) {
  return new Date(Date.now() + seconds * 1000).toISOString();
}
