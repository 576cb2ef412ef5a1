#include "backup/restore/place.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/harness/tap.h"

#include "common/base/banned.h"

static void test_folders(void)
{
	CHECK(place_folders("/srv/data", "/srv/data") == PLACE_SAME);
	CHECK(place_folders("/srv/data/x", "/srv/data") == PLACE_INSIDE);
	CHECK(place_folders("/srv", "/srv/data") == PLACE_AROUND);
	CHECK(place_folders("/", "/srv/data") == PLACE_AROUND);
	CHECK(place_folders("/srv/data2", "/srv/data") == PLACE_APART);
	CHECK(place_folders("/srv/dat", "/srv/data") == PLACE_APART);
}

static void resolved(const char *folder, struct ark_buf *out)
{
	ark_buf_reset(out);
	place_resolve(folder, out);
}

static void test_links_are_followed(void)
{
	char top[] = "/tmp/ark-place.XXXXXX", path[256], other[256];
	struct ark_buf a, b;
	CHECK(mkdtemp(top) != NULL);
	ark_buf_init(&a, 4096);
	ark_buf_init(&b, 4096);
	snprintf(path, sizeof(path), "%s/real", top);
	CHECK(mkdir(path, 0700) == 0);
	snprintf(other, sizeof(other), "%s/link", top);
	CHECK(symlink(path, other) == 0);
	resolved(path, &a);
	resolved(other, &b);
	CHECK_STR(ark_str_z(a.data), b.data);
	snprintf(other, sizeof(other), "%s/link//not/there/", top);
	resolved(other, &b);
	CHECK(place_folders(b.data, a.data) == PLACE_INSIDE);
	CHECK(place_folders(a.data, b.data) == PLACE_AROUND);
	CHECK(chdir(top) == 0);
	resolved("link/x", &b);
	CHECK(place_folders(b.data, a.data) == PLACE_INSIDE);
	resolved("not-there", &b);
	CHECK(place_folders(b.data, a.data) == PLACE_APART);
	CHECK(b.data[0] == '/' && ark_str_ends(ark_buf_view(&b), ARK_LIT("/not-there")));
	resolved("/", &b);
	CHECK_STR(ark_str_z(b.data), "/");
	ark_buf_release(&a);
	ark_buf_release(&b);
	snprintf(other, sizeof(other), "%s/link", top);
	CHECK(unlink(other) == 0 && rmdir(path) == 0 && rmdir(top) == 0);
}

static void test_buckets(void)
{
	CHECK(place_buckets("s3://h:9000/b/p", "s3://H:9000/b/p/") == PLACE_SAME);
	CHECK(place_buckets("s3://h/b/p/x", "s3://h:443//b/p") == PLACE_INSIDE);
	CHECK(place_buckets("s3://h/b/", "s3://h/b/p") == PLACE_AROUND);
	CHECK(place_buckets("s3://h/b", "s3://h/b/p") == PLACE_AROUND);
	CHECK(place_buckets("s3://h/b/p2", "s3://h/b/p") == PLACE_APART);
	CHECK(place_buckets("s3://h/c/p", "s3://h/b/p") == PLACE_APART);
	CHECK(place_buckets("s3://127.0.0.1:1/b/p", "s3://127.0.0.1:2/b/p") == PLACE_APART);
	CHECK(place_buckets("s3://127.0.0.1:1/b/p", "s3://localhost:1/b/p") == PLACE_SAME);
	CHECK(place_buckets("s3://s3.amazonaws.com/b/p", "s3://s3.eu-west-1.amazonaws.com/b/p") == PLACE_SAME);
	CHECK(place_compare("/b/p", "s3://h/b/p") == PLACE_APART);
}

int main(void)
{
	TAP_RUN(test_folders);
	TAP_RUN(test_links_are_followed);
	TAP_RUN(test_buckets);
	return tap_done();
}
