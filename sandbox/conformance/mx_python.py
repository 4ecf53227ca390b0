#!/usr/bin/env python3
"""Walks through MX's face with MX's own Python client, whose models check the JSON types of every answer.

usage: mx_python.py [BASE_URL] [CONTROL_URL]        default http://127.0.0.1:8010/mx and http://127.0.0.1:8010
"""

import copy
import json
import sys
import time
import urllib.request

import mx_platform_python as mx
from mx_platform_python.models.member_response import MemberResponse

BASE = sys.argv[1].rstrip("/") if len(sys.argv) > 1 else "http://127.0.0.1:8010/mx"
# The control paths are not MX's: with a validating proxy in between they are reached beside it.
CONTROL = (sys.argv[2] if len(sys.argv) > 2 else "http://127.0.0.1:8010").rstrip("/") + "/control"

# MX's document types this field as a boolean beside an example that is text, and the client's model believes the type: with it, no
# member that ever had a job could be read.
FIELD = copy.deepcopy(MemberResponse.__fields__["guid"])
FIELD.name = FIELD.alias = "most_recent_job_guid"
MemberResponse.__fields__["most_recent_job_guid"] = FIELD

CLIENT = mx.ApiClient(mx.Configuration(host=BASE, username="client", password="key"))
USERS, MEMBERS, ACCOUNTS = mx.UsersApi(CLIENT), mx.MembersApi(CLIENT), mx.AccountsApi(CLIENT)
BANKS, TRANSACTIONS, WIDGETS = mx.InstitutionsApi(CLIENT), mx.TransactionsApi(CLIENT), mx.WidgetsApi(CLIENT)


def control(path, body=None):
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(CONTROL + path, data)) as answer:
        return answer.read()


def refused(status, call, *arguments):
    try:
        call(*arguments)
    except mx.ApiException as error:
        assert error.status == status, error
        assert json.loads(error.body)["error"]["message"], error.body
        return
    raise AssertionError(f"{status} was expected")


def credentials(bank, name, password):
    fields = BANKS.list_institution_credentials(bank).credentials
    values = {"LOGIN": name, "PASSWORD": password}
    return [mx.CredentialRequest(guid=field.guid, value=values[field.field_name]) for field in fields]


def link(user, password, name="mxuser"):
    member = mx.MemberCreateRequest(institution_code="mxbank", credentials=credentials("mxbank", name, password))
    return MEMBERS.create_member(user, mx.MemberCreateRequestBody(member=member)).member


def settle(user, guid):
    """Polls as MX tells clients to, but faster."""
    while True:
        member = MEMBERS.read_member_status(guid, user).member
        if member.connection_status == "CHALLENGED" or not member.is_being_aggregated:
            return member
        time.sleep(0.02)


def rows(user, guid):
    found, page = {}, 1
    while True:
        answer = TRANSACTIONS.list_transactions_by_member(guid, user, page=page, records_per_page=100)
        found.update((row.guid, row) for row in answer.transactions)
        if answer.pagination.current_page >= answer.pagination.total_pages:
            return found
        page += 1


def users():
    made = USERS.create_user(mx.UserCreateRequestBody(user=mx.UserCreateRequest(id="ana", email="ana@example.com", metadata="{}"))).user
    refused(409, USERS.create_user, mx.UserCreateRequestBody(user=mx.UserCreateRequest(id="ana")))
    assert USERS.list_users(id="ana").users[0].guid == made.guid
    assert USERS.read_user(made.guid).user.email == "ana@example.com"
    changed = mx.UserUpdateRequestBody(user=mx.UserUpdateRequest(metadata="{\"a\": 1}"))
    assert USERS.update_user(made.guid, changed).user.metadata == "{\"a\": 1}"
    refused(404, USERS.read_user, "USR-nobody")
    return made.guid


def institutions():
    assert BANKS.list_institutions(name="MX").institutions[0].code == "mxbank"
    assert BANKS.list_institutions(page=2, records_per_page=10, iso_country_code=["CA", "US"]).pagination.current_page == 2
    assert BANKS.read_institution("mx_bank_oauth").institution.supports_oauth


