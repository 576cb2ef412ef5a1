/*
 * Putting objects: in one request, or in parts that become an object by one request at the end. What
 * an upload in parts has sent is taken back when it is given up, after an interruption too.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/fail.h"
#include "common/base/limits.h"
#include "common/base/mem.h"
#include "common/net/private.h"
#include "common/net/s3_private.h"

#include "common/base/banned.h"

#define MARK_NAME "x-amz-meta-matterark-put"
#define MARK_SIZE 24
#define SINGLE_MAX (UINT64_C(5) << 30) /* bytes of one PUT. Fact docs/s3.md "Limits" */
#define PARTS_AT_FIRST 1000            /* of part_bytes each; then they grow */

struct net_s3_upload {
	struct net_s3 *s3;
	char *key;
	size_t key_len;
	bool if_absent;
	struct ark_buf id;      /* of the upload, encoded for queries; empty: nothing was sent yet */
	struct ark_buf part;    /* bytes of the part being collected */
	struct ark_buf parts;   /* <Part> elements of those that are there */
	unsigned part_count;
	uint64_t total;
	char mark[MARK_SIZE];
};

static struct ark_str key_of(const struct net_s3_upload *up)
{
	return ark_str_n(up->key, up->key_len);
}

static enum ark_rc step(struct net_s3 *s3, const char *what, struct ark_err *err)
{
	int bad = ark_fail_step(what);
	return bad == 0 ? ARK_OK : ark_err_errno(err, bad, "cannot write to %s", s3->place);
}

/* --- one request ------------------------------------------------------------------------------- */

/* Metadata that no other put has. */
static void new_mark(char mark[MARK_SIZE], char line[64])
{
	snprintf(mark, MARK_SIZE, "%016llx", (unsigned long long)net_seed());
	snprintf(line, 64, MARK_NAME ": %s", mark);
}

/* Was what is there put by this very call? A put can be carried out twice without our knowing: libcurl
 * repeats a request by itself when a connection that was used before ends without an answer. */
static enum ark_rc was_ours(struct net_s3 *s3, struct ark_str key, const char *mark,
                            struct ark_err *err)
{
	struct net_s3_object object;
	enum ark_rc rc = net_s3_head(s3, key, &object, err);
	if (rc < 0)
		return rc;
	return ark_str_eqz(net_reply_header(&s3->reply, MARK_NAME), mark) ? ARK_OK : ARK_END;
}

static enum ark_rc put_single(struct net_s3 *s3, struct ark_str key, const struct ark_body *body,
                              bool if_absent, struct ark_err *err)
{
	char mark[MARK_SIZE], line[64];
	struct net_s3_call call = { .method = NET_PUT, .key = key, .what = "put", .body = *body };
	enum ark_rc rc = step(s3, "PUT", err);
	if (rc < 0)
		return rc;
	net_s3_header(&call, "content-type: application/octet-stream");
	new_mark(mark, line);
	if (if_absent) {
		net_s3_header(&call, "if-none-match: *");
		net_s3_header(&call, line);
	}
	rc = net_s3_do(s3, &call, err);
	return rc == ARK_END ? was_ours(s3, key, mark, err) : rc;
}

/* --- parts ------------------------------------------------------------------------------------- */

static enum ark_rc begin_parts(struct net_s3_upload *up, struct ark_err *err)
{
	struct net_s3_call call = { .method = NET_POST, .key = key_of(up), .query = "uploads=",
		                    .what = "begin the upload of", .xml_error = true,
		                    .body = ark_body_mem(ARK_LIT("")) };
	ark_auto(ark_buf_release) struct ark_buf id;
	char line[64];
	ark_buf_init(&id, LIMIT_STORE_PATH);
	enum ark_rc rc = step(up->s3, "POST uploads", err);
	if (rc == ARK_OK) {
		new_mark(up->mark, line);
		net_s3_header(&call, "content-type: application/octet-stream");
		net_s3_header(&call, line);
		rc = net_s3_do(up->s3, &call, err);
	}
	if (rc == ARK_OK)
		rc = net_s3_xml_value(ark_buf_view(&up->s3->reply.body), "InitiateMultipartUploadResult",
		                      "UploadId", &id, err);
	if (rc == ARK_OK)
		net_url_encode(ark_buf_view(&id), false, &up->id);
	return rc == ARK_END ? ark_err_set(err, ARK_KIND_IO, "%s began no upload", up->s3->place) : rc;
}

