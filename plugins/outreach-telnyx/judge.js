// What Telnyx's answer to a message means (developers.telnyx.com, API errors).

// A 429 clears within seconds, an outage within minutes; a Retry-After beyond a day is no plan but a mistake.
const busySeconds = 10;
const outageSeconds = 60;
const retrySecondsMax = 86400;

// Never this way, and what the workflow calls it.
const refusals = {
  10001: 'invalid-address',
  40001: 'unreachable',
  40300: 'opted-out',
  40310: 'invalid-address',
  40302: 'too-long',
};

// The practice's own account, number or profile.
const setUps = {
  10009: 'endpoint: Telnyx refused our API key',
  20100: "endpoint: the account's balance is spent",
  40305: "from: this number is not the account's, or not enabled for texts",
  40312: 'messaging_profile_id: the profile is disabled',
  40010: 'from: the number is not registered for 10DLC',
};

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
  if (setUps[code]) throw misconfigured(`${setUps[code]} (Telnyx error ${code})`);
  if (refusals[code]) throw { tag: 'refused', val: { code: refusals[code], reason: `Telnyx error ${code}` } };
  if (status === 401 || status === 403) throw misconfigured('endpoint: Telnyx refused our API key');
  if (status === 408 || status === 429 || status >= 500) {
    const asked = Number(headers.find((it) => it.name === 'retry-after')?.value);
    const usual = status >= 500 ? outageSeconds : busySeconds;
    const seconds = Math.min(Math.max(Number.isInteger(asked) ? asked : usual, 1), retrySecondsMax);
    throw { tag: 'retry-after', val: { seconds, reason: `Telnyx answered ${status} with error ${code}` } };
  }
  throw { tag: 'other', val: `Telnyx answered ${status} with error ${code}` };
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
