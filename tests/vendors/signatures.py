"""Vendors' own validators beside ours: the same requests, to Twilio's and Telnyx's SDKs and to a running Handoff.

    signatures.py HANDOFF

What a validator accepts the house must accept, and refuse what it refuses; and what is played again must change nothing.
"""

import base64
import http.client
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
from urllib.parse import parse_qsl, urlencode, urlsplit

from nacl.signing import SigningKey
from telnyx.lib.webhook_verification import WebhookVerificationError, verify_webhook_signature
from twilio.request_validator import RequestValidator, get_signature_algorithm

BASE = "https://handoff.example"
SMS = f"{BASE}/callback/sms"
TOKEN, SHARED_KEY = "a test's auth token", "a test's shared key"
TELNYX_KEY = SigningKey(bytes(range(32)))
TELNYX_PUBLIC = base64.b64encode(bytes(TELNYX_KEY.verify_key)).decode()

# For the daemon to open its doors: a debug build, on a machine that builds beside it.
OPEN_WITHIN_SECONDS = 120

FORM, JSON = "application/x-www-form-urlencoded", "application/json"
SHA256 = {"X-Twilio-Webhooks-Signature-Settings": "key=webhooks_sharedkey_1,algorithm=HMAC_SHA256"}
SHA512 = {"X-Twilio-Webhooks-Signature-Settings": "key=webhooks_sharedkey_1,algorithm=HMAC_SHA512"}


class House:
    """A folder that `init` wrote, served on loopback."""

    def __init__(self, handoff, folder):
        self.handoff, self.folder = handoff, pathlib.Path(folder)
        subprocess.run([handoff, "init", folder], check=True, stdout=subprocess.DEVNULL)
        self.secret("ehr-password", "as-the-practice-chose-it")
        self.secret("webhook-key", "as-the-practice-chose-it")
        self.secret("twilio-auth-token", TOKEN)
        self.secret("twilio-shared-key", SHARED_KEY)
        self.secret("telnyx-key", TELNYX_PUBLIC)
        self.edit("handoff.yaml", "127.0.0.1:2575", "127.0.0.1:0")
        self.edit("handoff.yaml", "127.0.0.1:8443", "127.0.0.1:0")
        self.edit("handoff.yaml", "    # public_url: https://handoff.example.org", f"    public_url: {BASE}")
        self.edit("handoff.yaml", "    sources: [webhook]", "    sources: [webhook, telnyx]")
        self.edit("handoff.yaml", "format: text", "format: json")
        named = "".join(f"  {name}:\n    file: keys/{name}\n" for name in ("twilio-shared-key", "telnyx-key"))
        self.edit("handoff.yaml", "secrets:\n", f"secrets:\n{named}")
        self.append("workflows/settings/sms.yaml", f"callback_url: {SMS}\nshared_key_secret: twilio-shared-key\n")
        signature = (
            "{ algorithm: ed25519, header: telnyx-signature-ed25519, timestamp_header: telnyx-timestamp, "
            'timestamp_separator: "|", encoding: base64, secret: telnyx-key }'
        )
        telnyx = f"    telnyx: {{ plugin: trigger-webhook, settings: {{ signature: {signature} }} }}\n"
        self.edit("workflows/referral.yaml", "  trigger:\n", f"  trigger:\n{telnyx}")

    def secret(self, name, text):
        path = self.folder / "keys" / name
        path.write_text(text)
        path.chmod(0o600)

    def edit(self, file, old, new):
        path = self.folder / file
        text = path.read_text()
        assert old in text, f"{file} has no {old!r}"
        path.write_text(text.replace(old, new, 1))

    def append(self, file, text):
        with open(self.folder / file, "a") as settings:
            settings.write(text)

    def __enter__(self):
        log = open(self.folder / "log", "w+")
        config = str(self.folder / "handoff.yaml")
        self.process = subprocess.Popen([self.handoff, "serve", "--config", config], stderr=log)
        deadline = time.monotonic() + OPEN_WITHIN_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            for line in (self.folder / "log").read_text().splitlines():
                fields = json.loads(line).get("fields", {}) if line.startswith("{") else {}
                if fields.get("message", "").endswith("over HTTP"):
                    self.address = fields["address"]
                    return self
            time.sleep(0.05)
        sys.exit("the daemon does not listen:\n" + (self.folder / "log").read_text())

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def post(self, url, body, headers):
        """The answer's status and body. The daemon believes itself to be called by its public URL."""
        called = urlsplit(url)
        path = called.path + (f"?{called.query}" if called.query else "")
        connection = http.client.HTTPConnection(self.address, timeout=60)
        connection.request("POST", path, body.encode(), headers)
        answer = connection.getresponse()
        return answer.status, answer.read()

    def refusals(self):
        return [line for line in (self.folder / "log").read_text().splitlines() if "refused" in line]

    def deliveries(self):
        data = str(self.folder / "data")
        exported = subprocess.run([self.handoff, "journal", "export", "--data", data], check=True, capture_output=True)
        entries = [json.loads(line)["entry"] for line in exported.stdout.splitlines()]
        return sum(record["record"] == "delivery" for entry in entries for record in entry["records"])


