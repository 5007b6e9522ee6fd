// Carries letters as text messages through Telnyx (Messaging API v2: POST /v2/messages) and reads its webhooks.
import { clearFields, read } from './webhook.js';
import { judge, misconfigured } from './judge.js';

export const carrier = {
  compose(letter, text) {
    const settings = readSettings(text);
    if (letter.channel !== 'sms') {
      throw misconfigured("outreach-telnyx carries sms only: give the workflow's email and portal to another plugin");
    }
    const message = { to: letter.to, text: letter.text, tags: [letter.id] };
    if (settings.from) message.from = settings.from;
    if (settings.messaging_profile_id) message.messaging_profile_id = settings.messaging_profile_id;
    if (letter.callbackUrl) message.webhook_url = letter.callbackUrl;
    return {
      tag: 'ask',
      val: {
        endpoint: settings.endpoint ?? 'sms',
        request: {
          tag: 'http',
          val: {
            method: 'post',
            path: '/v2/messages',
            query: [],
            headers: [],
            body: { tag: 'json', val: JSON.stringify(message) },
          },
        },
        reveal: ['data.id', 'data.parts', 'errors[].code'],
        state: 'send',
      },
    };
  },

  resume(_state, response, text) {
    readSettings(text);
    return { tag: 'done', val: judge(response) };
  },

  // Telnyx has no list of messages by recipient: a letter in doubt is a person's to decide.
  lookup() {
    throw { tag: 'refused', val: { code: 'no-lookup', reason: 'Telnyx cannot be asked whether it took a message' } };
  },

  clearFields() {
    return clearFields;
  },

  // Ed25519 over `timestamp|body`, as developers.telnyx.com has it under webhook signing.
  authenticate(callback, text) {
    const settings = readSettings(text);
    const header = (name) => callback.headers.find((it) => it.name === name)?.value ?? '';
    const stamp = header('telnyx-timestamp');
    if (!/^[0-9]{1,12}$/.test(stamp)) return [];
    return [
      {
        algorithm: 'ed25519',
        secret: settings.public_key_secret,
        message: [{ tag: 'text', val: `${stamp}|` }, { tag: 'body' }],
        signature: header('telnyx-signature-ed25519'),
        encoding: 'base64',
        signedAt: BigInt(stamp) * 1000n,
        maxAgeSeconds: 300,
      },
    ];
  },

  receive(callback) {
    return { events: read(callback), status: 200, contentType: 'application/json', body: '{}' };
  },
};

function readSettings(text) {
  let settings;
  try {
    settings = JSON.parse(text);
  } catch {
    throw misconfigured('settings: no JSON');
  }
  if (settings === null || typeof settings !== 'object' || Array.isArray(settings)) {
    throw misconfigured('settings: write `from` and `public_key_secret`');
  }
  const { from, messaging_profile_id, public_key_secret, endpoint } = settings;
  if (!isText(from) && !isText(messaging_profile_id)) {
    throw misconfigured('from: write the sending number, or messaging_profile_id');
  }
  if (!isText(public_key_secret)) {
    throw misconfigured("public_key_secret: name the secret that holds Telnyx's public key");
  }
  if (endpoint !== undefined && !isText(endpoint)) throw misconfigured('endpoint: write its name');
  return settings;
}

function isText(value) {
  return typeof value === 'string' && value !== '';
}
