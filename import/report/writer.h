/*
 * The folder of --report: report.html for people, report.json, skipped.jsonl, missing-files.csv and
 * users.csv for programs. It is opened when the run starts, because skips are written as they
 * happen, and made under another name beside the final one: the final name always holds a whole
 * report.
 *
 * Folders are 0700 and files 0600. A folder is taken for an earlier report when its report.json
 * begins as ours do and nothing else than a report's files is in it; anything else that is not
 * empty is refused. An earlier report is replaced in one step (renameat2) after the new one is on
 * disk. What a killed run left behind carries a lock that the kernel has released, and the next run
 * with the same DIR removes it.
 *
 * One thread at a time.
 */
#ifndef IMPORT_REPORT_WRITER_H
#define IMPORT_REPORT_WRITER_H

#include "common/base/err.h"
#include "import/report/report.h"
#include "import/slack/export.h"

struct import_report_writer;

/*
 * dir  as the user gave it; its parent must exist
 * FAIL: REFUSED (something is there that is no report of ours), MISSING (no parent), IO
 */
enum ark_rc import_report_open(const char *dir, struct import_report_writer **out,
                               struct ark_err *err);
/* Gives up unless import_report_write succeeded: the final name is as it was. NULL is fine. */
void import_report_close(struct import_report_writer *w);
void import_report_closep(struct import_report_writer **w); /* for ark_auto */

/* Names for the lines of import_report_skip; without it they carry none. Borrowed. */
void import_report_export(struct import_report_writer *w, const struct slack_export *x);

/* One line of skipped.jsonl; fits load_report.on_skip, `w` is the writer. conv may be CONV_NONE,
 * ts_us 0, detail NULL. Trouble with the disk is kept and reported by import_report_write. */
void import_report_skip(void *w, uint32_t source, struct ark_str file, uint64_t offset,
                        uint64_t len, uint32_t conv, int64_t ts_us, enum skip_reason reason,
                        const char *detail);

/* A file whose body is not there: one row of missing-files.csv. reason is one of few texts of ours
 * ("hidden by Slack's plan limit"): they are counted. Nothing with a token in it belongs here. */
void import_report_missing(struct import_report_writer *w, struct ark_str slack_file_id,
                           struct ark_str name, struct ark_str channel, int64_t ts_us,
                           struct ark_str reason);

/*
 * Write the rest, bring everything to disk and give the folder its final name. Once per writer.
 * FAIL or STOP: an earlier report is still there, unchanged.
 */
enum ark_rc import_report_write(struct import_report_writer *w, const struct import_report *r,
                                struct ark_err *err);

/* The final name as it is shown to people; borrowed. */
const char *import_report_place(const struct import_report_writer *w);

#endif
