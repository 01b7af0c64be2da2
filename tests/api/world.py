"""What the cases share: one service, people of every kind, and an id of everything that has one."""

import base64
import concurrent.futures
import datetime
import hashlib
import pathlib
import time

from openapi import Contract
from service import Caller, Client, Service

PASSWORD = "a long enough one 4711"
OTHER = "Other"
DOCS = pathlib.Path(__file__).resolve().parents[2] / "docs"

service: Service
contract: Contract
client: Client
nobody = Caller("who is not signed in")
people = {}  # name: Caller with a cookie
ids = {}     # parameter of a path: an id in the demo tenant


def start(binary, contract_file):
    global service, contract, client
    contract = Contract(contract_file)
    service = Service(binary)
    try:
        client = Client(service, contract)
        _add_people()
    except BaseException:
        service.stop()
        raise


def _sign_in(email, organisation="Demo", password=PASSWORD):
    return client.sign_in(organisation, email, password)


def _add_people():
    demo = service.started["demo"]
    people["owner"] = _sign_in(demo["emails"][0], password=demo["password"])
    workspaces = client.call("listWorkspaces", people["owner"]).json["data"]
    by_name = {workspace["name"]: workspace["id"] for workspace in workspaces}
    here, elsewhere = by_name["Sales"], by_name["Operations"]
    ids["workspace_id"] = here
    ids["other_workspace_id"] = elsewhere
    service.command("tenant", "create", OTHER)
    password_file = service.folder / "password"
    password_file.write_text(PASSWORD + "\n")
    roles = {"admin": (here, "admin"), "admin_elsewhere": (elsewhere, "admin"), "editor": (here, "editor"),
             "viewer": (here, "viewer"), "member_of_nothing": None, "outsider": None}
    # Who leaves, and who may stay.
    for name in ("leaver", "stayer"):
        service.command("user", "add", f"{name}@people.example", "--tenant", "Demo", "--first", name.capitalize(),
                        "--last", "Undecided")

    def add(name):
        role = roles[name]
        email = f"{name}@people.example"
        tenant = OTHER if name == "outsider" else "Demo"
        owner = ["--owner"] if name == "outsider" else []
        service.command("user", "add", email, "--tenant", tenant, "--first", name, *owner)
        service.command("user", "set-password", email, "--tenant", tenant, "--password-file", str(password_file))
        if role is not None:
            service.command("user", "role", email, "--tenant", tenant, "--workspace", role[0], "--role", role[1])
        return email, tenant

    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        added = dict(zip(roles, pool.map(add, roles)))
    for name, (email, tenant) in added.items():
        people[name] = _sign_in(email, tenant)


def token_of(caller, scopes, expires_at=None):
    made = client.call("createToken", caller, body={"name": "of a test", "scopes": scopes, "expires_at": expires_at})
    assert made.status == 201, made.body
    return Caller(f"a token for {scopes}", token=made.json["token"]), made.json["id"]


def job(operation_id, caller, *arguments, state="succeeded", **named):
    """Runs a long operation to its end and returns its result."""
    return client.wait_for(client.call(operation_id, caller, *arguments, **named), caller, state)["result"]


def wait_for_all_jobs():
    deadline = time.monotonic() + 60
    while any(each["state"] in ("queued", "running")
              for each in client.call("listJobs", people["owner"], query={"limit": 500}).json["data"]):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def archive(caller, **body):
    return job("createArchive", caller, body=body)["archive_id"]


def compared(caller, archive_id):
    return job("compareArchive", caller, {"archive_id": archive_id})["restore_id"]


TUS = {"Tus-Resumable": "1.0.0"}


def begin_upload(caller, length, name=b"some.oa-archive"):
    metadata = "filename " + base64.b64encode(name).decode()
    begun = client.call("createUpload", caller,
                        headers={**TUS, "Upload-Length": str(length), "Upload-Metadata": metadata})
    assert begun.status == 201, begun.body
    return begun.header("Location").removeprefix("/v1/uploads/")


def append(caller, upload_id, offset, data, **headers):
    digest = base64.b64encode(hashlib.sha256(data).digest()).decode()
    given = {**TUS, "Upload-Offset": str(offset), "Upload-Checksum": "sha256 " + digest,
             "Content-Type": "application/offset+octet-stream",
             **{name.replace("_", "-"): value for name, value in headers.items()}}
    return client.call("appendUpload", caller, {"upload_id": upload_id}, raw=data, headers=given)


def uploaded(caller, data):
    upload_id = begin_upload(caller, len(data))
    half = len(data) // 2
    assert append(caller, upload_id, 0, data[:half]).header("Upload-Offset") == str(half)
    assert append(caller, upload_id, half, data[half:]).status == 204
    return upload_id


def soon(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))


def now():
    """To the microsecond."""
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def continuity():
    """As soon as there is a moment to go back to."""
    deadline = time.monotonic() + 60
    while True:
        state = client.call("getContinuity", people["owner"]).json
        if state["earliest"] is not None and state["earliest"] < now():
            return state
        assert time.monotonic() < deadline, state
        time.sleep(0.5)


def moment_ago(seconds):
    return soon(-seconds)
