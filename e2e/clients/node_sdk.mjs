// The official Sinch SDK for Node.js, as it comes, against a running Tollgate and its sample API.
//
// It is pointed at both by its own configuration. Between them stand two plain forwarders, which remember what was asked. The
// addresses and the credentials come from the environment, and the file that moves the server's clock.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import sdk from '@sinch/sdk-core';

const {
  TOLLGATE_URL: URL_,
  TOLLGATE_SAMPLE_URL: SAMPLE_URL,
  TOLLGATE_PROJECT_ID: PROJECT_ID,
  TOLLGATE_SUBPROJECT_ID: SUBPROJECT_ID,
  TOLLGATE_KEY_ID: KEY_ID,
  TOLLGATE_KEY_SECRET: KEY_SECRET,
  TOLLGATE_SERVICE_PLAN_ID: SERVICE_PLAN_ID,
  TOLLGATE_API_TOKEN: API_TOKEN,
  TOLLGATE_CLOCK: CLOCK,
} = process.env;
const BASIC = `Basic ${Buffer.from(`${KEY_ID}:${KEY_SECRET}`).toString('base64')}`;
const batches = (id) => `/xms/v1/${id}/batches`;

const auth = await forwarder(URL_);
const api = await forwarder(SAMPLE_URL);
try {
  await sendsInProjectMode();
  await sendsInServicePlanMode();
  await listsNumbers();
  await refreshesOnceAfterTheEndOfAToken();
  await doesNotLoopOnARevokedToken();
  await showsWhatADenialSays();
} finally {
  auth.close();
  api.close();
}

function projectClient(projectId = PROJECT_ID) {
  return new sdk.SinchClient({
    projectId,
    keyId: KEY_ID,
    keySecret: KEY_SECRET,
    authHostname: auth.url,
    numbersHostname: api.url,
    smsHostname: api.url,
  });
}

function planClient(apiToken = API_TOKEN) {
  return new sdk.SinchClient({ servicePlanId: SERVICE_PLAN_ID, apiToken, smsHostname: api.url });
}

function send(client, body = 'Hello') {
  const sendSMSRequestBody = { to: ['+12025550134'], from: '+12025550100', body };
  return client.sms.batches.sendTextMessage({ sendSMSRequestBody });
}

async function sendsInProjectMode() {
  for (const project of [PROJECT_ID, SUBPROJECT_ID]) {
    const id = await goesTheRound(projectClient(project), batches(project));
    assert.deepEqual(auth.take(), ['POST /oauth2/token 200']);
    console.log(`ok: sends, reads, lists and cancels batch ${id} in project mode`);
  }
}

async function sendsInServicePlanMode() {
  const id = await goesTheRound(planClient(), batches(SERVICE_PLAN_ID));
  assert.deepEqual(auth.take(), []);
  console.log(`ok: sends, reads, lists and cancels batch ${id} in service plan mode`);
}

/** Everything that can be done with a batch. */
async function goesTheRound(client, path) {
  const reference = `node-${path}`;
  const sent = await send(client);
  assert.deepEqual([sent.id.length, sent.to, sent.from, sent.canceled], [26, ['12025550134'], '12025550100', false]);
  assert.ok(sent.created_at instanceof Date);
  assert.deepEqual(api.take(), [`POST ${path} 201`]);
  assert.deepEqual(await client.sms.batches.get({ batch_id: sent.id }), sent);
  for (const body of ['one', 'two', 'three']) {
    const sendSMSRequestBody = { to: ['+12025550134'], body, client_reference: reference };
    await client.sms.batches.send({ sendSMSRequestBody });
  }
  const listed = [];
  for await (const batch of client.sms.batches.list({ page_size: 2, client_reference: reference })) listed.push(batch.body);
  assert.deepEqual(listed, ['three', 'two', 'one']);
  const dry = await client.sms.batches.dryRun({
    per_recipient: true,
    dryRunRequestBody: { to: ['+12025550134', '+12025550135'], from: '+12025550100', body: 'Zażółć '.repeat(11), type: 'mt_text' },
  });
  assert.deepEqual([dry.number_of_recipients, dry.number_of_messages, dry.per_recipient[0].encoding], [2, 4, 'unicode']);
  assert.equal((await client.sms.batches.cancel({ batch_id: sent.id })).canceled, true);
  assert.equal((await client.sms.deliveryReports.get({ batch_id: sent.id })).total_message_count, 1);
  api.take();
  return sent.id;
}