static enum ark_rc send_part(struct net_s3_upload *up, const struct ark_body *body,
                             struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf query;
	ark_buf_init(&query, 4 * LIMIT_STORE_PATH);
	enum ark_rc rc = up->id.len == 0 ? begin_parts(up, err) : ARK_OK;
	if (rc == ARK_OK)
		rc = step(up->s3, "PUT part", err);
	if (rc < 0)
		return rc;
	if (up->part_count == LIMIT_S3_PARTS)
		return ark_err_set(err, ARK_KIND_LIMIT, "a file is too long for one upload to %s",
		                   up->s3->place);
	ark_buf_fmt(&query, "partNumber=%u&uploadId=%s", up->part_count + 1, up->id.data);
	struct net_s3_call call = { .method = NET_PUT, .key = key_of(up), .query = query.data,
		                    .what = "upload a part of", .body = *body };
	rc = net_s3_do(up->s3, &call, err);
	struct ark_str etag = net_reply_header(&up->s3->reply, "etag");
	if (rc == ARK_END || (rc == ARK_OK && etag.len == 0))
		return ark_err_set(err, ARK_KIND_IO, "%s did not confirm a part", up->s3->place);
	if (rc < 0)
		return rc;
	up->part_count++;
	ark_buf_fmt(&up->parts, "<Part><PartNumber>%u</PartNumber><ETag>", up->part_count);
	ark_buf_html(&up->parts, etag);
	ark_buf_z(&up->parts, "</ETag></Part>");
	up->total += body->len;
	return ARK_OK;
}

/* The object is whole: asked for once more, because the answers of this request are the least
 * trustworthy ones (errors with status 200, a repetition that finds no upload). */
static enum ark_rc check_whole(struct net_s3_upload *up, struct ark_err *err)
{
	struct net_s3_object object;
	enum ark_rc rc = net_s3_head(up->s3, key_of(up), &object, err);
	if (rc == ARK_OK && object.size != up->total)
		rc = ark_err_set(err, ARK_KIND_IO, "%s has %llu bytes of '%s' instead of %llu",
		                 up->s3->place, (unsigned long long)object.size, up->key,
		                 (unsigned long long)up->total);
	return rc;
}

