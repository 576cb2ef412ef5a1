/*
 * Counts of a run: what was read, what was written, what was left out and why. The sum
 * read = written + skipped is checked by load_count_holds.
 */
#ifndef IMPORT_LOAD_COUNT_H
#define IMPORT_LOAD_COUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/map.h"
#include "common/base/str.h"
#include "import/translate/skip.h"

struct load_count {
	uint64_t read;      /* elements of day files, damaged stretches included */
	uint64_t written;   /* messages that are posts now (new, changed or there before) */
	uint64_t skipped[SKIP_COUNT];
	uint64_t posts;     /* rows: parts of long messages and placeholders included */
	uint64_t replies, reactions, pins, files, placeholders, parts;
};

struct load_month {
	int32_t month; /* year * 12 + month - 1 */
	uint64_t messages;
};

struct load_report {
	struct load_count total;
	struct load_month *months; /* sorted */
	uint32_t months_count;
	uint64_t reactions_invisible; /* their emoji has no picture in Mattermost */
	uint64_t reactions_cut;       /* users that Slack's export does not name */
	struct ark_map odd_subtypes;  /* subtypes without a rule of their own, to how many */
	/* told of what people should know at once, and of what they may (both or neither) */
	void (*on_warn)(void *ctx, const char *msgid, const char *text);
	void (*on_note)(void *ctx, const char *msgid, const char *text);
	void *on_warn_ctx;
	uint64_t active_before; /* accounts of others in the database that can be used, without bots */
	/* told of each skip that is worth a line of its own (may be NULL) */
	void (*on_skip)(void *ctx, uint32_t source, struct ark_str file, uint64_t offset, uint64_t len,
	                uint32_t conv, int64_t ts_us, enum skip_reason reason, const char *detail);
	void *on_skip_ctx;
	/* told of each file of a post (may be NULL); reason NULL: its body may be had */
	void (*on_missing)(void *ctx, struct ark_str id, struct ark_str name, uint32_t conv, int64_t ts_us,
	                   const char *reason);
	void *on_missing_ctx;
};

uint64_t load_count_skipped(const struct load_count *c);
bool load_count_holds(const struct load_count *c);
void load_count_add(struct load_count *to, const struct load_count *from);
/* Note a message of this time in the chart. */
void load_report_month(struct load_report *r, int64_t create_ms);

#endif
