/*
 * Made-up runs for the tests of the report, and to look at: small (3 channels), big (300 channels,
 * 120 months), hostile (names that attack every format), nothing.
 */
#ifndef ARK_TESTS_REPORT_SAMPLE_H
#define ARK_TESTS_REPORT_SAMPLE_H

#include <stdio.h>
#include <stdlib.h>

#include "common/base/mem.h"
#include "import/report/report.h"
#include "import/report/writer.h"

/* 2023-08-01 */
#define SAMPLE_MS 1690848000000

struct sample {
	struct import_report r;
	struct load_month *months;
	struct report_phase phases[6];
	struct ark_str warnings[1];
};

static inline struct ark_str sample_text(struct sample *s, const char *fmt, unsigned n)
{
	char text[256];
	/* formats are literals of this file */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(text, sizeof(text), fmt, n);
#pragma GCC diagnostic pop
	return ark_pool_str(&s->r.strings, ark_str_z(text));
}

static inline void sample_skip(struct report_channel *c, enum skip_reason reason, uint64_t n)
{
	c->count.skipped[reason] += n;
	c->count.read += n;
}

static inline void sample_written(struct report_channel *c, uint64_t n)
{
	c->count.written += n;
	c->count.read += n;
	c->count.posts += n + n / 100;
	c->count.replies += n / 4;
	c->count.reactions += n / 3;
	c->count.files += n / 20;
	c->count.pins += n / 500;
}

static inline void sample_lists(struct sample *s, uint32_t archives, uint32_t channels,
                                uint32_t people, uint32_t months)
{
	s->r.archives = ark_calloc(archives + 1, sizeof(*s->r.archives));
	s->r.archives_count = archives;
	s->r.channels = ark_calloc(channels + 1, sizeof(*s->r.channels));
	s->r.channels_count = channels;
	s->r.people = ark_calloc(people + 1, sizeof(*s->r.people));
	s->r.people_count = people;
	s->months = ark_calloc(months + 1, sizeof(*s->months));
	s->r.months = s->months;
	s->r.months_count = months;
	for (uint32_t i = 0; i < channels; i++)
		s->r.channels[i].left_out = SKIP_NONE;
}

/* What follows from the channels and people. */
static inline void sample_sum(struct sample *s)
{
	for (uint32_t i = 0; i < s->r.channels_count; i++)
		load_count_add(&s->r.total, &s->r.channels[i].count);
	for (uint32_t i = 0; i < s->r.people_count; i++) {
		s->r.team_people += s->r.people[i].active;
		s->r.active_users += s->r.people[i].active && s->r.people[i].status != REPORT_BOT;
	}
}

static inline void sample_frame(struct sample *s)
{
	s->r.tool_version = ARK_LIT("0.1.0");
	s->r.database_host = ARK_LIT("db.example");
	s->r.database_name = ARK_LIT("mattermost");
	s->r.server_version = ARK_LIT("11.6");
	s->r.files_place = ARK_LIT("/opt/mattermost/data");
	s->r.run = ARK_LIT("20260301-101500-1");
	s->r.workspace = ARK_LIT("T0KITES01");
	s->r.team = ARK_LIT("kites");
	s->r.team_display = ARK_LIT("Tidewater Kites");
	s->r.start_ms = 1772360100000;
	s->r.duration_ms = 1234;
	s->r.end_ms = s->r.start_ms + s->r.duration_ms;
	s->r.bodies = (struct report_bodies){ .known = true, .files = 2, .bytes = 3500000, .missing = 2, .unpainted = 1,
		                              .emoji = 7, .avatars = 3 };
}

static inline void sample_channel(struct sample *s, uint32_t at, const char *name, char type)
{
	s->r.channels[at] = (struct report_channel){
		.slack_id = sample_text(s, "C0KITE%03u", at),
		.slack_name = ark_str_z(name),
		.name = type != 0 ? ark_str_z(name) : ARK_STR_NONE,
		.display = ark_str_z(name),
		.type = type,
		.left_out = type != 0 ? SKIP_NONE : SKIP_OPTION_CHANNELS,
		.first_ms = SAMPLE_MS,
		.last_ms = SAMPLE_MS + 86400000LL * 200,
		.members = 7,
		.members_live = 6,
	};
}