async function listsNumbers() {
  const client = projectClient();
  const list = async (regionCode, type) => {
    const numbers = [];
    for await (const number of client.numbers.list({ regionCode, type })) numbers.push([number.phoneNumber, number.projectId]);
    return numbers;
  };
  assert.deepEqual(await list('US', 'LOCAL'), [['+12025550134', PROJECT_ID]]);
  assert.deepEqual(await list('SE', 'MOBILE'), []);
  assert.deepEqual(auth.take(), ['POST /oauth2/token 200']);
  api.take();
  console.log('ok: lists numbers');
}

// The client's own clock stands, so that it is the server that says the token has ended.
async function refreshesOnceAfterTheEndOfAToken() {
  const client = projectClient();
  const path = batches(PROJECT_ID);
  await send(client);
  const first = api.authorization();
  assert.equal(auth.take().length, 1);
  api.take();
  await moveClock(4_000);
  await send(client);
  assert.deepEqual(api.take(), [`POST ${path} 401`, `POST ${path} 201`]);
  assert.deepEqual(auth.take(), ['POST /oauth2/token 200']);
  await send(client);
  assert.deepEqual([api.take(), auth.take()], [[`POST ${path} 201`], []]);
  assert.notEqual(api.authorization(), first);
  console.log('ok: refreshes once after a token has really expired');
}

async function doesNotLoopOnARevokedToken() {
  const client = projectClient();
  await send(client);
  auth.take();
  api.take();
  const token = api.authorization().replace(/^Bearer /, '');
  const body = new URLSearchParams({ token });
  assert.equal((await fetch(`${URL_}/oauth2/revoke`, { method: 'POST', headers: { authorization: BASIC }, body })).status, 200);
  await assert.rejects(send(client), (error) => error.statusCode === 401);
  assert.deepEqual(api.take(), [`POST ${batches(PROJECT_ID)} 401`]);
  assert.deepEqual(auth.take(), []);
  console.log('ok: does not loop on a revoked token');
}

async function showsWhatADenialSays() {
  const wrong = API_TOKEN.slice(0, -1) + (API_TOKEN.endsWith('A') ? 'B' : 'A');
  await assert.rejects(send(planClient(wrong)), (error) => error.statusCode === 401);
  const stranger = projectClient('01995a31-0000-7000-8000-000000000000');
  await assert.rejects(stranger.numbers.list({ regionCode: 'US', type: 'LOCAL' }), (error) => {
    assert.equal(error.statusCode, 403);
    assert.ok(JSON.stringify(error.data).includes(KEY_ID), error.data);
    return true;
  });
  const unknown = planClient().sms.batches.get({ batch_id: '01HZX3J6T4W8QK5N2B7R9C0DYE' });
  await assert.rejects(unknown, (error) => error.statusCode === 404);
  console.log('ok: shows what a denial says');
}

/** Moves the server's clock on, and waits until the server shows it. */
async function moveClock(seconds) {
  const ahead = Number(readFileSync(CLOCK, 'utf8')) + seconds;
  writeFileSync(CLOCK, `+${ahead}\n`);
  for (let tries = 0; tries < 100; tries += 1) {
    const answer = await fetch(`${URL_}/livez`);
    assert.equal(answer.status, 200);
    if (Date.parse(answer.headers.get('date')) - Date.now() > (ahead - 60) * 1000) return;
    await sleep(100);
  }
  assert.fail("the server's clock did not move");
}

/** Passes requests on to `target`, and remembers them. */
async function forwarder(target) {
  const asked = [];
  let taken = 0;
  const server = createServer((incoming, outgoing) => {
    const { method, url: path, headers } = incoming;
    const passed = request(new URL(path, target), { method, headers: { ...headers, host: new URL(target).host } }, (answer) => {
      asked.push({ line: `${method} ${path} ${answer.statusCode}`, authorization: headers.authorization });
      outgoing.writeHead(answer.statusCode, answer.rawHeaders);
      answer.pipe(outgoing);
    });
    passed.on('error', (error) => outgoing.destroy(error));
    incoming.pipe(passed);
  });
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    /** What was asked since the last time. */
    take() {
      const lines = asked.slice(taken).map(({ line }) => line);
      taken = asked.length;
      return lines;
    },
    /** With what the last request authenticated. */
    authorization: () => asked.at(-1).authorization,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
