// What Telnyx tells us: a patient's reply, or how a message fared. The number and the words arrive as tokens.

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
  sending_failed: { tag: 'undeliverable', val: 'unreachable' },
  delivery_failed: { tag: 'undeliverable', val: 'unreachable' },
};

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
      const outcome = outcomes[field('data.payload.to[].status')];
      if (outcome === undefined) return [];
      const receipt = { outcome, vendorId, parts: 1, extras: extras(field('data.payload.errors[].code')) };
      return [{ tag: 'status', val: { vendorId, receipt } }];
    }
    default:
      return [];
  }
}

function extras(code) {
  return code === undefined ? [] : [{ name: 'error', value: code }];
}
