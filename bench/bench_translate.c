/*
 * bench_translate: how fast Slack messages become records, with no database behind.
 *
 *	bench_translate memory ARCHIVE [ROUNDS]
 *		day files are read first; then parsed, decoded and translated on one core, as often as
 *		told (for profilers)
 *	bench_translate zip ARCHIVE
 *		lists and day files from the archive, inflated on the reader's own thread, translated
 *		on this one
 *
 * The records go into a buffer that is used again for each file. Prints one line of key=value pairs:
 * wall and cpu in seconds, bytes of JSON, messages.
 */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/mem.h"
#include "common/base/pool.h"
#include "import/slack/day.h"
#include "import/translate/message.h"

#include "common/base/banned.h"

/* A day file, or one message of a large one, in memory. */
struct text {
	char *ptr;
	size_t len;
	uint32_t conv;
};

struct bench {
	struct slack_export x;
	struct ark_pool names;
	struct json_doc *doc;
	struct translator translator;
	struct ark_buf records;
	struct text *texts;
	size_t count, cap;
	uint64_t bytes, messages, skipped;
};

static void bench_release(struct bench *b)
{
	for (size_t i = 0; i < b->count; i++)
		free(b->texts[i].ptr);
	free(b->texts);
	translator_release(&b->translator);
	json_doc_free(b->doc);
	ark_buf_release(&b->records);
	ark_pool_release(&b->names);
	slack_export_release(&b->x);
}

