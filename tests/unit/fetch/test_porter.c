/* Orders to the porters come back done, on disk after a sync, or with what went wrong. */
#include "import/fetch/porter.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/harness/tap.h"

#define ORDERS 300 /* more than a store keeps waiting */

static char dir[256];

static enum ark_rc open_store(void *ctx, struct store **out, struct ark_err *err)
{
	struct store_options opt = { .write = true, .create = true, .batch = true };
	(*(int *)ctx)++;
	return store_open_text(dir, &opt, out, err);
}

static bool there(const char *path)
{
	char full[16u << 10];
	struct stat st;
	snprintf(full, sizeof(full), "%s/%s", dir, path);
	return stat(full, &st) == 0 && st.st_size == 4;
}

static void orders_come_back_and_are_on_disk_after_a_sync(void)
{
	static struct porter_order orders[ORDERS];
	static struct porter_load loads[ORDERS];
	static char names[ORDERS][32];
	int opened = 0, good = 0, found = 0;
	struct ark_err err = { 0 };
	struct porters *p = porters_new(&(struct porter_store){ open_store, &opened });
	CHECK(porters_take(p, true) == NULL); /* nothing is out: nothing to wait for */
	CHECK_I64(opened, 0);
	for (int i = 0; i < ORDERS; i++) {
		snprintf(names[i], sizeof(names[i]), "%d/f%d", i % 7, i);
		loads[i] = (struct porter_load){ names[i], ark_body_mem(ARK_LIT("body")) };
		orders[i] = (struct porter_order){ .loads = &loads[i], .count = 1 };
		CHECK_I64(porters_give(p, &orders[i], &err), ARK_OK);
	}
	for (struct porter_order *o; (o = porters_take(p, true)) != NULL;)
		good += o->rc == ARK_OK;
	CHECK_I64(good, ORDERS);
	CHECK_I64(porters_synced(p, porters_sync(p), true, &err), ARK_OK);
	for (int i = 0; i < ORDERS; i++)
		found += there(names[i]);
	CHECK_I64(found, ORDERS);
	CHECK(opened > 1);
	porters_free(p);
}

static void what_fails_says_so_and_stops_nobody(void)
{
	struct ark_err err = { 0 };
	int opened = 0;
	struct porter_load bad = { "0/../x", ark_body_mem(ARK_LIT("body")) };
	struct porter_load fine[] = { { "a", ark_body_mem(ARK_LIT("body")) }, { "b", ark_body_mem(ARK_LIT("body")) } };
	struct porter_order one = { .loads = &bad, .count = 1 }, two = { .loads = fine, .count = 2 };
	struct porters *p = porters_new(&(struct porter_store){ open_store, &opened });
	CHECK_I64(porters_give(p, &one, &err), ARK_OK);
	CHECK_I64(porters_give(p, &two, &err), ARK_OK);
	for (int i = 0; i < 2; i++) {
		struct porter_order *o = porters_take(p, true);
		CHECK(o == &one ? o->rc < 0 && o->err.text[0] != '\0' : o == &two && o->rc == ARK_OK);
	}
	CHECK_I64(porters_synced(p, porters_sync(p), true, &err), ARK_OK);
	CHECK(there("a") && there("b"));
	porters_free(p);
}

static void a_store_that_does_not_open_is_told_at_once(void)
{
	struct ark_err err = { 0 };
	char keep[sizeof(dir)];
	int opened = 0;
	struct porter_order o = { .count = 0 };
	memcpy(keep, dir, sizeof(dir));
	snprintf(dir, sizeof(dir), "/nowhere/at/all");
	struct porters *p = porters_new(&(struct porter_store){ open_store, &opened });
	CHECK(porters_give(p, &o, &err) < 0);
	CHECK(err.text[0] != '\0');
	porters_free(p);
	memcpy(dir, keep, sizeof(dir));
}

int main(void)
{
	const char *tmp = getenv("TMPDIR");
	snprintf(dir, sizeof(dir), "%s/ark-porter-XXXXXX", tmp != NULL ? tmp : "/tmp");
	if (mkdtemp(dir) == NULL)
		return 1;
	TAP_RUN(orders_come_back_and_are_on_disk_after_a_sync);
	TAP_RUN(what_fails_says_so_and_stops_nobody);
	TAP_RUN(a_store_that_does_not_open_is_told_at_once);
	char command[300];
	snprintf(command, sizeof(command), "rm -rf '%s'", dir);
	return system(command) != 0 ? 1 : tap_done();
}
