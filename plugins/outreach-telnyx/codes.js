// Telnyx's error codes in the contract's words, with Telnyx's own titles.
//
// Source: developers.telnyx.com/docs/messaging/messages/error-codes (messaging) and
// developers.telnyx.com/development/api-fundamentals/api-errors (account). Whose fault each is, is our reading of its cause.

const optedOut = { kind: 'opted-out' };
const dead = (word) => ({ kind: 'dead', word });
// This letter is at fault, or was too late; the next may arrive.
const letter = (word) => ({ kind: 'letter', word });
// A carrier that is busy, a server that is down.
const mayPass = { kind: 'may-pass' };
// We send more than we may; ends by itself.
const limit = { kind: 'limit' };
const setUp = (cure) => ({ kind: 'set-up', cure });

const account = setUp("account: Telnyx holds it back (balance, verification, or a block); see the portal");
const key = setUp('endpoint: Telnyx refused our API key');
const profile = setUp('messaging_profile_id: name a profile that is enabled and has a number');
const register = setUp('from: register the number (10DLC campaign, toll-free verification)');
const sender = setUp("from: this number is not the account's, or not enabled for texts");

const table = new Map([
  [10001, ['Inactive phone number', sender]],
  [10002, ['Invalid phone number', dead('invalid-address')]],
  [10007, ['Unexpected error', mayPass]],
  [10008, ['Request timeout', mayPass]],
  [10009, ['Authentication failed', key]],
  [10010, ['Authorization failed', key]],
  [10011, ['Too many requests', mayPass]],
  [10016, ['Phone number must be in +E.164 format', dead('invalid-address')]],
  [10039, ['Only pre-verified destinations are allowed at this account level', account]],
  [20002, ['API key revoked', key]],
  [20006, ['Expired access token', key]],
  [20012, ['Account inactive', account]],
  [20013, ['Account blocked', account]],
  [20014, ['Account unverified', account]],
  [20015, ['Feature not enabled', account]],
  [20016, ['Account not level 1 verified', account]],
  [20017, ['Account not level 2 verified', account]],
  [20100, ['Insufficient funds', account]],
  [40001, ['Not routable', dead('unreachable')]],
  [40002, ['Blocked as spam (temporary)', letter('filtered')]],
  [40003, ['Blocked as spam (permanent)', sender]],
  [40004, ['Rejected by destination', mayPass]],
  [40005, ['Message expired during transmission', letter('expired')]],
  [40006, ['Recipient server unavailable', mayPass]],
  [40008, ['Undeliverable', dead('unreachable')]],
  [40009, ['Invalid message body', letter('filtered')]],
  [40010, ['Not 10DLC registered', register]],
  [40011, ['Too many requests (upstream)', limit]],
  [40012, ['Invalid messaging destination number', dead('invalid-address')]],
  [40013, ['Invalid messaging source number', sender]],
  [40014, ['Message expired in queue', letter('expired')]],
  [40015, ['Blocked as spam (internal)', letter('filtered')]],
  [40016, ['T-Mobile 10DLC sending limit reached', limit]],
  [40017, ['AT&T 10DLC spam message rejected', letter('filtered')]],
  [40018, ['AT&T 10DLC sending limit reached', limit]],
  [40100, ['Number not messaging enabled', sender]],
  [40150, ['Toll-free number not in voice registry', sender]],
  [40151, ['Message enablement pending with other provider', sender]],
  [40300, ['Blocked due to STOP message', optedOut]],
  [40301, ["Unsupported message type for the 'to' address", dead('unreachable')]],
  [40302, ['Message too large', letter('too-long')]],
  [40305, ["Invalid 'from' address", sender]],
  [40306, ['Alpha sender not configured', sender]],
  [40308, ["Invalid 'from' address for MMS", sender]],
  [40309, ['Invalid destination region', setUp("messaging_profile_id: allow the patient's country in the profile")]],
  [40310, ["Invalid 'to' address", dead('invalid-address')]],
  [40311, ['Invalid messaging profile secret', profile]],
  [40312, ['Messaging profile is disabled', profile]],
  [40313, ['Missing messaging profile secret', profile]],
  [40314, ['Messaging disabled on account', account]],
  [40315, ["Unhealthy 'from' address", sender]],
  [40316, ['No content provided for message', letter('empty')]],
  [40318, ['Message queue full', limit]],
  [40319, ["Incompatible message type for the 'to' address", dead('unreachable')]],
  [40320, ["Temporarily unusable 'from' address", sender]],
  [40321, ['No usable numbers on messaging profile', profile]],
  [40322, ['Blocked due to content', letter('filtered')]],
  [40328, ['SMS exceeds recommended size', letter('too-long')]],
  [40329, ['Toll-free number not yet verified', register]],
  [40333, ['Spend limit of the messaging profile reached', limit]],
]);

export function meaning(code) {
  return table.get(code)?.[1] ?? { kind: 'unlisted' };
}

// As people read it: `Telnyx error 40001: Not routable`.
export function title(code) {
  const known = table.get(code);
  return known ? `Telnyx error ${code}: ${known[0]}` : `Telnyx error ${code}`;
}

// The word for a message that Telnyx reports as failed. An error that nobody has told us of may pass.
export function undeliveredWord(code) {
  const told = meaning(code);
  switch (told.kind) {
    case 'opted-out':
      return 'opted-out';
    case 'dead':
    case 'letter':
      return told.word;
    case 'limit':
    case 'set-up':
      return 'sender';
    case 'may-pass':
      return 'passing';
    default:
      return code === 0 ? 'unreachable' : 'passing';
  }
}

// What is to be done about a fault that is ours.
export function cureOf(code) {
  const told = meaning(code);
  if (told.kind === 'set-up') return `${told.cure} (${title(code)})`;
  if (told.kind === 'limit') return `send less, or ask for more (${title(code)})`;
  return undefined;
}
