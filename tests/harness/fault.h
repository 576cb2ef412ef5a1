/*
 * The test's side of fault_server.py: say what shall go wrong next, ask what was seen. The server's
 * address is in ARK_TEST_HTTP; without it the program stops, because fault_server.py runs it.
 */
#ifndef ARK_TESTS_FAULT_H
#define ARK_TESTS_FAULT_H

#include <stdlib.h>

#include "common/net/http.h"
#include "tests/harness/tap.h"

/* The address of `path` at the server, by the host name `host` (NULL: 127.0.0.1); static, four at a time. */
static inline const char *fault_url(const char *host, const char *path)
{
	static char urls[4][512];
	static unsigned n;
	const char *base = getenv("ARK_TEST_HTTP");
	if (base == NULL) {
		printf("Bail out! run by tests/harness/fault_server.py\n");
		exit(1);
	}
	char *out = urls[n++ % 4];
	if (host == NULL)
		snprintf(out, sizeof(urls[0]), "%s%s", base, path);
	else
		snprintf(out, sizeof(urls[0]), "http://%s%s%s", host, strrchr(base, ':'), path);
	return out;
}

/* One request to the server's own paths; the answer's body (at most 64 KiB), static. */
static inline struct ark_str fault_ask(enum net_method method, const char *path, struct ark_str body)
{
	static char kept[1 << 16];
	ark_auto(net_closep) struct net *net = NULL;
	ark_auto(net_reply_release) struct net_reply reply;
	struct ark_err err = { 0 };
	net_reply_init(&reply);
	struct net_request request = { .method = method, .url = fault_url(NULL, path),
		                       .body = ark_body_mem(body) };
	if (net_open(NULL, &net, &err) < 0 || net_do(net, &request, &reply, &err) < 0 ||
	    reply.status != 200 || reply.body.len > sizeof(kept)) {
		printf("Bail out! %s: %d %s\n", path, reply.status, err.text);
		exit(1);
	}
	memcpy(kept, reply.body.data, reply.body.len);
	return ark_str_n(kept, reply.body.len);
}

/* "do=...&match=...": `match` is percent-encoded where it holds & + or % */
static inline void fault(const char *rule)
{
	char path[400];
	snprintf(path, sizeof(path), "/__fault?%s", rule);
	fault_ask(NET_POST, path, ARK_LIT(""));
}

static inline void fault_reset(void)
{
	fault_ask(NET_POST, "/__reset", ARK_LIT(""));
}

static inline void fault_set(const char *what)
{
	char path[200];
	snprintf(path, sizeof(path), "/__set?%s", what);
	fault_ask(NET_POST, path, ARK_LIT(""));
}

/* Requests whose line in the log matches: "METHOD TARGET STATUS BYTES RANGE FAULT". */
static inline long fault_count(const char *match)
{
	ark_auto(ark_buf_release) struct ark_buf path;
	ark_buf_init(&path, 2000);
	ark_buf_z(&path, "/__count?match=");
	net_url_encode(ark_str_z(match), false, &path);
	struct ark_str text = fault_ask(NET_GET, path.data, ARK_LIT(""));
	uint64_t n = 0;
	return ark_str_u64(text, &n) ? (long)n : -1;
}

/* Byte i of a generated download. */
static inline char fault_byte(uint64_t i)
{
	return (char)(i % 251);
}

/* Is this what /gen/LEN/... sends from `from` on? */
static inline bool fault_generated(struct ark_str s, uint64_t from)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] != fault_byte(from + i))
			return false;
	return true;
}

#endif
