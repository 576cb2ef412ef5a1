/* Lists of folders, deltas between them, and packs: what libgit2 and git itself read back. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "export/history/forest.h"
#include "export/history/sort.h"
#include "tests/harness/tap.h"

static struct history_oid oid(unsigned n)
{
	struct history_oid id = { { 0 } };
	memcpy(id.b, &n, sizeof(n));
	id.b[19] = (unsigned char)n;
	return id;
}

static void put(struct ark_buf *raw, const char *name, bool is_tree, unsigned n)
{
	struct history_oid id = oid(n);
	history_tree_set(raw, ark_str_z(name), is_tree, &id);
}

static void lists_are_in_gits_order(void)
{
	struct ark_buf raw;
	struct history_entry e;
	struct ark_err err = { 0 };
	ark_buf_init(&raw, 65536);
	put(&raw, "a.b", false, 1);
	put(&raw, "a", true, 2);
	put(&raw, "a-b", true, 3);
	put(&raw, "b", false, 4);
	char order[64] = "";
	for (size_t at = 0; history_tree_next(ark_buf_view(&raw), &at, &e);)
		snprintf(order + strlen(order), sizeof(order) - strlen(order), "%.*s ", ARK_FMT(e.name));
	CHECK_STR(ark_str_z(order), "a-b a.b a b ");
	CHECK(history_tree_check(ark_buf_view(&raw), &err) == ARK_OK);
	put(&raw, "a", false, 5);
	CHECK(history_tree_find(ark_buf_view(&raw), ARK_LIT("a"), &e) && !e.is_tree && history_tree_check(ark_buf_view(&raw), &err) == ARK_OK);
	history_tree_remove(&raw, ARK_LIT("a-b"));
	CHECK(!history_tree_find(ark_buf_view(&raw), ARK_LIT("a-b"), &e));
	CHECK(history_tree_check(ark_str_first(ark_buf_view(&raw), raw.len - 1), &err) == ARK_FAIL);
	raw.data[0] = '9';
	CHECK(history_tree_check(ark_buf_view(&raw), &err) == ARK_FAIL);
	ark_buf_release(&raw);
}

/* What git does with a delta. */
static void apply(struct ark_str was, struct ark_str delta, struct ark_buf *out)
{
	const unsigned char *p = (const unsigned char *)delta.ptr, *end = p + delta.len;
	for (int i = 0; i < 2; i++)
		while (*p++ & 0x80)
			continue;
	while (p < end) {
		unsigned op = *p++;
		size_t at = 0, len = 0;
		if (op & 0x80) {
			for (unsigned i = 0; i < 4; i++)
				at |= op & 1u << i ? (size_t)*p++ << 8 * i : 0;
			for (unsigned i = 0; i < 3; i++)
				len |= op & 0x10u << i ? (size_t)*p++ << 8 * i : 0;
			len = len == 0 ? 0x10000 : len;
			ark_buf_str(out, ark_str_first(ark_str_from(was, at), len));
		} else {
			ark_buf_add(out, (const char *)p, op);
			p += op;
		}
	}
}

static void deltas_give_the_list(void)
{
	struct ark_buf was, now, delta, back;
	ark_buf_init(&was, 1u << 24);
	ark_buf_init(&now, 1u << 24);
	ark_buf_init(&delta, 1u << 24);
	ark_buf_init(&back, 1u << 24);
	unsigned wrong = 0;
	for (unsigned round = 0; round < 200; round++) {
		char name[32];
		ark_buf_reset(&now);
		ark_buf_str(&now, ark_buf_view(&was));
		for (unsigned i = 0; i < 1 + round % 7; i++) {
			snprintf(name, sizeof(name), "entry-%u", (round * 7919 + i * 104729) % 3000);
			if ((round + i) % 5 == 4)
				history_tree_remove(&now, ark_str_z(name));
			else
				put(&now, name, i % 2 == 0, round * 100 + i);
		}
		if (round == 100)
			for (unsigned i = 0; i < 2500; i++) {
				snprintf(name, sizeof(name), "many-%u", i);
				put(&now, name, true, i);
			}
		ark_buf_reset(&delta);
		ark_buf_reset(&back);
		history_tree_delta(ark_buf_view(&was), ark_buf_view(&now), &delta);
		apply(ark_buf_view(&was), ark_buf_view(&delta), &back);
		wrong += !ark_str_eq(ark_buf_view(&back), ark_buf_view(&now));
		ark_buf_reset(&was);
		ark_buf_str(&was, ark_buf_view(&now));
	}
	CHECK(wrong == 0);
	CHECK(was.len > 0x10000);
	ark_buf_release(&was);
	ark_buf_release(&now);
	ark_buf_release(&delta);
	ark_buf_release(&back);
}

