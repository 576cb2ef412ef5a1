"""Checks Signature Version 4 as S3 does: everything is worked out anew from the request that arrived.

Strict where real stores are: the path and the query are decoded and encoded again the canonical way, so that a
client that signs what it wrote instead of what was meant is refused; every x-amz-* header must be signed.
"""
import datetime
import hashlib
import hmac
import re
import urllib.parse

CREDENTIAL = re.compile(r'AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/s3/aws4_request, ?'
                        r'SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$')
SKEW = datetime.timedelta(minutes=15)


class Refused(Exception):
    """code, status and, for a wrong region, the right one."""

    def __init__(self, status, code, message, region=''):
        super().__init__(message)
        self.status, self.code, self.message, self.region = status, code, message, region


def canonical_query(query):
    """Parameters by name, both sides encoded anew."""
    pairs = []
    for part in query.split('&') if query else []:
        name, equals, value = part.partition('=')
        pairs.append(tuple(urllib.parse.quote(urllib.parse.unquote_to_bytes(x), safe='-._~') for x in (name, value)))
    return '&'.join(f'{name}={value}' for name, value in sorted(pairs))


def sign(secret, day, region, text):
    key = ('AWS4' + secret).encode()
    for part in (day, region, 's3', 'aws4_request'):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def header_values(headers, name):
    return ','.join(' '.join(v.split()) for v in headers.get_all(name) or [])


def check_headers(headers, signed):
    must = {'host', 'x-amz-content-sha256', 'x-amz-date'} | {
        name.lower() for name in headers.keys() if name.lower().startswith('x-amz-')}
    if not must <= set(signed):
        raise Refused(403, 'AccessDenied', f'not signed: {" ".join(sorted(must - set(signed)))}')
    if signed != sorted(signed):
        raise Refused(403, 'SignatureDoesNotMatch', 'signed headers are not in order')


def check_time(stamp, day):
    try:
        at = datetime.datetime.strptime(stamp, '%Y%m%dT%H%M%SZ').replace(tzinfo=datetime.timezone.utc)
    except ValueError:
        raise Refused(403, 'AccessDenied', 'x-amz-date is no time') from None
    if abs(datetime.datetime.now(datetime.timezone.utc) - at) > SKEW:
        raise Refused(403, 'RequestTimeTooSkewed', 'The difference between the request time and the current time is too large.')
    if stamp[:8] != day:
        raise Refused(403, 'SignatureDoesNotMatch', 'the day of the credential is another')


def check(method, target, headers, body, keys, region):
    """Raises Refused. keys: access key -> (secret, session token or None)."""
    given = CREDENTIAL.match(headers.get('Authorization') or '')
    if not given:
        raise Refused(403, 'AccessDenied', 'Access Denied')
    access, day, named, signed_text, signature = given.groups()
    signed = signed_text.split(';')
    digest = headers.get('x-amz-content-sha256') or ''
    if not digest:
        raise Refused(400, 'MissingSecurityHeader', 'x-amz-content-sha256 is missing')
    if access not in keys:
        raise Refused(403, 'InvalidAccessKeyId', 'The access key id does not exist.')
    secret, token = keys[access]
    if named != region:
        raise Refused(400, 'AuthorizationHeaderMalformed', f"the region '{named}' is wrong; expecting '{region}'", region)
    check_headers(headers, signed)
    stamp = headers.get('x-amz-date') or ''
    check_time(stamp, day)
    if (headers.get('x-amz-security-token') or None) != token:
        raise Refused(403, 'InvalidToken', 'The provided token is malformed or otherwise invalid.')
    path, _, query = target.partition('?')
    path = urllib.parse.quote(urllib.parse.unquote_to_bytes(path), safe='/-._~')
    canonical = '\n'.join([method, path, canonical_query(query),
                           *(f'{name}:{header_values(headers, name)}' for name in signed), '', signed_text, digest])
    text = '\n'.join(['AWS4-HMAC-SHA256', stamp, f'{day}/{named}/s3/aws4_request',
                      hashlib.sha256(canonical.encode()).hexdigest()])
    if not hmac.compare_digest(sign(secret, day, named, text), signature):
        raise Refused(403, 'SignatureDoesNotMatch', 'The request signature we calculated does not match.')
    if digest != 'UNSIGNED-PAYLOAD' and digest != hashlib.sha256(body).hexdigest():
        raise Refused(400, 'XAmzContentSHA256Mismatch', 'The digest of the body is another.')
