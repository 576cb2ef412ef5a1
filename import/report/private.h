/*
 * What the files of this room share: files that are written piece by piece into the folder that
 * becomes the report, and the renderers, one per file. Not for other rooms: report.h, writer.h.
 */
#ifndef IMPORT_REPORT_PRIVATE_H
#define IMPORT_REPORT_PRIVATE_H

#include <sys/types.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/map.h"
#include "import/report/report.h"

/* Every file of a report; anything else in a folder makes it somebody else's. */
#define REPORT_HTML    "report.html"
#define REPORT_JSON    "report.json"
#define REPORT_SKIPPED "skipped.jsonl"
#define REPORT_MISSING "missing-files.csv"
#define REPORT_USERS   "users.csv"

/* How report.json begins: the mark of a folder that is a report. */
#define REPORT_FORMAT         "matterark-import-report"
#define REPORT_FORMAT_VERSION 1
#define REPORT_MARK           "{\n\t\"format\": \"" REPORT_FORMAT "\",\n"

/* Defaults of a Mattermost server. Fact: docs/mattermost-facts.md "Limits" */
#define REPORT_TEAM_MAX   50  /* TeamSettings.MaxUsersPerTeam */
#define REPORT_ACTIVE_MAX 250 /* active users without a licence */

/* ---- a file (file.c) ---- */

struct report_file {
	int fd; /* -1: not open */
	const char *name;
	struct ark_buf text; /* not yet written; renderers append here and call report_file_drain */
	int errnum;          /* first trouble; sticks */
};

enum ark_rc report_file_create(int folder_fd, const char *name, struct report_file *out,
                               struct ark_err *err);
/* Write what has gathered once it is worth a system call. */
void report_file_drain(struct report_file *f);
/* Write the rest, fsync and close. */
enum ark_rc report_file_finish(struct report_file *f, struct ark_err *err);
/* Close without caring; also fit for ark_auto and for one that is not open. */
void report_file_release(struct report_file *f);

/* ---- the folder (folder.c) ---- */

struct report_folder {
	int fd; /* the one being filled; locked; -1: none */
	int parent_fd;
	char *place;    /* final name with its parent, for people */
	char *name;     /* its last part */
	char part[256]; /* name of the one being filled, in the same parent */
	bool published;
};

enum ark_rc report_folder_begin(const char *dir, struct report_folder *out, struct ark_err *err);
/* Give it its final name. */
enum ark_rc report_folder_publish(struct report_folder *f, struct ark_err *err);
/* Removes what was not published. */
void report_folder_release(struct report_folder *f);

/* ---- renderers; each appends to f->text and drains ---- */

/* What the writer knows besides: files whose body is missing, by reason. */
struct report_missing {
	uint64_t total;
	const struct ark_map *reasons; /* text to index in counts */
	const uint64_t *counts;
};

void report_write_json(struct report_file *f, const struct import_report *r,
                       const struct report_missing *missing);
void report_write_html(struct report_file *f, const struct import_report *r,
                       const struct report_missing *missing);
void report_write_users(struct report_file *f, const struct import_report *r);
void report_missing_header(struct report_file *f);

/* ---- what several renderers say (facts.c) ---- */

const char *report_status_name(enum report_status status); /* "matched" */
const char *report_type_name(char type);                   /* "public"; "left out" for 0 */
/* The last part of a path; borrowed. */
struct ark_str report_base_name(const char *path);
/* "2023-08" of load_month.month */
void report_month(struct ark_buf *out, int32_t month);
/* "1700000000.000100", as Slack writes it */
void report_ts(struct ark_buf *out, int64_t ts_us);

struct report_people_counts {
	uint64_t status[REPORT_STATUS_COUNT];
	uint64_t deactivated; /* new accounts that cannot be used, placeholders not counted */
	uint64_t guests, guests_deactivated, admins, mailless;
};
struct report_people_counts report_count_people(const struct import_report *r);
/* A guest of Slack who could not sign in: shut out until somebody decides. */
bool report_guest_shut_out(const struct report_person *p);
/* A private channel that nobody can open. */
bool report_channel_orphan(const struct report_channel *c);

#endif