static enum ark_rc none_to_load(void *ctx, const struct history_oid *id, struct ark_buf *out, struct ark_err *err)
{
	(void)ctx;
	(void)id;
	(void)out;
	return ark_err_set(err, ARK_KIND_INPUT, "nothing can be loaded");
}

/* A folder with packs, and a repository around them that git checks. */
static void git_reads_the_packs(void)
{
	char folder[] = "/tmp/ark-pack.XXXXXX", command[512];
	struct ark_err err = { 0 };
	if (mkdtemp(folder) == NULL)
		return;
	snprintf(command, sizeof(command), "git init -q --bare %s/r", folder);
	bool git = system(command) == 0;
	snprintf(command, sizeof(command), "%s/r/objects/pack", folder);
	struct history_packs *packs = history_packs_new(command);
	struct history_press *press = history_press_new();
	struct history_forest *f = history_forest_new(packs, press, NULL, none_to_load, NULL);
	struct history_oid root = { { 0 } }, blob, twice;
	enum ark_rc rc = ARK_OK;
	for (unsigned i = 0; i < 120 && rc == ARK_OK; i++) {
		char day[16], month[8], text[64];
		snprintf(text, sizeof(text), "message %u\n", i);
		snprintf(month, sizeof(month), "%02u", i / 28 + 1);
		snprintf(day, sizeof(day), "%02u.jsonl", i % 28 + 1);
		struct history_path path = { { ARK_LIT("acme"), ARK_LIT("general"), ARK_LIT("2024"), ark_str_z(month), ark_str_z(day) }, 5 };
		rc = history_packs_add(packs, press, HISTORY_BLOB, ark_str_z(text), &blob, &err);
		if (rc == ARK_OK)
			rc = history_forest_set(f, &path, false, &blob, &err);
		if (rc == ARK_OK)
			rc = history_forest_write(f, &root, &err);
	}
	uint64_t count = history_packs_count(packs);
	if (rc == ARK_OK)
		rc = history_packs_add(packs, press, HISTORY_BLOB, ARK_LIT("message 1\n"), &twice, &err);
	CHECK(rc == ARK_OK && history_packs_count(packs) == count);
	CHECK(rc == ARK_OK && history_packs_finish(packs, &err) == ARK_OK);
	CHECK(history_packs_name(packs, 0) != NULL && history_packs_name(packs, 1) == NULL);
	char hex[HISTORY_OID_HEX];
	history_oid_hex(&root, hex);
	snprintf(command, sizeof(command), "cd %s/r && git fsck --full --strict --no-dangling >fsck 2>&1 && test \"$(git ls-tree -r %s | wc -l)\" = 120 && "
	         "test \"$(git show %s:acme/general/2024/02/05.jsonl)\" = 'message 32' && git verify-pack -v objects/pack/*.idx | grep -q 'chain length = 16' && ! git verify-pack -v objects/pack/*.idx | grep -q 'chain length = 17'",
	         folder, hex, hex);
	if (git)
		CHECK(system(command) == 0);
	history_forest_free(f);
	history_press_free(press);
	history_packs_free(packs);
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	CHECK(system(command) == 0);
}

struct adder {
	struct history_packs *packs;
	unsigned from, count;
	enum ark_rc rc;
};

static void *add_many(void *arg)
{
	struct adder *a = arg;
	struct history_press *press = history_press_new();
	struct ark_err err = { 0 };
	for (unsigned i = 0; i < a->count && a->rc == ARK_OK; i++) {
		char text[32];
		struct history_oid id;
		snprintf(text, sizeof(text), "object %u\n", a->from + i);
		a->rc = history_packs_add(a->packs, press, HISTORY_BLOB, ark_str_z(text), &id, &err);
	}
	history_press_free(press);
	return NULL;
}

/* More than the packs hold that are filled while another one is indexed: threads wait for room and find another
 * pack than they left. */
