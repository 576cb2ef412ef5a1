/*
 * What the .c files of this room share; the only header that knows libcurl. Not for other rooms.
 */
#ifndef ARK_NET_PRIVATE_H
#define ARK_NET_PRIVATE_H

#include <curl/curl.h>

#include "common/net/http.h"

/* Options with defaults filled in and strings of their own. */
struct net_setup {
	char *agent;
	char *ca_file;
	bool (*interrupted)(void);
	long connect_ms, total_ms;
	long stall_s;
};
void net_setup_init(struct net_setup *setup, const struct net_options *opt);
void net_setup_release(struct net_setup *setup);

/* libcurl's process-wide preparation, once. */
enum ark_rc net_global(struct ark_err *err);
/* A handle with what every transfer has (http.h); NULL when there is no memory. */
CURL *net_easy_new(const struct net_setup *setup);
/* The same again after curl_easy_reset. */
void net_easy_setup(CURL *easy, const struct net_setup *setup);

/* One line of an answer's headers: keeps it in `reply`; a status line begins anew. `*end` when this
 * was the empty line behind the last. False: more than LIMIT_HTTP_HEADERS. */
bool net_header_line(struct net_reply *reply, const char *ptr, size_t len, bool *end);

enum net_fate net_fate_of(CURL *easy, CURLcode code);
/* FAIL with kind IO (or REFUSED): what libcurl's code means, with the place of `url`. */
enum ark_rc net_curl_err(CURL *easy, CURLcode code, const char *url, struct ark_err *err);

/* Lines of headers, each NUL-ended. */
struct net_sign_lines {
	struct ark_buf host, date, authorization;
};

/* What only S3 sets. */
struct net_signing {
	const char *region;
	const char *user, *password;
};

/*
 * The headers that sign `request` (Signature Version 4, service s3) at the time `now_ms`, added to `out` as lines:
 * Host, x-amz-date, Authorization. Signed are the first two and every x-amz- header of the request, one of which is
 * x-amz-content-sha256. The URL's path and query must be encoded as the signature wants it: docs/s3.md.
 */
void net_sign(const struct net_request *request, const struct net_signing *signing, int64_t now_ms,
              struct net_sign_lines *out);

/* net_do, signed when `signing` is not NULL. */
enum ark_rc net_do_signed(struct net *net, const struct net_request *request,
                          const struct net_signing *signing, struct net_reply *reply,
                          struct ark_err *err);
/* Interrupts are not asked for while `shielded`: for taking back what was begun. */
void net_shield(struct net *net, bool shielded);
/* Sleep; ends early (STOP) when interrupted. */
enum ark_rc net_sleep(const struct net *net, int64_t ms, struct ark_err *err);

/* Pause before try number `tries` + 1 (tries >= 1): doubles, at most `max_ms`, between half and all of
 * it by chance, so that many clients do not come back together. `*seed` is the caller's, any value. */
int64_t net_pause(unsigned tries, int64_t first_ms, int64_t max_ms, uint64_t *seed);
uint64_t net_seed(void);

/* Statuses after which the same request may do better. */
bool net_status_again(int status);

#endif
