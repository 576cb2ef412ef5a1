/*
 * What the formats of one message file per conversation and day share: where a day ends, who takes part
 * in it, which files belong to it. Days are days of UTC.
 */
#ifndef EXPORT_FORMATS_MAIL_DAY_H
#define EXPORT_FORMATS_MAIL_DAY_H

#include "common/base/map.h"
#include "export/formats/mail/mime.h"
#include "export/record.h"

struct day_file {
	char *id;
	char *name;
	char *mime_type;
	char *copy_path; /* of a plain file of this export */
};

struct day {
	const struct export_run *run;
	const struct export_channel *channel;
	int64_t day;      /* since 1970; -1: none is open */
	unsigned part;    /* from 1; the next one when a day is too long for one file */
	uint64_t count;   /* records */
	uint64_t bytes;   /* of what the owner has gathered; for the limit below */
	int64_t first_ms, last_ms;
	struct ark_map people; /* user id -> index in run->people, ARK_MAP_NONE - 1 when there is none */
	struct day_file *files;
	size_t files_count;
};

#define DAY_RECORDS 10000u        /* in one file. Fact: RSMF's practice, peers write no more */
#define DAY_BYTES   (12u << 20)   /* of text in one file */

void day_init(struct day *d, const struct export_run *run);
void day_release(struct day *d);
void day_channel(struct day *d, const struct export_channel *channel);
/* Does this record belong into another file than the ones before? */
bool day_is_over(const struct day *d, const struct export_record *r);
/* Begin the file for this record. */
void day_begin(struct day *d, const struct export_record *r);
/* One more record of the open day: counts it, its people, its copied files. */
void day_add(struct day *d, const struct export_record *r);
void day_person(struct day *d, struct ark_str id, const struct export_person *p);
const struct export_person *day_person_at(const struct day *d, uint32_t n, struct ark_str *id);
void day_end(struct day *d);

/* "data/eml/acme/town-square/2024-03-05-2.eml" */
void day_path(const struct day *d, const char *format, const char *ending, struct ark_buf *out);
/* "2024-03-05" or "2024-03-05-2" */
void day_name(const struct day *d, struct ark_buf *out);
/* The display name of the channel, else its name. */
struct ark_str day_channel_title(const struct day *d);

#endif