def twilio_signature(url, params, settings=None, secret=None):
    algorithm = get_signature_algorithm(settings)
    secret = secret or (SHARED_KEY if settings else TOKEN)
    return RequestValidator(secret).compute_signature(url, params, algorithm)


def twilio_believes(url, body, headers):
    settings = headers.get("X-Twilio-Webhooks-Signature-Settings")
    validator = RequestValidator(SHARED_KEY if settings else TOKEN)
    params = body if headers["Content-Type"] == JSON else dict(parse_qsl(body, keep_blank_values=True))
    signature = headers.get("X-Twilio-Signature", "")
    return validator.validate(url, params, signature, get_signature_algorithm(settings))


def telnyx_believes(_url, body, headers):
    try:
        verify_webhook_signature(body, headers, TELNYX_PUBLIC)
        return True
    except WebhookVerificationError:
        return False


def reply(number, text="yes"):
    return {"MessageSid": f"SM{number:032x}", "From": "+15125550143", "To": "+15555550100", "Body": text, "NumMedia": "0"}


def twilio_rows():
    """What it is, URL, body, headers, and whether it is Twilio's."""

    def form(what, params, expected, sent=None, url=SMS, signed_url=None, more={}, **signing):
        settings = more.get("X-Twilio-Webhooks-Signature-Settings")
        signature = twilio_signature(signed_url or url, params, settings, **signing)
        headers = {"Content-Type": FORM, "X-Twilio-Signature": signature, **more}
        return what, url, urlencode(sent or params), headers, expected

    yield form("a reply", reply(1), True)
    yield form("a reply in Spanish", reply(2, "sí, ya tengo cita"), True)
    yield form("a status", {"MessageSid": "SM3", "MessageStatus": "delivered"}, True)
    yield form("an empty text", reply(4, ""), True)
    yield form("by the newer algorithm and a shared key", reply(5), True, more=SHA256)
    yield form("by the newer algorithm and the auth token", reply(6), False, more=SHA256, secret=TOKEN)
    yield form("signed with another token", reply(7), False, secret="another's token")
    yield form("with other words", reply(8), False, sent=reply(8, "no"))
    yield form("with another sender", reply(9), False, sent={**reply(9), "From": "+15125550199"})
    yield form("with a field more", reply(10), False, sent={**reply(10), "OptOutType": "STOP"})
    yield form("with a field less", reply(11), False, sent={"MessageSid": reply(11)["MessageSid"]})
    yield form("signed for another path", reply(12), False, signed_url=f"{BASE}/callback/email")
    yield form("signed for another host", reply(13), False, signed_url="https://other.example/callback/sms")
    yield form("signed for plain HTTP", reply(14), False, signed_url="http://handoff.example/callback/sms")
    yield form("with a query", reply(15), True, url=f"{SMS}?a=1&b=2")
    yield form("with another query", reply(16), False, url=f"{SMS}?a=1&b=3", signed_url=f"{SMS}?a=1&b=2")
    headers = {"Content-Type": FORM}
    yield "unsigned", SMS, urlencode(reply(17)), headers, False
    for number, signature in enumerate(["", "AAAA", "not base64!", "A" * 28]):
        forged = {**headers, "X-Twilio-Signature": signature}
        yield f"signed {signature!r}", SMS, urlencode(reply(18 + number)), forged, False
    unknown = {**headers, **SHA512, "X-Twilio-Signature": twilio_signature(SMS, reply(30), secret=SHARED_KEY)}
    yield "by an algorithm that does not exist", SMS, urlencode(reply(30)), unknown, False

    body = json.dumps({"MessageSid": "SM40", "MessageStatus": "delivered"})
    url = f"{SMS}?bodySHA256={RequestValidator(TOKEN).compute_hash(body)}"
    signed = {"Content-Type": JSON, "X-Twilio-Signature": twilio_signature(url, {})}
    yield "a JSON body", url, body, signed, True
    yield "another JSON body", url, body.replace("delivered", "failed"), signed, False


