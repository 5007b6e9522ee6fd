// What Telnyx tells us: a patient's reply, or how a message fared. The number and the words arrive as tokens.

import { cureOf, undeliveredWord } from './codes.js';

export const clearFields = [
  'data.event_type',
  'data.payload.id',
  'data.payload.parts',
  'data.payload.to[].status',
  'data.payload.errors[].code',
];

// Telnyx's delivery statuses. One that it invents tomorrow is acknowledged and changes nothing.
const outcomes = {
  queued: { tag: 'accepted' },
  sending: { tag: 'accepted' },
  sent: { tag: 'accepted' },
  delivered: { tag: 'delivered' },
  // The carrier does not say whether it arrived.
  delivery_unconfirmed: { tag: 'accepted' },
};

const failures = ['sending_failed', 'delivery_failed', 'expired'];

export function read(callback) {
  const field = (name) => callback.fields.find((it) => it.name === name)?.value;
  const vendorId = field('data.payload.id');
  if (vendorId === undefined) return [];
  switch (field('data.event_type')) {
    case 'message.received': {
      const from = field('data.payload.from.phone_number');
      const text = field('data.payload.text');
      if (from === undefined || text === undefined) return [];
      return [{ tag: 'reply', val: { from, text, vendorId } }];
    }
    case 'message.sent':
    case 'message.finalized': {
      const status = field('data.payload.to[].status');
      const code = Number(field('data.payload.errors[].code')) || 0;
      const outcome = failures.includes(status) ? { tag: 'undeliverable', val: word(status, code) } : outcomes[status];
      if (outcome === undefined) return [];
      const receipt = { outcome, vendorId, parts: 1, extras: extras(code) };
      return [{ tag: 'status', val: { vendorId, receipt } }];
    }
    default:
      return [];
  }
}

function word(status, code) {
  return status === 'expired' && code === 0 ? 'expired' : undeliveredWord(code);
}

function extras(code) {
  if (code === 0) return [];
  const cure = cureOf(code);
  return [{ name: 'error', value: `${code}` }, ...(cure === undefined ? [] : [{ name: 'cure', value: cure }])];
}
