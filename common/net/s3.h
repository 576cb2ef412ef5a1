/*
 * Requests to an S3-compatible object store (AWS, MinIO, Ceph ...), signed by libcurl (Signature
 * Version 4). Not for file stores as the tools see them: that is the room store. One bucket per handle,
 * one thread at a time. Keys are bytes; no key may be empty.
 *
 * Repeated by itself, with a growing and randomised pause: no connection, connection lost, less than
 * promised, 429, 500, 502, 503, 504 and the error codes that mean the same (SlowDown, InternalError,
 * RequestTimeout ...), also when they come with status 200. A body that is being received goes on where
 * it stopped, under If-Match, so that two versions are never mixed.
 *
 * Errors: kind MISSING (no such key, no such bucket), REFUSED (keys or rights wrong, clock too far
 * off, wrong region), LOCKED never, IO for the rest, with the store's own code and message. They never
 * hold a secret.
 *
 * Fact  docs/s3.md: what libcurl signs, and how requests must be written for it
 */
#ifndef ARK_NET_S3_H
#define ARK_NET_S3_H

#include "common/net/http.h"

struct net_s3;

enum net_s3_style {
	NET_S3_AUTO,  /* host style for *.amazonaws.com unless the bucket has a dot, else path style */
	NET_S3_PATH,  /* https://ENDPOINT/BUCKET/KEY */
	NET_S3_HOST,  /* https://BUCKET.ENDPOINT/KEY */
};

struct net_s3_options {
	struct net_options net;
	const char *bucket;
	const char *endpoint;      /* HOST[:PORT], or a URL without path; NULL or "": s3.REGION.amazonaws.com */
	const char *region;        /* NULL or "": us-east-1 */
	const char *access_key;
	const char *secret_key;
	const char *session_token; /* NULL or "": none */
	bool plain_http;           /* when the endpoint has no scheme */
	enum net_s3_style style;
	unsigned tries;            /* of one request; 0: 6 */
	int64_t pause_ms;          /* before the second try; doubles up to 20 s; 0: 200 */
	size_t part_bytes;         /* of multipart uploads, at least 5 MiB for real stores; 0: 8 MiB */
};

/* opt is copied, strings included. FAIL: REFUSED when libcurl is too old, USAGE for options that
 * cannot be used. Sends nothing. */
enum ark_rc net_s3_open(const struct net_s3_options *opt, struct net_s3 **out, struct ark_err *err);
void net_s3_close(struct net_s3 *s3); /* NULL is fine */
void net_s3_closep(struct net_s3 **s3); /* for ark_auto */

#define NET_S3_ETAG 136
struct net_s3_object {
	uint64_t size;
	int64_t mtime_ms;       /* 0 when the store did not say */
	char etag[NET_S3_ETAG]; /* with its quotes; "" when the store did not say */
};

/* FAIL with kind MISSING when there is none. */
enum ark_rc net_s3_head(struct net_s3 *s3, struct ark_str key, struct net_s3_object *out,
                        struct ark_err *err);

/* `len` bytes from `from` on (UINT64_MAX: to the end; 0 bytes are nothing to ask for) into the sink.
 * Less than asked for only where the object ends. `out` (may be NULL) is about the whole object. */
enum ark_rc net_s3_get(struct net_s3 *s3, struct ark_str key, uint64_t from, uint64_t len,
                       struct ark_sink sink, struct net_s3_object *out, struct ark_err *err);

/*
 * The object is there with the whole body, or not at all: one request up to some parts' length, else a
 * multipart upload, which is taken back when it fails.
 * if_absent  only when there is no such key: ARK_END when there was one, nothing is changed then
 *            (net_s3_probe_absent tells whether the store heeds it)
 */
enum ark_rc net_s3_put(struct net_s3 *s3, struct ark_str key, const struct ark_body *body,
                       bool if_absent, struct ark_err *err);

/* OK as well when there was no such key: stores do not tell. */
enum ark_rc net_s3_delete(struct net_s3 *s3, struct ark_str key, struct ark_err *err);

struct net_s3_entry {
	struct ark_str key;     /* borrowed during the call */
	bool is_folder;         /* a common prefix that ends in '/', with `by_folder` */
	struct net_s3_object object;
};
typedef enum ark_rc net_s3_each_fn(void *ctx, const struct net_s3_entry *entry, struct ark_err *err);

/*
 * Keys that begin with `prefix` and come after `after` (NONE: from the first), in the order of their
 * bytes, page by page. ARK_END from `each` ends it (and is returned).
 * by_folder  keys that go on behind the next '/' are told once as a folder
 */
enum ark_rc net_s3_list(struct net_s3 *s3, struct ark_str prefix, struct ark_str after,
                        bool by_folder, net_s3_each_fn *each, void *ctx, struct ark_err *err);

/*
 * Whether the store heeds `if_absent`: puts an object under `key` twice and deletes it. Needs the right
 * to delete; honoured is false when the second one went through.
 */
enum ark_rc net_s3_probe_absent(struct net_s3 *s3, struct ark_str key, bool *honoured,
                                struct ark_err *err);

/* --- bodies whose length is not known before ---------------------------------------------------- */

struct net_s3_upload;
/* Buffers one part in memory. Given up (and taken back at the store) by net_s3_upload_drop. */
enum ark_rc net_s3_upload_begin(struct net_s3 *s3, struct ark_str key, bool if_absent,
                                struct net_s3_upload **out, struct ark_err *err);
enum ark_rc net_s3_upload_add(struct net_s3_upload *up, const char *ptr, size_t len,
                              struct ark_err *err);
/* The object is there. ARK_END: if_absent and there was one. *up is NULL afterwards in any case. */
enum ark_rc net_s3_upload_finish(struct net_s3_upload **up, struct ark_err *err);
void net_s3_upload_drop(struct net_s3_upload **up); /* for ark_auto; a no-op after finish */

#endif