static void threads_fill_packs(void)
{
	char folder[] = "/tmp/ark-pack.XXXXXX", command[512];
	struct ark_err err = { 0 };
	pthread_t threads[4];
	struct adder adders[4];
	if (mkdtemp(folder) == NULL)
		return;
	struct history_packs *packs = history_packs_new(folder);
	for (unsigned i = 0; i < 4; i++) {
		adders[i] = (struct adder){ packs, i * 40000, 40000, ARK_OK };
		CHECK(pthread_create(&threads[i], NULL, add_many, &adders[i]) == 0);
	}
	for (unsigned i = 0; i < 4; i++) {
		(void)pthread_join(threads[i], NULL);
		CHECK(adders[i].rc == ARK_OK);
	}
	CHECK(history_packs_finish(packs, &err) == ARK_OK && history_packs_count(packs) == 160000);
	CHECK(history_packs_name(packs, 3) != NULL && history_packs_name(packs, 4) == NULL);
	history_packs_free(packs);
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	CHECK(system(command) == 0);
}

/* A long file goes through a temporary one, and has the name that git gives it. */
static void long_files_are_packed(void)
{
	char folder[] = "/tmp/ark-pack.XXXXXX", command[512], hex[HISTORY_OID_HEX], line[128];
	struct ark_err err = { 0 };
	struct history_oid id;
	struct history_body body;
	if (mkdtemp(folder) == NULL)
		return;
	snprintf(command, sizeof(command), "git init -q --bare %s/r", folder);
	bool git = system(command) == 0;
	snprintf(command, sizeof(command), "%s/r/objects/pack", folder);
	struct history_packs *packs = history_packs_new(command);
	struct history_press *press = history_press_new();
	enum ark_rc rc = ARK_OK;
	history_body_init(&body, "/tmp");
	for (unsigned i = 0; i < 200000 && rc == ARK_OK; i++) {
		ark_buf_fmt(&body.text, "line %u of many\n", i);
		rc = history_body_settle(&body, &err);
	}
	CHECK(rc == ARK_OK && body.spool.len > 0);
	CHECK(history_packs_add_body(packs, press, &body, &id, &err) == ARK_OK);
	CHECK(history_packs_add_body(packs, press, &body, &id, &err) == ARK_OK && history_packs_count(packs) == 1);
	CHECK(history_packs_finish(packs, &err) == ARK_OK);
	history_oid_hex(&id, hex);
	snprintf(line, sizeof(line), "seq -f 'line %%.0f of many' 0 199999");
	snprintf(command, sizeof(command), "cd %s/r && git fsck --full --strict --no-dangling && test \"$(%s | git hash-object --stdin)\" = %s && "
	         "git cat-file blob %s | cmp - <(%s)", folder, line, hex, hex, line);
	if (git) {
		FILE *f = popen("bash -s", "w");
		CHECK(f != NULL && fputs(command, f) >= 0 && pclose(f) == 0);
	}
	history_body_reset(&body);
	CHECK(history_body_len(&body) == 0);
	history_body_release(&body);
	history_press_free(press);
	history_packs_free(packs);
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	CHECK(system(command) == 0);
}

static void days_come_in_order(void)
{
	struct history_sort *s = history_sort_new();
	struct ark_err err = { 0 };
	struct history_file f = { 0 }, last = { 0 };
	uint32_t x = 12345;
	uint64_t n = 0, wrong = 0, sum_in = 0, sum_out = 0;
	for (unsigned i = 0; i < 150000; i++) {
		x = x * 1103515245 + 12345;
		f = (struct history_file){ .day = x >> 16 & 0x3ff, .channel = i, .posts = i };
		sum_in += f.day;
		(void)history_sort_add(s, &f, &err);
	}
	while (history_sort_next(s, &f, &err) == ARK_OK) {
		wrong += n > 0 && (f.day < last.day || (f.day == last.day && f.channel <= last.channel));
		sum_out += f.day;
		last = f;
		n++;
	}
	CHECK(n == 150000 && wrong == 0 && sum_in == sum_out);
	history_sort_free(s);
}

int main(void)
{
	TAP_RUN(lists_are_in_gits_order);
	TAP_RUN(deltas_give_the_list);
	TAP_RUN(git_reads_the_packs);
	TAP_RUN(threads_fill_packs);
	TAP_RUN(long_files_are_packed);
	TAP_RUN(days_come_in_order);
	return tap_done();
}
