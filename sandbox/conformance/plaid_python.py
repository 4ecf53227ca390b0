#!/usr/bin/env python3
"""Walks through the sandbox with Plaid's own Python client, whose models check keys and types of every answer.

usage: plaid_python.py [BASE_URL]        default http://127.0.0.1:8010
"""

import datetime
import json
import sys
import time
import urllib.request

import plaid
from plaid.api import plaid_api
from plaid.model.accounts_balance_get_request import AccountsBalanceGetRequest
from plaid.model.accounts_get_request import AccountsGetRequest
from plaid.model.country_code import CountryCode
from plaid.model.custom_sandbox_transaction import CustomSandboxTransaction
from plaid.model.institutions_get_by_id_request import InstitutionsGetByIdRequest
from plaid.model.institutions_get_by_id_request_options import InstitutionsGetByIdRequestOptions
from plaid.model.institutions_get_request import InstitutionsGetRequest
from plaid.model.institutions_search_request import InstitutionsSearchRequest
from plaid.model.item_access_token_invalidate_request import ItemAccessTokenInvalidateRequest
from plaid.model.item_get_request import ItemGetRequest
from plaid.model.item_public_token_exchange_request import ItemPublicTokenExchangeRequest
from plaid.model.item_remove_request import ItemRemoveRequest
from plaid.model.item_webhook_update_request import ItemWebhookUpdateRequest
from plaid.model.link_token_create_hosted_link import LinkTokenCreateHostedLink
from plaid.model.link_token_create_request import LinkTokenCreateRequest
from plaid.model.link_token_create_request_update import LinkTokenCreateRequestUpdate
from plaid.model.link_token_create_request_user import LinkTokenCreateRequestUser
from plaid.model.link_token_get_request import LinkTokenGetRequest
from plaid.model.link_token_transactions import LinkTokenTransactions
from plaid.model.products import Products
from plaid.model.sandbox_item_fire_webhook_request import SandboxItemFireWebhookRequest
from plaid.model.sandbox_item_reset_login_request import SandboxItemResetLoginRequest
from plaid.model.sandbox_public_token_create_request import SandboxPublicTokenCreateRequest
from plaid.model.sandbox_public_token_create_request_options import SandboxPublicTokenCreateRequestOptions
from plaid.model.sandbox_transactions_create_request import SandboxTransactionsCreateRequest
from plaid.model.transactions_refresh_request import TransactionsRefreshRequest
from plaid.model.transactions_sync_request import TransactionsSyncRequest
from plaid.model.transactions_sync_request_options import TransactionsSyncRequestOptions
from plaid.model.webhook_type import WebhookType
from plaid.model.webhook_verification_key_get_request import WebhookVerificationKeyGetRequest

BASE = sys.argv[1].rstrip("/") if len(sys.argv) > 1 else "http://127.0.0.1:8010"
# The control paths are not Plaid's: with a validating proxy in between they are reached beside it.
CONTROL = (sys.argv[2] if len(sys.argv) > 2 else BASE).rstrip("/") + "/control"
KEYS = {"clientId": "client", "secret": "secret", "plaidVersion": "2020-09-14"}
API = plaid_api.PlaidApi(plaid.ApiClient(plaid.Configuration(host=BASE, api_key=KEYS)))
US = CountryCode("US")
HOOK = "http://127.0.0.1:9/nobody-listens"


def control(path, body=None):
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(CONTROL + path, data)) as answer:
        return answer.read()


def refused(code, call, request):
    try:
        call(request)
    except plaid.ApiException as error:
        body = json.loads(error.body)
        assert body["error_code"] == code, body
        assert body["request_id"] and "display_message" in body, body
        return
    raise AssertionError(f"{code} was expected")


def link(username, **options):
    options = SandboxPublicTokenCreateRequestOptions(
        override_username=username, override_password="pass_good", webhook=HOOK, **options
    )
    request = SandboxPublicTokenCreateRequest(
        institution_id="ins_109508", initial_products=[Products("transactions")], options=options
    )
    token = API.sandbox_public_token_create(request).public_token
    answer = API.item_public_token_exchange(ItemPublicTokenExchangeRequest(public_token=token))
    refused("INVALID_PUBLIC_TOKEN", API.item_public_token_exchange, ItemPublicTokenExchangeRequest(public_token=token))
    return answer.access_token, answer.item_id


def sync(access_token, cursor, rows, count=500):
    while True:
        options = TransactionsSyncRequestOptions(include_original_description=True)
        request = TransactionsSyncRequest(access_token=access_token, cursor=cursor, count=count, options=options)
        page = API.transactions_sync(request)
        for row in page.added + page.modified:
            rows[row.transaction_id] = row
        for row in page.removed:
            rows.pop(row.transaction_id, None)
        cursor = page.next_cursor
        if not page.has_more:
            return cursor


