"""Authlib, requests-oauthlib and PyJWT, as they come, against a running Tollgate.

Each OAuth client finds the token endpoint by discovery and gets a token with HTTP Basic alone; PyJWT verifies it with the
published keys. The address and the access key come from the environment.
"""

import os
from urllib.parse import parse_qsl

# Tokens over plain HTTP, on loopback: each library has its own word for "I know what I do".
os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "true"
os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "true"

import jwt
import requests
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session as AuthlibSession
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata, get_well_known_url
from oauthlib.oauth2 import BackendApplicationClient, InvalidClientError
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session as OauthlibSession

URL = os.environ["TOLLGATE_URL"]
ACCOUNT_ID = os.environ["TOLLGATE_ACCOUNT_ID"]
PROJECT_ID = os.environ["TOLLGATE_PROJECT_ID"]
KEY_ID = os.environ["TOLLGATE_KEY_ID"]
KEY_SECRET = os.environ["TOLLGATE_KEY_SECRET"]
WRONG_SECRET = KEY_SECRET[:-1] + ("A" if KEY_SECRET[-1] != "A" else "B")


def main():
    metadata = discovered_twice()
    for name, get_token, wrong_secret in [
        ("Authlib", authlib_token, authlib_refused),
        ("requests-oauthlib", oauthlib_token, oauthlib_refused),
    ]:
        token = get_token(metadata["token_endpoint"], None)
        check_answer(token)
        verified = check_token(metadata, token)
        print(f"ok: {name} gets a token by discovery and PyJWT verifies it")

        scope = as_words(token["scope"])[0]
        narrow = get_token(metadata["token_endpoint"], scope)
        equal(as_words(narrow["scope"]), [scope])
        equal(check_token(metadata, narrow)["jti"] == verified["jti"], False)
        print(f"ok: {name} gets a token of the scope that it asks for")

        wrong_secret(metadata["token_endpoint"])
        print(f"ok: {name} hears invalid_client for a wrong secret")


def discovered_twice():
    """The metadata document, which must be the same at both of its addresses."""
    answer = requests.get(get_well_known_url(URL, external=True), timeout=10)
    equal(answer.status_code, 200)
    metadata = AuthorizationServerMetadata(answer.json())
    # All that it can validate but one: for Authlib an empty `response_types_supported`, which is what RFC 8414 wants of a
    # server without an authorization endpoint, is a missing one.
    for field in set(metadata.REGISTRY_KEYS) - {"response_types_supported"}:
        getattr(metadata, f"validate_{field}")()
    equal(metadata["response_types_supported"], [])
    equal(metadata["issuer"], URL)
    equal("client_credentials" in metadata["grant_types_supported"], True)
    equal("client_secret_basic" in metadata["token_endpoint_auth_methods_supported"], True)

    as_openid = get_well_known_url(URL, external=True, suffix="openid-configuration")
    equal(requests.get(as_openid, timeout=10).json(), answer.json())
    return metadata


def authlib_session(secret, scope=None):
    session = AuthlibSession(KEY_ID, secret, scope=scope, token_endpoint_auth_method="client_secret_basic")
    session.hooks["response"].append(sent_basic_alone)
    return session


def authlib_token(endpoint, scope):
    return authlib_session(KEY_SECRET, scope).fetch_token(endpoint, grant_type="client_credentials")


def authlib_refused(endpoint):
    try:
        authlib_session(WRONG_SECRET).fetch_token(endpoint, grant_type="client_credentials")
    except OAuthError as error:
        equal(error.error, "invalid_client")
        equal(bool(error.description), True)
    else:
        raise AssertionError("a wrong secret was accepted")


def oauthlib_session(scope=None):
    session = OauthlibSession(client=BackendApplicationClient(client_id=KEY_ID, scope=scope))
    session.hooks["response"].append(sent_basic_alone)
    return session


def oauthlib_token(endpoint, scope):
    auth = HTTPBasicAuth(KEY_ID, KEY_SECRET)
    return oauthlib_session(scope).fetch_token(token_url=endpoint, auth=auth)


def oauthlib_refused(endpoint):
    try:
        oauthlib_session().fetch_token(token_url=endpoint, auth=HTTPBasicAuth(KEY_ID, WRONG_SECRET))
    except InvalidClientError as error:
        equal(error.status_code, 401)
        equal(bool(error.description), True)
    else:
        raise AssertionError("a wrong secret was accepted")


def sent_basic_alone(answer, **_):
    """The client authenticated by the header and by nothing else; a 401 has a challenge."""
    request = answer.request
    equal(request.headers["authorization"].split(" ")[0], "Basic")
    body = request.body.decode() if isinstance(request.body, bytes) else request.body
    fields = dict(parse_qsl(body))
    equal(fields["grant_type"], "client_credentials")
    equal({"client_id", "client_secret", "client_assertion"} & fields.keys(), set())
    equal(answer.headers["cache-control"], "no-store")
    if answer.status_code == 401:
        equal(answer.headers["www-authenticate"].startswith('Basic realm="'), True)
    return answer


def check_answer(token):
    equal(token["token_type"].lower(), "bearer")
    equal(token["expires_in"], 3600)
    equal(token["access_token"].count("."), 2)
    equal("refresh_token" in token, False)


def check_token(metadata, token):
    """What PyJWT makes of the token with the published key, and only with the right issuer, audience and signature."""
    text = token["access_token"]
    header = jwt.get_unverified_header(text)
    equal(header["typ"], "at+jwt")
    key = jwt.PyJWKClient(metadata["jwks_uri"]).get_signing_key_from_jwt(text)
    equal(key.key_id, header["kid"])
    equal(key.public_key_use, "sig")
    equal(key.algorithm_name, header["alg"])

    audience = jwt.decode(text, options={"verify_signature": False})["aud"]
    required = ["iss", "sub", "aud", "iat", "exp", "jti", "client_id", "scope"]
    right = {
        "key": key,
        "algorithms": [key.algorithm_name],
        "audience": audience,
        "issuer": metadata["issuer"],
        "options": {"require": required},
    }
    claims = jwt.decode(text, **right)
    equal(claims["sub"], KEY_ID)
    equal(claims["client_id"], KEY_ID)
    equal(claims["project_id"], PROJECT_ID)
    equal(claims["account_id"], ACCOUNT_ID)
    equal(claims["exp"] - claims["iat"], token["expires_in"])
    equal(claims["scope"].split(), as_words(token["scope"]))
    equal(len(claims["jti"]) >= 16, True)

    forged = text[:-5] + ("AAAAA" if text[-5:] != "AAAAA" else "BBBBB")
    refused(jwt.InvalidSignatureError, forged, right)
    refused(jwt.InvalidAudienceError, text, right | {"audience": "another audience"})
    refused(jwt.InvalidIssuerError, text, right | {"issuer": "https://another.example"})
    return claims


def refused(expected, text, arguments):
    try:
        jwt.decode(text, **arguments)
    except expected:
        return
    raise AssertionError(f"{expected.__name__} was expected")


def as_words(scope):
    """oauthlib has made a list of it already."""
    return scope.split() if isinstance(scope, str) else list(scope)


def equal(actual, expected):
    if actual != expected:
        raise AssertionError(f"{actual!r} instead of {expected!r}")


if __name__ == "__main__":
    main()
