/*
 * One HTTP request at a time, over libcurl, none of whose types leaves this room. Not for many
 * downloads at once (many.h) and not for S3 (s3.h). Connections are kept from one request to the
 * next. One thread at a time.
 *
 * What every request has: time limits (connecting, and standing still), certificates checked against
 * the system's authorities, proxies as the environment names them (https_proxy, no_proxy ...), only
 * http and https, redirects followed up to a limit with headers like Authorization left out when the
 * host changes. No error text and no log holds a query, a user name, a password or a header: places
 * are named as scheme, host and path at most.
 *
 * An answer with any status is ARK_OK: what it means is the caller's to say.
 */
#ifndef ARK_NET_HTTP_H
#define ARK_NET_HTTP_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/flow.h"

struct net;

struct net_options {
	const char *agent;         /* User-Agent; NULL: "matterark" */
	bool (*interrupted)(void); /* asked several times a second; NULL: never */
	int64_t connect_ms;        /* 0: 20 s */
	int64_t stall_ms;          /* no byte for so long ends a transfer; 0: 60 s. Up to 6 s later when bytes
	                            * came before: libcurl looks at the mean of some seconds */
	int64_t total_ms;          /* a whole request; 0: no limit */
	const char *ca_file;       /* NULL: the system's */
};

/* opt is copied, strings included; NULL: all defaults. */
enum ark_rc net_open(const struct net_options *opt, struct net **out, struct ark_err *err);
void net_close(struct net *net); /* NULL is fine */
void net_closep(struct net **net); /* for ark_auto */

enum net_method { NET_GET, NET_HEAD, NET_PUT, NET_POST, NET_DELETE };

struct net_request {
	enum net_method method;
	const char *url;            /* http or https; a user name and password in it are used, not shown */
	const char *const *headers; /* "Name: value"; of those that follow a redirect to another host,
	                             * Authorization and Cookie are left out: secrets go nowhere else */
	size_t header_count;
	struct ark_body body;       /* PUT, POST; { .fd = -1 } for none */
	struct ark_sink sink;       /* takes the body of an answer of 200..299; without one it goes into
	                             * reply->body like that of any other status */
	size_t ceiling;             /* bytes of reply->body; more: FAIL with kind LIMIT for 200..299, cut
	                             * for other statuses; 0: 1 MiB */
	int redirects;              /* followed at most; 0: none, an answer 3xx is the answer */
};

/* What became of a request, for who wants to try again. */
enum net_fate {
	NET_ANSWERED,    /* there is a status */
	NET_UNREACHABLE, /* no connection: nothing was sent */
	NET_BROKEN,      /* connection lost, time over, less than promised: perhaps carried out */
	NET_REFUSED,     /* certificate, too many redirects, address that is none: the same next time */
	NET_OURS,        /* sink, body or ceiling failed, or interrupted */
};

struct net_reply {
	enum net_fate fate;
	int status;             /* 0 without an answer */
	struct ark_buf headers; /* of the last answer, "name: value\n" lines, names in lower case */
	struct ark_buf body;
	uint64_t received;      /* bytes of the body, wherever they went */
};

/* Before the first use; a reply may be used again for the next request. */
void net_reply_init(struct net_reply *reply);
void net_reply_release(struct net_reply *reply); /* also for ark_auto */
/* Value of a header by its lower-case name, the last one of several; ARK_STR_NONE. Borrowed. */
struct ark_str net_reply_header(const struct net_reply *reply, const char *name);

/*
 * reply    filled as far as things went, also after a failure
 * Returns  ARK_OK: an answer arrived whole, whatever its status; FAIL: kind IO (see reply->fate),
 *          LIMIT, USAGE (not an address), or what the sink said; STOP with kind SIGNAL: interrupted
 */
enum ark_rc net_do(struct net *net, const struct net_request *request, struct net_reply *reply,
                   struct ark_err *err);

/* --- what others need too ----------------------------------------------------------------------- */

/* Append the address fit for people: scheme, host, port; with the path when `path`; never user name,
 * password, query or fragment. What is no address becomes "?". */
void net_url_shown(const char *url, bool path, struct ark_buf *out);
/* The parts of an address of any scheme; all are ours, NULL where there is none. */
struct net_url {
	char *scheme;          /* in lower case */
	char *user, *password; /* decoded */
	char *host;            /* IPv6 in brackets */
	int port;              /* 0: not said */
	char *path;            /* as it stands there, "/" at least */
	char *query;           /* as it stands there, without the question mark */
};
/* False, and nothing to release, when it is no address with scheme and host. */
bool net_url_split(const char *url, struct net_url *out);
void net_url_release(struct net_url *parts); /* also for ark_auto; { 0 } is fine */
/* Append `s` with every byte outside A-Z a-z 0-9 - . _ ~ as %XX; `/` stays when `slashes`. */
void net_url_encode(struct ark_str s, bool slashes, struct ark_buf *out);
/* Append `s` with %XX as bytes; false when one is malformed or a NUL. */
bool net_url_decode(struct ark_str s, struct ark_buf *out);

/*
 * Milliseconds to wait from a Retry-After header: seconds, or an HTTP date (RFC 9110 section 5.6.7)
 * against `now_ms`, never negative. False when it is neither.
 */
bool net_retry_after(struct ark_str value, int64_t now_ms, int64_t *wait_ms);
/* An HTTP date in its three forms as Unix time; false when it is none. */
bool net_http_date(struct ark_str value, int64_t *unix_ms);

#endif
