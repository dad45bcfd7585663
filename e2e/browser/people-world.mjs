// People of the world: a second member with a second factor, an open invitation, links, sessions and tokens.

import { createHmac } from 'node:crypto';
import { Client, hiddenFields } from './client.mjs';
import { OWNER, signIn } from './people.mjs';

export const SECOND = { email: 'second@example.com', password: 'more plain words here' };

/** Adds them to a world that has an account and its owner. */
export async function addPeople(world) {
  const { tollgate, account, client } = world;
  const members = `accounts/${account}/members`;
  const invite = async (email, role) => tollgate.api('POST', members, { email, role });
  const path = ({ url }) => url.slice(tollgate.url.length);

  world.second = new Client(tollgate.url);
  await world.second.send(path(await invite(SECOND.email, 'developer')), { password: SECOND.password });
  world.secondUser = (await tollgate.api('GET', members)).members.find((one) => one.email === SECOND.email).userId;
  const open = await invite('third-with-a-rather-long-address@customers.example.com', 'billing');
  world.invitation = { id: open.invitation.invitationId, path: path(open) };
  world.invitationOfOwner = path(await otherAccount(world));
  world.reset = path(await tollgate.api('POST', 'resetLinks', { email: SECOND.email }));

  await client.send('/me/tokens/new', { display_name: 'laptop', days: '90' });
  await signIn(tollgate, OWNER);
  const mine = (await client.get('/me')).text;
  world.token = mine.match(/\/me\/tokens\/([^/"]+)\/delete/)[1];
  world.session = mine.match(/\/me\/sessions\/([^/"]+)\/end"/)[1];

  world.factor = await switchFactorOn(world.second);
  world.pending = await signIn(tollgate, SECOND);
}

/** An invitation of the owner into an account of somebody else. */
async function otherAccount({ tollgate }) {
  const made = await tollgate.api('POST', 'accounts', { displayName: 'Another account', ownerEmail: OWNER.email });
  return { url: made.invitationUrl };
}

/** Switches the second factor on, as an app would: the secret in base 32. */
export async function switchFactorOn(client) {
  const { text } = await client.get('/me/factor/on');
  const secret = text.match(/secret=([A-Z2-7]+)/)?.[1] ?? text.match(/[A-Z2-7]{32}/)[0];
  const answer = await client.post('/me/factor/on', { ...hiddenFields(text), code: code(secret) });
  if (answer.status !== 200) throw new Error(`the second factor is not on: ${answer.status}`);
  return { secret, codes: answer.text.match(/<code>([^<]+)<\/code>/)[1].trim().split('\n') };
}

/** The six digits of RFC 6238 for a secret, some steps of 30 seconds from now. */
export function code(secret, steps = 0) {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + steps));
  const digest = createHmac('sha1', bytes(secret)).update(counter).digest();
  const at = digest.at(-1) & 15;
  return String((digest.readUInt32BE(at) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}

function bytes(secret) {
  const bits = [...secret].map((letter) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0')).join('');
  return Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
}
