// The pages for people, in the form of pages.mjs. `as` names who looks: a client of the world.

import { sendEmpty, sendForm } from './steps.mjs';

const MEMBERS = '/accounts/{account}/members';
const member = (below) => ({ account, secondUser }) => `/accounts/${account}/members/${secondUser}${below}`;
const invite = ({ account }) => `/accounts/${account}/members/invite`;

export const PEOPLE_PAGES = [
  { name: 'members', route: MEMBERS, at: ({ account }) => `/accounts/${account}/members` },
  { name: 'members-seen', route: MEMBERS, as: 'second', at: ({ account }) => `/accounts/${account}/members` },
  { name: 'member-invite', route: `${MEMBERS}/invite`, at: invite },
  { name: 'member-invite-wrong', route: `${MEMBERS}/invite`, at: invite, open: sendEmpty('Invite') },
  { name: 'member-invited', route: `${MEMBERS}/invite`, at: invite, open: sendForm('Invite', { 'E-mail address': 'fourth@example.com' }) },
  { name: 'member-role', route: `${MEMBERS}/{user}/role`, at: member('/role') },
  { name: 'member-remove', route: `${MEMBERS}/{user}/remove`, at: member('/remove') },
  { name: 'invitation-withdraw', route: `${MEMBERS}/invitations/{link}/withdraw`, at: ({ account, invitation }) => `/accounts/${account}/members/invitations/${invitation.id}/withdraw` },
  { name: 'leave', route: '/accounts/{account}/leave', as: 'second', at: ({ account }) => `/accounts/${account}/leave` },
  { name: 'invitation', route: '/invitation', nobody: true, at: ({ invitation }) => invitation.path },
  { name: 'invitation-wrong', route: '/invitation', nobody: true, at: ({ invitation }) => invitation.path, open: sendEmpty('Accept and sign in') },
  { name: 'invitation-mine', route: '/invitation', at: ({ invitationOfOwner }) => invitationOfOwner },
  { name: 'invitation-of-another', route: '/invitation', as: 'second', at: ({ invitationOfOwner }) => invitationOfOwner },
  { name: 'invitation-sign-in', route: '/invitation', nobody: true, at: ({ invitationOfOwner }) => invitationOfOwner },
  { name: 'invitation-dead', route: '/invitation', nobody: true, at: () => '/invitation?token=dead', status: 404 },
  { name: 'reset', route: '/reset', nobody: true, at: () => '/reset' },
  { name: 'reset-new', route: '/reset/new', nobody: true, at: ({ reset }) => reset },
  { name: 'reset-new-wrong', route: '/reset/new', nobody: true, at: ({ reset }) => reset, open: sendEmpty('Set password') },
  { name: 'reset-dead', route: '/reset/new', nobody: true, at: () => '/reset/new?token=dead', status: 404 },
  { name: 'sign-in-code', route: '/sign-in/code', as: 'pending', at: () => '/sign-in/code' },
  { name: 'sign-in-code-wrong', route: '/sign-in/code', as: 'pending', at: () => '/sign-in/code', open: sendEmpty('Sign in') },
  { name: 'me', route: '/me', at: () => '/me' },
  { name: 'me-with-factor', route: '/me', as: 'second', at: () => '/me' },
  { name: 'me-password', route: '/me/password', at: () => '/me/password' },
  { name: 'me-password-wrong', route: '/me/password', at: () => '/me/password', open: sendEmpty('Save') },
  { name: 'me-factor-on', route: '/me/factor/on', at: () => '/me/factor/on' },
  { name: 'me-factor-on-wrong', route: '/me/factor/on', at: () => '/me/factor/on', open: sendEmpty('Switch on') },
  { name: 'me-factor-off', route: '/me/factor/off', as: 'second', at: () => '/me/factor/off' },
  { name: 'me-factor-codes', route: '/me/factor/codes', as: 'second', at: () => '/me/factor/codes' },
  { name: 'me-sessions-end-others', route: '/me/sessions/end-others', at: () => '/me/sessions/end-others' },
  { name: 'me-session-end', route: '/me/sessions/{session}/end', at: ({ session }) => `/me/sessions/${session}/end` },
  { name: 'me-token-new', route: '/me/tokens/new', at: () => '/me/tokens/new' },
  { name: 'me-token-new-wrong', route: '/me/tokens/new', at: () => '/me/tokens/new', open: sendEmpty('Make token') },
  { name: 'me-token-delete', route: '/me/tokens/{token}/delete', at: ({ token }) => `/me/tokens/${token}/delete` },
];