static double seconds(clockid_t clock)
{
	struct timespec t;
	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- names: what the loader gives to people and channels ---- */

static void name_person(void *ctx, uint32_t person)
{
	struct bench *b = ctx;
	struct slack_person *p = &b->x.people.list[person];
	p->username = ark_pool_str(&b->names, ark_str_has(p->name) ? p->name : p->key);
	p->username_final = p->listed;
}

static bool name_channel(void *ctx, uint32_t conv, struct ark_str *out)
{
	const struct bench *b = ctx;
	const struct slack_conv *c = &b->x.convs.list[conv];
	*out = c->name;
	return c->kind == CONV_PUBLIC || c->kind == CONV_PRIVATE;
}

static enum ark_rc open_archive(struct bench *b, char *path, struct ark_err *err)
{
	static const struct translate_options ALL = { 0 };
	slack_export_init(&b->x);
	enum ark_rc rc = slack_export_open(&b->x, &path, 1, err);
	if (rc < 0)
		return rc;
	for (uint32_t i = 0; i < b->x.people.count; i++)
		name_person(b, i);
	b->x.people.on_new = name_person;
	b->x.people.on_new_ctx = b;
	struct translate_names names = { .ctx = b, .channel = name_channel };
	translator_init(&b->translator, &b->x, &names, &ALL);
	ark_buf_init(&b->records, SIZE_MAX / 2);
	b->doc = json_doc_new();
	return ARK_OK;
}

/* ---- the work that is measured ---- */

static void take_message(struct bench *b, uint32_t conv, struct json_val v)
{
	struct slack_message m;
	enum skip_reason reason = SKIP_NONE;
	bool fine = slack_message_decode(v, &m) == MESSAGE_FINE;
	if (fine)
		reason = translate_message(&b->translator, &m, conv, 0, &b->records);
	b->messages++;
	b->skipped += !fine || reason != SKIP_NONE;
}

static void take_text(struct bench *b, uint32_t conv, const char *ptr, size_t len)
{
	struct ark_err err = { 0 };
	struct json_val root;
	ark_buf_reset(&b->records);
	b->bytes += len;
	if (json_doc_parse(b->doc, ptr, len, &root, &err) < 0) {
		b->skipped++;
		return;
	}
	if (json_type(root) != JSON_ARRAY) {
		take_message(b, conv, root);
		return;
	}
	struct json_iter it = json_items(root);
	for (struct json_val v; json_next(&it, &v);)
		take_message(b, conv, v);
}

static void keep_text(struct bench *b, const struct slack_block *block, const struct slack_piece *p)
{
	struct ark_str s = slack_piece_text(block, p);
	if (b->count == b->cap) {
		b->cap = b->cap == 0 ? 1024 : b->cap * 2;
		b->texts = ark_realloc(b->texts, b->cap, sizeof(*b->texts));
	}
	char *copy = ark_calloc(1, s.len + JSON_PADDING);
	memcpy(copy, s.ptr, s.len);
	b->texts[b->count++] = (struct text){ copy, s.len, p->conv };
}

/* Everything of the archive: kept, or translated at once. */
static enum ark_rc read_days(struct bench *b, bool keep, struct ark_err *err)
{
	ark_auto(slack_days_closep) struct slack_days *days = slack_days_open(&b->x);
	struct slack_block *block;
	enum ark_rc rc;
	while ((rc = slack_days_next(days, &block, err)) == ARK_OK) {
		for (uint32_t i = 0; i < block->count; i++) {
			const struct slack_piece *p = &block->pieces[i];
			struct ark_str s = slack_piece_text(block, p);
			if (p->kind != PIECE_FILE && p->kind != PIECE_ELEMENT)
				continue;
			if (keep)
				keep_text(b, block, p);
			else
				take_text(b, p->conv, s.ptr, s.len);
		}
		slack_days_return(days, block);
	}
	return rc == ARK_END ? ARK_OK : rc;
}

static void stay_on_this_core(void)
{
	cpu_set_t set;
	CPU_ZERO(&set);
	CPU_SET((size_t)sched_getcpu(), &set);
	if (sched_setaffinity(0, sizeof(set), &set) != 0)
		fputs("bench_translate: cannot stay on one core\n", stderr);
}

static void say(const struct bench *b, double wall, double cpu)
{
	printf("wall=%.3f cpu=%.3f bytes=%llu messages=%llu skipped=%llu\n", wall, cpu,
	       (unsigned long long)b->bytes, (unsigned long long)b->messages,
	       (unsigned long long)b->skipped);
}

static enum ark_rc from_memory(struct bench *b, char *path, uint64_t rounds, struct ark_err *err)
{
	enum ark_rc rc = open_archive(b, path, err);
	if (rc == ARK_OK)
		rc = read_days(b, true, err);
	if (rc < 0)
		return rc;
	stay_on_this_core();
	double wall = seconds(CLOCK_MONOTONIC), cpu = seconds(CLOCK_THREAD_CPUTIME_ID);
	for (uint64_t n = 0; n < rounds; n++)
		for (size_t i = 0; i < b->count; i++)
			take_text(b, b->texts[i].conv, b->texts[i].ptr, b->texts[i].len);
	say(b, seconds(CLOCK_MONOTONIC) - wall, seconds(CLOCK_THREAD_CPUTIME_ID) - cpu);
	return ARK_OK;
}

static enum ark_rc from_zip(struct bench *b, char *path, struct ark_err *err)
{
	double wall = seconds(CLOCK_MONOTONIC);
	enum ark_rc rc = open_archive(b, path, err);
	if (rc == ARK_OK)
		rc = read_days(b, false, err);
	if (rc == ARK_OK)
		say(b, seconds(CLOCK_MONOTONIC) - wall, seconds(CLOCK_PROCESS_CPUTIME_ID));
	return rc;
}

int main(int argc, char **argv)
{
	bool memory = argc >= 3 && argc <= 4 && strcmp(argv[1], "memory") == 0;
	uint64_t rounds = 1;
	if ((!memory && (argc != 3 || strcmp(argv[1], "zip") != 0)) ||
	    (argc == 4 && !ark_str_u64(ark_str_z(argv[3]), &rounds))) {
		fputs("usage: bench_translate memory ARCHIVE [ROUNDS] | zip ARCHIVE\n", stderr);
		return 2;
	}
	setenv("TZ", "UTC", 1); /* the archive library asks for the time zone of each entry */
	ark_auto(bench_release) struct bench b = { 0 };
	struct ark_err err = { 0 };
	enum ark_rc rc = memory ? from_memory(&b, argv[2], rounds, &err)
	                        : from_zip(&b, argv[2], &err);
	if (rc < 0)
		fprintf(stderr, "bench_translate: %s\n", err.text);
	return rc < 0;
}
