// What Telnyx's answer to a message means.
import { meaning, title } from './codes.js';

// A 429 clears within seconds, an outage within minutes; a Retry-After beyond a day is no plan but a mistake.
const busySeconds = 10;
const outageSeconds = 60;
const retrySecondsMax = 86400;

// A day's limit ends within a day: eighteen tries, as many as the host makes, outlast it.
const limitSeconds = 5400;

export function judge(response) {
  if (response.tag !== 'http') throw misconfigured('endpoint: name an HTTP endpoint; this one does not speak HTTP');
  const { status, headers, body } = response.val;
  const said = parse(body);
  if (status === 200 || status === 201 || status === 202) {
    const parts = Number(said?.data?.parts);
    return {
      outcome: { tag: 'accepted' },
      vendorId: typeof said?.data?.id === 'string' ? said.data.id : '',
      parts: Number.isInteger(parts) && parts > 0 && parts < 100 ? parts : 1,
      extras: [],
    };
  }
  const code = Number(said?.errors?.[0]?.code) || 0;
  const told = meaning(code);
  switch (told.kind) {
    case 'set-up':
      throw misconfigured(`${told.cure} (${title(code)})`);
    case 'opted-out':
      throw refused('opted-out', code);
    case 'dead':
    case 'letter':
      throw refused(told.word, code);
    case 'limit':
      throw later(limitSeconds, title(code));
    case 'may-pass':
      throw later(wait(status, headers), `Telnyx answered ${status} with error ${code}`);
  }
  if (status === 401 || status === 403) throw misconfigured('endpoint: Telnyx refused our API key');
  if (status === 408 || status === 429 || status >= 500) {
    throw later(wait(status, headers), `Telnyx answered ${status} with error ${code}`);
  }
  throw { tag: 'other', val: `Telnyx answered ${status} with error ${code}` };
}

function wait(status, headers) {
  const asked = Number(headers.find((it) => it.name === 'retry-after')?.value);
  const usual = status >= 500 ? outageSeconds : busySeconds;
  return Math.min(Math.max(Number.isInteger(asked) ? asked : usual, 1), retrySecondsMax);
}

function refused(word, code) {
  return { tag: 'refused', val: { code: word, reason: title(code) } };
}

function later(seconds, reason) {
  return { tag: 'retry-after', val: { seconds, reason } };
}

export function misconfigured(cure) {
  return { tag: 'misconfigured', val: cure };
}

function parse(body) {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
