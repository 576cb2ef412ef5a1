#include "backup/restore/place.h"

#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/mem.h"

#include "common/base/banned.h"

#define PATH_MOST 8192
#define SCHEME "s3://"

/* --- folders ----------------------------------------------------------------------------------------- */

void place_resolve(const char *folder, struct ark_buf *out)
{
	ark_auto(ark_buf_release) struct ark_buf path;
	ark_buf_init(&path, PATH_MOST);
	if (folder[0] != '/') {
		ark_auto(ark_freep) char *here = realpath(".", NULL);
		ark_buf_z(&path, here != NULL ? here : "");
		ark_buf_c(&path, '/');
	}
	ark_buf_z(&path, folder);
	while (path.len > 1 && path.data[path.len - 1] == '/')
		ark_buf_cut(&path, path.len - 1);
	/* the longest part that is there, then the rest as it was given */
	for (size_t len = path.len;;) {
		ark_auto(ark_freep) char *head = ark_strdup(ark_str_n(path.data, len > 0 ? len : 1));
		ark_auto(ark_freep) char *real = realpath(head, NULL);
		if (real != NULL) {
			ark_buf_z(out, strcmp(real, "/") == 0 && len < path.len ? "" : real);
			ark_buf_add(out, path.data + len, path.len - len);
			return;
		}
		while (len > 0 && path.data[len - 1] != '/')
			len--;
		while (len > 0 && path.data[len - 1] == '/')
			len--;
		if (len == 0) {
			ark_buf_str(out, ark_buf_view(&path));
			return;
		}
	}
}

static bool below(struct ark_str inner, struct ark_str outer, char separator)
{
	return outer.len == 0 || (inner.len > outer.len && ark_str_starts(inner, outer) &&
	                          (outer.ptr[outer.len - 1] == separator || inner.ptr[outer.len] == separator));
}

/* Is `outer`, or what is mounted from it, a folder on the way to `inner`, or `inner` itself? */
static bool on_the_way(const char *inner, const char *outer, bool *same)
{
	struct stat want, have;
	if (stat(outer, &want) != 0)
		return false;
	ark_auto(ark_buf_release) struct ark_buf path;
	ark_buf_init(&path, PATH_MOST);
	ark_buf_z(&path, inner);
	for (bool first = true; path.len > 0; first = false) {
		if (stat(path.data, &have) == 0 && have.st_dev == want.st_dev && have.st_ino == want.st_ino) {
			*same = first;
			return true;
		}
		while (path.len > 0 && path.data[path.len - 1] != '/')
			ark_buf_cut(&path, path.len - 1);
		if (path.len > 0)
			ark_buf_cut(&path, path.len - 1);
	}
	return false;
}

enum place_relation place_folders(const char *a, const char *b)
{
	bool same = false;
	if (strcmp(a, b) == 0)
		return PLACE_SAME;
	if (below(ark_str_z(a), ark_str_z(b), '/'))
		return PLACE_INSIDE;
	if (below(ark_str_z(b), ark_str_z(a), '/'))
		return PLACE_AROUND;
	if (on_the_way(a, b, &same))
		return same ? PLACE_SAME : PLACE_INSIDE;
	return on_the_way(b, a, &same) ? PLACE_AROUND : PLACE_APART;
}

/* --- buckets ----------------------------------------------------------------------------------------- */

struct bucket {
	struct ark_str endpoint, bucket, prefix;
};

static struct bucket split(const char *text)
{
	struct ark_str s = ark_str_z(text);
	struct bucket b;
	s = ark_str_from(s, strlen(SCHEME));
	b.endpoint = ark_str_first(s, ark_str_find(s, '/', 0));
	s = ark_str_from(s, b.endpoint.len);
	while (s.len > 0 && s.ptr[0] == '/')
		s = ark_str_from(s, 1);
	b.bucket = ark_str_first(s, ark_str_find(s, '/', 0));
	s = ark_str_from(s, b.bucket.len);
	while (s.len > 0 && s.ptr[0] == '/')
		s = ark_str_from(s, 1);
	while (s.len > 0 && s.ptr[s.len - 1] == '/')
		s.len--;
	b.prefix = s;
	return b;
}

static void host_and_port(struct ark_str endpoint, char host[256], struct ark_str *port)
{
	size_t colon = ark_str_find(endpoint, ':', 0);
	struct ark_str name = ark_str_first(endpoint, colon);
	*port = colon == SIZE_MAX ? ARK_LIT("") : ark_str_from(endpoint, colon + 1);
	if (ark_str_eqz(*port, "443") || ark_str_eqz(*port, "80"))
		*port = ARK_LIT("");
	size_t len = name.len < 255 ? name.len : 255;
	memcpy(host, name.ptr, len);
	host[len] = '\0';
}

static bool share_address(const char *a, const char *b)
{
	struct addrinfo hint = { .ai_socktype = SOCK_STREAM }, *x = NULL, *y = NULL;
	bool same = false;
	if (getaddrinfo(a, NULL, &hint, &x) == 0 && getaddrinfo(b, NULL, &hint, &y) == 0)
		for (struct addrinfo *i = x; i != NULL; i = i->ai_next)
			for (struct addrinfo *k = y; k != NULL; k = k->ai_next)
				same = same || (i->ai_addrlen == k->ai_addrlen && memcmp(i->ai_addr, k->ai_addr, i->ai_addrlen) == 0);
	if (x != NULL)
		freeaddrinfo(x);
	if (y != NULL)
		freeaddrinfo(y);
	return same;
}

static bool same_endpoint(struct ark_str a, struct ark_str b)
{
	char x[256], y[256];
	struct ark_str port_x, port_y, amazon = ARK_LIT(".amazonaws.com");
	host_and_port(a, x, &port_x);
	host_and_port(b, y, &port_y);
	if (!ark_str_eq(port_x, port_y))
		return false;
	/* a bucket's name is unique among all regions of Amazon's */
	if (strcasecmp(x, y) == 0 || (ark_str_ends(ark_str_z(x), amazon) && ark_str_ends(ark_str_z(y), amazon)))
		return true;
	return share_address(x, y);
}

enum place_relation place_buckets(const char *a, const char *b)
{
	struct bucket x = split(a), y = split(b);
	if (!ark_str_eq(x.bucket, y.bucket))
		return PLACE_APART;
	enum place_relation rel = ark_str_eq(x.prefix, y.prefix)        ? PLACE_SAME
	                          : below(x.prefix, y.prefix, '/')      ? PLACE_INSIDE
	                          : below(y.prefix, x.prefix, '/')      ? PLACE_AROUND
	                                                                : PLACE_APART;
	return rel != PLACE_APART && same_endpoint(x.endpoint, y.endpoint) ? rel : PLACE_APART;
}

enum place_relation place_compare(const char *a, const char *b)
{
	bool far_a = strncmp(a, SCHEME, strlen(SCHEME)) == 0, far_b = strncmp(b, SCHEME, strlen(SCHEME)) == 0;
	if (far_a != far_b)
		return PLACE_APART;
	return far_a ? place_buckets(a, b) : place_folders(a, b);
}
