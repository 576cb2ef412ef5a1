/*
 * Many downloads side by side, over libcurl's multi interface, in one thread. Jobs are asked for when
 * there is room (`next`), so their number does not matter for memory. Not for requests that change
 * something: a job is a GET that may be repeated.
 *
 * Repeated by itself, with a growing and randomised pause, at most `tries` times without progress:
 * no connection, connection lost, no byte for a while, less than promised, 408, 429, 500, 502, 503,
 * 504. Retry-After is obeyed, for the whole host when it comes with 429 or 503. What was received of a
 * body is kept when the server can go on from there (Range with If-Range); when it answers with the
 * whole body instead, `begin` is called again with from 0.
 */
#ifndef ARK_NET_MANY_H
#define ARK_NET_MANY_H

#include "common/net/http.h"

struct net_many;

struct net_many_options {
	struct net_options net;
	unsigned parallel;       /* transfers at once; 0: 16 */
	unsigned per_host;       /* of them to one host; 0: 6 */
	unsigned tries;          /* per job, counted anew after each received byte range; 0: 6 */
	int64_t pause_ms;        /* before the second try; doubles; 0: 500 */
	int64_t pause_max_ms;    /* 0: 60 s */
	int64_t retry_after_max_ms; /* a server that wants more: the job ends with its status; 0: 15 min */
};

/* How an answer begins. Borrowed during the call. */
struct net_begin {
	int status;            /* 200 or 206 or whatever the server says finally */
	uint64_t from;         /* bytes of the body that count as received: data goes behind them; the job's
	                        * own `from` or what came in an earlier try, or 0: forget what you have */
	bool has_size;
	uint64_t size;         /* of the whole body, `from` included */
	struct ark_str type;   /* Content-Type, empty when there is none */
	struct ark_str etag;
	struct ark_str url_shown; /* where it came from after redirects: scheme, host, path */
	const struct net_reply *reply; /* for net_reply_header */
};

struct net_result {
	enum ark_rc rc;       /* OK: status 200..299 and the body is whole; FAIL: see err */
	enum net_fate fate;
	int status;
	uint64_t received;    /* bytes that were handed to `data` and count, `from` included */
	unsigned tries;
	const struct ark_err *err; /* for people; never holds the query of the address */
};

/*
 * One download. Strings are copied by `next`'s caller before the next call of `next`.
 *
 * begin  called when the headers of an answer 200 or 206 are there (again after each repetition);
 *        ARK_END: this body is not wanted (a log-in page ...), the job ends with rc FAIL, fate
 *        NET_OURS, kind REFUSED; FAIL: the same with the callback's error; STOP ends everything
 * data   pieces of the body in order; FAIL ends this job, STOP everything
 * done   once per job, always, last; STOP ends everything
 */
struct net_job {
	const char *url;
	const char *const *headers; /* as in struct net_request */
	size_t header_count;
	uint64_t from;              /* bytes that are there from an earlier run; needs `etag` */
	const char *etag;           /* strong ETag they belong to; NULL: from must be 0 */
	uint64_t size_max;          /* FAIL with kind LIMIT when it is more; 0: no limit */
	int redirects;
	enum ark_rc (*begin)(void *ctx, const struct net_begin *b, struct ark_err *err);
	ark_take_fn *data;
	enum ark_rc (*done)(void *ctx, const struct net_result *result, struct ark_err *err);
	void *ctx;
};

/* Fill `job` with the next download: ARK_OK; ARK_END when there are no more. */
typedef enum ark_rc net_next_fn(void *ctx, struct net_job *job, struct ark_err *err);

enum ark_rc net_many_open(const struct net_many_options *opt, struct net_many **out,
                          struct ark_err *err);
void net_many_close(struct net_many *many); /* NULL is fine */
void net_many_closep(struct net_many **many); /* for ark_auto */

/*
 * All jobs that `next` gives, to their ends. When it fails (a callback's STOP, interrupted, out of
 * memory in libcurl) `done` has been called for all that began, with fate NET_OURS.
 * tick  called about ten times a second, for progress lines; may be NULL
 */
enum ark_rc net_many_run(struct net_many *many, net_next_fn *next, void (*tick)(void *ctx),
                         void *ctx, struct ark_err *err);

#endif