static enum ark_rc finish_parts(struct net_s3_upload *up, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf xml;
	ark_auto(ark_buf_release) struct ark_buf query;
	ark_buf_init(&xml, LIMIT_S3_XML);
	ark_buf_init(&query, 4 * LIMIT_STORE_PATH);
	ark_buf_z(&xml, "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
	ark_buf_str(&xml, ark_buf_view(&up->parts));
	ark_buf_z(&xml, "</CompleteMultipartUpload>");
	ark_buf_fmt(&query, "uploadId=%s", up->id.data);
	struct net_s3_call call = { .method = NET_POST, .key = key_of(up), .query = query.data,
		                    .what = "finish the upload of", .xml_error = true,
		                    .body = ark_body_mem(ark_buf_view(&xml)) };
	enum ark_rc rc = step(up->s3, "POST upload", err);
	if (rc < 0)
		return rc;
	net_s3_header(&call, "content-type: application/xml");
	if (up->if_absent)
		net_s3_header(&call, "if-none-match: *");
	rc = net_s3_do(up->s3, &call, err);
	if (rc == ARK_END || (rc < 0 && strcmp(call.error.code, "NoSuchUpload") == 0)) {
		/* an earlier try may have been carried out */
		struct ark_err ignored = { 0 };
		enum ark_rc ours = was_ours(up->s3, key_of(up), up->mark, &ignored);
		rc = ours == ARK_OK ? ARK_OK : rc;
	}
	if (rc != ARK_OK)
		return rc;
	ark_buf_reset(&up->id); /* there is nothing to take back any more */
	return check_whole(up, err);
}

/* --- uploads ----------------------------------------------------------------------------------- */

static size_t part_size(const struct net_s3_upload *up)
{
	size_t size = up->s3->part_bytes;
	for (unsigned n = PARTS_AT_FIRST; n <= up->part_count && size < LIMIT_S3_PART; n += PARTS_AT_FIRST)
		size += up->s3->part_bytes / 2;
	return size;
}

enum ark_rc net_s3_upload_begin(struct net_s3 *s3, struct ark_str key, bool if_absent,
                                struct net_s3_upload **out, struct ark_err *err)
{
	(void)err;
	struct net_s3_upload *up = ark_calloc(1, sizeof(*up));
	up->s3 = s3;
	up->key = ark_strdup(key);
	up->key_len = key.len;
	up->if_absent = if_absent;
	ark_buf_init(&up->id, 3 * LIMIT_STORE_PATH);
	ark_buf_init(&up->part, SIZE_MAX / 2);
	ark_buf_init(&up->parts, LIMIT_S3_XML);
	*out = up;
	return ARK_OK;
}

enum ark_rc net_s3_upload_add(struct net_s3_upload *up, const char *ptr, size_t len,
                              struct ark_err *err)
{
	while (len > 0) {
		size_t size = part_size(up), room = size - up->part.len, now = len < room ? len : room;
		ark_buf_add(&up->part, ptr, now);
		ptr += now;
		len -= now;
		if (up->part.len < size)
			continue;
		struct ark_body body = ark_body_mem(ark_buf_view(&up->part));
		enum ark_rc rc = send_part(up, &body, err);
		if (rc < 0)
			return rc;
		ark_buf_reset(&up->part);
	}
	return ARK_OK;
}

/* Best effort: a store that cannot be reached keeps the parts until its own rules sweep them. */
static void take_back(struct net_s3_upload *up)
{
	ark_auto(ark_buf_release) struct ark_buf query;
	struct ark_err ignored = { 0 };
	ark_buf_init(&query, 4 * LIMIT_STORE_PATH);
	ark_buf_fmt(&query, "uploadId=%s", up->id.data);
	struct net_s3_call call = { .method = NET_DELETE, .key = key_of(up), .query = query.data,
		                    .what = "take back the upload of",
		                    .body = ark_body_mem(ARK_LIT("")) };
	net_shield(up->s3->net, true);
	(void)net_s3_do(up->s3, &call, &ignored);
	net_shield(up->s3->net, false);
}

void net_s3_upload_drop(struct net_s3_upload **slot)
{
	struct net_s3_upload *up = *slot;
	*slot = NULL;
	if (up == NULL)
		return;
	if (up->id.len > 0)
		take_back(up);
	free(up->key);
	ark_buf_release(&up->id);
	ark_buf_release(&up->part);
	ark_buf_release(&up->parts);
	free(up);
}

/* Stores that do not know the condition at the end of an upload: asked before, which leaves a moment. */
static enum ark_rc is_absent(struct net_s3_upload *up, struct ark_err *err)
{
	struct net_s3_object object;
	struct ark_err missing = { 0 };
	enum ark_rc rc = net_s3_head(up->s3, key_of(up), &object, &missing);
	if (rc == ARK_OK)
		return ARK_END;
	if (missing.kind == ARK_KIND_MISSING)
		return ARK_OK;
	*err = missing;
	return rc;
}

enum ark_rc net_s3_upload_finish(struct net_s3_upload **slot, struct ark_err *err)
{
	ark_auto(net_s3_upload_drop) struct net_s3_upload *up = *slot;
	*slot = NULL;
	struct ark_body rest = ark_body_mem(ark_buf_view(&up->part));
	if (up->id.len == 0)
		return put_single(up->s3, key_of(up), &rest, up->if_absent, err);
	enum ark_rc rc = rest.len > 0 ? send_part(up, &rest, err) : ARK_OK;
	if (rc == ARK_OK && up->if_absent)
		rc = is_absent(up, err);
	return rc == ARK_OK ? finish_parts(up, err) : rc;
}

/* In parts, straight from the body. */
static enum ark_rc put_parts(struct net_s3 *s3, struct ark_str key, const struct ark_body *body,
                             bool if_absent, struct ark_err *err)
{
	ark_auto(net_s3_upload_drop) struct net_s3_upload *up = NULL;
	enum ark_rc rc = net_s3_upload_begin(s3, key, if_absent, &up, err);
	uint64_t size = s3->part_bytes;
	while (body->len / size >= LIMIT_S3_PARTS)
		size *= 2;
	for (uint64_t at = 0; rc == ARK_OK && at < body->len; at += size) {
		uint64_t len = body->len - at < size ? body->len - at : size;
		struct ark_body part = { body->fd, ark_str_first(ark_str_from(body->mem, (size_t)at), (size_t)len),
			                 body->at + at, len };
		rc = send_part(up, &part, err);
	}
	return rc == ARK_OK ? net_s3_upload_finish(&up, err) : rc;
}

enum ark_rc net_s3_put(struct net_s3 *s3, struct ark_str key, const struct ark_body *body,
                       bool if_absent, struct ark_err *err)
{
	/* a condition holds surely only for one request */
	uint64_t single = if_absent ? SINGLE_MAX : 2 * (uint64_t)s3->part_bytes;
	return body->len <= single ? put_single(s3, key, body, if_absent, err)
	                           : put_parts(s3, key, body, if_absent, err);
}

enum ark_rc net_s3_probe_absent(struct net_s3 *s3, struct ark_str key, bool *honoured,
                                struct ark_err *err)
{
	struct ark_body body = ark_body_mem(ARK_LIT("matterark tries whether this store keeps what is there\n"));
	enum ark_rc rc = net_s3_put(s3, key, &body, true, err);
	if (rc < 0)
		return rc;
	enum ark_rc second = net_s3_put(s3, key, &body, true, err);
	if (second < 0)
		return second;
	*honoured = rc == ARK_OK && second == ARK_END;
	return net_s3_delete(s3, key, err);
}