def telnyx_rows():
    """As Telnyx signs: Ed25519 over `timestamp|body`."""

    def signed(what, expected, seconds_ago=0, key=TELNYX_KEY, sent=None, change={}):
        body = json.dumps({"event": "withdrawn", "referral": f"R-{what}"})
        stamp = str(int(time.time()) - seconds_ago)
        signature = base64.b64encode(key.sign(f"{stamp}|{body}".encode()).signature).decode()
        headers = {"Content-Type": JSON, "Telnyx-Timestamp": stamp, "Telnyx-Signature-Ed25519": signature, **change}
        headers = {name: value for name, value in headers.items() if value is not None}
        return what, f"{BASE}/in/telnyx", sent or body, headers, expected

    yield signed("a webhook", True)
    yield signed("almost five minutes old", True, seconds_ago=280)
    yield signed("late", False, seconds_ago=320)
    yield signed("a day late", False, seconds_ago=86_400)
    yield signed("from the future", False, seconds_ago=-320)
    yield signed("with another key", False, key=SigningKey(bytes(32)))
    yield signed("with another body", False, sent='{"event": "withdrawn", "referral": "R-2"}')
    yield signed("with another time", False, change={"Telnyx-Timestamp": str(int(time.time()) - 1)})
    yield signed("without a time", False, change={"Telnyx-Timestamp": None})
    yield signed("with a senseless time", False, change={"Telnyx-Timestamp": "yesterday"})
    yield signed("unsigned", False, change={"Telnyx-Signature-Ed25519": None})
    yield signed("with half a signature", False, change={"Telnyx-Signature-Ed25519": "AAAA"})


def agree(house, rows, believes):
    """Sends each row; what both accepted is given back."""
    accepted = []
    for what, url, body, headers, expected in rows:
        theirs = believes(url, body, headers)
        status, answer = house.post(url, body, headers)
        assert theirs == expected, f"{what}: the vendor's validator says {theirs}"
        assert (status != 403) == expected, f"{what}: the house answered {status}\n{house.refusals()[-1:]}"
        assert not expected or 200 <= status < 300, f"{what}: the house answered {status} {answer}"
        if expected:
            accepted.append((what, url, body, headers, (status, answer)))
    return accepted


def rewritten(body):
    """The same form, which its signature holds for, in other bytes."""
    pairs = parse_qsl(body, keep_blank_values=True)
    yield urlencode(pairs[::-1])
    yield "&".join(f"{name}={''.join(f'%{byte:02x}' for byte in value.encode())}" for name, value in pairs)


def replay(house, accepted):
    """Played again, whole or written otherwise: answered as before, and nothing is recorded."""
    recorded = house.deliveries()
    assert recorded == len(accepted), f"{recorded} deliveries for {len(accepted)}"
    for what, url, body, headers, answer in accepted:
        bodies = [body, *(rewritten(body) if headers["Content-Type"] == FORM else [])]
        for again in bodies:
            assert house.post(url, again, headers) == answer, f"{what}, played again, was answered otherwise"
    assert house.deliveries() == recorded, "what was played again was recorded again"
    return recorded


def main():
    with tempfile.TemporaryDirectory() as folder, House(os.path.abspath(sys.argv[1]), folder) as house:
        accepted = agree(house, twilio_rows(), twilio_believes) + agree(house, telnyx_rows(), telnyx_believes)
        recorded = replay(house, accepted)
    print(f"Twilio's and Telnyx's validators agree with the house; {recorded} requests accepted, and each once")


main()
