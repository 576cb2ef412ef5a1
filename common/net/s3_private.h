/*
 * What the S3 files of this room share. Not for other rooms; tests and fuzz targets read it for the
 * parsers.
 */
#ifndef ARK_NET_S3_PRIVATE_H
#define ARK_NET_S3_PRIVATE_H

#include "common/crypt/hash.h"
#include "common/net/s3.h"

/* --- XML answers: s3_xml.c ------------------------------------------------------------------------ */

#define NET_S3_TEXT 256

struct net_s3_error {
	char code[64];           /* "SlowDown"; empty when the body is no error */
	char message[NET_S3_TEXT];
	char region[64];         /* the right one, with AuthorizationHeaderMalformed */
};

/* True when the document's root is <Error>; FAIL never: what is no XML is no error document. */
bool net_s3_xml_error(struct ark_str xml, struct net_s3_error *out);

struct net_s3_page {
	bool truncated;
	struct ark_buf token; /* for the next page */
	struct ark_buf last;  /* the last key or folder told */
};

/*
 * One page of ListObjectsV2; `each` is called in the document's order. `page` is initialised by the
 * caller and kept from page to page: a key that is not behind `last` is FAIL with kind INPUT, so that
 * the list cannot run in circles. ARK_END from `each` is returned.
 */
enum ark_rc net_s3_xml_list(struct ark_str xml, struct net_s3_page *page, net_s3_each_fn *each,
                            void *ctx, struct ark_err *err);

/* Text of /ROOT/NAME into `out`; FAIL with kind INPUT when it is not there or empty. */
enum ark_rc net_s3_xml_value(struct ark_str xml, const char *root, const char *name,
                             struct ark_buf *out, struct ark_err *err);

/* --- requests: s3.c -------------------------------------------------------------------------------- */

struct net_s3 {
	struct net *net;
	struct crypt_hash *hash;
	char *base;    /* "https://host[:port]" with the bucket in host or path, no '/' at the end */
	char *bucket;
	char *place;   /* "bucket 'b' at host", for errors */
	char *region;
	char *access_key, *secret_key, *token;
	unsigned tries;
	int64_t pause_ms;
	size_t part_bytes;
	uint64_t seed;
	struct net_reply reply;
	struct ark_buf url;
	char *space; /* to hash bodies through */
};

#define NET_S3_HEADERS 8
struct net_s3_call {
	enum net_method method;
	struct ark_str key;    /* empty: the bucket itself */
	const char *query;     /* sorted and encoded, without '?'; NULL: none */
	struct ark_body body;
	const char *headers[NET_S3_HEADERS];
	size_t header_count;
	struct ark_sink sink;
	const char *what;      /* "cannot WHAT 'key' in bucket ...": "put" */
	bool xml_error;        /* status 200 may come with an <Error> */
	bool once;             /* a repetition is the caller's, see `again` */
	/* out */
	bool again;            /* `once`: the failure is one to repeat */
	struct net_s3_error error;
};

/*
 * Signed, sent, repeated as s3.h says. Results are in s3->reply.
 * Returns  OK for 200..299; END for 412 and 409 of a conditional request, and 416; FAIL otherwise
 */
enum ark_rc net_s3_do(struct net_s3 *s3, struct net_s3_call *call, struct ark_err *err);
void net_s3_header(struct net_s3_call *call, const char *line);

#endif