static inline void sample_small(struct sample *s)
{
	sample_frame(s);
	sample_lists(s, 1, 3, 4, 7);
	s->r.archives[0] = (struct report_archive){ .name = ARK_LIT("tidewater-kites.zip"),
		                                    .entries = 61,
		                                    .day_files = 52,
		                                    .body_files = 5,
		                                    .other_files = 4,
		                                    .has_users = true,
		                                    .newest_ms = SAMPLE_MS + 86400000LL * 200 };
	sample_channel(s, 0, "general", 'O');
	sample_written(&s->r.channels[0], 71);
	sample_channel(s, 1, "design", 'O');
	sample_written(&s->r.channels[1], 35);
	sample_skip(&s->r.channels[1], SKIP_REPLY_BROADCAST, 2);
	sample_channel(s, 2, "leads", 'P');
	sample_written(&s->r.channels[2], 13);
	static const char *const NAMES[] = { "mara", "priya", "tomas", "kitebot" };
	for (uint32_t i = 0; i < 4; i++)
		s->r.people[i] = (struct report_person){
			.slack_id = sample_text(s, i < 3 ? "U0KITE%03u" : "B0KITE%03u", i),
			.username = ark_str_z(NAMES[i]),
			.slack_name = ark_str_z(NAMES[i]),
			.real_name = ark_str_z(NAMES[i]),
			.email = ARK_LIT("x@kites.example"),
			.status = i < 3 ? REPORT_CREATED : REPORT_BOT,
			.active = true,
			.posts = 20
		};
	for (uint32_t i = 0; i < 7; i++)
		s->months[i] = (struct load_month){ 2023 * 12 + 7 + (int32_t)i, 5 + i * 13 % 30 };
	sample_sum(s);
}

static inline void sample_big(struct sample *s)
{
	static const char *const STEMS[] = { "project-%u",  "team-%u", "incident-%u",
		                             "customer-%u", "ops-%u",  "social-%u" };
	sample_frame(s);
	s->r.database_new = true;
	s->r.duration_ms = 83456;
	sample_lists(s, 3, 300, 420, 120);
	for (uint32_t i = 0; i < 3; i++)
		s->r.archives[i] = (struct report_archive){
			.name = sample_text(s, "kites Slack export Jan 1 2015 - Dec 31 %u.zip",
			                    2022 + i),
			.entries = 90000 + i * 31234,
			.day_files = 84000 + i * 30001,
			.other_files = 12,
			.body_files = i * 4400,
			.has_users = i > 0,
			.unsafe_names = i == 2,
			.newest_ms = SAMPLE_MS + 86400000LL * 300 * i
		};
	s->r.archives[2].list_damage = 2;
	for (uint32_t i = 0; i < 300; i++) {
		struct report_channel *c = &s->r.channels[i];
		sample_channel(s, i, sample_text(s, STEMS[i % 6], i).ptr, i % 7 == 3 ? 'P' : 'O');
		if (i % 10 == 9) {
			c->type = i % 20 == 9 ? 'D' : 'G';
			c->slack_name = c->type == 'D' ? ARK_LIT("mara, priya")
			                               : ARK_LIT("mara, priya, tomas, jun");
		}
		if (i > 292) {
			c->type = 0;
			c->left_out = SKIP_OPTION_CHANNELS;
		}
		c->archived = i % 5 == 4;
		c->members_live = i % 21 == 3 ? 0 : 5;
		c->first_ms -= 86400000LL * (i * 7);
		uint64_t n = 2400000 / (i + 3);
		if (c->type == 0) {
			sample_skip(c, SKIP_OPTION_CHANNELS, n);
			continue;
		}
		sample_written(c, n);
		sample_skip(c, SKIP_DUPLICATE, n / 90);
		sample_skip(c, SKIP_REPLY_BROADCAST, n / 400);
		sample_skip(c, SKIP_EMPTY, i % 9 == 0 ? 14 : 0);
		sample_skip(c, SKIP_DELETED, i % 4 == 0 ? 3 : 0);
		sample_skip(c, SKIP_DAMAGED_RANGE, i == 17 ? 2 : 0);
	}
	for (uint32_t i = 0; i < 420; i++)
		s->r.people[i] = (struct report_person){
			.slack_id = sample_text(s, "U0%06u", i),
			.username = sample_text(s, "person.%u", i),
			.slack_name = sample_text(s, "person%u", i),
			.real_name = sample_text(s, "Person Number %u", i),
			.email = i % 30 == 5 ? ARK_STR_NONE
			                     : sample_text(s, "person%u@kites.example", i),
			.status = i % 40 == 1   ? REPORT_BOT
			          : i % 25 == 2 ? REPORT_PLACEHOLDER
			          : i % 6 == 0  ? REPORT_MATCHED
			                        : REPORT_CREATED,
			.active = i % 25 != 2 && i % 37 != 3,
			.guest = i % 37 == 3,
			.admin = i % 90 == 4,
			.owner = i == 4,
			.mailless = i % 30 == 5 && i % 6 != 0 && i % 40 != 1 && i % 25 != 2,
			.posts = i * 13
		};
	for (uint32_t i = 0; i < 120; i++)
		s->months[i] = (struct load_month){ 2015 * 12 + 2 + (int32_t)i,
			                            i == 40 ? 3 : 900 + i * 190 + i * 7919 % 4000 };
	static const char *const PHASES[] = { "read", "decode", "translate",
		                              "copy", "merge",  "indexes" };
	for (uint32_t i = 0; i < 6; i++)
		s->phases[i] = (struct report_phase){ ark_str_z(PHASES[i]), 900 + i * i * 1600 };
	s->r.phases = s->phases;
	s->r.phases_count = 6;
	s->warnings[0] =
	    ARK_LIT("archive 'kites 2022' is older than what 12 channels were last imported "
	            "from: it only added messages");
	s->r.warnings = s->warnings;
	s->r.warnings_count = 1;
	s->r.people_without_account = 31;
	s->r.changes = (struct report_changes){ .known = true, .added = 1234567, .updated = 4321, .same = 98765, .kept = 12 };
	sample_sum(s);
}