def link_tokens():
    user = LinkTokenCreateRequestUser(client_user_id="ana")
    base = {"client_name": "Passbook", "language": "en", "country_codes": [US], "user": user}
    hosted = LinkTokenCreateHostedLink(completion_redirect_uri="http://localhost:3000/done")
    transactions = LinkTokenTransactions(days_requested=365)
    request = LinkTokenCreateRequest(
        products=[Products("transactions")], hosted_link=hosted, transactions=transactions, webhook=HOOK, **base
    )
    created = API.link_token_create(request)
    assert created.hosted_link_url.startswith("http")
    form(created.hosted_link_url, "institution_id=ins_109508")
    form(created.hosted_link_url, "username=user_good&password=pass_good")
    page = urllib.request.urlopen(created.hosted_link_url).read().decode()
    ids = [part.split('"')[0] for part in page.split('name="account_id" value="')[1:]]
    form(created.hosted_link_url, "&".join(f"account_id={id}" for id in ids))
    form(created.hosted_link_url, "")
    got = API.link_token_get(LinkTokenGetRequest(link_token=created.link_token))
    token = got.link_sessions[0].results.item_add_results[0].public_token
    access_token = API.item_public_token_exchange(ItemPublicTokenExchangeRequest(public_token=token)).access_token

    left = API.link_token_create(LinkTokenCreateRequest(products=[Products("transactions")], hosted_link=hosted, **base))
    form(left.hosted_link_url, "institution_id=ins_109508")
    form(left.hosted_link_url, "username=user_good&password=error_ITEM_LOCKED")
    form(left.hosted_link_url, "action=exit")
    got = API.link_token_get(LinkTokenGetRequest(link_token=left.link_token))
    assert got.link_sessions[0].exit.error.error_code == "ITEM_LOCKED"

    update = LinkTokenCreateRequestUpdate(account_selection_enabled=True)
    API.link_token_create(LinkTokenCreateRequest(access_token=access_token, update=update, **base))
    refused("INVALID_FIELD", API.link_token_create, LinkTokenCreateRequest(products=[], **base))


class Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def form(url, text):
    try:
        urllib.request.build_opener(Stay).open(url, text.encode())
    except urllib.error.HTTPError as answer:
        assert answer.code == 303, answer


def institutions():
    options = InstitutionsGetByIdRequestOptions(include_optional_metadata=True, include_status=True, include_auth_metadata=True)
    request = InstitutionsGetByIdRequest(institution_id="ins_109508", country_codes=[US], options=options)
    assert API.institutions_get_by_id(request).institution.logo
    found = API.institutions_search(InstitutionsSearchRequest(query="platypus", country_codes=[US]))
    assert len(found.institutions) > 2
    assert API.institutions_get(InstitutionsGetRequest(count=5, offset=2, country_codes=[US])).total > 10


def transactions():
    access_token, item_id = link("user_transactions_dynamic")
    rows = {}
    cursor = sync(access_token, "", rows)
    assert len(rows) == 50, len(rows)
    API.transactions_refresh(TransactionsRefreshRequest(access_token=access_token))
    today = datetime.date.today()
    created = CustomSandboxTransaction(date_transacted=today, date_posted=today, amount=12.34, description="Kiosk")
    API.sandbox_transactions_create(SandboxTransactionsCreateRequest(access_token=access_token, transactions=[created]))
    sync(access_token, cursor, rows, count=5)
    oracle = [json.loads(line) for line in control(f"/items/{item_id}/oracle").splitlines()]
    assert set(rows) == {row["transaction_id"] for row in oracle}
    assert sum(row.pending for row in rows.values()) == 3

    long, _ = link("user_good", transactions={"days_requested": 730})
    rows = {}
    sync(long, "", rows)
    assert len(rows) == 1460, len(rows)


def items():
    access_token, _ = link("user_good")
    item = ItemGetRequest(access_token=access_token)
    assert API.item_get(item).item.error is None
    assert len(API.accounts_get(AccountsGetRequest(access_token=access_token)).accounts) == 8
    API.accounts_balance_get(AccountsBalanceGetRequest(access_token=access_token))
    API.item_webhook_update(ItemWebhookUpdateRequest(access_token=access_token, webhook=HOOK + "/2"))
    fire = {"access_token": access_token, "webhook_type": WebhookType("ITEM")}
    for code in ["NEW_ACCOUNTS_AVAILABLE", "PENDING_DISCONNECT", "USER_ACCOUNT_REVOKED", "LOGIN_REPAIRED"]:
        assert API.sandbox_item_fire_webhook(SandboxItemFireWebhookRequest(webhook_code=code, **fire)).webhook_fired
    API.sandbox_item_reset_login(SandboxItemResetLoginRequest(access_token=access_token))
    assert API.item_get(item).item.error.error_code == "ITEM_LOGIN_REQUIRED"
    refused("ITEM_LOGIN_REQUIRED", API.transactions_sync, TransactionsSyncRequest(access_token=access_token))
    rotated = API.item_access_token_invalidate(ItemAccessTokenInvalidateRequest(access_token=access_token))
    API.item_remove(ItemRemoveRequest(access_token=rotated.new_access_token))
    refused("ITEM_NOT_FOUND", API.item_get, ItemGetRequest(access_token=rotated.new_access_token))


def keys():
    for key in json.loads(control("/keys"))["keys"]:
        request = WebhookVerificationKeyGetRequest(key_id=key["kid"])
        assert API.webhook_verification_key_get(request).key.alg == "ES256"
    request = WebhookVerificationKeyGetRequest(key_id="00000000-0000-0000-0000-000000000000")
    refused("INVALID_WEBHOOK_VERIFICATION_KEY_ID", API.webhook_verification_key_get, request)


def main():
    control("/settings", {"initial_ready_ms": 0, "history_ready_ms": 0})
    for part in [link_tokens, institutions, transactions, items, keys]:
        began = time.monotonic()
        part()
        print(f"{part.__name__}: ok ({time.monotonic() - began:.1f} s)")


if __name__ == "__main__":
    main()
