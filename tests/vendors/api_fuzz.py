"""Schemathesis against a house that runs, once as each role: no request may make it fail, or be answered otherwise than its
own document says.

    python tests/vendors/api_fuzz.py target/debug/handoff [EXAMPLES]
"""

import json
import socket
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

# Who runs the machine comes last: they lock the others out.
ROLES = ["coordinator", "physician", "manager", "auditor", "it"]
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
ONCE, CHOSEN = "a password to be used once", "sixteen geese fly over the sea"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def settle(handoff, folder, port):
    """A house on free ports, with somebody in each role, that takes as many requests as it is sent."""
    subprocess.run([handoff, "init", folder], check=True, stdout=subprocess.DEVNULL)
    for secret in ["ehr-password", "twilio-auth-token", "webhook-key"]:
        (folder / "keys" / secret).write_text("as-the-practice-chose-it\n")
    config = folder / "handoff.yaml"
    text = config.read_text()
    for address in ["127.0.0.1:2575", "127.0.0.1:8443"]:
        text = text.replace(f"address: {address}", "address: 127.0.0.1:0")
    limits = "{ connections_max: 256, connections_per_source_max: 256, deliveries_per_second: 1000000 }"
    api = f"  api:\n    address: 127.0.0.1:{port}\n    limits: {limits}\n\nkeys:\n"
    config.write_text(text.replace("\nkeys:\n", "\n" + api, 1))
    for role in ROLES:
        provider = ["--provider", "1932745621"] if role == "physician" else []
        add = [handoff, "people", "add", role, "--role", role, *provider, "--password-stdin", "--why", "a test"]
        subprocess.run([*add, "--config", config], input=ONCE, text=True, check=True, stdout=subprocess.DEVNULL)
    return config


def sign_in(url, role):
    body = json.dumps({"name": role, "password": ONCE, "new_password": CHOSEN}).encode()
    headers = {"Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(f"{url}/api/session", body, headers)) as answer:
        cookie = answer.headers["Set-Cookie"].split(";")[0]
        return ["-H", f"Cookie: {cookie}", "-H", f"X-CSRF-Token: {json.load(answer)['csrf']}"]


def main(handoff, examples="50"):
    failed = []
    with tempfile.TemporaryDirectory() as temporary:
        folder, port = Path(temporary) / "house", free_port()
        url = f"http://127.0.0.1:{port}"
        config = settle(handoff, folder, port)
        document = folder / "openapi.json"
        document.write_bytes(subprocess.run([handoff, "api", "openapi"], check=True, capture_output=True).stdout)
        house = subprocess.Popen([handoff, "serve", "--config", config], stderr=subprocess.PIPE, text=True)
        log = []
        for line in house.stderr:
            log.append(line)
            if "listening for people" in line:
                break
        drained = subprocess.Popen(["cat"], stdin=house.stderr, stdout=subprocess.DEVNULL)
        try:
            for role in ROLES:
                print(f"as {role}", flush=True)
                run = [Path(sys.executable).parent / "schemathesis", "run", document, "-u", url, "-n", examples]
                run += ["--phases", "examples,coverage,fuzzing", "-c", CHECKS, "--continue-on-failure"]
                # Whoever signs out, or in as nobody, tells nothing about the rest.
                run += ["--exclude-path", "/api/session", *sign_in(url, role)]
                if subprocess.run(run, cwd=temporary).returncode != 0:
                    failed.append(role)
            with urllib.request.urlopen(f"{url}/api/openapi.json") as answer:
                assert answer.status == 200, "the house is gone"
        finally:
            house.terminate()
            house.wait()
            drained.wait()
    print(f"failed as {', '.join(failed)}" if failed else "nothing was found")
    sys.exit(bool(failed))


main(*sys.argv[1:])