def transactions(user):
    member = link(user, "any")
    assert settle(user, member.guid).connection_status == "CONNECTED"
    first = rows(user, member.guid)
    assert len(first) == 180, len(first)
    truth = [json.loads(line) for line in control(f"/members/{member.guid}/oracle").splitlines()]
    assert set(first) == {row["guid"] for row in truth}
    # The document gives a single transaction the schema of a list, so the client has no model for it.
    one = TRANSACTIONS.read_transaction_with_http_info(user, truth[0]["guid"], _preload_content=False)
    assert json.loads(one.raw_data)["transaction"] == truth[0]
    assert len(TRANSACTIONS.list_transactions(user, from_updated_at=truth[0]["updated_at"][:10]).transactions) == 25

    accounts = ACCOUNTS.list_member_accounts(user, member.guid).accounts
    assert len(accounts) == 8
    assert ACCOUNTS.read_account(accounts[0].guid, user).account.type == "CHECKING"
    assert len(ACCOUNTS.list_user_accounts(user).accounts) == 8
    assert TRANSACTIONS.list_transactions_by_account(accounts[0].guid, user).transactions

    MEMBERS.aggregate_member(member.guid, user)
    settle(user, member.guid)
    assert len(rows(user, member.guid)) == 183
    control("/settings", {"mx": {"by_control": True}})
    TRANSACTIONS.extend_history(member.guid, user)
    refused(409, MEMBERS.verify_member, member.guid, user)
    control(f"/members/{member.guid}/step", {"steps": 4})
    control("/settings", {"mx": {"by_control": False}})
    MEMBERS.verify_member(member.guid, user)
    settle(user, member.guid)
    MEMBERS.identify_member(member.guid, user)
    settle(user, member.guid)
    MEMBERS.check_balances(member.guid, user)
    settle(user, member.guid)
    assert MEMBERS.read_member(member.guid, user).member.most_recent_job_guid.startswith("JOB-")
    MEMBERS.delete_member(member.guid, user)
    refused(404, MEMBERS.read_member, member.guid, user)


def challenges(user):
    for password in ["challenge", "options", "image", "image_options", "token", "options_twice"]:
        member = link(user, password)
        while settle(user, member.guid).connection_status == "CHALLENGED":
            asked = MEMBERS.list_member_challenges(member.guid, user).challenges
            answers = [mx.CredentialRequest(guid=one.guid, value="correct") for one in asked]
            MEMBERS.resume_aggregation(member.guid, user, mx.MemberResumeRequestBody(member=mx.MemberResumeRequest(challenges=answers)))
        assert settle(user, member.guid).connection_status == "CONNECTED", password
        MEMBERS.delete_member(member.guid, user)
    member = link(user, "DENIED")
    assert settle(user, member.guid).connection_status == "DENIED"
    right = mx.MemberUpdateRequest(credentials=credentials("mxbank", "mxuser", "right"))
    assert MEMBERS.update_member(member.guid, user, mx.MemberUpdateRequestBody(member=right)).member.connection_status == "UPDATED"
    assert settle(user, member.guid).connection_status == "CONNECTED"
    assert len(MEMBERS.list_members(user).members) == 1
    return member.guid


def widgets(user, member):
    wanted = mx.WidgetRequestBody(widget_url=mx.WidgetRequest(widget_type="connect_widget", current_member_guid=member))
    url = WIDGETS.request_widget_url(user, wanted).widget_url.url
    assert "Connected to MX Bank" in urllib.request.urlopen(url).read().decode()
    older = mx.ConnectWidgetRequestBody(config=mx.ConnectWidgetRequest(current_institution_code="mxbank"))
    assert WIDGETS.request_connect_widget_url(user, older).user.connect_widget_url

    wanted = mx.MemberCreateRequest(institution_code="mx_bank_oauth", is_oauth=True, credentials=[])
    member = MEMBERS.create_member(user, mx.MemberCreateRequestBody(member=wanted)).member
    assert member.connection_status == "PENDING"
    uri = WIDGETS.request_o_auth_window_uri(member.guid, user).member.oauth_window_uri
    urllib.request.urlopen(uri, b"action=allow")
    assert settle(user, member.guid).connection_status == "CONNECTED"


control("/settings", {"mx": {"step_ms": 10}})
USER = users()
institutions()
print("users and institutions: ok")
transactions(USER)
print("accounts and transactions: ok")
MEMBER = challenges(USER)
print("challenges: ok")
widgets(USER, MEMBER)
USERS.delete_user("application/vnd.mx.api.v1+json", USER)
print("widgets: ok")
