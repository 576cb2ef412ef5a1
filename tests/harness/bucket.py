"""Buckets in memory with as much of S3 as the tools use; what comes in is checked by sigv4.py before.

Keys are bytes shown as latin-1 text, so that their order is that of the bytes.
"""
import base64
import email.utils
import hashlib
import re
import threading
import time
import urllib.parse
from xml.sax.saxutils import escape

from sigv4 import Refused


class Object:
    def __init__(self, body, etag, meta):
        self.body, self.etag, self.meta, self.time = body, etag, meta, time.time()


class Answer:
    def __init__(self, status, body=b'', headers=None):
        self.status, self.body, self.headers = status, body, dict(headers or {})


def error(status, code, message='', region=''):
    extra = f'<Region>{region}</Region>' if region else ''
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{escape(message)}</Message>{extra}</Error>'
    return Answer(status, text.encode(), {'Content-Type': 'application/xml'})


def xml(root, inner):
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<{root} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">{inner}</{root}>'
    return Answer(200, text.encode(), {'Content-Type': 'application/xml'})


class Buckets:
    """ignore_condition: a store that does not know If-None-Match; page: keys of one page of a list."""

    def __init__(self):
        self.lock = threading.RLock()
        self.clear()

    def clear(self):
        self.buckets, self.uploads = {'bucket': {}}, {}
        self.page, self.min_part, self.ignore_condition, self.frozen = 1000, 0, False, None

    def freeze(self):
        """What stale lists show from now on."""
        self.frozen = {name: dict(objects) for name, objects in self.buckets.items()}

    def answer(self, method, bucket, key, query, headers, body, stale=False):
        with self.lock:
            if bucket not in self.buckets:
                return error(404, 'NoSuchBucket', 'The specified bucket does not exist')
            objects = self.buckets[bucket]
            if not key:
                shown = (self.frozen or self.buckets).get(bucket, {}) if stale else objects
                return self.list(shown, query) if method == 'GET' else error(405, 'MethodNotAllowed')
            if 'uploads' in query and method == 'POST':
                return self.upload_begin(bucket, key, headers)
            if 'uploadId' in query:
                return self.upload(method, objects, bucket, key, query, headers, body)
            verb = {'GET': self.get, 'HEAD': self.get, 'PUT': self.put, 'DELETE': self.delete}.get(method)
            return verb(objects, key, headers, body) if verb else error(405, 'MethodNotAllowed')

    def get(self, objects, key, headers, body):
        found = objects.get(key)
        if found is None:
            return error(404, 'NoSuchKey', 'The specified key does not exist.')
        if headers.get('If-Match') not in (None, found.etag):
            return error(412, 'PreconditionFailed', 'At least one of the pre-conditions you specified did not hold')
        more = {'ETag': found.etag, 'Last-Modified': email.utils.formatdate(found.time, usegmt=True),
                'Content-Type': 'application/octet-stream', 'Accept-Ranges': 'bytes', **found.meta}
        return ranged(found.body, headers.get('Range'), more)

    def refused_condition(self, objects, key, headers):
        return headers.get('If-None-Match') == '*' and key in objects and not self.ignore_condition

    def put(self, objects, key, headers, body):
        if self.refused_condition(objects, key, headers):
            return error(412, 'PreconditionFailed', 'At least one of the pre-conditions you specified did not hold')
        objects[key] = Object(body, f'"{hashlib.md5(body).hexdigest()}"', meta_of(headers))
        return Answer(200, b'', {'ETag': objects[key].etag})

    def delete(self, objects, key, headers, body):
        objects.pop(key, None)
        return Answer(204)

    # --- uploads in parts

    def upload_begin(self, bucket, key, headers):
        name = base64.b64encode(hashlib.sha256(f'{key}{time.time()}'.encode()).digest()).decode()  # has + / =
        self.uploads[name] = (bucket, key, {}, meta_of(headers))
        return xml('InitiateMultipartUploadResult', f'<Bucket>{bucket}</Bucket><UploadId>{name}</UploadId>')

    def upload(self, method, objects, bucket, key, query, headers, body):
        name = query['uploadId']
        if self.uploads.get(name, ('', ''))[:2] != (bucket, key):
            return error(404, 'NoSuchUpload', 'The specified upload does not exist.')
        parts = self.uploads[name][2]
        if method == 'DELETE':
            del self.uploads[name]
            return Answer(204)
        if method == 'PUT':
            etag = f'"{hashlib.md5(body).hexdigest()}"'
            parts[int(query['partNumber'])] = (body, etag)
            return Answer(200, b'', {'ETag': etag})
        if method != 'POST':
            return error(405, 'MethodNotAllowed')
        if self.refused_condition(objects, key, headers):
            return error(412, 'PreconditionFailed')
        return self.upload_end(objects, key, name, parts, body)

    def upload_end(self, objects, key, name, parts, body):
        wanted = re.findall(r'<PartNumber>(\d+)</PartNumber><ETag>(?:&quot;|&#34;|")([0-9a-f]+)(?:&quot;|&#34;|")</ETag>',
                            body.decode())
        numbers = [int(n) for n, _ in wanted]
        if not wanted or numbers != sorted(set(numbers)):
            return error(400, 'InvalidPartOrder')
        if any(parts.get(int(n), (b'', ''))[1] != f'"{etag}"' for n, etag in wanted):
            return error(400, 'InvalidPart', 'One or more of the specified parts could not be found.')
        if any(len(parts[n][0]) < self.min_part for n in numbers[:-1]):
            return error(400, 'EntityTooSmall')
        whole = b''.join(parts[n][0] for n in numbers)
        digest = hashlib.md5(b''.join(bytes.fromhex(etag) for _, etag in wanted)).hexdigest()
        objects[key] = Object(whole, f'"{digest}-{len(wanted)}"', self.uploads[name][3])
        del self.uploads[name]
        return xml('CompleteMultipartUploadResult', f'<ETag>&quot;{digest}-{len(wanted)}&quot;</ETag>')

    # --- lists

    def list(self, objects, query):
        if query.get('list-type') != '2':
            return error(400, 'InvalidArgument', 'only list-type=2 is known here')
        prefix, delimiter = query.get('prefix', ''), query.get('delimiter', '')
        after = query.get('start-after', '')
        if 'continuation-token' in query:
            after = base64.b64decode(query['continuation-token']).decode('latin-1')
        keys, folders, last, more = [], [], after, False
        for key in sorted(k for k in objects if k.startswith(prefix)):
            behind = key[len(prefix):]
            at = behind.find(delimiter) if delimiter else -1
            shown = prefix + behind[:at + 1] if at >= 0 else key
            if shown <= last or (at >= 0 and key <= after):
                continue
            if len(keys) + len(folders) == self.page:
                more = True
                break
            (folders if at >= 0 else keys).append(shown)
            last = shown
        return self.list_page(objects, keys, folders, last if more else '')

    def list_page(self, objects, keys, folders, token):
        def name(key):
            return escape(urllib.parse.quote_plus(key.encode('latin-1'), safe='/'))
        inner = f'<EncodingType>url</EncodingType><IsTruncated>{"true" if token else "false"}</IsTruncated>'
        if token:
            inner += f'<NextContinuationToken>{base64.b64encode(token.encode("latin-1")).decode()}</NextContinuationToken>'
        for key in keys:
            found = objects[key]
            stamp = time.strftime('%Y-%m-%dT%H:%M:%S.000Z', time.gmtime(found.time))
            inner += (f'<Contents><Key>{name(key)}</Key><LastModified>{stamp}</LastModified>'
                      f'<ETag>{escape(found.etag, {chr(34): "&quot;"})}</ETag><Size>{len(found.body)}</Size></Contents>')
        inner += ''.join(f'<CommonPrefixes><Prefix>{name(f)}</Prefix></CommonPrefixes>' for f in folders)
        return xml('ListBucketResult', inner)


def meta_of(headers):
    return {k: v for k, v in headers.items() if k.lower().startswith('x-amz-meta-')}


def ranged(body, wanted, headers):
    """The whole, or what "bytes=A-B" and "bytes=A-" ask for."""
    asked = re.fullmatch(r'bytes=(\d+)-(\d*)', wanted or '')
    if not asked:
        return Answer(200, body, headers)
    first = int(asked[1])
    last = min(int(asked[2]) if asked[2] else len(body) - 1, len(body) - 1)
    if first > last:
        answer = error(416, 'InvalidRange', 'The requested range is not satisfiable')
        answer.headers['Content-Range'] = f'bytes */{len(body)}'
        return answer
    return Answer(206, body[first:last + 1], {**headers, 'Content-Range': f'bytes {first}-{last}/{len(body)}'})


__all__ = ['Answer', 'Buckets', 'Refused', 'error', 'ranged']