#define SAMPLE_HOSTILE_COUNT 12
#define SAMPLE_NAME(s)                                                                             \
	{                                                                                          \
		s, sizeof(s) - 1                                                                   \
	}
static inline struct ark_str sample_hostile_name(uint32_t i)
{
	static const struct ark_str NAMES[SAMPLE_HOSTILE_COUNT] = {
		SAMPLE_NAME("</script><script>alert(1)</script>"),
		SAMPLE_NAME("\"><img src=x onerror=alert(1)>"),
		SAMPLE_NAME("'/**/;alert(1)//"),
		SAMPLE_NAME("=HYPERLINK(\"https://evil.example\",\"x\")"),
		SAMPLE_NAME("\xe2\x80\xaegnp.exe\xe2\x81\xa6"),
		SAMPLE_NAME("a\0b\x01\x1b[31mred\x7f"),
		SAMPLE_NAME("bad \xff\xfe utf8 \xed\xa0\x80"),
		SAMPLE_NAME("line\r\nbreak,comma;\"quote\""),
		SAMPLE_NAME("-2+3+cmd|' /C calc'!A0"),
		SAMPLE_NAME("\xef\xbc\x9d"
		            "1+1"),
		SAMPLE_NAME("]]>&amp;<!--"),
		SAMPLE_NAME("\xef\xbf\xbe\xf0\x9f\xaa\x81 \xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d"),
	};
	return NAMES[i];
}

static inline void sample_hostile(struct sample *s)
{
	sample_frame(s);
	s->r.team_display = sample_hostile_name(0);
	s->r.database_host = sample_hostile_name(1);
	s->r.database_name = sample_hostile_name(2);
	s->r.files_place = sample_hostile_name(10);
	s->r.workspace = sample_hostile_name(1);
	sample_lists(s, SAMPLE_HOSTILE_COUNT, SAMPLE_HOSTILE_COUNT, SAMPLE_HOSTILE_COUNT, 3);
	for (uint32_t i = 0; i < SAMPLE_HOSTILE_COUNT; i++) {
		struct ark_str name = sample_hostile_name(i);
		s->r.archives[i].name = name;
		s->r.channels[i] = (struct report_channel){ .slack_id = name,
			                                    .slack_name = name,
			                                    .name = name,
			                                    .display = name,
			                                    .type = 'P',
			                                    .left_out = SKIP_NONE };
		sample_written(&s->r.channels[i], 1);
		sample_skip(&s->r.channels[i], SKIP_TOO_LARGE, 1);
		s->r.people[i] = (struct report_person){ .slack_id = name,
			                                 .username = name,
			                                 .slack_name = name,
			                                 .real_name = name,
			                                 .email = name,
			                                 .status = REPORT_CREATED,
			                                 .active = true,
			                                 .admin = true,
			                                 .mailless = true };
	}
	s->warnings[0] = sample_hostile_name(0);
	s->r.warnings = s->warnings;
	s->r.warnings_count = 1;
	s->phases[0] = (struct report_phase){ sample_hostile_name(1), 5 };
	s->r.phases = s->phases;
	s->r.phases_count = 1;
	/* dates as wild as a ts may be */
	s->months[0] = (struct load_month){ 1970 * 12, 1 };
	s->months[1] = (struct load_month){ 2023 * 12, UINT64_MAX / 4 };
	s->months[2] = (struct load_month){ 9999 * 12 + 11, 1 };
	sample_sum(s);
}

/* False when there is no sample of this name. */
static inline bool sample_make(struct sample *s, const char *name)
{
	*s = (struct sample){ 0 };
	if (strcmp(name, "small") == 0)
		sample_small(s);
	else if (strcmp(name, "big") == 0)
		sample_big(s);
	else if (strcmp(name, "hostile") == 0)
		sample_hostile(s);
	else if (strcmp(name, "check") == 0)
		sample_small(s);
	else if (strcmp(name, "nothing") != 0)
		return false;
	s->r.check = strcmp(name, "check") == 0;
	if (s->r.check)
		s->r.bodies = (struct report_bodies){ 0 };
	return true;
}

static inline void sample_release(struct sample *s)
{
	free(s->months);
	import_report_release(&s->r);
}

#endif
