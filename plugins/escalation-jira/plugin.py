"""Raises a task as an issue in Jira Service Management (REST API v3): looks for it by its label first, so that a task
which is raised twice is one issue."""

import json

from componentize_py_types import Err
from wit_world import exports
from wit_world.exports.hand_over import Audience, Raised, Turn_Ask, Turn_Done
from wit_world.imports.exchange import Ask, Body_Empty, Body_Json, HttpRequest, Method, Request_Http, Response_Http
from wit_world.imports.types import (
    Attribute,
    Failure_Misconfigured,
    Failure_Other,
    Failure_Refused,
    Failure_RetryAfter,
    Refusal,
    Retry,
)

# Jira's rate limit clears within a minute, an outage in several; a Retry-After beyond a day is a mistake.
BUSY_SECONDS = 60
OUTAGE_SECONDS = 300
RETRY_SECONDS_MAX = 86_400

# A summary has at most 255 characters (Jira's own limit); tokens stand for names of up to some forty.
SUMMARY_MAX = 200

DAY_MS = 86_400_000


class HandOver(exports.HandOver):
    def raise_(self, task, settings):
        settings = read_settings(settings)
        return Turn_Ask(search(task, settings))

    def resume(self, state, response, settings):
        settings = read_settings(settings)
        state = json.loads(state)
        answer = judge(response)
        if state["step"] == "created":
            return Turn_Done(Raised(text(answer, "key")))
        issues = answer.get("issues") or []
        if issues and isinstance(issues[0], dict):
            return Turn_Done(Raised(text(issues[0], "key")))
        return Turn_Ask(create(state["issue"], settings))


def search(task, settings):
    """Asks whether the task is there already; the issue to make of it waits in the state."""
    label = f"handoff-{task.id}"
    fields = {
        "project": {"key": settings["project"]},
        "issuetype": {"name": settings.get("issue_type", "Task")},
        "summary": shortened(f"{task.kind}: {task.summary}"),
        "description": document(task),
        "labels": [label, f"handoff-{task.kind}", f"handoff-for-{task.audience.name.lower()}"],
        "duedate": day(task.due_at),
    }
    if task.urgent:
        fields["priority"] = {"name": settings.get("urgent_priority", "Highest")}
    return Ask(
        endpoint=settings.get("endpoint", "jira"),
        request=Request_Http(
            HttpRequest(
                method=Method.GET,
                path="/rest/api/3/search/jql",
                query=[
                    Attribute("jql", f'project = "{settings["project"]}" AND labels = "{label}"'),
                    Attribute("fields", "key"),
                    Attribute("maxResults", "1"),
                ],
                headers=[Attribute("accept", "application/json")],
                body=Body_Empty(),
            )
        ),
        reveal=["issues[].key"],
        state=json.dumps({"step": "searched", "issue": {"fields": fields}}),
    )


def create(issue, settings):
    return Ask(
        endpoint=settings.get("endpoint", "jira"),
        request=Request_Http(
            HttpRequest(
                method=Method.POST,
                path="/rest/api/3/issue",
                query=[],
                headers=[Attribute("accept", "application/json")],
                body=Body_Json(json.dumps(issue)),
            )
        ),
        reveal=["key"],
        state=json.dumps({"step": "created"}),
    )


def shortened(line):
    """Cut between words: half a token would stand for nothing."""
    return line if len(line) <= SUMMARY_MAX else line[:SUMMARY_MAX].rsplit(" ", 1)[0]


def document(task):
    """Atlassian Document Format: one paragraph for each thing to know."""
    lines = [task.summary]
    if task.to is not None:
        lines.append(f"For {task.to.name}, {task.to.organization}, {task.to.phone}".rstrip(", "))
    if task.referral:
        lines.append("Referral " + ", ".join(task.referral))
    if task.patient:
        lines.append("Patient " + ", ".join(task.patient))
    if task.audience is Audience.PHYSICIAN:
        lines.append("For the referring physician.")
    paragraphs = [{"type": "paragraph", "content": [{"type": "text", "text": line}]} for line in lines]
    return {"type": "doc", "version": 1, "content": paragraphs}


def judge(response):
    """The JSON of a success, else the failure that the runtime knows what to do about."""
    if not isinstance(response, Response_Http):
        raise Err(Failure_Misconfigured("endpoint: name an HTTP endpoint; this one does not speak HTTP"))
    status = response.value.status
    if 200 <= status < 300:
        try:
            answer = json.loads(response.value.body)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise Err(Failure_Other(f"Jira answered {status} without JSON"))
        return answer
    if status in (401, 403):
        raise Err(Failure_Misconfigured(f"endpoint: Jira refused our account ({status}); check its token and its rights"))
    if status == 404:
        raise Err(Failure_Misconfigured("endpoint: Jira is not there (404); check the base URL"))
    if status == 400:
        raise Err(Failure_Refused(Refusal("rejected", "Jira takes no such issue (400); check project and issue_type")))
    if status in (408, 429) or status >= 500:
        usual = OUTAGE_SECONDS if status >= 500 else BUSY_SECONDS
        raise Err(Failure_RetryAfter(Retry(retry_after(response.value, usual), f"Jira answered {status}")))
    raise Err(Failure_Other(f"Jira answered {status}"))


def retry_after(response, usual):
    value = next((it.value for it in response.headers if it.name == "retry-after"), "")
    seconds = int(value) if value.isascii() and value.isdigit() and len(value) < 10 else usual
    return min(max(seconds, 1), RETRY_SECONDS_MAX)


def read_settings(said):
    try:
        settings = json.loads(said)
    except ValueError:
        settings = None
    if not isinstance(settings, dict):
        raise Err(Failure_Misconfigured("settings: write `project`"))
    project = settings.get("project")
    # Jira's own rule for a project's key; it also keeps quotes out of the query.
    if not isinstance(project, str) or not project.isascii() or not project.isalnum() or not project.isupper():
        raise Err(Failure_Misconfigured("project: write the project's key, as REF"))
    for name in ("endpoint", "issue_type", "urgent_priority"):
        if name in settings and not isinstance(settings[name], str):
            raise Err(Failure_Misconfigured(f"{name}: write a text"))
    return settings


def text(members, name):
    value = members.get(name)
    return value if isinstance(value, str) else ""


def day(at):
    """A date in UTC, by Howard Hinnant's civil_from_days: `datetime` would ask for the clock's zone."""
    days = at // DAY_MS + 719_468
    era, day_of_era = divmod(days, 146_097)
    year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36_524 - day_of_era // 146_096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    month = (5 * day_of_year + 2) // 153
    date = day_of_year - (153 * month + 2) // 5 + 1
    month = month + 3 if month < 10 else month - 9
    return f"{year_of_era + era * 400 + (month <= 2):04}-{month:02}-{date:02}"
