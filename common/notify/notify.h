/*
 * Telling others that a run began and how it ended: --notify and --metrics. Nothing here can make a
 * run fail: what goes wrong is a warning (msgid "notify.failed", "metrics.failed"), and takes at most
 * NOTIFY_TOTAL_MS per notice.
 *
 *	struct config { ...; struct notify_options notify; };
 *	static const struct ark_option OPTIONS[] = { ..., ARK_TITLE("Telling others"),
 *		NOTIFY_ROWS(struct config, notify, RUN | FILES) };
 *
 *	struct notify_book book;
 *	rc = notify_open(&book, &config.notify, &args, config.dry_run, talk, err);	// usage error
 *	...
 *	notify_headline(&book, "...");				// anywhere on the way
 *	notify_count(&book, "posts_written", "posts written", n);
 *	...
 *	notify_close(&book, code, rc < 0 ? &err : NULL, talk);
 *
 * Addresses: docs/notify.md.
 */
#ifndef ARK_NOTIFY_NOTIFY_H
#define ARK_NOTIFY_NOTIFY_H

#include "common/base/limits.h"
#include "common/cli/args.h"
#include "common/cli/exit.h"
#include "common/cli/option.h"
#include "common/cli/talk.h"

#define NOTIFY_TOTAL_MS 15000

/* Part of a tool's config struct; filled by the rows below. */
struct notify_options {
	struct ark_list urls;
	const char *metrics;
};

#define NOTIFY_ROWS(type, field, cmds)                                                               \
	{ "notify", 0, "URL", ARK_LIST, offsetof(type, field.urls), NULL, ARK_SECRET,                \
	  "tell how the run ended: a Mattermost incoming webhook, mqtt://HOST/TOPIC, "               \
	  "smtp://HOST/?to=ADDRESS, the http(s) address of a monitor, or exec:COMMAND",              \
	  .commands = (cmds) },                                                                      \
	{ "metrics", 0, "FILE", ARK_TEXT, offsetof(type, field.metrics), NULL, ARK_IS_FILE,          \
	  "write figures of the run for Prometheus's textfile collector, FILE.prom",                 \
	  .commands = (cmds) }

struct notify_count {
	const char *name;  /* snake_case with its unit: "posts_written", "read_bytes" */
	const char *title; /* for people: "posts written" */
	uint64_t value;
};

/* What is told. Strings are borrowed; NULL where nothing is known. */
struct notify_run {
	const char *tool;     /* "matter-import" */
	const char *version;
	const char *command;  /* "slack" */
	const char *target;   /* for people, without secrets: "database mattermost at db1" */
	int64_t begin_ms;     /* Unix time; 0: notify_begin sets it */
	/* at the end */
	enum ark_exit code;
	const char *headline; /* one sentence; no message text of anybody */
	const char *problem;  /* text of the error, for code other than DONE and LOSSES */
	const struct notify_count *counts;
	size_t count_count;
};

/* FAIL with kind USAGE for an address of no known kind, or a metrics file whose name does not end in
 * .prom or whose folder is not there. The text holds no secret. */
enum ark_rc notify_check(const struct notify_options *opt, struct ark_err *err);

/* Tells those who want to know of beginnings (monitors, commands). */
void notify_begin(const struct notify_options *opt, struct notify_run *run, struct ark_talk *talk);
/* Tells everybody, and writes the metrics. Works after SIGINT too. */
void notify_end(const struct notify_options *opt, const struct notify_run *run,
                struct ark_talk *talk);

/* --- facts gathered along the way --------------------------------------------------------------- */

/* A run and the storage of what is told about it. */
struct notify_book {
	const struct notify_options *opt;
	struct notify_run run;
	struct notify_count counts[LIMIT_NOTIFY_COUNTS];
	char headline[512], target[512];
};

/*
 * notify_check, then notify_begin with the names that `args` hold. `opt` is borrowed until the end. Nobody is
 * told when the command has no such options (a configuration file can hold them), or for a dry run.
 */
enum ark_rc notify_open(struct notify_book *book, const struct notify_options *opt, const struct ark_args *args,
                        bool dry_run, struct ark_talk *talk, struct ark_err *err);
/* One sentence without full stop; names no message text. */
void notify_headline(struct notify_book *book, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Where the run worked, for people. */
void notify_target(struct notify_book *book, struct ark_str target);
/* A figure; names are literals, as in struct notify_count. */
void notify_count(struct notify_book *book, const char *name, const char *title, uint64_t value);
/* notify_end. err: why it failed; NULL when it did not. */
void notify_close(struct notify_book *book, enum ark_exit code, const struct ark_err *err, struct ark_talk *talk);

#endif
